//! What a party posts, out of its own hashes and what the other has posted.

use aria_primitives::dispute::{leaves_below, node_height, nodes, Fork};
use sp_core::H256;

/// The nodes that an executor posts of its boundary's leaves.
pub fn own_nodes(leaves: &[H256]) -> Vec<H256> {
	nodes(leaves, node_height(count(leaves)))
}

/// What an accuser says of an executor's nodes: the first that is another than its own, and its own
/// leaves below. `None` if there are not as many, or none differs.
pub fn node_that_differs(mine: &[H256], theirs: &[H256]) -> Option<(Fork, Vec<H256>)> {
	let fork = fork(theirs, &own_nodes(mine))?;
	let (first, below) = leaves_below(count(mine), node_height(count(mine)), fork.index);
	let below = range(mine, first, below)?.to_vec();
	Some((fork, below))
}

/// What an executor says of an accuser's leaves, which begin with leaf `first` of the boundary: the
/// first that is another than its own, as a fork of these leaves, and its place in the boundary.
pub fn leaf_that_differs(mine: &[H256], first: u32, theirs: &[H256]) -> Option<(Fork, u32)> {
	let fork = fork(range(mine, first, count(theirs))?, theirs)?;
	let leaf = first.checked_add(fork.index)?;
	Some((fork, leaf))
}

/// The fork of two lists, if they are as long as each other and differ.
pub fn fork(executor: &[H256], accuser: &[H256]) -> Option<Fork> {
	(executor.len() == accuser.len()).then(|| Fork::between(executor, accuser))?
}

fn range(leaves: &[H256], first: u32, count: u32) -> Option<&[H256]> {
	let first = usize::try_from(first).ok()?;
	leaves.get(first..first.checked_add(usize::try_from(count).ok()?)?)
}

fn count(hashes: &[H256]) -> u32 {
	u32::try_from(hashes.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use aria_primitives::{
		dispute::{node_count, Pair},
		hashing::{merkle_root, sha256},
	};

	fn leaves(count: u32, other: Option<u32>) -> Vec<H256> {
		(0..count)
			.map(|index| {
				let salt = u8::from(other.is_some_and(|other| index >= other));
				sha256(&[index.to_le_bytes().as_slice(), &[salt]].concat())
			})
			.collect()
	}

	#[test]
	fn both_sides_should_find_the_first_leaf_that_differs() {
		for (all, other) in
			[(1, 0), (2, 1), (7, 6), (2_048, 2_047), (2_049, 2_048), (5_000, 0), (5_000, 4_321)]
		{
			let (executor, accuser) = (leaves(all, None), leaves(all, Some(other)));
			let roots = Pair { executor: merkle_root(&executor), accuser: merkle_root(&accuser) };
			let posted = own_nodes(&executor);
			assert!(posted.len() <= 2_048);
			assert_eq!(merkle_root(&posted), roots.executor);
			let (node, below) = node_that_differs(&accuser, &posted).unwrap();
			let height = node_height(all);
			assert!(node.is_first(&roots, node_count(all, height)));
			assert_eq!(merkle_root(&below), node.accuser.hash);

			let (first, count) = leaves_below(all, height, node.index);
			assert_eq!(count as usize, below.len());
			let (fork, leaf) = leaf_that_differs(&executor, first, &below).unwrap();
			assert_eq!(leaf, other, "{all}");
			assert!(fork.is_first(&node.hashes(), count));
		}
	}

	#[test]
	fn what_does_not_fit_should_give_nothing() {
		let (executor, accuser) = (leaves(9, None), leaves(9, Some(4)));
		assert_eq!(node_that_differs(&accuser, &[]), None);
		assert_eq!(node_that_differs(&accuser, &executor[..8]), None);
		// Who agrees has nothing to say.
		assert_eq!(node_that_differs(&executor, &executor), None);
		assert_eq!(leaf_that_differs(&executor, 0, &executor), None);
		assert_eq!(leaf_that_differs(&executor, 8, &accuser[7..]), None);
		assert_eq!(leaf_that_differs(&executor, u32::MAX, &accuser), None);
	}
}
