//! What is assumed of people, machines and markets. Each number has its reason in `docs/economics.md`.

use super::{chain::Shape, positive, SettingError};
use aria_math::{Balance, ARIA, PPM};

/// Numbers that no protocol chooses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Assumptions {
	/// Supply at genesis, in planck.
	pub genesis: Balance,
	/// Validators, each with its stake.
	pub validators: u32,
	/// Gateways, each with its stake.
	pub gateways: u32,
	/// Tokens of an answer.
	pub shape: Shape,
	/// Parameters of the model that a token passes through.
	pub active_parameters: u64,
	/// A gateway's price of a token of the prompt, as a part of that of a token of the answer, in
	/// ppm.
	pub prompt_price_ppm: u32,
	/// The same of a cached token, in ppm.
	pub cached_price_ppm: u32,
	/// How many times faster than the answer's tokens those of a prompt are computed.
	pub prompt_speed: f64,
	/// What an answer takes beside computing, in seconds.
	pub network_s: f64,
	/// Price of a kWh in the mean, in EUR.
	pub kwh_eur: f64,
	/// What contributors want on top of their energy's cost, as a part of it.
	pub margin: f64,
	/// Part of the lent time in which a machine computes at most.
	pub utilisation: f64,
	/// By how much machines get faster in a year at the same power.
	pub progress: f64,
	/// How often an ARIA that is not staked pays for an answer in a year.
	pub velocity: f64,
	/// What an ARIA is worth at least to those who wait, in EUR.
	pub least_rate: f64,
	/// Days in which the exchange rate makes up for most of what it is off.
	pub rate_days: f64,
	/// The price at which a scenario's demand is given, in EUR for a million new tokens.
	pub reference_price: f64,
	/// How many times as much is asked for at most, however low the price is.
	pub demand_limit: f64,
	/// By how much the demand of one era is off at most, to both sides.
	pub noise: f64,
}

/// The model whose speed [`machines`](super::machines) states: BitNet b1.58 2B4T.
pub const REFERENCE_PARAMETERS: u64 = 2_412_820_480;

impl Default for Assumptions {
	fn default() -> Self {
		Self {
			genesis: 6_000_000 * ARIA,
			validators: 20,
			gateways: 20,
			shape: Shape { prompt: 400, cached: 100, output: 250 },
			active_parameters: REFERENCE_PARAMETERS,
			prompt_price_ppm: 200_000,
			cached_price_ppm: 50_000,
			prompt_speed: 5.0,
			network_s: 0.3,
			kwh_eur: 0.25,
			margin: 0.5,
			utilisation: 0.5,
			progress: 0.08,
			velocity: 5.0,
			least_rate: 0.001,
			rate_days: 30.0,
			reference_price: 0.10,
			demand_limit: 4.0,
			noise: 0.1,
		}
	}
}

impl Assumptions {
	/// Whether they make sense together.
	pub fn check(&self) -> Result<(), SettingError> {
		if self.shape.output == 0 || self.shape.cached > self.shape.prompt {
			return Err(SettingError::NotPositive("the number of tokens that are computed"));
		}
		for (name, value) in [
			("the supply at genesis", self.genesis as f64),
			("the number of validators", f64::from(self.validators)),
			("the number of active parameters", self.active_parameters as f64),
			("the speed of prompts", self.prompt_speed),
			("the price of a kWh", self.kwh_eur),
			("the velocity", self.velocity),
			("the least exchange rate", self.least_rate),
			("the time in which the exchange rate adapts", self.rate_days),
			("the reference price", self.reference_price),
			("the limit of demand", self.demand_limit),
		] {
			positive(name, value)?;
		}
		for (name, value) in [
			("the part of the lent time", self.utilisation),
			("the noise", self.noise),
			("the price of a prompt's token", f64::from(self.prompt_price_ppm) / f64::from(PPM)),
			("the price of a cached token", f64::from(self.cached_price_ppm) / f64::from(PPM)),
		] {
			if !(0.0..=1.0).contains(&value) {
				return Err(SettingError::NotShare(name));
			}
		}
		positive("one and the yearly progress together", 1.0 + self.progress)?;
		for (name, value) in [("the margin", self.margin), ("the network's delay", self.network_s)]
		{
			if !value.is_finite() || value < 0.0 {
				return Err(SettingError::Negative(name));
			}
		}
		Ok(())
	}

	/// The reference price of one answer, in EUR.
	pub fn reference_answer(&self) -> f64 {
		self.reference_price * self.shape.new_tokens() as f64 / 1e6
	}
}
