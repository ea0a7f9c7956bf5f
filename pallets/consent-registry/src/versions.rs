//! Writing, superseding and pruning versions, and the deposit behind them.

use crate::{Config, Current, Error, Event, Histories, History, HoldReason, Pallet, Versions};
use aria_primitives::{
	consent::{Consent, ConsentVersion},
	AccountId, Balance, BlockNumber,
};
use frame_support::{
	ensure,
	traits::{
		fungible::{InspectHold, MutateHold},
		Get,
	},
};
use sp_runtime::{ArithmeticError, DispatchError, DispatchResult, SaturatedConversion};

impl<T: Config> Pallet<T> {
	/// The current block.
	pub fn now() -> BlockNumber {
		frame_system::Pallet::<T>::block_number().saturated_into()
	}

	/// The version of `worker`'s consent that is in force.
	pub fn current(worker: &AccountId) -> Option<ConsentVersion> {
		Versions::<T>::get(worker, Current::<T>::get(worker)?)
	}

	/// Version `version` of `worker`'s consent, if it is kept.
	pub fn version(worker: &AccountId, version: u32) -> Option<ConsentVersion> {
		Versions::<T>::get(worker, version)
	}

	/// Deposit for that many versions, in planck.
	pub fn deposit_for(versions: u32) -> Balance {
		if versions == 0 {
			return 0;
		}
		T::DepositPerVersion::get()
			.saturating_mul(versions.into())
			.saturating_add(T::DepositBase::get())
	}

	/// Whether the terms make sense; the first thing wrong with them if not.
	pub(crate) fn validate(consent: &Consent) -> Result<(), Error<T>> {
		ensure!((1..=100).contains(&consent.cpu_percent), Error::<T>::CpuPercentOutOfRange);
		ensure!(consent.schedule.is_valid(), Error::<T>::InvalidSchedule);
		ensure!(!consent.task_types.is_empty(), Error::<T>::NoTaskTypes);
		let mut others = consent.task_types.iter();
		while let Some(task) = others.next() {
			ensure!(!others.as_slice().contains(task), Error::<T>::DuplicateTaskType);
		}
		ensure!(consent.max_bandwidth_mbps > 0, Error::<T>::BandwidthZero);
		ensure!(consent.max_memory_mb > 0, Error::<T>::MemoryZero);
		Ok(())
	}

	pub(crate) fn do_set(worker: AccountId, consent: Consent) -> DispatchResult {
		Self::validate(&consent)?;
		ensure!(!Current::<T>::contains_key(&worker), Error::<T>::AlreadySet);
		let version = Self::append(&worker, consent)?;
		Self::deposit_event(Event::ConsentSet { worker, version });
		Ok(())
	}

	pub(crate) fn do_update(worker: AccountId, consent: Consent) -> DispatchResult {
		Self::validate(&consent)?;
		let mut superseded = Self::current(&worker).ok_or(Error::<T>::NotSet)?;
		ensure!(superseded.consent != consent, Error::<T>::Unchanged);
		let version = Self::append(&worker, consent)?;
		let previous = superseded.version;
		superseded.superseded_at = Some(Self::now());
		Versions::<T>::insert(&worker, previous, superseded);
		Self::deposit_event(Event::ConsentUpdated { worker, version, previous });
		Ok(())
	}

	pub(crate) fn do_withdraw(worker: AccountId) -> DispatchResult {
		let mut superseded = Self::current(&worker).ok_or(Error::<T>::NotSet)?;
		let (version, now) = (superseded.version, Self::now());
		superseded.superseded_at = Some(now);
		Versions::<T>::insert(&worker, version, superseded);
		Current::<T>::remove(&worker);
		Histories::<T>::mutate(&worker, |history| history.withdrawn_at = Some(now));
		Self::deposit_event(Event::ConsentWithdrawn { worker, version });
		Ok(())
	}

	/// Removes what may be removed, oldest first; returns how many versions that were.
	pub(crate) fn do_prune(worker: AccountId) -> Result<u32, DispatchError> {
		let (mut history, now) = (Histories::<T>::get(&worker), Self::now());
		let first = history.oldest;
		let mut pruned = 0u32;
		for version in first..=history.last {
			if Self::prunable_at(&worker, version).is_none_or(|at| at > now) {
				break;
			}
			Versions::<T>::remove(&worker, version);
			pruned = pruned.saturating_add(1);
		}
		ensure!(pruned > 0, Error::<T>::NothingToPrune);
		history.oldest = first.saturating_add(pruned);

		// Deposits may cost more now than when they were taken: a stranger's call must not make the
		// worker pay the difference.
		let reason = HoldReason::ConsentDeposit.into();
		let needed =
			Self::deposit_for(history.kept()).min(T::Currency::balance_on_hold(&reason, &worker));
		T::Currency::set_on_hold(&reason, &worker, needed)?;

		Histories::<T>::insert(&worker, history);
		let last = history.oldest.saturating_sub(1);
		Self::deposit_event(Event::VersionsPruned { worker, first, last });
		Ok(pruned)
	}

	/// The first block in which the version may be pruned; `None` if it is in force or not kept.
	pub(crate) fn prunable_at(worker: &AccountId, version: u32) -> Option<BlockNumber> {
		Versions::<T>::get(worker, version)?
			.superseded_at
			.map(|at| at.saturating_add(T::HistoryPeriod::get()))
	}

	/// Writes the next version and puts it in force; the oldest makes room if it must and may.
	/// Fails before it writes.
	fn append(worker: &AccountId, consent: Consent) -> Result<u32, DispatchError> {
		let (history, now) = (Histories::<T>::get(worker), Self::now());
		let version = history
			.last
			.checked_add(1)
			// The greatest number stays free, so that `oldest` can always be one past `last`.
			.filter(|version| *version < u32::MAX)
			.ok_or(ArithmeticError::Overflow)?;
		let mut next = History { last: version, ..history };
		let full = next.kept() > T::MaxVersions::get();
		if full {
			let prunable = Self::prunable_at(worker, history.oldest).is_some_and(|at| at <= now);
			ensure!(prunable, Error::<T>::TooManyVersions);
			next.oldest = history.oldest.saturating_add(1);
			ensure!(next.kept() <= T::MaxVersions::get(), Error::<T>::TooManyVersions);
		}

		let reason = HoldReason::ConsentDeposit.into();
		T::Currency::set_on_hold(&reason, worker, Self::deposit_for(next.kept()))?;

		if full {
			Versions::<T>::remove(worker, history.oldest);
			Self::deposit_event(Event::VersionsPruned {
				worker: worker.clone(),
				first: history.oldest,
				last: history.oldest,
			});
		}
		let entry = ConsentVersion { version, consent, set_at: now, superseded_at: None };
		Versions::<T>::insert(worker, version, entry);
		Current::<T>::insert(worker, version);
		Histories::<T>::insert(worker, next);
		Ok(version)
	}
}
