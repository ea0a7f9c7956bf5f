//! A Merkle tree that grows leaf by leaf.

use super::Hash;
use aria_primitives::hashing::{merkle_proof, merkle_root, node_hash};

/// The tree of `docs/protocol/hashing.md` over the leaves so far.
///
/// Keeps the roots of its full subtrees, whose sizes are the powers of two in the number of leaves:
/// a leaf costs one node on average, a root `O(log n)`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MerkleTree {
	leaves: Vec<Hash>,
	/// From the left, largest first.
	full: Vec<Hash>,
}

impl MerkleTree {
	/// Adds the hash of a leaf.
	pub fn push(&mut self, leaf: Hash) {
		let mut hash = leaf;
		// As adding 1 to the count carries over its trailing ones, so pairs become full subtrees.
		for _ in 0..self.leaves.len().trailing_ones() {
			if let Some(left) = self.full.pop() {
				hash = node_hash(&left, &hash);
			}
		}
		self.full.push(hash);
		self.leaves.push(leaf);
	}

	/// Takes back the leaves from `count` on. `O(n)`.
	pub fn truncate(&mut self, count: usize) {
		if count < self.leaves.len() {
			let leaves = std::mem::take(self).leaves;
			leaves.into_iter().take(count).for_each(|leaf| self.push(leaf));
		}
	}

	/// The root over the leaves so far.
	pub fn root(&self) -> Hash {
		// The right subtree is what the smaller ones come to.
		self.full
			.iter()
			.rev()
			.copied()
			.reduce(|right, left| node_hash(&left, &right))
			.unwrap_or_else(|| merkle_root(&[]))
	}

	/// The path from leaf `index` to the root, bottom up; `None` if there is no such leaf. `O(n)`.
	pub fn proof(&self, index: usize) -> Option<Vec<Hash>> {
		merkle_proof(&self.leaves, index)
	}

	/// The hashes of the leaves.
	pub fn leaves(&self) -> &[Hash] {
		&self.leaves
	}

	/// Number of leaves.
	pub fn len(&self) -> usize {
		self.leaves.len()
	}

	/// Whether there is no leaf.
	pub fn is_empty(&self) -> bool {
		self.leaves.is_empty()
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use aria_primitives::hashing::{leaf_hash, verify_merkle_proof};

	#[test]
	fn a_growing_tree_should_have_the_root_and_proofs_of_a_whole_one() {
		let mut tree = MerkleTree::default();
		for count in 0..=130usize {
			assert_eq!(tree.root(), merkle_root(tree.leaves()), "{count} leaves");
			for index in [0, count / 2, count.saturating_sub(1)] {
				let Some(leaf) = tree.leaves().get(index) else { continue };
				let path = tree.proof(index).unwrap_or_default();
				assert!(verify_merkle_proof(&tree.root(), leaf, index, count, &path));
			}
			assert_eq!((tree.len(), tree.proof(count)), (count, None));
			tree.push(leaf_hash(&count.to_le_bytes()));
		}
	}

	#[test]
	fn a_tree_should_forget_leaves_that_are_taken_back() {
		let mut trees = vec![MerkleTree::default()];
		for count in 0..40usize {
			let mut tree = trees[count].clone();
			tree.push(leaf_hash(&count.to_le_bytes()));
			trees.push(tree);
		}
		for count in [0, 1, 7, 8, 31, 40, 41] {
			let mut tree = trees[40].clone();
			tree.truncate(count);
			assert_eq!(tree, trees[count.min(40)]);
		}
	}
}
