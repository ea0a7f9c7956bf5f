//! Garbage, silence, and too much of everything.

use super::{ends, Peer, Target};
use aria_network::Stream;
use futures::{future::join_all, AsyncWriteExt};
use std::{net::Ipv4Addr, time::Duration};
use tokio::{io::AsyncReadExt as _, net::TcpStream, time::timeout};

/// How long a worker may take to see that something is garbage, and to say so by ending the stream.
const SOON: Duration = Duration::from_secs(15);
/// Most bytes of an endless frame that may have left before the worker has ended the stream.
const MOST: usize = 16 << 20;
/// Streams that are opened at once: a peer that opens more at a time loses some on its own side.
const AT_ONCE: usize = 100;
/// How long it is looked whether a stream is refused.
const GLANCE: Duration = Duration::from_millis(50);

/// What stands in place of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Garbage {
	/// A frame of no message.
	Nonsense,
	/// A frame of nothing.
	Empty,
	/// Half a frame, and the end.
	Half,
	/// A frame of four gigabytes.
	Endless,
}

impl Garbage {
	/// All kinds.
	pub const ALL: [Self; 4] = [Self::Nonsense, Self::Empty, Self::Half, Self::Endless];

	/// Sends it on a stream of its own, which the worker has to end.
	pub async fn throw(self, peer: &Peer, target: &Target, protocol: &'static str) {
		let mut stream = peer.open(target, protocol).await.unwrap();
		let sent = match self {
			Garbage::Nonsense => {
				let mut frame = 100u32.to_le_bytes().to_vec();
				frame.resize(104, 0xff);
				stream.write_all(&frame).await.is_ok()
			}
			Garbage::Empty => stream.write_all(&[0; 4]).await.is_ok(),
			Garbage::Half => {
				let _ = stream.write_all(&[0, 4, 0, 0, 1, 2, 3]).await;
				let _ = stream.close().await;
				return;
			}
			Garbage::Endless => return endless(&mut stream, protocol).await,
		};
		// A worker that ends the stream at once may be ahead of the flush.
		let _ = stream.flush().await;
		assert!(sent, "{self:?} on {protocol}: nothing can be sent");
		assert!(ends(&mut stream, SOON).await, "{self:?} on {protocol}: the stream stays");
	}
}

/// Sends a frame that has no end, until the other side has had enough.
async fn endless(stream: &mut Stream, protocol: &str) {
	let piece = vec![7; 64 << 10];
	let mut sent = 0;
	if stream.write_all(&u32::MAX.to_le_bytes()).await.is_err() {
		return;
	}
	while sent < MOST {
		match timeout(SOON, stream.write_all(&piece)).await {
			Ok(Ok(())) => sent += piece.len(),
			Ok(Err(_)) => return,
			Err(_) => panic!("{protocol}: an endless frame is neither read nor refused"),
		}
	}
	panic!("{protocol}: {sent} bytes of an endless frame were read");
}

/// Streams that were opened.
pub struct Held {
	/// Those that the other side keeps.
	pub streams: Vec<Stream>,
	/// How many it has ended at once.
	pub refused: usize,
}

/// Opens so many streams and says nothing on them, or only begins to.
pub async fn hold(
	peer: &Peer,
	target: &Target,
	protocol: &'static str,
	count: usize,
	begin: &[u8],
) -> Held {
	let mut held = Held { streams: Vec::new(), refused: 0 };
	while held.streams.len() + held.refused < count {
		let left = (count - held.streams.len() - held.refused).min(AT_ONCE);
		let opened = join_all((0..left).map(|_| peer.open(target, protocol))).await;
		let kept = opened.into_iter().flatten().map(|mut stream| async move {
			// One that is refused may have ended already.
			let _ = stream.write_all(begin).await;
			let _ = stream.flush().await;
			(!ends(&mut stream, GLANCE).await).then_some(stream)
		});
		let kept = join_all(kept).await;
		assert!(!kept.is_empty(), "{protocol}: no stream can be opened at all");
		held.refused += kept.iter().filter(|stream| stream.is_none()).count();
		held.streams.extend(kept.into_iter().flatten());
	}
	held
}

/// How many of these streams the other side has ended, or ends within this time.
pub async fn ended(streams: &mut [Stream], within: Duration) -> usize {
	let ended = join_all(streams.iter_mut().map(|stream| ends(stream, within))).await;
	ended.into_iter().filter(|ended| *ended).count()
}

/// Connections by TCP on which nothing is said. Those that are refused at once are no error.
pub async fn silent_connections(target: &Target, count: usize) -> Vec<TcpStream> {
	let address = (Ipv4Addr::LOCALHOST, target.port());
	let opened = join_all((0..count).map(|_| TcpStream::connect(address))).await;
	opened.into_iter().flatten().collect()
}

/// How many connections the other side has closed, or closes within this time.
pub async fn closed(connections: &mut [TcpStream], within: Duration) -> usize {
	let closes = connections.iter_mut().map(|connection| async move {
		let mut rest = Vec::new();
		timeout(within, connection.read_to_end(&mut rest)).await.is_ok()
	});
	join_all(closes).await.into_iter().filter(|closed| *closed).count()
}
