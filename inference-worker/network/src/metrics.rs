//! What a node counts.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counters and gauges at one moment. Bytes are those of streams, without what carries them.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Metrics {
	/// Peers that are connected.
	pub peers: u64,
	/// Connections that others opened.
	pub connections_in: u64,
	/// Connections that this node opened.
	pub connections_out: u64,
	/// Connections that are being opened.
	pub connections_pending: u64,
	/// Peers in the routing table.
	pub routing: u64,
	/// Relays that hold a reservation for this node.
	pub relays: u64,
	/// Streams that are open.
	pub streams_open: u64,
	/// Streams that were taken from others.
	pub streams_in: u64,
	/// Streams that were opened to others.
	pub streams_out: u64,
	/// Streams that were refused: beyond a limit, or nobody took them.
	pub streams_refused: u64,
	/// Bytes read.
	pub bytes_in: u64,
	/// Bytes written.
	pub bytes_out: u64,
	/// Adverts that were not believed.
	pub adverts_refused: u64,
	/// Workers in the directory.
	pub workers: u64,
}

/// What [`Metrics`] is read from.
#[derive(Default)]
pub(crate) struct Counters {
	pub(crate) peers: AtomicU64,
	pub(crate) connections_in: AtomicU64,
	pub(crate) connections_out: AtomicU64,
	pub(crate) connections_pending: AtomicU64,
	pub(crate) routing: AtomicU64,
	pub(crate) relays: AtomicU64,
	pub(crate) streams_open: AtomicU64,
	pub(crate) streams_in: AtomicU64,
	pub(crate) streams_out: AtomicU64,
	pub(crate) streams_refused: AtomicU64,
	pub(crate) bytes_in: AtomicU64,
	pub(crate) bytes_out: AtomicU64,
	pub(crate) adverts_refused: AtomicU64,
	pub(crate) workers: AtomicU64,
}

impl Counters {
	pub(crate) fn snapshot(&self) -> Metrics {
		Metrics {
			peers: self.peers.load(Relaxed),
			connections_in: self.connections_in.load(Relaxed),
			connections_out: self.connections_out.load(Relaxed),
			connections_pending: self.connections_pending.load(Relaxed),
			routing: self.routing.load(Relaxed),
			relays: self.relays.load(Relaxed),
			streams_open: self.streams_open.load(Relaxed),
			streams_in: self.streams_in.load(Relaxed),
			streams_out: self.streams_out.load(Relaxed),
			streams_refused: self.streams_refused.load(Relaxed),
			bytes_in: self.bytes_in.load(Relaxed),
			bytes_out: self.bytes_out.load(Relaxed),
			adverts_refused: self.adverts_refused.load(Relaxed),
			workers: self.workers.load(Relaxed),
		}
	}
}

/// Adds one.
pub(crate) fn count(counter: &AtomicU64) {
	counter.fetch_add(1, Relaxed);
}
