//! Weights of the calls: conservative estimates until benchmarks have run.

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

/// Weights for `pallet_consent_registry` with the database weights of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Reads `Current`, `Histories`, `Versions`, the hold and the account; writes those and a second
	/// entry of `Versions`.
	fn set_consent() -> Weight {
		Weight::from_parts(80_000_000, 7_500)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}
	/// As `set_consent`, with the superseded entry of `Versions` beside.
	fn update_consent() -> Weight {
		Weight::from_parts(90_000_000, 7_500)
			.saturating_add(T::DbWeight::get().reads(6_u64))
			.saturating_add(T::DbWeight::get().writes(7_u64))
	}
	/// Reads and writes `Current`, `Versions` and `Histories`.
	fn withdraw_consent() -> Weight {
		Weight::from_parts(30_000_000, 3_800)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Reads and writes `v` entries of `Versions`, `Histories`, the hold and the account.
	///
	/// The range of component `v` is `[1, 32]`.
	fn prune(v: u32, ) -> Weight {
		Weight::from_parts(70_000_000, 7_500)
			.saturating_add(Weight::from_parts(4_000_000, 0).saturating_mul(v.into()))
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(v.into())))
			.saturating_add(T::DbWeight::get().writes(3_u64))
			.saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(v.into())))
			.saturating_add(Weight::from_parts(0, 2_700).saturating_mul(v.into()))
	}
}

// For tests.
impl WeightInfo for () {
	fn set_consent() -> Weight {
		Weight::from_parts(80_000_000, 7_500)
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().writes(6_u64))
	}
	fn update_consent() -> Weight {
		Weight::from_parts(90_000_000, 7_500)
			.saturating_add(RocksDbWeight::get().reads(6_u64))
			.saturating_add(RocksDbWeight::get().writes(7_u64))
	}
	fn withdraw_consent() -> Weight {
		Weight::from_parts(30_000_000, 3_800)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn prune(v: u32, ) -> Weight {
		Weight::from_parts(70_000_000, 7_500)
			.saturating_add(Weight::from_parts(4_000_000, 0).saturating_mul(v.into()))
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().reads((1_u64).saturating_mul(v.into())))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
			.saturating_add(RocksDbWeight::get().writes((1_u64).saturating_mul(v.into())))
			.saturating_add(Weight::from_parts(0, 2_700).saturating_mul(v.into()))
	}
}
