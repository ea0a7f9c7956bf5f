//! A gateway's side of `/aria/audit/1` and `/aria/dispute/1`, and its word on chain where somebody says
//! that it is silent (`docs/protocol/audit.md`, hand-over; `docs/protocol/network.md`, "Audits").

use super::{
	kept::{HandOvers, Kept},
	ledger::{Candidate, Claim, Witness},
	seal::{seal, SealError},
	LOG,
};
use aria_network::wire::{
	audit::{AuditAnswer, AuditRequest, DisputeRequest, MAX_REQUEST},
	frame::{self, FrameError},
	pipeline::text,
};
use aria_primitives::{audit::Sealed, AccountId, Moment, RecordId};
use codec::Decode;
use futures::{
	io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
	stream, StreamExt,
};
use sp_core::sr25519;
use sp_runtime::BoundedVec;
use std::{
	future::Future,
	sync::{
		atomic::{AtomicU64, Ordering},
		Arc,
	},
	time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::{sync::Semaphore, time::timeout};
use tokio_util::sync::CancellationToken;

/// Hand-overs that are answered at once.
const AT_ONCE: usize = 32;
/// When one that is not should be asked for again.
const RETRY_MS: u32 = 2_000;
/// How long a verifier may take to ask, or to take the answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it is looked whose hand-overs nobody may ask for any more.
const CLEAR: Duration = Duration::from_secs(600);
/// Records that are looked at together.
const PAGE: usize = 64;
/// How long a hand-over is kept whose record the chain does not know, in milliseconds: a day. It was
/// never settled, or left the chain's state.
const MOST_UNKNOWN: Moment = 24 * 60 * 60 * 1_000;
/// How long any is kept: 30 days.
const MOST: Moment = 30 * MOST_UNKNOWN;
/// Hand-overs that are posted at once: each waits for a block, and many may claim in one window.
const POSTS_AT_ONCE: usize = 32;
/// Between two attempts to post for the same claim.
const POST_AGAIN: Duration = Duration::from_secs(30);

/// What a gateway did since its process began.
#[derive(Debug, Default)]
pub struct Given {
	/// Hand-overs that verifiers took.
	pub handed: AtomicU64,
	/// Requests without a seat, or for what is not here.
	pub refused: AtomicU64,
	/// Hand-overs that were posted on chain.
	pub posted: AtomicU64,
}

/// Hands over what this gateway's answers were made of, to who proves a seat.
pub struct Giving {
	witness: Arc<dyn Witness>,
	kept: Arc<HandOvers>,
	places: Semaphore,
	/// What it did.
	pub counters: Given,
}

impl Giving {
	/// Hands over what is `kept`.
	pub fn new(witness: Arc<dyn Witness>, kept: Arc<HandOvers>) -> Arc<Self> {
		let places = Semaphore::new(AT_ONCE);
		Arc::new(Self { witness, kept, places, counters: Given::default() })
	}

	/// Answers one request of a verifier.
	///
	/// # Errors
	/// A peer that takes too long, breaks off, or sends something else.
	pub async fn serve(
		&self,
		stream: impl AsyncRead + AsyncWrite + Unpin,
	) -> Result<(), FrameError> {
		let answer = |request: AuditRequest| async move { self.answer(&request).await };
		self.converse(stream, answer).await
	}

	/// Answers one request of a stage that is accused.
	///
	/// # Errors
	/// As [`Giving::serve`].
	pub async fn serve_accused(
		&self,
		stream: impl AsyncRead + AsyncWrite + Unpin,
	) -> Result<(), FrameError> {
		let answer = |request: DisputeRequest| async move { self.answer_accused(&request).await };
		self.converse(stream, answer).await
	}

	async fn converse<Q: Decode, F: Future<Output = AuditAnswer>>(
		&self,
		mut stream: impl AsyncRead + AsyncWrite + Unpin,
		answer: impl FnOnce(Q) -> F,
	) -> Result<(), FrameError> {
		let late = || FrameError::Io(std::io::ErrorKind::TimedOut.into());
		let asked = timeout(PATIENCE, frame::read::<Q>(&mut stream, MAX_REQUEST));
		let request = asked.await.map_err(|_| late())??;
		let answer = match self.places.try_acquire() {
			Ok(_place) => answer(request).await,
			Err(_) => AuditAnswer::Later { retry_ms: RETRY_MS },
		};
		let is_given = matches!(answer, AuditAnswer::Sealed { .. });
		let said = async {
			frame::write(&mut stream, &answer).await?;
			let _ = stream.close().await;
			// The peer ends the stream when it has it all.
			let mut rest = [0; 64];
			let _ = stream.read(&mut rest).await;
			Ok::<_, FrameError>(())
		};
		timeout(PATIENCE, said).await.map_err(|_| late())??;
		let counter = if is_given { &self.counters.handed } else { &self.counters.refused };
		counter.fetch_add(1, Ordering::Relaxed);
		Ok(())
	}

	/// What is kept of a record, or what is answered instead: before anybody may make the chain be asked.
	fn kept(&self, record: &RecordId) -> Result<Kept, AuditAnswer> {
		match self.kept.get(record) {
			Ok(Some(kept)) => Ok(kept),
			Ok(None) => Err(refused("this gateway has nothing of that record")),
			Err(error) => {
				tracing::error!(target: LOG, %error, "hand-overs can't be read");
				Err(AuditAnswer::Later { retry_ms: RETRY_MS })
			}
		}
	}

	async fn answer_accused(&self, request: &DisputeRequest) -> AuditAnswer {
		let DisputeRequest { record, node } = request;
		let kept = match self.kept(record) {
			Ok(kept) => kept,
			Err(answer) => return answer,
		};
		match self.witness.accused(*record, node).await {
			Ok(true) => {
				let key = sr25519::Public::from_raw(*AsRef::<[u8; 32]>::as_ref(node));
				give(kept, &key, record, node)
			}
			Ok(false) => refused("that account is accused of nothing that may be contested now"),
			Err(error) => {
				tracing::debug!(target: LOG, %error, "the chain can't be asked who is accused");
				AuditAnswer::Later { retry_ms: RETRY_MS }
			}
		}
	}

	async fn answer(&self, request: &AuditRequest) -> AuditAnswer {
		let later = AuditAnswer::Later { retry_ms: RETRY_MS };
		let AuditRequest { record, round, verifier, proof } = request;
		let kept = match self.kept(record) {
			Ok(kept) => kept,
			Err(answer) => return answer,
		};
		let candidate = match self.witness.candidate(*record, *round, verifier).await {
			Ok(Some(candidate)) => candidate,
			Ok(None) => return refused("no such round is open for that account"),
			Err(error) => {
				tracing::debug!(target: LOG, %error, "the chain can't be asked about a seat");
				return later;
			}
		};
		let Candidate { lots, key, stake } = candidate;
		if lots.proves(&key, stake, proof).is_none() {
			return refused("the proof shows no seat");
		}
		if lots.named.is_some() && !kept.named.contains(verifier) {
			return refused("the requester named others");
		}
		give(kept, &key, record, verifier)
	}

	/// Answers claims of silence on chain, and forgets what nobody may ask for any more, until
	/// `shutdown`.
	pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
		let mut cleared: Option<Instant> = None;
		let mut posted: Vec<(Claim, Instant)> = Vec::new();
		loop {
			let work = async {
				self.answer_claims(&mut posted).await;
				if cleared.is_none_or(|cleared| cleared.elapsed() >= CLEAR) {
					self.clear(now()).await;
					cleared = Some(Instant::now());
				}
				self.witness.next_block().await;
			};
			tokio::select! {
				() = shutdown.cancelled() => return,
				() = work => {}
			}
		}
	}

	async fn answer_claims(&self, posted: &mut Vec<(Claim, Instant)>) {
		let claims = match self.witness.claims().await {
			Ok(claims) => claims,
			Err(error) => {
				tracing::debug!(target: LOG, %error, "claims of silence can't be read");
				return;
			}
		};
		posted.retain(|(claim, at)| at.elapsed() < POST_AGAIN && claims.contains(claim));
		let mut due = Vec::new();
		for claim in claims {
			if posted.iter().any(|(other, _)| *other == claim) {
				continue;
			}
			posted.push((claim.clone(), Instant::now()));
			due.push(claim);
		}
		stream::iter(due)
			.for_each_concurrent(
				POSTS_AT_ONCE,
				|claim| async move { self.answer_claim(claim).await },
			)
			.await;
	}

	async fn answer_claim(&self, claim: Claim) {
		let (record, claimant) = (claim.record, claim.claimant.clone());
		match self.rebut(claim).await {
			Ok(()) => {
				self.counters.posted.fetch_add(1, Ordering::Relaxed);
				tracing::warn!(
					target: LOG, ?record, %claimant,
					"somebody says that this gateway is silent; the hand-over is posted on chain"
				);
			}
			Err(reason) => tracing::error!(
				target: LOG, ?record, %claimant, %reason,
				"somebody says that this gateway is silent, and that can't be answered on chain"
			),
		}
	}

	async fn rebut(&self, claim: Claim) -> Result<(), String> {
		let kept = self.kept.get(&claim.record).map_err(|error| error.to_string())?;
		let Kept { handed, .. } = kept.ok_or("nothing of that record is here")?;
		let sealed = seal(&handed, &claim.key, &claim.record).map_err(|error| error.to_string())?;
		let (ephemeral, bytes) =
			sealed.split_first_chunk::<32>().ok_or("what was sealed is too short")?;
		let bytes = BoundedVec::try_from(bytes.to_vec())
			.map_err(|_| "it is longer than the chain takes".to_owned())?;
		let sealed = Sealed { ephemeral: *ephemeral, bytes };
		self.witness.post(claim, sealed).await.map_err(|error| error.to_string())
	}

	/// Forgets what nobody may ask for any more.
	pub async fn clear(&self, now: Moment) {
		let mut after: Option<(Moment, RecordId)> = None;
		loop {
			let page = match self.kept.behind(after, PAGE) {
				Ok(page) => page,
				Err(error) => {
					tracing::error!(target: LOG, %error, "hand-overs can't be read");
					return;
				}
			};
			let Some(last) = page.last().copied() else { return };
			after = Some(last);
			let mut over = Vec::new();
			for (at, record) in page {
				let age = now.saturating_sub(at);
				let is_over = match age > MOST {
					true => Ok(Some(true)),
					false => self.witness.is_over(record).await,
				};
				match is_over {
					Ok(Some(true)) => over.push((at, record)),
					Ok(None) if age > MOST_UNKNOWN => over.push((at, record)),
					Ok(_) => {}
					Err(error) => {
						tracing::debug!(target: LOG, %error, "records can't be looked up");
						return;
					}
				}
			}
			if let Err(error) = self.kept.forget(&over) {
				tracing::error!(target: LOG, %error, "hand-overs can't be forgotten");
				return;
			}
		}
	}
}

fn refused(reason: &str) -> AuditAnswer {
	AuditAnswer::Refused(text(reason))
}

/// Seals what is kept of a record to the key of `account`.
fn give(
	Kept { handed, named }: Kept,
	key: &sr25519::Public,
	record: &RecordId,
	account: &AccountId,
) -> AuditAnswer {
	let sealed = seal(&handed, key, record)
		.and_then(|sealed| BoundedVec::try_from(sealed).map_err(|_| SealError::TooLong));
	match sealed {
		Ok(sealed) => {
			tracing::info!(target: LOG, ?record, %account, "handed over for an audit");
			AuditAnswer::Sealed { sealed, named }
		}
		Err(error) => refused(&error.to_string()),
	}
}

fn now() -> Moment {
	let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
	Moment::try_from(since.as_millis()).unwrap_or(Moment::MAX)
}
