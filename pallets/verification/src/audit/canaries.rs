//! Records that are false on purpose, to see who passes them.

use crate::{
	audit::types::{CanaryBudget, CanaryInfo, Phase, ShownCanary, CANARY_LIFE, MAX_CANARIES},
	pallet::{Audits, Canaries, CanaryFunds, Config, Drawn, Error, Event, HoldReason, Pallet},
	types::DrawCause,
};
use aria_primitives::{audit::canary_hash, traits::Ledger, AccountId, Balance, RecordId};
use frame_support::{
	ensure,
	traits::{
		fungible::MutateHold,
		tokens::{Fortitude, Precision, Restriction},
		Get,
	},
};
use sp_core::H256;
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_commit_canary(maker: AccountId, hash: H256) -> DispatchResult {
		ensure!(!Canaries::<T>::contains_key(hash), Error::<T>::CanaryKnown);
		ensure!(Canaries::<T>::count() < MAX_CANARIES, Error::<T>::TooManyCanaries);
		let params = Self::params();
		let reserved = params.canary_fee.saturating_add(params.catch_bonus);
		let budget = CanaryFunds::<T>::get();
		let affordable = budget.audits >= params.canary_rate && budget.amount >= reserved;
		ensure!(affordable, Error::<T>::NoCanaryBudget);
		let bond = params.canary_bond;
		T::Currency::hold(&HoldReason::Canary.into(), &maker, bond)?;
		let amount = budget.amount.saturating_sub(reserved);
		CanaryFunds::<T>::put(CanaryBudget { amount, audits: 0 });
		let at = Self::now();
		Canaries::<T>::insert(hash, CanaryInfo { maker: maker.clone(), at, bond, reserved });
		Self::deposit_event(Event::CanaryCommitted { hash, maker });
		Ok(())
	}

	pub(crate) fn do_reveal_canary(
		requester: &AccountId,
		id: RecordId,
		stage: u16,
		maker: AccountId,
		nonce: H256,
	) -> DispatchResult {
		let mut audit = Audits::<T>::get(id).ok_or(Error::<T>::NoAudit)?;
		let in_window = Self::is_in(&audit, Phase::Canary) && audit.canary.is_none();
		ensure!(in_window, Error::<T>::NotInWindow);
		let record = T::Ledger::get(&id).ok_or(Error::<T>::NoRecord)?;
		ensure!(record.requester == *requester, Error::<T>::NotRequester);
		let drawn = Drawn::<T>::get(id).is_some_and(|info| info.cause == DrawCause::Lot);
		ensure!(drawn, Error::<T>::DrawnByOrder);
		ensure!(Self::stage_signed(&record, stage), Error::<T>::NotAStage);
		let hash = canary_hash(&Self::genesis(), &id, stage, &maker, &nonce);
		let info = Canaries::<T>::get(hash).ok_or(Error::<T>::UnknownCanary)?;
		ensure!(info.maker == maker, Error::<T>::UnknownCanary);
		ensure!(info.at < record.settled_at, Error::<T>::CanaryTooLate);

		Canaries::<T>::remove(hash);
		let CanaryInfo { bond, reserved, .. } = info;
		audit.canary = Some(ShownCanary { stage, maker, bond, reserved });
		Audits::<T>::insert(id, audit);
		Self::deposit_event(Event::CanaryShown { id, stage });
		Ok(())
	}

	pub(crate) fn do_forget_canary(hash: H256) -> DispatchResult {
		let info = Canaries::<T>::get(hash).ok_or(Error::<T>::UnknownCanary)?;
		let over = Self::now() > info.at.saturating_add(CANARY_LIFE);
		ensure!(over, Error::<T>::CanaryAlive);
		Canaries::<T>::remove(hash);
		Self::forfeit_canary(&info.maker, info.bond);
		Self::release_reserve(info.reserved);
		Self::deposit_event(Event::CanaryForgotten { hash, maker: info.maker });
		Ok(())
	}

	/// Gives the bond back and puts what was set aside back into the budget.
	pub(crate) fn return_canary(id: &RecordId, canary: ShownCanary) {
		let reason = HoldReason::Canary.into();
		let _ = T::Currency::release(&reason, &canary.maker, canary.bond, Precision::BestEffort);
		Self::release_reserve(canary.reserved);
		Self::deposit_event(Event::CanaryReturned { id: *id, maker: canary.maker });
	}

	/// Moves a canary's bond to the pot.
	pub(crate) fn forfeit_canary(maker: &AccountId, bond: Balance) {
		let _ = T::Currency::transfer_on_hold(
			&HoldReason::Canary.into(),
			maker,
			&T::AuditPot::get(),
			bond,
			Precision::BestEffort,
			Restriction::Free,
			Fortitude::Force,
		);
	}

	pub(crate) fn release_reserve(amount: Balance) {
		CanaryFunds::<T>::mutate(|budget| budget.amount = budget.amount.saturating_add(amount));
	}
}
