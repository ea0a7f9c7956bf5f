//! How nodes find each other.
#![allow(clippy::unwrap_used)]

mod support;

use aria_network::{KnownWorker, Multiaddr, PeerKey};
use sp_core::H256;
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use support::{eventually, layers, node, node_of, soon, Node, MODEL};
use tokio::sync::watch;

/// A worker that knows one address and provides layers of the model.
async fn worker(bootstrap: &Multiaddr, first: u16, end: u16) -> Node {
	let worker = node(|config| config.bootstrap = vec![bootstrap.clone()]);
	worker.handle.listen_addresses().await;
	worker.publish(MODEL, layers(first, end));
	worker.handle.provide(MODEL, layers(first, end)).await.unwrap();
	worker
}

fn peers(directory: &watch::Receiver<Arc<Vec<KnownWorker>>>) -> BTreeSet<PeerKey> {
	directory.borrow().iter().map(|worker| worker.peer).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_peers_should_find_each_other_through_one() {
	let meeting = node(|_| ());
	let address = meeting.tcp().await;
	let one = worker(&address, 0, 4).await;
	let two = worker(&address, 4, 8).await;
	let three = node(|config| config.bootstrap = vec![address.clone()]);
	let handle = &three.handle;

	eventually("a shard", || async { handle.providers(MODEL, layers(0, 4)).await == [one.key()] })
		.await;
	eventually("the model", || async {
		let found: BTreeSet<_> = handle.model_providers(MODEL).await.into_iter().collect();
		found == BTreeSet::from([one.key(), two.key()])
	})
	.await;
	eventually("each other", || async {
		one.handle.providers(MODEL, layers(4, 8)).await == [two.key()]
			&& two.handle.providers(MODEL, layers(0, 4)).await == [one.key()]
	})
	.await;
	assert!(handle.providers(MODEL, layers(0, 5)).await.is_empty());
	assert!(handle.model_providers(H256::repeat_byte(9)).await.is_empty());

	// What was found can be asked without having been told its address.
	let advert = soon("an advert", handle.advert(two.key())).await.unwrap();
	assert_eq!(advert.advert.serves.to_vec(), [(MODEL, layers(4, 8))]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_directory_should_list_workers_and_drop_those_that_vanish() {
	let meeting = node(|_| ());
	let address = meeting.tcp().await;
	let one = worker(&address, 0, 4).await;
	let two = worker(&address, 4, 8).await;
	let gateway = node(|config| config.bootstrap = vec![address.clone()]);
	let directory = gateway.handle.directory();
	gateway.handle.watch(MODEL, vec![layers(0, 4), layers(4, 8)]);

	let both = BTreeSet::from([one.key(), two.key()]);
	eventually("both", || async { peers(&directory) == both }).await;
	eventually("round trips", || async {
		directory.borrow().iter().all(|worker| worker.round_trip.is_some())
	})
	.await;
	assert_eq!(gateway.handle.metrics().workers, 2);

	let (gone, begin) = (one.key(), std::time::Instant::now());
	drop(one);
	eventually("dropped", || async { !peers(&directory).contains(&gone) }).await;
	assert!(begin.elapsed() < Duration::from_secs(20), "before its advert expired");
	assert!(peers(&directory).contains(&two.key()));

	gateway.handle.unwatch(MODEL);
	eventually("empty", || async { peers(&directory).is_empty() }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_directory_should_follow_adverts() {
	let meeting = node(|_| ());
	let address = meeting.tcp().await;
	let one = worker(&address, 0, 4).await;
	let gateway = node(|config| config.bootstrap = vec![address.clone()]);
	let directory = gateway.handle.directory();
	gateway.handle.watch(MODEL, Vec::new());
	eventually("listed", || async { peers(&directory).contains(&one.key()) }).await;

	let busy = one.advert(MODEL, layers(0, 4), |advert| advert.sessions = 3);
	one.handle.publish(busy).unwrap();
	eventually("its load", || async {
		directory.borrow().iter().any(|worker| worker.advert.sessions == 3)
	})
	.await;

	one.handle.unpublish();
	eventually("gone", || async { peers(&directory).is_empty() }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_works_should_list_itself() {
	let both = node(|_| ());
	both.handle.listen_addresses().await;
	both.publish(MODEL, layers(0, 4));
	both.handle.watch(MODEL, Vec::new());
	let directory = both.handle.directory();

	eventually("itself", || async { peers(&directory).contains(&both.key()) }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_of_another_chain_should_not_be_found() {
	let meeting = node(|_| ());
	let address = meeting.tcp().await;
	let own = worker(&address, 0, 4).await;
	let foreign = node_of(H256::repeat_byte(9), |config| config.bootstrap = vec![address.clone()]);
	foreign.handle.listen_addresses().await;
	foreign.handle.provide(MODEL, layers(0, 4)).await.unwrap();
	let finder = node(|config| config.bootstrap = vec![address.clone()]);
	let handle = &finder.handle;

	eventually("the own one", || async {
		handle.providers(MODEL, layers(0, 4)).await == [own.key()]
	})
	.await;
	let far = &foreign.handle;
	eventually("the foreign one is kept out", || async {
		far.connected_peers().is_empty()
			&& !meeting.handle.connected_peers().contains(&foreign.key())
	})
	.await;
	assert!(far.model_providers(MODEL).await.iter().all(|peer| *peer == foreign.key()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bootstrap_peer_that_comes_late_should_be_found() {
	let early = node(|_| ());
	let address = early.tcp().await;
	let port: Multiaddr = address.iter().take(2).collect();
	let identity = early.identity.clone();
	drop(early);
	tokio::time::sleep(Duration::from_millis(300)).await;
	let finder = node(|config| config.bootstrap = vec![address.clone()]);
	let handle = &finder.handle;
	tokio::time::sleep(Duration::from_millis(500)).await;
	assert!(handle.connected_peers().is_empty());

	let mut config = aria_network::NetworkConfig::loopback();
	config.listen = vec![port];
	let token = tokio_util::sync::CancellationToken::new();
	let _late =
		aria_network::Network::start(config, identity.keypair(), support::GENESIS, token.clone())
			.unwrap();
	eventually("connected", || async { handle.connected_peers() == [identity.peer_key()] }).await;
	token.cancel();
}
