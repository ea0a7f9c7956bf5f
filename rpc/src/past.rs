//! Records that have left the state (`docs/protocol/retention.md`).
//!
//! The node's index knows which block settled a record, and a node that keeps old states reads it there.

use crate::{
	chain::{Chain, ChainError},
	error::Error,
	index::{IdPage, IndexError, RecordIndex},
	views::{PastView, ProofView},
};
use aria_primitives::{
	hashing::{leaf_hash, merkle_proof},
	record::RecordEntry,
	BlockNumber, RecordId,
};
use log::warn;
use sp_core::H256;
use std::collections::BTreeSet;

/// The log's target.
const LOG: &str = "aria::rpc";

/// A record as of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Read {
	/// It is in that block's state, or was in an earlier one that is there.
	Is(Box<RecordEntry>),
	/// It has left the state, and the state of the block that settled it is discarded.
	Discarded(BlockNumber),
	/// That block knows nothing of it, as far as this node can tell.
	Unknown,
}

/// A page of ids with one hash in common, in state or not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HashedPage {
	/// Ascending.
	pub ids: Vec<RecordId>,
	/// Where the next page begins.
	pub next: Option<RecordId>,
}

/// Reads a record as of block `at`.
pub(crate) fn read<Ch: Chain>(
	chain: &Ch,
	index: &RecordIndex,
	at: H256,
	id: RecordId,
) -> Result<Read, Error> {
	if let Some(record) = chain.record(at, id).map_err(Error::reading(at))? {
		return Ok(Read::Is(Box::new(record)));
	}
	let Some((number, block)) = settled(chain, index, at, id)? else { return Ok(Read::Unknown) };
	match chain.record(block, id) {
		Ok(Some(record)) => Ok(Read::Is(Box::new(record))),
		Ok(None) => Ok(Read::Unknown),
		Err(ChainError::NoState) => Ok(Read::Discarded(number)),
		Err(error) => Err(Error::reading(block)(error)),
	}
}

/// The block that settled a record, if that is `at` or lies before it.
pub(crate) fn settled<Ch: Chain>(
	chain: &Ch,
	index: &RecordIndex,
	at: H256,
	id: RecordId,
) -> Result<Option<(BlockNumber, H256)>, Error> {
	let place = index.place(&id).unwrap_or_else(|error| {
		// What is in state is answered without it.
		warn!(target: LOG, "the index of records cannot say where {id:?} was settled: {error}");
		None
	});
	let Some(block) = place.map(|place| place.block) else { return Ok(None) };
	let until = chain.number(at).map_err(Error::reading(at))?;
	if until.is_none_or(|until| until < block) {
		return Ok(None);
	}
	let hash = chain.hash(block).map_err(Error::reading(at))?;
	Ok(hash.map(|hash| (block, hash)))
}

/// The last block up to `until` whose state this node has and holds the record that block `from`
/// settled. Which states hold it, and which are discarded, follow one another without a gap.
pub(crate) fn last_with<Ch: Chain>(
	chain: &Ch,
	id: RecordId,
	from: BlockNumber,
	until: BlockNumber,
) -> Result<Option<H256>, ChainError> {
	let (mut low, mut high, mut found) = (from, until, None);
	while low <= high {
		let middle = low.midpoint(high);
		let Some(hash) = chain.hash(middle)? else { return Ok(found) };
		let is_behind = match chain.record(hash, id) {
			Ok(Some(_)) => {
				found = Some(hash);
				false
			}
			Ok(None) => true,
			Err(ChainError::NoState) => false,
			Err(error) => return Err(error),
		};
		if is_behind {
			let Some(below) = middle.checked_sub(1) else { break };
			high = below;
		} else {
			low = middle.saturating_add(1);
			if low == middle {
				break;
			}
		}
	}
	Ok(found)
}

/// One page out of two lists that ascend by id: `state` and `index` give at most so many ids after a
/// record. What only the index has is not of the state any more, or newer than it: whoever reads the
/// records finds out.
pub(crate) fn page(
	after: Option<RecordId>,
	limit: u32,
	state: impl Fn(Option<RecordId>, u32) -> Result<Vec<RecordId>, Error>,
	index: impl Fn(Option<RecordId>, usize) -> Result<IdPage, IndexError>,
) -> Result<HashedPage, Error> {
	let index = |after, limit| {
		index(after, limit).unwrap_or_else(|error| {
			warn!(target: LOG, "the index of records cannot be read: {error}");
			IdPage::default()
		})
	};
	let most = limit as usize;
	let of_state = state(after, limit)?;
	let of_index = index(after, most);
	// Behind the last one of a list that goes on, the other list may have more than this one shows.
	let end = [
		of_state.last().filter(|_| of_state.len() >= most),
		of_index.ids.last().filter(|_| of_index.more),
	];
	let end = end.into_iter().flatten().min().copied();
	let all: BTreeSet<RecordId> = of_state
		.into_iter()
		.chain(of_index.ids)
		.filter(|id| end.is_none_or(|end| *id <= end))
		.collect();
	let cut = all.len() > most;
	let ids: Vec<RecordId> = all.into_iter().take(most).collect();
	let next = if cut {
		ids.last().copied()
	} else {
		match end {
			Some(end)
				if !state(Some(end), 1)?.is_empty() || !index(Some(end), 1).ids.is_empty() =>
			{
				Some(end)
			}
			_ => None,
		}
	};
	Ok(HashedPage { ids, next })
}

/// Proves a record that has left the state by the root that block `at` names in its header: in the
/// state of the block that settled it, and under that block's leaf. `None` if `at` knows nothing of it.
pub(crate) fn prove<Ch: Chain>(
	chain: &Ch,
	index: &RecordIndex,
	at: H256,
	id: RecordId,
) -> Result<Option<ProofView>, Error> {
	let Some((number, block)) = settled(chain, index, at, id)? else { return Ok(None) };
	let read = |error: ChainError| match error {
		ChainError::NoState => Error::RecordPruned { id, settled_at: number },
		error => Error::reading(block)(error),
	};
	let Some(stored) = chain.stored_record(block, id).map_err(read)? else { return Ok(None) };
	let ids = chain.block_records(block).map_err(read)?;
	let until = chain.number(at).map_err(Error::reading(at))?.ok_or(Error::UnknownBlock(at))?;
	let ancestry = chain.ancestry(at, number).map_err(Error::reading(at))?;
	let leaves: Vec<H256> = ids.iter().map(|id| leaf_hash(id.as_bytes())).collect();
	let place = ids.iter().position(|other| *other == id);
	let path = place.and_then(|place| merkle_proof(&leaves, place));
	let (Some(place), Some(path)) = (place, path) else {
		return Err(Error::Runtime(format!("block {number} does not list the record {id:?}")));
	};
	if (ancestry.leaf_index, ancestry.leaf_count) != (number.into(), until.into()) {
		return Err(Error::Runtime(format!(
			"the mountain range of block {until} has {} leaves, and that of block {number} is leaf {}",
			ancestry.leaf_count, ancestry.leaf_index
		)));
	}
	let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
	Ok(Some(ProofView {
		block_hash: block,
		block_number: number,
		storage_key: stored.key.into(),
		proof: stored.proof.into_iter().map(Into::into).collect(),
		value: stored.value.into(),
		past: Some(PastView {
			block_hash: at,
			block_number: until,
			leaf: ancestry.leaf.into(),
			items: ancestry.items,
			record_index: count(place),
			record_count: count(ids.len()),
			record_path: path,
		}),
	}))
}
