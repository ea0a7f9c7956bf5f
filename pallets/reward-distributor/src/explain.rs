//! What a worker's reward is made of.

use crate::{
	pallet::{Config, Eras, Lines, Pallet},
	types::EraState,
};
use aria_primitives::{traits::Consents, views::RewardExplanation, AccountId, EraIndex};

impl<T: Config> Pallet<T> {
	/// See [`Pallet::explain`].
	pub(crate) fn explanation(era: EraIndex, worker: AccountId) -> Option<RewardExplanation> {
		let info = Eras::<T>::get(era)?;
		let line = Lines::<T>::get(era, &worker)?;
		let factors =
			line.factors.unwrap_or_else(|| Self::factors(era, &worker, &line, &info.terms));
		let total_weighted = if info.state.is_summed() {
			info.total_weighted
		} else {
			info.expected_weighted
				.saturating_sub(line.expected_weighted)
				.saturating_add(factors.weighted)
		};
		let breakdown = Self::breakdown(&info, total_weighted, &line, &factors);
		let settled = info.state == EraState::Settled;
		let payout = match &line.payout {
			Some(payout) => payout.amount,
			None if settled => 0,
			None => breakdown.payout,
		};
		let (energy_mj, expected_energy_mj) = (line.energy_mj(), line.expected_energy_mj());
		let payout_account =
			line.payout.map_or_else(|| T::Consents::payout(&worker), |payout| payout.account);
		Some(RewardExplanation {
			era,
			worker,
			settled,
			era_start: info.start,
			era_end: info.end,
			pool: info.worker_pool,
			work: line.work,
			records: line.records,
			uptime_ppm: factors.uptime_ppm,
			latency_ppm: factors.latency_ppm,
			audit_ppm: factors.audit_ppm,
			quality_ppm: factors.quality_ppm,
			energy_mj,
			expected_energy_mj,
			efficiency_ceiling_ppm: line.ceiling_ppm,
			efficiency_ppm: factors.efficiency_ppm,
			weighted: factors.weighted,
			total_weighted,
			by_rate: breakdown.rate_limited,
			burnt: line.burnt,
			burn_bound: breakdown.burn_limited,
			payout,
			payout_account,
		})
	}
}
