//! Forks of trees, nodes, items, and the blocks of matrices (`docs/protocol/dispute.md`).

#![allow(clippy::unwrap_used)]

use aria_primitives::{
	dispute::{
		block_hash, input_bytes, item_count, leaves_below, node_count, node_height, nodes, sums_of,
		Fork, Pair, Sums, MAX_HASHES,
	},
	hashing::{leaf_hash, merkle_root},
	manifest::TensorRole,
	record::LayerRange,
};
use sp_core::H256;

fn leaves(count: u32, other: Option<u32>) -> Vec<H256> {
	(0..count)
		.map(|n| leaf_hash(&(if other == Some(n) { n + 1_000_000 } else { n }).to_le_bytes()))
		.collect()
}

fn roots(one: &[H256], other: &[H256]) -> Pair {
	Pair { executor: merkle_root(one), accuser: merkle_root(other) }
}

#[test]
fn a_fork_should_be_the_first_difference_of_any_tree() {
	for count in 1..40u32 {
		let one = leaves(count, None);
		assert_eq!(Fork::between(&one, &one), None);
		for place in 0..count {
			let mut other = leaves(count, Some(place));
			// What comes after differs, too, as it does where something false was computed.
			for leaf in other.iter_mut().skip(place as usize + 1) {
				*leaf = leaf_hash(leaf.as_bytes());
			}
			let roots = roots(&one, &other);
			let fork = Fork::between(&one, &other).unwrap();
			assert_eq!(fork.index, place);
			assert!(fork.is_first(&roots, count));
			let swapped = Pair { executor: roots.accuser, accuser: roots.executor };
			assert!(!fork.is_first(&swapped, count));
			assert!(!Fork { index: count, ..fork.clone() }.is_first(&roots, count));
		}
	}
}

#[test]
fn a_later_difference_should_be_no_fork() {
	for count in 2..40u32 {
		let one = leaves(count, None);
		let mut other = leaves(count, Some(0));
		let last = count as usize - 1;
		other[last] = H256::zero();
		let branch = |leaves: &[H256]| aria_primitives::dispute::Branch::of(leaves, last).unwrap();
		let fork = Fork { index: count - 1, executor: branch(&one), accuser: branch(&other) };
		assert!(!fork.is_first(&roots(&one, &other), count), "{count}");
	}
}

#[test]
fn equal_hashes_should_be_no_fork() {
	let (one, other) = (leaves(8, None), leaves(8, Some(5)));
	let branch = |leaves: &[H256]| aria_primitives::dispute::Branch::of(leaves, 2).unwrap();
	let fork = Fork { index: 2, executor: branch(&one), accuser: branch(&other) };
	assert!(!fork.is_first(&roots(&one, &other), 8));
}

#[test]
fn nodes_should_have_the_root_of_their_leaves() {
	for count in [1u32, 2, 3, 7, 8, 9, 100, 129] {
		let all = leaves(count, None);
		for height in 0..9 {
			let nodes = nodes(&all, height);
			assert_eq!(nodes.len() as u32, node_count(count, height));
			assert_eq!(merkle_root(&nodes), merkle_root(&all));
			for (number, node) in nodes.iter().enumerate() {
				let (first, below) = leaves_below(count, height, number as u32);
				let end = (first + below) as usize;
				assert_eq!(merkle_root(&all[first as usize..end]), *node);
			}
		}
	}
}

#[test]
fn nodes_should_fit_a_call() {
	for (leaves, height) in
		[(0, 0), (1, 0), (2_048, 0), (2_049, 1), (4_096, 1), (4_097, 2), (1 << 22, 11)]
	{
		assert_eq!(node_height(leaves), height, "{leaves}");
		assert!(node_count(leaves, height) <= MAX_HASHES);
		assert!(leaves_below(leaves, height, 0).1 <= MAX_HASHES);
	}
	assert_eq!(leaves_below(10, 2, 2), (8, 2));
	assert_eq!(leaves_below(10, 2, 3), (12, 0));
	assert_eq!(leaves_below(u32::MAX, 31, u32::MAX).1, 0);
}

#[test]
fn items_should_be_inputs_and_sums_of_each_layer() {
	let layers = LayerRange { first: 3, end: 5 };
	assert_eq!(item_count(&layers), 22);
	let at = |item| sums_of(&layers, item);
	for input in [0, 4, 6, 9, 11, 15, 17, 20] {
		assert_eq!(at(input), None);
	}
	let sums = |layer, role, input| Some(Sums { layer, role, input });
	assert_eq!(at(1), sums(3, TensorRole::Query, 0));
	assert_eq!(at(3), sums(3, TensorRole::Value, 0));
	assert_eq!(at(5), sums(3, TensorRole::AttentionOutput, 4));
	assert_eq!(at(8), sums(3, TensorRole::Up, 6));
	assert_eq!(at(13), sums(4, TensorRole::Key, 11));
	assert_eq!(at(21), sums(4, TensorRole::Down, 20));
	assert_eq!(at(23), None);
	assert_eq!(at(u32::MAX), None);
}

#[test]
fn bytes_should_be_little_endian_and_in_order() {
	assert_eq!(input_bytes(1.0, &[-1, 2]), [0, 0, 0x80, 0x3f, 0xff, 2]);
	assert_eq!(block_hash(&[-1, 258]), leaf_hash(&[0xff, 0xff, 0xff, 0xff, 2, 1, 0, 0]));
}
