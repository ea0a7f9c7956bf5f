//! A consent.

use super::encoding::{account, decimal};
use aria_primitives::{
	consent::{ConsentVersion, RewardMode, RewardPreference, Schedule, TaskType, Window},
	AccountId, Balance, BlockNumber,
};
use serde::{Deserialize, Serialize};

/// A version of a worker's consent (paper, 3.1; `docs/protocol/consent.md`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsentView {
	/// Counts from 1 for each worker.
	pub version: u32,
	/// Share of all logical CPUs, `1..=100`.
	pub cpu_percent: u8,
	/// When.
	pub schedule: ScheduleView,
	/// Which kinds of task: `text_generation`, `embedding`, `audit`.
	pub task_types: Vec<TaskType>,
	/// Network limit, in megabits a second.
	pub max_bandwidth_mbps: u32,
	/// Memory limit, in mebibytes.
	pub max_memory_mb: u32,
	/// What for.
	pub reward_preference: RewardPreferenceView,
	/// The block that set it.
	pub set_at: BlockNumber,
	/// The block that replaced or withdrew it; `null` while it is in force.
	pub superseded_at: Option<BlockNumber>,
}

/// When a machine may be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleView {
	/// Bit 0 is Monday, bit 6 is Sunday.
	pub days: u8,
	/// Local time minus UTC, in minutes.
	pub utc_offset_minutes: i16,
	/// Hours of those days, `from` and `to` in minutes after local midnight.
	pub windows: Vec<Window>,
}

/// What a contributor wants for the work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RewardPreferenceView {
	/// Where earnings go.
	#[serde(with = "account")]
	pub payout: AccountId,
	/// Least price of an output token, in planck.
	#[serde(with = "decimal")]
	pub minimum_price: Balance,
	/// `keep` or `donate`.
	pub mode: RewardMode,
}

impl From<ConsentVersion> for ConsentView {
	fn from(ConsentVersion { version, consent, set_at, superseded_at }: ConsentVersion) -> Self {
		Self {
			version,
			cpu_percent: consent.cpu_percent,
			schedule: consent.schedule.into(),
			task_types: consent.task_types.into_inner(),
			max_bandwidth_mbps: consent.max_bandwidth_mbps,
			max_memory_mb: consent.max_memory_mb,
			reward_preference: consent.reward_preference.into(),
			set_at,
			superseded_at,
		}
	}
}

impl From<Schedule> for ScheduleView {
	fn from(Schedule { days, utc_offset_minutes, windows }: Schedule) -> Self {
		Self { days, utc_offset_minutes, windows: windows.into_inner() }
	}
}

impl From<RewardPreference> for RewardPreferenceView {
	fn from(RewardPreference { payout, minimum_price, mode }: RewardPreference) -> Self {
		Self { payout, minimum_price, mode }
	}
}
