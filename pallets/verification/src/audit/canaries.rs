//! Records that are false on purpose, to see who passes them.
//!
//! Who may make one is drawn by stake among verifiers, and nobody sees on whom the lot fell before the
//! canary is shown: another account may commit to it.

use crate::{
	audit::types::{
		CanaryInfo, CanaryLots, Phase, ShownCanary, CANARY_EPOCHS, CANARY_LIFE, MAX_CANARIES,
	},
	pallet::{
		Audits, Canaries, Config, Drawn, Error, Event, FormerVerifiers, HoldReason, Pallet,
		Settled, Verifiers,
	},
	types::DrawCause,
};
use aria_primitives::{
	audit::{canary_hash, has_canary, verify_canary, SeatProof},
	record::RecordEntry,
	traits::{AuditDraw, Ledger},
	AccountId, Balance, EpochIndex, RecordId,
};
use frame_support::{
	ensure,
	traits::{
		fungible::MutateHold,
		tokens::{Fortitude, Precision, Restriction},
		Get,
	},
};
use sp_core::{sr25519, H256};
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_commit_canary(by: AccountId, hash: H256) -> DispatchResult {
		ensure!(!Canaries::<T>::contains_key(hash), Error::<T>::CanaryKnown);
		ensure!(Canaries::<T>::count() < MAX_CANARIES, Error::<T>::TooManyCanaries);
		let bond = Self::params().canary_bond;
		T::Currency::hold(&HoldReason::Canary.into(), &by, bond)?;
		let info = CanaryInfo { by: by.clone(), at: Self::now(), bond, lots: Self::terms().lots };
		Canaries::<T>::insert(hash, info);
		Self::deposit_event(Event::CanaryCommitted { hash, by });
		Ok(())
	}

	pub(crate) fn do_reveal_canary(
		requester: &AccountId,
		id: RecordId,
		stage: u16,
		maker: AccountId,
		nonce: H256,
		proof: &SeatProof,
	) -> DispatchResult {
		let mut audit = Audits::<T>::get(id).ok_or(Error::<T>::NoAudit)?;
		let in_window = Self::is_in(&audit, Phase::Canary) && audit.canary.is_none();
		ensure!(in_window, Error::<T>::NotInWindow);
		let drawn = Drawn::<T>::get(id).is_some_and(|info| info.cause == DrawCause::Lot);
		ensure!(drawn, Error::<T>::DrawnByOrder);
		// Judges of the requester's choice would decide the review, and share what others lose by it.
		ensure!(audit.stakes.named.is_none(), Error::<T>::NamedRecord);
		let (_, hash, info) = Self::canary_of(requester, &id, stage, &maker, &nonce)?;
		let unpaid = Self::use_right(&maker, &info, audit.params.canary_rate, proof)?;

		Canaries::<T>::remove(hash);
		let CanaryInfo { by, bond, .. } = info;
		audit.canary = Some(ShownCanary { stage, maker, by, bond, unpaid });
		Audits::<T>::insert(id, audit);
		Self::deposit_event(Event::CanaryShown { id, stage });
		Ok(())
	}

	/// The commitment to a canary, if the requester of the record shows it.
	fn canary_of(
		requester: &AccountId,
		id: &RecordId,
		stage: u16,
		maker: &AccountId,
		nonce: &H256,
	) -> Result<(RecordEntry, H256, CanaryInfo), DispatchError> {
		let record = T::Ledger::get(id).ok_or(Error::<T>::NoRecord)?;
		ensure!(record.requester == *requester, Error::<T>::NotRequester);
		ensure!(Self::stage_signed(&record, stage), Error::<T>::NotAStage);
		let hash = canary_hash(&Self::genesis(), id, stage, maker, nonce);
		let info = Canaries::<T>::get(hash).ok_or(Error::<T>::UnknownCanary)?;
		ensure!(info.at < record.settled_at, Error::<T>::CanaryTooLate);
		Ok((record, hash, info))
	}

	/// Uses the right of `maker` to make canaries in the epoch of the commitment; returns whether it was
	/// used before. Who was a verifier then has it, whoever has ended that since.
	pub(crate) fn use_right(
		maker: &AccountId,
		canary: &CanaryInfo,
		rate: u32,
		proof: &SeatProof,
	) -> Result<bool, DispatchError> {
		let lots = &canary.lots;
		let verifier = Verifiers::<T>::get(maker);
		let is_verifier = verifier.is_some();
		if let Some(mut info) = verifier.filter(|info| info.from <= lots.epoch) {
			Self::ensure_right(&info.key, info.weight, lots, rate, proof)?;
			let used = Self::note_right(&mut info.canary, lots.epoch);
			Verifiers::<T>::insert(maker, info);
			return Ok(used);
		}
		FormerVerifiers::<T>::try_mutate(maker, |terms| -> Result<bool, DispatchError> {
			let Some(term) = Self::former_in(terms.as_mut(), lots.epoch, canary.at) else {
				let error = match is_verifier {
					true => Error::<T>::VerifierTooNew,
					false => Error::<T>::NotVerifier,
				};
				return Err(error.into());
			};
			Self::ensure_right(&term.key, term.weight, lots, rate, proof)?;
			Ok(Self::note_right(&mut term.canary, lots.epoch))
		})
	}

	fn ensure_right(
		key: &sr25519::Public,
		weight: Balance,
		lots: &CanaryLots,
		rate: u32,
		proof: &SeatProof,
	) -> DispatchResult {
		let number = verify_canary(key, lots.epoch, &lots.seed, proof);
		let number = number.ok_or(Error::<T>::BadSeatProof)?;
		let has_right = has_canary(number, lots.audits, rate, weight, lots.total);
		ensure!(has_right, Error::<T>::NoCanaryRight);
		Ok(())
	}

	/// Notes that the right of `epoch` is used; returns whether it was before.
	fn note_right(last: &mut Option<EpochIndex>, epoch: EpochIndex) -> bool {
		let used = *last >= Some(epoch);
		*last = (*last).max(Some(epoch));
		used
	}

	pub(crate) fn do_withdraw_canary(
		requester: &AccountId,
		id: RecordId,
		stage: u16,
		maker: &AccountId,
		nonce: &H256,
	) -> DispatchResult {
		let (record, hash, info) = Self::canary_of(requester, &id, stage, maker, nonce)?;
		let is_over = Self::is_due(record.epoch, T::CurrentEpoch::get())
			&& !Settled::<T>::contains_key(record.epoch, id)
			&& !Drawn::<T>::contains_key(id);
		ensure!(is_over, Error::<T>::CanaryMayBeDrawn);
		Canaries::<T>::remove(hash);
		Self::free_bond(&id, &info.by, info.bond);
		Ok(())
	}

	/// Whether the audit of every record is over that can be a canary of `epoch`, however long it waited
	/// and whatever its windows.
	pub(crate) fn are_canaries_over(epoch: EpochIndex) -> bool {
		<Self as AuditDraw>::is_closed_through(epoch.saturating_add(CANARY_EPOCHS))
	}

	pub(crate) fn do_forget_canary(hash: H256) -> DispatchResult {
		let info = Canaries::<T>::get(hash).ok_or(Error::<T>::UnknownCanary)?;
		let over = Self::now() > info.at.saturating_add(CANARY_LIFE)
			&& Self::are_canaries_over(info.lots.epoch);
		ensure!(over, Error::<T>::CanaryAlive);
		Canaries::<T>::remove(hash);
		Self::forfeit_canary(&info.by, info.bond);
		Self::deposit_event(Event::CanaryForgotten { hash, by: info.by });
		Ok(())
	}

	/// Gives the bond of a canary that was shown back.
	pub(crate) fn return_canary(id: &RecordId, canary: ShownCanary) {
		Self::free_bond(id, &canary.by, canary.bond);
	}

	fn free_bond(id: &RecordId, by: &AccountId, bond: Balance) {
		let reason = HoldReason::Canary.into();
		let _ = T::Currency::release(&reason, by, bond, Precision::BestEffort);
		Self::deposit_event(Event::CanaryReturned { id: *id, by: by.clone() });
	}

	/// Moves a canary's bond to the pot.
	pub(crate) fn forfeit_canary(by: &AccountId, bond: Balance) {
		let _ = T::Currency::transfer_on_hold(
			&HoldReason::Canary.into(),
			by,
			&T::AuditPot::get(),
			bond,
			Precision::BestEffort,
			Restriction::Free,
			Fortitude::Force,
		);
	}
}
