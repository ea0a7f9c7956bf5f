//! Opens and takes the streams of one connection.

use super::Inbound;
use crate::PeerKey;
use futures::future::{ready, Ready};
use libp2p::{
	core::{InboundUpgrade, OutboundUpgrade, UpgradeInfo},
	swarm::{
		handler::{
			ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound,
		},
		ConnectionHandler, ConnectionHandlerEvent, StreamUpgradeError, SubstreamProtocol,
	},
	PeerId, Stream, StreamProtocol,
};
use std::{
	collections::VecDeque,
	convert::Infallible,
	io,
	sync::Arc,
	task::{Context, Poll},
};
use tokio::sync::oneshot;

/// Why there is no stream.
#[derive(Debug)]
pub(crate) enum Failure {
	/// There is no connection.
	Unreachable(String),
	/// The peer does not take streams of the protocol.
	Unsupported,
	/// The peer is banned here.
	Banned,
	/// The connection broke, or the peer did not answer.
	Io(io::Error),
}

/// Where the answer to a [`Request`] goes.
pub(crate) type Reply = oneshot::Sender<Result<Stream, Failure>>;

/// A stream that is to be opened.
#[derive(Debug)]
pub(crate) struct Request {
	pub(crate) protocol: StreamProtocol,
	pub(crate) reply: Reply,
}

/// The part of a connection that deals with streams.
pub(crate) struct Handler {
	peer: PeerId,
	key: PeerKey,
	inbound: Arc<Inbound>,
	requests: VecDeque<Request>,
}

impl Handler {
	pub(crate) fn new(peer: PeerId, key: PeerKey, inbound: Arc<Inbound>) -> Self {
		Self { peer, key, inbound, requests: VecDeque::new() }
	}
}

/// Settles on one of the protocols, and leaves the stream as it is.
pub(crate) struct Upgrade(Vec<StreamProtocol>);

impl UpgradeInfo for Upgrade {
	type Info = StreamProtocol;
	type InfoIter = std::vec::IntoIter<StreamProtocol>;

	fn protocol_info(&self) -> Self::InfoIter {
		self.0.clone().into_iter()
	}
}

impl InboundUpgrade<Stream> for Upgrade {
	type Output = (Stream, StreamProtocol);
	type Error = Infallible;
	type Future = Ready<Result<Self::Output, Self::Error>>;

	fn upgrade_inbound(self, stream: Stream, protocol: StreamProtocol) -> Self::Future {
		ready(Ok((stream, protocol)))
	}
}

impl OutboundUpgrade<Stream> for Upgrade {
	type Output = Stream;
	type Error = Infallible;
	type Future = Ready<Result<Self::Output, Self::Error>>;

	fn upgrade_outbound(self, stream: Stream, _: StreamProtocol) -> Self::Future {
		ready(Ok(stream))
	}
}

impl ConnectionHandler for Handler {
	type FromBehaviour = Request;
	type ToBehaviour = Infallible;
	type InboundProtocol = Upgrade;
	type OutboundProtocol = Upgrade;
	type InboundOpenInfo = ();
	type OutboundOpenInfo = Reply;

	fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol, Self::InboundOpenInfo> {
		SubstreamProtocol::new(Upgrade(self.inbound.protocols()), ())
	}

	fn poll(
		&mut self,
		_: &mut Context<'_>,
	) -> Poll<
		ConnectionHandlerEvent<Self::OutboundProtocol, Self::OutboundOpenInfo, Self::ToBehaviour>,
	> {
		// Who asked may have given up in the meantime.
		while let Some(Request { protocol, reply }) = self.requests.pop_front() {
			if !reply.is_closed() {
				let protocol = SubstreamProtocol::new(Upgrade(vec![protocol]), reply);
				return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
			}
		}
		Poll::Pending
	}

	fn on_behaviour_event(&mut self, request: Request) {
		self.requests.push_back(request);
	}

	fn on_connection_event(
		&mut self,
		event: ConnectionEvent<
			Self::InboundProtocol,
			Self::OutboundProtocol,
			Self::InboundOpenInfo,
			Self::OutboundOpenInfo,
		>,
	) {
		match event {
			ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
				protocol: (stream, protocol),
				info: (),
			}) => self.inbound.deliver(&self.peer, self.key, &protocol, stream),
			ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
				protocol: stream,
				info: reply,
			}) => {
				let _ = reply.send(Ok(stream));
			}
			ConnectionEvent::DialUpgradeError(DialUpgradeError { info: reply, error }) => {
				let failure = match error {
					StreamUpgradeError::Timeout => Failure::Io(io::ErrorKind::TimedOut.into()),
					StreamUpgradeError::NegotiationFailed => Failure::Unsupported,
					StreamUpgradeError::Io(error) => Failure::Io(error),
					StreamUpgradeError::Apply(never) => match never {},
				};
				let _ = reply.send(Err(failure));
			}
			_ => {}
		}
	}
}
