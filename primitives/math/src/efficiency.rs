//! The efficiency bonus g(energy per work / network average) in `[0.5, 2.0]` (paper, section 7;
//! docs/protocol/economics.md).
//!
//! Who needs less energy than the average for the same work earns more, up to a ceiling that
//! depends on how far the measurement can be believed.

use crate::{wide::mul_div_floor, PPM};

/// The lowest bonus, whatever the energy.
pub const MIN_EFFICIENCY_PPM: u32 = 500_000;

/// Ceiling for energy that was estimated: no bonus above one.
pub const CEILING_ESTIMATE_PPM: u32 = 1_000_000;

/// Ceiling for energy that the worker measured itself.
pub const CEILING_SELF_MEASURED_PPM: u32 = 1_100_000;

/// Ceiling for energy attested by a registered meter key: the paper's upper bound.
pub const CEILING_ATTESTED_PPM: u32 = 2_000_000;

/// Work units to which [`energy_per_work`] refers.
pub const ENERGY_WORK_UNIT: u128 = 1_000_000_000_000;

/// Energy per work, in millijoules per [`ENERGY_WORK_UNIT`], rounded down, saturating.
///
/// `None` if there was no work.
pub fn energy_per_work(energy_mj: u128, work: u128) -> Option<u128> {
	mul_div_floor(energy_mj, ENERGY_WORK_UNIT, work)
}

/// The efficiency bonus in ppm: `average / own`, rounded down, between [`MIN_EFFICIENCY_PPM`] and
/// the ceiling.
///
/// `average` and `own` are energies per work in one unit, such as [`energy_per_work`]'s. A ceiling
/// outside `[0.5, 2.0]` is brought into it. Work without energy is not to be believed, and gets the
/// lowest bonus; where there is no average yet, the bonus is one (or the ceiling, if that is less).
pub fn efficiency(average: u128, own: u128, ceiling_ppm: u32) -> u32 {
	let ceiling = ceiling_ppm.clamp(MIN_EFFICIENCY_PPM, CEILING_ATTESTED_PPM);
	if own == 0 {
		return MIN_EFFICIENCY_PPM;
	}
	if average == 0 {
		return PPM.min(ceiling);
	}
	let ratio = mul_div_floor(average, u128::from(PPM), own).unwrap_or(0);
	u32::try_from(ratio).unwrap_or(ceiling).clamp(MIN_EFFICIENCY_PPM, ceiling)
}

/// Whether a claim of energy can be true: more than zero, at least what the machine draws idle over
/// that time, and at least the model's floor.
///
/// Says nothing against high claims: they only lower the claimant's own bonus.
pub fn plausible_energy(
	energy_mj: u64,
	duration_ms: u64,
	idle_power_mw: u64,
	floor_mj: u64,
) -> bool {
	// Milliwatts times milliseconds are microjoules.
	let claimed_uj = u128::from(energy_mj).saturating_mul(1_000);
	let idle_uj = u128::from(idle_power_mw).saturating_mul(u128::from(duration_ms));
	energy_mj > 0 && energy_mj >= floor_mj && claimed_uj >= idle_uj
}
