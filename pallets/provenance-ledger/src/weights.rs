//! Weights of `pallet_provenance_ledger`, written by `make weights`.
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

/// Weight functions needed for `pallet_provenance_ledger`.
pub trait WeightInfo {
	fn insert() -> Weight;
	fn on_finalize(n: u32, ) -> Weight;
	fn prune(n: u32, ) -> Weight;
}

/// Weights of `pallet_provenance_ledger` with the database weights of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Takes 67.4 µs at least.
	///
	/// Keys read and written:
	/// - `ProvenanceLedger::BlockRecords` (r:1 w:1)
	/// - `ProvenanceLedger::ByOutput` (r:0 w:1)
	/// - `ProvenanceLedger::ByQuery` (r:0 w:1)
	/// - `ProvenanceLedger::Records` (r:1 w:1)
	/// - `ProvenanceLedger::RecordsTotal` (r:1 w:1)
	/// - `ProvenanceLedger::Stats` (r:1 w:1)
	fn insert() -> Weight {
		Weight::from_parts(78_006_000, 262_219)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}
	/// Takes 4.0 µs at least.
	///
	/// The range of component `n` is `[0, 8192]`.
	///
	/// Keys read and written with the greatest components:
	/// - `ProvenanceLedger::BlockRecords` (r:1 w:0)
	/// - `ProvenanceLedger::RecordsRoot` (r:0 w:1)
	/// - `ProvenanceLedger::SettledIn` (r:0 w:1)
	fn on_finalize(n: u32, ) -> Weight {
		Weight::from_parts(5_518_000, 107)
			.saturating_add(Weight::from_parts(957_094, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
			.saturating_add(Weight::from_parts(0, 32).saturating_mul(n.into()))
	}
	/// Takes 6.6 µs at least.
	///
	/// The range of component `n` is `[0, 1000]`.
	///
	/// Keys read and written with the greatest components:
	/// - `InferenceMarket::NextBucket` (r:1 w:0)
	/// - `Parameters::Parameters` (r:1 w:0)
	/// - `ProvenanceLedger::ByOutput` (r:0 w:1000)
	/// - `ProvenanceLedger::ByQuery` (r:0 w:1000)
	/// - `ProvenanceLedger::Oldest` (r:1 w:1)
	/// - `ProvenanceLedger::PrunedStats` (r:1 w:1)
	/// - `ProvenanceLedger::Records` (r:1000 w:1000)
	/// - `ProvenanceLedger::SettledIn` (r:1 w:0)
	/// - `RewardDistributor::NextToSettle` (r:1 w:0)
	/// - `Verification::ClosedThrough` (r:1 w:0)
	/// - `Verification::CounterForCanaries` (r:1 w:0)
	/// - `Verification::Drawn` (r:0 w:1000)
	/// - `Verification::Unaudited` (r:0 w:1000)
	fn prune(n: u32, ) -> Weight {
		Weight::from_parts(8_162_000, 262_535)
			.saturating_add(Weight::from_parts(20_096_136, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(8_u64))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes(2_u64))
			.saturating_add(T::DbWeight::get().writes((5_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 3_126).saturating_mul(n.into()))
	}
}

// For tests.
impl WeightInfo for () {
	fn insert() -> Weight {
		Weight::from_parts(78_006_000, 262_219)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(6_u64))
	}
	fn on_finalize(n: u32, ) -> Weight {
		Weight::from_parts(5_518_000, 107)
			.saturating_add(Weight::from_parts(957_094, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
			.saturating_add(Weight::from_parts(0, 32).saturating_mul(n.into()))
	}
	fn prune(n: u32, ) -> Weight {
		Weight::from_parts(8_162_000, 262_535)
			.saturating_add(Weight::from_parts(20_096_136, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(8_u64))
			.saturating_add(RocksDbWeight::get().reads((1_u64).saturating_mul(n.into())))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
			.saturating_add(RocksDbWeight::get().writes((5_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 3_126).saturating_mul(n.into()))
	}
}
