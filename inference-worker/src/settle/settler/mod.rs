//! From pending to final.
//!
//! A *round* looks at everything that is due, asks the chain where it is, and hands out jobs: each
//! submits one settlement or one batch. Rounds are short, jobs wait for a block. What a job holds is *in
//! flight* and no round touches it, so that nothing is submitted twice at the same time.

mod jobs;
mod round;
#[cfg(test)]
mod tests;

pub use round::Round;

use super::{
	backoff::Backoff,
	batch::BatchSigners,
	grouping,
	ledger::Ledger,
	rules::Rules,
	store::{Failed, SettlementStore, State, StoreError},
};
use aria_primitives::{record::Settlement, AccountId, Moment, RecordId};
use sp_core::{sr25519, Pair};
use std::{
	collections::HashSet,
	sync::{
		atomic::{AtomicU32, Ordering},
		Arc, Mutex, MutexGuard, PoisonError,
	},
	time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{sync::Notify, task::JoinSet};
use tokio_util::sync::CancellationToken;

/// How fast, how many at once, and how patient.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
	/// Milliseconds that a new settlement waits for others to go with it.
	pub gather: u64,
	/// Waits after failures.
	pub backoff: Backoff,
	/// The chain's rules, and patience with it.
	pub rules: Rules,
	/// Bounds of a batch.
	pub batch: grouping::Bounds,
	/// How long stages have to sign a batch.
	pub sign_within: Duration,
	/// Most submissions at once.
	pub at_once: usize,
	/// Most settlements of one round.
	pub per_round: usize,
}

impl Default for Pace {
	fn default() -> Self {
		Self {
			gather: 1_000,
			backoff: Backoff { first: 2_000, most: 60_000, seed: rand::random() },
			rules: Rules::default(),
			// Far below the chain's limit for a block's bytes, so that others fit in too.
			batch: grouping::Bounds { entries: 64, bytes: 256 << 10 },
			sign_within: Duration::from_secs(5),
			at_once: 4,
			per_round: 1_024,
		}
	}
}

/// Why a settlement is not taken.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
	/// It contradicts itself; a defect of whoever made it.
	#[error("the settlement is malformed: {0}")]
	Malformed(&'static str),
	/// It can't be kept.
	#[error(transparent)]
	Store(#[from] StoreError),
}

/// What there is to see of the settler's work.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Status {
	/// What waits, ascending by id.
	pub pending: Vec<(RecordId, State)>,
	/// What can't be settled, ascending by id.
	pub failed: Vec<Failed>,
	/// How many settled records are remembered.
	pub settled: u64,
}

/// Submits, batches and retries settlements until each is in a final block.
pub struct Settler {
	chain: Arc<dyn Ledger>,
	store: Arc<SettlementStore>,
	gateway: sr25519::Pair,
	account: AccountId,
	signers: Option<Arc<dyn BatchSigners>>,
	pace: Pace,
	clock: Arc<dyn Fn() -> Moment + Send + Sync>,
	wake: Notify,
	flying: Mutex<Flying>,
	/// Rounds in a row in which the chain was not reached.
	unreached: AtomicU32,
}

/// What jobs hold.
#[derive(Default)]
struct Flying {
	jobs: usize,
	ids: HashSet<RecordId>,
}

impl Settler {
	/// A settler of what is in `store`. `gateway` signs batches; without `signers` each record is settled
	/// alone.
	pub fn new(
		chain: Arc<dyn Ledger>,
		store: Arc<SettlementStore>,
		gateway: sr25519::Pair,
		signers: Option<Arc<dyn BatchSigners>>,
		pace: Pace,
	) -> Arc<Self> {
		Self::with_clock(chain, store, gateway, signers, pace, Arc::new(system_time))
	}

	/// As [`Settler::new`], with another clock: milliseconds since the Unix epoch.
	pub fn with_clock(
		chain: Arc<dyn Ledger>,
		store: Arc<SettlementStore>,
		gateway: sr25519::Pair,
		signers: Option<Arc<dyn BatchSigners>>,
		pace: Pace,
		clock: Arc<dyn Fn() -> Moment + Send + Sync>,
	) -> Arc<Self> {
		Arc::new(Self {
			chain,
			store,
			account: AccountId::from(gateway.public()),
			gateway,
			signers,
			pace,
			clock,
			wake: Notify::new(),
			flying: Mutex::default(),
			unreached: AtomicU32::new(0),
		})
	}

	/// Takes over a settlement: it is on disk when this returns, and [`Settler::run`] sees to the rest. One
	/// that is known already stays as it is; one that was kept aside is tried again.
	///
	/// # Errors
	/// [`AddError`].
	pub fn add(&self, settlement: Settlement) -> Result<(), AddError> {
		if settlement.body.id(&self.store.genesis()) != settlement.id {
			return Err(AddError::Malformed("its id is not that of its body on this chain"));
		}
		if settlement.signatures.len() != settlement.body.stages.len() {
			return Err(AddError::Malformed("there is not one place for each stage's signature"));
		}
		let state = State::fresh(self.now(), self.pace.gather);
		let written = self.store.insert(&settlement, &state)?;
		tracing::debug!(target: "aria::settle", id = ?settlement.id, written, "a settlement is kept");
		self.wake.notify_one();
		Ok(())
	}

	/// How many settlements are not final yet; those kept aside are not counted.
	pub fn pending(&self) -> usize {
		match self.store.pending() {
			Ok(count) => usize::try_from(count).unwrap_or(usize::MAX),
			Err(error) => {
				tracing::error!(target: "aria::settle", %error, "pending settlements can't be counted");
				0
			}
		}
	}

	/// All that waits and all that was kept aside.
	///
	/// # Errors
	/// A failure of the store.
	pub fn status(&self) -> Result<Status, StoreError> {
		Ok(Status {
			pending: self.store.states()?,
			failed: self.store.failed()?,
			settled: self.store.settled_count()?,
		})
	}

	/// Works until `shutdown`. What is under way then is dropped: all that matters of it is on disk.
	pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
		let mut jobs = JoinSet::new();
		loop {
			let round = tokio::select! {
				() = shutdown.cancelled() => break,
				round = self.round() => round,
			};
			for job in round.jobs {
				jobs.spawn(job);
			}
			let wait = Duration::from_millis(round.next.saturating_sub(self.now()));
			tokio::select! {
				() = shutdown.cancelled() => break,
				() = self.wake.notified() => {}
				() = tokio::time::sleep(wait) => {}
			}
			while let Some(ended) = jobs.try_join_next() {
				if let Err(error) = ended {
					tracing::error!(target: "aria::settle", %error, "a submission broke off");
				}
			}
		}
	}

	fn now(&self) -> Moment {
		(self.clock)()
	}

	fn flying(&self) -> MutexGuard<'_, Flying> {
		self.flying.lock().unwrap_or_else(PoisonError::into_inner)
	}

	/// Counts another round without the chain; the first of them says so.
	fn count_unreached(&self, error: &dyn std::error::Error) -> u32 {
		let before = self.unreached.fetch_add(1, Ordering::Relaxed);
		if before == 0 {
			tracing::warn!(target: "aria::settle", %error, "settlements wait until the chain is reached again");
		}
		before.saturating_add(1)
	}

	fn reached(&self) {
		if self.unreached.swap(0, Ordering::Relaxed) > 0 {
			tracing::info!(target: "aria::settle", "the chain is reached again");
		}
	}
}

fn system_time() -> Moment {
	let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
	u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
