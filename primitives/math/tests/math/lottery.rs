use super::{any_ppm, any_u128, any_u64, config};
use aria_math::{lottery::*, weights::MAX_RATIO, PPM};
use proptest::prelude::*;

/// As on the live network.
const RULES: LotteryRules =
	LotteryRules { share_ppm: 100_000, multiple_ppm: 2_500_000, growth_ppm: 250_000 };
/// No bound but the ratio.
const FREE: LotteryRules = LotteryRules { share_ppm: PPM, multiple_ppm: PPM, growth_ppm: u32::MAX };

fn weights(work: &[u128], previous: &[u64]) -> Vec<u64> {
	lottery_weights(work, previous, &RULES)
}

fn share(weights: &[u64], index: usize) -> f64 {
	weights[index] as f64 / weights.iter().sum::<u64>() as f64
}

#[test]
fn weights_should_be_the_work_in_lowest_terms() {
	assert_eq!(weights(&[1, 2, 4, 8], &[]), [1, 2, 4, 8]);
	assert_eq!(weights(&[3_000, 6_000, 12_000, 24_000], &[1, 2, 4, 8]), [1, 2, 4, 8]);
	let astronomic = [1_u128 << 124, 1 << 125, 1 << 126, 1 << 127];
	assert_eq!(weights(&astronomic, &[]), [1, 2, 4, 8]);
}

#[test]
fn weights_should_be_equal_when_nobody_worked() {
	assert_eq!(weights(&[0; 4], &[]), [1; 4]);
	assert_eq!(weights(&[0; 4], &[1; 4]), [1; 4]);
	assert_eq!(weights(&[9], &[]), [1]);
	assert_eq!(weights(&[0], &[7]), [1]);
	assert!(weights(&[], &[3]).is_empty());
}

#[test]
fn weights_should_be_defined_when_work_saturates() {
	assert_eq!(weights(&[u128::MAX; 4], &[u64::MAX; 4]), [1; 4]);
	assert_eq!(lottery_weights(&[u128::MAX, 0, 0, 1], &[], &FREE), [16, 1, 1, 1]);
}

#[test]
fn one_share_should_be_capped_by_the_number_of_validators() {
	assert_eq!(RULES.highest_share_ppm(0), PPM);
	assert_eq!(RULES.highest_share_ppm(2), PPM);
	assert_eq!(RULES.highest_share_ppm(4), 625_000);
	assert_eq!(RULES.highest_share_ppm(25), 100_000);
	assert_eq!(RULES.highest_share_ppm(100), 100_000);
	let none = LotteryRules { share_ppm: 0, multiple_ppm: 0, growth_ppm: 0 };
	assert_eq!(none.highest_share_ppm(3), 333_334);
	assert_eq!(lottery_weights(&[1, 2, 900, 5], &[], &none), [1; 4]);

	// One of four that works alone has five eighths, not the sixteen nineteenths of the ratio.
	assert_eq!(weights(&[7, 0, 0, 0], &[]), [5, 1, 1, 1]);
	assert_eq!(lottery_weights(&[7, 0, 0, 0], &[], &FREE), [16, 1, 1, 1]);
}

#[test]
fn a_share_should_grow_by_a_quarter_an_epoch() {
	let work = [8, 0, 0, 0];
	let mut now = vec![1; 4];
	for expected in [0.3125, 0.390_625, 0.488_281, 0.610_351, 0.625, 0.625] {
		now = weights(&work, &now);
		assert!((share(&now, 0) - expected).abs() < 1e-5, "{now:?}");
	}
	// It falls as fast as the others may grow.
	now = weights(&[0, 8, 8, 8], &now);
	assert!((share(&now, 1) - 0.125 * 1.25).abs() < 1e-5, "{now:?}");
	assert!((share(&now, 0) - 0.531_25).abs() < 1e-5, "{now:?}");
}

#[test]
fn shares_should_come_to_the_proportions_of_the_work() {
	let mut now = vec![1; 4];
	for _ in 0..3 {
		now = weights(&[1, 2, 4, 8], &now);
		assert_ne!(now, [1, 2, 4, 8]);
	}
	now = weights(&[1, 2, 4, 8], &now);
	assert_eq!(now, [1, 2, 4, 8]);
}

#[test]
fn a_newcomer_should_begin_with_a_sixteenth() {
	// However much it brings: with machines for one epoch nobody takes over the lottery.
	let now = weights(&[10, 10, 10, 1_000_000], &[1, 1, 1, 0]);
	assert!(share(&now, 3) < 1.0 / 45.0, "{now:?}");
	let next = weights(&[10, 10, 10, 1_000_000], &now);
	assert!(share(&next, 3) <= share(&now, 3) * 1.25 + 1e-5, "{next:?}");
}

#[test]
fn previous_weights_should_count_up_to_the_members() {
	assert_eq!(weights(&[5, 5], &[1, 1, 900]), [1, 1]);
	assert_eq!(weights(&[5, 5], &[1]), weights(&[5, 5], &[1, 0]));
}

#[test]
fn a_sum_should_fade_as_the_powers_of_what_is_kept() {
	assert_eq!(decayed(1_000, 900_000, 0), 1_000);
	assert_eq!(decayed(1_000_000, 900_000, 1), 899_999);
	assert_eq!(decayed(1_000_000_000, 500_000, 3), 125_000_000);
	assert_eq!(decayed(1_000_000_000_000, 900_000, 7), 478_296_899_999);
	assert_eq!(decayed(u128::MAX, 900_000, 1_000), 0);
	assert_eq!(decayed(u128::MAX, 900_000, u32::MAX), 0);
	assert_eq!(decayed(7, PPM, u32::MAX), 7);
	assert_eq!(decayed(7, u32::MAX, 3), 7);
	assert_eq!(decayed(7, 0, 1), 0);
}

#[test]
fn fading_should_leave_proportions_as_they_are() {
	let work = |epochs| [1_u128, 2, 4, 8].map(|part| decayed(part << 50, 900_000, epochs));
	for epochs in 0..50 {
		let now = weights(&work(epochs), &[]);
		for index in 0..4 {
			let expected = [1.0, 2.0, 4.0, 8.0][index] / 15.0;
			assert!((share(&now, index) - expected).abs() < 1e-5, "{now:?}");
		}
	}
}

proptest! {
	#![proptest_config(config())]

	#[test]
	fn weights_should_keep_ratio_cap_and_order_at_any_input(
		members in prop::collection::vec((any_u128(), any_u64()), 1..40),
		share_ppm in any_ppm(),
		multiple_ppm in any_ppm(),
		growth_ppm in any_ppm(),
	) {
		let rules = LotteryRules { share_ppm, multiple_ppm, growth_ppm };
		let (work, previous): (Vec<u128>, Vec<u64>) = members.iter().copied().unzip();
		let out = lottery_weights(&work, &previous, &rules);

		prop_assert_eq!(out.len(), members.len());
		let largest = u128::from(*out.iter().max().unwrap());
		let smallest = u128::from(*out.iter().min().unwrap());
		prop_assert!(smallest > 0 && largest <= u128::from(WEIGHT_SCALE));
		prop_assert!(smallest * u128::from(MAX_RATIO) >= largest);
		let sum: u128 = out.iter().map(|weight| u128::from(*weight)).sum();
		let cap = rules.highest_share_ppm(members.len() as u32);
		prop_assert!(largest * u128::from(PPM) <= sum * u128::from(cap));
		for (i, a) in members.iter().enumerate() {
			for (j, b) in members.iter().enumerate() {
				// Who did more, and had more, has more.
				prop_assert!(a.0 < b.0 || a.1 < b.1 || out[i] >= out[j]);
			}
		}
	}

	#[test]
	fn no_share_should_outgrow_its_bound_when_the_set_stays(
		members in prop::collection::vec((any_u128(), any_u128()), 1..40),
	) {
		let (before, work): (Vec<u128>, Vec<u128>) = members.into_iter().unzip();
		let previous = weights(&before, &[]);
		let now = weights(&work, &previous);
		let largest = *now.iter().max().unwrap() as f64;
		let sum: f64 = now.iter().map(|weight| *weight as f64).sum();
		let floor = (largest / MAX_RATIO as f64 / sum)
			.max(1.0 / (MAX_RATIO as f64 * now.len() as f64));
		for index in 0..now.len() {
			let bound = (share(&previous, index) * 1.25).max(floor);
			prop_assert!(share(&now, index) <= bound * 1.000_01, "{now:?} after {previous:?}");
		}
	}

	#[test]
	fn fading_should_be_monotonous_and_agree_with_floating_point(
		sum in any_u128(),
		keep_ppm in 0_u32..PPM,
		epochs in 0_u32..2_000,
	) {
		let left = decayed(sum, keep_ppm, epochs);
		prop_assert!(left <= sum);
		prop_assert!(decayed(sum, keep_ppm, epochs + 1) <= left);
		let exact = sum as f64 * (f64::from(keep_ppm) / f64::from(PPM)).powf(f64::from(epochs));
		prop_assert!((left as f64 - exact).abs() <= sum as f64 * 1e-12 + 1.0, "{left}, {exact}");
	}
}
