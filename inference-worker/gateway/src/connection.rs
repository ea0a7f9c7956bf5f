//! Bounds on connections.
//!
//! A connection is closed when it brings no complete request for a while, however slowly it trickles,
//! and when it takes nothing of an answer. There are only so many of them.

use crate::metrics::Metrics;
use axum::{
	extract::connect_info::Connected,
	serve::{IncomingStream, Listener},
};
use std::{
	future::Future,
	io,
	net::SocketAddr,
	pin::Pin,
	sync::{
		atomic::{AtomicUsize, Ordering},
		Arc, Mutex, PoisonError,
	},
	task::{Context, Poll},
	time::Duration,
};
use tokio::{
	io::{AsyncRead, AsyncWrite, ReadBuf},
	net::{TcpListener, TcpStream},
	sync::{OwnedSemaphorePermit, Semaphore},
	time::{sleep_until, Instant, Sleep},
};

/// What a connection is doing.
#[derive(Clone, Debug)]
pub(crate) struct Connection(Arc<Use>);

#[derive(Debug)]
struct Use {
	/// Requests that are being answered.
	requests: AtomicUsize,
	/// Since when there are none.
	idle_since: Mutex<Instant>,
}

impl Connection {
	fn new() -> Self {
		Self(Arc::new(Use {
			requests: AtomicUsize::new(0),
			idle_since: Mutex::new(Instant::now()),
		}))
	}

	/// The connection is in use until this is dropped.
	pub fn in_use(&self) -> InUse {
		self.0.requests.fetch_add(1, Ordering::AcqRel);
		InUse(self.clone())
	}

	fn idle_since(&self) -> Option<Instant> {
		let idle = self.0.requests.load(Ordering::Acquire) == 0;
		idle.then(|| *self.0.idle_since.lock().unwrap_or_else(PoisonError::into_inner))
	}
}

/// See [`Connection::in_use`].
#[derive(Debug)]
pub(crate) struct InUse(Connection);

impl Drop for InUse {
	fn drop(&mut self) {
		let usage = &self.0 .0;
		*usage.idle_since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
		usage.requests.fetch_sub(1, Ordering::AcqRel);
	}
}

impl Connected<IncomingStream<'_, BoundedListener>> for Connection {
	fn connect_info(stream: IncomingStream<'_, BoundedListener>) -> Self {
		stream.io().connection.clone()
	}
}

/// Accepts so many connections.
pub(crate) struct BoundedListener {
	listener: TcpListener,
	places: Arc<Semaphore>,
	idle: Duration,
	stall: Duration,
	metrics: Arc<Metrics>,
}

impl BoundedListener {
	/// At most `connections`, each idle for at most `idle` and stalled for at most `stall`.
	pub fn new(
		listener: TcpListener,
		connections: usize,
		idle: Duration,
		stall: Duration,
		metrics: Arc<Metrics>,
	) -> Self {
		let places = Arc::new(Semaphore::new(connections.clamp(1, Semaphore::MAX_PERMITS)));
		// A timer of no length would never be set for later.
		let idle = idle.max(Duration::from_millis(10));
		Self { listener, places, idle, stall, metrics }
	}
}

impl Listener for BoundedListener {
	type Io = BoundedStream;
	type Addr = SocketAddr;

	async fn accept(&mut self) -> (Self::Io, Self::Addr) {
		// The semaphore is never closed.
		let place = self.places.clone().acquire_owned().await.ok();
		let (stream, address) = Listener::accept(&mut self.listener).await;
		// Tokens are small and wanted at once.
		if let Err(error) = stream.set_nodelay(true) {
			tracing::debug!(target: "aria::gateway", "TCP_NODELAY: {error}");
		}
		self.metrics.connections.inc();
		let io = BoundedStream {
			stream,
			connection: Connection::new(),
			idle: self.idle,
			stall: self.stall,
			reading: None,
			writing: None,
			metrics: self.metrics.clone(),
			_place: place,
		};
		(io, address)
	}

	fn local_addr(&self) -> io::Result<Self::Addr> {
		self.listener.local_addr()
	}
}

/// A connection that does not wait for ever.
pub(crate) struct BoundedStream {
	stream: TcpStream,
	connection: Connection,
	idle: Duration,
	stall: Duration,
	reading: Option<Pin<Box<Sleep>>>,
	writing: Option<Pin<Box<Sleep>>>,
	metrics: Arc<Metrics>,
	_place: Option<OwnedSemaphorePermit>,
}

impl BoundedStream {
	/// Whether nothing complete was asked for too long.
	fn poll_idle(&mut self, cx: &mut Context<'_>) -> bool {
		loop {
			let idle_since = self.connection.idle_since();
			let until = idle_since.unwrap_or_else(Instant::now) + self.idle;
			if idle_since.is_some() && until <= Instant::now() {
				return true;
			}
			let timer = self.reading.get_or_insert_with(|| Box::pin(sleep_until(until)));
			if timer.as_mut().poll(cx).is_pending() {
				return false;
			}
			// It was set before the last request; `until` lies ahead, so this ends.
			timer.as_mut().reset(until);
		}
	}

	/// Whether the other side has taken nothing for too long.
	fn poll_stalled(&mut self, cx: &mut Context<'_>) -> bool {
		let until = Instant::now() + self.stall;
		let timer = self.writing.get_or_insert_with(|| Box::pin(sleep_until(until)));
		timer.as_mut().poll(cx).is_ready()
	}

	fn written(
		&mut self,
		cx: &mut Context<'_>,
		result: Poll<io::Result<usize>>,
	) -> Poll<io::Result<usize>> {
		match result {
			Poll::Pending if self.poll_stalled(cx) => {
				Poll::Ready(Err(late("the client takes nothing")))
			}
			Poll::Pending => Poll::Pending,
			ready => {
				self.writing = None;
				ready
			}
		}
	}
}

fn late(what: &'static str) -> io::Error {
	io::Error::new(io::ErrorKind::TimedOut, what)
}

impl Drop for BoundedStream {
	fn drop(&mut self) {
		self.metrics.connections.dec();
	}
}

impl AsyncRead for BoundedStream {
	fn poll_read(
		self: Pin<&mut Self>,
		cx: &mut Context<'_>,
		buffer: &mut ReadBuf<'_>,
	) -> Poll<io::Result<()>> {
		let this = self.get_mut();
		match Pin::new(&mut this.stream).poll_read(cx, buffer) {
			Poll::Pending if this.poll_idle(cx) => {
				Poll::Ready(Err(late("no request came in time")))
			}
			result => result,
		}
	}
}

impl AsyncWrite for BoundedStream {
	fn poll_write(
		self: Pin<&mut Self>,
		cx: &mut Context<'_>,
		bytes: &[u8],
	) -> Poll<io::Result<usize>> {
		let this = self.get_mut();
		let result = Pin::new(&mut this.stream).poll_write(cx, bytes);
		this.written(cx, result)
	}

	fn poll_write_vectored(
		self: Pin<&mut Self>,
		cx: &mut Context<'_>,
		slices: &[io::IoSlice<'_>],
	) -> Poll<io::Result<usize>> {
		let this = self.get_mut();
		let result = Pin::new(&mut this.stream).poll_write_vectored(cx, slices);
		this.written(cx, result)
	}

	fn is_write_vectored(&self) -> bool {
		self.stream.is_write_vectored()
	}

	fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
		Pin::new(&mut self.get_mut().stream).poll_flush(cx)
	}

	fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
		Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
	}
}
