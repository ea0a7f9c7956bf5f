use super::{any_ppm, any_u64, config};
use aria_math::{quality::*, PPM};
use proptest::prelude::*;

#[test]
fn quality_should_be_the_product() {
	assert_eq!(quality(PPM, PPM, PPM), PPM);
	assert_eq!(quality(900_000, PPM, PPM), 900_000);
	assert_eq!(quality(500_000, 500_000, 500_000), 125_000);
	assert_eq!(quality(999_999, 999_999, PPM), 999_998);
}

#[test]
fn quality_should_be_zero_when_one_factor_is() {
	assert_eq!(quality(0, PPM, PPM), 0);
	assert_eq!(quality(PPM, 0, PPM), 0);
	assert_eq!(quality(PPM, PPM, 0), 0);
}

#[test]
fn ratio_should_be_defined_when_nothing_was_due() {
	assert_eq!(ratio_ppm(0, 0, PPM), PPM);
	assert_eq!(ratio_ppm(3, 0, 250_000), 250_000);
	assert_eq!(ratio_ppm(3, 0, u32::MAX), PPM);
	assert_eq!(ratio_ppm(2, 3, 0), 666_666);
	assert_eq!(ratio_ppm(u64::MAX, 1, 0), PPM);
}

#[test]
fn latency_score_should_fall_beyond_the_target() {
	assert_eq!(latency_score(0, 0), PPM);
	assert_eq!(latency_score(200, 200), PPM);
	assert_eq!(latency_score(100, 200), PPM);
	assert_eq!(latency_score(400, 200), 500_000);
	assert_eq!(latency_score(400, 0), 0);
	assert_eq!(latency_score(u64::MAX, 1), 0);
}

proptest! {
	#![proptest_config(config())]

	#[test]
	fn quality_should_be_bounded_and_grow_with_each_factor(
		worse in [any_ppm(), any_ppm(), any_ppm()],
		other in [any_ppm(), any_ppm(), any_ppm()],
	) {
		let [a, b, c] = worse;
		let [x, y, z] = other;
		let score = quality(a, b, c);
		prop_assert!(score <= PPM);
		prop_assert!(score <= a.min(b).min(c));
		prop_assert!(quality(a.max(x), b, c) >= score);
		prop_assert!(quality(a, b.max(y), c) >= score);
		prop_assert!(quality(a, b, c.max(z)) >= score);
	}

	#[test]
	fn latency_score_should_fall_with_latency(
		faster in any_u64(),
		slower in any_u64(),
		target in any_u64(),
	) {
		let (faster, slower) = (faster.min(slower), faster.max(slower));
		let score = latency_score(slower, target);
		prop_assert!(score <= latency_score(faster, target));
		prop_assert!(score <= PPM);
	}
}
