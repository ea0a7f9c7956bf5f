//! From a block's header to a block far behind it, and to the records that this one settled
//! (`docs/protocol/retention.md`).

use super::{proof::Header, views::StoredPast};
use aria_primitives::{
	hashing::{leaf_hash, verify_merkle_proof, MMR_ENGINE_ID},
	BlockNumber, RecordId,
};
use codec::DecodeAll;
use sp_core::H256;
use sp_crypto_hashing::keccak_256;
use sp_runtime::DigestItem;

/// Why a later header does not lead to an earlier block.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PastError {
	/// The header names no root.
	#[error("the later header names no root of the mountain range")]
	NoRoot,
	/// The leaf is none.
	#[error("the leaf of the mountain range is none of this chain")]
	Leaf,
	/// The leaf is of another block.
	#[error("the leaf is of block {number} with the hash {hash:?}, not of the one that is proven")]
	OtherBlock {
		/// Its number.
		number: BlockNumber,
		/// Its hash.
		hash: H256,
	},
	/// The leaf does not lead to the root.
	#[error("the leaf does not lead to the root in the later header")]
	Range,
	/// The record is not among those of the block.
	#[error("the record is not among those that the block settled")]
	Record,
}

/// The root of the mountain range that a header names.
pub fn range_root(header: &Header) -> Option<H256> {
	header.digest.logs.iter().find_map(|log| match log {
		DigestItem::Consensus(MMR_ENGINE_ID, root) => {
			<[u8; 32]>::try_from(root.as_slice()).ok().map(H256)
		}
		_ => None,
	})
}

/// Checks that block `number` with this hash lies behind `later`, and settled the record.
///
/// # Errors
/// The first thing that does not hold.
pub fn check(
	past: &StoredPast,
	later: &Header,
	number: BlockNumber,
	hash: H256,
	id: &RecordId,
) -> Result<(), PastError> {
	let root = range_root(later).ok_or(PastError::NoRoot)?;
	let (of, block, records) = <(BlockNumber, H256, H256)>::decode_all(&mut past.leaf.0.as_slice())
		.map_err(|_| PastError::Leaf)?;
	if (of, block) != (number, hash) {
		return Err(PastError::OtherBlock { number: of, hash: block });
	}
	let leaf = H256(keccak_256(&past.leaf.0));
	// Each block adds the leaf of the one before it.
	let found = climb(leaf, number.into(), later.number.into(), &past.items);
	if found != Some(root) {
		return Err(PastError::Range);
	}
	let (index, count) = (past.record_index as usize, past.record_count as usize);
	let leaf = leaf_hash(id.as_bytes());
	if !verify_merkle_proof(&records, &leaf, index, count, &past.record_path) {
		return Err(PastError::Record);
	}
	Ok(())
}

/// The root of a range of `count` leaves to which `items` lead from the leaf with this index: peaks on
/// its left, siblings from the bottom up, and the peaks on its right as one.
fn climb(leaf: H256, index: u64, count: u64, items: &[H256]) -> Option<H256> {
	if index >= count {
		return None;
	}
	let mut items = items.iter().copied();
	let (mut peaks, mut first) = (Vec::new(), 0u64);
	for height in (0..u64::BITS).rev().filter(|height| (count >> height) & 1 == 1) {
		let end = first.checked_add(1 << height)?;
		if end <= index {
			peaks.push(items.next()?);
			first = end;
			continue;
		}
		let mut node = leaf;
		for level in 0..height {
			let sibling = items.next()?;
			let is_left = ((index - first) >> level) & 1 == 0;
			node = if is_left { join(node, sibling) } else { join(sibling, node) };
		}
		peaks.push(node);
		if end < count {
			peaks.push(items.next()?);
		}
		break;
	}
	if items.next().is_some() {
		return None;
	}
	// Peaks are joined from the right, the right one first.
	peaks.into_iter().rev().reduce(join)
}

fn join(one: H256, other: H256) -> H256 {
	let mut both = [0; 64];
	both[..32].copy_from_slice(one.as_bytes());
	both[32..].copy_from_slice(other.as_bytes());
	H256(keccak_256(&both))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
	use super::*;
	use aria_primitives::hashing::{merkle_proof, merkle_root};
	use codec::Encode;
	use sp_core::Bytes;

	/// The peaks of a range over these leaves, from the left, each with its leaves.
	fn peaks(mut leaves: &[H256]) -> Vec<&[H256]> {
		let mut peaks = Vec::new();
		while !leaves.is_empty() {
			let (peak, rest) = leaves.split_at(1 << leaves.len().ilog2());
			peaks.push(peak);
			leaves = rest;
		}
		peaks
	}

	/// The root over a power of two of leaves.
	fn top(leaves: &[H256]) -> H256 {
		match leaves {
			[leaf] => *leaf,
			_ => {
				let (left, right) = leaves.split_at(leaves.len() / 2);
				join(top(left), top(right))
			}
		}
	}

	fn bag(peaks: &[&[H256]]) -> Option<H256> {
		peaks.iter().rev().map(|peak| top(peak)).reduce(join)
	}

	fn siblings(leaves: &[H256], index: usize) -> Vec<H256> {
		if leaves.len() == 1 {
			return Vec::new();
		}
		let (left, right) = leaves.split_at(leaves.len() / 2);
		let (mut path, other) = match index < left.len() {
			true => (siblings(left, index), right),
			false => (siblings(right, index - left.len()), left),
		};
		path.push(top(other));
		path
	}

	/// The root over leaves, and what leads to it from one of them.
	fn range(leaves: &[H256], index: usize) -> (H256, Vec<H256>) {
		let peaks = peaks(leaves);
		let (mut items, mut first) = (Vec::new(), 0);
		for (place, peak) in peaks.iter().enumerate() {
			if first + peak.len() <= index {
				items.push(top(peak));
				first += peak.len();
				continue;
			}
			items.extend(siblings(peak, index - first));
			items.extend(bag(&peaks[place + 1..]));
			break;
		}
		(bag(&peaks).unwrap(), items)
	}

	/// A header of block `number` behind the block that settled these records, and what leads to the
	/// record `id` of it.
	pub fn later(number: BlockNumber, block: &Header, id: RecordId) -> (Header, StoredPast) {
		let ids = [H256::repeat_byte(3), id, H256::repeat_byte(4)];
		let records: Vec<H256> = ids.iter().map(|id| leaf_hash(id.as_bytes())).collect();
		let leaf = (block.number, block.hash(), merkle_root(&records)).encode();
		let mut leaves: Vec<H256> = (0..number).map(|n| H256(keccak_256(&n.encode()))).collect();
		leaves[block.number as usize] = H256(keccak_256(&leaf));
		let (root, items) = range(&leaves, block.number as usize);
		let mut header = Header {
			parent_hash: H256::repeat_byte(1),
			number,
			state_root: H256::repeat_byte(2),
			extrinsics_root: H256::repeat_byte(3),
			digest: Default::default(),
		};
		header.digest.push(DigestItem::Consensus(MMR_ENGINE_ID, root.as_bytes().to_vec()));
		let past = StoredPast {
			block_hash: header.hash(),
			block_number: number,
			leaf: Bytes(leaf),
			items,
			record_index: 1,
			record_count: 3,
			record_path: merkle_proof(&records, 1).unwrap(),
		};
		(header, past)
	}

	#[test]
	fn every_leaf_of_every_range_should_lead_to_its_root_and_to_no_other() {
		for count in 1..=40u64 {
			let leaves: Vec<H256> = (0..count).map(H256::from_low_u64_be).collect();
			for index in 0..count {
				let (root, items) = range(&leaves, index as usize);
				let leaf = leaves[index as usize];
				assert_eq!(climb(leaf, index, count, &items), Some(root), "{index} of {count}");
				assert_ne!(climb(H256::repeat_byte(9), index, count, &items), Some(root));
				let longer = [items.clone(), vec![root]].concat();
				assert_eq!(climb(leaf, index, count, &longer), None);
				if let Some((_, shorter)) = items.split_last() {
					assert_eq!(climb(leaf, index, count, shorter), None);
				}
			}
			assert_eq!(climb(leaves[0], count, count, &[]), None);
		}
	}

	#[test]
	fn a_range_should_be_joined_as_the_chain_does() {
		// Seven leaves: a peak of four, of two, of one.
		let l: Vec<H256> = (0..7).map(H256::from_low_u64_be).collect();
		let four = join(join(l[0], l[1]), join(l[2], l[3]));
		let root = join(join(l[6], join(l[4], l[5])), four);
		assert_eq!(climb(l[4], 4, 7, &[four, l[5], l[6]]), Some(root));
		assert_eq!(climb(l[6], 6, 7, &[four, join(l[4], l[5])]), Some(root));
		let right = join(l[6], join(l[4], l[5]));
		assert_eq!(climb(l[1], 1, 7, &[l[0], join(l[2], l[3]), right]), Some(root));
	}
}
