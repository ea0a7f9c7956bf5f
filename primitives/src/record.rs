//! The inference record: the paper's `InferenceRecord` (6.1) with its stages spelled out
//! (`docs/protocol/record.md`).

use crate::{
	hashing::{
		domain_hash, leaf_hash, merkle_root, BATCH_DOMAIN, BOUNDARY_DOMAIN, RECORD_DOMAIN,
		SETTLEMENT_DOMAIN,
	},
	ticket::SignedTicket,
	AccountId, Balance, BlockNumber, EpochIndex, EraIndex, ModelId, Moment, OutputHash,
	PaymentHash, QueryHash, RecordId, Signature,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{ConstU32, H256};
use sp_runtime::BoundedVec;

#[cfg(feature = "std")]
use serde::{Deserialize, Serialize};

/// Version of [`RecordBody`] that this crate writes.
pub const RECORD_VERSION: u16 = 1;
/// Most stages of one inference.
pub const MAX_STAGES: u32 = 32;
/// Most boundaries: one more than stages.
pub const MAX_BOUNDARIES: u32 = MAX_STAGES + 1;
/// Most records of one batch.
pub const MAX_BATCH: u32 = 512;
/// Most nodes and gateways that sign one batch.
pub const MAX_BATCH_SIGNERS: u32 = 64;

/// Why the answer ended.
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
pub enum FinishReason {
	/// An end-of-sequence token or a stop sequence.
	Stop,
	/// `max_tokens` or the context's end.
	Length,
	/// The client went away; what was produced is paid.
	Cancelled,
}

/// Where a figure of energy comes from (paper, 3.2: Proof of Sobriety).
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
pub enum EnergySource {
	/// CPU time and a stated model of power.
	Estimate,
	/// RAPL through powercap.
	Rapl,
	/// powermetrics on macOS.
	Powermetrics,
	/// A meter whose key is registered.
	Meter,
}

impl EnergySource {
	/// Whether hardware counted, rather than a model.
	pub fn is_measured(&self) -> bool {
		!matches!(self, EnergySource::Estimate)
	}
}

/// Transformer layers `first..end`.
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
#[cfg_attr(feature = "std", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
pub struct LayerRange {
	/// The first layer.
	pub first: u16,
	/// One past the last layer.
	pub end: u16,
}

impl LayerRange {
	/// How many layers; 0 for an empty or inverted range.
	pub fn len(&self) -> u16 {
		self.end.saturating_sub(self.first)
	}

	/// Whether there is no layer.
	pub fn is_empty(&self) -> bool {
		self.len() == 0
	}

	/// Whether `other` lies within.
	pub fn contains(&self, other: &LayerRange) -> bool {
		self.first <= other.first && other.end <= self.end
	}
}

/// One stage of the pipeline: who ran which layers, and with how much energy.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
#[cfg_attr(feature = "std", derive(Serialize, Deserialize))]
pub struct Stage {
	/// The worker's account.
	pub node: AccountId,
	/// The layers that it ran.
	pub layers: LayerRange,
	/// Energy of this stage, in millijoules.
	pub energy_mj: u64,
	/// Where that figure comes from.
	pub energy_source: EnergySource,
	/// The version of the consent that it worked under.
	pub consent_version: u32,
}

/// A recent block that the record names, so that it can't be made far ahead or on a fork.
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
#[cfg_attr(feature = "std", derive(Serialize, Deserialize))]
pub struct Anchor {
	/// The block's number.
	pub number: BlockNumber,
	/// The block's hash.
	pub hash: H256,
}

/// The body of a record: everything that stages sign.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
#[cfg_attr(feature = "std", derive(Serialize, Deserialize))]
pub struct RecordBody {
	/// [`RECORD_VERSION`].
	pub version: u16,
	/// The weights.
	pub model_id: ModelId,
	/// The question.
	pub query_hash: QueryHash,
	/// `sha256` of exactly the answer's text in UTF-8, with a salt behind it where asked for or
	/// where the text is shorter than 64 bytes.
	pub output_hash: OutputHash,
	/// `sha256` of the SCALE-encoded token ids of the answer.
	pub output_tokens_hash: H256,
	/// Why the answer ended.
	pub finish_reason: FinishReason,
	/// Tokens of the prompt, the cached ones included.
	pub prompt_tokens: u32,
	/// Tokens of the prompt whose state was at hand; they are no work.
	pub cached_tokens: u32,
	/// Tokens of the answer.
	pub output_tokens: u32,
	/// The stages in order of their layers.
	pub stages: BoundedVec<Stage, ConstU32<MAX_STAGES>>,
	/// `B_0 ..= B_n` for `n` stages.
	pub boundaries: BoundedVec<H256, ConstU32<MAX_BOUNDARIES>>,
	/// Sum over the stages, in millijoules.
	pub energy_mj: u64,
	/// From the query's arrival to the last token, in milliseconds.
	pub latency_ms: u32,
	/// When the answer ended: milliseconds since the Unix epoch.
	pub timestamp: Moment,
	/// A block at most 100 blocks old.
	pub anchor: Anchor,
	/// Hash of the ticket, or id of the on-chain request, that pays.
	pub ticket_hash: PaymentHash,
}

impl RecordBody {
	/// `sha256(RECORD_DOMAIN ‖ genesis ‖ SCALE(body))`: the record's id, which every stage signs.
	pub fn id(&self, genesis: &H256) -> RecordId {
		domain_hash(RECORD_DOMAIN, genesis, self)
	}

	/// Tokens that were computed: prompt without the cached part, plus the answer.
	pub fn new_tokens(&self) -> u64 {
		u64::from(self.prompt_tokens.saturating_sub(self.cached_tokens))
			.saturating_add(u64::from(self.output_tokens))
	}
}

/// `B_i = sha256(BOUNDARY_DOMAIN ‖ query_hash ‖ SCALE(i: u16) ‖ root)`.
pub fn boundary(index: u16, root: &H256, query_hash: &QueryHash) -> H256 {
	domain_hash(BOUNDARY_DOMAIN, query_hash, &(index, root))
}

/// What stages and gateways sign when they sign a batch once:
/// `sha256(BATCH_DOMAIN ‖ genesis ‖ merkle_root(leaf_hash(id) ...) ‖ SCALE(signers))`, `signers` being
/// all who sign, ascending: so that nobody can leave out one of them.
pub fn batch_digest(genesis: &H256, ids: &[RecordId], signers: &[AccountId]) -> H256 {
	let leaves: Vec<H256> = ids.iter().map(|id| leaf_hash(id.as_bytes())).collect();
	domain_hash(BATCH_DOMAIN, genesis, &(merkle_root(&leaves), signers))
}

/// What the gateway signs for a record that is settled alone:
/// `sha256(SETTLEMENT_DOMAIN ‖ id ‖ SCALE(signed_stages: u32))`, where bit `i` is set if stage `i`
/// signed. Nobody else can settle the ticket with another body, nor leave out a signature.
pub fn settlement_digest(id: &RecordId, signed_stages: u32) -> H256 {
	domain_hash(SETTLEMENT_DOMAIN, id, &signed_stages)
}

/// What pays for a record.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
// In a record's life there is one; a box would be an allocation for nothing.
#[allow(clippy::large_enum_variant)]
pub enum Payment {
	/// A ticket against the requester's escrow.
	Ticket(SignedTicket),
	/// A matched on-chain request, by its id.
	Request(PaymentHash),
}

/// A record offered for settlement, each stage's signature beside it.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
pub struct Settlement {
	/// The id that the submitter computed; a record of another chain shows here.
	pub id: RecordId,
	/// What was signed.
	pub body: RecordBody,
	/// What pays.
	pub payment: Payment,
	/// For each stage in order its node's signature over `id`, or `None` for a stage that did not
	/// sign in time.
	pub signatures: BoundedVec<Option<Signature>, ConstU32<MAX_STAGES>>,
	/// By the gateway that the ticket names, or that matched the request, over
	/// [`settlement_digest`] of `id` and the set of stages that signed.
	pub gateway_signature: Signature,
}

/// A record within a batch.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
pub struct BatchEntry {
	/// As in [`Settlement::id`].
	pub id: RecordId,
	/// What was signed.
	pub body: RecordBody,
	/// What pays.
	pub payment: Payment,
}

/// Records that their stages and gateways signed once, by [`batch_digest`] over all ids in order
/// and all signers.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
pub struct Batch {
	/// The records.
	pub entries: BoundedVec<BatchEntry, ConstU32<MAX_BATCH>>,
	/// One signature for each node that is a stage, and each account that is the gateway, of any
	/// entry; strictly ascending by account.
	pub signatures: BoundedVec<(AccountId, Signature), ConstU32<MAX_BATCH_SIGNERS>>,
}

/// A settled record as the chain keeps it.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
pub struct RecordEntry {
	/// What the stages signed.
	pub body: RecordBody,
	/// Bit `i` is set if stage `i` signed.
	pub signed_stages: u32,
	/// Whose escrow paid.
	pub requester: AccountId,
	/// Which gateway served; for an on-chain request, who matched it.
	pub gateway: AccountId,
	/// What was taken from the escrow, in planck.
	pub price: Balance,
	/// The block that settled it.
	pub settled_at: BlockNumber,
	/// The epoch that settled it: decides when it is drawn for audit.
	pub epoch: EpochIndex,
	/// The era that its work counts in.
	pub era: EraIndex,
	/// Whether the requester allows an audit.
	pub auditable: bool,
}
