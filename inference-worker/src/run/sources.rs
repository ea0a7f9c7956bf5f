//! Where shards are fetched from: peers that say to have them, and workers that serve them on chain.

use crate::shards::{PeerKey, Source};
use aria_chain_client::{At, Chain};
use aria_network::{
	wire::{advert::Addresses, SHARD_PROTOCOL},
	Handle,
};
use aria_primitives::{record::LayerRange, ModelId};
use futures::future::BoxFuture;
use std::{
	collections::{BTreeSet, HashSet},
	io,
	time::Duration,
};

/// How long peers are looked for. Longer than a query of the network, [`aria_network::Timing::query`]: it
/// hands over what it found when it ends, and all of that would be lost with it. Shorter than a fetcher
/// waits for peers, [`crate::shards::FetchOptions::dial`].
const SEARCH: Duration = Duration::from_secs(12);
/// Workers of other layers that are asked too, after all others: when the last worker that served a shard
/// is gone, one of them may have it on its disk.
const OTHERS: usize = 8;

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
			let mut peers: BTreeSet<PeerKey> = providers.unwrap_or_default().into_iter().collect();
			let mut others: BTreeSet<PeerKey> = BTreeSet::new();
			for worker in workers.ok().and_then(Result::ok).unwrap_or_default() {
				let serves = worker.layers_of(&model).iter().any(|range| match layers {
					Some(layers) => range.first < layers.end && layers.first < range.end,
					None => true,
				});
				let list = if serves { &mut peers } else { &mut others };
				list.insert(worker.peer);
			}
			let round_trip = |peer: &PeerKey| self.handle.round_trip(peer);
			in_turn(peers, others, &self.handle.local_peer(), round_trip)
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

/// Whom to ask in which order: `peers` before some of `others`; of each, whoever is connected already, or
/// near, first. Not `me`.
fn in_turn(
	peers: BTreeSet<PeerKey>,
	others: BTreeSet<PeerKey>,
	me: &PeerKey,
	round_trip: impl Fn(&PeerKey) -> Option<Duration>,
) -> Vec<PeerKey> {
	let nearest = |set: BTreeSet<PeerKey>| {
		let mut list: Vec<PeerKey> = set.into_iter().filter(|peer| peer != me).collect();
		list.sort_by_cached_key(|peer| round_trip(peer).unwrap_or(Duration::MAX));
		list
	};
	let mut turns = nearest(peers);
	let known: HashSet<PeerKey> = turns.iter().copied().collect();
	turns.extend(nearest(others).into_iter().filter(|peer| !known.contains(peer)).take(OTHERS));
	turns
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::shards::FetchOptions;

	#[test]
	fn who_serves_should_be_asked_before_who_may_have_it_on_disk() {
		let set = |peers: &[u8]| peers.iter().map(|byte| [*byte; 32]).collect::<BTreeSet<_>>();
		let round_trip = |peer: &PeerKey| match peer[0] {
			far @ 5..=9 => Some(Duration::from_millis(u64::from(far))),
			0 => Some(Duration::ZERO),
			_ => None,
		};
		let others: Vec<u8> = (1..60).collect();
		let turns = in_turn(set(&[0, 1, 7, 6]), set(&others), &[0; 32], round_trip);
		let turns: Vec<u8> = turns.into_iter().map(|peer| peer[0]).collect();
		assert_eq!(turns, [6, 7, 1, 5, 8, 9, 2, 3, 4, 10, 11]);
	}

	#[test]
	fn a_search_should_outlast_a_query_and_end_before_the_fetcher_gives_up() {
		assert!(aria_network::Timing::default().query < SEARCH);
		assert!(SEARCH < FetchOptions::default().dial);
	}
}
