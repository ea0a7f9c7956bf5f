//! Peers that do not keep to the protocol. They speak through the network's own library, so that
//! workers and gateways take them for peers like any other.

pub mod floods;
pub mod mallory;
pub mod orders;
pub mod scene;
pub mod shards;
pub mod transfer;

use aria_e2e::worker::Worker;
use aria_network::{
	encode_addresses, peer_key, split_peer,
	wire::{advert::Addresses, ADVERT_PROTOCOL},
	Handle, Identity, Multiaddr, Network, NetworkConfig, OpenError, PeerKey, Stream, StreamLimits,
};
use futures::AsyncReadExt;
use serde_json::Value;
use sp_core::H256;
use std::{
	fs,
	time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// More than any peer needs: a hostile one has no limits of its own.
const UNLIMITED: StreamLimits =
	StreamLimits { per_peer: 8_192, per_second: 8_192, burst: 8_192, total: 65_536 };

/// Whom an attack is for.
#[derive(Clone, Debug)]
pub struct Target {
	/// Its key.
	pub key: PeerKey,
	/// Where it is.
	pub addresses: Addresses,
	/// The same, with its peer.
	pub address: Multiaddr,
}

impl Target {
	/// A worker or a gateway that runs.
	pub async fn of(worker: &Worker) -> Self {
		let address: Multiaddr = worker.address().await.unwrap().parse().unwrap();
		let (bare, peer) = split_peer(&address);
		let key = peer_key(&peer.unwrap()).unwrap();
		Self { key, addresses: encode_addresses([bare]), address }
	}

	/// The port by which TCP reaches it.
	pub fn port(&self) -> u16 {
		let text = self.address.to_string();
		let mut parts = text.split('/').skip_while(|part| *part != "tcp");
		parts.nth(1).unwrap().parse().unwrap()
	}
}

/// A peer of the network that a test speaks for. It ends when dropped.
pub struct Peer {
	/// The way to it.
	pub handle: Handle,
	/// Its key.
	pub identity: Identity,
	token: CancellationToken,
}

impl Drop for Peer {
	fn drop(&mut self) {
		self.token.cancel();
	}
}

impl Peer {
	/// A peer with a new key.
	pub fn new(genesis: H256) -> Self {
		Self::with(Identity::generate(), genesis, &[])
	}

	/// A peer with this key, which looks for others at these addresses.
	pub fn with(identity: Identity, genesis: H256, bootstrap: &[Multiaddr]) -> Self {
		let config = NetworkConfig {
			bootstrap: bootstrap.to_vec(),
			kad_server: true,
			streams: UNLIMITED,
			..NetworkConfig::loopback()
		};
		let token = CancellationToken::new();
		let handle = Network::start(config, identity.keypair(), genesis, token.clone()).unwrap();
		Self { handle, identity, token }
	}

	/// Connects to a peer, which then knows this one.
	pub async fn meet(&self, target: &Target) {
		self.open(target, ADVERT_PROTOCOL).await.unwrap();
	}

	/// Opens a stream.
	pub async fn open(&self, target: &Target, protocol: &'static str) -> Result<Stream, OpenError> {
		self.handle.open(target.key, &target.addresses, protocol).await
	}
}

/// Whether the other side ends a stream, whatever it says before.
pub async fn ends(stream: &mut Stream, within: Duration) -> bool {
	let mut rest = [0; 1_024];
	let end = async {
		while let Ok(read) = stream.read(&mut rest).await {
			if read == 0 {
				return;
			}
		}
	};
	timeout(within, end).await.is_ok()
}

/// Milliseconds since the Unix epoch.
pub fn now() -> u64 {
	let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
	u64::try_from(since.as_millis()).unwrap()
}

/// Bytes of memory of a process, where the system tells.
pub fn resident(worker: &Worker) -> Option<u64> {
	let status = fs::read_to_string(format!("/proc/{}/status", worker.pid()?)).ok()?;
	let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
	line.trim().trim_end_matches("kB").trim().parse().ok().map(|kib: u64| kib << 10)
}

/// A counter of those that a process shows.
pub async fn counter(worker: &Worker, name: &str) -> u64 {
	let found = fs::read(worker.base().join("admin.json")).unwrap();
	let found: Value = serde_json::from_slice(&found).unwrap();
	let url = format!("http://{}/metrics", found["address"].as_str().unwrap());
	let client = reqwest::Client::builder().no_proxy().build().unwrap();
	let text = client.get(url).send().await.unwrap().text().await.unwrap();
	let line = format!("aria_worker_{name} ");
	text.lines().find_map(|text| text.strip_prefix(&line)).unwrap().trim().parse().unwrap()
}

/// How often a text stands in a log.
pub fn said(worker: &Worker, text: &str) -> usize {
	worker.log_text().matches(text).count()
}

/// Lines of a log.
pub fn lines(worker: &Worker) -> usize {
	worker.log_text().lines().count()
}
