//! What the pallet stores and answers beside the primitives.

use crate::Error;
use aria_primitives::BlockNumber;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Which versions a worker has had. The kept ones are `oldest..=last`, without a gap.
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
pub struct History {
	/// The newest version; 0 before the first.
	pub last: u32,
	/// The oldest version that is kept; `last + 1` if none is.
	pub oldest: u32,
	/// The block of the last withdrawal.
	pub withdrawn_at: Option<BlockNumber>,
}

impl Default for History {
	fn default() -> Self {
		Self { last: 0, oldest: 1, withdrawn_at: None }
	}
}

impl History {
	/// How many versions are kept.
	pub fn kept(&self) -> u32 {
		self.last.saturating_add(1).saturating_sub(self.oldest)
	}
}

/// Why a consent does not permit something.
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
pub enum Refusal {
	/// None is in force, or the work began after the withdrawal.
	NoConsent,
	/// There is no such version, or it was pruned.
	UnknownVersion,
	/// Set after the anchor, or superseded longer ago than the grace period.
	VersionNotInForce,
	/// This kind of task is not accepted.
	TaskNotPermitted,
	/// The time is outside the schedule.
	OutsideSchedule,
}

impl<T> From<Refusal> for Error<T> {
	fn from(refusal: Refusal) -> Self {
		match refusal {
			Refusal::NoConsent => Self::NoConsent,
			Refusal::UnknownVersion => Self::UnknownVersion,
			Refusal::VersionNotInForce => Self::VersionNotInForce,
			Refusal::TaskNotPermitted => Self::TaskNotPermitted,
			Refusal::OutsideSchedule => Self::OutsideSchedule,
		}
	}
}
