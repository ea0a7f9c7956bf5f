//! What a worker earns from an era's pool (paper, section 7; docs/protocol/economics.md).
//!
//! ```text
//! reward(n) = base_rate × work × quality × efficiency
//! base_rate = min(cap, pool / Σ (work × quality × efficiency))
//! ```
//!
//! and, whatever the formula gives, at most the burn bound: a fraction of the fees that were burnt
//! on the work. So whoever pays themselves for work loses money. What the bounds cut off is not
//! minted.

use crate::{
	efficiency::{CEILING_ATTESTED_PPM, MIN_EFFICIENCY_PPM},
	wide::{mul_div_floor, mul_ppm},
	Balance, PPM,
};

/// Weighted work units to which a base rate refers: rates are in planck per 10^12 units.
///
/// One unit is a thousand tokens through one active parameter: a planck for each would be too coarse.
pub const RATE_UNIT: u128 = 1_000_000_000_000;

/// β: what a record can earn from emission, as a fraction of the fee burnt on it.
pub const BETA_PPM: u32 = 900_000;

const PPM_SQUARED: u128 = PPM as u128 * PPM as u128;

/// What the formula multiplies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Factors {
	/// Work units: new tokens × the stage's share of layers × active parameters.
	pub work: u128,
	/// Quality in ppm, see [`crate::quality`]; more than [`PPM`] counts as [`PPM`].
	pub quality_ppm: u32,
	/// Efficiency bonus in ppm, see [`crate::efficiency`]; brought into `[0.5, 2.0]` if it is
	/// outside.
	pub efficiency_ppm: u32,
}

/// How a payout came about, each line in the order in which it is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RewardBreakdown {
	/// `work × quality × efficiency`, in work units.
	pub weighted: u128,
	/// What the base rate gives for that, in planck.
	pub rate_limited: Balance,
	/// What the burnt fees permit, in planck.
	pub burn_limited: Balance,
	/// The smaller of the two: what is minted, in planck.
	pub payout: Balance,
}

/// `work × quality × efficiency`, rounded down once, in work units.
pub fn weighted(factors: &Factors) -> u128 {
	let quality = u128::from(factors.quality_ppm.min(PPM));
	let efficiency =
		u128::from(factors.efficiency_ppm.clamp(MIN_EFFICIENCY_PPM, CEILING_ATTESTED_PPM));
	mul_div_floor(factors.work, quality.saturating_mul(efficiency), PPM_SQUARED).unwrap_or(0)
}

/// `min(cap_rate, pool / sum_weighted)`, rounded down, in planck per [`RATE_UNIT`].
///
/// For display; [`reward_share`] rounds later, and so is at least `weighted × base_rate`. With no
/// weighted work at all the rate is the cap.
pub fn base_rate(pool: Balance, sum_weighted: u128, cap_rate: u128) -> u128 {
	mul_div_floor(pool, RATE_UNIT, sum_weighted).map_or(cap_rate, |rate| rate.min(cap_rate))
}

/// `weighted × min(cap_rate, pool / sum_weighted)`, rounded down, in planck.
///
/// `cap_rate` is in planck per [`RATE_UNIT`]. As long as `sum_weighted` is the sum of all workers'
/// weighted work, or more, the shares together never exceed the pool. One worker never gets more
/// than the pool, and nobody gets anything if the sum is zero.
pub fn reward_share(pool: Balance, sum_weighted: u128, weighted: u128, cap_rate: u128) -> Balance {
	let share = mul_div_floor(pool, weighted.min(sum_weighted), sum_weighted).unwrap_or(0);
	let capped = mul_div_floor(cap_rate, weighted, RATE_UNIT).unwrap_or(0);
	share.min(capped)
}

/// What emission may pay for work on which `burnt_fee` planck were burnt, in planck, rounded down.
///
/// A `beta_ppm` above one counts as one: beyond it, paying oneself would make money.
pub fn burn_bound(burnt_fee: Balance, beta_ppm: u32) -> Balance {
	mul_ppm(burnt_fee, beta_ppm.min(PPM))
}

/// A worker's reward, with the lines that led to it.
///
/// `sum_weighted` is the sum of [`weighted()`] over all workers of the era, `cap_rate` is in planck
/// per [`RATE_UNIT`], and `burn_bound` is the sum of [`burn_bound()`] over the worker's records.
pub fn reward(
	pool: Balance,
	sum_weighted: u128,
	factors: &Factors,
	cap_rate: u128,
	burn_bound: Balance,
) -> RewardBreakdown {
	let weighted = weighted(factors);
	let rate_limited = reward_share(pool, sum_weighted, weighted, cap_rate);
	RewardBreakdown {
		weighted,
		rate_limited,
		burn_limited: burn_bound,
		payout: rate_limited.min(burn_bound),
	}
}
