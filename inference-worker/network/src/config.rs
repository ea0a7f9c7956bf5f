//! What a node listens on, whom it knows, and how much it gives to each peer.

use crate::relayed::RelayBudget;
use libp2p::Multiaddr;
use std::{net::Ipv6Addr, time::Duration};

/// The port of [`NetworkConfig::default`], UDP and TCP.
pub const DEFAULT_PORT: u16 = 30_343;

/// How a node takes part.
#[derive(Clone, Debug)]
pub struct NetworkConfig {
	/// Where to listen. Port 0 lets the system choose.
	pub listen: Vec<Multiaddr>,
	/// Addresses at which others reach this node. Who names one says that it is public.
	pub external: Vec<Multiaddr>,
	/// Peers by which the network is found, best with their `/p2p/` part.
	pub bootstrap: Vec<Multiaddr>,
	/// Peers that relay to this node while it is not public, with their `/p2p/` part.
	pub relays: Vec<Multiaddr>,
	/// Whether to relay to others.
	pub relay_server: bool,
	/// Never listen: others come over relays alone.
	pub outbound_only: bool,
	/// Keep a part of the table of providers even if no address was confirmed from outside.
	pub kad_server: bool,
	/// For development: loopback addresses are dialled and count as public.
	pub allow_loopback: bool,
	/// How many connections.
	pub limits: ConnectionLimits,
	/// How many streams a peer may open.
	pub streams: StreamLimits,
	/// What a relay gives.
	pub relay: RelayLimits,
	/// How many bytes a second it passes on, circuits all together; it can be changed while the node runs.
	pub relayed: RelayBudget,
	/// How long, how often.
	pub timing: Timing,
}

impl Default for NetworkConfig {
	/// Public addresses of both families, QUIC and TCP, on [`DEFAULT_PORT`]; no bootstrap peers.
	fn default() -> Self {
		use libp2p::multiaddr::Protocol::{Ip4, Ip6, QuicV1, Tcp, Udp};
		let any = [
			Multiaddr::from(Ip4(std::net::Ipv4Addr::UNSPECIFIED)),
			Multiaddr::from(Ip6(Ipv6Addr::UNSPECIFIED)),
		];
		let listen = any
			.into_iter()
			.flat_map(|host| {
				[host.clone().with(Udp(DEFAULT_PORT)).with(QuicV1), host.with(Tcp(DEFAULT_PORT))]
			})
			.collect();
		Self { listen, ..Self::empty() }
	}
}

impl NetworkConfig {
	/// Listens nowhere and knows nobody.
	pub fn empty() -> Self {
		Self {
			listen: Vec::new(),
			external: Vec::new(),
			bootstrap: Vec::new(),
			relays: Vec::new(),
			relay_server: false,
			outbound_only: false,
			kad_server: false,
			allow_loopback: false,
			limits: ConnectionLimits::default(),
			streams: StreamLimits::default(),
			relay: RelayLimits::default(),
			relayed: RelayBudget::default(),
			timing: Timing::default(),
		}
	}

	/// For development and tests: loopback alone, on ports that the system chooses.
	pub fn loopback() -> Self {
		use libp2p::multiaddr::Protocol::{Ip4, QuicV1, Tcp, Udp};
		let host = Multiaddr::from(Ip4(std::net::Ipv4Addr::LOCALHOST));
		let listen = vec![host.clone().with(Udp(0)).with(QuicV1), host.with(Tcp(0))];
		Self { listen, allow_loopback: true, ..Self::empty() }
	}
}

/// Most connections.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConnectionLimits {
	/// With one peer.
	pub per_peer: u32,
	/// That others opened.
	pub total_in: u32,
	/// That this node opened.
	pub total_out: u32,
	/// That are being opened, in each direction.
	pub pending: u32,
}

impl Default for ConnectionLimits {
	fn default() -> Self {
		Self { per_peer: 8, total_in: 512, total_out: 512, pending: 128 }
	}
}

/// Most streams that peers open to this node. What is beyond is closed at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StreamLimits {
	/// Of one peer, open at the same time.
	pub per_peer: u32,
	/// Of one peer in a second, in the long run.
	pub per_second: u32,
	/// Of one peer at once, after a pause.
	pub burst: u32,
	/// Of all peers, open at the same time.
	pub total: u32,
}

impl Default for StreamLimits {
	fn default() -> Self {
		Self { per_peer: 256, per_second: 64, burst: 256, total: 4_096 }
	}
}

/// What a relay gives to others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RelayLimits {
	/// Peers that wait behind this relay.
	pub reservations: usize,
	/// Connections through it at the same time.
	pub circuits: usize,
	/// Of them with one peer.
	pub circuits_per_peer: usize,
	/// Most bytes of a connection, both directions together; 0 for no limit.
	pub circuit_bytes: u64,
	/// How long a connection lasts.
	pub circuit_duration: Duration,
}

impl Default for RelayLimits {
	fn default() -> Self {
		Self {
			reservations: 128,
			circuits: 128,
			circuits_per_peer: 16,
			circuit_bytes: 1 << 30,
			circuit_duration: Duration::from_secs(30 * 60),
		}
	}
}

/// How long a node waits, and how often it looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timing {
	/// For a stream to be open, dialling included.
	pub open: Duration,
	/// For the providers of a shard.
	pub query: Duration,
	/// For a peer's advert, dialling included.
	pub advert: Duration,
	/// Between two fetches of a known worker's advert.
	pub refresh: Duration,
	/// Between two searches for workers of a watched model; less while none is known.
	pub discover: Duration,
	/// For an idle connection to be closed.
	pub idle: Duration,
}

impl Default for Timing {
	fn default() -> Self {
		Self {
			open: Duration::from_secs(10),
			query: Duration::from_secs(10),
			advert: Duration::from_secs(5),
			refresh: Duration::from_secs(10),
			discover: Duration::from_secs(20),
			idle: Duration::from_secs(5 * 60),
		}
	}
}
