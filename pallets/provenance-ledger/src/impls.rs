//! Writing records, paging through them, proving them.

use crate::{
	pallet::{
		BlockRecords, ByOutput, ByQuery, Config, Error, Event, Pallet, Records, RecordsRoot,
		RecordsTotal, SettledIn, Stats,
	},
	stats,
};
use alloc::vec::Vec;
use aria_primitives::{
	hashing::{leaf_hash, merkle_proof, merkle_root},
	record::RecordEntry,
	traits::{Ledger, RecordIndex},
	BlockNumber, OutputHash, QueryHash, RecordId,
};
use frame_support::{ensure, traits::Get};
use sp_core::H256;
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
	/// Merkle root over the ids of the last block that ended. While a block begins, that is its
	/// parent: the extra data of the parent's leaf in the Merkle mountain range.
	pub fn records_root() -> H256 {
		RecordsRoot::<T>::get()
	}

	pub(crate) fn inclusion_of(id: &RecordId) -> Option<(u32, u32, Vec<H256>)> {
		let ids = BlockRecords::<T>::get();
		let index = ids.iter().position(|other| other == id)?;
		let path = merkle_proof(&leaves(&ids), index)?;
		Some((u32::try_from(index).ok()?, u32::try_from(ids.len()).ok()?, path))
	}

	/// The key of a record in the state trie, for storage proofs.
	pub fn storage_key(id: RecordId) -> Vec<u8> {
		Records::<T>::hashed_key_for(id)
	}

	/// Ends block `now`: its root is there from now on, and its list until its records leave.
	pub(crate) fn close_block(now: BlockNumber) {
		let ids = BlockRecords::<T>::get();
		RecordsRoot::<T>::put(merkle_root(&leaves(&ids)));
		if !ids.is_empty() {
			SettledIn::<T>::insert(now, ids);
		}
	}

	fn page_length(limit: u32) -> usize {
		limit.min(T::MaxPage::get()) as usize
	}
}

impl<T: Config> Ledger for Pallet<T> {
	/// Writes a record. Nothing changes when it fails.
	///
	/// # Errors
	///
	/// - [`Error::RecordExists`]: if there is a record with this id.
	/// - [`Error::BlockFull`]: if the block has its [`Config::MaxRecordsPerBlock`] records.
	///
	/// # Events
	///
	/// - [`Event::RecordWritten`].
	fn insert(id: RecordId, entry: RecordEntry) -> DispatchResult {
		ensure!(!Records::<T>::contains_key(id), Error::<T>::RecordExists);
		BlockRecords::<T>::try_append(id).map_err(|()| Error::<T>::BlockFull)?;

		let (model, output_hash, query_hash) =
			(entry.body.model_id, entry.body.output_hash, entry.body.query_hash);
		ByOutput::<T>::insert(output_hash, id, ());
		ByQuery::<T>::insert(query_hash, id, ());
		RecordsTotal::<T>::mutate(|total| *total = total.saturating_add(1));
		Stats::<T>::mutate(|sums| stats::add(sums, &entry));
		Records::<T>::insert(id, entry);
		Self::deposit_event(Event::RecordWritten { id, model, output_hash, query_hash });
		Ok(())
	}

	fn contains(id: &RecordId) -> bool {
		Records::<T>::contains_key(id)
	}

	fn get(id: &RecordId) -> Option<RecordEntry> {
		Records::<T>::get(id)
	}
}

impl<T: Config> RecordIndex for Pallet<T> {
	fn by_output(hash: &OutputHash, after: Option<RecordId>, limit: u32) -> Vec<RecordId> {
		// Ids are hashed by identity, so the order of the keys is the order of the ids, and `after`
		// need not be listed itself.
		let ids = match after {
			Some(id) => {
				ByOutput::<T>::iter_key_prefix_from(hash, ByOutput::<T>::hashed_key_for(hash, id))
			}
			None => ByOutput::<T>::iter_key_prefix(hash),
		};
		ids.take(Self::page_length(limit)).collect()
	}

	fn by_query(hash: &QueryHash, after: Option<RecordId>, limit: u32) -> Vec<RecordId> {
		let ids = match after {
			Some(id) => {
				ByQuery::<T>::iter_key_prefix_from(hash, ByQuery::<T>::hashed_key_for(hash, id))
			}
			None => ByQuery::<T>::iter_key_prefix(hash),
		};
		ids.take(Self::page_length(limit)).collect()
	}
}

fn leaves(ids: &[RecordId]) -> Vec<H256> {
	ids.iter().map(|id| leaf_hash(id.as_bytes())).collect()
}
