//! Who is answered now, who waits, who is sent away.
//!
//! There are places for so many streams. Keys take turns, whatever number of requests each of them has
//! waiting, and no key can have all places. Where the queue is full, the newest request of the key
//! that has most waiting is sent away: a flood meets itself.

use crate::metrics::Metrics;
use std::{
	collections::{HashMap, VecDeque},
	sync::{Arc, Mutex, MutexGuard, PoisonError},
	time::{Duration, Instant},
};
use tokio::{sync::oneshot, time::timeout};

/// How much there is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
	/// Places.
	pub streams: usize,
	/// Places of one key.
	pub per_key: usize,
	/// Requests that wait.
	pub queue: usize,
	/// How long each waits at most.
	pub wait: Duration,
}

/// Why a request was sent away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
	/// The queue is full, or it waited too long; ask again after this.
	Busy(Duration),
	/// Nobody is admitted any more.
	Closed,
}

/// Admits requests.
pub(crate) struct Admission {
	bounds: Bounds,
	metrics: Arc<Metrics>,
	state: Mutex<State>,
}

struct State {
	free: usize,
	running: HashMap<Arc<str>, usize>,
	waiting: HashMap<Arc<str>, VecDeque<Waiter>>,
	/// Keys that have somebody waiting, whose turn it is first.
	turns: VecDeque<Arc<str>>,
	queued: usize,
	next: u64,
	closed: bool,
	/// How long a place is taken, smoothed, in seconds.
	mean: f64,
}

struct Waiter {
	id: u64,
	weight: usize,
	sender: oneshot::Sender<Permit>,
}

type Granted = Vec<(oneshot::Sender<Permit>, Permit)>;

impl Admission {
	pub fn new(bounds: Bounds, metrics: Arc<Metrics>) -> Arc<Self> {
		let streams = bounds.streams.max(1);
		let per_key = bounds.per_key.clamp(1, streams);
		let state = State {
			free: streams,
			running: HashMap::new(),
			waiting: HashMap::new(),
			turns: VecDeque::new(),
			queued: 0,
			next: 0,
			closed: false,
			mean: 1.0,
		};
		let bounds = Bounds { streams, per_key, ..bounds };
		Arc::new(Self { bounds, metrics, state: Mutex::new(state) })
	}

	/// Waits for `weight` places, or as many as a key can have.
	pub async fn acquire(self: &Arc<Self>, key: &Arc<str>, weight: usize) -> Result<Permit, Full> {
		let weight = weight.clamp(1, self.bounds.per_key);
		let (sender, receiver) = oneshot::channel();
		let (id, granted, evicted) = {
			let mut state = self.lock();
			if state.closed {
				return Err(Full::Closed);
			}
			let id = state.next;
			state.next = state.next.wrapping_add(1);
			state.push(key, Waiter { id, weight, sender });
			let granted = self.grant(&mut state);
			let evicted = if state.queued > self.bounds.queue { state.evict(key) } else { None };
			self.show(&state);
			(id, granted, evicted)
		};
		deliver(granted);
		drop(evicted);
		let place = Place { admission: self, key, id };
		let result = timeout(self.bounds.wait, receiver).await;
		drop(place);
		match result {
			Ok(Ok(permit)) => Ok(permit),
			_ if self.lock().closed => Err(Full::Closed),
			_ => Err(Full::Busy(self.retry_after())),
		}
	}

	/// Sends away who waits and whoever comes.
	pub fn close(&self) {
		let waiting = {
			let mut state = self.lock();
			state.closed = true;
			state.queued = 0;
			state.turns.clear();
			let waiting = std::mem::take(&mut state.waiting);
			self.show(&state);
			waiting
		};
		drop(waiting);
	}

	/// Gives places to who waits, in turn. The permits have to be delivered without the lock: one that
	/// nobody takes gives its places back.
	fn grant(self: &Arc<Self>, state: &mut State) -> Granted {
		let mut granted = Vec::new();
		while let Some((turn, weight)) = state.next_turn(self.bounds.per_key) {
			// The places that are free are kept for it: small requests behind it would else always
			// be faster than it.
			if weight > state.free {
				break;
			}
			let Some((key, waiter)) = state.pop(turn) else { break };
			state.free -= weight;
			*state.running.entry(key.clone()).or_default() += weight;
			let permit = Permit { admission: self.clone(), key, weight, since: Instant::now() };
			granted.push((waiter.sender, permit));
		}
		granted
	}

	fn release(self: &Arc<Self>, key: &Arc<str>, weight: usize, taken: Duration) {
		let granted = {
			let mut state = self.lock();
			state.free += weight;
			state.mean += (taken.as_secs_f64() - state.mean) / 8.0;
			let left = state.running.get(key).copied().unwrap_or(0).saturating_sub(weight);
			if left == 0 {
				state.running.remove(key);
			} else {
				state.running.insert(key.clone(), left);
			}
			let granted = self.grant(&mut state);
			self.show(&state);
			granted
		};
		deliver(granted);
	}

	fn retry_after(&self) -> Duration {
		let state = self.lock();
		let rounds = 1.0 + state.queued as f64 / self.bounds.streams as f64;
		Duration::from_secs_f64((rounds * state.mean).clamp(1.0, 60.0))
	}

	fn show(&self, state: &State) {
		self.metrics.queue.set(i64::try_from(state.queued).unwrap_or(i64::MAX));
		let running = self.bounds.streams.saturating_sub(state.free);
		self.metrics.streams.set(i64::try_from(running).unwrap_or(i64::MAX));
	}

	fn lock(&self) -> MutexGuard<'_, State> {
		self.state.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

fn deliver(granted: Granted) {
	for (sender, permit) in granted {
		// Nobody there any more: the permit is dropped, and so given back.
		let _ = sender.send(permit);
	}
}

impl State {
	fn push(&mut self, key: &Arc<str>, waiter: Waiter) {
		let queue = self.waiting.entry(key.clone()).or_default();
		if queue.is_empty() {
			self.turns.push_back(key.clone());
		}
		queue.push_back(waiter);
		self.queued += 1;
	}

	/// The first key that may have more places, and how many it wants.
	fn next_turn(&self, per_key: usize) -> Option<(usize, usize)> {
		self.turns.iter().enumerate().find_map(|(turn, key)| {
			let weight = self.waiting.get(key)?.front()?.weight;
			let running = self.running.get(key).copied().unwrap_or(0);
			(running + weight <= per_key).then_some((turn, weight))
		})
	}

	/// The first that waits of the key at `turn`, which goes to the end.
	fn pop(&mut self, turn: usize) -> Option<(Arc<str>, Waiter)> {
		let key = self.turns.remove(turn)?;
		let queue = self.waiting.get_mut(&key)?;
		let waiter = queue.pop_front()?;
		self.queued = self.queued.saturating_sub(1);
		if queue.is_empty() {
			self.waiting.remove(&key);
		} else {
			self.turns.push_back(key.clone());
		}
		Some((key, waiter))
	}

	/// Takes out the newest of the key with most waiting, `key` if there are several.
	fn evict(&mut self, key: &Arc<str>) -> Option<Waiter> {
		let own = self.waiting.get(key).map_or(0, VecDeque::len);
		let longest = self
			.waiting
			.iter()
			.max_by_key(|(_, queue)| queue.len())
			.filter(|(_, queue)| queue.len() > own)
			.map(|(longest, _)| longest.clone())
			.unwrap_or_else(|| key.clone());
		let id = self.waiting.get(&longest)?.back()?.id;
		self.remove(&longest, id)
	}

	fn remove(&mut self, key: &Arc<str>, id: u64) -> Option<Waiter> {
		let queue = self.waiting.get_mut(key)?;
		let at = queue.iter().position(|waiter| waiter.id == id)?;
		let waiter = queue.remove(at);
		self.queued = self.queued.saturating_sub(1);
		if queue.is_empty() {
			self.waiting.remove(key);
			self.turns.retain(|turn| turn != key);
		}
		waiter
	}
}

/// A place in the queue, which is left when nobody waits in it any more.
struct Place<'a> {
	admission: &'a Arc<Admission>,
	key: &'a Arc<str>,
	id: u64,
}

impl Drop for Place<'_> {
	fn drop(&mut self) {
		let (waiter, granted) = {
			let mut state = self.admission.lock();
			let waiter = state.remove(self.key, self.id);
			// Who left may have been what the others waited behind.
			let granted =
				if waiter.is_some() { self.admission.grant(&mut state) } else { Vec::new() };
			self.admission.show(&state);
			(waiter, granted)
		};
		drop(waiter);
		deliver(granted);
	}
}

/// Places that are taken until this is dropped.
pub(crate) struct Permit {
	admission: Arc<Admission>,
	key: Arc<str>,
	weight: usize,
	since: Instant,
}

impl Permit {
	/// How many.
	pub fn weight(&self) -> usize {
		self.weight
	}
}

impl Drop for Permit {
	fn drop(&mut self) {
		self.admission.release(&self.key, self.weight, self.since.elapsed());
	}
}

impl std::fmt::Debug for Permit {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.debug_struct("Permit").field("key", &self.key).field("weight", &self.weight).finish()
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use tokio::{sync::mpsc, task::yield_now};

	fn admission(streams: usize, per_key: usize, queue: usize) -> Arc<Admission> {
		let bounds = Bounds { streams, per_key, queue, wait: Duration::from_secs(5) };
		Admission::new(bounds, Arc::new(Metrics::new().unwrap()))
	}

	fn key(name: &str) -> Arc<str> {
		Arc::from(name)
	}

	/// Queues a request that says its name once it is admitted, and then holds its place.
	async fn queue(
		admission: &Arc<Admission>,
		name: &'static str,
		weight: usize,
		said: &mpsc::UnboundedSender<(&'static str, Result<Permit, Full>)>,
	) -> tokio::task::JoinHandle<()> {
		let (admission, said) = (admission.clone(), said.clone());
		let task = tokio::spawn(async move {
			let result = admission.acquire(&key(name), weight).await;
			let _ = said.send((name, result));
		});
		for _ in 0..4 {
			yield_now().await;
		}
		task
	}

	#[tokio::test]
	async fn keys_should_take_turns() {
		let admission = admission(1, 1, 100);
		let (said, mut heard) = mpsc::unbounded_channel();
		let first = admission.acquire(&key("a"), 1).await.unwrap();
		for name in ["a", "a", "a", "a", "b", "c", "b"] {
			queue(&admission, name, 1, &said).await;
		}
		drop(first);
		let mut order = Vec::new();
		for _ in 0..7 {
			let (name, permit) = heard.recv().await.unwrap();
			order.push(name);
			drop(permit.unwrap());
		}
		assert_eq!(order, ["a", "b", "c", "a", "b", "a", "a"]);
	}

	#[tokio::test]
	async fn one_key_should_not_have_all_places() {
		let admission = admission(3, 2, 100);
		let (said, mut heard) = mpsc::unbounded_channel();
		let held = [
			admission.acquire(&key("a"), 1).await.unwrap(),
			admission.acquire(&key("a"), 1).await.unwrap(),
		];
		queue(&admission, "a", 1, &said).await;
		assert!(heard.try_recv().is_err());
		let other = admission.acquire(&key("b"), 1).await.unwrap();
		drop(held);
		assert_eq!(heard.recv().await.unwrap().0, "a");
		drop(other);
	}

	#[tokio::test]
	async fn a_wide_request_should_not_wait_for_ever() {
		let admission = admission(2, 2, 100);
		let (said, mut heard) = mpsc::unbounded_channel();
		let held = admission.acquire(&key("a"), 1).await.unwrap();
		queue(&admission, "b", 2, &said).await;
		queue(&admission, "c", 1, &said).await;
		assert!(heard.try_recv().is_err());
		drop(held);
		let (name, permit) = heard.recv().await.unwrap();
		assert_eq!((name, permit.as_ref().unwrap().weight()), ("b", 2));
		drop(permit);
		assert_eq!(heard.recv().await.unwrap().0, "c");
	}

	#[tokio::test]
	async fn a_flood_should_meet_itself() {
		let admission = admission(1, 1, 3);
		let (said, mut heard) = mpsc::unbounded_channel();
		let first = admission.acquire(&key("a"), 1).await.unwrap();
		for _ in 0..4 {
			queue(&admission, "a", 1, &said).await;
		}
		let (name, result) = heard.recv().await.unwrap();
		assert!(name == "a" && matches!(result, Err(Full::Busy(_))));
		queue(&admission, "b", 1, &said).await;
		let (name, result) = heard.recv().await.unwrap();
		assert!(name == "a" && matches!(result, Err(Full::Busy(_))));
		drop(first);
		let mut order = Vec::new();
		for _ in 0..3 {
			let (name, permit) = heard.recv().await.unwrap();
			order.push(name);
			drop(permit.unwrap());
		}
		assert_eq!(order, ["a", "b", "a"]);
	}

	#[tokio::test]
	async fn who_leaves_should_leave_no_gap() {
		let admission = admission(2, 2, 10);
		let (said, mut heard) = mpsc::unbounded_channel();
		let held = admission.acquire(&key("a"), 1).await.unwrap();
		let wide = queue(&admission, "b", 2, &said).await;
		queue(&admission, "c", 1, &said).await;
		wide.abort();
		let (name, permit) = heard.recv().await.unwrap();
		assert_eq!(name, "c");
		drop((permit, held));
		assert_eq!(admission.lock().free, 2);
		assert!(admission.lock().running.is_empty() && admission.lock().turns.is_empty());
	}

	#[tokio::test]
	async fn waiting_should_end() {
		let wait = Duration::from_millis(20);
		let bounds = Bounds { streams: 1, per_key: 1, queue: 10, wait };
		let admission = Admission::new(bounds, Arc::new(Metrics::new().unwrap()));
		let held = admission.acquire(&key("a"), 1).await.unwrap();
		let begun = Instant::now();
		assert!(matches!(admission.acquire(&key("b"), 1).await, Err(Full::Busy(_))));
		assert!(begun.elapsed() >= wait);
		assert_eq!(admission.lock().queued, 0);
		drop(held);
		assert!(admission.acquire(&key("b"), 1).await.is_ok());
	}

	#[tokio::test]
	async fn closing_should_send_everybody_away() {
		let admission = admission(1, 1, 10);
		let (said, mut heard) = mpsc::unbounded_channel();
		let held = admission.acquire(&key("a"), 1).await.unwrap();
		queue(&admission, "b", 1, &said).await;
		admission.close();
		assert_eq!(heard.recv().await.unwrap().1.unwrap_err(), Full::Closed);
		assert_eq!(admission.acquire(&key("c"), 1).await.unwrap_err(), Full::Closed);
		drop(held);
		assert_eq!(admission.lock().free, 1);
	}
}
