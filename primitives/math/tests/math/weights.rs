use super::{any_ppm, any_u64, config};
use aria_math::{weights::*, PPM};
use proptest::prelude::*;

fn normalised(weights: &[u64], max: u64) -> Vec<u64> {
	let mut out = vec![0; weights.len()];
	normalise(weights, &mut out, max);
	out
}

fn capped(weights: &[u64], share_ppm: u32) -> Vec<u64> {
	let mut weights = weights.to_vec();
	cap_share(&mut weights, share_ppm);
	weights
}

#[test]
fn normalise_should_scale_to_the_largest() {
	assert_eq!(normalised(&[50, 100, 25], 1_000), [500, 1_000, 250]);
	assert_eq!(normalised(&[u64::MAX, u64::MAX / 2], 1_000), [1_000, 499]);
	assert_eq!(normalised(&[3], u64::MAX), [u64::MAX]);
}

#[test]
fn normalise_should_lift_the_smallest_to_a_sixteenth() {
	assert_eq!(normalised(&[0, 1, 1_000], 1_600), [100, 100, 1_600]);
	assert_eq!(normalised(&[0, 17], 17), [2, 17]);
}

#[test]
fn normalise_should_be_uniform_when_nobody_worked() {
	assert_eq!(normalised(&[0, 0, 0], 1_000), [1_000; 3]);
	assert_eq!(normalised(&[0, 5], 0), [1, 1]);
	assert!(normalised(&[], 1_000).is_empty());
}

#[test]
fn normalise_should_be_defined_when_the_slices_differ_in_length() {
	let mut long = [7; 3];
	normalise(&[10, 5], &mut long, 100);
	assert_eq!(long, [100, 50, 0]);
	let mut short = [7; 1];
	normalise(&[5, 10], &mut short, 100);
	assert_eq!(short, [100]);
}

#[test]
fn limit_growth_should_cap_the_rise_and_let_newcomers_in() {
	assert_eq!(limit_growth(1_000, 5_000, 250_000, 10), 1_250);
	assert_eq!(limit_growth(1_000, 1_100, 250_000, 10), 1_100);
	assert_eq!(limit_growth(1_000, 3, 250_000, 10), 3);
	assert_eq!(limit_growth(0, 5_000, 250_000, 10), 10);
	assert_eq!(limit_growth(u64::MAX, u64::MAX, u32::MAX, 0), u64::MAX);
}

#[test]
fn cap_share_should_lower_the_largest() {
	// The level x with x = (x + 40) / 4 is 13.3.
	assert_eq!(capped(&[100, 10, 10, 10, 10], 250_000), [13, 10, 10, 10, 10]);
	assert_eq!(capped(&[20, 10, 10, 10, 30], 400_000), [20, 10, 10, 10, 30]);
	assert_eq!(capped(&[u64::MAX; 4], 250_000), [u64::MAX; 4]);
}

#[test]
fn cap_share_should_give_zeros_when_it_cannot_be_met() {
	assert_eq!(capped(&[5, 9], 250_000), [0, 0]);
	assert_eq!(capped(&[5, 9], 0), [0, 0]);
	assert!(capped(&[], 250_000).is_empty());
}

proptest! {
	#![proptest_config(config())]

	#[test]
	fn normalise_should_keep_order_and_bounds(
		weights in prop::collection::vec(any_u64(), 1..20),
		max in any_u64(),
	) {
		let out = normalised(&weights, max);
		let largest = out.iter().copied().max().unwrap();
		let smallest = out.iter().copied().min().unwrap();
		prop_assert_eq!(largest, max.max(1));
		prop_assert!(u128::from(smallest) * u128::from(MAX_RATIO) >= u128::from(largest));
		for (i, a) in weights.iter().enumerate() {
			for (j, b) in weights.iter().enumerate() {
				prop_assert!(a < b || out[i] >= out[j]);
			}
		}
	}

	#[test]
	fn limit_growth_should_never_raise_what_is_proposed(
		previous in any_u64(),
		proposed in any_u64(),
		growth in any::<u32>(),
		entry in any_u64(),
	) {
		let limited = limit_growth(previous, proposed, growth, entry);
		prop_assert!(limited <= proposed);
		prop_assert!(limited == proposed || limited >= previous.max(entry));
	}

	#[test]
	fn cap_share_should_hold_and_be_the_highest_level(
		weights in prop::collection::vec(any_u64(), 0..20),
		share in any_ppm(),
	) {
		let holds = |weights: &[u64]| {
			let sum: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
			let share = u128::from(share.min(PPM));
			weights.iter().all(|weight| u128::from(*weight) * u128::from(PPM) <= sum * share)
		};
		let out = capped(&weights, share);
		prop_assert!(holds(&out));
		let level = out.iter().copied().max().unwrap_or(0);
		for (before, after) in weights.iter().zip(&out) {
			prop_assert_eq!(*after, (*before).min(level));
		}
		if weights.iter().any(|weight| *weight > level) {
			let higher: Vec<u64> = weights.iter().map(|weight| (*weight).min(level + 1)).collect();
			prop_assert!(!holds(&higher));
		}
	}
}
