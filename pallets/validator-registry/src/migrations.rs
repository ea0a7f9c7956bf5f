//! Changes of storage, for chains that were deployed before them.

use crate::{Config, Pallet, SlotWeights};
use alloc::vec::Vec;
use aria_primitives::AccountId;
use core::marker::PhantomData;
use frame_support::{
	migrations::VersionedMigration,
	traits::{Get, UncheckedOnRuntimeUpgrade},
	weights::Weight,
	BoundedVec,
};

/// From version 1, where all validators weighed the same, to 2, where their verified work counts.
pub type ToV2<T> =
	VersionedMigration<1, 2, EqualWeights<T>, Pallet<T>, <T as frame_system::Config>::DbWeight>;

/// Writes down that the set that was announced last weighs the same, so that the bound on growth
/// holds from the first session on. Use it as [`ToV2`].
pub struct EqualWeights<T>(PhantomData<T>);

impl<T: Config> UncheckedOnRuntimeUpgrade for EqualWeights<T> {
	fn on_runtime_upgrade() -> Weight {
		let queued = pallet_session::QueuedKeys::<T>::get().into_iter();
		let equal: Vec<(AccountId, u64)> = queued.map(|(validator, _)| (validator, 1)).collect();
		SlotWeights::<T>::put(BoundedVec::<_, T::MaxValidators>::truncate_from(equal));
		T::DbWeight::get().reads_writes(1, 1)
	}

	#[cfg(feature = "try-runtime")]
	fn post_upgrade(_: Vec<u8>) -> Result<(), sp_runtime::TryRuntimeError> {
		let queued = pallet_session::QueuedKeys::<T>::decode_len().unwrap_or(0);
		let expected = queued.min(T::MaxValidators::get() as usize);
		frame_support::ensure!(
			SlotWeights::<T>::get().len() == expected,
			"a validator of the next session has no weight"
		);
		Ok(())
	}
}
