//! Weights of `pallet_consent_registry`, written by `make weights`.
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

/// Weight functions needed for `pallet_consent_registry`.
pub trait WeightInfo {
	fn set_consent() -> Weight;
	fn update_consent() -> Weight;
	fn withdraw_consent() -> Weight;
	fn prune(v: u32, ) -> Weight;
}

/// Weights of `pallet_consent_registry` with the database weights of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Takes 66.2 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:0)
	/// - `ConsentRegistry::Current` (r:1 w:1)
	/// - `ConsentRegistry::Histories` (r:1 w:1)
	/// - `ConsentRegistry::Versions` (r:1 w:2)
	fn set_consent() -> Weight {
		Weight::from_parts(75_653_000, 957)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
	/// Takes 95.0 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:0)
	/// - `ConsentRegistry::Current` (r:1 w:1)
	/// - `ConsentRegistry::Histories` (r:1 w:1)
	/// - `ConsentRegistry::Versions` (r:2 w:3)
	fn update_consent() -> Weight {
		Weight::from_parts(111_776_000, 1_194)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(5_u64))
	}
	/// Takes 55.0 µs at least.
	///
	/// Keys read and written:
	/// - `ConsentRegistry::Current` (r:1 w:1)
	/// - `ConsentRegistry::Histories` (r:1 w:1)
	/// - `ConsentRegistry::Versions` (r:1 w:1)
	fn withdraw_consent() -> Weight {
		Weight::from_parts(75_833_000, 933)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Takes 100.8 µs at least.
	///
	/// The range of component `v` is `[1, 32]`.
	///
	/// Keys read and written with the greatest components:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `ConsentRegistry::Histories` (r:1 w:1)
	/// - `ConsentRegistry::Versions` (r:32 w:32)
	fn prune(v: u32, ) -> Weight {
		Weight::from_parts(101_138_467, 328)
			.saturating_add(Weight::from_parts(11_222_860, 0).saturating_mul(v.into()))
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(v.into())))
			.saturating_add(T::DbWeight::get().writes(2_u64))
			.saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(v.into())))
			.saturating_add(Weight::from_parts(0, 131).saturating_mul(v.into()))
	}
}

// For tests.
impl WeightInfo for () {
	fn set_consent() -> Weight {
		Weight::from_parts(75_653_000, 957)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
	}
	fn update_consent() -> Weight {
		Weight::from_parts(111_776_000, 1_194)
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().writes(5_u64))
	}
	fn withdraw_consent() -> Weight {
		Weight::from_parts(75_833_000, 933)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn prune(v: u32, ) -> Weight {
		Weight::from_parts(101_138_467, 328)
			.saturating_add(Weight::from_parts(11_222_860, 0).saturating_mul(v.into()))
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().reads((1_u64).saturating_mul(v.into())))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
			.saturating_add(RocksDbWeight::get().writes((1_u64).saturating_mul(v.into())))
			.saturating_add(Weight::from_parts(0, 131).saturating_mul(v.into()))
	}
}
