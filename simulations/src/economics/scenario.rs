//! Three ways in which the network may be adopted.

use super::{positive, SettingError};
use crate::real;
use clap::ValueEnum;

/// How the network is adopted: answers that are asked for and machines that are lent both follow a
/// logistic curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adoption {
	/// Answers a day in the end, at the reference price.
	pub answers_a_day: f64,
	/// Contributors in the end.
	pub contributors: f64,
	/// Years until half of that is reached.
	pub middle: f64,
	/// Steepness of the curve, for a year.
	pub steepness: f64,
	/// By how many percent less is asked for where the price is one percent higher.
	pub elasticity: f64,
}

impl Adoption {
	/// Part of the final size that is reached after so many years.
	pub fn reached(&self, years: f64) -> f64 {
		real::logistic(self.steepness * (years - self.middle))
	}

	/// Whether it can be simulated.
	pub fn check(&self) -> Result<(), SettingError> {
		for (name, value) in [
			("the number of answers a day", self.answers_a_day),
			("the number of contributors", self.contributors),
			("the years to half of the adoption", self.middle),
			("the steepness of adoption", self.steepness),
			("the elasticity", self.elasticity),
		] {
			positive(name, value)?;
		}
		Ok(())
	}
}

/// A scenario of adoption.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum)]
pub enum Scenario {
	/// Enthusiasts: a third of a million answers a day in the end
	Slow,
	/// Some applications rely on it: three million answers a day
	Middle,
	/// Ten times as many would ask
	Fast,
}

impl Scenario {
	/// All of them, from slow to fast.
	pub const ALL: [Self; 3] = [Self::Slow, Self::Middle, Self::Fast];

	/// Its name in options, tables and file names.
	pub fn name(self) -> &'static str {
		match self {
			Self::Slow => "slow",
			Self::Middle => "middle",
			Self::Fast => "fast",
		}
	}

	/// Its numbers.
	pub fn adoption(self) -> Adoption {
		match self {
			Self::Slow => Adoption {
				answers_a_day: 300_000.0,
				contributors: 1_500.0,
				middle: 6.0,
				steepness: 0.9,
				elasticity: 0.7,
			},
			Self::Middle => Adoption {
				answers_a_day: 3_000_000.0,
				contributors: 12_000.0,
				middle: 5.0,
				steepness: 1.1,
				elasticity: 1.0,
			},
			Self::Fast => Adoption {
				answers_a_day: 30_000_000.0,
				contributors: 60_000.0,
				middle: 4.0,
				steepness: 1.3,
				elasticity: 1.3,
			},
		}
	}
}
