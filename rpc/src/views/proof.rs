//! A proof of a record.

use aria_primitives::BlockNumber;
use serde::{Deserialize, Serialize};
use sp_core::{Bytes, H256};

/// A record with the nodes of the state trie that lead to it. There is no state root here: whoever
/// verifies takes it from a header that they trust, or that [`PastView`] leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProofView {
	/// The block whose state has the record.
	pub block_hash: H256,
	/// Its number.
	pub block_number: BlockNumber,
	/// The record's key in the state trie.
	pub storage_key: Bytes,
	/// The trie's nodes, in no particular order; a large value is a node of its own.
	pub proof: Vec<Bytes>,
	/// The value under that key: the SCALE-encoded `RecordEntry`.
	pub value: Bytes,
	/// For a record that has left the state: what leads from a later block to the one above, which
	/// settled it; `null` otherwise.
	pub past: Option<PastView>,
}

/// What leads from a block's header, by the root of the Merkle mountain range that it names, to an
/// earlier block and to the records that this one settled (`docs/protocol/retention.md`). The leaf's
/// index is the earlier block's number, and the later one's is how many leaves there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PastView {
	/// The later block.
	pub block_hash: H256,
	/// Its number.
	pub block_number: BlockNumber,
	/// The earlier block's leaf: its number and hash, and the root over its records, in SCALE.
	pub leaf: Bytes,
	/// Hashes beside the way from the leaf to the root: peaks on its left, siblings from the bottom
	/// up, and the peaks on its right, as one.
	pub items: Vec<H256>,
	/// The record's place among those of its block.
	pub record_index: u32,
	/// How many that block settled.
	pub record_count: u32,
	/// Hashes beside the way from the record to the root over the block's records, bottom up.
	pub record_path: Vec<H256>,
}
