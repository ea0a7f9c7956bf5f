//! What the rest of a process asks of its node.

use crate::{
	address::{decode_addresses, encode_addresses, is_dialable},
	advert::{self, FetchError},
	directory::KnownWorker,
	identity::peer_id,
	metrics::Metrics,
	shared::{Reach, Shared},
	streams::{AlreadyAccepted, Failure, Incoming, Request, Stream},
	wire::advert::{Addresses, AdvertError, SignedAdvert},
	PeerKey,
};
use aria_primitives::{record::LayerRange, ModelId};
use futures::StreamExt;
use libp2p::{multiaddr::Protocol, Multiaddr, PeerId, StreamProtocol};
use std::{
	collections::BTreeSet,
	io,
	sync::Arc,
	time::{Duration, Instant},
};
use tokio::{
	sync::{mpsc, oneshot, watch},
	time::{timeout, timeout_at},
};

/// Providers that wait to be read.
const FOUND: usize = 1_024;
/// Adverts that are fetched at the same time.
const FETCHES: usize = 16;

/// What a [`Handle`] asks.
pub(crate) enum Command {
	Open { peer: PeerId, addresses: Vec<Multiaddr>, request: Request },
	Provide { model: ModelId, layers: LayerRange },
	StopProviding { model: ModelId, layers: LayerRange },
	Providers { model: ModelId, layers: Option<LayerRange>, found: mpsc::Sender<PeerKey> },
	Ban { peer: PeerId, until: Instant },
}

/// The node has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the network has been shut down: restart this process")]
pub struct Stopped;

/// Why a stream could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
	/// The 32 bytes are no key.
	#[error("this is no ed25519 public key: read the worker's peer from the chain again")]
	NotAPeer,
	/// No connection could be made.
	#[error("{peer} can't be reached ({reason}): try another peer, or this one later")]
	Unreachable {
		/// The peer.
		peer: PeerId,
		/// What was tried.
		reason: String,
	},
	/// It took too long.
	#[error("{peer} did not answer within {waited:?}: try another peer, or this one later")]
	TimedOut {
		/// The peer.
		peer: PeerId,
		/// How long.
		waited: Duration,
	},
	/// The peer does not take such streams.
	#[error("{peer} does not speak {protocol}: it is no worker, or of another release")]
	Unsupported {
		/// The peer.
		peer: PeerId,
		/// The protocol.
		protocol: &'static str,
	},
	/// The connection broke while the stream was opened.
	#[error("the connection to {peer} broke ({source}): try again")]
	Broken {
		/// The peer.
		peer: PeerId,
		/// How.
		source: io::Error,
	},
	/// This node banned the peer.
	#[error("{peer} is banned here for what it did: take another peer")]
	Banned {
		/// The peer.
		peer: PeerId,
	},
	/// The node has ended.
	#[error(transparent)]
	Stopped(#[from] Stopped),
}

/// Talks to a node that runs. Clones talk to the same one; it ends by its token, not by its handles.
#[derive(Clone)]
pub struct Handle {
	shared: Arc<Shared>,
	commands: mpsc::Sender<Command>,
}

impl Handle {
	pub(crate) fn new(shared: Arc<Shared>, commands: mpsc::Sender<Command>) -> Self {
		Self { shared, commands }
	}

	pub(crate) fn shared(&self) -> &Arc<Shared> {
		&self.shared
	}

	async fn command(&self, command: Command) -> Result<(), Stopped> {
		self.commands.send(command).await.map_err(|_| Stopped)
	}

	/// This peer.
	pub fn local_peer(&self) -> PeerKey {
		self.shared.local
	}

	/// This peer's name in libp2p.
	pub fn local_peer_id(&self) -> PeerId {
		self.shared.local_id
	}

	/// Where this node listens, with its `/p2p/` part, as others name it as their bootstrap peer. Waits until
	/// it listens; empty if it does not.
	pub async fn listen_addresses(&self) -> Vec<Multiaddr> {
		let mut reach = self.shared.reach.subscribe();
		while !reach.borrow_and_update().ready {
			let changed = tokio::select! {
				() = self.shared.shutdown.cancelled() => return Vec::new(),
				changed = reach.changed() => changed,
			};
			if changed.is_err() {
				return Vec::new();
			}
		}
		let listen = reach.borrow().listen.clone();
		let local = Protocol::P2p(self.shared.local_id);
		listen.into_iter().map(|address| address.with(local.clone())).collect()
	}

	/// Where this node can be reached, now and when that changes.
	pub fn reach(&self) -> watch::Receiver<Reach> {
		self.shared.reach.subscribe()
	}

	/// Addresses that were given or confirmed from outside.
	pub fn external_addresses(&self) -> Vec<Multiaddr> {
		self.shared.reach.borrow().external.clone()
	}

	/// Addresses at relays.
	pub fn relayed_addresses(&self) -> Vec<Multiaddr> {
		self.shared.reach.borrow().relayed.clone()
	}

	/// What an advert of this node says of where it is: external addresses, else those that are listened
	/// on, and those at relays.
	pub fn advertised_addresses(&self) -> Addresses {
		let reach = self.shared.reach.borrow().clone();
		let direct = if reach.external.is_empty() { reach.listen } else { reach.external };
		let allow_loopback = self.shared.allow_loopback;
		let all = direct.into_iter().chain(reach.relayed);
		encode_addresses(all.filter(|address| is_dialable(address, allow_loopback)))
	}

	/// Opens a stream of `protocol` to a peer, dialling it at `addresses` and at those known of it if there
	/// is no connection. A stream to this node itself stays within the process.
	///
	/// # Errors
	/// [`OpenError`], at the latest after [`crate::Timing::open`].
	///
	/// # Panics
	/// For a protocol that does not begin with a slash.
	pub async fn open(
		&self,
		peer: PeerKey,
		addresses: &Addresses,
		protocol: &'static str,
	) -> Result<Stream, OpenError> {
		let id = peer_id(&peer).ok_or(OpenError::NotAPeer)?;
		if peer == self.shared.local {
			let stream = self.shared.inbound.open_local(peer, protocol);
			return stream.ok_or(OpenError::Unsupported { peer: id, protocol });
		}
		let addresses = decode_addresses(addresses);
		let waited = self.shared.timing.open;
		match timeout(waited, self.open_remote(id, addresses, protocol)).await {
			Ok(opened) => opened,
			Err(_) => Err(OpenError::TimedOut { peer: id, waited }),
		}
	}

	async fn open_remote(
		&self,
		peer: PeerId,
		addresses: Vec<Multiaddr>,
		protocol: &'static str,
	) -> Result<Stream, OpenError> {
		// A connection that is just closing takes a request and answers none, so there is a second try.
		for _ in 0..2 {
			let (reply, answer) = oneshot::channel();
			let request = Request { protocol: StreamProtocol::new(protocol), reply };
			let addresses = addresses.clone();
			self.command(Command::Open { peer, addresses, request }).await?;
			let Ok(opened) = answer.await else { continue };
			return match opened {
				Ok(stream) => Ok(Stream::outbound(stream, self.shared.counters.clone())),
				Err(Failure::Unreachable(reason)) => Err(OpenError::Unreachable { peer, reason }),
				Err(Failure::Unsupported) => Err(OpenError::Unsupported { peer, protocol }),
				Err(Failure::Banned) => Err(OpenError::Banned { peer }),
				Err(Failure::Io(source)) => Err(OpenError::Broken { peer, source }),
			};
		}
		if self.shared.shutdown.is_cancelled() {
			return Err(Stopped.into());
		}
		Err(OpenError::Unreachable { peer, reason: "it closed the connection".to_owned() })
	}

	/// Takes the streams of `protocol` that peers open, within the limits of
	/// [`crate::NetworkConfig::streams`], until [`Incoming`] is dropped.
	///
	/// # Errors
	/// If somebody takes them already.
	///
	/// # Panics
	/// For a protocol that does not begin with a slash.
	pub fn accept(&self, protocol: &'static str) -> Result<Incoming, AlreadyAccepted> {
		self.shared.inbound.accept(protocol)
	}

	/// Says in the table of providers that this node serves `layers` of a model, and repeats it until
	/// [`Self::stop_providing`].
	///
	/// # Errors
	/// [`Stopped`].
	pub async fn provide(&self, model: ModelId, layers: LayerRange) -> Result<(), Stopped> {
		self.command(Command::Provide { model, layers }).await
	}

	/// Says it no more; others forget it within half an hour.
	///
	/// # Errors
	/// [`Stopped`].
	pub async fn stop_providing(&self, model: ModelId, layers: LayerRange) -> Result<(), Stopped> {
		self.command(Command::StopProviding { model, layers }).await
	}

	/// Who says to provide exactly these layers of a model; what is found within [`crate::Timing::query`].
	/// Nobody has checked it.
	pub async fn providers(&self, model: ModelId, layers: LayerRange) -> Vec<PeerKey> {
		self.find(model, Some(layers)).await
	}

	/// Who says to provide any layers of a model; what is found within [`crate::Timing::query`]. Nobody has
	/// checked it.
	pub async fn model_providers(&self, model: ModelId) -> Vec<PeerKey> {
		self.find(model, None).await
	}

	async fn find(&self, model: ModelId, layers: Option<LayerRange>) -> Vec<PeerKey> {
		let deadline = tokio::time::Instant::now() + self.shared.timing.query;
		let (found, mut answers) = mpsc::channel(FOUND);
		if self.command(Command::Providers { model, layers, found }).await.is_err() {
			return Vec::new();
		}
		let mut peers = BTreeSet::new();
		while let Ok(Some(peer)) = timeout_at(deadline, answers.recv()).await {
			peers.insert(peer);
		}
		peers.into_iter().collect()
	}

	/// Sends to `found` who says to provide something, as they are found. Nothing is sent if the node is too
	/// busy.
	pub(crate) fn search(
		&self,
		model: ModelId,
		layers: Option<LayerRange>,
		found: mpsc::Sender<PeerKey>,
	) {
		let _ = self.commands.try_send(Command::Providers { model, layers, found });
	}

	/// Publishes this node's advert: it is given to whoever asks, until it expires or is replaced.
	///
	/// # Errors
	/// If others would not believe it.
	pub fn publish(&self, advert: SignedAdvert) -> Result<(), AdvertError> {
		advert.check(&self.shared.genesis, &self.shared.local, advert::now())?;
		self.shared.adverts.publish(Some(advert));
		self.shared.changed.notify_one();
		Ok(())
	}

	/// Takes this node's advert back.
	pub fn unpublish(&self) {
		self.shared.adverts.publish(None);
		self.shared.changed.notify_one();
	}

	/// The advert of a peer: as it was fetched last, until it expires, then a new one.
	///
	/// # Errors
	/// [`FetchError`], within [`crate::Timing::advert`].
	pub async fn advert(&self, peer: PeerKey) -> Result<SignedAdvert, FetchError> {
		match self.shared.adverts.of(&peer, advert::now()) {
			Some(kept) => Ok(kept),
			None => advert::fetch(self, peer).await,
		}
	}

	/// A new advert of a peer.
	///
	/// # Errors
	/// [`FetchError`], within [`crate::Timing::advert`].
	pub async fn refresh(&self, peer: PeerKey) -> Result<SignedAdvert, FetchError> {
		advert::fetch(self, peer).await
	}

	/// The adverts of all workers of a model that are found within [`crate::Timing::query`] and answer.
	pub async fn adverts(&self, model: ModelId) -> Vec<SignedAdvert> {
		let mut peers: BTreeSet<PeerKey> = self.find(model, None).await.into_iter().collect();
		peers.extend(self.shared.adverts_speakers());
		peers.insert(self.shared.local);
		futures::stream::iter(peers)
			.map(|peer| self.advert(peer))
			.buffer_unordered(FETCHES)
			.filter_map(|fetched| async move {
				let signed = fetched.ok()?;
				let serves = signed.advert.serves.iter().any(|(served, _)| *served == model);
				serves.then_some(signed)
			})
			.collect()
			.await
	}

	/// Looks for workers of a model from now on; what is found is in [`Self::directory`]. `shards` are
	/// searched for by name besides, which finds all workers of a large network.
	pub fn watch(&self, model: ModelId, shards: Vec<LayerRange>) {
		self.shared.watch(model, Some(shards));
	}

	/// Looks for workers of a model no more.
	pub fn unwatch(&self, model: ModelId) {
		self.shared.watch(model, None);
	}

	/// The workers of the watched models, this node among them if it publishes an advert. The adverts
	/// have been checked as far as it goes without the chain.
	pub fn directory(&self) -> watch::Receiver<Arc<Vec<KnownWorker>>> {
		self.shared.directory.subscribe()
	}

	/// The connected peers.
	pub fn connected_peers(&self) -> Vec<PeerKey> {
		self.shared.connected_peers()
	}

	/// The measured round trip to a connected peer.
	pub fn round_trip(&self, peer: &PeerKey) -> Option<Duration> {
		self.shared.round_trip(peer)
	}

	/// Disconnects a peer, and neither dials nor takes it for this long.
	///
	/// # Errors
	/// [`Stopped`].
	pub async fn ban(&self, peer: PeerKey, duration: Duration) -> Result<(), Stopped> {
		let Some(peer) = peer_id(&peer) else { return Ok(()) };
		let now = Instant::now();
		let until = now.checked_add(duration).unwrap_or(now + Duration::from_secs(365 * 86_400));
		self.command(Command::Ban { peer, until }).await
	}

	/// What the node counted so far.
	pub fn metrics(&self) -> Metrics {
		self.shared.counters.snapshot()
	}
}
