use super::{any_u128, any_u64, config};
use aria_math::{split::*, wide::mul_div_rem, PPM};
use proptest::prelude::*;

/// Five weights that add up to one, from four cuts.
fn five_weights() -> impl Strategy<Value = [u32; 5]> {
	[0..=PPM, 0..=PPM, 0..=PPM, 0..=PPM].prop_map(|mut cuts| {
		cuts.sort_unstable();
		let [a, b, c, d] = cuts;
		[a, b - a, c - b, d - c, PPM - d]
	})
}

/// Whether a part is the exact share, rounded down or up.
fn is_rounded(part: u128, total: u128, weight: u128, sum: u128) -> bool {
	let (floor, remainder) = mul_div_rem(total, weight, sum).unwrap();
	part == floor || (remainder > 0 && part == floor + 1)
}

#[test]
fn split_exact_should_give_the_rest_to_the_largest_remainders() {
	// Exact shares: 4.9, 3.5, 1.4, 0.2
	let weights = [490_000, 350_000, 140_000, 20_000];
	assert_eq!(split_exact(10, &weights), Some([5, 4, 1, 0]));
}

#[test]
fn split_exact_should_favour_the_lower_index_when_remainders_are_equal() {
	assert_eq!(split_exact(1, &[500_000, 500_000]), Some([1, 0]));
	assert_eq!(split_exact(6, &[250_000; 4]), Some([2, 2, 1, 1]));
}

#[test]
fn split_exact_should_refuse_weights_that_do_not_sum_to_one() {
	assert_eq!(split_exact(10, &[]), None);
	assert_eq!(split_exact(10, &[999_999]), None);
	assert_eq!(split_exact(10, &[500_000, 500_001]), None);
	// The sum of these is 10^6 modulo 2^32.
	assert_eq!(split_exact(10, &[u32::MAX, 1_000_001]), None);
}

#[test]
fn split_exact_should_keep_the_whole_when_there_is_one_part() {
	assert_eq!(split_exact(u128::MAX, &[PPM]), Some([u128::MAX]));
}

#[test]
fn split_proportional_should_share_by_layers() {
	// A price of 1,000 over stages of 10, 10 and 4 layers: 416.67, 416.67, 166.67.
	let mut parts = [0; 3];
	assert_eq!(split_proportional(1_000, &[10, 10, 4], &mut parts), 0);
	assert_eq!(parts, [417, 417, 166]);
}

#[test]
fn split_proportional_should_return_everything_when_all_weights_are_zero() {
	let mut parts = [7; 3];
	assert_eq!(split_proportional(1_000, &[0; 3], &mut parts), 1_000);
	assert_eq!(parts, [0; 3]);
	assert_eq!(split_proportional(1_000, &[], &mut []), 1_000);
}

#[test]
fn split_proportional_should_lose_nothing_when_the_slices_differ_in_length() {
	let mut long = [7; 3];
	assert_eq!(split_proportional(9, &[1, 2], &mut long), 0);
	assert_eq!(long, [3, 6, 0]);
	let mut short = [7; 1];
	assert_eq!(split_proportional(9, &[1, 2], &mut short), 0);
	assert_eq!(short, [9]);
	assert_eq!(split_proportional(9, &[1, 2], &mut []), 9);
}

proptest! {
	#![proptest_config(config())]

	#[test]
	fn split_exact_should_sum_to_the_total(total in any_u128(), weights in five_weights()) {
		let parts = split_exact(total, &weights).unwrap();
		// A sum that overflowed would panic here.
		prop_assert_eq!(parts.iter().sum::<u128>(), total);
		for (part, weight) in parts.iter().zip(weights) {
			prop_assert!(is_rounded(*part, total, u128::from(weight), u128::from(PPM)));
		}
	}

	#[test]
	fn split_exact_should_refuse_any_other_weights(
		total in any_u128(),
		weights in any::<[u32; 4]>(),
	) {
		let sum: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
		prop_assert_eq!(split_exact(total, &weights).is_some(), sum == u64::from(PPM));
	}

	#[test]
	fn split_proportional_should_sum_to_the_total(
		total in any_u128(),
		weights in prop::collection::vec(any_u64(), 0..40),
	) {
		let mut parts = vec![1; weights.len()];
		let left = split_proportional(total, &weights, &mut parts);
		let sum: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
		prop_assert_eq!(parts.iter().sum::<u128>() + left, total);
		prop_assert_eq!(left, if sum == 0 { total } else { 0 });
		for (part, weight) in parts.iter().zip(&weights) {
			if sum == 0 {
				prop_assert_eq!(*part, 0);
			} else {
				prop_assert!(is_rounded(*part, total, u128::from(*weight), sum));
			}
		}
	}

	#[test]
	fn split_proportional_should_not_give_more_to_the_lighter(
		total in any_u128(),
		weights in prop::collection::vec(any_u64(), 2..20),
	) {
		let mut parts = vec![0; weights.len()];
		split_proportional(total, &weights, &mut parts);
		for (i, a) in weights.iter().enumerate() {
			for (j, b) in weights.iter().enumerate() {
				prop_assert!(a <= b || parts[i] >= parts[j]);
			}
		}
	}

	#[test]
	fn split_proportional_should_be_defined_for_slices_of_any_length(
		total in any_u128(),
		weights in prop::collection::vec(any_u64(), 0..6),
		places in 0_usize..6,
	) {
		let mut parts = vec![0; places];
		let left = split_proportional(total, &weights, &mut parts);
		prop_assert_eq!(parts.iter().sum::<u128>() + left, total);
	}
}
