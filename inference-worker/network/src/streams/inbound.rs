//! Streams that peers open: who takes them, and within which limits.

use super::{limiter::Limiter, Stream};
use crate::{
	config::StreamLimits,
	metrics::{count, Counters},
	PeerKey, LOG,
};
use libp2p::{PeerId, StreamProtocol};
use std::{
	collections::HashMap,
	pin::Pin,
	sync::{Arc, Mutex, MutexGuard, PoisonError},
	task::{Context, Poll},
	time::Instant,
};
use tokio::sync::mpsc;

/// Streams of a protocol that wait to be taken.
const WAITING: usize = 256;

type Taker = mpsc::Sender<(PeerKey, Stream)>;

/// The protocols that this node takes streams of.
pub(crate) struct Inbound {
	takers: Mutex<HashMap<StreamProtocol, Taker>>,
	limiter: Arc<Limiter>,
	counters: Arc<Counters>,
}

/// Somebody takes the streams of this protocol already.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("streams of {0} are taken already: drop the first receiver")]
pub struct AlreadyAccepted(pub &'static str);

impl Inbound {
	pub(crate) fn new(limits: StreamLimits, counters: Arc<Counters>) -> Self {
		Self { takers: Mutex::default(), limiter: Limiter::new(limits), counters }
	}

	fn takers(&self) -> MutexGuard<'_, HashMap<StreamProtocol, Taker>> {
		self.takers.lock().unwrap_or_else(PoisonError::into_inner)
	}

	/// Takes the streams of a protocol from now on, until [`Incoming`] is dropped.
	pub(crate) fn accept(&self, protocol: &'static str) -> Result<Incoming, AlreadyAccepted> {
		let mut takers = self.takers();
		let name = StreamProtocol::new(protocol);
		if takers.get(&name).is_some_and(|taker| !taker.is_closed()) {
			return Err(AlreadyAccepted(protocol));
		}
		let (taker, receiver) = mpsc::channel(WAITING);
		takers.insert(name, taker);
		Ok(Incoming { receiver })
	}

	/// The protocols that somebody takes.
	pub(crate) fn protocols(&self) -> Vec<StreamProtocol> {
		let mut takers = self.takers();
		takers.retain(|_, taker| !taker.is_closed());
		takers.keys().cloned().collect()
	}

	/// Hands over a stream that `peer` opened; beyond a limit it is dropped, which the peer sees as its end.
	pub(crate) fn deliver(
		&self,
		peer: &PeerId,
		key: PeerKey,
		protocol: &StreamProtocol,
		stream: libp2p::Stream,
	) {
		let refused = |reason: &dyn std::fmt::Display| {
			count(&self.counters.streams_refused);
			tracing::debug!(target: LOG, %peer, %protocol, "stream refused: {reason}");
		};
		let permit = match self.limiter.admit(key, Instant::now()) {
			Ok(permit) => permit,
			Err(reason) => return refused(&reason),
		};
		let Some(taker) = self.takers().get(protocol).cloned() else {
			return refused(&"nobody takes it");
		};
		let stream = Stream::inbound(stream, self.counters.clone(), permit);
		if taker.try_send((key, stream)).is_err() {
			refused(&"nobody takes it in time");
		}
	}

	/// Opens a stream from this node, whose key is `local`, to itself; `None` if nobody takes it.
	pub(crate) fn open_local(&self, local: PeerKey, protocol: &'static str) -> Option<Stream> {
		let taker = self.takers().get(&StreamProtocol::new(protocol)).cloned()?;
		let (here, there) = Stream::pair(&self.counters);
		taker.try_send((local, there)).ok()?;
		Some(here)
	}
}

/// The streams of a protocol, with who opened each. Nothing is taken any more once this is dropped.
#[derive(Debug)]
pub struct Incoming {
	receiver: mpsc::Receiver<(PeerKey, Stream)>,
}

impl Incoming {
	/// The next stream; `None` after the node has ended.
	pub async fn next(&mut self) -> Option<(PeerKey, Stream)> {
		self.receiver.recv().await
	}
}

impl futures::Stream for Incoming {
	type Item = (PeerKey, Stream);

	fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
		self.receiver.poll_recv(cx)
	}
}
