//! Counting work and authored blocks, and the factors that they have in a reward.

use crate::{
	pallet::{Authored, Config, Eras, Lines, ModelEnergy, Pallet},
	types::{efficiency_ceiling, EraInfo, LineFactors, Terms, WorkLine, NANO_PER_MILLI},
};
use aria_math::{
	efficiency::efficiency,
	quality::{latency_score, quality},
	reward::{burn_bound, reward, weighted, Factors, RewardBreakdown},
	wide::mul_div_floor,
};
use aria_primitives::{
	traits::{Uptime, WorkNote, WorkSink},
	AccountId, EraIndex, PPM,
};
use frame_support::traits::Contains;
use sp_runtime::SaturatedConversion;

impl<T: Config> WorkSink for Pallet<T> {
	fn current_era() -> EraIndex {
		Self::current_era()
	}

	fn note_work(note: WorkNote) {
		let era = Self::current_era();
		let expected = Self::expected_energy_nj(era, &note);
		let ceiling = efficiency_ceiling(note.energy_source, T::Meters::contains(&note.worker));
		let is_new = Lines::<T>::mutate(era, &note.worker, |slot| {
			let is_new = slot.is_none();
			slot.get_or_insert_with(WorkLine::default).add(&note, expected, ceiling);
			is_new
		});
		if note.work > 0 {
			ModelEnergy::<T>::mutate(era, note.model, |used| {
				used.energy_mj = used.energy_mj.saturating_add(note.energy_mj.into());
				used.work = used.work.saturating_add(note.work);
			});
		}
		Eras::<T>::mutate_extant(era, |info| {
			info.total_work = info.total_work.saturating_add(note.work);
			info.workers = info.workers.saturating_add(is_new.into());
		});
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

	/// Energy in nanojoules that the noted work would have taken at the average of its model in the
	/// era before; what it did take where there is no such average.
	fn expected_energy_nj(era: EraIndex, note: &WorkNote) -> u128 {
		let own = u128::from(note.energy_mj).saturating_mul(NANO_PER_MILLI);
		let Some(previous) = era.checked_sub(1) else { return own };
		let used = ModelEnergy::<T>::get(previous, note.model);
		if used.energy_mj == 0 {
			return own;
		}
		let energy_nj = used.energy_mj.saturating_mul(NANO_PER_MILLI);
		mul_div_floor(note.work, energy_nj, used.work).unwrap_or(own)
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
			efficiency(line.expected_energy_mj(), line.energy_mj, line.ceiling_ppm);
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
