//! All runs: the scenarios, prices of a kWh and floors of the price, each knob at half and double.

use super::{
	history::History,
	knobs::{Factor, Knob, KNOBS},
	simulation::{in_aria, SimulationError},
	Scenario, Setting,
};
use aria_math::{Balance, ARIA};
use rayon::prelude::*;

/// Prices of a kWh that are compared, in EUR: from the cheapest industrial power to the dearest of
/// households.
pub const KWH_PRICES: [f64; 7] = [0.05, 0.10, 0.15, 0.20, 0.25, 0.40, 0.60];

/// Least prices of a free settlement that are compared, in planck.
pub const FLOORS: [Balance; 6] = [ARIA / 50, ARIA / 100, ARIA / 200, ARIA / 500, ARIA / 5_000, 0];

/// Where a run ends.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outcome {
	/// The supply at the end, in ARIA.
	pub supply: f64,
	/// What a month left to a worker in the last year in the mean, in EUR.
	pub income: f64,
	/// The price of a million new tokens in the last year in the mean, in EUR.
	pub price: f64,
	/// What the energy of a million new tokens cost in the last year, in EUR.
	pub energy: f64,
	/// Answers a day in the last year.
	pub answers: f64,
	/// Willing contributors in the last year in the mean.
	pub workers: f64,
	/// What an ARIA was worth in the last year, in EUR.
	pub rate: f64,
}

impl Outcome {
	/// Of a run.
	pub fn of(history: &History) -> Self {
		let setting = &history.setting;
		let last = history.last_year();
		let days = last.months(setting) * 365.25 / 12.0;
		Self {
			supply: in_aria(last.supply),
			income: last.income(setting),
			price: last.price(setting),
			energy: last.energy(setting),
			answers: if days > 0.0 { last.answers as f64 / days } else { 0.0 },
			workers: last.workers(),
			rate: last.rate(),
		}
	}
}

/// What turning one knob did.
#[derive(Clone, Copy)]
pub struct Turned {
	/// The knob.
	pub knob: &'static Knob,
	/// At its half and at its double.
	pub outcomes: [Outcome; 2],
}

/// All runs of one scenario.
pub struct Study {
	/// Which scenario.
	pub scenario: Scenario,
	/// The run at the defaults.
	pub history: History,
	/// Where it ended.
	pub outcome: Outcome,
	/// At each of [`KWH_PRICES`].
	pub kwh: Vec<Outcome>,
	/// At each of [`FLOORS`].
	pub floors: Vec<Outcome>,
	/// Each knob, in the order of [`KNOBS`].
	pub turned: Vec<Turned>,
}

/// How many runs the study of one scenario takes.
pub fn runs() -> usize {
	1 + KWH_PRICES.len() + FLOORS.len() + 2 * KNOBS.len()
}

impl Study {
	/// Runs everything, on all processors; calls `done` after each run.
	pub fn run(
		scenario: Scenario,
		years: u32,
		seed: u64,
		done: impl Fn() + Sync,
	) -> Result<Self, SimulationError> {
		let setting = Setting::new(scenario);
		let history = History::run(&setting, years, seed)?;
		done();

		let kwh = KWH_PRICES.iter().map(|price| {
			let mut turned = setting;
			turned.assumptions.kwh_eur = *price;
			turned
		});
		let floors = FLOORS.iter().map(|floor| {
			let mut turned = setting;
			turned.parameters.free_from = *floor;
			turned
		});
		let knobs = KNOBS.iter().flat_map(|knob| {
			Factor::BOTH.into_iter().map(move |factor| knob.turned(&setting, factor))
		});
		let settings: Vec<Setting> = kwh.chain(floors).chain(knobs).collect();
		// Collected in the order of the settings, whichever run ends first.
		let outcomes = settings
			.par_iter()
			.map(|setting| {
				let outcome = History::run(setting, years, seed).map(|run| Outcome::of(&run));
				done();
				outcome
			})
			.collect::<Result<Vec<Outcome>, SimulationError>>()?;

		let (kwh, rest) = outcomes.split_at(KWH_PRICES.len().min(outcomes.len()));
		let (floors, knobs) = rest.split_at(FLOORS.len().min(rest.len()));
		let turned = KNOBS.iter().zip(knobs.chunks_exact(2)).filter_map(|(knob, pair)| {
			let outcomes = [*pair.first()?, *pair.last()?];
			Some(Turned { knob, outcomes })
		});
		Ok(Self {
			scenario,
			outcome: Outcome::of(&history),
			history,
			kwh: kwh.to_vec(),
			floors: floors.to_vec(),
			turned: turned.collect(),
		})
	}
}

/// By how many percent `value` lies above `base`; `None` if there is no base.
pub fn change(value: f64, base: f64) -> Option<f64> {
	(base != 0.0).then(|| (value - base) / base.abs() * 100.0)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_change_should_be_relative_to_its_base() {
		assert_eq!(change(3.0, 2.0), Some(50.0));
		assert_eq!(change(-3.0, -2.0), Some(-50.0));
		assert_eq!(change(1.0, 0.0), None);
	}
}
