//! Whether a consent permits something, and what other pallets ask.

use crate::{Config, Error, Histories, Pallet, Refusal, Versions};
use aria_primitives::{
	consent::{Consent, ConsentVersion, RewardMode, TaskType},
	traits::Consents,
	AccountId, Balance, BlockNumber, Moment,
};
use frame_support::{ensure, traits::Get};
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
	/// Whether `worker` permits the task at `at` under the version in force.
	pub fn check_current(worker: &AccountId, task: TaskType, at: Moment) -> Result<(), Refusal> {
		let entry = Self::current(worker).ok_or(Refusal::NoConsent)?;
		check_terms(&entry.consent, task, at)
	}

	/// Whether `worker` permits the task at `at` under `version`, for work that began at `anchor`
	/// and is settled now.
	pub fn check_version(
		worker: &AccountId,
		task: TaskType,
		at: Moment,
		version: u32,
		anchor: BlockNumber,
	) -> Result<(), Refusal> {
		let entry = Self::known_version(worker, version)?;
		ensure!(entry.set_at <= anchor, Refusal::VersionNotInForce);
		if let Some(superseded_at) = entry.superseded_at {
			let until = superseded_at.saturating_add(T::GracePeriod::get());
			ensure!(Self::now() <= until && anchor <= until, Refusal::VersionNotInForce);
			if anchor >= superseded_at {
				// Grace bridges a change of terms; after a withdrawal nothing may begin.
				let withdrawn_before = Histories::<T>::get(worker)
					.withdrawn_at
					.is_some_and(|at| superseded_at <= at && at <= anchor);
				ensure!(!withdrawn_before, Refusal::NoConsent);
			}
		}
		check_terms(&entry.consent, task, at)
	}

	fn known_version(worker: &AccountId, version: u32) -> Result<ConsentVersion, Refusal> {
		Versions::<T>::get(worker, version).ok_or_else(|| {
			if Histories::<T>::get(worker).last == 0 {
				Refusal::NoConsent
			} else {
				Refusal::UnknownVersion
			}
		})
	}
}

fn check_terms(consent: &Consent, task: TaskType, at: Moment) -> Result<(), Refusal> {
	ensure!(consent.accepts(task), Refusal::TaskNotPermitted);
	ensure!(consent.schedule.allows(at), Refusal::OutsideSchedule);
	Ok(())
}

impl<T: Config> Consents for Pallet<T> {
	fn ensure_permitted(
		worker: &AccountId,
		task: TaskType,
		at: Moment,
		version: u32,
		anchor: BlockNumber,
	) -> DispatchResult {
		Self::check_version(worker, task, at, version, anchor)
			.map_err(|r| Error::<T>::from(r).into())
	}

	fn ensure_permits_now(worker: &AccountId, task: TaskType, at: Moment) -> DispatchResult {
		Self::check_current(worker, task, at).map_err(|r| Error::<T>::from(r).into())
	}

	fn is_open(worker: &AccountId, at: Moment) -> bool {
		Self::current(worker).is_some_and(|entry| entry.consent.schedule.allows(at))
	}

	fn minimum_price(worker: &AccountId, version: u32) -> Result<Balance, DispatchError> {
		match Self::known_version(worker, version) {
			Ok(entry) => Ok(entry.consent.reward_preference.minimum_price),
			Err(refusal) => Err(Error::<T>::from(refusal).into()),
		}
	}

	fn payout(worker: &AccountId) -> AccountId {
		match Self::current(worker).map(|entry| entry.consent.reward_preference) {
			Some(preference) if preference.mode == RewardMode::Donate => T::DonationAccount::get(),
			Some(preference) => preference.payout,
			None => worker.clone(),
		}
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_consent(worker: &AccountId) -> u32 {
		if let Some(version) = crate::Current::<T>::get(worker) {
			return version;
		}
		crate::benchmarking::fund::<T>(worker);
		let consent = crate::benchmarking::widest(worker, 100);
		let _ = Self::do_set(worker.clone(), consent);
		Histories::<T>::get(worker).last
	}
}
