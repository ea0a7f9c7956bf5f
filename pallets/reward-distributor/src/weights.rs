//! Weights of `pallet_reward_distributor`, written by `make weights`.
//!
//! Measured on 2026-11-24 on AMD EPYC: the runtime in wasm over a database in memory,
//! 10 steps of each component with the others at their greatest,
//! 10 repetitions of each. Time by least squares; reads, writes and bytes
//! of proof by the line on which or below which all that was counted lies.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_parens)]
#![allow(unused_imports)]
#![allow(missing_docs)]
#![allow(dead_code)]

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::{Weight, constants::RocksDbWeight}};

/// Weight functions needed for `pallet_reward_distributor`.
pub trait WeightInfo {
	fn claim() -> Weight;
	fn claim_for() -> Weight;
	fn force_new_era() -> Weight;
	fn note_work() -> Weight;
	fn note_author() -> Weight;
	fn roll_over() -> Weight;
	fn sum_lines(n: u32, ) -> Weight;
	fn pay_authors(n: u32, ) -> Weight;
	fn pay_workers(n: u32, ) -> Weight;
	fn prune(n: u32, ) -> Weight;
}

/// Weights of `pallet_reward_distributor` with the database weights of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Takes 37.1 µs at least.
	///
	/// Keys read and written:
	/// - `RewardDistributor::TotalMinted` (r:1 w:1)
	/// - `RewardDistributor::TotalUnclaimed` (r:1 w:1)
	/// - `RewardDistributor::Unclaimed` (r:1 w:1)
	fn claim() -> Weight {
		Weight::from_parts(45_587_000, 131)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Takes 37.8 µs at least.
	///
	/// Keys read and written:
	/// - `RewardDistributor::TotalMinted` (r:1 w:1)
	/// - `RewardDistributor::TotalUnclaimed` (r:1 w:1)
	/// - `RewardDistributor::Unclaimed` (r:1 w:1)
	/// - `System::Account` (r:1 w:1)
	fn claim_for() -> Weight {
		Weight::from_parts(42_503_000, 131)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
	/// Takes 7.8 µs at least.
	///
	/// Keys read and written:
	/// - `RewardDistributor::CurrentEra` (r:1 w:0)
	/// - `RewardDistributor::EraEnding` (r:1 w:1)
	fn force_new_era() -> Weight {
		Weight::from_parts(14_111_000, 70)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Takes 43.7 µs at least.
	///
	/// Keys read and written:
	/// - `Babe::EpochIndex` (r:1 w:0)
	/// - `RewardDistributor::CurrentEra` (r:1 w:0)
	/// - `RewardDistributor::Eras` (r:1 w:1)
	/// - `RewardDistributor::Lines` (r:1 w:1)
	/// - `RewardDistributor::ModelEnergy` (r:2 w:1)
	/// - `ValidatorRegistry::ValidatorOf` (r:1 w:0)
	/// - `ValidatorRegistry::WaitingWork` (r:1 w:1)
	/// - `ValidatorRegistry::WorkEpochs` (r:1 w:1)
	/// - `Verification::Tallies` (r:1 w:0)
	/// - `WorkerRegistry::Attendances` (r:1 w:0)
	fn note_work() -> Weight {
		Weight::from_parts(45_738_000, 989)
			.saturating_add(T::DbWeight::get().reads(11_u64))
			.saturating_add(T::DbWeight::get().writes(5_u64))
	}
	/// Takes 9.8 µs at least.
	///
	/// Keys read and written:
	/// - `RewardDistributor::Authored` (r:1 w:1)
	/// - `RewardDistributor::CurrentEra` (r:1 w:0)
	/// - `RewardDistributor::EraEnding` (r:1 w:0)
	/// - `RewardDistributor::Eras` (r:1 w:1)
	fn note_author() -> Weight {
		Weight::from_parts(10_736_000, 246)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Takes 16.9 µs at least.
	///
	/// Keys read and written:
	/// - `Babe::EpochIndex` (r:1 w:0)
	/// - `RewardDistributor::CurrentEra` (r:1 w:1)
	/// - `RewardDistributor::EraEnding` (r:1 w:1)
	/// - `RewardDistributor::EraEpochs` (r:0 w:1)
	/// - `RewardDistributor::Eras` (r:1 w:2)
	fn roll_over() -> Weight {
		Weight::from_parts(19_569_000, 449)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(5_u64))
	}
	/// Takes 3.9 µs at least.
	///
	/// The range of component `n` is `[0, 50]`.
	///
	/// Keys read and written with the greatest components:
	/// - `RewardDistributor::Lines` (r:51 w:50)
	/// - `Verification::Tallies` (r:50 w:0)
	/// - `WorkerRegistry::Attendances` (r:50 w:0)
	fn sum_lines(n: u32, ) -> Weight {
		Weight::from_parts(12_136_000, 259)
			.saturating_add(Weight::from_parts(12_672_964, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().reads((3_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 88).saturating_mul(n.into()))
	}
	/// Takes 4.0 µs at least.
	///
	/// The range of component `n` is `[0, 50]`.
	///
	/// Keys read and written with the greatest components:
	/// - `RewardDistributor::Authored` (r:51 w:0)
	/// - `RewardDistributor::TotalMinted` (r:1 w:1)
	/// - `System::Account` (r:50 w:50)
	fn pay_authors(n: u32, ) -> Weight {
		Weight::from_parts(6_209_000, 241)
			.saturating_add(Weight::from_parts(33_923_110, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes(1_u64))
			.saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 62).saturating_mul(n.into()))
	}
	/// Takes 3.9 µs at least.
	///
	/// The range of component `n` is `[0, 50]`.
	///
	/// Keys read and written with the greatest components:
	/// - `ConsentRegistry::Current` (r:50 w:0)
	/// - `ConsentRegistry::Versions` (r:50 w:0)
	/// - `RewardDistributor::Lines` (r:51 w:50)
	/// - `RewardDistributor::TotalMinted` (r:1 w:1)
	/// - `System::Account` (r:50 w:50)
	fn pay_workers(n: u32, ) -> Weight {
		Weight::from_parts(4_697_000, 451)
			.saturating_add(Weight::from_parts(45_021_747, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().reads((4_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes(1_u64))
			.saturating_add(T::DbWeight::get().writes((2_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 403).saturating_mul(n.into()))
	}
	/// Takes 14.2 µs at least.
	///
	/// The range of component `n` is `[0, 50]`.
	///
	/// Keys read and written with the greatest components:
	/// - `RewardDistributor::Authored` (r:1 w:0)
	/// - `RewardDistributor::Lines` (r:51 w:50)
	/// - `RewardDistributor::ModelEnergy` (r:1 w:0)
	/// - `RewardDistributor::NextToPrune` (r:0 w:1)
	fn prune(n: u32, ) -> Weight {
		Weight::from_parts(22_977_971, 184)
			.saturating_add(Weight::from_parts(4_245_156, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes(1_u64))
			.saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 87).saturating_mul(n.into()))
	}
}

// For tests.
impl WeightInfo for () {
	fn claim() -> Weight {
		Weight::from_parts(45_587_000, 131)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn claim_for() -> Weight {
		Weight::from_parts(42_503_000, 131)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
	}
	fn force_new_era() -> Weight {
		Weight::from_parts(14_111_000, 70)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn note_work() -> Weight {
		Weight::from_parts(45_738_000, 989)
			.saturating_add(RocksDbWeight::get().reads(11_u64))
			.saturating_add(RocksDbWeight::get().writes(5_u64))
	}
	fn note_author() -> Weight {
		Weight::from_parts(10_736_000, 246)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn roll_over() -> Weight {
		Weight::from_parts(19_569_000, 449)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(5_u64))
	}
	fn sum_lines(n: u32, ) -> Weight {
		Weight::from_parts(12_136_000, 259)
			.saturating_add(Weight::from_parts(12_672_964, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().reads((3_u64).saturating_mul(n.into())))
			.saturating_add(RocksDbWeight::get().writes((1_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 88).saturating_mul(n.into()))
	}
	fn pay_authors(n: u32, ) -> Weight {
		Weight::from_parts(6_209_000, 241)
			.saturating_add(Weight::from_parts(33_923_110, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().reads((2_u64).saturating_mul(n.into())))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
			.saturating_add(RocksDbWeight::get().writes((1_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 62).saturating_mul(n.into()))
	}
	fn pay_workers(n: u32, ) -> Weight {
		Weight::from_parts(4_697_000, 451)
			.saturating_add(Weight::from_parts(45_021_747, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().reads((4_u64).saturating_mul(n.into())))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
			.saturating_add(RocksDbWeight::get().writes((2_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 403).saturating_mul(n.into()))
	}
	fn prune(n: u32, ) -> Weight {
		Weight::from_parts(22_977_971, 184)
			.saturating_add(Weight::from_parts(4_245_156, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().reads((1_u64).saturating_mul(n.into())))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
			.saturating_add(RocksDbWeight::get().writes((1_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 87).saturating_mul(n.into()))
	}
}
