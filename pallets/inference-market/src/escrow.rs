//! Escrows: money on hold for inference. A part may be reserved for open requests.

use crate::{pallet::*, types::EscrowAccount};
use aria_primitives::{AccountId, Balance};
use frame_support::{
	ensure,
	traits::{
		fungible::{Inspect, Mutate, MutateHold},
		tokens::{Fortitude, Precision, Restriction},
		Get,
	},
};
use sp_runtime::{
	traits::{AccountIdConversion, Zero},
	DispatchError, DispatchResult,
};

impl<T: Config> Pallet<T> {
	/// The account that holds what is taken from escrows until it is paid out or burnt.
	pub fn pot() -> AccountId {
		T::PalletId::get().into_account_truncating()
	}

	/// Brings the pot to the existential deposit, which stays on it forever.
	pub(crate) fn endow_pot() {
		let pot = Self::pot();
		let lacking = T::Currency::minimum_balance().saturating_sub(T::Currency::balance(&pot));
		if !lacking.is_zero() {
			let endowed = T::Currency::mint_into(&pot, lacking);
			debug_assert!(endowed.is_ok(), "the pot can be endowed with the existential deposit");
		}
	}

	pub(crate) fn do_deposit(requester: &AccountId, amount: Balance) -> DispatchResult {
		ensure!(!amount.is_zero(), Error::<T>::AmountZero);
		T::Currency::hold(&HoldReason::Escrow.into(), requester, amount)?;
		Escrows::<T>::mutate(requester, |escrow| {
			escrow.held = escrow.held.saturating_add(amount);
		});
		Self::deposit_event(Event::Deposited { requester: requester.clone(), amount });
		Ok(())
	}

	pub(crate) fn do_withdraw(requester: &AccountId, amount: Balance) -> DispatchResult {
		ensure!(!amount.is_zero(), Error::<T>::AmountZero);
		Self::debit(requester, amount)?;
		let reason = HoldReason::Escrow.into();
		T::Currency::release(&reason, requester, amount, Precision::Exact)?;
		Self::deposit_event(Event::Withdrawn { requester: requester.clone(), amount });
		Ok(())
	}

	/// Promises `amount` of the escrow to a request; what the escrow lacks comes from the free
	/// balance.
	pub(crate) fn reserve(requester: &AccountId, amount: Balance) -> DispatchResult {
		let lacking = amount.saturating_sub(Escrows::<T>::get(requester).available());
		if !lacking.is_zero() {
			Self::do_deposit(requester, lacking).map_err(|_| Error::<T>::EscrowInsufficient)?;
		}
		Escrows::<T>::mutate(requester, |escrow| {
			escrow.reserved = escrow.reserved.saturating_add(amount);
		});
		Ok(())
	}

	/// Takes a promise back; the money stays in the escrow.
	pub(crate) fn unreserve(requester: &AccountId, amount: Balance) {
		Escrows::<T>::mutate(requester, |escrow| {
			escrow.reserved = escrow.reserved.saturating_sub(amount);
		});
	}

	/// Moves `amount` from the escrow to the pot.
	pub(crate) fn take(requester: &AccountId, amount: Balance) -> DispatchResult {
		if amount.is_zero() {
			return Ok(());
		}
		Self::debit(requester, amount)?;
		// By force, so that a lock on the requester's balance can't keep what is owed.
		T::Currency::transfer_on_hold(
			&HoldReason::Escrow.into(),
			requester,
			&Self::pot(),
			amount,
			Precision::Exact,
			Restriction::Free,
			Fortitude::Force,
		)?;
		Ok(())
	}

	/// Counts `amount` out of what the escrow has free.
	fn debit(requester: &AccountId, amount: Balance) -> DispatchResult {
		Escrows::<T>::try_mutate_exists(requester, |entry| -> Result<(), DispatchError> {
			let mut escrow = entry.take().unwrap_or_default();
			ensure!(amount <= escrow.available(), Error::<T>::EscrowInsufficient);
			escrow.held = escrow.held.saturating_sub(amount);
			*entry = (escrow != EscrowAccount::default()).then_some(escrow);
			Ok(())
		})
	}
}
