//! The protocol's economics over ten years (`docs/economics.md`).
//!
//! What the chain computes is computed here by the chain's own functions, those of `aria-math`, in
//! integers: emission, the division of a price, work that counts, factors, rewards
//! (`docs/protocol/economics.md`). What people do, how many ask, how many lend a machine, what an
//! ARIA is worth, is a model with stated assumptions, in doubles.
//!
//! | module | concern |
//! |---|---|
//! | [`parameters`] | the numbers that the runtime chooses |
//! | [`assumptions`] | the numbers that nobody chooses |
//! | [`scenario`] | three ways in which the network may be adopted |
//! | [`machines`] | computers that are lent: speed, power, price of a kWh |
//! | [`market`] | the price at which as much is asked for as is offered |
//! | [`chain`] | one answer, one worker, one era, as the chain computes them |
//! | [`ledger`] | the supply |
//! | [`simulation`] | era after era |
//! | [`history`] | what is kept of them, by months and years |
//! | [`knobs`] | every number that can be turned |
//! | [`study`] | all runs: scenarios, ranges, each knob at half and double |
//! | [`report`] | tables |
//! | [`figures`] | plots |

pub mod assumptions;
pub mod chain;
pub mod figures;
pub mod history;
pub mod knobs;
pub mod ledger;
pub mod machines;
pub mod market;
pub mod parameters;
pub mod report;
pub mod scenario;
pub mod simulation;
pub mod study;

pub use assumptions::Assumptions;
pub use parameters::Parameters;
pub use scenario::{Adoption, Scenario};

use thiserror::Error;

/// Everything that decides a run but its seed and its length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
	/// What the runtime chooses.
	pub parameters: Parameters,
	/// What is assumed of everything else.
	pub assumptions: Assumptions,
	/// How the network is adopted.
	pub adoption: Adoption,
}

impl Setting {
	/// The runtime's parameters and the assumptions of the documents, in a scenario.
	pub fn new(scenario: Scenario) -> Self {
		Self {
			parameters: Parameters::default(),
			assumptions: Assumptions::default(),
			adoption: scenario.adoption(),
		}
	}

	/// Whether the simulation is defined for these numbers.
	pub fn check(&self) -> Result<(), SettingError> {
		self.parameters.check()?;
		self.assumptions.check()?;
		self.adoption.check()
	}
}

/// A number with which nothing can be simulated.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum SettingError {
	/// The split does not divide a price.
	#[error("the parts of a price do not add up to 1,000,000 ppm: change one of them")]
	Split,
	/// A number that has to be above zero is not, or is no number.
	#[error("{0} has to be above zero: give it a positive number")]
	NotPositive(&'static str),
	/// A number that may be zero but not less is, or is no number.
	#[error("{0} is negative: give it zero or a positive number")]
	Negative(&'static str),
	/// A part of a whole that is more than the whole, or less than nothing.
	#[error("{0} has to be between 0 and 1")]
	NotShare(&'static str),
}

/// `Ok` if the number is above zero and finite.
fn positive(name: &'static str, value: f64) -> Result<(), SettingError> {
	if value > 0.0 && value.is_finite() {
		Ok(())
	} else {
		Err(SettingError::NotPositive(name))
	}
}
