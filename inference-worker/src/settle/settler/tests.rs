//! Every record is settled exactly once, whatever happens to the chain, the network or this process.
#![allow(clippy::unwrap_used)]

use super::{
	super::{
		ledger::{refusal, SubmitError},
		store::Phase,
		testing::{self, Fate, Signers, World, ANCHOR, GENESIS},
	},
	*,
};
use aria_primitives::{hashing::sha256, record::Payment};
use codec::Encode;
use futures::future::{join_all, BoxFuture};
use std::{fs, sync::atomic::AtomicU64};
use tempfile::TempDir;

const GATEWAY: u8 = 100;
const START: Moment = 1_700_000_000_000;

fn pace() -> Pace {
	Pace {
		gather: 1_000,
		backoff: Backoff { first: 2_000, most: 16_000, seed: 1 },
		rules: Rules { poll: 1_000, patience: 30_000, ..Rules::default() },
		batch: grouping::Bounds { entries: 64, bytes: 256 << 10 },
		sign_within: Duration::from_millis(200),
		at_once: 4,
		per_round: 1_024,
	}
}

/// A settler that can be killed and started again.
struct Bench {
	world: Arc<World>,
	folder: TempDir,
	lives: u32,
	now: Arc<AtomicU64>,
	pace: Pace,
	signers: Option<Arc<dyn BatchSigners>>,
	settler: Arc<Settler>,
}

impl Bench {
	fn new(pace: Pace, signers: Option<Arc<dyn BatchSigners>>) -> Self {
		let folder = tempfile::tempdir().unwrap();
		let world = World::new();
		let now = Arc::new(AtomicU64::new(START));
		let store = SettlementStore::open(folder.path().join("0"), GENESIS).unwrap();
		let settler = Self::start(&world, store, &now, pace, &signers);
		Self { world, folder, lives: 0, now, pace, signers, settler }
	}

	fn start(
		world: &Arc<World>,
		store: SettlementStore,
		now: &Arc<AtomicU64>,
		pace: Pace,
		signers: &Option<Arc<dyn BatchSigners>>,
	) -> Arc<Settler> {
		let now = now.clone();
		Settler::with_clock(
			world.clone(),
			Arc::new(store),
			testing::pair(GATEWAY),
			signers.clone(),
			pace,
			Arc::new(move || now.load(Ordering::Relaxed)),
		)
	}

	/// As kill -9: the file as it is now is all that is left.
	fn crash(&mut self) {
		let old = self.folder.path().join(self.lives.to_string());
		self.lives += 1;
		let new = self.folder.path().join(self.lives.to_string());
		fs::copy(&old, &new).unwrap();
		let store = SettlementStore::open(&new, GENESIS).unwrap();
		self.settler = Self::start(&self.world, store, &self.now, self.pace, &self.signers);
		fs::remove_file(&old).unwrap();
	}

	fn pass(&self, milliseconds: u64) {
		self.now.fetch_add(milliseconds, Ordering::Relaxed);
	}

	async fn round(&self) -> Vec<BoxFuture<'static, ()>> {
		self.settler.round().await.jobs
	}

	/// A round, and its jobs to their end; how many there were.
	async fn work(&self) -> usize {
		let jobs = self.round().await;
		join_all(jobs).await.len()
	}

	fn state(&self) -> State {
		let mut pending = self.settler.status().unwrap().pending;
		assert_eq!(pending.len(), 1);
		pending.remove(0).1
	}

	/// Lets the chain go on in peace until nothing waits.
	async fn settle_all(&self) {
		self.world.set_reachable(true);
		for _ in 0..400 {
			self.pass(5_000);
			self.work().await;
			self.world.make_block();
			self.world.finalize();
			if self.settler.pending() == 0 {
				return;
			}
		}
		panic!("still pending: {:?}", self.settler.status().unwrap().pending);
	}

	fn assert_settled(&self, added: &[RecordId]) {
		let mut expected = added.to_vec();
		expected.sort();
		let mut found = self.world.final_records();
		found.sort();
		assert_eq!(found, expected);
		assert!(self.settler.status().unwrap().failed.is_empty());
		assert!(added.iter().all(|id| self.settler.store.settled(id).unwrap().is_some()));
	}
}

fn one(tag: u32) -> Settlement {
	testing::settlement(tag, &[1, 2], GATEWAY)
}

#[tokio::test]
async fn a_record_should_be_forgotten_only_when_it_is_final() {
	let bench = Bench::new(pace(), None);
	let settlement = one(1);
	let id = settlement.id;
	bench.settler.add(settlement.clone()).unwrap();
	bench.settler.add(settlement.clone()).unwrap();
	assert_eq!(bench.settler.pending(), 1);
	assert_eq!(bench.work().await, 0, "it waits for others first");

	bench.pass(1_000);
	assert_eq!(bench.work().await, 1);
	assert!(
		matches!(bench.state().phase, Phase::Included { block, .. } if block == ANCHOR.number + 1)
	);
	bench.pass(1_000);
	assert_eq!(bench.work().await, 0);
	assert_eq!(bench.settler.pending(), 1);

	bench.world.finalize();
	bench.pass(1_000);
	assert_eq!(bench.work().await, 0);
	assert_eq!(bench.settler.pending(), 0);
	bench.assert_settled(&[id]);
	bench.settler.add(settlement).unwrap();
	assert_eq!(bench.settler.pending(), 0, "it is known");
	assert_eq!(bench.world.submissions().len(), 1);
}

#[tokio::test]
async fn malformed_settlements_should_not_be_taken() {
	let bench = Bench::new(pace(), None);
	let mut foreign = one(1);
	foreign.body.latency_ms += 1;
	assert!(matches!(bench.settler.add(foreign), Err(AddError::Malformed(_))));
	let mut short = one(1);
	short.signatures = Default::default();
	assert!(matches!(bench.settler.add(short), Err(AddError::Malformed(_))));
	assert_eq!(bench.settler.pending(), 0);
}

#[tokio::test]
async fn several_should_go_as_a_batch_that_all_stages_sign() {
	let bench = Bench::new(pace(), Some(Arc::new(Signers::new(&[1, 2, 3]))));
	let all = [one(1), one(2), testing::settlement(3, &[3], GATEWAY)];
	for settlement in &all {
		bench.settler.add(settlement.clone()).unwrap();
	}
	bench.pass(1_000);
	assert_eq!(bench.work().await, 1);
	assert_eq!(bench.world.submissions()[0].len(), 3);
	bench.settle_all().await;
	bench.assert_settled(&all.map(|settlement| settlement.id));
	assert_eq!((bench.world.submissions().len(), bench.world.wasted()), (1, 0));
}

#[tokio::test]
async fn records_of_a_silent_stage_should_be_settled_alone() {
	// Nobody hears from worker 3.
	let bench = Bench::new(pace(), Some(Arc::new(Signers::new(&[1, 2]))));
	let all = [one(1), one(2), testing::settlement(3, &[3], GATEWAY)];
	for settlement in &all {
		bench.settler.add(settlement.clone()).unwrap();
	}
	bench.pass(1_000);
	assert_eq!(bench.work().await, 1);
	assert!(bench.world.submissions().is_empty());
	assert_eq!(bench.work().await, 2);
	let mut sizes: Vec<usize> = bench.world.submissions().iter().map(Vec::len).collect();
	sizes.sort_unstable();
	assert_eq!(sizes, [1, 2]);
	bench.settle_all().await;
	bench.assert_settled(&all.map(|settlement| settlement.id));
}

#[tokio::test]
async fn a_refused_batch_should_be_settled_one_by_one() {
	let bench = Bench::new(pace(), Some(Arc::new(Signers::new(&[1, 2]))));
	let all = [one(1), one(2)];
	for settlement in &all {
		bench.settler.add(settlement.clone()).unwrap();
	}
	bench.world.fate([Fate::Refused(refusal("BatchFailed"))]);
	bench.pass(1_000);
	assert_eq!(bench.work().await, 1);
	bench.settle_all().await;
	bench.assert_settled(&all.map(|settlement| settlement.id));
	let sizes: Vec<usize> = bench.world.submissions().iter().map(Vec::len).collect();
	assert_eq!(sizes, [2, 1, 1]);
}

#[tokio::test]
async fn temporary_refusals_should_be_tried_again_ever_later() {
	let bench = Bench::new(pace(), None);
	let settlement = one(1);
	bench.settler.add(settlement.clone()).unwrap();
	bench.world.fate(vec![Fate::Refused(refusal("EscrowInsufficient")); 3]);
	bench.pass(1_000);
	let mut waits = Vec::new();
	for _ in 0..3 {
		assert_eq!(bench.work().await, 1);
		let state = bench.state();
		assert!(state.last_error.unwrap().contains("EscrowInsufficient"));
		let wait = state.next_try - bench.now.load(Ordering::Relaxed);
		waits.push(wait);
		assert_eq!(bench.work().await, 0, "not before its time");
		bench.pass(wait);
	}
	assert!(waits[0] >= 1_500 && waits[1] > waits[0] && waits[2] > waits[1], "{waits:?}");
	bench.settle_all().await;
	bench.assert_settled(&[settlement.id]);
}

#[tokio::test]
async fn permanent_refusals_should_be_kept_aside_once_their_block_is_final() {
	let mut bench = Bench::new(pace(), None);
	let settlement = one(1);
	bench.settler.add(settlement.clone()).unwrap();
	bench.world.fate([Fate::Refused(refusal("TicketReplayed"))]);
	bench.pass(1_000);
	bench.work().await;
	bench.crash();
	bench.pass(1_000);
	bench.work().await;
	assert_eq!(bench.settler.pending(), 1, "the block that refused it may still be replaced");

	bench.world.make_block();
	bench.world.finalize();
	bench.pass(1_000);
	bench.work().await;
	let status = bench.settler.status().unwrap();
	assert!(status.pending.is_empty());
	assert_eq!(status.failed[0].reason, "TicketReplayed");
	assert_eq!(status.failed[0].settlement, settlement);
	assert_eq!(bench.world.submissions().len(), 1);

	bench.settler.add(settlement.clone()).unwrap();
	bench.settle_all().await;
	bench.assert_settled(&[settlement.id]);
}

#[tokio::test]
async fn a_record_that_somebody_else_settled_should_count_when_it_is_final() {
	let bench = Bench::new(pace(), None);
	let settlement = one(1);
	bench.settler.add(settlement.clone()).unwrap();
	bench.world.settle_elsewhere(settlement.id);
	bench.world.make_block();
	bench.pass(1_000);
	assert_eq!(bench.work().await, 0, "it is in the best block");
	bench.world.finalize();
	bench.pass(1_000);
	bench.work().await;
	bench.assert_settled(&[settlement.id]);
	assert!(bench.world.submissions().is_empty());

	// The same, noticed only by the chain's refusal.
	let settlement = one(2);
	bench.settler.add(settlement.clone()).unwrap();
	bench.pass(1_000);
	bench.world.fate([Fate::Refused(SubmitError::AlreadySettled)]);
	assert_eq!(bench.work().await, 1);
	assert!(matches!(bench.state().phase, Phase::Included { .. }));
	bench.world.settle_elsewhere(settlement.id);
	bench.settle_all().await;
	assert_eq!(bench.world.submissions().len(), 1);
}

#[tokio::test]
async fn a_lost_block_should_be_made_up_for() {
	let bench = Bench::new(pace(), None);
	let settlement = one(1);
	bench.settler.add(settlement.clone()).unwrap();
	bench.pass(1_000);
	bench.work().await;
	bench.world.reorg(1, false);
	bench.pass(1_000);
	assert_eq!(bench.work().await, 0, "the node may bring it back by itself");
	bench.world.finalize();
	bench.pass(1_000);
	assert_eq!(bench.work().await, 1, "the other branch is final");
	bench.settle_all().await;
	bench.assert_settled(&[settlement.id]);
	assert_eq!((bench.world.submissions().len(), bench.world.wasted()), (2, 0));
}

#[tokio::test]
async fn what_may_be_on_its_way_should_not_be_submitted_again_before_its_time() {
	for (fate, submissions) in [(Fate::Silent, 1), (Fate::Lost, 2)] {
		let bench = Bench::new(pace(), None);
		let settlement = one(1);
		bench.settler.add(settlement.clone()).unwrap();
		bench.world.fate([fate]);
		bench.pass(1_000);
		assert_eq!(bench.work().await, 1);
		bench.pass(20_000);
		assert_eq!(bench.work().await, 0);
		bench.settle_all().await;
		bench.assert_settled(&[settlement.id]);
		assert_eq!(bench.world.submissions().len(), submissions);
		assert_eq!(bench.world.wasted(), 0);
	}
}

#[tokio::test]
async fn an_unreachable_chain_should_cost_nothing() {
	let mut bench = Bench::new(pace(), None);
	let settlement = one(1);
	bench.world.set_reachable(false);
	bench.settler.add(settlement.clone()).unwrap();
	let mut last = 0;
	for _ in 0..20 {
		bench.pass(30_000);
		let round = bench.settler.round().await;
		assert!(round.jobs.is_empty());
		last = round.next - bench.now.load(Ordering::Relaxed);
	}
	assert!((12_000..=20_000).contains(&last), "{last}");
	assert_eq!(bench.state().attempts, 0);
	bench.crash();
	bench.settle_all().await;
	bench.assert_settled(&[settlement.id]);
}

#[tokio::test]
async fn a_missing_signature_should_wait_for_the_grace() {
	let bench = Bench::new(pace(), Some(Arc::new(Signers::new(&[1, 2]))));
	let partial = testing::without(one(1), 0);
	let whole = one(2);
	bench.settler.add(partial.clone()).unwrap();
	bench.settler.add(whole.clone()).unwrap();
	bench.pass(1_000);
	assert_eq!(bench.work().await, 1);
	assert_eq!(bench.world.submissions(), [vec![whole.id]]);
	bench.world.grow_to(ANCHOR.number + 19);
	bench.pass(1_000);
	assert_eq!(bench.work().await, 0);
	bench.world.grow_to(ANCHOR.number + 20);
	bench.pass(1_000);
	assert_eq!(bench.work().await, 1);
	bench.settle_all().await;
	bench.assert_settled(&[partial.id, whole.id]);
}

#[tokio::test]
async fn records_whose_time_is_over_should_be_kept_aside() {
	let bench = Bench::new(pace(), None);
	bench.settler.add(one(1)).unwrap();
	let mut ticket_first = one(2);
	let Payment::Ticket(paid) = &mut ticket_first.payment else { panic!("a ticket pays") };
	paid.ticket.expiry = ANCHOR.number + 10;
	bench.settler.add(ticket_first).unwrap();
	bench.world.grow_to(ANCHOR.number + 101);
	bench.pass(1_000);
	bench.work().await;
	assert_eq!(bench.settler.pending(), 2, "the best block is not final");
	bench.world.finalize();
	bench.pass(1_000);
	bench.work().await;
	let failed = bench.settler.status().unwrap().failed;
	assert_eq!(failed.len(), 2);
	assert!(failed.iter().all(|failed| failed.reason.contains("anchor")));
	assert!(bench.world.submissions().is_empty());
}

#[tokio::test]
async fn every_moment_of_a_crash_should_be_survived() {
	// How often each job is polled before the process dies.
	for polls in 0..3 {
		let mut bench = Bench::new(pace(), Some(Arc::new(Signers::new(&[1, 2]))));
		let all = [one(1), one(2), one(3)];
		bench.settler.add(all[0].clone()).unwrap();
		bench.crash();
		assert_eq!(bench.settler.pending(), 1, "it was on disk before `add` returned");
		for settlement in &all[1..] {
			bench.settler.add(settlement.clone()).unwrap();
		}
		bench.pass(1_000);
		let mut jobs = bench.round().await;
		for job in &mut jobs {
			for _ in 0..polls {
				if futures::poll!(&mut *job).is_ready() {
					break;
				}
			}
		}
		drop(jobs);
		bench.crash();
		// What is in the pool is included while nobody looks.
		bench.world.make_block();
		bench.settle_all().await;
		bench.crash();
		bench.assert_settled(&all.map(|settlement| settlement.id));
		assert_eq!(bench.world.wasted(), 0, "killed after {polls} polls");
	}
}

#[tokio::test]
async fn what_is_in_flight_should_be_left_alone() {
	let bench = Bench::new(Pace { at_once: 2, ..pace() }, None);
	for tag in 0..5 {
		bench.settler.add(one(tag)).unwrap();
	}
	bench.pass(1_000);
	let first = bench.round().await;
	assert_eq!(first.len(), 2);
	bench.pass(60_000);
	assert!(bench.round().await.is_empty());
	drop(first);
	assert_eq!(bench.round().await.len(), 2);
}

#[tokio::test]
async fn it_should_run_by_itself_and_stop_when_told() {
	let folder = tempfile::tempdir().unwrap();
	let store = Arc::new(SettlementStore::open(folder.path().join("s"), GENESIS).unwrap());
	let world = World::new();
	let mut pace = pace();
	pace.gather = 1;
	pace.rules.poll = 10;
	let settler = Settler::new(world.clone(), store.clone(), testing::pair(GATEWAY), None, pace);
	let shutdown = CancellationToken::new();
	let running = tokio::spawn(settler.clone().run(shutdown.clone()));
	let settlement = one(1);
	settler.add(settlement.clone()).unwrap();
	let settled = async {
		while settler.pending() > 0 {
			world.finalize();
			tokio::time::sleep(Duration::from_millis(5)).await;
		}
	};
	tokio::time::timeout(Duration::from_secs(20), settled).await.unwrap();
	assert!(store.settled(&settlement.id).unwrap().is_some());
	shutdown.cancel();
	tokio::time::timeout(Duration::from_secs(20), running).await.unwrap().unwrap();
}

/// Numbers that a seed decides.
struct Dice(u64, u64);

impl Dice {
	fn roll(&mut self, sides: u64) -> u64 {
		self.1 += 1;
		let digest = sha256(&(self.0, self.1).encode());
		u64::from_le_bytes(digest.as_bytes()[..8].try_into().unwrap()) % sides
	}
}

async fn play(seed: u64) {
	let mut dice = Dice(seed, 0);
	let mut pace = pace();
	// The chain goes on for as long as the schedule takes.
	pace.rules.anchor_age = 1_000_000;
	let signers: Option<Arc<dyn BatchSigners>> = match seed % 3 {
		0 => None,
		1 => Some(Arc::new(Signers::new(&[1, 2]))),
		_ => Some(Arc::new(Signers::new(&[1, 2, 3]))),
	};
	let mut bench = Bench::new(pace, signers);
	let mut added: Vec<RecordId> = Vec::new();
	let mut jobs: Vec<BoxFuture<'static, ()>> = Vec::new();
	for _ in 0..70 {
		match dice.roll(16) {
			0..=3 => {
				let stages: &[u8] = if dice.roll(3) == 0 { &[3] } else { &[1, 2] };
				let tag = added.len() as u32;
				let settlement = testing::settlement(tag, stages, GATEWAY);
				added.push(settlement.id);
				bench.settler.add(settlement).unwrap();
			}
			4..=6 => {
				let new = bench.round().await;
				jobs.extend(new);
			}
			7 | 8 => {
				for mut job in std::mem::take(&mut jobs) {
					if futures::poll!(&mut job).is_pending() {
						jobs.push(job);
					}
				}
			}
			9 => {
				jobs.clear();
				bench.crash();
			}
			10 => bench.world.make_block(),
			11 => bench.world.finalize(),
			12 => bench.world.reorg(1 + dice.roll(3) as usize, dice.roll(2) == 0),
			13 => bench.world.set_reachable(dice.roll(3) > 0),
			14 => {
				let fate = match dice.roll(4) {
					0 => Fate::Lost,
					1 => Fate::Silent,
					2 => Fate::Refused(refusal("BlockFull")),
					_ => Fate::Included,
				};
				bench.world.fate([fate]);
			}
			_ => {
				if let Some(id) = added.last() {
					if dice.roll(2) == 0 {
						bench.world.settle_elsewhere(*id);
					}
				}
			}
		}
		bench.pass(dice.roll(4_000));
	}
	jobs.clear();
	bench.settle_all().await;
	bench.assert_settled(&added);
}

#[tokio::test]
async fn every_record_should_be_settled_exactly_once_whatever_happens() {
	for seed in 0..9 {
		play(seed).await;
	}
}
