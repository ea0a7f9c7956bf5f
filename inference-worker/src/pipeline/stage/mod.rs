//! One session of a worker: a stage of one answer.
//!
//! A task owns all of its state and does nothing but wait and decide. Streams are read and written by
//! tasks of their own ([`links`]), compute runs on a blocking thread ([`work`]). What a stage gave is
//! kept ([`kept`]), and is what the link to the next stage is fed from, so that a slow neighbour
//! never holds up compute and needs no queue.

mod control;
mod kept;
mod links;
mod ring;
mod work;

pub(crate) use links::LinkIn;

use super::{
	answer::{worked_on, AnswerText},
	host::StageHost,
	narrow,
	order::Task,
	types::{Admission, Dialer},
	wide, Reader, Writer, CHUNK,
};
use aria_engine::model::{Cancel, Session};
use aria_network::wire::pipeline::{
	text, FromStage, LinkFrame, Order, StagePlace, ToStage, Totals, MAX_LINK,
};
use aria_primitives::{record::FinishReason, RecordId};
use futures::future::{pending, BoxFuture};
use kept::Kept;
use links::{Incoming, Outgoing};
use std::{sync::Arc, time::Duration};
use tokio::{
	sync::mpsc,
	task::JoinError,
	time::{interval, timeout, Instant, Interval, MissedTickBehavior},
};
use tokio_util::task::AbortOnDropHandle;
use work::{Done, Fault, Work, Worker, WorkerParts};

/// Links of a replacement that was not announced yet; more are dropped.
const MOST_EARLY: usize = 4;
/// Events of the link to the next stage that wait.
const EVENTS_QUEUE: usize = 4;
/// How long the last message may take.
const LAST_WORD: Duration = Duration::from_secs(1);

/// What the host tells a session.
pub(crate) enum Mail {
	/// A link has arrived.
	Link(LinkIn),
	/// The session has to end, for this reason.
	End(String),
}

/// How a session ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
	/// The gateway said so.
	Closed,
	/// The gateway is gone, or does not keep to the protocol.
	Gone(String),
	/// The stage can't go on.
	Failed {
		/// The stage that is to blame, where it is another one.
		blames: Option<usize>,
		/// Why.
		reason: String,
	},
}

/// The stage failed, and nobody else is to blame.
fn failed(reason: impl Into<String>) -> Exit {
	Exit::Failed { blames: None, reason: reason.into() }
}

/// Bytes of a position on a link.
pub(crate) fn row_bytes(hidden: usize) -> usize {
	hidden.saturating_mul(size_of::<f32>()).max(1)
}

/// Most positions of a frame.
pub(crate) fn frame_rows(hidden: usize) -> usize {
	// What a frame has beside its values fits into the rest.
	(MAX_LINK.saturating_sub(64) / row_bytes(hidden)).clamp(1, CHUNK)
}

type Running = BoxFuture<'static, Result<(Box<Worker>, Result<Done, Fault>), JoinError>>;

/// The link from the stage before.
struct Input {
	frames: mpsc::Receiver<Incoming>,
	_task: AbortOnDropHandle<()>,
}

/// The link to the next stage, while it is up.
struct Output {
	frames: mpsc::Sender<LinkFrame>,
	/// The position, or for the last stage the token, that is sent next.
	next: u32,
}

/// Ends compute with the session.
struct CancelOnDrop(Cancel);

impl Drop for CancelOnDrop {
	fn drop(&mut self) {
		self.0.cancel();
	}
}

/// What a session begins with.
pub(crate) struct Beginning {
	pub order: Order,
	pub task: Task,
	pub session: Session,
	pub admission: Admission,
	pub mail: mpsc::Receiver<Mail>,
	pub reader: Reader,
	pub writer: Writer,
}

/// A session.
pub(crate) struct Stage<'t, D: Dialer> {
	host: &'t StageHost<D>,
	order: Order,
	task: Arc<Task>,
	/// The stages as they are now.
	stages: Vec<StagePlace>,
	attempt: u32,
	consent_version: u32,

	control: mpsc::Receiver<Result<ToStage, String>>,
	_control: AbortOnDropHandle<()>,
	said: mpsc::Sender<FromStage>,
	writing: AbortOnDropHandle<()>,
	mail: mpsc::Receiver<Mail>,
	/// When the gateway was last heard of.
	heard: Instant,
	tick: Interval,

	cancel: CancelOnDrop,
	/// While nothing runs.
	worker: Option<Box<Worker>>,
	running: Option<Running>,
	/// Positions that were worked on, and those that are being worked on.
	position: u32,
	busy: u32,

	input: Option<Input>,
	input_attempt: u32,
	/// Activations of the positions behind those.
	pending: Vec<u8>,
	early: Vec<LinkIn>,

	events: mpsc::Receiver<Outgoing>,
	events_sender: mpsc::Sender<Outgoing>,
	connection: Option<AbortOnDropHandle<()>>,
	serial: u64,
	output: Option<Output>,
	kept: Kept,

	/// For the first and the last stage: tokens of the answer that are known.
	tokens: Vec<u32>,
	/// For the last stage: how many of them it has drawn itself.
	drawn: u32,
	text: Option<AnswerText<'t>>,
	finish: Option<FinishReason>,
	/// Tokens of the answer, once the gateway has said.
	stop: Option<u32>,
	totals: Option<Totals>,
	/// The attempt in which it signed last, and what.
	signed: Option<(u32, RecordId)>,
}

/// What woke a session up.
// It is taken apart right where it is made.
#[allow(clippy::large_enum_variant)]
enum Turn {
	Control(Option<Result<ToStage, String>>),
	Mail(Option<Mail>),
	Done(Result<(Box<Worker>, Result<Done, Fault>), JoinError>),
	Event(Option<Outgoing>),
	Frame(Option<Incoming>),
	Room(Option<mpsc::OwnedPermit<LinkFrame>>),
	Tick,
}

impl<'t, D: Dialer> Stage<'t, D> {
	/// A session that has been admitted. `host` has the tokenizer if the stage is the last.
	pub fn new(host: &'t StageHost<D>, beginning: Beginning) -> Self {
		let Beginning { mut order, task, session, admission, mail, reader, writer } = beginning;
		let parts = host.parts();
		let task = Arc::new(task);
		let hidden = session.model().config().hidden;
		let cancel = Cancel::new();
		let drawn = std::mem::take(&mut order.drawn);
		let query = order.query.as_ref();
		let worker = Worker::new(WorkerParts {
			session,
			task: task.clone(),
			cancel: cancel.clone(),
			governor: parts.governor.clone(),
			span: parts.meter.begin(),
			salt: order.salt,
			prompt: query.filter(|_| task.is_first()).map(|query| query.prompt_tokens.to_vec()),
			lease: admission.lease,
		});
		let (control, reading) = links::read_control(reader);
		let (said, writing) = links::write_control(writer);
		let (events_sender, events) = mpsc::channel(EVENTS_QUEUE);
		let mut tick = interval(parts.timing.look);
		tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
		Self {
			host,
			stages: order.stages.to_vec(),
			attempt: order.attempt,
			consent_version: admission.consent_version,
			control,
			_control: reading,
			said,
			writing,
			mail,
			heard: Instant::now(),
			tick,
			cancel: CancelOnDrop(cancel),
			worker: Some(Box::new(worker)),
			running: None,
			position: 0,
			busy: 0,
			input: None,
			input_attempt: 0,
			pending: Vec::new(),
			early: Vec::new(),
			events,
			events_sender,
			connection: None,
			serial: 0,
			output: None,
			kept: Kept::new(row_bytes(hidden), frame_rows(hidden)),
			tokens: if task.is_first() || task.is_last() { drawn } else { Vec::new() },
			drawn: 0,
			text: host.answer_text(&task),
			finish: None,
			stop: None,
			totals: None,
			signed: None,
			order,
			task,
		}
	}

	/// Works until the session ends, and says how.
	pub async fn run(mut self) -> Exit {
		let accepted = FromStage::Accepted { consent_version: self.consent_version };
		let exit = match self.say(accepted) {
			Ok(()) => {
				self.connect();
				self.turns().await
			}
			Err(exit) => exit,
		};
		self.end(&exit).await;
		exit
	}

	async fn turns(&mut self) -> Exit {
		loop {
			if let Err(exit) = self.start_work() {
				return exit;
			}
			let (takes, sends) = (self.takes_frames(), self.has_frames());
			let turn = tokio::select! {
				message = self.control.recv() => Turn::Control(message),
				mail = self.mail.recv() => Turn::Mail(mail),
				done = finished(&mut self.running) => Turn::Done(done),
				event = self.events.recv() => Turn::Event(event),
				frame = next_frame(&mut self.input), if takes => Turn::Frame(frame),
				permit = room(&self.output), if sends => Turn::Room(permit),
				_ = self.tick.tick() => Turn::Tick,
			};
			let result = match turn {
				Turn::Control(message) => self.hear(message),
				Turn::Mail(Some(Mail::Link(link))) => {
					self.take_link(link);
					Ok(())
				}
				Turn::Mail(Some(Mail::End(reason))) => Err(failed(reason)),
				Turn::Mail(None) => Err(failed("the worker has ended")),
				Turn::Done(done) => self.take_done(done),
				Turn::Event(event) => self.take_event(event),
				Turn::Frame(frame) => self.take_frame(frame),
				Turn::Room(permit) => {
					self.send_frame(permit);
					Ok(())
				}
				Turn::Tick => self.look(),
			};
			if let Err(exit) = result {
				return exit;
			}
		}
	}

	async fn end(self, exit: &Exit) {
		if let Exit::Failed { blames, reason } = exit {
			let blames = blames.and_then(|stage| u16::try_from(stage).ok());
			let _ = self.say(FromStage::Failed { blames, reason: text(reason) });
		}
		let Self { said, writing, .. } = self.without_work();
		drop(said);
		let _ = timeout(LAST_WORD, writing).await;
	}

	/// Gives back what the last message does not need.
	fn without_work(mut self) -> Self {
		self.cancel.0.cancel();
		self.running = None;
		self.worker = None;
		self.input = None;
		self.connection = None;
		self.output = None;
		self.kept = Kept::new(1, 1);
		self
	}

	/// Says something to the gateway.
	fn say(&self, message: FromStage) -> Result<(), Exit> {
		self.said.try_send(message).map_err(|_| Exit::Gone("the gateway does not read".to_owned()))
	}

	fn look(&self) -> Result<(), Exit> {
		let parts = self.host.parts();
		if self.heard.elapsed() >= parts.timing.orphan {
			return Err(Exit::Gone("the gateway has fallen silent".to_owned()));
		}
		if parts.governor.is_paused() {
			return Err(failed("the contributor has paused"));
		}
		Ok(())
	}

	// --- compute -----------------------------------------------------------------------------------

	/// The position at which there is nothing more to work on.
	fn work_end(&self) -> u32 {
		let tokens = match (self.stop, self.finish) {
			(Some(tokens), _) => tokens,
			(None, Some(_)) => self.drawn,
			(None, None) => self.task.limit,
		};
		worked_on(self.task.prompt, tokens)
	}

	/// Starts the next unit, if there is one and nothing runs.
	fn start_work(&mut self) -> Result<(), Exit> {
		let Some(chunk) = self.worker.as_ref().map(|worker| worker.chunk().clamp(1, CHUNK)) else {
			return Ok(());
		};
		let room = wide(self.work_end().saturating_sub(self.position));
		let Some((work, positions)) = self.next_work(chunk.min(room)) else { return Ok(()) };
		if self.host.parts().governor.is_paused() {
			return Err(failed("the contributor has paused"));
		}
		let Some(mut worker) = self.worker.take() else { return Ok(()) };
		self.busy = positions;
		let lanes = self.host.compute().clone();
		self.running = Some(Box::pin(async move {
			let turn = lanes.acquire_owned().await;
			let unit = move || {
				let _turn = turn;
				let done = worker.work(&work);
				(worker, done)
			};
			tokio::task::spawn_blocking(unit).await
		}));
		Ok(())
	}

	/// Takes what the next unit works on, at most `most` positions, and how many it has.
	fn next_work(&mut self, most: usize) -> Option<(Work, u32)> {
		if most == 0 {
			return None;
		}
		if self.task.is_first() {
			let prompt = self.order.query.iter().flat_map(|query| query.prompt_tokens.iter());
			let known = prompt.chain(&self.tokens).copied();
			let tokens: Vec<u32> = known.skip(wide(self.position)).take(most).collect();
			let count = narrow(tokens.len());
			return (count > 0).then_some((Work::Tokens(tokens), count));
		}
		let row = self.row();
		let rows = (self.pending.len() / row).min(most);
		if rows == 0 {
			return None;
		}
		let later = self.pending.split_off(rows * row);
		let now = std::mem::replace(&mut self.pending, later);
		Some((Work::Activations(now), narrow(rows)))
	}

	fn take_done(
		&mut self,
		done: Result<(Box<Worker>, Result<Done, Fault>), JoinError>,
	) -> Result<(), Exit> {
		self.running = None;
		self.busy = 0;
		let (worker, result) = done.map_err(|_| failed("computing has failed"))?;
		self.worker = Some(worker);
		let done = result.map_err(|fault| match fault {
			Fault::Ended => failed("computing was ended"),
			Fault::Upstream(what) => self.blame_previous(what),
			Fault::Own(reason) => failed(reason),
		})?;
		self.position = self.position.saturating_add(done.positions);
		self.kept.push(&done.values);
		for token in done.drawn {
			self.take_drawn(token)?;
		}
		self.complete()
	}

	/// Takes the next token that was drawn. A replacement has to draw those again that are known.
	fn take_drawn(&mut self, token: u32) -> Result<(), Exit> {
		if self.finish.is_some() {
			// Drawn from what a stage before worked on too far.
			return Ok(());
		}
		let index = self.drawn;
		let known = self.tokens.get(wide(index)).copied();
		if known.is_some_and(|known| known != token) {
			return Err(failed("another token is drawn than was drawn before"));
		}
		let Some(text) = &mut self.text else { return Ok(()) };
		let (_, finish) = text.push(token).map_err(|error| failed(error.to_string()))?;
		self.drawn = self.drawn.saturating_add(1);
		self.finish = finish;
		if known.is_some() {
			return Ok(());
		}
		self.tokens.push(token);
		if self.stop.is_some() {
			return Ok(());
		}
		self.say(FromStage::Token { index, token, finish })
	}
}

async fn finished(
	running: &mut Option<Running>,
) -> Result<(Box<Worker>, Result<Done, Fault>), JoinError> {
	match running {
		Some(running) => running.await,
		None => pending().await,
	}
}

async fn next_frame(input: &mut Option<Input>) -> Option<Incoming> {
	match input {
		Some(input) => input.frames.recv().await,
		None => pending().await,
	}
}

/// Room for a frame; `None` if the link is down.
async fn room(output: &Option<Output>) -> Option<mpsc::OwnedPermit<LinkFrame>> {
	match output {
		Some(output) => output.frames.clone().reserve_owned().await.ok(),
		None => pending().await,
	}
}
