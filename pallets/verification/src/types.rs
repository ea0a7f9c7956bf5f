//! What the draw keeps.

use aria_primitives::{audit::Verdict, traits::RecordStakes, BlockNumber, EpochIndex, Ppm};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::H256;

/// Most epochs that may wait for their draw.
pub const MAX_PENDING_EPOCHS: u32 = 64;

/// A record that waits for its draw.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
pub struct SettledRecord {
	/// The lowest reputation among its stages when it was settled, in parts per million.
	pub reputation: Ppm,
	/// Whether its draw is certain.
	pub forced: bool,
	/// What hangs on it.
	pub stakes: RecordStakes,
}

/// An epoch whose records are not all drawn yet.
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
pub struct PendingEpoch {
	/// The epoch.
	pub epoch: EpochIndex,
	/// Auditable records that it settled; above 0.
	pub records: u32,
	/// The block that settled the last of them. The seed must not have been known then.
	pub last_settled_at: BlockNumber,
	/// How many of them are expected to be drawn, in parts per million.
	pub expected_ppm: u64,
}

/// A draw under way.
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
pub struct DrawState {
	/// The epoch whose records are drawn.
	pub epoch: EpochIndex,
	/// The seed of all its lots.
	pub seed: H256,
	/// Records that it was drawn for so far.
	pub records: u32,
	/// Records that it picked so far.
	pub drawn: u32,
}

/// Why a record was drawn.
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
pub enum DrawCause {
	/// The lot fell on it.
	#[codec(index = 0)]
	Lot,
	/// It was ordered.
	#[codec(index = 1)]
	Order,
}

/// Where the audit of a drawn record stands.
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
pub enum DrawnStatus {
	/// There is no verdict on it.
	#[codec(index = 0)]
	Open,
	/// There is.
	#[codec(index = 1)]
	Decided {
		/// The verdict.
		verdict: Verdict,
		/// Its block.
		at: BlockNumber,
		/// Whether the stage that failed did so on purpose, as a canary.
		canary: bool,
	},
}

/// A drawn record.
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
pub struct DrawInfo {
	/// The epoch that settled it.
	pub epoch: EpochIndex,
	/// The block of the draw.
	pub at: BlockNumber,
	/// The seed of the epoch's lots.
	pub seed: H256,
	/// How probable it was, in parts per million.
	pub probability_ppm: Ppm,
	/// Why it was drawn.
	pub cause: DrawCause,
	/// Where its audit stands.
	pub status: DrawnStatus,
}
