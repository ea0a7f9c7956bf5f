//! Settling an era over several blocks: fix the factors and sum them up, pay authors, pay workers;
//! and removing the lines of eras that are long settled.

use crate::{
	pallet::{
		Authored, Config, EraEpochs, Eras, Error, Event, Lines, ModelEnergy, NextToPrune,
		NextToSettle, Pallet, TotalMinted, TotalUnclaimed, Unclaimed,
	},
	types::{EraInfo, EraState, Payout, WorkLine},
	WeightInfo,
};
use alloc::vec::Vec;
use aria_math::wide::mul_div_floor;
use aria_primitives::{
	traits::{AuditDraw, Consents},
	AccountId, Balance, EraIndex,
};
use frame_support::{
	ensure,
	traits::{fungible::Mutate, Get},
	weights::Weight,
};
use sp_runtime::{DispatchResult, SaturatedConversion};

impl<T: Config> Pallet<T> {
	/// One block's part of the settlement of the oldest era that is due; if there is none, of the
	/// removal of old lines.
	pub(crate) fn settle_or_prune() -> Weight {
		// Two more of them: whether audits are over.
		let overhead = T::DbWeight::get().reads(5);
		let (settle, prune) = (NextToSettle::<T>::get(), NextToPrune::<T>::get());
		let old = settle.saturating_add(T::SettleDelay::get()) < Self::current_era();
		let work = if old && Self::audits_are_over(settle) {
			Self::settle(settle)
		} else if prune.saturating_add(T::HistoryEras::get()) < settle {
			let removed = Self::prune(prune, T::MaxWorkersPerBlock::get());
			T::WeightInfo::prune(removed)
		} else {
			Weight::zero()
		};
		overhead.saturating_add(work)
	}

	/// Whether no audit of a record of the era can take work out of it any more.
	fn audits_are_over(era: EraIndex) -> bool {
		EraEpochs::<T>::get(era).is_none_or(T::Audit::is_closed_through)
	}

	/// Takes an era as far towards its settlement as one block may.
	fn settle(era: EraIndex) -> Weight {
		let mut weight = T::DbWeight::get().reads_writes(1, 3);
		let Some(mut info) = Eras::<T>::get(era) else {
			// Eras follow one another without a gap; were one missing, the others should not wait.
			NextToSettle::<T>::put(era.saturating_add(1));
			return weight;
		};
		let mut budget = T::MaxWorkersPerBlock::get();
		while budget > 0 {
			let (used, cost) = match info.state.clone() {
				EraState::Open | EraState::Settled => break,
				EraState::Closed => {
					info.state = EraState::Summing { cursor: None };
					(0, Weight::zero())
				}
				EraState::Summing { cursor } => {
					let used = Self::sum_lines(era, &mut info, cursor, budget);
					(used, T::WeightInfo::sum_lines(used))
				}
				EraState::PayingAuthors { cursor } => {
					let used = Self::pay_authors(era, &mut info, cursor, budget);
					(used, T::WeightInfo::pay_authors(used))
				}
				EraState::PayingWorkers { cursor } => {
					let used = Self::pay_workers(era, &mut info, cursor, budget);
					(used, T::WeightInfo::pay_workers(used))
				}
			};
			budget = budget.saturating_sub(used);
			weight = weight.saturating_add(cost);
		}
		if info.state == EraState::Settled {
			EraEpochs::<T>::remove(era);
			NextToSettle::<T>::put(era.saturating_add(1));
			Self::deposit_event(Event::EraSettled {
				era,
				workers: info.workers,
				paid: info.paid(),
				unminted: info.pool().saturating_sub(info.paid()),
			});
		}
		Eras::<T>::insert(era, info);
		weight
	}

	/// Fixes the factors of at most `limit` lines and adds up their weighted work; returns how many.
	pub(crate) fn sum_lines(
		era: EraIndex,
		info: &mut EraInfo,
		cursor: Option<AccountId>,
		limit: u32,
	) -> u32 {
		let lines = Self::lines_after(era, &cursor, limit);
		let count: u32 = lines.len().saturated_into();
		let mut last = cursor;
		for (worker, mut line) in lines {
			let factors = Self::factors(era, &worker, &line, &info.terms);
			info.total_weighted = info.total_weighted.saturating_add(factors.weighted);
			line.factors = Some(factors);
			Lines::<T>::insert(era, &worker, line);
			last = Some(worker);
		}
		info.state = if count < limit {
			EraState::PayingAuthors { cursor: None }
		} else {
			EraState::Summing { cursor: last }
		};
		count
	}

	/// Pays at most `limit` block authors; returns how many there were.
	pub(crate) fn pay_authors(
		era: EraIndex,
		info: &mut EraInfo,
		cursor: Option<AccountId>,
		limit: u32,
	) -> u32 {
		let entries = match &cursor {
			Some(author) => {
				Authored::<T>::iter_prefix_from(era, Authored::<T>::hashed_key_for(era, author))
			}
			None => Authored::<T>::iter_prefix(era),
		};
		let (mut count, mut last) = (0_u32, cursor);
		for (author, blocks) in entries.take(limit.saturated_into()) {
			count = count.saturating_add(1);
			let left = info.author_pool.saturating_sub(info.paid_authors);
			let amount = mul_div_floor(info.author_pool, blocks.into(), info.authored.into())
				.unwrap_or(0)
				.min(left);
			if amount > 0 {
				info.paid_authors = info.paid_authors.saturating_add(amount);
				if Self::pay(era, &author, amount) {
					info.minted = info.minted.saturating_add(amount);
					let author = author.clone();
					Self::deposit_event(Event::AuthorPaid { era, author, amount });
				}
			}
			last = Some(author);
		}
		info.state = if count < limit {
			EraState::PayingWorkers { cursor: None }
		} else {
			EraState::PayingAuthors { cursor: last }
		};
		count
	}

	/// Pays the workers of at most `limit` lines; returns how many lines there were.
	pub(crate) fn pay_workers(
		era: EraIndex,
		info: &mut EraInfo,
		cursor: Option<AccountId>,
		limit: u32,
	) -> u32 {
		let lines = Self::lines_after(era, &cursor, limit);
		let count: u32 = lines.len().saturated_into();
		let mut last = cursor;
		for (worker, line) in lines {
			Self::pay_worker(era, info, &worker, line);
			last = Some(worker);
		}
		info.state = if count < limit {
			EraState::Settled
		} else {
			EraState::PayingWorkers { cursor: last }
		};
		count
	}

	fn pay_worker(era: EraIndex, info: &mut EraInfo, worker: &AccountId, mut line: WorkLine) {
		let Some(factors) = line.factors else { return };
		// The shares add up to at most the pool; that no more is ever paid need not depend on it.
		let left = info.worker_pool.saturating_sub(info.paid_workers);
		let earned = Self::breakdown(info, info.total_weighted, &line, &factors).payout;
		let amount = earned.min(left);
		if amount == 0 {
			return;
		}
		let account = T::Consents::payout(worker);
		info.paid_workers = info.paid_workers.saturating_add(amount);
		if Self::pay(era, &account, amount) {
			info.minted = info.minted.saturating_add(amount);
			Self::deposit_event(Event::RewardPaid {
				era,
				worker: worker.clone(),
				account: account.clone(),
				amount,
			});
		}
		line.payout = Some(Payout { account, amount });
		Lines::<T>::insert(era, worker, line);
	}

	/// The first `limit` lines of an era behind the cursor, in the order of their storage keys.
	fn lines_after(
		era: EraIndex,
		cursor: &Option<AccountId>,
		limit: u32,
	) -> Vec<(AccountId, WorkLine)> {
		let lines = match cursor {
			Some(worker) => {
				Lines::<T>::iter_prefix_from(era, Lines::<T>::hashed_key_for(era, worker))
			}
			None => Lines::<T>::iter_prefix(era),
		};
		lines.take(limit.saturated_into()).collect()
	}

	/// Mints to the account, and says whether that went; an amount that the account cannot receive
	/// is kept for it instead.
	fn pay(era: EraIndex, account: &AccountId, amount: Balance) -> bool {
		if T::Currency::mint_into(account, amount).is_ok() {
			TotalMinted::<T>::mutate(|total| *total = total.saturating_add(amount));
			return true;
		}
		Unclaimed::<T>::mutate(account, |due| *due = due.saturating_add(amount));
		TotalUnclaimed::<T>::mutate(|total| *total = total.saturating_add(amount));
		Self::deposit_event(Event::RewardDeferred { era, account: account.clone(), amount });
		false
	}

	/// Mints everything that was kept for the account.
	pub(crate) fn do_claim(account: AccountId) -> DispatchResult {
		let amount = Unclaimed::<T>::take(&account);
		ensure!(amount > 0, Error::<T>::NothingToClaim);
		T::Currency::mint_into(&account, amount).map_err(|_| Error::<T>::CannotReceive)?;
		TotalUnclaimed::<T>::mutate(|total| *total = total.saturating_sub(amount));
		TotalMinted::<T>::mutate(|total| *total = total.saturating_add(amount));
		Self::deposit_event(Event::Claimed { account, amount });
		Ok(())
	}

	/// Removes at most `limit` entries of a settled era; returns how many.
	pub(crate) fn prune(era: EraIndex, limit: u32) -> u32 {
		// Drained one by one, because a limited `clear_prefix` does not count what the block itself
		// has changed.
		let mut left = limit;
		left = left.saturating_sub(count_up_to(Lines::<T>::drain_prefix(era), left));
		left = left.saturating_sub(count_up_to(Authored::<T>::drain_prefix(era), left));
		left = left.saturating_sub(count_up_to(ModelEnergy::<T>::drain_prefix(era), left));
		if left > 0 {
			NextToPrune::<T>::put(era.saturating_add(1));
			Self::deposit_event(Event::EraPruned { era });
		}
		limit.saturating_sub(left)
	}
}

/// Takes at most `limit` entries; returns how many there were.
fn count_up_to(entries: impl Iterator, limit: u32) -> u32 {
	entries.take(limit.saturated_into()).count().saturated_into()
}
