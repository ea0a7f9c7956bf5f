//! Changes of storage, for chains that were deployed before them.

use crate::{
	pallet::{Config, Drawn, Pallet, Settled},
	types::{DrawInfo, DrawnStatus, SettledRecord},
};
use aria_primitives::{audit::Verdict, traits::RecordStakes, Ppm};
use core::marker::PhantomData;
use frame_support::{
	migrations::VersionedMigration,
	traits::{Get, UncheckedOnRuntimeUpgrade},
	weights::Weight,
};

/// From version 1, where a draw was recorded and nothing followed, to 2, where audits follow.
pub type ToV2<T> =
	VersionedMigration<1, 2, Audits<T>, Pallet<T>, <T as frame_system::Config>::DbWeight>;

/// Gives pending records nothing that hangs on them, calls what was drawn before unaudited, and endows
/// the audit pot. Use it as [`ToV2`].
pub struct Audits<T>(PhantomData<T>);

impl<T: Config> UncheckedOnRuntimeUpgrade for Audits<T> {
	fn on_runtime_upgrade() -> Weight {
		let mut entries = 0u64;
		Settled::<T>::translate::<(Ppm, bool), _>(|_, _, (reputation, forced)| {
			entries = entries.saturating_add(1);
			Some(SettledRecord { reputation, forced, stakes: RecordStakes::default() })
		});
		let at = Pallet::<T>::now();
		Drawn::<T>::translate_values::<DrawInfo, _>(|mut info| {
			entries = entries.saturating_add(1);
			info.status = DrawnStatus::Decided { verdict: Verdict::Unaudited, at, canary: false };
			Some(info)
		});
		Pallet::<T>::endow_pot();
		T::DbWeight::get().reads_writes(entries.saturating_add(2), entries.saturating_add(1))
	}
}
