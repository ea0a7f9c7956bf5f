//! What must hold between two blocks.

use crate::{
	pallet::{
		Authored, Config, CurrentEra, Eras, Lines, ModelEnergy, NextToPrune, NextToSettle, Pallet,
		TotalMinted, TotalUnclaimed, Unclaimed,
	},
	types::{EraInfo, EraState},
};
use aria_math::reward::burn_bound;
use aria_primitives::{Balance, EraIndex};
use frame_support::{ensure, traits::Get};
use sp_runtime::{SaturatedConversion, TryRuntimeError};

impl<T: Config> Pallet<T> {
	/// The invariants:
	///
	/// 1. Minted and deferred amounts together never exceed what the schedule has emitted.
	/// 2. The total of deferred amounts is their sum, and none of them is zero.
	/// 3. Eras follow one another without a gap, in number and in blocks; only the current one is
	///    open, and exactly those before [`NextToSettle`] are settled.
	/// 4. The pool of an era is what the schedule emits in its blocks.
	/// 5. An era pays at most its pools; what was minted is at most what was paid.
	/// 6. All eras together paid what was minted or deferred, and nothing else.
	/// 7. Lines, authors and model averages exist only for eras from [`NextToPrune`] on.
	/// 8. Counters of an era whose lines are kept are the sums over its lines and authors.
	/// 9. No payout exceeds the burn bound.
	/// 10. No worker has more work than the fees burnt on it support.
	pub(crate) fn do_try_state() -> Result<(), TryRuntimeError> {
		Self::check_totals()?;
		Self::check_sequence()?;
		// The era whose lines are being removed has only a part of them.
		let (pruned, settled) = (NextToPrune::<T>::get(), NextToSettle::<T>::get());
		let pruning = pruned.saturating_add(T::HistoryEras::get()) < settled;
		let first_whole = pruned.saturating_add(pruning.into());
		let mut paid: Balance = 0;
		for (index, info) in Eras::<T>::iter() {
			Self::check_pools(&info)?;
			if index >= first_whole {
				Self::check_lines(index, &info)?;
			}
			paid = paid.saturating_add(info.paid());
		}
		ensure!(
			paid == TotalMinted::<T>::get().saturating_add(TotalUnclaimed::<T>::get()),
			"6: the eras' payments are not what was minted or deferred"
		);
		Self::check_pruned()
	}

	fn check_totals() -> Result<(), TryRuntimeError> {
		let now: u64 = frame_system::Pallet::<T>::block_number().saturated_into();
		let emitted = T::Schedule::get().total_emission_until(now.saturating_add(1));
		let deferred = TotalUnclaimed::<T>::get();
		ensure!(
			TotalMinted::<T>::get().saturating_add(deferred) <= emitted,
			"1: more was minted or deferred than the schedule has emitted"
		);
		let mut sum: Balance = 0;
		for amount in Unclaimed::<T>::iter_values() {
			ensure!(amount > 0, "2: a deferred amount is zero");
			sum = sum.saturating_add(amount);
		}
		ensure!(sum == deferred, "2: the deferred amounts do not add up to their total");
		Ok(())
	}

	fn check_sequence() -> Result<(), TryRuntimeError> {
		let Some(current) = CurrentEra::<T>::get() else {
			ensure!(Eras::<T>::iter_keys().next().is_none(), "3: there is an era before the first");
			return Ok(());
		};
		let settled = NextToSettle::<T>::get();
		ensure!(NextToPrune::<T>::get() <= settled, "3: lines were removed before settlement");
		ensure!(settled <= current.index, "3: the current era is settled");
		for index in 0..=current.index {
			let info = Eras::<T>::get(index).ok_or("3: an era is missing")?;
			if index == current.index {
				ensure!(info.state == EraState::Open, "3: the current era is not open");
				ensure!(info.start == current.start, "3: the current era starts elsewhere");
				ensure!(info.end.is_none(), "3: the current era has an end");
				continue;
			}
			ensure!(info.state != EraState::Open, "3: an old era is open");
			ensure!(
				(info.state == EraState::Settled) == (index < settled),
				"3: an era's state does not agree with what is settled"
			);
			let next = Eras::<T>::get(index.saturating_add(1)).ok_or("3: an era is missing")?;
			ensure!(info.end == Some(next.start), "3: an era does not end where the next begins");
		}
		ensure!(
			Eras::<T>::iter_keys().all(|index| index <= current.index),
			"3: there is an era of the future"
		);
		Ok(())
	}

	fn check_pools(info: &EraInfo) -> Result<(), TryRuntimeError> {
		if let Some(end) = info.end {
			let emission = T::Schedule::get().emission_between(info.start.into(), end.into());
			ensure!(info.pool() == emission, "4: a pool is not the emission of its blocks");
		}
		ensure!(info.paid_workers <= info.worker_pool, "5: workers got more than their pool");
		ensure!(info.paid_authors <= info.author_pool, "5: authors got more than their pool");
		ensure!(info.minted <= info.paid(), "5: more was minted than paid");
		Ok(())
	}

	fn check_lines(era: EraIndex, info: &EraInfo) -> Result<(), TryRuntimeError> {
		let (mut workers, mut work, mut weighted, mut paid) = (0_u32, 0_u128, 0_u128, 0_u128);
		let mut expected = 0_u128;
		for line in Lines::<T>::iter_prefix_values(era) {
			workers = workers.saturating_add(1);
			work = work.saturating_add(line.work);
			weighted = weighted.saturating_add(line.factors.map_or(0, |factors| factors.weighted));
			expected = expected.saturating_add(line.expected_weighted);
			ensure!(
				line.work <= info.terms.supported_work(line.burnt),
				"10: more work counts than its burnt fees support"
			);
			if let Some(payout) = line.payout {
				paid = paid.saturating_add(payout.amount);
				ensure!(
					payout.amount <= burn_bound(line.burnt, info.terms.beta_ppm),
					"9: a payout exceeds the burn bound"
				);
			}
		}
		ensure!(workers == info.workers, "8: an era's workers are miscounted");
		ensure!(work == info.total_work, "8: an era's work is not the sum over its lines");
		ensure!(weighted == info.total_weighted, "8: an era's weighted work is not the sum");
		ensure!(expected == info.expected_weighted, "8: an era's expected weight is not the sum");
		ensure!(paid == info.paid_workers, "8: an era's payments are not the sum over its lines");
		let authored = Authored::<T>::iter_prefix_values(era)
			.fold(0_u32, |sum, blocks| sum.saturating_add(blocks));
		ensure!(authored == info.authored, "8: an era's authored blocks are miscounted");
		Ok(())
	}

	fn check_pruned() -> Result<(), TryRuntimeError> {
		let kept = NextToPrune::<T>::get();
		ensure!(Lines::<T>::iter_keys().all(|(era, _)| era >= kept), "7: a line was left over");
		ensure!(
			Authored::<T>::iter_keys().all(|(era, _)| era >= kept),
			"7: an author was left over"
		);
		ensure!(
			ModelEnergy::<T>::iter_keys().all(|(era, _)| era >= kept),
			"7: a model's average was left over"
		);
		Ok(())
	}
}
