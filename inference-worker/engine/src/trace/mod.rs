//! Commitments to what passes from one stage to the next (`docs/protocol/numerics.md`, "Trace";
//! `docs/protocol/record.md`, "Boundaries").
//!
//! A boundary is a Merkle tree over what was computed at each position. Its root goes into the
//! record; a leaf can be opened later with a proof, and shows one position without the others.
//!
//! ```
//! use aria_engine::trace::{activation_leaf, verify, BoundaryTrace};
//!
//! # fn main() -> aria_engine::Result<()> {
//! let salt = [7; 32];
//! let mut trace = BoundaryTrace::new(salt);
//! for position in 0..5 {
//!     trace.push_activation(position, &[position as f32, 0.5])?;
//! }
//! let proof = trace.proof(3).unwrap_or_default();
//! let leaf = activation_leaf(&salt, 3, &[3.0, 0.5]);
//! assert!(verify(&trace.root(), &leaf, 3, trace.len(), &proof));
//! # Ok(())
//! # }
//! ```

mod leaf;
mod tree;

pub use aria_primitives::hashing::verify_merkle_proof as verify;
pub use leaf::{activation_leaf, final_leaf, prompt_leaf};
pub use tree::MerkleTree;

use crate::error::{EngineError, Result};
use aria_primitives::{record, QueryHash};

/// A SHA-256: of a leaf, a root, or a boundary.
pub type Hash = aria_primitives::ModelId;

/// The tree of one boundary while its leaves arrive.
///
/// A boundary has leaves of one kind; which one follows from its place among the stages. Keeps 32
/// bytes a leaf.
#[derive(Clone, Debug)]
pub struct BoundaryTrace {
	salt: [u8; 32],
	/// Position of the first leaf.
	first: u32,
	tree: MerkleTree,
}

impl BoundaryTrace {
	/// A boundary without leaves, for the query with this salt.
	pub fn new(salt: [u8; 32]) -> Self {
		Self { salt, first: 0, tree: MerkleTree::default() }
	}

	/// `B_0`: a leaf for each token of the prompt, from position 0.
	pub fn prompt(salt: [u8; 32], tokens: &[u32]) -> Self {
		let mut trace = Self::new(salt);
		for (position, token) in (0u32..).zip(tokens) {
			trace.tree.push(prompt_leaf(&salt, position, *token));
		}
		trace
	}

	/// Adds what a stage but the last gave for `position`: the residual stream, `[hidden]`. The
	/// first leaf may have any position, each further one the next.
	pub fn push_activation(&mut self, position: u32, x: &[f32]) -> Result<()> {
		self.expect(position)?;
		self.tree.push(activation_leaf(&self.salt, position, x));
		Ok(())
	}

	/// Adds what the last stage gave for `position`: the final hidden state, `[hidden]`, and the
	/// token that was sampled from it. The first leaf, whose position is that of the prompt's last
	/// token, may have any position, each further one the next.
	pub fn push_final(&mut self, position: u32, hidden: &[f32], token: u32) -> Result<()> {
		self.expect(position)?;
		self.tree.push(final_leaf(&self.salt, position, hidden, token));
		Ok(())
	}

	/// Takes back the leaves of positions from `position` on: those of a step that came to nothing.
	pub fn truncate(&mut self, position: u32) {
		self.tree.truncate(position.saturating_sub(self.first) as usize);
		if self.tree.is_empty() {
			self.first = 0;
		}
	}

	/// Leaves are in ascending order without gaps, so that a leaf's index follows from its position.
	fn expect(&mut self, position: u32) -> Result<()> {
		if self.tree.is_empty() {
			self.first = position;
		}
		let next = u64::from(self.first) + self.tree.len() as u64;
		if u64::from(position) == next {
			Ok(())
		} else {
			Err(EngineError::Session {
				reason: format!(
					"the trace has got position {position} where {next} is next: give it each \
					 position once, in order"
				),
			})
		}
	}

	/// The salt of the query.
	pub fn salt(&self) -> &[u8; 32] {
		&self.salt
	}

	/// Position of the first leaf; 0 if there is none.
	pub fn first_position(&self) -> u32 {
		self.first
	}

	/// Number of leaves.
	pub fn len(&self) -> usize {
		self.tree.len()
	}

	/// Whether there is no leaf.
	pub fn is_empty(&self) -> bool {
		self.tree.is_empty()
	}

	/// The hashes of the leaves.
	pub fn leaves(&self) -> &[Hash] {
		self.tree.leaves()
	}

	/// The root over the leaves so far, in `O(log n)`.
	pub fn root(&self) -> Hash {
		self.tree.root()
	}

	/// The path from leaf `index` to [`Self::root`], for [`verify`]; `None` if there is no such
	/// leaf. `O(n)`.
	pub fn proof(&self, index: usize) -> Option<Vec<Hash>> {
		self.tree.proof(index)
	}

	/// What the record holds: `B_index` of the query.
	pub fn boundary(&self, index: u16, query_hash: &QueryHash) -> Hash {
		record::boundary(index, &self.root(), query_hash)
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn positions_out_of_order_should_be_refused() {
		let mut trace = BoundaryTrace::new([1; 32]);
		trace.push_final(4, &[1.0], 9).unwrap();
		for wrong in [3, 4, 6] {
			assert!(trace.push_final(wrong, &[1.0], 9).is_err(), "{wrong}");
		}
		trace.push_final(5, &[1.0], 9).unwrap();
		assert_eq!((trace.first_position(), trace.len()), (4, 2));
		assert_eq!(trace.leaves()[1], final_leaf(&[1; 32], 5, &[1.0], 9));
	}

	#[test]
	fn positions_that_were_taken_back_should_be_next_again() {
		let mut trace = BoundaryTrace::new([1; 32]);
		trace.push_activation(4, &[1.0]).unwrap();
		let root = trace.root();
		trace.push_activation(5, &[2.0]).unwrap();
		trace.truncate(6);
		assert_eq!(trace.len(), 2);
		trace.truncate(5);
		assert_eq!((trace.first_position(), trace.len(), trace.root()), (4, 1, root));
		trace.push_activation(5, &[2.0]).unwrap();
		trace.truncate(0);
		assert_eq!((trace.first_position(), trace.len()), (0, 0));
		trace.push_activation(9, &[1.0]).unwrap();
		assert_eq!(trace.first_position(), 9);
	}

	#[test]
	fn each_input_should_change_the_root() {
		let root = |salt: u8, position, x: &[f32]| {
			let mut trace = BoundaryTrace::new([salt; 32]);
			trace.push_activation(position, x).unwrap();
			trace.root()
		};
		let roots = [
			root(1, 0, &[1.0, 2.0]),
			root(2, 0, &[1.0, 2.0]),
			root(1, 1, &[1.0, 2.0]),
			root(1, 0, &[2.0, 1.0]),
			root(1, 0, &[1.0]),
			root(1, 0, &[1.0, 0.0]),
			root(1, 0, &[1.0, -0.0]),
		];
		for (index, root) in roots.iter().enumerate() {
			assert!(!roots[..index].contains(root), "{index}");
		}
	}
}
