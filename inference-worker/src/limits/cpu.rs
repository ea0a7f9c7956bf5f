//! The share of the machine's processors: a duty cycle over the process's CPU time.

use super::Clock;
use std::{
	collections::VecDeque,
	sync::{
		atomic::{AtomicBool, Ordering},
		Arc, Mutex, MutexGuard, PoisonError,
	},
	time::Duration,
};
use tokio_util::sync::CancellationToken;

/// The window over which a consent's share holds.
const WINDOW: Duration = Duration::from_secs(10);
/// How long a unit of compute should take on all lanes.
const UNIT: Duration = Duration::from_millis(50);
/// Largest chunk of a prompt.
const MOST_CHUNK: usize = 64;
/// Unused time that is kept, in seconds at the share; together with units that run when it is used up
/// it has to stay within 2 points of a window.
const BURST: f64 = 0.3;
/// The same in seconds of all CPUs.
const MOST_BURST: f64 = 0.1;
/// How long a wait lasts before it looks whether the limits have changed.
const LOOK: Duration = Duration::from_millis(100);
/// Shortest wait.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

/// A share of all logical CPUs for this process.
///
/// What is charged is the CPU time of the whole process, so that threads of the network and the
/// gateway count too; what waits is compute. Every thread that computes calls one of the `acquire`
/// functions before each unit, and keeps units short ([`CpuBudget::suggested_chunk`]). Then the mean
/// under load is the share, and no window of 10 seconds lies more than 2 points above it.
pub struct CpuBudget {
	clock: Arc<dyn Clock>,
	cpus: f64,
	state: Mutex<State>,
	paused: AtomicBool,
}

struct State {
	bucket: Bucket,
	usage: Usage,
}

impl CpuBudget {
	pub(super) fn new(percent: u8, cpus: usize, clock: Arc<dyn Clock>) -> Self {
		let (now, cpu) = (clock.now(), clock.cpu());
		let cpus = cpus.max(1) as f64;
		let state = State {
			bucket: Bucket::new(percent, cpus, now, cpu),
			usage: Usage { samples: VecDeque::from([(now, cpu)]) },
		};
		Self { clock, cpus, state: Mutex::new(state), paused: AtomicBool::new(false) }
	}

	/// Waits until there is budget for a unit of compute, and while compute is paused.
	pub fn acquire_blocking(&self) {
		self.acquire_unless(|| false);
	}

	/// The same, but gives up once `cancelled` says so, which it asks ten times a second at least.
	/// Whether there is budget.
	pub fn acquire_unless(&self, cancelled: impl Fn() -> bool) -> bool {
		loop {
			if cancelled() {
				return false;
			}
			match self.ask() {
				None => return true,
				Some(wait) => self.clock.wait(wait),
			}
		}
	}

	/// [`CpuBudget::acquire_blocking`] for a task. It may be dropped at any time.
	pub async fn acquire(&self) {
		while let Some(wait) = self.ask() {
			tokio::time::sleep(wait).await;
		}
	}

	/// The same, but gives up when `cancel` is cancelled. Whether there is budget.
	pub async fn acquire_or_cancelled(&self, cancel: &CancellationToken) -> bool {
		tokio::select! {
			biased;
			() = cancel.cancelled() => false,
			() = self.acquire() => true,
		}
	}

	/// How many tokens of a prompt make a unit, `1 ..= 64`, where a token takes so long on all lanes.
	/// Without a limit a unit is as large as can be; where nothing was measured yet, it is one token.
	pub fn suggested_chunk(&self, seconds_per_token: f64) -> usize {
		if self.percent() >= 100 {
			return MOST_CHUNK;
		}
		if !seconds_per_token.is_finite() || seconds_per_token <= 0.0 {
			return 1;
		}
		((UNIT.as_secs_f64() / seconds_per_token) as usize).clamp(1, MOST_CHUNK)
	}

	/// The share of all CPUs that the process used over the last 10 seconds, or since this was made;
	/// from 0 to 1.
	pub fn share(&self) -> f64 {
		let mut state = self.state();
		let (now, cpu) = (self.clock.now(), self.clock.cpu());
		state.usage.record(now, cpu);
		state.usage.share(now, cpu, self.cpus)
	}

	/// The share that is allowed, in percent of all logical CPUs.
	pub fn percent(&self) -> u8 {
		self.state().bucket.percent
	}

	pub(super) fn set_percent(&self, percent: u8) {
		let mut state = self.state();
		let (now, cpu) = (self.clock.now(), self.clock.cpu());
		state.bucket.set_percent(percent, now, cpu);
	}

	pub(super) fn set_paused(&self, paused: bool) {
		self.paused.store(paused, Ordering::Release);
	}

	pub(super) fn is_paused(&self) -> bool {
		self.paused.load(Ordering::Acquire)
	}

	/// `None` for a unit to begin now, otherwise when to ask again.
	fn ask(&self) -> Option<Duration> {
		let mut state = self.state();
		let (now, cpu) = (self.clock.now(), self.clock.cpu());
		state.usage.record(now, cpu);
		if self.is_paused() {
			state.bucket.settle(now, cpu);
			return Some(LOOK);
		}
		let wait = state.bucket.ask(now, cpu)?;
		Some(wait.clamp(SHORTEST_WAIT, LOOK))
	}

	// Numbers are written as a whole; what a panic left is a budget all the same.
	fn state(&self) -> MutexGuard<'_, State> {
		self.state.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

/// Seconds of CPU time that may be used. Time adds to them at the share, CPU time of the process
/// takes from them, and a unit begins while there are any: what it uses beyond is paid back.
struct Bucket {
	cpus: f64,
	percent: u8,
	seconds: f64,
	now: Duration,
	cpu: Duration,
	/// Before this no unit begins.
	next: Duration,
	/// CPU seconds of recent units, and how many they were; older ones count less.
	unit_seconds: f64,
	units: f64,
}

impl Bucket {
	fn new(percent: u8, cpus: f64, now: Duration, cpu: Duration) -> Self {
		Self {
			cpus,
			percent: percent.clamp(1, 100),
			seconds: 0.0,
			now,
			cpu,
			next: now,
			unit_seconds: UNIT.as_secs_f64() * cpus,
			units: 1.0,
		}
	}

	/// CPU seconds a second.
	fn rate(&self) -> f64 {
		f64::from(self.percent) / 100.0 * self.cpus
	}

	fn capacity(&self) -> f64 {
		(BURST * self.rate()).min(MOST_BURST * self.cpus)
	}

	fn set_percent(&mut self, percent: u8, now: Duration, cpu: Duration) {
		self.settle(now, cpu);
		self.percent = percent.clamp(1, 100);
		self.seconds = self.seconds.min(self.capacity());
	}

	fn settle(&mut self, now: Duration, cpu: Duration) {
		let passed = now.saturating_sub(self.now).as_secs_f64();
		let used = cpu.saturating_sub(self.cpu).as_secs_f64();
		self.now = self.now.max(now);
		self.cpu = self.cpu.max(cpu);
		self.unit_seconds += used;
		// What was used outside units (weights that were loaded) is forgotten once no window has it.
		let most_debt = WINDOW.as_secs_f64() * self.rate();
		let seconds = self.seconds + passed * self.rate() - used;
		self.seconds = seconds.clamp(-most_debt, self.capacity());
	}

	fn ask(&mut self, now: Duration, cpu: Duration) -> Option<Duration> {
		self.settle(now, cpu);
		if self.percent >= 100 {
			return None;
		}
		if self.seconds <= 0.0 {
			return Some(duration(-self.seconds / self.rate()));
		}
		if now < self.next {
			return Some(self.next - now);
		}
		// Units that have begun are charged only while they run. So that many threads do not all begin
		// on the same seconds, units begin no faster than twice what the machine can compute.
		let unit = (self.unit_seconds / self.units).min(5.0 * UNIT.as_secs_f64() * self.cpus);
		self.next = now + duration(unit / self.cpus / 2.0);
		self.unit_seconds *= 0.9;
		self.units = self.units * 0.9 + 1.0;
		None
	}
}

fn duration(seconds: f64) -> Duration {
	Duration::try_from_secs_f64(seconds).unwrap_or(WINDOW)
}

/// CPU time of the process over the last window, ten samples a second.
struct Usage {
	samples: VecDeque<(Duration, Duration)>,
}

impl Usage {
	fn record(&mut self, now: Duration, cpu: Duration) {
		if self.samples.back().is_none_or(|(at, _)| now.saturating_sub(*at) >= LOOK) {
			self.samples.push_back((now, cpu));
		}
		// One sample stays at or before the window's beginning.
		let begin = now.saturating_sub(WINDOW);
		while self.samples.get(1).is_some_and(|(at, _)| *at <= begin) {
			self.samples.pop_front();
		}
	}

	fn share(&self, now: Duration, cpu: Duration, cpus: f64) -> f64 {
		let Some(&(mut at, mut then)) = self.samples.front() else { return 0.0 };
		let begin = now.saturating_sub(WINDOW);
		if at < begin {
			// In between, as if CPU time had been used evenly.
			let (next_at, next) = self.samples.get(1).copied().unwrap_or((now, cpu));
			let part = ratio(begin.saturating_sub(at), next_at.saturating_sub(at));
			then += next.saturating_sub(then).mul_f64(part);
			at = begin;
		}
		(ratio(cpu.saturating_sub(then), now.saturating_sub(at)) / cpus).clamp(0.0, 1.0)
	}
}

fn ratio(part: Duration, whole: Duration) -> f64 {
	if whole.is_zero() {
		0.0
	} else {
		part.as_secs_f64() / whole.as_secs_f64()
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::limits::clock::fake::FakeClock;

	fn milliseconds(count: u64) -> Duration {
		Duration::from_millis(count)
	}

	fn budget(percent: u8, cpus: usize) -> (Arc<FakeClock>, CpuBudget) {
		let clock = Arc::new(FakeClock::default());
		(clock.clone(), CpuBudget::new(percent, cpus, clock))
	}

	/// Single threads that each want a CPU, on a machine that divides its CPUs evenly, a millisecond a
	/// step. Gives the CPU seconds used up to each step.
	fn simulate(percent: u8, cpus: usize, threads: usize, unit: f64, steps: u64) -> Vec<f64> {
		let mut bucket = Bucket::new(percent, cpus as f64, Duration::ZERO, Duration::ZERO);
		let mut left = vec![0.0f64; threads];
		let mut used = 0.0;
		let mut history = vec![0.0];
		// Idle for a while, so that it begins with all that can be kept.
		for step in 500..500 + steps {
			let now = milliseconds(step);
			for work in left.iter_mut().filter(|work| **work <= 0.0) {
				if bucket.ask(now, duration(used)).is_none() {
					*work = unit;
				}
			}
			let running = left.iter().filter(|work| **work > 0.0).count();
			let speed = (cpus as f64 / running.max(1) as f64).min(1.0) * 1e-3;
			for work in left.iter_mut().filter(|work| **work > 0.0) {
				used += (*work).min(speed);
				*work -= speed;
			}
			history.push(used);
		}
		history
	}

	#[test]
	fn many_threads_should_stay_within_two_points() {
		for (percent, cpus, threads, unit) in [
			(25, 2, 2, 0.01),
			(25, 4, 16, 0.02),
			(25, 4, 64, 0.02),
			(60, 2, 8, 0.05),
			(90, 4, 12, 0.03),
			(5, 2, 2, 0.05),
			(1, 8, 8, 0.05),
		] {
			let history = simulate(percent, cpus, threads, unit, 40_000);
			let share = |from: usize, to: usize| {
				(history[to] - history[from]) / ((to - from) as f64 * 1e-3 * cpus as f64)
			};
			let limit = f64::from(percent) / 100.0;
			let case = format!("{percent} % of {cpus} by {threads} threads");
			let mean = share(0, 40_000);
			assert!((mean - limit).abs() < 0.02, "{case}: mean {mean}");
			for from in (0..=30_000).step_by(50) {
				let window = share(from, from + 10_000);
				assert!(window <= limit + 0.02, "{case}: {window} from {from} ms");
			}
		}
	}

	#[test]
	fn without_a_limit_nothing_should_wait() {
		let (clock, budget) = budget(100, 2);
		for _ in 0..100 {
			budget.acquire_blocking();
			clock.pass(milliseconds(50), milliseconds(100));
		}
		assert_eq!(clock.now(), milliseconds(5000));
		assert!((budget.share() - 1.0).abs() < 1e-9);
	}

	#[test]
	fn a_debt_from_outside_units_should_be_forgotten_after_a_window() {
		let (clock, budget) = budget(10, 2);
		// A minute of loading on both.
		clock.pass(milliseconds(60_000), milliseconds(120_000));
		budget.acquire_blocking();
		let waited = clock.now() - milliseconds(60_000);
		assert!(waited <= milliseconds(10_200), "{waited:?}");
		assert!(waited >= milliseconds(9_800), "{waited:?}");
	}

	#[test]
	fn a_new_percentage_should_hold_at_once() {
		let (clock, budget) = budget(50, 2);
		clock.pass(milliseconds(1000), milliseconds(1100));
		budget.set_percent(1);
		let before = clock.now();
		budget.acquire_blocking();
		// A tenth of a CPU second is owed, and a second brings a fiftieth of one.
		let waited = clock.now() - before;
		assert!(waited >= milliseconds(4_900), "{waited:?}");
		budget.set_percent(0);
		assert_eq!(budget.percent(), 1);
	}

	#[test]
	fn a_pause_should_hold_until_it_ends_or_is_cancelled() {
		let (clock, budget) = budget(100, 2);
		budget.set_paused(true);
		let give_up = milliseconds(500);
		assert!(!budget.acquire_unless(|| clock.now() >= give_up));
		let asked = std::cell::Cell::new(0);
		assert!(budget.acquire_unless(|| {
			asked.set(asked.get() + 1);
			if asked.get() == 5 {
				budget.set_paused(false);
			}
			false
		}));
		assert_eq!(asked.get(), 5);
	}

	#[test]
	fn chunks_should_fit_a_unit() {
		let (_, limited) = budget(25, 2);
		assert_eq!(limited.suggested_chunk(0.01), 5);
		assert_eq!(limited.suggested_chunk(1.0), 1);
		assert_eq!(limited.suggested_chunk(1e-9), 64);
		for unknown in [0.0, -1.0, f64::NAN, f64::INFINITY] {
			assert_eq!(limited.suggested_chunk(unknown), 1);
		}
		let (_, free) = budget(100, 2);
		assert_eq!(free.suggested_chunk(1.0), 64);
	}

	#[test]
	fn the_share_should_be_that_of_the_last_window() {
		let (clock, budget) = budget(50, 2);
		clock.pass(milliseconds(4000), milliseconds(4000));
		assert!((budget.share() - 0.5).abs() < 1e-9);
		clock.pass(milliseconds(20_000), Duration::ZERO);
		assert!(budget.share() < 1e-9);
		for _ in 0..200 {
			clock.pass(milliseconds(100), milliseconds(40));
			let share = budget.share();
			assert!((0.0..=0.2 + 1e-9).contains(&share), "{share}");
		}
		assert!((budget.share() - 0.2).abs() < 1e-3);
	}

	#[tokio::test]
	async fn a_task_should_wait_until_it_is_cancelled() {
		let clock = Arc::new(crate::limits::SystemClock::new());
		let budget = CpuBudget::new(100, 2, clock);
		budget.acquire().await;
		budget.set_paused(true);
		let cancel = CancellationToken::new();
		let stop = async {
			tokio::time::sleep(milliseconds(20)).await;
			cancel.cancel();
		};
		let (got, ()) = tokio::join!(budget.acquire_or_cancelled(&cancel), stop);
		assert!(!got);
		budget.set_paused(false);
		assert!(!budget.acquire_or_cancelled(&cancel).await);
		assert!(budget.acquire_or_cancelled(&CancellationToken::new()).await);
	}
}
