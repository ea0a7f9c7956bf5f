//! Random numbers of an answer: they count instead of having a state, so that token `t` can be drawn
//! again by itself (`docs/protocol/numerics.md`, "Sampling").

use sha2::{Digest, Sha256};

/// Domain of the generator.
pub const SAMPLE_DOMAIN: &[u8] = b"aria/sample/v1";

/// 64 random bits for the token `index` of an answer, from 0: the first 8 bytes, little-endian, of
/// `sha256(SAMPLE_DOMAIN ‖ SCALE(seed) ‖ SCALE(index))`.
pub fn random(seed: u64, index: u32) -> u64 {
	let mut hasher = Sha256::new();
	hasher.update(SAMPLE_DOMAIN);
	hasher.update(seed.to_le_bytes());
	hasher.update(index.to_le_bytes());
	// Byte k of eight has weight 256^k.
	hasher.finalize().iter().take(8).rev().fold(0, |u, byte| (u << 8) | u64::from(*byte))
}

/// `floor(random × total ÷ 2^64)`: below `total`, unless that is 0.
pub fn scaled(random: u64, total: u64) -> u64 {
	((u128::from(random) * u128::from(total)) >> 64) as u64
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn numbers_should_differ_by_seed_and_index() {
		let all: std::collections::BTreeSet<u64> =
			(0..16).flat_map(|seed| (0..16).map(move |index| random(seed, index))).collect();
		assert_eq!(all.len(), 256);
	}

	#[test]
	fn scaled_numbers_should_stay_below_the_total() {
		assert_eq!(scaled(u64::MAX, u64::MAX), u64::MAX - 1);
		assert_eq!((scaled(u64::MAX, 1), scaled(0, 7), scaled(1 << 63, 7)), (0, 0, 3));
	}
}
