//! Tables: what goes into CSV files, and what the program writes into `docs/economics.md`.

use super::{
	history::{History, Stretch},
	knobs::{Factor, KNOBS},
	machines::{CLASSES, SAMPLE},
	market::Reason,
	parameters::YEAR_BLOCKS,
	simulation::in_aria,
	study::{self, change, Outcome, Study, FLOORS, KWH_PRICES},
	Scenario, Setting,
};
use crate::table::{grouped, Table};
use aria_math::ARIA;

/// Files: name and content.
pub fn files(studies: &[Study]) -> Vec<(String, String)> {
	let file = |name: &str, table: Table| (format!("{name}.csv"), table.csv());
	vec![
		file("months", stretches(studies, |history| history.months.clone())),
		file("years", stretches(studies, History::years)),
		file("sensitivity", sensitivities(studies)),
		file("kwh", outcomes(studies, "eur_per_kwh", &kwh_names(), |study| &study.kwh)),
		file("floor", outcomes(studies, "free_from_aria", &floor_names(), |study| &study.floors)),
	]
}

/// Sections of the document: name and text.
pub fn sections(studies: &[Study], years: u32, seed: u64) -> Vec<(String, String)> {
	let mut sections: Vec<(String, String)> = vec![
		("run".into(), run(studies, years, seed)),
		("runtime".into(), numbers(true).markdown()),
		("assumptions".into(), numbers(false).markdown()),
		("scenarios".into(), scenarios().markdown()),
		("machines".into(), machines().markdown()),
		("outcome".into(), ends(studies).markdown()),
		("reasons".into(), reasons(studies).markdown()),
		("kwh".into(), ranges(studies, "EUR/kWh", &kwh_names(), |study| &study.kwh)),
		("floor".into(), ranges(studies, "least price", &floor_names(), |study| &study.floors)),
	];
	for study in studies {
		let name = study.scenario.name();
		sections.push((format!("years-{name}"), by_year(&study.history).markdown()));
		sections.push((format!("sensitivity-{name}"), sensitivity(study).markdown()));
	}
	sections
}

/// What a terminal shows.
pub fn summary(studies: &[Study]) -> String {
	format!("{}\n{}", ends(studies).markdown(), reasons(studies).markdown())
}

fn run(studies: &[Study], years: u32, seed: u64) -> String {
	let runs = studies.len() * study::runs();
	let eras: u32 = studies.iter().map(|study| study.history.whole().eras).max().unwrap_or(0);
	format!(
		"{years} years of {} blocks, {} eras each at the defaults; seed {seed}; {runs} runs, of which {} at \
		 the defaults.\n",
		grouped(YEAR_BLOCKS.into()),
		grouped(eras.into()),
		studies.len()
	)
}

/// Names and values of the runtime's numbers, or of the assumptions that all scenarios share.
fn numbers(of_runtime: bool) -> Table {
	let mut table = Table::new(["number", "value"]);
	let settings = Scenario::ALL.map(Setting::new);
	for knob in KNOBS.iter().filter(|knob| knob.of_runtime == of_runtime) {
		let shown = settings.map(|setting| knob.show(&setting));
		let [first, rest @ ..] = &shown;
		// What scenarios differ in has a table of its own.
		if rest.iter().all(|value| value == first) {
			table.push([knob.name, first.as_str()]);
		}
	}
	table
}

fn scenarios() -> Table {
	let mut head = vec!["number".to_owned()];
	head.extend(Scenario::ALL.map(|scenario| scenario.name().to_owned()));
	let mut table = Table::new(head);
	let settings = Scenario::ALL.map(Setting::new);
	for knob in &KNOBS {
		let shown = settings.map(|setting| knob.show(&setting));
		let [first, rest @ ..] = &shown;
		if rest.iter().any(|value| value != first) {
			let mut row = vec![knob.name.to_owned()];
			row.extend(shown);
			table.push(row);
		}
	}
	table
}

fn machines() -> Table {
	let mut table = Table::new([
		"machine",
		"of the sample",
		"tokens/s",
		"watts",
		"hours a day",
		"J a token",
		"with counters of energy",
	]);
	for class in CLASSES {
		table.push([
			class.name.to_owned(),
			format!("{} of {SAMPLE}", class.count),
			class.speed.to_string(),
			class.watts.to_string(),
			class.hours.to_string(),
			format!("{:.2}", class.watts / class.speed),
			format!("{:.0} %", class.measured * 100.0),
		]);
	}
	table
}

/// Titles and values of the columns that people read of a stretch.
fn columns(stretch: &Stretch, setting: &Setting) -> Vec<(&'static str, String)> {
	let aria = |planck: u128| grouped(planck / ARIA);
	let income = |percent: usize| {
		stretch.income_at(percent, setting).map_or_else(|| "–".into(), |eur| format!("{eur:.2}"))
	};
	let days = stretch.months(setting) * 365.25 / 12.0;
	let daily = if days > 0.0 { stretch.answers as f64 / days } else { 0.0 };
	vec![
		("emission, ARIA", aria(stretch.scheduled)),
		("minted", aria(stretch.minted())),
		("burnt", aria(stretch.burnt)),
		("supply", aria(stretch.supply)),
		("EUR/ARIA", format!("{:.5}", stretch.rate())),
		("answers a day", grouped(daily as u128)),
		("workers", grouped(stretch.workers() as u128)),
		("price, EUR/M", format!("{:.3}", stretch.price(setting))),
		("energy, EUR/M", format!("{:.3}", stretch.energy(setting))),
		("fees, ARIA", format!("{:.1}", stretch.monthly(stretch.fees, setting))),
		("reward, ARIA", format!("{:.1}", stretch.monthly(stretch.rewards, setting))),
		("left, EUR: mean", format!("{:.2}", stretch.income(setting))),
		("10 %", income(10)),
		("50 %", income(50)),
		("90 %", income(90)),
	]
}

fn by_year(history: &History) -> Table {
	let years = history.years();
	let titles = years.first().map(|year| columns(year, &history.setting)).unwrap_or_default();
	let head = std::iter::once("year").chain(titles.iter().map(|(title, _)| *title));
	let mut table = Table::new(head);
	for (index, year) in years.iter().enumerate() {
		let cells = columns(year, &history.setting).into_iter().map(|(_, cell)| cell);
		table.push(std::iter::once((index + 1).to_string()).chain(cells));
	}
	table
}

/// Where the runs at the defaults ended.
fn ends(studies: &[Study]) -> Table {
	let mut table = Table::new([
		"scenario",
		"supply at the end",
		"highest supply",
		"in year",
		"minted",
		"of the emission",
		"burnt",
		"of what was burnt, workers got",
	]);
	for study in studies {
		let whole = study.history.whole();
		let highest = study.history.months.iter().max_by_key(|month| month.supply);
		let (most, when) = highest.map_or((0, 0.0), |month| (month.supply, month.years));
		let part = |of: u128, all: u128| {
			let part = if all > 0 { of as f64 / all as f64 } else { 0.0 };
			format!("{:.1} %", part * 100.0)
		};
		table.push([
			study.scenario.name().to_owned(),
			grouped(whole.supply / ARIA),
			grouped(most / ARIA),
			format!("{when:.1}"),
			grouped(whole.minted() / ARIA),
			part(whole.minted(), whole.scheduled),
			grouped(whole.burnt / ARIA),
			part(whole.minted_workers, whole.burnt),
		]);
	}
	table
}

/// What decided prices.
fn reasons(studies: &[Study]) -> Table {
	let head = std::iter::once("scenario, year").chain(Reason::ALL.map(Reason::name));
	let mut table = Table::new(head);
	for study in studies {
		let years = study.history.years();
		for (index, year) in years.iter().enumerate() {
			let cells = Reason::ALL.map(|reason| match year.decided_by(reason) {
				part if part > 0.0 => format!("{:.0} %", part * 100.0),
				_ => String::new(),
			});
			let name = format!("{}, {}", study.scenario.name(), index + 1);
			table.push(std::iter::once(name).chain(cells));
		}
	}
	table
}

fn kwh_names() -> Vec<String> {
	KWH_PRICES.iter().map(|price| format!("{price:.2}")).collect()
}

fn floor_names() -> Vec<String> {
	FLOORS.iter().map(|floor| in_aria(*floor).to_string()).collect()
}

/// Outcomes at each value of one number, a table for each scenario below its name.
fn ranges<'a>(
	studies: &'a [Study],
	title: &str,
	names: &[String],
	of: impl Fn(&'a Study) -> &'a Vec<Outcome>,
) -> String {
	let mut text = String::new();
	for study in studies {
		let mut table = Table::new([
			title,
			"price, EUR/M",
			"energy, EUR/M",
			"left to a worker, EUR a month",
			"workers",
			"answers a day",
			"EUR/ARIA",
			"supply, ARIA",
		]);
		for (name, outcome) in names.iter().zip(of(study)) {
			table.push([
				name.clone(),
				format!("{:.3}", outcome.price),
				format!("{:.3}", outcome.energy),
				format!("{:.2}", outcome.income),
				grouped(outcome.workers as u128),
				grouped(outcome.answers as u128),
				format!("{:.5}", outcome.rate),
				grouped(outcome.supply as u128),
			]);
		}
		let name = study.scenario.name();
		text.push_str(&format!("**{name}**\n\n{}\n", table.markdown()));
	}
	text
}

/// What half and double of each knob do to supply, income and price.
fn sensitivity(study: &Study) -> Table {
	let mut head = vec!["number".to_owned()];
	for factor in Factor::BOTH {
		let effects = ["supply", "left", "price"];
		head.extend(effects.map(|effect| format!("{}: {effect}", factor.name())));
	}
	let mut table = Table::new(head);
	let base = &study.outcome;
	for turned in &study.turned {
		let mut row = vec![turned.knob.name.to_owned()];
		for outcome in &turned.outcomes {
			row.extend(effects(outcome, base).map(signed));
		}
		table.push(row);
	}
	table
}

/// Changes of supply, income and price, in percent.
pub fn effects(outcome: &Outcome, base: &Outcome) -> [Option<f64>; 3] {
	[
		change(outcome.supply, base.supply),
		change(outcome.income, base.income),
		change(outcome.price, base.price),
	]
}

/// A change for people: what rounds to nothing is left empty.
fn signed(change: Option<f64>) -> String {
	match change {
		None => "–".to_owned(),
		Some(percent) if percent.abs() < 0.05 => String::new(),
		Some(percent) if percent.abs() < 9.95 => format!("{percent:+.1} %"),
		Some(percent) => format!("{percent:+.0} %"),
	}
}

fn stretches(studies: &[Study], of: impl Fn(&History) -> Vec<Stretch>) -> Table {
	let mut head: Vec<String> = [
		"scenario",
		"years",
		"emission_aria",
		"minted_workers_aria",
		"minted_authors_aria",
		"burnt_aria",
		"supply_planck",
		"circulating_aria",
		"eur_per_aria",
		"answers",
		"answers_wanted",
		"contributors",
		"workers",
		"price_eur_per_million",
		"energy_eur_per_million",
		"free_from_eur_per_million",
		"turnover_aria",
		"turnover_eur",
		"fees_aria_per_worker_month",
		"reward_aria_per_worker_month",
		"left_eur_per_worker_month",
		"left_eur_10",
		"left_eur_50",
		"left_eur_90",
	]
	.map(str::to_owned)
	.to_vec();
	head.extend(Reason::ALL.map(|reason| format!("eras_{}", reason.name().replace(' ', "_"))));
	let mut table = Table::new(head);
	for study in studies {
		let setting = &study.history.setting;
		for s in of(&study.history) {
			let income = |percent: usize| {
				s.income_at(percent, setting).map_or_else(String::new, |eur| format!("{eur:.4}"))
			};
			let mut row = vec![
				study.scenario.name().to_owned(),
				format!("{:.4}", s.years),
				format!("{:.6}", in_aria(s.scheduled)),
				format!("{:.6}", in_aria(s.minted_workers)),
				format!("{:.6}", in_aria(s.minted_authors)),
				format!("{:.6}", in_aria(s.burnt)),
				s.supply.to_string(),
				format!("{:.6}", in_aria(s.circulating)),
				format!("{:.8}", s.rate()),
				s.answers.to_string(),
				format!("{:.0}", s.wanted),
				s.contributors.to_string(),
				format!("{:.1}", s.workers()),
				format!("{:.6}", s.price(setting)),
				format!("{:.6}", s.energy(setting)),
				format!("{:.6}", s.floor(setting)),
				format!("{:.6}", in_aria(s.turnover)),
				format!("{:.4}", s.turnover_eur),
				format!("{:.4}", s.monthly(s.fees, setting)),
				format!("{:.4}", s.monthly(s.rewards, setting)),
				format!("{:.4}", s.income(setting)),
				income(10),
				income(50),
				income(90),
			];
			row.extend(s.reasons.iter().map(u32::to_string));
			table.push(row);
		}
	}
	table
}

fn sensitivities(studies: &[Study]) -> Table {
	let mut table = Table::new([
		"scenario",
		"number",
		"of_runtime",
		"factor",
		"value",
		"supply_aria",
		"left_eur_per_worker_month",
		"price_eur_per_million",
		"supply_percent",
		"left_percent",
		"price_percent",
	]);
	for study in studies {
		let setting = &study.history.setting;
		let mut push =
			|name: &str, of_runtime: bool, factor: &str, value, outcome: &Outcome| {
				let mut row = vec![
					study.scenario.name().to_owned(),
					name.to_owned(),
					of_runtime.to_string(),
					factor.to_owned(),
					value,
					format!("{:.3}", outcome.supply),
					format!("{:.5}", outcome.income),
					format!("{:.6}", outcome.price),
				];
				row.extend(effects(outcome, &study.outcome).map(|effect| {
					effect.map_or_else(String::new, |percent| format!("{percent:.3}"))
				}));
				table.push(row);
			};
		push("defaults", false, "one", String::new(), &study.outcome);
		for turned in &study.turned {
			for (factor, outcome) in Factor::BOTH.into_iter().zip(&turned.outcomes) {
				let knob = turned.knob;
				let value = knob.show(&knob.turned(setting, factor));
				push(knob.name, knob.of_runtime, factor.name(), value, outcome);
			}
		}
	}
	table
}

fn outcomes<'a>(
	studies: &'a [Study],
	title: &str,
	names: &[String],
	of: impl Fn(&'a Study) -> &'a Vec<Outcome>,
) -> Table {
	let mut table = Table::new([
		"scenario",
		title,
		"price_eur_per_million",
		"energy_eur_per_million",
		"left_eur_per_worker_month",
		"workers",
		"answers_a_day",
		"eur_per_aria",
		"supply_aria",
	]);
	for study in studies {
		for (name, outcome) in names.iter().zip(of(study)) {
			table.push([
				study.scenario.name().to_owned(),
				name.clone(),
				format!("{:.6}", outcome.price),
				format!("{:.6}", outcome.energy),
				format!("{:.5}", outcome.income),
				format!("{:.1}", outcome.workers),
				format!("{:.1}", outcome.answers),
				format!("{:.8}", outcome.rate),
				format!("{:.3}", outcome.supply),
			]);
		}
	}
	table
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn numbers_and_scenarios_should_show_every_knob_once() {
		let tables = [numbers(true), numbers(false), scenarios()];
		assert_eq!(tables.iter().map(Table::len).sum::<usize>(), KNOBS.len());
		assert_eq!(scenarios().len(), 5, "what adoption is made of");
	}

	#[test]
	fn changes_should_be_shown_with_their_sign() {
		let shown = [None, Some(0.01), Some(-3.12), Some(27.6)].map(signed);
		assert_eq!(shown, ["–", "", "-3.1 %", "+28 %"]);
	}
}
