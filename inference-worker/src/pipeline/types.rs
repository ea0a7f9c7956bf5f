//! What both sides of a pipeline need from the process that they run in, and what they give it.

use super::{error::NoRecord, record::SignedRecord};
use crate::limits::MemoryLease;
use aria_energy::Meter;
use aria_engine::text::ChatTokenizer;
use aria_network::wire::pipeline::{Order, Refusal, SessionId, StagePlace};
use aria_primitives::{
	query::CanonicalQuery,
	record::{Anchor, EnergySource, FinishReason, RecordBody},
	ticket::SignedTicket,
	AccountId, RecordId,
};
use futures::{
	future::BoxFuture,
	io::{AsyncRead, AsyncWrite},
};
use std::{sync::Arc, time::Duration};

/// Decides who may work now, for whom: consent, hours, payment, room.
pub trait Guard: Send + Sync {
	/// Whether `order`, which `peer` sent, may be taken. The order agrees with itself, with the model
	/// and with its ticket's signature already. The session takes `bytes` of memory at most, which the
	/// admission's lease has to cover ([`super::session_bytes`]).
	///
	/// It is called on an asynchronous thread and must not wait for anything.
	///
	/// # Errors
	/// What the gateway is told.
	fn admit(&self, peer: &[u8; 32], order: &Order, bytes: u64) -> Result<Admission, Refusal>;

	/// Whether `order`, which was admitted, is of an answer that this worker makes false on purpose, and
	/// shows to be so (`docs/protocol/audit.md`, "Canaries").
	fn is_canary(&self, order: &Order) -> bool {
		let _ = order;
		false
	}

	/// A session signed the record with this id: who remembers that can sign a batch with it later. It
	/// must not wait either.
	fn signed(&self, id: RecordId, body: &RecordBody) {
		let _ = (id, body);
	}
}

/// Permission for one session.
#[derive(Debug)]
pub struct Admission {
	/// The version of the consent that it works under.
	pub consent_version: u32,
	/// The memory that it may take; given back when it has ended.
	pub lease: MemoryLease,
}

/// Why there is no stream to a peer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the peer can't be reached: {0}")]
pub struct DialError(pub String);

/// Opens streams of the pipeline's protocol to other workers.
pub trait Dialer: Send + Sync + 'static {
	/// A stream in both directions.
	type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

	/// Opens a stream to the peer of `place`. Callers give up after a while, by dropping the future.
	fn open(&self, place: &StagePlace) -> BoxFuture<'_, Result<Self::Stream, DialError>>;
}

impl<D: Dialer> Dialer for Arc<D> {
	type Stream = D::Stream;

	fn open(&self, place: &StagePlace) -> BoxFuture<'_, Result<Self::Stream, DialError>> {
		D::open(self, place)
	}
}

/// Measures what sessions use (paper, 3.2: Proof of Sobriety).
pub trait SessionMeter: Send + Sync {
	/// Begins to measure a session.
	fn begin(&self) -> Box<dyn SessionSpan>;
}

/// A session that is measured. Dropped without [`SessionSpan::end`], it leaves no figure.
pub trait SessionSpan: Send {
	/// `lanes` threads compute for the session until the result is dropped.
	fn compute(&self, lanes: usize) -> Box<dyn Send>;

	/// What the session used, in millijoules, and where the figure comes from.
	fn end(self: Box<Self>) -> (u64, EnergySource);
}

impl SessionMeter for Arc<Meter> {
	fn begin(&self) -> Box<dyn SessionSpan> {
		Box::new(Meter::begin(self))
	}
}

impl SessionSpan for aria_energy::Span {
	fn compute(&self, lanes: usize) -> Box<dyn Send> {
		Box::new(aria_energy::Span::compute(self, lanes))
	}

	fn end(self: Box<Self>) -> (u64, EnergySource) {
		let energy = aria_energy::Span::end(*self);
		(energy.mj, energy.source)
	}
}

/// How long a worker's side waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostTiming {
	/// For the first message of a stream, and for the answer to it.
	pub hello: Duration,
	/// For the order or the replacement that a link, which came first, belongs to.
	pub early: Duration,
	/// For anything from the gateway, before a session that runs is given up.
	pub orphan: Duration,
	/// For a connection to the next stage, once.
	pub dial: Duration,
	/// For a connection to the next stage, with all attempts, before the stage is blamed.
	pub patience: Duration,
	/// Between looks at whether something has to be given up.
	pub look: Duration,
}

impl Default for HostTiming {
	fn default() -> Self {
		Self {
			hello: Duration::from_secs(10),
			early: Duration::from_secs(3),
			orphan: Duration::from_secs(30),
			dial: Duration::from_secs(5),
			patience: Duration::from_secs(20),
			look: Duration::from_millis(250),
		}
	}
}

/// How long a gateway's side waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
	/// Between two pings of a stage.
	pub ping: Duration,
	/// For the answer to a ping, before the stage counts as dead.
	pub stall: Duration,
	/// For a connection to a stage and its answer to the order.
	pub connect: Duration,
	/// For anything to go on anywhere, while all stages answer pings; then the first stage that is
	/// behind counts as dead. A chunk of a prompt on a slow, limited machine has to fit.
	pub idle: Duration,
	/// For signatures.
	pub sign: Duration,
	/// For what was still to be said when all is done.
	pub close: Duration,
}

impl Default for Timing {
	fn default() -> Self {
		Self {
			ping: Duration::from_millis(250),
			stall: Duration::from_secs(2),
			connect: Duration::from_secs(5),
			idle: Duration::from_secs(60),
			sign: Duration::from_secs(5),
			close: Duration::from_millis(500),
		}
	}
}

/// Who runs which layers, and who else could.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
	/// The stages in order of their layers, of different workers.
	pub stages: Vec<StagePlace>,
	/// For each stage others with the same layers, best first. May be shorter than `stages`.
	pub standbys: Vec<Vec<StagePlace>>,
}

/// One answer to be computed.
#[derive(Clone, Debug)]
pub struct Job {
	/// What is asked.
	pub query: CanonicalQuery,
	/// What pays.
	pub payment: SignedTicket,
	/// A recent block.
	pub anchor: Anchor,
	/// Who computes.
	pub plan: Plan,
	/// The gateway's account.
	pub gateway: AccountId,
	/// The model's tokenizer.
	pub tokenizer: Arc<ChatTokenizer>,
	/// Tokens that end an answer.
	pub eos: Vec<u32>,
	/// The model's positions.
	pub context: u32,
	/// Put the salt behind the text before it is hashed, however long it is
	/// (`docs/protocol/record.md`).
	pub salted_output: bool,
}

/// What happens while an answer is computed. All texts together are the answer's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
	/// A token was drawn.
	Token {
		/// Its place in the answer, from 0.
		index: u32,
		/// The token.
		token: u32,
		/// The text that has become certain with it, often empty.
		text: String,
	},
	/// A stage was replaced, and the answer went on; said at most two tokens afterwards.
	Replaced {
		/// Which.
		stage: u16,
		/// The client's pause: the longest time without a token, or since the stage was last heard of.
		waited: Duration,
	},
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
	/// Its tokens, the one that ended it included.
	pub tokens: Vec<u32>,
	/// Its text: that of the tokens, up to the stop sequence if one ended it.
	pub text: String,
	/// Why it ended.
	pub finish_reason: FinishReason,
	/// Tokens of the prompt.
	pub prompt_tokens: u32,
	/// Those of them that were no work: none, as sessions begin empty.
	pub cached_tokens: u32,
}

/// How a job ended.
#[derive(Clone, Debug)]
pub struct Outcome {
	/// By which name its stages knew it; `None` if none was asked.
	pub session: Option<SessionId>,
	/// The answer, or as much as there was when it was cancelled.
	pub answer: Answered,
	/// Its record, for settlement.
	pub record: Option<SignedRecord>,
	/// Why there is no record; `None` where there is one.
	pub unrecorded: Option<NoRecord>,
	/// From the query to the first token; zero without one.
	pub first_token: Duration,
	/// From the first token to the last.
	pub rest: Duration,
	/// How often a stage was replaced.
	pub replaced: u32,
	/// The workers that had begun and were replaced.
	pub failed: Vec<AccountId>,
}
