//! Which connection a stream is opened on, and which streams wait for one.

use super::{
	handler::{Handler, Request},
	Failure, Inbound,
};
use libp2p::{
	core::{transport::PortUse, Endpoint},
	swarm::{
		ConnectionClosed, ConnectionDenied, ConnectionId, DialError, DialFailure, FromSwarm,
		NetworkBehaviour, NotifyHandler, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
	},
	Multiaddr, PeerId,
};
use std::{
	collections::{HashMap, VecDeque},
	convert::Infallible,
	error::Error,
	sync::Arc,
	task::{Context, Poll, Waker},
};

/// Opens and takes streams.
pub(crate) struct Behaviour {
	inbound: Arc<Inbound>,
	connections: HashMap<PeerId, Vec<Connection>>,
	dials: HashMap<PeerId, Vec<Dial>>,
	events: VecDeque<ToSwarm<Infallible, Request>>,
	waker: Option<Waker>,
}

struct Connection {
	id: ConnectionId,
	relayed: bool,
}

/// Streams that wait for a connection which is being opened.
struct Dial {
	id: ConnectionId,
	addresses: Vec<Multiaddr>,
	requests: Vec<Request>,
}

/// The peer's key is not of the kind that the chain knows.
#[derive(Debug, thiserror::Error)]
#[error("the peer has no ed25519 key")]
struct NotEd25519;

impl Behaviour {
	pub(crate) fn new(inbound: Arc<Inbound>) -> Self {
		Self {
			inbound,
			connections: HashMap::new(),
			dials: HashMap::new(),
			events: VecDeque::new(),
			waker: None,
		}
	}

	/// Opens a stream on a connection that there is, or gives the request back.
	pub(crate) fn open(&mut self, peer: PeerId, request: Request) -> Option<Request> {
		let connections = self.connections.get(&peer).map(Vec::as_slice).unwrap_or_default();
		// The newest: of a peer that vanished and came back, the older ones are dead and not yet closed.
		let best = connections.iter().rev().find(|connection| !connection.relayed);
		let Some(id) = best.or(connections.last()).map(|connection| connection.id) else {
			return Some(request);
		};
		self.notify(peer, id, request);
		None
	}

	/// Lets a request wait for a connection to one of these addresses. Returns whether `dial` has to be
	/// made for it: not if one to the same addresses is under way.
	pub(crate) fn wait(
		&mut self,
		peer: PeerId,
		dial: ConnectionId,
		addresses: &[Multiaddr],
		request: Request,
	) -> bool {
		let dials = self.dials.entry(peer).or_default();
		for under_way in dials.iter_mut() {
			under_way.requests.retain(|request| !request.reply.is_closed());
			if addresses.iter().all(|address| under_way.addresses.contains(address)) {
				under_way.requests.push(request);
				return false;
			}
		}
		let (addresses, requests) = (addresses.to_vec(), vec![request]);
		dials.push(Dial { id: dial, addresses, requests });
		true
	}

	fn notify(&mut self, peer_id: PeerId, connection: ConnectionId, event: Request) {
		let handler = NotifyHandler::One(connection);
		self.events.push_back(ToSwarm::NotifyHandler { peer_id, handler, event });
		if let Some(waker) = self.waker.take() {
			waker.wake();
		}
	}

	fn on_dial_failure(&mut self, peer: PeerId, dial: ConnectionId, error: &DialError) {
		let Some(dials) = self.dials.get_mut(&peer) else { return };
		let Some(place) = dials.iter().position(|waiting| waiting.id == dial) else { return };
		let failed = dials.swap_remove(place);
		if dials.is_empty() {
			self.dials.remove(&peer);
		}
		let reason = with_causes(error);
		for request in failed.requests {
			// A connection that the peer opened may serve as well.
			if let Some(request) = self.open(peer, request) {
				let _ = request.reply.send(Err(Failure::Unreachable(reason.clone())));
			}
		}
	}

	fn handler(&self, peer: &PeerId) -> Result<Handler, ConnectionDenied> {
		let key = crate::peer_key(peer).ok_or_else(|| ConnectionDenied::new(NotEd25519))?;
		Ok(Handler::new(*peer, key, self.inbound.clone()))
	}
}

/// An error with what caused it.
pub(crate) fn with_causes(error: &dyn Error) -> String {
	let mut text = error.to_string();
	let mut cause = error.source();
	while let Some(error) = cause {
		text.push_str(": ");
		text.push_str(&error.to_string());
		cause = error.source();
	}
	text
}

impl NetworkBehaviour for Behaviour {
	type ConnectionHandler = Handler;
	type ToSwarm = Infallible;

	fn handle_established_inbound_connection(
		&mut self,
		_: ConnectionId,
		peer: PeerId,
		_: &Multiaddr,
		_: &Multiaddr,
	) -> Result<THandler<Self>, ConnectionDenied> {
		self.handler(&peer)
	}

	fn handle_established_outbound_connection(
		&mut self,
		_: ConnectionId,
		peer: PeerId,
		_: &Multiaddr,
		_: Endpoint,
		_: PortUse,
	) -> Result<THandler<Self>, ConnectionDenied> {
		self.handler(&peer)
	}

	fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
		match event {
			FromSwarm::ConnectionEstablished(established) => {
				let (peer, id) = (established.peer_id, established.connection_id);
				let relayed = established.endpoint.is_relayed();
				self.connections.entry(peer).or_default().push(Connection { id, relayed });
				for dial in self.dials.remove(&peer).unwrap_or_default() {
					for request in dial.requests {
						self.notify(peer, id, request);
					}
				}
			}
			FromSwarm::ConnectionClosed(ConnectionClosed { peer_id, connection_id, .. }) => {
				if let Some(connections) = self.connections.get_mut(&peer_id) {
					connections.retain(|connection| connection.id != connection_id);
					if connections.is_empty() {
						self.connections.remove(&peer_id);
					}
				}
			}
			FromSwarm::DialFailure(DialFailure { peer_id: Some(peer), error, connection_id }) => {
				self.on_dial_failure(peer, connection_id, error);
			}
			_ => {}
		}
	}

	fn on_connection_handler_event(
		&mut self,
		_: PeerId,
		_: ConnectionId,
		event: THandlerOutEvent<Self>,
	) {
		match event {}
	}

	fn poll(
		&mut self,
		cx: &mut Context<'_>,
	) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
		match self.events.pop_front() {
			Some(event) => Poll::Ready(event),
			None => {
				self.waker = Some(cx.waker().clone());
				Poll::Pending
			}
		}
	}
}
