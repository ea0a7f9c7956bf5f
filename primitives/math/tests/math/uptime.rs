use super::{any_u64, config};
use aria_math::uptime::*;
use proptest::prelude::*;

/// Blocks of an era at genesis.
const ERA: u32 = 3_600;

#[test]
fn a_block_should_ask_so_many_that_each_is_asked_as_often_as_it_should() {
	// 10,000 workers, each four times in an era: eleven in a block, and a twelfth in one of nine.
	assert_eq!(asked(10_000, 4, ERA, u64::MAX), 11);
	assert_eq!(asked(10_000, 4, ERA, 0), 12);
	let ninth = u64::MAX / 9;
	assert_eq!(asked(10_000, 4, ERA, ninth - 1), 12);
	assert_eq!(asked(10_000, 4, ERA, ninth + 1), 11);
	// One worker: in one of 900 blocks.
	assert_eq!(asked(1, 4, ERA, u64::MAX / 900 - 1), 1);
	assert_eq!(asked(1, 4, ERA, u64::MAX / 900 + 1), 0);
}

#[test]
fn nobody_should_be_asked_where_there_is_nobody_or_nothing_to_ask_for() {
	for random in [0, 1, u64::MAX] {
		assert_eq!(asked(0, 4, ERA, random), 0);
		assert_eq!(asked(5, 0, ERA, random), 0);
		assert_eq!(asked(5, 4, 0, random), 0);
		assert_eq!(pick(random, 0), None);
	}
	assert_eq!(asked(u32::MAX, u32::MAX, 1, 0), u32::MAX);
}

#[test]
fn every_place_should_be_picked_as_often_as_any_other() {
	let mut counts = [0u32; 7];
	let step = u64::MAX / 70_000;
	for index in 0..70_000 {
		counts[pick(index * step, 7).unwrap() as usize] += 1;
	}
	assert!(counts.iter().all(|count| (9_999..=10_001).contains(count)), "{counts:?}");
	assert_eq!((pick(0, 7), pick(u64::MAX, 7)), (Some(0), Some(6)));
	assert_eq!(pick(u64::MAX, u32::MAX), Some(u32::MAX - 1));
}

#[test]
fn uptime_should_be_what_was_answered_with_the_benefit_of_the_doubt() {
	assert_eq!(uptime_ppm(0, 0), 1_000_000);
	assert_eq!(uptime_ppm(9, 0), 1_000_000);
	assert_eq!(uptime_ppm(0, 1), 500_000);
	assert_eq!(uptime_ppm(3, 1), 800_000);
	assert_eq!(uptime_ppm(0, 2), 333_333);
	assert_eq!(uptime_ppm(0, u32::MAX), 0);
	assert_eq!(uptime_ppm(u32::MAX, u32::MAX), 500_000);
}

proptest! {
	#![proptest_config(config())]

	#[test]
	fn a_place_should_be_one_of_those_that_there_are(random in any_u64(), workers in 1_u32..) {
		prop_assert!(pick(random, workers).unwrap() < workers);
	}

	#[test]
	fn more_workers_should_never_be_asked_less(
		workers in any::<u32>(),
		per_era in any::<u32>(),
		era in any::<u32>(),
		random in any_u64(),
	) {
		let asks = |workers: u32| asked(workers, per_era, era, random);
		let least = u64::from(workers) * u64::from(per_era) / u64::from(era.max(1));
		prop_assert!(era == 0 || u64::from(asks(workers)) >= least.min(u32::MAX.into()));
		prop_assert!(u64::from(asks(workers)) <= least + 1);
		prop_assert!(asks(workers.saturating_add(era)) >= asks(workers));
	}

	#[test]
	fn an_answer_should_raise_uptime_and_a_miss_lower_it(
		answered in 0_u32..1_000,
		missed in 0_u32..1_000,
	) {
		let uptime = uptime_ppm(answered, missed);
		prop_assert!(uptime <= 1_000_000);
		prop_assert!(uptime_ppm(answered + 1, missed) >= uptime);
		prop_assert!(uptime_ppm(answered, missed + 1) < uptime);
	}
}
