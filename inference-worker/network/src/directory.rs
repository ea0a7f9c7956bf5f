//! The workers of the models that are watched: found, asked for their adverts again and again, dropped when
//! they vanish.

use crate::{
	advert::{now, FetchError},
	handle::Handle,
	wire::advert::{Advert, SignedAdvert},
	PeerKey, LOG,
};
use aria_primitives::{record::LayerRange, ModelId, Moment};
use std::{
	collections::{BTreeSet, HashMap, HashSet},
	sync::{atomic::Ordering::Relaxed, Arc},
	time::{Duration, Instant},
};
use tokio::{
	sync::{broadcast::error::RecvError, mpsc},
	task::JoinSet,
	time::{interval, MissedTickBehavior},
};

/// How often the directory looks what is due.
const TICK: Duration = Duration::from_millis(200);
/// Adverts that are fetched at the same time.
const FETCHES: usize = 32;
/// Searches for providers in one turn.
const SEARCHES: usize = 256;
/// Peers that wait to be asked.
const MAX_CANDIDATES: usize = 4_096;
/// Workers that are listed.
const MAX_KNOWN: usize = 2_048;
/// Peers that are remembered for having no advert of use.
const MAX_AVOIDED: usize = 4_096;
/// Between two searches at first, while a watched model has no worker.
const HURRY: Duration = Duration::from_secs(2);
/// Between two searches at least.
const PAUSE: Duration = Duration::from_millis(500);
/// How long a peer without an advert of use is left alone at first, and at most.
const AVOID: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(60));
/// After how long a worker that is connected and has taken its advert back, for a pause say, is asked
/// again, at first and at most.
const RETURN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(8));
/// Such workers that are remembered.
const MAX_RETURNING: usize = 512;

/// A worker of a watched model.
#[derive(Clone, PartialEq, Debug)]
pub struct KnownWorker {
	/// What it says, signed by its account and fetched from itself. That the chain binds account and peer
	/// to each other has not been looked up.
	pub advert: Advert,
	/// Who it is.
	pub peer: PeerKey,
	/// The measured round trip; `None` before the first measurement.
	pub round_trip: Option<Duration>,
	/// When it last gave its advert.
	pub seen: Instant,
}

/// A worker in the directory.
struct Known {
	advert: Advert,
	seen: Instant,
	due: Instant,
}

/// A peer that had no advert of use.
struct Avoided {
	until: Instant,
	times: u32,
}

type Fetched = (PeerKey, Result<SignedAdvert, FetchError>);

/// The task that keeps the directory.
pub(crate) struct Directory {
	handle: Handle,
	watched: HashMap<ModelId, Vec<LayerRange>>,
	known: HashMap<PeerKey, Known>,
	avoided: HashMap<PeerKey, Avoided>,
	/// Workers that took their adverts back and stayed connected.
	returning: HashMap<PeerKey, Avoided>,
	candidates: BTreeSet<PeerKey>,
	fetching: HashSet<PeerKey>,
	fetches: JoinSet<Fetched>,
	found: (mpsc::Sender<PeerKey>, mpsc::Receiver<PeerKey>),
	last_search: Option<Instant>,
	search_now: bool,
	/// Searches in a row that began without a worker of some model.
	lonely: u32,
}

impl Directory {
	pub(crate) fn new(handle: Handle) -> Self {
		Self {
			handle,
			watched: HashMap::new(),
			known: HashMap::new(),
			avoided: HashMap::new(),
			returning: HashMap::new(),
			candidates: BTreeSet::new(),
			fetching: HashSet::new(),
			fetches: JoinSet::new(),
			found: mpsc::channel(MAX_CANDIDATES),
			last_search: None,
			search_now: true,
			lonely: 0,
		}
	}

	/// Runs until the node ends.
	pub(crate) async fn run(mut self) {
		let shared = self.handle.shared().clone();
		let mut lost = shared.lost.subscribe();
		let mut ticks = interval(TICK);
		ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
		loop {
			tokio::select! {
				() = shared.shutdown.cancelled() => return,
				() = shared.changed.notified() => {
					self.watched = shared.watched();
					self.search_now = true;
				}
				peer = lost.recv() => match peer {
					Ok(peer) => self.on_lost(peer),
					// More were lost than fit: all are asked.
					Err(RecvError::Lagged(_)) => self.ask_all(),
					Err(RecvError::Closed) => return,
				},
				Some(fetched) = self.fetches.join_next() => {
					if let Ok((peer, result)) = fetched {
						self.on_fetched(peer, result);
					}
				}
				Some(peer) = self.found.1.recv() => {
					if self.candidates.len() < MAX_CANDIDATES {
						self.candidates.insert(peer);
					}
				}
				_ = ticks.tick() => {}
			}
			self.advance(Instant::now(), now());
		}
	}

	/// Does what is due and publishes what changed.
	fn advance(&mut self, instant: Instant, moment: Moment) {
		self.search(instant);
		let watched = &self.watched;
		self.known.retain(|_, known| {
			known.advert.expires_at > moment && serves_any(&known.advert, watched)
		});
		let due =
			self.known.iter().filter(|(_, known)| known.due <= instant).map(|(peer, _)| *peer);
		for peer in due.collect::<Vec<_>>() {
			self.fetch(peer);
		}
		self.ask_returning(instant);
		self.ask_candidates(instant);
		self.publish(instant, moment);
	}

	/// Asks workers that may have an advert again.
	fn ask_returning(&mut self, instant: Instant) {
		let shared = self.handle.shared();
		self.returning.retain(|peer, _| shared.is_connected(peer));
		let due = self.returning.iter().filter(|(_, returning)| returning.until <= instant);
		for peer in due.map(|(peer, _)| *peer).collect::<Vec<_>>() {
			self.fetch(peer);
		}
	}

	/// Starts to search, if it is time.
	fn search(&mut self, instant: Instant) {
		if self.watched.is_empty() {
			return;
		}
		let shared = self.handle.shared();
		let passed = self.last_search.map(|last| instant.saturating_duration_since(last));
		let lonely = self
			.watched
			.keys()
			.any(|model| !self.known.values().any(|known| serves(&known.advert, model)));
		let wait = match (self.search_now, lonely) {
			(true, _) => PAUSE,
			(false, true) => (HURRY * 2u32.pow(self.lonely.min(8))).min(shared.timing.discover),
			(false, false) => shared.timing.discover,
		};
		if passed.is_some_and(|passed| passed < wait) {
			return;
		}
		self.lonely = if lonely && !self.search_now { self.lonely.saturating_add(1) } else { 0 };
		self.last_search = Some(instant);
		self.search_now = false;
		self.candidates.extend(shared.adverts_speakers());
		let of_models = self.watched.iter().flat_map(|(model, shards)| {
			let shards = shards.iter().map(|layers| (*model, Some(*layers)));
			std::iter::once((*model, None)).chain(shards)
		});
		for (model, layers) in of_models.take(SEARCHES) {
			self.handle.search(model, layers, self.found.0.clone());
		}
	}

	/// Asks those who may be workers.
	fn ask_candidates(&mut self, instant: Instant) {
		let local = self.handle.local_peer();
		while self.fetching.len() < FETCHES {
			let Some(peer) = self.candidates.pop_first() else { return };
			let avoided = self.avoided.get(&peer).is_some_and(|avoided| avoided.until > instant);
			if peer != local && !avoided && !self.known.contains_key(&peer) {
				self.fetch(peer);
			}
		}
	}

	fn fetch(&mut self, peer: PeerKey) {
		if self.fetching.len() >= FETCHES || !self.fetching.insert(peer) {
			return;
		}
		let handle = self.handle.clone();
		self.fetches.spawn(async move { (peer, handle.refresh(peer).await) });
	}

	fn on_fetched(&mut self, peer: PeerKey, result: Result<SignedAdvert, FetchError>) {
		self.fetching.remove(&peer);
		let instant = Instant::now();
		let shared = self.handle.shared();
		match result {
			Ok(signed) if serves_any(&signed.advert, &self.watched) => {
				self.avoided.remove(&peer);
				self.returning.remove(&peer);
				if self.known.len() >= MAX_KNOWN && !self.known.contains_key(&peer) {
					return;
				}
				let due = instant + refresh_after(&signed.advert, shared.timing.refresh, now());
				let known = Known { advert: signed.advert, seen: instant, due };
				if self.known.insert(peer, known).is_none() {
					tracing::debug!(target: LOG, peer = %name(&peer), "worker found");
				}
			}
			Ok(_) => {
				self.returning.remove(&peer);
				self.drop_worker(&peer, "it serves none of the watched models now");
				self.avoid(peer, instant);
			}
			Err(error) => {
				// One that is still connected may only be busy: it stays until its advert expires.
				let gone = !shared.is_connected(&peer) || matches!(error, FetchError::Nothing);
				match self.known.get_mut(&peer) {
					Some(known) if !gone => known.due = instant + AVOID.0,
					Some(_) => {
						self.drop_worker(&peer, &error.to_string());
						self.await_return(peer, instant);
					}
					None if self.returning.contains_key(&peer) => self.await_return(peer, instant),
					None => self.avoid(peer, instant),
				}
			}
		}
	}

	fn drop_worker(&mut self, peer: &PeerKey, reason: &str) {
		self.handle.shared().adverts.forget(peer);
		if self.known.remove(peer).is_some() {
			tracing::debug!(target: LOG, peer = %name(peer), "worker dropped: {reason}");
		}
	}

	/// Asks a worker again in a while, later each time.
	fn await_return(&mut self, peer: PeerKey, instant: Instant) {
		if self.returning.len() >= MAX_RETURNING && !self.returning.contains_key(&peer) {
			return;
		}
		let returning = self.returning.entry(peer).or_insert(Avoided { until: instant, times: 0 });
		let (first, most) = RETURN;
		returning.until = instant + (first * 2u32.pow(returning.times.min(8))).min(most);
		returning.times = returning.times.saturating_add(1);
	}

	/// Leaves a peer alone for a while, longer each time.
	fn avoid(&mut self, peer: PeerKey, instant: Instant) {
		if self.avoided.len() >= MAX_AVOIDED {
			self.avoided.retain(|_, avoided| avoided.until > instant);
		}
		if self.avoided.len() >= MAX_AVOIDED {
			return;
		}
		let avoided = self.avoided.entry(peer).or_insert(Avoided { until: instant, times: 0 });
		let (first, most) = AVOID;
		avoided.until = instant + (first * 2u32.pow(avoided.times.min(8))).min(most);
		avoided.times = avoided.times.saturating_add(1);
	}

	/// A connection was lost: a worker that can't be reached any more drops out with the answer.
	fn on_lost(&mut self, peer: PeerKey) {
		if let Some(known) = self.known.get_mut(&peer) {
			known.due = Instant::now();
		}
	}

	fn ask_all(&mut self) {
		let instant = Instant::now();
		self.known.values_mut().for_each(|known| known.due = instant);
	}

	fn publish(&self, instant: Instant, moment: Moment) {
		let shared = self.handle.shared();
		let own = shared.adverts.own(moment).filter(|own| serves_any(&own.advert, &self.watched));
		let own = own.map(|own| KnownWorker {
			advert: own.advert,
			peer: shared.local,
			round_trip: Some(Duration::ZERO),
			seen: instant,
		});
		let others = self.known.iter().map(|(peer, known)| KnownWorker {
			advert: known.advert.clone(),
			peer: *peer,
			round_trip: shared.round_trip(peer),
			seen: known.seen,
		});
		let mut workers: Vec<KnownWorker> = others.chain(own).collect();
		workers.sort_unstable_by_key(|worker| worker.peer);
		shared.counters.workers.store(workers.len() as u64, Relaxed);
		shared.directory.send_if_modified(|published| {
			let changed = !same(published.as_slice(), &workers);
			if changed {
				*published = Arc::new(workers);
			}
			changed
		});
	}
}

/// Whether nothing changed, but that this node looked at itself again.
fn same(published: &[KnownWorker], workers: &[KnownWorker]) -> bool {
	published.len() == workers.len()
		&& published.iter().zip(workers).all(|(old, new)| {
			let own = new.round_trip == Some(Duration::ZERO);
			old.peer == new.peer
				&& old.advert == new.advert
				&& old.round_trip == new.round_trip
				&& (own || old.seen == new.seen)
		})
}

fn serves(advert: &Advert, model: &ModelId) -> bool {
	advert.serves.iter().any(|(served, _)| served == model)
}

fn serves_any(advert: &Advert, watched: &HashMap<ModelId, Vec<LayerRange>>) -> bool {
	advert.serves.iter().any(|(served, _)| watched.contains_key(served))
}

/// When to ask again: in time before the advert expires.
fn refresh_after(advert: &Advert, refresh: Duration, now: Moment) -> Duration {
	let left = Duration::from_millis(advert.expires_at.saturating_sub(now));
	refresh.min(left / 2)
}

fn name(peer: &PeerKey) -> String {
	crate::peer_id(peer).map(|id| id.to_string()).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	fn advert(expires_at: Moment) -> Advert {
		Advert {
			version: 1,
			account: [1; 32].into(),
			peer: [1; 32],
			addresses: Default::default(),
			serves: Default::default(),
			sessions: 0,
			capacity: 1,
			consent_version: 1,
			region: 0,
			bandwidth_mbps: 1,
			made_at: 0,
			expires_at,
		}
	}

	#[test]
	fn an_advert_should_be_renewed_before_it_expires() {
		let refresh = Duration::from_secs(10);

		assert_eq!(refresh_after(&advert(100_000), refresh, 0), refresh);
		assert_eq!(refresh_after(&advert(100_000), refresh, 96_000), Duration::from_secs(2));
		assert_eq!(refresh_after(&advert(100_000), refresh, 200_000), Duration::ZERO);
	}

	#[test]
	fn a_new_sight_of_a_worker_should_count_as_a_change() {
		let seen = Instant::now();
		let worker =
			|round_trip, seen| KnownWorker { advert: advert(1), peer: [1; 32], round_trip, seen };
		let later = seen + Duration::from_secs(1);
		let some = Some(Duration::from_millis(1));

		assert!(same(&[worker(some, seen)], &[worker(some, seen)]));
		assert!(!same(&[worker(some, seen)], &[worker(some, later)]));
		assert!(!same(&[worker(None, seen)], &[worker(some, seen)]));
		assert!(!same(&[worker(some, seen)], &[]));
		let own = Some(Duration::ZERO);
		assert!(same(&[worker(own, seen)], &[worker(own, later)]));
	}
}
