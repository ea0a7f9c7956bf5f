//! What the methods and the indexer ask of the chain.
//!
//! [`Chain`] stands between them and the node's client, so that both are tested against a chain
//! that is made up of a few lists.

mod client;

pub(crate) use client::ClientChain;
pub use client::NodeClient;

use aria_primitives::{
	consent::ConsentVersion,
	record::RecordEntry,
	views::{NetworkStats, RewardExplanation, Trace},
	AccountId, BlockNumber, EraIndex, OutputHash, QueryHash, RecordId,
};
use futures::stream::BoxStream;
use sp_core::H256;
use std::any::Any;

/// Why a read failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ChainError {
	/// The node has no state at that block: it is pruned, was never there, or the block is unknown.
	#[error("the block's state is not there")]
	NoState,
	/// Anything else.
	#[error("{0}")]
	Failed(String),
}

/// A record as it lies in the state trie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredRecord {
	/// Its key.
	pub key: Vec<u8>,
	/// Its value: a SCALE-encoded [`RecordEntry`].
	pub value: Vec<u8>,
	/// The trie's nodes from the root down to it.
	pub proof: Vec<Vec<u8>>,
}

/// What leads from the leaf of a block in the Merkle mountain range to the root in a later block's
/// header (`docs/protocol/retention.md`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ancestry {
	/// The leaf: the block's number and hash, and the root over its records, in SCALE.
	pub leaf: Vec<u8>,
	/// Its index.
	pub leaf_index: u64,
	/// Leaves of the range that has that root.
	pub leaf_count: u64,
	/// Hashes beside the way.
	pub items: Vec<H256>,
}

/// Some blocks became final.
pub(crate) struct Finality {
	/// The last one.
	pub number: BlockNumber,
	/// Keeps that block's state from being pruned until it is dropped.
	pub hold: Box<dyn Any + Send>,
}

/// A chain to read. `at` is always a block's hash; the state is the one behind that block.
pub(crate) trait Chain: Send + Sync + 'static {
	/// The first block.
	fn genesis(&self) -> H256;
	/// The last block.
	fn best(&self) -> H256;
	/// The last final block.
	fn finalized(&self) -> (BlockNumber, H256);
	/// The block with this number on the best chain.
	fn hash(&self, number: BlockNumber) -> Result<Option<H256>, ChainError>;
	/// The number of a block, on whichever fork.
	fn number(&self, hash: H256) -> Result<Option<BlockNumber>, ChainError>;
	/// Every change of the last final block from now on; several may come as one.
	fn finality(&self) -> BoxStream<'static, Finality>;

	/// The record with this id.
	fn record(&self, at: H256, id: RecordId) -> Result<Option<RecordEntry>, ChainError>;
	/// The ids that the block settled, in order.
	fn block_records(&self, at: H256) -> Result<Vec<RecordId>, ChainError>;
	/// The first block all of whose records are in state.
	fn records_since(&self, at: H256) -> Result<BlockNumber, ChainError>;
	/// That `block` lies behind block `at`, of which the state is there.
	fn ancestry(&self, at: H256, block: BlockNumber) -> Result<Ancestry, ChainError>;
	/// The ids of all records in state, ascending, after `after`; at most `limit`. `None` if the
	/// state does not lie in a way that this node understands.
	fn stored_ids(
		&self,
		at: H256,
		after: Option<RecordId>,
		limit: usize,
	) -> Result<Option<Vec<RecordId>>, ChainError>;
	/// Ids by the hash of the answer, ascending, after `after`; at most `limit`.
	fn records_by_output(
		&self,
		at: H256,
		hash: OutputHash,
		after: Option<RecordId>,
		limit: u32,
	) -> Result<Vec<RecordId>, ChainError>;
	/// Ids by the hash of the query, ascending, after `after`; at most `limit`.
	fn records_by_query(
		&self,
		at: H256,
		hash: QueryHash,
		after: Option<RecordId>,
		limit: u32,
	) -> Result<Vec<RecordId>, ChainError>;
	/// The record and all around it.
	fn trace(&self, at: H256, id: RecordId) -> Result<Option<Trace>, ChainError>;
	/// The record with a proof of it.
	fn stored_record(&self, at: H256, id: RecordId) -> Result<Option<StoredRecord>, ChainError>;

	/// A consent of this version, or the one in force.
	fn consent(
		&self,
		at: H256,
		worker: AccountId,
		version: Option<u32>,
	) -> Result<Option<ConsentVersion>, ChainError>;
	/// The era in which work counts.
	fn current_era(&self, at: H256) -> Result<EraIndex, ChainError>;
	/// Every factor of a reward.
	fn explain(
		&self,
		at: H256,
		era: EraIndex,
		worker: AccountId,
	) -> Result<Option<RewardExplanation>, ChainError>;
	/// Sums over all records.
	fn network_stats(&self, at: H256) -> Result<NetworkStats, ChainError>;
}
