//! Who is requester, gateway and worker at once loses money, at every setting of every number: β is
//! below one, and something is burnt.

#![allow(clippy::unwrap_used)]

use aria_math::{split::split_proportional, Balance, ARIA, PPM};
use aria_simulations::economics::{
	chain::{Average, Counted, Line, Offer, Parts, Price, Shape, Stage, Standing},
	Parameters, Scenario, Setting,
};
use proptest::prelude::*;

/// What somebody does with themselves, and what of the network is theirs.
#[derive(Clone, Debug)]
struct Dealer {
	answers: u64,
	stage: Stage,
	standing: Standing,
	/// Weighted work of everybody else.
	others: u128,
	average: Average,
	pool: Balance,
	/// Whether the author of the blocks, the auditors and the archives are the dealer's, too.
	owns_rest: bool,
}

/// What the dealer pays, and what comes back by parts of the price and by emission, in planck.
fn deal(dealer: &Dealer, price: &Price, parameters: &Parameters) -> (Balance, Balance, Balance) {
	let answers = Balance::from(dealer.answers);
	let parts = Parts::of(price, &parameters.split).unwrap();
	let mut back = parts.stages + parts.gateway;
	if dealer.owns_rest {
		back += parts.author + parts.audit + parts.storage;
	}
	let stage = Stage { burnt: parts.burn, ..dealer.stage };
	let counted = Counted::of(&stage, parameters);
	let line = Line::of(
		dealer.answers,
		&counted,
		dealer.average.expected_nj(&counted),
		parts.burn,
		&dealer.standing,
		parameters.latency_target_ms,
	);
	let total = dealer.others.saturating_add(aria_math::reward::weighted(&line.factors));
	let reward = line.reward(dealer.pool, total, parameters);
	assert_eq!(parts.total(), price.total());
	(price.total() * answers, back * answers, reward)
}

/// Any split that adds up, with a part for everybody or not.
fn splits() -> impl Strategy<Value = [u32; 6]> {
	prop::collection::vec(0_u64..1_000_000, 6).prop_map(|weights| {
		let mut parts = [0_u128; 6];
		let left = split_proportional(u128::from(PPM), &weights, &mut parts);
		parts[5] += left;
		parts.map(|part| u32::try_from(part).unwrap())
	})
}

fn any_parameters() -> impl Strategy<Value = Parameters> {
	(
		splits(),
		// β is below one by its range.
		0..PPM,
		prop_oneof![Just(0_u128), 1..ARIA, ARIA..1_000_000 * ARIA],
		any::<u32>(),
		any::<u32>(),
		0..ARIA / 1_000,
	)
		.prop_map(|(split, beta_ppm, rate_cap, dilution, latency_target_ms, byte_fee)| {
			Parameters {
				split,
				beta_ppm,
				rate_cap,
				dilution,
				latency_target_ms,
				byte_fee,
				..Parameters::default()
			}
		})
}

fn dealers() -> impl Strategy<Value = Dealer> {
	let stage = (0_u128..1 << 60, 1_u64..1 << 40).prop_map(|(work, energy_mj)| Stage {
		work,
		energy_mj,
		burnt: 0,
	});
	let standing = (0_u64..10_000, 0..=PPM, 0..=PPM, 500_000_u32..=2_000_000).prop_map(
		|(latency_ms, uptime_ppm, audit_ppm, ceiling_ppm)| Standing {
			latency_ms,
			uptime_ppm,
			audit_ppm,
			ceiling_ppm,
		},
	);
	let average = (0_u128..1 << 70, 0_u128..1 << 70)
		.prop_map(|(energy_nj, work)| Average { energy_nj, work });
	let others = prop_oneof![Just(0_u128), 1_u128..1 << 80];
	(1_u64..1_000_000, stage, standing, others, average, 0..10_000 * ARIA, any::<bool>()).prop_map(
		|(answers, stage, standing, others, average, pool, owns_rest)| Dealer {
			answers,
			stage,
			standing,
			others,
			average,
			pool,
			owns_rest,
		},
	)
}

proptest! {
	#![proptest_config(ProptestConfig {
		cases: 4_096,
		failure_persistence: None,
		..ProptestConfig::default()
	})]

	#[test]
	fn self_dealing_should_lose_at_every_parameter_in_range(
		parameters in any_parameters(),
		dealer in dealers(),
		tokens in prop_oneof![0_u128..1_000, 1_u128..100 * ARIA],
	) {
		let bytes = parameters.byte_fee * 346;
		let price = Price { tokens, bytes };
		let (paid, back, reward) = deal(&dealer, &price, &parameters);
		let burnt = Parts::of(&price, &parameters.split).unwrap().burn * Balance::from(dealer.answers);
		let left = back + reward;
		if burnt > 0 {
			prop_assert!(left < paid, "paid {paid}, back {back} and {reward}");
			// Of what is burnt, at least 1 − β is gone.
			let gone = burnt - burnt * Balance::from(parameters.beta_ppm) / Balance::from(PPM);
			prop_assert!(paid - left >= gone);
		} else {
			// Nothing is burnt of a price of a few planck, and nothing comes of it.
			prop_assert_eq!(reward, 0);
			prop_assert!(left <= paid);
		}
		if !dealer.owns_rest {
			prop_assert!(paid - left >= bytes * Balance::from(dealer.answers));
		}
	}

	#[test]
	fn self_dealing_should_lose_a_hundredth_of_any_offer_at_the_defaults(
		dealer in dealers(),
		output in 1_000_u128..ARIA / 1_000,
	) {
		let parameters = Parameters::default();
		let shape = Setting::new(Scenario::Middle).assumptions.shape;
		let offer = Offer::of_output(output, 200_000, 50_000);
		let price = Price::of(&offer, &shape, parameters.byte_fee);
		let (paid, back, reward) = deal(&dealer, &price, &parameters);
		// A tenth is burnt, and nine tenths of that may come back; a planck an answer by rounding.
		let least = price.tokens * Balance::from(dealer.answers) / 100;
		prop_assert!(paid - back - reward + Balance::from(dealer.answers) >= least);
	}
}

#[test]
fn a_cached_prompt_should_not_make_self_dealing_pay() {
	let parameters = Parameters::default();
	let shape = Shape { prompt: 4_000, cached: 4_000, output: 1 };
	let fresh = Shape { prompt: 4_000, cached: 0, output: 1 };
	assert_eq!(shape.work(2_000_000_000), 2_000_000);
	assert_eq!(fresh.work(2_000_000_000), 4_001 * 2_000_000);
	// And nothing that is burnt on it is worth more than itself.
	let offer = Offer { prompt: 0, cached: 1_000_000, output: 1_000_000 };
	let price = Price::of(&offer, &shape, parameters.byte_fee);
	let dealer = Dealer {
		answers: 10_000,
		stage: Stage { work: shape.work(2_000_000_000), energy_mj: 1, burnt: 0 },
		standing: Standing {
			latency_ms: 0,
			uptime_ppm: PPM,
			audit_ppm: PPM,
			ceiling_ppm: 2_000_000,
		},
		others: 0,
		average: Average { energy_nj: 1 << 60, work: 1 },
		pool: 1_440 * ARIA,
		owns_rest: true,
	};
	let (paid, back, reward) = deal(&dealer, &price, &parameters);
	assert!(reward > 0 && back + reward < paid);
}
