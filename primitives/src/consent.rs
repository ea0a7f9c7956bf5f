//! Consent: what a contributor allows (paper, 3.1; `docs/protocol/consent.md`).

use crate::{AccountId, Balance, BlockNumber, Moment};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::ConstU32;
use sp_runtime::BoundedVec;

#[cfg(feature = "std")]
use serde::{Deserialize, Serialize};

/// Most windows of a schedule.
pub const MAX_WINDOWS: u32 = 8;
/// Most kinds of task.
pub const MAX_TASK_TYPES: u32 = 8;
/// Minutes of a day.
pub const DAY_MINUTES: u16 = 1440;
/// Largest offset from UTC either way, in minutes (UTC+14 and UTC-12 exist).
pub const MAX_OFFSET_MINUTES: i16 = 14 * 60;

/// A kind of work that a contributor accepts or not.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Debug,
)]
#[cfg_attr(feature = "std", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
pub enum TaskType {
	/// Tokens for a prompt.
	TextGeneration,
	/// A vector for a text.
	Embedding,
	/// Running another worker's query again.
	Audit,
}

/// Hours of a day, in minutes after local midnight. `from > to` runs over midnight and belongs to
/// the day on which it starts.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Debug,
)]
#[cfg_attr(feature = "std", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
pub struct Window {
	/// First minute, `0..=1439`.
	pub from: u16,
	/// One past the last minute, `1..=1440`.
	pub to: u16,
}

impl Window {
	/// The whole day.
	pub const ALL_DAY: Self = Self { from: 0, to: DAY_MINUTES };

	/// Whether the minutes are in range and the window is not empty.
	pub fn is_valid(&self) -> bool {
		self.from < DAY_MINUTES && self.to >= 1 && self.to <= DAY_MINUTES && self.from != self.to
	}
}

/// When a contributor's machine may be used.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
#[cfg_attr(feature = "std", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
pub struct Schedule {
	/// Bit 0 is Monday, bit 6 is Sunday. No day allows nothing.
	pub days: u8,
	/// Local time minus UTC, in minutes.
	pub utc_offset_minutes: i16,
	/// Hours on each of those days. No window allows nothing.
	pub windows: BoundedVec<Window, ConstU32<MAX_WINDOWS>>,
}

impl Schedule {
	/// Every day.
	pub const ALL_DAYS: u8 = 0b0111_1111;

	/// At any time.
	pub fn always() -> Self {
		let mut windows = BoundedVec::new();
		let _ = windows.try_push(Window::ALL_DAY);
		Self { days: Self::ALL_DAYS, utc_offset_minutes: 0, windows }
	}

	/// Whether days, offset and windows are in range.
	pub fn is_valid(&self) -> bool {
		self.days & !Self::ALL_DAYS == 0
			&& self.utc_offset_minutes.unsigned_abs() <= MAX_OFFSET_MINUTES.unsigned_abs()
			&& self.windows.iter().all(Window::is_valid)
	}

	/// Whether `at` lies in a window of an allowed day, in local time.
	pub fn allows(&self, at: Moment) -> bool {
		const DAY: i64 = DAY_MINUTES as i64;
		let utc = i64::try_from(at.checked_div(60_000).unwrap_or_default()).unwrap_or(i64::MAX / 2);
		let local = utc.saturating_add(i64::from(self.utc_offset_minutes));
		let minute = local.rem_euclid(DAY);
		// The first of January 1970 was a Thursday: day 3 with Monday as 0.
		let weekday = local.div_euclid(DAY).saturating_add(3).rem_euclid(7);
		let yesterday = weekday.saturating_add(6).rem_euclid(7);
		let on = |day: i64| (self.days >> day) & 1 == 1;
		self.windows.iter().any(|window| {
			let (from, to) = (i64::from(window.from), i64::from(window.to));
			if from < to {
				on(weekday) && from <= minute && minute < to
			} else {
				(on(weekday) && minute >= from) || (on(yesterday) && minute < to)
			}
		})
	}
}

/// What happens to a worker's earnings.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Debug,
)]
#[cfg_attr(feature = "std", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
pub enum RewardMode {
	/// They go to the payout account.
	Keep,
	/// They go to the protocol's donation account.
	Donate,
}

/// What a contributor wants for the work.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
#[cfg_attr(feature = "std", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
pub struct RewardPreference {
	/// Where earnings go.
	pub payout: AccountId,
	/// Least price of an output token that the worker works for, in planck.
	pub minimum_price: Balance,
	/// Keep or donate.
	pub mode: RewardMode,
}

/// The consent descriptor `C_i` of the paper (3.1).
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
#[cfg_attr(feature = "std", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
pub struct Consent {
	/// Share of all logical CPUs, `1..=100`.
	pub cpu_percent: u8,
	/// When.
	pub schedule: Schedule,
	/// Which kinds of task, without repetition.
	pub task_types: BoundedVec<TaskType, ConstU32<MAX_TASK_TYPES>>,
	/// Network limit, in megabits a second; at least 1.
	pub max_bandwidth_mbps: u32,
	/// Memory limit, in mebibytes; at least 1.
	pub max_memory_mb: u32,
	/// What for.
	pub reward_preference: RewardPreference,
}

impl Consent {
	/// Whether the consent accepts this kind of task.
	pub fn accepts(&self, task: TaskType) -> bool {
		self.task_types.contains(&task)
	}
}

/// A version of a worker's consent, and when it held.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
#[cfg_attr(feature = "std", derive(Serialize, Deserialize))]
pub struct ConsentVersion {
	/// Counts from 1 for each worker.
	pub version: u32,
	/// The terms.
	pub consent: Consent,
	/// The block that set it.
	pub set_at: BlockNumber,
	/// The block that replaced or withdrew it.
	pub superseded_at: Option<BlockNumber>,
}
