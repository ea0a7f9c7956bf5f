//! What the registry keeps of a worker.

use crate::Config;
use aria_primitives::{record::LayerRange, Balance, BlockNumber, ModelId, Ppm};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_runtime::BoundedVec;

/// The ed25519 public key of a worker's libp2p identity.
pub type PeerKey = [u8; 32];
/// An ed25519 signature by a [`PeerKey`].
pub type PeerSignature = [u8; 64];
/// Shards of a worker, ordered by model and first layer.
pub type ShardsOf<T> = BoundedVec<ServedShard, <T as Config>::MaxServed>;
/// What a worker serves and served.
pub type ServicesOf<T> = Services<ShardsOf<T>>;

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
