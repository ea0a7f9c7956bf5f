//! Attacks that harm others: what a harm costs whoever does it.

use super::{
	aria,
	campaign::{lead, Plan},
	court::{audit, Matter, Panel, Side, Stand, VERIFIERS},
	executors::campaign,
	lab::{Attack, Lab},
	outcome::{Outcome, Trial},
	rules::Setting,
	Revenue, PRICE, STAKE,
};
use aria_math::{
	audit::{detection_ppm, false_verdict_slash, seat_fee},
	Balance, ARIA, PPM,
};

/// What it takes to post a hand-over of 64 KiB on chain, in ARIA: its fee for length.
const POSTING: f64 = 0.08;

/// Records that an hour's blocks settle at most: 500 of those that can be drawn in each.
const HOUR_RECORDS: f64 = 300_000.0;

/// All of them.
pub fn attacks(lab: &Lab) -> Vec<Attack> {
	let setting = lab.setting;
	let mut attacks = vec![filled_list(lab)];
	for (friends, name) in [
		(100_000, "false accusations with 10 % of the verifiers' stake, for each audit"),
		(333_333, "false accusations with 33 % of the verifiers' stake, for each audit"),
		(500_000, "false accusations with 50 % of the verifiers' stake, for each audit"),
	] {
		attacks.push(accusations(lab, name, friends));
	}
	// Who is answered has to run the record all the same, or loses its bond.
	let claim = Outcome::certain(0.0, 0.0, POSTING);
	attacks
		.push(Attack::new("false claim of silence, rebutted", claim).bound(
			"each seat can make a gateway post one hand-over; it is paid for the run alone",
		));
	let bond = aria(setting.parameters.commit_bond);
	attacks.push(
		Attack::new(
			"gateway silent until it is claimed, then rebutting",
			Outcome::certain(POSTING, 0.0, POSTING.min(bond)),
		)
		.bound("costs either side the posting of a hand-over: nobody can tell who is at fault"),
	);
	let own = Revenue::of(ARIA / 50);
	attacks.push(
		Attack::new(
			"spam of settle: own records fill the blocks of an hour",
			Outcome::certain(HOUR_RECORDS * aria(own.lost()), 0.0, 0.0),
		)
		.bound("others wait while it lasts"),
	);
	attacks.push(audits(&setting));
	attacks
}

/// As many sybils as there may be verifiers, each with the stake of one: whom do they leave?
fn filled_list(lab: &Lab) -> Attack {
	let name = "sybils fill the list of verifiers and acquit their executor";
	let plan = Plan { records: 60, stand: Stand::Acquit, ..Plan::default() };
	let setting = lab.setting;
	// Displacement leaves them a place behind all honest stake, of which they have a part.
	let honest = lab.panel(0).total();
	let theirs = STAKE.saturating_mul(VERIFIERS as Balance);
	let part = theirs.saturating_mul(PPM.into()) / honest.saturating_add(theirs).max(1);
	let part = u32::try_from(part).unwrap_or(PPM);
	let some = Panel::sample(lab.seed, part, setting.parameters.max_seat_stake);
	let now = lab.play(name, |random| lead(random, &plan, &setting, &some));
	Attack::new(name, now)
		.without("more stake displaces less", campaign(lab, name, &plan, &setting, PPM))
		.bound(format!("{} ARIA lie idle meanwhile", theirs / ARIA))
}

/// A coalition accuses every true record that is drawn while it has a seat.
fn accusations(lab: &Lab, name: &'static str, friends: u32) -> Attack {
	let setting = lab.setting;
	let parameters = &setting.parameters;
	let panel = lab.panel(friends);
	let victim = aria(STAKE) * f64::from(parameters.fail_slash_ppm) / f64::from(PPM);
	let outcome = lab.play(name, |random| {
		let ruling = audit(random, panel, &setting, Matter::True, Stand::Accuse);
		let lost = |side: Side| {
			aria(false_verdict_slash(side.stake, parameters))
				+ f64::from(side.seats) * aria(parameters.commit_bond)
		};
		let mut trial = Trial::default();
		if ruling.coalition_lost {
			trial.cost = lost(ruling.all.coalition);
		}
		if ruling.honest_lost {
			trial.damage = victim + lost(ruling.all.honest);
		}
		trial
	});
	let convicted = detection_ppm(parameters.seats, parameters.further_seats, PPM - friends);
	let wrong = detection_ppm(parameters.seats, parameters.further_seats, friends);
	Attack::new(name, outcome).bound(format!(
		"convicts {:.1} % of the honest records that are drawn; finds {:.0} % of the false ones",
		f64::from(wrong) / 1e4,
		f64::from(convicted) / 1e4
	))
}

/// Newcomers' records, each of which is audited for sure.
fn audits(setting: &Setting) -> Attack {
	let parameters = &setting.parameters;
	let revenue = Revenue::of(PRICE);
	let records = 1_000.0;
	let counted = parameters.seats;
	let fee = seat_fee(revenue.paid, revenue.parts.stages, PPM, counted, parameters);
	let levied = f64::from(counted) * aria(fee.shares);
	Attack::new(
		"spam of audits: 1,000 own records of newcomers",
		Outcome::certain(records * (aria(revenue.lost()) + levied), 0.0, 0.0),
	)
	.bound(format!("makes verifiers compute {} records, for which they are paid", 1_000 * counted))
}
