//! Domains, SHA-256 and Merkle trees (`docs/protocol/hashing.md`).

use alloc::vec::Vec;
use codec::Encode;
use sp_core::H256;

/// Domain of a record's id.
pub const RECORD_DOMAIN: &[u8] = b"aria/record/v1";
/// Domain of a ticket's hash, which is what a spending key signs.
pub const TICKET_DOMAIN: &[u8] = b"aria/ticket/v1";
/// Domain of a batch of records, which stages may sign once.
pub const BATCH_DOMAIN: &[u8] = b"aria/batch/v1";
/// Domain of what a gateway signs for one settlement.
pub const SETTLEMENT_DOMAIN: &[u8] = b"aria/settlement/v1";
/// Domain of the id of an on-chain request.
pub const REQUEST_DOMAIN: &[u8] = b"aria/request/v1";
/// Domain of the message that binds a peer id to an account.
pub const PEER_DOMAIN: &[u8] = b"aria/peer/v1";
/// Domain of a boundary between two stages.
pub const BOUNDARY_DOMAIN: &[u8] = b"aria/boundary/v1";
/// Engine of the digest in which each header names the root of the Merkle mountain range: 32 bytes, as
/// they are (`docs/protocol/retention.md`).
pub const MMR_ENGINE_ID: [u8; 4] = *b"ammr";

/// SHA-256. On chain this is a host function.
pub fn sha256(bytes: &[u8]) -> H256 {
	H256(sp_io::hashing::sha2_256(bytes))
}

/// `sha256(domain ‖ genesis ‖ SCALE(value))`: binds a value to its meaning and to one chain.
pub fn domain_hash<T: Encode>(domain: &[u8], genesis: &H256, value: &T) -> H256 {
	let mut bytes =
		Vec::with_capacity(domain.len().saturating_add(32).saturating_add(value.size_hint()));
	bytes.extend_from_slice(domain);
	bytes.extend_from_slice(genesis.as_bytes());
	value.encode_to(&mut bytes);
	sha256(&bytes)
}

/// The message that a libp2p key signs to say "this account speaks for me".
pub fn peer_binding(genesis: &H256, account: &crate::AccountId) -> H256 {
	domain_hash(PEER_DOMAIN, genesis, account)
}

/// Hash of a leaf: `sha256(0x00 ‖ data)`.
pub fn leaf_hash(data: &[u8]) -> H256 {
	let mut bytes = Vec::with_capacity(data.len().saturating_add(1));
	bytes.push(0);
	bytes.extend_from_slice(data);
	sha256(&bytes)
}

/// Hash of an inner node: `sha256(0x01 ‖ left ‖ right)`.
pub fn node_hash(left: &H256, right: &H256) -> H256 {
	let mut bytes = [1u8; 65];
	bytes[1..33].copy_from_slice(left.as_bytes());
	bytes[33..].copy_from_slice(right.as_bytes());
	sha256(&bytes)
}

/// Root of a Merkle tree over leaf hashes, in the shape of RFC 6962: a node without a sibling
/// moves up unchanged. The root of no leaves is `sha256("")`.
pub fn merkle_root(leaves: &[H256]) -> H256 {
	let mut level: Vec<H256> = leaves.to_vec();
	while level.len() > 1 {
		level = level
			.chunks(2)
			.map(|pair| match pair {
				[left, right] => node_hash(left, right),
				[single] => *single,
				_ => H256::zero(),
			})
			.collect();
	}
	level.first().copied().unwrap_or_else(|| sha256(&[]))
}

/// The path from leaf `index` of `leaves` to [`merkle_root`], bottom up; `None` if there is no
/// such leaf. `O(n)`.
pub fn merkle_proof(leaves: &[H256], index: usize) -> Option<Vec<H256>> {
	if index >= leaves.len() {
		return None;
	}
	let (mut level, mut index, mut path) = (leaves.to_vec(), index, Vec::new());
	while level.len() > 1 {
		if let Some(sibling) = level.get(index ^ 1) {
			path.push(*sibling);
		}
		level = level
			.chunks(2)
			.map(|pair| match pair {
				[left, right] => node_hash(left, right),
				[single] => *single,
				_ => H256::zero(),
			})
			.collect();
		index >>= 1;
	}
	Some(path)
}

/// Whether `path` leads from `leaf` at `index` of `count` leaves to `root`.
pub fn verify_merkle_proof(
	root: &H256,
	leaf: &H256,
	index: usize,
	count: usize,
	path: &[H256],
) -> bool {
	if index >= count {
		return false;
	}
	let (mut hash, mut index, mut width, mut path) = (*leaf, index, count, path.iter());
	while width > 1 {
		let has_sibling = (index ^ 1) < width;
		if has_sibling {
			let Some(sibling) = path.next() else { return false };
			hash =
				if index & 1 == 0 { node_hash(&hash, sibling) } else { node_hash(sibling, &hash) };
		}
		index >>= 1;
		width = width.div_ceil(2);
	}
	path.next().is_none() && hash == *root
}
