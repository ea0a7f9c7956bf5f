//! Counting work and authored blocks, and the factors that they have in a reward.

use crate::{
	pallet::{Authored, Config, Eras, Event, Lines, ModelEnergy, Pallet},
	types::{efficiency_ceiling, Counted, EraInfo, EraState, LineFactors, Terms, WorkLine},
};
use aria_math::{
	efficiency::efficiency,
	quality::{latency_score, quality},
	reward::{burn_bound, reward, weighted, Factors, RewardBreakdown},
	wide::mul_div_floor,
};
use aria_primitives::{
	traits::{LotteryWork, Uptime, WorkNote, WorkSink},
	AccountId, EraIndex, ModelId, PPM,
};
use frame_support::traits::Contains;
use sp_runtime::SaturatedConversion;

impl<T: Config> WorkSink for Pallet<T> {
	fn current_era() -> EraIndex {
		Self::current_era()
	}

	/// Counts a stage's work as far as the fees that were burnt on it support it. A stage of which
	/// nothing counts leaves no trace: neither shares in the pool nor averages of energy can be moved
	/// for free.
	fn note_work(note: WorkNote) {
		let era = Self::current_era();
		let terms = Eras::<T>::get(era).map_or_else(Self::terms, |info| info.terms);
		let counted = Counted::of(&note, &terms);
		if counted.work == 0 {
			return;
		}
		let expected = Self::expected_energy_nj(era, &note.model, &counted);
		let ceiling = efficiency_ceiling(note.energy_source, T::Meters::contains(&note.worker));
		let slot = Lines::<T>::get(era, &note.worker);
		let is_new = slot.is_none();
		let mut line = slot.unwrap_or_default();
		let before = line.expected_weighted;
		line.add(&note, &counted, expected, ceiling);
		line.expected_weighted = Self::factors(era, &note.worker, &line, &terms).weighted;
		let after = line.expected_weighted;
		Lines::<T>::insert(era, &note.worker, line);
		ModelEnergy::<T>::mutate(era, note.model, |used| {
			used.energy_nj = used.energy_nj.saturating_add(counted.energy_nj);
			used.work = used.work.saturating_add(counted.work);
		});
		Eras::<T>::mutate_extant(era, |info| {
			info.total_work = info.total_work.saturating_add(counted.work);
			info.expected_weighted =
				info.expected_weighted.saturating_sub(before).saturating_add(after);
			info.workers = info.workers.saturating_add(is_new.into());
		});
		// What no fee supports would win blocks for free as well.
		T::Lottery::note_work(&note.worker, counted.work);
	}

	/// Takes a stage's work out of its era again, as far as it counts there; the fees burnt on it
	/// support no other work. The highest efficiency stays what the stage made it, unless it was the
	/// worker's only one.
	fn revoke_work(era: EraIndex, note: WorkNote) {
		let Some(mut info) = Eras::<T>::get(era) else { return };
		let Some(mut line) = Lines::<T>::get(era, &note.worker) else { return };
		if !matches!(info.state, EraState::Open | EraState::Closed) {
			return;
		}
		let counted = Counted::of(&note, &info.terms);
		if counted.work == 0 {
			return;
		}
		let expected = Self::expected_energy_nj(era, &note.model, &counted);
		let (work, before) = (counted.work.min(line.work), line.expected_weighted);
		line.remove(&note, &counted, expected);
		let gone = line.records == 0;
		line.expected_weighted =
			if gone { 0 } else { Self::factors(era, &note.worker, &line, &info.terms).weighted };
		ModelEnergy::<T>::mutate_exists(era, note.model, |entry| {
			let mut used = entry.take().unwrap_or_default();
			used.energy_nj = used.energy_nj.saturating_sub(counted.energy_nj);
			used.work = used.work.saturating_sub(work);
			*entry = (used.work > 0).then_some(used);
		});
		info.total_work = info.total_work.saturating_sub(work);
		info.expected_weighted =
			info.expected_weighted.saturating_sub(before).saturating_add(line.expected_weighted);
		if gone {
			info.workers = info.workers.saturating_sub(1);
			Lines::<T>::remove(era, &note.worker);
		} else {
			Lines::<T>::insert(era, &note.worker, line);
		}
		Eras::<T>::insert(era, info);
		Self::deposit_event(Event::WorkRevoked { era, worker: note.worker, work });
	}
}

impl<T: Config> Pallet<T> {
	/// Counts a block of `author` in the current era. The runtime calls it for each block, through
	/// the authorship pallet's event handler. A block belongs to the era that begins with it.
	pub fn note_author(author: AccountId) {
		Self::roll_over(frame_system::Pallet::<T>::block_number().saturated_into());
		let era = Self::current_era();
		Authored::<T>::mutate(era, author, |blocks| *blocks = blocks.saturating_add(1));
		Eras::<T>::mutate_extant(era, |info| info.authored = info.authored.saturating_add(1));
	}

	/// Energy in nanojoules that the counted work would have taken at the average of its model in
	/// the era before; what it did take where there is no such average.
	fn expected_energy_nj(era: EraIndex, model: &ModelId, counted: &Counted) -> u128 {
		let own = counted.energy_nj;
		let Some(previous) = era.checked_sub(1) else { return own };
		let used = ModelEnergy::<T>::get(previous, model);
		if used.energy_nj == 0 {
			return own;
		}
		mul_div_floor(counted.work, used.energy_nj, used.work).unwrap_or(own)
	}

	/// The factors of a line, as far as they are known now.
	pub(crate) fn factors(
		era: EraIndex,
		worker: &AccountId,
		line: &WorkLine,
		terms: &Terms,
	) -> LineFactors {
		let uptime_ppm = T::Uptime::uptime(worker, era).unwrap_or(PPM).min(PPM);
		let audit_ppm = T::Uptime::audit_pass_rate(worker, era).unwrap_or(PPM).min(PPM);
		let latency_ppm = latency_score(line.latency_ms(), terms.latency_target_ms.into());
		let quality_ppm = quality(uptime_ppm, latency_ppm, audit_ppm);
		let efficiency_ppm =
			efficiency(line.expected_energy_mj(), line.energy_mj(), line.ceiling_ppm);
		let weighted = weighted(&Factors { work: line.work, quality_ppm, efficiency_ppm });
		LineFactors { uptime_ppm, latency_ppm, audit_ppm, quality_ppm, efficiency_ppm, weighted }
	}

	/// The reward of a line in an era whose workers have `total_weighted` together.
	pub(crate) fn breakdown(
		info: &EraInfo,
		total_weighted: u128,
		line: &WorkLine,
		factors: &LineFactors,
	) -> RewardBreakdown {
		let LineFactors { quality_ppm, efficiency_ppm, .. } = *factors;
		reward(
			info.worker_pool,
			total_weighted,
			&Factors { work: line.work, quality_ppm, efficiency_ppm },
			info.terms.rate_cap,
			burn_bound(line.burnt, info.terms.beta_ppm),
		)
	}
}
