//! The canonical query: what is asked, in bytes that two machines agree on
//! (`docs/protocol/query.md`).

use crate::{hashing::sha256, ModelId, QueryHash};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::ConstU32;
use sp_runtime::BoundedVec;

#[cfg(feature = "std")]
use serde::{Deserialize, Serialize};

/// Version of [`CanonicalQuery`] that this crate writes.
pub const QUERY_VERSION: u16 = 1;
/// Most tokens of a prompt.
pub const MAX_PROMPT_TOKENS: u32 = 1 << 17;
/// Most stop sequences.
pub const MAX_STOPS: u32 = 4;
/// Most bytes of a stop sequence.
pub const MAX_STOP_BYTES: u32 = 128;

/// How the next token is drawn (`docs/protocol/query.md`).
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
pub struct Sampling {
	/// Thousandths of a unit of temperature; 0 takes the most probable token.
	pub temperature_milli: u32,
	/// Keep the `top_k` most probable tokens; 0 keeps all.
	pub top_k: u32,
	/// Keep the smallest set with at least this probability, in parts per million.
	pub top_p_ppm: u32,
	/// Seed of the counter-based generator.
	pub seed: u64,
}

impl Sampling {
	/// Takes the most probable token at each step.
	pub const GREEDY: Self =
		Self { temperature_milli: 0, top_k: 0, top_p_ppm: crate::PPM, seed: 0 };

	/// Whether every field lies in its range: temperature up to 100, `0 < top_p <= 1`.
	pub fn is_valid(&self) -> bool {
		self.temperature_milli <= 100_000 && self.top_p_ppm > 0 && self.top_p_ppm <= crate::PPM
	}
}

/// One question to one model. Each of `n` choices is a query of its own (`seed + i`).
#[derive(Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, Debug)]
pub struct CanonicalQuery {
	/// [`QUERY_VERSION`].
	pub version: u16,
	/// The model that is asked.
	pub model_id: ModelId,
	/// The prompt after chat template and tokenizer.
	pub prompt_tokens: BoundedVec<u32, ConstU32<MAX_PROMPT_TOKENS>>,
	/// How the next token is drawn.
	pub sampling: Sampling,
	/// Most tokens of the answer.
	pub max_tokens: u32,
	/// UTF-8 sequences that end the answer.
	pub stop: BoundedVec<BoundedVec<u8, ConstU32<MAX_STOP_BYTES>>, ConstU32<MAX_STOPS>>,
	/// Keeps short queries from being guessed by their hash.
	pub salt: [u8; 32],
}

impl CanonicalQuery {
	/// `sha256(SCALE(query))`.
	pub fn hash(&self) -> QueryHash {
		sha256(&self.encode())
	}

	/// The canonical bytes.
	pub fn to_bytes(&self) -> Vec<u8> {
		self.encode()
	}
}
