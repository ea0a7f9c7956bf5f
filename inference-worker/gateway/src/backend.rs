//! What is behind the API.

use crate::{hex, keys::Principal};
use aria_engine::text::ChatTokenizer;
use futures::future::BoxFuture;
use sha2::{Digest, Sha256};
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Computes answers. A gateway has one.
pub trait Backend: Send + Sync + 'static {
	/// The models that can be asked now. It is called for every request, so it must be cheap.
	fn models(&self) -> Vec<ModelCard>;

	/// Begins an answer. It returns once it is certain enough that there will be one: workers are
	/// found and the payment is in order; tokens come afterwards.
	///
	/// Dropping the future gives the request up.
	fn start(&self, request: Request) -> BoxFuture<'_, Result<Running, Refused>>;
}

/// A model that can be asked.
#[derive(Clone, Debug)]
pub struct ModelCard {
	/// What clients call it: an alias, or its id in hexadecimal digits.
	pub name: String,
	/// Its id, under which it can be asked for as well.
	pub id: [u8; 32],
	/// Positions: prompt and answer together.
	pub context: u32,
	/// As [`fingerprint`] makes it.
	pub fingerprint: String,
	/// When it was registered, in seconds since 1970.
	pub created: u64,
	/// Its tokenizer and chat template.
	pub tokenizer: Arc<ChatTokenizer>,
	/// Tokens that end an answer.
	pub eos: Vec<u32>,
}

/// What OpenAI's clients get as `system_fingerprint`: it changes with the weights and with the
/// arithmetic, and with nothing else.
///
/// `fp_` and the first ten digits of the SHA-256 of the model's id and the numerics version, two
/// bytes, little-endian.
pub fn fingerprint(model: &[u8; 32], numerics_version: u16) -> String {
	let hash =
		Sha256::new().chain_update(model).chain_update(numerics_version.to_le_bytes()).finalize();
	format!("fp_{}", hex::encode(hash.get(..5).unwrap_or_default()))
}

/// One question: each choice is one of its own.
#[derive(Clone, Debug)]
pub struct Request {
	/// Names the HTTP request, in logs and in `x-request-id`.
	pub request_id: Arc<str>,
	/// The model's id.
	pub model: [u8; 32],
	/// Whose key it is.
	pub principal: Arc<Principal>,
	/// The prompt after chat template and tokenizer; at least one token, fewer than the context.
	pub prompt_tokens: Arc<[u32]>,
	/// How tokens are drawn.
	pub sampling: Sampling,
	/// Most tokens of the answer; prompt and answer fit the context.
	pub max_tokens: u32,
	/// Up to four texts of 1 to 128 bytes that end the answer.
	pub stops: Vec<String>,
	/// What the client wants of how it is computed.
	pub demands: Demands,
}

/// How tokens are drawn, in the units of `docs/protocol/query.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampling {
	/// Thousandths; 0 takes the most probable token.
	pub temperature_milli: u32,
	/// Keep so many of the most probable tokens; 0 keeps all.
	pub top_k: u32,
	/// Keep the smallest set of this probability, in parts per million, 1 to 1,000,000.
	pub top_p_ppm: u32,
	/// Of the generator.
	pub seed: u64,
}

/// What a client asks for in the field `aria`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demands {
	/// Put a salt behind the answer before it is hashed, however long it is.
	pub salted: bool,
	/// Only workers that hold the whole model.
	pub whole_model: bool,
	/// The account of the first stage's worker, as the client wrote it.
	pub first: Option<String>,
	/// The account of the last stage's worker, as the client wrote it.
	pub last: Option<String>,
	/// Only workers in this country, by its number in ISO 3166, 1 to 999.
	pub region: Option<u16>,
	/// Who may check the answer.
	pub audit: Audit,
}

/// Who may check an answer (`docs/protocol/ticket.md`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Audit {
	/// Any eligible verifier.
	#[default]
	Any,
	/// Some of these accounts, as the client wrote them.
	Named(Vec<String>),
	/// Nobody.
	None,
}

/// An answer that is being computed. Dropping it ends that.
#[derive(Debug)]
pub struct Running {
	/// What happens, up to [`Event::Finished`] or [`Event::Failed`]. The channel is bounded, and who
	/// sends waits for room: that is how a slow client slows down its answer.
	pub events: mpsc::Receiver<Event>,
	_cancel: DropGuard,
}

impl Running {
	/// An answer whose events come through `events`. `cancel` is cancelled when the gateway wants no
	/// more of it, and also once it is finished, when there is nothing left to end.
	pub fn new(events: mpsc::Receiver<Event>, cancel: CancellationToken) -> Self {
		Self { events, _cancel: cancel.drop_guard() }
	}
}

/// What happens while an answer is computed.
#[derive(Clone, Debug)]
pub enum Event {
	/// A token was drawn.
	Token {
		/// The text that has become certain with it, often empty. All of them together are the answer.
		text: String,
	},
	/// A worker failed and another one took its place.
	Replaced,
	/// The answer is complete. The last event.
	Finished(Box<Finished>),
	/// There will be no more. The last event.
	Failed(Refused),
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinishReason {
	/// An end token or a stop sequence.
	Stop,
	/// `max_tokens` or the end of the context.
	Length,
}

/// A complete answer.
#[derive(Clone, Debug)]
pub struct Finished {
	/// Why it ended.
	pub finish_reason: FinishReason,
	/// What it took.
	pub usage: Usage,
	/// Where it comes from.
	pub receipt: Receipt,
}

/// Tokens of one answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
	/// Of the prompt.
	pub prompt_tokens: u32,
	/// Of the answer, the one that ended it included.
	pub completion_tokens: u32,
	/// Of the prompt, those whose keys and values were at hand.
	pub cached_tokens: u32,
}

/// Where an answer comes from: what the record says about it.
#[derive(Clone, Debug, Default)]
pub struct Receipt {
	/// The record's id; `None` if there is none.
	pub record_id: Option<[u8; 32]>,
	/// Hash of the query.
	pub query_hash: [u8; 32],
	/// Hash of the answer's text.
	pub output_hash: [u8; 32],
	/// What stands behind the text where that hash is salted.
	pub salt: Option<[u8; 32]>,
	/// The stages in order.
	pub stages: Vec<StageReceipt>,
	/// Energy of all stages, in millijoules.
	pub energy_mj: u64,
	/// Where that figure comes from: `estimate`, `rapl`, `powermetrics`, `meter` or `mixed`.
	pub energy_source: String,
	/// From the request to the last token.
	pub latency_ms: u32,
}

/// One stage of an answer.
#[derive(Clone, Debug, Default)]
pub struct StageReceipt {
	/// The worker's account.
	pub node: String,
	/// Its first layer.
	pub first: u16,
	/// The layer behind its last.
	pub end: u16,
	/// Energy, in millijoules.
	pub energy_mj: u64,
	/// Where that figure comes from.
	pub energy_source: String,
	/// The consent that it worked under.
	pub consent_version: u32,
}

/// Why there is no answer. The message goes to the client.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Refused {
	/// The request asks for what cannot be: 400.
	#[error("{message}")]
	Invalid {
		/// The parameter, `aria.first_stage` say.
		param: Option<String>,
		/// What is wrong with it.
		message: String,
	},
	/// The model is gone: 404.
	#[error("{message}")]
	UnknownModel {
		/// What happened.
		message: String,
	},
	/// Escrow or allowance do not cover the price: 402.
	#[error("{message}")]
	InsufficientFunds {
		/// What is missing, and how to add it.
		message: String,
	},
	/// The key has used what it may use for now: 429; for ever, with no `retry_after`: 402.
	#[error("{message}")]
	KeyExhausted {
		/// Which bound it met.
		message: String,
		/// When it may be used again.
		retry_after: Option<Duration>,
	},
	/// Too much to do: 429.
	#[error("{message}")]
	Busy {
		/// What there is too much of.
		message: String,
		/// When to ask again.
		retry_after: Duration,
	},
	/// Nobody consents to the work, or no replica of a stage is left: 503.
	#[error("{message}")]
	Unavailable {
		/// What is missing.
		message: String,
		/// When to ask again.
		retry_after: Duration,
	},
	/// A fault on this side: 500.
	#[error("{message}")]
	Internal {
		/// What the client may know of it.
		message: String,
	},
}

#[cfg(test)]
mod tests {
	use super::*;

	#[tokio::test]
	async fn dropping_an_answer_should_cancel_it() {
		let cancel = CancellationToken::new();
		let (_sender, events) = mpsc::channel(1);
		let running = Running::new(events, cancel.clone());
		assert!(!cancel.is_cancelled());
		drop(running);
		assert!(cancel.is_cancelled());
	}

	#[test]
	fn fingerprints_should_follow_weights_and_numerics() {
		let a = fingerprint(&[1; 32], 1);
		assert_eq!((a.len(), a.get(..3)), (13, Some("fp_")));
		assert_ne!(a, fingerprint(&[2; 32], 1));
		assert_ne!(a, fingerprint(&[1; 32], 2));
	}
}
