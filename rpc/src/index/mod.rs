//! The node's own index: records by model and by node, in order of settlement; and by output and by
//! query, which the state lists too, but only as long as it has the records.
//!
//! The state holds no such lists, for they would grow without bound. Each node keeps them for
//! itself, beside its database or in memory, and fills them from final blocks
//! ([`crate::run_indexer`]): what is in a list stays in it, and a block shows up only when it is
//! final.

mod keys;
mod store;
#[cfg(test)]
mod tests;

pub(crate) use keys::{Gap, Place, Tip};

use aria_primitives::{
	record::RecordEntry, AccountId, BlockNumber, ModelId, OutputHash, QueryHash, RecordId,
};
use codec::{Decode, Encode};
use keys::{hash_key, hashed_id_of, id_of, list_key, meta, Identity, PRESENT, SCHEMA};
use parking_lot::RwLock;
use sp_core::H256;
use std::{collections::BTreeSet, path::Path, sync::Arc};
use store::{Change, Column, Start, Store};

/// Keys that one commit of [`RecordIndex::clear`] removes.
const CLEAR_BATCH: usize = 4_096;

/// Why the index cannot do what it is asked.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
	/// The database failed.
	#[error("{0}")]
	Database(#[from] parity_db::Error),
	/// A value is not what this crate writes.
	#[error("its entry `{0}` is damaged")]
	Damaged(String),
	/// A page cannot begin after this record.
	#[error("it does not hold the record {0:?}")]
	UnknownCursor(RecordId),
}

/// A page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdPage {
	/// The records.
	pub ids: Vec<RecordId>,
	/// Whether there are more after the last one.
	pub more: bool,
}

/// How far the index is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
	/// Whether it has caught up since the node started; until then its lists lack records.
	pub ready: bool,
	/// The first block whose records it holds.
	pub from: BlockNumber,
	/// The last block whose records it holds.
	pub to: Option<BlockNumber>,
	/// The last final block that it saw.
	pub finalized: BlockNumber,
	/// What last went wrong, until it goes right.
	pub failure: Option<String>,
}

/// A record as the index takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settled {
	pub id: RecordId,
	pub place: Place,
	pub model: ModelId,
	/// Each once, however many stages it ran.
	pub nodes: BTreeSet<AccountId>,
	pub output: OutputHash,
	pub query: QueryHash,
}

impl Settled {
	pub fn new(id: RecordId, place: Place, record: &RecordEntry) -> Self {
		let body = &record.body;
		let nodes = body.stages.iter().map(|stage| stage.node.clone()).collect();
		let (output, query) = (body.output_hash, body.query_hash);
		Self { id, place, model: body.model_id, nodes, output, query }
	}
}

/// What is known only while the node runs.
#[derive(Default)]
struct Live {
	ready: bool,
	finalized: BlockNumber,
	failure: Option<String>,
}

/// Records by model and by node. One task writes, any number read.
pub struct RecordIndex {
	store: Store,
	live: RwLock<Live>,
}

impl RecordIndex {
	/// Opens the index in a folder, which is made if it is not there; without a folder it lives in
	/// memory and is filled anew at every start.
	///
	/// Errors when the folder cannot be written, is in use by another process, or holds something
	/// else.
	pub fn open(path: Option<&Path>) -> Result<Arc<Self>, IndexError> {
		Ok(Arc::new(Self { store: Store::open(path)?, live: Default::default() }))
	}

	/// Records of a model, in order of settlement, after the record `after`; at most `limit`.
	///
	/// Errors with [`IndexError::UnknownCursor`] if `after` is not in the index.
	pub fn by_model(
		&self,
		model: &ModelId,
		after: Option<RecordId>,
		limit: usize,
	) -> Result<IdPage, IndexError> {
		self.page(Column::ByModel, model.as_fixed_bytes(), after, limit)
	}

	/// Records in which a node ran a stage, signed or not; as [`RecordIndex::by_model`].
	pub fn by_node(
		&self,
		node: &AccountId,
		after: Option<RecordId>,
		limit: usize,
	) -> Result<IdPage, IndexError> {
		self.page(Column::ByNode, node.as_ref(), after, limit)
	}

	/// Records whose answer has this hash, ascending by id, after `after`, which need not be one of
	/// them; at most `limit`.
	pub fn by_output(
		&self,
		output: &OutputHash,
		after: Option<RecordId>,
		limit: usize,
	) -> Result<IdPage, IndexError> {
		self.hash_page(Column::ByOutput, output, after, limit)
	}

	/// Records of this query; as [`RecordIndex::by_output`].
	pub fn by_query(
		&self,
		query: &QueryHash,
		after: Option<RecordId>,
		limit: usize,
	) -> Result<IdPage, IndexError> {
		self.hash_page(Column::ByQuery, query, after, limit)
	}

	/// How far the index is.
	pub fn progress(&self) -> Result<Progress, IndexError> {
		let (from, to) = (self.start()?, self.tip()?.map(|tip| tip.number));
		let live = self.live.read();
		Ok(Progress {
			ready: live.ready,
			from,
			to,
			finalized: live.finalized,
			failure: live.failure.clone(),
		})
	}

	fn page(
		&self,
		column: Column,
		owner: &[u8; 32],
		after: Option<RecordId>,
		limit: usize,
	) -> Result<IdPage, IndexError> {
		let cursor = match after {
			Some(id) => {
				let place = self.place(&id)?.ok_or(IndexError::UnknownCursor(id))?;
				Some(list_key(owner, place, &id))
			}
			None => None,
		};
		let start = match &cursor {
			Some(key) => Start::After(key),
			None => Start::At(owner),
		};
		let mut keys = self.store.keys(column, owner, start, limit.saturating_add(1))?;
		let more = keys.len() > limit;
		keys.truncate(limit);
		let ids = keys
			.iter()
			.map(|key| id_of(key).ok_or_else(|| IndexError::Damaged(format!("{column:?}"))))
			.collect::<Result<_, _>>()?;
		Ok(IdPage { ids, more })
	}

	fn hash_page(
		&self,
		column: Column,
		hash: &H256,
		after: Option<RecordId>,
		limit: usize,
	) -> Result<IdPage, IndexError> {
		let cursor = after.map(|id| hash_key(hash, &id));
		let start = match &cursor {
			Some(key) => Start::After(key),
			None => Start::At(hash.as_bytes()),
		};
		let mut keys = self.store.keys(column, hash.as_bytes(), start, limit.saturating_add(1))?;
		let more = keys.len() > limit;
		keys.truncate(limit);
		let ids = keys
			.iter()
			.map(|key| hashed_id_of(key).ok_or_else(|| IndexError::Damaged(format!("{column:?}"))))
			.collect::<Result<_, _>>()?;
		Ok(IdPage { ids, more })
	}

	/// Where a record was settled, if it is indexed.
	pub(crate) fn place(&self, id: &RecordId) -> Result<Option<Place>, IndexError> {
		self.store
			.get(Column::Places, id.as_bytes())?
			.map(|bytes| {
				Place::from_bytes(&bytes).ok_or_else(|| IndexError::Damaged("Places".into()))
			})
			.transpose()
	}

	/// The last block that is indexed.
	pub(crate) fn tip(&self) -> Result<Option<Tip>, IndexError> {
		self.meta(meta::TIP)
	}

	/// Blocks that are still to be filled from a newer state.
	pub(crate) fn gap(&self) -> Result<Option<Gap>, IndexError> {
		self.meta(meta::GAP)
	}

	fn start(&self) -> Result<BlockNumber, IndexError> {
		Ok(self.meta(meta::START)?.unwrap_or_default())
	}

	/// Whether the index is of this chain and of this layout; a new one becomes it.
	pub(crate) fn adopt(&self, genesis: H256) -> Result<bool, IndexError> {
		let wanted = Identity { schema: SCHEMA, genesis };
		match self.meta::<Identity>(meta::IDENTITY)? {
			Some(identity) => Ok(identity == wanted),
			None => {
				self.store.commit(vec![put(meta::IDENTITY, wanted)])?;
				Ok(true)
			}
		}
	}

	/// Adds the records of the blocks up to `tip`, and moves there. Records that are there already
	/// stay as they are.
	pub(crate) fn append(&self, tip: Tip, records: &[Settled]) -> Result<(), IndexError> {
		let mut changes = self.insertions(records)?;
		changes.push(put(meta::TIP, tip));
		self.store.commit(changes)
	}

	/// Moves to `tip` over blocks that cannot be read, and notes them as a gap. A gap that is being
	/// filled grows.
	pub(crate) fn skip(&self, from: BlockNumber, tip: Tip) -> Result<(), IndexError> {
		let from = self.gap()?.map_or(from, |gap| gap.from.min(from));
		let gap = Gap { from, below: tip.number.saturating_add(1), cursor: None };
		self.store.commit(vec![put(meta::GAP, gap), put(meta::TIP, tip)])
	}

	/// Adds records of the gap that lie before its new cursor.
	pub(crate) fn fill(&self, gap: Gap, records: &[Settled]) -> Result<(), IndexError> {
		let mut changes = self.insertions(records)?;
		changes.push(put(meta::GAP, gap));
		self.store.commit(changes)
	}

	/// The gap is filled, or, with `lost`, will never be: the lists begin behind it.
	pub(crate) fn close_gap(&self, lost: Option<Gap>) -> Result<(), IndexError> {
		let mut changes = vec![(Column::Meta, meta::GAP.to_vec(), None)];
		if let Some(gap) = lost {
			changes.push(put(meta::START, gap.below));
		}
		self.store.commit(changes)
	}

	/// Forgets everything and becomes the index of this chain. After a crash in between, what is
	/// left still looks like the old one, and is cleared again.
	pub(crate) fn clear(&self, genesis: H256) -> Result<(), IndexError> {
		self.live.write().ready = false;
		for column in [Column::ByOutput, Column::ByQuery, Column::ByNode, Column::ByModel] {
			let mut last = Vec::new();
			loop {
				let keys = self.store.keys(column, &[], Start::After(&last), CLEAR_BATCH)?;
				let Some(key) = keys.last() else { break };
				last = key.clone();
				// Every record has a model, so its place goes with that list.
				let places = keys
					.iter()
					.filter(|_| column == Column::ByModel)
					.filter_map(|key| id_of(key))
					.map(|id| (Column::Places, id.as_bytes().to_vec(), None))
					.collect::<Vec<Change>>();
				let entries = keys.into_iter().map(|key| (column, key, None));
				self.store.commit(entries.chain(places).collect())?;
			}
		}
		let mut changes: Vec<Change> = [meta::TIP, meta::GAP, meta::START]
			.into_iter()
			.map(|key| (Column::Meta, key.to_vec(), None))
			.collect();
		changes.push(put(meta::IDENTITY, Identity { schema: SCHEMA, genesis }));
		self.store.commit(changes)
	}

	/// Notes the last final block.
	pub(crate) fn note_finalized(&self, number: BlockNumber) {
		self.live.write().finalized = number;
	}

	/// Notes that the lists are whole. Returns whether they were not before.
	pub(crate) fn note_ready(&self) -> bool {
		!std::mem::replace(&mut self.live.write().ready, true)
	}

	/// Notes what went wrong, or that it goes right again.
	pub(crate) fn note_failure(&self, failure: Option<String>) {
		self.live.write().failure = failure;
	}

	fn insertions(&self, records: &[Settled]) -> Result<Vec<Change>, IndexError> {
		let mut changes = Vec::new();
		for Settled { id, place, model, nodes, output, query } in records {
			// It has its place, and a second one would list it twice.
			if self.place(id)?.is_some() {
				continue;
			}
			let mut list = |column, owner: &[u8; 32]| {
				changes.push((column, list_key(owner, *place, id), Some(PRESENT.to_vec())))
			};
			list(Column::ByModel, model.as_fixed_bytes());
			for node in nodes {
				list(Column::ByNode, node.as_ref());
			}
			for (column, hash) in [(Column::ByOutput, output), (Column::ByQuery, query)] {
				changes.push((column, hash_key(hash, id), Some(PRESENT.to_vec())));
			}
			changes.push((Column::Places, id.as_bytes().to_vec(), Some(place.to_bytes().to_vec())));
		}
		Ok(changes)
	}

	fn meta<T: Decode>(&self, key: &[u8]) -> Result<Option<T>, IndexError> {
		self.store
			.get(Column::Meta, key)?
			.map(|bytes| {
				T::decode(&mut bytes.as_slice())
					.map_err(|_| IndexError::Damaged(String::from_utf8_lossy(key).into()))
			})
			.transpose()
	}
}

fn put(key: &[u8], value: impl Encode) -> Change {
	(Column::Meta, key.to_vec(), Some(value.encode()))
}
