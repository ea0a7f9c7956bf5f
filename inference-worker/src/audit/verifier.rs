//! A verifier at each block: lots, hand-overs, re-runs, and what the chain is told, in time.

use super::{
	ask::is_of,
	conduct::Limited,
	file::FileError,
	found::{commitment, openings},
	ledger::{Action, Docket, LedgerError, Open, Standing, Window},
	parts::{Counters, NoHandover, VerifierParts},
	seal::unseal,
	step::{step, Place, Step},
	store::{Case, Found, Key},
	LOG,
};
use aria_engine::{
	audit::{run, Rerun, Subject},
	model::Cancel,
	package::Package,
	text::ChatTokenizer,
	EngineError,
};
use aria_network::wire::audit::AuditRequest;
use aria_primitives::{
	audit::{FindingKind, Handover, Named, MAX_ROUNDS},
	hashing::sha256,
	record::{RecordBody, RecordEntry},
	RecordId,
};
use codec::Encode;
use futures::{stream, StreamExt};
use sp_core::H256;
use std::{
	collections::{HashMap, HashSet},
	fs,
	path::PathBuf,
	sync::{atomic::AtomicU64, Arc, Mutex, MutexGuard, PoisonError},
	time::{Duration, Instant},
};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Audits that are looked at together: each may wait for a block.
const AT_ONCE: usize = 8;
/// Between two questions to a gateway about one record.
const ASK_AGAIN: Duration = Duration::from_secs(10);
/// Before a re-run that failed is tried again.
const RUN_AGAIN: Duration = Duration::from_secs(20);
/// Most bytes on the disk for one re-run.
const MOST_SPOOL: u64 = 4 << 30;
/// Lots that are remembered, so that none is drawn at every block.
const MOST_LOTS: usize = 100_000;

/// A worker that runs others' records again.
pub struct Verifier {
	parts: VerifierParts,
	/// What it did.
	pub counters: Counters,
	/// Rounds without a seat, and those that are over for this verifier.
	passed: Mutex<HashSet<Key>>,
	/// When something was tried last.
	tried: Mutex<HashMap<(Key, Step), Instant>>,
	/// Re-runs that go on or wait for their turn.
	running: Mutex<HashMap<Key, Cancel>>,
	/// One at a time: each takes all the lanes that there are.
	turn: Semaphore,
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
			tried: Mutex::default(),
			running: Mutex::default(),
			turn: Semaphore::new(1),
		})
	}

	/// Looks at each block until `shutdown`.
	pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
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
			}
		}
		for cancel in lock(&self.running).values() {
			cancel.cancel();
		}
	}

	/// One look at everything that is under audit.
	pub(super) async fn look(self: &Arc<Self>) -> Result<(), Stuck> {
		let docket = self.parts.ledger.docket().await?;
		self.draw(&docket)?;
		let mut cases = self.parts.store.all()?;
		let best = docket.at;
		let going: HashSet<RecordId> = docket.open.iter().map(|open| open.lots.record).collect();
		let rounds: HashMap<Key, &Open> =
			docket.open.iter().map(|open| (key_of(open), open)).collect();
		// The first to end goes first.
		cases.sort_by_key(|case| rounds.get(&case.key).map(|open| open.until));
		stream::iter(cases)
			.for_each_concurrent(AT_ONCE, |case| {
				let open = rounds.get(&case.key).copied();
				let goes_on = going.contains(&case.key.record);
				async move {
					let key = case.key;
					if let Err(error) = self.advance(case, open, goes_on, best).await {
						tracing::warn!(
							target: LOG, record = ?key.record, round = key.round, %error,
							"an audit does not go on"
						);
					}
				}
			})
			.await;
		Ok(())
	}

	/// Draws a lot in each round that is new.
	fn draw(&self, docket: &Docket) -> Result<(), Stuck> {
		for open in &docket.open {
			let key = key_of(open);
			let is_open = open.window == Window::Commit && docket.at < open.until;
			if !is_open || lock(&self.passed).contains(&key) {
				continue;
			}
			if self.parts.store.get(&key)?.is_some() {
				continue;
			}
			match open.lots.draw(&self.parts.pair, open.stake) {
				Some(seat) => {
					Counters::count(&self.counters.seats);
					tracing::info!(
						target: LOG, record = ?key.record, round = key.round, "a seat in an audit"
					);
					self.parts.store.keep(&Case::new(key, seat))?;
				}
				None => self.pass(key),
			}
		}
		Ok(())
	}

	fn pass(&self, key: Key) {
		let mut passed = lock(&self.passed);
		if passed.len() >= MOST_LOTS {
			passed.clear();
		}
		passed.insert(key);
	}

	/// Does what is next about a case. `goes_on`: its record is under audit still, in whatever round.
	async fn advance(
		self: &Arc<Self>,
		case: Case,
		open: Option<&Open>,
		goes_on: bool,
		best: u32,
	) -> Result<(), Stuck> {
		let key = case.key;
		let Some(open) = open else { return self.end(&case, goes_on, Standing::Nothing) };
		let standing = self.parts.ledger.standing(key.record, key.round).await?;
		let next = step(&Place {
			best,
			window: open.window,
			until: open.until,
			length: open.length,
			handed: case.handed.is_some(),
			found: case.found.is_some(),
			standing,
		});
		match next {
			Step::Wait => Ok(()),
			Step::Forget => self.end(&case, goes_on, standing),
			Step::Ask | Step::Read if !self.is_due(key, next, ASK_AGAIN) => Ok(()),
			Step::Run if lock(&self.running).contains_key(&key) => Ok(()),
			Step::Run if !self.is_due(key, next, RUN_AGAIN) => Ok(()),
			_ => {
				let Some(entry) = self.parts.ledger.record(key.record).await? else {
					return self.forget(&case, standing);
				};
				if self.is_party(&entry) {
					// The chain would refuse its commitment, and keep the fee.
					return self.forget(&case, standing);
				}
				self.act(case, next, open, entry).await
			}
		}
	}

	async fn act(
		self: &Arc<Self>,
		mut case: Case,
		next: Step,
		open: &Open,
		entry: RecordEntry,
	) -> Result<(), Stuck> {
		match next {
			Step::Ask | Step::Read | Step::Claim => {
				match self.ask(&case, next, open, &entry).await {
					Ok((handed, named)) => {
						case.handed = Some(handed);
						case.named = named;
						self.parts.store.keep(&case)?;
						self.begin_run(case, entry);
						Ok(())
					}
					// Of named verifiers only a gateway knows who they are.
					Err(NoHandover::Refused(reason)) if open.lots.named.is_some() => {
						tracing::debug!(target: LOG, record = ?case.key.record, %reason, "not named");
						self.forget(&case, Standing::Elsewhere)
					}
					Err(reason) if next == Step::Claim && open.lots.named.is_none() => {
						tracing::warn!(
							target: LOG, record = ?case.key.record, %reason,
							"the gateway is silent, and that is said on chain"
						);
						let (proof, named) = (case.proof, Named::default());
						self.send(&case, Action::Claim { proof, named }).await
					}
					Err(reason) => {
						tracing::info!(
							target: LOG, record = ?case.key.record, %reason, "no hand-over yet"
						);
						Ok(())
					}
				}
			}
			Step::Run => {
				self.begin_run(case, entry);
				Ok(())
			}
			Step::Commit => {
				let Some(found) = &case.found else { return Ok(()) };
				let genesis = self.parts.ledger.genesis();
				let commitment = commitment(&genesis, &case, found, &self.parts.account)?;
				let (proof, named) = (case.proof, case.named.clone());
				self.send(&case, Action::Commit { proof, commitment, named }).await
			}
			Step::Reveal => {
				let Some(found) = &case.found else { return Ok(()) };
				self.send(&case, Action::Reveal(found.reveal()?)).await
			}
			Step::Open => {
				let openings = self.open(&case, open, &entry).await?;
				self.send(&case, Action::Open(openings)).await
			}
			Step::Wait | Step::Forget => Ok(()),
		}
	}

	/// Whether this worker is a party of the record itself. Of workers that are one's own by another
	/// account the chain knows.
	fn is_party(&self, entry: &RecordEntry) -> bool {
		let me = &self.parts.account;
		entry.requester == *me
			|| entry.gateway == *me
			|| entry.body.stages.iter().any(|stage| stage.node == *me)
	}

	/// What belongs to the record: as the gateway posted it on chain for this verifier, or as it answers.
	async fn ask(
		&self,
		case: &Case,
		next: Step,
		open: &Open,
		entry: &RecordEntry,
	) -> Result<(Handover, Named), NoHandover> {
		let silent = |reason: &dyn std::fmt::Display| NoHandover::Silent(reason.to_string());
		let Key { record, round } = case.key;
		if next == Step::Read {
			// From the beginning of the round on, in any of its three windows.
			let blocks = open.length.saturating_mul(3);
			let posted = self.parts.ledger.posted(record, blocks).await;
			let posted = posted.map_err(|error| silent(&error))?;
			let posted = posted.ok_or_else(|| silent(&"what was posted is not found"))?;
			let sealed = [posted.ephemeral.as_slice(), &posted.bytes].concat();
			// The gateway's own word, on chain: what it holds is judged, whatever that is.
			let handed = unseal(&sealed, &self.parts.pair, &record);
			return Ok((handed.map_err(|error| silent(&error))?, case.named.clone()));
		}
		let request =
			AuditRequest { record, round, verifier: self.parts.account.clone(), proof: case.proof };
		let gateways = &self.parts.gateways;
		let (handed, named) = gateways.hand_over(&entry.gateway, request, &entry.body).await?;
		// Anybody may say to be the gateway.
		let names_fit = match open.lots.named {
			Some(set) => sha256(&named.encode()) == set && named.contains(&self.parts.account),
			None => named.is_empty(),
		};
		match names_fit && is_of(&handed, &entry.body) {
			true => Ok((handed, named)),
			false => Err(silent(&"what came is not the record's")),
		}
	}

	/// Begins to run a record again once it is its turn, unless it runs already.
	fn begin_run(self: &Arc<Self>, case: Case, entry: RecordEntry) {
		let (key, cancel) = (case.key, Cancel::new());
		{
			let mut running = lock(&self.running);
			if running.contains_key(&key) {
				return;
			}
			running.insert(key, cancel.clone());
		}
		let this = self.clone();
		tokio::spawn(async move {
			let done = match this.turn.acquire().await {
				Ok(_turn) if !cancel.is_cancelled() => this.run_case(case, &entry, cancel).await,
				_ => Ok(()),
			};
			if let Err(error) = done {
				tracing::warn!(
					target: LOG, record = ?key.record, %error, "a record can't be run again"
				);
			}
			lock(&this.running).remove(&key);
		});
	}

	fn end_run(&self, key: &Key) {
		if let Some(cancel) = lock(&self.running).get(key) {
			cancel.cancel();
		}
	}

	async fn run_case(
		&self,
		mut case: Case,
		entry: &RecordEntry,
		cancel: Cancel,
	) -> Result<(), Stuck> {
		let started = Instant::now();
		let rerun = self.rerun(&case, entry, cancel).await?;
		let (kind, reason) = (rerun.finding(), rerun.reason().map(str::to_owned));
		case.found = Some(Found::of(&rerun, H256(rand::random())));
		self.parts.store.keep(&case)?;
		Counters::count(&self.counters.runs);
		if kind != FindingKind::Valid {
			Counters::count(&self.counters.accused);
		}
		tracing::info!(
			target: LOG, record = ?case.key.record, round = case.key.round, finding = ?kind,
			reason = reason.as_deref(), took = ?started.elapsed(), "a record was run again"
		);
		Ok(())
	}

	/// Runs a record again, on a thread that may block.
	async fn rerun(
		&self,
		case: &Case,
		entry: &RecordEntry,
		cancel: Cancel,
	) -> Result<Rerun, Stuck> {
		let Some(handed) = case.handed.clone() else {
			return Err(Stuck::Other("nothing was handed over".to_owned()));
		};
		let body = entry.body.clone();
		let (package, path) = (self.package(&body).await?, self.spool(&case.key)?);
		let (machine, output) = (self.parts.machine.clone(), case.output);
		let work = move || {
			let subject = subject(&handed, &body, &package);
			if Rerun::spool_bytes(&subject).is_none_or(|bytes| bytes > MOST_SPOOL) {
				let reason = "what passes between its stages is more than is kept here".to_owned();
				return Err(EngineError::Session { reason });
			}
			let tokenizer = ChatTokenizer::open(&package)?;
			let positions = subject.positions();
			let mut limited = Limited::new(machine, package.clone(), positions, cancel);
			run(&subject, &tokenizer, &output, &path, &mut limited)
		};
		let done = tokio::task::spawn_blocking(work).await;
		Ok(done.map_err(|_| Stuck::Other("the re-run broke off".to_owned()))??)
	}

	/// Opens what the beacon picks: out of what an earlier run left on disk or, if that is not whole, by
	/// running the record once more.
	async fn open(
		&self,
		case: &Case,
		open: &Open,
		entry: &RecordEntry,
	) -> Result<Vec<aria_primitives::audit::Opening>, Stuck> {
		let (Some(found), Some(handed)) = (case.found.clone(), case.handed.clone()) else {
			return Err(Stuck::Other("there is nothing to open".to_owned()));
		};
		let body = entry.body.clone();
		let (package, path) = (self.package(&body).await?, self.spool(&case.key)?);
		let restored = {
			let (handed, body, package) = (handed.clone(), body.clone(), package.clone());
			let (kind, output) = (found.kind, case.output);
			let work = move || {
				let subject = subject(&handed, &body, &package);
				Rerun::restore(&subject, kind, &output, &path)
			};
			tokio::task::spawn_blocking(work).await.ok().and_then(Result::ok)
		};
		let is_same = |rerun: &Rerun| rerun.own_root() == found.own_root();
		let mut rerun = match restored.filter(is_same) {
			Some(rerun) => rerun,
			None => self.rerun(case, entry, Cancel::new()).await?,
		};
		if !is_same(&rerun) {
			return Err(Stuck::Other(
				"another run came to another tree: this machine computes wrongly, check its memory"
					.to_owned(),
			));
		}
		let (case, account) = (case.clone(), self.parts.account.clone());
		let (positions, beacon) = (open.positions, open.beacon);
		let work = move || {
			let subject = subject(&handed, &body, &package);
			openings(&mut rerun, &subject, &case, &account, &beacon, positions)
		};
		let opened = tokio::task::spawn_blocking(work).await;
		Ok(opened.map_err(|_| Stuck::Other("the openings broke off".to_owned()))??)
	}

	async fn package(&self, body: &RecordBody) -> Result<Arc<Package>, Stuck> {
		let layers = body.stages.iter().map(|stage| stage.layers).collect();
		self.parts.library.package(body.model_id, layers).await.map_err(Stuck::Other)
	}

	fn spool(&self, key: &Key) -> Result<PathBuf, Stuck> {
		let folder = &self.parts.folder;
		fs::create_dir_all(folder).map_err(|error| Stuck::Other(error.to_string()))?;
		Ok(folder.join(key.name()))
	}

	/// Sends something, and counts what a block has.
	async fn send(&self, case: &Case, action: Action) -> Result<(), Stuck> {
		let Key { record, round } = case.key;
		let (name, counter) = (action.name(), self.counter(&action));
		match self.parts.ledger.send(record, action).await {
			Ok(()) => {
				Counters::count(counter);
				tracing::info!(target: LOG, ?record, round, "the chain has the {name}");
				Ok(())
			}
			Err(LedgerError::Later(reason)) => {
				tracing::info!(target: LOG, ?record, round, %reason, "the {name} is sent again");
				Ok(())
			}
			Err(LedgerError::Never(reason)) => {
				tracing::warn!(target: LOG, ?record, round, %reason, "the chain refuses the {name}");
				self.forget(case, Standing::Nothing)
			}
		}
	}

	fn counter(&self, action: &Action) -> &AtomicU64 {
		match action {
			Action::Commit { .. } => &self.counters.committed,
			Action::Claim { .. } => &self.counters.claimed,
			Action::Reveal(_) => &self.counters.revealed,
			Action::Open(_) => &self.counters.opened,
		}
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
		self.end_run(&case.key);
		if case.found.is_none() && standing == Standing::Nothing {
			Counters::count(&self.counters.missed);
		}
		self.pass(case.key);
		self.parts.store.forget(&case.key)?;
		lock(&self.tried).retain(|(key, _), _| *key != case.key);
		Ok(Rerun::remove(&self.spool(&case.key)?)?)
	}

	/// Whether it is time to try something again; takes note that it is tried now.
	fn is_due(&self, key: Key, what: Step, pause: Duration) -> bool {
		let now = Instant::now();
		let mut tried = lock(&self.tried);
		let due = tried
			.get(&(key, what))
			.is_none_or(|last| now.saturating_duration_since(*last) >= pause);
		if due {
			tried.insert((key, what), now);
		}
		due
	}
}

/// What is checked, with the numbers of the model's manifest.
fn subject<'a>(handed: &'a Handover, body: &'a RecordBody, package: &'a Package) -> Subject<'a> {
	let manifest = &package.manifest;
	Subject {
		query: &handed.query,
		tokens: &handed.tokens,
		body,
		eos: &manifest.eos,
		context: manifest.context,
		hidden: manifest.hidden,
	}
}

fn key_of(open: &Open) -> Key {
	Key { record: open.lots.record, round: open.lots.round }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
	mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
