//! A share of the machine, by the clock.
#![allow(clippy::unwrap_used, missing_docs)]

use aria_worker::limits::{logical_cpus, Clock, Governor, Limits, SystemClock};
use std::{
	sync::{
		atomic::{AtomicBool, AtomicU64, Ordering},
		Arc, Mutex, PoisonError,
	},
	time::{Duration, Instant},
};

/// The CPU time of this process is what is limited and measured: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

const WINDOW: Duration = Duration::from_secs(10);

fn limits(percent: u8) -> Limits {
	Limits { cpu_percent: percent, ..Limits::NONE }
}

/// Time and CPU time of the process, again and again.
type History = Vec<(Duration, Duration)>;

/// The mean share of all CPUs, and the largest over 10 seconds.
fn shares(history: &[(Duration, Duration)], cpus: usize) -> (f64, f64) {
	let share = |from: &(Duration, Duration), to: &(Duration, Duration)| {
		(to.1 - from.1).as_secs_f64() / (to.0 - from.0).as_secs_f64() / cpus as f64
	};
	let mean = share(history.first().unwrap(), history.last().unwrap());
	let mut largest = 0.0f64;
	let mut end = 0;
	for from in history {
		while end < history.len() && history[end].0 < from.0 + WINDOW {
			end += 1;
		}
		let Some(to) = history.get(end) else { break };
		largest = largest.max(share(from, to));
	}
	(mean, largest)
}

/// Loads two threads for `time` under a limit of 25 %; `all` of it has to be used where nothing else wants
/// the processors.
fn burn(time: Duration, all: bool) {
	let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
	let cpus = logical_cpus();
	let governor = Governor::new(limits(25));
	let clock = SystemClock::new();
	let stop = AtomicBool::new(false);
	let mut history = History::new();
	std::thread::scope(|scope| {
		for _ in 0..2 {
			scope.spawn(|| {
				let mut sum = 0u64;
				while governor.cpu().acquire_unless(|| stop.load(Ordering::Relaxed)) {
					let unit = Instant::now();
					while unit.elapsed() < Duration::from_millis(10) {
						for step in 0..1000u64 {
							sum = std::hint::black_box(sum.wrapping_add(step));
						}
					}
				}
			});
		}
		while clock.now() < time {
			history.push((clock.now(), clock.cpu()));
			std::thread::sleep(Duration::from_millis(50));
		}
		stop.store(true, Ordering::Relaxed);
	});
	let (mean, largest) = shares(&history, cpus);
	println!("25 % of {cpus} CPUs: mean {mean:.4}, largest window {largest:.4}");
	// Two threads cannot use a quarter of more than eight.
	let reachable = all && cpus <= 8;
	assert!(!reachable || mean >= 0.23, "mean {mean}");
	assert!(mean <= 0.27, "mean {mean}");
	assert!(largest <= 0.27, "largest window {largest}");
	assert!((governor.cpu().share() - mean).abs() <= 0.03, "{}", governor.cpu().share());
}

#[test]
fn a_quarter_should_be_at_most_a_quarter_for_twelve_seconds() {
	burn(Duration::from_secs(12), false);
}

#[test]
#[ignore = "a minute of load"]
fn a_quarter_should_be_a_quarter_for_a_minute() {
	burn(Duration::from_secs(60), true);
}

/// A clock that stands until it is moved, or somebody waits.
#[derive(Default)]
struct HandClock {
	now: AtomicU64,
	cpu: AtomicU64,
}

impl HandClock {
	fn pass(&self, time: Duration, cpu: Duration) {
		self.now.fetch_add(time.as_nanos() as u64, Ordering::SeqCst);
		self.cpu.fetch_add(cpu.as_nanos() as u64, Ordering::SeqCst);
	}
}

impl Clock for HandClock {
	fn now(&self) -> Duration {
		Duration::from_nanos(self.now.load(Ordering::SeqCst))
	}

	fn cpu(&self) -> Duration {
		Duration::from_nanos(self.cpu.load(Ordering::SeqCst))
	}

	fn wall(&self) -> Duration {
		self.now()
	}

	fn wait(&self, time: Duration) {
		// A sleeper is woken a little late.
		self.pass(time + Duration::from_micros(80), Duration::ZERO);
	}
}

#[test]
fn every_share_should_hold_with_units_of_any_length() {
	for (percent, cpus) in [(1, 2), (10, 2), (25, 2), (25, 64), (50, 8), (75, 4), (90, 2)] {
		let clock = Arc::new(HandClock::default());
		let governor = Governor::with_clock(limits(percent), clock.clone(), cpus);
		// Idle first, so that it begins with all that can be kept.
		clock.pass(Duration::from_secs(30), Duration::ZERO);
		let begin = clock.now();
		let mut history = vec![(begin, clock.cpu())];
		let mut random = 1u64;
		while clock.now() < begin + Duration::from_secs(120) {
			governor.cpu().acquire_blocking();
			// All lanes for 2 to 50 milliseconds.
			random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
			for _ in 0..2 + (random >> 33) % 49 {
				let step = Duration::from_millis(1);
				clock.pass(step, step * cpus as u32);
				history.push((clock.now(), clock.cpu()));
			}
		}
		let (mean, largest) = shares(&history, cpus);
		let limit = f64::from(percent) / 100.0;
		let case = format!("{percent} % of {cpus}");
		assert!((mean - limit).abs() <= 0.02, "{case}: mean {mean}");
		assert!(largest <= limit + 0.02, "{case}: largest window {largest}");
	}
}

#[test]
fn a_share_that_is_lowered_under_load_should_hold_after_a_window() {
	let clock = Arc::new(HandClock::default());
	let governor = Governor::with_clock(limits(80), clock.clone(), 2);
	let mut history = History::new();
	while clock.now() < Duration::from_secs(60) {
		if clock.now() > Duration::from_secs(20) {
			governor.set(limits(25));
		}
		governor.cpu().acquire_blocking();
		clock.pass(Duration::from_millis(20), Duration::from_millis(40));
		if clock.now() > Duration::from_secs(21) {
			history.push((clock.now(), clock.cpu()));
		}
	}
	let (mean, largest) = shares(&history, 2);
	assert!((0.23..=0.27).contains(&mean), "mean {mean}");
	assert!(largest <= 0.27, "largest window {largest}");
}
