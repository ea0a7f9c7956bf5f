//! Time as the budgets see it.

use aria_energy::ProcessCpu;
use std::{
	sync::OnceLock,
	time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Clocks, so that a test can hold them.
pub trait Clock: Send + Sync + 'static {
	/// Time since some moment; never goes back, and stands still while the machine sleeps.
	fn now(&self) -> Duration;
	/// CPU time of all threads of this process.
	fn cpu(&self) -> Duration;
	/// Time since 1970 in UTC, as the machine has it.
	fn wall(&self) -> Duration;
	/// Blocks the thread for about this long.
	fn wait(&self, time: Duration);
}

/// The clocks of the system.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
	origin: Instant,
}

impl SystemClock {
	/// Begins at 0.
	pub fn new() -> Self {
		Self { origin: Instant::now() }
	}
}

impl Default for SystemClock {
	fn default() -> Self {
		Self::new()
	}
}

impl Clock for SystemClock {
	fn now(&self) -> Duration {
		self.origin.elapsed()
	}

	fn cpu(&self) -> Duration {
		ProcessCpu::now()
	}

	fn wall(&self) -> Duration {
		SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
	}

	fn wait(&self, time: Duration) {
		std::thread::sleep(time);
	}
}

/// Logical CPUs that this process could use when it was first asked; limits are shares of them.
///
/// A container's or control group's own limit counts, if it was there before; the one that
/// [`super::cgroup::confine`] sets does not.
pub fn logical_cpus() -> usize {
	static CPUS: OnceLock<usize> = OnceLock::new();
	*CPUS.get_or_init(|| std::thread::available_parallelism().map_or(1, |count| count.get()))
}

#[cfg(test)]
pub(super) mod fake {
	use super::*;
	use std::sync::atomic::{AtomicU64, Ordering};

	/// A clock that stands until it is moved, or somebody waits.
	#[derive(Default)]
	pub struct FakeClock {
		now: AtomicU64,
		cpu: AtomicU64,
		wall: AtomicU64,
	}

	fn add(to: &AtomicU64, time: Duration) {
		to.fetch_add(time.as_nanos() as u64, Ordering::SeqCst);
	}

	impl FakeClock {
		/// Time goes by, of which threads use `cpu` in all.
		pub fn pass(&self, time: Duration, cpu: Duration) {
			add(&self.now, time);
			add(&self.wall, time);
			add(&self.cpu, cpu);
		}
	}

	impl Clock for FakeClock {
		fn now(&self) -> Duration {
			Duration::from_nanos(self.now.load(Ordering::SeqCst))
		}

		fn cpu(&self) -> Duration {
			Duration::from_nanos(self.cpu.load(Ordering::SeqCst))
		}

		fn wall(&self) -> Duration {
			Duration::from_nanos(self.wall.load(Ordering::SeqCst))
		}

		fn wait(&self, time: Duration) {
			self.pass(time, Duration::ZERO);
		}
	}
}
