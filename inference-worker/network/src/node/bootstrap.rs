//! The peers by which the network is found: dialled until they answer, and again when they are lost.

use crate::address::split_peer;
use libp2p::{swarm::ConnectionId, Multiaddr, PeerId};
use std::time::{Duration, Instant};

/// Between two dials at first, and at most.
const FIRST: Duration = Duration::from_secs(1);
const MOST: Duration = Duration::from_secs(60);

/// One address that the operator named.
pub(super) struct Bootstrap {
	/// The address without its peer.
	pub(super) address: Multiaddr,
	/// The peer, once it is known.
	pub(super) peer: Option<PeerId>,
	dial: Option<ConnectionId>,
	next: Instant,
	failures: u32,
}

impl Bootstrap {
	pub(super) fn new(address: &Multiaddr, now: Instant) -> Self {
		let (address, peer) = split_peer(address);
		Self { address, peer, dial: None, next: now, failures: 0 }
	}

	/// Whether it is to be dialled, which is then assumed to be done.
	pub(super) fn is_due(&mut self, connected: bool, now: Instant) -> bool {
		if connected || self.next > now {
			return false;
		}
		self.next = now + (FIRST * 2u32.pow(self.failures.min(10))).min(MOST);
		true
	}

	/// It is being dialled.
	pub(super) fn dialled(&mut self, dial: ConnectionId) {
		self.dial = Some(dial);
	}

	/// A connection was made: if it is to this peer, remembers who that is.
	pub(super) fn connected(&mut self, peer: PeerId, connection: ConnectionId) {
		if self.dial == Some(connection) && self.peer.is_none() {
			self.peer = Some(peer);
		}
		if self.peer == Some(peer) {
			self.failures = 0;
			self.dial = None;
		}
	}

	/// A dial failed. Returns whether it was to this peer, and the first one in a row.
	pub(super) fn failed(&mut self, dial: ConnectionId) -> bool {
		if self.dial != Some(dial) {
			return false;
		}
		self.dial = None;
		self.failures = self.failures.saturating_add(1);
		self.failures == 1
	}

	/// It is of no use: leaves it alone for this long.
	pub(super) fn shun(&mut self, until: Instant) {
		self.next = until;
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn a_peer_that_does_not_answer_should_be_dialled_less_and_less() {
		let start = Instant::now();
		let mut peer = Bootstrap::new(&"/ip4/10.0.0.1/tcp/1".parse().unwrap(), start);
		let mut dials = 0;
		for second in 0..300 {
			let now = start + Duration::from_secs(second);
			if peer.is_due(false, now) {
				let dial = ConnectionId::new_unchecked(second as usize);
				peer.dialled(dial);
				assert_eq!(peer.failed(dial), dials == 0);
				dials += 1;
			}
		}

		assert!((8..=12).contains(&dials), "{dials}");
	}

	#[test]
	fn a_peer_should_become_known_by_its_connection() {
		let now = Instant::now();
		let mut named = Bootstrap::new(&"/ip4/10.0.0.1/tcp/1".parse().unwrap(), now);
		let (peer, dial) = (PeerId::random(), ConnectionId::new_unchecked(7));
		named.dialled(dial);
		named.connected(PeerId::random(), ConnectionId::new_unchecked(8));
		assert_eq!(named.peer, None);
		named.connected(peer, dial);

		assert_eq!(named.peer, Some(peer));
		assert!(!named.is_due(true, now + MOST));
	}
}
