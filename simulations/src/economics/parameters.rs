//! The numbers that the runtime chooses, as far as they decide supply, income or price.
//!
//! The same values as in `runtime/src/parameters.rs`, without a dependency on the runtime, which takes
//! minutes to build; `tests/parameters.rs` compares the two.

use super::SettingError;
use aria_math::{emission::EmissionSchedule, reward::BETA_PPM, Balance, ARIA, PPM};

/// Blocks in a day of six-second blocks.
pub const DAY_BLOCKS: u32 = 14_400;

/// Blocks in a year of 365.25 days.
pub const YEAR_BLOCKS: u64 = 5_259_600;

/// Numbers of the runtime (`docs/protocol/economics.md`, parameters). Amounts are in planck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
	/// What blocks emit.
	pub schedule: EmissionSchedule,
	/// Blocks of an era.
	pub era_blocks: u32,
	/// Part of a pool that goes to block authors, in ppm.
	pub author_share_ppm: u32,
	/// Most that emission pays for work, as a part of the fees burnt on it, in ppm.
	pub beta_ppm: u32,
	/// Highest base rate, in planck per 10^12 units of weighted work.
	pub rate_cap: u128,
	/// How far below the cap the base rate may fall before burnt fees stop supporting more work.
	pub dilution: u32,
	/// Latency up to which the latency score is 1, in milliseconds a new token.
	pub latency_target_ms: u32,
	/// How a price for tokens is divided, in ppm: stages, gateway, author, audit, storage, burn.
	pub split: [u32; 6],
	/// Fee for a byte of a record.
	pub byte_fee: Balance,
	/// Least price of a record of one stage whose settlement is free.
	pub free_from: Balance,
	/// Highest price of a token.
	pub most_token_price: Balance,
	/// Records that an epoch may settle so that all can be drawn for audit.
	pub epoch_records: u32,
	/// Blocks of an epoch in the mean.
	pub epoch_blocks: u32,
	/// Stake up to which a worker's payments fill its stake.
	pub worker_stake: Balance,
	/// Stake of a gateway.
	pub gateway_stake: Balance,
	/// Stake of a validator.
	pub validator_stake: Balance,
}

impl Default for Parameters {
	fn default() -> Self {
		Self {
			schedule: EmissionSchedule::DEFAULT,
			era_blocks: 3_600,
			author_share_ppm: 200_000,
			beta_ppm: BETA_PPM,
			rate_cap: 100 * ARIA,
			dilution: 16,
			latency_target_ms: 200,
			split: [700_000, 100_000, 30_000, 50_000, 20_000, 100_000],
			byte_fee: ARIA / 10_000_000,
			free_from: ARIA / 50,
			most_token_price: ARIA / 1_000,
			epoch_records: 20_000,
			epoch_blocks: 40,
			worker_stake: 10 * ARIA,
			gateway_stake: 100 * ARIA,
			validator_stake: 1_000 * ARIA,
		}
	}
}

impl Parameters {
	/// Whether eras can be simulated with them.
	pub fn check(&self) -> Result<(), SettingError> {
		if self.split.iter().map(|part| u64::from(*part)).sum::<u64>() != u64::from(PPM) {
			return Err(SettingError::Split);
		}
		let counts = [
			("the stages' part of a price", self.split.first().copied().unwrap_or(0)),
			("the blocks of an era", self.era_blocks),
			("the blocks of an epoch", self.epoch_blocks),
			("the records of an epoch", self.epoch_records),
		];
		match counts.into_iter().find(|(_, count)| *count == 0) {
			Some((name, _)) => Err(SettingError::NotPositive(name)),
			None if self.most_token_price == 0 => {
				Err(SettingError::NotPositive("the highest price of a token"))
			}
			None => Ok(()),
		}
	}

	/// The stages' part of a price, as a fraction of one.
	pub fn stage_share(&self) -> f64 {
		f64::from(self.split.first().copied().unwrap_or(0)) / f64::from(PPM)
	}

	/// Records that an era may settle, in the mean.
	pub fn era_records(&self) -> f64 {
		f64::from(self.epoch_records) * f64::from(self.era_blocks) / f64::from(self.epoch_blocks)
	}

	/// Eras that are over after so many years from the first block on.
	pub fn eras(&self, years: u32) -> u64 {
		(u64::from(years) * YEAR_BLOCKS).checked_div(u64::from(self.era_blocks)).unwrap_or(0)
	}
}
