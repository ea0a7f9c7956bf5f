//! Orders to stages, and links between stages (`docs/protocol/network.md`, "Pipeline").

use super::advert::Addresses;
use aria_primitives::{
	query::CanonicalQuery,
	record::{Anchor, EnergySource, FinishReason, LayerRange, RecordBody, MAX_STAGES},
	ticket::SignedTicket,
	AccountId, ModelId, QueryHash, Signature,
};
use codec::{Decode, Encode};
use sp_core::{ConstU32, H256};
use sp_runtime::BoundedVec;

/// Most bytes of what a gateway or worker says to open a stream, and of all that follows on a control
/// stream.
pub const MAX_CONTROL: usize = 2 << 20;
/// Most bytes of a frame on a link; a chunk of activations that would be longer is divided.
pub const MAX_LINK: usize = super::frame::MAX_FRAME;

/// Names one inference; chosen at random by the gateway.
pub type SessionId = [u8; 16];

/// Where a stage runs.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Debug)]
pub struct StagePlace {
	/// The worker's account.
	pub node: AccountId,
	/// Its libp2p ed25519 public key.
	pub peer: [u8; 32],
	/// Where it can be reached.
	pub addresses: Addresses,
	/// The layers that it runs.
	pub layers: LayerRange,
}

/// The stages in order of their layers.
pub type Stages = BoundedVec<StagePlace, ConstU32<MAX_STAGES>>;

/// The first message on a stream of [`super::PIPELINE_PROTOCOL`].
#[derive(Clone, PartialEq, Eq, Encode, Decode, Debug)]
// There is one in a stream's life.
#[allow(clippy::large_enum_variant)]
pub enum Hello {
	/// From a gateway: the stream is a control stream.
	Order(Order),
	/// From the stage before, or from the last stage to the first: the stream is a link.
	Link(Link),
}

/// What a gateway asks of a stage.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Debug)]
pub struct Order {
	/// The inference.
	pub session: SessionId,
	/// 0, and one more for each time that a stage was replaced.
	pub attempt: u32,
	/// Which of `stages` the receiver is.
	pub stage: u16,
	/// All stages.
	pub stages: Stages,
	/// The gateway's account.
	pub gateway: AccountId,
	/// The model.
	pub model_id: ModelId,
	/// Hash of the query.
	pub query_hash: QueryHash,
	/// The query's salt, which leaves of boundaries need.
	pub salt: [u8; 32],
	/// Tokens of the prompt.
	pub prompt_tokens: u32,
	/// Most tokens of the answer.
	pub max_tokens: u32,
	/// The query, for the first stage and the last one.
	pub query: Option<CanonicalQuery>,
	/// Tokens that were drawn already, for a replacement.
	pub drawn: Vec<u32>,
	/// What pays.
	pub ticket: SignedTicket,
	/// The block at which the work begins.
	pub anchor: Anchor,
}

/// From a gateway to a stage, on a control stream.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Debug)]
#[allow(clippy::large_enum_variant)]
pub enum ToStage {
	/// Are you there?
	Ping(u64),
	/// A stage was replaced: connect again to whom you are linked with, where that changed.
	Replan {
		/// As in [`Order::attempt`].
		attempt: u32,
		/// All stages.
		stages: Stages,
	},
	/// The answer has this many tokens; work no more.
	Stop {
		/// Tokens of the answer.
		tokens: u32,
	},
	/// Check this record and sign its id.
	Sign(RecordBody),
	/// All is done.
	Close,
}

/// From a stage to the gateway, on a control stream.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Debug)]
pub enum FromStage {
	/// The stage takes the order, under this consent.
	Accepted {
		/// Version of its consent.
		consent_version: u32,
	},
	/// The stage does not take the order.
	Refused(Refusal),
	/// Here I am, with this many positions worked on.
	Pong {
		/// As asked.
		ping: u64,
		/// Positions worked on.
		position: u32,
	},
	/// From the last stage: a token was drawn.
	Token {
		/// Its place in the answer, from 0.
		index: u32,
		/// The token.
		token: u32,
		/// Why the answer ends with it, if it does.
		finish: Option<FinishReason>,
	},
	/// What the stage has to say for the record.
	Totals(Totals),
	/// Over the id of the record that was to be signed.
	Signature(Signature),
	/// The stage can't go on; the session is over for it.
	Failed {
		/// Whether the cause lies in another stage: which.
		blames: Option<u16>,
		/// What happened.
		reason: Text,
	},
}

/// A short text for people.
pub type Text = BoundedVec<u8, ConstU32<512>>;

/// What a stage used and saw.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Debug)]
pub struct Totals {
	/// Energy, in millijoules.
	pub energy_mj: u64,
	/// Where that figure comes from.
	pub energy_source: EnergySource,
	/// The version of the consent that it worked under.
	pub consent_version: u32,
	/// `B_i` before the stage, as it received it.
	pub before: H256,
	/// `B_{i+1}` behind the stage, as it gave it.
	pub behind: H256,
}

/// Why a stage does not take an order.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Debug)]
pub enum Refusal {
	/// The consent, in force at this hour, does not permit it.
	Consent,
	/// The contributor paused.
	Paused,
	/// No room for another session; ask again after this many milliseconds.
	Busy {
		/// Milliseconds.
		retry_ms: u32,
	},
	/// The layers are not here.
	NotServed,
	/// The payment would not be taken by the chain, as far as the stage can see.
	Payment(Text),
	/// The chain cannot be reached, so nothing can be checked.
	ChainUnreachable,
	/// The order contradicts itself.
	Malformed(Text),
}

impl std::fmt::Display for Refusal {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		match self {
			Refusal::Consent => write!(f, "its consent does not permit it now"),
			Refusal::Paused => write!(f, "it is paused"),
			Refusal::Busy { retry_ms } => write!(f, "it has no room for {retry_ms} ms"),
			Refusal::NotServed => write!(f, "it does not serve these layers"),
			Refusal::Payment(reason) => write!(f, "the payment: {}", said(reason)),
			Refusal::ChainUnreachable => write!(f, "it does not reach the chain"),
			Refusal::Malformed(reason) => write!(f, "the order: {}", said(reason)),
		}
	}
}

/// A peer's text, as far as it is one.
pub fn said(text: &Text) -> String {
	String::from_utf8_lossy(text).into_owned()
}

/// `words`, cut to what a [`Text`] holds.
pub fn text(words: impl AsRef<str>) -> Text {
	let words = words.as_ref();
	let mut end = words.len().min(512);
	while !words.is_char_boundary(end) {
		end = end.saturating_sub(1);
	}
	BoundedVec::truncate_from(words.as_bytes().get(..end).unwrap_or_default().to_vec())
}

/// The first message on a link.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Debug)]
pub struct Link {
	/// The inference.
	pub session: SessionId,
	/// As in [`Order::attempt`]; a link of a later attempt replaces one of an earlier.
	pub attempt: u32,
	/// The stage that sends.
	pub from: u16,
}

/// The answer to a [`Link`].
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode, Debug)]
pub struct LinkReady {
	/// The position that the receiver needs next; on the link from the last stage to the first, the index
	/// of the token.
	pub position: u32,
}

/// What follows on a link.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Debug)]
pub enum LinkFrame {
	/// What the stage gave for consecutive positions.
	Activations {
		/// The first position.
		position: u32,
		/// `[tokens, hidden]` of f32, little-endian.
		values: Vec<u8>,
	},
	/// From the last stage to the first: a token that was drawn.
	Token {
		/// Its place in the answer, from 0.
		index: u32,
		/// The token.
		token: u32,
	},
}
