//! Changes of storage, for chains that were deployed before them.

use crate::{Config, Pallet, Workers};
use alloc::vec::Vec;
use aria_primitives::AccountId;
use core::marker::PhantomData;
use frame_support::{
	migrations::VersionedMigration,
	traits::{Get, UncheckedOnRuntimeUpgrade},
	weights::Weight,
};
use sp_runtime::SaturatedConversion;

/// From version 1, where nobody was asked, to 2, where challenges are drawn from a roster.
pub type ToV2<T> =
	VersionedMigration<1, 2, FirstRoster<T>, Pallet<T>, <T as frame_system::Config>::DbWeight>;

/// Gives every worker a place in the roster. Use it as [`ToV2`].
pub struct FirstRoster<T>(PhantomData<T>);

impl<T: Config> UncheckedOnRuntimeUpgrade for FirstRoster<T> {
	fn on_runtime_upgrade() -> Weight {
		// Taken before the first is enlisted, although another map is written.
		let workers: Vec<AccountId> = Workers::<T>::iter_keys().collect();
		workers.iter().for_each(Pallet::<T>::enlist);
		let count: u64 = workers.len().saturated_into();
		// Each reads and writes the size as well.
		T::DbWeight::get()
			.reads_writes(count.saturating_mul(2).saturating_add(1), count.saturating_mul(3))
	}

	#[cfg(feature = "try-runtime")]
	fn post_upgrade(_: Vec<u8>) -> Result<(), sp_runtime::TryRuntimeError> {
		frame_support::ensure!(
			crate::RosterSize::<T>::get() as usize == Workers::<T>::iter_keys().count(),
			"a worker has no place in the roster"
		);
		Ok(())
	}
}
