//! A verifier at each block: lots, hand-overs, re-runs, and what the chain is told, in time.

mod act;
mod runs;

use super::{
	file::FileError,
	ledger::{Docket, LedgerError, Open, Standing, Window},
	parts::{Counters, VerifierParts},
	step::{step, Place, Step},
	store::{Case, Key},
	turns::Turns,
	LOG,
};
use aria_engine::{audit::Rerun, model::Cancel, EngineError};
use aria_primitives::{
	audit::{Handover, MAX_ROUNDS},
	RecordId,
};
use futures::{stream, StreamExt};
use sp_core::H256;
use std::{
	collections::{HashMap, HashSet},
	fs, io,
	sync::{Arc, Mutex, MutexGuard, PoisonError},
	time::{Duration, Instant},
};
use tokio::{
	sync::{Notify, Semaphore},
	time::sleep,
};
use tokio_util::sync::CancellationToken;

/// Audits whose standing is read together.
const AT_ONCE: usize = 8;
/// Reveals, openings and answers to what was posted that are on their way at once: a bond is lost without
/// them. Each waits for a block.
const MOST_OWED: usize = 64;
/// Commitments that are on their way at once.
const MOST_COMMITS: usize = 32;
/// Gateways that are asked at once. Each may take its time, and keeps nobody else from a deadline.
const MOST_ASKED: usize = 16;
/// Audits with something on chain that is to be revealed or opened yet. With more nothing is committed to:
/// as many reveals can be sent in one window, if they all fall due together.
const MOST_OPEN: usize = 1_000;
/// Spools that are read at once.
const MOST_READ: usize = 4;
/// Between two questions to a gateway about one record.
const ASK_AGAIN: Duration = Duration::from_secs(10);
/// Before a re-run that failed is tried again; twice as long each time.
const RUN_AGAIN: Duration = Duration::from_secs(20);
/// Before something that was not taken is sent again; twice as long each time, for each costs a fee.
const SEND_AGAIN: Duration = Duration::from_secs(3);
/// How often a pause doubles.
const MOST_DOUBLINGS: u32 = 4;
/// How long weights may take to come.
const FETCH_LIMIT: Duration = Duration::from_secs(300);
/// Before the next look where something has ended and no block has come.
const SOON: Duration = Duration::from_secs(1);
/// Lots that are remembered, so that none is drawn at every block.
const MOST_LOTS: usize = 100_000;

/// A worker that runs others' records again.
pub struct Verifier {
	parts: VerifierParts,
	/// What it did.
	pub counters: Counters,
	/// Rounds without a seat, each with its seed: where a block is replaced, the round has another.
	passed: Mutex<HashSet<(Key, H256)>>,
	/// Rounds that are over for this verifier.
	over: Mutex<HashSet<Key>>,
	/// By which seed a case's seat was drawn.
	seeds: Mutex<HashMap<Key, H256>>,
	/// How often something was tried, and when last.
	tried: Mutex<HashMap<(Key, Step), (u32, Instant)>>,
	/// What goes on about a case besides its run.
	going: Mutex<HashMap<Key, Lane>>,
	/// Re-runs that go on or wait for their turn.
	running: Mutex<HashMap<Key, Cancel>>,
	/// Cases that are to be opened and whose spool is not whole.
	lost: Mutex<HashSet<Key>>,
	/// One run at a time: each takes all the lanes that there are.
	turns: Turns,
	/// Places to read spools.
	reading: Semaphore,
	/// Something has ended: there is room for something else.
	ended: Notify,
}

/// What has places of its own, so that nothing starves what a bond hangs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lane {
	/// A bond is lost without it.
	Owed,
	/// A commitment that nobody waits for.
	Commit,
	/// A question to a gateway, and the claim that it does not answer.
	Ask,
}

/// What is next about a case.
struct Todo {
	case: Case,
	open: Open,
	standing: Standing,
	step: Step,
}

impl Todo {
	/// Whether a bond is lost if nothing more is done in time.
	fn is_owed(&self) -> bool {
		matches!(self.standing, Standing::Rebutted | Standing::Committed | Standing::Revealed)
	}

	fn lane(&self) -> Lane {
		match self.step {
			_ if self.is_owed() => Lane::Owed,
			Step::Commit => Lane::Commit,
			_ => Lane::Ask,
		}
	}
}

/// A case about which something goes on, until this is dropped.
struct Going(Arc<Verifier>, Key);

impl Drop for Going {
	fn drop(&mut self) {
		lock(&self.0.going).remove(&self.1);
		self.0.ended.notify_one();
	}
}

/// Why an audit does not go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stuck {
	#[error(transparent)]
	Ledger(#[from] LedgerError),
	#[error(transparent)]
	File(#[from] FileError),
	#[error(transparent)]
	Engine(#[from] EngineError),
	#[error(transparent)]
	Unfit(#[from] super::found::Unfit),
	#[error("{0}")]
	Other(String),
}

impl Verifier {
	/// A verifier that has done nothing yet.
	pub fn new(parts: VerifierParts) -> Arc<Self> {
		Arc::new(Self {
			parts,
			counters: Counters::default(),
			passed: Mutex::default(),
			over: Mutex::default(),
			seeds: Mutex::default(),
			tried: Mutex::default(),
			going: Mutex::default(),
			running: Mutex::default(),
			lost: Mutex::default(),
			turns: Turns::default(),
			reading: Semaphore::new(MOST_READ),
			ended: Notify::new(),
		})
	}

	/// Looks at each block until `shutdown`.
	pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
		if let Err(error) = self.sweep() {
			tracing::warn!(target: LOG, %error, "what earlier audits left can't be removed");
		}
		loop {
			let looked = tokio::select! {
				() = shutdown.cancelled() => break,
				looked = self.look() => looked,
			};
			if let Err(error) = looked {
				tracing::debug!(target: LOG, %error, "audits can't be looked at");
			}
			tokio::select! {
				() = shutdown.cancelled() => break,
				() = self.parts.ledger.next_block() => {}
				() = self.soon() => {}
			}
		}
		for cancel in lock(&self.running).values() {
			cancel.cancel();
		}
	}

	async fn soon(&self) {
		self.ended.notified().await;
		sleep(SOON).await;
	}

	/// One look at everything that is under audit. What takes long goes on behind it.
	pub(super) async fn look(self: &Arc<Self>) -> Result<(), Stuck> {
		let docket = self.parts.ledger.docket().await?;
		self.draw(&docket)?;
		let cases = self.parts.store.all()?;
		let best = docket.at;
		let going: HashSet<RecordId> = docket.open.iter().map(|open| open.lots.record).collect();
		let rounds: HashMap<Key, &Open> =
			docket.open.iter().map(|open| (key_of(open), open)).collect();
		let found: Mutex<Vec<Todo>> = Mutex::default();
		stream::iter(cases)
			.for_each_concurrent(AT_ONCE, |case| {
				let open = rounds.get(&case.key).copied();
				let goes_on = going.contains(&case.key.record);
				let found = &found;
				async move {
					let key = case.key;
					match self.next(case, open, goes_on, best).await {
						Ok(todo) => lock(found).extend(todo),
						Err(error) => said(&key, &error),
					}
				}
			})
			.await;
		self.begin(found.into_inner().unwrap_or_else(PoisonError::into_inner));
		Ok(())
	}

	/// Draws a lot in each round that is new.
	fn draw(&self, docket: &Docket) -> Result<(), Stuck> {
		for open in &docket.open {
			let (key, seed) = (key_of(open), open.lots.seed);
			let is_open = open.window == Window::Commit && docket.at < open.until;
			if !is_open || lock(&self.over).contains(&key) {
				continue;
			}
			if lock(&self.passed).contains(&(key, seed)) || self.parts.store.get(&key)?.is_some() {
				continue;
			}
			match open.lots.draw(&self.parts.pair, open.stake) {
				Some(seat) => {
					Counters::count(&self.counters.seats);
					tracing::info!(
						target: LOG, record = ?key.record, round = key.round, "a seat in an audit"
					);
					self.parts.store.keep(&Case::new(key, seat))?;
					lock(&self.seeds).insert(key, seed);
				}
				None => note(&self.passed, (key, seed)),
			}
		}
		Ok(())
	}

	/// Whether a case's seat is one of the round as the chain has it now: the block that began it may have
	/// been replaced by another, with another seed.
	fn is_drawn(&self, case: &Case, open: &Open) -> bool {
		let (key, seed) = (case.key, open.lots.seed);
		if lock(&self.seeds).get(&key).is_some_and(|drawn| *drawn == seed) {
			return true;
		}
		let seat = open.lots.draw(&self.parts.pair, open.stake);
		let is_drawn = seat.is_some_and(|seat| seat.output == case.output);
		if is_drawn {
			lock(&self.seeds).insert(key, seed);
		}
		is_drawn
	}

	/// What is next about a case; `None` where it has no round. `goes_on`: its record is under audit
	/// still, in whatever round.
	async fn next(
		&self,
		case: Case,
		open: Option<&Open>,
		goes_on: bool,
		best: u32,
	) -> Result<Option<Todo>, Stuck> {
		let Key { record, round } = case.key;
		let Some(open) = open else {
			self.end(&case, goes_on, Standing::Nothing)?;
			return Ok(None);
		};
		let standing = self.parts.ledger.standing(record, round).await?;
		let is_new = open.window == Window::Commit && standing == Standing::Nothing;
		if is_new && !self.is_drawn(&case, open) {
			tracing::info!(target: LOG, ?record, round, "a round has another seed: drawn again");
			self.remove(&case.key)?;
			return Ok(None);
		}
		let step = step(&Place {
			best,
			window: open.window,
			until: open.until,
			length: open.length,
			handed: case.handed.is_some(),
			found: case.found.is_some(),
			standing,
		});
		let step = match step {
			Step::Forget => {
				self.end(&case, goes_on, standing)?;
				return Ok(None);
			}
			Step::Open if lock(&self.lost).contains(&case.key) => Step::Run,
			step => step,
		};
		Ok(Some(Todo { case, open: open.clone(), standing, step }))
	}

	/// Begins what is most urgent, as far as there are places. Nothing is waited for.
	fn begin(self: &Arc<Self>, mut todo: Vec<Todo>) {
		let owed = todo.iter().filter(|todo| todo.is_owed()).count();
		// The first to end goes first, and of those a bond. Who was asked often gives way to others.
		todo.sort_by_cached_key(|todo| {
			let asked =
				if todo.lane() == Lane::Ask { self.tries(todo.case.key, todo.step) } else { 0 };
			(asked, todo.open.until, !todo.is_owed())
		});
		for todo in todo {
			match todo.step {
				Step::Wait | Step::Forget => {}
				Step::Run => self.begin_run(todo),
				Step::Commit if !todo.is_owed() && owed >= MOST_OPEN => {}
				_ => self.begin_act(todo),
			}
		}
	}

	fn begin_act(self: &Arc<Self>, todo: Todo) {
		let (key, lane) = (todo.case.key, todo.lane());
		let most = match lane {
			Lane::Owed => MOST_OWED,
			Lane::Commit => MOST_COMMITS,
			Lane::Ask => MOST_ASKED,
		};
		{
			let mut going = lock(&self.going);
			let taken = going.values().filter(|other| **other == lane).count();
			if going.contains_key(&key) || taken >= most || !self.is_due(key, todo.step) {
				return;
			}
			going.insert(key, lane);
		}
		let going = Going(self.clone(), key);
		tokio::spawn(async move {
			let Going(this, _) = &going;
			if let Err(error) = this.act(todo).await {
				said(&key, &error);
			}
		});
	}

	/// Keeps a case as it is now, unless it was ended meanwhile.
	fn keep(&self, case: &Case) -> Result<(), Stuck> {
		let kept = self.parts.store.get(&case.key)?;
		if kept.is_some_and(|kept| kept.output == case.output) {
			self.parts.store.keep(case)?;
		}
		Ok(())
	}

	/// Query and tokens of a record that this verifier found to be false, while its audit goes on.
	///
	/// # Errors
	/// A file that can't be read.
	pub fn accused(&self, record: RecordId) -> Result<Option<Handover>, FileError> {
		for round in 0..MAX_ROUNDS {
			let key = Key { record, round: u8::try_from(round).unwrap_or(u8::MAX) };
			if let Some(case) = self.parts.store.get(&key)?.filter(Case::accuses) {
				return Ok(case.handed);
			}
		}
		Ok(None)
	}

	/// Ends a case. What an accusation was made of is kept as long as the audit goes on: it may be
	/// contested (`docs/protocol/dispute.md`).
	fn end(&self, case: &Case, goes_on: bool, standing: Standing) -> Result<(), Stuck> {
		if goes_on && case.accuses() {
			// All that was to be opened has been.
			return Ok(Rerun::remove(&self.spool(&case.key)?)?);
		}
		self.forget(case, standing)
	}

	fn forget(&self, case: &Case, standing: Standing) -> Result<(), Stuck> {
		if case.found.is_none() && standing == Standing::Nothing {
			Counters::count(&self.counters.missed);
		}
		note(&self.over, case.key);
		self.remove(&case.key)
	}

	/// Removes everything that is kept of a case.
	fn remove(&self, key: &Key) -> Result<(), Stuck> {
		self.end_run(key);
		self.parts.store.forget(key)?;
		lock(&self.tried).retain(|(tried, _), _| tried != key);
		lock(&self.seeds).remove(key);
		lock(&self.lost).remove(key);
		Ok(Rerun::remove(&self.spool(key)?)?)
	}

	/// Removes the spools that an earlier process left of cases that are not kept.
	pub(super) fn sweep(&self) -> Result<(), Stuck> {
		let failed = |error: io::Error| Stuck::Other(error.to_string());
		let files = match fs::read_dir(&self.parts.folder) {
			Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
			files => files.map_err(failed)?,
		};
		let cases = self.parts.store.all()?;
		let kept: HashSet<String> = cases.iter().map(|case| case.key.name()).collect();
		for file in files {
			let file = file.map_err(failed)?;
			let name = file.file_name();
			if name.to_str().is_some_and(|name| Key::is_name(name) && !kept.contains(name)) {
				Rerun::remove(&file.path())?;
			}
		}
		Ok(())
	}

	/// How often something was tried.
	fn tries(&self, key: Key, what: Step) -> u32 {
		lock(&self.tried).get(&(key, what)).map_or(0, |(tries, _)| *tries)
	}

	/// Something may be tried again at once.
	fn untry(&self, key: Key, what: Step) {
		lock(&self.tried).remove(&(key, what));
	}

	/// Whether it is time to try something again; takes note that it is tried now.
	fn is_due(&self, key: Key, what: Step) -> bool {
		let now = Instant::now();
		let mut tried = lock(&self.tried);
		let (tries, last) = tried.get(&(key, what)).copied().unzip();
		let tries = tries.unwrap_or(0);
		let is_due =
			last.is_none_or(|last| now.saturating_duration_since(last) >= pause(what, tries));
		if is_due {
			tried.insert((key, what), (tries.saturating_add(1), now));
		}
		is_due
	}
}

/// Before something is tried once more that was tried so often.
fn pause(what: Step, tries: u32) -> Duration {
	let doublings = tries.saturating_sub(1).min(MOST_DOUBLINGS);
	match what {
		Step::Ask | Step::Read => ASK_AGAIN,
		Step::Run => RUN_AGAIN.saturating_mul(1 << doublings),
		_ => SEND_AGAIN.saturating_mul(1 << doublings),
	}
}

/// Remembers something, and forgets all else where that is too much.
fn note<T: Eq + std::hash::Hash>(all: &Mutex<HashSet<T>>, one: T) {
	let mut all = lock(all);
	if all.len() >= MOST_LOTS {
		all.clear();
	}
	all.insert(one);
}

fn said(key: &Key, error: &Stuck) {
	tracing::warn!(
		target: LOG, record = ?key.record, round = key.round, %error, "an audit does not go on"
	);
}

fn key_of(open: &Open) -> Key {
	Key { record: open.lots.record, round: open.lots.round }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
	mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
