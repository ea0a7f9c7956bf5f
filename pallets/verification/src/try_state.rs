//! What holds between any two calls.

use crate::{
	pallet::{Config, Cursor, Drawn, DrawnThrough, Pallet, PendingEpochs, Settled, Unaudited},
	types::DrawCause,
};
use alloc::collections::BTreeMap;
use aria_primitives::{EpochIndex, PPM};
use frame_support::{ensure, traits::Get};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Checks the invariants of the draw; the error names the one that is broken.
	pub(crate) fn do_try_state() -> Result<(), TryRuntimeError> {
		let queue = PendingEpochs::<T>::get();
		let cursor = Cursor::<T>::get();

		// 1. Pending epochs ascend, after the last one drawn and up to this one, and have records.
		let mut before = DrawnThrough::<T>::get();
		for pending in queue.iter() {
			ensure!(before < Some(pending.epoch), "Pending epochs do not ascend");
			ensure!(pending.records > 0, "A pending epoch has no record");
			before = Some(pending.epoch);
		}
		ensure!(before <= Some(T::CurrentEpoch::get()), "An epoch of the queue lies ahead");

		// 2. A draw under way is that of the oldest pending epoch, and not at its end.
		if let Some(state) = cursor {
			let oldest = queue.first().ok_or("A draw is under way, but no epoch is pending")?;
			ensure!(state.epoch == oldest.epoch, "The draw under way is not that of the oldest");
			ensure!(state.records < oldest.records, "The draw under way has no record left");
			ensure!(state.drawn <= state.records, "More records were drawn than were looked at");
		}

		// 3. There are as many entries in each epoch as wait there, and none elsewhere.
		let mut entries = BTreeMap::<EpochIndex, u32>::new();
		for (epoch, _) in Settled::<T>::iter_keys() {
			let count = entries.entry(epoch).or_default();
			*count = count.saturating_add(1);
		}
		let waiting: BTreeMap<EpochIndex, u32> = queue
			.iter()
			.map(|pending| (pending.epoch, Self::pending_records(pending.epoch)))
			.collect();
		ensure!(entries == waiting, "The queue's counts differ from the entries of its epochs");

		// 4. A record has one status.
		for (epoch, id, _) in Settled::<T>::iter() {
			ensure!(!Drawn::<T>::contains_key(id), "A pending record is drawn");
			ensure!(!Unaudited::<T>::contains_key(id), "A pending record is unaudited");
			ensure!(Some(epoch) > DrawnThrough::<T>::get(), "A record waits in a drawn epoch");
		}

		// 5. Whoever draws again draws the same.
		for (id, info) in Drawn::<T>::iter() {
			ensure!(!Unaudited::<T>::contains_key(id), "A drawn record is unaudited");
			ensure!(
				Self::lot_falls_on(&id, &info.seed, info.probability_ppm),
				"A drawn record would not be drawn again"
			);
			ensure!(
				info.cause == DrawCause::Lot || info.probability_ppm == PPM,
				"An ordered draw was left to chance"
			);
			ensure!(info.at <= Self::now(), "A record was drawn in a block ahead");
		}
		Ok(())
	}
}
