//! What many trials of an attack come to.

use crate::random::Random;
use rayon::prelude::*;

/// One trial. Amounts are in ARIA.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Trial {
	/// What the attackers lost: slashes, bonds, fees, what they paid others.
	pub cost: f64,
	/// What they won.
	pub gain: f64,
	/// What honest others lost by it.
	pub damage: f64,
	/// When they were caught, if they were.
	pub caught: Option<Caught>,
}

/// How long it took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caught {
	/// False records, or audits, up to then.
	pub records: u64,
	/// Epochs up to then.
	pub epochs: u64,
}

/// Middle and nineteen twentieths of something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spread {
	/// Half of the trials have at most that.
	pub median: u64,
	/// 95 % of them have at most that.
	pub p95: u64,
}

/// All trials together; means are of one trial, in ARIA.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outcome {
	/// Mean cost.
	pub cost: f64,
	/// Mean gain.
	pub gain: f64,
	/// Mean of what others lost.
	pub damage: f64,
	/// Standard error of gain less cost.
	pub error: f64,
	/// The part of the trials that was caught.
	pub caught: f64,
	/// Records, of those that were caught.
	pub records: Spread,
	/// Epochs, of those that were caught.
	pub epochs: Spread,
}

impl Outcome {
	/// Gain less cost.
	pub fn net(&self) -> f64 {
		self.gain - self.cost
	}

	/// Whether it has a positive expectation, beyond what chance explains (three standard errors).
	pub fn pays(&self) -> bool {
		self.net() > 3.0 * self.error + 1e-9
	}

	/// Of trials in their order.
	pub fn of(trials: &[Trial]) -> Self {
		let count = trials.len().max(1) as f64;
		let mean = |of: fn(&Trial) -> f64| trials.iter().map(of).sum::<f64>() / count;
		let (cost, gain) = (mean(|trial| trial.cost), mean(|trial| trial.gain));
		let net = gain - cost;
		let squares: f64 = trials.iter().map(|trial| (trial.gain - trial.cost - net).powi(2)).sum();
		let caught: Vec<Caught> = trials.iter().filter_map(|trial| trial.caught).collect();
		Self {
			cost,
			gain,
			damage: mean(|trial| trial.damage),
			error: (squares / count / count).sqrt(),
			caught: caught.len() as f64 / count,
			records: spread(caught.iter().map(|caught| caught.records).collect()),
			epochs: spread(caught.iter().map(|caught| caught.epochs).collect()),
		}
	}

	/// Of something without chance.
	pub fn certain(cost: f64, gain: f64, damage: f64) -> Self {
		Self { cost, gain, damage, ..Self::default() }
	}
}

fn spread(mut values: Vec<u64>) -> Spread {
	values.sort_unstable();
	let at = |percent: usize| {
		let place = values.len().saturating_mul(percent).div_ceil(100).saturating_sub(1);
		values.get(place).copied().unwrap_or(0)
	};
	Spread { median: at(50), p95: at(95) }
}

/// A seed of its own for each name.
pub fn seed_of(seed: u64, name: &str) -> u64 {
	name.bytes()
		.fold(Random::new(seed).bits(), |mixed, byte| Random::new(mixed ^ u64::from(byte)).bits())
}

/// Plays an attack so many times. Each trial has a stream of random numbers of its own, so that
/// their order and the number of threads do not matter.
pub fn play(trials: u32, seed: u64, attack: impl Fn(&mut Random) -> Trial + Sync) -> Outcome {
	let trials: Vec<Trial> = (0..trials)
		.into_par_iter()
		.map(|index| attack(&mut Random::new(seed_of(seed ^ u64::from(index), "trial"))))
		.collect();
	Outcome::of(&trials)
}
