//! Invariants of the pallet's state.

use crate::{pallet::*, types::RequestState};
use alloc::collections::{BTreeMap, BTreeSet};
use aria_primitives::{AccountId, Balance, EpochIndex};
use frame_support::{
	ensure,
	traits::fungible::{Inspect, InspectHold},
};
use sp_runtime::TryRuntimeError;

/// What each account has in all epochs.
fn sums_of(
	parts: impl Iterator<Item = (EpochIndex, AccountId, Balance)>,
) -> BTreeMap<AccountId, Balance> {
	let mut sums = BTreeMap::<AccountId, Balance>::new();
	for (_, account, price) in parts {
		let sum = sums.entry(account).or_default();
		*sum = sum.saturating_add(price);
	}
	sums
}

impl<T: Config> Pallet<T> {
	/// Checks, in order:
	///
	/// 1. [`UnvestedTotal`] is the sum of [`Unvested`] for each account without what was forfeited, and
	///    never 0; so are [`SharedTotal`] of [`Shared`] and [`AnsweredTotal`] of [`Answered`].
	/// 2. The pot has what is unvested, to be burnt or unclaimed, on top of the existential deposit.
	/// 3. Each escrow is on hold in full, and no more than that is reserved.
	/// 4. What is reserved is the sum of the requester's requests.
	/// 5. Each request has its place at its deadline, which has not passed, and nothing else has; a
	///    match ends before it.
	/// 6. Each key has its place in its requester's list and nothing else has; a place is to become
	///    free if and only if the key is revoked.
	/// 7. Each gateway's stake is on hold.
	pub(crate) fn do_try_state() -> Result<(), TryRuntimeError> {
		Self::try_vesting()?;
		Self::try_escrows()?;
		Self::try_requests()?;
		Self::try_keys()?;
		for (gateway, info) in Gateways::<T>::iter() {
			let held = T::Currency::balance_on_hold(&HoldReason::GatewayStake.into(), &gateway);
			ensure!(held == info.stake, "7: a gateway's stake is not on hold");
		}
		Ok(())
	}

	fn try_vesting() -> Result<(), TryRuntimeError> {
		let mut sums = BTreeMap::<AccountId, Balance>::new();
		let mut owed: Balance = 0;
		for (epoch, payee, amount) in Unvested::<T>::iter() {
			if Self::is_forfeited(epoch, &payee) {
				continue;
			}
			let sum = sums.entry(payee).or_default();
			*sum = sum.saturating_add(amount);
			owed = owed.saturating_add(amount);
		}
		let totals: BTreeMap<AccountId, Balance> = UnvestedTotal::<T>::iter().collect();
		ensure!(sums == totals, "1: unvested totals differ from their parts");
		let totals: BTreeMap<AccountId, Balance> = SharedTotal::<T>::iter().collect();
		let shared = sums_of(Shared::<T>::iter());
		ensure!(shared == totals, "1: totals of shared records differ from their parts");
		let totals: BTreeMap<AccountId, Balance> = AnsweredTotal::<T>::iter().collect();
		let answered = sums_of(Answered::<T>::iter());
		ensure!(answered == totals, "1: totals of gateways' records differ from their parts");
		for amount in UnvestedBurn::<T>::iter_values().chain(Unclaimed::<T>::iter_values()) {
			owed = owed.saturating_add(amount);
		}
		let has = T::Currency::balance(&Self::pot());
		ensure!(
			has >= owed.saturating_add(T::Currency::minimum_balance()),
			"2: the pot owes more than it has"
		);
		Ok(())
	}

	fn try_escrows() -> Result<(), TryRuntimeError> {
		for (requester, escrow) in Escrows::<T>::iter() {
			let held = T::Currency::balance_on_hold(&HoldReason::Escrow.into(), &requester);
			ensure!(held == escrow.held, "3: an escrow is not on hold");
			ensure!(escrow.reserved <= escrow.held, "3: more is reserved than held");
		}
		Ok(())
	}

	fn try_requests() -> Result<(), TryRuntimeError> {
		let mut reserved = BTreeMap::<AccountId, Balance>::new();
		let mut requests = 0usize;
		for (id, request) in Requests::<T>::iter() {
			let sum = reserved.entry(request.requester).or_default();
			*sum = sum.saturating_add(request.max_price);
			let place = Deadlines::<T>::get(request.deadline);
			ensure!(place.contains(&id), "5: a request has no deadline");
			ensure!(request.deadline > Self::now(), "5: a deadline has passed");
			if let RequestState::Matched { until, .. } = request.state {
				ensure!(until < request.deadline, "5: a match outlasts its request");
			}
			requests = requests.saturating_add(1);
		}
		let places =
			Deadlines::<T>::iter_values().fold(0usize, |sum, ids| sum.saturating_add(ids.len()));
		ensure!(places == requests, "5: a deadline has no request");
		for (requester, escrow) in Escrows::<T>::iter() {
			let promised = reserved.remove(&requester).unwrap_or(0);
			ensure!(escrow.reserved == promised, "4: reserved is not the sum of the requests");
		}
		ensure!(reserved.is_empty(), "4: a request has no escrow");
		Ok(())
	}

	fn try_keys() -> Result<(), TryRuntimeError> {
		let mut listed = BTreeSet::<AccountId>::new();
		for (requester, slots) in KeysOf::<T>::iter() {
			for slot in slots {
				let info = Keys::<T>::get(&slot.key).ok_or("6: a listed key is missing")?;
				ensure!(info.requester == requester, "6: a key is in another's list");
				ensure!(info.revoked == slot.free_from.is_some(), "6: a key's place is wrong");
				ensure!(listed.insert(slot.key), "6: a key is listed twice");
			}
		}
		ensure!(Keys::<T>::iter_keys().count() == listed.len(), "6: a key is not listed");
		Ok(())
	}
}
