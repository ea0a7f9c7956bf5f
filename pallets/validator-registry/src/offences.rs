//! What an offence costs.

use crate::{
	ChillReason, Config, CurrencyOf, Event, HoldReason, OffenceNote, OffenceNotes, Offences,
	Pallet, ValidatorState, Validators, WeightInfo,
};
use aria_primitives::AccountId;
use frame_support::{
	traits::{
		fungible::hold::Mutate as _,
		tokens::{Fortitude, Precision},
		Get,
	},
	weights::Weight,
};
use sp_runtime::{traits::Zero, Perbill, Saturating};
use sp_staking::{
	offence::{OffenceDetails, OffenceSeverity, OnOffenceHandler},
	SessionIndex,
};

impl<T: Config> Pallet<T> {
	/// Slashes a validator for an offence in `session` and takes it off the list of candidates.
	///
	/// An offence that is not free costs at least [`Config::OffenceSlash`]. Of several offences of
	/// one session, the worst counts.
	pub(crate) fn slash(validator: &AccountId, fraction: Perbill, session: SessionIndex) {
		let Some(mut info) = Validators::<T>::get(validator) else { return };
		let fraction =
			if fraction.is_zero() { fraction } else { fraction.max(T::OffenceSlash::get()) };
		let notes = Offences::<T>::get(validator);
		let before = notes.get(&session).cloned();
		if before.as_ref().is_some_and(|note| fraction <= note.fraction) {
			return;
		}
		let before = before.unwrap_or(OffenceNote { base: info.stake, fraction: Perbill::zero() });
		let due = fraction.saturating_sub(before.fraction).mul_ceil(before.base).min(info.stake);
		let amount = if due.is_zero() {
			0
		} else {
			CurrencyOf::<T>::burn_held(
				&HoldReason::Stake.into(),
				validator,
				due,
				Precision::BestEffort,
				Fortitude::Force,
			)
			.unwrap_or_default()
		};

		info.stake = info.stake.saturating_sub(amount);
		info.stake_waived = false;
		let note = OffenceNote { base: before.base, fraction };
		Offences::<T>::insert(validator, with_note(notes, session, note));
		if info.state == ValidatorState::Candidate {
			Self::retire(validator, &mut info, ChillReason::Offence);
		}
		let stake = info.stake;
		Validators::<T>::insert(validator, info);
		Self::deposit_event(Event::Slashed {
			validator: validator.clone(),
			session,
			amount,
			stake,
		});
	}
}

/// The notes with one more. The earliest is left out if there are too many: what can still be
/// reported lies in the latest sessions.
fn with_note(notes: OffenceNotes, session: SessionIndex, note: OffenceNote) -> OffenceNotes {
	let mut all = notes.into_inner();
	all.insert(session, note);
	if all.len() > OffenceNotes::bound() {
		all.pop_first();
	}
	OffenceNotes::try_from(all).unwrap_or_default()
}

impl<T: Config> OnOffenceHandler<AccountId, (AccountId, ()), Weight> for Pallet<T> {
	fn on_offence(
		offenders: &[OffenceDetails<AccountId, (AccountId, ())>],
		slash_fraction: &[Perbill],
		session: SessionIndex,
	) -> Weight {
		for (details, fraction) in offenders.iter().zip(slash_fraction) {
			let (validator, ()) = &details.offender;
			Self::slash(validator, *fraction, session);
			// The runtime's strategy sees to it that enough stay enabled to go on.
			pallet_session::Pallet::<T>::report_offence(
				validator.clone(),
				OffenceSeverity(*fraction),
			);
		}
		<T as Config>::WeightInfo::on_offence(u32::try_from(offenders.len()).unwrap_or(u32::MAX))
	}
}
