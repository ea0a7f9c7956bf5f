//! Weights of `pallet_inference_market`, written by `make weights`.
//!
//! Measured on 2026-11-23 on AMD EPYC: the runtime in wasm over a database in memory,
//! 10 steps of each component with the others at their greatest,
//! 5 repetitions of each. Time by least squares; reads, writes and bytes
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
	fn expire_requests(r: u32, ) -> Weight;
	fn drain(r: u32, ) -> Weight;
}

/// Weights of `pallet_inference_market` with the database weights of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Takes 62.4 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `InferenceMarket::Escrows` (r:1 w:1)
	/// - `System::Account` (r:1 w:1)
	fn deposit() -> Weight {
		Weight::from_parts(65_246_000, 200)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Takes 60.7 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `InferenceMarket::Escrows` (r:1 w:1)
	/// - `System::Account` (r:1 w:1)
	fn withdraw() -> Weight {
		Weight::from_parts(62_432_000, 344)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Takes 70.5 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `InferenceMarket::Gateways` (r:1 w:1)
	/// - `System::Account` (r:1 w:1)
	fn register_gateway() -> Weight {
		Weight::from_parts(79_778_000, 200)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Takes 16.9 µs at least.
	///
	/// Keys read and written:
	/// - `InferenceMarket::Gateways` (r:1 w:1)
	fn unbond_gateway() -> Weight {
		Weight::from_parts(19_108_000, 241)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Takes 59.0 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `InferenceMarket::Gateways` (r:1 w:1)
	/// - `System::Account` (r:1 w:1)
	fn withdraw_gateway_stake() -> Weight {
		Weight::from_parts(63_134_000, 512)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Takes 157.8 µs at least.
	///
	/// Keys read and written:
	/// - `InferenceMarket::Gateways` (r:1 w:0)
	/// - `InferenceMarket::Keys` (r:1 w:65)
	/// - `InferenceMarket::KeysOf` (r:1 w:1)
	fn register_key() -> Weight {
		Weight::from_parts(159_166_000, 3_309)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(66_u64))
	}
	/// Takes 16.8 µs at least.
	///
	/// Keys read and written:
	/// - `InferenceMarket::Keys` (r:1 w:1)
	fn update_key() -> Weight {
		Weight::from_parts(19_469_000, 500)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Takes 32.3 µs at least.
	///
	/// Keys read and written:
	/// - `InferenceMarket::Keys` (r:1 w:1)
	/// - `InferenceMarket::KeysOf` (r:1 w:1)
	fn revoke_key() -> Weight {
		Weight::from_parts(37_265_000, 3_296)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Takes 362.3 µs at least.
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
	/// - `ProvenanceLedger::OutputCount` (r:1 w:1)
	/// - `ProvenanceLedger::QueryCount` (r:1 w:1)
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
		Weight::from_parts(245_939_786, 2_258)
			.saturating_add(Weight::from_parts(109_124_984, 0).saturating_mul(s.into()))
			.saturating_add(T::DbWeight::get().reads(30_u64))
			.saturating_add(T::DbWeight::get().reads((6_u64).saturating_mul(s.into())))
			.saturating_add(T::DbWeight::get().writes(24_u64))
			.saturating_add(T::DbWeight::get().writes((4_u64).saturating_mul(s.into())))
			.saturating_add(Weight::from_parts(0, 404).saturating_mul(s.into()))
	}
	/// Takes 539.1 µs at least.
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
	/// - `ModelRegistry::Offers` (r:1 w:0)
	/// - `ProvenanceLedger::BlockRecords` (r:1 w:1)
	/// - `ProvenanceLedger::ByOutput` (r:0 w:1)
	/// - `ProvenanceLedger::ByQuery` (r:0 w:1)
	/// - `ProvenanceLedger::OutputCount` (r:1 w:1)
	/// - `ProvenanceLedger::QueryCount` (r:1 w:1)
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
		Weight::from_parts(477_492_898, 6_107)
			.saturating_add(Weight::from_parts(89_497_256, 0).saturating_mul(s.into()))
			.saturating_add(T::DbWeight::get().reads(31_u64))
			.saturating_add(T::DbWeight::get().reads((6_u64).saturating_mul(s.into())))
			.saturating_add(T::DbWeight::get().writes(25_u64))
			.saturating_add(T::DbWeight::get().writes((4_u64).saturating_mul(s.into())))
			.saturating_add(Weight::from_parts(0, 431).saturating_mul(s.into()))
	}
	/// An estimate, to be measured.
	///
	/// Keys read and written:
	/// - `ProvenanceLedger::Records` (r:1 w:0)
	fn settle_again() -> Weight {
		Weight::from_parts(50_000_000, 1_500)
			.saturating_add(T::DbWeight::get().reads(1_u64))
	}
	/// An estimate from an earlier measurement, with what each signer and each entry reads and
	/// writes of its own; to be measured.
	///
	/// The range of component `k` is `[4, 25]`.
	///
	/// The range of component `n` is `[8, 24]`.
	///
	/// The range of component `s` is `[0, 31]`.
	///
	/// The range of component `u` is `[0, 24]`.
	fn settle_batch(k: u32, n: u32, s: u32, u: u32, ) -> Weight {
		Weight::from_parts(2_072_923_167, 15_142)
			.saturating_add(Weight::from_parts(60_000_000, 0).saturating_mul(k.into()))
			.saturating_add(Weight::from_parts(212_637_700, 0).saturating_mul(n.into()))
			.saturating_add(Weight::from_parts(51_032_968, 0).saturating_mul(s.into()))
			.saturating_add(Weight::from_parts(51_032_968, 0).saturating_mul(u.into()))
			.saturating_add(T::DbWeight::get().reads(222_u64))
			.saturating_add(T::DbWeight::get().reads((6_u64).saturating_mul(k.into())))
			.saturating_add(T::DbWeight::get().reads((12_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(s.into())))
			.saturating_add(T::DbWeight::get().reads((4_u64).saturating_mul(u.into())))
			.saturating_add(T::DbWeight::get().writes(149_u64))
			.saturating_add(T::DbWeight::get().writes((4_u64).saturating_mul(k.into())))
			.saturating_add(T::DbWeight::get().writes((12_u64).saturating_mul(n.into())))
	}
	/// Takes 181.9 µs at least.
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
	/// - `WorkerRegistry::Workers` (r:1 w:1)
	fn release() -> Weight {
		Weight::from_parts(194_143_000, 2_705)
			.saturating_add(T::DbWeight::get().reads(12_u64))
			.saturating_add(T::DbWeight::get().writes(7_u64))
	}
	/// Takes 153.4 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `ConsentRegistry::Current` (r:1 w:0)
	/// - `ConsentRegistry::Versions` (r:1 w:0)
	/// - `InferenceMarket::Unclaimed` (r:1 w:1)
	/// - `System::Account` (r:2 w:2)
	/// - `WorkerRegistry::Workers` (r:1 w:1)
	fn claim() -> Weight {
		Weight::from_parts(154_539_000, 1_360)
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().writes(5_u64))
	}
	/// Takes 123.5 µs at least.
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
		Weight::from_parts(131_998_556, 4_002)
			.saturating_add(Weight::from_parts(3_782, 0).saturating_mul(p.into()))
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}
	/// Takes 55.8 µs at least.
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
		Weight::from_parts(49_520_099, 1_261)
			.saturating_add(Weight::from_parts(18_009_432, 0).saturating_mul(s.into()))
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().reads((4_u64).saturating_mul(s.into())))
			.saturating_add(T::DbWeight::get().writes(1_u64))
			.saturating_add(Weight::from_parts(0, 448).saturating_mul(s.into()))
	}
	/// Takes 53.0 µs at least.
	///
	/// Keys read and written:
	/// - `InferenceMarket::Deadlines` (r:1 w:1)
	/// - `InferenceMarket::Escrows` (r:1 w:1)
	/// - `InferenceMarket::Requests` (r:1 w:1)
	fn cancel_request() -> Weight {
		Weight::from_parts(58_307_000, 3_768)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Takes 4.3 µs at least.
	///
	/// The range of component `r` is `[0, 64]`.
	///
	/// Keys read and written with the greatest components:
	/// - `InferenceMarket::Deadlines` (r:1 w:1)
	/// - `InferenceMarket::Escrows` (r:64 w:64)
	/// - `InferenceMarket::Requests` (r:64 w:64)
	fn expire_requests(r: u32, ) -> Weight {
		Weight::from_parts(4_417_182, 266)
			.saturating_add(Weight::from_parts(11_407_334, 0).saturating_mul(r.into()))
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(r.into())))
			.saturating_add(T::DbWeight::get().writes(1_u64))
			.saturating_add(T::DbWeight::get().writes((2_u64).saturating_mul(r.into())))
			.saturating_add(Weight::from_parts(0, 302).saturating_mul(r.into()))
	}
	/// Takes 2.8 µs at least.
	///
	/// The range of component `r` is `[0, 100]`.
	///
	/// Keys read and written with the greatest components:
	/// - `Babe::EpochIndex` (r:1 w:0)
	/// - `Balances::Holds` (r:32 w:32)
	/// - `ConsentRegistry::Current` (r:100 w:0)
	/// - `ConsentRegistry::Versions` (r:32 w:0)
	/// - `InferenceMarket::NextBucket` (r:1 w:0)
	/// - `InferenceMarket::Unvested` (r:101 w:100)
	/// - `InferenceMarket::UnvestedTotal` (r:100 w:100)
	/// - `System::Account` (r:101 w:101)
	/// - `WorkerRegistry::Workers` (r:100 w:32)
	fn drain(r: u32, ) -> Weight {
		Weight::from_parts(704_910_667, 11_432)
			.saturating_add(Weight::from_parts(94_020_272, 0).saturating_mul(r.into()))
			.saturating_add(T::DbWeight::get().reads(46_u64))
			.saturating_add(T::DbWeight::get().reads((6_u64).saturating_mul(r.into())))
			.saturating_add(T::DbWeight::get().writes(41_u64))
			.saturating_add(T::DbWeight::get().writes((4_u64).saturating_mul(r.into())))
			.saturating_add(Weight::from_parts(0, 281).saturating_mul(r.into()))
	}
}

// For tests.
impl WeightInfo for () {
	fn deposit() -> Weight {
		Weight::from_parts(65_246_000, 200)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn withdraw() -> Weight {
		Weight::from_parts(62_432_000, 344)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn register_gateway() -> Weight {
		Weight::from_parts(79_778_000, 200)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn unbond_gateway() -> Weight {
		Weight::from_parts(19_108_000, 241)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn withdraw_gateway_stake() -> Weight {
		Weight::from_parts(63_134_000, 512)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn register_key() -> Weight {
		Weight::from_parts(159_166_000, 3_309)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(66_u64))
	}
	fn update_key() -> Weight {
		Weight::from_parts(19_469_000, 500)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn revoke_key() -> Weight {
		Weight::from_parts(37_265_000, 3_296)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn settle(s: u32, ) -> Weight {
		Weight::from_parts(245_939_786, 2_258)
			.saturating_add(Weight::from_parts(109_124_984, 0).saturating_mul(s.into()))
			.saturating_add(RocksDbWeight::get().reads(30_u64))
			.saturating_add(RocksDbWeight::get().reads((6_u64).saturating_mul(s.into())))
			.saturating_add(RocksDbWeight::get().writes(24_u64))
			.saturating_add(RocksDbWeight::get().writes((4_u64).saturating_mul(s.into())))
			.saturating_add(Weight::from_parts(0, 404).saturating_mul(s.into()))
	}
	fn settle_request(s: u32, ) -> Weight {
		Weight::from_parts(477_492_898, 6_107)
			.saturating_add(Weight::from_parts(89_497_256, 0).saturating_mul(s.into()))
			.saturating_add(RocksDbWeight::get().reads(31_u64))
			.saturating_add(RocksDbWeight::get().reads((6_u64).saturating_mul(s.into())))
			.saturating_add(RocksDbWeight::get().writes(25_u64))
			.saturating_add(RocksDbWeight::get().writes((4_u64).saturating_mul(s.into())))
			.saturating_add(Weight::from_parts(0, 431).saturating_mul(s.into()))
	}
	fn settle_again() -> Weight {
		Weight::from_parts(50_000_000, 1_500)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
	}
	fn settle_batch(k: u32, n: u32, s: u32, u: u32, ) -> Weight {
		Weight::from_parts(2_072_923_167, 15_142)
			.saturating_add(Weight::from_parts(60_000_000, 0).saturating_mul(k.into()))
			.saturating_add(Weight::from_parts(212_637_700, 0).saturating_mul(n.into()))
			.saturating_add(Weight::from_parts(51_032_968, 0).saturating_mul(s.into()))
			.saturating_add(Weight::from_parts(51_032_968, 0).saturating_mul(u.into()))
			.saturating_add(RocksDbWeight::get().reads(222_u64))
			.saturating_add(RocksDbWeight::get().reads((6_u64).saturating_mul(k.into())))
			.saturating_add(RocksDbWeight::get().reads((12_u64).saturating_mul(n.into())))
			.saturating_add(RocksDbWeight::get().reads((1_u64).saturating_mul(s.into())))
			.saturating_add(RocksDbWeight::get().reads((4_u64).saturating_mul(u.into())))
			.saturating_add(RocksDbWeight::get().writes(149_u64))
			.saturating_add(RocksDbWeight::get().writes((4_u64).saturating_mul(k.into())))
			.saturating_add(RocksDbWeight::get().writes((12_u64).saturating_mul(n.into())))
	}
	fn release() -> Weight {
		Weight::from_parts(194_143_000, 2_705)
			.saturating_add(RocksDbWeight::get().reads(12_u64))
			.saturating_add(RocksDbWeight::get().writes(7_u64))
	}
	fn claim() -> Weight {
		Weight::from_parts(154_539_000, 1_360)
			.saturating_add(RocksDbWeight::get().reads(7_u64))
			.saturating_add(RocksDbWeight::get().writes(5_u64))
	}
	fn request(p: u32, ) -> Weight {
		Weight::from_parts(131_998_556, 4_002)
			.saturating_add(Weight::from_parts(3_782, 0).saturating_mul(p.into()))
			.saturating_add(RocksDbWeight::get().reads(7_u64))
			.saturating_add(RocksDbWeight::get().writes(6_u64))
	}
	fn match_request(s: u32, ) -> Weight {
		Weight::from_parts(49_520_099, 1_261)
			.saturating_add(Weight::from_parts(18_009_432, 0).saturating_mul(s.into()))
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().reads((4_u64).saturating_mul(s.into())))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
			.saturating_add(Weight::from_parts(0, 448).saturating_mul(s.into()))
	}
	fn cancel_request() -> Weight {
		Weight::from_parts(58_307_000, 3_768)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn expire_requests(r: u32, ) -> Weight {
		Weight::from_parts(4_417_182, 266)
			.saturating_add(Weight::from_parts(11_407_334, 0).saturating_mul(r.into()))
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().reads((2_u64).saturating_mul(r.into())))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
			.saturating_add(RocksDbWeight::get().writes((2_u64).saturating_mul(r.into())))
			.saturating_add(Weight::from_parts(0, 302).saturating_mul(r.into()))
	}
	fn drain(r: u32, ) -> Weight {
		Weight::from_parts(704_910_667, 11_432)
			.saturating_add(Weight::from_parts(94_020_272, 0).saturating_mul(r.into()))
			.saturating_add(RocksDbWeight::get().reads(46_u64))
			.saturating_add(RocksDbWeight::get().reads((6_u64).saturating_mul(r.into())))
			.saturating_add(RocksDbWeight::get().writes(41_u64))
			.saturating_add(RocksDbWeight::get().writes((4_u64).saturating_mul(r.into())))
			.saturating_add(Weight::from_parts(0, 281).saturating_mul(r.into()))
	}
}
