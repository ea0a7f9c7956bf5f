//! Names and seeds that nobody guesses.

use crate::hex;
use rand::{rngs::OsRng, RngCore};

/// Random bytes from the operating system.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
	let mut bytes = [0; N];
	OsRng.fill_bytes(&mut bytes);
	bytes
}

/// `prefix` and 32 random digits.
pub(crate) fn name(prefix: &str) -> String {
	format!("{prefix}{}", hex::encode(&bytes::<16>()))
}

/// A seed of 48 bits: every JSON library gives it back as it was.
pub(crate) fn seed() -> u64 {
	u64::from_le_bytes(bytes::<8>()) >> 16
}
