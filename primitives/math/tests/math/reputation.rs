use super::{any_ppm, config};
use aria_math::reputation::*;
use proptest::prelude::*;

#[test]
fn growth_should_be_slow_and_reach_the_top() {
	let grown =
		|steps: usize| (0..steps).fold(INITIAL_SCORE, |score, _| grow(score, GROWTH_STEP_PPM));
	assert_eq!(grown(1), 1_000);
	assert_eq!(grown(693), 500_355);
	assert!(grown(7_481) < MAX_SCORE);
	assert_eq!(grown(7_482), MAX_SCORE);
}

#[test]
fn slow_answers_should_make_a_score_grow_slower() {
	assert_eq!(settle(0, 1_000_000), GROWTH_STEP_PPM);
	assert_eq!(settle(0, 500_000), GROWTH_STEP_PPM / 2);
	assert_eq!(settle(500_000, 100_000), 500_050);
	// Too slow for anything, and never worse than that.
	assert_eq!(settle(500_000, 999), 500_000);
	assert_eq!(settle(500_000, 0), 500_000);
}

#[test]
fn one_fault_should_cost_more_than_many_steps_gain() {
	let fallen = fall(MAX_SCORE, FAULT_FACTOR_PPM);
	assert_eq!(fallen, 500_000);
	let regrown = (0..600).fold(fallen, |score, _| grow(score, GROWTH_STEP_PPM));
	assert!(regrown < 750_000);
	assert_eq!(fall(MAX_SCORE, LAPSE_FACTOR_PPM), 950_000);
}

#[test]
fn decay_should_begin_after_the_grace() {
	assert_eq!(decay(800_000, 0), 800_000);
	assert_eq!(decay(800_000, IDLE_GRACE_ERAS), 800_000);
	assert_eq!(decay(MAX_SCORE, IDLE_GRACE_ERAS + 1), 990_000);
	assert_eq!(decay(MAX_SCORE, IDLE_GRACE_ERAS + 69), 499_837);
	assert_eq!(decay(800_000, IDLE_GRACE_ERAS + 100), 292_825);
}

#[test]
fn decay_should_end_at_zero() {
	assert_eq!(decay(MAX_SCORE, IDLE_GRACE_ERAS + 1_400), 0);
	assert_eq!(decay(u32::MAX, u32::MAX), 0);
}

#[test]
fn decay_should_never_rise_from_era_to_era() {
	let mut before = MAX_SCORE;
	for eras in 0..2_000 {
		let score = decay(MAX_SCORE, eras);
		assert!(score <= before);
		before = score;
	}
}

#[test]
fn audit_probability_should_fall_from_one_to_the_floor() {
	assert_eq!(audit_probability_ppm(0, AUDIT_FLOOR_PPM), 1_000_000);
	assert_eq!(audit_probability_ppm(500_000, AUDIT_FLOOR_PPM), 510_000);
	assert_eq!(audit_probability_ppm(MAX_SCORE, AUDIT_FLOOR_PPM), AUDIT_FLOOR_PPM);
	assert_eq!(audit_probability_ppm(u32::MAX, 0), 0);
	assert_eq!(audit_probability_ppm(MAX_SCORE, u32::MAX), 1_000_000);
	// Rounded up, towards more audits: 1 − 0.999999 × 0.5 is 0.5000005.
	assert_eq!(audit_probability_ppm(500_000, 1), 500_001);
}

proptest! {
	#![proptest_config(config())]

	#[test]
	fn scores_should_stay_in_range_and_move_the_right_way(
		score in any_ppm(),
		factor in any_ppm(),
		eras in any::<u32>(),
	) {
		let held = score.min(MAX_SCORE);
		let grown = grow(score, factor);
		prop_assert!((held..=MAX_SCORE).contains(&grown));
		prop_assert!(grown > held || factor == 0 || held == MAX_SCORE);
		prop_assert!(fall(score, factor) <= held);
		prop_assert!((held..=grow(score, GROWTH_STEP_PPM)).contains(&settle(score, factor)));
		prop_assert!(decay(score, eras) <= held);
		prop_assert!(decay(score, eras % 2_000) <= held);
	}

	#[test]
	fn the_order_of_scores_should_be_kept(
		a in any_ppm(),
		b in any_ppm(),
		factor in any_ppm(),
		eras in 0_u32..2_000,
	) {
		let (low, high) = (a.min(b), a.max(b));
		prop_assert!(grow(low, factor) <= grow(high, factor));
		prop_assert!(fall(low, factor) <= fall(high, factor));
		prop_assert!(decay(low, eras) <= decay(high, eras));
		prop_assert!(audit_probability_ppm(low, factor) >= audit_probability_ppm(high, factor));
	}

	#[test]
	fn audit_probability_should_lie_between_the_floor_and_one(
		score in any_ppm(),
		floor in any_ppm(),
	) {
		let probability = audit_probability_ppm(score, floor);
		prop_assert!(probability >= floor.min(1_000_000));
		prop_assert!(probability <= 1_000_000);
	}
}
