//! Types of the ledger's events.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// One of the two indices in state.
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
pub enum IndexKind {
	/// By the hash of the answer.
	#[codec(index = 0)]
	Output,
	/// By the hash of the query.
	#[codec(index = 1)]
	Query,
}
