//! The quality score f(uptime, latency, verification pass rate) in `[0, 1]` (paper, section 7;
//! docs/protocol/economics.md).
//!
//! f is the product of the three. It grows with each of them; being perfect in two does not make up
//! for failing in the third, and whoever fails wholly in one earns nothing.

use crate::{wide::mul_div_floor, PPM};

const PPM_SQUARED: u64 = PPM as u64 * PPM as u64;

/// The quality score in ppm, rounded down. Arguments in ppm; more than [`PPM`] counts as [`PPM`].
pub fn quality(uptime_ppm: u32, latency_ppm: u32, audit_pass_ppm: u32) -> u32 {
	// Three factors of at most 10^6 stay below 2^60.
	let product = u64::from(uptime_ppm.min(PPM))
		.saturating_mul(u64::from(latency_ppm.min(PPM)))
		.saturating_mul(u64::from(audit_pass_ppm.min(PPM)));
	to_ppm(u128::from(product / PPM_SQUARED))
}

/// `part / whole` in ppm, rounded down, at most [`PPM`]: heartbeats kept of those due, audits
/// passed of those drawn. `if_none` (at most [`PPM`]) where nothing was due.
pub fn ratio_ppm(part: u64, whole: u64, if_none: u32) -> u32 {
	mul_div_floor(u128::from(part), u128::from(PPM), u128::from(whole))
		.map_or(if_none.min(PPM), to_ppm)
}

/// The latency score in ppm: 1 up to the target, then falling as `target / observed`, rounded down.
///
/// A target of zero cannot be met, unless by a latency of zero.
pub fn latency_score(observed_ms: u64, target_ms: u64) -> u32 {
	ratio_ppm(target_ms, observed_ms, PPM)
}

fn to_ppm(value: u128) -> u32 {
	u32::try_from(value).unwrap_or(PPM).min(PPM)
}
