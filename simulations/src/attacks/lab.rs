//! All attacks, with the defences at their defaults and each without the one that it is for.

use super::{
	chance,
	court::Panel,
	executors, money, nuisance,
	outcome::{play, seed_of, Outcome, Trial},
	rules::Setting,
	verifiers,
};
use crate::random::Random;
use aria_math::PPM;

/// The parts of the verifiers' stake that coalitions have, in ppm.
const COALITIONS: [u32; 5] = [0, 100_000, 333_333, 500_000, PPM];

/// One attack.
#[derive(Clone, Debug, PartialEq)]
pub struct Attack {
	/// What is done.
	pub name: &'static str,
	/// What it comes to at the defaults.
	pub now: Outcome,
	/// What it would come to without a defence, and which.
	pub without: Option<(&'static str, Outcome)>,
	/// Where it pays or harms nevertheless: how much at most.
	pub bound: Option<String>,
}

impl Attack {
	/// An attack at the defaults.
	pub fn new(name: &'static str, now: Outcome) -> Self {
		Self { name, now, without: None, bound: None }
	}

	/// With what it comes to without that defence.
	pub fn without(self, defence: &'static str, outcome: Outcome) -> Self {
		Self { without: Some((defence, outcome)), ..self }
	}

	/// With what bounds it.
	pub fn bound(self, bound: impl Into<String>) -> Self {
		Self { bound: Some(bound.into()), ..self }
	}
}

/// Where attacks are played.
#[derive(Clone, Debug)]
pub struct Lab {
	/// Decides all chance.
	pub seed: u64,
	/// How often each attack is played.
	pub trials: u32,
	/// The defences.
	pub setting: Setting,
	panels: Vec<(u32, Panel)>,
}

impl Lab {
	/// A laboratory with a thousand verifiers.
	pub fn new(seed: u64, trials: u32) -> Self {
		let setting = Setting::DEFAULT;
		let most = setting.parameters.max_seat_stake;
		let panels = COALITIONS
			.iter()
			.map(|part| (*part, Panel::sample(seed_of(seed, "panel"), *part, most)))
			.collect();
		Self { seed, trials, setting, panels }
	}

	/// The verifiers, of whose stake a coalition has that part; the next larger one that there is.
	pub fn panel(&self, coalition_ppm: u32) -> &Panel {
		let fits = self.panels.iter().find(|(part, _)| *part >= coalition_ppm);
		// The last one has all, and nothing is larger.
		&fits.unwrap_or(&self.panels[self.panels.len() - 1]).1
	}

	/// Plays an attack; its name decides its random numbers.
	pub fn play(&self, name: &str, attack: impl Fn(&mut Random) -> Trial + Sync) -> Outcome {
		play(self.trials, seed_of(self.seed, name), attack)
	}

	/// All attacks, in the order of the document.
	pub fn attacks(&self) -> Vec<Attack> {
		[
			executors::attacks(self),
			verifiers::attacks(self),
			money::attacks(self),
			chance::attacks(self),
			nuisance::attacks(self),
		]
		.concat()
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	/// Few enough to be done in seconds, enough for the signs.
	fn lab() -> Lab {
		Lab::new(1, 300)
	}

	#[test]
	fn reruns_should_be_the_same_to_the_bit_and_other_seeds_not() {
		let small = || Lab::new(7, 20).attacks();
		assert_eq!(small(), small());
		let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
		let alone = pool.map(|pool| pool.install(small));
		assert_eq!(alone.ok(), Some(small()));
		assert_ne!(small(), Lab::new(8, 20).attacks());
	}

	#[test]
	fn no_attack_should_pay_unless_it_is_named_with_its_bound() {
		for attack in lab().attacks() {
			let named = attack.bound.is_some();
			assert!(!attack.now.pays() || named, "{}: {:?}", attack.name, attack.now);
		}
	}

	#[test]
	fn every_attack_should_pay_without_the_defence_that_it_is_for() {
		let attacks = lab().attacks();
		assert!(attacks.iter().filter(|attack| attack.without.is_some()).count() >= 20);
		for attack in attacks {
			if let Some((defence, outcome)) = attack.without {
				assert!(outcome.pays(), "{} without {defence}: {outcome:?}", attack.name);
				assert!(outcome.net() > attack.now.net(), "{}", attack.name);
			}
		}
	}

	#[test]
	fn names_should_be_told_apart() {
		let attacks = Lab::new(1, 1).attacks();
		let names: std::collections::BTreeSet<&str> =
			attacks.iter().map(|attack| attack.name).collect();
		assert_eq!(names.len(), attacks.len());
	}
}
