//! Keys of the chain's state, as FRAME makes them.

use sp_crypto_hashing::{blake2_128, twox_128};

/// `twox128(pallet) ‖ twox128(item)`: the key of a value, and the beginning of a map's keys.
pub(crate) fn item(pallet: &str, item: &str) -> Vec<u8> {
	let mut key = Vec::with_capacity(32);
	key.extend_from_slice(&twox_128(pallet.as_bytes()));
	key.extend_from_slice(&twox_128(item.as_bytes()));
	key
}

/// A map's entry whose key stands as it is.
pub(crate) fn identity(pallet: &str, name: &str, key: &[u8]) -> Vec<u8> {
	let mut bytes = item(pallet, name);
	bytes.extend_from_slice(key);
	bytes
}

/// A map's entry whose key stands behind its 128-bit BLAKE2.
pub(crate) fn blake2_concat(pallet: &str, name: &str, key: &[u8]) -> Vec<u8> {
	let mut bytes = item(pallet, name);
	bytes.extend_from_slice(&blake2_128(key));
	bytes.extend_from_slice(key);
	bytes
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn keys_should_be_those_of_frame() {
		// Known from every Substrate chain.
		assert_eq!(
			hex::encode(item("System", "Account")),
			"26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9"
		);
		assert_eq!(item("System", "Events").len(), 32);
	}

	#[test]
	fn an_entry_should_end_in_its_key() {
		let account = [7u8; 32];

		let key = blake2_concat("System", "Account", &account);
		assert_eq!(key.len(), 32 + 16 + 32);
		assert!(key.ends_with(&account));
		assert_eq!(identity("A", "B", &account).len(), 64);
	}
}
