//! Nothing comes from nowhere: in every era, the supply is genesis and what was minted, less what was
//! burnt; a price is the sum of its parts; rewards stay within their bounds.

#![allow(clippy::unwrap_used)]

use aria_math::{wide::mul_ppm, Balance};
use aria_simulations::economics::{
	chain::Pools,
	knobs::{Factor, KNOBS},
	simulation::{in_aria, Era, Share, Simulation},
	Scenario, Setting,
};
use proptest::prelude::*;

/// Books that are kept beside the simulation's own.
struct Books {
	setting: Setting,
	minted: Balance,
	burnt: Balance,
}

impl Books {
	fn new(setting: Setting) -> Self {
		Self { setting, minted: 0, burnt: 0 }
	}

	#[track_caller]
	fn check(&mut self, era: &Era, simulation: &Simulation) {
		let parameters = &self.setting.parameters;
		assert_eq!(era.parts.total(), era.price.total(), "a price is the sum of its parts");
		assert_eq!(era.burnt, era.parts.burn * Balance::from(era.answers));

		let pools =
			Pools::of(&parameters.schedule, era.start, era.end, parameters.author_share_ppm);
		assert_eq!(era.scheduled, pools.total());
		assert!(era.minted_workers <= pools.workers && era.minted_authors <= pools.authors);
		assert!(era.minted_workers <= mul_ppm(era.burnt, parameters.beta_ppm), "the burn bound");

		self.minted += era.minted();
		self.burnt += era.burnt;
		let ledger = simulation.ledger();
		assert_eq!((ledger.minted(), ledger.burnt()), (self.minted, self.burnt));
		assert_eq!(era.supply, self.setting.assumptions.genesis + self.minted - self.burnt);
		assert_eq!(era.supply, ledger.supply());
		assert!(era.circulating <= era.supply);

		assert!(era.answers as f64 <= parameters.era_records());
		assert!(era.willing <= era.contributors);
		assert!(era.rate > 0.0 && era.rate.is_finite());
	}
}

#[test]
fn the_supply_should_be_accounted_for_in_every_era_of_ten_years() {
	for scenario in Scenario::ALL {
		let setting = Setting::new(scenario);
		let mut simulation = Simulation::new(setting, 1).unwrap();
		let mut books = Books::new(setting);
		for _ in 0..setting.parameters.eras(10) {
			let era = simulation.step().unwrap();
			books.check(&era, &simulation);
		}
		assert!(books.burnt > 0 && books.minted > 0);
	}
}

#[test]
fn workers_should_have_what_was_paid_to_them() {
	let mut simulation = Simulation::new(Setting::new(Scenario::Middle), 1).unwrap();
	for _ in 0..1_461 {
		let era = simulation.step().unwrap();
		let all = |value: fn(&Share) -> f64| -> f64 {
			let groups = simulation.groups().iter();
			let of_group = groups
				.map(|group| value(&simulation.shares()[group.machine]) * group.workers as f64);
			of_group.sum()
		};
		let fees = in_aria(era.parts.stages) * era.answers as f64;
		let rewards = in_aria(era.minted_workers);
		assert!((all(|share| share.answers) - era.answers as f64).abs() < 1e-6);
		assert!((all(|share| share.fees) - fees).abs() < 1e-9 * fees);
		assert!((all(|share| share.reward) - rewards).abs() < 1e-9 * rewards);
		let net = (fees + rewards) * era.rate - era.energy_eur;
		assert!((all(|share| share.net_eur) - net).abs() < 1e-9 * (fees * era.rate));
	}
}

proptest! {
	#![proptest_config(ProptestConfig {
		cases: 48,
		failure_persistence: None,
		..ProptestConfig::default()
	})]

	#[test]
	fn the_supply_should_be_accounted_for_whatever_is_turned(
		scenario in prop::sample::select(Scenario::ALL.to_vec()),
		turns in prop::collection::vec((0..KNOBS.len(), any::<bool>()), 0..12),
		seed in any::<u64>(),
	) {
		let mut setting = Setting::new(scenario);
		for (knob, half) in turns {
			let factor = if half { Factor::Half } else { Factor::Double };
			let turned = KNOBS[knob].turned(&setting, factor);
			// Halved often enough, a number may leave its range, which is refused.
			if turned.check().is_ok() {
				setting = turned;
			}
		}
		let mut simulation = Simulation::new(setting, seed).unwrap();
		let mut books = Books::new(setting);
		for _ in 0..200 {
			let era = simulation.step().unwrap();
			books.check(&era, &simulation);
		}
	}
}
