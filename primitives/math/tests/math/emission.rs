use super::{any_u128, any_u64, config};
use aria_math::{emission::*, ARIA};
use proptest::prelude::*;

#[test]
fn block_emission_should_halve_every_interval() {
	assert_eq!(block_emission(0), ARIA / 2);
	assert_eq!(block_emission(HALVING_INTERVAL - 1), 500_000_000_000);
	assert_eq!(block_emission(HALVING_INTERVAL), 250_000_000_000);
	assert_eq!(block_emission(2 * HALVING_INTERVAL), 125_000_000_000);
	assert_eq!(block_emission(38 * HALVING_INTERVAL), 1);
}

#[test]
fn block_emission_should_end_when_a_planck_cannot_be_halved() {
	assert_eq!(block_emission(39 * HALVING_INTERVAL), 0);
	assert_eq!(block_emission(u64::MAX), 0);
}

#[test]
fn an_interval_should_be_four_years_of_six_second_blocks() {
	assert_eq!(HALVING_INTERVAL * 6, 4 * (365 * 24 + 6) * 60 * 60);
}

#[test]
fn supply_should_stay_below_the_cap_over_64_halvings() {
	assert_eq!(CAP, 21_038_400 * ARIA);
	assert_eq!(EmissionSchedule::DEFAULT.cap(), CAP);
	let mut before = 0;
	for halving in 1..=64 {
		let total = total_emission_until(halving * HALVING_INTERVAL);
		assert!(total < CAP);
		assert!(total >= before);
		before = total;
	}
	// All that is ever emitted: the cap, less the fractions of a planck that halving dropped.
	assert_eq!(before, 21_038_399_999_726_500_800);
	assert_eq!(total_emission_until(u64::MAX), before);
}

#[test]
fn the_first_interval_should_emit_half_of_the_cap() {
	assert_eq!(total_emission_until(HALVING_INTERVAL), CAP / 2);
	assert_eq!(total_emission_until(1), ARIA / 2);
	assert_eq!(total_emission_until(0), 0);
	assert_eq!(emission_between(HALVING_INTERVAL - 1, HALVING_INTERVAL + 1), 750_000_000_000);
}

#[test]
fn nothing_should_be_emitted_when_the_interval_is_zero() {
	let schedule = EmissionSchedule { initial: u128::MAX, interval: 0 };
	assert_eq!(schedule.block_emission(0), 0);
	assert_eq!(schedule.total_emission_until(u64::MAX), 0);
	assert_eq!(schedule.cap(), 0);
}

#[test]
fn emission_should_be_exact_when_the_first_rate_fills_128_bits() {
	let schedule = EmissionSchedule { initial: u128::MAX, interval: 1 };
	assert_eq!(schedule.total_emission_until(1), u128::MAX);
	assert_eq!(schedule.total_emission_until(2), u128::MAX);
	assert_eq!(schedule.emission_between(1, 2), u128::MAX >> 1);
	// 2^127 − 1 + 2^126 − 1 + ... + 1
	assert_eq!(schedule.emission_between(1, 1_000), u128::MAX - 128);
}

proptest! {
	#![proptest_config(config())]

	#[test]
	fn supply_should_never_exceed_the_cap(block in any_u64()) {
		prop_assert!(total_emission_until(block) < CAP);
	}

	#[test]
	fn emission_should_add_up_over_adjoining_stretches(
		mut blocks in prop::array::uniform3(0..50 * HALVING_INTERVAL),
	) {
		blocks.sort_unstable();
		let [from, middle, to] = blocks;
		prop_assert_eq!(
			emission_between(from, middle) + emission_between(middle, to),
			emission_between(from, to)
		);
		prop_assert_eq!(emission_between(to, from), 0);
	}

	#[test]
	fn emission_between_should_equal_the_sum_over_blocks(
		initial in 0..=u128::from(u64::MAX),
		interval in 1_u64..20,
		from in 0_u64..300,
		to in 0_u64..300,
	) {
		let schedule = EmissionSchedule { initial, interval };
		let sum: u128 = (from..to).map(|block| schedule.block_emission(block)).sum();
		prop_assert_eq!(schedule.emission_between(from, to), sum);
		prop_assert!(sum <= schedule.cap());
	}

	#[test]
	fn any_schedule_should_be_defined_at_any_block(
		initial in any_u128(),
		interval in any_u64(),
		from in any_u64(),
		to in any_u64(),
	) {
		let schedule = EmissionSchedule { initial, interval };
		let rate = schedule.block_emission(from);
		prop_assert!(rate <= initial);
		prop_assert!(schedule.block_emission(to.max(from)) <= rate);
		if from < u64::MAX {
			prop_assert_eq!(schedule.emission_between(from, from + 1), rate);
		}
		prop_assert!(schedule.emission_between(from, to) <= schedule.total_emission_until(to));
		prop_assert!(schedule.total_emission_until(to) <= schedule.cap());
	}
}
