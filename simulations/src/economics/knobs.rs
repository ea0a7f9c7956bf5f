//! Every number that decides a run, and how to turn it.

use super::{simulation::in_aria, Setting};
use aria_math::{split::split_proportional, wide::mul_ppm, Balance, PPM};

/// How a number is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Factor {
	/// To its half, rounded down.
	Half,
	/// To its double.
	Double,
}

impl Factor {
	/// Both.
	pub const BOTH: [Self; 2] = [Self::Half, Self::Double];

	/// Its name in tables.
	pub fn name(self) -> &'static str {
		match self {
			Self::Half => "half",
			Self::Double => "double",
		}
	}

	fn real(self, value: f64) -> f64 {
		match self {
			Self::Half => value / 2.0,
			Self::Double => value * 2.0,
		}
	}

	fn amount(self, value: Balance) -> Balance {
		match self {
			Self::Half => value / 2,
			Self::Double => value.saturating_mul(2),
		}
	}

	fn wide(self, value: u64) -> u64 {
		match self {
			Self::Half => value / 2,
			Self::Double => value.saturating_mul(2),
		}
	}

	fn count(self, value: u32) -> u32 {
		match self {
			Self::Half => value / 2,
			Self::Double => value.saturating_mul(2),
		}
	}
}

/// A number that can be turned.
#[derive(Clone, Copy)]
pub struct Knob {
	/// What it is.
	pub name: &'static str,
	/// Whether it is a parameter of the runtime, and no assumption.
	pub of_runtime: bool,
	turn: fn(&mut Setting, Factor),
	show: fn(&Setting) -> String,
}

impl Knob {
	/// The setting with this number changed; where that would leave the number's range, it goes to the
	/// end of it.
	pub fn turned(&self, setting: &Setting, factor: Factor) -> Setting {
		let mut turned = *setting;
		(self.turn)(&mut turned, factor);
		turned
	}

	/// Its value with the unit, for people.
	pub fn show(&self, setting: &Setting) -> String {
		(self.show)(setting)
	}
}

/// A parameter of the runtime.
const fn runtime(
	name: &'static str,
	turn: fn(&mut Setting, Factor),
	show: fn(&Setting) -> String,
) -> Knob {
	Knob { name, of_runtime: true, turn, show }
}

/// An assumption.
const fn assumed(
	name: &'static str,
	turn: fn(&mut Setting, Factor),
	show: fn(&Setting) -> String,
) -> Knob {
	Knob { name, of_runtime: false, turn, show }
}

/// All of them, the runtime's first.
pub static KNOBS: [Knob; 42] = [
	runtime(
		"emission of the first block",
		|s, f| s.parameters.schedule.initial = f.amount(s.parameters.schedule.initial),
		|s| aria(s.parameters.schedule.initial),
	),
	runtime(
		"blocks between halvings",
		|s, f| s.parameters.schedule.interval = f.wide(s.parameters.schedule.interval),
		|s| s.parameters.schedule.interval.to_string(),
	),
	runtime(
		"blocks of an era",
		|s, f| s.parameters.era_blocks = f.count(s.parameters.era_blocks),
		|s| s.parameters.era_blocks.to_string(),
	),
	runtime(
		"authors' part of a pool",
		|s, f| s.parameters.author_share_ppm = f.count(s.parameters.author_share_ppm).min(PPM),
		|s| ppm(s.parameters.author_share_ppm),
	),
	runtime(
		"β",
		// Below one: at one, paying oneself would cost nothing but fees.
		|s, f| s.parameters.beta_ppm = f.count(s.parameters.beta_ppm).min(PPM - 1),
		|s| ppm(s.parameters.beta_ppm),
	),
	runtime(
		"rate cap",
		|s, f| s.parameters.rate_cap = f.amount(s.parameters.rate_cap),
		|s| format!("{} for 10^12 units", aria(s.parameters.rate_cap)),
	),
	runtime(
		"dilution",
		|s, f| s.parameters.dilution = f.count(s.parameters.dilution),
		|s| s.parameters.dilution.to_string(),
	),
	runtime(
		"latency target",
		|s, f| s.parameters.latency_target_ms = f.count(s.parameters.latency_target_ms),
		|s| format!("{} ms", s.parameters.latency_target_ms),
	),
	runtime("part of stages", |s, f| turn_part(s, f, 0), |s| part(s, 0)),
	runtime("part of the gateway", |s, f| turn_part(s, f, 1), |s| part(s, 1)),
	runtime("part of the author", |s, f| turn_part(s, f, 2), |s| part(s, 2)),
	runtime("part for audits", |s, f| turn_part(s, f, 3), |s| part(s, 3)),
	runtime("part for storage", |s, f| turn_part(s, f, 4), |s| part(s, 4)),
	runtime("part that is burnt", |s, f| turn_part(s, f, 5), |s| part(s, 5)),
	runtime(
		"fee for a byte",
		|s, f| s.parameters.byte_fee = f.amount(s.parameters.byte_fee),
		|s| aria(s.parameters.byte_fee),
	),
	runtime(
		"least price of a free settlement",
		|s, f| s.parameters.free_from = f.amount(s.parameters.free_from),
		|s| aria(s.parameters.free_from),
	),
	runtime(
		"highest price of a token",
		|s, f| s.parameters.most_token_price = f.amount(s.parameters.most_token_price),
		|s| aria(s.parameters.most_token_price),
	),
	runtime(
		"records of an epoch",
		|s, f| s.parameters.epoch_records = f.count(s.parameters.epoch_records),
		|s| s.parameters.epoch_records.to_string(),
	),
	runtime(
		"target stake of a worker",
		|s, f| s.parameters.worker_stake = f.amount(s.parameters.worker_stake),
		|s| aria(s.parameters.worker_stake),
	),
	runtime(
		"stake of a gateway",
		|s, f| s.parameters.gateway_stake = f.amount(s.parameters.gateway_stake),
		|s| aria(s.parameters.gateway_stake),
	),
	runtime(
		"stake of a validator",
		|s, f| s.parameters.validator_stake = f.amount(s.parameters.validator_stake),
		|s| aria(s.parameters.validator_stake),
	),
	assumed(
		"supply at genesis",
		|s, f| s.assumptions.genesis = f.amount(s.assumptions.genesis),
		|s| aria(s.assumptions.genesis),
	),
	assumed(
		"validators",
		|s, f| s.assumptions.validators = f.count(s.assumptions.validators),
		|s| s.assumptions.validators.to_string(),
	),
	assumed(
		"gateways",
		|s, f| s.assumptions.gateways = f.count(s.assumptions.gateways),
		|s| s.assumptions.gateways.to_string(),
	),
	assumed(
		"tokens of a prompt",
		|s, f| {
			let shape = &mut s.assumptions.shape;
			(shape.prompt, shape.cached) = (f.count(shape.prompt), f.count(shape.cached));
		},
		|s| {
			let shape = s.assumptions.shape;
			format!("{}, {} of them cached", shape.prompt, shape.cached)
		},
	),
	assumed(
		"tokens of an answer",
		|s, f| s.assumptions.shape.output = f.count(s.assumptions.shape.output),
		|s| s.assumptions.shape.output.to_string(),
	),
	assumed(
		"parameters of the model",
		|s, f| s.assumptions.active_parameters = f.wide(s.assumptions.active_parameters),
		|s| format!("{:.2} billion", s.assumptions.active_parameters as f64 / 1e9),
	),
	assumed(
		"price of a prompt's token",
		|s, f| {
			let price = &mut s.assumptions.prompt_price_ppm;
			*price = f.count(*price).min(PPM);
		},
		|s| format!("{} of an answer's", ppm(s.assumptions.prompt_price_ppm)),
	),
	assumed(
		"speed of prompts",
		|s, f| s.assumptions.prompt_speed = f.real(s.assumptions.prompt_speed),
		|s| format!("{} × an answer's", s.assumptions.prompt_speed),
	),
	assumed(
		"price of a kWh",
		|s, f| s.assumptions.kwh_eur = f.real(s.assumptions.kwh_eur),
		|s| format!("{} EUR", s.assumptions.kwh_eur),
	),
	assumed(
		"margin over energy",
		|s, f| s.assumptions.margin = f.real(s.assumptions.margin),
		|s| percent(s.assumptions.margin),
	),
	assumed(
		"part of lent time that computes",
		|s, f| s.assumptions.utilisation = f.real(s.assumptions.utilisation).min(1.0),
		|s| percent(s.assumptions.utilisation),
	),
	assumed(
		"progress of machines",
		|s, f| s.assumptions.progress = f.real(s.assumptions.progress),
		|s| format!("{} a year", percent(s.assumptions.progress)),
	),
	assumed(
		"velocity",
		|s, f| s.assumptions.velocity = f.real(s.assumptions.velocity),
		|s| format!("{} a year", s.assumptions.velocity),
	),
	assumed(
		"least exchange rate",
		|s, f| s.assumptions.least_rate = f.real(s.assumptions.least_rate),
		|s| format!("{} EUR", s.assumptions.least_rate),
	),
	assumed(
		"reference price",
		|s, f| s.assumptions.reference_price = f.real(s.assumptions.reference_price),
		|s| format!("{} EUR for a million tokens", s.assumptions.reference_price),
	),
	assumed(
		"limit of demand",
		|s, f| s.assumptions.demand_limit = f.real(s.assumptions.demand_limit),
		|s| format!("{} × that at the reference price", s.assumptions.demand_limit),
	),
	assumed(
		"answers a day in the end",
		|s, f| s.adoption.answers_a_day = f.real(s.adoption.answers_a_day),
		|s| s.adoption.answers_a_day.to_string(),
	),
	assumed(
		"contributors in the end",
		|s, f| s.adoption.contributors = f.real(s.adoption.contributors),
		|s| s.adoption.contributors.to_string(),
	),
	assumed(
		"years to half of that",
		|s, f| s.adoption.middle = f.real(s.adoption.middle),
		|s| s.adoption.middle.to_string(),
	),
	assumed(
		"steepness of adoption",
		|s, f| s.adoption.steepness = f.real(s.adoption.steepness),
		|s| format!("{} a year", s.adoption.steepness),
	),
	assumed(
		"elasticity of demand",
		|s, f| s.adoption.elasticity = f.real(s.adoption.elasticity),
		|s| s.adoption.elasticity.to_string(),
	),
];

/// Changes one part of a price; the others share the rest in their old proportions. The stages keep
/// something, or nobody would work.
fn turn_part(setting: &mut Setting, factor: Factor, place: usize) {
	const MOST: u32 = 950_000;
	let split = setting.parameters.split;
	let part = factor.count(split.get(place).copied().unwrap_or(0)).min(MOST);
	let weights = split.map(u64::from);
	let weights: Vec<u64> = weights
		.into_iter()
		.enumerate()
		.map(|(other, weight)| if other == place { 0 } else { weight })
		.collect();
	let mut parts = [0; 6];
	split_proportional(u128::from(PPM - part), &weights, &mut parts);
	let turned = parts.map(|part| u32::try_from(part).unwrap_or(0));
	setting.parameters.split = turned;
	if let Some(own) = setting.parameters.split.get_mut(place) {
		*own = part;
	}
}

fn part(setting: &Setting, place: usize) -> String {
	ppm(setting.parameters.split.get(place).copied().unwrap_or(0))
}

/// A fraction in ppm as a percentage.
fn ppm(value: u32) -> String {
	// Whole numbers where it is one: 200,000 ppm are 20 %.
	let shown = format!("{:.4}", f64::from(value) / 10_000.0);
	format!("{} %", shown.trim_end_matches('0').trim_end_matches('.'))
}

fn percent(value: f64) -> String {
	format!("{} %", (value * 1e4).round() / 100.0)
}

/// Planck as ARIA, with as many decimals as there are.
fn aria(planck: Balance) -> String {
	if mul_ppm(planck, 1) == 0 && planck > 0 {
		return format!("{planck} planck");
	}
	format!("{} ARIA", in_aria(planck))
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::economics::Scenario;

	#[test]
	fn every_knob_should_change_something_and_leave_a_setting_that_can_be_simulated() {
		for scenario in Scenario::ALL {
			let setting = Setting::new(scenario);
			for knob in &KNOBS {
				for factor in Factor::BOTH {
					let turned = knob.turned(&setting, factor);
					assert_ne!(turned, setting, "{} {factor:?}", knob.name);
					assert_eq!(turned.check(), Ok(()), "{} {factor:?}", knob.name);
					assert_ne!(knob.show(&turned), knob.show(&setting), "{}", knob.name);
				}
			}
		}
	}

	#[test]
	fn names_should_differ() {
		let mut names: Vec<&str> = KNOBS.iter().map(|knob| knob.name).collect();
		names.sort_unstable();
		names.dedup();
		assert_eq!(names.len(), KNOBS.len());
	}

	#[test]
	fn the_other_parts_should_share_what_one_leaves() {
		let mut setting = Setting::new(Scenario::Slow);
		turn_part(&mut setting, Factor::Double, 5);
		assert_eq!(setting.parameters.split.iter().sum::<u32>(), PPM);
		assert_eq!(setting.parameters.split.last(), Some(&200_000));
		turn_part(&mut setting, Factor::Double, 0);
		assert_eq!(setting.parameters.split.first(), Some(&950_000));
		assert_eq!(setting.parameters.split.iter().sum::<u32>(), PPM);
	}

	#[test]
	fn values_should_read_well() {
		let setting = Setting::new(Scenario::Slow);
		let shown = |name: &str| {
			let knob = KNOBS.iter().find(|knob| knob.name == name);
			knob.map(|knob| knob.show(&setting)).unwrap_or_default()
		};
		assert_eq!(shown("emission of the first block"), "0.5 ARIA");
		assert_eq!(shown("β"), "90 %");
		assert_eq!(shown("fee for a byte"), "100000 planck");
		assert_eq!(shown("least price of a free settlement"), "0.02 ARIA");
		assert_eq!(shown("progress of machines"), "8 % a year");
	}
}
