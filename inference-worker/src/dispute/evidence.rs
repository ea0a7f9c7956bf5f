//! A record run again for a dispute: leaves, items, and proofs, each computed once and by one's own
//! weights.

use super::LOG;
use crate::audit::{
	conduct::{Limited, Machine},
	ledger::LedgerError,
	Library, NoHandover,
};
use aria_engine::{
	audit::{
		dispute::{leaves, prove_false, trace, Trace},
		Subject,
	},
	model::Cancel,
	package::Package,
	EngineError,
};
use aria_math::bitlinear::{sums, Packing};
use aria_primitives::{
	audit::Handover,
	dispute::{block_hash, item_count, sums_of, BlockProof, Matrix, Party},
	manifest::Encoding,
	record::{LayerRange, RecordBody, RecordEntry},
	RecordId,
};
use futures::future::BoxFuture;
use sp_core::H256;
use std::{
	collections::HashMap,
	sync::{Arc, Mutex, MutexGuard, PoisonError},
	time::{Duration, Instant},
};
use tokio::sync::Semaphore;

/// Before something that failed is tried again.
const AGAIN: Duration = Duration::from_secs(15);

/// How a party gets what it runs again.
pub trait Handed: Send + Sync + 'static {
	/// Query and tokens of a record: an executor has them from the gateway, an accuser has kept them.
	fn handed<'a>(
		&'a self,
		me: Party,
		record: RecordId,
		entry: &'a RecordEntry,
	) -> BoxFuture<'a, Result<Handover, NoHandover>>;
}

/// What stands in the way of a party's word.
#[derive(Debug, thiserror::Error)]
pub enum Stuck {
	/// The chain.
	#[error(transparent)]
	Ledger(#[from] LedgerError),
	/// The run.
	#[error(transparent)]
	Engine(#[from] EngineError),
	/// There is nothing to run.
	#[error("{0}")]
	NoHandover(#[from] NoHandover),
	/// Anything else.
	#[error("{0}")]
	Other(String),
}

/// A stage of a record, as one side of a dispute sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Matter {
	/// The record.
	pub record: RecordId,
	/// The boundary behind the stage, from 1.
	pub index: u16,
	/// Which side this is.
	pub me: Party,
}

/// Everything that this worker has computed of a matter.
#[derive(Default)]
struct File {
	handed: Option<Arc<Handover>>,
	leaves: Option<Arc<Vec<H256>>>,
	/// By position.
	traces: HashMap<u32, Arc<Trace>>,
	/// A run goes on.
	runs: bool,
	/// That there may be none now was said.
	waits: bool,
	/// When one failed last.
	failed: Option<Instant>,
}

/// What is wanted of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
	Leaves,
	Trace { position: u32 },
}

/// What matters are judged by.
pub struct Evidence {
	handed: Arc<dyn Handed>,
	library: Arc<dyn Library>,
	machine: Machine,
	files: Mutex<HashMap<Matter, File>>,
	/// One run at a time: each takes all the lanes that there are.
	turn: Semaphore,
	/// Ends all runs.
	cancel: Cancel,
}

impl Evidence {
	/// Nothing was computed yet.
	pub fn new(handed: Arc<dyn Handed>, library: Arc<dyn Library>, machine: Machine) -> Arc<Self> {
		let (files, cancel) = (Mutex::default(), Cancel::new());
		Arc::new(Self { handed, library, machine, files, turn: Semaphore::new(1), cancel })
	}

	/// Ends all runs.
	pub fn end(&self) {
		self.cancel.cancel();
	}

	/// Whether the machine allows a run now.
	pub fn may_run(&self) -> bool {
		(self.machine.allowed)()
	}

	/// Forgets what belongs to none of these records.
	pub fn keep(&self, records: &[RecordId]) {
		self.files().retain(|matter, file| file.runs || records.contains(&matter.record));
	}

	/// The leaves of the boundary in dispute. `None` if they are not known: a run for them begins, unless
	/// one goes on, or the machine allows none now.
	pub fn leaves(self: &Arc<Self>, matter: Matter, entry: &RecordEntry) -> Option<Arc<Vec<H256>>> {
		let known = self.files().get(&matter).and_then(|file| file.leaves.clone());
		if known.is_none() {
			self.begin(matter, entry, Wanted::Leaves);
		}
		known
	}

	/// The items at `position`, in the same way.
	pub fn trace(
		self: &Arc<Self>,
		matter: Matter,
		entry: &RecordEntry,
		position: u32,
	) -> Option<Arc<Trace>> {
		let known = self.files().get(&matter).and_then(|file| file.traces.get(&position).cloned());
		if known.is_none() {
			self.begin(matter, entry, Wanted::Trace { position });
		}
		known
	}

	/// Proves that the other party's blocks of `item` hold a block that is none, out of one's own items;
	/// `executor` are the executor's items, `sums` is the root of the other's blocks, `theirs`. `None` if
	/// nothing of it can be proven.
	///
	/// # Errors
	/// Weights that are not here, or are not the manifest's.
	pub async fn proof(
		&self,
		entry: &RecordEntry,
		trace: Arc<Trace>,
		item: u32,
		theirs: Vec<H256>,
		executor: Vec<H256>,
		roots: (H256, H256),
	) -> Result<Option<BlockProof>, Stuck> {
		let package = self.package(&entry.body, trace.layers.end).await?;
		let work = move || proof(&package, &trace, item, &theirs, &executor, roots);
		let done = tokio::task::spawn_blocking(work).await;
		done.map_err(|_| Stuck::Other("the proof broke off".to_owned()))?
	}

	fn begin(self: &Arc<Self>, matter: Matter, entry: &RecordEntry, wanted: Wanted) {
		{
			let mut files = self.files();
			let file = files.entry(matter).or_default();
			if file.runs || file.failed.is_some_and(|failed| failed.elapsed() < AGAIN) {
				return;
			}
			if !self.may_run() {
				if !file.waits {
					tracing::warn!(
						target: LOG, record = ?matter.record, boundary = matter.index, me = ?matter.me,
						"a record in dispute waits: the consent allows no work now, or this worker is \
						 paused. Who does not answer in time loses; [audit] defend = \"always\" lets it \
						 answer at any hour"
					);
				}
				file.waits = true;
				return;
			}
			(file.runs, file.waits) = (true, false);
		}
		let (this, entry) = (self.clone(), entry.clone());
		tokio::spawn(async move {
			let done = this.run(matter, &entry, wanted).await;
			let mut files = this.files();
			let file = files.entry(matter).or_default();
			file.runs = false;
			if let Err(error) = done {
				file.failed = Some(Instant::now());
				tracing::warn!(
					target: LOG, record = ?matter.record, boundary = matter.index, me = ?matter.me,
					%error, "a record in dispute can't be run again"
				);
			}
		});
	}

	async fn run(&self, matter: Matter, entry: &RecordEntry, wanted: Wanted) -> Result<(), Stuck> {
		// Who hands over, or serves weights, may take its time: that holds up no other matter.
		let handed = self.handed(matter, entry).await?;
		let stage = entry.body.stages.get(usize::from(matter.index).saturating_sub(1));
		let end = stage.map(|stage| stage.layers.end).unwrap_or_default();
		let package = self.package(&entry.body, end).await?;
		let _turn = self.turn.acquire().await;
		if self.cancel.is_cancelled() {
			return Ok(());
		}
		let (machine, cancel, body) =
			(self.machine.clone(), self.cancel.clone(), entry.body.clone());
		let started = Instant::now();
		let work = move || work(&handed, &body, &package, machine, cancel, matter.index, wanted);
		let done = tokio::task::spawn_blocking(work).await;
		let done = done.map_err(|_| Stuck::Other("the run broke off".to_owned()))??;
		tracing::info!(
			target: LOG, record = ?matter.record, boundary = matter.index, me = ?matter.me,
			?wanted, took = ?started.elapsed(), "a record in dispute was run again"
		);
		let mut files = self.files();
		let file = files.entry(matter).or_default();
		match (done, wanted) {
			(Done::Leaves(leaves), _) => file.leaves = Some(Arc::new(leaves)),
			(Done::Trace(trace), Wanted::Trace { position }) => {
				file.traces.insert(position, Arc::new(trace));
			}
			(Done::Trace(_), Wanted::Leaves) => {}
		}
		Ok(())
	}

	async fn handed(&self, matter: Matter, entry: &RecordEntry) -> Result<Arc<Handover>, Stuck> {
		let known = self.files().get(&matter).and_then(|file| file.handed.clone());
		if let Some(known) = known {
			return Ok(known);
		}
		let handed = self.handed.handed(matter.me, matter.record, entry).await?;
		let handed = Arc::new(handed);
		self.files().entry(matter).or_default().handed = Some(handed.clone());
		Ok(handed)
	}

	/// The package, with all layers of the stages up to layer `end`.
	async fn package(&self, body: &RecordBody, end: u16) -> Result<Arc<Package>, Stuck> {
		let layers: Vec<LayerRange> =
			body.stages.iter().map(|stage| stage.layers).filter(|one| one.end <= end).collect();
		self.library.package(body.model_id, layers).await.map_err(Stuck::Other)
	}

	fn files(&self) -> MutexGuard<'_, HashMap<Matter, File>> {
		self.files.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

enum Done {
	Leaves(Vec<H256>),
	Trace(Trace),
}

/// A run, on a thread that may block.
fn work(
	handed: &Handover,
	body: &RecordBody,
	package: &Arc<Package>,
	machine: Machine,
	cancel: Cancel,
	index: u16,
	wanted: Wanted,
) -> Result<Done, EngineError> {
	let manifest = &package.manifest;
	let subject = Subject {
		query: &handed.query,
		tokens: &handed.tokens,
		body,
		eos: &manifest.eos,
		context: manifest.context,
		hidden: manifest.hidden,
	};
	if !subject.belongs_together() {
		let reason = "what was handed over is not the record's query and tokens".to_owned();
		return Err(EngineError::Session { reason });
	}
	let positions = subject.positions();
	let bytes = u64::from(positions).saturating_mul(manifest.hidden.into()).saturating_mul(4);
	let memory = machine.governor.memory();
	let lack = |_| EngineError::Memory { what: "a record in dispute", bytes };
	// What passes between stages, held until the run is over.
	let _lease = memory.reserve(bytes).map_err(lack)?;
	let mut limited = Limited::new(machine.clone(), package.clone(), positions, cancel);
	match wanted {
		Wanted::Leaves => leaves(&subject, index, &mut limited).map(Done::Leaves),
		Wanted::Trace { position } => {
			trace(&subject, manifest, index, position, &mut limited).map(Done::Trace)
		}
	}
}

/// A proof that the chain takes, or none.
fn proof(
	package: &Package,
	trace: &Trace,
	item: u32,
	theirs: &[H256],
	executor: &[H256],
	(root, posted): (H256, H256),
) -> Result<Option<BlockProof>, Stuck> {
	let Some(proof) = prove_false(package, trace, item, theirs, executor)? else {
		return Ok(None);
	};
	let unfit = || Stuck::Other("the sums in dispute are none that the chain judges".to_owned());
	let at = sums_of(&trace.layers, item).ok_or_else(unfit)?;
	let matrix = Matrix::of(&package.manifest, at.layer, at.role).ok_or_else(unfit)?;
	proof.check(&matrix, &posted, &root, at.input, item_count(&trace.layers)).map_err(|fault| {
		Stuck::Other(format!(
			"a proof would not hold ({fault:?}): if it is the weights, these are not the model's; \
			 remove its folder from this worker's models, and they are fetched again"
		))
	})?;
	let packing = match matrix.encoding {
		Encoding::Ternary5 => Packing::Ternary5,
		_ => Packing::Ternary2,
	};
	let right = sums(packing, &proof.weights, proof.values());
	let right = right.map_err(|fault| Stuck::Other(format!("no sums: {fault:?}")))?;
	Ok((block_hash(&right) != proof.hash).then_some(proof))
}
