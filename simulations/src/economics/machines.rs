//! Computers that are lent: how fast, at which power, at which price of a kWh.

use super::{assumptions::REFERENCE_PARAMETERS, chain::Standing, parameters::DAY_BLOCKS, Setting};
use crate::{random::Random, real};
use aria_math::{
	efficiency::{CEILING_ESTIMATE_PPM, CEILING_SELF_MEASURED_PPM},
	PPM,
};

/// Machines in the sample, each of which stands for as many contributors as every other one.
pub const SAMPLE: usize = 40;

/// Joules of a kWh.
const KWH: f64 = 3_600_000.0;

/// Seconds of a day.
const DAY: f64 = 86_400.0;

/// A kind of machine. Figures are those of the part of it that is lent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Class {
	/// What it is.
	pub name: &'static str,
	/// Machines of the kind in the sample.
	pub count: usize,
	/// Tokens of an answer in a second, of the reference model.
	pub speed: f64,
	/// Power that computing takes on top of what the machine takes anyway, in watts.
	pub watts: f64,
	/// Hours of a day in which it is lent.
	pub hours: f64,
	/// Part of these machines whose worker reads counters of energy; the others estimate.
	pub measured: f64,
}

/// Kinds of machines: [`SAMPLE`] in all.
pub const CLASSES: [Class; 4] = [
	Class { name: "laptop", count: 18, speed: 12.0, watts: 12.0, hours: 6.0, measured: 0.4 },
	Class { name: "desktop", count: 14, speed: 24.0, watts: 30.0, hours: 8.0, measured: 0.5 },
	Class { name: "small server", count: 6, speed: 60.0, watts: 90.0, hours: 22.0, measured: 0.8 },
	Class { name: "single board", count: 2, speed: 4.0, watts: 4.0, hours: 10.0, measured: 0.0 },
];

/// How far speed, power and price of a kWh lie apart at most: a factor to both sides.
pub const SPREAD: [f64; 3] = [1.6, 1.4, 1.8];

/// An estimate of energy lies above the truth by up to this factor (`docs/energy.md`).
pub const OVERSTATED: f64 = 2.0;

/// A machine of the sample.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Machine {
	speed: f64,
	watts: f64,
	hours: f64,
	kwh_factor: f64,
	stated_factor: f64,
	measured: bool,
	uptime_ppm: u32,
}

/// A sample of machines.
#[derive(Clone, Debug, PartialEq)]
pub struct Fleet {
	machines: Vec<Machine>,
}

/// Contributors with one machine of the sample, in one month.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Group {
	/// Which machine of the sample.
	pub machine: usize,
	/// How many contributors.
	pub workers: u64,
	/// What the energy of an answer costs each, in EUR.
	pub cost: f64,
	/// Energy of an answer, in joules.
	pub joules: f64,
	/// The same as the worker states it, in millijoules.
	pub stated_mj: u64,
	/// Answers that one contributor has time for in a day.
	pub daily: f64,
	/// What the chain hears of the machine.
	pub standing: Standing,
}

impl Fleet {
	/// A sample by a seed.
	pub fn sample(seed: u64) -> Self {
		let mut random = Random::new(seed);
		let [speed, watts, kwh] = SPREAD;
		let mut machines = Vec::with_capacity(SAMPLE);
		for class in CLASSES {
			for _ in 0..class.count {
				let measured = random.unit() < class.measured;
				machines.push(Machine {
					speed: class.speed * random.factor(speed),
					watts: class.watts * random.factor(watts),
					hours: class.hours,
					kwh_factor: random.factor(kwh),
					// Drawn in any case, so that the rest of the sample does not depend on it.
					stated_factor: random.between(1.0, OVERSTATED),
					measured,
					uptime_ppm: PPM - (random.unit() * 50_000.0) as u32,
				});
			}
		}
		Self { machines }
	}

	/// The groups that there are `years` after genesis, the cheapest energy first.
	pub fn groups(&self, setting: &Setting, years: f64) -> Vec<Group> {
		let Setting { assumptions, adoption, .. } = setting;
		let size = self.machines.len().max(1) as u64;
		let contributors = (adoption.contributors * adoption.reached(years)) as u64;
		let contributors = contributors.max(size);
		let faster = real::pow(1.0 + assumptions.progress, years)
			* (REFERENCE_PARAMETERS as f64 / assumptions.active_parameters as f64);
		let shape = &assumptions.shape;
		let fresh = f64::from(shape.prompt.saturating_sub(shape.cached));
		// Tokens of the prompt in terms of tokens of the answer.
		let tokens = f64::from(shape.output) + fresh / assumptions.prompt_speed;
		let mut groups: Vec<Group> = self
			.machines
			.iter()
			.enumerate()
			.map(|(machine, m)| {
				let seconds = tokens / (m.speed * faster);
				let joules = seconds * m.watts;
				let stated = if m.measured { joules } else { joules * m.stated_factor };
				let latency_ms = (seconds + assumptions.network_s) * 1_000.0;
				let ceiling_ppm =
					if m.measured { CEILING_SELF_MEASURED_PPM } else { CEILING_ESTIMATE_PPM };
				Group {
					machine,
					workers: contributors / size
						+ u64::from((machine as u64) < contributors % size),
					cost: joules / KWH * assumptions.kwh_eur * m.kwh_factor,
					joules,
					stated_mj: ((stated * 1_000.0).ceil() as u64).max(1),
					daily: m.hours / 24.0 * DAY / seconds * assumptions.utilisation,
					standing: Standing {
						latency_ms: latency_ms as u64 / shape.new_tokens().max(1),
						uptime_ppm: m.uptime_ppm,
						audit_ppm: PPM,
						ceiling_ppm,
					},
				}
			})
			.collect();
		groups.sort_by(|a, b| a.cost.total_cmp(&b.cost).then(a.machine.cmp(&b.machine)));
		groups
	}
}

impl Group {
	/// Answers that all contributors of the group have time for in an era of so many blocks.
	pub fn capacity(&self, era_blocks: u32) -> f64 {
		self.daily * self.workers as f64 * f64::from(era_blocks) / f64::from(DAY_BLOCKS)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::economics::Scenario;

	#[test]
	fn the_classes_should_fill_the_sample() {
		assert_eq!(CLASSES.iter().map(|class| class.count).sum::<usize>(), SAMPLE);
		assert_eq!(Fleet::sample(1).machines.len(), SAMPLE);
	}

	#[test]
	fn a_sample_should_depend_on_its_seed_alone() {
		assert_eq!(Fleet::sample(3), Fleet::sample(3));
		assert_ne!(Fleet::sample(3), Fleet::sample(4));
	}

	#[test]
	fn groups_should_be_sorted_by_cost_and_hold_all_contributors() {
		let fleet = Fleet::sample(1);
		let setting = Setting::new(Scenario::Fast);
		for years in [0.0, 3.3, 10.0] {
			let groups = fleet.groups(&setting, years);
			assert_eq!(groups.len(), SAMPLE);
			assert!(groups.windows(2).all(|pair| pair[0].cost <= pair[1].cost));
			let expected = (setting.adoption.contributors * setting.adoption.reached(years)) as u64;
			let workers: u64 = groups.iter().map(|group| group.workers).sum();
			assert_eq!(workers, expected.max(SAMPLE as u64));
		}
	}

	#[test]
	fn machines_should_get_faster_and_larger_models_slower() {
		let fleet = Fleet::sample(1);
		let mut setting = Setting::new(Scenario::Middle);
		let daily = |groups: &[Group]| groups.iter().map(|group| group.daily).sum::<f64>();
		let now = daily(&fleet.groups(&setting, 0.0));
		assert!(daily(&fleet.groups(&setting, 5.0)) > now);
		setting.assumptions.active_parameters *= 2;
		let larger = daily(&fleet.groups(&setting, 0.0));
		assert!((larger / now - 0.5).abs() < 1e-9);
	}
}
