//! Records run again, one at a time.

use super::{lock, said, Stuck, Todo, Verifier, FETCH_LIMIT};
use crate::audit::{
	conduct::Limited,
	ledger::Standing,
	parts::Counters,
	step::Step,
	store::{Case, Found, Key},
	turns::Rank,
	LOG,
};
use aria_engine::{
	audit::{run, Rerun, Subject},
	model::Cancel,
	package::Package,
	text::ChatTokenizer,
	EngineError,
};
use aria_primitives::{
	audit::{FindingKind, Handover},
	record::{RecordBody, RecordEntry},
};
use sp_core::H256;
use std::{fs, path::PathBuf, sync::Arc, time::Instant};
use tokio::time::timeout;

/// Runs that have begun: one computes, the others fetch weights or wait for their turn.
const MOST_RUNS: usize = 16;
/// Most bytes on the disk for one re-run.
const MOST_SPOOL: u64 = 4 << 30;

/// A case that is run again, until this is dropped.
struct Running(Arc<Verifier>, Key);

impl Drop for Running {
	fn drop(&mut self) {
		lock(&self.0.running).remove(&self.1);
		self.0.ended.notify_one();
	}
}

impl Verifier {
	/// Begins to run a record again once it is its turn, unless it runs already.
	pub(super) fn begin_run(self: &Arc<Self>, todo: Todo) {
		let rank = Rank { at_leisure: !todo.is_owed(), until: todo.open.until, key: todo.case.key };
		let (key, case, cancel) = (rank.key, todo.case, Cancel::new());
		{
			let mut running = lock(&self.running);
			let is_full = rank.at_leisure && running.len() >= MOST_RUNS;
			if is_full || running.contains_key(&key) || !self.is_due(key, Step::Run) {
				return;
			}
			running.insert(key, cancel.clone());
		}
		let running = Running(self.clone(), key);
		tokio::spawn(async move {
			let Running(this, _) = &running;
			if let Err(error) = this.run_case(case, rank, cancel).await {
				tracing::warn!(
					target: LOG, record = ?key.record, %error, "a record can't be run again"
				);
			}
			// It may have been ended while it ran.
			if let Err(error) = this.tidy(&key) {
				said(&key, &error);
			}
		});
	}

	pub(super) fn end_run(&self, key: &Key) {
		if let Some(cancel) = lock(&self.running).get(key) {
			cancel.cancel();
		}
	}

	async fn run_case(&self, case: Case, rank: Rank, cancel: Cancel) -> Result<(), Stuck> {
		let key = case.key;
		let Some(entry) = self.parts.ledger.record(key.record).await? else { return Ok(()) };
		if rank.at_leisure && self.is_party(&entry) {
			return self.forget(&case, Standing::Nothing);
		}
		// Weights that do not come hold up nobody else's run.
		let package = timeout(FETCH_LIMIT, self.package(&entry.body)).await;
		let package = package.map_err(|_| Stuck::Other("its weights do not come".to_owned()))??;
		let _turn = self.turns.take(rank).await;
		if cancel.is_cancelled() {
			return Ok(());
		}
		let started = Instant::now();
		let rerun = self.rerun(&case, &entry, package, cancel).await?;
		Counters::count(&self.counters.runs);
		if let Some(found) = &case.found {
			// What was committed to stays: only what is to be opened was missing.
			if rerun.own_root() != found.own_root() {
				return Err(Stuck::Other(
					"another run came to another tree: this machine computes wrongly, check its memory"
						.to_owned(),
				));
			}
			lock(&self.lost).remove(&key);
			self.untry(key, Step::Run);
			return Ok(());
		}
		let (kind, reason) = (rerun.finding(), rerun.reason().map(str::to_owned));
		let found = Some(Found::of(&rerun, H256(rand::random())));
		self.keep(&Case { found, ..case })?;
		self.untry(key, Step::Run);
		if kind != FindingKind::Valid {
			Counters::count(&self.counters.accused);
		}
		tracing::info!(
			target: LOG, record = ?key.record, round = key.round, finding = ?kind,
			reason = reason.as_deref(), took = ?started.elapsed(), "a record was run again"
		);
		Ok(())
	}

	/// Runs a record again, on a thread that may block.
	async fn rerun(
		&self,
		case: &Case,
		entry: &RecordEntry,
		package: Arc<Package>,
		cancel: Cancel,
	) -> Result<Rerun, Stuck> {
		let Some(handed) = case.handed.clone() else {
			return Err(Stuck::Other("nothing was handed over".to_owned()));
		};
		let (body, path) = (entry.body.clone(), self.spool(&case.key)?);
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

	pub(super) async fn package(&self, body: &RecordBody) -> Result<Arc<Package>, Stuck> {
		let layers = body.stages.iter().map(|stage| stage.layers).collect();
		self.parts.library.package(body.model_id, layers).await.map_err(Stuck::Other)
	}

	pub(super) fn spool(&self, key: &Key) -> Result<PathBuf, Stuck> {
		let folder = &self.parts.folder;
		fs::create_dir_all(folder).map_err(|error| Stuck::Other(error.to_string()))?;
		Ok(folder.join(key.name()))
	}

	/// Removes the spool of a case that is not kept.
	fn tidy(&self, key: &Key) -> Result<(), Stuck> {
		if self.parts.store.get(key)?.is_none() {
			Rerun::remove(&self.spool(key)?)?;
		}
		Ok(())
	}
}

/// What is checked, with the numbers of the model's manifest.
pub(super) fn subject<'a>(
	handed: &'a Handover,
	body: &'a RecordBody,
	package: &'a Package,
) -> Subject<'a> {
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
