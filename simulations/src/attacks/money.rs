//! Attacks on pots and rewards: to be paid for what nobody wanted.

use super::{
	aria,
	court::{audit, Matter, Panel, Stand, Verdict},
	lab::{Attack, Lab},
	outcome::{Outcome, Trial},
	rules::Setting,
	Revenue, LEAST_STAKE, PRICE, STAKE,
};
use crate::{
	economics::{chain::Shape, Assumptions, Parameters},
	random::Random,
};
use aria_math::{
	audit::{
		detection_ppm, draw_probability_ppm, failure, liability, record_limit, seat_fee, strategy,
	},
	draw::draw,
	efficiency::{
		efficiency, CEILING_ATTESTED_PPM, CEILING_ESTIMATE_PPM, CEILING_SELF_MEASURED_PPM,
	},
	reputation::{audit_probability_ppm, grow, pass_audit, GROWTH_STEP_PPM},
	reward::{reward, reward_share, weighted, Factors},
	Balance, ARIA, PPM,
};

/// Records of one campaign of dealing with oneself.
const OWN_RECORDS: u32 = 1_000;

/// Records that a name makes to be paid for their audits, before it is trusted too much for that.
const FARMED_RECORDS: u32 = 100;

/// Lies of one who has an excuse.
const EXCUSED: usize = 100;

/// The least price of a record whose settlement is free.
const LEAST_PRICE: Balance = ARIA / 50;

/// All of them.
pub fn attacks(lab: &Lab) -> Vec<Attack> {
	let setting = lab.setting;
	let farm = |name: &str, setting: &Setting| {
		let panel = lab.panel(333_333);
		lab.play(name, |random| {
			let mut trial = Trial::default();
			let mut reputation = 0;
			for _ in 0..FARMED_RECORDS {
				own_record(random, setting, panel, &mut reputation, &mut trial);
			}
			trial
		})
	};
	let pump = |name: &str, setting: &Setting| {
		let panel = lab.panel(0);
		lab.play(name, |random| refund(random, setting, panel))
	};
	let farming = "own records with 33 % of the verifiers' stake, to be paid for their audits";
	let pumping = "own record with a stage that fails on purpose, to be refunded";
	let unfair = setting.with(|rules| rules.fees_from_record = false);
	let unpriced = setting.with(|rules| rules.price_in_draw = false);
	let collusion = |setting: &Setting| caught_together(lab, setting);
	vec![
		Attack::new("own queries with new salts, 1,000 records", own(true, false))
			.without("burn bound", own(false, false)),
		Attack::new("the same with cached prompts", own(true, true))
			.without("burn bound", own(false, true)),
		Attack::new(farming, farm(farming, &setting))
			.without("audits cost the pot what their record brought", farm(farming, &unfair)),
		Attack::new(pumping, pump(pumping, &setting))
			.without("price in the draw", pump(pumping, &unpriced)),
		Attack::new("canary as an excuse for lying to others, 100 records", excuse(&setting))
			.without(
				"a canary's query is its maker's",
				excuse(&setting.with(|rules| rules.canary_own_query = false)),
			),
		Attack::new("canary's maker with 33 % of the verifiers' stake", collusion(&setting))
			.without(
				"bonuses out of slashes",
				collusion(&setting.with(|rules| rules.bonus_from_slashes = false)),
			),
		energy(),
	]
}

/// Records of which somebody is requester, gateway and stage, and for which emission pays at its
/// highest rate: by the bound, or by the work alone.
fn own(bounded: bool, cached: bool) -> Outcome {
	let parameters = Parameters::default();
	let assumptions = Assumptions::default();
	let shape = if cached {
		Shape { cached: assumptions.shape.prompt, ..assumptions.shape }
	} else {
		assumptions.shape
	};
	let revenue = Revenue::of(LEAST_PRICE);
	let factors = Factors {
		work: shape.work(assumptions.active_parameters),
		quality_ppm: PPM,
		efficiency_ppm: PPM,
	};
	let pool = parameters.schedule.emission_between(1, u64::from(parameters.era_blocks) + 1);
	let emission = if bounded {
		reward(pool, weighted(&factors), &factors, parameters.rate_cap, revenue.emission).payout
	} else {
		reward_share(pool, weighted(&factors), weighted(&factors), parameters.rate_cap)
	};
	let records = f64::from(OWN_RECORDS);
	let back = revenue.parts.stages.saturating_add(revenue.parts.gateway);
	Outcome::certain(
		records * aria(revenue.paid.saturating_sub(back)),
		// All of them in one era share its pool.
		(records * aria(emission)).min(aria(pool)),
		0.0,
	)
}

/// A newcomer's own record; friends among the verifiers are paid for its audit.
fn own_record(
	random: &mut Random,
	setting: &Setting,
	panel: &Panel,
	reputation: &mut u32,
	trial: &mut Trial,
) {
	let parameters = &setting.parameters;
	let revenue = Revenue::of(LEAST_PRICE);
	trial.cost += aria(revenue.lost());
	let probability = audit_probability_ppm(*reputation, parameters.floor_ppm);
	*reputation = grow(*reputation, GROWTH_STEP_PPM);
	if !draw(random.bits(), probability) {
		return;
	}
	let ruling = audit(random, panel, setting, Matter::True, Stand::Truth);
	if ruling.verdict != Verdict::Passed {
		return;
	}
	*reputation = pass_audit(*reputation);
	let (theirs, others) = (ruling.first.coalition.seats, ruling.first.honest.seats);
	if setting.rules.fees_from_record {
		let shares = revenue.parts.stages;
		let fee = seat_fee(revenue.paid, shares, probability, theirs + others, parameters);
		trial.gain += f64::from(theirs) * aria(fee.pot);
		trial.cost += f64::from(others) * aria(fee.shares);
	} else {
		trial.gain += f64::from(theirs) * aria(parameters.verifier_fee);
	}
}

/// A newcomer's record of several stages, all of one attacker, who is requester and gateway too: the
/// first stage has the least stake and fails.
fn refund(random: &mut Random, setting: &Setting, panel: &Panel) -> Trial {
	let parameters = &setting.parameters;
	let price = if setting.rules.price_in_draw {
		record_limit(liability(LEAST_STAKE, parameters))
	} else {
		4 * ARIA
	};
	let revenue = Revenue::of(price);
	let ruling = audit(random, panel, setting, Matter::False, Stand::Truth);
	let mut trial = Trial { cost: aria(revenue.paid), ..Trial::default() };
	// Shares of the other stages, and the gateway's part.
	let others = aria(revenue.parts.stages) * 0.97 + aria(revenue.parts.gateway);
	if ruling.verdict == Verdict::Failed {
		let all = failure(LEAST_STAKE, 0, revenue.paid, 0, parameters);
		trial.cost += aria(all.slashed);
		trial.gain = if setting.rules.price_in_draw {
			aria(all.requester)
		} else {
			// What the stake does not cover comes out of the audit pot, and the others are paid.
			trial.damage = aria(revenue.paid.saturating_sub(all.requester));
			aria(revenue.paid) + others
		};
	} else {
		trial.gain = others + aria(revenue.emission);
	}
	trial
}

/// Lies to real requesters, each under a canary's commitment.
fn excuse(setting: &Setting) -> Outcome {
	let records = EXCUSED as f64;
	let parameters = &setting.parameters;
	let revenue = Revenue::of(PRICE);
	let drawn = f64::from(parameters.floor_ppm) / f64::from(PPM);
	if setting.rules.canary_own_query {
		// The excuse does not count: it is lying as ever.
		let at_stake = liability(STAKE, parameters);
		let probability = draw_probability_ppm(PPM, PRICE, at_stake, parameters);
		let found = detection_ppm(parameters.seats, parameters.further_seats, PPM);
		let lies = [(revenue.stages(), probability); EXCUSED];
		let sum = strategy(lies, at_stake, found);
		return Outcome::certain(aria(sum.loss), aria(sum.gain), aria(sum.gain));
	}
	let kept = (1.0 - drawn) * aria(revenue.stages());
	let fee = drawn * aria(parameters.canary_fee);
	Outcome::certain(0.0, records * (kept + fee), records * aria(revenue.paid))
}

/// A canary whose maker tells friends: what they have beyond what any verifier with their seats has
/// who does the work.
fn caught_together(lab: &Lab, setting: &Setting) -> Outcome {
	/// What a caught canary pays each accuser where the pot pays it, in ARIA.
	const BONUS: f64 = 0.05;
	let panel = lab.panel(333_333);
	lab.play("canary's maker with friends", |random| {
		let ruling = audit(random, panel, setting, Matter::False, Stand::Truth);
		let mut trial = Trial::default();
		if ruling.verdict == Verdict::Failed && !setting.rules.bonus_from_slashes {
			trial.gain = f64::from(ruling.all.coalition.seats) * BONUS;
			trial.damage = f64::from(ruling.all.honest.seats) * BONUS + trial.gain;
		}
		trial
	})
}

/// A worker that says it measured, and measured little: a share of an era's reward more, where the
/// rate and not the burn bound limits it.
fn energy() -> Attack {
	let parameters = Parameters::default();
	let assumptions = Assumptions::default();
	let pool = parameters.schedule.emission_between(1, u64::from(parameters.era_blocks) + 1);
	let work = assumptions.shape.work(assumptions.active_parameters).saturating_mul(1_000);
	let earned = |ceiling: u32, own: u128| {
		let factors =
			Factors { work, quality_ppm: PPM, efficiency_ppm: efficiency(1_000, own, ceiling) };
		// A hundred workers alike.
		let all = weighted(&factors).saturating_add(work.saturating_mul(99));
		reward(pool, all, &factors, parameters.rate_cap, Balance::MAX).payout
	};
	let honest = earned(CEILING_ESTIMATE_PPM, 1_000);
	let lying = earned(CEILING_SELF_MEASURED_PPM, 1);
	let attested = earned(CEILING_ATTESTED_PPM, 1);
	let more = |value: Balance| aria(value.saturating_sub(honest));
	let percent = 100.0 * more(lying) / aria(honest);
	Attack::new(
		"energy under-reported for an era of 1,000 answers",
		Outcome::certain(0.0, more(lying), more(lying)),
	)
	.without("ceilings by source", Outcome::certain(0.0, more(attested), more(attested)))
	.bound(format!(
		"{percent:.1} % of one's reward, and nothing where the burn bound limits it; nobody sees it"
	))
}
