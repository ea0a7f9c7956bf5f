//! Audits as they are stored.

use aria_math::reputation::AuditTally;
use aria_primitives::{
	audit::{AuditParams, FindingKind, Verdict},
	traits::RecordStakes,
	AccountId, Balance, BlockNumber, EpochIndex, EraIndex, Ppm,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{sr25519, ConstU32, H256};
use sp_runtime::BoundedVec;

/// Most epochs with verifiers that do not count yet.
pub const MAX_PENDING_WEIGHTS: u32 = 4;
/// Most audits with the same deadline.
pub const MAX_DEADLINES: u32 = 128;
/// Eras for which verdicts on workers' stages are counted.
pub const TALLY_ERAS: EraIndex = 28;
/// Most counts of verdicts that an epoch's beginning forgets.
pub const MAX_FORGOTTEN: u32 = 256;
/// Windows of the longest audit: five in each of three rounds, seven for disputes, and one for canaries.
pub const MOST_WINDOWS: BlockNumber = 23;
/// Most canaries that are committed to and not shown.
pub const MAX_CANARIES: u32 = 1_000;
/// Epochs from a verifier's registration to its first seat: its key is older than any seed.
pub const KEY_DELAY: EpochIndex = 2;
/// Blocks after which a canary that was not shown has lost its bond, unless its audit may be open.
pub const CANARY_LIFE: BlockNumber = 14_400;
/// Epochs after that of its commitment within which a canary's record is settled: it is no older than
/// the anchor that a record needs.
pub const CANARY_EPOCHS: EpochIndex = 4;
/// Most times that a worker was a verifier of which anything is kept: the earliest goes first.
pub const MAX_FORMER_TERMS: u32 = 16;
/// Most of those that a block drops.
pub const MAX_DROPPED_FORMER: u32 = 4;

/// A worker that runs others' records again.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
pub struct VerifierInfo {
	/// The key of its lots and of what is handed to it.
	pub key: sr25519::Public,
	/// What counts of its stake, in planck: as much as it had when it registered, up to a bound.
	pub weight: Balance,
	/// The first epoch whose rounds it may sit in.
	pub from: EpochIndex,
	/// Its seats in audits that have no verdict.
	pub seats: u32,
	/// Fees of the last while, in planck: not paid before audits that were open then are over.
	pub owed: Balance,
	/// Fees of the while before, in planck.
	pub ripening: Balance,
	/// The block from which on those are paid.
	pub ripe_at: BlockNumber,
	/// The last epoch whose right to make a canary was used.
	pub canary: Option<EpochIndex>,
}

impl VerifierInfo {
	/// Fees that are not paid, in planck.
	pub fn fees(&self) -> Balance {
		self.owed.saturating_add(self.ripening)
	}
}

/// What the rights of a worker are proven with that is no verifier any more.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
pub struct FormerVerifier {
	/// The key of its lots.
	pub key: sr25519::Public,
	/// What counted of its stake, in planck.
	pub weight: Balance,
	/// The first epoch in which it counted.
	pub from: EpochIndex,
	/// The last epoch whose right to make a canary was used.
	pub canary: Option<EpochIndex>,
	/// The block that ended it.
	pub ended_at: BlockNumber,
}

/// What rights to make a canary are drawn by in an epoch.
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
pub struct CanaryLots {
	/// The epoch.
	pub epoch: EpochIndex,
	/// The seed.
	pub seed: H256,
	/// Audits that began in the epoch before.
	pub audits: u32,
	/// What all verifiers had at stake, in planck.
	pub total: Balance,
}

/// What an epoch began with.
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
pub struct EpochTerms {
	/// The numbers of the game, each within its range: by these prices are limited, and records drawn.
	pub params: AuditParams,
	/// Rights to make a canary.
	pub lots: CanaryLots,
}

/// Verdicts on a worker's stages in an era.
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
pub struct Tally {
	/// That found nothing wrong.
	pub passed: u32,
	/// That found the stage to be false.
	pub failed: u32,
}

impl Tally {
	/// The part that was passed, in parts per million; the whole where there was none.
	pub fn pass_rate(&self) -> Ppm {
		AuditTally { passed: self.passed, failed: self.failed }.pass_rate_ppm()
	}
}

/// What all verifiers have at stake together.
#[derive(
	Clone,
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
pub struct TotalWeight {
	/// Of those that count, in planck.
	pub counted: Balance,
	/// Of those that count from an epoch on, ascending.
	pub pending: BoundedVec<(EpochIndex, Balance), ConstU32<MAX_PENDING_WEIGHTS>>,
}

/// The window that an audit is in.
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
pub enum Phase {
	/// It has not begun.
	#[codec(index = 0)]
	Waiting,
	/// Verifiers commit, or say that they are not answered.
	#[codec(index = 1)]
	Commit,
	/// The gateway answers those who say so.
	#[codec(index = 2)]
	Rebut,
	/// Those commit.
	#[codec(index = 3)]
	Answer,
	/// Verifiers say what they committed to.
	#[codec(index = 4)]
	Reveal,
	/// Verifiers show what they computed at positions that nobody knew.
	#[codec(index = 5)]
	Open,
	/// The seats have spoken; whoever made a canary may show it.
	#[codec(index = 6)]
	Canary,
	/// The seats have spoken; whom the verdict is against may contest it.
	#[codec(index = 7)]
	Dispute,
	/// Executors post the nodes of their boundaries.
	#[codec(index = 8)]
	Nodes,
	/// Accusers say below which node theirs differ first.
	#[codec(index = 9)]
	Leaf,
	/// Executors say at which leaf, and post their traces.
	#[codec(index = 10)]
	Defence,
	/// Accusers post theirs.
	#[codec(index = 11)]
	Reply,
	/// Both post the blocks of the first sums that differ.
	#[codec(index = 12)]
	Blocks,
	/// Anybody proves a block false.
	#[codec(index = 13)]
	Proof,
}

impl Phase {
	/// Whether it is a window of disputes.
	pub fn is_dispute(&self) -> bool {
		matches!(
			self,
			Self::Dispute
				| Self::Nodes
				| Self::Leaf | Self::Defence
				| Self::Reply
				| Self::Blocks
				| Self::Proof
		)
	}

	/// Whether the seats were counted, and those without a say have gone.
	pub fn has_verdict(&self) -> bool {
		*self == Self::Canary || self.is_dispute()
	}
}

/// A canary that was shown.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
pub struct ShownCanary {
	/// The stage that is false, from 0.
	pub stage: u16,
	/// Who made it.
	pub maker: AccountId,
	/// Who committed to it, and has the bond on hold.
	pub by: AccountId,
	/// On hold, in planck.
	pub bond: Balance,
	/// Whether its maker's right was used for another one before: then it is not paid, and its worker's
	/// work counts no more in the lottery.
	pub unpaid: bool,
}

/// An audit.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
pub struct Audit {
	/// The epoch that settled the record.
	pub epoch: EpochIndex,
	/// How probable the draw was, in parts per million.
	pub probability_ppm: Ppm,
	/// What hangs on the record.
	pub stakes: RecordStakes,
	/// Parameters, as they were when it began.
	pub params: AuditParams,
	/// The round, from 0.
	pub round: u8,
	/// The epoch in which the round began.
	pub round_epoch: EpochIndex,
	/// What the seats of the round are drawn by.
	pub seed: H256,
	/// What all verifiers had at stake when the round began, in planck.
	pub total: Balance,
	/// What the positions are picked by, from [`Phase::Open`] on.
	pub beacon: H256,
	/// The window.
	pub phase: Phase,
	/// The last block of the window.
	pub until: BlockNumber,
	/// The block that ends the window: the one after it, or later if blocks are full.
	pub due: BlockNumber,
	/// Seats of this round that committed.
	pub committed: u32,
	/// Seats of this round that say that they are not answered.
	pub claimed: u32,
	/// Seats of this round that said so, were answered on chain, and have not committed.
	pub rebutted: u32,
	/// Seats of this round that revealed.
	pub revealed: u32,
	/// What the seats said, once they were counted and what follows is held back, and in a review.
	pub verdict: Option<Verdict>,
	/// What they found in place of the boundary of the stage that failed; 0 where there is none.
	pub root: H256,
	/// The canary, once it was shown.
	pub canary: Option<ShownCanary>,
}

impl Audit {
	/// An audit that waits for its beginning.
	pub fn waiting(epoch: EpochIndex, probability_ppm: Ppm, stakes: RecordStakes) -> Self {
		Self {
			epoch,
			probability_ppm,
			stakes,
			params: AuditParams::DEFAULT,
			round: 0,
			round_epoch: 0,
			seed: H256::zero(),
			total: 0,
			beacon: H256::zero(),
			phase: Phase::Waiting,
			until: 0,
			due: 0,
			committed: 0,
			claimed: 0,
			rebutted: 0,
			revealed: 0,
			verdict: None,
			root: H256::zero(),
			canary: None,
		}
	}

	/// Seats that spoke in this round.
	pub fn spoke(&self) -> u32 {
		self.committed.saturating_add(self.claimed).saturating_add(self.rebutted)
	}
}

/// What a seat has said.
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
pub enum SeatState {
	/// That it is not answered.
	#[codec(index = 0)]
	Claimed,
	/// That, and it was answered on chain.
	#[codec(index = 1)]
	Rebutted,
	/// Something that nobody knows.
	#[codec(index = 2)]
	Committed {
		/// The commitment.
		commitment: H256,
	},
	/// What it committed to.
	#[codec(index = 3)]
	Revealed {
		/// The root over its own trees.
		root: H256,
		/// What it found.
		finding: FindingKind,
	},
	/// What it found, and it has shown that it ran the record.
	#[codec(index = 4)]
	Counted {
		/// What it found.
		finding: FindingKind,
	},
}

/// A verifier's seat in an audit.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
pub struct Seat {
	/// In which round.
	pub round: u8,
	/// The VRF's output that it was won by.
	pub output: [u8; 32],
	/// On hold for it, in planck.
	pub bond: Balance,
	/// What it has said.
	pub state: SeatState,
}

/// Audits that wait for their beginning: numbers `first..next`.
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
pub struct QueueEnds {
	/// The number of the one that begins next.
	pub first: u64,
	/// One past the number of the last.
	pub next: u64,
}

impl QueueEnds {
	/// How many wait.
	pub fn len(&self) -> u64 {
		self.next.saturating_sub(self.first)
	}

	/// Whether none waits.
	pub fn is_empty(&self) -> bool {
		self.len() == 0
	}
}

/// A canary that was committed to.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
pub struct CanaryInfo {
	/// Who committed, for its maker or as its maker.
	pub by: AccountId,
	/// When.
	pub at: BlockNumber,
	/// On hold, in planck.
	pub bond: Balance,
	/// What the right to make it was drawn by.
	pub lots: CanaryLots,
}

/// What may be spent on canaries.
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
pub struct CanaryBudget {
	/// In planck.
	pub amount: Balance,
	/// Audits that began in this epoch.
	pub audits: u32,
}
