//! Disputes (`docs/protocol/dispute.md`): what `pallet-verification` keeps of them, and what was posted.

use crate::{
	chain::{At, Chain},
	error::ChainError,
	keys,
};
use aria_primitives::{
	dispute::{Dispute, Fork, Hashes, Pair},
	hashing::merkle_root,
	AccountId, BlockNumber, RecordId,
};
use codec::Encode;
use sp_core::H256;

const PALLET: &str = "Verification";
/// Most disputes of one audit that are read.
const MAX_DISPUTES: usize = 256;

impl Chain {
	/// The disputes of a record's audit, each with its accuser, in no order.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn disputes(
		&self,
		record: RecordId,
		at: At,
	) -> Result<Vec<(AccountId, Dispute)>, ChainError> {
		let prefix = keys::identity(PALLET, "Disputes", record.as_bytes());
		self.entries("Verification.Disputes", &prefix, MAX_DISPUTES, at, |key| {
			key.last_chunk::<32>().copied().map(AccountId::new)
		})
		.await
	}

	/// The nodes under `root` that an executor posted in one of the last `blocks` blocks.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn posted_nodes(
		&self,
		record: RecordId,
		accuser: &AccountId,
		root: H256,
		blocks: BlockNumber,
	) -> Result<Option<Hashes>, ChainError> {
		let arguments = (record, accuser).encode();
		let is_it = |nodes: &Hashes| merkle_root(nodes) == root;
		self.posted("post_nodes", &arguments, blocks, is_it).await
	}

	/// The fork of these nodes, and the leaves below the accuser's, that an accuser posted in one of the
	/// last `blocks` blocks.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn posted_leaf(
		&self,
		record: RecordId,
		nodes: Pair,
		blocks: BlockNumber,
	) -> Result<Option<(Fork, Hashes)>, ChainError> {
		let is_it = |(fork, leaves): &(Fork, Hashes)| {
			fork.hashes() == nodes && merkle_root(leaves) == nodes.accuser
		};
		self.posted("accuse_leaf", &record.encode(), blocks, is_it).await
	}

	/// The fork of leaves, and the items under `trace`, that an executor posted in one of the last
	/// `blocks` blocks.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn posted_defence(
		&self,
		record: RecordId,
		accuser: &AccountId,
		trace: H256,
		blocks: BlockNumber,
	) -> Result<Option<(Fork, Hashes)>, ChainError> {
		let arguments = (record, accuser).encode();
		let is_it = |(_, items): &(Fork, Hashes)| merkle_root(items) == trace;
		self.posted("defend_leaf", &arguments, blocks, is_it).await
	}

	/// The items under `trace` that an accuser posted in one of the last `blocks` blocks.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn posted_reply(
		&self,
		record: RecordId,
		trace: H256,
		blocks: BlockNumber,
	) -> Result<Option<Hashes>, ChainError> {
		let is_it = |items: &Hashes| merkle_root(items) == trace;
		self.posted("reply_trace", &record.encode(), blocks, is_it).await
	}

	/// The fork of items, and the blocks under `sums`, that a party posted in one of the last `blocks`
	/// blocks of the chain.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn posted_blocks(
		&self,
		record: RecordId,
		accuser: &AccountId,
		sums: H256,
		blocks: BlockNumber,
	) -> Result<Option<(Fork, Hashes)>, ChainError> {
		let arguments = (record, accuser).encode();
		let is_it = |(_, hashes): &(Fork, Hashes)| merkle_root(hashes) == sums;
		self.posted("post_blocks", &arguments, blocks, is_it).await
	}
}
