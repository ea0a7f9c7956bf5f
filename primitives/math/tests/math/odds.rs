use super::{any_u128, any_u64, config};
use aria_math::odds::*;
use proptest::prelude::*;

/// What the fixed point is promised to be off by at most, in units of 2^-64.
const BOUND: u128 = 1 << 8;

/// Any fraction below one, those very near to one and to zero among them.
fn any_fraction() -> impl Strategy<Value = (u64, u64)> {
	(any_u64(), any_u64()).prop_map(|(a, b)| {
		let (low, high) = (a.min(b), a.max(b));
		if low == high {
			(low.saturating_sub(1), low.max(1))
		} else {
			(low, high)
		}
	})
}

fn to_f64(q64: u128) -> f64 {
	q64 as f64 / ONE_Q64 as f64
}

#[test]
fn odds_should_have_known_values() {
	// The whole weight has the chance c.
	assert_eq!(primary_slot_odds_ppm(1, 3, 1, 1), 333_333);
	// 1 − sqrt(3/4)
	assert_eq!(primary_slot_odds_ppm(1, 4, 1, 2), 133_975);
	// One of four equal validators on the live network: 1 − (2/3)^(1/4)
	assert_eq!(primary_slot_odds_ppm(1, 3, 1, 4), 96_398);
	assert_eq!(primary_slot_odds_ppm(2, 3, 1, 3), 306_639);
	assert_eq!(primary_slot_odds_ppm(1, 10, 1, 100), 1_053);
}

#[test]
fn odds_should_be_zero_when_an_argument_is() {
	assert_eq!(primary_slot_odds_ppm(0, 3, 1, 1), 0);
	assert_eq!(primary_slot_odds_ppm(1, 0, 1, 1), 0);
	assert_eq!(primary_slot_odds_ppm(1, 3, 0, 1), 0);
	assert_eq!(primary_slot_odds_ppm(1, 3, 1, 0), 0);
}

#[test]
fn odds_should_be_one_when_every_slot_has_a_primary() {
	assert_eq!(primary_slot_odds_ppm(1, 1, 1, u128::MAX), 1_000_000);
	assert_eq!(primary_slot_odds_ppm(5, 3, 1, 2), 1_000_000);
	assert_eq!(primary_slot_odds_ppm(u64::MAX - 1, u64::MAX, 1, 1), 1_000_000);
}

#[test]
fn odds_should_count_a_weight_above_the_total_as_the_total() {
	assert_eq!(primary_slot_odds_ppm(1, 3, 16, 1), 333_333);
	assert_eq!(primary_slot_odds_ppm(1, 3, u128::MAX, 7), 333_333);
}

proptest! {
	#![proptest_config(config())]

	#[test]
	fn odds_should_agree_with_floating_point(
		(c_num, c_den) in any_fraction(),
		a in any_u128(),
		b in any_u128(),
	) {
		let (weight, total) = (a.min(b), a.max(b).max(1));
		let rest = (c_den - c_num) as f64 / c_den as f64;
		let theta = weight as f64 / total as f64;
		let expected = -(theta * rest.ln()).exp_m1();
		let odds = to_f64(primary_slot_odds_q64(c_num, c_den, weight, total));
		prop_assert!((odds - expected).abs() < 1e-13, "{odds} against {expected}");
		let ppm = f64::from(primary_slot_odds_ppm(c_num, c_den, weight, total));
		prop_assert!((ppm - expected * 1e6).abs() < 0.500_001, "{ppm} against {expected}");
	}

	#[test]
	fn the_whole_weight_should_have_the_chance_c(
		(c_num, c_den) in any_fraction(),
		total in 1..=u128::MAX,
	) {
		let exact = (u128::from(c_num) << 64) / u128::from(c_den);
		let odds = primary_slot_odds_q64(c_num, c_den, total, total);
		prop_assert!(odds.abs_diff(exact) <= BOUND);
	}

	#[test]
	fn splitting_a_weight_should_gain_nothing(
		(c_num, c_den) in any_fraction(),
		a in any_u64(),
		b in any_u64(),
		others in any_u64(),
	) {
		// Two halves win with 1 − (1 − p)(1 − q), which is what the whole wins with.
		let (a, b) = (u128::from(a), u128::from(b));
		let total = a + b + u128::from(others);
		let lose = |weight| 1.0 - to_f64(primary_slot_odds_q64(c_num, c_den, weight, total));
		prop_assert!((lose(a) * lose(b) - lose(a + b)).abs() < 1e-13);
	}

	#[test]
	fn odds_should_grow_with_the_weight_at_any_input(
		c_num in any_u64(),
		c_den in any_u64(),
		a in any_u128(),
		b in any_u128(),
		total in any_u128(),
	) {
		let low = primary_slot_odds_q64(c_num, c_den, a.min(b), total);
		let high = primary_slot_odds_q64(c_num, c_den, a.max(b), total);
		prop_assert!(high <= ONE_Q64);
		prop_assert!(low <= high + BOUND);
		prop_assert!(primary_slot_odds_ppm(c_num, c_den, a, total) <= 1_000_000);
	}
}
