//! Weights of `pallet_worker_registry`, written by `make weights`.
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

/// Weight functions needed for `pallet_worker_registry`.
pub trait WeightInfo {
	fn register_worker() -> Weight;
	fn bond_more() -> Weight;
	fn set_served(s: u32, ) -> Weight;
	fn set_region() -> Weight;
	fn rotate_peer() -> Weight;
	fn drain() -> Weight;
	fn resume() -> Weight;
	fn unbond() -> Weight;
	fn withdraw() -> Weight;
	fn punish() -> Weight;
	fn rest() -> Weight;
	fn answer() -> Weight;
	fn ask(n: u32, ) -> Weight;
	fn close(n: u32, ) -> Weight;
}

/// Weights of `pallet_worker_registry` with the database weights of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Takes 116.7 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `System::BlockHash` (r:1 w:0)
	/// - `WorkerRegistry::Peers` (r:1 w:1)
	/// - `WorkerRegistry::Places` (r:0 w:1)
	/// - `WorkerRegistry::Roster` (r:0 w:1)
	/// - `WorkerRegistry::RosterSize` (r:1 w:1)
	/// - `WorkerRegistry::Workers` (r:1 w:1)
	fn register_worker() -> Weight {
		Weight::from_parts(125_105_000, 115)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}
	/// Takes 64.4 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `WorkerRegistry::Workers` (r:1 w:1)
	fn bond_more() -> Weight {
		Weight::from_parts(66_739_000, 373)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Takes 101.7 µs at least.
	///
	/// The range of component `s` is `[0, 32]`.
	///
	/// Keys read and written with the greatest components:
	/// - `ModelRegistry::Models` (r:32 w:0)
	/// - `WorkerRegistry::Served` (r:1 w:1)
	/// - `WorkerRegistry::Serving` (r:0 w:64)
	/// - `WorkerRegistry::Workers` (r:1 w:0)
	fn set_served(s: u32, ) -> Weight {
		Weight::from_parts(107_319_000, 2_900)
			.saturating_add(Weight::from_parts(6_958_110, 0).saturating_mul(s.into()))
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(s.into())))
			.saturating_add(T::DbWeight::get().writes(33_u64))
			.saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(s.into())))
			.saturating_add(Weight::from_parts(0, 115).saturating_mul(s.into()))
	}
	/// Takes 13.8 µs at least.
	///
	/// Keys read and written:
	/// - `WorkerRegistry::Workers` (r:1 w:1)
	fn set_region() -> Weight {
		Weight::from_parts(15_653_000, 280)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Takes 68.8 µs at least.
	///
	/// Keys read and written:
	/// - `System::BlockHash` (r:1 w:0)
	/// - `WorkerRegistry::Peers` (r:1 w:2)
	/// - `WorkerRegistry::Workers` (r:1 w:1)
	fn rotate_peer() -> Weight {
		Weight::from_parts(71_095_000, 403)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Takes 16.4 µs at least.
	///
	/// Keys read and written:
	/// - `WorkerRegistry::Challenges` (r:0 w:1)
	/// - `WorkerRegistry::Workers` (r:1 w:1)
	fn drain() -> Weight {
		Weight::from_parts(17_696_000, 280)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Takes 12.8 µs at least.
	///
	/// Keys read and written:
	/// - `WorkerRegistry::Workers` (r:1 w:1)
	fn resume() -> Weight {
		Weight::from_parts(14_872_000, 288)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Takes 13.7 µs at least.
	///
	/// Keys read and written:
	/// - `WorkerRegistry::Workers` (r:1 w:1)
	fn unbond() -> Weight {
		Weight::from_parts(15_653_000, 284)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Takes 160.2 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `InferenceMarket::UnvestedTotal` (r:1 w:0)
	/// - `WorkerRegistry::Attendances` (r:0 w:1)
	/// - `WorkerRegistry::Challenges` (r:0 w:1)
	/// - `WorkerRegistry::Peers` (r:0 w:1)
	/// - `WorkerRegistry::Places` (r:1 w:1)
	/// - `WorkerRegistry::Roster` (r:1 w:1)
	/// - `WorkerRegistry::RosterSize` (r:1 w:1)
	/// - `WorkerRegistry::Served` (r:1 w:1)
	/// - `WorkerRegistry::Serving` (r:0 w:32)
	/// - `WorkerRegistry::Workers` (r:1 w:1)
	fn withdraw() -> Weight {
		Weight::from_parts(164_884_000, 2_914)
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().writes(41_u64))
	}
	/// Takes 41.4 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `WorkerRegistry::Workers` (r:1 w:1)
	fn punish() -> Weight {
		Weight::from_parts(45_187_000, 373)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Takes 24.2 µs at least.
	///
	/// Keys read and written:
	/// - `RewardDistributor::CurrentEra` (r:1 w:0)
	/// - `WorkerRegistry::Attendances` (r:1 w:1)
	/// - `WorkerRegistry::Challenges` (r:0 w:1)
	/// - `WorkerRegistry::Workers` (r:1 w:1)
	fn rest() -> Weight {
		Weight::from_parts(29_734_000, 390)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Takes 80.0 µs at least.
	///
	/// Keys read and written:
	/// - `RewardDistributor::CurrentEra` (r:1 w:0)
	/// - `System::BlockHash` (r:1 w:0)
	/// - `WorkerRegistry::Attendances` (r:1 w:1)
	/// - `WorkerRegistry::Challenges` (r:1 w:1)
	/// - `WorkerRegistry::Workers` (r:1 w:0)
	fn answer() -> Weight {
		Weight::from_parts(102_271_000, 489)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Takes 10.4 µs at least.
	///
	/// The range of component `n` is `[0, 64]`.
	///
	/// Keys read and written with the greatest components:
	/// - `Babe::AuthorVrfRandomness` (r:1 w:0)
	/// - `ConsentRegistry::Current` (r:64 w:0)
	/// - `ConsentRegistry::Versions` (r:64 w:0)
	/// - `Parameters::Parameters` (r:2 w:0)
	/// - `System::ParentHash` (r:1 w:0)
	/// - `Timestamp::Now` (r:1 w:0)
	/// - `WorkerRegistry::Challenges` (r:64 w:64)
	/// - `WorkerRegistry::Closing` (r:1 w:1)
	/// - `WorkerRegistry::Roster` (r:64 w:0)
	/// - `WorkerRegistry::RosterSize` (r:1 w:0)
	/// - `WorkerRegistry::Served` (r:64 w:0)
	/// - `WorkerRegistry::Workers` (r:64 w:0)
	fn ask(n: u32, ) -> Weight {
		Weight::from_parts(12_048_000, 591)
			.saturating_add(Weight::from_parts(35_412_471, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().reads((6_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes(1_u64))
			.saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 498).saturating_mul(n.into()))
	}
	/// Takes 3.1 µs at least.
	///
	/// The range of component `n` is `[0, 64]`.
	///
	/// Keys read and written with the greatest components:
	/// - `ConsentRegistry::Current` (r:64 w:0)
	/// - `ConsentRegistry::Versions` (r:64 w:0)
	/// - `RewardDistributor::CurrentEra` (r:1 w:0)
	/// - `Timestamp::Now` (r:1 w:0)
	/// - `WorkerRegistry::Attendances` (r:64 w:64)
	/// - `WorkerRegistry::Challenges` (r:64 w:64)
	/// - `WorkerRegistry::Closing` (r:1 w:1)
	/// - `WorkerRegistry::Served` (r:64 w:0)
	/// - `WorkerRegistry::Workers` (r:64 w:64)
	fn close(n: u32, ) -> Weight {
		Weight::from_parts(3_725_000, 516)
			.saturating_add(Weight::from_parts(43_186_229, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().reads((6_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes(1_u64))
			.saturating_add(T::DbWeight::get().writes((3_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 599).saturating_mul(n.into()))
	}
}

// For tests.
impl WeightInfo for () {
	fn register_worker() -> Weight {
		Weight::from_parts(125_105_000, 115)
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().writes(6_u64))
	}
	fn bond_more() -> Weight {
		Weight::from_parts(66_739_000, 373)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn set_served(s: u32, ) -> Weight {
		Weight::from_parts(107_319_000, 2_900)
			.saturating_add(Weight::from_parts(6_958_110, 0).saturating_mul(s.into()))
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().reads((1_u64).saturating_mul(s.into())))
			.saturating_add(RocksDbWeight::get().writes(33_u64))
			.saturating_add(RocksDbWeight::get().writes((1_u64).saturating_mul(s.into())))
			.saturating_add(Weight::from_parts(0, 115).saturating_mul(s.into()))
	}
	fn set_region() -> Weight {
		Weight::from_parts(15_653_000, 280)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn rotate_peer() -> Weight {
		Weight::from_parts(71_095_000, 403)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn drain() -> Weight {
		Weight::from_parts(17_696_000, 280)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn resume() -> Weight {
		Weight::from_parts(14_872_000, 288)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn unbond() -> Weight {
		Weight::from_parts(15_653_000, 284)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn withdraw() -> Weight {
		Weight::from_parts(164_884_000, 2_914)
			.saturating_add(RocksDbWeight::get().reads(7_u64))
			.saturating_add(RocksDbWeight::get().writes(41_u64))
	}
	fn punish() -> Weight {
		Weight::from_parts(45_187_000, 373)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn rest() -> Weight {
		Weight::from_parts(29_734_000, 390)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn answer() -> Weight {
		Weight::from_parts(102_271_000, 489)
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn ask(n: u32, ) -> Weight {
		Weight::from_parts(12_048_000, 591)
			.saturating_add(Weight::from_parts(35_412_471, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(7_u64))
			.saturating_add(RocksDbWeight::get().reads((6_u64).saturating_mul(n.into())))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
			.saturating_add(RocksDbWeight::get().writes((1_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 498).saturating_mul(n.into()))
	}
	fn close(n: u32, ) -> Weight {
		Weight::from_parts(3_725_000, 516)
			.saturating_add(Weight::from_parts(43_186_229, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().reads((6_u64).saturating_mul(n.into())))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
			.saturating_add(RocksDbWeight::get().writes((3_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 599).saturating_mul(n.into()))
	}
}
