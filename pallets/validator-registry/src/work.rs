//! Verified work of validators: noted when it is settled, counted when its audits are over, fading
//! from session to session.

use crate::{
	Config, Event, Pallet, PendingWork, ValidatorOf, Validators, VerifiedWork, VerifiedWorkOf,
	WaitingWork, WeightInfo, WorkEpochs,
};
use aria_primitives::{
	traits::{AuditDraw, LotteryWork},
	AccountId, EpochIndex,
};
use frame_support::{traits::Get, weights::Weight};

impl<T: Config> LotteryWork for Pallet<T> {
	/// Notes work of this epoch. All that a worker does in an epoch goes to the validator that it was
	/// linked with when the first of it was settled, whatever becomes of the link.
	fn note_work(worker: &AccountId, work: u128) {
		if work == 0 {
			return;
		}
		let epoch = T::Audit::current_epoch();
		let mut entry = match WaitingWork::<T>::get(epoch, worker) {
			Some(entry) => entry,
			None => {
				let Some(validator) = ValidatorOf::<T>::get(worker) else { return };
				if !Self::queue_epoch(epoch) {
					return;
				}
				PendingWork { validator, work: 0 }
			}
		};
		entry.work = entry.work.saturating_add(work);
		WaitingWork::<T>::insert(epoch, worker, entry);
	}

	fn revoke_work(worker: &AccountId, epoch: EpochIndex) {
		if let Some(PendingWork { validator, work }) = WaitingWork::<T>::take(epoch, worker) {
			Self::deposit_event(Event::WorkRevoked {
				validator,
				worker: worker.clone(),
				epoch,
				work,
			});
		}
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_link(worker: &AccountId) {
		ValidatorOf::<T>::insert(worker, worker);
	}
}

impl<T: Config> Pallet<T> {
	/// The validator's verified work as of now, in thousands of parameter-tokens.
	pub fn verified_work(validator: &AccountId) -> u128 {
		VerifiedWorkOf::<T>::get(validator)
			.map_or(0, |work| work.at(Self::session(), T::WorkKeep::get()))
	}

	/// The session of now.
	pub(crate) fn session() -> sp_staking::SessionIndex {
		pallet_session::CurrentIndex::<T>::get()
	}

	/// Counts work of the oldest epoch whose audits are over: of at most [`Config::MaxWorkPerBlock`]
	/// workers. Returns the weight of what was done.
	pub(crate) fn count_work() -> Weight {
		let oldest = WorkEpochs::<T>::get().first().copied();
		let Some(epoch) = oldest.filter(|epoch| T::Audit::is_closed(*epoch)) else {
			return <T as Config>::WeightInfo::count_work(0);
		};
		<T as Config>::WeightInfo::count_work(Self::count_epoch(epoch))
	}

	/// One step through the work of an epoch; returns how many workers it was.
	pub(crate) fn count_epoch(epoch: EpochIndex) -> u32 {
		let limit = T::MaxWorkPerBlock::get();
		let (mut workers, mut total) = (0u32, 0u128);
		for (_, PendingWork { validator, work }) in
			WaitingWork::<T>::drain_prefix(epoch).take(limit as usize)
		{
			workers = workers.saturating_add(1);
			total = total.saturating_add(work);
			Self::add_work(&validator, work);
		}
		if workers < limit {
			WorkEpochs::<T>::mutate(|epochs| epochs.retain(|waiting| *waiting != epoch));
		}
		if workers > 0 {
			Self::deposit_event(Event::WorkCounted { epoch, workers, work: total });
		}
		workers
	}

	/// Adds to a validator's sum what was verified. Who is no validator any more gets nothing.
	fn add_work(validator: &AccountId, work: u128) {
		if !Validators::<T>::contains_key(validator) {
			return;
		}
		let session = Self::session();
		VerifiedWorkOf::<T>::mutate(validator, |known| {
			let before = known.map_or(0, |known| known.at(session, T::WorkKeep::get()));
			*known = Some(VerifiedWork { sum: before.saturating_add(work), session });
		});
	}

	/// Puts this epoch at the end of those that wait. If there are too many, because audits do not
	/// come to an end, its work does not count.
	fn queue_epoch(epoch: EpochIndex) -> bool {
		WorkEpochs::<T>::mutate(|epochs| {
			epochs.last() == Some(&epoch) || epochs.try_push(epoch).is_ok()
		})
	}
}
