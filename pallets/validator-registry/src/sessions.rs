//! Who validates the next session, and who was there in the last one.

use crate::{ChillReason, Config, Event, Pallet, ValidatorState, Validators};
use alloc::vec::Vec;
use aria_primitives::AccountId;
use frame_support::traits::Get;
use pallet_session::historical;
use sp_runtime::traits::Convert;
use sp_staking::SessionIndex;

/// The identification of a validator in historical sessions: nothing beyond its account.
///
/// It holds for every account, because what asks has the session's set at hand already.
pub struct IdentificationOf;
impl Convert<AccountId, Option<()>> for IdentificationOf {
	fn convert(_: AccountId) -> Option<()> {
		Some(())
	}
}

impl<T: Config> Pallet<T> {
	/// Notes that `author` made a block in this session. The runtime calls it for every block.
	pub fn note_author(author: &AccountId) {
		let session = pallet_session::CurrentIndex::<T>::get();
		let Some(mut info) = Validators::<T>::get(author) else { return };
		if info.seen != Some(session) {
			info.seen = Some(session);
			Validators::<T>::insert(author, info);
		}
	}

	/// Fewest validators of a session.
	fn fewest() -> usize {
		T::MinValidators::get().max(1) as usize
	}

	/// The set of session `session`: the candidates with keys that staked most, in order of their
	/// accounts. `None` keeps the set before: if there are too few, or if nothing would change, so
	/// that consensus does not hand over without need.
	pub(crate) fn plan(session: SessionIndex) -> Option<Vec<AccountId>> {
		let mut chosen: Vec<AccountId> =
			Self::ranked().into_iter().map(|(account, _)| account).filter(Self::has_keys).collect();
		if chosen.len() < Self::fewest() {
			let eligible = u32::try_from(chosen.len()).unwrap_or(u32::MAX);
			Self::deposit_event(Event::TooFewCandidates { session, eligible });
			return None;
		}
		chosen.truncate(T::MaxValidators::get() as usize);
		// A place that does not depend on the stake, lest a higher stake changes the set.
		chosen.sort();

		// Keys count as well: the historical root of the session has to know new ones.
		let queued = pallet_session::QueuedKeys::<T>::get();
		let unchanged = queued.len() == chosen.len()
			&& queued.iter().zip(&chosen).all(|((validator, keys), account)| {
				validator == account
					&& pallet_session::Pallet::<T>::load_keys(account).as_ref() == Some(keys)
			});
		(!unchanged).then_some(chosen)
	}

	/// Counts who was silent in the session that ends, and chills who was for too long, as long as
	/// enough others remain.
	pub(crate) fn close(session: SessionIndex) {
		let mut eligible =
			Self::ranked().iter().filter(|(account, _)| Self::has_keys(account)).count();
		for validator in pallet_session::Validators::<T>::get() {
			let Some(mut info) = Validators::<T>::get(&validator) else { continue };
			if info.state != ValidatorState::Candidate {
				continue;
			}
			if info.seen == Some(session) {
				if info.absences > 0 {
					info.absences = 0;
					Validators::<T>::insert(&validator, info);
				}
				continue;
			}
			info.absences = info.absences.saturating_add(1);
			Self::deposit_event(Event::Absent {
				validator: validator.clone(),
				session,
				absences: info.absences,
			});
			let others = eligible.saturating_sub(usize::from(Self::has_keys(&validator)));
			if info.absences > T::HeartbeatGrace::get() && others >= Self::fewest() {
				eligible = others;
				Self::retire(&validator, &mut info, ChillReason::Absence);
			}
			Validators::<T>::insert(&validator, info);
		}
	}
}

impl<T: Config> pallet_session::SessionManager<AccountId> for Pallet<T> {
	fn new_session(new_index: SessionIndex) -> Option<Vec<AccountId>> {
		Self::plan(new_index)
	}

	fn start_session(_: SessionIndex) {}

	fn end_session(end_index: SessionIndex) {
		Self::close(end_index);
	}
}

impl<T: Config> historical::SessionManager<AccountId, ()> for Pallet<T> {
	fn new_session(new_index: SessionIndex) -> Option<Vec<(AccountId, ())>> {
		let chosen = Self::plan(new_index)?;
		Some(chosen.into_iter().map(|account| (account, ())).collect())
	}

	fn start_session(_: SessionIndex) {}

	fn end_session(end_index: SessionIndex) {
		Self::close(end_index);
	}
}
