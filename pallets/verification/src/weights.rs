//! Weights of `pallet_verification`, written by `make weights`.
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

/// Weight functions needed for `pallet_verification`.
pub trait WeightInfo {
	fn on_initialize_idle() -> Weight;
	fn draw(n: u32, ) -> Weight;
	fn force_draw() -> Weight;
}

/// Weights of `pallet_verification` with the database weights of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Takes 5.2 µs at least.
	///
	/// Keys read and written:
	/// - `Babe::EpochIndex` (r:1 w:0)
	/// - `Verification::PendingEpochs` (r:1 w:0)
	fn on_initialize_idle() -> Weight {
		Weight::from_parts(5_778_000, 320)
			.saturating_add(T::DbWeight::get().reads(2_u64))
	}
	/// Takes 26.9 µs at least.
	///
	/// The range of component `n` is `[1, 1000]`.
	///
	/// Keys read and written with the greatest components:
	/// - `Babe::EpochIndex` (r:1 w:0)
	/// - `Babe::EpochStart` (r:1 w:0)
	/// - `Babe::NextRandomness` (r:1 w:0)
	/// - `Verification::Cursor` (r:1 w:1)
	/// - `Verification::Drawn` (r:0 w:1000)
	/// - `Verification::DrawnThrough` (r:0 w:1)
	/// - `Verification::PendingEpochs` (r:1 w:1)
	/// - `Verification::Settled` (r:1001 w:1000)
	fn draw(n: u32, ) -> Weight {
		Weight::from_parts(27_852_000, 439)
			.saturating_add(Weight::from_parts(12_201_760, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(6_u64))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes(3_u64))
			.saturating_add(T::DbWeight::get().writes((2_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 42).saturating_mul(n.into()))
	}
	/// Takes 10.4 µs at least.
	///
	/// Keys read and written:
	/// - `Verification::Settled` (r:1 w:1)
	fn force_draw() -> Weight {
		Weight::from_parts(11_607_000, 155)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
}

// For tests.
impl WeightInfo for () {
	fn on_initialize_idle() -> Weight {
		Weight::from_parts(5_778_000, 320)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
	}
	fn draw(n: u32, ) -> Weight {
		Weight::from_parts(27_852_000, 439)
			.saturating_add(Weight::from_parts(12_201_760, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(6_u64))
			.saturating_add(RocksDbWeight::get().reads((1_u64).saturating_mul(n.into())))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
			.saturating_add(RocksDbWeight::get().writes((2_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 42).saturating_mul(n.into()))
	}
	fn force_draw() -> Weight {
		Weight::from_parts(11_607_000, 155)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
}
