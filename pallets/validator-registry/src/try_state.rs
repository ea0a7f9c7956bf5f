//! What must hold of the registry's state.

use crate::{
	Candidates, Config, CurrencyOf, EpochLength, HoldReason, Links, Offences, Pallet, SlotDuration,
	ValidatorOf, ValidatorState, Validators,
};
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
		Ok(())
	}
}
