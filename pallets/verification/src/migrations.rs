//! Changes of storage, for chains that were deployed before them.

use crate::{
	pallet::{ClosedThrough, Config, Drawn, Pallet, PendingEpochs, Settled},
	types::{DrawInfo, DrawnStatus, PendingEpoch, SettledRecord, MAX_PENDING_EPOCHS},
};
use aria_primitives::{audit::Verdict, traits::RecordStakes, BlockNumber, EpochIndex, Ppm};
use core::marker::PhantomData;
use frame_support::{
	migrations::VersionedMigration,
	traits::{Get, UncheckedOnRuntimeUpgrade},
	weights::Weight,
	BoundedVec,
};
use sp_core::ConstU32;
#[cfg(feature = "try-runtime")]
use {
	alloc::vec::Vec,
	codec::{Decode, Encode},
	frame_support::{ensure, traits::fungible::Inspect},
	sp_runtime::TryRuntimeError,
};

/// From version 1, where a draw was recorded and nothing followed, to 2, where audits follow.
pub type ToV2<T> =
	VersionedMigration<1, 2, Audits<T>, Pallet<T>, <T as frame_system::Config>::DbWeight>;

/// Epochs that wait for their draw, as version 1 has them: epoch, records, the last one's block.
type Pending = BoundedVec<(EpochIndex, u32, BlockNumber), ConstU32<MAX_PENDING_EPOCHS>>;

/// Gives pending records nothing that hangs on them, and their epochs no draws that are expected; calls
/// what was drawn before unaudited, closes the epochs that were drawn, and endows the audit pot. Use it as
/// [`ToV2`].
pub struct Audits<T>(PhantomData<T>);

impl<T: Config> UncheckedOnRuntimeUpgrade for Audits<T> {
	fn on_runtime_upgrade() -> Weight {
		let mut entries = 0u64;
		Settled::<T>::translate::<(Ppm, bool), _>(|_, _, (reputation, forced)| {
			entries = entries.saturating_add(1);
			Some(SettledRecord { reputation, forced, stakes: RecordStakes::default() })
		});
		let read =
			PendingEpochs::<T>::translate::<Pending, _>(|queue| {
				let queue = queue?.into_iter().map(|(epoch, records, last_settled_at)| {
					PendingEpoch { epoch, records, last_settled_at, expected_ppm: 0 }
				});
				Some(BoundedVec::truncate_from(queue.collect()))
			});
		debug_assert!(read.is_ok(), "version 1 wrote the epochs that are pending");
		let at = Pallet::<T>::now();
		Drawn::<T>::translate_values::<DrawInfo, _>(|mut info| {
			entries = entries.saturating_add(1);
			info.status = DrawnStatus::Decided { verdict: Verdict::Unaudited, at, canary: false };
			Some(info)
		});
		// Blocks look for closed epochs a few at a time. Nothing would vest until they had looked at all
		// since genesis.
		let pending = PendingEpochs::<T>::get().first().map(|pending| pending.epoch);
		let open = pending.unwrap_or_else(T::CurrentEpoch::get);
		if let Some(last) = open.checked_sub(1) {
			ClosedThrough::<T>::put(last);
		}
		Pallet::<T>::endow_pot();
		T::DbWeight::get().reads_writes(entries.saturating_add(4), entries.saturating_add(2))
	}

	#[cfg(feature = "try-runtime")]
	fn pre_upgrade() -> Result<Vec<u8>, TryRuntimeError> {
		// Keys, for their values don't decode yet.
		let epochs = PendingEpochs::<T>::decode_len().unwrap_or(0) as u64;
		let before: (u64, u64, u64) =
			(count(Settled::<T>::iter_keys()), count(Drawn::<T>::iter_keys()), epochs);
		Ok(before.encode())
	}

	#[cfg(feature = "try-runtime")]
	fn post_upgrade(state: Vec<u8>) -> Result<(), TryRuntimeError> {
		let (settled, drawn, epochs) = <(u64, u64, u64)>::decode(&mut state.as_slice())
			.map_err(|_| "what was counted before the upgrade does not decode")?;
		ensure!(
			count(Settled::<T>::iter_values()) == settled,
			"a pending record was lost or can't be read"
		);
		ensure!(
			count(Drawn::<T>::iter_values()) == drawn,
			"a drawn record was lost or can't be read"
		);
		ensure!(
			Drawn::<T>::iter_values().all(|info| info.status != DrawnStatus::Open),
			"a record that was drawn before has no verdict"
		);
		ensure!(
			PendingEpochs::<T>::get().len() as u64 == epochs,
			"an epoch that waits for its draw was lost or can't be read"
		);
		let pot = T::Currency::balance(&T::AuditPot::get());
		ensure!(pot >= T::Currency::minimum_balance(), "the audit pot is not endowed");
		Ok(())
	}
}

#[cfg(feature = "try-runtime")]
fn count(items: impl Iterator) -> u64 {
	items.fold(0u64, |count, _| count.saturating_add(1))
}
