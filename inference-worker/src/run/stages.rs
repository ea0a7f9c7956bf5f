//! The units of this worker, and which of them a stream is for.

use super::{payments::Payments, replay::Replay, unit::Unit};
use aria_network::{
	wire::{
		frame,
		pipeline::{Hello, SessionId, MAX_CONTROL},
	},
	PeerKey, Stream,
};
use futures::io::{AsyncReadExt, AsyncWriteExt, Cursor};
use std::{
	collections::HashMap,
	sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
	time::Duration,
};
use tokio::{
	sync::Notify,
	time::{timeout, timeout_at, Instant},
};

/// How long a stream may be silent in the beginning.
const HELLO: Duration = Duration::from_secs(10);
/// How long a link waits for the order of its session.
const EARLY: Duration = Duration::from_secs(3);
/// Streams that wait to be placed; more are closed.
const MOST_WAITING: usize = 256;
/// Those of one peer, so that nobody who says nothing takes all places.
const MOST_WAITING_OF_A_PEER: usize = 96;

/// The units, by session.
pub struct Stages {
	payments: Arc<Payments>,
	units: RwLock<Vec<Arc<Unit>>>,
	routes: Mutex<HashMap<SessionId, (u64, Arc<Unit>)>>,
	routed: Notify,
	waiting: Mutex<Waiting>,
	serial: std::sync::atomic::AtomicU64,
}

/// Streams that wait to be placed.
#[derive(Default)]
struct Waiting {
	count: usize,
	by_peer: HashMap<PeerKey, usize>,
}

/// A place among the streams that wait, given back when dropped.
struct Place<'a> {
	stages: &'a Stages,
	peer: PeerKey,
}

impl Drop for Place<'_> {
	fn drop(&mut self) {
		let mut waiting = self.stages.waiting();
		waiting.count = waiting.count.saturating_sub(1);
		if let Some(count) = waiting.by_peer.get_mut(&self.peer) {
			*count = count.saturating_sub(1);
			if *count == 0 {
				waiting.by_peer.remove(&self.peer);
			}
		}
	}
}

/// A session's route, forgotten when dropped.
struct Routed<'a> {
	stages: &'a Stages,
	session: SessionId,
	serial: u64,
}

impl Drop for Routed<'_> {
	fn drop(&mut self) {
		let mut routes = self.stages.routes();
		if routes.get(&self.session).is_some_and(|(serial, _)| *serial == self.serial) {
			routes.remove(&self.session);
		}
	}
}

impl Stages {
	/// Without units.
	pub fn new(payments: Arc<Payments>) -> Arc<Self> {
		Arc::new(Self {
			payments,
			units: RwLock::default(),
			routes: Mutex::default(),
			routed: Notify::new(),
			waiting: Mutex::default(),
			serial: std::sync::atomic::AtomicU64::new(0),
		})
	}

	/// The units.
	pub fn units(&self) -> Vec<Arc<Unit>> {
		self.units.read().unwrap_or_else(PoisonError::into_inner).clone()
	}

	/// Takes orders for one more unit.
	pub fn add(&self, unit: Arc<Unit>) {
		self.units.write().unwrap_or_else(PoisonError::into_inner).push(unit);
	}

	/// Sessions that run.
	pub fn sessions(&self) -> usize {
		self.units().iter().map(|unit| unit.host.sessions()).sum()
	}

	/// Bytes of memory that the layers take.
	pub fn weights(&self) -> u64 {
		self.units().iter().fold(0u64, |sum, unit| sum.saturating_add(unit.weights.bytes()))
	}

	/// Ends all sessions.
	pub fn end_all(&self, reason: &str) {
		for unit in self.units() {
			unit.host.end_all(reason);
		}
	}

	/// Serves a stream of the pipeline that `peer` opened, until it ends.
	pub async fn serve(self: Arc<Self>, peer: PeerKey, mut stream: Stream) {
		let hello = {
			let Some(_place) = self.wait(peer) else { return };
			match timeout(HELLO, frame::read::<Hello>(&mut stream, MAX_CONTROL)).await {
				Ok(Ok(hello)) => hello,
				Ok(Err(error)) => {
					tracing::debug!(target: "aria::worker", %error, "a stream without a beginning");
					return;
				}
				Err(_) => return,
			}
		};
		let (unit, _routed) = match &hello {
			Hello::Order(order) => {
				let place = order.stages.get(usize::from(order.stage));
				let layers = place.map(|place| place.layers);
				let units = self.units();
				let fits = |unit: &&Arc<Unit>| {
					unit.model == order.model_id
						&& layers.is_none_or(|layers| layers == unit.layers)
				};
				// Without one that fits, any of them says what is wrong.
				let Some(unit) = units.iter().find(fits).or(units.first()).cloned() else {
					return refuse(stream).await;
				};
				// Nothing is waited for while it is decided, so everything is read before.
				self.payments.look_up(order).await;
				let routed = self.route(order.session, &unit);
				(unit, Some(routed))
			}
			Hello::Link(link) => match self.routed(peer, &link.session).await {
				Some(unit) => (unit, None),
				None => {
					tracing::debug!(target: "aria::worker", "a link without a session");
					return;
				}
			},
		};
		let mut begin = Cursor::new(Vec::new());
		if frame::write(&mut begin, &hello).await.is_err() {
			return;
		}
		drop(hello);
		let host = unit.host.clone();
		host.serve(peer, Replay::new(begin.into_inner(), stream)).await;
	}

	/// Notes whose session it is.
	fn route(&self, session: SessionId, unit: &Arc<Unit>) -> Routed<'_> {
		let serial = self.serial.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
		self.routes().insert(session, (serial, unit.clone()));
		self.routed.notify_waiters();
		Routed { stages: self, session, serial }
	}

	/// The unit of a session, whose order may still be on its way.
	async fn routed(&self, peer: PeerKey, session: &SessionId) -> Option<Arc<Unit>> {
		let units = self.units();
		if let [unit] = units.as_slice() {
			return Some(unit.clone());
		}
		let _place = self.wait(peer)?;
		let until = Instant::now() + EARLY;
		loop {
			let mut routed = std::pin::pin!(self.routed.notified());
			// From here on a session that is routed is not missed.
			routed.as_mut().enable();
			if let Some((_, unit)) = self.routes().get(session) {
				return Some(unit.clone());
			}
			timeout_at(until, routed).await.ok()?;
		}
	}

	/// Room for one more stream of `peer` that waits, until the place is dropped.
	fn wait(&self, peer: PeerKey) -> Option<Place<'_>> {
		let mut waiting = self.waiting();
		if waiting.count >= MOST_WAITING {
			return None;
		}
		let count = waiting.by_peer.entry(peer).or_default();
		if *count >= MOST_WAITING_OF_A_PEER {
			return None;
		}
		*count += 1;
		waiting.count += 1;
		Some(Place { stages: self, peer })
	}

	fn waiting(&self) -> MutexGuard<'_, Waiting> {
		self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
	}

	fn routes(&self) -> MutexGuard<'_, HashMap<SessionId, (u64, Arc<Unit>)>> {
		self.routes.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

/// Tells a gateway that nothing is served here.
async fn refuse(mut stream: Stream) {
	use aria_network::wire::pipeline::{FromStage, Refusal};
	let said = async {
		let _ = frame::write(&mut stream, &FromStage::Refused(Refusal::NotServed)).await;
		let _ = stream.close().await;
		let mut rest = [0; 64];
		let _ = stream.read(&mut rest).await;
	};
	let _ = timeout(HELLO, said).await;
}
