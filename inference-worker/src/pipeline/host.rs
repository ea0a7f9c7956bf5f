//! A worker's side: takes orders and links, and holds the sessions.

use super::{
	answer::AnswerText,
	lock, narrow,
	order::{check, Own, Task},
	stage::{frame_rows, row_bytes, Beginning, Exit, LinkIn, Mail, Stage},
	types::{Dialer, Guard, HostTiming, SessionMeter},
	wide, Reader, Writer, CHUNK,
};
use crate::{
	limits::{logical_cpus, Governor},
	seldom::Seldom,
};
use aria_engine::{
	model::{Model, PAGE},
	text::ChatTokenizer,
};
use aria_network::wire::{
	frame,
	pipeline::{text, FromStage, Hello, Order, Refusal, SessionId, MAX_CONTROL},
};
use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use sp_core::{sr25519, Pair, H256};
use std::{
	collections::HashMap,
	sync::{
		atomic::{AtomicU64, Ordering},
		Arc, Mutex,
	},
};
use tokio::{
	sync::{mpsc, Notify, Semaphore},
	time::{timeout, timeout_at, Instant},
};

/// Links that wait for their order at most; more are dropped, and dialled again by their stage.
const MOST_WAITING: usize = 64;
/// Messages for a session that wait at most.
const MAIL_QUEUE: usize = 16;
/// Orders that were refused, in the log.
static REFUSED: Seldom = Seldom::new();
/// What a gateway is told to wait for when there is no room, in milliseconds.
const RETRY_MS: u32 = 1_000;

/// What a worker serves stages with.
pub struct HostParts<D> {
	/// The worker's key, which signs records.
	pub pair: sr25519::Pair,
	/// Hash of the chain's genesis.
	pub genesis: H256,
	/// The layers that are in memory.
	pub model: Arc<Model>,
	/// Tokens that end an answer, from the manifest.
	pub eos: Vec<u32>,
	/// The model's tokenizer, without which the worker can't be a last stage.
	pub tokenizer: Option<Arc<ChatTokenizer>>,
	/// Limits of CPU and bytes.
	pub governor: Arc<Governor>,
	/// Measures energy.
	pub meter: Arc<dyn SessionMeter>,
	/// Decides who may work.
	pub guard: Arc<dyn Guard>,
	/// Reaches other workers.
	pub dialer: Arc<D>,
	/// Most sessions at once, whatever the guard says.
	pub max_sessions: usize,
	/// How long it waits.
	pub timing: HostTiming,
}

/// Bytes of memory that a session of so many positions takes at most on these layers: keys and values,
/// what was given and is kept for a replacement behind it, leaves of both boundaries, and what a unit
/// of work needs.
pub fn session_bytes(model: &Model, positions: usize) -> u64 {
	let config = model.config();
	let float = size_of::<f32>();
	let rounded = positions.saturating_add(PAGE.max(CHUNK));
	let kv = model.kv_bytes_per_position().saturating_mul(rounded);
	let row = row_bytes(config.hidden);
	let kept = if model.is_last() { 0 } else { row.saturating_mul(rounded) };
	// Two trees of 32 bytes a leaf, in lists that may have room for twice as many.
	let leaves = rounded.saturating_mul(2 * 2 * 32);
	let frames = row.saturating_mul(frame_rows(config.hidden)).saturating_mul(8);
	let widest = config.hidden.max(config.feed_forward).max(config.query_dim());
	let unit = widest.saturating_mul(CHUNK).saturating_mul(float).saturating_mul(6);
	let logits = if model.is_last() { config.vocab.saturating_mul(32) } else { 0 };
	[kv, kept, leaves, frames, unit, logits]
		.iter()
		.fold(0u64, |sum, bytes| sum.saturating_add(*bytes as u64))
}

/// A session, as the host sees it.
struct Entry {
	serial: u64,
	peer: [u8; 32],
	attempt: u32,
	/// Whether it was admitted; until then it keeps its place and does not count.
	runs: bool,
	mail: mpsc::Sender<Mail>,
}

/// Serves streams of the pipeline's protocol ([`aria_network::wire::PIPELINE_PROTOCOL`]): orders of
/// gateways and links of other stages.
pub struct StageHost<D: Dialer> {
	parts: HostParts<D>,
	own: Own,
	sessions: Mutex<HashMap<SessionId, Entry>>,
	/// Told whenever a session begins.
	began: Notify,
	waiting: Semaphore,
	/// Units of compute at once: as many as the machine has processors for.
	compute: Arc<Semaphore>,
	serial: AtomicU64,
}

/// A place among the sessions, given back when dropped.
struct Registered<'a, D: Dialer> {
	host: &'a StageHost<D>,
	session: SessionId,
	serial: u64,
}

impl<D: Dialer> Drop for Registered<'_, D> {
	fn drop(&mut self) {
		let mut sessions = lock(&self.host.sessions);
		if sessions.get(&self.session).is_some_and(|entry| entry.serial == self.serial) {
			sessions.remove(&self.session);
		}
	}
}

impl<D: Dialer> StageHost<D> {
	/// A host without sessions.
	pub fn new(parts: HostParts<D>) -> Arc<Self> {
		let config = parts.model.config();
		let own = Own {
			account: parts.pair.public().into(),
			genesis: parts.genesis,
			model_id: parts.model.model_id(),
			layers: parts.model.layers(),
			all_layers: config.layers,
			vocab: narrow(config.vocab),
			context: narrow(config.context),
			tokenizer: parts.tokenizer.is_some(),
		};
		let lanes = (logical_cpus() / parts.model.threads().max(1)).max(1);
		Arc::new(Self {
			parts,
			own,
			sessions: Mutex::default(),
			began: Notify::new(),
			waiting: Semaphore::new(MOST_WAITING),
			compute: Arc::new(Semaphore::new(lanes)),
			serial: AtomicU64::new(0),
		})
	}

	/// Sessions that run now; one that is being admitted does not count.
	pub fn sessions(&self) -> usize {
		lock(&self.sessions).values().filter(|entry| entry.runs).count()
	}

	/// Ends all sessions; their gateways are told `reason` and look for others.
	pub fn end_all(&self, reason: &str) {
		for entry in lock(&self.sessions).values() {
			let _ = entry.mail.try_send(Mail::End(reason.to_owned()));
		}
	}

	/// Serves a stream that `peer` opened. Ends with the session, or once a link is handed over.
	/// Dropping the future ends the session at once.
	pub async fn serve<S>(self: Arc<Self>, peer: [u8; 32], stream: S)
	where
		S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
	{
		let (reader, writer) = stream.split();
		let (mut reader, writer): (Reader, Writer) = (Box::new(reader), Box::new(writer));
		let hello = frame::read::<Hello>(&mut reader, MAX_CONTROL);
		match timeout(self.parts.timing.hello, hello).await {
			Ok(Ok(Hello::Order(order))) => self.order(peer, order, reader, writer).await,
			Ok(Ok(Hello::Link(link))) => {
				self.link(LinkIn { peer, link, reader, writer }).await;
			}
			Ok(Err(error)) => {
				tracing::debug!(target: "aria::pipeline", %error, "a stream without a beginning");
			}
			Err(_) => {
				tracing::debug!(target: "aria::pipeline", "a stream on which nothing was said");
			}
		}
	}

	/// What it serves with.
	pub(super) fn parts(&self) -> &HostParts<D> {
		&self.parts
	}

	/// What it knows of itself.
	pub(super) fn own(&self) -> &Own {
		&self.own
	}

	/// Turns at computing.
	pub(super) fn compute(&self) -> &Arc<Semaphore> {
		&self.compute
	}

	/// The answer's text, where `task` is the last stage.
	pub(super) fn answer_text(&self, task: &Task) -> Option<AnswerText<'_>> {
		let tokenizer = self.parts.tokenizer.as_deref().filter(|_| task.is_last())?;
		Some(AnswerText::new(tokenizer, task.stops.clone(), &self.parts.eos, task.limit))
	}

	// --- orders ------------------------------------------------------------------------------------

	async fn order(&self, peer: [u8; 32], order: Order, reader: Reader, writer: Writer) {
		let session = Short(order.session);
		let begun = self.begin(&peer, order, reader, writer);
		let (registered, stage) = match begun {
			Ok(begun) => begun,
			Err((refusal, mut writer)) => {
				if let Some(unsaid) = REFUSED.turn() {
					tracing::info!(
						target: "aria::pipeline", %session, %refusal, unsaid, "refused an order"
					);
				}
				let refused = FromStage::Refused(refusal);
				let said = async {
					frame::write(&mut writer, &refused).await?;
					writer.close().await.map_err(frame::FrameError::from)
				};
				let _ = timeout(self.parts.timing.hello, said).await;
				return;
			}
		};
		tracing::debug!(target: "aria::pipeline", %session, "a session begins");
		match stage.run().await {
			Exit::Closed => {
				tracing::debug!(target: "aria::pipeline", %session, "a session has ended");
			}
			Exit::Gone(reason) => {
				tracing::info!(target: "aria::pipeline", %session, %reason, "a session was left");
			}
			Exit::Failed { reason, .. } => {
				tracing::warn!(target: "aria::pipeline", %session, %reason, "a session has failed");
			}
		}
		drop(registered);
	}

	/// Checks and admits an order. The writer comes back with a refusal.
	fn begin(
		&self,
		peer: &[u8; 32],
		order: Order,
		reader: Reader,
		writer: Writer,
	) -> Result<(Registered<'_, D>, Stage<'_, D>), (Refusal, Writer)> {
		let admitted = check(&order, &self.own).and_then(|task| {
			let positions = wide(task.capacity());
			let (registered, mail) = self.register(peer, &order)?;
			let bytes = session_bytes(&self.parts.model, positions);
			let admission = self.parts.guard.admit(peer, &order, bytes)?;
			let mut session = self
				.parts
				.model
				.session(positions)
				.map_err(|error| Refusal::Malformed(text(error.to_string())))?;
			if self.parts.guard.is_canary(&order) {
				session.cut_short();
			}
			Ok((task, registered, mail, admission, session))
		});
		match admitted {
			Ok((task, registered, mail, admission, session)) => {
				let beginning = Beginning { order, task, session, admission, mail, reader, writer };
				let stage = Stage::new(self, beginning);
				if let Some(entry) = lock(&self.sessions).get_mut(&registered.session) {
					entry.runs = true;
				}
				self.began.notify_waiters();
				Ok((registered, stage))
			}
			Err(refusal) => Err((refusal, writer)),
		}
	}

	/// A place for the session of `order`. A later attempt of the same peer takes over an earlier one.
	fn register(
		&self,
		peer: &[u8; 32],
		order: &Order,
	) -> Result<(Registered<'_, D>, mpsc::Receiver<Mail>), Refusal> {
		let (sender, mail) = mpsc::channel(MAIL_QUEUE);
		let serial = self.serial.fetch_add(1, Ordering::Relaxed);
		let mut sessions = lock(&self.sessions);
		if let Some(before) = sessions.get(&order.session) {
			if before.peer != *peer || order.attempt <= before.attempt {
				return Err(Refusal::Malformed(text("the session runs already")));
			}
			let _ = before.mail.try_send(Mail::End("ordered again".to_owned()));
		} else if sessions.len() >= self.parts.max_sessions {
			return Err(Refusal::Busy { retry_ms: RETRY_MS });
		}
		let (peer, attempt) = (*peer, order.attempt);
		let entry = Entry { serial, peer, attempt, runs: false, mail: sender };
		sessions.insert(order.session, entry);
		Ok((Registered { host: self, session: order.session, serial }, mail))
	}

	// --- links -------------------------------------------------------------------------------------

	/// Hands a link to its session, whose order may still be on its way.
	async fn link(&self, link: LinkIn) {
		let session = link.link.session;
		// One that need not wait takes no place, however many others wait.
		if let Some(mail) = self.mail(&session) {
			let _ = mail.try_send(Mail::Link(link));
			return;
		}
		let Ok(_place) = self.waiting.try_acquire() else { return };
		let until = Instant::now() + self.parts.timing.early;
		loop {
			let mut began = std::pin::pin!(self.began.notified());
			// From here on a session that begins is not missed.
			began.as_mut().enable();
			if let Some(mail) = self.mail(&session) {
				let _ = mail.try_send(Mail::Link(link));
				return;
			}
			if timeout_at(until, began).await.is_err() {
				tracing::debug!(
					target: "aria::pipeline",
					session = %Short(session),
					"a link without a session"
				);
				return;
			}
		}
	}

	fn mail(&self, session: &SessionId) -> Option<mpsc::Sender<Mail>> {
		lock(&self.sessions).get(session).map(|entry| entry.mail.clone())
	}
}

impl<D: Dialer> std::fmt::Debug for StageHost<D> {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.debug_struct("StageHost")
			.field("layers", &self.own.layers)
			.field("sessions", &self.sessions())
			.finish_non_exhaustive()
	}
}

/// A session in logs.
struct Short(SessionId);

impl std::fmt::Display for Short {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))
	}
}
