//! The task that drives the node.

mod bootstrap;
mod events;
mod relays;
mod swarm;

use crate::{
	address::{is_dialable, is_relayed, split_peer},
	advert,
	config::NetworkConfig,
	directory::Directory,
	handle::{Command, Handle},
	identity::peer_key,
	metrics::Counters,
	provider::record_key,
	shared::{Reach, Shared},
	streams::{AlreadyAccepted, Failure, Inbound, Request},
	wire::ADVERT_PROTOCOL,
	PeerKey, LOG,
};
use aria_primitives::{record::LayerRange, ModelId};
use bootstrap::Bootstrap;
use futures::StreamExt;
use libp2p::{
	core::transport::ListenerId,
	identity::Keypair,
	kad,
	multiaddr::Protocol,
	swarm::{
		dial_opts::{DialOpts, PeerCondition},
		PeerAddresses,
	},
	Multiaddr, PeerId, Swarm,
};
use relays::{Relays, Step};
use sp_core::H256;
use std::{
	collections::{HashMap, HashSet},
	io,
	num::NonZeroUsize,
	sync::{
		atomic::{AtomicU64, Ordering::Relaxed},
		Arc,
	},
	time::{Duration, Instant},
};
use swarm::Behaviour;
use tokio::{
	sync::mpsc,
	time::{interval, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;

/// How often the node looks what is due.
const TICK: Duration = Duration::from_millis(250);
/// Commands that wait.
const COMMANDS: usize = 1_024;
/// Peers whose addresses are remembered.
const ADDRESSES: usize = 4_096;
/// Peers that are banned at the same time.
const MAX_BANS: usize = 4_096;
/// After the table of peers grew or an address was gained, until providing is repeated.
const REPEAT: Duration = Duration::from_millis(500);

/// A node of the network of workers and gateways.
pub struct Network;

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
	/// It needs a runtime to run in.
	#[error("there is no tokio runtime here: start the network from within one")]
	NoRuntime,
	/// The key is of another kind.
	#[error("the peer key is no ed25519 key, which the chain needs: create one with this program")]
	NotEd25519,
	/// No certificate can be made.
	#[error("can't make a TLS certificate of the peer key: {0}")]
	Tls(String),
	/// The system's resolver can't be used.
	#[error(
		"can't read the system's DNS configuration ({0}): mend it, or name bootstrap peers and relays by \
		 IP address"
	)]
	Dns(io::Error),
	/// An address can't be listened on.
	#[error("can't listen on {address} ({reason}): is it this machine's, and is the port free?")]
	Listen {
		/// The address.
		address: Multiaddr,
		/// Why.
		reason: String,
	},
	/// An external address that no peer would dial.
	#[error(
		"{0} can't be an external address: name it as /ip4/ADDRESS/tcp/PORT or \
		 /ip4/ADDRESS/udp/PORT/quic-v1 (or /ip6/…), reachable from outside"
	)]
	External(Multiaddr),
	/// A relay without its peer.
	#[error("the relay {0} has no /p2p/ part: add the peer id that it logs when it starts")]
	Relay(Multiaddr),
	/// The protocol of adverts is taken twice.
	#[error(transparent)]
	Accepted(#[from] AlreadyAccepted),
}

impl Network {
	/// Starts a node on the current tokio runtime; it runs until `shutdown` is cancelled.
	///
	/// # Errors
	/// [`StartError`].
	pub fn start(
		config: NetworkConfig,
		keypair: Keypair,
		genesis: H256,
		shutdown: CancellationToken,
	) -> Result<Handle, StartError> {
		let runtime = tokio::runtime::Handle::try_current().map_err(|_| StartError::NoRuntime)?;
		let local_id = keypair.public().to_peer_id();
		let local = peer_key(&local_id).ok_or(StartError::NotEd25519)?;
		let relays = named_relays(&config)?;
		let external: Vec<Multiaddr> =
			config.external.iter().map(|address| split_peer(address).0).collect();
		if let Some(bad) =
			external.iter().find(|address| !is_dialable(address, config.allow_loopback))
		{
			return Err(StartError::External(bad.clone()));
		}

		let counters = Arc::<Counters>::default();
		let inbound = Arc::new(Inbound::new(config.streams, counters.clone()));
		let adverts = inbound.accept(ADVERT_PROTOCOL)?;
		let mut swarm = swarm::build(&config, &keypair, &genesis, inbound.clone())?;
		let mut listening = HashSet::new();
		if !config.outbound_only {
			for address in &config.listen {
				let listener = swarm.listen_on(address.clone()).map_err(|error| {
					let reason = crate::streams::with_causes(&error);
					StartError::Listen { address: address.clone(), reason }
				})?;
				listening.insert(listener);
			}
		}

		let shared =
			Arc::new(Shared::new(&config, local, local_id, genesis, inbound, counters, shutdown));
		let (commands, received) = mpsc::channel(COMMANDS);
		let handle = Handle::new(shared.clone(), commands);
		let now = Instant::now();
		let mut node = Node {
			swarm,
			shared: shared.clone(),
			commands: received,
			book: PeerAddresses::new(NonZeroUsize::new(ADDRESSES).unwrap_or(NonZeroUsize::MIN)),
			bootstrap: config.bootstrap.iter().map(|named| Bootstrap::new(named, now)).collect(),
			relays: Relays::new(relays, now),
			config,
			external,
			starting: listening.clone(),
			listening,
			private: false,
			public: false,
			serves: false,
			provided: Vec::new(),
			provide_at: None,
			queries: HashMap::new(),
			bans: HashMap::new(),
			routing: HashSet::new(),
		};
		node.begin();
		tracing::info!(target: LOG, peer = %local_id, "network starts");
		runtime.spawn(node.run());
		runtime.spawn(advert::serve(shared, adverts));
		runtime.spawn(Directory::new(handle.clone()).run());
		Ok(handle)
	}
}

fn named_relays(config: &NetworkConfig) -> Result<Vec<(PeerId, Multiaddr)>, StartError> {
	let named = config.relays.iter().map(|relay| match split_peer(relay) {
		(address, Some(peer)) if !is_relayed(&address) && !address.is_empty() => {
			Ok((peer, address))
		}
		_ => Err(StartError::Relay(relay.clone())),
	});
	named.collect()
}

/// What drives the swarm.
struct Node {
	swarm: Swarm<Behaviour>,
	shared: Arc<Shared>,
	commands: mpsc::Receiver<Command>,
	config: NetworkConfig,
	/// Addresses of providers and workers, most recently used.
	book: PeerAddresses,
	bootstrap: Vec<Bootstrap>,
	relays: Relays,
	/// The operator's external addresses.
	external: Vec<Multiaddr>,
	/// Listeners on this machine's addresses, and those without an address yet.
	listening: HashSet<ListenerId>,
	starting: HashSet<ListenerId>,
	/// What AutoNAT found last.
	private: bool,
	public: bool,
	/// Whether this node keeps a part of the table of providers.
	serves: bool,
	provided: Vec<(ModelId, LayerRange)>,
	provide_at: Option<Instant>,
	queries: HashMap<kad::QueryId, mpsc::Sender<PeerKey>>,
	bans: HashMap<PeerId, Instant>,
	/// Peers in the routing table.
	routing: HashSet<PeerId>,
}

impl Node {
	fn begin(&mut self) {
		for address in self.external.clone() {
			self.swarm.add_external_address(address);
		}
		for named in &self.bootstrap {
			if let Some(peer) = named.peer {
				self.swarm.behaviour_mut().kad.add_address(&peer, named.address.clone());
			}
		}
		self.update_reach();
	}

	async fn run(mut self) {
		let shutdown = self.shared.shutdown.clone();
		let mut ticks = interval(TICK);
		ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
		loop {
			tokio::select! {
				() = shutdown.cancelled() => break,
				event = self.swarm.select_next_some() => self.on_event(event),
				Some(command) = self.commands.recv() => self.on_command(command),
				_ = ticks.tick() => self.tick(Instant::now()),
			}
		}
		tracing::debug!(target: LOG, "network ends");
	}

	fn on_command(&mut self, command: Command) {
		match command {
			Command::Open { peer, addresses, request } => self.open(peer, addresses, request),
			Command::Provide { model, layers } => {
				if !self.provided.contains(&(model, layers)) {
					self.provided.push((model, layers));
				}
				self.provide_at = Some(Instant::now());
			}
			Command::StopProviding { model, layers } => {
				self.provided.retain(|provided| *provided != (model, layers));
				self.stop_providing(&model, Some(layers));
				if !self.provided.iter().any(|(provided, _)| *provided == model) {
					self.stop_providing(&model, None);
				}
			}
			Command::Providers { model, layers, found } => {
				let key = record_key(&self.shared.genesis, &model, layers);
				let query = self.swarm.behaviour_mut().kad.get_providers(key);
				self.queries.insert(query, found);
			}
			Command::Ban { peer, until } => self.ban(peer, until),
		}
	}

	/// Opens a stream, on a connection that there is or on a new one.
	fn open(&mut self, peer: PeerId, addresses: Vec<Multiaddr>, request: Request) {
		if self.bans.get(&peer).is_some_and(|until| *until > Instant::now()) {
			let _ = request.reply.send(Err(Failure::Banned));
			return;
		}
		let Some(request) = self.swarm.behaviour_mut().streams.open(peer, request) else { return };
		let allow_loopback = self.config.allow_loopback;
		let mut known: Vec<Multiaddr> = Vec::new();
		for address in addresses.into_iter().chain(self.book.get(&peer)) {
			let (bare, _) = split_peer(&address);
			let address = if is_relayed(&address) { address } else { bare };
			if is_dialable(&address, allow_loopback) && !known.contains(&address) {
				known.push(address);
			}
		}
		let dial = DialOpts::peer_id(peer)
			// Another dial may be under way, to addresses that are worse.
			.condition(PeerCondition::Disconnected)
			.addresses(known.clone())
			.extend_addresses_through_behaviour()
			.build();
		let streams = &mut self.swarm.behaviour_mut().streams;
		if streams.wait(peer, dial.connection_id(), &known, request) {
			// A failure is told to whoever waits.
			let _ = self.swarm.dial(dial);
		}
	}

	fn ban(&mut self, peer: PeerId, until: Instant) {
		if self.bans.len() >= MAX_BANS && !self.bans.contains_key(&peer) {
			let first = self.bans.iter().min_by_key(|(_, until)| **until).map(|(peer, _)| *peer);
			if let Some(first) = first {
				self.bans.remove(&first);
				self.swarm.behaviour_mut().blocked.unblock_peer(first);
			}
		}
		self.bans.insert(peer, until);
		let behaviour = self.swarm.behaviour_mut();
		behaviour.blocked.block_peer(peer);
		behaviour.kad.remove_peer(&peer);
		tracing::info!(target: LOG, %peer, "peer banned");
	}

	fn stop_providing(&mut self, model: &ModelId, layers: Option<LayerRange>) {
		let key = record_key(&self.shared.genesis, model, layers);
		self.swarm.behaviour_mut().kad.stop_providing(&key);
	}

	/// Says again what this node provides, by range and by model.
	fn provide(&mut self) {
		let mut keys: Vec<(ModelId, Option<LayerRange>)> = Vec::new();
		for (model, layers) in &self.provided {
			keys.push((*model, Some(*layers)));
			if !keys.contains(&(*model, None)) {
				keys.push((*model, None));
			}
		}
		for (model, layers) in keys {
			let key = record_key(&self.shared.genesis, &model, layers);
			if let Err(error) = self.swarm.behaviour_mut().kad.start_providing(key) {
				tracing::debug!(target: LOG, "not provided: {error}");
			}
		}
	}

	/// Repeats soon what this node provides: there is more to say, or somebody new to say it to.
	fn provide_soon(&mut self) {
		if !self.provided.is_empty() && self.provide_at.is_none() {
			self.provide_at = Some(Instant::now() + REPEAT);
		}
	}

	fn tick(&mut self, now: Instant) {
		self.dial_bootstrap(now);
		self.hold_places(now);
		if self.provide_at.is_some_and(|at| at <= now) {
			self.provide_at = None;
			self.provide();
		}
		let over: Vec<PeerId> =
			self.bans.iter().filter(|(_, until)| **until <= now).map(|(peer, _)| *peer).collect();
		for peer in over {
			self.bans.remove(&peer);
			self.swarm.behaviour_mut().blocked.unblock_peer(peer);
		}
		self.count();
	}

	fn dial_bootstrap(&mut self, now: Instant) {
		for named in &mut self.bootstrap {
			let own = named.peer == Some(self.shared.local_id);
			let connected = named.peer.is_some_and(|peer| self.swarm.is_connected(&peer));
			if own || !named.is_due(connected, now) {
				continue;
			}
			let dial = match named.peer {
				Some(peer) => {
					DialOpts::peer_id(peer).addresses(vec![named.address.clone()]).build()
				}
				None => DialOpts::unknown_peer_id().address(named.address.clone()).build(),
			};
			named.dialled(dial.connection_id());
			// A failure is told as an event, or there is a dial already.
			let _ = self.swarm.dial(dial);
		}
	}

	/// Whether others reach this node only over a relay, as far as is known.
	fn needs_relay(&self) -> bool {
		let told = self.config.allow_loopback || !self.external.is_empty();
		self.config.outbound_only || !(told || self.public)
	}

	fn hold_places(&mut self, now: Instant) {
		if !self.needs_relay() {
			for listener in self.relays.places() {
				self.swarm.remove_listener(listener);
			}
			return;
		}
		let any = self.config.outbound_only || self.private;
		let swarm = &self.swarm;
		for step in self.relays.steps(any, |peer| swarm.is_connected(peer), now) {
			match step {
				Step::Dial(peer, address) => {
					let dial = DialOpts::peer_id(peer).addresses(vec![address]).build();
					let _ = self.swarm.dial(dial);
				}
				Step::Listen(peer, address) => match self.swarm.listen_on(address.clone()) {
					Ok(listener) => self.relays.listening(listener, peer),
					Err(error) => {
						tracing::warn!(target: LOG, %address, "no place at this relay: {error}");
					}
				},
			}
		}
	}

	fn count(&self) {
		let info = self.swarm.network_info();
		let connections = info.connection_counters();
		let counters = &self.shared.counters;
		let set = |gauge: &AtomicU64, value: u64| gauge.store(value, Relaxed);
		set(&counters.peers, info.num_peers() as u64);
		set(&counters.connections_in, connections.num_established_incoming().into());
		set(&counters.connections_out, connections.num_established_outgoing().into());
		set(&counters.connections_pending, connections.num_pending().into());
		set(&counters.routing, self.routing.len() as u64);
		set(&counters.relays, self.shared.reach.borrow().relayed.len() as u64);
	}

	/// Publishes where this node can be reached, and takes part in the table of providers accordingly.
	fn update_reach(&mut self) {
		let local = Protocol::P2p(self.shared.local_id);
		let mut reach = Reach { ready: self.starting.is_empty(), ..Default::default() };
		for address in self.swarm.external_addresses() {
			let list = if is_relayed(address) { &mut reach.relayed } else { &mut reach.external };
			list.push(address.clone());
		}
		for address in self.swarm.listeners() {
			let (address, list) = match (is_relayed(address), split_peer(address)) {
				(true, (_, Some(_))) => (address.clone(), &mut reach.relayed),
				(true, (_, None)) => (address.clone().with(local.clone()), &mut reach.relayed),
				(false, (bare, _)) => (bare, &mut reach.listen),
			};
			if !list.contains(&address) {
				list.push(address);
			}
		}
		for list in [&mut reach.listen, &mut reach.external, &mut reach.relayed] {
			list.sort_unstable();
		}
		let serves = self.config.kad_server || !reach.external.is_empty();
		if self.serves != serves {
			self.serves = serves;
			let mode = if serves { kad::Mode::Server } else { kad::Mode::Client };
			self.swarm.behaviour_mut().kad.set_mode(Some(mode));
		}
		let changed = self.shared.reach.send_if_modified(|published| {
			let changed = *published != reach;
			*published = reach;
			changed
		});
		if changed {
			self.provide_soon();
		}
	}
}
