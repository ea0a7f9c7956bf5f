//! Weights of `pallet_validator_registry`, written by `make weights`.
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
	/// Takes 471.2 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `ValidatorRegistry::Candidates` (r:1 w:1)
	/// - `ValidatorRegistry::Validators` (r:2 w:2)
	fn register_candidate() -> Weight {
		Weight::from_parts(519_210_000, 50_773)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
	/// Takes 322.2 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `ValidatorRegistry::Candidates` (r:1 w:1)
	/// - `ValidatorRegistry::Validators` (r:1 w:1)
	fn bond_more() -> Weight {
		Weight::from_parts(368_205_000, 50_377)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Takes 182.5 µs at least.
	///
	/// Keys read and written:
	/// - `ValidatorRegistry::Candidates` (r:1 w:1)
	/// - `ValidatorRegistry::Validators` (r:1 w:1)
	fn chill() -> Weight {
		Weight::from_parts(187_157_000, 49_249)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Takes 376.5 µs at least.
	///
	/// Keys read and written:
	/// - `ValidatorRegistry::Candidates` (r:1 w:1)
	/// - `ValidatorRegistry::Validators` (r:2 w:2)
	fn resume() -> Weight {
		Weight::from_parts(423_538_000, 49_802)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Takes 166.6 µs at least.
	///
	/// Keys read and written:
	/// - `ValidatorRegistry::Candidates` (r:1 w:1)
	/// - `ValidatorRegistry::Validators` (r:1 w:1)
	fn unbond() -> Weight {
		Weight::from_parts(189_501_000, 49_249)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Takes 252.2 µs at least.
	///
	/// Keys read and written:
	/// - `Balances::Holds` (r:1 w:1)
	/// - `Session::QueuedKeys` (r:1 w:0)
	/// - `Session::Validators` (r:1 w:0)
	/// - `ValidatorRegistry::Links` (r:1 w:1)
	/// - `ValidatorRegistry::Offences` (r:0 w:1)
	/// - `ValidatorRegistry::ValidatorOf` (r:0 w:64)
	/// - `ValidatorRegistry::Validators` (r:1 w:1)
	fn withdraw() -> Weight {
		Weight::from_parts(274_176_000, 4_857)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(68_u64))
	}
	/// Takes 86.6 µs at least.
	///
	/// Keys read and written:
	/// - `ValidatorRegistry::Links` (r:1 w:1)
	/// - `ValidatorRegistry::ValidatorOf` (r:1 w:0)
	/// - `ValidatorRegistry::Validators` (r:1 w:0)
	/// - `WorkerRegistry::Workers` (r:1 w:0)
	fn link_worker() -> Weight {
		Weight::from_parts(124_795_000, 4_194)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Takes 24.3 µs at least.
	///
	/// Keys read and written:
	/// - `ValidatorRegistry::Links` (r:1 w:1)
	/// - `ValidatorRegistry::ValidatorOf` (r:1 w:1)
	/// - `WorkerRegistry::Workers` (r:1 w:0)
	fn accept_link() -> Weight {
		Weight::from_parts(27_160_000, 3_019)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Takes 55.8 µs at least.
	///
	/// Keys read and written:
	/// - `ValidatorRegistry::Links` (r:1 w:1)
	/// - `ValidatorRegistry::ValidatorOf` (r:0 w:1)
	fn unlink() -> Weight {
		Weight::from_parts(67_921_000, 2_325)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Takes 58.9 µs at least.
	///
	/// Keys read and written:
	/// - `Session::CurrentIndex` (r:1 w:0)
	/// - `Session::Validators` (r:1 w:0)
	/// - `ValidatorRegistry::Validators` (r:1 w:1)
	fn heartbeat() -> Weight {
		Weight::from_parts(83_094_000, 4_593)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Takes 25.1 µs at least.
	///
	/// Keys read and written:
	/// - `Session::CurrentIndex` (r:1 w:0)
	/// - `ValidatorRegistry::Validators` (r:1 w:1)
	fn note_author() -> Weight {
		Weight::from_parts(33_420_000, 1_401)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Takes 11.0 µs at least.
	///
	/// The range of component `c` is `[1, 1000]`.
	///
	/// Keys read and written with the greatest components:
	/// - `Session::NextKeys` (r:1000 w:0)
	/// - `ValidatorRegistry::Candidates` (r:1 w:0)
	fn new_session(c: u32, ) -> Weight {
		Weight::from_parts(47_380_209, 316)
			.saturating_add(Weight::from_parts(2_126_179, 0).saturating_mul(c.into()))
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(c.into())))
			.saturating_add(Weight::from_parts(0, 48).saturating_mul(c.into()))
	}
	/// Takes 20.2 µs at least.
	///
	/// The range of component `v` is `[1, 100]`.
	///
	/// Keys read and written with the greatest components:
	/// - `Session::NextKeys` (r:100 w:0)
	/// - `Session::Validators` (r:1 w:0)
	/// - `ValidatorRegistry::Candidates` (r:1 w:0)
	/// - `ValidatorRegistry::Validators` (r:100 w:100)
	fn end_session(v: u32, ) -> Weight {
		Weight::from_parts(26_763_110, 330)
			.saturating_add(Weight::from_parts(15_506_563, 0).saturating_mul(v.into()))
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(v.into())))
			.saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(v.into())))
			.saturating_add(Weight::from_parts(0, 163).saturating_mul(v.into()))
	}
	/// Takes 184.1 µs at least.
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
		Weight::from_parts(663_137_717, 19_192)
			.saturating_add(Weight::from_parts(65_069_442, 0).saturating_mul(o.into()))
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().reads((4_u64).saturating_mul(o.into())))
			.saturating_add(T::DbWeight::get().writes(2_u64))
			.saturating_add(T::DbWeight::get().writes((4_u64).saturating_mul(o.into())))
			.saturating_add(Weight::from_parts(0, 275).saturating_mul(o.into()))
	}
	/// Not measured yet: an estimate by the keys that it touches.
	///
	/// Keys read and written:
	/// - `Babe::EpochIndex` (r:1 w:0)
	/// - `ValidatorRegistry::ValidatorOf` (r:1 w:0)
	/// - `ValidatorRegistry::WaitingWork` (r:1 w:1)
	/// - `ValidatorRegistry::WorkEpochs` (r:1 w:1)
	fn note_work() -> Weight {
		Weight::from_parts(20_000_000, 3_019)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Not measured yet: an estimate by the keys that it touches.
	///
	/// The range of component `n` is `[0, 200]`.
	///
	/// Keys read and written with the greatest components:
	/// - `ValidatorRegistry::Validators` (r:200 w:0)
	/// - `ValidatorRegistry::VerifiedWorkOf` (r:200 w:200)
	/// - `ValidatorRegistry::WaitingWork` (r:200 w:200)
	/// - `ValidatorRegistry::WorkEpochs` (r:1 w:1)
	/// - `Session::CurrentIndex` (r:1 w:0)
	fn count_work(n: u32, ) -> Weight {
		Weight::from_parts(12_000_000, 3_019)
			.saturating_add(Weight::from_parts(28_000_000, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().reads((3_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes(1_u64))
			.saturating_add(T::DbWeight::get().writes((2_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 2_603).saturating_mul(n.into()))
	}
	/// Not measured yet: an estimate by the keys that it touches.
	///
	/// The range of component `v` is `[1, 100]`.
	///
	/// Keys read and written with the greatest components:
	/// - `ValidatorRegistry::SlotWeights` (r:1 w:1)
	/// - `ValidatorRegistry::VerifiedWorkOf` (r:100 w:0)
	/// - `Session::CurrentIndex` (r:1 w:0)
	fn announce_weights(v: u32, ) -> Weight {
		Weight::from_parts(60_000_000, 5_500)
			.saturating_add(Weight::from_parts(16_000_000, 0).saturating_mul(v.into()))
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(v.into())))
			.saturating_add(T::DbWeight::get().writes(1_u64))
			.saturating_add(Weight::from_parts(0, 2_527).saturating_mul(v.into()))
	}
}

// For tests.
impl WeightInfo for () {
	fn register_candidate() -> Weight {
		Weight::from_parts(519_210_000, 50_773)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
	}
	fn bond_more() -> Weight {
		Weight::from_parts(368_205_000, 50_377)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn chill() -> Weight {
		Weight::from_parts(187_157_000, 49_249)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn resume() -> Weight {
		Weight::from_parts(423_538_000, 49_802)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn unbond() -> Weight {
		Weight::from_parts(189_501_000, 49_249)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn withdraw() -> Weight {
		Weight::from_parts(274_176_000, 4_857)
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().writes(68_u64))
	}
	fn link_worker() -> Weight {
		Weight::from_parts(124_795_000, 4_194)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn accept_link() -> Weight {
		Weight::from_parts(27_160_000, 3_019)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn unlink() -> Weight {
		Weight::from_parts(67_921_000, 2_325)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn heartbeat() -> Weight {
		Weight::from_parts(83_094_000, 4_593)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn note_author() -> Weight {
		Weight::from_parts(33_420_000, 1_401)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn new_session(c: u32, ) -> Weight {
		Weight::from_parts(47_380_209, 316)
			.saturating_add(Weight::from_parts(2_126_179, 0).saturating_mul(c.into()))
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().reads((1_u64).saturating_mul(c.into())))
			.saturating_add(Weight::from_parts(0, 48).saturating_mul(c.into()))
	}
	fn end_session(v: u32, ) -> Weight {
		Weight::from_parts(26_763_110, 330)
			.saturating_add(Weight::from_parts(15_506_563, 0).saturating_mul(v.into()))
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().reads((2_u64).saturating_mul(v.into())))
			.saturating_add(RocksDbWeight::get().writes((1_u64).saturating_mul(v.into())))
			.saturating_add(Weight::from_parts(0, 163).saturating_mul(v.into()))
	}
	fn on_offence(o: u32, ) -> Weight {
		Weight::from_parts(663_137_717, 19_192)
			.saturating_add(Weight::from_parts(65_069_442, 0).saturating_mul(o.into()))
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().reads((4_u64).saturating_mul(o.into())))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
			.saturating_add(RocksDbWeight::get().writes((4_u64).saturating_mul(o.into())))
			.saturating_add(Weight::from_parts(0, 275).saturating_mul(o.into()))
	}
	fn note_work() -> Weight {
		Weight::from_parts(20_000_000, 3_019)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn count_work(n: u32, ) -> Weight {
		Weight::from_parts(12_000_000, 3_019)
			.saturating_add(Weight::from_parts(28_000_000, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().reads((3_u64).saturating_mul(n.into())))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
			.saturating_add(RocksDbWeight::get().writes((2_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 2_603).saturating_mul(n.into()))
	}
	fn announce_weights(v: u32, ) -> Weight {
		Weight::from_parts(60_000_000, 5_500)
			.saturating_add(Weight::from_parts(16_000_000, 0).saturating_mul(v.into()))
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().reads((1_u64).saturating_mul(v.into())))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
			.saturating_add(Weight::from_parts(0, 2_527).saturating_mul(v.into()))
	}
}
