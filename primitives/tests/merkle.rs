//! Merkle trees: the shape of RFC 6962, and proofs that hold for one leaf in one place only
//! (`docs/protocol/hashing.md`).
#![allow(clippy::unwrap_used)]

use aria_primitives::hashing::{
	leaf_hash, merkle_proof, merkle_root, node_hash, sha256, verify_merkle_proof,
};
use proptest::prelude::*;
use sp_core::H256;

fn leaves(count: usize) -> Vec<H256> {
	(0..count).map(|index| leaf_hash(&index.to_le_bytes())).collect()
}

/// The root as RFC 6962, 2.1, defines it: split at the largest power of two below the count.
fn defined_root(leaves: &[H256]) -> H256 {
	match leaves {
		[] => sha256(&[]),
		[leaf] => *leaf,
		_ => {
			let (left, right) = leaves.split_at(leaves.len().div_ceil(2).next_power_of_two());
			node_hash(&defined_root(left), &defined_root(right))
		}
	}
}

#[test]
fn the_root_should_be_the_one_of_the_definition() {
	for count in 0..=130 {
		let leaves = leaves(count);
		assert_eq!(merkle_root(&leaves), defined_root(&leaves), "{count} leaves");
	}
}

#[test]
fn the_root_of_few_leaves_should_be_as_written_out() {
	let l = leaves(3);
	assert_eq!(merkle_root(&[]), sha256(b""));
	assert_eq!(merkle_root(&l[..1]), l[0]);
	assert_eq!(merkle_root(&l[..2]), node_hash(&l[0], &l[1]));
	assert_eq!(merkle_root(&l), node_hash(&node_hash(&l[0], &l[1]), &l[2]));
}

#[test]
fn leaves_and_nodes_should_not_be_mistaken_for_each_other() {
	let l = leaves(2);
	let bytes = [l[0].as_bytes(), l[1].as_bytes()].concat();
	assert_ne!(leaf_hash(&bytes), node_hash(&l[0], &l[1]));
	assert_eq!(leaf_hash(b"x"), sha256(b"\x00x"));
	assert_eq!(node_hash(&l[0], &l[1]), sha256(&[&[1u8][..], &bytes].concat()));
}

#[test]
fn trees_of_different_sizes_should_have_different_roots() {
	let roots: std::collections::BTreeSet<_> =
		(0..=64).map(|count| merkle_root(&leaves(count))).collect();
	assert_eq!(roots.len(), 65);
}

#[test]
fn every_proof_should_verify_at_its_own_place_only() {
	for count in 1..=33 {
		let leaves = leaves(count);
		let root = merkle_root(&leaves);
		for (index, leaf) in leaves.iter().enumerate() {
			let path = merkle_proof(&leaves, index).unwrap();
			assert!(path.len() <= 6);
			for place in 0..count + 2 {
				let holds = verify_merkle_proof(&root, leaf, place, count, &path);
				assert_eq!(holds, place == index, "leaf {index} of {count} at {place}");
			}
		}
	}
}

#[test]
fn there_should_be_no_proof_for_a_leaf_that_is_not_there() {
	assert_eq!(merkle_proof(&[], 0), None);
	assert_eq!(merkle_proof(&leaves(5), 5), None);
	assert_eq!(merkle_proof(&leaves(5), usize::MAX), None);
	assert!(!verify_merkle_proof(&merkle_root(&[]), &H256::zero(), 0, 0, &[]));
	assert!(!verify_merkle_proof(&H256::zero(), &H256::zero(), usize::MAX, 1, &[]));
}

#[test]
fn a_single_leaf_should_be_proven_by_an_empty_path() {
	let l = leaves(1);
	assert_eq!(merkle_proof(&l, 0), Some(vec![]));
	assert!(verify_merkle_proof(&l[0], &l[0], 0, 1, &[]));
	assert!(!verify_merkle_proof(&l[0], &l[0], 0, 1, &[l[0]]));
}

/// A tree, one of its leaves, and the path from it.
fn proven() -> impl Strategy<Value = (Vec<H256>, usize, Vec<H256>)> {
	(1usize..200).prop_flat_map(|count| (Just(count), 0..count)).prop_map(|(count, index)| {
		let leaves = leaves(count);
		let path = merkle_proof(&leaves, index).unwrap();
		(leaves, index, path)
	})
}

fn flipped(hash: &H256, bit: usize) -> H256 {
	let mut bytes = hash.0;
	bytes[bit / 8] ^= 1 << (bit % 8);
	H256(bytes)
}

proptest! {
	#![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

	#[test]
	fn a_proof_should_verify((leaves, index, path) in proven()) {
		let root = merkle_root(&leaves);
		prop_assert!(verify_merkle_proof(&root, &leaves[index], index, leaves.len(), &path));
	}

	#[test]
	fn a_proof_should_fail_when_a_bit_is_flipped(
		(leaves, index, path) in proven(),
		bit in 0usize..256,
		step: prop::sample::Index,
	) {
		let (root, leaf, count) = (merkle_root(&leaves), leaves[index], leaves.len());
		prop_assert!(!verify_merkle_proof(&flipped(&root, bit), &leaf, index, count, &path));
		prop_assert!(!verify_merkle_proof(&root, &flipped(&leaf, bit), index, count, &path));
		if !path.is_empty() {
			let mut path = path;
			let step = step.index(path.len());
			path[step] = flipped(&path[step], bit);
			prop_assert!(!verify_merkle_proof(&root, &leaf, index, count, &path));
		}
	}

	#[test]
	fn a_proof_should_fail_when_its_length_is_not_that_of_the_place(
		(leaves, index, path) in proven(),
		more: [u8; 32],
	) {
		let (root, leaf, count) = (merkle_root(&leaves), leaves[index], leaves.len());
		let longer = [&path[..], &[H256(more)]].concat();
		prop_assert!(!verify_merkle_proof(&root, &leaf, index, count, &longer));
		if let Some((_, shorter)) = path.split_last() {
			prop_assert!(!verify_merkle_proof(&root, &leaf, index, count, shorter));
		}
	}

	#[test]
	fn verification_should_answer_for_any_input(
		root: [u8; 32],
		leaf: [u8; 32],
		index: usize,
		count: usize,
		path in prop::collection::vec(any::<[u8; 32]>(), 0..80),
	) {
		let path: Vec<_> = path.into_iter().map(H256).collect();
		let holds = verify_merkle_proof(&H256(root), &H256(leaf), index, count, &path);
		prop_assert!(!holds || index < count);
	}
}
