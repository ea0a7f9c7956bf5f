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
	/// - `Verification::Audits` (r:1000 w:1000)
	/// - `Verification::CounterForAudits` (r:1 w:1)
	/// - `Verification::Cursor` (r:1 w:1)
	/// - `Verification::Drawn` (r:0 w:1000)
	/// - `Verification::DrawnThrough` (r:0 w:1)
	/// - `Verification::PendingEpochs` (r:1 w:1)
	/// - `Verification::OpenAudits` (r:1 w:1)
	/// - `Verification::Settled` (r:1001 w:1000)
	/// - `Verification::Waiting` (r:0 w:1000)
	/// - `Verification::WaitingEnds` (r:1 w:1)
	fn draw(n: u32, ) -> Weight {
		Weight::from_parts(27_852_000, 439)
			.saturating_add(Weight::from_parts(30_000_000, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(10_u64))
			.saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes(7_u64))
			.saturating_add(T::DbWeight::get().writes((4_u64).saturating_mul(n.into())))
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
	/// Estimated.
	fn audits_idle() -> Weight {
		Weight::from_parts(15_000_000, 400)
			.saturating_add(T::DbWeight::get().reads(8_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Estimated.
	///
	/// The range of component `n` is `[0, 4]`.
	fn drop_former(n: u32, ) -> Weight {
		Weight::from_parts(8_000_000, 200)
			.saturating_add(Weight::from_parts(25_000_000, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes(1_u64))
			.saturating_add(T::DbWeight::get().writes((2_u64).saturating_mul(n.into())))
	}
	/// Estimated.
	fn put_off() -> Weight {
		Weight::from_parts(30_000_000, 4_600)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Estimated.
	fn begin_audit() -> Weight {
		Weight::from_parts(150_000_000, 8_100)
			.saturating_add(T::DbWeight::get().reads(34_u64))
			.saturating_add(T::DbWeight::get().writes(9_u64))
	}
	/// Estimated.
	fn step_audit() -> Weight {
		Weight::from_parts(90_000_000, 7_100)
			.saturating_add(T::DbWeight::get().reads(8_u64))
			.saturating_add(T::DbWeight::get().writes(5_u64))
	}
	/// Estimated.
	///
	/// The range of component `s` is `[0, 192]`.
	fn end_round(s: u32, ) -> Weight {
		Weight::from_parts(120_000_000, 8_100)
			.saturating_add(Weight::from_parts(90_000_000, 0).saturating_mul(s.into()))
			.saturating_add(T::DbWeight::get().reads(6_u64))
			.saturating_add(T::DbWeight::get().reads((4_u64).saturating_mul(s.into())))
			.saturating_add(T::DbWeight::get().writes(4_u64))
			.saturating_add(T::DbWeight::get().writes((4_u64).saturating_mul(s.into())))
	}
	/// Estimated.
	///
	/// The range of component `n` is `[1, 32]`.
	/// The range of component `s` is `[0, 192]`.
	fn conclude(n: u32, s: u32, ) -> Weight {
		Weight::from_parts(300_000_000, 20_000)
			.saturating_add(Weight::from_parts(80_000_000, 0).saturating_mul(n.into()))
			.saturating_add(Weight::from_parts(180_000_000, 0).saturating_mul(s.into()))
			.saturating_add(T::DbWeight::get().reads(25_u64))
			.saturating_add(T::DbWeight::get().reads((6_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().reads((8_u64).saturating_mul(s.into())))
			.saturating_add(T::DbWeight::get().writes(25_u64))
			.saturating_add(T::DbWeight::get().writes((5_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes((6_u64).saturating_mul(s.into())))
	}
	/// Estimated.
	fn register_verifier() -> Weight {
		Weight::from_parts(120_000_000, 1_500)
			.saturating_add(T::DbWeight::get().reads(28_u64))
			.saturating_add(T::DbWeight::get().writes(5_u64))
	}
	/// Estimated.
	fn retire_verifier() -> Weight {
		Weight::from_parts(120_000_000, 2_500)
			.saturating_add(T::DbWeight::get().reads(8_u64))
			.saturating_add(T::DbWeight::get().writes(8_u64))
	}
	/// Estimated.
	fn commit() -> Weight {
		Weight::from_parts(3_500_000_000, 9_000)
			.saturating_add(T::DbWeight::get().reads(110_u64))
			.saturating_add(T::DbWeight::get().writes(7_u64))
	}
	/// Estimated.
	fn claim_silence() -> Weight {
		Weight::from_parts(3_500_000_000, 9_000)
			.saturating_add(T::DbWeight::get().reads(110_u64))
			.saturating_add(T::DbWeight::get().writes(7_u64))
	}
	/// Estimated.
	fn post_handover() -> Weight {
		Weight::from_parts(150_000_000, 6_000)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Estimated.
	fn reveal() -> Weight {
		Weight::from_parts(400_000_000, 6_000)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Estimated.
	///
	/// The range of component `b` is `[0, 524288]`.
	fn open(b: u32, ) -> Weight {
		Weight::from_parts(600_000_000, 6_000)
			.saturating_add(Weight::from_parts(30_000, 0).saturating_mul(b.into()))
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Estimated.
	fn commit_canary() -> Weight {
		Weight::from_parts(110_000_000, 800)
			.saturating_add(T::DbWeight::get().reads(25_u64))
			.saturating_add(T::DbWeight::get().writes(5_u64))
	}
	/// Estimated.
	fn reveal_canary() -> Weight {
		Weight::from_parts(230_000_000, 8_500)
			.saturating_add(T::DbWeight::get().reads(13_u64))
			.saturating_add(T::DbWeight::get().writes(8_u64))
	}
	/// Estimated.
	fn forget_canary() -> Weight {
		Weight::from_parts(130_000_000, 800)
			.saturating_add(T::DbWeight::get().reads(6_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}
	/// Estimated.
	fn open_dispute() -> Weight {
		Weight::from_parts(400_000_000, 24_000)
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Estimated.
	///
	/// The range of component `n` is `[1, 2048]`.
	fn post_nodes(n: u32, ) -> Weight {
		Weight::from_parts(200_000_000, 6_500)
			.saturating_add(Weight::from_parts(3_000_000, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Estimated.
	///
	/// The range of component `n` is `[1, 2048]`.
	fn accuse_leaf(n: u32, ) -> Weight {
		Weight::from_parts(400_000_000, 6_500)
			.saturating_add(Weight::from_parts(3_000_000, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Estimated.
	///
	/// The range of component `n` is `[1, 2048]`.
	fn defend_leaf(n: u32, ) -> Weight {
		Weight::from_parts(400_000_000, 6_500)
			.saturating_add(Weight::from_parts(3_000_000, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Estimated.
	///
	/// The range of component `n` is `[1, 2048]`.
	fn reply_trace(n: u32, ) -> Weight {
		Weight::from_parts(200_000_000, 6_500)
			.saturating_add(Weight::from_parts(3_000_000, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Estimated.
	///
	/// The range of component `n` is `[1, 2048]`.
	fn post_blocks(n: u32, ) -> Weight {
		Weight::from_parts(600_000_000, 23_000)
			.saturating_add(Weight::from_parts(3_000_000, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Estimated.
	fn prove_false() -> Weight {
		Weight::from_parts(8_000_000_000, 23_000)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Estimated.
	///
	/// The range of component `d` is `[0, 128]`.
	fn step_disputes(d: u32, ) -> Weight {
		Weight::from_parts(100_000_000, 6_000)
			.saturating_add(Weight::from_parts(200_000_000, 0).saturating_mul(d.into()))
			.saturating_add(T::DbWeight::get().reads(6_u64))
			.saturating_add(T::DbWeight::get().reads((10_u64).saturating_mul(d.into())))
			.saturating_add(T::DbWeight::get().writes(4_u64))
			.saturating_add(T::DbWeight::get().writes((8_u64).saturating_mul(d.into())))
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
			.saturating_add(Weight::from_parts(30_000_000, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(10_u64))
			.saturating_add(RocksDbWeight::get().reads((2_u64).saturating_mul(n.into())))
			.saturating_add(RocksDbWeight::get().writes(7_u64))
			.saturating_add(RocksDbWeight::get().writes((4_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 42).saturating_mul(n.into()))
	}
	fn force_draw() -> Weight {
		Weight::from_parts(11_607_000, 155)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn audits_idle() -> Weight {
		Weight::from_parts(15_000_000, 400)
			.saturating_add(RocksDbWeight::get().reads(8_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn drop_former(n: u32, ) -> Weight {
		Weight::from_parts(8_000_000, 200)
			.saturating_add(Weight::from_parts(25_000_000, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().reads((2_u64).saturating_mul(n.into())))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
			.saturating_add(RocksDbWeight::get().writes((2_u64).saturating_mul(n.into())))
	}
	fn put_off() -> Weight {
		Weight::from_parts(30_000_000, 4_600)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn begin_audit() -> Weight {
		Weight::from_parts(150_000_000, 8_100)
			.saturating_add(RocksDbWeight::get().reads(34_u64))
			.saturating_add(RocksDbWeight::get().writes(9_u64))
	}
	fn step_audit() -> Weight {
		Weight::from_parts(90_000_000, 7_100)
			.saturating_add(RocksDbWeight::get().reads(8_u64))
			.saturating_add(RocksDbWeight::get().writes(5_u64))
	}
	fn end_round(s: u32, ) -> Weight {
		Weight::from_parts(120_000_000, 8_100)
			.saturating_add(Weight::from_parts(90_000_000, 0).saturating_mul(s.into()))
			.saturating_add(RocksDbWeight::get().reads(6_u64))
			.saturating_add(RocksDbWeight::get().reads((4_u64).saturating_mul(s.into())))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
			.saturating_add(RocksDbWeight::get().writes((4_u64).saturating_mul(s.into())))
	}
	fn conclude(n: u32, s: u32, ) -> Weight {
		Weight::from_parts(300_000_000, 20_000)
			.saturating_add(Weight::from_parts(80_000_000, 0).saturating_mul(n.into()))
			.saturating_add(Weight::from_parts(180_000_000, 0).saturating_mul(s.into()))
			.saturating_add(RocksDbWeight::get().reads(25_u64))
			.saturating_add(RocksDbWeight::get().reads((6_u64).saturating_mul(n.into())))
			.saturating_add(RocksDbWeight::get().reads((8_u64).saturating_mul(s.into())))
			.saturating_add(RocksDbWeight::get().writes(25_u64))
			.saturating_add(RocksDbWeight::get().writes((5_u64).saturating_mul(n.into())))
			.saturating_add(RocksDbWeight::get().writes((6_u64).saturating_mul(s.into())))
	}
	fn register_verifier() -> Weight {
		Weight::from_parts(120_000_000, 1_500)
			.saturating_add(RocksDbWeight::get().reads(28_u64))
			.saturating_add(RocksDbWeight::get().writes(5_u64))
	}
	fn retire_verifier() -> Weight {
		Weight::from_parts(120_000_000, 2_500)
			.saturating_add(RocksDbWeight::get().reads(8_u64))
			.saturating_add(RocksDbWeight::get().writes(8_u64))
	}
	fn commit() -> Weight {
		Weight::from_parts(3_500_000_000, 9_000)
			.saturating_add(RocksDbWeight::get().reads(110_u64))
			.saturating_add(RocksDbWeight::get().writes(7_u64))
	}
	fn claim_silence() -> Weight {
		Weight::from_parts(3_500_000_000, 9_000)
			.saturating_add(RocksDbWeight::get().reads(110_u64))
			.saturating_add(RocksDbWeight::get().writes(7_u64))
	}
	fn post_handover() -> Weight {
		Weight::from_parts(150_000_000, 6_000)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn reveal() -> Weight {
		Weight::from_parts(400_000_000, 6_000)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn open(b: u32, ) -> Weight {
		Weight::from_parts(600_000_000, 6_000)
			.saturating_add(Weight::from_parts(30_000, 0).saturating_mul(b.into()))
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn commit_canary() -> Weight {
		Weight::from_parts(110_000_000, 800)
			.saturating_add(RocksDbWeight::get().reads(25_u64))
			.saturating_add(RocksDbWeight::get().writes(5_u64))
	}
	fn reveal_canary() -> Weight {
		Weight::from_parts(230_000_000, 8_500)
			.saturating_add(RocksDbWeight::get().reads(13_u64))
			.saturating_add(RocksDbWeight::get().writes(8_u64))
	}
	fn forget_canary() -> Weight {
		Weight::from_parts(130_000_000, 800)
			.saturating_add(RocksDbWeight::get().reads(6_u64))
			.saturating_add(RocksDbWeight::get().writes(6_u64))
	}
	fn open_dispute() -> Weight {
		Weight::from_parts(400_000_000, 24_000)
			.saturating_add(RocksDbWeight::get().reads(7_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn post_nodes(n: u32, ) -> Weight {
		Weight::from_parts(200_000_000, 6_500)
			.saturating_add(Weight::from_parts(3_000_000, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn accuse_leaf(n: u32, ) -> Weight {
		Weight::from_parts(400_000_000, 6_500)
			.saturating_add(Weight::from_parts(3_000_000, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn defend_leaf(n: u32, ) -> Weight {
		Weight::from_parts(400_000_000, 6_500)
			.saturating_add(Weight::from_parts(3_000_000, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn reply_trace(n: u32, ) -> Weight {
		Weight::from_parts(200_000_000, 6_500)
			.saturating_add(Weight::from_parts(3_000_000, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn post_blocks(n: u32, ) -> Weight {
		Weight::from_parts(600_000_000, 23_000)
			.saturating_add(Weight::from_parts(3_000_000, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn prove_false() -> Weight {
		Weight::from_parts(8_000_000_000, 23_000)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn step_disputes(d: u32, ) -> Weight {
		Weight::from_parts(100_000_000, 6_000)
			.saturating_add(Weight::from_parts(200_000_000, 0).saturating_mul(d.into()))
			.saturating_add(RocksDbWeight::get().reads(6_u64))
			.saturating_add(RocksDbWeight::get().reads((10_u64).saturating_mul(d.into())))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
			.saturating_add(RocksDbWeight::get().writes((8_u64).saturating_mul(d.into())))
	}
}
