//! Hashes of leaves, computed without putting their bytes together first.

use super::Hash;
use sha2::{Digest, Sha256};

/// `sha256(0x00 ‖ …)` of a leaf, as `docs/protocol/hashing.md` has it.
struct Leaf(Sha256);

impl Leaf {
	fn new(salt: &[u8; 32], position: u32) -> Self {
		let mut hasher = Sha256::new();
		hasher.update([0u8]);
		hasher.update(salt);
		hasher.update(position.to_le_bytes());
		Self(hasher)
	}

	fn token(mut self, token: u32) -> Self {
		self.0.update(token.to_le_bytes());
		self
	}

	/// Through a buffer on the stack: on a little-endian machine that compiles to a copy.
	fn floats(mut self, values: &[f32]) -> Self {
		const FLOATS: usize = 512;
		let mut buffer = [0u8; 4 * FLOATS];
		for part in values.chunks(FLOATS) {
			let bytes = &mut buffer[..4 * part.len()];
			for (bytes, value) in bytes.chunks_exact_mut(4).zip(part) {
				bytes.copy_from_slice(&value.to_le_bytes());
			}
			self.0.update(bytes);
		}
		self
	}

	fn hash(self) -> Hash {
		Hash::from(<[u8; 32]>::from(self.0.finalize()))
	}
}

/// A leaf of `B_0`: the token at `position` of the prompt.
pub fn prompt_leaf(salt: &[u8; 32], position: u32, token: u32) -> Hash {
	Leaf::new(salt, position).token(token).hash()
}

/// A leaf behind a stage but the last: its output for `position`, `[hidden]`.
pub fn activation_leaf(salt: &[u8; 32], position: u32, x: &[f32]) -> Hash {
	Leaf::new(salt, position).floats(x).hash()
}

/// A leaf of the last boundary: the final hidden state of `position`, `[hidden]`, and the token that
/// was sampled from it.
pub fn final_leaf(salt: &[u8; 32], position: u32, hidden: &[f32], token: u32) -> Hash {
	Leaf::new(salt, position).floats(hidden).token(token).hash()
}

#[cfg(test)]
mod tests {
	use super::*;
	use aria_primitives::hashing::leaf_hash;

	#[test]
	fn leaves_should_be_hashes_of_their_bytes() {
		let salt = [5; 32];
		for length in [0, 1, 3, 511, 512, 513, 2560] {
			let x: Vec<f32> = (0..length).map(|i| i as f32 * -0.37).collect();
			let mut bytes = [salt.as_slice(), &77u32.to_le_bytes()].concat();
			bytes.extend(x.iter().flat_map(|x| x.to_le_bytes()));
			assert_eq!(activation_leaf(&salt, 77, &x), leaf_hash(&bytes));
			bytes.extend(9u32.to_le_bytes());
			assert_eq!(final_leaf(&salt, 77, &x, 9), leaf_hash(&bytes));
		}
		let bytes = [salt.as_slice(), &[3, 0, 0, 0, 0, 1, 0, 0]].concat();
		assert_eq!(prompt_leaf(&salt, 3, 256), leaf_hash(&bytes));
	}
}
