//! Vesting: what was earned in an epoch is paid, and what is to be burnt is burnt, once no record of
//! the epoch can fail an audit any more (`docs/protocol/economics.md`).

use crate::{pallet::*, WeightInfo};
use aria_primitives::{
	traits::{AuditDraw, Consents, Workers},
	AccountId, Balance, EpochIndex,
};
use frame_support::{
	ensure,
	storage::with_storage_layer,
	traits::{
		fungible::Mutate,
		tokens::{Fortitude, Precision, Preservation},
		Get,
	},
	weights::Weight,
};
use sp_runtime::{traits::Zero, DispatchError, DispatchResult, SaturatedConversion};

/// Takes `amount` out of a total; one of which nothing is left is gone.
fn lower(total: &mut Option<Balance>, amount: Balance) {
	let left = total.unwrap_or(0).saturating_sub(amount);
	*total = (!left.is_zero()).then_some(left);
}

impl<T: Config> Pallet<T> {
	/// Whether the records of `epoch` and of all epochs before it can't fail an audit any more: its time
	/// is over, and all that were drawn have a verdict, however late that is. A failure takes everything
	/// that its worker has not been paid, so nothing is paid past an audit that is open.
	fn is_closed(epoch: EpochIndex) -> bool {
		epoch.saturating_add(T::VestingEpochs::get()) <= T::Audit::current_epoch()
			&& T::Audit::is_closed_through(epoch)
	}

	/// Whether what lies in the bucket of `epoch` for `payee` was taken by a failed audit.
	pub(crate) fn is_forfeited(epoch: EpochIndex, payee: &AccountId) -> bool {
		Forfeited::<T>::get(payee).is_some_and(|last| epoch <= last)
	}

	pub(crate) fn do_release(epoch: EpochIndex, payee: AccountId) -> DispatchResult {
		ensure!(Self::is_closed(epoch), Error::<T>::EpochNotClosed);
		ensure!(!Self::is_forfeited(epoch, &payee), Error::<T>::NothingToRelease);
		let amount = Unvested::<T>::take(epoch, &payee).ok_or(Error::<T>::NothingToRelease)?;
		Self::make_room(epoch, &payee);
		Self::burn_bucket(epoch);
		Self::pay_out(epoch, payee, amount);
		Ok(())
	}

	/// Counts what records of a closed bucket cost no more for an account, as one of several stages and as
	/// their gateway.
	fn make_room(epoch: EpochIndex, payee: &AccountId) {
		if let Some(price) = Shared::<T>::take(epoch, payee) {
			SharedTotal::<T>::mutate_exists(payee, |total| lower(total, price));
		}
		if let Some(price) = Answered::<T>::take(epoch, payee) {
			AnsweredTotal::<T>::mutate_exists(payee, |total| lower(total, price));
		}
	}

	pub(crate) fn do_claim(payee: AccountId) -> DispatchResult {
		let amount = Unclaimed::<T>::take(&payee).ok_or(Error::<T>::NothingToClaim)?;
		Self::pay(&payee, amount)?;
		Self::deposit_event(Event::Claimed { payee, amount });
		Ok(())
	}

	/// Pays out of closed buckets as much as `remaining` allows; returns what that weighs.
	pub(crate) fn drain_within(remaining: Weight) -> Weight {
		let base = T::WeightInfo::drain(0);
		let each = T::WeightInfo::drain(1).saturating_sub(base);
		let Some(room) = remaining.checked_sub(&base) else { return Weight::zero() };
		let most = T::MaxReleasesPerBlock::get();
		let budget: u32 = room
			.checked_div_per_component(&each)
			.map_or(most, |affordable| most.min(affordable.saturated_into()));
		T::WeightInfo::drain(Self::drain(budget))
	}

	/// Takes up to `budget` steps, each a payment with what counts no more for its payee, a price that
	/// counts no more for who is paid nothing, or the end of a bucket; returns how many it took.
	pub(crate) fn drain(budget: u32) -> u32 {
		let (first, mut steps) = (NextBucket::<T>::get(), 0u32);
		let mut bucket = first;
		while steps < budget && Self::is_closed(bucket) {
			let room = budget.saturating_sub(steps).saturated_into();
			for (payee, amount) in Unvested::<T>::drain_prefix(bucket).take(room) {
				Self::make_room(bucket, &payee);
				Self::pay_out(bucket, payee, amount);
				steps = steps.saturating_add(1);
			}
			let room = budget.saturating_sub(steps).saturated_into();
			for (worker, price) in Shared::<T>::drain_prefix(bucket).take(room) {
				SharedTotal::<T>::mutate_exists(&worker, |total| lower(total, price));
				steps = steps.saturating_add(1);
			}
			let room = budget.saturating_sub(steps).saturated_into();
			for (gateway, price) in Answered::<T>::drain_prefix(bucket).take(room) {
				AnsweredTotal::<T>::mutate_exists(&gateway, |total| lower(total, price));
				steps = steps.saturating_add(1);
			}
			if steps < budget {
				Self::burn_bucket(bucket);
				bucket = bucket.saturating_add(1);
				steps = steps.saturating_add(1);
			}
		}
		if bucket != first {
			NextBucket::<T>::put(bucket);
		}
		steps
	}

	/// Burns what a closed bucket has to burn.
	fn burn_bucket(epoch: EpochIndex) {
		let amount = UnvestedBurn::<T>::get(epoch);
		if amount.is_zero() {
			return;
		}
		let burnt = T::Currency::burn_from(
			&Self::pot(),
			amount,
			Preservation::Preserve,
			Precision::Exact,
			Fortitude::Force,
		);
		// The pot always has it; if not, the figure stays, for `try_state` to tell.
		if burnt.is_ok() {
			UnvestedBurn::<T>::remove(epoch);
			Self::deposit_event(Event::Burnt { epoch, amount });
		}
	}

	/// Counts `amount` out of what is unvested in all buckets.
	pub(crate) fn lower_unvested_total(payee: &AccountId, amount: Balance) {
		UnvestedTotal::<T>::mutate_exists(payee, |total| lower(total, amount));
	}

	/// Pays what left [`Unvested`], or keeps it for [`Pallet::claim`].
	fn pay_out(epoch: EpochIndex, payee: AccountId, amount: Balance) {
		if Self::is_forfeited(epoch, &payee) {
			if Forfeited::<T>::get(&payee) == Some(epoch) {
				Forfeited::<T>::remove(&payee);
			}
			return;
		}
		Self::lower_unvested_total(&payee, amount);
		if with_storage_layer::<(), DispatchError, _>(|| Self::pay(&payee, amount)).is_ok() {
			Self::deposit_event(Event::Released { epoch, payee, amount });
		} else {
			Unclaimed::<T>::mutate(&payee, |entry| {
				*entry = Some(entry.unwrap_or(0).saturating_add(amount));
			});
			Self::deposit_event(Event::PaymentKept { payee, amount });
		}
	}

	/// Pays `amount` out of the pot: what the payee lacks of a worker's stake stays with it, the rest
	/// goes where its consent says.
	fn pay(payee: &AccountId, amount: Balance) -> DispatchResult {
		T::Currency::transfer(&Self::pot(), payee, amount, Preservation::Preserve)?;
		let staked = T::Workers::stake_from_earnings(payee, amount);
		let rest = amount.saturating_sub(staked);
		let payout = T::Consents::payout(payee);
		if payout != *payee && !rest.is_zero() {
			// What can't go on, for example because the other account would not exist, is the
			// payee's own already.
			let _ = with_storage_layer::<Balance, DispatchError, _>(|| {
				T::Currency::transfer(payee, &payout, rest, Preservation::Expendable)
			});
		}
		Ok(())
	}
}
