//! Memory: what is promised before it is allocated.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A limit on the bytes that weights, sessions and buffers hold together.
///
/// It counts what is asked for, not what the system sees: whoever allocates for a session, or for
/// somebody else's request, reserves first.
#[derive(Debug)]
pub struct MemoryBudget {
	state: Mutex<State>,
}

#[derive(Debug)]
struct State {
	limit: u64,
	used: u64,
}

/// There is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
	"{asked} bytes are asked for, and {used} of {limit} are in use; wait for a session to end, serve \
	 fewer layers, or raise the memory of the consent"
)]
pub struct MemoryRefused {
	/// What was asked for, in bytes.
	pub asked: u64,
	/// What is in use, in bytes.
	pub used: u64,
	/// The limit, in bytes.
	pub limit: u64,
}

impl MemoryBudget {
	/// `limit` bytes, none of them in use.
	pub fn new(limit: u64) -> Self {
		Self { state: Mutex::new(State { limit, used: 0 }) }
	}

	/// Reserves `bytes` until the lease is dropped.
	pub fn reserve(self: &Arc<Self>, bytes: u64) -> Result<MemoryLease, MemoryRefused> {
		self.add(bytes)?;
		Ok(MemoryLease { budget: self.clone(), bytes })
	}

	/// Bytes in use; above the limit if that was lowered meanwhile.
	pub fn used(&self) -> u64 {
		self.state().used
	}

	/// The limit, in bytes.
	pub fn limit(&self) -> u64 {
		self.state().limit
	}

	/// Bytes that can be reserved.
	pub fn free(&self) -> u64 {
		let state = self.state();
		state.limit.saturating_sub(state.used)
	}

	pub(super) fn set_limit(&self, limit: u64) {
		self.state().limit = limit;
	}

	fn add(&self, bytes: u64) -> Result<(), MemoryRefused> {
		let mut state = self.state();
		match state.used.checked_add(bytes) {
			Some(used) if used <= state.limit => {
				state.used = used;
				Ok(())
			}
			_ => Err(MemoryRefused { asked: bytes, used: state.used, limit: state.limit }),
		}
	}

	fn give_back(&self, bytes: u64) {
		let mut state = self.state();
		state.used = state.used.saturating_sub(bytes);
	}

	fn state(&self) -> MutexGuard<'_, State> {
		self.state.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

/// Memory that is reserved; given back when this is dropped.
#[derive(Debug)]
#[must_use = "dropped at once, it reserves nothing"]
pub struct MemoryLease {
	budget: Arc<MemoryBudget>,
	bytes: u64,
}

impl MemoryLease {
	/// Bytes of this lease.
	pub fn bytes(&self) -> u64 {
		self.bytes
	}

	/// Reserves `bytes` more. Where there is no room, the lease stays as it is.
	pub fn grow(&mut self, bytes: u64) -> Result<(), MemoryRefused> {
		self.budget.add(bytes)?;
		self.bytes = self.bytes.saturating_add(bytes);
		Ok(())
	}

	/// Gives back all but `bytes`.
	pub fn shrink_to(&mut self, bytes: u64) {
		let more = self.bytes.saturating_sub(bytes);
		self.budget.give_back(more);
		self.bytes -= more;
	}
}

impl Drop for MemoryLease {
	fn drop(&mut self) {
		self.budget.give_back(self.bytes);
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn leases_should_stay_within_the_limit_and_be_given_back() {
		let budget = Arc::new(MemoryBudget::new(100));
		let mut first = budget.reserve(60).unwrap();
		let refused = budget.reserve(41).unwrap_err();
		assert_eq!(refused, MemoryRefused { asked: 41, used: 60, limit: 100 });
		let second = budget.reserve(40).unwrap();
		assert_eq!((budget.used(), budget.free()), (100, 0));
		assert!(first.grow(1).is_err());
		assert_eq!(first.bytes(), 60);
		drop(second);
		first.grow(30).unwrap();
		assert_eq!((first.bytes(), budget.used()), (90, 90));
		first.shrink_to(10);
		first.shrink_to(50);
		assert_eq!((first.bytes(), budget.used()), (10, 10));
		drop(first);
		assert_eq!(budget.used(), 0);
	}

	#[test]
	fn huge_requests_should_be_refused() {
		let budget = Arc::new(MemoryBudget::new(u64::MAX));
		let _lease = budget.reserve(5).unwrap();
		assert!(budget.reserve(u64::MAX).is_err());
		assert_eq!(budget.used(), 5);
	}

	#[test]
	fn a_lower_limit_should_leave_leases_and_refuse_new_ones() {
		let budget = Arc::new(MemoryBudget::new(100));
		let lease = budget.reserve(80).unwrap();
		budget.set_limit(50);
		assert_eq!((budget.used(), budget.limit(), budget.free()), (80, 50, 0));
		assert!(budget.reserve(0).is_err());
		drop(lease);
		assert!(budget.reserve(50).is_ok());
	}

	#[test]
	fn threads_should_not_reserve_the_same_bytes() {
		let budget = Arc::new(MemoryBudget::new(1000));
		std::thread::scope(|scope| {
			for _ in 0..4 {
				scope.spawn(|| {
					for _ in 0..500 {
						if let Ok(lease) = budget.reserve(300) {
							assert!(budget.used() <= 1000);
							drop(lease);
						}
					}
				});
			}
		});
		assert_eq!(budget.used(), 0);
	}
}
