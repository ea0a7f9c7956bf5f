//! Weights of `pallet_provenance_ledger`: conservative estimates, until a run of the benchmarks
//! replaces this file.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_parens)]
#![allow(unused_imports)]
#![allow(missing_docs)]
#![allow(dead_code)]

use frame_support::{traits::Get, weights::{Weight, constants::RocksDbWeight}};
use core::marker::PhantomData;

/// Weight functions needed for `pallet_provenance_ledger`.
pub trait WeightInfo {
	fn insert() -> Weight;
	fn on_finalize(n: u32, ) -> Weight;
}

/// Weights for `pallet_provenance_ledger` using the Substrate node and recommended hardware.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn insert() -> Weight {
		Weight::from_parts(60_000_000, 6_000)
			.saturating_add(T::DbWeight::get().reads(6_u64))
			.saturating_add(T::DbWeight::get().writes(8_u64))
	}
	/// The range of component `n` is `[0, MaxRecordsPerBlock]`.
	fn on_finalize(n: u32, ) -> Weight {
		Weight::from_parts(8_000_000, 1_500)
			.saturating_add(Weight::from_parts(4_000_000, 32).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
}

// For backwards compatibility and tests.
impl WeightInfo for () {
	fn insert() -> Weight {
		Weight::from_parts(60_000_000, 6_000)
			.saturating_add(RocksDbWeight::get().reads(6_u64))
			.saturating_add(RocksDbWeight::get().writes(8_u64))
	}
	/// The range of component `n` is `[0, MaxRecordsPerBlock]`.
	fn on_finalize(n: u32, ) -> Weight {
		Weight::from_parts(8_000_000, 1_500)
			.saturating_add(Weight::from_parts(4_000_000, 32).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
}
