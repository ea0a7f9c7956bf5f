//! When eras begin and end, and what is in their pools.

use crate::{
	pallet::{Config, CurrentEra, EraEnding, EraEpochs, Eras, Event, Pallet},
	types::{EraInfo, EraPosition, EraState, Terms},
	WeightInfo,
};
use aria_math::wide::mul_ppm;
use aria_primitives::{traits::AuditDraw, Balance, BlockNumber, EraIndex, Ppm};
use frame_support::{traits::Get, weights::Weight};

impl<T: Config> Pallet<T> {
	/// The parameters that an era beginning now gets.
	pub(crate) fn terms() -> Terms {
		Terms {
			author_share_ppm: T::AuthorShare::get(),
			beta_ppm: T::Beta::get(),
			rate_cap: T::RateCap::get(),
			dilution: T::Dilution::get(),
			latency_target_ms: T::LatencyTarget::get(),
		}
	}

	/// What the schedule emits in the blocks `start..end`: for workers and for block authors, in
	/// planck. The two parts add up to the emission exactly.
	pub(crate) fn pools(
		start: BlockNumber,
		end: BlockNumber,
		author_share_ppm: Ppm,
	) -> (Balance, Balance) {
		let pool = T::Schedule::get().emission_between(start.into(), end.into());
		let authors = mul_ppm(pool, author_share_ppm).min(pool);
		(pool.saturating_sub(authors), authors)
	}

	/// Ends the current era if it is due and begins the next one. Begins the first one in the
	/// pallet's first block.
	///
	/// An era ends at the block that is being executed, not at the one at which it was due: should a
	/// block have gone by without this, its emission belongs to the era that was open.
	pub(crate) fn roll_over(now: BlockNumber) -> Weight {
		let Some(current) = CurrentEra::<T>::get() else {
			Self::begin_era(0, now.max(1));
			return T::WeightInfo::roll_over();
		};
		let ended = now >= current.start.saturating_add(T::EraLength::get());
		let forced = EraEnding::<T>::get() && now > current.start;
		if !ended && !forced {
			// `note_author` comes first in a block, and may have done what is to be paid for here.
			let rolled_over = current.start == now;
			return if rolled_over {
				T::WeightInfo::roll_over()
			} else {
				T::DbWeight::get().reads(2)
			};
		}
		EraEnding::<T>::kill();
		let pool = Eras::<T>::mutate_extant(current.index, |info| {
			let (workers, authors) = Self::pools(info.start, now, info.terms.author_share_ppm);
			info.end = Some(now);
			info.worker_pool = workers;
			info.author_pool = authors;
			info.state = EraState::Closed;
			info.pool()
		});
		EraEpochs::<T>::insert(current.index, T::Audit::current_epoch());
		Self::deposit_event(Event::EraEnded { era: current.index, pool });
		Self::begin_era(current.index.saturating_add(1), now);
		T::WeightInfo::roll_over()
	}

	/// An era that begins at `start` and is not over. Its pools are those that it will have if it
	/// ends when it is due to.
	pub(crate) fn open_era(start: BlockNumber) -> EraInfo {
		let terms = Self::terms();
		let due = start.saturating_add(T::EraLength::get());
		let (worker_pool, author_pool) = Self::pools(start, due, terms.author_share_ppm);
		EraInfo {
			start,
			end: None,
			worker_pool,
			author_pool,
			terms,
			workers: 0,
			total_work: 0,
			total_weighted: 0,
			expected_weighted: 0,
			authored: 0,
			paid_workers: 0,
			paid_authors: 0,
			minted: 0,
			state: EraState::Open,
		}
	}

	fn begin_era(index: EraIndex, start: BlockNumber) {
		let info = Self::open_era(start);
		let pool = info.pool();
		CurrentEra::<T>::put(EraPosition { index, start });
		Eras::<T>::insert(index, info);
		Self::deposit_event(Event::EraStarted { era: index, pool });
	}
}
