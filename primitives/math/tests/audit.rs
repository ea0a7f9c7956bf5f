//! The audit game's inequalities, over the whole range of its parameters (docs/protocol/audit.md).

#![allow(clippy::unwrap_used, clippy::expect_used)]

use aria_math::{
	audit::*,
	odds::ONE_Q64,
	reputation::{audit_probability_ppm, fail_audit, pass_audit, AuditTally, MAX_SCORE},
	reward::burn_bound,
	split::split_exact,
	Balance, ARIA, PPM,
};
use proptest::prelude::*;

const DEFAULT: AuditParameters = AuditParameters::DEFAULT;

/// How a price is divided: stages, gateway, author, audit, storage, burn.
const SPLIT: [u32; 6] = [700_000, 100_000, 30_000, 50_000, 20_000, 100_000];

/// No regression files: a failure prints the smallest input that shows it.
fn config() -> ProptestConfig {
	ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() }
}

/// Where in its range a parameter lies: often at an end.
fn place() -> impl Strategy<Value = u64> {
	prop_oneof![1 => Just(0), 1 => Just(u64::MAX), 3 => any::<u64>()]
}

fn any_parameters() -> impl Strategy<Value = AuditParameters> {
	prop::collection::vec(place(), PARAMETERS).prop_map(|places| {
		let mut values = [0_u128; PARAMETERS];
		for ((value, range), place) in values.iter_mut().zip(AuditParameters::RANGES).zip(places) {
			*value =
				range.low + (range.high - range.low) * u128::from(place) / u128::from(u64::MAX);
		}
		AuditParameters::within_ranges(values)
	})
}

/// From a planck to a million ARIA, evenly over the magnitudes.
fn any_amount() -> impl Strategy<Value = Balance> {
	(any::<u64>(), 4_u32..64).prop_map(|(value, shift)| 1 + u128::from(value >> shift))
}

fn any_ppm() -> impl Strategy<Value = u32> {
	prop_oneof![1 => Just(0), 1 => Just(PPM), 6 => 0..=PPM]
}

/// A price that a record of stages with that liability may take.
fn price_within(limit: Balance, place: u64) -> Balance {
	limit * (u128::from(place) + 1) / (u128::from(u64::MAX) + 1)
}

/// Six parts that add up to a whole, something of it burnt.
fn any_split() -> impl Strategy<Value = [u32; 6]> {
	[1..PPM, 1..PPM, 1..PPM, 1..PPM, 1..PPM].prop_map(|mut cuts| {
		cuts.sort_unstable();
		let [a, b, c, d, e] = cuts;
		[a, b - a, c - b, d - c, e - d, PPM - e]
	})
}

// --- parameters -------------------------------------------------------------------------------

#[test]
fn defaults_should_lie_in_their_ranges() {
	assert_eq!(DEFAULT.check(), Ok(()));
	for (range, value) in AuditParameters::RANGES.iter().zip(DEFAULT.values()) {
		assert_eq!(range.default, value, "{}", range.name);
		assert!(range.low <= range.default && range.default <= range.high, "{}", range.name);
	}
	assert_eq!(AuditParameters::within_ranges(DEFAULT.values()), DEFAULT);
}

#[test]
fn values_outside_of_their_ranges_should_be_named_and_brought_in() {
	let none = AuditParameters { seats: 0, ..DEFAULT };
	assert_eq!(none.check(), Err("FirstSeats"));
	assert_eq!(AuditParameters::within_ranges(none.values()).seats, 2);
	let generous = AuditParameters { verifier_fee: ARIA, ..DEFAULT };
	assert_eq!(generous.check(), Err("VerifierFee"));
	let largest = AuditParameters::within_ranges([u128::MAX; PARAMETERS]);
	assert_eq!(largest.check(), Ok(()));
	assert_eq!(AuditParameters::within_ranges([0; PARAMETERS]).check(), Ok(()));
}

// --- seats ------------------------------------------------------------------------------------

#[test]
fn a_seat_should_be_below_the_exact_threshold() {
	// A tenth of all stake, three seats: 0.3 × 2^64 is 5,534,023,222,112,865,484.8
	assert!(has_seat(5_534_023_222_112_865_484, ARIA, 10 * ARIA, 3));
	assert!(!has_seat(5_534_023_222_112_865_485, ARIA, 10 * ARIA, 3));
	// Of nothing there is no part.
	assert!(!has_seat(0, 0, 10, 3));
	assert!(!has_seat(0, 10, 0, 3));
	assert!(!has_seat(0, 10, 10, 0));
	// A third of the stake has one for sure, and the largest numbers do not overflow.
	assert!(has_seat(u64::MAX, ARIA, 3 * ARIA, 3));
	assert!(has_seat(u64::MAX, u128::MAX, u128::MAX, 1));
	assert!(has_seat(u64::MAX, u128::MAX, u128::MAX, u32::MAX));
	assert!(!has_seat(u64::MAX, 1, u128::MAX, u32::MAX));
}

proptest! {
	#![proptest_config(config())]

	#[test]
	fn a_seat_should_be_won_by_stake_and_not_by_names(
		output in any::<u64>(),
		stake in any_amount(),
		other in any_amount(),
		seats in 1_u32..64,
	) {
		let total = stake + other;
		let more = stake + other / 2;
		prop_assert!(!has_seat(output, stake, total, seats) || has_seat(output, more, total, seats));
		prop_assert!(!has_seat(output, stake, total, seats) || has_seat(output, stake, total, seats + 1));
		let exact = f64::from(seats) * stake as f64 / total as f64;
		let number = output as f64 / 2_f64.powi(64);
		if (number - exact).abs() > 1e-9 {
			prop_assert_eq!(has_seat(output, stake, total, seats), number < exact);
		}
	}
}

/// The same chances in double precision, from the definition.
fn detection(seats: f64, further: f64, honest: f64) -> f64 {
	let poisson = |mean: f64| {
		let mut places = vec![(-mean).exp()];
		for place in 1..300 {
			places.push(places[place - 1] * mean / place as f64);
		}
		places
	};
	let exceeds = |one: &[f64], other: &[f64]| {
		(0..300).map(|i| one[i] * other[..i].iter().sum::<f64>()).sum::<f64>()
	};
	let all = seats + further;
	let liars = poisson(all * (1.0 - honest));
	exceeds(&poisson(all * honest), &liars)
		- (-seats * honest).exp() * exceeds(&poisson(further * honest), &liars)
}

#[test]
fn detection_should_be_that_of_its_definition() {
	for (seats, further) in [(2, 3), (2, 9), (3, 9), (16, 64)] {
		for honest_ppm in [0, 100_000, 500_000, 666_667, 900_000, PPM] {
			let exact =
				detection(seats.into(), further.into(), f64::from(honest_ppm) / f64::from(PPM));
			let found = f64::from(detection_ppm(seats, further, honest_ppm)) / f64::from(PPM);
			assert!(found <= exact.max(0.0), "{seats} {further} {honest_ppm}: {found} {exact}");
			assert!(found > exact - 4e-6, "{seats} {further} {honest_ppm}: {found} {exact}");
		}
	}
	assert_eq!(detection_ppm(0, 9, PPM), 0);
	assert_eq!(detection_ppm(2, 9, 0), 0);
	assert!(detection_ppm(u32::MAX, u32::MAX, PPM) >= 999_998);
}

#[test]
fn assurance_should_hold_for_every_number_of_seats_with_half_of_the_stake_lying() {
	let range = |name: &str| {
		let found = AuditParameters::RANGES.iter().find(|range| range.name == name).unwrap();
		u32::try_from(found.low).unwrap()..=u32::try_from(found.high).unwrap()
	};
	for seats in range("FirstSeats") {
		for further in range("FurtherSeats") {
			assert!(detection_ppm(seats, further, PPM / 2) >= ASSURANCE_PPM, "{seats} {further}");
		}
	}
	// With a single seat it would not.
	assert!(detection_ppm(1, 9, PPM / 2) < ASSURANCE_PPM);
}

// --- cheating executors -----------------------------------------------------------------------

#[test]
fn prices_should_raise_the_probability_of_an_audit() {
	let ten = liability(10 * ARIA, &DEFAULT);
	assert_eq!(ten, 5 * ARIA);
	// 0.03 / (0.3 × 5.03) is 1.988 %: trust decides.
	assert_eq!(value_probability_ppm(30 * ARIA / 1_000, ten), 19_881);
	assert_eq!(draw_probability_ppm(MAX_SCORE, 30 * ARIA / 1_000, ten, &DEFAULT), 20_000);
	// With a stake of 1 ARIA the price does.
	let one = liability(ARIA, &DEFAULT);
	assert_eq!(draw_probability_ppm(MAX_SCORE, 30 * ARIA / 1_000, one, &DEFAULT), 188_680);
	assert_eq!(record_limit(one), 214_285_714_285);
	// A slash for silence below the stage's counts instead.
	assert_eq!(liability(1_000 * ARIA, &DEFAULT), 10 * ARIA);
	assert_eq!(value_probability_ppm(0, ten), 0);
	assert_eq!(value_probability_ppm(u128::MAX, 0), PPM);
	assert_eq!(value_probability_ppm(1, u128::MAX), 1);
}

proptest! {
	#![proptest_config(config())]

	#[test]
	fn lying_in_one_record_should_never_pay(
		parameters in any_parameters(),
		stake in any_amount(),
		place in any::<u64>(),
		reputation in any_ppm(),
		honest in PPM / 2..=PPM,
	) {
		let liability = liability(stake, &parameters);
		let price = price_within(record_limit(liability), place);
		let probability = draw_probability_ppm(reputation, price, liability, &parameters);
		let found = detection_ppm(parameters.seats, parameters.further_seats, honest);
		prop_assert!(!cheating_pays(price, liability, probability, found));
		prop_assert!(probability >= audit_probability_ppm(reputation, parameters.floor_ppm));
	}

	#[test]
	fn the_gain_until_caught_should_be_below_stake_and_unvested(
		parameters in any_parameters(),
		stake in any_amount(),
		place in any::<u64>(),
		reputation in any_ppm(),
		fraction in 1..=PPM,
		honest in PPM / 2..=PPM,
	) {
		let liability = liability(stake, &parameters);
		let price = price_within(record_limit(liability), place);
		prop_assume!(price > 0);
		let probability = draw_probability_ppm(reputation, price, liability, &parameters);
		let found = detection_ppm(parameters.seats, parameters.further_seats, honest);
		let until = until_caught(price, fraction, probability, found).unwrap();
		// When it is caught, the record that it was caught with is not vested.
		prop_assert!(until.gain <= liability + 1);
		prop_assert!(until.gain < stake + price);
		prop_assert!(until.records >= 1);
	}

	#[test]
	fn no_order_of_false_records_should_pay(
		parameters in any_parameters(),
		stake in any_amount(),
		reputation in any_ppm(),
		places in prop::collection::vec(any::<u64>(), 1..200),
		honest in PPM / 2..=PPM,
	) {
		let liability = liability(stake, &parameters);
		let limit = record_limit(liability);
		let found = detection_ppm(parameters.seats, parameters.further_seats, honest);
		let records: Vec<(Balance, u32)> = places
			.iter()
			.map(|place| {
				let price = price_within(limit, *place);
				(price, draw_probability_ppm(reputation, price, liability, &parameters))
			})
			.collect();
		let sum = strategy(records.iter().copied(), liability, found);
		// Each record rounds by a planck on either side.
		let rounding = 2 * places.len() as u128 + (liability >> 48);
		prop_assert!(sum.gain <= sum.loss + rounding, "{sum:?}");
		prop_assert!(sum.loss <= liability);
	}

	#[test]
	fn a_failure_should_pay_the_requester_first_and_lose_nothing(
		parameters in any_parameters(),
		stake in any_amount(),
		unvested in any_amount(),
		price in any_amount(),
		fees in any_amount(),
	) {
		let all = failure(stake, unvested, price, fees, &parameters);
		prop_assert!(all.slashed <= stake);
		prop_assert_eq!(all.forfeited, unvested);
		prop_assert_eq!(all.slashed + all.forfeited, all.requester + all.accusers + all.burnt);
		prop_assert_eq!(all.requester, price.min(all.slashed + all.forfeited));
		// A record within its limit is refunded out of the slash alone: no pot is asked.
		if price <= record_limit(liability(stake, &parameters)) {
			prop_assert_eq!(all.requester, price);
			prop_assert!(all.slashed >= liability(stake, &parameters));
		}
	}

	#[test]
	fn silence_should_cost_at_least_what_a_false_record_does(
		parameters in any_parameters(),
		stake in any_amount(),
		price in any_amount(),
		fees in any_amount(),
	) {
		let gateway = 100 * ARIA;
		let all = silence(gateway, price, fees, &parameters);
		prop_assert_eq!(all.slashed, all.requester + all.verifiers + all.burnt);
		prop_assert!(all.slashed >= liability(stake, &parameters));
		prop_assert_eq!(silence(0, price, fees, &parameters), Silence::default());
	}
}

// --- silent gateways --------------------------------------------------------------------------

/// The part of a price that gateway and stages have of it at most, in ppm: their shares, and the emission
/// for what is burnt.
const KEPT_PPM: u32 = 700_000 + 100_000 + 90_000;

/// A gateway that hands nothing over to those who are not its friends, and has all stages, whom a silent
/// gateway does not cost their pay. What its stake answers for it sells at once, in records of one price.
struct Silenced {
	/// Records.
	records: u128,
	/// What they cost, in planck.
	sold: Balance,
	/// Probability that a record is drawn and the gateway found silent.
	caught: f64,
	/// What each verdict takes, in planck.
	slash: Balance,
}

impl Silenced {
	fn new(
		stake: Balance,
		price: Balance,
		executors: Balance,
		honest_ppm: u32,
		parameters: &AuditParameters,
	) -> Self {
		let records = shared_limit(stake) / price;
		let liability = liability(executors, parameters);
		let drawn = draw_probability_ppm(MAX_SCORE, price, liability, parameters);
		let found = detection_ppm(parameters.seats, parameters.further_seats, honest_ppm);
		Self {
			records,
			sold: records * price,
			caught: f64::from(drawn) * f64::from(found) / 1e12,
			slash: silence(stake, price, 0, parameters).slashed,
		}
	}

	/// What it has of so many records, less what of `stake` it expects to lose; in planck.
	fn net(&self, stake: Balance, records: u128) -> f64 {
		let (count, hit) = (records as f64, self.caught.min(1.0 - 1e-12));
		let mut chance = (1.0 - hit).powf(count);
		let mut lost = 0.0;
		for verdicts in 0..=records {
			lost += chance * (verdicts as f64 * self.slash as f64).min(stake as f64);
			chance *= (count - verdicts as f64) / (verdicts as f64 + 1.0) * hit / (1.0 - hit);
		}
		let each = self.sold as f64 / self.records as f64;
		count * each * f64::from(KEPT_PPM) / 1e6 - lost
	}
}

proptest! {
	#![proptest_config(config())]

	/// Nothing vests past an open audit, so that what it is paid before its first verdict is what is
	/// expected until a record is caught; what it is paid after it was not vested then, and its stake
	/// bounds that.
	#[test]
	fn the_gain_of_a_silent_gateway_should_be_below_stake_and_unvested(
		parameters in any_parameters(),
		more in any_amount(),
		executors in any_amount(),
		place in any::<u64>(),
		reputation in any_ppm(),
		fraction in 1..=PPM,
		honest in PPM / 2..=PPM,
	) {
		// A gateway has 100 ARIA at least.
		let stake = 100 * ARIA + more;
		let liability = liability(executors, &parameters);
		let price = price_within(record_limit(liability), place);
		prop_assume!(price > 0);
		let probability = draw_probability_ppm(reputation, price, liability, &parameters);
		let found = detection_ppm(parameters.seats, parameters.further_seats, honest);
		let until = until_caught(price, fraction, probability, found).unwrap();
		let unvested = shared_limit(stake) / price * price;
		prop_assert!(unvested <= stake);
		prop_assert!(until.gain <= parameters.silence_slash + 1);
		prop_assert!(until.gain < stake + price);
		prop_assert!(until.gain + unvested < stake + unvested + price);

		// Each verdict takes as much of the stake as of what more it answers for, and at least what is
		// lost by a false record: from one to the next there is never more to win than to lose.
		let mut left = stake;
		while left > 0 {
			let all = silence(left, price, 0, &parameters);
			prop_assert!(all.slashed >= price.max(liability).min(left));
			let room = shared_limit(left) - shared_limit(left - all.slashed);
			prop_assert_eq!(room, all.slashed);
			left -= all.slashed;
			// With large stakes and small slashes some of them show it.
			if stake / all.slashed > 1_000 {
				break;
			}
		}
	}

	/// With a third of the verifiers' stake on its side each record costs it more than it has of it, as
	/// long as there is stake to lose.
	#[test]
	fn silence_should_not_pay_while_there_is_stake_to_lose(
		parameters in any_parameters(),
		executors in any_amount(),
		place in any::<u64>(),
		honest in 666_667..=PPM,
	) {
		let stake = 100 * ARIA;
		let liability = liability(executors, &parameters);
		let price = price_within(record_limit(liability), place);
		prop_assume!(price > 0);
		let probability = draw_probability_ppm(MAX_SCORE, price, liability, &parameters);
		let found = detection_ppm(parameters.seats, parameters.further_seats, honest);
		let slash = silence(stake, price, 0, &parameters).slashed;
		let kept = price * u128::from(KEPT_PPM) / u128::from(PPM);
		let caught = u128::from(probability) * u128::from(found);
		prop_assert!(caught * slash >= kept * u128::from(PPM_SQUARED));
	}
}

#[test]
fn the_stake_of_a_gateway_should_suffice_for_what_it_may_sell() {
	// At the defaults, whatever the price: with a third of the verifiers' stake lying it loses.
	let (executors, third) = (1_000 * ARIA, 666_667);
	let limit = record_limit(liability(executors, &DEFAULT));
	for stake in [100 * ARIA, 1_000 * ARIA] {
		for price in [ARIA / 50, ARIA / 10, ARIA / 2, ARIA, 2 * ARIA, limit] {
			let bounded = Silenced::new(stake, price, executors, third, &DEFAULT);
			let net = bounded.net(stake, bounded.records);
			assert!(net < -0.08 * stake as f64, "{stake} {price}: {net}");
		}
	}
	// Ten times as much, and its stake is gone long before its records are judged.
	let stake = 100 * ARIA;
	let unbounded = Silenced::new(stake, ARIA, executors, third, &DEFAULT);
	assert!(unbounded.net(stake, 10 * unbounded.records) > 7.0 * stake as f64);
	// With half of it lying, it keeps a sixth of its stake at most.
	for price in [ARIA / 50, ARIA / 10, ARIA, 2 * ARIA, limit] {
		let bounded = Silenced::new(stake, price, executors, PPM / 2, &DEFAULT);
		assert!(bounded.net(stake, bounded.records) < stake as f64 / 6.0, "{price}");
	}
}

#[test]
fn without_the_price_in_the_draw_lying_should_pay() {
	// One record of ten stakes, of which trust alone decides: the tests above can fail.
	let stake = 10 * ARIA;
	let trusted = audit_probability_ppm(MAX_SCORE, DEFAULT.floor_ppm);
	let found = detection_ppm(DEFAULT.seats, DEFAULT.further_seats, PPM);
	let liability = liability(stake, &DEFAULT);
	assert!(cheating_pays(10 * stake, liability, trusted, found));
	let until = until_caught(ARIA, PPM, trusted, found).unwrap();
	assert!(until.gain > 5 * stake);
	let sum = strategy([(ARIA, trusted); 50], liability, found);
	assert!(sum.gain > sum.loss);
	assert_eq!(until_caught(ARIA, 0, trusted, found), None);
	assert_eq!(until_caught(ARIA, PPM, trusted, 0), None);
}

#[test]
fn two_thirds_would_leave_a_third_of_the_stake_unpunished() {
	// Seats of both rounds, of which two thirds would have to be honest: a third of the stake
	// escapes in more than half of its audits, however many seats there are.
	let convicted = |honest: f64, all: f64| {
		let (mut sum, mut own) = (0.0, (-all * honest).exp());
		for right in 1..300 {
			own *= all * honest / f64::from(right);
			let mut other = (-all * (1.0 - honest)).exp();
			for wrong in 0..=right / 2 {
				sum += own * other;
				other *= all * (1.0 - honest) / f64::from(wrong + 1);
			}
		}
		sum
	};
	for all in [11.0, 26.0, 66.0] {
		assert!(convicted(2.0 / 3.0, all) < 0.56, "{all}");
	}
	assert!(detection_ppm(2, 9, 666_667) > 640_000);
	assert!(detection_ppm(2, 64, 666_667) > 730_000);
	assert!(detection_ppm(2, 16, 666_667) > detection_ppm(2, 9, 666_667));
}

// --- the cost of audits -----------------------------------------------------------------------

#[test]
fn audits_should_take_less_than_a_twentieth_of_all_computation_at_the_floor() {
	// 0.02 × 2.09 runs for each answer: 0.0418 / 1.0418
	assert_eq!(audit_share_ppm(DEFAULT.floor_ppm, &DEFAULT), 40_123);
	let three = AuditParameters { seats: 3, ..DEFAULT };
	assert!(audit_share_ppm(three.floor_ppm, &three) > 50_000);
	assert_eq!(audit_share_ppm(0, &DEFAULT), 0);
	assert!(audit_share_ppm(PPM, &DEFAULT) > 676_000);
}

proptest! {
	#![proptest_config(config())]

	#[test]
	fn trust_should_never_make_audits_dearer(
		parameters in any_parameters(),
		a in any_ppm(),
		b in any_ppm(),
		price in any_amount(),
		stake in any_amount(),
	) {
		let at_stake = liability(stake, &parameters);
		let share = |reputation| {
			let probability = draw_probability_ppm(reputation, price, at_stake, &parameters);
			audit_share_ppm(probability, &parameters)
		};
		prop_assert!(share(a.max(b)) <= share(a.min(b)));
		let more = liability(2 * stake, &parameters);
		prop_assert!(value_probability_ppm(price, more) <= value_probability_ppm(price, at_stake));
	}
}

// --- dealing with oneself ---------------------------------------------------------------------

proptest! {
	#![proptest_config(config())]

	#[test]
	fn audits_should_cost_the_pot_no_more_than_their_part_of_the_price(
		parameters in any_parameters(),
		price in any_amount(),
		split in any_split(),
		probability in 1..=PPM,
		counted in 1_u32..64,
	) {
		let [stages, ..] = split_exact(price, &split).unwrap();
		let fee = seat_fee(price, stages, probability, counted, &parameters);
		// In the mean, however many seats there are; what audits take out of his shares he pays
		// himself.
		let fees = fee.pot * u128::from(counted) * u128::from(probability) / u128::from(PPM);
		prop_assert!(fees <= price * u128::from(parameters.fee_ppm) / u128::from(PPM));
		prop_assert!(fee.shares * u128::from(counted) <= stages);
		prop_assert!(fee.total() <= parameters.verifier_fee);
	}
}

proptest! {
	#![proptest_config(config())]

	/// Who is requester, gateway, stage, author of the block and every verifier, has every record
	/// audited as often as it may be, and has all canaries: with the split and the β of the chain.
	#[test]
	fn dealing_with_oneself_should_lose_at_the_chains_split(
		parameters in any_parameters(),
		price in any_amount(),
		probability in 1..=PPM,
		counted in 1_u32..64,
	) {
		let [stages, gateway, author, _, _, burn] = split_exact(price, &SPLIT).unwrap();
		let fee = seat_fee(price, stages, probability, counted, &parameters);
		let fees = fee.pot * u128::from(counted) * u128::from(probability) / u128::from(PPM);
		let canaries = price * u128::from(parameters.canary_ppm) / u128::from(PPM);
		let back = stages + gateway + author + burn_bound(burn, 900_000) + fees + canaries;
		// Each part is rounded by a planck at most; the bytes of a record are paid for on top.
		prop_assert!(back <= price + 6);
		prop_assert!(back < price + 346 * ARIA / 10_000_000);
	}
}

#[test]
fn a_fixed_fee_out_of_the_pot_would_make_own_records_pay() {
	// A newcomer's record of 0.02 ARIA, audited for sure, a third of the seats his own.
	let price = ARIA / 50;
	let [stages, gateway, author, _, _, burn] = split_exact(price, &SPLIT).unwrap();
	let back = stages + gateway + author + burn_bound(burn, 900_000);
	let fixed = u128::from(DEFAULT.seats) * DEFAULT.verifier_fee / 3;
	assert!(back + fixed > price);
}

#[test]
fn fees_should_come_from_the_pot_where_audits_are_rare() {
	let price = 30 * ARIA / 1_000;
	let [stages, _, _, _, _, _] = split_exact(price, &SPLIT).unwrap();
	let trusted = seat_fee(price, stages, DEFAULT.floor_ppm, 2, &DEFAULT);
	assert_eq!(trusted, SeatFee { pot: DEFAULT.verifier_fee, shares: 0 });
	let newcomer = seat_fee(price, stages, PPM, 2, &DEFAULT);
	assert_eq!(newcomer, SeatFee { pot: 450_000_000, shares: 5_250_000_000 });
	assert_eq!(newcomer.total(), 5_700_000_000);
	// No record, no fee, and no division by zero.
	assert_eq!(seat_fee(0, 0, 0, 0, &DEFAULT), SeatFee::default());
	assert_eq!(seat_fee(price, stages, 0, 0, &DEFAULT), SeatFee::default());
}

#[test]
fn unvested_prices_of_shared_records_should_be_bounded_by_each_stake() {
	assert_eq!(shared_limit(10 * ARIA), 10 * ARIA);
	assert_eq!(shared_limit(u128::MAX), u128::MAX);
	// A single record within its limit fits at every slash.
	let highest = AuditParameters { fail_slash_ppm: PPM, ..DEFAULT };
	assert!(record_limit(liability(ARIA, &highest)) <= shared_limit(ARIA));
}

#[test]
fn the_dearest_record_should_fit_a_gateway_with_the_least_stake() {
	let highest = AuditParameters { silence_slash: 100 * ARIA, ..DEFAULT };
	assert!(record_limit(liability(u128::MAX, &highest)) <= shared_limit(100 * ARIA));
}

// --- verifiers that do not work ---------------------------------------------------------------

proptest! {
	#![proptest_config(config())]

	#[test]
	fn copying_and_guessing_should_not_pay(
		parameters in any_parameters(),
		place in any::<u64>(),
		computed in 0..=PPM / 2,
	) {
		let fee = parameters.verifier_fee;
		let bond = parameters.commit_bond;
		// A copied commitment is behind another verifier's VRF output: nothing can be opened.
		prop_assert!(!guessing_pays(fee, bond, 0, parameters.positions));
		prop_assert_eq!(guess_q64(0, parameters.positions), 0);
		// The half of the positions is not enough either.
		prop_assert!(!guessing_pays(fee, bond, computed, parameters.positions));
		// And nobody who would be paid for the whole run does better by a part of it.
		let cost = fee * (u128::from(place) + 1) / (u128::from(u64::MAX) + 1);
		prop_assert!(!skipping_pays(fee, bond, cost, computed, parameters.positions));
		let more = computed + PPM / 3;
		prop_assert!(!skipping_pays(fee, bond, cost, more, parameters.positions));
	}

	#[test]
	fn with_the_executors_help_the_loss_should_exceed_the_fee(
		parameters in any_parameters(),
		known in 0..=PPM / 2,
	) {
		// Of the canaries, those of its friends are none to it.
		let share = parameters.canary_share_ppm();
		let unknown = u64::from(share) * u64::from(PPM - known) / u64::from(PPM);
		let unknown = u32::try_from(unknown).unwrap();
		prop_assert!(!passing_blindly_pays(parameters.verifier_fee, unknown, parameters.canary_slash));
	}

	/// Passing many at once: all unpaid fees go with the first canary among them.
	#[test]
	fn passing_many_at_once_should_not_pay_either(
		parameters in any_parameters(),
		audits in 1_i32..2_000,
	) {
		let share = f64::from(parameters.canary_share_ppm()) / f64::from(PPM);
		let clean = (1.0 - share).powi(audits);
		let gain = f64::from(audits) * parameters.verifier_fee as f64 * clean;
		prop_assert!(gain < parameters.canary_slash as f64 * (1.0 - clean));
	}

	#[test]
	fn canaries_should_pay_their_maker_the_fee_and_nobody_else(
		parameters in any_parameters(),
		price in any_amount(),
		split in any_split(),
		probability in 1..=PPM,
		slashed in any_amount(),
	) {
		let [stages, gateway, author, audit, storage, burn] = split_exact(price, &split).unwrap();
		let costs = author + audit + storage + burn;
		let pay = canary_pay(costs, probability, &parameters);
		// In the mean over drawn ones and others.
		let expected = pay * u128::from(probability) / u128::from(PPM);
		prop_assert!(expected <= costs + parameters.canary_fee);
		prop_assert!(stages + gateway + expected <= price + parameters.canary_fee);
		// Its friends among the verifiers are paid as for any record: what the record itself
		// brought. A bonus comes out of slashes, and there is none where nobody is slashed.
		let fee = seat_fee(price, stages, probability, 1, &parameters);
		let most = price * u128::from(parameters.fee_ppm) / u128::from(PPM);
		prop_assert!(fee.pot * u128::from(probability) / u128::from(PPM) <= most);
		let (caught, maker) = canary_slash_split(slashed, &parameters);
		prop_assert_eq!(caught + maker, slashed);
		prop_assert_eq!(canary_slash_split(0, &parameters), (0, 0));
	}
}

#[test]
fn without_canaries_passing_blindly_should_pay() {
	assert!(passing_blindly_pays(DEFAULT.verifier_fee, 0, DEFAULT.canary_slash));
	// As it does where the slash is no more than a stake of 1 ARIA.
	assert!(passing_blindly_pays(DEFAULT.verifier_fee, 10_000, ARIA));
	// And a bond below the fee would make guesses pay.
	assert!(guessing_pays(ARIA, ARIA / 100, 500_000, 2));
	assert!(skipping_pays(1, 0, 1_000_000, 500_000, 2));
	assert_eq!(guess_q64(PPM, 8), ONE_Q64);
	assert_eq!(guess_q64(500_000, 2), ONE_Q64 / 4);
	assert_eq!(canary_pay(ARIA, 0, &DEFAULT), 0);
	assert_eq!(canary_pay(0, 20_000, &DEFAULT), ARIA / 2);
}

// --- reputation -------------------------------------------------------------------------------

#[test]
fn an_audit_should_move_a_score_more_than_a_settled_stage_and_a_failure_most() {
	assert_eq!(pass_audit(0), 10_000);
	assert_eq!(pass_audit(MAX_SCORE), MAX_SCORE);
	assert_eq!(fail_audit(MAX_SCORE), 500_000);
	// What a failure took, sixty-nine passed audits give back.
	let regrown = (0..69).fold(500_000, |score, _| pass_audit(score));
	assert!((750_000..751_000).contains(&regrown));
	assert_eq!(fail_audit(1), 0);
}

#[test]
fn the_pass_rate_should_be_one_without_audits() {
	let none = AuditTally::default();
	assert_eq!(none.pass_rate_ppm(), PPM);
	assert_eq!(none.and_passed().and_passed().and_failed().pass_rate_ppm(), 666_666);
	assert_eq!(none.and_failed().pass_rate_ppm(), 0);
	let full = AuditTally { passed: u32::MAX, failed: u32::MAX };
	assert_eq!(full.and_passed().and_failed(), full);
	assert_eq!(full.pass_rate_ppm(), 500_000);
}
