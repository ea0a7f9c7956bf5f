//! Waiting between tries: exponential, with jitter that a seed decides.

use aria_primitives::{hashing::sha256, Moment};
use codec::Encode;
use sp_core::H256;

/// Shortest and longest wait, in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Backoff {
	/// The wait after the first failure, before jitter.
	pub first: u64,
	/// The longest wait, before jitter.
	pub most: u64,
	/// Decides the jitter, so that gateways that failed together do not come back together.
	pub seed: u64,
}

impl Backoff {
	/// Milliseconds to wait after `failures` failures (from 1) of what `of` names: `first`, doubled
	/// for each further failure up to `most`, and between three quarters and five quarters of that.
	pub fn delay(&self, of: &H256, failures: u32) -> u64 {
		let doublings = failures.saturating_sub(1).min(32);
		let factor = 1u64.checked_shl(doublings).unwrap_or(u64::MAX);
		let wait = self.first.saturating_mul(factor).min(self.most);
		let digest = sha256(&(self.seed, of, failures).encode());
		let mut low = [0; 8];
		low.copy_from_slice(&digest.as_bytes()[..8]);
		// 750 to 1,250 thousandths.
		let thousandths = u64::from_le_bytes(low) % 501 + 750;
		wait.saturating_mul(thousandths) / 1_000
	}

	/// When to try again.
	pub fn after(&self, now: Moment, of: &H256, failures: u32) -> Moment {
		now.saturating_add(self.delay(of, failures))
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	const BACKOFF: Backoff = Backoff { first: 1_000, most: 60_000, seed: 7 };

	#[test]
	fn waits_should_double_up_to_the_longest() {
		let id = H256::repeat_byte(1);
		for (failures, middle) in [(0, 1_000), (1, 1_000), (2, 2_000), (4, 8_000), (7, 60_000)] {
			let wait = BACKOFF.delay(&id, failures);
			assert!(wait >= middle * 3 / 4 && wait <= middle * 5 / 4, "{failures}: {wait}");
		}
		assert!(BACKOFF.delay(&id, u32::MAX) <= 75_000);
		assert_eq!(BACKOFF.after(u64::MAX, &id, 1), u64::MAX);
	}

	#[test]
	fn jitter_should_come_from_the_seed_alone() {
		let (one, other) = (H256::repeat_byte(1), H256::repeat_byte(2));
		let elsewhere = Backoff { seed: 8, ..BACKOFF };

		assert_eq!(BACKOFF.delay(&one, 3), BACKOFF.delay(&one, 3));
		assert_ne!(BACKOFF.delay(&one, 3), BACKOFF.delay(&other, 3));
		assert_ne!(BACKOFF.delay(&one, 3), elsewhere.delay(&one, 3));
	}
}
