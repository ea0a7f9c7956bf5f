//! Attacks on the protocol, each played many times (`docs/security.md`).
//!
//! Who may be drawn, how probable that is, who gets a seat, what a verdict costs and what a record
//! pays are the chain's own functions, those of `aria-math`; chance, behaviour and the course of
//! time are simulated. What verifiers find is taken as true or as what a coalition agreed on: that
//! a run can be repeated bit by bit is tested elsewhere.
//!
//! | module | concern |
//! |---|---|
//! | [`rules`] | the defences, each of which can be switched off |
//! | [`outcome`] | what many trials come to |
//! | [`court`] | verifiers, seats, rounds, verdicts |
//! | [`campaign`] | an executor that lies, epoch after epoch |
//! | [`executors`] | attacks of those who compute |
//! | [`verifiers`] | attacks of those who check |
//! | [`money`] | attacks on pots and rewards |
//! | [`chance`] | attacks on randomness and on the lottery for blocks |
//! | [`nuisance`] | attacks that harm others |
//! | [`lab`] | all of them |
//! | [`report`] | tables |
//! | [`figures`] | plots |

pub mod campaign;
pub mod chance;
pub mod court;
pub mod executors;
pub mod figures;
pub mod lab;
pub mod money;
pub mod nuisance;
pub mod outcome;
pub mod report;
pub mod rules;
pub mod verifiers;

use crate::economics::{chain::Parts, chain::Price, Parameters};
use aria_math::{reward::burn_bound, Balance, ARIA};

/// The price of a record's tokens where an attack does not ask for another one.
pub const PRICE: Balance = 30 * ARIA / 1_000;

/// A worker's target stake.
pub const STAKE: Balance = 10 * ARIA;

/// A worker's least stake.
pub const LEAST_STAKE: Balance = ARIA;

/// Planck as ARIA.
pub fn aria(planck: Balance) -> f64 {
	planck as f64 / ARIA as f64
}

/// What a record of that price brings whom, by the runtime's split.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Revenue {
	/// The parts of the price.
	pub parts: Parts,
	/// The most that emission adds for the work.
	pub emission: Balance,
	/// The price with its fee for bytes.
	pub paid: Balance,
}

impl Revenue {
	/// Of a record of one stage with that price of tokens.
	pub fn of(tokens: Balance) -> Self {
		let parameters = Parameters::default();
		let bytes =
			parameters.byte_fee.saturating_mul(crate::economics::chain::record_bytes(1).into());
		let price = Price { tokens, bytes };
		let parts = Parts::of(&price, &parameters.split).unwrap_or_default();
		let emission = burn_bound(parts.burn, parameters.beta_ppm);
		Self { parts, emission, paid: price.total() }
	}

	/// What the stages have of it.
	pub fn stages(&self) -> Balance {
		self.parts.stages.saturating_add(self.emission)
	}

	/// What comes back to somebody who is requester, gateway and stage.
	pub fn back(&self) -> Balance {
		self.stages().saturating_add(self.parts.gateway)
	}

	/// What does not.
	pub fn lost(&self) -> Balance {
		self.paid.saturating_sub(self.back())
	}
}
