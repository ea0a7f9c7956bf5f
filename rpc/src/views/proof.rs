//! A proof of a record.

use aria_primitives::BlockNumber;
use serde::{Deserialize, Serialize};
use sp_core::{Bytes, H256};

/// A record with the nodes of the state trie that lead to it. There is no state root here: whoever
/// verifies takes it from a header that they trust.
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
}
