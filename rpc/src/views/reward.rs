//! A reward, factor by factor.

use super::encoding::{account, decimal};
use aria_primitives::{views::RewardExplanation, AccountId, Balance, BlockNumber, EraIndex, Ppm};
use serde::{Deserialize, Serialize};

/// Every factor of a worker's reward in an era (paper, section 7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RewardView {
	/// The era.
	pub era: EraIndex,
	/// The worker.
	#[serde(with = "account")]
	pub worker: AccountId,
	/// Whether the era's figures are final.
	pub settled: bool,
	/// First block of the era.
	pub era_start: BlockNumber,
	/// One past the last block of the era; `null` while it goes on.
	pub era_end: Option<BlockNumber>,
	/// Emission scheduled for the workers in the era, in planck.
	#[serde(with = "decimal")]
	pub pool: Balance,
	/// Work, in thousands of parameter-tokens.
	#[serde(with = "decimal")]
	pub work: u128,
	/// Records that the work comes from.
	pub records: u32,
	/// Uptime, in parts per million.
	pub uptime_ppm: Ppm,
	/// Latency score, in parts per million.
	pub latency_ppm: Ppm,
	/// Audits passed, in parts per million.
	pub audit_ppm: Ppm,
	/// Quality out of these three.
	pub quality_ppm: Ppm,
	/// Energy, in millijoules.
	#[serde(with = "decimal")]
	pub energy_mj: u128,
	/// Energy that the network's average would have taken, in millijoules.
	#[serde(with = "decimal")]
	pub expected_energy_mj: u128,
	/// Largest efficiency that the source of the worker's energy figures allows.
	pub efficiency_ceiling_ppm: Ppm,
	/// Efficiency.
	pub efficiency_ppm: Ppm,
	/// work × quality × efficiency.
	#[serde(with = "decimal")]
	pub weighted: u128,
	/// Sum of `weighted` over all workers of the era.
	#[serde(with = "decimal")]
	pub total_weighted: u128,
	/// Share of the pool by weight, before bounds, in planck.
	#[serde(with = "decimal")]
	pub by_rate: Balance,
	/// Fees burnt on the worker's records, in planck.
	#[serde(with = "decimal")]
	pub burnt: Balance,
	/// Most that those allow, in planck.
	#[serde(with = "decimal")]
	pub burn_bound: Balance,
	/// What was or would be paid, in planck.
	#[serde(with = "decimal")]
	pub payout: Balance,
	/// Where it goes.
	#[serde(with = "account")]
	pub payout_account: AccountId,
}

impl From<RewardExplanation> for RewardView {
	fn from(reward: RewardExplanation) -> Self {
		Self {
			era: reward.era,
			worker: reward.worker,
			settled: reward.settled,
			era_start: reward.era_start,
			era_end: reward.era_end,
			pool: reward.pool,
			work: reward.work,
			records: reward.records,
			uptime_ppm: reward.uptime_ppm,
			latency_ppm: reward.latency_ppm,
			audit_ppm: reward.audit_ppm,
			quality_ppm: reward.quality_ppm,
			energy_mj: reward.energy_mj,
			expected_energy_mj: reward.expected_energy_mj,
			efficiency_ceiling_ppm: reward.efficiency_ceiling_ppm,
			efficiency_ppm: reward.efficiency_ppm,
			weighted: reward.weighted,
			total_weighted: reward.total_weighted,
			by_rate: reward.by_rate,
			burnt: reward.burnt,
			burn_bound: reward.burn_bound,
			payout: reward.payout,
			payout_account: reward.payout_account,
		}
	}
}
