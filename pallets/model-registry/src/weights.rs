//! Weights of `pallet_model_registry`, written by `make weights`.
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

/// Weight functions needed for `pallet_model_registry`.
pub trait WeightInfo {
	fn register_model(b: u32, ) -> Weight;
	fn unregister_model() -> Weight;
	fn set_offer() -> Weight;
	fn remove_offer() -> Weight;
	fn pin() -> Weight;
	fn unpin() -> Weight;
	fn set_alias() -> Weight;
	fn remove_alias() -> Weight;
	fn dismiss_offer() -> Weight;
}

/// Weights of `pallet_model_registry` with the database weights of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Takes 65.8 µs at least.
	///
	/// The range of component `b` is `[512, 16384]`.
	///
	/// Keys read and written with the greatest components:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `ModelRegistry::Manifests` (r:0 w:1)
	/// - `ModelRegistry::Models` (r:1 w:1)
	fn register_model(b: u32, ) -> Weight {
		Weight::from_parts(78_299_749, 97)
			.saturating_add(Weight::from_parts(3_299, 0).saturating_mul(b.into()))
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Takes 58.4 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `ModelRegistry::AliasesOf` (r:1 w:0)
	/// - `ModelRegistry::Manifests` (r:0 w:1)
	/// - `ModelRegistry::Models` (r:1 w:1)
	/// - `ModelRegistry::OfferCount` (r:1 w:0)
	fn unregister_model() -> Weight {
		Weight::from_parts(62_863_000, 297)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Takes 64.9 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `ModelRegistry::Models` (r:1 w:0)
	/// - `ModelRegistry::OfferCount` (r:1 w:1)
	/// - `ModelRegistry::Offers` (r:1 w:1)
	fn set_offer() -> Weight {
		Weight::from_parts(69_863_000, 219)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Takes 63.5 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `ModelRegistry::OfferCount` (r:1 w:1)
	/// - `ModelRegistry::Offers` (r:1 w:1)
	fn remove_offer() -> Weight {
		Weight::from_parts(66_088_000, 451)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Takes 27.7 µs at least.
	///
	/// Keys read and written:
	/// - `ModelRegistry::Models` (r:1 w:1)
	/// - `ModelRegistry::PinnedModels` (r:1 w:1)
	fn pin() -> Weight {
		Weight::from_parts(33_660_000, 2_244)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Takes 26.2 µs at least.
	///
	/// Keys read and written:
	/// - `ModelRegistry::Models` (r:1 w:1)
	/// - `ModelRegistry::PinnedModels` (r:1 w:1)
	fn unpin() -> Weight {
		Weight::from_parts(30_956_000, 2_281)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Takes 41.1 µs at least.
	///
	/// Keys read and written:
	/// - `ModelRegistry::Aliases` (r:1 w:1)
	/// - `ModelRegistry::AliasesOf` (r:2 w:2)
	/// - `ModelRegistry::Models` (r:1 w:0)
	fn set_alias() -> Weight {
		Weight::from_parts(47_471_000, 2_959)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Takes 24.1 µs at least.
	///
	/// Keys read and written:
	/// - `ModelRegistry::Aliases` (r:1 w:1)
	/// - `ModelRegistry::AliasesOf` (r:1 w:1)
	fn remove_alias() -> Weight {
		Weight::from_parts(28_752_000, 1_669)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Takes 63.4 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `ModelRegistry::Models` (r:1 w:0)
	/// - `ModelRegistry::OfferCount` (r:1 w:1)
	/// - `ModelRegistry::Offers` (r:1 w:1)
	/// - `System::Account` (r:1 w:1)
	fn dismiss_offer() -> Weight {
		Weight::from_parts(68_181_000, 660)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
}

// For tests.
impl WeightInfo for () {
	fn register_model(b: u32, ) -> Weight {
		Weight::from_parts(78_299_749, 97)
			.saturating_add(Weight::from_parts(3_299, 0).saturating_mul(b.into()))
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn unregister_model() -> Weight {
		Weight::from_parts(62_863_000, 297)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn set_offer() -> Weight {
		Weight::from_parts(69_863_000, 219)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn remove_offer() -> Weight {
		Weight::from_parts(66_088_000, 451)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn pin() -> Weight {
		Weight::from_parts(33_660_000, 2_244)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn unpin() -> Weight {
		Weight::from_parts(30_956_000, 2_281)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn set_alias() -> Weight {
		Weight::from_parts(47_471_000, 2_959)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn remove_alias() -> Weight {
		Weight::from_parts(28_752_000, 1_669)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn dismiss_offer() -> Weight {
		Weight::from_parts(68_181_000, 660)
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
	}
}
