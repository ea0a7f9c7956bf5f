//! Weights of `pallet_verification`, written by `make weights`.
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

/// Weight functions needed for `pallet_verification`.
pub trait WeightInfo {
	fn on_initialize_idle() -> Weight;
	fn draw(n: u32, ) -> Weight;
	fn force_draw() -> Weight;
	fn audits_idle() -> Weight;
	fn drop_former(n: u32, ) -> Weight;
	fn put_off() -> Weight;
	fn begin_audit() -> Weight;
	fn step_audit() -> Weight;
	fn end_round(s: u32, ) -> Weight;
	fn conclude(n: u32, s: u32, ) -> Weight;
	fn register_verifier() -> Weight;
	fn retire_verifier() -> Weight;
	fn commit() -> Weight;
	fn claim_silence() -> Weight;
	fn post_handover() -> Weight;
	fn reveal() -> Weight;
	fn open(b: u32, ) -> Weight;
	fn commit_canary() -> Weight;
	fn reveal_canary() -> Weight;
	fn forget_canary() -> Weight;
	fn open_dispute() -> Weight;
	fn post_nodes(n: u32, ) -> Weight;
	fn accuse_leaf(n: u32, ) -> Weight;
	fn defend_leaf(n: u32, ) -> Weight;
	fn reply_trace(n: u32, ) -> Weight;
	fn post_blocks(n: u32, ) -> Weight;
	fn prove_false() -> Weight;
	fn step_disputes(d: u32, ) -> Weight;
}

/// Weights of `pallet_verification` with the database weights of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Takes 58.8 µs at least.
	///
	/// Keys read and written:
	/// - `Babe::AuthorVrfRandomness` (r:1 w:0)
	/// - `Babe::EpochIndex` (r:1 w:0)
	/// - `Parameters::Parameters` (r:19 w:0)
	/// - `RewardDistributor::CurrentEra` (r:1 w:0)
	/// - `System::ParentHash` (r:1 w:0)
	/// - `Verification::CanaryFunds` (r:1 w:1)
	/// - `Verification::Deadlines` (r:1 w:0)
	/// - `Verification::FormerQueue` (r:1 w:0)
	/// - `Verification::FormerQueueEnds` (r:1 w:0)
	/// - `Verification::PendingEpochs` (r:1 w:0)
	/// - `Verification::TalliesFrom` (r:1 w:0)
	/// - `Verification::Terms` (r:1 w:1)
	/// - `Verification::VerifierWeight` (r:1 w:0)
	/// - `Verification::WaitingEnds` (r:1 w:0)
	fn on_initialize_idle() -> Weight {
		Weight::from_parts(69_553_000, 341)
			.saturating_add(T::DbWeight::get().reads(32_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Takes 45.2 µs at least.
	///
	/// The range of component `n` is `[1, 1000]`.
	///
	/// Keys read and written with the greatest components:
	/// - `Babe::EpochIndex` (r:1 w:0)
	/// - `Babe::EpochStart` (r:1 w:0)
	/// - `Babe::NextRandomness` (r:1 w:0)
	/// - `Verification::Audits` (r:1000 w:1000)
	/// - `Verification::CounterForAudits` (r:1 w:1)
	/// - `Verification::Cursor` (r:1 w:1)
	/// - `Verification::Drawn` (r:0 w:1000)
	/// - `Verification::DrawnThrough` (r:0 w:1)
	/// - `Verification::OpenAudits` (r:1 w:1)
	/// - `Verification::PendingEpochs` (r:1 w:1)
	/// - `Verification::Settled` (r:1001 w:1000)
	/// - `Verification::Terms` (r:1 w:0)
	/// - `Verification::Waiting` (r:0 w:1000)
	/// - `Verification::WaitingEnds` (r:1 w:1)
	fn draw(n: u32, ) -> Weight {
		Weight::from_parts(53_273_678, 447)
			.saturating_add(Weight::from_parts(21_837_322, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(10_u64))
			.saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes(6_u64))
			.saturating_add(T::DbWeight::get().writes((4_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 47).saturating_mul(n.into()))
	}
	/// Takes 11.5 µs at least.
	///
	/// Keys read and written:
	/// - `Verification::Settled` (r:1 w:1)
	fn force_draw() -> Weight {
		Weight::from_parts(17_906_000, 160)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Takes 6.3 µs at least.
	///
	/// Keys read and written:
	/// - `Babe::EpochIndex` (r:1 w:0)
	/// - `Verification::Deadlines` (r:1 w:0)
	/// - `Verification::WaitingEnds` (r:1 w:0)
	fn audits_idle() -> Weight {
		Weight::from_parts(11_667_000, 245)
			.saturating_add(T::DbWeight::get().reads(3_u64))
	}
	/// Takes 5.4 µs at least.
	///
	/// The range of component `n` is `[0, 4]`.
	///
	/// Keys read and written with the greatest components:
	/// - `Verification::ClosedThrough` (r:1 w:0)
	/// - `Verification::FormerQueue` (r:4 w:4)
	/// - `Verification::FormerQueueEnds` (r:1 w:1)
	/// - `Verification::FormerVerifiers` (r:4 w:4)
	fn drop_former(n: u32, ) -> Weight {
		Weight::from_parts(8_604_800, 222)
			.saturating_add(Weight::from_parts(11_458_100, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes(1_u64))
			.saturating_add(T::DbWeight::get().writes((2_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 187).saturating_mul(n.into()))
	}
	/// Takes 18.2 µs at least.
	///
	/// Keys read and written:
	/// - `Verification::Audits` (r:1 w:1)
	/// - `Verification::Deadlines` (r:1 w:1)
	fn put_off() -> Weight {
		Weight::from_parts(20_941_000, 828)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Takes 95.2 µs at least.
	///
	/// Keys read and written:
	/// - `Babe::AuthorVrfRandomness` (r:1 w:0)
	/// - `Babe::EpochIndex` (r:1 w:0)
	/// - `Parameters::Parameters` (r:19 w:0)
	/// - `ProvenanceLedger::Records` (r:1 w:0)
	/// - `System::ParentHash` (r:1 w:0)
	/// - `Verification::Audits` (r:1 w:1)
	/// - `Verification::CanaryFunds` (r:1 w:1)
	/// - `Verification::Deadlines` (r:1 w:1)
	/// - `Verification::VerifierWeight` (r:1 w:0)
	/// - `Verification::Waiting` (r:1 w:1)
	/// - `Verification::WaitingEnds` (r:1 w:1)
	fn begin_audit() -> Weight {
		Weight::from_parts(97_965_000, 4_577)
			.saturating_add(T::DbWeight::get().reads(29_u64))
			.saturating_add(T::DbWeight::get().writes(5_u64))
	}
	/// Takes 34.1 µs at least.
	///
	/// Keys read and written:
	/// - `Babe::AuthorVrfRandomness` (r:1 w:0)
	/// - `ProvenanceLedger::Records` (r:1 w:0)
	/// - `System::ParentHash` (r:1 w:0)
	/// - `Verification::Audits` (r:1 w:1)
	/// - `Verification::Deadlines` (r:1 w:1)
	fn step_audit() -> Weight {
		Weight::from_parts(37_366_000, 1_360)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Takes 45.1 µs at least.
	///
	/// The range of component `s` is `[0, 192]`.
	///
	/// Keys read and written with the greatest components:
	/// - `Balances::Holds` (r:192 w:192)
	/// - `ProvenanceLedger::Records` (r:1 w:0)
	/// - `System::Account` (r:193 w:193)
	/// - `Verification::Audits` (r:1 w:1)
	/// - `Verification::CounterForCanaries` (r:1 w:0)
	/// - `Verification::Deadlines` (r:1 w:1)
	/// - `Verification::Seats` (r:193 w:192)
	/// - `Verification::Verifiers` (r:192 w:192)
	fn end_round(s: u32, ) -> Weight {
		Weight::from_parts(57_215_000, 5_339)
			.saturating_add(Weight::from_parts(64_565_821, 0).saturating_mul(s.into()))
			.saturating_add(T::DbWeight::get().reads(6_u64))
			.saturating_add(T::DbWeight::get().reads((4_u64).saturating_mul(s.into())))
			.saturating_add(T::DbWeight::get().writes(3_u64))
			.saturating_add(T::DbWeight::get().writes((4_u64).saturating_mul(s.into())))
			.saturating_add(Weight::from_parts(0, 416).saturating_mul(s.into()))
	}
	/// Takes 2080.9 µs at least.
	///
	/// The range of component `n` is `[1, 32]`.
	///
	/// The range of component `s` is `[0, 192]`.
	///
	/// Keys read and written with the greatest components:
	/// - `Babe::EpochIndex` (r:1 w:0)
	/// - `Balances::Holds` (r:194 w:194)
	/// - `ConsentRegistry::Current` (r:96 w:0)
	/// - `ConsentRegistry::Versions` (r:96 w:0)
	/// - `InferenceMarket::Escrows` (r:1 w:1)
	/// - `InferenceMarket::Forfeited` (r:31 w:0)
	/// - `InferenceMarket::Unvested` (r:31 w:32)
	/// - `InferenceMarket::UnvestedTotal` (r:32 w:32)
	/// - `ProvenanceLedger::Records` (r:1 w:0)
	/// - `RewardDistributor::Eras` (r:1 w:0)
	/// - `System::Account` (r:196 w:196)
	/// - `ValidatorRegistry::WaitingWork` (r:1 w:0)
	/// - `Verification::Audits` (r:1 w:1)
	/// - `Verification::CounterForAudits` (r:1 w:1)
	/// - `Verification::Drawn` (r:1 w:1)
	/// - `Verification::FeesOwed` (r:1 w:1)
	/// - `Verification::OpenAudits` (r:1 w:1)
	/// - `Verification::Seats` (r:193 w:192)
	/// - `Verification::Tallies` (r:1 w:1)
	/// - `Verification::Verifiers` (r:192 w:192)
	/// - `WorkerRegistry::Workers` (r:97 w:97)
	fn conclude(n: u32, s: u32, ) -> Weight {
		Weight::from_parts(761_988_208, 2_565)
			.saturating_add(Weight::from_parts(44_119_806, 0).saturating_mul(n.into()))
			.saturating_add(Weight::from_parts(123_634_163, 0).saturating_mul(s.into()))
			.saturating_add(T::DbWeight::get().reads(17_u64))
			.saturating_add(T::DbWeight::get().reads((3_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().reads((6_u64).saturating_mul(s.into())))
			.saturating_add(T::DbWeight::get().writes(14_u64))
			.saturating_add(T::DbWeight::get().writes((2_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes((5_u64).saturating_mul(s.into())))
			.saturating_add(Weight::from_parts(0, 310).saturating_mul(n.into()))
			.saturating_add(Weight::from_parts(0, 650).saturating_mul(s.into()))
	}
	/// Takes 100.4 µs at least.
	///
	/// Keys read and written:
	/// - `Babe::EpochIndex` (r:1 w:0)
	/// - `ConsentRegistry::Current` (r:1 w:0)
	/// - `ConsentRegistry::Versions` (r:1 w:0)
	/// - `Parameters::Parameters` (r:19 w:0)
	/// - `Timestamp::Now` (r:1 w:0)
	/// - `Verification::CounterForVerifiers` (r:1 w:1)
	/// - `Verification::VerifierKeys` (r:1 w:1)
	/// - `Verification::VerifierWeight` (r:1 w:1)
	/// - `Verification::Verifiers` (r:1 w:1)
	/// - `WorkerRegistry::Workers` (r:1 w:0)
	fn register_verifier() -> Weight {
		Weight::from_parts(121_680_000, 879)
			.saturating_add(T::DbWeight::get().reads(28_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
	/// Takes 42.2 µs at least.
	///
	/// Keys read and written:
	/// - `Babe::EpochIndex` (r:1 w:0)
	/// - `Verification::CounterForCanaries` (r:1 w:0)
	/// - `Verification::CounterForVerifiers` (r:1 w:1)
	/// - `Verification::FormerQueue` (r:0 w:1)
	/// - `Verification::FormerQueueEnds` (r:1 w:1)
	/// - `Verification::FormerVerifiers` (r:1 w:1)
	/// - `Verification::VerifierKeys` (r:0 w:1)
	/// - `Verification::VerifierWeight` (r:1 w:1)
	/// - `Verification::Verifiers` (r:1 w:1)
	fn retire_verifier() -> Weight {
		Weight::from_parts(46_138_000, 1_722)
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().writes(7_u64))
	}
	/// Takes 1117.2 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `ConsentRegistry::Current` (r:35 w:0)
	/// - `ConsentRegistry::Versions` (r:33 w:0)
	/// - `ProvenanceLedger::Records` (r:1 w:0)
	/// - `System::Account` (r:1 w:1)
	/// - `Timestamp::Now` (r:1 w:0)
	/// - `Verification::Audits` (r:1 w:1)
	/// - `Verification::Seats` (r:0 w:1)
	/// - `Verification::Verifiers` (r:1 w:1)
	/// - `WorkerRegistry::Workers` (r:1 w:0)
	fn commit() -> Weight {
		Weight::from_parts(1_139_258_000, 13_655)
			.saturating_add(T::DbWeight::get().reads(75_u64))
			.saturating_add(T::DbWeight::get().writes(5_u64))
	}
	/// Takes 1117.0 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `ConsentRegistry::Current` (r:35 w:0)
	/// - `ConsentRegistry::Versions` (r:33 w:0)
	/// - `ProvenanceLedger::Records` (r:1 w:0)
	/// - `System::Account` (r:1 w:1)
	/// - `Timestamp::Now` (r:1 w:0)
	/// - `Verification::Audits` (r:1 w:1)
	/// - `Verification::Seats` (r:0 w:1)
	/// - `Verification::Verifiers` (r:1 w:1)
	/// - `WorkerRegistry::Workers` (r:1 w:0)
	fn claim_silence() -> Weight {
		Weight::from_parts(1_225_046_000, 13_655)
			.saturating_add(T::DbWeight::get().reads(75_u64))
			.saturating_add(T::DbWeight::get().writes(5_u64))
	}
	/// Takes 68.8 µs at least.
	///
	/// Keys read and written:
	/// - `ProvenanceLedger::Records` (r:1 w:0)
	/// - `Verification::Audits` (r:1 w:1)
	/// - `Verification::Seats` (r:1 w:1)
	fn post_handover() -> Weight {
		Weight::from_parts(91_135_000, 4_330)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Takes 91.3 µs at least.
	///
	/// Keys read and written:
	/// - `ProvenanceLedger::Records` (r:1 w:0)
	/// - `System::BlockHash` (r:1 w:0)
	/// - `Verification::Audits` (r:1 w:1)
	/// - `Verification::Seats` (r:1 w:1)
	fn reveal() -> Weight {
		Weight::from_parts(107_189_000, 4_417)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Takes 124.5 µs at least.
	///
	/// The range of component `b` is `[0, 524288]`.
	///
	/// Keys read and written with the greatest components:
	/// - `ProvenanceLedger::Records` (r:1 w:0)
	/// - `Verification::Audits` (r:1 w:0)
	/// - `Verification::Seats` (r:1 w:1)
	fn open(b: u32, ) -> Weight {
		Weight::from_parts(144_054_000, 4_364)
			.saturating_add(Weight::from_parts(2_418, 0).saturating_mul(b.into()))
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Takes 106.8 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `Parameters::Parameters` (r:19 w:0)
	/// - `System::Account` (r:1 w:1)
	/// - `Verification::Canaries` (r:1 w:1)
	/// - `Verification::CounterForCanaries` (r:1 w:1)
	/// - `Verification::Terms` (r:1 w:0)
	fn commit_canary() -> Weight {
		Weight::from_parts(114_861_000, 297)
			.saturating_add(T::DbWeight::get().reads(24_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
	/// Takes 416.5 µs at least.
	///
	/// Keys read and written:
	/// - `ProvenanceLedger::Records` (r:1 w:0)
	/// - `System::BlockHash` (r:1 w:0)
	/// - `Verification::Audits` (r:1 w:1)
	/// - `Verification::Canaries` (r:1 w:1)
	/// - `Verification::CounterForCanaries` (r:1 w:1)
	/// - `Verification::Drawn` (r:1 w:0)
	/// - `Verification::Verifiers` (r:1 w:1)
	fn reveal_canary() -> Weight {
		Weight::from_parts(432_361_000, 4_669)
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
	/// Takes 65.4 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `System::Account` (r:2 w:2)
	/// - `Verification::Canaries` (r:1 w:1)
	/// - `Verification::ClosedThrough` (r:1 w:0)
	/// - `Verification::CounterForCanaries` (r:1 w:1)
	fn forget_canary() -> Weight {
		Weight::from_parts(75_632_000, 638)
			.saturating_add(T::DbWeight::get().reads(6_u64))
			.saturating_add(T::DbWeight::get().writes(5_u64))
	}
	/// Takes 119.3 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `ModelRegistry::Manifests` (r:1 w:0)
	/// - `ProvenanceLedger::Records` (r:1 w:0)
	/// - `System::Account` (r:1 w:1)
	/// - `Verification::Audits` (r:1 w:0)
	/// - `Verification::Disputes` (r:1 w:1)
	/// - `Verification::Seats` (r:1 w:0)
	fn open_dispute() -> Weight {
		Weight::from_parts(189_160_000, 15_729)
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Takes 51.9 µs at least.
	///
	/// The range of component `n` is `[1, 2048]`.
	///
	/// Keys read and written with the greatest components:
	/// - `ProvenanceLedger::Records` (r:1 w:0)
	/// - `Verification::Audits` (r:1 w:0)
	/// - `Verification::Disputes` (r:1 w:1)
	fn post_nodes(n: u32, ) -> Weight {
		Weight::from_parts(58_113_496, 4_330)
			.saturating_add(Weight::from_parts(351_201, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Takes 39.0 µs at least.
	///
	/// The range of component `n` is `[1, 2048]`.
	///
	/// Keys read and written with the greatest components:
	/// - `ProvenanceLedger::Records` (r:1 w:0)
	/// - `Verification::Audits` (r:1 w:0)
	/// - `Verification::Disputes` (r:1 w:1)
	fn accuse_leaf(n: u32, ) -> Weight {
		Weight::from_parts(49_035_947, 4_394)
			.saturating_add(Weight::from_parts(318_719, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Takes 39.7 µs at least.
	///
	/// The range of component `n` is `[1, 2048]`.
	///
	/// Keys read and written with the greatest components:
	/// - `ProvenanceLedger::Records` (r:1 w:0)
	/// - `Verification::Audits` (r:1 w:0)
	/// - `Verification::Disputes` (r:1 w:1)
	fn defend_leaf(n: u32, ) -> Weight {
		Weight::from_parts(48_930_899, 4_402)
			.saturating_add(Weight::from_parts(317_266, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Takes 36.8 µs at least.
	///
	/// The range of component `n` is `[1, 2048]`.
	///
	/// Keys read and written with the greatest components:
	/// - `ProvenanceLedger::Records` (r:1 w:0)
	/// - `Verification::Audits` (r:1 w:0)
	/// - `Verification::Disputes` (r:1 w:1)
	fn reply_trace(n: u32, ) -> Weight {
		Weight::from_parts(40_841_645, 4_366)
			.saturating_add(Weight::from_parts(322_113, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Takes 145.2 µs at least.
	///
	/// The range of component `n` is `[1, 2048]`.
	///
	/// Keys read and written with the greatest components:
	/// - `ModelRegistry::Manifests` (r:1 w:0)
	/// - `ProvenanceLedger::Records` (r:1 w:0)
	/// - `Verification::Audits` (r:1 w:0)
	/// - `Verification::Disputes` (r:1 w:1)
	fn post_blocks(n: u32, ) -> Weight {
		Weight::from_parts(157_771_023, 15_055)
			.saturating_add(Weight::from_parts(318_576, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Takes 788.3 µs at least.
	///
	/// Keys read and written:
	/// - `ModelRegistry::Manifests` (r:1 w:0)
	/// - `ProvenanceLedger::Records` (r:1 w:0)
	/// - `Verification::Audits` (r:1 w:0)
	/// - `Verification::Disputes` (r:1 w:1)
	fn prove_false() -> Weight {
		Weight::from_parts(871_061_000, 15_125)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Takes 46.9 µs at least.
	///
	/// The range of component `d` is `[0, 128]`.
	///
	/// Keys read and written with the greatest components:
	/// - `Balances::Holds` (r:128 w:128)
	/// - `ProvenanceLedger::Records` (r:1 w:0)
	/// - `System::Account` (r:129 w:129)
	/// - `Verification::Audits` (r:1 w:1)
	/// - `Verification::CounterForCanaries` (r:1 w:0)
	/// - `Verification::Deadlines` (r:1 w:1)
	/// - `Verification::Disputes` (r:129 w:128)
	/// - `Verification::Seats` (r:129 w:128)
	/// - `Verification::Verifiers` (r:128 w:128)
	/// - `WorkerRegistry::Workers` (r:128 w:128)
	fn step_disputes(d: u32, ) -> Weight {
		Weight::from_parts(82_723_836, 6_178)
			.saturating_add(Weight::from_parts(186_374_761, 0).saturating_mul(d.into()))
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().reads((6_u64).saturating_mul(d.into())))
			.saturating_add(T::DbWeight::get().writes(3_u64))
			.saturating_add(T::DbWeight::get().writes((6_u64).saturating_mul(d.into())))
			.saturating_add(Weight::from_parts(0, 696).saturating_mul(d.into()))
	}
}

// For tests.
impl WeightInfo for () {
	fn on_initialize_idle() -> Weight {
		Weight::from_parts(69_553_000, 341)
			.saturating_add(RocksDbWeight::get().reads(32_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn draw(n: u32, ) -> Weight {
		Weight::from_parts(53_273_678, 447)
			.saturating_add(Weight::from_parts(21_837_322, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(10_u64))
			.saturating_add(RocksDbWeight::get().reads((2_u64).saturating_mul(n.into())))
			.saturating_add(RocksDbWeight::get().writes(6_u64))
			.saturating_add(RocksDbWeight::get().writes((4_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 47).saturating_mul(n.into()))
	}
	fn force_draw() -> Weight {
		Weight::from_parts(17_906_000, 160)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn audits_idle() -> Weight {
		Weight::from_parts(11_667_000, 245)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
	}
	fn drop_former(n: u32, ) -> Weight {
		Weight::from_parts(8_604_800, 222)
			.saturating_add(Weight::from_parts(11_458_100, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().reads((2_u64).saturating_mul(n.into())))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
			.saturating_add(RocksDbWeight::get().writes((2_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 187).saturating_mul(n.into()))
	}
	fn put_off() -> Weight {
		Weight::from_parts(20_941_000, 828)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn begin_audit() -> Weight {
		Weight::from_parts(97_965_000, 4_577)
			.saturating_add(RocksDbWeight::get().reads(29_u64))
			.saturating_add(RocksDbWeight::get().writes(5_u64))
	}
	fn step_audit() -> Weight {
		Weight::from_parts(37_366_000, 1_360)
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn end_round(s: u32, ) -> Weight {
		Weight::from_parts(57_215_000, 5_339)
			.saturating_add(Weight::from_parts(64_565_821, 0).saturating_mul(s.into()))
			.saturating_add(RocksDbWeight::get().reads(6_u64))
			.saturating_add(RocksDbWeight::get().reads((4_u64).saturating_mul(s.into())))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
			.saturating_add(RocksDbWeight::get().writes((4_u64).saturating_mul(s.into())))
			.saturating_add(Weight::from_parts(0, 416).saturating_mul(s.into()))
	}
	fn conclude(n: u32, s: u32, ) -> Weight {
		Weight::from_parts(761_988_208, 2_565)
			.saturating_add(Weight::from_parts(44_119_806, 0).saturating_mul(n.into()))
			.saturating_add(Weight::from_parts(123_634_163, 0).saturating_mul(s.into()))
			.saturating_add(RocksDbWeight::get().reads(17_u64))
			.saturating_add(RocksDbWeight::get().reads((3_u64).saturating_mul(n.into())))
			.saturating_add(RocksDbWeight::get().reads((6_u64).saturating_mul(s.into())))
			.saturating_add(RocksDbWeight::get().writes(14_u64))
			.saturating_add(RocksDbWeight::get().writes((2_u64).saturating_mul(n.into())))
			.saturating_add(RocksDbWeight::get().writes((5_u64).saturating_mul(s.into())))
			.saturating_add(Weight::from_parts(0, 310).saturating_mul(n.into()))
			.saturating_add(Weight::from_parts(0, 650).saturating_mul(s.into()))
	}
	fn register_verifier() -> Weight {
		Weight::from_parts(121_680_000, 879)
			.saturating_add(RocksDbWeight::get().reads(28_u64))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
	}
	fn retire_verifier() -> Weight {
		Weight::from_parts(46_138_000, 1_722)
			.saturating_add(RocksDbWeight::get().reads(7_u64))
			.saturating_add(RocksDbWeight::get().writes(7_u64))
	}
	fn commit() -> Weight {
		Weight::from_parts(1_139_258_000, 13_655)
			.saturating_add(RocksDbWeight::get().reads(75_u64))
			.saturating_add(RocksDbWeight::get().writes(5_u64))
	}
	fn claim_silence() -> Weight {
		Weight::from_parts(1_225_046_000, 13_655)
			.saturating_add(RocksDbWeight::get().reads(75_u64))
			.saturating_add(RocksDbWeight::get().writes(5_u64))
	}
	fn post_handover() -> Weight {
		Weight::from_parts(91_135_000, 4_330)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn reveal() -> Weight {
		Weight::from_parts(107_189_000, 4_417)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn open(b: u32, ) -> Weight {
		Weight::from_parts(144_054_000, 4_364)
			.saturating_add(Weight::from_parts(2_418, 0).saturating_mul(b.into()))
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn commit_canary() -> Weight {
		Weight::from_parts(114_861_000, 297)
			.saturating_add(RocksDbWeight::get().reads(24_u64))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
	}
	fn reveal_canary() -> Weight {
		Weight::from_parts(432_361_000, 4_669)
			.saturating_add(RocksDbWeight::get().reads(7_u64))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
	}
	fn forget_canary() -> Weight {
		Weight::from_parts(75_632_000, 638)
			.saturating_add(RocksDbWeight::get().reads(6_u64))
			.saturating_add(RocksDbWeight::get().writes(5_u64))
	}
	fn open_dispute() -> Weight {
		Weight::from_parts(189_160_000, 15_729)
			.saturating_add(RocksDbWeight::get().reads(7_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn post_nodes(n: u32, ) -> Weight {
		Weight::from_parts(58_113_496, 4_330)
			.saturating_add(Weight::from_parts(351_201, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn accuse_leaf(n: u32, ) -> Weight {
		Weight::from_parts(49_035_947, 4_394)
			.saturating_add(Weight::from_parts(318_719, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn defend_leaf(n: u32, ) -> Weight {
		Weight::from_parts(48_930_899, 4_402)
			.saturating_add(Weight::from_parts(317_266, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn reply_trace(n: u32, ) -> Weight {
		Weight::from_parts(40_841_645, 4_366)
			.saturating_add(Weight::from_parts(322_113, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn post_blocks(n: u32, ) -> Weight {
		Weight::from_parts(157_771_023, 15_055)
			.saturating_add(Weight::from_parts(318_576, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn prove_false() -> Weight {
		Weight::from_parts(871_061_000, 15_125)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn step_disputes(d: u32, ) -> Weight {
		Weight::from_parts(82_723_836, 6_178)
			.saturating_add(Weight::from_parts(186_374_761, 0).saturating_mul(d.into()))
			.saturating_add(RocksDbWeight::get().reads(7_u64))
			.saturating_add(RocksDbWeight::get().reads((6_u64).saturating_mul(d.into())))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
			.saturating_add(RocksDbWeight::get().writes((6_u64).saturating_mul(d.into())))
			.saturating_add(Weight::from_parts(0, 696).saturating_mul(d.into()))
	}
}
