use super::{any_ppm, any_u64, config};
use aria_math::draw::*;
use proptest::prelude::*;

#[test]
fn reduce_should_read_eight_bytes_from_the_little_end() {
	let mut random = [0xff; 32];
	random[..8].copy_from_slice(&[1, 2, 0, 0, 0, 0, 0, 0]);
	assert_eq!(reduce(&random), 0x0201);
	assert_eq!(reduce(&[0xff; 32]), u64::MAX);
}

#[test]
fn draw_should_be_certain_at_the_ends() {
	for random in [0, 1, u64::MAX / 2, u64::MAX] {
		assert!(!draw(random, 0));
		assert!(draw(random, 1_000_000));
		assert!(draw(random, u32::MAX));
	}
	assert!(draw(0, 1));
	assert!(!draw(u64::MAX, 999_999));
}

#[test]
fn draw_should_cut_at_the_exact_fraction() {
	let half = 1_u64 << 63;
	assert!(draw(half - 1, 500_000));
	assert!(!draw(half, 500_000));
	// 2^64 / 10^6 is 18446744073709.55
	assert!(draw(18_446_744_073_709, 1));
	assert!(!draw(18_446_744_073_710, 1));
}

#[test]
fn draw_should_happen_as_often_as_it_is_probable() {
	let step = u64::MAX / 1_000;
	for probability in [1_000, 20_000, 333_000, 999_000] {
		let hits = (0..1_000).filter(|i| draw(i * step, probability)).count();
		assert!(hits.abs_diff(probability as usize / 1_000) <= 1);
	}
}

proptest! {
	#![proptest_config(config())]

	#[test]
	fn draw_should_be_monotone_in_probability_and_number(
		random in any_u64(),
		other in any_u64(),
		probability in any_ppm(),
		higher in any_ppm(),
	) {
		let happens = draw(random, probability);
		prop_assert!(!happens || draw(random, probability.max(higher)));
		prop_assert!(!happens || draw(random.min(other), probability));
	}
}
