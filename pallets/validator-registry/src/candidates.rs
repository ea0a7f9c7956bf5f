//! Stake, and the list of those who may be chosen.

use crate::{
	Candidates, ChillReason, Config, CurrencyOf, Error, Event, HoldReason, Links, Offences, Pallet,
	ValidatorInfo, ValidatorOf, ValidatorState, Validators, VerifiedWorkOf,
};
use alloc::vec::Vec;
use aria_primitives::{AccountId, Balance, BlockNumber};
use core::cmp::Reverse;
use frame_support::{
	ensure,
	traits::{fungible::hold::Mutate as _, tokens::Precision, Get},
};
use sp_runtime::{traits::SaturatedConversion, DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
	/// The current block.
	pub(crate) fn now() -> BlockNumber {
		frame_system::Pallet::<T>::block_number().saturated_into()
	}

	/// Changes a validator, or nothing if `change` fails.
	pub(crate) fn mutate<R>(
		validator: &AccountId,
		change: impl FnOnce(&mut ValidatorInfo) -> Result<R, DispatchError>,
	) -> Result<R, DispatchError> {
		Validators::<T>::try_mutate(validator, |entry| {
			change(entry.as_mut().ok_or(Error::<T>::NotRegistered)?)
		})
	}

	/// Candidates with their stakes, those to be chosen first in front: by stake, then by account.
	pub(crate) fn ranked() -> Vec<(AccountId, Balance)> {
		let mut ranked: Vec<(AccountId, Balance)> =
			Candidates::<T>::get().into_inner().into_iter().collect();
		// The map is ordered by account, and the sort is stable.
		ranked.sort_by_key(|(_, stake)| Reverse(*stake));
		ranked
	}

	/// Whose place a candidate with this stake would take: nobody's while there are free ones, else
	/// the last candidate's. Fails with `TooManyCandidates` if that one staked as much.
	pub(crate) fn place_for(stake: Balance) -> Result<Option<AccountId>, DispatchError> {
		if !Candidates::<T>::get().is_full() {
			return Ok(None);
		}
		let (last, lowest) = Self::ranked().pop().ok_or(Error::<T>::TooManyCandidates)?;
		ensure!(stake > lowest, Error::<T>::TooManyCandidates);
		Ok(Some(last))
	}

	/// Puts a validator on the list, at the place of `displaced`.
	pub(crate) fn admit(
		validator: &AccountId,
		stake: Balance,
		displaced: Option<AccountId>,
	) -> DispatchResult {
		if let Some(last) = displaced {
			Self::mutate(&last, |info| {
				Self::retire(&last, info, ChillReason::Outbid);
				Ok(())
			})?;
		}
		Candidates::<T>::try_mutate(|candidates| {
			candidates
				.try_insert(validator.clone(), stake)
				.map(|_| ())
				.map_err(|_| Error::<T>::TooManyCandidates.into())
		})
	}

	/// Takes a candidate off the list and says so. The caller stores `info`.
	pub(crate) fn retire(validator: &AccountId, info: &mut ValidatorInfo, reason: ChillReason) {
		Candidates::<T>::mutate(|candidates| candidates.remove(validator));
		info.state = ValidatorState::Chilled { since: Self::now() };
		info.absences = 0;
		Self::deposit_event(Event::Chilled { validator: validator.clone(), reason });
	}

	/// Holds `amount` more.
	pub(crate) fn add_stake(
		validator: &AccountId,
		info: &mut ValidatorInfo,
		amount: Balance,
	) -> DispatchResult {
		CurrencyOf::<T>::hold(&HoldReason::Stake.into(), validator, amount)?;
		info.stake = info.stake.saturating_add(amount);
		info.stake_waived &= info.stake < T::MinimumStake::get();
		Candidates::<T>::mutate(|candidates| {
			if let Some(stake) = candidates.get_mut(validator) {
				*stake = info.stake;
			}
		});
		Ok(())
	}

	/// Whether the account is in the set of this session.
	pub(crate) fn is_active(validator: &AccountId) -> bool {
		pallet_session::Validators::<T>::get().contains(validator)
	}

	/// Whether the account is in the set of the next session.
	pub(crate) fn is_queued(validator: &AccountId) -> bool {
		pallet_session::QueuedKeys::<T>::get().iter().any(|(queued, _)| queued == validator)
	}

	/// Whether the account has session keys.
	pub(crate) fn has_keys(validator: &AccountId) -> bool {
		pallet_session::NextKeys::<T>::contains_key(validator)
	}

	/// Releases the stake and forgets the validator with its links, offences and work; returns what
	/// was released.
	pub(crate) fn forget(validator: &AccountId) -> Result<Balance, DispatchError> {
		let amount = CurrencyOf::<T>::release_all(
			&HoldReason::Stake.into(),
			validator,
			Precision::BestEffort,
		)?;
		for link in Links::<T>::take(validator) {
			if link.accepted {
				ValidatorOf::<T>::remove(&link.worker);
			}
		}
		Offences::<T>::remove(validator);
		VerifiedWorkOf::<T>::remove(validator);
		Validators::<T>::remove(validator);
		Ok(amount)
	}
}
