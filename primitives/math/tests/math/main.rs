//! Known values and properties of the protocol's arithmetic, one file for each module.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod draw;
mod efficiency;
mod emission;
mod lottery;
mod odds;
mod quality;
mod reputation;
mod reward;
mod slots;
mod split;
mod uptime;
mod weights;
mod wide;

use proptest::prelude::*;

/// No regression files: a failure prints the smallest input that shows it.
fn config() -> ProptestConfig {
	ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() }
}

/// Numbers of every magnitude, the edges among them.
fn any_u128() -> impl Strategy<Value = u128> {
	prop_oneof![
		1 => prop::sample::select(vec![
			0,
			1,
			u128::from(u64::MAX),
			u128::from(u64::MAX) + 1,
			1 << 127,
			u128::MAX - 1,
			u128::MAX,
		]),
		6 => (any::<u128>(), 0_u32..128).prop_map(|(value, shift)| value >> shift),
	]
}

/// Numbers of every magnitude, the edges among them.
fn any_u64() -> impl Strategy<Value = u64> {
	prop_oneof![
		1 => prop::sample::select(vec![0, 1, u64::MAX - 1, u64::MAX]),
		6 => (any::<u64>(), 0_u32..64).prop_map(|(value, shift)| value >> shift),
	]
}

/// Fractions within their range, its ends, and beyond it.
fn any_ppm() -> impl Strategy<Value = u32> {
	prop_oneof![
		1 => prop::sample::select(vec![0, 1, 999_999, 1_000_000, 1_000_001, u32::MAX]),
		5 => 0_u32..=1_000_000,
		1 => any::<u32>(),
	]
}
