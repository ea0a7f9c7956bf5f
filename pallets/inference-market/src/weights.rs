//! Weights for `pallet_inference_market`: conservative estimates, to be replaced by a run of the
//! benchmarks.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_parens)]
#![allow(unused_imports)]
#![allow(missing_docs)]
#![allow(dead_code)]

use frame_support::{traits::Get, weights::{Weight, constants::RocksDbWeight}};
use core::marker::PhantomData;

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
	fn settle_batch(k: u32, n: u32, s: u32, ) -> Weight;
	fn release() -> Weight;
	fn claim() -> Weight;
	fn request(p: u32, ) -> Weight;
	fn match_request(s: u32, ) -> Weight;
	fn cancel_request() -> Weight;
	fn expire_requests(r: u32, ) -> Weight;
	fn drain(r: u32, ) -> Weight;
}

/// Weights for `pallet_inference_market` by the runtime's database weights.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn deposit() -> Weight {
		Weight::from_parts(60_000_000, 3700)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	fn withdraw() -> Weight {
		Weight::from_parts(60_000_000, 3700)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	fn register_gateway() -> Weight {
		Weight::from_parts(60_000_000, 3700)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	fn unbond_gateway() -> Weight {
		Weight::from_parts(20_000_000, 3600)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	fn withdraw_gateway_stake() -> Weight {
		Weight::from_parts(60_000_000, 3700)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	fn register_key() -> Weight {
		Weight::from_parts(80_000_000, 8000)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(36_u64))
	}
	fn update_key() -> Weight {
		Weight::from_parts(25_000_000, 4000)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	fn revoke_key() -> Weight {
		Weight::from_parts(30_000_000, 6000)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	fn settle(s: u32, ) -> Weight {
		Weight::from_parts(260_000_000, 14000)
			.saturating_add(Weight::from_parts(110_000_000, 0).saturating_mul(s.into()))
			.saturating_add(T::DbWeight::get().reads(24_u64))
			.saturating_add(T::DbWeight::get().reads((10_u64).saturating_mul(s.into())))
			.saturating_add(T::DbWeight::get().writes(24_u64))
			.saturating_add(T::DbWeight::get().writes((7_u64).saturating_mul(s.into())))
			.saturating_add(Weight::from_parts(0, 11000).saturating_mul(s.into()))
	}
	fn settle_request(s: u32, ) -> Weight {
		Weight::from_parts(260_000_000, 16000)
			.saturating_add(Weight::from_parts(110_000_000, 0).saturating_mul(s.into()))
			.saturating_add(T::DbWeight::get().reads(25_u64))
			.saturating_add(T::DbWeight::get().reads((10_u64).saturating_mul(s.into())))
			.saturating_add(T::DbWeight::get().writes(26_u64))
			.saturating_add(T::DbWeight::get().writes((7_u64).saturating_mul(s.into())))
			.saturating_add(Weight::from_parts(0, 11000).saturating_mul(s.into()))
	}
	fn settle_batch(k: u32, n: u32, s: u32, ) -> Weight {
		Weight::from_parts(120_000_000, 12000)
			.saturating_add(Weight::from_parts(60_000_000, 0).saturating_mul(k.into()))
			.saturating_add(Weight::from_parts(230_000_000, 0).saturating_mul(n.into()))
			.saturating_add(Weight::from_parts(60_000_000, 0).saturating_mul(s.into()))
			.saturating_add(T::DbWeight::get().reads(12_u64))
			.saturating_add(T::DbWeight::get().reads((18_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().reads((10_u64).saturating_mul(s.into())))
			.saturating_add(T::DbWeight::get().writes(8_u64))
			.saturating_add(T::DbWeight::get().writes((18_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes((7_u64).saturating_mul(s.into())))
			.saturating_add(Weight::from_parts(0, 20000).saturating_mul(n.into()))
			.saturating_add(Weight::from_parts(0, 11000).saturating_mul(s.into()))
	}
	fn release() -> Weight {
		Weight::from_parts(140_000_000, 12000)
			.saturating_add(T::DbWeight::get().reads(9_u64))
			.saturating_add(T::DbWeight::get().writes(9_u64))
	}
	fn claim() -> Weight {
		Weight::from_parts(110_000_000, 9000)
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}
	fn request(p: u32, ) -> Weight {
		Weight::from_parts(90_000_000, 8000)
			.saturating_add(Weight::from_parts(20_000, 0).saturating_mul(p.into()))
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().writes(7_u64))
	}
	fn match_request(s: u32, ) -> Weight {
		Weight::from_parts(50_000_000, 9000)
			.saturating_add(Weight::from_parts(40_000_000, 0).saturating_mul(s.into()))
			.saturating_add(T::DbWeight::get().reads(6_u64))
			.saturating_add(T::DbWeight::get().reads((5_u64).saturating_mul(s.into())))
			.saturating_add(T::DbWeight::get().writes(1_u64))
			.saturating_add(Weight::from_parts(0, 8000).saturating_mul(s.into()))
	}
	fn cancel_request() -> Weight {
		Weight::from_parts(40_000_000, 8000)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	fn expire_requests(r: u32, ) -> Weight {
		Weight::from_parts(10_000_000, 6000)
			.saturating_add(Weight::from_parts(25_000_000, 0).saturating_mul(r.into()))
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(r.into())))
			.saturating_add(T::DbWeight::get().writes(1_u64))
			.saturating_add(T::DbWeight::get().writes((2_u64).saturating_mul(r.into())))
			.saturating_add(Weight::from_parts(0, 5200).saturating_mul(r.into()))
	}
	fn drain(r: u32, ) -> Weight {
		Weight::from_parts(20_000_000, 4000)
			.saturating_add(Weight::from_parts(110_000_000, 0).saturating_mul(r.into()))
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().reads((7_u64).saturating_mul(r.into())))
			.saturating_add(T::DbWeight::get().writes(1_u64))
			.saturating_add(T::DbWeight::get().writes((7_u64).saturating_mul(r.into())))
			.saturating_add(Weight::from_parts(0, 9000).saturating_mul(r.into()))
	}
}

// For backwards compatibility and tests.
impl WeightInfo for () {
	fn deposit() -> Weight {
		Weight::from_parts(60_000_000, 3700)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn withdraw() -> Weight {
		Weight::from_parts(60_000_000, 3700)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn register_gateway() -> Weight {
		Weight::from_parts(60_000_000, 3700)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn unbond_gateway() -> Weight {
		Weight::from_parts(20_000_000, 3600)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn withdraw_gateway_stake() -> Weight {
		Weight::from_parts(60_000_000, 3700)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn register_key() -> Weight {
		Weight::from_parts(80_000_000, 8000)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(36_u64))
	}
	fn update_key() -> Weight {
		Weight::from_parts(25_000_000, 4000)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn revoke_key() -> Weight {
		Weight::from_parts(30_000_000, 6000)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn settle(s: u32, ) -> Weight {
		Weight::from_parts(260_000_000, 14000)
			.saturating_add(Weight::from_parts(110_000_000, 0).saturating_mul(s.into()))
			.saturating_add(RocksDbWeight::get().reads(24_u64))
			.saturating_add(RocksDbWeight::get().reads((10_u64).saturating_mul(s.into())))
			.saturating_add(RocksDbWeight::get().writes(24_u64))
			.saturating_add(RocksDbWeight::get().writes((7_u64).saturating_mul(s.into())))
			.saturating_add(Weight::from_parts(0, 11000).saturating_mul(s.into()))
	}
	fn settle_request(s: u32, ) -> Weight {
		Weight::from_parts(260_000_000, 16000)
			.saturating_add(Weight::from_parts(110_000_000, 0).saturating_mul(s.into()))
			.saturating_add(RocksDbWeight::get().reads(25_u64))
			.saturating_add(RocksDbWeight::get().reads((10_u64).saturating_mul(s.into())))
			.saturating_add(RocksDbWeight::get().writes(26_u64))
			.saturating_add(RocksDbWeight::get().writes((7_u64).saturating_mul(s.into())))
			.saturating_add(Weight::from_parts(0, 11000).saturating_mul(s.into()))
	}
	fn settle_batch(k: u32, n: u32, s: u32, ) -> Weight {
		Weight::from_parts(120_000_000, 12000)
			.saturating_add(Weight::from_parts(60_000_000, 0).saturating_mul(k.into()))
			.saturating_add(Weight::from_parts(230_000_000, 0).saturating_mul(n.into()))
			.saturating_add(Weight::from_parts(60_000_000, 0).saturating_mul(s.into()))
			.saturating_add(RocksDbWeight::get().reads(12_u64))
			.saturating_add(RocksDbWeight::get().reads((18_u64).saturating_mul(n.into())))
			.saturating_add(RocksDbWeight::get().reads((10_u64).saturating_mul(s.into())))
			.saturating_add(RocksDbWeight::get().writes(8_u64))
			.saturating_add(RocksDbWeight::get().writes((18_u64).saturating_mul(n.into())))
			.saturating_add(RocksDbWeight::get().writes((7_u64).saturating_mul(s.into())))
			.saturating_add(Weight::from_parts(0, 20000).saturating_mul(n.into()))
			.saturating_add(Weight::from_parts(0, 11000).saturating_mul(s.into()))
	}
	fn release() -> Weight {
		Weight::from_parts(140_000_000, 12000)
			.saturating_add(RocksDbWeight::get().reads(9_u64))
			.saturating_add(RocksDbWeight::get().writes(9_u64))
	}
	fn claim() -> Weight {
		Weight::from_parts(110_000_000, 9000)
			.saturating_add(RocksDbWeight::get().reads(7_u64))
			.saturating_add(RocksDbWeight::get().writes(6_u64))
	}
	fn request(p: u32, ) -> Weight {
		Weight::from_parts(90_000_000, 8000)
			.saturating_add(Weight::from_parts(20_000, 0).saturating_mul(p.into()))
			.saturating_add(RocksDbWeight::get().reads(7_u64))
			.saturating_add(RocksDbWeight::get().writes(7_u64))
	}
	fn match_request(s: u32, ) -> Weight {
		Weight::from_parts(50_000_000, 9000)
			.saturating_add(Weight::from_parts(40_000_000, 0).saturating_mul(s.into()))
			.saturating_add(RocksDbWeight::get().reads(6_u64))
			.saturating_add(RocksDbWeight::get().reads((5_u64).saturating_mul(s.into())))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
			.saturating_add(Weight::from_parts(0, 8000).saturating_mul(s.into()))
	}
	fn cancel_request() -> Weight {
		Weight::from_parts(40_000_000, 8000)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn expire_requests(r: u32, ) -> Weight {
		Weight::from_parts(10_000_000, 6000)
			.saturating_add(Weight::from_parts(25_000_000, 0).saturating_mul(r.into()))
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().reads((2_u64).saturating_mul(r.into())))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
			.saturating_add(RocksDbWeight::get().writes((2_u64).saturating_mul(r.into())))
			.saturating_add(Weight::from_parts(0, 5200).saturating_mul(r.into()))
	}
	fn drain(r: u32, ) -> Weight {
		Weight::from_parts(20_000_000, 4000)
			.saturating_add(Weight::from_parts(110_000_000, 0).saturating_mul(r.into()))
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().reads((7_u64).saturating_mul(r.into())))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
			.saturating_add(RocksDbWeight::get().writes((7_u64).saturating_mul(r.into())))
			.saturating_add(Weight::from_parts(0, 9000).saturating_mul(r.into()))
	}
}
