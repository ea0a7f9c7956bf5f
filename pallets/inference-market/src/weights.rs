//! Weights of `pallet_inference_market`, written by `make weights`.
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

/// Weight functions needed for `pallet_inference_market`.
pub trait WeightInfo {
	fn deposit() -> Weight;
	fn withdraw() -> Weight;
	fn register_gateway() -> Weight;
	fn unbond_gateway() -> Weight;
	fn withdraw_gateway_stake() -> Weight;
	fn register_key() -> Weight;
	fn update_key() -> Weight;
	fn revoke_key() -> Weight;
	fn settle(s: u32, ) -> Weight;
	fn settle_request(s: u32, ) -> Weight;
	fn settle_again() -> Weight;
	fn settle_batch(k: u32, n: u32, s: u32, u: u32, ) -> Weight;
	fn release() -> Weight;
	fn claim() -> Weight;
	fn request(p: u32, ) -> Weight;
	fn match_request(s: u32, ) -> Weight;
	fn cancel_request() -> Weight;
	fn restore_gateway_stake() -> Weight;
	fn raise_gateway_stake() -> Weight;
	fn expire_requests(r: u32, ) -> Weight;
	fn drain(r: u32, ) -> Weight;
}

/// Weights of `pallet_inference_market` with the database weights of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Takes 58.7 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `InferenceMarket::Escrows` (r:1 w:1)
	/// - `System::Account` (r:1 w:1)
	fn deposit() -> Weight {
		Weight::from_parts(60_019_000, 200)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Takes 54.4 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `InferenceMarket::Escrows` (r:1 w:1)
	/// - `System::Account` (r:1 w:1)
	fn withdraw() -> Weight {
		Weight::from_parts(55_302_000, 344)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Takes 59.9 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `InferenceMarket::Gateways` (r:1 w:1)
	/// - `System::Account` (r:1 w:1)
	fn register_gateway() -> Weight {
		Weight::from_parts(61_871_000, 200)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Takes 15.4 µs at least.
	///
	/// Keys read and written:
	/// - `InferenceMarket::Gateways` (r:1 w:1)
	fn unbond_gateway() -> Weight {
		Weight::from_parts(17_586_000, 241)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Takes 60.2 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `InferenceMarket::Gateways` (r:1 w:1)
	/// - `System::Account` (r:1 w:1)
	fn withdraw_gateway_stake() -> Weight {
		Weight::from_parts(61_992_000, 512)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Takes 158.5 µs at least.
	///
	/// Keys read and written:
	/// - `InferenceMarket::Gateways` (r:1 w:0)
	/// - `InferenceMarket::Keys` (r:1 w:65)
	/// - `InferenceMarket::KeysOf` (r:1 w:1)
	fn register_key() -> Weight {
		Weight::from_parts(168_270_000, 3_309)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(66_u64))
	}
	/// Takes 18.8 µs at least.
	///
	/// Keys read and written:
	/// - `InferenceMarket::Keys` (r:1 w:1)
	fn update_key() -> Weight {
		Weight::from_parts(21_231_000, 500)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Takes 27.2 µs at least.
	///
	/// Keys read and written:
	/// - `InferenceMarket::Keys` (r:1 w:1)
	/// - `InferenceMarket::KeysOf` (r:1 w:1)
	fn revoke_key() -> Weight {
		Weight::from_parts(29_063_000, 3_258)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Takes 439.1 µs at least.
	///
	/// The range of component `s` is `[1, 32]`.
	///
	/// Keys read and written with the greatest components:
	/// - `Babe::EpochIndex` (r:1 w:0)
	/// - `Balances::Holds` (r:1 w:1)
	/// - `ConsentRegistry::Versions` (r:32 w:0)
	/// - `InferenceMarket::Escrows` (r:1 w:1)
	/// - `InferenceMarket::Gateways` (r:1 w:0)
	/// - `InferenceMarket::Keys` (r:1 w:1)
	/// - `InferenceMarket::Unvested` (r:35 w:35)
	/// - `InferenceMarket::UnvestedBurn` (r:1 w:1)
	/// - `InferenceMarket::UnvestedTotal` (r:35 w:35)
	/// - `ModelRegistry::Models` (r:1 w:0)
	/// - `ModelRegistry::Offers` (r:1 w:0)
	/// - `ProvenanceLedger::BlockRecords` (r:1 w:1)
	/// - `ProvenanceLedger::ByOutput` (r:0 w:1)
	/// - `ProvenanceLedger::ByQuery` (r:0 w:1)
	/// - `ProvenanceLedger::Records` (r:1 w:1)
	/// - `ProvenanceLedger::RecordsTotal` (r:1 w:1)
	/// - `ProvenanceLedger::Stats` (r:1 w:1)
	/// - `RewardDistributor::CurrentEra` (r:1 w:0)
	/// - `RewardDistributor::Eras` (r:1 w:1)
	/// - `RewardDistributor::Lines` (r:32 w:32)
	/// - `RewardDistributor::ModelEnergy` (r:1 w:1)
	/// - `System::Account` (r:2 w:2)
	/// - `System::BlockHash` (r:2 w:0)
	/// - `Timestamp::Now` (r:1 w:0)
	/// - `Verification::PendingEpochs` (r:1 w:1)
	/// - `Verification::Settled` (r:1 w:1)
	/// - `WorkerRegistry::Served` (r:32 w:0)
	/// - `WorkerRegistry::Workers` (r:32 w:32)
	fn settle(s: u32, ) -> Weight {
		Weight::from_parts(358_711_907, 2_258)
			.saturating_add(Weight::from_parts(94_962_873, 0).saturating_mul(s.into()))
			.saturating_add(T::DbWeight::get().reads(28_u64))
			.saturating_add(T::DbWeight::get().reads((6_u64).saturating_mul(s.into())))
			.saturating_add(T::DbWeight::get().writes(22_u64))
			.saturating_add(T::DbWeight::get().writes((4_u64).saturating_mul(s.into())))
			.saturating_add(Weight::from_parts(0, 404).saturating_mul(s.into()))
	}
	/// Takes 368.2 µs at least.
	///
	/// The range of component `s` is `[1, 32]`.
	///
	/// Keys read and written with the greatest components:
	/// - `Babe::EpochIndex` (r:1 w:0)
	/// - `Balances::Holds` (r:1 w:1)
	/// - `ConsentRegistry::Versions` (r:32 w:0)
	/// - `InferenceMarket::Deadlines` (r:1 w:1)
	/// - `InferenceMarket::Escrows` (r:1 w:1)
	/// - `InferenceMarket::Gateways` (r:1 w:0)
	/// - `InferenceMarket::Requests` (r:1 w:1)
	/// - `InferenceMarket::Unvested` (r:35 w:35)
	/// - `InferenceMarket::UnvestedBurn` (r:1 w:1)
	/// - `InferenceMarket::UnvestedTotal` (r:35 w:35)
	/// - `ModelRegistry::Models` (r:1 w:0)
	/// - `ProvenanceLedger::BlockRecords` (r:1 w:1)
	/// - `ProvenanceLedger::ByOutput` (r:0 w:1)
	/// - `ProvenanceLedger::ByQuery` (r:0 w:1)
	/// - `ProvenanceLedger::Records` (r:1 w:1)
	/// - `ProvenanceLedger::RecordsTotal` (r:1 w:1)
	/// - `ProvenanceLedger::Stats` (r:1 w:1)
	/// - `RewardDistributor::CurrentEra` (r:1 w:0)
	/// - `RewardDistributor::Eras` (r:1 w:1)
	/// - `RewardDistributor::Lines` (r:32 w:32)
	/// - `RewardDistributor::ModelEnergy` (r:1 w:1)
	/// - `System::Account` (r:2 w:2)
	/// - `System::BlockHash` (r:2 w:0)
	/// - `Timestamp::Now` (r:1 w:0)
	/// - `Verification::PendingEpochs` (r:1 w:1)
	/// - `Verification::Settled` (r:1 w:1)
	/// - `WorkerRegistry::Served` (r:32 w:0)
	/// - `WorkerRegistry::Workers` (r:32 w:32)
	fn settle_request(s: u32, ) -> Weight {
		Weight::from_parts(369_112_276, 5_909)
			.saturating_add(Weight::from_parts(88_614_875, 0).saturating_mul(s.into()))
			.saturating_add(T::DbWeight::get().reads(28_u64))
			.saturating_add(T::DbWeight::get().reads((6_u64).saturating_mul(s.into())))
			.saturating_add(T::DbWeight::get().writes(23_u64))
			.saturating_add(T::DbWeight::get().writes((4_u64).saturating_mul(s.into())))
			.saturating_add(Weight::from_parts(0, 431).saturating_mul(s.into()))
	}
	/// Takes 28.6 µs at least.
	///
	/// Keys read and written:
	/// - `ProvenanceLedger::Records` (r:1 w:0)
	fn settle_again() -> Weight {
		Weight::from_parts(33_599_000, 325)
			.saturating_add(T::DbWeight::get().reads(1_u64))
	}
	/// Takes 4916.8 µs at least.
	///
	/// The range of component `k` is `[4, 25]`.
	///
	/// The range of component `n` is `[8, 24]`.
	///
	/// The range of component `s` is `[0, 31]`.
	///
	/// The range of component `u` is `[0, 24]`.
	///
	/// Keys read and written with the greatest components:
	/// - `Babe::EpochIndex` (r:1 w:0)
	/// - `Balances::Holds` (r:24 w:24)
	/// - `ConsentRegistry::Versions` (r:48 w:0)
	/// - `InferenceMarket::Escrows` (r:24 w:24)
	/// - `InferenceMarket::Gateways` (r:1 w:0)
	/// - `InferenceMarket::Keys` (r:24 w:24)
	/// - `InferenceMarket::Unvested` (r:27 w:27)
	/// - `InferenceMarket::UnvestedBurn` (r:1 w:1)
	/// - `InferenceMarket::UnvestedTotal` (r:27 w:27)
	/// - `ModelRegistry::Models` (r:24 w:0)
	/// - `ModelRegistry::Offers` (r:24 w:0)
	/// - `ProvenanceLedger::BlockRecords` (r:1 w:1)
	/// - `ProvenanceLedger::ByOutput` (r:0 w:24)
	/// - `ProvenanceLedger::ByQuery` (r:0 w:24)
	/// - `ProvenanceLedger::Records` (r:24 w:24)
	/// - `ProvenanceLedger::RecordsTotal` (r:1 w:1)
	/// - `ProvenanceLedger::Stats` (r:1 w:1)
	/// - `RewardDistributor::CurrentEra` (r:1 w:0)
	/// - `RewardDistributor::Eras` (r:1 w:1)
	/// - `RewardDistributor::Lines` (r:24 w:24)
	/// - `RewardDistributor::ModelEnergy` (r:24 w:24)
	/// - `System::Account` (r:25 w:25)
	/// - `System::BlockHash` (r:25 w:0)
	/// - `Timestamp::Now` (r:1 w:0)
	/// - `ValidatorRegistry::EpochLength` (r:1 w:0)
	/// - `Verification::PendingEpochs` (r:1 w:1)
	/// - `Verification::Settled` (r:24 w:24)
	/// - `WorkerRegistry::Served` (r:48 w:0)
	/// - `WorkerRegistry::Workers` (r:48 w:24)
	fn settle_batch(k: u32, n: u32, s: u32, u: u32, ) -> Weight {
		Weight::from_parts(659_474_985, 28_365)
			.saturating_add(Weight::from_parts(46_998_700, 0).saturating_mul(k.into()))
			.saturating_add(Weight::from_parts(240_086_011, 0).saturating_mul(n.into()))
			.saturating_add(Weight::from_parts(25_822_185, 0).saturating_mul(s.into()))
			.saturating_add(Weight::from_parts(66_467_351, 0).saturating_mul(u.into()))
			.saturating_add(T::DbWeight::get().reads(13_u64))
			.saturating_add(T::DbWeight::get().reads((6_u64).saturating_mul(k.into())))
			.saturating_add(T::DbWeight::get().reads((10_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().reads((3_u64).saturating_mul(u.into())))
			.saturating_add(T::DbWeight::get().writes(9_u64))
			.saturating_add(T::DbWeight::get().writes((4_u64).saturating_mul(k.into())))
			.saturating_add(T::DbWeight::get().writes((9_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 396).saturating_mul(k.into()))
			.saturating_add(Weight::from_parts(0, 974).saturating_mul(n.into()))
			.saturating_add(Weight::from_parts(0, 22).saturating_mul(s.into()))
			.saturating_add(Weight::from_parts(0, 451).saturating_mul(u.into()))
	}
	/// Takes 184.2 µs at least.
	///
	/// Keys read and written:
	/// - `Babe::EpochIndex` (r:1 w:0)
	/// - `Balances::Holds` (r:1 w:1)
	/// - `ConsentRegistry::Current` (r:1 w:0)
	/// - `ConsentRegistry::Versions` (r:1 w:0)
	/// - `InferenceMarket::Unvested` (r:1 w:1)
	/// - `InferenceMarket::UnvestedBurn` (r:1 w:1)
	/// - `InferenceMarket::UnvestedTotal` (r:1 w:1)
	/// - `System::Account` (r:2 w:2)
	/// - `Verification::PendingEpochs` (r:1 w:0)
	/// - `WorkerRegistry::Workers` (r:1 w:1)
	fn release() -> Weight {
		Weight::from_parts(193_507_000, 1_709)
			.saturating_add(T::DbWeight::get().reads(11_u64))
			.saturating_add(T::DbWeight::get().writes(7_u64))
	}
	/// Takes 143.3 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `ConsentRegistry::Current` (r:1 w:0)
	/// - `ConsentRegistry::Versions` (r:1 w:0)
	/// - `InferenceMarket::Unclaimed` (r:1 w:1)
	/// - `System::Account` (r:2 w:2)
	/// - `WorkerRegistry::Workers` (r:1 w:1)
	fn claim() -> Weight {
		Weight::from_parts(148_750_000, 1_360)
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().writes(5_u64))
	}
	/// Takes 124.6 µs at least.
	///
	/// The range of component `p` is `[1, 2048]`.
	///
	/// Keys read and written with the greatest components:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `InferenceMarket::Deadlines` (r:1 w:1)
	/// - `InferenceMarket::Escrows` (r:1 w:1)
	/// - `InferenceMarket::RequestCount` (r:1 w:1)
	/// - `InferenceMarket::Requests` (r:0 w:1)
	/// - `ModelRegistry::Models` (r:1 w:0)
	/// - `System::Account` (r:1 w:1)
	/// - `System::BlockHash` (r:1 w:0)
	fn request(p: u32, ) -> Weight {
		Weight::from_parts(128_320_495, 4_002)
			.saturating_add(Weight::from_parts(21_759, 0).saturating_mul(p.into()))
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}
	/// Takes 60.7 µs at least.
	///
	/// The range of component `s` is `[1, 32]`.
	///
	/// Keys read and written with the greatest components:
	/// - `ConsentRegistry::Current` (r:32 w:0)
	/// - `ConsentRegistry::Versions` (r:32 w:0)
	/// - `InferenceMarket::Gateways` (r:1 w:0)
	/// - `InferenceMarket::Requests` (r:1 w:1)
	/// - `ModelRegistry::Models` (r:1 w:0)
	/// - `ModelRegistry::Offers` (r:1 w:0)
	/// - `Timestamp::Now` (r:1 w:0)
	/// - `WorkerRegistry::Served` (r:32 w:0)
	/// - `WorkerRegistry::Workers` (r:32 w:0)
	fn match_request(s: u32, ) -> Weight {
		Weight::from_parts(59_090_285, 1_261)
			.saturating_add(Weight::from_parts(19_825_306, 0).saturating_mul(s.into()))
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().reads((4_u64).saturating_mul(s.into())))
			.saturating_add(T::DbWeight::get().writes(1_u64))
			.saturating_add(Weight::from_parts(0, 448).saturating_mul(s.into()))
	}
	/// Takes 60.1 µs at least.
	///
	/// Keys read and written:
	/// - `InferenceMarket::Deadlines` (r:1 w:1)
	/// - `InferenceMarket::Escrows` (r:1 w:1)
	/// - `InferenceMarket::Requests` (r:1 w:1)
	fn cancel_request() -> Weight {
		Weight::from_parts(71_056_000, 3_636)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Estimated.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `InferenceMarket::Gateways` (r:1 w:1)
	/// - `System::Account` (r:1 w:1)
	fn restore_gateway_stake() -> Weight {
		Weight::from_parts(80_000_000, 240)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Estimated.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `InferenceMarket::Gateways` (r:1 w:1)
	/// - `System::Account` (r:1 w:1)
	fn raise_gateway_stake() -> Weight {
		Weight::from_parts(80_000_000, 240)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Takes 6.0 µs at least.
	///
	/// The range of component `r` is `[0, 64]`.
	///
	/// Keys read and written with the greatest components:
	/// - `InferenceMarket::Deadlines` (r:1 w:1)
	/// - `InferenceMarket::Escrows` (r:64 w:64)
	/// - `InferenceMarket::Requests` (r:64 w:64)
	fn expire_requests(r: u32, ) -> Weight {
		Weight::from_parts(41_893_472, 261)
			.saturating_add(Weight::from_parts(11_351_390, 0).saturating_mul(r.into()))
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(r.into())))
			.saturating_add(T::DbWeight::get().writes(1_u64))
			.saturating_add(T::DbWeight::get().writes((2_u64).saturating_mul(r.into())))
			.saturating_add(Weight::from_parts(0, 302).saturating_mul(r.into()))
	}
	/// Estimated.
	///
	/// The range of component `r` is `[0, 1000]`.
	fn drain(r: u32, ) -> Weight {
		Weight::from_parts(880_677_800, 11_340)
			.saturating_add(Weight::from_parts(137_162_693, 0).saturating_mul(r.into()))
			.saturating_add(T::DbWeight::get().reads(50_u64))
			.saturating_add(T::DbWeight::get().reads((10_u64).saturating_mul(r.into())))
			.saturating_add(T::DbWeight::get().writes(46_u64))
			.saturating_add(T::DbWeight::get().writes((8_u64).saturating_mul(r.into())))
			.saturating_add(Weight::from_parts(0, 275).saturating_mul(r.into()))
	}
}

// For tests.
impl WeightInfo for () {
	fn deposit() -> Weight {
		Weight::from_parts(60_019_000, 200)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn withdraw() -> Weight {
		Weight::from_parts(55_302_000, 344)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn register_gateway() -> Weight {
		Weight::from_parts(61_871_000, 200)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn unbond_gateway() -> Weight {
		Weight::from_parts(17_586_000, 241)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn withdraw_gateway_stake() -> Weight {
		Weight::from_parts(61_992_000, 512)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn register_key() -> Weight {
		Weight::from_parts(168_270_000, 3_309)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(66_u64))
	}
	fn update_key() -> Weight {
		Weight::from_parts(21_231_000, 500)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn revoke_key() -> Weight {
		Weight::from_parts(29_063_000, 3_258)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn settle(s: u32, ) -> Weight {
		Weight::from_parts(358_711_907, 2_258)
			.saturating_add(Weight::from_parts(94_962_873, 0).saturating_mul(s.into()))
			.saturating_add(RocksDbWeight::get().reads(28_u64))
			.saturating_add(RocksDbWeight::get().reads((6_u64).saturating_mul(s.into())))
			.saturating_add(RocksDbWeight::get().writes(22_u64))
			.saturating_add(RocksDbWeight::get().writes((4_u64).saturating_mul(s.into())))
			.saturating_add(Weight::from_parts(0, 404).saturating_mul(s.into()))
	}
	fn settle_request(s: u32, ) -> Weight {
		Weight::from_parts(369_112_276, 5_909)
			.saturating_add(Weight::from_parts(88_614_875, 0).saturating_mul(s.into()))
			.saturating_add(RocksDbWeight::get().reads(28_u64))
			.saturating_add(RocksDbWeight::get().reads((6_u64).saturating_mul(s.into())))
			.saturating_add(RocksDbWeight::get().writes(23_u64))
			.saturating_add(RocksDbWeight::get().writes((4_u64).saturating_mul(s.into())))
			.saturating_add(Weight::from_parts(0, 431).saturating_mul(s.into()))
	}
	fn settle_again() -> Weight {
		Weight::from_parts(33_599_000, 325)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
	}
	fn settle_batch(k: u32, n: u32, s: u32, u: u32, ) -> Weight {
		Weight::from_parts(659_474_985, 28_365)
			.saturating_add(Weight::from_parts(46_998_700, 0).saturating_mul(k.into()))
			.saturating_add(Weight::from_parts(240_086_011, 0).saturating_mul(n.into()))
			.saturating_add(Weight::from_parts(25_822_185, 0).saturating_mul(s.into()))
			.saturating_add(Weight::from_parts(66_467_351, 0).saturating_mul(u.into()))
			.saturating_add(RocksDbWeight::get().reads(13_u64))
			.saturating_add(RocksDbWeight::get().reads((6_u64).saturating_mul(k.into())))
			.saturating_add(RocksDbWeight::get().reads((10_u64).saturating_mul(n.into())))
			.saturating_add(RocksDbWeight::get().reads((3_u64).saturating_mul(u.into())))
			.saturating_add(RocksDbWeight::get().writes(9_u64))
			.saturating_add(RocksDbWeight::get().writes((4_u64).saturating_mul(k.into())))
			.saturating_add(RocksDbWeight::get().writes((9_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 396).saturating_mul(k.into()))
			.saturating_add(Weight::from_parts(0, 974).saturating_mul(n.into()))
			.saturating_add(Weight::from_parts(0, 22).saturating_mul(s.into()))
			.saturating_add(Weight::from_parts(0, 451).saturating_mul(u.into()))
	}
	fn release() -> Weight {
		Weight::from_parts(193_507_000, 1_709)
			.saturating_add(RocksDbWeight::get().reads(11_u64))
			.saturating_add(RocksDbWeight::get().writes(7_u64))
	}
	fn claim() -> Weight {
		Weight::from_parts(148_750_000, 1_360)
			.saturating_add(RocksDbWeight::get().reads(7_u64))
			.saturating_add(RocksDbWeight::get().writes(5_u64))
	}
	fn request(p: u32, ) -> Weight {
		Weight::from_parts(128_320_495, 4_002)
			.saturating_add(Weight::from_parts(21_759, 0).saturating_mul(p.into()))
			.saturating_add(RocksDbWeight::get().reads(7_u64))
			.saturating_add(RocksDbWeight::get().writes(6_u64))
	}
	fn match_request(s: u32, ) -> Weight {
		Weight::from_parts(59_090_285, 1_261)
			.saturating_add(Weight::from_parts(19_825_306, 0).saturating_mul(s.into()))
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().reads((4_u64).saturating_mul(s.into())))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
			.saturating_add(Weight::from_parts(0, 448).saturating_mul(s.into()))
	}
	fn cancel_request() -> Weight {
		Weight::from_parts(71_056_000, 3_636)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn restore_gateway_stake() -> Weight {
		Weight::from_parts(80_000_000, 240)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn raise_gateway_stake() -> Weight {
		Weight::from_parts(80_000_000, 240)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn expire_requests(r: u32, ) -> Weight {
		Weight::from_parts(41_893_472, 261)
			.saturating_add(Weight::from_parts(11_351_390, 0).saturating_mul(r.into()))
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().reads((2_u64).saturating_mul(r.into())))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
			.saturating_add(RocksDbWeight::get().writes((2_u64).saturating_mul(r.into())))
			.saturating_add(Weight::from_parts(0, 302).saturating_mul(r.into()))
	}
	fn drain(r: u32, ) -> Weight {
		Weight::from_parts(880_677_800, 11_340)
			.saturating_add(Weight::from_parts(137_162_693, 0).saturating_mul(r.into()))
			.saturating_add(RocksDbWeight::get().reads(50_u64))
			.saturating_add(RocksDbWeight::get().reads((10_u64).saturating_mul(r.into())))
			.saturating_add(RocksDbWeight::get().writes(46_u64))
			.saturating_add(RocksDbWeight::get().writes((8_u64).saturating_mul(r.into())))
			.saturating_add(Weight::from_parts(0, 275).saturating_mul(r.into()))
	}
}
