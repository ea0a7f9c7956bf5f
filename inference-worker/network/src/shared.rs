//! What the parts of a node know together.

use crate::{
	advert::Adverts,
	config::{NetworkConfig, Timing},
	directory::KnownWorker,
	metrics::Counters,
	streams::Inbound,
	PeerKey,
};
use aria_primitives::{record::LayerRange, ModelId};
use libp2p::{swarm::ConnectionId, Multiaddr, PeerId};
use sp_core::H256;
use std::{
	collections::HashMap,
	sync::{Arc, Mutex, MutexGuard, PoisonError},
	time::Duration,
};
use tokio::sync::{broadcast, watch, Notify};
use tokio_util::sync::CancellationToken;

/// Where this node can be reached, without its `/p2p/` part (relayed addresses have one).
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Reach {
	/// All listeners have an address, or there is none.
	pub ready: bool,
	/// Addresses of this machine that are listened on.
	pub listen: Vec<Multiaddr>,
	/// Addresses that were given, or confirmed by other peers.
	pub external: Vec<Multiaddr>,
	/// Addresses at relays that hold a reservation.
	pub relayed: Vec<Multiaddr>,
}

/// Known to the node, its handles and its tasks.
pub(crate) struct Shared {
	pub(crate) local: PeerKey,
	pub(crate) local_id: PeerId,
	pub(crate) genesis: H256,
	pub(crate) allow_loopback: bool,
	pub(crate) timing: Timing,
	pub(crate) inbound: Arc<Inbound>,
	pub(crate) counters: Arc<Counters>,
	pub(crate) adverts: Adverts,
	pub(crate) reach: watch::Sender<Reach>,
	pub(crate) directory: watch::Sender<Arc<Vec<KnownWorker>>>,
	/// Peers whose last connection was lost.
	pub(crate) lost: broadcast::Sender<PeerKey>,
	/// There may be workers to be found that were not there before.
	pub(crate) changed: Notify,
	pub(crate) shutdown: CancellationToken,
	watched: Mutex<HashMap<ModelId, Vec<LayerRange>>>,
	peers: Mutex<HashMap<PeerKey, Peer>>,
}

/// A connected peer.
#[derive(Default)]
struct Peer {
	connections: HashMap<ConnectionId, Connection>,
	speaks_adverts: bool,
}

#[derive(Default)]
struct Connection {
	relayed: bool,
	round_trip: Option<Duration>,
	failures: u32,
}

impl Shared {
	pub(crate) fn new(
		config: &NetworkConfig,
		local: PeerKey,
		local_id: PeerId,
		genesis: H256,
		inbound: Arc<Inbound>,
		counters: Arc<Counters>,
		shutdown: CancellationToken,
	) -> Self {
		Self {
			local,
			local_id,
			genesis,
			allow_loopback: config.allow_loopback,
			timing: config.timing,
			inbound,
			counters,
			adverts: Adverts::default(),
			reach: watch::Sender::new(Reach::default()),
			directory: watch::Sender::new(Arc::default()),
			lost: broadcast::Sender::new(256),
			changed: Notify::new(),
			shutdown,
			watched: Mutex::default(),
			peers: Mutex::default(),
		}
	}

	fn peers(&self) -> MutexGuard<'_, HashMap<PeerKey, Peer>> {
		self.peers.lock().unwrap_or_else(PoisonError::into_inner)
	}

	/// A connection was made.
	pub(crate) fn connected(&self, peer: PeerKey, id: ConnectionId, relayed: bool) {
		let connection = Connection { relayed, ..Default::default() };
		self.peers().entry(peer).or_default().connections.insert(id, connection);
	}

	/// A connection is over. Returns whether it was the peer's last one.
	pub(crate) fn disconnected(&self, peer: &PeerKey, id: ConnectionId) -> bool {
		let mut peers = self.peers();
		let Some(known) = peers.get_mut(peer) else { return false };
		known.connections.remove(&id);
		let last = known.connections.is_empty();
		if last {
			peers.remove(peer);
		}
		last
	}

	/// A ping was answered, or was not. Returns how many were not in a row.
	pub(crate) fn pinged(
		&self,
		peer: &PeerKey,
		id: ConnectionId,
		round_trip: Option<Duration>,
	) -> u32 {
		let mut peers = self.peers();
		let Some(connection) = peers.get_mut(peer).and_then(|peer| peer.connections.get_mut(&id))
		else {
			return 0;
		};
		match round_trip {
			Some(measured) => {
				// One late answer of a busy machine does not make it a far one.
				let smooth = connection.round_trip.map_or(measured, |old| (old * 3 + measured) / 4);
				connection.round_trip = Some(smooth.min(measured * 2));
				connection.failures = 0;
			}
			None => connection.failures = connection.failures.saturating_add(1),
		}
		connection.failures
	}

	/// The peer said which protocols it speaks.
	pub(crate) fn identified(&self, peer: &PeerKey, speaks_adverts: bool) {
		if let Some(known) = self.peers().get_mut(peer) {
			known.speaks_adverts = speaks_adverts;
		}
	}

	pub(crate) fn is_connected(&self, peer: &PeerKey) -> bool {
		self.peers().contains_key(peer)
	}

	pub(crate) fn connected_peers(&self) -> Vec<PeerKey> {
		self.peers().keys().copied().collect()
	}

	/// Connected peers that may be workers.
	pub(crate) fn adverts_speakers(&self) -> Vec<PeerKey> {
		let peers = self.peers();
		peers.iter().filter(|(_, peer)| peer.speaks_adverts).map(|(key, _)| *key).collect()
	}

	/// The round trip to a peer as pings measured it, on a direct connection if there is one.
	pub(crate) fn round_trip(&self, peer: &PeerKey) -> Option<Duration> {
		let peers = self.peers();
		let connections = peers.get(peer)?.connections.values();
		connections
			.filter_map(|connection| Some((connection.relayed, connection.round_trip?)))
			.min()
			.map(|(_, round_trip)| round_trip)
	}

	fn watched_models(&self) -> MutexGuard<'_, HashMap<ModelId, Vec<LayerRange>>> {
		self.watched.lock().unwrap_or_else(PoisonError::into_inner)
	}

	/// Looks for workers of a model from now on, or with `None` no more.
	pub(crate) fn watch(&self, model: ModelId, shards: Option<Vec<LayerRange>>) {
		match shards {
			Some(shards) => self.watched_models().insert(model, shards),
			None => self.watched_models().remove(&model),
		};
		self.changed.notify_one();
	}

	/// The models that are watched, with the shards to search for by name.
	pub(crate) fn watched(&self) -> HashMap<ModelId, Vec<LayerRange>> {
		self.watched_models().clone()
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	const PEER: PeerKey = [1; 32];

	fn shared() -> Shared {
		let counters = Arc::<Counters>::default();
		let config = NetworkConfig::empty();
		let inbound = Arc::new(Inbound::new(config.streams, counters.clone()));
		let id = PeerId::random();
		let shutdown = CancellationToken::new();
		Shared::new(&config, [0; 32], id, H256::zero(), inbound, counters, shutdown)
	}

	#[test]
	fn the_last_connection_should_be_told_from_others() {
		let shared = shared();
		let (one, two) = (ConnectionId::new_unchecked(1), ConnectionId::new_unchecked(2));
		shared.connected(PEER, one, false);
		shared.connected(PEER, two, true);

		assert!(!shared.disconnected(&PEER, one));
		assert!(shared.disconnected(&PEER, two));
		assert!(!shared.is_connected(&PEER));
	}

	#[test]
	fn a_direct_round_trip_should_count_before_a_relayed_one() {
		let shared = shared();
		let (one, two) = (ConnectionId::new_unchecked(1), ConnectionId::new_unchecked(2));
		shared.connected(PEER, one, true);
		shared.connected(PEER, two, false);
		shared.pinged(&PEER, one, Some(Duration::from_millis(1)));
		assert_eq!(shared.round_trip(&PEER), Some(Duration::from_millis(1)));
		shared.pinged(&PEER, two, Some(Duration::from_millis(9)));

		assert_eq!(shared.round_trip(&PEER), Some(Duration::from_millis(9)));
	}

	#[test]
	fn failed_pings_should_be_counted_in_a_row() {
		let shared = shared();
		let id = ConnectionId::new_unchecked(1);
		shared.connected(PEER, id, false);

		assert_eq!(shared.pinged(&PEER, id, None), 1);
		assert_eq!(shared.pinged(&PEER, id, None), 2);
		assert_eq!(shared.pinged(&PEER, id, Some(Duration::from_millis(1))), 0);
	}
}
