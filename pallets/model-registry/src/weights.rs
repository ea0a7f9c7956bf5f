//! Weights of the calls: conservative estimates until benchmarks have run.

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

/// Weights for `pallet_model_registry` with the database weights of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Reads and writes `Models`, `Manifests`, the hold and the account; hashes and checks `b` bytes.
	///
	/// The range of component `b` is `[512, 16384]`.
	fn register_model(b: u32, ) -> Weight {
		Weight::from_parts(120_000_000, 20_000)
			.saturating_add(Weight::from_parts(25_000, 0).saturating_mul(b.into()))
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
	/// Reads `Models`, `AliasesOf` and `OfferCount`; removes the model and its manifest; moves the hold.
	fn unregister_model() -> Weight {
		Weight::from_parts(70_000_000, 22_000)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
	/// Reads `Models`; writes `Offers` and `OfferCount`; moves the hold.
	fn set_offer() -> Weight {
		Weight::from_parts(70_000_000, 7_500)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
	/// Removes from `Offers` and `OfferCount`; moves the hold.
	fn remove_offer() -> Weight {
		Weight::from_parts(65_000_000, 7_500)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
	/// Reads and writes `Models` and `PinnedModels`.
	fn pin() -> Weight {
		Weight::from_parts(30_000_000, 8_000)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Reads and writes `Models` and `PinnedModels`.
	fn unpin() -> Weight {
		Weight::from_parts(30_000_000, 8_000)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Reads `Models`; writes `Aliases` and two entries of `AliasesOf`.
	fn set_alias() -> Weight {
		Weight::from_parts(45_000_000, 12_000)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Writes `Aliases` and `AliasesOf`.
	fn remove_alias() -> Weight {
		Weight::from_parts(35_000_000, 8_000)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Reads `Models`; removes from `Offers` and `OfferCount`; moves the hold.
	fn dismiss_offer() -> Weight {
		Weight::from_parts(70_000_000, 7_500)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
}

// For tests.
impl WeightInfo for () {
	fn register_model(b: u32, ) -> Weight {
		Weight::from_parts(120_000_000, 20_000)
			.saturating_add(Weight::from_parts(25_000, 0).saturating_mul(b.into()))
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
	}
	fn unregister_model() -> Weight {
		Weight::from_parts(70_000_000, 22_000)
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
	}
	fn set_offer() -> Weight {
		Weight::from_parts(70_000_000, 7_500)
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
	}
	fn remove_offer() -> Weight {
		Weight::from_parts(65_000_000, 7_500)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
	}
	fn pin() -> Weight {
		Weight::from_parts(30_000_000, 8_000)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn unpin() -> Weight {
		Weight::from_parts(30_000_000, 8_000)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn set_alias() -> Weight {
		Weight::from_parts(45_000_000, 12_000)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn remove_alias() -> Weight {
		Weight::from_parts(35_000_000, 8_000)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn dismiss_offer() -> Weight {
		Weight::from_parts(70_000_000, 7_500)
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
	}
}
