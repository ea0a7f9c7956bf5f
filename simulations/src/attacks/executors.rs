//! Attacks of those who compute: answers that are made up, shortened, or sampled as somebody wishes.

use super::{
	aria,
	campaign::{lead, Plan},
	court::Stand,
	lab::{Attack, Lab},
	outcome::Outcome,
	rules::Setting,
	LEAST_STAKE, STAKE,
};
use aria_math::{
	audit::{detection_ppm, draw_probability_ppm, liability},
	Balance, ARIA, PPM,
};

/// Records that a busy worker has in an epoch.
const BUSY: u32 = 60;

/// A price that the dearest tokens come to.
const DEAR: Balance = 4 * ARIA;

/// Plays a plan against a coalition's part of the verifiers.
pub fn campaign(lab: &Lab, name: &str, plan: &Plan, setting: &Setting, friends: u32) -> Outcome {
	let panel = lab.panel(friends);
	lab.play(name, |random| lead(random, plan, setting, panel))
}

/// All of them.
pub fn attacks(lab: &Lab) -> Vec<Attack> {
	let setting = lab.setting;
	let plan = Plan { records: BUSY, ..Plan::default() };
	let versus = |name: &'static str, plan: &Plan, friends, defence, weaker: Setting| {
		let now = campaign(lab, name, plan, &setting, friends);
		Attack::new(name, now).without(defence, campaign(lab, name, plan, &weaker, friends))
	};
	let loose = setting.with(|rules| {
		rules.forfeit_all = false;
		rules.vest_in_order = false;
	});
	let unpriced = setting.with(|rules| rules.price_in_draw = false);
	let two_thirds = setting.with(|rules| {
		rules.simple_majority = false;
		rules.price_in_draw = false;
	});
	const FORFEIT: &str = "all unvested is forfeited, buckets open in order";
	const PRICED: &str = "price in the draw";
	let mut attacks = vec![
		versus("forged output, every record", &plan, 0, FORFEIT, loose),
		versus(
			"lazy executor (fewer layers, other weights), one record in ten",
			&Plan { false_ppm: 100_000, ..plan },
			0,
			FORFEIT,
			loose,
		),
		bribed_sampler(lab),
		versus(
			"one dear record an epoch",
			&Plan { price: DEAR, records: 1, endgame: false, ..plan },
			0,
			PRICED,
			unpriced,
		),
		versus(
			"scapegoat: a first stage with the least stake takes the blame of all",
			&Plan { scapegoat: true, stake: LEAST_STAKE, ..plan },
			0,
			"stakes bound what is shared, stages behind have nothing",
			setting.with(|rules| rules.bound_shared = false),
		),
		versus(
			"sybils at the least stake, caught and begun again",
			&Plan { stake: LEAST_STAKE, reputation: 0, ..plan },
			0,
			FORFEIT,
			loose.with(|rules| rules.price_in_draw = false),
		),
	];
	let acquitted = Plan { stand: Stand::Acquit, ..plan };
	let dear = Plan { price: ARIA / 2, records: 5, ..acquitted };
	for (friends, name) in [
		(100_000, "collusion with 10 % of the verifiers' stake"),
		(333_333, "collusion with 33 % of the verifiers' stake"),
		(500_000, "collusion with 50 % of the verifiers' stake"),
	] {
		let both = "price in the draw, simple majority";
		attacks.push(versus(name, &dear, friends, both, two_thirds));
	}
	for (friends, name) in [
		(333_333, "scapegoat with 33 % of the verifiers' stake"),
		(500_000, "scapegoat with 50 % of the verifiers' stake"),
	] {
		let plan = Plan { scapegoat: true, stake: LEAST_STAKE, ..acquitted };
		let attack = Attack::new(name, campaign(lab, name, &plan, &setting, friends));
		attacks.push(attack.bound(
			"takes gateway, all stages and the verifiers; at most the scapegoat's stake each time",
		));
	}
	let withheld =
		Plan { withheld: true, gateway: true, stake: 100 * STAKE, price: ARIA, ..acquitted };
	attacks.push(versus(
		"withheld trace: handed over to friends alone, 33 % of the stake",
		&withheld,
		333_333,
		"a gateway's stake bounds its records",
		setting.with(|rules| rules.bound_gateway = false),
	));
	attacks.push(versus(
		"the same with dear records",
		&Plan { price: DEAR, ..withheld },
		333_333,
		"price in the draw, silence is a finding",
		unpriced.with(|rules| rules.silence_is_finding = false),
	));
	attacks.push(versus(
		"withheld randomness: authors of a third of the blocks choose among seeds",
		&Plan { blocks_ppm: 333_333, ..plan },
		0,
		FORFEIT,
		loose,
	));
	attacks
}

/// A sampler that says what somebody pays for: what it gains is paid elsewhere.
fn bribed_sampler(lab: &Lab) -> Attack {
	let setting = lab.setting;
	let name = "lying sampler, one answer in ten, for a bribe";
	let plan = Plan { false_ppm: 100_000, share_ppm: 0, endgame: false, ..Plan::default() };
	let parameters = &setting.parameters;
	let at_stake = liability(STAKE, parameters);
	let drawn = draw_probability_ppm(PPM, plan.price, at_stake, parameters);
	let found = detection_ppm(parameters.seats, parameters.further_seats, PPM);
	let bribe = aria(at_stake) * f64::from(drawn) * f64::from(found) / 1e12;
	Attack::new(name, campaign(lab, name, &plan, &setting, 0)).bound(format!(
		"pays whoever is offered more than {bribe:.3} ARIA a lie, and the pay of what is unvested besides"
	))
}
