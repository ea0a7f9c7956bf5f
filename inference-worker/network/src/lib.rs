//! Peers: who serves what, and streams between them (`docs/protocol/network.md`).
//!
//! [`Network::start`] runs a libp2p node in the background; [`Handle`] talks to it. The types that go over
//! the wire are in [`wire`]. Logs have the target `aria::network`.

mod address;
mod advert;
mod config;
mod directory;
mod handle;
mod identity;
mod metrics;
mod node;
mod provider;
mod relayed;
mod shared;
mod streams;
pub mod wire;

pub use address::{decode_addresses, encode_addresses, split_peer};
pub use advert::FetchError;
pub use config::{
	ConnectionLimits, NetworkConfig, RelayLimits, StreamLimits, Timing, DEFAULT_PORT,
};
pub use directory::KnownWorker;
pub use handle::{Handle, OpenError, Stopped};
pub use identity::{peer_id, peer_key, verify_binding, Identity, IdentityError};
pub use libp2p::{identity::Keypair, Multiaddr, PeerId};
pub use metrics::Metrics;
pub use node::{Network, StartError};
pub use provider::{provider_key, PROVIDER_DOMAIN};
pub use relayed::RelayBudget;
pub use shared::Reach;
pub use streams::{AlreadyAccepted, Incoming, Stream};

/// The ed25519 public key of a peer's libp2p identity.
pub type PeerKey = [u8; 32];

/// Target of this crate's logs.
pub(crate) const LOG: &str = "aria::network";
