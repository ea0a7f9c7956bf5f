//! What a node speaks: transports and protocols (`docs/protocol/network.md`, "Transports").

use super::StartError;
use crate::{
	address::needs_dns,
	config::{NetworkConfig, RelayLimits},
	provider::{Store, RECORD_LIFE, RECORD_RENEWAL},
	relayed::{self, RelayBudget},
	streams::{self, Inbound},
};
use libp2p::{
	allow_block_list, autonat,
	connection_limits::{self, ConnectionLimits},
	core::{
		muxing::StreamMuxerBox,
		transport::{timeout::TransportTimeout, Boxed},
		upgrade::Version,
	},
	dcutr, dns, identify,
	identity::Keypair,
	kad, ping, quic, relay,
	swarm::{behaviour::toggle::Toggle, Config, NetworkBehaviour},
	tcp, tls, yamux, Multiaddr, PeerId, StreamProtocol, Swarm, Transport,
};
use sp_core::H256;
use std::{
	sync::Arc,
	time::{Duration, Instant},
};

/// For a connection to be set up.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Without a sign of life, a QUIC connection is over. A machine that computes with all its cores may be
/// late with one.
const SILENCE: Duration = Duration::from_secs(30);

/// The parts of a node. Those that refuse connections come first: the others must not know what was refused.
#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
	pub(crate) limits: connection_limits::Behaviour,
	pub(crate) blocked: allow_block_list::Behaviour<allow_block_list::BlockedPeers>,
	pub(crate) streams: streams::Behaviour,
	pub(crate) identify: identify::Behaviour,
	pub(crate) ping: ping::Behaviour,
	pub(crate) kad: kad::Behaviour<Store>,
	pub(crate) relay: Toggle<relay::Behaviour>,
	pub(crate) relay_client: relay::client::Behaviour,
	pub(crate) dcutr: Toggle<dcutr::Behaviour>,
	pub(crate) autonat: Toggle<autonat::Behaviour>,
}

/// The name of the table of providers; peers of another chain don't speak it.
pub(crate) fn kad_protocol(genesis: &H256) -> StreamProtocol {
	let name = format!("/aria/{}/kad/1", digits(genesis));
	StreamProtocol::try_from_owned(name).expect("it begins with a slash; qed")
}

/// What peers of one chain say of themselves.
pub(crate) fn network_name(genesis: &H256) -> String {
	format!("/aria/{}/1", digits(genesis))
}

/// `{:x}` of a hash, all of its digits.
fn digits(hash: &H256) -> String {
	hash.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A node that does not listen yet.
pub(crate) fn build(
	config: &NetworkConfig,
	keypair: &Keypair,
	genesis: &H256,
	inbound: Arc<Inbound>,
) -> Result<Swarm<Behaviour>, StartError> {
	let local = keypair.public().to_peer_id();
	let (relay_transport, relay_client) = relay::client::new(local);
	let over_relays = relay_transport
		.upgrade(Version::V1Lazy)
		.authenticate(tls(keypair)?)
		.multiplex(yamux::Config::default())
		.map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
	let budget = config.relay_server.then(|| config.relayed.clone());
	let direct = direct_transport(config, keypair)?
		.map(move |(peer, muxer), _| (peer, relayed::limited(muxer, budget)));
	let transport = over_relays.or_transport(direct).map(|either, _| either.into_inner());
	let transport = TransportTimeout::new(transport, HANDSHAKE).boxed();

	let behaviour = behaviour(config, keypair, genesis, inbound, relay_client);
	let swarm = Config::with_tokio_executor().with_idle_connection_timeout(config.timing.idle);
	Ok(Swarm::new(transport, behaviour, local, swarm))
}

fn tls(keypair: &Keypair) -> Result<tls::Config, StartError> {
	tls::Config::new(keypair).map_err(|error| StartError::Tls(error.to_string()))
}

/// QUIC, and TCP with TLS 1.3 and yamux.
fn direct_transport(
	config: &NetworkConfig,
	keypair: &Keypair,
) -> Result<Boxed<(PeerId, StreamMuxerBox)>, StartError> {
	let mut quic_config = quic::Config::new(keypair);
	quic_config.max_idle_timeout = u32::try_from(SILENCE.as_millis()).unwrap_or(u32::MAX);
	quic_config.max_concurrent_stream_limit = 1_024;
	let quic = quic::tokio::Transport::new(quic_config)
		.map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
	// A token is a small packet that somebody waits for.
	let tcp = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true))
		.upgrade(Version::V1Lazy)
		.authenticate(tls(keypair)?)
		.multiplex(yamux::Config::default())
		.map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
	let direct = quic.or_transport(tcp).map(|either, _| either.into_inner()).boxed();

	// Names come from the operator alone, so that without one there is nothing to look up.
	let named = [&config.bootstrap, &config.relays].into_iter().flatten().any(needs_dns);
	if !named {
		return Ok(direct);
	}
	Ok(dns::tokio::Transport::system(direct).map_err(StartError::Dns)?.boxed())
}

fn behaviour(
	config: &NetworkConfig,
	keypair: &Keypair,
	genesis: &H256,
	inbound: Arc<Inbound>,
	relay_client: relay::client::Behaviour,
) -> Behaviour {
	let local = keypair.public().to_peer_id();
	let limits = ConnectionLimits::default()
		.with_max_pending_incoming(Some(config.limits.pending))
		.with_max_pending_outgoing(Some(config.limits.pending))
		.with_max_established_incoming(Some(config.limits.total_in))
		.with_max_established_outgoing(Some(config.limits.total_out))
		.with_max_established_per_peer(Some(config.limits.per_peer));
	let identify = identify::Config::new(network_name(genesis), keypair.public())
		.with_agent_version(concat!("aria/", env!("CARGO_PKG_VERSION")).to_owned())
		.with_push_listen_addr_updates(true);
	let ping = ping::Config::new().with_interval(Duration::from_secs(10)).with_timeout(SILENCE / 2);

	let relay = config
		.relay_server
		.then(|| relay::Behaviour::new(local, relay_of(&config.relay, &config.relayed)));
	// Who never listens cannot be dialled back, neither to learn an address nor to punch a hole.
	let dcutr = (!config.outbound_only).then(|| dcutr::Behaviour::new(local));
	let told = config.allow_loopback || !config.external.is_empty();
	let autonat = (!config.outbound_only && !config.allow_loopback).then(|| {
		// Who was told its address helps others to learn theirs, and asks seldom itself.
		let delay = if told { Duration::from_secs(60 * 60) } else { Duration::from_secs(5) };
		let config = autonat::Config { boot_delay: delay, ..Default::default() };
		autonat::Behaviour::new(local, config)
	});

	Behaviour {
		limits: connection_limits::Behaviour::new(limits),
		blocked: allow_block_list::Behaviour::default(),
		streams: streams::Behaviour::new(inbound),
		identify: identify::Behaviour::new(identify),
		ping: ping::Behaviour::new(ping),
		kad: table(config, local, genesis),
		relay: relay.into(),
		relay_client,
		dcutr: dcutr.into(),
		autonat: autonat.into(),
	}
}

/// The table of providers.
fn table(config: &NetworkConfig, local: PeerId, genesis: &H256) -> kad::Behaviour<Store> {
	let mut table = kad::Config::new(kad_protocol(genesis));
	table
		.set_query_timeout(config.timing.query)
		.set_provider_record_ttl(Some(RECORD_LIFE))
		.set_provider_publication_interval(Some(RECORD_RENEWAL))
		.set_replication_interval(None)
		.set_publication_interval(None)
		.set_caching(kad::Caching::Disabled);
	let store = Store::new(local, config.allow_loopback);
	let mut kad = kad::Behaviour::with_config(local, store, table);
	kad.set_mode(Some(kad::Mode::Client));
	kad
}

fn relay_of(limits: &RelayLimits, budget: &RelayBudget) -> relay::Config {
	let mut config = relay::Config {
		max_reservations: limits.reservations,
		max_reservations_per_peer: 2,
		max_circuits: limits.circuits,
		max_circuits_per_peer: limits.circuits_per_peer,
		max_circuit_bytes: limits.circuit_bytes,
		// The protocol counts seconds in 32 bits.
		max_circuit_duration: limits.circuit_duration.min(Duration::from_secs(u32::MAX.into())),
		..Default::default()
	};
	// Before the others, so that who is refused here is not counted there.
	config.reservation_rate_limiters.insert(0, while_open(budget));
	config.circuit_src_rate_limiters.insert(0, while_open(budget));
	config
}

/// Refuses everybody while nothing may pass.
fn while_open(budget: &RelayBudget) -> Box<dyn relay::RateLimiter> {
	let budget = budget.clone();
	Box::new(move |_: PeerId, _: &Multiaddr, _: Instant| budget.is_open())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn names_should_hold_the_whole_genesis() {
		let genesis = H256::repeat_byte(0xab);

		assert_eq!(kad_protocol(&genesis).as_ref(), format!("/aria/{}/kad/1", "ab".repeat(32)));
		assert_eq!(network_name(&genesis), format!("/aria/{}/1", "ab".repeat(32)));
	}
}
