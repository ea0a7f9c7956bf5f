//! A re-run on a contributor's machine: within the consent's limits, and behind paid work.

use crate::limits::{Governor, MemoryLease};
use aria_engine::{
	audit::Conduct,
	kernels::Kernel,
	model::{Cancel, Model, ModelOptions},
	package::Package,
	EngineError,
};
use aria_primitives::{manifest::Manifest, record::LayerRange};
use std::{
	sync::Arc,
	thread,
	time::{Duration, Instant},
};

/// Parts of the time that a re-run leaves to paid stages while they run: seven of eight.
const LEAVE: u32 = 7;
/// How often it is looked whether they still run, or whether there may be work at all.
const LOOK: Duration = Duration::from_millis(20);

/// What a machine allows.
#[derive(Clone)]
pub struct Machine {
	/// Budgets.
	pub governor: Arc<Governor>,
	/// Whether paid sessions run now.
	pub busy: Arc<dyn Fn() -> bool + Send + Sync>,
	/// Whether the consent allows such work now: for audits its tasks and hours do, for disputes its hours.
	pub allowed: Arc<dyn Fn() -> bool + Send + Sync>,
	/// Bytes of memory that a range of layers takes at most, sessions not counted.
	pub weigh: fn(&Manifest, LayerRange) -> u64,
	/// Threads that compute.
	pub threads: usize,
	/// What computes.
	pub kernel: Arc<dyn Kernel>,
}

/// One re-run.
pub struct Limited {
	machine: Machine,
	package: Arc<Package>,
	/// Positions of the record.
	positions: u32,
	cancel: Cancel,
	/// Of the stage that is in memory.
	lease: Option<MemoryLease>,
	/// Of a position on all lanes, as last measured.
	seconds: f64,
	/// How long the last unit took, and when it ended.
	last: Option<(Duration, Instant)>,
}

impl Limited {
	/// A re-run of a record of so many positions with the weights of `package`, until `cancel`.
	pub fn new(machine: Machine, package: Arc<Package>, positions: u32, cancel: Cancel) -> Self {
		Self { machine, package, positions, cancel, lease: None, seconds: 0.0, last: None }
	}

	/// Waits while paid sessions run, but no longer than that they get their part. Whether it was not
	/// cancelled meanwhile.
	fn give_way(&self) -> bool {
		loop {
			if self.cancel.is_cancelled() {
				return false;
			}
			if (self.machine.allowed)() && self.is_our_turn() {
				return true;
			}
			thread::sleep(LOOK);
		}
	}

	fn is_our_turn(&self) -> bool {
		let Some((took, ended)) = self.last else { return true };
		!(self.machine.busy)() || ended.elapsed() >= took.saturating_mul(LEAVE)
	}
}

impl Conduct for Limited {
	fn model(&mut self, layers: LayerRange) -> Result<Arc<Model>, EngineError> {
		if !self.give_way() {
			return Err(EngineError::Cancelled);
		}
		// The stage before has been let go of.
		self.lease = None;
		let bytes = (self.machine.weigh)(&self.package.manifest, layers);
		let memory = self.machine.governor.memory();
		let refused = |bytes| EngineError::Memory { what: "a stage that is audited", bytes };
		let mut lease = memory.reserve(bytes).map_err(|_| refused(bytes))?;
		let options = ModelOptions {
			layers: Some(layers),
			kernel: self.machine.kernel.clone(),
			threads: self.machine.threads,
		};
		let model = Model::load(&self.package, options, &mut |_, _| ())?;
		let session = session_bytes(&model, self.positions);
		lease.grow(session).map_err(|_| refused(session))?;
		self.lease = Some(lease);
		Ok(model)
	}

	fn turn(&mut self) -> Option<usize> {
		if !self.give_way() {
			return None;
		}
		let cancel = &self.cancel;
		let cpu = self.machine.governor.cpu();
		cpu.acquire_unless(|| cancel.is_cancelled()).then(|| cpu.suggested_chunk(self.seconds))
	}

	fn worked(&mut self, positions: usize, took: Duration) {
		if positions > 0 {
			self.seconds = took.as_secs_f64() / positions as f64;
		}
		self.last = Some((took, Instant::now()));
	}

	fn cancel(&self) -> Cancel {
		self.cancel.clone()
	}
}

/// Bytes that the session of a stage takes at most: keys and values, the trees of its boundary, and what
/// a unit of at most 64 positions works with.
fn session_bytes(model: &Model, positions: u32) -> u64 {
	use aria_engine::model::PAGE;
	let config = model.config();
	let wide = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
	let positions = u64::from(positions);
	let pages = positions.div_ceil(wide(PAGE)).saturating_mul(wide(PAGE));
	let kept = pages.saturating_mul(wide(model.kv_bytes_per_position()));
	let trees = positions.saturating_mul(64);
	let widest = config.hidden.max(config.query_dim()).max(config.feed_forward);
	let unit = wide(widest).saturating_mul(64 * 4 * 8);
	let logits = wide(config.vocab).saturating_mul(4);
	kept.saturating_add(trees).saturating_add(unit).saturating_add(logits)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::limits::Limits;
	use aria_engine::{
		kernels,
		model::random::{write_random_package, RandomShape},
	};
	use std::sync::atomic::{AtomicBool, Ordering};

	fn tiny() -> (tempfile::TempDir, Arc<Package>) {
		let shape = RandomShape {
			hidden: 32,
			feed_forward: 48,
			layers: 2,
			heads: 2,
			kv_heads: 1,
			head_dim: 16,
			vocab: 300,
			context: 64,
			shards: 1,
			..RandomShape::bitnet_2b4t()
		};
		let dir = tempfile::tempdir().unwrap();
		write_random_package(&dir.path().join("m"), &shape, 1, &mut |_, _| ()).unwrap();
		let package = Package::open(&dir.path().join("m")).unwrap();
		(dir, Arc::new(package))
	}

	fn machine(limits: Limits, busy: &Arc<AtomicBool>, allowed: &Arc<AtomicBool>) -> Machine {
		let (busy, allowed) = (busy.clone(), allowed.clone());
		Machine {
			governor: Governor::new(limits),
			busy: Arc::new(move || busy.load(Ordering::Relaxed)),
			allowed: Arc::new(move || allowed.load(Ordering::Relaxed)),
			weigh: |_, _| 3 << 20,
			threads: 1,
			kernel: kernels::best(),
		}
	}

	#[test]
	fn audits_should_leave_paid_work_most_of_the_time() {
		let (_dir, package) = tiny();
		let (busy, allowed) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(true)));
		let cancel = Cancel::new();
		let machine = machine(Limits::NONE, &busy, &allowed);
		let mut limited = Limited::new(machine, package, 8, cancel.clone());
		assert!(limited.turn().is_some());
		limited.worked(4, Duration::from_millis(30));
		let started = Instant::now();
		assert!(limited.turn().is_some());
		assert!(started.elapsed() >= Duration::from_millis(7 * 30 - 10));
		// Without paid work nothing is waited for.
		busy.store(false, Ordering::Relaxed);
		limited.worked(4, Duration::from_secs(3_600));
		assert!(limited.turn().is_some());
		// Outside of hours nothing begins, and what is cancelled ends.
		allowed.store(false, Ordering::Relaxed);
		let ended = thread::spawn({
			let cancel = cancel.clone();
			move || {
				thread::sleep(Duration::from_millis(60));
				cancel.cancel();
			}
		});
		assert!(limited.turn().is_none());
		ended.join().unwrap();
	}

	#[test]
	fn weights_should_be_reserved_before_they_are_loaded() {
		let (_dir, package) = tiny();
		let (busy, allowed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(true)));
		let layers = LayerRange { first: 0, end: 2 };
		let limits = Limits { max_memory_mb: 2, ..Limits::NONE };
		let small = machine(limits, &busy, &allowed);
		let mut limited = Limited::new(small, package.clone(), 8, Cancel::new());
		assert!(matches!(limited.model(layers), Err(EngineError::Memory { .. })));

		let roomy = machine(Limits { max_memory_mb: 64, ..limits }, &busy, &allowed);
		let governor = roomy.governor.clone();
		let mut limited = Limited::new(roomy, package, 8, Cancel::new());
		let first = limited.model(layers).unwrap();
		let used = governor.memory().used();
		assert!(used > 3 << 20);
		drop(first);
		// The next stage takes the place of the one before.
		let _second = limited.model(layers).unwrap();
		assert_eq!(governor.memory().used(), used);
		drop(limited);
		assert_eq!(governor.memory().used(), 0);
	}
}
