//! The streams of a session, each read and written by a task of its own.

use crate::{
	limits::Governor,
	pipeline::{
		types::{Dialer, HostTiming},
		Reader, Writer,
	},
};
use aria_network::wire::{
	frame::{self, FrameError},
	pipeline::{FromStage, Hello, Link, LinkFrame, LinkReady, StagePlace, ToStage, MAX_CONTROL},
};
use futures::io::{AsyncReadExt, AsyncWriteExt};
use std::{future::Future, sync::Arc, time::Duration};
use tokio::{
	sync::mpsc,
	time::{sleep, timeout, Instant},
};
use tokio_util::task::AbortOnDropHandle;

/// Messages for the gateway that wait at most. A gateway that reads so slowly is given up.
pub(super) const CONTROL_QUEUE: usize = 1024;
/// Messages of a gateway that wait at most.
const ORDERS_QUEUE: usize = 16;
/// Most messages of a gateway in a second.
const MOST_ORDERS: u32 = 200;
/// Frames that wait on a link, beside the one that is worked on.
const FRAMES_QUEUE: usize = 1;
/// Bytes of a frame on a link beside its values, at most.
const FRAME_HEADER: usize = 32;
/// First wait before a neighbour is dialled again, and the longest.
const RETRY: Duration = Duration::from_millis(50);
const LONGEST_RETRY: Duration = Duration::from_secs(1);

/// Starts a task that ends with its handle.
pub(super) fn start(task: impl Future<Output = ()> + Send + 'static) -> AbortOnDropHandle<()> {
	AbortOnDropHandle::new(tokio::spawn(task))
}

/// A link that has arrived, and waits to be accepted.
pub(crate) struct LinkIn {
	/// Who sends.
	pub peer: [u8; 32],
	/// What was said to open it.
	pub link: Link,
	/// Where frames come from.
	pub reader: Reader,
	/// Where the answer goes.
	pub writer: Writer,
}

/// What comes over the link from the stage before.
pub(super) enum Incoming {
	/// A frame.
	Frame(LinkFrame),
	/// The stream broke; the other side may connect again.
	Broken(String),
	/// The other side does not keep to the protocol.
	Foreign(String),
}

/// What happens to the link to the next stage.
pub(super) struct Outgoing {
	/// The connection that it is about; later ones have larger numbers.
	pub serial: u64,
	/// What happened.
	pub event: OutgoingEvent,
}

pub(super) enum OutgoingEvent {
	/// The next stage wants frames from a position on.
	Ready { position: u32, frames: mpsc::Sender<LinkFrame> },
	/// The stream broke; it is being opened again.
	Broken,
	/// The next stage can't be reached.
	Unreachable(String),
}

// --- control -------------------------------------------------------------------------------------

/// Reads what the gateway says. The channel closes where the stream does; a last message says why.
pub(super) fn read_control(
	mut reader: Reader,
) -> (mpsc::Receiver<Result<ToStage, String>>, AbortOnDropHandle<()>) {
	let (sender, receiver) = mpsc::channel(ORDERS_QUEUE);
	let task = start(async move {
		let (mut second, mut count) = (Instant::now(), 0u32);
		loop {
			let message = frame::read::<ToStage>(&mut reader, MAX_CONTROL).await;
			if second.elapsed() >= Duration::from_secs(1) {
				(second, count) = (Instant::now(), 0);
			}
			count += 1;
			let message = match message {
				Ok(_) if count > MOST_ORDERS => Err("floods its control stream".to_owned()),
				other => other.map_err(|error| error.to_string()),
			};
			let ended = message.is_err();
			if sender.send(message).await.is_err() || ended {
				return;
			}
		}
	});
	(receiver, task)
}

/// Writes what the stage says, until the sender is dropped; then closes the stream.
pub(super) fn write_control(
	mut writer: Writer,
) -> (mpsc::Sender<FromStage>, AbortOnDropHandle<()>) {
	let (sender, mut receiver) = mpsc::channel(CONTROL_QUEUE);
	let task = start(async move {
		while let Some(message) = receiver.recv().await {
			if frame::write::<FromStage>(&mut writer, &message).await.is_err() {
				return;
			}
		}
		let _ = writer.close().await;
	});
	(sender, task)
}

// --- links ---------------------------------------------------------------------------------------

/// Answers a link with `ready`, and reads its frames; a frame has at most `values` bytes of values.
pub(super) fn read_link(
	link: LinkIn,
	ready: LinkReady,
	values: usize,
	governor: Arc<Governor>,
	timing: HostTiming,
) -> (mpsc::Receiver<Incoming>, AbortOnDropHandle<()>) {
	let (sender, receiver) = mpsc::channel(FRAMES_QUEUE);
	let limit = values.saturating_add(FRAME_HEADER);
	let task = start(async move {
		let LinkIn { mut reader, mut writer, .. } = link;
		let answered = timeout(timing.hello, frame::write(&mut writer, &ready)).await;
		if !matches!(answered, Ok(Ok(()))) {
			let _ = sender.send(Incoming::Broken("the answer was not taken".to_owned())).await;
			return;
		}
		loop {
			let incoming = match frame::read::<LinkFrame>(&mut reader, limit).await {
				Ok(frame) => {
					governor.bytes().take(size(&frame)).await;
					Incoming::Frame(frame)
				}
				Err(FrameError::Io(error)) => Incoming::Broken(error.to_string()),
				Err(error) => Incoming::Foreign(error.to_string()),
			};
			let ended = !matches!(incoming, Incoming::Frame(_));
			if sender.send(incoming).await.is_err() || ended {
				return;
			}
		}
	});
	(receiver, task)
}

/// Bytes of a frame, about.
fn size(frame: &LinkFrame) -> usize {
	match frame {
		LinkFrame::Activations { values, .. } => values.len().saturating_add(FRAME_HEADER),
		LinkFrame::Token { .. } => FRAME_HEADER,
	}
}

/// A connection to the next stage that is opened again whenever it breaks.
pub(super) struct Connection<D> {
	pub dialer: Arc<D>,
	pub place: StagePlace,
	pub link: Link,
	pub serial: u64,
	pub events: mpsc::Sender<Outgoing>,
	pub governor: Arc<Governor>,
	pub timing: HostTiming,
}

impl<D: Dialer> Connection<D> {
	/// Keeps the link up, until the next stage has not been reached for too long.
	pub fn keep(self) -> AbortOnDropHandle<()> {
		start(async move {
			let mut since = Instant::now();
			let mut wait = RETRY;
			loop {
				let reason = match timeout(self.timing.dial, self.open()).await {
					Ok(Ok((stream, ready))) => {
						wait = RETRY;
						let reason = self.send(stream, ready).await;
						since = Instant::now();
						if !self.tell(OutgoingEvent::Broken).await {
							return;
						}
						reason
					}
					Ok(Err(reason)) => reason,
					Err(_) => "no answer".to_owned(),
				};
				tracing::debug!(target: "aria::pipeline", %reason, "the next stage is not linked");
				if since.elapsed() >= self.timing.patience {
					self.tell(OutgoingEvent::Unreachable(reason)).await;
					return;
				}
				sleep(wait).await;
				wait = (wait * 2).min(LONGEST_RETRY);
			}
		})
	}

	/// Whether the session still listens.
	async fn tell(&self, event: OutgoingEvent) -> bool {
		self.events.send(Outgoing { serial: self.serial, event }).await.is_ok()
	}

	async fn open(&self) -> Result<(D::Stream, LinkReady), String> {
		let mut stream = self.dialer.open(&self.place).await.map_err(|error| error.to_string())?;
		let hello = Hello::Link(self.link.clone());
		frame::write(&mut stream, &hello).await.map_err(|error| error.to_string())?;
		let ready = frame::read::<LinkReady>(&mut stream, FRAME_HEADER)
			.await
			.map_err(|error| error.to_string())?;
		Ok((stream, ready))
	}

	/// Sends frames until the stream breaks, or the session wants no more; says why it ended.
	async fn send(&self, stream: D::Stream, ready: LinkReady) -> String {
		let (frames, mut queue) = mpsc::channel(FRAMES_QUEUE);
		if !self.tell(OutgoingEvent::Ready { position: ready.position, frames }).await {
			return "the session has ended".to_owned();
		}
		let (mut reader, mut writer) = stream.split();
		// Nothing comes this way any more: whatever is read, and an end, are the link's end.
		let mut byte = [0u8; 1];
		let mut ended = reader.read(&mut byte);
		loop {
			let frame = tokio::select! {
				_ = &mut ended => return "the other side closed the link".to_owned(),
				frame = queue.recv() => frame,
			};
			let Some(frame) = frame else { return "the link was given up".to_owned() };
			self.governor.bytes().take(size(&frame)).await;
			if let Err(error) = frame::write(&mut writer, &frame).await {
				return error.to_string();
			}
		}
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use futures::io::Cursor;

	fn reader(messages: &[ToStage]) -> Reader {
		let mut bytes = Cursor::new(Vec::new());
		for message in messages {
			futures::executor::block_on(frame::write(&mut bytes, message)).unwrap();
		}
		bytes.set_position(0);
		Box::new(bytes)
	}

	#[tokio::test]
	async fn a_control_stream_should_say_why_it_ended() {
		let (mut messages, _task) = read_control(reader(&[ToStage::Ping(1), ToStage::Close]));
		assert_eq!(messages.recv().await, Some(Ok(ToStage::Ping(1))));
		assert_eq!(messages.recv().await, Some(Ok(ToStage::Close)));
		assert!(messages.recv().await.unwrap().unwrap_err().contains("broke"));
		assert_eq!(messages.recv().await, None);
	}

	#[tokio::test]
	async fn a_flood_should_end_a_control_stream() {
		let pings: Vec<ToStage> = (0..400).map(ToStage::Ping).collect();
		let (mut messages, _task) = read_control(reader(&pings));
		let mut count = 0;
		while let Some(Ok(_)) = messages.recv().await {
			count += 1;
		}
		assert_eq!(count, MOST_ORDERS);
		assert_eq!(messages.recv().await, None);
	}
}
