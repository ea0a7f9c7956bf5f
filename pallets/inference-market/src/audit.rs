//! What audits take and give back (`docs/protocol/audit.md`, verdict).

use crate::pallet::*;
use aria_primitives::{
	traits::{AuditDraw, RecordFunds},
	AccountId, Balance, EpochIndex,
};
use frame_support::{
	storage::with_storage_layer,
	traits::{
		fungible::{Mutate, MutateHold},
		tokens::{Fortitude, Precision, Preservation, Restriction},
	},
};
use sp_runtime::{traits::Zero, DispatchError, DispatchResult};

impl<T: Config> RecordFunds for Pallet<T> {
	fn withhold(epoch: EpochIndex, payee: &AccountId, amount: Balance, to: &AccountId) -> Balance {
		let due = amount.min(Unvested::<T>::get(epoch, payee).unwrap_or(0));
		if due.is_zero() || Self::is_forfeited(epoch, payee) {
			return 0;
		}
		let moved = T::Currency::transfer(&Self::pot(), to, due, Preservation::Preserve);
		if moved.is_err() {
			// Below the existential deposit of an account that is not there: it vests.
			return 0;
		}
		Unvested::<T>::mutate_exists(epoch, payee, |entry| {
			let left = entry.unwrap_or(0).saturating_sub(due);
			*entry = (!left.is_zero()).then_some(left);
		});
		Self::lower_unvested_total(payee, due);
		Self::deposit_event(Event::Withheld { epoch, payee: payee.clone(), amount: due });
		due
	}

	fn forfeit(payee: &AccountId, to: &AccountId) -> Balance {
		let amount = UnvestedTotal::<T>::get(payee);
		if amount.is_zero() {
			return 0;
		}
		let moved = T::Currency::transfer(&Self::pot(), to, amount, Preservation::Preserve);
		if moved.is_err() {
			return 0;
		}
		// Entries of earlier buckets are dropped as those open: there may be many of them.
		let epoch = T::Audit::current_epoch();
		Unvested::<T>::remove(epoch, payee);
		UnvestedTotal::<T>::remove(payee);
		if let Some(last) = epoch.checked_sub(1) {
			Forfeited::<T>::insert(payee, last);
		}
		Self::deposit_event(Event::Forfeited { payee: payee.clone(), amount });
		amount
	}

	fn refund(requester: &AccountId, from: &AccountId, amount: Balance) -> Balance {
		if amount.is_zero() {
			return 0;
		}
		let moved = T::Currency::transfer(from, requester, amount, Preservation::Preserve);
		if moved.is_err() {
			return 0;
		}
		// What can't go on hold, for example because nothing would be left to keep the account, is
		// the requester's own all the same.
		let _ = with_storage_layer::<(), DispatchError, _>(|| -> DispatchResult {
			Self::do_deposit(requester, amount)
		});
		Self::deposit_event(Event::Refunded { requester: requester.clone(), amount });
		amount
	}

	fn slash_gateway(gateway: &AccountId, amount: Balance, to: &AccountId) -> Balance {
		let moved = with_storage_layer::<Balance, DispatchError, _>(|| {
			Gateways::<T>::try_mutate(gateway, |entry| {
				let info = entry.as_mut().ok_or(Error::<T>::UnknownGateway)?;
				let due = amount.min(info.stake);
				if due.is_zero() {
					return Ok(0);
				}
				let moved = T::Currency::transfer_on_hold(
					&HoldReason::GatewayStake.into(),
					gateway,
					to,
					due,
					Precision::BestEffort,
					Restriction::Free,
					Fortitude::Force,
				)?;
				info.stake = info.stake.saturating_sub(moved);
				Ok(moved)
			})
		});
		let amount = moved.unwrap_or(0);
		if !amount.is_zero() {
			Self::deposit_event(Event::GatewaySlashed { gateway: gateway.clone(), amount });
		}
		amount
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_funds(
		gateway: &AccountId,
		epoch: EpochIndex,
		payees: &[AccountId],
		share: Balance,
	) {
		use frame_support::traits::{fungible::Inspect, Get};
		let ed = T::Currency::minimum_balance();
		let stake = T::GatewayStake::get();
		let _ = T::Currency::mint_into(gateway, stake.saturating_add(ed));
		if !Gateways::<T>::contains_key(gateway) {
			let _ = Self::do_register_gateway(gateway);
		}
		Self::endow_pot();
		for payee in payees {
			let _ = T::Currency::mint_into(&Self::pot(), share);
			Self::vest(epoch, payee, share);
		}
	}
}
