//! Chance from randomness that everybody sees: the draw of records for audit
//! (docs/protocol/verification.md).

use crate::PPM;

/// The first eight of 32 random bytes as a little-endian number.
pub fn reduce(random: &[u8; 32]) -> u64 {
	let [a, b, c, d, e, f, g, h, ..] = *random;
	u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// Whether something of that probability happens, for a uniformly random number.
///
/// Always with a probability of one ([`PPM`]) or more, never with zero; in between the chance is
/// off by less than 2^-64. What happens at some probability happens, with the same number, at every
/// higher one.
pub fn draw(random: u64, probability_ppm: u32) -> bool {
	// random / 2^64 < probability / 10^6, without a division.
	let random = u128::from(random).saturating_mul(u128::from(PPM));
	random < u128::from(probability_ppm.min(PPM)) << 64
}
