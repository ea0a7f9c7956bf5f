//! What the market keeps in state.

use crate::nonce::NonceWindow;
use alloc::boxed::Box;
use aria_primitives::{
	price::Price,
	query::Sampling,
	record::{LayerRange, MAX_STAGES},
	ticket::AuditMode,
	traits::Offer,
	AccountId, Balance, BlockNumber, ModelId, PaymentHash, Ppm, QueryHash,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{ConstU32, H256};
use sp_runtime::BoundedVec;

/// Most bytes of a prompt that a request carries on chain.
pub const MAX_PROMPT_BYTES: u32 = 2048;

/// The stages that a gateway matched to a request, in order of their layers.
pub type MatchedStages = BoundedVec<(AccountId, LayerRange), ConstU32<MAX_STAGES>>;

/// What a requester has on hold for inference, in planck.
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
pub struct EscrowAccount {
	/// Everything on hold.
	pub held: Balance,
	/// What of it is promised to open requests.
	pub reserved: Balance,
}

impl EscrowAccount {
	/// What tickets may take and `withdraw` may give back.
	pub fn available(&self) -> Balance {
		self.held.saturating_sub(self.reserved)
	}
}

/// Whether a gateway stays.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
pub enum GatewayState {
	/// It takes keys and requests.
	Active,
	/// It takes no new ones; what it accepted is settled.
	Unbonding {
		/// The first block at which nothing more is settled and the stake may be taken back.
		until: BlockNumber,
	},
}

/// A registered gateway.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
pub struct GatewayInfo {
	/// On hold, in planck.
	pub stake: Balance,
	/// Whether it stays.
	pub state: GatewayState,
	/// The block that registered it.
	pub registered_at: BlockNumber,
}

/// A spending key: what the tickets that it signs may take, and what they took.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
pub struct KeyInfo {
	/// Whose escrow pays.
	pub requester: AccountId,
	/// The gateway that the key is bound to.
	pub gateway: AccountId,
	/// Most that may ever be taken, in planck.
	pub allowance: Balance,
	/// What was taken, in planck.
	pub spent: Balance,
	/// Most that may be taken within an hour of the chain's clock, in planck.
	pub hourly_cap: Balance,
	/// The hour that `spent_in_hour` counts: milliseconds since the Unix epoch / 3,600,000.
	pub hour: u64,
	/// What was taken within that hour, in planck.
	pub spent_in_hour: Balance,
	/// Last block at which the key pays.
	pub expiry: BlockNumber,
	/// Which nonces are used.
	pub nonces: NonceWindow,
	/// Whether the requester revoked it. The entry stays until no used ticket can be valid any
	/// more, so that registering the key again does not make tickets good again.
	pub revoked: bool,
}

/// A place in a requester's list of keys.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
pub struct KeySlot {
	/// The key.
	pub key: AccountId,
	/// For a revoked key, the first block at which its place is free.
	pub free_from: Option<BlockNumber>,
}

/// How a price for tokens is divided, in parts per million that add up to the whole.
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
pub struct PriceSplit {
	/// The stages, by their layers.
	pub stages: Ppm,
	/// The gateway.
	pub gateway: Ppm,
	/// The author of the block that settles.
	pub author: Ppm,
	/// The pot that pays auditors.
	pub audit: Ppm,
	/// The pot that pays for storage.
	pub storage: Ppm,
	/// Burnt.
	pub burn: Ppm,
}

impl PriceSplit {
	/// The parts in the order of the fields.
	pub const fn weights(&self) -> [Ppm; 6] {
		[self.stages, self.gateway, self.author, self.audit, self.storage, self.burn]
	}
}

/// What an on-chain request asks.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
pub enum RequestPrompt {
	/// A text in UTF-8, for everybody to read; the gateway renders the model's chat template.
	Text(BoundedVec<u8, ConstU32<MAX_PROMPT_BYTES>>),
	/// The hash of a canonical query that the requester gives to the gateway.
	Hash(QueryHash),
}

impl RequestPrompt {
	/// Bytes of the text; 0 for a hash.
	pub fn text_len(&self) -> u32 {
		match self {
			RequestPrompt::Text(text) => u32::try_from(text.len()).unwrap_or(u32::MAX),
			RequestPrompt::Hash(_) => 0,
		}
	}
}

/// Where a request stands.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
pub enum RequestState {
	/// Any gateway may match it.
	Open,
	/// A gateway named the workers.
	Matched {
		/// The gateway.
		gateway: AccountId,
		/// The workers with their layers.
		stages: MatchedStages,
		/// Last block at which the match may be settled; after it the request is open again.
		until: BlockNumber,
		/// What the gateway asked when it matched; the price is by this.
		offer: Offer,
	},
}

/// An on-chain request. It is removed when it is settled, cancelled or refunded.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
pub struct Request {
	/// Whose escrow pays.
	pub requester: AccountId,
	/// The model that is asked.
	pub model_id: ModelId,
	/// What is asked.
	pub prompt: RequestPrompt,
	/// How the next token is drawn.
	pub sampling: Sampling,
	/// Most tokens of the answer.
	pub max_tokens: u32,
	/// Most that may be taken, in planck; reserved in the escrow.
	pub max_price: Balance,
	/// The block that refunds the request if it is not settled before.
	pub deadline: BlockNumber,
	/// Who may check the answer.
	pub audit_mode: AuditMode,
	/// Where it stands.
	pub state: RequestState,
}

impl Request {
	/// Whether a gateway may match it at block `now`: it is open, or its match has lapsed.
	pub fn is_open(&self, now: BlockNumber) -> bool {
		match &self.state {
			RequestState::Open => true,
			RequestState::Matched { until, .. } => now > *until,
		}
	}
}

/// Who pays for a record.
pub(crate) enum Payer {
	/// The holder of a key, whose window already has the ticket's nonce.
	Key(AccountId, Box<KeyInfo>),
	/// The author of a request, by its id.
	Request(PaymentHash, Box<Request>),
}

/// On what terms a record is paid.
pub(crate) struct Terms {
	/// Whose escrow pays.
	pub requester: AccountId,
	/// Who served.
	pub gateway: AccountId,
	/// What the gateway asks for tokens, for a request what it asked at the match.
	pub offer: Offer,
	/// The price if every stage signed.
	pub price: Price,
	/// Whether the answer may be checked.
	pub auditable: bool,
	/// The hash of the set of those who may, if the requester named one.
	pub named: Option<H256>,
	/// What is debited.
	pub payer: Payer,
}
