//! Peers that nobody reaches but over a relay.
#![allow(clippy::unwrap_used)]

mod support;

use aria_network::{encode_addresses, wire::frame};
use futures::AsyncWriteExt;
use support::{eventually, layers, node, soon, Node, MODEL, PROTOCOL};

/// A relay, and a worker behind it that listens nowhere else.
async fn behind_a_relay() -> (Node, Node) {
	let relay = node(|config| config.relay_server = true);
	let address = relay.tcp().await;
	let worker = node(|config| {
		config.outbound_only = true;
		config.relays = vec![address.clone()];
		config.bootstrap = vec![address];
	});
	let mut reach = worker.handle.reach();
	let placed = async { reach.wait_for(|reach| !reach.relayed.is_empty()).await.is_ok() };
	assert!(soon("a place at the relay", placed).await);
	(relay, worker)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_behind_a_relay_should_be_reached_over_it() {
	let (_relay, worker) = behind_a_relay().await;
	assert!(worker.handle.listen_addresses().await.is_empty());
	let mut incoming = worker.handle.accept(PROTOCOL).unwrap();
	let client = node(|_| ());
	let addresses = encode_addresses(worker.handle.relayed_addresses());

	let open = client.handle.open(worker.key(), &addresses, PROTOCOL);
	let mut here = soon("a stream", open).await.unwrap();
	let (peer, mut there) = soon("a stream", incoming.next()).await.unwrap();
	assert_eq!(peer, client.key());
	let bytes = vec![7u8; 1 << 20];
	let (sent, received) = tokio::join!(
		async { frame::write(&mut here, &bytes).await },
		frame::read::<Vec<u8>>(&mut there, frame::MAX_FRAME)
	);
	sent.unwrap();
	assert_eq!(received.unwrap(), bytes);
	frame::write(&mut there, &1u8).await.unwrap();
	assert_eq!(frame::read::<u8>(&mut here, 1).await.unwrap(), 1);
	here.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_behind_a_relay_should_be_found() {
	let (relay, worker) = behind_a_relay().await;
	worker.publish(MODEL, layers(0, 4));
	worker.handle.provide(MODEL, layers(0, 4)).await.unwrap();
	let address = relay.tcp().await;
	let gateway = node(|config| config.bootstrap = vec![address]);
	gateway.handle.watch(MODEL, vec![layers(0, 4)]);
	let directory = gateway.handle.directory();

	eventually("listed", || async {
		directory.borrow().iter().any(|known| known.peer == worker.key())
	})
	.await;
	let advert = gateway.handle.advert(worker.key()).await.unwrap().advert;
	assert!(!advert.addresses.is_empty());
}
