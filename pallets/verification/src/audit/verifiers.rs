//! Verifiers, and their seats.

use crate::{
	audit::types::{Audit, VerifierInfo, KEY_DELAY},
	pallet::{Config, Error, Event, Pallet, VerifierKeys, VerifierWeight, Verifiers},
};
use aria_primitives::{
	audit::{has_seat, seat_number, verify_seat, Named, SeatProof},
	consent::TaskType,
	hashing::sha256,
	record::RecordEntry,
	traits::{Accountable, Consents},
	AccountId, Balance, EpochIndex, Moment, RecordId,
};
use codec::Encode;
use frame_support::{
	ensure,
	traits::{Get, UnixTime},
};
use sp_core::sr25519;
use sp_runtime::{DispatchError, DispatchResult, SaturatedConversion};

impl<T: Config> Pallet<T> {
	/// The chain's clock, in milliseconds since the Unix epoch.
	pub(crate) fn now_ms() -> Moment {
		T::Time::now().as_millis().saturated_into()
	}

	pub(crate) fn do_register_verifier(worker: AccountId, key: sr25519::Public) -> DispatchResult {
		ensure!(!Verifiers::<T>::contains_key(&worker), Error::<T>::AlreadyVerifier);
		ensure!(!VerifierKeys::<T>::contains_key(key), Error::<T>::VerifierKeyTaken);
		ensure!(Verifiers::<T>::count() < T::MaxVerifiers::get(), Error::<T>::TooManyVerifiers);
		T::Workers::ensure_active(&worker)?;
		T::Consents::ensure_permits_now(&worker, TaskType::Audit, Self::now_ms())?;

		let params = Self::params();
		let stake = T::Workers::stake(&worker);
		// What a canary takes has to be there.
		ensure!(stake >= params.canary_slash, Error::<T>::StakeTooLow);
		let weight = stake.min(params.max_seat_stake);
		let from = T::CurrentEpoch::get().saturating_add(KEY_DELAY);
		Self::add_weight(from, weight)?;
		VerifierKeys::<T>::insert(key, &worker);
		let info = VerifierInfo {
			key,
			weight,
			from,
			seats: 0,
			owed: 0,
			ripening: 0,
			ripe_at: 0,
			canary: None,
		};
		Verifiers::<T>::insert(&worker, info);
		Self::deposit_event(Event::VerifierRegistered { worker, key, weight, from });
		Ok(())
	}

	pub(crate) fn do_retire_verifier(caller: &AccountId, worker: AccountId) -> DispatchResult {
		let info = Verifiers::<T>::get(&worker).ok_or(Error::<T>::NotVerifier)?;
		let unfit = || {
			T::Workers::ensure_active(&worker).is_err() || T::Workers::stake(&worker) < info.weight
		};
		ensure!(*caller == worker || unfit(), Error::<T>::NotYourVerifier);
		Self::end_verifier(worker, info)
	}

	/// Takes the place of a verifier with less at stake, where there is no other.
	pub(crate) fn do_displace_verifier(
		worker: AccountId,
		key: sr25519::Public,
		other: AccountId,
	) -> DispatchResult {
		ensure!(Verifiers::<T>::count() >= T::MaxVerifiers::get(), Error::<T>::PlacesFree);
		let info = Verifiers::<T>::get(&other).ok_or(Error::<T>::NotVerifier)?;
		let stake = T::Workers::stake(&worker).min(Self::params().max_seat_stake);
		ensure!(stake > info.weight, Error::<T>::NoMoreStake);
		Self::end_verifier(other, info)?;
		Self::do_register_verifier(worker, key)
	}

	fn end_verifier(worker: AccountId, info: VerifierInfo) -> DispatchResult {
		ensure!(info.seats == 0, Error::<T>::SeatsOpen);
		// No audit is open in which it could turn out to have passed a canary.
		Self::pay_owed(&worker, info.fees());
		Self::keep_former(&worker, &info);
		Self::remove_weight(info.from, info.weight);
		VerifierKeys::<T>::remove(info.key);
		Verifiers::<T>::remove(&worker);
		Self::deposit_event(Event::VerifierRetired { worker });
		Ok(())
	}

	/// What verifiers that may sit in rounds of `epoch` have at stake together, in planck.
	pub(crate) fn weight_in(epoch: EpochIndex) -> Balance {
		let total = VerifierWeight::<T>::get();
		total
			.pending
			.iter()
			.filter(|(from, _)| *from <= epoch)
			.fold(total.counted, |sum, (_, weight)| sum.saturating_add(*weight))
	}

	fn add_weight(from: EpochIndex, weight: Balance) -> DispatchResult {
		let now = T::CurrentEpoch::get();
		VerifierWeight::<T>::try_mutate(|total| {
			total.counted = total
				.pending
				.iter()
				.filter(|(from, _)| *from <= now)
				.fold(total.counted, |sum, (_, weight)| sum.saturating_add(*weight));
			total.pending.retain(|(from, _)| *from > now);
			if let Some((_, sum)) = total.pending.iter_mut().find(|(epoch, _)| *epoch == from) {
				*sum = sum.saturating_add(weight);
				return Ok(());
			}
			// What is pending is of this epoch and the one before: there is room.
			total
				.pending
				.try_push((from, weight))
				.map_err(|_| DispatchError::from(Error::<T>::TooManyVerifiers))
		})
	}

	fn remove_weight(from: EpochIndex, weight: Balance) {
		VerifierWeight::<T>::mutate(|total| {
			match total.pending.iter_mut().find(|(epoch, _)| *epoch == from) {
				Some((_, sum)) => *sum = sum.saturating_sub(weight),
				None => total.counted = total.counted.saturating_sub(weight),
			}
			total.pending.retain(|(_, sum)| *sum > 0);
		});
	}

	/// The VRF's output of `worker` in this round, if it has a seat by it.
	pub(crate) fn seat_output(
		id: &RecordId,
		audit: &Audit,
		record: &RecordEntry,
		worker: &AccountId,
		proof: &SeatProof,
		named: &Named,
	) -> Result<[u8; 32], DispatchError> {
		let info = Verifiers::<T>::get(worker).ok_or(Error::<T>::NotVerifier)?;
		ensure!(info.from <= audit.round_epoch, Error::<T>::VerifierTooNew);
		ensure!(audit.spoke() < audit.params.most_seats(audit.round), Error::<T>::SeatsTaken);
		T::Workers::ensure_active(worker)?;
		ensure!(T::Workers::stake(worker) >= info.weight, Error::<T>::StakeFell);
		T::Consents::ensure_permits_now(worker, TaskType::Audit, Self::now_ms())?;
		ensure!(!Self::is_party(record, worker), Error::<T>::PartyToRecord);
		let output = verify_seat(&info.key, id, &audit.seed, audit.round, proof)
			.ok_or(Error::<T>::BadSeatProof)?;
		match audit.stakes.named {
			// Whom the requester named needs no luck.
			Some(set) => {
				ensure!(named.using_encoded(sha256) == set, Error::<T>::OtherNames);
				ensure!(named.contains(worker), Error::<T>::NotNamed);
			}
			None => {
				let seats = audit.params.seats(audit.round);
				let number = seat_number(&output);
				ensure!(has_seat(number, seats, info.weight, audit.total), Error::<T>::NoSeat);
			}
		}
		Ok(output)
	}

	/// Whether the worker, or who is paid for it, took part in the record.
	fn is_party(record: &RecordEntry, worker: &AccountId) -> bool {
		let payout = T::Consents::payout(worker);
		let is_same = |party: &AccountId| {
			let paid = T::Consents::payout(party);
			[worker, &payout].iter().any(|one| *one == party || **one == paid)
		};
		let nodes = record.body.stages.iter().map(|stage| &stage.node);
		nodes.chain([&record.requester, &record.gateway]).any(is_same)
	}
}
