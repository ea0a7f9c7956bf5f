//! What the registry keeps of a worker.

use crate::Config;
use aria_primitives::{
	record::LayerRange, AccountId, Balance, BlockNumber, EraIndex, ModelId, Ppm,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::ConstU32;
use sp_runtime::BoundedVec;

/// The ed25519 public key of a worker's libp2p identity.
pub type PeerKey = [u8; 32];
/// An ed25519 signature by a [`PeerKey`].
pub type PeerSignature = [u8; 64];
/// Shards of a worker, ordered by model and first layer.
pub type ShardsOf<T> = BoundedVec<ServedShard, <T as Config>::MaxServed>;
/// What a worker serves and served.
pub type ServicesOf<T> = Services<ShardsOf<T>>;

/// A worker's tallies of the last eras in which there was something to count, oldest first.
pub type Tallies = BoundedVec<EraTally, ConstU32<TALLIES>>;

/// Whose challenges one block closes.
pub type ClosingList = BoundedVec<AccountId, ConstU32<MAX_ASKED>>;

/// Most workers that a block asks: enough for 57,600 of them at four challenges in an era of 3,600
/// blocks.
pub const MAX_ASKED: u32 = 64;
/// Eras whose tallies are kept for each worker: those that are settled late, and those whose rewards
/// are kept line by line.
pub const TALLIES: u32 = 32;
/// Calls of `rest` in an era that cost nothing.
pub const FREE_RESTS: u32 = 4;

/// Largest UN M49 region code.
pub const MAX_REGION: u16 = 999;
/// Most workers that a page of [`crate::Pallet::workers_serving`] lists.
pub const MAX_PAGE: u32 = 256;

/// Layers of a model that a worker holds and runs.
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
pub struct ServedShard {
	/// The model.
	pub model: ModelId,
	/// The layers.
	pub layers: LayerRange,
}

/// What a worker serves, and what work that began earlier may still refer to.
#[derive(
	Clone,
	PartialEq,
	Eq,
	Default,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Debug,
)]
pub struct Services<Shards> {
	/// What it serves.
	pub shards: Shards,
	/// What it served before it dropped layers the last time.
	pub superseded: Option<Superseded<Shards>>,
}

/// What a worker served until it dropped some of it.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
pub struct Superseded<Shards> {
	/// What it served.
	pub shards: Shards,
	/// The block in which it dropped some of it: good for work that began before.
	pub at: BlockNumber,
}

/// Where a worker stands between coming and going.
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
pub enum WorkerState {
	/// It takes work.
	Active,
	/// It finishes what began before `since` and takes nothing new.
	Draining {
		/// The block in which it stopped taking work.
		since: BlockNumber,
	},
	/// It finishes what began before `since`, and its stake unlocks at `until`.
	Unbonding {
		/// The block in which it stopped taking work, by draining.
		since: BlockNumber,
		/// The first block in which it may withdraw.
		until: BlockNumber,
	},
	/// It takes no work until it says that it is back: its machine sleeps, or it missed a challenge.
	/// What began before `since` is settled.
	Resting {
		/// The block in which it stopped taking work.
		since: BlockNumber,
	},
}

/// A challenge that waits for its answer.
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
pub struct Challenge {
	/// The block that asks, whose hash has to be signed.
	pub asked_at: BlockNumber,
	/// The block at whose beginning it is too late.
	pub closes: BlockNumber,
}

/// What came of a worker's challenges in an era.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Default,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Debug,
)]
pub struct EraTally {
	/// The era in which they were answered, or were over.
	pub era: EraIndex,
	/// Those that were answered.
	pub answered: u32,
	/// Those that were not.
	pub missed: u32,
	/// How often the worker said that it rests.
	pub rests: u32,
}

/// A worker.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
pub struct WorkerInfo {
	/// Its libp2p identity.
	pub peer: PeerKey,
	/// UN M49 code of its region; 0 if it does not say.
	pub region: u16,
	/// What it has on hold, in planck.
	pub stake: Balance,
	/// Where it stands.
	pub state: WorkerState,
	/// Its score in ppm. In storage: as of `active_at`; in what the pallet answers: as of now.
	pub reputation: Ppm,
	/// Stages that were settled.
	pub settled: u64,
	/// The block in which it registered.
	pub registered_at: BlockNumber,
	/// The block of its last settled stage or, before the first, of its registration.
	pub active_at: BlockNumber,
}
