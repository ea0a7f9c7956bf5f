//! What a contributor's consent allows, enforced by the worker itself (paper, 3.1;
//! `docs/design/009-consent-on-a-machine.md`).
//!
//! A [`Governor`] holds a budget for each limit of a consent. Whoever computes asks [`CpuBudget`]
//! before each unit, whoever sends or receives asks [`ByteBucket`], whoever keeps something asks
//! [`MemoryBudget`]. A change of limits acts on the next question.

mod bytes;
pub mod cgroup;
mod clock;
mod cpu;
mod memory;
mod schedule;
mod sleep;

pub use bytes::ByteBucket;
pub use clock::{logical_cpus, Clock, SystemClock};
pub use cpu::CpuBudget;
pub use memory::{MemoryBudget, MemoryLease, MemoryRefused};
pub use schedule::Hours;
pub use sleep::{watch, ClockJump, JumpDetector};

use aria_primitives::consent::Consent;
use std::sync::{
	atomic::{AtomicBool, Ordering},
	Arc, Mutex, MutexGuard, PoisonError,
};
use tracing::info;

/// Bytes of a mebibyte.
const MEBIBYTE: u64 = 1 << 20;

/// The limits of a consent that a machine can enforce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
	/// Share of all logical CPUs, `1..=100`. What lies outside is taken for the nearest.
	pub cpu_percent: u8,
	/// Bytes sent and received together, in megabits a second.
	pub max_bandwidth_mbps: u32,
	/// Memory of weights, sessions and buffers, in mebibytes.
	pub max_memory_mb: u32,
}

impl Limits {
	/// No limit.
	pub const NONE: Self =
		Self { cpu_percent: 100, max_bandwidth_mbps: u32::MAX, max_memory_mb: u32::MAX };

	/// The limits that a consent states.
	pub fn of(consent: &Consent) -> Self {
		Self {
			cpu_percent: consent.cpu_percent,
			max_bandwidth_mbps: consent.max_bandwidth_mbps,
			max_memory_mb: consent.max_memory_mb,
		}
	}

	/// The memory limit in bytes.
	pub fn memory_bytes(&self) -> u64 {
		u64::from(self.max_memory_mb) * MEBIBYTE
	}
}

/// The budgets of a process.
pub struct Governor {
	limits: Mutex<Limits>,
	cpu: CpuBudget,
	bytes: ByteBucket,
	memory: Arc<MemoryBudget>,
	closed: AtomicBool,
}

impl Governor {
	/// Budgets of this process, with the system's clocks.
	pub fn new(limits: Limits) -> Arc<Self> {
		Self::with_clock(limits, Arc::new(SystemClock::new()), logical_cpus())
	}

	/// Budgets on another clock, of a machine with `cpus` logical CPUs.
	pub fn with_clock(limits: Limits, clock: Arc<dyn Clock>, cpus: usize) -> Arc<Self> {
		Arc::new(Self {
			limits: Mutex::new(limits),
			cpu: CpuBudget::new(limits.cpu_percent, cpus, clock.clone()),
			bytes: ByteBucket::new(limits.max_bandwidth_mbps, clock),
			memory: Arc::new(MemoryBudget::new(limits.memory_bytes())),
			closed: AtomicBool::new(false),
		})
	}

	/// Changes the limits. Leases that are given stay given, also where they are above the new limit.
	pub fn set(&self, limits: Limits) {
		let mut current = self.current();
		if *current != limits {
			info!(
				target: "aria::limits",
				cpu_percent = limits.cpu_percent,
				bandwidth_mbps = limits.max_bandwidth_mbps,
				memory_mb = limits.max_memory_mb,
				"limits have changed"
			);
		}
		*current = limits;
		self.cpu.set_percent(limits.cpu_percent);
		self.bytes.set_rate(limits.max_bandwidth_mbps);
		self.memory.set_limit(limits.memory_bytes());
	}

	/// The limits that hold.
	pub fn limits(&self) -> Limits {
		*self.current()
	}

	/// The budget of CPU time.
	pub fn cpu(&self) -> &CpuBudget {
		&self.cpu
	}

	/// The budget of bytes.
	pub fn bytes(&self) -> &ByteBucket {
		&self.bytes
	}

	/// The budget of memory.
	pub fn memory(&self) -> &Arc<MemoryBudget> {
		&self.memory
	}

	/// Stops all compute before its next unit, or lets it go on.
	pub fn set_paused(&self, paused: bool) {
		self.cpu.set_paused(paused);
	}

	/// Whether compute is stopped.
	pub fn is_paused(&self) -> bool {
		self.cpu.is_paused()
	}

	/// Lets others have what is here, shards say, or not: outside the hours of a consent, or without one.
	pub fn set_giving(&self, giving: bool) {
		self.closed.store(!giving, Ordering::Release);
	}

	/// Whether others may have what is here.
	pub fn gives(&self) -> bool {
		!self.closed.load(Ordering::Acquire)
	}

	fn current(&self) -> MutexGuard<'_, Limits> {
		self.limits.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use aria_primitives::{
		consent::{RewardMode, RewardPreference, Schedule},
		AccountId,
	};

	#[test]
	fn limits_should_be_those_of_the_consent() {
		let consent = Consent {
			cpu_percent: 25,
			schedule: Schedule::always(),
			task_types: Default::default(),
			max_bandwidth_mbps: 40,
			max_memory_mb: 2048,
			reward_preference: RewardPreference {
				payout: AccountId::new([1; 32]),
				minimum_price: 0,
				mode: RewardMode::Keep,
			},
		};
		let limits = Limits::of(&consent);
		let expected = Limits { cpu_percent: 25, max_bandwidth_mbps: 40, max_memory_mb: 2048 };
		assert_eq!(limits, expected);
		assert_eq!(limits.memory_bytes(), 2 << 30);
	}

	#[test]
	fn a_change_should_reach_all_budgets() {
		let governor = Governor::new(Limits::NONE);
		let lease = governor.memory().reserve(3 * MEBIBYTE).unwrap();
		governor.set(Limits { cpu_percent: 10, max_bandwidth_mbps: 1, max_memory_mb: 2 });
		assert_eq!(governor.limits().cpu_percent, 10);
		assert_eq!(governor.memory().limit(), 2 * MEBIBYTE);
		assert!(governor.memory().reserve(1).is_err());
		drop(lease);
		assert!(governor.memory().reserve(1).is_ok());
		governor.set_paused(true);
		assert!(governor.is_paused() && governor.gives());
		governor.set_giving(false);
		assert!(!governor.gives());
	}
}
