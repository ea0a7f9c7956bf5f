//! Places at relays, while this node is not public.

use libp2p::{core::transport::ListenerId, multiaddr::Protocol, Multiaddr, PeerId};
use std::{
	collections::HashMap,
	time::{Duration, Instant},
};

/// Relays at which a place is held at the same time.
const PLACES: usize = 2;
/// Relays that are remembered besides those the operator named.
const MAX_OFFERED: usize = 32;
/// Between two tries at a relay at first, and at most.
const FIRST: Duration = Duration::from_secs(2);
const MOST: Duration = Duration::from_secs(5 * 60);

/// A relay that can be asked.
struct Relay {
	address: Multiaddr,
	named: bool,
	next: Instant,
	failures: u32,
}

/// The relays, and the places at them.
pub(super) struct Relays {
	relays: HashMap<PeerId, Relay>,
	listeners: HashMap<ListenerId, PeerId>,
}

/// What to do next for a place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Step {
	/// Connect to the relay.
	Dial(PeerId, Multiaddr),
	/// Listen on this address.
	Listen(PeerId, Multiaddr),
}

impl Relays {
	/// With the relays that the operator named.
	pub(super) fn new(named: Vec<(PeerId, Multiaddr)>, now: Instant) -> Self {
		let relay = |address| Relay { address, named: true, next: now, failures: 0 };
		let relays = named.into_iter().map(|(peer, address)| (peer, relay(address))).collect();
		Self { relays, listeners: HashMap::new() }
	}

	/// A peer says that it relays.
	pub(super) fn offered(&mut self, peer: PeerId, address: Multiaddr, now: Instant) {
		if self.relays.len() < MAX_OFFERED {
			let relay = Relay { address, named: false, next: now, failures: 0 };
			self.relays.entry(peer).or_insert(relay);
		}
	}

	/// A peer is gone; one that was not named is not dialled for a place.
	pub(super) fn lost(&mut self, peer: &PeerId) {
		if self.relays.get(peer).is_some_and(|relay| !relay.named) {
			self.relays.remove(peer);
		}
	}

	/// What to do for the places that are missing. Relays that were not named are asked only if `any`.
	pub(super) fn steps(
		&mut self,
		any: bool,
		is_connected: impl Fn(&PeerId) -> bool,
		now: Instant,
	) -> Vec<Step> {
		let mut steps = Vec::new();
		let mut missing = PLACES.saturating_sub(self.listeners.len());
		let mut by_choice: Vec<_> = self.relays.iter_mut().collect();
		by_choice.sort_by_key(|(_, relay)| !relay.named);
		for (peer, relay) in by_choice {
			let asked = self.listeners.values().any(|asked| asked == peer);
			if missing == 0 || asked || relay.next > now || !(relay.named || any) {
				continue;
			}
			relay.next = now + (FIRST * 2u32.pow(relay.failures.min(10))).min(MOST);
			if is_connected(peer) {
				let place = relay.address.clone().with(Protocol::P2p(*peer));
				steps.push(Step::Listen(*peer, place.with(Protocol::P2pCircuit)));
				missing -= 1;
			} else {
				relay.failures = relay.failures.saturating_add(1);
				steps.push(Step::Dial(*peer, relay.address.clone()));
			}
		}
		steps
	}

	/// A connection was made: if it is to a relay, it can be asked now.
	pub(super) fn connected(&mut self, peer: &PeerId, now: Instant) {
		if let Some(relay) = self.relays.get_mut(peer) {
			relay.next = now;
		}
	}

	/// A relay is being asked.
	pub(super) fn listening(&mut self, listener: ListenerId, peer: PeerId) {
		self.listeners.insert(listener, peer);
	}

	/// A place was given.
	pub(super) fn placed(&mut self, peer: &PeerId) {
		if let Some(relay) = self.relays.get_mut(peer) {
			relay.failures = 0;
		}
	}

	/// A listener closed. Returns the relay if it was a place, or a question for one.
	pub(super) fn closed(&mut self, listener: &ListenerId, now: Instant) -> Option<PeerId> {
		let peer = self.listeners.remove(listener)?;
		if let Some(relay) = self.relays.get_mut(&peer) {
			relay.next = now + (FIRST * 2u32.pow(relay.failures.min(10))).min(MOST);
			relay.failures = relay.failures.saturating_add(1);
		}
		Some(peer)
	}

	/// All places, to give them up.
	pub(super) fn places(&self) -> Vec<ListenerId> {
		self.listeners.keys().copied().collect()
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	fn address() -> Multiaddr {
		"/ip4/10.0.0.1/tcp/1".parse().unwrap()
	}

	#[test]
	fn a_named_relay_should_be_dialled_and_then_asked() {
		let (now, peer) = (Instant::now(), PeerId::random());
		let mut relays = Relays::new(vec![(peer, address())], now);

		assert_eq!(relays.steps(false, |_| false, now), [Step::Dial(peer, address())]);
		assert!(relays.steps(false, |_| true, now).is_empty());
		relays.connected(&peer, now);
		let steps = relays.steps(false, |_| true, now);
		assert!(matches!(&steps[..], [Step::Listen(asked, _)] if *asked == peer));
	}

	#[test]
	fn offers_should_be_taken_only_by_those_who_need_them() {
		let (now, peer) = (Instant::now(), PeerId::random());
		let mut relays = Relays::new(Vec::new(), now);
		relays.offered(peer, address(), now);

		assert!(relays.steps(false, |_| true, now).is_empty());
		assert_eq!(relays.steps(true, |_| true, now).len(), 1);
	}

	#[test]
	fn a_refused_place_should_be_asked_for_later() {
		let (now, peer) = (Instant::now(), PeerId::random());
		let mut relays = Relays::new(vec![(peer, address())], now);
		let listener = ListenerId::next();
		assert_eq!(relays.steps(false, |_| true, now).len(), 1);
		relays.listening(listener, peer);

		assert_eq!(relays.closed(&listener, now), Some(peer));
		assert!(relays.steps(false, |_| true, now).is_empty());
		assert_eq!(relays.steps(false, |_| true, now + FIRST).len(), 1);
	}
}
