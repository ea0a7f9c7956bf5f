//! Streams between nodes.
#![allow(clippy::unwrap_used)]

mod support;

use aria_network::{
	encode_addresses,
	wire::frame::{self, FrameError, MAX_FRAME},
	Handle, Incoming, OpenError, Stream, StreamLimits,
};
use futures::{AsyncReadExt, AsyncWriteExt};
use std::time::Duration;
use support::{eventually, node, soon, Node, PROTOCOL};

/// Sends each frame back until the stream ends; returns how many there were.
async fn echo(mut stream: Stream) -> usize {
	let mut frames = 0;
	loop {
		match frame::read::<Vec<u8>>(&mut stream, MAX_FRAME).await {
			Ok(bytes) => frame::write(&mut stream, &bytes).await.unwrap(),
			Err(FrameError::Io(error)) => {
				assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
				return frames;
			}
			Err(error) => panic!("{error}"),
		}
		frames += 1;
	}
}

async fn carries_bytes(server: &Node, client: &Handle, address: aria_network::Multiaddr) {
	let mut incoming = server.handle.accept(PROTOCOL).unwrap();
	let served = tokio::spawn(async move {
		let (peer, stream) = incoming.next().await.unwrap();
		(peer, echo(stream).await)
	});

	let addresses = encode_addresses([address]);
	let mut stream =
		soon("a stream", client.open(server.key(), &addresses, PROTOCOL)).await.unwrap();
	for size in [0, 1, 1_000, 300_000] {
		let bytes: Vec<u8> = (0..size).map(|place| place as u8).collect();
		frame::write(&mut stream, &bytes).await.unwrap();
		assert_eq!(frame::read::<Vec<u8>>(&mut stream, MAX_FRAME).await.unwrap(), bytes);
	}
	stream.close().await.unwrap();
	drop(stream);

	let (peer, frames) = soon("the end", served).await.unwrap();
	assert_eq!((peer, frames), (client.local_peer(), 4));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_should_carry_bytes_both_ways_and_end_over_tcp() {
	let (server, client) = (node(|_| ()), node(|_| ()));
	let address = server.tcp().await;
	carries_bytes(&server, &client.handle, address).await;

	let metrics = client.handle.metrics();
	assert_eq!(metrics.streams_out, 1);
	assert!(metrics.bytes_out > 300_000 && metrics.bytes_in > 300_000);
	let handle = &server.handle;
	eventually("no stream is open", || async { handle.metrics().streams_open == 0 }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_should_carry_bytes_both_ways_and_end_over_quic() {
	let (server, client) = (node(|_| ()), node(|_| ()));
	let address = server.quic().await;
	carries_bytes(&server, &client.handle, address).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_to_oneself_should_stay_within_the_process() {
	let node = node(|_| ());
	carries_bytes(&node, &node.handle, "/ip4/127.0.0.1/tcp/1".parse().unwrap()).await;

	assert_eq!(node.handle.connected_peers().len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_should_know_who_opened_and_both_should_be_connected() {
	let (server, client) = (node(|_| ()), node(|_| ()));
	let addresses = encode_addresses([server.tcp().await]);
	let mut incoming = server.handle.accept(PROTOCOL).unwrap();
	let _stream = client.handle.open(server.key(), &addresses, PROTOCOL).await.unwrap();

	let (peer, _stream) = soon("a stream", incoming.next()).await.unwrap();
	assert_eq!(peer, client.key());
	assert_eq!(client.handle.connected_peers(), [server.key()]);
	let handle = &client.handle;
	eventually("a round trip", || async { handle.round_trip(&server.key()).is_some() }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_opened_should_be_told_at_once() {
	let (server, client) = (node(|_| ()), node(|_| ()));
	let addresses = encode_addresses([server.tcp().await]);
	let open = client.handle.open(server.key(), &addresses, PROTOCOL);
	assert!(matches!(soon("an answer", open).await, Err(OpenError::Unsupported { .. })));

	let gone = node(|_| ());
	let addresses = encode_addresses([gone.tcp().await]);
	let key = gone.key();
	drop(gone);
	tokio::time::sleep(Duration::from_millis(200)).await;
	let open = client.handle.open(key, &addresses, PROTOCOL);
	assert!(matches!(soon("an answer", open).await, Err(OpenError::Unreachable { .. })));

	let addresses = Default::default();
	let nowhere = client.handle.open(key, &addresses, PROTOCOL);
	assert!(matches!(soon("an answer", nowhere).await, Err(OpenError::Unreachable { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_streams_at_once_should_all_arrive() {
	let (server, client) = (node(|_| ()), node(|_| ()));
	let addresses = encode_addresses([server.tcp().await]);
	let incoming = server.handle.accept(PROTOCOL).unwrap();
	let opens = (0..100).map(|_| client.handle.open(server.key(), &addresses, PROTOCOL));

	let opened = soon("all streams", futures::future::join_all(opens)).await;
	assert!(opened.iter().all(Result::is_ok));
	assert_eq!(taken(incoming, 100).await.len(), 100);
}

/// The first `most` streams that come, or fewer once none comes for a second.
async fn taken(mut incoming: Incoming, most: usize) -> Vec<Stream> {
	let mut streams = Vec::new();
	while streams.len() < most {
		match tokio::time::timeout(Duration::from_secs(1), incoming.next()).await {
			Ok(Some((_, stream))) => streams.push(stream),
			_ => break,
		}
	}
	streams
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_streams_should_be_refused_and_others_served() {
	let limits = StreamLimits { per_peer: 4, per_second: 10, burst: 50, total: 100 };
	let server = node(|config| config.streams = limits);
	let (flooder, other) = (node(|_| ()), node(|_| ()));
	let addresses = encode_addresses([server.tcp().await]);
	let mut incoming = server.handle.accept(PROTOCOL).unwrap();
	let mut flood = Vec::new();
	for _ in 0..20 {
		flood.push(flooder.handle.open(server.key(), &addresses, PROTOCOL).await);
	}

	let mut ended = 0;
	for stream in flood.iter_mut().flatten() {
		let mut byte = [0];
		let read = stream.read(&mut byte);
		// An end or a reset; those that were taken are silent.
		ended += usize::from(tokio::time::timeout(Duration::from_millis(200), read).await.is_ok());
	}
	assert!(ended >= 15, "{ended}");
	assert!(server.handle.metrics().streams_refused >= 15);

	let _stream = other.handle.open(server.key(), &addresses, PROTOCOL).await.unwrap();
	for _ in 0..4 {
		let (peer, _) = soon("what was taken", incoming.next()).await.unwrap();
		assert_eq!(peer, flooder.key());
	}
	let (peer, _) = soon("the other's", incoming.next()).await.unwrap();
	assert_eq!(peer, other.key());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_banned_peer_should_be_kept_out_until_the_ban_ends() {
	let (server, client) = (node(|_| ()), node(|_| ()));
	let addresses = encode_addresses([server.tcp().await]);
	let _incoming = server.handle.accept(PROTOCOL).unwrap();
	client.handle.open(server.key(), &addresses, PROTOCOL).await.unwrap();
	let (here, there) = (&server.handle, &client.handle);

	here.ban(client.key(), Duration::from_secs(3)).await.unwrap();
	eventually("disconnected", || async { there.connected_peers().is_empty() }).await;
	let own = here.open(client.key(), &Default::default(), PROTOCOL).await;
	assert!(matches!(own, Err(OpenError::Banned { .. })));
	eventually("back", || async {
		let Ok(mut stream) = there.open(server.key(), &addresses, PROTOCOL).await else {
			return false;
		};
		let mut byte = [0];
		let read = stream.read(&mut byte);
		tokio::time::timeout(Duration::from_millis(500), read).await.is_err()
	})
	.await;
}
