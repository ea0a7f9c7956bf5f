//! What the registry keeps of a validator.

use aria_math::lottery::decayed;
use aria_primitives::{AccountId, Balance, BlockNumber, Ppm};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::ConstU32;
use sp_runtime::{BoundedBTreeMap, Perbill};
use sp_staking::SessionIndex;

/// Most sessions of which a validator's offences are noted.
pub const MAX_OFFENCE_NOTES: u32 = 64;

/// Most epochs whose work waits for the end of their audits.
pub const MAX_WORK_EPOCHS: u32 = 64;

/// What a validator was slashed, by session of the offence: of the latest sessions, if there are
/// more than [`MAX_OFFENCE_NOTES`].
pub type OffenceNotes = BoundedBTreeMap<SessionIndex, OffenceNote, ConstU32<MAX_OFFENCE_NOTES>>;

/// Where a validator stands between coming and going.
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
pub enum ValidatorState {
	/// It may be chosen for the next session.
	Candidate,
	/// It may not be chosen, and keeps its stake on hold.
	Chilled {
		/// The block in which that began.
		since: BlockNumber,
	},
	/// It may not be chosen, and its stake unlocks at `until`.
	Unbonding {
		/// The first block in which it may withdraw.
		until: BlockNumber,
	},
}

/// Why a validator is no candidate any more.
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
pub enum ChillReason {
	/// It asked for it.
	Asked,
	/// It neither authored a block nor sent a heartbeat for too many sessions.
	Absence,
	/// It committed an offence.
	Offence,
	/// All places were taken, and a newcomer staked more.
	Outbid,
}

/// A validator.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
pub struct ValidatorInfo {
	/// What it has on hold, in planck.
	pub stake: Balance,
	/// Whether genesis let it in without the minimum stake.
	pub stake_waived: bool,
	/// Where it stands.
	pub state: ValidatorState,
	/// Sessions in a row in which it was active and silent.
	pub absences: u32,
	/// The last session in which it authored a block or sent a heartbeat.
	pub seen: Option<SessionIndex>,
	/// The last session in which it sent a heartbeat.
	pub heartbeat: Option<SessionIndex>,
	/// The block in which it registered; 0 for genesis.
	pub registered_at: BlockNumber,
}

impl ValidatorInfo {
	/// A new candidate.
	pub(crate) fn new(stake: Balance, stake_waived: bool, registered_at: BlockNumber) -> Self {
		Self {
			stake,
			stake_waived,
			state: ValidatorState::Candidate,
			absences: 0,
			seen: None,
			heartbeat: None,
			registered_at,
		}
	}
}

/// A validator as dashboards show it.
#[derive(Clone, PartialEq, Eq, Encode, Decode, TypeInfo, Debug)]
pub struct ValidatorView {
	/// What the registry keeps.
	pub info: ValidatorInfo,
	/// Whether it has session keys, without which it can't be chosen.
	pub has_keys: bool,
	/// Whether it is in the set of this session.
	pub active: bool,
	/// Whether it is in the set of the next session.
	pub queued: bool,
}

/// A worker that a validator claims, and whether the worker agreed.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
pub struct Link {
	/// The worker.
	pub worker: AccountId,
	/// Whether the worker accepted.
	pub accepted: bool,
}

/// What a validator was slashed for a session, so that repeated reports of it take only the
/// difference.
#[derive(Clone, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo, Debug)]
pub struct OffenceNote {
	/// Its stake before, in planck.
	pub base: Balance,
	/// The part of it that was taken.
	pub fraction: Perbill,
}

/// Work of one worker in one epoch, while its records can still fail an audit.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
pub struct PendingWork {
	/// The validator that the worker was linked with when the first of it was settled.
	pub validator: AccountId,
	/// In thousands of parameter-tokens; above 0.
	pub work: u128,
}

/// A validator's sum of verified work, of which each session takes a part away.
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
	Default,
)]
pub struct VerifiedWork {
	/// In thousands of parameter-tokens, as it was in `session`.
	pub sum: u128,
	/// The session in which something was added last.
	pub session: SessionIndex,
}

impl VerifiedWork {
	/// What is left of it in a later session, if each leaves `keep_ppm`.
	pub fn at(&self, session: SessionIndex, keep_ppm: Ppm) -> u128 {
		decayed(self.sum, keep_ppm, session.saturating_sub(self.session))
	}
}
