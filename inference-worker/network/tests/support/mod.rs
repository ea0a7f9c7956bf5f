//! Nodes on loopback, and what tests need of them.
#![allow(clippy::unwrap_used, dead_code)]

pub mod hostile;

use aria_network::{
	wire::advert::{Advert, SignedAdvert, ADVERT_VERSION},
	Handle, Identity, Multiaddr, Network, NetworkConfig, PeerKey,
};
use aria_primitives::{record::LayerRange, ModelId};
use sp_core::{sr25519, Pair, H256};
use std::{
	future::Future,
	time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio_util::sync::CancellationToken;

/// The chain of most tests.
pub const GENESIS: H256 = H256::repeat_byte(1);
/// A model.
pub const MODEL: ModelId = H256::repeat_byte(2);
/// A protocol of tests.
pub const PROTOCOL: &str = "/aria/test/1";
/// Longest wait for something that happens by itself.
const PATIENCE: Duration = Duration::from_secs(30);

/// A node that ends with its test.
pub struct Node {
	pub handle: Handle,
	pub identity: Identity,
	token: CancellationToken,
}

impl Drop for Node {
	fn drop(&mut self) {
		self.token.cancel();
	}
}

/// A node on loopback, with a quick directory.
pub fn node(change: impl FnOnce(&mut NetworkConfig)) -> Node {
	node_of(GENESIS, change)
}

/// The same on another chain.
pub fn node_of(genesis: H256, change: impl FnOnce(&mut NetworkConfig)) -> Node {
	let mut config = NetworkConfig::loopback();
	config.timing.refresh = Duration::from_millis(300);
	config.timing.discover = Duration::from_millis(500);
	config.timing.advert = Duration::from_secs(2);
	config.timing.query = Duration::from_secs(5);
	change(&mut config);
	let (identity, token) = (Identity::generate(), CancellationToken::new());
	let handle = Network::start(config, identity.keypair(), genesis, token.clone()).unwrap();
	Node { handle, identity, token }
}

impl Node {
	pub fn key(&self) -> PeerKey {
		self.identity.peer_key()
	}

	/// Where it listens with TCP.
	pub async fn tcp(&self) -> Multiaddr {
		self.address("/tcp/").await
	}

	/// Where it listens with QUIC.
	pub async fn quic(&self) -> Multiaddr {
		self.address("/quic-v1").await
	}

	async fn address(&self, part: &str) -> Multiaddr {
		let addresses = self.handle.listen_addresses().await;
		addresses.into_iter().find(|address| address.to_string().contains(part)).unwrap()
	}

	/// Publishes an advert of layers of a model.
	pub fn publish(&self, model: ModelId, layers: LayerRange) {
		self.handle.publish(self.advert(model, layers, |_| ())).unwrap();
	}

	/// An advert of this node.
	pub fn advert(
		&self,
		model: ModelId,
		layers: LayerRange,
		change: impl Fn(&mut Advert),
	) -> SignedAdvert {
		advert_of(self.key(), |advert| {
			advert.addresses = self.handle.advertised_addresses();
			advert.serves = vec![(model, layers)].try_into().unwrap();
			change(advert);
		})
	}
}

/// An advert of a peer, signed by an account of tests.
pub fn advert_of(peer: PeerKey, change: impl Fn(&mut Advert)) -> SignedAdvert {
	let pair = sr25519::Pair::from_seed(&[7; 32]);
	let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
	let now = u64::try_from(since.as_millis()).unwrap();
	let mut advert = Advert {
		version: ADVERT_VERSION,
		account: pair.public().0.into(),
		peer,
		addresses: Default::default(),
		serves: Default::default(),
		sessions: 0,
		capacity: 4,
		consent_version: 1,
		region: 756,
		bandwidth_mbps: 20,
		made_at: now,
		expires_at: now + 60_000,
	};
	change(&mut advert);
	let signature = pair.sign(advert.digest(&GENESIS).as_bytes()).into();
	SignedAdvert { advert, signature }
}

/// Layers from `first` to before `end`.
pub fn layers(first: u16, end: u16) -> LayerRange {
	LayerRange { first, end }
}

/// Waits until a thing is so.
pub async fn eventually<F: Future<Output = bool>>(what: &str, check: impl Fn() -> F) {
	let wait = async {
		while !check().await {
			tokio::time::sleep(Duration::from_millis(20)).await;
		}
	};
	assert!(tokio::time::timeout(PATIENCE, wait).await.is_ok(), "never: {what}");
}

/// Waits for a future that has to come.
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
	match tokio::time::timeout(PATIENCE, future).await {
		Ok(output) => output,
		Err(_) => panic!("never: {what}"),
	}
}
