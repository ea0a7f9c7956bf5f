//! Files of models between workers, over `/aria/shard/1` (`docs/protocol/network.md`, "Shards").
//!
//! | module | concern |
//! |---|---|
//! | `store` | the packages of this machine: complete, partial, the shipped one |
//! | `serve` | answers peers, out of a store |
//! | `fetch` | gets what is missing from several peers, every chunk checked before it is written |
//! | `choose` | which layers a worker takes, and which it takes over when others leave |
//! | `progress` | how far a transfer is |
//!
//! Architecture invariant: nothing that a peer sends is written under a file's own name, or used,
//! before it is proved to belong to the model that was asked for; and nothing that a peer announces
//! is allocated before it is there.

mod choose;
mod fetch;
mod progress;
mod serve;
mod store;
#[cfg(test)]
mod tests;
mod tree;

pub use choose::{blocks, choose, choose_with, count, restore, Vacancy, REPLICAS};
pub use fetch::{Disk, FetchError, FetchOptions, Fetcher, Source, SystemDisk};
pub use progress::{bar, silent, Progress};
pub use serve::{serve, serve_peer};
pub use store::{Holding, PackageStore, StoreError};

/// The ed25519 public key of a peer's libp2p identity.
pub type PeerKey = [u8; 32];

/// Target of this module's logs.
const LOG: &str = "aria::shards";

/// A peer as logs name it: the beginning of its key.
fn name(peer: &PeerKey) -> String {
	let (begin, _) = peer.split_at(6);
	hex::encode(begin)
}
