//! Bytes between two peers, delayed: TCP connections are taken and passed on, and every byte leaves a
//! while after it came, in both directions.

use anyhow::{Context, Result};
use std::{
	net::{Ipv4Addr, SocketAddr},
	sync::{
		atomic::{AtomicU64, Ordering::Relaxed},
		Arc,
	},
	time::{Duration, Instant},
};
use tokio::{
	io::{AsyncReadExt, AsyncWriteExt},
	net::{
		tcp::{OwnedReadHalf, OwnedWriteHalf},
		TcpListener, TcpStream,
	},
	sync::mpsc,
	task::{JoinHandle, JoinSet},
	time::sleep,
};

/// Most bytes that are taken at once.
const PART: usize = 64 << 10;
/// Parts that are on their way in one direction; beyond that the sender waits.
const ON_THE_WAY: usize = 1_024;

/// A delay that several relays share, and what they carried.
#[derive(Debug, Default)]
pub struct Line {
	micros: AtomicU64,
	parts: AtomicU64,
	bytes: AtomicU64,
	waited_micros: AtomicU64,
}

/// What a line carried.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Carried {
	/// Bytes, of both directions.
	pub bytes: u64,
	/// How long a part was really held, in the mean.
	pub held: Duration,
}

impl Line {
	/// What comes from now on leaves after `delay`, and is counted anew.
	pub fn set(&self, delay: Duration) {
		self.micros.store(u64::try_from(delay.as_micros()).unwrap_or(u64::MAX), Relaxed);
		for counter in [&self.parts, &self.bytes, &self.waited_micros] {
			counter.store(0, Relaxed);
		}
	}

	/// What was carried since the delay was set.
	pub fn carried(&self) -> Carried {
		let parts = self.parts.load(Relaxed).max(1);
		Carried {
			bytes: self.bytes.load(Relaxed),
			held: Duration::from_micros(self.waited_micros.load(Relaxed) / parts),
		}
	}

	fn delay(&self) -> Duration {
		Duration::from_micros(self.micros.load(Relaxed))
	}

	fn note(&self, bytes: usize, held: Duration) {
		self.parts.fetch_add(1, Relaxed);
		self.bytes.fetch_add(bytes as u64, Relaxed);
		self.waited_micros.fetch_add(u64::try_from(held.as_micros()).unwrap_or(0), Relaxed);
	}
}

/// A relay in front of one address. Dropping it cuts its connections.
pub struct Relay {
	port: u16,
	task: JoinHandle<()>,
}

impl Relay {
	/// Listens on a free port of `host` and passes on to `target`, as far away as `line` says.
	///
	/// # Errors
	/// When nothing can be listened on.
	pub async fn start(host: Ipv4Addr, target: SocketAddr, line: Arc<Line>) -> Result<Self> {
		let listener = TcpListener::bind((host, 0)).await;
		let listener = listener.with_context(|| format!("{host} cannot be listened on"))?;
		let port = listener.local_addr()?.port();
		Ok(Self { port, task: tokio::spawn(serve(listener, target, line)) })
	}

	/// The port that it listens on.
	pub fn port(&self) -> u16 {
		self.port
	}
}

impl Drop for Relay {
	fn drop(&mut self) {
		self.task.abort();
	}
}

async fn serve(listener: TcpListener, target: SocketAddr, line: Arc<Line>) {
	let mut connections = JoinSet::new();
	loop {
		tokio::select! {
			accepted = listener.accept() => match accepted {
				Ok((near, _)) => {
					connections.spawn(carry(near, target, line.clone()));
				}
				// Out of file descriptors, say: there may be some again soon.
				Err(_) => sleep(Duration::from_millis(50)).await,
			},
			Some(_) = connections.join_next(), if !connections.is_empty() => {}
		}
	}
}

async fn carry(near: TcpStream, target: SocketAddr, line: Arc<Line>) {
	let Ok(far) = TcpStream::connect(target).await else { return };
	for stream in [&near, &far] {
		// What is held back by the system is not held by this relay.
		let _ = stream.set_nodelay(true);
	}
	let (near_read, near_write) = near.into_split();
	let (far_read, far_write) = far.into_split();
	tokio::join!(one_way(near_read, far_write, &line), one_way(far_read, near_write, &line));
}

/// Until one side closes; what is on its way then still arrives.
async fn one_way(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, line: &Line) {
	let (sender, mut receiver) = mpsc::channel::<(Instant, Vec<u8>)>(ON_THE_WAY);
	let read = async move {
		let mut buffer = vec![0; PART];
		while let Ok(count) = from.read(&mut buffer).await {
			let part = buffer.get(..count).unwrap_or_default().to_vec();
			if count == 0 || sender.send((Instant::now(), part)).await.is_err() {
				break;
			}
		}
	};
	let write = async move {
		while let Some((came, part)) = receiver.recv().await {
			let left = line.delay().saturating_sub(came.elapsed());
			if !left.is_zero() {
				sleep(left).await;
			}
			line.note(part.len(), came.elapsed());
			if to.write_all(&part).await.is_err() {
				break;
			}
		}
		let _ = to.shutdown().await;
	};
	tokio::join!(read, write);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	/// Sends back what comes.
	async fn echo() -> SocketAddr {
		let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
		let address = listener.local_addr().unwrap();
		tokio::spawn(async move {
			while let Ok((mut stream, _)) = listener.accept().await {
				tokio::spawn(async move {
					let (mut read, mut write) = stream.split();
					let _ = tokio::io::copy(&mut read, &mut write).await;
				});
			}
		});
		address
	}

	#[tokio::test]
	async fn bytes_should_come_back_late_in_order_and_all() {
		let line = Arc::<Line>::default();
		line.set(Duration::from_millis(30));
		let relay = Relay::start(Ipv4Addr::LOCALHOST, echo().await, line.clone()).await.unwrap();
		let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, relay.port())).await.unwrap();

		let began = Instant::now();
		stream.write_all(b"?").await.unwrap();
		let mut byte = [0];
		stream.read_exact(&mut byte).await.unwrap();
		assert!(began.elapsed() >= Duration::from_millis(60), "{:?}", began.elapsed());
		assert_eq!(&byte, b"?");
		let carried = line.carried();
		assert_eq!(carried.bytes, 2);
		assert!(carried.held >= Duration::from_millis(30));

		line.set(Duration::ZERO);
		let sent: Vec<u8> = (0..300_000u32).map(|index| (index % 251) as u8).collect();
		let (mut read, mut write) = stream.into_split();
		let expected = sent.clone();
		let writing = tokio::spawn(async move {
			write.write_all(&sent).await.unwrap();
			write.shutdown().await.unwrap();
		});
		let mut received = Vec::new();
		read.read_to_end(&mut received).await.unwrap();
		writing.await.unwrap();
		assert!(received == expected);
	}

	#[tokio::test]
	async fn a_relay_to_nobody_should_close() {
		let nobody = {
			let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
			listener.local_addr().unwrap()
		};
		let relay = Relay::start(Ipv4Addr::LOCALHOST, nobody, Arc::default()).await.unwrap();
		let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, relay.port())).await.unwrap();
		let mut bytes = Vec::new();
		// Whether as an end or as a reset depends on the system.
		let _ = stream.read_to_end(&mut bytes).await;
		assert!(bytes.is_empty());
	}
}
