//! A peer that answers whatever a test wants.
#![allow(clippy::unwrap_used, dead_code)]

use aria_network::{wire::ADVERT_PROTOCOL, Identity, Multiaddr, PeerKey};
use futures::{AsyncWriteExt, StreamExt};
use libp2p::{multiaddr::Protocol, swarm::SwarmEvent, StreamProtocol};
use std::time::Duration;
use tokio::task::JoinHandle;

/// What it does when somebody asks for its advert.
#[derive(Clone)]
pub enum Answer {
	/// Sends these bytes and closes.
	Bytes(Vec<u8>),
	/// Sends these bytes, then neither more nor an end.
	Stall(Vec<u8>),
}

/// The peer; it ends with its test.
pub struct Hostile {
	pub key: PeerKey,
	pub address: Multiaddr,
	tasks: Vec<JoinHandle<()>>,
}

impl Drop for Hostile {
	fn drop(&mut self) {
		self.tasks.iter().for_each(JoinHandle::abort);
	}
}

/// Starts it; the answer may name its key.
pub async fn hostile(answer: impl FnOnce(PeerKey) -> Answer) -> Hostile {
	let identity = Identity::generate();
	let (key, answer) = (identity.peer_key(), answer(identity.peer_key()));
	let mut swarm = libp2p::SwarmBuilder::with_existing_identity(identity.keypair())
		.with_tokio()
		.with_tcp(
			libp2p::tcp::Config::default(),
			libp2p::tls::Config::new,
			libp2p::yamux::Config::default,
		)
		.unwrap()
		.with_behaviour(|_| libp2p_stream::Behaviour::new())
		.unwrap()
		.with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(60)))
		.build();
	let mut incoming =
		swarm.behaviour().new_control().accept(StreamProtocol::new(ADVERT_PROTOCOL)).unwrap();
	swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse().unwrap()).unwrap();
	let address = loop {
		if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
			break address.with(Protocol::P2p(identity.peer_id()));
		}
	};
	let swarm = tokio::spawn(async move {
		loop {
			swarm.select_next_some().await;
		}
	});
	let answers = tokio::spawn(async move {
		let mut held = Vec::new();
		while let Some((_, mut stream)) = incoming.next().await {
			let (bytes, close) = match &answer {
				Answer::Bytes(bytes) => (bytes, true),
				Answer::Stall(bytes) => (bytes, false),
			};
			let _ = stream.write_all(bytes).await;
			let _ = stream.flush().await;
			if close {
				let _ = stream.close().await;
			} else {
				held.push(stream);
			}
		}
	});
	Hostile { key, address, tasks: vec![swarm, answers] }
}
