//! One job: health of the stages, tokens, replacements.

use super::{
	answer_text,
	seat::{Loss, News, Seat, Signal},
	tokens::Pause,
	Coordinator,
};
use crate::pipeline::{
	answer::{worked_on, AnswerText, Checked},
	error::{NoRecord, PipelineError},
	narrow,
	record::{Ended, SignedRecord},
	types::{Answered, Dialer, Event, Job, Outcome, Timing},
};
use aria_network::wire::pipeline::{
	said, FromStage, Order, SessionId, StagePlace, Stages, ToStage,
};
use aria_primitives::{
	record::{FinishReason, LayerRange, RecordBody},
	AccountId, QueryHash, RecordId,
};
use sp_core::H256;
use sp_runtime::BoundedVec;
use std::{
	collections::{BTreeSet, VecDeque},
	sync::Arc,
	time::{Duration, Instant},
};
use tokio::{
	sync::mpsc,
	time::{interval, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;

/// Workers that are told of at the end.
const MOST_FAILED: usize = 32;
/// News of stages that wait.
const SIGNALS_QUEUE: usize = 64;

/// What a job waits for.
pub(super) enum Phase {
	/// Tokens.
	Answering,
	/// Totals of all stages.
	Totals,
	/// Signatures over a record.
	Signing { id: RecordId, body: Box<RecordBody>, until: Instant },
	/// Nothing.
	Done,
}

/// What woke the job up.
enum Turn {
	Signal(Option<Signal>),
	Cancel,
	Room(Option<mpsc::OwnedPermit<Event>>),
	Tick,
}

/// A job that runs.
pub(super) struct Run<'a, D: Dialer> {
	pub(super) job: &'a Job,
	pub(super) checked: &'a Checked,
	pub(super) genesis: H256,
	pub(super) timing: Timing,
	dialer: Arc<D>,
	query_hash: QueryHash,
	session: SessionId,
	pub(super) attempt: u32,
	pub(super) seats: Vec<Seat>,
	/// Workers that were lost, who get no other seat.
	lost: BTreeSet<[u8; 32]>,
	/// Workers that blamed another: each is believed once.
	accusers: BTreeSet<[u8; 32]>,
	/// Workers that had begun and were replaced.
	failed: Vec<AccountId>,
	signals: mpsc::Receiver<Signal>,
	signal_sender: mpsc::Sender<Signal>,
	pings: u64,
	/// When it last looked after the stages.
	looked: Instant,
	/// When anything went on.
	pub(super) progress: Instant,

	pub(super) phase: Phase,
	pub(super) text: AnswerText<'a>,
	pub(super) tokens: Vec<u32>,
	pub(super) started: Instant,
	pub(super) first: Option<Instant>,
	pub(super) last: Option<Instant>,
	/// Once the answer has ended.
	pub(super) ended: Option<Ended>,
	pub(super) pauses: Vec<Pause>,
	replaced: u32,
	pub(super) record: Option<SignedRecord>,
	pub(super) unrecorded: Option<NoRecord>,

	events: mpsc::Sender<Event>,
	/// What `events` has had no room for.
	backlog: VecDeque<Event>,
}

impl<'a, D: Dialer> Run<'a, D> {
	pub fn new(
		coordinator: &Coordinator<D>,
		job: &'a Job,
		checked: &'a Checked,
		events: mpsc::Sender<Event>,
	) -> Self {
		let mut standbys = job.plan.standbys.iter().cloned();
		let seats = job
			.plan
			.stages
			.iter()
			.map(|place| Seat::new(place.clone(), standbys.next().unwrap_or_default()))
			.collect();
		let (signal_sender, signals) = mpsc::channel(SIGNALS_QUEUE);
		let now = Instant::now();
		Self {
			job,
			checked,
			genesis: coordinator.genesis,
			timing: coordinator.timing,
			dialer: coordinator.dialer.clone(),
			query_hash: job.query.hash(),
			session: rand::random(),
			attempt: 0,
			seats,
			lost: BTreeSet::new(),
			accusers: BTreeSet::new(),
			failed: Vec::new(),
			signals,
			signal_sender,
			pings: 0,
			looked: now,
			progress: now,
			phase: Phase::Answering,
			text: answer_text(job, checked),
			tokens: Vec::new(),
			started: now,
			first: None,
			last: None,
			ended: None,
			pauses: Vec::new(),
			replaced: 0,
			record: None,
			unrecorded: None,
			events,
			backlog: VecDeque::new(),
		}
	}

	/// Runs the job to its end.
	pub async fn drive(mut self, cancel: CancellationToken) -> Result<Outcome, PipelineError> {
		for stage in 0..self.seats.len() {
			self.occupy(stage);
		}
		let mut tick = interval(self.timing.ping);
		tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
		while !matches!(self.phase, Phase::Done) {
			let answering = matches!(self.phase, Phase::Answering);
			let waiting = !self.backlog.is_empty();
			let turn = tokio::select! {
				signal = self.signals.recv() => Turn::Signal(signal),
				() = cancel.cancelled(), if answering => Turn::Cancel,
				permit = self.events.clone().reserve_owned(), if waiting => Turn::Room(permit.ok()),
				_ = tick.tick() => Turn::Tick,
			};
			match turn {
				Turn::Signal(Some(signal)) => self.take(signal)?,
				// A sender is held right here.
				Turn::Signal(None) => {}
				Turn::Cancel => self.cancel()?,
				Turn::Room(permit) => self.emit(permit),
				Turn::Tick => self.look()?,
			}
		}
		self.close().await;
		self.hand_over(cancel);
		Ok(self.outcome())
	}

	/// Gives what is left to whoever listens, who may take its time: the record does not wait for that.
	fn hand_over(&mut self, cancel: CancellationToken) {
		let (mut backlog, events) = (std::mem::take(&mut self.backlog), self.events.clone());
		if backlog.is_empty() {
			return;
		}
		tokio::spawn(async move {
			while let Some(event) = backlog.pop_front() {
				tokio::select! {
					biased;
					() = cancel.cancelled() => return,
					sent = events.send(event) => if sent.is_err() { return },
				}
			}
		});
	}

	async fn close(&mut self) {
		let patience = self.timing.close;
		futures::future::join_all(self.seats.iter_mut().map(|seat| seat.close(patience))).await;
	}

	fn outcome(self) -> Outcome {
		let between = |from: Option<Instant>, to: Option<Instant>| match (from, to) {
			(Some(from), Some(to)) => to.saturating_duration_since(from),
			_ => Duration::ZERO,
		};
		Outcome {
			session: Some(self.session),
			first_token: between(Some(self.started), self.first),
			rest: between(self.first, self.last),
			answer: self.answered(),
			record: self.record,
			unrecorded: self.unrecorded,
			replaced: self.replaced,
			failed: self.failed,
		}
	}

	pub(super) fn answered(&self) -> Answered {
		Answered {
			tokens: self.tokens.clone(),
			text: self.text.text().to_owned(),
			finish_reason: self.text.finish().unwrap_or(FinishReason::Cancelled),
			prompt_tokens: self.prompt(),
			cached_tokens: 0,
		}
	}

	fn prompt(&self) -> u32 {
		narrow(self.job.query.prompt_tokens.len())
	}

	// --- events ------------------------------------------------------------------------------------

	fn emit(&mut self, permit: Option<mpsc::OwnedPermit<Event>>) {
		match permit {
			Some(permit) => {
				if let Some(event) = self.backlog.pop_front() {
					permit.send(event);
				}
			}
			// Nobody listens.
			None => self.backlog.clear(),
		}
	}

	pub(super) fn tell(&mut self, event: Event) {
		if !self.events.is_closed() {
			self.backlog.push_back(event);
		}
	}

	// --- stages ------------------------------------------------------------------------------------

	pub(super) fn places(&self) -> Vec<StagePlace> {
		self.seats.iter().map(|seat| seat.place.clone()).collect()
	}

	fn stages(&self) -> Stages {
		BoundedVec::truncate_from(self.places())
	}

	/// Orders a stage from the worker of its seat.
	fn occupy(&mut self, stage: usize) {
		let (job, stages) = (self.job, self.stages());
		// Those in between learn neither the question nor the answer.
		let ends = stage == 0 || stage + 1 == self.seats.len();
		let order = Order {
			session: self.session,
			attempt: self.attempt,
			stage: u16::try_from(stage).unwrap_or(u16::MAX),
			stages,
			gateway: job.gateway.clone(),
			model_id: job.query.model_id,
			query_hash: self.query_hash,
			salt: job.query.salt,
			prompt_tokens: self.prompt(),
			max_tokens: job.query.max_tokens,
			query: ends.then(|| job.query.clone()),
			drawn: if ends { self.tokens.clone() } else { Vec::new() },
			ticket: job.payment.clone(),
			anchor: job.anchor,
		};
		let (dialer, timing) = (self.dialer.clone(), self.timing);
		let signals = self.signal_sender.clone();
		let tokens = narrow(self.tokens.len());
		let stop = !matches!(self.phase, Phase::Answering);
		if let Some(seat) = self.seats.get_mut(stage) {
			seat.occupy(dialer, order, timing, signals);
			if stop {
				seat.say(ToStage::Stop { tokens });
			}
		}
	}

	fn take(&mut self, signal: Signal) -> Result<(), PipelineError> {
		let Signal { stage, serial, news } = signal;
		let Some(seat) = self.seats.get_mut(stage).filter(|seat| seat.serial == serial) else {
			// Of a worker that was replaced.
			return Ok(());
		};
		if seat.gone {
			return Ok(());
		}
		seat.heard = Instant::now();
		match news {
			News::Accepted { consent_version } => {
				seat.accepted = Some(consent_version);
				self.progress = Instant::now();
				Ok(())
			}
			News::Said(message) => self.hear(stage, message),
			News::Lost(loss) => self.lose(stage, loss),
		}
	}

	fn hear(&mut self, stage: usize, message: FromStage) -> Result<(), PipelineError> {
		match message {
			FromStage::Pong { ping, position } => self.take_pong(stage, ping, position),
			FromStage::Token { index, token, finish } => {
				if stage + 1 == self.seats.len() {
					self.take_token(stage, index, token, finish)
				} else {
					self.lose(stage, Loss::new("it draws tokens and is not the last stage"))
				}
			}
			FromStage::Totals(totals) => self.take_totals(stage, totals),
			FromStage::Signature(signature) => self.take_signature(stage, signature),
			FromStage::Failed { blames, reason } => {
				let reason = said(&reason);
				let believed = self.blame(stage, blames.map(usize::from), &reason)?;
				let accuser = self.seats.get(stage).map(|seat| seat.place.peer);
				let first = accuser.is_some_and(|peer| self.accusers.insert(peer));
				let may_return = believed && first;
				self.lose(stage, Loss { may_return, ..Loss::new(reason) })
			}
			FromStage::Accepted { .. } | FromStage::Refused(_) => {
				self.lose(stage, Loss::new("it answers the order twice"))
			}
		}
	}

	fn take_pong(&mut self, stage: usize, ping: u64, position: u32) -> Result<(), PipelineError> {
		let Some(seat) = self.seats.get_mut(stage) else { return Ok(()) };
		let Some(at) = seat.pings.iter().position(|(sent, _)| *sent == ping) else {
			return self.lose(stage, Loss::new("it answers a ping that was not sent"));
		};
		seat.pings.drain(..=at);
		if position > seat.position {
			seat.position = position;
			self.progress = Instant::now();
		}
		Ok(())
	}

	/// What a stage says of another one: both go where there is somebody for the other, because it is
	/// not known which of them is right, and the one that speaks has ended its session anyway. It may
	/// have its seat again, once, where nobody else can: else a liar would take its honest neighbour
	/// along. Returns whether the blamed one was replaced.
	fn blame(
		&mut self,
		stage: usize,
		blamed: Option<usize>,
		reason: &str,
	) -> Result<bool, PipelineError> {
		let count = self.seats.len();
		let Some(blamed) = blamed.filter(|blamed| *blamed != stage && *blamed < count) else {
			return Ok(false);
		};
		let neighbours = (blamed + 1) % count == stage || (stage + 1) % count == blamed;
		// One that has not even answered its order is being taken care of.
		let replaceable = self
			.seats
			.get(blamed)
			.is_some_and(|seat| !seat.standbys.is_empty() && seat.accepted.is_some());
		if neighbours && replaceable {
			self.lose(blamed, Loss::new(format!("stage {stage} blames it: {reason}")))?;
		}
		Ok(neighbours && replaceable)
	}

	/// Looks after the stages, and pings them.
	fn look(&mut self) -> Result<(), PipelineError> {
		// What has arrived counts before it is judged who has not answered.
		for _ in 0..SIGNALS_QUEUE {
			let Ok(signal) = self.signals.try_recv() else { break };
			self.take(signal)?;
		}
		let now = Instant::now();
		// After a sleep of this machine no stage is to blame for not having answered.
		let slept = now.saturating_duration_since(self.looked) > self.timing.stall / 2;
		self.looked = now;
		if slept {
			self.progress = now;
			for seat in &mut self.seats {
				seat.pings.iter_mut().for_each(|(_, sent)| *sent = now);
			}
		}
		for stage in 0..self.seats.len() {
			let stall = self.timing.stall;
			let stalled = self.seats.get(stage).is_some_and(|seat| {
				let since = |sent: Instant| now.saturating_duration_since(sent);
				!seat.gone && seat.pings.front().is_some_and(|(_, sent)| since(*sent) > stall)
			});
			if stalled {
				self.lose(stage, Loss::new(format!("it has not answered for {stall:?}")))?;
			}
		}
		self.pings += 1;
		for stage in 0..self.seats.len() {
			let ping = self.pings;
			let unread = self.seats.get_mut(stage).is_some_and(|seat| {
				if seat.accepted.is_none() || seat.gone {
					return false;
				}
				seat.pings.push_back((ping, now));
				!seat.say(ToStage::Ping(ping))
			});
			if unread {
				self.lose(stage, Loss::new("it does not read"))?;
			}
		}
		if now.saturating_duration_since(self.progress) > self.timing.idle {
			self.progress = now;
			let idle = self.timing.idle;
			let stage = self.behind();
			self.lose(
				stage,
				Loss::new(format!("nothing has gone on for {idle:?}, and it is behind")),
			)?;
		}
		self.look_for_signatures(now)
	}

	/// The first stage that has not worked on what is known; without one the last, which has to draw.
	fn behind(&self) -> usize {
		let needed = if matches!(self.phase, Phase::Answering) {
			self.target().saturating_add(1)
		} else {
			self.target()
		};
		let is_behind = |seat: &Seat| seat.position < needed && !seat.gone;
		self.seats.iter().position(is_behind).unwrap_or(self.seats.len().saturating_sub(1))
	}

	/// Positions that the answer, as it ended, needs.
	pub(super) fn target(&self) -> u32 {
		worked_on(self.prompt(), narrow(self.tokens.len()))
	}

	/// Has another worker take the seat of a worker that was lost.
	///
	/// # Errors
	/// What it was lost with, if there is nobody else.
	pub(super) fn replace(&mut self, stage: usize, loss: Loss) -> Result<(), Loss> {
		let taken: Vec<StagePlace> = self
			.seats
			.iter()
			.enumerate()
			.filter(|(other, _)| *other != stage)
			.map(|(_, seat)| seat.place.clone())
			.collect();
		let Some(seat) = self.seats.get_mut(stage) else { return Err(loss) };
		if loss.may_return {
			seat.standbys.push_back(seat.place.clone());
		} else {
			self.lost.insert(seat.place.peer);
			if seat.accepted.is_some() && self.failed.len() < MOST_FAILED {
				self.failed.push(seat.place.node.clone());
			}
		}
		let lost = &self.lost;
		let is_out = |standby: &StagePlace| {
			lost.contains(&standby.peer)
				|| taken
					.iter()
					.any(|place| place.node == standby.node || place.peer == standby.peer)
		};
		let next = loop {
			match seat.standbys.pop_front() {
				Some(standby) if is_out(&standby) => {}
				other => break other,
			}
		};
		let since = seat.heard;
		// Who refuses the order is passed over; the answer has not waited for it.
		let had_begun = seat.accepted.is_some();
		seat.vacate();
		let Some(next) = next else { return Err(loss) };
		seat.place = next;
		tracing::info!(
			target: "aria::pipeline",
			stage,
			reason = %loss.reason,
			node = %seat.place.node,
			"a stage is replaced"
		);
		if had_begun {
			self.pauses.push(Pause::new(stage, since));
			self.replaced = self.replaced.saturating_add(1);
		}
		self.attempt = self.attempt.saturating_add(1);
		self.progress = Instant::now();
		self.occupy(stage);
		let replan = ToStage::Replan { attempt: self.attempt, stages: self.stages() };
		for (other, seat) in self.seats.iter().enumerate() {
			if other != stage && !seat.gone {
				// One that does not read is found by its pings.
				seat.say(replan.clone());
			}
		}
		Ok(())
	}

	pub(super) fn no_replica(&self, stage: usize, loss: Loss) -> PipelineError {
		let place = self.seats.get(stage).map(|seat| seat.place.layers);
		PipelineError::NoReplica {
			stage: u16::try_from(stage).unwrap_or(u16::MAX),
			layers: place.unwrap_or(LayerRange { first: 0, end: 0 }),
			reason: loss.reason,
			retry_after: loss.retry_after,
		}
	}
}
