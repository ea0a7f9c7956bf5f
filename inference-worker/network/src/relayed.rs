//! How many bytes a relay passes on for others.
//!
//! libp2p's relay bounds a circuit by its bytes and its duration, not by its rate. So streams of direct
//! connections are looked at from below: one on which circuit relay v2 is negotiated on the relay's side
//! is read no faster than a [`RelayBudget`] allows; its sender waits, as for any slow reader.

use futures::{AsyncRead, AsyncWrite};
use libp2p::{
	core::muxing::{StreamMuxer, StreamMuxerBox, StreamMuxerEvent, StreamMuxerExt, SubstreamBox},
	relay, StreamProtocol,
};
use std::{
	future::Future,
	io,
	pin::Pin,
	sync::{
		atomic::{AtomicU64, Ordering::Relaxed},
		Arc, Mutex, MutexGuard, PoisonError,
	},
	task::{ready, Context, Poll},
	time::{Duration, Instant},
};
use tokio::time::Sleep;

/// Seconds at the rate that may go at once.
const BURST: f64 = 0.125;
/// Bytes that are there before a stream is read.
const LEAST: f64 = 4_096.0;
/// Bytes of a stream that pass at a relay that is shut: what it says to refuse a place or a circuit.
const CONTROL: u64 = 8_192;
/// How long a wait lasts before it looks whether the rate has changed.
const LOOK: Duration = Duration::from_millis(250);
/// Shortest wait.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);
/// Longest line of a negotiation.
const MAX_LINE: usize = 1_024;

/// What a relay may pass on. Clones share it.
#[derive(Clone, Debug)]
pub struct RelayBudget(Arc<Shared>);

#[derive(Debug)]
struct Shared {
	/// Bytes a second, those that come and those that go; 0 is shut, [`u64::MAX`] is without a limit.
	rate: AtomicU64,
	/// Bytes that passed.
	passed: AtomicU64,
	bucket: Mutex<Bucket>,
}

#[derive(Debug)]
struct Bucket {
	/// Bytes that may pass; below zero after many streams took some at once.
	bytes: f64,
	now: Instant,
}

/// What a stream may do now.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Room {
	/// Read so many bytes at most.
	Bytes(usize),
	/// Ask again after this time.
	Wait(Duration),
	/// Nothing more passes.
	Shut,
}

impl Default for RelayBudget {
	/// Without a limit.
	fn default() -> Self {
		let bucket = Mutex::new(Bucket { bytes: 0.0, now: Instant::now() });
		let (rate, passed) = (AtomicU64::new(u64::MAX), AtomicU64::new(0));
		Self(Arc::new(Shared { rate, passed, bucket }))
	}
}

impl RelayBudget {
	/// Lets so many bytes pass a second, those that come and those that go together. With 0 circuits end,
	/// and no place is given; [`u64::MAX`] is no limit. It acts on circuits that are open, too.
	pub fn set_rate(&self, bytes_per_second: u64) {
		self.0.rate.store(bytes_per_second, Relaxed);
	}

	/// Bytes a second that may pass.
	pub fn rate(&self) -> u64 {
		self.0.rate.load(Relaxed)
	}

	/// Bytes that passed so far, those that came and those that went.
	pub fn passed(&self) -> u64 {
		self.0.passed.load(Relaxed)
	}

	/// Whether anything may pass.
	pub(crate) fn is_open(&self) -> bool {
		self.0.rate.load(Relaxed) > 0
	}

	fn ask(&self, now: Instant) -> Room {
		let rate = match self.0.rate.load(Relaxed) {
			0 => return Room::Shut,
			u64::MAX => return Room::Bytes(usize::MAX),
			rate => rate as f64,
		};
		let capacity = (rate * BURST).max(2.0 * LEAST);
		let mut bucket = self.bucket();
		let passed = now.saturating_duration_since(bucket.now).as_secs_f64();
		bucket.now = bucket.now.max(now);
		bucket.bytes = (bucket.bytes + passed * rate).min(capacity);
		if bucket.bytes >= LEAST {
			// What is read is written again.
			return Room::Bytes((bucket.bytes / 2.0) as usize);
		}
		let wait = Duration::try_from_secs_f64((LEAST - bucket.bytes) / rate).unwrap_or(LOOK);
		Room::Wait(wait.clamp(SHORTEST_WAIT, LOOK))
	}

	/// Takes note of bytes that were read, and will be written.
	fn charge(&self, read: usize) {
		let bytes = (read as u64).saturating_mul(2);
		self.0.passed.fetch_add(bytes, Relaxed);
		// Nothing is owed for what passed without a limit.
		if self.0.rate.load(Relaxed) != u64::MAX {
			self.bucket().bytes -= bytes as f64;
		}
	}

	fn bucket(&self) -> MutexGuard<'_, Bucket> {
		self.0.bucket.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

/// `muxer`, whose relayed streams keep to `budget`; without one, itself.
pub(crate) fn limited(muxer: StreamMuxerBox, budget: Option<RelayBudget>) -> StreamMuxerBox {
	match budget {
		Some(budget) => StreamMuxerBox::new(Limited { inner: muxer, budget }),
		None => muxer,
	}
}

struct Limited {
	inner: StreamMuxerBox,
	budget: RelayBudget,
}

impl StreamMuxer for Limited {
	type Substream = LimitedStream;
	type Error = io::Error;

	fn poll_inbound(
		mut self: Pin<&mut Self>,
		cx: &mut Context<'_>,
	) -> Poll<Result<LimitedStream, io::Error>> {
		let stream = ready!(self.inner.poll_inbound_unpin(cx))?;
		Poll::Ready(Ok(LimitedStream::new(stream, Side::Theirs, self.budget.clone())))
	}

	fn poll_outbound(
		mut self: Pin<&mut Self>,
		cx: &mut Context<'_>,
	) -> Poll<Result<LimitedStream, io::Error>> {
		let stream = ready!(self.inner.poll_outbound_unpin(cx))?;
		Poll::Ready(Ok(LimitedStream::new(stream, Side::Ours, self.budget.clone())))
	}

	fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
		self.inner.poll_close_unpin(cx)
	}

	fn poll(
		mut self: Pin<&mut Self>,
		cx: &mut Context<'_>,
	) -> Poll<Result<StreamMuxerEvent, io::Error>> {
		self.inner.poll_unpin(cx)
	}
}

/// Who opened a stream, and so proposes what is spoken on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Side {
	/// This node: to the peer at the far end of a circuit, if it is relayed.
	Ours,
	/// The peer: at the near end of a circuit, if it is relayed.
	Theirs,
}

impl Side {
	/// The protocol that makes it a stream of the relay.
	fn protocol(self) -> StreamProtocol {
		match self {
			Side::Ours => relay::STOP_PROTOCOL_NAME,
			Side::Theirs => relay::HOP_PROTOCOL_NAME,
		}
	}
}

/// A stream that is read as fast as the budget allows, once it is known to be the relay's.
struct LimitedStream {
	inner: SubstreamBox,
	budget: RelayBudget,
	side: Side,
	proposed: Proposed,
	relayed: bool,
	/// Bytes that were read since it is relayed.
	read: u64,
	sleep: Option<Pin<Box<Sleep>>>,
}

impl LimitedStream {
	fn new(inner: SubstreamBox, side: Side, budget: RelayBudget) -> Self {
		let proposed = Proposed::default();
		Self { inner, budget, side, proposed, relayed: false, read: 0, sleep: None }
	}

	/// Looks at bytes of the side that proposes.
	fn look(&mut self, bytes: &[u8]) {
		if !self.relayed && !self.proposed.over {
			let protocol = self.side.protocol();
			let name: &str = protocol.as_ref();
			self.relayed = self.proposed.take(bytes, name.as_bytes());
		}
	}

	/// Waits until some of `wanted` bytes may be read, and says how many.
	fn poll_room(&mut self, cx: &mut Context<'_>, wanted: usize) -> Poll<io::Result<usize>> {
		loop {
			if let Some(sleep) = &mut self.sleep {
				ready!(sleep.as_mut().poll(cx));
				self.sleep = None;
			}
			match self.budget.ask(Instant::now()) {
				Room::Bytes(most) => return Poll::Ready(Ok(wanted.min(most))),
				Room::Wait(wait) => self.sleep = Some(Box::pin(tokio::time::sleep(wait))),
				Room::Shut if self.read < CONTROL => {
					return Poll::Ready(Ok(wanted.min(CONTROL as usize)));
				}
				Room::Shut => {
					let shut = "this peer relays nothing now";
					return Poll::Ready(Err(io::Error::new(
						io::ErrorKind::ConnectionAborted,
						shut,
					)));
				}
			}
		}
	}
}

impl AsyncRead for LimitedStream {
	fn poll_read(
		self: Pin<&mut Self>,
		cx: &mut Context<'_>,
		buffer: &mut [u8],
	) -> Poll<io::Result<usize>> {
		let this = self.get_mut();
		if !this.relayed {
			let count = ready!(Pin::new(&mut this.inner).poll_read(cx, buffer))?;
			if this.side == Side::Theirs {
				this.look(buffer.get(..count).unwrap_or_default());
			}
			return Poll::Ready(Ok(count));
		}
		let room = ready!(this.poll_room(cx, buffer.len()))?;
		let buffer = buffer.get_mut(..room).unwrap_or_default();
		let count = ready!(Pin::new(&mut this.inner).poll_read(cx, buffer))?;
		this.read = this.read.saturating_add(count as u64);
		this.budget.charge(count);
		Poll::Ready(Ok(count))
	}
}

impl AsyncWrite for LimitedStream {
	fn poll_write(
		self: Pin<&mut Self>,
		cx: &mut Context<'_>,
		bytes: &[u8],
	) -> Poll<io::Result<usize>> {
		let this = self.get_mut();
		let count = ready!(Pin::new(&mut this.inner).poll_write(cx, bytes))?;
		if this.side == Side::Ours {
			this.look(bytes.get(..count).unwrap_or_default());
		}
		Poll::Ready(Ok(count))
	}

	fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
		Pin::new(&mut self.get_mut().inner).poll_flush(cx)
	}

	fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
		Pin::new(&mut self.get_mut().inner).poll_close(cx)
	}
}

/// Reads what a side proposes: lines, each after its length in one or two bytes, of which the low seven
/// bits count. What is no such line is the stream's own, behind the negotiation.
#[derive(Default)]
struct Proposed {
	/// Low bits of a length whose next byte is missing.
	low: Option<usize>,
	/// Bytes of the line that are missing; 0 between lines.
	missing: usize,
	line: Vec<u8>,
	over: bool,
}

impl Proposed {
	/// Whether `protocol` is proposed within `bytes`, or ended there.
	fn take(&mut self, bytes: &[u8], protocol: &[u8]) -> bool {
		for byte in bytes {
			if self.over {
				return false;
			}
			if self.missing == 0 {
				self.length(*byte);
				continue;
			}
			self.line.push(*byte);
			self.missing -= 1;
			if self.missing == 0 {
				match self.line.split_last() {
					Some((b'\n', line)) if line == protocol => {
						self.over = true;
						return true;
					}
					Some((b'\n', line)) if line.starts_with(b"/") || line == b"ls" => {}
					_ => self.over = true,
				}
				self.line.clear();
			}
		}
		false
	}

	fn length(&mut self, byte: u8) {
		let bits = usize::from(byte & 0x7f);
		let more = byte & 0x80 != 0;
		match self.low.take() {
			None if more => self.low = Some(bits),
			None => self.missing = bits,
			Some(_) if more => self.over = true,
			Some(low) => self.missing = low | (bits << 7),
		}
		let waits = self.low.is_some();
		self.over |= self.missing > MAX_LINE || (self.missing == 0 && !waits);
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use futures::{io::Cursor, AsyncReadExt};

	/// Lines as a peer proposes them, and then `data` bytes.
	fn spoken(lines: &[&str], data: usize) -> Vec<u8> {
		let mut bytes = Vec::new();
		for line in lines {
			bytes.push(u8::try_from(line.len() + 1).unwrap());
			bytes.extend_from_slice(line.as_bytes());
			bytes.push(b'\n');
		}
		bytes.resize(bytes.len() + data, 0);
		bytes
	}

	fn hop(data: usize) -> Vec<u8> {
		spoken(&["/multistream/1.0.0", relay::HOP_PROTOCOL_NAME.as_ref()], data)
	}

	fn stream(bytes: Vec<u8>, budget: &RelayBudget) -> LimitedStream {
		let inner = SubstreamBox::new(Cursor::new(bytes));
		LimitedStream::new(inner, Side::Theirs, budget.clone())
	}

	/// Reads all in pieces, as the relay does.
	async fn drain(stream: &mut LimitedStream) -> io::Result<usize> {
		let (mut piece, mut all) = ([0; 64], 0);
		loop {
			match stream.read(&mut piece).await? {
				0 => return Ok(all),
				count => all += count,
			}
			// The beginning comes in small pieces, the rest in large ones.
			if all > 256 {
				let mut large = vec![0; 8_192];
				loop {
					match stream.read(&mut large).await? {
						0 => return Ok(all),
						count => all += count,
					}
				}
			}
		}
	}

	#[test]
	fn only_the_relays_streams_should_be_known_as_such() {
		let protocol = relay::HOP_PROTOCOL_NAME;
		let hop: &str = protocol.as_ref();
		let of = |lines: &[&str]| {
			let bytes = spoken(lines, 300);
			let whole = Proposed::default().take(&bytes, hop.as_bytes());
			let mut one = Proposed::default();
			let by_one = bytes.iter().any(|byte| one.take(&[*byte], hop.as_bytes()));
			assert_eq!(whole, by_one, "{lines:?}");
			whole
		};
		let header = "/multistream/1.0.0";
		assert!(of(&[header, hop]));
		// Others that are proposed before do not hide it.
		let mut many = vec!["/unknown/1"; 500];
		many.push("ls");
		many.push(hop);
		assert!(of(&many));
		assert!(!of(&[header, "/aria/shard/1"]));
		assert!(!of(&[]));
		// What comes behind the negotiation is nobody's proposal.
		let mut bytes = spoken(&[header, "/aria/shard/1"], 1);
		bytes.extend(spoken(&[hop], 0));
		assert!(!Proposed::default().take(&bytes, hop.as_bytes()));
	}

	#[tokio::test]
	async fn relayed_bytes_should_keep_to_the_rate() {
		let budget = RelayBudget::default();
		budget.set_rate(1_000_000);
		let begin = Instant::now();
		let (mut one, mut other) = (stream(hop(150_000), &budget), stream(hop(150_000), &budget));
		let (one, other) = tokio::join!(drain(&mut one), drain(&mut other));
		assert!(one.unwrap() > 150_000 && other.unwrap() > 150_000);
		// 600,000 bytes come and go; an eighth of a second's go at once, and one piece too many.
		assert!(begin.elapsed() >= Duration::from_millis(440), "{:?}", begin.elapsed());
		assert!((598_000..=602_000).contains(&budget.passed()), "{}", budget.passed());
	}

	#[tokio::test]
	async fn other_streams_should_not_be_held_up() {
		let budget = RelayBudget::default();
		budget.set_rate(1);
		let bytes = spoken(&["/multistream/1.0.0", "/aria/shard/1"], 1 << 20);
		let whole = bytes.len();
		assert_eq!(drain(&mut stream(bytes, &budget)).await.unwrap(), whole);
		assert_eq!(budget.passed(), 0);
	}

	#[tokio::test]
	async fn a_relay_that_is_shut_should_pass_nothing_on() {
		let budget = RelayBudget::default();
		budget.set_rate(0);
		assert!(!budget.is_open());
		// What is said to refuse somebody is short.
		assert!(drain(&mut stream(hop(1_000), &budget)).await.is_ok());
		let error = drain(&mut stream(hop(100_000), &budget)).await.unwrap_err();
		assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
		budget.set_rate(u64::MAX);
		assert!(drain(&mut stream(hop(100_000), &budget)).await.is_ok());
	}
}
