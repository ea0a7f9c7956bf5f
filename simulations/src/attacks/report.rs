//! Tables, as CSV and for `docs/security.md`.

use super::{
	aria,
	lab::{Attack, Lab},
	outcome::{Outcome, Spread},
	STAKE,
};
use crate::table::{grouped, Table};
use aria_math::{
	audit::{
		audit_share_ppm, detection_ppm, draw_probability_ppm, liability, record_limit,
		AuditParameters,
	},
	Balance, ARIA, PPM,
};

/// Files: name and content.
pub fn files(attacks: &[Attack]) -> Vec<(String, String)> {
	let mut table = Table::new([
		"attack",
		"cost",
		"gain",
		"net",
		"error",
		"damage",
		"caught",
		"records_median",
		"records_p95",
		"epochs_median",
		"epochs_p95",
		"defence",
		"net_without",
	]);
	for attack in attacks {
		let now = &attack.now;
		let number = |value: f64| format!("{value:.6}");
		table.push([
			attack.name.to_owned(),
			number(now.cost),
			number(now.gain),
			number(now.net()),
			number(now.error),
			number(now.damage),
			number(now.caught),
			now.records.median.to_string(),
			now.records.p95.to_string(),
			now.epochs.median.to_string(),
			now.epochs.p95.to_string(),
			attack.without.map_or(String::new(), |(defence, _)| defence.to_owned()),
			attack.without.map_or(String::new(), |(_, outcome)| number(outcome.net())),
		]);
	}
	vec![("attacks.csv".to_owned(), table.csv())]
}

/// Sections of the document: name and text.
pub fn sections(lab: &Lab, attacks: &[Attack]) -> Vec<(String, String)> {
	vec![
		("run".into(), run(lab, attacks)),
		("table".into(), outcomes(attacks).markdown()),
		("without".into(), without(attacks).markdown()),
		("bounds".into(), bounds(attacks)),
		("prices".into(), prices(&lab.setting.parameters).markdown()),
		("seats".into(), seats(&lab.setting.parameters).markdown()),
		("cost".into(), cost(&lab.setting.parameters).markdown()),
		("parameters".into(), parameters().markdown()),
	]
}

/// What a terminal shows.
pub fn summary(attacks: &[Attack]) -> String {
	outcomes(attacks).markdown()
}

fn run(lab: &Lab, attacks: &[Attack]) -> String {
	let pay = attacks.iter().filter(|attack| attack.now.pays()).count();
	format!(
		"{} attacks, each played {} times with seed {}; of these {} have a positive expectation at the \
		 defaults, and are named below with their bounds.\n",
		attacks.len(),
		grouped(lab.trials.into()),
		lab.seed,
		pay
	)
}

fn outcomes(attacks: &[Attack]) -> Table {
	let mut table = Table::new([
		"attack",
		"costs",
		"gains",
		"net",
		"others lose",
		"caught",
		"after records",
		"after epochs",
	]);
	for Attack { name, now, .. } in attacks {
		table.push([
			(*name).to_owned(),
			amount(now.cost),
			amount(now.gain),
			format!("**{}**", amount(now.net())),
			amount(now.damage),
			percent(now.caught),
			when(now, &now.records),
			when(now, &now.epochs),
		]);
	}
	table
}

fn without(attacks: &[Attack]) -> Table {
	let mut table = Table::new(["attack", "defence", "net with it", "net without it"]);
	for attack in attacks {
		if let Some((defence, outcome)) = &attack.without {
			table.push([
				attack.name.to_owned(),
				(*defence).to_owned(),
				amount(attack.now.net()),
				amount(outcome.net()),
			]);
		}
	}
	table
}

fn bounds(attacks: &[Attack]) -> String {
	let mut text = String::new();
	for attack in attacks {
		if let Some(bound) = &attack.bound {
			let pays = if attack.now.pays() { " (pays)" } else { "" };
			text.push_str(&format!("- **{}**{pays}: {bound}.\n", attack.name));
		}
	}
	text
}

/// How probable an audit is at the best reputation, by price and stake.
fn prices(parameters: &AuditParameters) -> Table {
	let milli = ARIA / 1_000;
	let prices = [20 * milli, 50 * milli, 100 * milli, 500 * milli];
	let head = prices.iter().map(|price| format!("at {} ARIA", aria(*price)));
	let head = ["least stake".to_owned(), "highest price".to_owned()].into_iter().chain(head);
	let mut table = Table::new(head);
	for stake in [ARIA, 10 * ARIA, 100 * ARIA] {
		let at_stake = liability(stake, parameters);
		let limit = record_limit(at_stake);
		let cell = |price: Balance| {
			if price > limit {
				return "not paid in full".to_owned();
			}
			let drawn = draw_probability_ppm(PPM, price, at_stake, parameters);
			percent(f64::from(drawn) / f64::from(PPM))
		};
		let cells = prices.iter().map(|price| cell(*price));
		let first = [format!("{} ARIA", aria(stake)), format!("{:.2} ARIA", aria(limit))];
		table.push(first.into_iter().chain(cells));
	}
	table
}

/// What verdicts come to with part of the stake in one liar's hands.
fn seats(parameters: &AuditParameters) -> Table {
	let mut table = Table::new([
		"lying stake",
		"false records that fail when drawn",
		"true records that fail when drawn and accused",
	]);
	for lying in [0, 100_000, 250_000, 333_333, 500_000] {
		let chance = |ppm| {
			let found = detection_ppm(parameters.seats, parameters.further_seats, ppm);
			percent(f64::from(found) / f64::from(PPM))
		};
		let share = percent(f64::from(lying) / f64::from(PPM));
		table.push([share, chance(PPM - lying), chance(lying)]);
	}
	table
}

/// What part of all computation audits take.
fn cost(parameters: &AuditParameters) -> Table {
	let mut table = Table::new(["reputation", "drawn", "of all computation"]);
	let at_stake = liability(STAKE, parameters);
	for reputation in [0, 500_000, 900_000, 980_000, PPM] {
		let drawn = draw_probability_ppm(reputation, super::PRICE, at_stake, parameters);
		let share = audit_share_ppm(drawn, parameters);
		let part = |ppm: u32| percent(f64::from(ppm) / f64::from(PPM));
		table.push([part(reputation), part(drawn), part(share)]);
	}
	table
}

fn parameters() -> Table {
	let mut table = Table::new(["parameter", "default", "from", "to"]);
	for range in AuditParameters::RANGES {
		table.push([
			range.name.to_owned(),
			grouped(range.default),
			grouped(range.low),
			grouped(range.high),
		]);
	}
	table
}

/// ARIA with as many digits as say something.
fn amount(value: f64) -> String {
	let decimals = match value.abs() {
		large if large >= 1_000.0 => 0,
		large if large >= 10.0 => 1,
		small if small >= 0.1 => 2,
		_ => 4,
	};
	let shown = format!("{value:.decimals$}");
	if shown.trim_start_matches('-').chars().all(|digit| matches!(digit, '0' | '.')) {
		"0".to_owned()
	} else {
		shown
	}
}

fn percent(part: f64) -> String {
	format!("{:.1} %", 100.0 * part)
}

fn when(outcome: &Outcome, spread: &Spread) -> String {
	if outcome.caught > 0.0 {
		format!("{} / {}", spread.median, spread.p95)
	} else {
		"never".to_owned()
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn amounts_should_have_few_digits_and_no_negative_zero() {
		let shown = [0.0, -0.00001, 0.01234, -0.5, 12.34, 4_567.8].map(amount);
		assert_eq!(shown, ["0", "0", "0.0123", "-0.50", "12.3", "4568"]);
	}
}
