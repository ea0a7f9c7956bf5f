//! Changes of storage, for chains that were deployed before them.

use crate::{
	pallet::{Config, Oldest, Pallet, Records, SettledIn},
	types::OldestRecord,
};
use alloc::{collections::BTreeMap, vec::Vec};
use aria_primitives::{BlockNumber, RecordId};
use core::marker::PhantomData;
use frame_support::{
	migrations::VersionedMigration,
	traits::{Get, UncheckedOnRuntimeUpgrade},
	weights::Weight,
	BoundedVec,
};
use sp_runtime::SaturatedConversion;
#[cfg(feature = "try-runtime")]
use {
	codec::{Decode, Encode},
	frame_support::ensure,
	sp_runtime::TryRuntimeError,
};

/// From version 1, where records stayed for ever, to 2, where each block's list is kept until they
/// leave.
pub type ToV2<T> =
	VersionedMigration<1, 2, Lists<T>, Pallet<T>, <T as frame_system::Config>::DbWeight>;

/// Writes the lists of all blocks whose records are in state, each by id, for the order of settlement is
/// not known any more. It does so in one block: a chain with more than some ten thousand records wants
/// several. Use it as [`ToV2`].
pub struct Lists<T>(PhantomData<T>);

impl<T: Config> UncheckedOnRuntimeUpgrade for Lists<T> {
	fn on_runtime_upgrade() -> Weight {
		let mut lists = BTreeMap::<BlockNumber, Vec<RecordId>>::new();
		let mut records = 0u64;
		for (id, entry) in Records::<T>::iter() {
			lists.entry(entry.settled_at).or_default().push(id);
			records = records.saturating_add(1);
		}
		let begin = lists.keys().next().copied();
		let block = begin.unwrap_or_else(|| {
			frame_system::Pallet::<T>::block_number().saturated_into::<BlockNumber>()
		});
		let writes = lists.len().saturated_into::<u64>();
		for (block, ids) in lists {
			// No block settled more than fit.
			SettledIn::<T>::insert(block, BoundedVec::truncate_from(ids));
		}
		Oldest::<T>::put(OldestRecord { block, position: 0 });
		T::DbWeight::get().reads_writes(records, writes.saturating_add(1))
	}

	#[cfg(feature = "try-runtime")]
	fn pre_upgrade() -> Result<Vec<u8>, TryRuntimeError> {
		Ok((Records::<T>::iter_keys().count() as u64).encode())
	}

	#[cfg(feature = "try-runtime")]
	fn post_upgrade(state: Vec<u8>) -> Result<(), TryRuntimeError> {
		let records = u64::decode(&mut state.as_slice())
			.map_err(|_| "what was counted before the upgrade does not decode")?;
		let oldest = Oldest::<T>::get().block;
		let mut listed = 0u64;
		for (block, ids) in SettledIn::<T>::iter() {
			ensure!(block >= oldest, "a block before the oldest one has a list");
			for id in ids {
				ensure!(
					Records::<T>::get(id).is_some_and(|entry| entry.settled_at == block),
					"a list names a record that is not its block's"
				);
				listed = listed.saturating_add(1);
			}
		}
		ensure!(listed == records, "a record is in no list, and would never leave");
		Ok(())
	}
}
