//! What holds between any two calls.

use crate::{
	pallet::{
		BlockRecords, ByOutput, ByQuery, Config, Oldest, Pallet, PrunedStats, Records,
		RecordsTotal, SettledIn, Stats,
	},
	stats,
};
use alloc::collections::BTreeSet;
use aria_primitives::{record::RecordEntry, RecordId};
use frame_support::ensure;
use sp_core::H256;
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Checks the ledger's invariants; the error names the one that is broken.
	pub(crate) fn do_try_state() -> Result<(), TryRuntimeError> {
		let mut sums = PrunedStats::<T>::get();
		let mut in_state = 0usize;
		for (id, entry) in Records::<T>::iter() {
			stats::add(&mut sums, &entry);
			in_state = in_state.saturating_add(1);
			// 1. Each record is listed under its output and under its query.
			ensure!(
				ByOutput::<T>::contains_key(entry.body.output_hash, id),
				"A record is not listed under its output"
			);
			ensure!(
				ByQuery::<T>::contains_key(entry.body.query_hash, id),
				"A record is not listed under its query"
			);
		}
		// 2. The sums are those of the records, in state and before.
		ensure!(Stats::<T>::get() == sums, "Stats differ from the sums over all records");
		ensure!(
			RecordsTotal::<T>::get() == sums.inferences,
			"RecordsTotal differs from the number of records"
		);

		// 3. Indices list nothing else.
		check_index::<T>(ByOutput::<T>::iter_keys(), |entry| entry.body.output_hash)?;
		check_index::<T>(ByQuery::<T>::iter_keys(), |entry| entry.body.query_hash)?;

		// 4. The block's list names records, each once.
		let mut seen = BTreeSet::new();
		for id in BlockRecords::<T>::get() {
			ensure!(Records::<T>::contains_key(id), "The block's list names an unknown record");
			ensure!(seen.insert(id), "The block's list names a record twice");
		}

		// 5. The lists of blocks from the oldest on name the other records, each once; the list of a
		//    block that has ended names those of the block's list that is still there.
		let (oldest, mut listed) = (Oldest::<T>::get(), BTreeSet::new());
		for (block, ids) in SettledIn::<T>::iter() {
			ensure!(oldest.block <= block, "A list is of a block whose records have left");
			let first = if block == oldest.block { oldest.position as usize } else { 0 };
			ensure!(first <= ids.len(), "More records of a block have left than it settled");
			for (index, id) in ids.into_iter().enumerate() {
				if index < first {
					ensure!(!Records::<T>::contains_key(id), "A record that has left is there");
				} else {
					ensure!(Records::<T>::contains_key(id), "A list names an unknown record");
					ensure!(listed.insert(id), "Lists name a record twice");
				}
			}
		}
		listed.append(&mut seen);
		ensure!(listed.len() == in_state, "A record is in no list");
		Ok(())
	}
}

fn check_index<T: Config>(
	listed: impl Iterator<Item = (H256, RecordId)>,
	hash_of: impl Fn(&RecordEntry) -> H256,
) -> Result<(), TryRuntimeError> {
	for (hash, id) in listed {
		let entry = Records::<T>::get(id).ok_or("An index lists an unknown record")?;
		ensure!(hash_of(&entry) == hash, "An index lists a record under a foreign hash");
	}
	Ok(())
}
