//! When a schedule allows work: known moments, and every minute of days at a time against a naive
//! model (`docs/protocol/consent.md`).
#![allow(clippy::unwrap_used)]

use aria_primitives::consent::{Schedule, Window, DAY_MINUTES, MAX_OFFSET_MINUTES, MAX_WINDOWS};
use proptest::prelude::*;
use sp_core::ConstU32;
use sp_runtime::BoundedVec;
use std::collections::BTreeSet;

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// Midnight, UTC, that begins Monday, 5 January 2026.
const MONDAY: u64 = 1_767_571_200_000;

const MONDAYS: u8 = 1;
const FRIDAYS: u8 = 1 << 4;
const SUNDAYS: u8 = 1 << 6;

fn windows(of: &[(u16, u16)]) -> BoundedVec<Window, ConstU32<MAX_WINDOWS>> {
	let windows: Vec<_> = of.iter().map(|(from, to)| Window { from: *from, to: *to }).collect();
	BoundedVec::try_from(windows).unwrap()
}

fn schedule(days: u8, utc_offset_minutes: i16, of: &[(u16, u16)]) -> Schedule {
	Schedule { days, utc_offset_minutes, windows: windows(of) }
}

// --- known moments ------------------------------------------------------------------------------

#[test]
fn the_reference_day_should_be_a_monday() {
	// The first of January 1970 was a Thursday; the fifth was a Monday.
	assert_eq!((MONDAY / DAY - 4) % 7, 0);
	assert_eq!(MONDAY % DAY, 0);
}

#[test]
fn always_should_allow_every_moment() {
	let always = Schedule::always();
	assert!(always.is_valid());
	for at in [0, 1, MONDAY, MONDAY + DAY - 1, MONDAY + 6 * DAY, u64::MAX / 2, u64::MAX] {
		assert!(always.allows(at));
	}
}

#[test]
fn a_schedule_should_allow_nothing_when_it_has_no_day_or_no_window() {
	for silent in [schedule(0, 0, &[(0, DAY_MINUTES)]), schedule(Schedule::ALL_DAYS, 0, &[])] {
		assert!(silent.is_valid());
		for hour in 0..7 * 24 {
			assert!(!silent.allows(MONDAY + hour * HOUR));
		}
	}
}

#[test]
fn a_window_should_begin_and_end_on_the_millisecond() {
	let office = schedule(Schedule::ALL_DAYS, 0, &[(8 * 60, 22 * 60)]);
	assert!(!office.allows(MONDAY + 8 * HOUR - 1));
	assert!(office.allows(MONDAY + 8 * HOUR));
	assert!(office.allows(MONDAY + 22 * HOUR - 1));
	assert!(!office.allows(MONDAY + 22 * HOUR));
}

#[test]
fn a_window_should_reach_to_midnight_when_it_ends_at_1440() {
	let evening = schedule(MONDAYS, 0, &[(23 * 60, DAY_MINUTES)]);
	assert!(evening.allows(MONDAY + DAY - 1));
	assert!(!evening.allows(MONDAY + DAY));
}

#[test]
fn a_window_over_midnight_should_belong_to_the_day_on_which_it_starts() {
	let friday = MONDAY + 4 * DAY;
	let night = schedule(FRIDAYS, 0, &[(22 * 60, 6 * 60)]);
	assert!(!night.allows(friday + 5 * HOUR));
	assert!(!night.allows(friday + 22 * HOUR - 1));
	assert!(night.allows(friday + 22 * HOUR));
	assert!(night.allows(friday + DAY + 6 * HOUR - 1));
	assert!(!night.allows(friday + DAY + 6 * HOUR));
	assert!(!night.allows(friday + DAY + 23 * HOUR));
}

#[test]
fn a_window_over_midnight_should_cross_the_end_of_the_week() {
	let night = schedule(SUNDAYS, 0, &[(22 * 60, 6 * 60)]);
	let sunday = MONDAY + 6 * DAY;
	assert!(night.allows(sunday + 23 * HOUR));
	assert!(night.allows(sunday + DAY + 5 * HOUR));
	assert!(!night.allows(sunday + 5 * HOUR));
	assert!(!night.allows(sunday + DAY + 23 * HOUR));
}

#[test]
fn a_window_over_midnight_may_almost_fill_two_days() {
	let long = schedule(MONDAYS, 0, &[(1, 0)]);
	// `to` of 0 is no last minute: the window ends where the day does, which is 1440.
	assert!(!long.is_valid());
	let long = schedule(MONDAYS, 0, &[(2, 1)]);
	assert!(long.is_valid());
	assert!(!long.allows(MONDAY + MINUTE));
	assert!(long.allows(MONDAY + 2 * MINUTE));
	assert!(long.allows(MONDAY + DAY));
	assert!(!long.allows(MONDAY + DAY + MINUTE));
}

#[test]
fn an_offset_should_move_moments_into_another_day_and_week() {
	let east = schedule(MONDAYS, 14 * 60, &[(0, DAY_MINUTES)]);
	assert!(!east.allows(MONDAY - 14 * HOUR - 1));
	assert!(east.allows(MONDAY - 14 * HOUR));
	assert!(east.allows(MONDAY + 10 * HOUR - 1));
	assert!(!east.allows(MONDAY + 10 * HOUR));

	let west = schedule(SUNDAYS, -12 * 60, &[(0, DAY_MINUTES)]);
	assert!(west.allows(MONDAY));
	assert!(west.allows(MONDAY + 12 * HOUR - 1));
	assert!(!west.allows(MONDAY + 12 * HOUR));
	assert!(!west.allows(MONDAY - 12 * HOUR - 1));
	assert!(west.allows(MONDAY - 12 * HOUR));
}

#[test]
fn an_offset_should_reach_before_the_epoch() {
	// At 00:00 UTC on Thursday, 1 January 1970, it is 23:00 on Wednesday one hour west.
	let wednesday = schedule(1 << 2, -60, &[(23 * 60, DAY_MINUTES)]);
	assert!(wednesday.allows(0));
	assert!(wednesday.allows(HOUR - 1));
	assert!(!wednesday.allows(HOUR));
	// And a night that began on Tuesday is still going on.
	let tuesday = schedule(1 << 1, -14 * 60, &[(20 * 60, 11 * 60)]);
	assert!(tuesday.allows(0));
	assert!(!tuesday.allows(HOUR));
}

#[test]
fn validity_should_end_with_the_ranges() {
	let whole = [(0, DAY_MINUTES)];
	for valid in [
		schedule(Schedule::ALL_DAYS, 0, &whole),
		schedule(0, MAX_OFFSET_MINUTES, &[]),
		schedule(1, -MAX_OFFSET_MINUTES, &[(1439, 1440), (1439, 1), (0, 1)]),
	] {
		assert!(valid.is_valid(), "{valid:?}");
	}
	for invalid in [
		schedule(0b1000_0000, 0, &whole),
		schedule(u8::MAX, 0, &whole),
		schedule(1, MAX_OFFSET_MINUTES + 1, &whole),
		schedule(1, -MAX_OFFSET_MINUTES - 1, &whole),
		schedule(1, i16::MIN, &whole),
		schedule(1, i16::MAX, &whole),
		schedule(1, 0, &[(DAY_MINUTES, 1)]),
		schedule(1, 0, &[(0, DAY_MINUTES + 1)]),
		schedule(1, 0, &[(0, 0)]),
		schedule(1, 0, &[(600, 600)]),
		schedule(1, 0, &[(600, 0)]),
		schedule(1, 0, &[(0, DAY_MINUTES), (u16::MAX, u16::MAX)]),
	] {
		assert!(!invalid.is_valid(), "{invalid:?}");
	}
}

// --- the naive model ----------------------------------------------------------------------------

/// The local minutes since the epoch, of the local days `days`, at which the schedule allows work:
/// day by day, window by window, minute by minute.
fn allowed_minutes(schedule: &Schedule, days: std::ops::Range<i64>) -> BTreeSet<i64> {
	let length = i64::from(DAY_MINUTES);
	let mut allowed = BTreeSet::new();
	// A window that started the day before may reach into the first.
	for day in days.start - 1..days.end {
		// Day 0 was a Thursday, which is 3.
		let weekday = (day + 3).rem_euclid(7);
		if schedule.days & (1 << weekday) == 0 {
			continue;
		}
		for window in &schedule.windows {
			let (from, to) = (i64::from(window.from), i64::from(window.to));
			let end = if from < to { to } else { to + length };
			allowed.extend((from..end).map(|minute| day * length + minute));
		}
	}
	allowed
}

fn window() -> impl Strategy<Value = Window> {
	let first = prop::sample::select(vec![0_u16, 1, 1438, 1439]);
	let last = prop::sample::select(vec![1_u16, 2, 1439, 1440]);
	let minutes = prop_oneof![
		3 => (0..DAY_MINUTES, 1..=DAY_MINUTES),
		1 => (first, last),
	];
	minutes
		.prop_filter("an empty window", |(from, to)| from != to)
		.prop_map(|(from, to)| Window { from, to })
}

fn any_schedule() -> impl Strategy<Value = Schedule> {
	let offset = prop_oneof![
		3 => -MAX_OFFSET_MINUTES..=MAX_OFFSET_MINUTES,
		1 => prop::sample::select(vec![-MAX_OFFSET_MINUTES, -1, 0, 1, MAX_OFFSET_MINUTES]),
	];
	(0..=Schedule::ALL_DAYS, offset, prop::collection::vec(window(), 0..=MAX_WINDOWS as usize))
		.prop_map(|(days, utc_offset_minutes, windows)| Schedule {
			days,
			utc_offset_minutes,
			windows: BoundedVec::try_from(windows).unwrap(),
		})
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

	/// Nine days cover each weekday, and the turn of a week, at any offset.
	#[test]
	fn allows_should_agree_with_a_naive_model_at_every_minute(
		schedule in any_schedule(),
		first_day in prop_oneof![Just(0_u64), 0_u64..40_000],
		millisecond in 0_u64..MINUTE,
	) {
		prop_assert!(schedule.is_valid());
		let start = first_day as i64;
		let allowed = allowed_minutes(&schedule, start - 1..start + 10);
		for minute in first_day * 1440..(first_day + 9) * 1440 {
			let local = minute as i64 + i64::from(schedule.utc_offset_minutes);
			prop_assert_eq!(
				schedule.allows(minute * MINUTE + millisecond),
				allowed.contains(&local),
				"UTC minute {} of {:?}", minute, schedule
			);
		}
	}

	#[test]
	fn allows_should_answer_for_any_schedule_and_moment(
		days: u8,
		utc_offset_minutes: i16,
		of in prop::collection::vec(any::<(u16, u16)>(), 0..=8),
		at: u64,
	) {
		let _ = schedule(days, utc_offset_minutes, &of).allows(at);
	}
}
