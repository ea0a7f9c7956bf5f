//! Plans out of what the network and the chain say now.

use super::{
	book::{Book, Known, Page},
	exact::plan_exact,
	live::now,
	suspects::Suspects,
};
use crate::{
	admin::report::{Passed, PlanReport, PlanStage},
	plan::{Candidate, Demand, NoPlan, Planned},
};
use aria_chain_client::{Chain, ChainError, WorkerView};
use aria_network::{wire::advert::MAX_ADVERT_LIFE, Handle, KnownWorker};
use aria_primitives::{manifest::Manifest, record::LayerRange, AccountId, Balance, ModelId};
use sp_core::crypto::Ss58Codec;
use std::{
	collections::HashMap,
	sync::{
		atomic::{AtomicU64, Ordering},
		Arc,
	},
	time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// What answers under way may cost for which each worker's stake has to answer, in planck.
pub type Held = HashMap<AccountId, Balance>;

/// Chooses who computes.
pub struct Planner {
	chain: Chain,
	handle: Handle,
	book: Arc<Book>,
	suspects: Suspects,
	/// Workers that failed an answer that they had begun.
	failed: AtomicU64,
	/// Stages of answers that somebody else took over.
	replaced: AtomicU64,
}

impl Planner {
	/// A planner that follows the chain until `shutdown`.
	pub fn start(chain: Chain, handle: Handle, shutdown: CancellationToken) -> Arc<Self> {
		let book = Book::new(chain.clone());
		tokio::spawn(book.clone().run(shutdown));
		let suspects = Suspects::default();
		let (failed, replaced) = (AtomicU64::new(0), AtomicU64::new(0));
		Arc::new(Self { chain, handle, book, suspects, failed, replaced })
	}

	/// Notes that a worker failed an answer that it had begun.
	pub fn suspect(&self, account: &AccountId) {
		self.failed.fetch_add(1, Ordering::Relaxed);
		self.suspects.note(account, Instant::now());
	}

	/// Notes how many stages of an answer somebody else took over.
	pub fn note_replaced(&self, stages: u32) {
		self.replaced.fetch_add(u64::from(stages), Ordering::Relaxed);
	}

	/// Stages that failed, and those that somebody else took over, of the answers that this gateway asked
	/// for.
	pub fn failures(&self) -> (u64, u64) {
		(self.failed.load(Ordering::Relaxed), self.replaced.load(Ordering::Relaxed))
	}

	/// Looks for workers of a model from now on.
	pub fn watch(&self, model: ModelId, manifest: &Manifest) {
		self.handle.watch(model, manifest.shards.to_vec());
		self.book.watch(model);
	}

	/// Reads the workers of a model on chain now.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn read(&self, model: ModelId) -> Result<(), ChainError> {
		self.book.read(model).await.map(|_| ())
	}

	/// The workers of a model that are heard of, or that the chain knows, beside what is `held`.
	pub fn candidates(&self, model: &ModelId, held: &Held) -> Vec<Candidate> {
		let page = self.book.page(model).unwrap_or_default();
		let minimum = self.chain.constants().minimum_stake;
		let heard = self.handle.directory().borrow().clone();
		candidates(model, &page, &heard, held, minimum, now())
	}

	/// What records of several stages can cost together, in planck, with each of these workers as one
	/// of their stages, by what the chain said last; 0 for one that it does not know.
	pub fn rooms<'a>(
		&self,
		model: &ModelId,
		workers: impl Iterator<Item = &'a AccountId>,
	) -> Vec<(AccountId, Balance)> {
		let page = self.book.page(model).unwrap_or_default();
		let room = |worker: &AccountId| page.workers.get(worker).map_or(0, |of| of.worker.room());
		workers.map(|worker| (worker.clone(), room(worker))).collect()
	}

	/// Plans, without the workers in `avoid`, and beside what is `held` of their stakes.
	///
	/// # Errors
	/// That nobody covers all layers, and why.
	pub fn plan(
		&self,
		demand: &Demand,
		avoid: &[AccountId],
		held: &Held,
	) -> Result<Planned, NoPlan> {
		let mut candidates = self.candidates(&demand.model, held);
		candidates.retain(|candidate| !avoid.contains(&candidate.account));
		self.suspects.put_last(&mut candidates, Instant::now());
		plan_exact(&candidates, demand)
	}

	/// What a plan would be, for the contributor.
	pub fn report(&self, demand: &Demand) -> PlanReport {
		report(&demand.model, self.plan(demand, &[], &Held::new()))
	}
}

/// Candidates out of the chain's `page` and the adverts that were `heard`.
///
/// A worker that the chain binds to another peer than the one that speaks for it is none; one that is
/// on chain and not heard of is, with an advert that is too old.
fn candidates(
	model: &ModelId,
	page: &Page,
	heard: &[KnownWorker],
	held: &Held,
	minimum_stake: u128,
	now: u64,
) -> Vec<Candidate> {
	let mut candidates = Vec::new();
	let room = |worker: &WorkerView| {
		let held = held.get(&worker.account).copied().unwrap_or_default();
		worker.room().saturating_sub(held).min(worker.record_limit(&page.audits))
	};
	for known in heard {
		let advert = &known.advert;
		let layers: Vec<LayerRange> = advert
			.serves
			.iter()
			.filter(|(served, _)| served == model)
			.map(|(_, layers)| *layers)
			.collect();
		if layers.is_empty() {
			continue;
		}
		let chain = page.workers.get(&advert.account);
		if chain.is_some_and(|chain| chain.worker.peer != known.peer) {
			continue;
		}
		let on_chain = chain.map(|chain| chain.worker.layers_of(model)).unwrap_or_default();
		let capacity = f32::from(advert.capacity.max(1));
		let consent = chain.and_then(|chain| chain.consent.as_ref());
		let allowed = consent.map(|version| version.consent.max_bandwidth_mbps);
		candidates.push(Candidate {
			account: advert.account.clone(),
			peer: known.peer,
			addresses: advert.addresses.clone(),
			layers: layers.into_iter().filter(|range| serves(&on_chain, range)).collect(),
			stake: chain.map_or(0, |chain| chain.worker.stake),
			minimum_stake_met: chain.is_some_and(|chain| chain.worker.stake >= minimum_stake),
			room: chain.map_or(0, |chain| room(&chain.worker)),
			reputation: chain.map_or(0, |chain| chain.worker.reputation),
			consent: chain.and_then(|chain| chain.consent.clone()),
			registered: chain.is_some(),
			active: chain.is_some_and(|chain| chain.worker.active),
			resting: chain.is_some_and(|chain| chain.worker.rests()),
			region: advert.region,
			load: f32::from(advert.sessions) / capacity,
			round_trip: known.round_trip,
			// What it says of itself counts as far as its consent goes.
			bandwidth_mbps: allowed.map_or(0, |most| most.min(advert.bandwidth_mbps)),
			records: chain.map_or(0, records),
			advert_age: Duration::from_millis(now.saturating_sub(advert.made_at)),
		});
	}
	for (account, chain) in &page.workers {
		if heard.iter().any(|known| known.advert.account == *account) {
			continue;
		}
		candidates.push(Candidate {
			account: account.clone(),
			peer: chain.worker.peer,
			addresses: Default::default(),
			layers: chain.worker.layers_of(model),
			stake: chain.worker.stake,
			minimum_stake_met: chain.worker.stake >= minimum_stake,
			room: room(&chain.worker),
			reputation: chain.worker.reputation,
			consent: chain.consent.clone(),
			registered: true,
			active: chain.worker.active,
			resting: chain.worker.rests(),
			region: chain.worker.region,
			load: 0.0,
			round_trip: None,
			bandwidth_mbps: 0,
			records: records(chain),
			// Older than any that is believed: nothing was heard of it.
			advert_age: Duration::from_millis(MAX_ADVERT_LIFE + 1_000),
		});
	}
	candidates
}

/// Whether `ranges` together have all layers of `range`.
fn serves(ranges: &[LayerRange], range: &LayerRange) -> bool {
	(range.first..range.end)
		.all(|layer| ranges.iter().any(|range| range.first <= layer && layer < range.end))
}

fn records(known: &Known) -> u32 {
	u32::try_from(known.worker.settled).unwrap_or(u32::MAX)
}

/// A plan, or that there is none, in words.
fn report(model: &ModelId, planned: Result<Planned, NoPlan>) -> PlanReport {
	let model = format!("{model:?}");
	let passed = |passed: Vec<crate::plan::PassedOver>| {
		passed
			.into_iter()
			.map(|passed| Passed {
				node: passed.account.to_ss58check(),
				code: passed.reason.code().to_owned(),
				reason: passed.reason.to_string(),
			})
			.collect()
	};
	match planned {
		Ok(planned) => {
			let standbys = planned.plan.standbys.into_iter().chain(std::iter::repeat(Vec::new()));
			let stages = planned.plan.stages.into_iter().zip(standbys);
			PlanReport {
				model,
				stages: stages
					.map(|(place, standbys)| PlanStage {
						node: place.node.to_ss58check(),
						first: place.layers.first,
						end: place.layers.end,
						standbys: standbys.iter().map(|place| place.node.to_ss58check()).collect(),
					})
					.collect(),
				uncovered: Vec::new(),
				passed: passed(planned.passed),
				retry_after_seconds: None,
			}
		}
		Err(none) => PlanReport {
			model,
			stages: Vec::new(),
			uncovered: none
				.uncovered
				.iter()
				.map(|range| format!("{}..{}", range.first, range.end))
				.collect(),
			passed: passed(none.passed),
			retry_after_seconds: none.retry_after.map(|wait| wait.as_secs().max(1)),
		},
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::run::live::testing::{snapshot, MONDAY};
	use aria_chain_client::Shard;
	use aria_network::wire::advert::{Addresses, Advert, ADVERT_VERSION};
	use aria_primitives::ARIA;
	use sp_runtime::BoundedVec;

	const MODEL: ModelId = ModelId::repeat_byte(4);
	const ALL: LayerRange = LayerRange { first: 0, end: 6 };

	fn known(served: &[LayerRange]) -> Known {
		let snapshot = snapshot(|_| ());
		let mut worker = snapshot.worker.unwrap();
		worker.served =
			served.iter().map(|layers| Shard { model: MODEL, layers: *layers }).collect();
		Known { worker, consent: snapshot.consent }
	}

	fn page(known: Known) -> Page {
		let workers = [(known.worker.account.clone(), known)].into();
		Page { at: 1, workers, ..Page::default() }
	}

	fn heard(peer: u8) -> KnownWorker {
		let advert = Advert {
			version: ADVERT_VERSION,
			account: AccountId::new([1; 32]),
			peer: [peer; 32],
			addresses: Addresses::default(),
			serves: BoundedVec::truncate_from(vec![(MODEL, ALL)]),
			sessions: 1,
			capacity: 4,
			consent_version: 3,
			region: 756,
			bandwidth_mbps: 20,
			made_at: MONDAY - 5_000,
			expires_at: MONDAY + 5_000,
		};
		KnownWorker { advert, peer: [peer; 32], round_trip: None, seen: std::time::Instant::now() }
	}

	fn of(page: &Page, heard: &[KnownWorker]) -> Vec<Candidate> {
		candidates(&MODEL, page, heard, &Held::new(), 10, MONDAY)
	}

	#[test]
	fn a_worker_should_be_what_chain_and_network_say() {
		let candidates = of(&page(known(&[ALL])), &[heard(2)]);
		let [candidate] = candidates.as_slice() else { panic!("{candidates:?}") };
		assert_eq!(candidate.layers, [ALL]);
		assert!(candidate.minimum_stake_met && candidate.active && candidate.consent.is_some());
		assert_eq!(candidate.load, 0.25);
		assert_eq!(candidate.advert_age, Duration::from_secs(5));
	}

	#[test]
	fn room_should_be_what_is_not_vested_nor_under_way() {
		let room = |shared, held, heard: &[KnownWorker]| {
			let mut known = known(&[ALL]);
			(known.worker.stake, known.worker.shared) = (10 * ARIA, shared);
			let held = Held::from([(known.worker.account.clone(), held)]);
			let candidates = candidates(&MODEL, &page(known), heard, &held, 10, MONDAY);
			candidates.first().unwrap().room
		};
		for heard in [vec![heard(2)], Vec::new()] {
			assert_eq!(room(8 * ARIA, ARIA, &heard), ARIA);
			assert_eq!(room(8 * ARIA, 3 * ARIA, &heard), 0);
			// No record costs more than three sevenths of the 5 ARIA that a false one would.
			assert_eq!(room(0, 0, &heard), 15 * ARIA / 7);
		}
		assert_eq!(of(&Page::default(), &[heard(2)]).first().unwrap().room, 0);
	}

	#[test]
	fn another_peer_should_not_speak_for_a_worker() {
		assert!(of(&page(known(&[ALL])), &[heard(3)]).is_empty());
	}

	#[test]
	fn layers_should_be_on_chain_too() {
		let half = LayerRange { first: 0, end: 3 };
		let candidates = of(&page(known(&[half])), &[heard(2)]);
		assert!(candidates.first().unwrap().layers.is_empty());
		let other = LayerRange { first: 3, end: 6 };
		let candidates = of(&page(known(&[half, other])), &[heard(2)]);
		assert_eq!(candidates.first().unwrap().layers, [ALL]);
	}

	#[test]
	fn who_is_not_heard_of_should_be_told_so() {
		let page = page(known(&[ALL]));
		let candidate = of(&page, &[]).pop().unwrap();
		assert!(
			candidate.registered && candidate.advert_age > Duration::from_millis(MAX_ADVERT_LIFE)
		);
		let stranger = of(&Page::default(), &[heard(2)]).pop().unwrap();
		assert!(!stranger.registered);
	}
}
