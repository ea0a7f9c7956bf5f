//! What the swarm tells.

use super::{
	swarm::{kad_protocol, network_name, BehaviourEvent},
	Node,
};
use crate::{
	address::{is_dialable, is_relayed, split_peer},
	identity::peer_key,
	streams::with_causes,
	wire::ADVERT_PROTOCOL,
	LOG,
};
use libp2p::{
	autonat,
	core::{transport::ListenerId, ConnectedPoint, Endpoint},
	dcutr, identify, kad, ping, relay,
	swarm::{ConnectionId, DialError, NetworkBehaviour, SwarmEvent},
	Multiaddr, PeerId,
};
use std::{
	collections::HashSet,
	time::{Duration, Instant},
};

/// Pings in a row without an answer after which a connection is closed.
const LOST_AFTER: u32 = 2;
/// How long a peer of another chain is left alone.
const FOREIGN: Duration = Duration::from_secs(10 * 60);
/// Addresses that are taken of what a peer says of itself.
const MAX_TAKEN: usize = 16;

impl Node {
	pub(super) fn on_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
		match event {
			SwarmEvent::Behaviour(event) => self.on_behaviour(event),
			SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
				self.on_connected(peer_id, connection_id, &endpoint);
			}
			SwarmEvent::ConnectionClosed { peer_id, connection_id, cause, .. } => {
				let reason = cause.as_ref().map(|cause| with_causes(cause));
				tracing::debug!(target: LOG, peer = %peer_id, ?reason, "connection closed");
				let Some(key) = peer_key(&peer_id) else { return };
				if self.shared.disconnected(&key, connection_id) {
					self.relays.lost(&peer_id);
					// Without anybody who listens, nobody needs to know.
					let _ = self.shared.lost.send(key);
				}
			}
			SwarmEvent::OutgoingConnectionError { connection_id, peer_id, error } => {
				let reason = with_causes(&error);
				tracing::debug!(target: LOG, ?peer_id, "not connected: {reason}");
				if let (Some(peer), DialError::Transport(failed)) = (peer_id, &error) {
					for (address, _) in failed {
						self.book.remove(&peer, address);
					}
				}
				for named in &mut self.bootstrap {
					if named.failed(connection_id) {
						tracing::warn!(
							target: LOG,
							address = %named.address,
							"bootstrap peer does not answer: is it up, and its port open? ({reason})"
						);
					}
				}
			}
			SwarmEvent::IncomingConnectionError { send_back_addr, error, .. } => {
				let reason = with_causes(&error);
				tracing::debug!(target: LOG, from = %send_back_addr, "connection refused: {reason}");
			}
			SwarmEvent::NewListenAddr { listener_id, address } => {
				self.on_listening(listener_id, address);
			}
			SwarmEvent::ExpiredListenAddr { address, .. } => {
				self.on_addresses_gone(&[address]);
			}
			SwarmEvent::ListenerClosed { listener_id, addresses, reason } => {
				self.on_addresses_gone(&addresses);
				self.on_listener_closed(listener_id, reason);
			}
			SwarmEvent::ListenerError { error, .. } => {
				tracing::debug!(target: LOG, "listener: {error}");
			}
			SwarmEvent::ExternalAddrConfirmed { .. } | SwarmEvent::ExternalAddrExpired { .. } => {
				self.update_reach();
			}
			_ => {}
		}
	}

	fn on_connected(&mut self, peer: PeerId, id: ConnectionId, endpoint: &ConnectedPoint) {
		let relayed = endpoint.is_relayed();
		tracing::debug!(target: LOG, %peer, relayed, "connected");
		let Some(key) = peer_key(&peer) else { return };
		self.shared.connected(key, id, relayed);
		for named in &mut self.bootstrap {
			named.connected(peer, id);
		}
		if !relayed {
			let now = Instant::now();
			self.relays.connected(&peer, now);
			self.hold_places(now);
		}
	}

	fn on_listening(&mut self, listener: ListenerId, address: Multiaddr) {
		let own = self.listening.contains(&listener);
		self.starting.remove(&listener);
		if is_relayed(&address) {
			tracing::info!(target: LOG, %address, "reachable over a relay");
			if is_dialable(&address, self.config.allow_loopback) {
				self.swarm.add_external_address(address);
			}
		} else if own {
			tracing::info!(target: LOG, %address, "listening");
			// In development, what is listened on is all the outside that there is.
			if self.config.allow_loopback {
				self.swarm.add_external_address(address);
			}
		}
		self.update_reach();
	}

	/// Addresses are not listened on any more.
	fn on_addresses_gone(&mut self, addresses: &[Multiaddr]) {
		for address in addresses {
			if !self.external.contains(address) {
				self.swarm.remove_external_address(address);
			}
		}
		self.update_reach();
	}

	fn on_listener_closed(&mut self, listener: ListenerId, reason: Result<(), std::io::Error>) {
		self.starting.remove(&listener);
		let why = reason.err().map(|error| with_causes(&error)).unwrap_or_default();
		if let Some(relay) = self.relays.closed(&listener, Instant::now()) {
			tracing::info!(target: LOG, %relay, "no place at this relay any more, asking again: {why}");
		} else if self.listening.remove(&listener) {
			tracing::warn!(target: LOG, "a listener ended, restart to listen again: {why}");
		}
		self.update_reach();
	}

	fn on_behaviour(&mut self, event: BehaviourEvent) {
		match event {
			BehaviourEvent::Identify(identify::Event::Received { peer_id, info, .. }) => {
				self.on_identified(peer_id, info);
			}
			BehaviourEvent::Ping(event) => self.on_ping(event),
			BehaviourEvent::Kad(event) => self.on_kad(event),
			BehaviourEvent::RelayClient(relay::client::Event::ReservationReqAccepted {
				relay_peer_id,
				..
			}) => self.relays.placed(&relay_peer_id),
			BehaviourEvent::Relay(event) => tracing::debug!(target: LOG, ?event, "relaying"),
			BehaviourEvent::Dcutr(dcutr::Event { remote_peer_id, result }) => match result {
				Ok(_) => tracing::debug!(target: LOG, peer = %remote_peer_id, "direct now"),
				Err(error) => {
					tracing::debug!(target: LOG, peer = %remote_peer_id, "stays relayed: {error}");
				}
			},
			BehaviourEvent::Autonat(autonat::Event::StatusChanged { new, .. }) => {
				self.on_nat_status(&new);
			}
			_ => {}
		}
	}

	fn on_identified(&mut self, peer: PeerId, info: identify::Info) {
		let genesis = self.shared.genesis;
		if info.protocol_version != network_name(&genesis) {
			tracing::info!(target: LOG, %peer, "peer of another chain, disconnected");
			self.swarm.behaviour_mut().kad.remove_peer(&peer);
			let until = Instant::now() + FOREIGN;
			for named in self.bootstrap.iter_mut().filter(|named| named.peer == Some(peer)) {
				tracing::warn!(
					target: LOG,
					address = %named.address,
					"bootstrap peer belongs to another chain: name peers of this one"
				);
				named.shun(until);
			}
			let _ = self.swarm.disconnect_peer_id(peer);
			return;
		}
		let speaks = |name: &str| info.protocols.iter().any(|protocol| *protocol == name);
		if let Some(key) = peer_key(&peer) {
			self.shared.identified(&key, speaks(ADVERT_PROTOCOL));
		}
		let allow_loopback = self.config.allow_loopback;
		let dialable: Vec<Multiaddr> = info
			.listen_addrs
			.iter()
			.filter(|address| is_dialable(address, allow_loopback))
			.take(MAX_TAKEN)
			.cloned()
			.collect();
		for address in &dialable {
			self.book.add(peer, address.clone());
		}
		let direct: Vec<Multiaddr> = dialable
			.into_iter()
			.filter(|address| !is_relayed(address))
			.map(|address| split_peer(&address).0)
			.collect();
		// Only who keeps a part of the table says that it speaks its protocol.
		if speaks(kad_protocol(&genesis).as_ref()) {
			for address in &direct {
				self.swarm.behaviour_mut().kad.add_address(&peer, address.clone());
			}
			// It may not have been there when this node provided last.
			if self.routing.len() <= kad::K_VALUE.get() {
				self.provide_soon();
			}
		}
		if speaks(relay::HOP_PROTOCOL_NAME.as_ref()) {
			if let Some(address) = direct.into_iter().next() {
				self.relays.offered(peer, address, Instant::now());
			}
		}
		self.shared.changed.notify_one();
	}

	fn on_ping(&mut self, event: ping::Event) {
		let Some(key) = peer_key(&event.peer) else { return };
		let round_trip = match event.result {
			Ok(round_trip) => Some(round_trip),
			Err(ping::Failure::Unsupported) => return,
			Err(_) => None,
		};
		if self.shared.pinged(&key, event.connection, round_trip) >= LOST_AFTER {
			tracing::debug!(target: LOG, peer = %event.peer, "does not answer, connection closed");
			self.swarm.close_connection(event.connection);
		}
	}

	fn on_kad(&mut self, event: kad::Event) {
		match event {
			kad::Event::OutboundQueryProgressed {
				id,
				result: kad::QueryResult::GetProviders(result),
				step,
				..
			} => {
				if let Ok(kad::GetProvidersOk::FoundProviders { key, providers }) = result {
					self.on_providers(id, &key, &providers);
				}
				if step.last {
					self.queries.remove(&id);
				}
			}
			kad::Event::RoutingUpdated { peer, is_new_peer, old_peer, .. } => {
				if let Some(old) = old_peer {
					self.routing.remove(&old);
				}
				self.routing.insert(peer);
				if is_new_peer {
					// While few are known, each may be one of the closest to what is provided; later, the
					// regular renewal reaches them.
					if self.routing.len() <= kad::K_VALUE.get() {
						self.provide_soon();
					}
					self.shared.changed.notify_one();
				}
			}
			_ => {}
		}
	}

	/// Remembers where providers are while the query still knows it, and tells who asked.
	fn on_providers(
		&mut self,
		id: kad::QueryId,
		key: &kad::RecordKey,
		providers: &HashSet<PeerId>,
	) {
		use kad::store::RecordStore;

		let allow_loopback = self.config.allow_loopback;
		let kad = &mut self.swarm.behaviour_mut().kad;
		let stored = kad.store_mut().providers(key);
		for peer in providers {
			// What it would dial: the routing table, and what this query was told.
			let asked = ConnectionId::new_unchecked(0);
			let told = kad
				.handle_pending_outbound_connection(asked, Some(*peer), &[], Endpoint::Dialer)
				.unwrap_or_default();
			let own = stored.iter().filter(|record| record.provider == *peer);
			let addresses = told.iter().chain(own.flat_map(|record| &record.addresses));
			for address in addresses.take(MAX_TAKEN) {
				if is_dialable(address, allow_loopback) {
					self.book.add(*peer, address.clone());
				}
			}
			if let (Some(found), Some(key)) = (self.queries.get(&id), peer_key(peer)) {
				// Who does not read what it asked for misses some.
				let _ = found.try_send(key);
			}
		}
	}

	fn on_nat_status(&mut self, status: &autonat::NatStatus) {
		self.public = status.is_public();
		self.private = *status == autonat::NatStatus::Private;
		match status {
			autonat::NatStatus::Public(address) => {
				tracing::info!(target: LOG, %address, "others reach this node");
			}
			autonat::NatStatus::Private => {
				tracing::info!(target: LOG, "others do not reach this node, but over a relay");
				// What was confirmed before does not hold any more.
				let confirmed: Vec<Multiaddr> = self.swarm.external_addresses().cloned().collect();
				for address in confirmed {
					if !is_relayed(&address) && !self.external.contains(&address) {
						self.swarm.remove_external_address(&address);
					}
				}
			}
			autonat::NatStatus::Unknown => {}
		}
		self.update_reach();
		self.hold_places(Instant::now());
	}
}
