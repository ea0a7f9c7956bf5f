//! The two trees of a boundary: the record's, and the verifier's own.

use super::Subject;
use crate::{
	error::Result,
	trace::{BoundaryTrace, Hash, MerkleTree},
};
use aria_primitives::{audit, record};

/// An opened leaf (`docs/protocol/audit.md`, rounds).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
	/// What the leaf's hash is taken of in the record's tree: salt, position, values, and for the last
	/// boundary the token.
	pub data: Vec<u8>,
	/// From the verifier's own leaf up to the root of its own tree of the boundary.
	pub own: Vec<Hash>,
	/// From that root up to [`super::Rerun::own_root`].
	pub root: Vec<Hash>,
	/// From the plain leaf up to the root that the run made: the record's, or what it should have been.
	pub record: Vec<Hash>,
}

/// The bytes of a leaf (`docs/protocol/numerics.md`, "Trace").
pub(super) fn data(salt: &[u8; 32], position: u32, values: &[f32], token: Option<u32>) -> Vec<u8> {
	let mut bytes = Vec::with_capacity(40 + 4 * values.len());
	bytes.extend_from_slice(salt);
	bytes.extend_from_slice(&position.to_le_bytes());
	bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
	bytes.extend(token.into_iter().flat_map(u32::to_le_bytes));
	bytes
}

/// The trees of one boundary. Keeps 64 bytes a leaf.
#[derive(Clone, Debug)]
pub(super) struct Trees {
	/// Place among the boundaries, from 1.
	index: u16,
	/// As the stages made it, if they were honest.
	pub record: BoundaryTrace,
	/// Behind the verifier's VRF output.
	pub own: MerkleTree,
}

impl Trees {
	pub fn new(index: u16, salt: [u8; 32]) -> Self {
		Self { index, record: BoundaryTrace::new(salt), own: MerkleTree::default() }
	}

	/// Adds a leaf. `token` is that of the record, for the last boundary.
	pub fn push(
		&mut self,
		output: &[u8; 32],
		position: u32,
		values: &[f32],
		token: Option<u32>,
	) -> Result<()> {
		match token {
			Some(token) => self.record.push_final(position, values, token)?,
			None => self.record.push_activation(position, values)?,
		}
		let data = data(self.record.salt(), position, values, token);
		self.own.push(audit::leaf(output, &data));
		Ok(())
	}

	/// Whether the run made the record's boundary.
	pub fn agrees(&self, subject: &Subject<'_>) -> bool {
		let made = record::boundary(self.index, &self.record.root(), &subject.body.query_hash);
		subject.body.boundaries.get(usize::from(self.index)) == Some(&made)
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::trace::{activation_leaf, final_leaf, verify};
	use aria_primitives::hashing::leaf_hash;

	#[test]
	fn data_should_be_what_the_traces_leaves_are_hashes_of() {
		let (salt, x) = ([3; 32], [1.5, -0.0, 7e-9]);
		assert_eq!(leaf_hash(&data(&salt, 9, &x, None)), activation_leaf(&salt, 9, &x));
		assert_eq!(leaf_hash(&data(&salt, 9, &x, Some(77))), final_leaf(&salt, 9, &x, 77));
	}

	#[test]
	fn own_trees_should_differ_for_each_output_and_open_under_their_root() {
		let trees = |output: u8| {
			let mut trees = Trees::new(1, [3; 32]);
			for position in 0..5 {
				trees.push(&[output; 32], position, &[position as f32], None).unwrap();
			}
			trees
		};
		let (one, two) = (trees(1), trees(2));
		assert_eq!(one.record.root(), two.record.root());
		assert_ne!(one.own.root(), two.own.root());
		let leaf = audit::leaf(&[1; 32], &data(&[3; 32], 4, &[4.0], None));
		assert!(verify(&one.own.root(), &leaf, 4, 5, &one.own.proof(4).unwrap()));
		assert!(!verify(&two.own.root(), &leaf, 4, 5, &two.own.proof(4).unwrap()));
	}
}
