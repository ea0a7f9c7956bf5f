//! Weights of `pallet_validator_registry`, written by `make weights`.
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

/// Weight functions needed for `pallet_validator_registry`.
pub trait WeightInfo {
	fn register_candidate() -> Weight;
	fn bond_more() -> Weight;
	fn chill() -> Weight;
	fn resume() -> Weight;
	fn unbond() -> Weight;
	fn withdraw() -> Weight;
	fn link_worker() -> Weight;
	fn accept_link() -> Weight;
	fn unlink() -> Weight;
	fn heartbeat() -> Weight;
	fn note_author() -> Weight;
	fn new_session(c: u32, ) -> Weight;
	fn end_session(v: u32, ) -> Weight;
	fn on_offence(o: u32, ) -> Weight;
	fn note_work() -> Weight;
	fn count_work(n: u32, ) -> Weight;
	fn announce_weights(v: u32, ) -> Weight;
}

/// Weights of `pallet_validator_registry` with the database weights of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Takes 559.1 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `ValidatorRegistry::Candidates` (r:1 w:1)
	/// - `ValidatorRegistry::Validators` (r:2 w:2)
	fn register_candidate() -> Weight {
		Weight::from_parts(606_899_000, 50_807)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
	/// Takes 276.8 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `ValidatorRegistry::Candidates` (r:1 w:1)
	/// - `ValidatorRegistry::Validators` (r:1 w:1)
	fn bond_more() -> Weight {
		Weight::from_parts(311_812_000, 50_411)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Takes 210.7 µs at least.
	///
	/// Keys read and written:
	/// - `ValidatorRegistry::Candidates` (r:1 w:1)
	/// - `ValidatorRegistry::Validators` (r:1 w:1)
	fn chill() -> Weight {
		Weight::from_parts(235_519_000, 49_283)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Takes 506.5 µs at least.
	///
	/// Keys read and written:
	/// - `ValidatorRegistry::Candidates` (r:1 w:1)
	/// - `ValidatorRegistry::Validators` (r:2 w:2)
	fn resume() -> Weight {
		Weight::from_parts(562_403_000, 49_836)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Takes 213.2 µs at least.
	///
	/// Keys read and written:
	/// - `ValidatorRegistry::Candidates` (r:1 w:1)
	/// - `ValidatorRegistry::Validators` (r:1 w:1)
	fn unbond() -> Weight {
		Weight::from_parts(252_735_000, 49_283)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Takes 263.7 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `Session::QueuedKeys` (r:1 w:0)
	/// - `Session::Validators` (r:1 w:0)
	/// - `ValidatorRegistry::Links` (r:1 w:1)
	/// - `ValidatorRegistry::Offences` (r:0 w:1)
	/// - `ValidatorRegistry::ValidatorOf` (r:0 w:64)
	/// - `ValidatorRegistry::Validators` (r:1 w:1)
	/// - `ValidatorRegistry::VerifiedWorkOf` (r:0 w:1)
	fn withdraw() -> Weight {
		Weight::from_parts(380_854_000, 4_856)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(69_u64))
	}
	/// Takes 80.1 µs at least.
	///
	/// Keys read and written:
	/// - `ValidatorRegistry::Links` (r:1 w:1)
	/// - `ValidatorRegistry::ValidatorOf` (r:1 w:0)
	/// - `ValidatorRegistry::Validators` (r:1 w:0)
	/// - `WorkerRegistry::Workers` (r:1 w:0)
	fn link_worker() -> Weight {
		Weight::from_parts(101_561_000, 4_298)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Takes 25.4 µs at least.
	///
	/// Keys read and written:
	/// - `ValidatorRegistry::Links` (r:1 w:1)
	/// - `ValidatorRegistry::ValidatorOf` (r:1 w:1)
	/// - `WorkerRegistry::Workers` (r:1 w:0)
	fn accept_link() -> Weight {
		Weight::from_parts(39_679_000, 3_122)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Takes 54.6 µs at least.
	///
	/// Keys read and written:
	/// - `ValidatorRegistry::Links` (r:1 w:1)
	/// - `ValidatorRegistry::ValidatorOf` (r:0 w:1)
	fn unlink() -> Weight {
		Weight::from_parts(74_801_000, 2_358)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Takes 70.6 µs at least.
	///
	/// Keys read and written:
	/// - `Session::CurrentIndex` (r:1 w:0)
	/// - `Session::Validators` (r:1 w:0)
	/// - `ValidatorRegistry::Validators` (r:1 w:1)
	fn heartbeat() -> Weight {
		Weight::from_parts(85_546_000, 4_625)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Takes 22.6 µs at least.
	///
	/// Keys read and written:
	/// - `Session::CurrentIndex` (r:1 w:0)
	/// - `ValidatorRegistry::Validators` (r:1 w:1)
	fn note_author() -> Weight {
		Weight::from_parts(24_897_000, 1_433)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Takes 12.2 µs at least.
	///
	/// The range of component `c` is `[1, 1000]`.
	///
	/// Keys read and written with the greatest components:
	/// - `Session::NextKeys` (r:1000 w:0)
	/// - `ValidatorRegistry::Candidates` (r:1 w:0)
	fn new_session(c: u32, ) -> Weight {
		Weight::from_parts(19_854_584, 348)
			.saturating_add(Weight::from_parts(1_986_235, 0).saturating_mul(c.into()))
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(c.into())))
			.saturating_add(Weight::from_parts(0, 48).saturating_mul(c.into()))
	}
	/// Takes 21.3 µs at least.
	///
	/// The range of component `v` is `[1, 100]`.
	///
	/// Keys read and written with the greatest components:
	/// - `Session::NextKeys` (r:100 w:0)
	/// - `Session::Validators` (r:1 w:0)
	/// - `ValidatorRegistry::Candidates` (r:1 w:0)
	/// - `ValidatorRegistry::Validators` (r:100 w:100)
	fn end_session(v: u32, ) -> Weight {
		Weight::from_parts(13_673_267, 365)
			.saturating_add(Weight::from_parts(11_664_733, 0).saturating_mul(v.into()))
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(v.into())))
			.saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(v.into())))
			.saturating_add(Weight::from_parts(0, 163).saturating_mul(v.into()))
	}
	/// Takes 123.6 µs at least.
	///
	/// The range of component `o` is `[1, 100]`.
	///
	/// Keys read and written with the greatest components:
	/// - `Balances::Holds` (r:100 w:100)
	/// - `Session::DisabledValidators` (r:1 w:1)
	/// - `Session::Validators` (r:1 w:0)
	/// - `System::Account` (r:100 w:100)
	/// - `ValidatorRegistry::Candidates` (r:1 w:1)
	/// - `ValidatorRegistry::Offences` (r:100 w:100)
	/// - `ValidatorRegistry::Validators` (r:100 w:100)
	fn on_offence(o: u32, ) -> Weight {
		Weight::from_parts(219_605_584, 19_211)
			.saturating_add(Weight::from_parts(67_422_599, 0).saturating_mul(o.into()))
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().reads((4_u64).saturating_mul(o.into())))
			.saturating_add(T::DbWeight::get().writes(2_u64))
			.saturating_add(T::DbWeight::get().writes((4_u64).saturating_mul(o.into())))
			.saturating_add(Weight::from_parts(0, 279).saturating_mul(o.into()))
	}
	/// Takes 14.0 µs at least.
	///
	/// Keys read and written:
	/// - `Babe::EpochIndex` (r:1 w:0)
	/// - `ValidatorRegistry::ValidatorOf` (r:1 w:0)
	/// - `ValidatorRegistry::WaitingWork` (r:1 w:1)
	/// - `ValidatorRegistry::WorkEpochs` (r:1 w:1)
	fn note_work() -> Weight {
		Weight::from_parts(15_223_000, 444)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Takes 10.1 µs at least.
	///
	/// The range of component `n` is `[0, 200]`.
	///
	/// Keys read and written with the greatest components:
	/// - `Session::CurrentIndex` (r:1 w:0)
	/// - `ValidatorRegistry::Validators` (r:200 w:0)
	/// - `ValidatorRegistry::VerifiedWorkOf` (r:200 w:200)
	/// - `ValidatorRegistry::WaitingWork` (r:201 w:200)
	fn count_work(n: u32, ) -> Weight {
		Weight::from_parts(13_750_000, 504)
			.saturating_add(Weight::from_parts(14_823_768, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().reads((3_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes(1_u64))
			.saturating_add(T::DbWeight::get().writes((2_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 261).saturating_mul(n.into()))
	}
	/// Takes 12.9 µs at least.
	///
	/// The range of component `v` is `[1, 100]`.
	///
	/// Keys read and written with the greatest components:
	/// - `Session::CurrentIndex` (r:1 w:0)
	/// - `ValidatorRegistry::SlotWeights` (r:1 w:1)
	/// - `ValidatorRegistry::VerifiedWorkOf` (r:100 w:0)
	fn announce_weights(v: u32, ) -> Weight {
		Weight::from_parts(8_903_919, 289)
			.saturating_add(Weight::from_parts(6_099_081, 0).saturating_mul(v.into()))
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(v.into())))
			.saturating_add(T::DbWeight::get().writes(1_u64))
			.saturating_add(Weight::from_parts(0, 115).saturating_mul(v.into()))
	}
}

// For tests.
impl WeightInfo for () {
	fn register_candidate() -> Weight {
		Weight::from_parts(606_899_000, 50_807)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
	}
	fn bond_more() -> Weight {
		Weight::from_parts(311_812_000, 50_411)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn chill() -> Weight {
		Weight::from_parts(235_519_000, 49_283)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn resume() -> Weight {
		Weight::from_parts(562_403_000, 49_836)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn unbond() -> Weight {
		Weight::from_parts(252_735_000, 49_283)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn withdraw() -> Weight {
		Weight::from_parts(380_854_000, 4_856)
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().writes(69_u64))
	}
	fn link_worker() -> Weight {
		Weight::from_parts(101_561_000, 4_298)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn accept_link() -> Weight {
		Weight::from_parts(39_679_000, 3_122)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn unlink() -> Weight {
		Weight::from_parts(74_801_000, 2_358)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn heartbeat() -> Weight {
		Weight::from_parts(85_546_000, 4_625)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn note_author() -> Weight {
		Weight::from_parts(24_897_000, 1_433)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn new_session(c: u32, ) -> Weight {
		Weight::from_parts(19_854_584, 348)
			.saturating_add(Weight::from_parts(1_986_235, 0).saturating_mul(c.into()))
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().reads((1_u64).saturating_mul(c.into())))
			.saturating_add(Weight::from_parts(0, 48).saturating_mul(c.into()))
	}
	fn end_session(v: u32, ) -> Weight {
		Weight::from_parts(13_673_267, 365)
			.saturating_add(Weight::from_parts(11_664_733, 0).saturating_mul(v.into()))
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().reads((2_u64).saturating_mul(v.into())))
			.saturating_add(RocksDbWeight::get().writes((1_u64).saturating_mul(v.into())))
			.saturating_add(Weight::from_parts(0, 163).saturating_mul(v.into()))
	}
	fn on_offence(o: u32, ) -> Weight {
		Weight::from_parts(219_605_584, 19_211)
			.saturating_add(Weight::from_parts(67_422_599, 0).saturating_mul(o.into()))
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().reads((4_u64).saturating_mul(o.into())))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
			.saturating_add(RocksDbWeight::get().writes((4_u64).saturating_mul(o.into())))
			.saturating_add(Weight::from_parts(0, 279).saturating_mul(o.into()))
	}
	fn note_work() -> Weight {
		Weight::from_parts(15_223_000, 444)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn count_work(n: u32, ) -> Weight {
		Weight::from_parts(13_750_000, 504)
			.saturating_add(Weight::from_parts(14_823_768, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().reads((3_u64).saturating_mul(n.into())))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
			.saturating_add(RocksDbWeight::get().writes((2_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 261).saturating_mul(n.into()))
	}
	fn announce_weights(v: u32, ) -> Weight {
		Weight::from_parts(8_903_919, 289)
			.saturating_add(Weight::from_parts(6_099_081, 0).saturating_mul(v.into()))
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().reads((1_u64).saturating_mul(v.into())))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
			.saturating_add(Weight::from_parts(0, 115).saturating_mul(v.into()))
	}
}
