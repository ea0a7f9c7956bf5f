//! Threads that go through a step in lockstep.
//!
//! A step of a transformer is hundreds of short phases, and starting a parallel region for each
//! would cost more than many of them take. So all lanes run one program over the whole step, and
//! meet at a barrier between phases. Steps of several sessions take turns, in the order in which
//! they came.

use crate::error::{EngineError, Result};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::sync::{
	atomic::{AtomicBool, AtomicUsize, Ordering},
	Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
};

/// Most threads of a model.
pub const MAX_THREADS: usize = 512;

/// How often a lane looks at the barrier before it lets another thread run.
const SPINS: u32 = 2048;
/// The same where there are more lanes than processors, and whoever is missing waits for one.
const SPINS_CROWDED: u32 = 16;
/// How often it lets another thread run before it goes to sleep: somebody else wants the processor,
/// and a thread that wakes up gets it sooner than one that has never let go.
const YIELDS: u32 = 8;

/// The threads of a model: `count` lanes.
pub(super) struct Threads {
	/// None for one lane, which is the caller.
	pool: Option<ThreadPool>,
	count: usize,
	spins: u32,
	turns: Turns,
}

impl Threads {
	/// `count` lanes, `1 ..= MAX_THREADS`. One lane starts no thread.
	pub fn new(count: usize) -> Result<Self> {
		if count == 0 || count > MAX_THREADS {
			let reason = format!("{count} are asked for; ask for 1 to {MAX_THREADS}");
			return Err(EngineError::Threads { reason });
		}
		let pool = if count == 1 {
			None
		} else {
			let builder = ThreadPoolBuilder::new()
				.num_threads(count)
				.thread_name(|index| format!("aria-lane-{index}"));
			let pool = builder
				.build()
				.map_err(|error| EngineError::Threads { reason: error.to_string() })?;
			Some(pool)
		};
		let processors = std::thread::available_parallelism().map_or(1, |count| count.get());
		let spins = if count > processors { SPINS_CROWDED } else { SPINS };
		Ok(Self { pool, count, spins, turns: Turns::default() })
	}

	pub fn count(&self) -> usize {
		self.count
	}

	/// Runs `body` once on each lane, and gives the first failure.
	///
	/// Only one body runs at a time where there are several lanes: two that met at barriers on the
	/// same threads would wait for each other forever.
	pub fn run<F>(&self, body: F) -> Result<()>
	where
		F: Fn(&Lane<'_>) -> Step + Sync,
	{
		let Some(pool) = &self.pool else {
			let barrier = Barrier::new(1, 0);
			return match body(&Lane { index: 0, barrier: &barrier }) {
				Ok(()) | Err(Stop::Halted) => Ok(()),
				Err(Stop::Failed(error)) => Err(error),
			};
		};
		if rayon::current_thread_index().is_some() {
			// A thread of a pool that waits takes up other work of that pool, and that could be
			// another call of this: it would wait for the turn that its own stack holds.
			return std::thread::scope(|scope| {
				match scope.spawn(|| self.run_on(pool, &body)).join() {
					Ok(result) => result,
					Err(panic) => std::panic::resume_unwind(panic),
				}
			});
		}
		self.run_on(pool, &body)
	}

	fn run_on<F>(&self, pool: &ThreadPool, body: &F) -> Result<()>
	where
		F: Fn(&Lane<'_>) -> Step + Sync,
	{
		let _turn = self.turns.take();
		let barrier = Barrier::new(self.count, self.spins);
		let failure = Mutex::new(None);
		pool.broadcast(|context| {
			// Dropped by a panic too, so that the other lanes do not wait for this one.
			let mut leave = Leave { barrier: &barrier, finished: false };
			match body(&Lane { index: context.index(), barrier: &barrier }) {
				Ok(()) => leave.finished = true,
				Err(Stop::Halted) => {}
				Err(Stop::Failed(error)) => {
					lock(&failure).get_or_insert(error);
				}
			}
		});
		match failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
			Some(error) => Err(error),
			None => Ok(()),
		}
	}
}

/// How a body ends.
pub(super) type Step = std::result::Result<(), Stop>;

/// Why a body ended early.
pub(super) enum Stop {
	/// Another lane failed.
	Halted,
	/// This lane failed.
	Failed(EngineError),
}

impl From<EngineError> for Stop {
	fn from(error: EngineError) -> Self {
		Self::Failed(error)
	}
}

/// One of the threads that go through a body.
pub(super) struct Lane<'a> {
	pub index: usize,
	barrier: &'a Barrier,
}

impl Lane<'_> {
	/// Waits for all lanes. Fails if one of them has failed.
	pub fn wait(&self) -> Step {
		if self.barrier.wait() {
			Ok(())
		} else {
			Err(Stop::Halted)
		}
	}
}

struct Leave<'a> {
	barrier: &'a Barrier,
	finished: bool,
}

impl Drop for Leave<'_> {
	fn drop(&mut self) {
		if !self.finished {
			self.barrier.halt();
		}
	}
}

/// A barrier that spins, because phases last microseconds, and sleeps where they do not.
struct Barrier {
	count: usize,
	spins: u32,
	arrived: AtomicUsize,
	generation: AtomicUsize,
	halted: AtomicBool,
	/// Lanes that sleep, or are about to.
	sleeping: AtomicUsize,
	sleep: Mutex<()>,
	wake: Condvar,
}

impl Barrier {
	fn new(count: usize, spins: u32) -> Self {
		Self {
			count,
			spins,
			arrived: AtomicUsize::new(0),
			generation: AtomicUsize::new(0),
			halted: AtomicBool::new(false),
			sleeping: AtomicUsize::new(0),
			sleep: Mutex::new(()),
			wake: Condvar::new(),
		}
	}

	fn halt(&self) {
		self.halted.store(true, Ordering::SeqCst);
		self.wake_all();
	}

	/// Whether all lanes came; otherwise one of them has left for good.
	fn wait(&self) -> bool {
		if self.count == 1 {
			return true;
		}
		let generation = self.generation.load(Ordering::SeqCst);
		if self.arrived.fetch_add(1, Ordering::AcqRel) + 1 == self.count {
			self.arrived.store(0, Ordering::Relaxed);
			self.generation.store(generation.wrapping_add(1), Ordering::SeqCst);
			self.wake_all();
			return true;
		}
		for _ in 0..self.spins {
			if self.is_over(generation) {
				return self.is_open(generation);
			}
			std::hint::spin_loop();
		}
		for _ in 0..YIELDS {
			if self.is_over(generation) {
				return self.is_open(generation);
			}
			std::thread::yield_now();
		}
		let mut guard = lock(&self.sleep);
		// Before the look at the generation: whoever changes it looks for sleepers afterwards, so that
		// one of the two sees the other.
		self.sleeping.fetch_add(1, Ordering::SeqCst);
		while !self.is_over(generation) {
			guard = self.wake.wait(guard).unwrap_or_else(PoisonError::into_inner);
		}
		self.sleeping.fetch_sub(1, Ordering::SeqCst);
		self.is_open(generation)
	}

	fn is_open(&self, generation: usize) -> bool {
		self.generation.load(Ordering::SeqCst) != generation
	}

	fn is_over(&self, generation: usize) -> bool {
		self.is_open(generation) || self.halted.load(Ordering::SeqCst)
	}

	fn wake_all(&self) {
		if self.sleeping.load(Ordering::SeqCst) > 0 {
			let _guard = lock(&self.sleep);
			self.wake.notify_all();
		}
	}
}

/// A lock that is handed on in the order of arrival: a long prompt gives way to a session that waits
/// for one token.
#[derive(Default)]
struct Turns {
	state: Mutex<Queue>,
	changed: Condvar,
}

#[derive(Default)]
struct Queue {
	next: u64,
	serving: u64,
}

impl Turns {
	fn take(&self) -> Turn<'_> {
		let mut queue = lock(&self.state);
		let mine = queue.next;
		queue.next += 1;
		while queue.serving != mine {
			queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
		}
		Turn { turns: self }
	}
}

struct Turn<'a> {
	turns: &'a Turns,
}

impl Drop for Turn<'_> {
	fn drop(&mut self) {
		lock(&self.turns.state).serving += 1;
		self.turns.changed.notify_all();
	}
}

/// The part of `0..total` that share `index` of `count` gets: contiguous, and sizes differ by at
/// most one.
pub(super) fn share(total: usize, index: usize, count: usize) -> std::ops::Range<usize> {
	let (each, more) = (total / count, total % count);
	let start = index * each + index.min(more);
	start..start + each + usize::from(index < more)
}

// A lock is poisoned only by a panic, after which its step has no result: nothing reads what a
// poisoned lock guards before it is written again.

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
	mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
	lock.read().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
	lock.write().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn own<T>(lock: &mut RwLock<T>) -> &mut T {
	lock.get_mut().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn shares_should_cover_everything_once() {
		for total in 0..40 {
			for count in 1..9 {
				let mut next = 0;
				for index in 0..count {
					let part = share(total, index, count);
					assert_eq!(part.start, next);
					assert!(part.len() <= total / count + 1);
					next = part.end;
				}
				assert_eq!(next, total);
			}
		}
	}

	#[test]
	fn lanes_should_meet_between_phases() {
		let threads = Threads::new(4).unwrap();
		let counters: Vec<AtomicUsize> = (0..100).map(|_| AtomicUsize::new(0)).collect();
		threads
			.run(|lane| {
				for (phase, counter) in counters.iter().enumerate() {
					if phase > 0 {
						assert_eq!(counters[phase - 1].load(Ordering::Relaxed), 4);
					}
					counter.fetch_add(1, Ordering::Relaxed);
					lane.wait()?;
				}
				Ok(())
			})
			.unwrap();
	}

	#[test]
	fn a_failure_should_stop_all_lanes() {
		let threads = Threads::new(3).unwrap();
		for failing in 0..3 {
			let result = threads.run(|lane| {
				for phase in 0..10 {
					if lane.index == failing && phase == 4 {
						return Err(EngineError::Cancelled.into());
					}
					lane.wait()?;
				}
				Ok(())
			});
			assert!(matches!(result, Err(EngineError::Cancelled)));
		}
		threads.run(|lane| lane.wait()).unwrap();
	}

	#[test]
	fn callers_should_take_turns() {
		let threads = Threads::new(2).unwrap();
		let inside = AtomicUsize::new(0);
		std::thread::scope(|scope| {
			for _ in 0..4 {
				scope.spawn(|| {
					for _ in 0..50 {
						threads
							.run(|lane| {
								assert!(inside.fetch_add(1, Ordering::AcqRel) < 2);
								lane.wait()?;
								inside.fetch_sub(1, Ordering::AcqRel);
								lane.wait()
							})
							.unwrap();
					}
				});
			}
		});
	}

	#[test]
	fn a_call_from_another_pool_should_not_lock_up() {
		let threads = Threads::new(2).unwrap();
		let other = ThreadPoolBuilder::new().num_threads(2).build().unwrap();
		other.scope(|scope| {
			for _ in 0..8 {
				scope.spawn(|_| threads.run(|lane| lane.wait()).unwrap());
			}
		});
	}

	#[test]
	fn numbers_of_threads_out_of_range_should_be_refused() {
		assert!(matches!(Threads::new(0), Err(EngineError::Threads { .. })));
		assert!(matches!(Threads::new(MAX_THREADS + 1), Err(EngineError::Threads { .. })));
	}
}
