//! What holds between any two calls.

use crate::{
	pallet::{
		BlockRecords, ByOutput, ByQuery, Config, OutputCount, Pallet, QueryCount, Records,
		RecordsTotal, Stats,
	},
	stats,
};
use alloc::collections::{BTreeMap, BTreeSet};
use aria_primitives::{record::RecordEntry, views::NetworkStats, RecordId};
use frame_support::ensure;
use sp_core::H256;
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Checks the ledger's invariants; the error names the one that is broken.
	pub(crate) fn do_try_state() -> Result<(), TryRuntimeError> {
		let mut sums = NetworkStats::default();
		for (_, entry) in Records::<T>::iter() {
			stats::add(&mut sums, &entry);
			// 1. Each hash of a record is in its index, be it for other records only.
			ensure!(
				OutputCount::<T>::get(entry.body.output_hash) > 0,
				"A record's output hash is not in the index"
			);
			ensure!(
				QueryCount::<T>::get(entry.body.query_hash) > 0,
				"A record's query hash is not in the index"
			);
		}
		// 2. The sums are those of the records.
		ensure!(Stats::<T>::get() == sums, "Stats differ from the sums over all records");
		ensure!(
			RecordsTotal::<T>::get() == sums.inferences,
			"RecordsTotal differs from the number of records"
		);

		// 3. and 4. Indices list records under their own hash, and the counts are right.
		check_index::<T>(ByOutput::<T>::iter_keys(), OutputCount::<T>::iter(), |entry| {
			entry.body.output_hash
		})?;
		check_index::<T>(ByQuery::<T>::iter_keys(), QueryCount::<T>::iter(), |entry| {
			entry.body.query_hash
		})?;

		// 5. The block's list names records, each once.
		let mut seen = BTreeSet::new();
		for id in BlockRecords::<T>::get() {
			ensure!(Records::<T>::contains_key(id), "The block's list names an unknown record");
			ensure!(seen.insert(id), "The block's list names a record twice");
		}
		Ok(())
	}
}

fn check_index<T: Config>(
	listed: impl Iterator<Item = (H256, RecordId)>,
	counts: impl Iterator<Item = (H256, u32)>,
	hash_of: impl Fn(&RecordEntry) -> H256,
) -> Result<(), TryRuntimeError> {
	let mut found = BTreeMap::<H256, u32>::new();
	for (hash, id) in listed {
		let entry = Records::<T>::get(id).ok_or("An index lists an unknown record")?;
		ensure!(hash_of(&entry) == hash, "An index lists a record under a foreign hash");
		let count = found.entry(hash).or_default();
		*count = count.saturating_add(1);
	}
	let counts: BTreeMap<H256, u32> = counts.collect();
	ensure!(found == counts, "The counts of an index differ from what it lists");
	Ok(())
}
