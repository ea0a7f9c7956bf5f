//! Weights of `pallet_worker_registry`, written by `make weights`.
//!
//! Measured on 2026-11-23 on AMD EPYC: the runtime in wasm over a database in memory,
//! 20 steps of each component with the others at their greatest,
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
}

/// Weights of `pallet_worker_registry` with the database weights of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Takes 110.4 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `System::BlockHash` (r:1 w:0)
	/// - `WorkerRegistry::Peers` (r:1 w:1)
	/// - `WorkerRegistry::Workers` (r:1 w:1)
	fn register_worker() -> Weight {
		Weight::from_parts(116_483_000, 115)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Takes 62.1 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `WorkerRegistry::Workers` (r:1 w:1)
	fn bond_more() -> Weight {
		Weight::from_parts(65_457_000, 280)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Takes 94.3 µs at least.
	///
	/// The range of component `s` is `[0, 32]`.
	///
	/// Keys read and written with the greatest components:
	/// - `ModelRegistry::Models` (r:32 w:0)
	/// - `WorkerRegistry::Served` (r:1 w:1)
	/// - `WorkerRegistry::Serving` (r:0 w:64)
	/// - `WorkerRegistry::Workers` (r:1 w:0)
	fn set_served(s: u32, ) -> Weight {
		Weight::from_parts(112_000_000, 2_803)
			.saturating_add(Weight::from_parts(7_900_000, 0).saturating_mul(s.into()))
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(s.into())))
			.saturating_add(T::DbWeight::get().writes(33_u64))
			.saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(s.into())))
			.saturating_add(Weight::from_parts(0, 114).saturating_mul(s.into()))
	}
	/// Takes 13.8 µs at least.
	///
	/// Keys read and written:
	/// - `WorkerRegistry::Workers` (r:1 w:1)
	fn set_region() -> Weight {
		Weight::from_parts(18_367_000, 187)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Takes 68.5 µs at least.
	///
	/// Keys read and written:
	/// - `System::BlockHash` (r:1 w:0)
	/// - `WorkerRegistry::Peers` (r:1 w:2)
	/// - `WorkerRegistry::Workers` (r:1 w:1)
	fn rotate_peer() -> Weight {
		Weight::from_parts(77_154_000, 309)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Takes 12.1 µs at least.
	///
	/// Keys read and written:
	/// - `WorkerRegistry::Workers` (r:1 w:1)
	fn drain() -> Weight {
		Weight::from_parts(14_281_000, 187)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Takes 12.2 µs at least.
	///
	/// Keys read and written:
	/// - `WorkerRegistry::Workers` (r:1 w:1)
	fn resume() -> Weight {
		Weight::from_parts(15_500_000, 195)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Takes 13.2 µs at least.
	///
	/// Keys read and written:
	/// - `WorkerRegistry::Workers` (r:1 w:1)
	fn unbond() -> Weight {
		Weight::from_parts(14_772_000, 191)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Takes 146.6 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `InferenceMarket::UnvestedTotal` (r:1 w:0)
	/// - `WorkerRegistry::Peers` (r:0 w:1)
	/// - `WorkerRegistry::Served` (r:1 w:1)
	/// - `WorkerRegistry::Serving` (r:0 w:32)
	/// - `WorkerRegistry::Workers` (r:1 w:1)
	fn withdraw() -> Weight {
		Weight::from_parts(158_000_000, 2_747)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(36_u64))
	}
	/// Takes 38.7 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `WorkerRegistry::Workers` (r:1 w:1)
	fn punish() -> Weight {
		Weight::from_parts(41_301_000, 280)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
}

// For tests.
impl WeightInfo for () {
	fn register_worker() -> Weight {
		Weight::from_parts(116_483_000, 115)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn bond_more() -> Weight {
		Weight::from_parts(65_457_000, 280)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn set_served(s: u32, ) -> Weight {
		Weight::from_parts(112_000_000, 2_803)
			.saturating_add(Weight::from_parts(7_900_000, 0).saturating_mul(s.into()))
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().reads((1_u64).saturating_mul(s.into())))
			.saturating_add(RocksDbWeight::get().writes(33_u64))
			.saturating_add(RocksDbWeight::get().writes((1_u64).saturating_mul(s.into())))
			.saturating_add(Weight::from_parts(0, 114).saturating_mul(s.into()))
	}
	fn set_region() -> Weight {
		Weight::from_parts(18_367_000, 187)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn rotate_peer() -> Weight {
		Weight::from_parts(77_154_000, 309)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn drain() -> Weight {
		Weight::from_parts(14_281_000, 187)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn resume() -> Weight {
		Weight::from_parts(15_500_000, 195)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn unbond() -> Weight {
		Weight::from_parts(14_772_000, 191)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn withdraw() -> Weight {
		Weight::from_parts(158_000_000, 2_747)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(36_u64))
	}
	fn punish() -> Weight {
		Weight::from_parts(41_301_000, 280)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
}
