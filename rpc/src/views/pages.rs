//! Pages of records.

use super::record::RecordView;
use aria_primitives::{BlockNumber, RecordId};
use serde::{Deserialize, Serialize};
use sp_core::H256;

/// A page of records that have one hash in common, ascending by id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FoundView {
	/// The records.
	pub records: Vec<RecordView>,
	/// `page.after` of the next page; `null` on the last one.
	pub next: Option<RecordId>,
	/// The block as of which they were read.
	pub at: H256,
	/// Records of this page that have left the state, and whose bodies this node does not keep.
	pub discarded: Vec<DiscardedView>,
	/// Blocks whose records are found when they have left the state; `null` while the node's index is
	/// being filled.
	pub indexed: Option<IndexedRange>,
}

/// A record that this node knows of and cannot show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiscardedView {
	/// The record's id.
	pub id: RecordId,
	/// The block that settled it.
	pub settled_at: BlockNumber,
}

/// A page of a list of the node's index, in order of settlement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListView {
	/// The records.
	pub records: Vec<RecordView>,
	/// `page.after` of the next page; `null` on the last one.
	pub next: Option<RecordId>,
	/// Records of this page that have left the state, and whose bodies this node does not keep.
	pub discarded: Vec<DiscardedView>,
	/// What the index covers.
	pub indexed: IndexedRange,
}

/// Blocks whose records the index holds, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IndexedRange {
	/// The first block: 0 unless older records could not be read any more.
	pub from: BlockNumber,
	/// The last block, at most the last final one; `null` if there is none yet.
	pub to: Option<BlockNumber>,
}
