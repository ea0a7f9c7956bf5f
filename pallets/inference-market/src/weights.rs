//! Weights of `pallet_inference_market`, written by `make weights`.
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
	/// Takes 76.1 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `InferenceMarket::Escrows` (r:1 w:1)
	/// - `System::Account` (r:1 w:1)
	fn deposit() -> Weight {
		Weight::from_parts(86_958_000, 200)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Takes 67.5 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `InferenceMarket::Escrows` (r:1 w:1)
	/// - `System::Account` (r:1 w:1)
	fn withdraw() -> Weight {
		Weight::from_parts(90_024_000, 344)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Takes 80.7 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `InferenceMarket::Gateways` (r:1 w:1)
	/// - `System::Account` (r:1 w:1)
	fn register_gateway() -> Weight {
		Weight::from_parts(98_245_000, 200)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Takes 16.6 µs at least.
	///
	/// Keys read and written:
	/// - `InferenceMarket::Gateways` (r:1 w:1)
	fn unbond_gateway() -> Weight {
		Weight::from_parts(19_639_000, 241)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Takes 69.5 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `InferenceMarket::Gateways` (r:1 w:1)
	/// - `System::Account` (r:1 w:1)
	fn withdraw_gateway_stake() -> Weight {
		Weight::from_parts(98_165_000, 512)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Takes 162.3 µs at least.
	///
	/// Keys read and written:
	/// - `InferenceMarket::Gateways` (r:1 w:0)
	/// - `InferenceMarket::Keys` (r:1 w:65)
	/// - `InferenceMarket::KeysOf` (r:1 w:1)
	fn register_key() -> Weight {
		Weight::from_parts(187_858_000, 3_309)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(66_u64))
	}
	/// Takes 23.6 µs at least.
	///
	/// Keys read and written:
	/// - `InferenceMarket::Keys` (r:1 w:1)
	fn update_key() -> Weight {
		Weight::from_parts(31_417_000, 500)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Takes 35.5 µs at least.
	///
	/// Keys read and written:
	/// - `InferenceMarket::Keys` (r:1 w:1)
	/// - `InferenceMarket::KeysOf` (r:1 w:1)
	fn revoke_key() -> Weight {
		Weight::from_parts(50_254_000, 3_258)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Takes 470.3 µs at least.
	///
	/// The range of component `s` is `[1, 32]`.
	///
	/// Keys read and written with the greatest components:
	/// - `Babe::EpochIndex` (r:1 w:0)
	/// - `Balances::Holds` (r:1 w:1)
	/// - `ConsentRegistry::Versions` (r:32 w:0)
	/// - `InferenceMarket::Answered` (r:1 w:1)
	/// - `InferenceMarket::AnsweredTotal` (r:1 w:1)
	/// - `InferenceMarket::Escrows` (r:1 w:1)
	/// - `InferenceMarket::Gateways` (r:1 w:0)
	/// - `InferenceMarket::Keys` (r:1 w:1)
	/// - `InferenceMarket::Shared` (r:32 w:32)
	/// - `InferenceMarket::SharedTotal` (r:32 w:32)
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
	/// - `ValidatorRegistry::ValidatorOf` (r:32 w:0)
	/// - `ValidatorRegistry::WaitingWork` (r:32 w:0)
	/// - `Verification::PendingEpochs` (r:1 w:1)
	/// - `Verification::Settled` (r:1 w:1)
	/// - `Verification::Tallies` (r:32 w:0)
	/// - `Verification::Terms` (r:1 w:0)
	/// - `Verification::WaitingEnds` (r:1 w:0)
	/// - `WorkerRegistry::Attendances` (r:32 w:0)
	/// - `WorkerRegistry::Served` (r:32 w:0)
	/// - `WorkerRegistry::Workers` (r:32 w:32)
	fn settle(s: u32, ) -> Weight {
		Weight::from_parts(593_424_112, 2_557)
			.saturating_add(Weight::from_parts(133_721_733, 0).saturating_mul(s.into()))
			.saturating_add(T::DbWeight::get().reads(32_u64))
			.saturating_add(T::DbWeight::get().reads((12_u64).saturating_mul(s.into())))
			.saturating_add(T::DbWeight::get().writes(24_u64))
			.saturating_add(T::DbWeight::get().writes((6_u64).saturating_mul(s.into())))
			.saturating_add(Weight::from_parts(0, 403).saturating_mul(s.into()))
	}
	/// Takes 426.1 µs at least.
	///
	/// The range of component `s` is `[1, 32]`.
	///
	/// Keys read and written with the greatest components:
	/// - `Babe::EpochIndex` (r:1 w:0)
	/// - `Balances::Holds` (r:1 w:1)
	/// - `ConsentRegistry::Versions` (r:32 w:0)
	/// - `InferenceMarket::Answered` (r:1 w:1)
	/// - `InferenceMarket::AnsweredTotal` (r:1 w:1)
	/// - `InferenceMarket::Deadlines` (r:1 w:1)
	/// - `InferenceMarket::Escrows` (r:1 w:1)
	/// - `InferenceMarket::Gateways` (r:1 w:0)
	/// - `InferenceMarket::Requests` (r:1 w:1)
	/// - `InferenceMarket::Shared` (r:32 w:32)
	/// - `InferenceMarket::SharedTotal` (r:32 w:32)
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
	/// - `ValidatorRegistry::ValidatorOf` (r:32 w:0)
	/// - `ValidatorRegistry::WaitingWork` (r:32 w:0)
	/// - `Verification::PendingEpochs` (r:1 w:1)
	/// - `Verification::Settled` (r:1 w:1)
	/// - `Verification::Tallies` (r:32 w:0)
	/// - `Verification::Terms` (r:1 w:0)
	/// - `Verification::WaitingEnds` (r:1 w:0)
	/// - `WorkerRegistry::Attendances` (r:32 w:0)
	/// - `WorkerRegistry::Served` (r:32 w:0)
	/// - `WorkerRegistry::Workers` (r:32 w:32)
	fn settle_request(s: u32, ) -> Weight {
		Weight::from_parts(380_365_884, 6_173)
			.saturating_add(Weight::from_parts(126_231_157, 0).saturating_mul(s.into()))
			.saturating_add(T::DbWeight::get().reads(32_u64))
			.saturating_add(T::DbWeight::get().reads((12_u64).saturating_mul(s.into())))
			.saturating_add(T::DbWeight::get().writes(25_u64))
			.saturating_add(T::DbWeight::get().writes((6_u64).saturating_mul(s.into())))
			.saturating_add(Weight::from_parts(0, 431).saturating_mul(s.into()))
	}
	/// Takes 30.0 µs at least.
	///
	/// Keys read and written:
	/// - `ProvenanceLedger::Records` (r:1 w:0)
	fn settle_again() -> Weight {
		Weight::from_parts(35_603_000, 325)
			.saturating_add(T::DbWeight::get().reads(1_u64))
	}
	/// Takes 6187.2 µs at least.
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
	/// - `InferenceMarket::Answered` (r:1 w:1)
	/// - `InferenceMarket::AnsweredTotal` (r:1 w:1)
	/// - `InferenceMarket::Escrows` (r:24 w:24)
	/// - `InferenceMarket::Gateways` (r:1 w:0)
	/// - `InferenceMarket::Keys` (r:24 w:24)
	/// - `InferenceMarket::Shared` (r:24 w:24)
	/// - `InferenceMarket::SharedTotal` (r:24 w:24)
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
	/// - `ValidatorRegistry::ValidatorOf` (r:24 w:0)
	/// - `ValidatorRegistry::WaitingWork` (r:24 w:0)
	/// - `Verification::PendingEpochs` (r:1 w:1)
	/// - `Verification::Settled` (r:24 w:24)
	/// - `Verification::Tallies` (r:24 w:0)
	/// - `Verification::Terms` (r:1 w:0)
	/// - `Verification::WaitingEnds` (r:1 w:0)
	/// - `WorkerRegistry::Attendances` (r:24 w:0)
	/// - `WorkerRegistry::Served` (r:48 w:0)
	/// - `WorkerRegistry::Workers` (r:48 w:24)
	fn settle_batch(k: u32, n: u32, s: u32, u: u32, ) -> Weight {
		Weight::from_parts(0, 28_628)
			.saturating_add(Weight::from_parts(78_770_151, 0).saturating_mul(k.into()))
			.saturating_add(Weight::from_parts(305_246_492, 0).saturating_mul(n.into()))
			.saturating_add(Weight::from_parts(66_696_331, 0).saturating_mul(s.into()))
			.saturating_add(Weight::from_parts(38_182_660, 0).saturating_mul(u.into()))
			.saturating_add(T::DbWeight::get().reads(11_u64))
			.saturating_add(T::DbWeight::get().reads((12_u64).saturating_mul(k.into())))
			.saturating_add(T::DbWeight::get().reads((10_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().reads((3_u64).saturating_mul(u.into())))
			.saturating_add(T::DbWeight::get().writes(9_u64))
			.saturating_add(T::DbWeight::get().writes((6_u64).saturating_mul(k.into())))
			.saturating_add(T::DbWeight::get().writes((9_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 404).saturating_mul(k.into()))
			.saturating_add(Weight::from_parts(0, 995).saturating_mul(n.into()))
			.saturating_add(Weight::from_parts(0, 24).saturating_mul(s.into()))
			.saturating_add(Weight::from_parts(0, 452).saturating_mul(u.into()))
	}
	/// Takes 210.3 µs at least.
	///
	/// Keys read and written:
	/// - `Babe::EpochIndex` (r:1 w:0)
	/// - `Balances::Holds` (r:1 w:1)
	/// - `ConsentRegistry::Current` (r:1 w:0)
	/// - `ConsentRegistry::Versions` (r:1 w:0)
	/// - `InferenceMarket::Answered` (r:1 w:1)
	/// - `InferenceMarket::AnsweredTotal` (r:1 w:1)
	/// - `InferenceMarket::Forfeited` (r:1 w:0)
	/// - `InferenceMarket::Shared` (r:1 w:1)
	/// - `InferenceMarket::SharedTotal` (r:1 w:1)
	/// - `InferenceMarket::Unvested` (r:1 w:1)
	/// - `InferenceMarket::UnvestedBurn` (r:1 w:1)
	/// - `InferenceMarket::UnvestedTotal` (r:1 w:1)
	/// - `System::Account` (r:2 w:2)
	/// - `Verification::ClosedThrough` (r:1 w:0)
	/// - `WorkerRegistry::Workers` (r:1 w:1)
	fn release() -> Weight {
		Weight::from_parts(256_360_000, 2_194)
			.saturating_add(T::DbWeight::get().reads(16_u64))
			.saturating_add(T::DbWeight::get().writes(11_u64))
	}
	/// Takes 145.0 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `ConsentRegistry::Current` (r:1 w:0)
	/// - `ConsentRegistry::Versions` (r:1 w:0)
	/// - `InferenceMarket::Unclaimed` (r:1 w:1)
	/// - `System::Account` (r:2 w:2)
	/// - `WorkerRegistry::Workers` (r:1 w:1)
	fn claim() -> Weight {
		Weight::from_parts(150_493_000, 1_430)
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().writes(5_u64))
	}
	/// Takes 127.7 µs at least.
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
		Weight::from_parts(145_148_434, 4_002)
			.saturating_add(Weight::from_parts(5_966, 0).saturating_mul(p.into()))
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}
	/// Takes 59.2 µs at least.
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
		Weight::from_parts(51_424_026, 1_358)
			.saturating_add(Weight::from_parts(20_662_974, 0).saturating_mul(s.into()))
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().reads((4_u64).saturating_mul(s.into())))
			.saturating_add(T::DbWeight::get().writes(1_u64))
			.saturating_add(Weight::from_parts(0, 448).saturating_mul(s.into()))
	}
	/// Takes 59.4 µs at least.
	///
	/// Keys read and written:
	/// - `InferenceMarket::Deadlines` (r:1 w:1)
	/// - `InferenceMarket::Escrows` (r:1 w:1)
	/// - `InferenceMarket::Requests` (r:1 w:1)
	fn cancel_request() -> Weight {
		Weight::from_parts(63_574_000, 3_636)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Takes 111.1 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `InferenceMarket::Gateways` (r:1 w:1)
	/// - `System::Account` (r:1 w:1)
	fn restore_gateway_stake() -> Weight {
		Weight::from_parts(115_972_000, 508)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Takes 71.5 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `InferenceMarket::Gateways` (r:1 w:1)
	/// - `System::Account` (r:1 w:1)
	fn raise_gateway_stake() -> Weight {
		Weight::from_parts(119_568_000, 508)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Takes 4.6 µs at least.
	///
	/// The range of component `r` is `[0, 64]`.
	///
	/// Keys read and written with the greatest components:
	/// - `InferenceMarket::Deadlines` (r:1 w:1)
	/// - `InferenceMarket::Escrows` (r:64 w:64)
	/// - `InferenceMarket::Requests` (r:64 w:64)
	fn expire_requests(r: u32, ) -> Weight {
		Weight::from_parts(5_258_000, 258)
			.saturating_add(Weight::from_parts(11_665_379, 0).saturating_mul(r.into()))
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(r.into())))
			.saturating_add(T::DbWeight::get().writes(1_u64))
			.saturating_add(T::DbWeight::get().writes((2_u64).saturating_mul(r.into())))
			.saturating_add(Weight::from_parts(0, 302).saturating_mul(r.into()))
	}
	/// Takes 2.8 µs at least.
	///
	/// The range of component `r` is `[0, 1000]`.
	///
	/// Keys read and written with the greatest components:
	/// - `Babe::EpochIndex` (r:1 w:0)
	/// - `Balances::Holds` (r:32 w:32)
	/// - `ConsentRegistry::Current` (r:1000 w:0)
	/// - `ConsentRegistry::Versions` (r:32 w:0)
	/// - `InferenceMarket::Answered` (r:1000 w:1000)
	/// - `InferenceMarket::AnsweredTotal` (r:1000 w:1000)
	/// - `InferenceMarket::Forfeited` (r:1000 w:0)
	/// - `InferenceMarket::NextBucket` (r:1 w:0)
	/// - `InferenceMarket::Shared` (r:1000 w:1000)
	/// - `InferenceMarket::SharedTotal` (r:1000 w:1000)
	/// - `InferenceMarket::Unvested` (r:1001 w:1000)
	/// - `InferenceMarket::UnvestedTotal` (r:1000 w:1000)
	/// - `System::Account` (r:1001 w:1001)
	/// - `Verification::ClosedThrough` (r:1 w:0)
	/// - `WorkerRegistry::Workers` (r:1000 w:32)
	fn drain(r: u32, ) -> Weight {
		Weight::from_parts(946_828_210, 18_005)
			.saturating_add(Weight::from_parts(91_816_909, 0).saturating_mul(r.into()))
			.saturating_add(T::DbWeight::get().reads(69_u64))
			.saturating_add(T::DbWeight::get().reads((10_u64).saturating_mul(r.into())))
			.saturating_add(T::DbWeight::get().writes(65_u64))
			.saturating_add(T::DbWeight::get().writes((7_u64).saturating_mul(r.into())))
			.saturating_add(Weight::from_parts(0, 164).saturating_mul(r.into()))
	}
}

// For tests.
impl WeightInfo for () {
	fn deposit() -> Weight {
		Weight::from_parts(86_958_000, 200)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn withdraw() -> Weight {
		Weight::from_parts(90_024_000, 344)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn register_gateway() -> Weight {
		Weight::from_parts(98_245_000, 200)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn unbond_gateway() -> Weight {
		Weight::from_parts(19_639_000, 241)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn withdraw_gateway_stake() -> Weight {
		Weight::from_parts(98_165_000, 512)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn register_key() -> Weight {
		Weight::from_parts(187_858_000, 3_309)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(66_u64))
	}
	fn update_key() -> Weight {
		Weight::from_parts(31_417_000, 500)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn revoke_key() -> Weight {
		Weight::from_parts(50_254_000, 3_258)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn settle(s: u32, ) -> Weight {
		Weight::from_parts(593_424_112, 2_557)
			.saturating_add(Weight::from_parts(133_721_733, 0).saturating_mul(s.into()))
			.saturating_add(RocksDbWeight::get().reads(32_u64))
			.saturating_add(RocksDbWeight::get().reads((12_u64).saturating_mul(s.into())))
			.saturating_add(RocksDbWeight::get().writes(24_u64))
			.saturating_add(RocksDbWeight::get().writes((6_u64).saturating_mul(s.into())))
			.saturating_add(Weight::from_parts(0, 403).saturating_mul(s.into()))
	}
	fn settle_request(s: u32, ) -> Weight {
		Weight::from_parts(380_365_884, 6_173)
			.saturating_add(Weight::from_parts(126_231_157, 0).saturating_mul(s.into()))
			.saturating_add(RocksDbWeight::get().reads(32_u64))
			.saturating_add(RocksDbWeight::get().reads((12_u64).saturating_mul(s.into())))
			.saturating_add(RocksDbWeight::get().writes(25_u64))
			.saturating_add(RocksDbWeight::get().writes((6_u64).saturating_mul(s.into())))
			.saturating_add(Weight::from_parts(0, 431).saturating_mul(s.into()))
	}
	fn settle_again() -> Weight {
		Weight::from_parts(35_603_000, 325)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
	}
	fn settle_batch(k: u32, n: u32, s: u32, u: u32, ) -> Weight {
		Weight::from_parts(0, 28_628)
			.saturating_add(Weight::from_parts(78_770_151, 0).saturating_mul(k.into()))
			.saturating_add(Weight::from_parts(305_246_492, 0).saturating_mul(n.into()))
			.saturating_add(Weight::from_parts(66_696_331, 0).saturating_mul(s.into()))
			.saturating_add(Weight::from_parts(38_182_660, 0).saturating_mul(u.into()))
			.saturating_add(RocksDbWeight::get().reads(11_u64))
			.saturating_add(RocksDbWeight::get().reads((12_u64).saturating_mul(k.into())))
			.saturating_add(RocksDbWeight::get().reads((10_u64).saturating_mul(n.into())))
			.saturating_add(RocksDbWeight::get().reads((3_u64).saturating_mul(u.into())))
			.saturating_add(RocksDbWeight::get().writes(9_u64))
			.saturating_add(RocksDbWeight::get().writes((6_u64).saturating_mul(k.into())))
			.saturating_add(RocksDbWeight::get().writes((9_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 404).saturating_mul(k.into()))
			.saturating_add(Weight::from_parts(0, 995).saturating_mul(n.into()))
			.saturating_add(Weight::from_parts(0, 24).saturating_mul(s.into()))
			.saturating_add(Weight::from_parts(0, 452).saturating_mul(u.into()))
	}
	fn release() -> Weight {
		Weight::from_parts(256_360_000, 2_194)
			.saturating_add(RocksDbWeight::get().reads(16_u64))
			.saturating_add(RocksDbWeight::get().writes(11_u64))
	}
	fn claim() -> Weight {
		Weight::from_parts(150_493_000, 1_430)
			.saturating_add(RocksDbWeight::get().reads(7_u64))
			.saturating_add(RocksDbWeight::get().writes(5_u64))
	}
	fn request(p: u32, ) -> Weight {
		Weight::from_parts(145_148_434, 4_002)
			.saturating_add(Weight::from_parts(5_966, 0).saturating_mul(p.into()))
			.saturating_add(RocksDbWeight::get().reads(7_u64))
			.saturating_add(RocksDbWeight::get().writes(6_u64))
	}
	fn match_request(s: u32, ) -> Weight {
		Weight::from_parts(51_424_026, 1_358)
			.saturating_add(Weight::from_parts(20_662_974, 0).saturating_mul(s.into()))
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().reads((4_u64).saturating_mul(s.into())))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
			.saturating_add(Weight::from_parts(0, 448).saturating_mul(s.into()))
	}
	fn cancel_request() -> Weight {
		Weight::from_parts(63_574_000, 3_636)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn restore_gateway_stake() -> Weight {
		Weight::from_parts(115_972_000, 508)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn raise_gateway_stake() -> Weight {
		Weight::from_parts(119_568_000, 508)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn expire_requests(r: u32, ) -> Weight {
		Weight::from_parts(5_258_000, 258)
			.saturating_add(Weight::from_parts(11_665_379, 0).saturating_mul(r.into()))
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().reads((2_u64).saturating_mul(r.into())))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
			.saturating_add(RocksDbWeight::get().writes((2_u64).saturating_mul(r.into())))
			.saturating_add(Weight::from_parts(0, 302).saturating_mul(r.into()))
	}
	fn drain(r: u32, ) -> Weight {
		Weight::from_parts(946_828_210, 18_005)
			.saturating_add(Weight::from_parts(91_816_909, 0).saturating_mul(r.into()))
			.saturating_add(RocksDbWeight::get().reads(69_u64))
			.saturating_add(RocksDbWeight::get().reads((10_u64).saturating_mul(r.into())))
			.saturating_add(RocksDbWeight::get().writes(65_u64))
			.saturating_add(RocksDbWeight::get().writes((7_u64).saturating_mul(r.into())))
			.saturating_add(Weight::from_parts(0, 164).saturating_mul(r.into()))
	}
}
