//! A verifier's side of `/aria/audit/1`, and an accused stage's of `/aria/dispute/1`
//! (`docs/protocol/network.md`, "Audits").

use super::seal::{unseal, SealError};
use aria_engine::trace::BoundaryTrace;
use aria_network::wire::{
	audit::{AuditAnswer, AuditRequest, DisputeRequest, MAX_ANSWER},
	frame::{self, FrameError},
	pipeline::said,
	AUDIT_PROTOCOL, DISPUTE_PROTOCOL,
};
use aria_primitives::{
	audit::{Handover, Named},
	hashing::sha256,
	record::RecordBody,
	RecordId,
};
use codec::Encode;
use futures::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use sp_core::sr25519;
use std::time::Duration;
use tokio::time::timeout;

/// How long a gateway may take. It may have to look at the chain, and send 2 MiB over a slow line.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why there is no hand-over.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
	/// The stream failed, or the peer sent something else.
	#[error(transparent)]
	Frame(#[from] FrameError),
	/// The peer took too long.
	#[error("the gateway took more than {} s", PATIENCE.as_secs())]
	Late,
	/// The gateway gives none.
	#[error("the gateway gives nothing: {0}")]
	Refused(String),
	/// The gateway asks for time.
	#[error("the gateway answers later")]
	Busy(Duration),
	/// What came does not open.
	#[error(transparent)]
	Sealed(#[from] SealError),
}

/// What a gateway may be asked for a hand-over with.
pub trait Question: Encode + Send + Sync {
	/// On which streams.
	const PROTOCOL: &'static str;

	/// The record.
	fn record(&self) -> &RecordId;
}

impl Question for AuditRequest {
	const PROTOCOL: &'static str = AUDIT_PROTOCOL;

	fn record(&self) -> &RecordId {
		&self.record
	}
}

impl Question for DisputeRequest {
	const PROTOCOL: &'static str = DISPUTE_PROTOCOL;

	fn record(&self) -> &RecordId {
		&self.record
	}
}

/// Asks for the hand-over of a record on a stream to its gateway, and opens it; with whom the requester
/// named.
///
/// # Errors
/// [`AskError`].
pub async fn ask(
	mut stream: impl AsyncRead + AsyncWrite + Unpin,
	request: &impl Question,
	pair: &sr25519::Pair,
) -> Result<(Handover, Named), AskError> {
	let conversation = async {
		frame::write(&mut stream, request).await?;
		let answer = frame::read::<AuditAnswer>(&mut stream, MAX_ANSWER).await?;
		let _ = stream.close().await;
		Ok::<_, AskError>(answer)
	};
	let answer = timeout(PATIENCE, conversation).await.map_err(|_| AskError::Late)??;
	match answer {
		AuditAnswer::Sealed { sealed, named } => {
			Ok((unseal(&sealed, pair, request.record())?, named))
		}
		AuditAnswer::Refused(reason) => Err(AskError::Refused(said(&reason))),
		AuditAnswer::Later { retry_ms } => {
			Err(AskError::Busy(Duration::from_millis(retry_ms.into())))
		}
	}
}

/// Whether a hand-over hashes to what the record names, so that it can only come from who had it: the
/// query, the tokens, and the boundary before the first stage.
pub fn is_of(handed: &Handover, body: &RecordBody) -> bool {
	let Handover { query, tokens } = handed;
	let before = BoundaryTrace::prompt(query.salt, &query.prompt_tokens);
	query.hash() == body.query_hash
		&& query.model_id == body.model_id
		&& sha256(&tokens.encode()) == body.output_tokens_hash
		&& usize::try_from(body.prompt_tokens) == Ok(query.prompt_tokens.len())
		&& usize::try_from(body.output_tokens) == Ok(tokens.len())
		&& body.boundaries.first() == Some(&before.boundary(0, &body.query_hash))
}
