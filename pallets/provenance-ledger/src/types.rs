//! What the ledger keeps of what it has removed.

use aria_primitives::BlockNumber;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// The place of the oldest record that may be in state.
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
pub struct OldestRecord {
	/// The block that settled it: those before have no record in state.
	pub block: BlockNumber,
	/// How many of that block's records have left.
	pub position: u32,
}

impl OldestRecord {
	/// The first block none of whose records has left.
	pub fn whole_since(&self) -> BlockNumber {
		self.block.saturating_add(u32::from(self.position > 0))
	}
}
