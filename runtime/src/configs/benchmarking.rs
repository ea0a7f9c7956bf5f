//! What benchmarks need of pallets that are not their own.

use crate::{Runtime, WorkerRegistry};
use aria_primitives::{AccountId, EpochIndex, Moment};

/// Sets clock and epoch, and registers workers.
pub struct Helper;

impl pallet_inference_market::BenchmarkHelper for Helper {
	fn set_time(now: Moment) {
		pallet_timestamp::Now::<Runtime>::put(now);
	}

	// The author comes from a digest that benchmarks don't have; without one its part is burnt,
	// which writes no less.
	fn set_author(_: AccountId) {}

	fn set_epoch(epoch: EpochIndex) {
		pallet_babe::EpochIndex::<Runtime>::put(epoch);
		// Nothing was drawn before.
		if let Some(last) = epoch.checked_sub(1) {
			pallet_verification::ClosedThrough::<Runtime>::put(last);
		}
	}
}

impl pallet_validator_registry::BenchmarkHelper for Helper {
	fn register_worker(worker: &AccountId) {
		pallet_validator_registry::RegisterThrough::<WorkerRegistry>::register_worker(worker);
	}
}
