//! Streams between workers in one process, which can be cut off and stopped.

use aria_network::wire::pipeline::StagePlace;
use aria_primitives::record::EnergySource;
use aria_worker::pipeline::{DialError, Dialer, SessionMeter, SessionSpan};
use futures::{
	future::BoxFuture,
	io::{AsyncRead, AsyncWrite},
	ready, FutureExt,
};
use std::{
	collections::HashMap,
	io,
	pin::Pin,
	sync::{
		atomic::{AtomicBool, AtomicUsize, Ordering},
		Arc, Mutex, Weak,
	},
	task::{Context, Poll},
	time::Duration,
};
use tokio::{io::DuplexStream, task::AbortHandle};
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};

/// Bytes that a worker reads between its totals and its signature at least: the record.
const RECORD_BYTES: usize = 200;

/// When something happens to a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
	/// As it begins its unit of compute of this number, from 0.
	Unit(usize),
	/// When it has computed everything, and has not said its totals yet.
	Totals,
	/// When it has said its totals, and gets the record.
	Sign,
}

/// What happens to a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
	/// It is gone, and its streams break.
	Die,
	/// Nothing gets in or out any more, and no stream breaks.
	Stall,
}

/// What can be done to a worker.
#[derive(Default)]
pub struct Switch {
	dead: AtomicBool,
	stalled: AtomicBool,
	tasks: Mutex<Vec<AbortHandle>>,
	faults: Mutex<Vec<(When, Fault)>>,
	units: AtomicUsize,
	totals: AtomicBool,
	read: AtomicUsize,
	slow: Mutex<Duration>,
}

impl Switch {
	/// Has something happen, once.
	pub fn plan(&self, when: When, fault: Fault) {
		self.faults.lock().unwrap().push((when, fault));
	}

	/// Makes each unit of compute take longer.
	pub fn slow_down(&self, unit: Duration) {
		*self.slow.lock().unwrap() = unit;
	}

	pub fn kill(&self) {
		self.dead.store(true, Ordering::SeqCst);
		for task in self.tasks.lock().unwrap().drain(..) {
			task.abort();
		}
	}

	pub fn units(&self) -> usize {
		self.units.load(Ordering::SeqCst)
	}

	fn reach(&self, when: When) {
		let fault = {
			let mut faults = self.faults.lock().unwrap();
			let index = faults.iter().position(|(planned, _)| *planned == when);
			index.map(|index| faults.remove(index).1)
		};
		match fault {
			Some(Fault::Die) => self.kill(),
			Some(Fault::Stall) => self.stalled.store(true, Ordering::SeqCst),
			None => {}
		}
	}

	fn note_read(&self, bytes: usize) {
		if self.totals.load(Ordering::SeqCst)
			&& self.read.fetch_add(bytes, Ordering::SeqCst) + bytes > RECORD_BYTES
		{
			self.reach(When::Sign);
		}
	}
}

/// Energy of one millijoule a unit; the units are where faults happen.
pub struct Meter(pub Arc<Switch>);

struct Span(Arc<Switch>, AtomicUsize);

impl SessionMeter for Meter {
	fn begin(&self) -> Box<dyn SessionSpan> {
		Box::new(Span(self.0.clone(), AtomicUsize::new(0)))
	}
}

impl SessionSpan for Span {
	fn compute(&self, lanes: usize) -> Box<dyn Send> {
		assert!(lanes > 0);
		self.1.fetch_add(1, Ordering::SeqCst);
		self.0.reach(When::Unit(self.0.units.fetch_add(1, Ordering::SeqCst)));
		let slow = *self.0.slow.lock().unwrap();
		if !slow.is_zero() {
			std::thread::sleep(slow);
		}
		Box::new(())
	}

	fn end(self: Box<Self>) -> (u64, EnergySource) {
		self.0.reach(When::Totals);
		self.0.totals.store(true, Ordering::SeqCst);
		(self.1.load(Ordering::SeqCst) as u64, EnergySource::Estimate)
	}
}

/// A stream of a worker, or of a gateway without a switch.
pub struct Gate {
	inner: Compat<DuplexStream>,
	switch: Option<Arc<Switch>>,
	_live: Arc<()>,
}

impl Gate {
	fn is_stalled(&self) -> bool {
		self.switch.as_ref().is_some_and(|switch| switch.stalled.load(Ordering::SeqCst))
	}
}

impl AsyncRead for Gate {
	fn poll_read(
		mut self: Pin<&mut Self>,
		cx: &mut Context<'_>,
		buffer: &mut [u8],
	) -> Poll<io::Result<usize>> {
		if self.is_stalled() {
			return Poll::Pending;
		}
		let read = ready!(Pin::new(&mut self.inner).poll_read(cx, buffer))?;
		if let Some(switch) = &self.switch {
			switch.note_read(read);
			if switch.dead.load(Ordering::SeqCst) {
				return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
			}
		}
		if self.is_stalled() {
			return Poll::Pending;
		}
		Poll::Ready(Ok(read))
	}
}

impl AsyncWrite for Gate {
	fn poll_write(
		mut self: Pin<&mut Self>,
		cx: &mut Context<'_>,
		buffer: &[u8],
	) -> Poll<io::Result<usize>> {
		if self.is_stalled() {
			return Poll::Pending;
		}
		if self.switch.as_ref().is_some_and(|switch| switch.dead.load(Ordering::SeqCst)) {
			return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
		}
		Pin::new(&mut self.inner).poll_write(cx, buffer)
	}

	fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
		Pin::new(&mut self.inner).poll_flush(cx)
	}

	fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
		Pin::new(&mut self.inner).poll_close(cx)
	}
}

/// What a peer does with a stream that another peer opened.
pub type Serve = Box<dyn Fn([u8; 32], Gate) -> BoxFuture<'static, ()> + Send + Sync>;

struct Peer {
	serve: Serve,
	switch: Arc<Switch>,
}

/// All peers of a test.
#[derive(Default)]
pub struct Hub {
	peers: Mutex<HashMap<[u8; 32], Arc<Peer>>>,
	live: Arc<()>,
}

impl Hub {
	/// Adds a peer, or replaces it.
	pub fn add(&self, id: [u8; 32], switch: Arc<Switch>, serve: Serve) {
		self.peers.lock().unwrap().insert(id, Arc::new(Peer { serve, switch }));
	}

	/// Ends of streams that exist.
	pub fn streams(&self) -> usize {
		Arc::strong_count(&self.live) - 1
	}

	/// Makes stalled workers die, as nothing else ends what they hold.
	pub fn bury(&self) {
		for peer in self.peers.lock().unwrap().values() {
			if peer.switch.stalled.load(Ordering::SeqCst) {
				peer.switch.kill();
			}
		}
	}

	fn open(&self, from: [u8; 32], to: &[u8; 32]) -> Result<Gate, DialError> {
		let peers = self.peers.lock().unwrap();
		let dialling = peers.get(&from).map(|peer| peer.switch.clone());
		let peer = peers.get(to).filter(|peer| !peer.switch.dead.load(Ordering::SeqCst));
		let Some(peer) = peer.cloned() else { return Err(DialError("it is gone".to_owned())) };
		drop(peers);
		let (near, far) = tokio::io::duplex(1 << 16);
		let gate = |inner: DuplexStream, switch| Gate {
			inner: inner.compat(),
			switch,
			_live: self.live.clone(),
		};
		let served = (peer.serve)(from, gate(far, Some(peer.switch.clone())));
		let task = tokio::spawn(served).abort_handle();
		peer.switch.tasks.lock().unwrap().push(task);
		if peer.switch.dead.load(Ordering::SeqCst) {
			peer.switch.kill();
		}
		Ok(gate(near, dialling))
	}
}

/// Opens streams for one peer.
pub struct Net {
	pub me: [u8; 32],
	pub hub: Weak<Hub>,
}

impl Dialer for Net {
	type Stream = Gate;

	fn open(&self, place: &StagePlace) -> BoxFuture<'_, Result<Gate, DialError>> {
		let to = place.peer;
		async move {
			let hub = self.hub.upgrade().ok_or_else(|| DialError("the test is over".into()))?;
			hub.open(self.me, &to)
		}
		.boxed()
	}
}
