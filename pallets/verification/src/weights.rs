//! Weights of `pallet_verification`: conservative estimates, until a run of the benchmarks replaces
//! this file.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_parens)]
#![allow(unused_imports)]
#![allow(missing_docs)]
#![allow(dead_code)]

use frame_support::{traits::Get, weights::{Weight, constants::RocksDbWeight}};
use core::marker::PhantomData;

/// Weight functions needed for `pallet_verification`.
pub trait WeightInfo {
	fn on_initialize_idle() -> Weight;
	fn draw(n: u32, ) -> Weight;
	fn force_draw() -> Weight;
}

/// Weights for `pallet_verification` using the Substrate node and recommended hardware.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn on_initialize_idle() -> Weight {
		Weight::from_parts(5_000_000, 2_600)
			.saturating_add(T::DbWeight::get().reads(2_u64))
	}
	/// The range of component `n` is `[1, MaxDrawsPerBlock]`.
	fn draw(n: u32, ) -> Weight {
		Weight::from_parts(25_000_000, 3_700)
			.saturating_add(Weight::from_parts(15_000_000, 2_600).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes(3_u64))
			.saturating_add(T::DbWeight::get().writes((2_u64).saturating_mul(n.into())))
	}
	fn force_draw() -> Weight {
		Weight::from_parts(20_000_000, 3_600)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
}

// For backwards compatibility and tests.
impl WeightInfo for () {
	fn on_initialize_idle() -> Weight {
		Weight::from_parts(5_000_000, 2_600)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
	}
	/// The range of component `n` is `[1, MaxDrawsPerBlock]`.
	fn draw(n: u32, ) -> Weight {
		Weight::from_parts(25_000_000, 3_700)
			.saturating_add(Weight::from_parts(15_000_000, 2_600).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().reads((2_u64).saturating_mul(n.into())))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
			.saturating_add(RocksDbWeight::get().writes((2_u64).saturating_mul(n.into())))
	}
	fn force_draw() -> Weight {
		Weight::from_parts(20_000_000, 3_600)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
}
