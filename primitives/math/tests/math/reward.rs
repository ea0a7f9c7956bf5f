use super::{any_ppm, any_u128, config};
use aria_math::{reward::*, wide::mul_div_floor, ARIA};
use proptest::prelude::*;

fn any_factors() -> impl Strategy<Value = Factors> {
	(any_u128(), any_ppm(), any_ppm()).prop_map(|(work, quality_ppm, efficiency_ppm)| Factors {
		work,
		quality_ppm,
		efficiency_ppm,
	})
}

/// Workers whose weighted work does not overflow when it is added up.
fn workers() -> impl Strategy<Value = Vec<(Factors, u128)>> {
	let work = (any::<u128>(), 8_u32..128).prop_map(|(value, shift)| value >> shift);
	prop::collection::vec(
		(
			(work, any_ppm(), any_ppm()).prop_map(|(work, quality_ppm, efficiency_ppm)| Factors {
				work,
				quality_ppm,
				efficiency_ppm,
			}),
			any_u128(),
		),
		1..30,
	)
}

#[test]
fn weighted_should_multiply_the_factors() {
	let factors = |work, quality_ppm, efficiency_ppm| Factors { work, quality_ppm, efficiency_ppm };
	assert_eq!(weighted(&factors(1_000, 1_000_000, 1_000_000)), 1_000);
	assert_eq!(weighted(&factors(1_000, 900_000, 1_100_000)), 990);
	assert_eq!(weighted(&factors(1_000, 0, 2_000_000)), 0);
	// One rounding, at the end: 3 × 0.5 × 1.5 = 2.25
	assert_eq!(weighted(&factors(3, 500_000, 1_500_000)), 2);
}

#[test]
fn weighted_should_bring_factors_into_their_range() {
	let factors =
		|quality_ppm, efficiency_ppm| Factors { work: 1_000, quality_ppm, efficiency_ppm };
	assert_eq!(weighted(&factors(u32::MAX, u32::MAX)), 2_000);
	assert_eq!(weighted(&factors(1_000_000, 0)), 500);
	let most = Factors { work: u128::MAX, quality_ppm: 1_000_000, efficiency_ppm: 2_000_000 };
	assert_eq!(weighted(&most), u128::MAX);
}

#[test]
fn base_rate_should_be_the_smaller_of_cap_and_pool_per_work() {
	// 100 ARIA over 4 × 10^12 units: 25 ARIA per 10^12.
	assert_eq!(base_rate(100 * ARIA, 4 * RATE_UNIT, u128::MAX), 25 * ARIA);
	assert_eq!(base_rate(100 * ARIA, 4 * RATE_UNIT, ARIA), ARIA);
	assert_eq!(base_rate(100 * ARIA, 0, ARIA), ARIA);
	assert_eq!(base_rate(0, 0, ARIA), ARIA);
	assert_eq!(base_rate(0, 1, ARIA), 0);
}

#[test]
fn reward_share_should_divide_the_pool_when_the_cap_is_far() {
	assert_eq!(reward_share(100, 4, 1, u128::MAX), 25);
	assert_eq!(reward_share(100, 3, 1, u128::MAX), 33);
	assert_eq!(reward_share(u128::MAX, u128::MAX, u128::MAX, u128::MAX), u128::MAX);
}

#[test]
fn reward_share_should_pay_the_cap_when_there_is_little_work() {
	assert_eq!(reward_share(1_000 * ARIA, RATE_UNIT, RATE_UNIT, ARIA), ARIA);
	assert_eq!(reward_share(1_000 * ARIA, RATE_UNIT, RATE_UNIT / 2, ARIA), ARIA / 2);
}

#[test]
fn reward_share_should_pay_nothing_when_nobody_worked() {
	assert_eq!(reward_share(100, 0, 0, u128::MAX), 0);
	assert_eq!(reward_share(100, 0, 5, u128::MAX), 0);
}

#[test]
fn burn_bound_should_be_a_fraction_of_the_fee_that_never_exceeds_it() {
	assert_eq!(burn_bound(1_000, BETA_PPM), 900);
	assert_eq!(burn_bound(1, BETA_PPM), 0);
	assert_eq!(burn_bound(1_000, u32::MAX), 1_000);
	assert_eq!(burn_bound(u128::MAX, 1_000_000), u128::MAX);
}

#[test]
fn reward_should_list_every_line() {
	let factors = Factors { work: 2 * RATE_UNIT, quality_ppm: 500_000, efficiency_ppm: 1_000_000 };
	let breakdown = reward(100 * ARIA, 4 * RATE_UNIT, &factors, 30 * ARIA, 20 * ARIA);
	assert_eq!(
		breakdown,
		RewardBreakdown {
			weighted: RATE_UNIT,
			rate_limited: 25 * ARIA,
			burn_limited: 20 * ARIA,
			payout: 20 * ARIA,
		}
	);
	let breakdown = reward(100 * ARIA, 4 * RATE_UNIT, &factors, 10 * ARIA, 20 * ARIA);
	assert_eq!((breakdown.rate_limited, breakdown.payout), (10 * ARIA, 10 * ARIA));
}

proptest! {
	#![proptest_config(config())]

	#[test]
	fn payouts_should_never_sum_to_more_than_the_pool(
		pool in any_u128(),
		workers in workers(),
		cap_rate in any_u128(),
	) {
		let sum: u128 = workers.iter().map(|(factors, _)| weighted(factors)).sum();
		let mut left = pool;
		for (factors, burnt_fee) in &workers {
			let bound = burn_bound(*burnt_fee, BETA_PPM);
			let breakdown = reward(pool, sum, factors, cap_rate, bound);
			prop_assert_eq!(breakdown.payout, breakdown.rate_limited.min(bound));
			// Paying oneself loses money.
			prop_assert!(breakdown.payout < *burnt_fee || *burnt_fee == 0);
			prop_assert!(breakdown.payout <= left);
			left -= breakdown.payout;
		}
	}

	#[test]
	fn reward_should_be_defined_at_any_input(
		pool in any_u128(),
		sum in any_u128(),
		factors in any_factors(),
		cap_rate in any_u128(),
		bound in any_u128(),
	) {
		let breakdown = reward(pool, sum, &factors, cap_rate, bound);
		prop_assert!(breakdown.payout <= pool);
		prop_assert!(breakdown.payout <= bound);
		prop_assert!(breakdown.weighted / 2 <= factors.work);
		prop_assert!(sum > 0 || breakdown.payout == 0);
	}

	#[test]
	fn weighted_should_grow_with_each_factor(
		factors in any_factors(),
		work in any_u128(),
		quality in any_ppm(),
		efficiency in any_ppm(),
	) {
		let better = Factors {
			work: factors.work.max(work),
			quality_ppm: factors.quality_ppm.max(quality),
			efficiency_ppm: factors.efficiency_ppm.max(efficiency),
		};
		prop_assert!(weighted(&better) >= weighted(&factors));
	}

	#[test]
	fn reward_share_should_be_at_least_the_displayed_rate_times_the_work(
		pool in any_u128(),
		sum in any_u128(),
		part in any_u128(),
		cap_rate in any_u128(),
	) {
		let part = part.min(sum);
		let displayed = base_rate(pool, sum, cap_rate);
		let share = reward_share(pool, sum, part, cap_rate);
		prop_assert!(mul_div_floor(part, displayed, RATE_UNIT).unwrap() <= share);
	}
}
