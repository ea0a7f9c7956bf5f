//! What the chain says of this worker, read anew at each best block, and what its owner says.

use crate::{
	limits::{Hours, Limits},
	plan::hours,
};
use aria_chain_client::{At, Chain, ChainError, Head, WorkerView};
use aria_primitives::{
	consent::{ConsentVersion, TaskType},
	AccountId, Balance, BlockNumber, Moment,
};
use std::{
	sync::atomic::{AtomicBool, AtomicU64, Ordering},
	time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::sync::watch;

/// Farthest that this machine's clock may be from the chain's, either way, in milliseconds: one minute.
/// The chain refuses records that are more than one minute ahead of its clock or more than 30 minutes
/// behind it (`docs/protocol/settlement.md`, check 8).
pub const MAX_CLOCK_OFF: i64 = 60_000;
/// Bytes of a mebibyte.
const MEBIBYTE: u64 = 1 << 20;
/// For how long the node may be away before no work is begun.
pub const MAX_AWAY: Duration = Duration::from_secs(30);

/// This worker on chain, in the state of one block.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
	/// The block; 0 before the first reading.
	pub at: BlockNumber,
	/// The consent in force.
	pub consent: Option<ConsentVersion>,
	/// The worker, if it is registered.
	pub worker: Option<WorkerView>,
	/// Stake without which no stage is paid, in planck.
	pub minimum_stake: Balance,
	/// This machine's clock minus the chain's, in milliseconds, where that can be told.
	pub clock_off: Option<i64>,
}

/// Reads what a block says. The chain's clock is compared with ours where the block is `fresh`, or in our
/// future: on a chain that makes blocks on demand an old block's time says nothing else.
///
/// # Errors
/// Those of all reads.
pub async fn read(
	chain: &Chain,
	account: &AccountId,
	head: Head,
	fresh: bool,
) -> Result<Snapshot, ChainError> {
	let (number, hash) = head.best;
	let at = At::Block(hash);
	let (consent, worker, time) = tokio::try_join!(
		chain.consent(account, at),
		chain.worker(account, at),
		chain.timestamp(at),
	)?;
	let signed = |moment: Moment| i64::try_from(moment).unwrap_or(i64::MAX);
	let off = signed(now()).saturating_sub(signed(time));
	let clock_off = (time > 0 && (fresh || off < -MAX_CLOCK_OFF)).then_some(off);
	let minimum_stake = chain.constants().minimum_stake;
	Ok(Snapshot { at: number, consent, worker, minimum_stake, clock_off })
}

/// Why a worker takes no orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
	/// The contributor paused it.
	Paused,
	/// This process ends.
	Draining,
	/// The chain was not read yet, or is away.
	Chain,
	/// It is no worker on chain.
	NotRegistered,
	/// It drains or unbonds on chain.
	Leaving,
	/// It rests on chain.
	Resting,
	/// Its stake is below the minimum.
	Stake,
	/// There is no consent in force.
	NoConsent,
	/// The consent does not have text generation among its tasks.
	Task,
	/// Outside its hours; when that changes, in words.
	Hours(String),
	/// The clocks are too far apart, in milliseconds.
	Clock(i64),
	/// The consent's memory is less than the layers that are in memory take, both in bytes.
	Memory {
		/// What the layers take.
		need: u64,
		/// What the consent allows.
		limit: u64,
	},
}

impl std::fmt::Display for Obstacle {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		match self {
			Obstacle::Paused => write!(f, "it is paused: `aria-worker resume` goes on"),
			Obstacle::Draining => write!(f, "it is ending: what runs is finished"),
			Obstacle::Chain => write!(f, "the chain is not reached: check the node"),
			Obstacle::NotRegistered => write!(f, "it is not registered on chain"),
			Obstacle::Leaving => write!(f, "it drains on chain and takes no new work"),
			Obstacle::Resting => write!(
				f,
				"it rests on chain, since it said so or missed a challenge; it says by itself that it is \
				 back"
			),
			Obstacle::Stake => write!(f, "its stake is below the minimum: add stake"),
			Obstacle::NoConsent => {
				write!(f, "there is no consent in force: set one with `run --loosen-consent`")
			}
			Obstacle::Task => write!(f, "its consent does not allow text generation"),
			Obstacle::Hours(hours) => write!(f, "outside its hours: {hours}"),
			Obstacle::Clock(off) => write!(
				f,
				"this machine's clock is {} s {} the chain's: set it, by NTP say",
				off.unsigned_abs() / 1_000,
				if *off > 0 { "ahead of" } else { "behind" }
			),
			Obstacle::Memory { need, limit } => write!(
				f,
				"its layers take {} MiB of memory, and its consent allows {}: lower what is served \
				 (models.layers) and start again, or raise the limit to {} MiB at least",
				need.div_ceil(MEBIBYTE),
				limit / MEBIBYTE,
				need.div_ceil(MEBIBYTE)
			),
		}
	}
}

/// What is in the way of work that begins at `time`, as far as the chain's `snapshot` says; the first
/// thing.
pub fn obstacle(snapshot: &Snapshot, time: Moment) -> Option<Obstacle> {
	if snapshot.at == 0 && snapshot.worker.is_none() {
		return Some(Obstacle::Chain);
	}
	if let Some(off) = snapshot.clock_off.filter(|off| off.abs() > MAX_CLOCK_OFF) {
		return Some(Obstacle::Clock(off));
	}
	let Some(worker) = &snapshot.worker else { return Some(Obstacle::NotRegistered) };
	if worker.rests() {
		return Some(Obstacle::Resting);
	}
	if !worker.active {
		return Some(Obstacle::Leaving);
	}
	if worker.stake < snapshot.minimum_stake {
		return Some(Obstacle::Stake);
	}
	let in_force = snapshot.consent.as_ref().filter(|version| version.superseded_at.is_none());
	let Some(ConsentVersion { consent, .. }) = in_force else { return Some(Obstacle::NoConsent) };
	if !consent.accepts(TaskType::TextGeneration) {
		return Some(Obstacle::Task);
	}
	if !hours::is_open(&consent.schedule, time) {
		return Some(Obstacle::Hours(Hours::at(&consent.schedule, time).to_string()));
	}
	None
}

/// What is in the way of work on layers that take `weights` bytes: a consent whose memory was lowered
/// below that. Nothing is unloaded for it; who serves less, or allows more, works again.
pub fn memory_obstacle(snapshot: &Snapshot, weights: u64) -> Option<Obstacle> {
	let version = snapshot.consent.as_ref()?;
	let limit = Limits::of(&version.consent).memory_bytes();
	(weights > limit).then_some(Obstacle::Memory { need: weights, limit })
}

/// Whether others may have what this machine has at `time`, as far as the chain's `snapshot` says:
/// shards, and a relay for those who can't be reached. That is work under the consent too, at its
/// hours. Who leaves hands over at any hour, as long as the consent was not withdrawn.
pub fn gives(snapshot: &Snapshot, time: Moment) -> bool {
	let in_force = snapshot.consent.as_ref().filter(|version| version.superseded_at.is_none());
	let leaving = snapshot.worker.as_ref().is_some_and(WorkerView::leaves);
	in_force.is_some_and(|version| leaving || version.consent.schedule.allows(time))
}

/// What this process knows of itself, shared by its parts.
pub struct Live {
	/// The chain's word.
	snapshot: watch::Sender<Snapshot>,
	/// The owner's.
	paused: AtomicBool,
	/// The process is to end.
	draining: AtomicBool,
	/// Bytes of memory of the layers that are served.
	weights: AtomicU64,
	/// Something changed that others should hear of.
	changed: watch::Sender<u64>,
}

impl Default for Live {
	fn default() -> Self {
		Self {
			snapshot: watch::Sender::new(Snapshot::default()),
			paused: AtomicBool::new(false),
			draining: AtomicBool::new(false),
			weights: AtomicU64::new(0),
			changed: watch::Sender::new(0),
		}
	}
}

impl Live {
	/// What the chain said last.
	pub fn snapshot(&self) -> Snapshot {
		self.snapshot.borrow().clone()
	}

	/// Takes what the chain says now.
	pub fn set_snapshot(&self, snapshot: Snapshot) {
		let before = self.snapshot.send_replace(snapshot.clone());
		let told = |of: &Snapshot| {
			let worker = of.worker.as_ref().map(|worker| (worker.active, worker.served.clone()));
			(of.consent.as_ref().map(|version| version.version), worker)
		};
		if told(&before) != told(&snapshot) {
			self.touch();
		}
	}

	/// Notes that others should hear of a change.
	pub fn touch(&self) {
		self.changed.send_modify(|count| *count = count.wrapping_add(1));
	}

	/// Changes with everything that others should hear of.
	pub fn changes(&self) -> watch::Receiver<u64> {
		self.changed.subscribe()
	}

	/// Whether the contributor paused it.
	pub fn is_paused(&self) -> bool {
		self.paused.load(Ordering::Acquire)
	}

	/// Pauses it, or lets it go on.
	pub fn set_paused(&self, paused: bool) {
		if self.paused.swap(paused, Ordering::AcqRel) != paused {
			self.touch();
		}
	}

	/// Whether the process is to end.
	pub fn is_draining(&self) -> bool {
		self.draining.load(Ordering::Acquire)
	}

	/// Takes no more work, for the process is to end.
	pub fn drain(&self) {
		if !self.draining.swap(true, Ordering::AcqRel) {
			self.touch();
		}
	}

	/// Bytes of memory of the layers that are served.
	pub fn weights(&self) -> u64 {
		self.weights.load(Ordering::Acquire)
	}

	/// Notes what the layers that are served take, in bytes of memory.
	pub fn set_weights(&self, bytes: u64) {
		self.weights.store(bytes, Ordering::Release);
	}

	/// What is in the way of work that begins now; the first thing.
	pub fn obstacle(&self, chain: &Chain) -> Option<Obstacle> {
		if self.is_draining() {
			return Some(Obstacle::Draining);
		}
		if self.is_paused() {
			return Some(Obstacle::Paused);
		}
		if chain.unreachable_for().is_some_and(|away| away > MAX_AWAY) {
			return Some(Obstacle::Chain);
		}
		let snapshot = self.snapshot.borrow();
		obstacle(&snapshot, now()).or_else(|| memory_obstacle(&snapshot, self.weights()))
	}
}

/// Now, in milliseconds since 1970, by this machine's clock.
pub fn now() -> Moment {
	let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
	Moment::try_from(since.as_millis()).unwrap_or(Moment::MAX)
}

/// Tells whether a block is fresh: it came while we watched, and not with the first look.
#[derive(Debug, Default)]
pub struct Freshness {
	last: Option<(BlockNumber, Instant)>,
}

impl Freshness {
	/// Takes the next best block; whether it is new since the last look.
	pub fn observe(&mut self, number: BlockNumber, now: Instant) -> bool {
		let fresh = self.last.is_some_and(|(last, _)| last < number);
		self.last = Some((number, now));
		fresh
	}
}

/// A worker in order, for tests.
#[cfg(test)]
pub(in crate::run) mod testing {
	use super::*;
	use crate::run::terms::Terms;
	use aria_chain_client::WorkerState;

	/// Monday, the first of January 2024, 00:00 UTC.
	pub const MONDAY: Moment = 1_704_067_200_000;

	/// A worker in order.
	pub fn snapshot(change: impl Fn(&mut Snapshot)) -> Snapshot {
		let account = AccountId::new([1; 32]);
		let consent = ConsentVersion {
			version: 3,
			consent: Terms::default().consent(&account, None),
			set_at: 1,
			superseded_at: None,
		};
		let worker = WorkerView {
			account,
			peer: [2; 32],
			stake: 10,
			reputation: 0,
			active: true,
			state: WorkerState::Active,
			region: 0,
			served: Vec::new(),
			settled: 0,
			registered_at: 1,
			active_at: 1,
			shared: 0,
		};
		let mut snapshot = Snapshot {
			at: 7,
			consent: Some(consent),
			worker: Some(worker),
			minimum_stake: 10,
			clock_off: Some(500),
		};
		change(&mut snapshot);
		snapshot
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::{testing::*, *};
	use aria_chain_client::WorkerState;
	use aria_primitives::consent::{Schedule, Window};
	use sp_runtime::BoundedVec;

	fn of(change: impl Fn(&mut Snapshot)) -> Option<Obstacle> {
		obstacle(&snapshot(change), MONDAY)
	}

	#[test]
	fn a_worker_in_order_should_work() {
		assert_eq!(of(|_| ()), None);
		assert_eq!(of(|s| s.clock_off = None), None);
	}

	#[test]
	fn each_obstacle_should_be_seen() {
		assert_eq!(obstacle(&Snapshot::default(), MONDAY), Some(Obstacle::Chain));
		assert_eq!(of(|s| s.worker = None), Some(Obstacle::NotRegistered));
		assert_eq!(of(|s| s.worker.as_mut().unwrap().active = false), Some(Obstacle::Leaving));
		let resting = of(|s| {
			let worker = s.worker.as_mut().unwrap();
			(worker.active, worker.state) = (false, WorkerState::Resting { since: 3 });
		});
		assert_eq!(resting, Some(Obstacle::Resting));
		assert_eq!(of(|s| s.worker.as_mut().unwrap().stake = 9), Some(Obstacle::Stake));
		assert_eq!(of(|s| s.consent = None), Some(Obstacle::NoConsent));
		let superseded = of(|s| s.consent.as_mut().unwrap().superseded_at = Some(6));
		assert_eq!(superseded, Some(Obstacle::NoConsent));
		let audits = of(|s| {
			let consent = &mut s.consent.as_mut().unwrap().consent;
			consent.task_types = BoundedVec::truncate_from(vec![TaskType::Audit]);
		});
		assert_eq!(audits, Some(Obstacle::Task));
		assert_eq!(of(|s| s.clock_off = Some(3_600_000)), Some(Obstacle::Clock(3_600_000)));
		let behind = of(|s| s.clock_off = Some(-61_000)).unwrap().to_string();
		assert!(behind.contains("61 s behind"), "{behind}");
	}

	#[test]
	fn hours_should_be_kept_to_the_minute() {
		let night = |s: &mut Snapshot| {
			s.consent.as_mut().unwrap().consent.schedule = Schedule {
				days: Schedule::ALL_DAYS,
				utc_offset_minutes: 0,
				windows: BoundedVec::truncate_from(vec![Window { from: 22 * 60, to: 7 * 60 }]),
			};
		};
		let at = |minute: u64| obstacle(&snapshot(night), MONDAY + minute * 60_000);
		assert_eq!(at(0), None);
		assert_eq!(at(6 * 60 + 58), None);
		// What begins in the last minute would end outside.
		assert!(matches!(at(6 * 60 + 59), Some(Obstacle::Hours(_))));
		assert!(matches!(at(12 * 60), Some(Obstacle::Hours(_))));
		assert_eq!(at(22 * 60), None);
	}

	#[test]
	fn a_memory_limit_below_the_layers_should_be_in_the_way() {
		let lowered = |s: &mut Snapshot| s.consent.as_mut().unwrap().consent.max_memory_mb = 3;
		let of = |weights| memory_obstacle(&snapshot(lowered), weights);
		assert_eq!(of(0), None);
		assert_eq!(of(3 << 20), None);
		let (need, limit) = ((3 << 20) + 1, 3 << 20);
		assert_eq!(of(need), Some(Obstacle::Memory { need, limit }));
		let said = of(need).unwrap().to_string();
		assert!(said.contains("4 MiB") && said.contains("allows 3"), "{said}");
		assert!(
			said.contains("lower what is served") && said.contains("raise the limit"),
			"{said}"
		);
		// Without a consent something else is in the way.
		assert_eq!(memory_obstacle(&snapshot(|s| s.consent = None), need), None);
	}

	#[test]
	fn what_is_here_should_be_given_under_the_consent_alone() {
		let of = |change: &dyn Fn(&mut Snapshot), minute: u64| {
			gives(&snapshot(|s| change(s)), MONDAY + minute * 60_000)
		};
		let night = |s: &mut Snapshot| {
			s.consent.as_mut().unwrap().consent.schedule = Schedule {
				days: Schedule::ALL_DAYS,
				utc_offset_minutes: 0,
				windows: BoundedVec::truncate_from(vec![Window { from: 22 * 60, to: 7 * 60 }]),
			};
		};
		assert!(of(&|_| (), 0));
		assert!(of(&night, 0) && !of(&night, 12 * 60));
		assert!(!of(&|s| s.consent = None, 0));
		assert!(!of(&|s| s.consent.as_mut().unwrap().superseded_at = Some(6), 0));
		// Who leaves hands over by day too, and not without a consent.
		let leaving = |s: &mut Snapshot| s.worker.as_mut().unwrap().active = false;
		let leaving_by_day = |s: &mut Snapshot| {
			night(s);
			leaving(s);
		};
		assert!(of(&leaving_by_day, 12 * 60));
		let withdrawn = |s: &mut Snapshot| {
			leaving(s);
			s.consent = None;
		};
		assert!(!of(&withdrawn, 0));
		assert!(!gives(&Snapshot::default(), MONDAY));
	}

	#[test]
	fn changes_should_be_told_once() {
		let live = Live::default();
		let mut changes = live.changes();
		live.set_snapshot(snapshot(|_| ()));
		assert!(changes.has_changed().unwrap());
		changes.mark_unchanged();
		live.set_snapshot(snapshot(|s| s.at = 8));
		live.set_paused(false);
		assert!(!changes.has_changed().unwrap());
		live.set_paused(true);
		assert!(changes.has_changed().unwrap());
	}

	#[test]
	fn only_new_blocks_should_be_fresh() {
		let mut freshness = Freshness::default();
		let now = Instant::now();
		assert!(!freshness.observe(7, now));
		assert!(!freshness.observe(7, now));
		assert!(freshness.observe(8, now));
	}
}
