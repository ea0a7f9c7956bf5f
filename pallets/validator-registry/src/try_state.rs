//! What must hold of the registry's state.

use crate::{
	Candidates, Config, CurrencyOf, EpochLength, HoldReason, Links, Offences, Pallet, SlotDuration,
	SlotWeights, ValidatorOf, ValidatorState, Validators, VerifiedWorkOf, WaitingWork, WorkEpochs,
};
use alloc::collections::BTreeSet;
use aria_math::{lottery::WEIGHT_SCALE, weights::MAX_RATIO};
use aria_primitives::traits::AuditDraw;
use frame_support::{
	ensure,
	traits::{fungible::hold::Inspect as _, Get},
};

impl<T: Config> Pallet<T> {
	/// Checks the invariants:
	///
	/// 1. A validator's recorded stake is exactly what it has on hold.
	/// 2. `Candidates` are exactly the validators in that state, with their stakes.
	/// 3. A candidate has the minimum stake, or genesis waived it.
	/// 4. Links are of validators, without repetition; `ValidatorOf` holds exactly the accepted ones.
	/// 5. Notes of offences are of validators, and whoever has none has no list of them.
	/// 6. A slot and an epoch last at least 1.
	/// 7. Nothing happened in a future block or session, and no stake unlocks later than a period
	///    from now.
	/// 8. Epochs with work that waits ascend, up to this one; all such work is of one of them, and
	///    above 0.
	/// 9. Verified work is of validators, and was not added in a future session.
	/// 10. Announced weights are of different accounts, above 0, at most [`WEIGHT_SCALE`], and none
	///     is more than [`MAX_RATIO`] times another.
	pub(crate) fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
		let now = Self::now();
		let session = pallet_session::CurrentIndex::<T>::get();
		let candidates = Candidates::<T>::get();
		let mut listed = 0usize;
		for (validator, info) in Validators::<T>::iter() {
			let held = CurrencyOf::<T>::balance_on_hold(&HoldReason::Stake.into(), &validator);
			ensure!(held == info.stake, "1: recorded stake differs from the hold");
			match info.state {
				ValidatorState::Candidate => {
					listed = listed.saturating_add(1);
					ensure!(
						candidates.get(&validator) == Some(&info.stake),
						"2: a candidate is not listed with its stake"
					);
					ensure!(
						info.stake_waived || info.stake >= T::MinimumStake::get(),
						"3: a candidate has too little stake"
					);
				}
				ValidatorState::Chilled { since } => {
					ensure!(since <= now, "7: a validator was chilled in the future")
				}
				ValidatorState::Unbonding { until } => ensure!(
					until <= now.saturating_add(T::UnbondingPeriod::get()),
					"7: a stake unlocks too late"
				),
			}
			ensure!(info.registered_at <= now, "7: a validator registered in the future");
			ensure!(
				info.seen.is_none_or(|seen| seen <= session)
					&& info.heartbeat.is_none_or(|beat| beat <= session),
				"7: a validator was seen in the future"
			);
		}
		ensure!(listed == candidates.len(), "2: a listed account is no candidate");

		let mut accepted = 0usize;
		for (validator, links) in Links::<T>::iter() {
			ensure!(Validators::<T>::contains_key(&validator), "4: links of a stranger");
			ensure!(!links.is_empty(), "4: an empty list of links is stored");
			for (index, link) in links.iter().enumerate() {
				ensure!(
					links.iter().skip(index.saturating_add(1)).all(|l| l.worker != link.worker),
					"4: a worker is linked twice"
				);
				if link.accepted {
					accepted = accepted.saturating_add(1);
					ensure!(
						ValidatorOf::<T>::get(&link.worker).as_ref() == Some(&validator),
						"4: an accepted link is not known from the worker's side"
					);
				}
			}
		}
		ensure!(
			ValidatorOf::<T>::iter_keys().count() == accepted,
			"4: a worker has a link that its validator does not know"
		);

		for (validator, notes) in Offences::<T>::iter() {
			ensure!(Validators::<T>::contains_key(&validator), "5: an offence of a stranger");
			ensure!(!notes.is_empty(), "5: an empty list of offences is stored");
		}
		ensure!(SlotDuration::<T>::get() > 0, "6: a slot lasts no time");
		ensure!(EpochLength::<T>::get() > 0, "6: an epoch has no slots");
		Self::try_lottery()
	}

	/// The invariants 8 to 10.
	fn try_lottery() -> Result<(), sp_runtime::TryRuntimeError> {
		let epochs = WorkEpochs::<T>::get();
		let ascending = epochs.iter().zip(epochs.iter().skip(1)).all(|(a, b)| a < b);
		ensure!(ascending, "8: epochs with work do not ascend");
		ensure!(
			epochs.last().is_none_or(|last| *last <= T::Audit::current_epoch()),
			"8: work was done in the future"
		);
		for (epoch, _, pending) in WaitingWork::<T>::iter() {
			ensure!(epochs.contains(&epoch), "8: work waits in an epoch that does not");
			ensure!(pending.work > 0, "8: work of nothing waits");
		}

		let session = Self::session();
		for (validator, work) in VerifiedWorkOf::<T>::iter() {
			ensure!(Validators::<T>::contains_key(&validator), "9: work of a stranger");
			ensure!(work.session <= session, "9: work was added in the future");
		}

		let weights = SlotWeights::<T>::get();
		let accounts: BTreeSet<_> = weights.iter().map(|(account, _)| account).collect();
		ensure!(accounts.len() == weights.len(), "10: an account has two weights");
		let smallest = weights.iter().map(|(_, weight)| *weight).min().unwrap_or(1);
		let largest = weights.iter().map(|(_, weight)| *weight).max().unwrap_or(1);
		ensure!(smallest > 0, "10: a validator has no weight");
		ensure!(
			largest <= WEIGHT_SCALE && largest <= smallest.saturating_mul(MAX_RATIO),
			"10: a weight is too large"
		);
		Ok(())
	}
}
