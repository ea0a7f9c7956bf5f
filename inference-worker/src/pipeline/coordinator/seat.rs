//! The connection with one stage.

use crate::pipeline::types::{Dialer, Timing};
use aria_network::wire::{
	frame,
	pipeline::{said, FromStage, Hello, Order, Refusal, StagePlace, ToStage, Totals, MAX_CONTROL},
};
use aria_primitives::Signature;
use futures::io::{AsyncReadExt, AsyncWriteExt};
use std::{
	collections::VecDeque,
	sync::Arc,
	time::{Duration, Instant},
};
use tokio::{sync::mpsc, time::timeout};
use tokio_util::task::AbortOnDropHandle;

/// Messages for a stage that wait at most. One that reads so slowly counts as dead.
const QUEUE: usize = 64;

/// What a stage, or the connection with it, says.
pub(super) struct Signal {
	/// Which stage.
	pub stage: usize,
	/// Which of the workers that had it.
	pub serial: u64,
	/// What.
	pub news: News,
}

pub(super) enum News {
	/// The stage takes the order.
	Accepted { consent_version: u32 },
	/// Anything that the stage says later.
	Said(FromStage),
	/// The connection has ended, or never was.
	Lost(Loss),
}

/// How a stage was lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Loss {
	/// Why.
	pub reason: String,
	/// When it could be asked again, if it said so.
	pub retry_after: Option<Duration>,
	/// Whether the same worker may have the seat again, if nobody else can: it blamed a neighbour whose
	/// seat somebody else has now.
	pub may_return: bool,
}

impl Loss {
	pub fn new(reason: impl Into<String>) -> Self {
		Self { reason: reason.into(), retry_after: None, may_return: false }
	}

	fn refused(refusal: &Refusal) -> Self {
		let retry_after = match refusal {
			Refusal::Busy { retry_ms } => Some(Duration::from_millis(u64::from(*retry_ms))),
			_ => None,
		};
		Self { retry_after, ..Self::new(format!("it refused: {refusal}")) }
	}
}

/// A stage of the answer, and who has it now.
pub(super) struct Seat {
	pub place: StagePlace,
	/// Who else could have it, best first.
	pub standbys: VecDeque<StagePlace>,
	/// Grows with each worker that has it.
	pub serial: u64,
	/// Whether the worker has taken the order.
	pub accepted: Option<u32>,
	/// Positions that it has worked on, as it said last.
	pub position: u32,
	/// When it was heard of last.
	pub heard: Instant,
	/// Pings without an answer, and when they were sent.
	pub pings: VecDeque<(u64, Instant)>,
	pub totals: Option<Totals>,
	pub signature: Option<Signature>,
	/// Lost when it had said all but its signature, and not replaced.
	pub gone: bool,
	messages: Option<mpsc::Sender<ToStage>>,
	task: Option<AbortOnDropHandle<()>>,
}

impl Seat {
	/// A stage that nobody has been asked to run yet.
	pub fn new(place: StagePlace, standbys: Vec<StagePlace>) -> Self {
		Self {
			standbys: standbys
				.into_iter()
				.filter(|standby| standby.layers == place.layers)
				.collect(),
			place,
			serial: 0,
			accepted: None,
			position: 0,
			heard: Instant::now(),
			pings: VecDeque::new(),
			totals: None,
			signature: None,
			gone: false,
			messages: None,
			task: None,
		}
	}

	/// Asks the worker of this seat to run the stage.
	pub fn occupy<D: Dialer>(
		&mut self,
		dialer: Arc<D>,
		order: Order,
		timing: Timing,
		signals: mpsc::Sender<Signal>,
	) {
		let (messages, queue) = mpsc::channel(QUEUE);
		self.serial += 1;
		self.accepted = None;
		self.position = 0;
		self.heard = Instant::now();
		self.pings.clear();
		self.totals = None;
		self.signature = None;
		self.gone = false;
		self.messages = Some(messages);
		let connection = Connection {
			dialer,
			place: self.place.clone(),
			stage: usize::from(order.stage),
			serial: self.serial,
			timing,
			signals,
		};
		self.task = Some(AbortOnDropHandle::new(tokio::spawn(connection.run(order, queue))));
	}

	/// Ends the connection at once.
	pub fn vacate(&mut self) {
		self.messages = None;
		self.task = None;
		self.accepted = None;
		self.pings.clear();
	}

	/// Says something to the worker. `false` if it does not read; one that is gone has lost already.
	pub fn say(&self, message: ToStage) -> bool {
		match &self.messages {
			Some(messages) => {
				!matches!(messages.try_send(message), Err(mpsc::error::TrySendError::Full(_)))
			}
			None => true,
		}
	}

	/// Says the last message and waits until it is written, or for so long.
	pub async fn close(&mut self, patience: Duration) {
		self.say(ToStage::Close);
		self.messages = None;
		if let Some(task) = self.task.take() {
			let _ = timeout(patience, task).await;
		}
	}
}

/// The task of a connection.
struct Connection<D> {
	dialer: Arc<D>,
	place: StagePlace,
	stage: usize,
	serial: u64,
	timing: Timing,
	signals: mpsc::Sender<Signal>,
}

impl<D: Dialer> Connection<D> {
	async fn run(self, order: Order, mut queue: mpsc::Receiver<ToStage>) {
		let opened = match timeout(self.timing.connect, self.open(order)).await {
			Ok(opened) => opened,
			Err(_) => Err(Loss::new("it does not answer the order")),
		};
		let (stream, consent_version) = match opened {
			Ok(opened) => opened,
			Err(loss) => return self.tell(News::Lost(loss)).await,
		};
		self.tell(News::Accepted { consent_version }).await;
		let (mut reader, mut writer) = stream.split();
		let reads = async {
			loop {
				match frame::read::<FromStage>(&mut reader, MAX_CONTROL).await {
					Ok(message) => self.tell(News::Said(message)).await,
					Err(error) => return Loss::new(error.to_string()),
				}
			}
		};
		let writes = async {
			while let Some(message) = queue.recv().await {
				if let Err(error) = frame::write::<ToStage>(&mut writer, &message).await {
					return Some(Loss::new(error.to_string()));
				}
			}
			// All is said: that it ends here is no loss, however it ends.
			let _ = writer.close().await;
			None
		};
		// Neither is begun again, so that neither loses what it has read or written.
		let loss = tokio::select! {
			loss = reads => Some(loss),
			loss = writes => loss,
		};
		if let Some(loss) = loss {
			self.tell(News::Lost(loss)).await;
		}
	}

	/// Opens the stream and gives the order.
	async fn open(&self, order: Order) -> Result<(D::Stream, u32), Loss> {
		let lost = |error: frame::FrameError| Loss::new(error.to_string());
		let mut stream =
			self.dialer.open(&self.place).await.map_err(|error| Loss::new(error.to_string()))?;
		frame::write(&mut stream, &Hello::Order(order)).await.map_err(lost)?;
		match frame::read::<FromStage>(&mut stream, MAX_CONTROL).await.map_err(lost)? {
			FromStage::Accepted { consent_version } => Ok((stream, consent_version)),
			FromStage::Refused(refusal) => Err(Loss::refused(&refusal)),
			FromStage::Failed { reason, .. } => Err(Loss::new(said(&reason))),
			_ => Err(Loss::new("it answers the order with something else")),
		}
	}

	async fn tell(&self, news: News) {
		let signal = Signal { stage: self.stage, serial: self.serial, news };
		// Without a receiver the job is over.
		let _ = self.signals.send(signal).await;
	}
}
