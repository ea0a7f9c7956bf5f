//! Links between validators and workers: proposed by one side, accepted by the other.

use crate::{Config, Error, Link, Links, Pallet, ValidatorOf, ValidatorState, Validators};
use alloc::vec::Vec;
use aria_primitives::{traits::WorkerRegistration, AccountId};
use frame_support::ensure;
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
	/// Workers that are linked with the validator, agreed to it and are still registered.
	pub fn linked_workers(validator: &AccountId) -> Vec<AccountId> {
		Links::<T>::get(validator)
			.into_iter()
			.filter(|link| link.accepted && T::Workers::is_registered(&link.worker))
			.map(|link| link.worker)
			.collect()
	}

	/// Notes that a candidate claims a worker.
	pub(crate) fn propose(validator: &AccountId, worker: &AccountId) -> DispatchResult {
		let info = Validators::<T>::get(validator).ok_or(Error::<T>::NotRegistered)?;
		ensure!(info.state == ValidatorState::Candidate, Error::<T>::NotCandidate);
		ensure!(T::Workers::is_registered(worker), Error::<T>::WorkerNotRegistered);
		Links::<T>::try_mutate(validator, |links| {
			ensure!(links.iter().all(|link| link.worker != *worker), Error::<T>::AlreadyLinked);
			ensure!(!ValidatorOf::<T>::contains_key(worker), Error::<T>::WorkerTaken);
			links
				.try_push(Link { worker: worker.clone(), accepted: false })
				.map_err(|_| Error::<T>::TooManyLinks.into())
		})
	}

	/// Notes that the worker agrees.
	pub(crate) fn accept(validator: &AccountId, worker: &AccountId) -> DispatchResult {
		ensure!(T::Workers::is_registered(worker), Error::<T>::WorkerNotRegistered);
		ensure!(!ValidatorOf::<T>::contains_key(worker), Error::<T>::WorkerTaken);
		Links::<T>::try_mutate(validator, |links| -> DispatchResult {
			let link = links
				.iter_mut()
				.find(|link| link.worker == *worker)
				.ok_or(Error::<T>::NoSuchLink)?;
			link.accepted = true;
			Ok(())
		})?;
		ValidatorOf::<T>::insert(worker, validator);
		Ok(())
	}

	/// Removes a link, accepted or not.
	pub(crate) fn cut(validator: &AccountId, worker: &AccountId) -> DispatchResult {
		Links::<T>::try_mutate_exists(validator, |entry| -> DispatchResult {
			let links = entry.as_mut().ok_or(Error::<T>::NoSuchLink)?;
			let index = links
				.iter()
				.position(|link| link.worker == *worker)
				.ok_or(Error::<T>::NoSuchLink)?;
			if links.remove(index).accepted {
				ValidatorOf::<T>::remove(worker);
			}
			if links.is_empty() {
				*entry = None;
			}
			Ok(())
		})
	}
}
