//! Where shards are fetched from: peers that say to have them, and workers that serve them on chain.

use crate::shards::{PeerKey, Source};
use aria_chain_client::{At, Chain};
use aria_network::{
	wire::{advert::Addresses, SHARD_PROTOCOL},
	Handle,
};
use aria_primitives::{record::LayerRange, ModelId};
use futures::future::BoxFuture;
use std::{io, time::Duration};

/// How long peers are looked for. Longer than a query of the network, [`aria_network::Timing::query`]: it
/// hands over what it found when it ends, and all of that would be lost with it. Shorter than a fetcher
/// waits for peers, [`crate::shards::FetchOptions::dial`].
const SEARCH: Duration = Duration::from_secs(12);

/// Peers of the network.
pub struct NetworkSource {
	handle: Handle,
	chain: Chain,
}

impl NetworkSource {
	/// Finds peers by the table of providers of `handle`, and by the chain.
	pub fn new(handle: Handle, chain: Chain) -> Self {
		Self { handle, chain }
	}
}

impl Source for NetworkSource {
	type Stream = aria_network::Stream;

	fn peers(&self, model: ModelId, layers: Option<LayerRange>) -> BoxFuture<'_, Vec<PeerKey>> {
		Box::pin(async move {
			let providers = async {
				match layers {
					Some(layers) => self.handle.providers(model, layers).await,
					None => self.handle.model_providers(model).await,
				}
			};
			let providers = tokio::time::timeout(SEARCH, providers);
			let workers = tokio::time::timeout(SEARCH, self.chain.workers_of(model, At::Best));
			let (providers, workers) = tokio::join!(providers, workers);
			let mut peers = providers.unwrap_or_default();
			for worker in workers.ok().and_then(Result::ok).unwrap_or_default() {
				let serves = worker.layers_of(&model).iter().any(|range| match layers {
					Some(layers) => range.first < layers.end && layers.first < range.end,
					None => true,
				});
				if serves && !peers.contains(&worker.peer) {
					peers.push(worker.peer);
				}
			}
			// Whoever is connected already, or near, first.
			peers.retain(|peer| *peer != self.handle.local_peer());
			peers.sort_by_key(|peer| self.handle.round_trip(peer).unwrap_or(Duration::MAX));
			peers
		})
	}

	fn open(&self, peer: PeerKey) -> BoxFuture<'_, io::Result<Self::Stream>> {
		Box::pin(async move {
			// Where it is stands in its advert, if it has one; libp2p's table knows others.
			let known = self.handle.directory().borrow().clone();
			let known = known.iter().find(|worker| worker.peer == peer);
			let addresses = known.map(|worker| worker.advert.addresses.clone());
			let addresses: Addresses = addresses.unwrap_or_default();
			let opened = self.handle.open(peer, &addresses, SHARD_PROTOCOL).await;
			opened.map_err(io::Error::other)
		})
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::shards::FetchOptions;

	#[test]
	fn a_search_should_outlast_a_query_and_end_before_the_fetcher_gives_up() {
		assert!(aria_network::Timing::default().query < SEARCH);
		assert!(SEARCH < FetchOptions::default().dial);
	}
}
