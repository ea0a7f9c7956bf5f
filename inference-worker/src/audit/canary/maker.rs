//! A maker of canaries at each block: rights, records, commitments, and showing them in time.

use super::{
	ledger::{CanaryLedger, Forge, Made, View},
	question::question,
	step::{step, End, Place, Step, LEAST_SLOTS},
	store::{Canary, CanaryStore},
	Accounts, Orders,
};
use crate::audit::{file::FileError, ledger::LedgerError, LOG};
use aria_primitives::{
	audit::{has_canary, prove_canary},
	AccountId, Balance, EpochIndex, RecordId, ARIA,
};
use sp_core::{crypto::Ss58Codec, sr25519, Pair, H256};
use std::{
	collections::HashMap,
	sync::{
		atomic::{AtomicU64, Ordering},
		Arc, Mutex, MutexGuard, PoisonError,
	},
	time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// What the requester of a canary is to be given, in planck.
const REQUESTER_FUNDS: Balance = 3 * ARIA;
/// What it has to have, free and in escrow together, in planck.
const LEAST_FUNDS: Balance = ARIA + ARIA / 2;
/// What who commits has to have free besides the bond, in planck: for fees.
const COMMITTER_FEES: Balance = ARIA / 10;
/// Fewest slots of an epoch that have to be left when a record is made: it has to be computed, and its
/// commitment to be in a block.
const ROOM: u64 = 4 * LEAST_SLOTS;
/// Before something that the chain refused is sent again; twice as long each time, for each costs a fee.
const REFUSED_AGAIN: Duration = Duration::from_secs(6);
/// How often that doubles.
const MOST_DOUBLINGS: u32 = 4;
/// Before it is tried again to make one.
const AGAIN: Duration = Duration::from_secs(20);

/// What a maker of canaries is made of.
pub struct MakerParts {
	/// The chain.
	pub ledger: Arc<dyn CanaryLedger>,
	/// The gateway of this process; without one, what was made is seen to, and nothing else made.
	pub forge: Option<Arc<dyn Forge>>,
	/// The worker's account.
	pub account: AccountId,
	/// The key for lots.
	pub pair: sr25519::Pair,
	/// The key that the accounts of canaries are derived from.
	pub root: sr25519::Pair,
	/// Canaries that were made.
	pub store: CanaryStore,
	/// Orders that are computed falsely.
	pub orders: Arc<Orders>,
	/// Whether the worker takes work now, and shall make canaries.
	pub willing: Arc<dyn Fn() -> bool + Send + Sync>,
}

/// What a maker did since its process began.
#[derive(Debug, Default)]
pub struct Counters {
	/// Epochs with a right.
	pub rights: AtomicU64,
	/// False records that were made.
	pub made: AtomicU64,
	/// Commitments in a block.
	pub committed: AtomicU64,
	/// Canaries that were shown.
	pub shown: AtomicU64,
	/// Those that the draw passed over.
	pub passed_over: AtomicU64,
	/// Those whose bond is lost.
	pub lost: AtomicU64,
}

/// Makes canaries, and sees to those that were made.
pub struct Maker {
	parts: MakerParts,
	/// What it did.
	pub counters: Counters,
	/// The epoch whose right is known, and when to use it: with how many slots left.
	plan: Mutex<Option<Plan>>,
	/// When it was tried last to make one.
	tried: Mutex<Option<Instant>>,
	/// How often the chain refused something of a canary, and when last.
	refused: Mutex<HashMap<RecordId, (u32, Instant)>>,
	/// The accounts whose lack of money was said.
	said: Mutex<Option<u64>>,
}

#[derive(Clone, Copy)]
struct Plan {
	epoch: EpochIndex,
	/// `None` without a right.
	slots_left: Option<u64>,
}

/// Why a canary does not go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stuck {
	#[error(transparent)]
	Ledger(#[from] LedgerError),
	#[error(transparent)]
	File(#[from] FileError),
	#[error("{0}")]
	Other(String),
}

impl Maker {
	/// A maker that goes on with what is in its store.
	///
	/// # Errors
	/// A store that can't be read.
	pub fn new(parts: MakerParts) -> Result<Arc<Self>, FileError> {
		parts.orders.set_open(parts.store.all()?.len());
		Ok(Arc::new(Self {
			parts,
			counters: Counters::default(),
			plan: Mutex::default(),
			tried: Mutex::default(),
			refused: Mutex::default(),
			said: Mutex::default(),
		}))
	}

	/// Looks at each block until `shutdown`.
	pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
		loop {
			let looked = tokio::select! {
				() = shutdown.cancelled() => return,
				looked = self.look() => looked,
			};
			if let Err(error) = looked {
				tracing::warn!(target: LOG, %error, "canaries can't be looked at");
			}
			tokio::select! {
				() = shutdown.cancelled() => return,
				() = self.parts.ledger.next_block() => {}
			}
		}
	}

	/// One look: first those that were made, which have deadlines, then whether to make one.
	pub(super) async fn look(&self) -> Result<(), Stuck> {
		let Some(view) = self.parts.ledger.view().await? else { return Ok(()) };
		let canaries = self.parts.store.all()?;
		lock(&self.refused)
			.retain(|id, _| canaries.iter().any(|canary| canary.settlement.id == *id));
		for canary in canaries {
			let id = canary.settlement.id;
			if !self.is_due(id) {
				continue;
			}
			if let Err(error) = self.advance(canary, &view).await {
				tracing::warn!(target: LOG, record = ?id, %error, "a canary does not go on");
				if matches!(error, Stuck::Ledger(LedgerError::Never(_))) {
					let mut refused = lock(&self.refused);
					let times = refused.get(&id).map_or(0, |(times, _)| *times);
					refused.insert(id, (times.saturating_add(1), Instant::now()));
				}
			}
		}
		if self.is_time(&view)? {
			if let Err(error) = self.make(&view).await {
				tracing::warn!(target: LOG, %error, "no canary is made");
			}
		}
		self.parts.orders.set_open(self.parts.store.all()?.len());
		Ok(())
	}

	// --- those that were made ------------------------------------------------------------------------

	/// Whether it is time to go on with a canary of which the chain may have refused something.
	fn is_due(&self, id: RecordId) -> bool {
		lock(&self.refused).get(&id).is_none_or(|(times, last)| {
			let doublings = times.saturating_sub(1).min(MOST_DOUBLINGS);
			last.elapsed() >= REFUSED_AGAIN.saturating_mul(1 << doublings)
		})
	}

	async fn advance(&self, mut canary: Canary, view: &View) -> Result<(), Stuck> {
		let MakerParts { ledger, store, forge, pair, root, .. } = &self.parts;
		let (id, stage, nonce) = (canary.settlement.id, canary.stage, canary.nonce);
		let hash = canary.hash(&ledger.genesis(), &self.parts.account);
		let next = step(&Place {
			best: view.best,
			epoch: view.epoch,
			slots_left: view.slots_left,
			right: canary.right,
			expiry: canary.expiry,
			given: canary.given,
			commitment: ledger.commitment(hash, canary.right).await?,
			record: ledger.fate(id).await?,
		});
		let accounts =
			|| Accounts::of(root, canary.accounts).map_err(|error| Stuck::Other(error.to_string()));
		match next {
			Step::Wait => {}
			Step::Commit => {
				ledger.commit(&accounts()?.committer, hash).await?;
				count(&self.counters.committed);
				tracing::info!(target: LOG, record = ?id, "the chain has the commitment to a canary");
			}
			Step::Settle => {
				let Some(forge) = forge else {
					return Err(Stuck::Other(
						"a canary waits to be settled: start this worker with --gateway".to_owned(),
					));
				};
				let (settlement, kept) = (canary.settlement.clone(), canary.kept.clone());
				forge.settle(settlement, kept).await.map_err(Stuck::Other)?;
				canary.given = true;
				store.keep(&canary)?;
				tracing::info!(target: LOG, record = ?id, "a canary is settled now");
			}
			Step::Reveal => {
				let requester = accounts()?.requester;
				let (_, proof) = prove_canary(pair, canary.right, &canary.seed);
				ledger.reveal(&requester, id, stage, nonce, proof).await?;
				canary.shown = true;
				store.keep(&canary)?;
				count(&self.counters.shown);
				tracing::info!(target: LOG, record = ?id, stage, "a canary was shown");
			}
			Step::Withdraw => {
				let requester = accounts()?.requester;
				ledger.withdraw(&requester, id, stage, nonce).await?;
			}
			Step::Forget(end) => self.forget(&canary, end)?,
		}
		Ok(())
	}

	fn forget(&self, canary: &Canary, end: End) -> Result<(), Stuck> {
		let id = canary.settlement.id;
		match end {
			End::Unmade => {
				tracing::info!(target: LOG, record = ?id, "a canary came to nothing in time");
			}
			End::Shown => {
				tracing::info!(target: LOG, record = ?id, "the audit of a canary is over")
			}
			End::PassedOver => {
				count(&self.counters.passed_over);
				tracing::info!(target: LOG, record = ?id, "a canary was not drawn; its bond is free");
			}
			End::Lost => {
				count(&self.counters.lost);
				tracing::error!(
					target: LOG, record = ?id,
					"the bond of a canary is lost: it was not settled, or not shown, in time. Keep \
					 worker and node running, or set audit.canaries = false"
				);
			}
		}
		// By then anybody knows the accounts, or they may have been seen together.
		let fresh = canary.given && end != End::PassedOver;
		Ok(self.parts.store.forget(canary, fresh)?)
	}

	// --- making one ----------------------------------------------------------------------------------

	/// Whether a canary is to be made now.
	fn is_time(&self, view: &View) -> Result<bool, Stuck> {
		let epoch = view.epoch;
		if self.parts.forge.is_none() || !(self.parts.willing)() || view.slots_left < ROOM {
			return Ok(false);
		}
		let known = lock(&self.plan).filter(|plan| plan.epoch == epoch);
		let plan = match known {
			Some(plan) => plan,
			None => {
				let plan = Plan { epoch, slots_left: self.right(view) };
				*lock(&self.plan) = Some(plan);
				if plan.slots_left.is_some() {
					count(&self.counters.rights);
					tracing::info!(target: LOG, epoch, "a right to make a canary");
				}
				plan
			}
		};
		if plan.slots_left.is_none_or(|slots| view.slots_left > slots) {
			return Ok(false);
		}
		let store = &self.parts.store;
		if view.used >= Some(epoch) || store.has_used(epoch)? {
			return Ok(false);
		}
		// One at a time for each pair of accounts: who shows one shows the accounts of the others.
		let number = store.accounts()?;
		if store.all()?.iter().any(|canary| canary.accounts == number) {
			return Ok(false);
		}
		let mut tried = lock(&self.tried);
		let is_due = tried.is_none_or(|tried| tried.elapsed() >= AGAIN);
		if is_due {
			*tried = Some(Instant::now());
		}
		Ok(is_due)
	}

	/// When to use the right of this epoch, if there is one: with how many slots left, at random, so that
	/// canaries are not known by their time.
	fn right(&self, view: &View) -> Option<u64> {
		let lots = &view.lots;
		if lots.epoch != view.epoch || view.stake == 0 {
			return None;
		}
		let (number, _) = prove_canary(&self.parts.pair, lots.epoch, &lots.seed);
		let right = has_canary(number, lots.audits, view.rate, view.stake, lots.total);
		let spare = view.slots_left.saturating_sub(ROOM);
		right.then(|| ROOM.saturating_add(rand::random::<u64>() % spare.saturating_add(1)))
	}

	async fn make(&self, view: &View) -> Result<(), Stuck> {
		let MakerParts { store, forge, root, account, .. } = &self.parts;
		let Some(forge) = forge else { return Ok(()) };
		let number = store.accounts()?;
		let accounts =
			Accounts::of(root, number).map_err(|error| Stuck::Other(error.to_string()))?;
		if !self.is_funded(&accounts, number, view.bond).await? {
			return Ok(());
		}
		let made = forge.make(&accounts, question()).await.map_err(Stuck::Other)?;
		let Made { stage, settlement, kept, expiry } = made;
		let mine = settlement.body.stages.get(usize::from(stage));
		if mine.is_none_or(|mine| mine.node != *account) {
			return Err(Stuck::Other("the false stage is another worker's".to_owned()));
		}
		let canary = Canary {
			right: view.epoch,
			seed: view.lots.seed,
			accounts: number,
			stage,
			nonce: H256(rand::random()),
			expiry,
			settlement,
			kept,
			given: false,
			shown: false,
		};
		store.keep(&canary)?;
		count(&self.counters.made);
		let id = canary.settlement.id;
		tracing::info!(target: LOG, record = ?id, epoch = view.epoch, "a canary was made");
		// Its epoch may be over, or soon.
		match self.parts.ledger.view().await? {
			Some(view) => self.advance(canary, &view).await,
			None => Ok(()),
		}
	}

	/// Whether the accounts have what a canary takes; says once what they lack.
	async fn is_funded(
		&self,
		accounts: &Accounts,
		number: u64,
		bond: Balance,
	) -> Result<bool, Stuck> {
		let ledger = &self.parts.ledger;
		let (requester, committer) = (account(&accounts.requester), account(&accounts.committer));
		let (asks, commits) = (ledger.funds(&requester).await?, ledger.funds(&committer).await?);
		let needed = bond.saturating_add(COMMITTER_FEES);
		let short = asks.free.saturating_add(asks.escrow) < LEAST_FUNDS || commits.free < needed;
		let mut said = lock(&self.said);
		if short && *said != Some(number) {
			*said = Some(number);
			tracing::warn!(
				target: LOG,
				requester = %requester.to_ss58check(),
				committer = %committer.to_ss58check(),
				"no canaries: transfer {} ARIA to the requester and {} to the committer, not from this \
				 worker's account and not from one account to both, or everybody knows them; or set \
				 audit.canaries = false",
				REQUESTER_FUNDS as f64 / ARIA as f64,
				needed as f64 / ARIA as f64
			);
		}
		Ok(!short)
	}
}

fn account(pair: &sr25519::Pair) -> AccountId {
	AccountId::from(pair.public())
}

fn count(counter: &AtomicU64) {
	counter.fetch_add(1, Ordering::Relaxed);
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
	mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
