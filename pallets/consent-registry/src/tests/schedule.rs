//! `Schedule::allows` against a model that walks through the minutes of a week.

use super::*;
use aria_primitives::{
	consent::{Schedule, DAY_MINUTES, MAX_OFFSET_MINUTES},
	Moment,
};
use proptest::prelude::*;

const DAY: i64 = DAY_MINUTES as i64;
const WEEK: i64 = 7 * DAY;
const MINUTE: Moment = 60_000;
/// The Unix epoch was a Thursday.
const EPOCH_DAY: i64 = 3;

fn schedule(days: u8, utc_offset_minutes: i16, windows: &[(u16, u16)]) -> Schedule {
	let windows = windows.iter().map(|(from, to)| Window { from: *from, to: *to }).collect();
	Schedule { days, utc_offset_minutes, windows: BoundedVec::truncate_from(windows) }
}

/// Which minutes of a local week, from Monday's midnight, the schedule allows: each window of each
/// day is painted minute by minute from its start.
fn painted(schedule: &Schedule) -> Vec<bool> {
	let mut week = vec![false; WEEK as usize];
	for day in 0..7u32 {
		if (schedule.days >> day) & 1 == 0 {
			continue;
		}
		for window in &schedule.windows {
			let mut minute = window.from;
			let mut overnight = 0;
			while minute != window.to {
				let at = (i64::from(day) + overnight) * DAY + i64::from(minute);
				week[(at % WEEK) as usize] = true;
				minute += 1;
				if minute == DAY_MINUTES && window.to != DAY_MINUTES {
					minute = 0;
					overnight = 1;
				}
			}
		}
	}
	week
}

fn allowed_by_model(week: &[bool], schedule: &Schedule, at: Moment) -> bool {
	let local = i64::try_from(at / MINUTE).unwrap() + i64::from(schedule.utc_offset_minutes);
	week[(local + EPOCH_DAY * DAY).rem_euclid(WEEK) as usize]
}

/// A moment by days after Monday, 5 January 1970, and UTC time.
fn utc(day: u64, hour: u64, minute: u64) -> Moment {
	(((4 + day) * 24 + hour) * 60 + minute) * MINUTE
}

#[test]
fn allows_should_end_a_window_before_its_last_minute() {
	let office = schedule(0b1, 0, &[(9 * 60, 17 * 60)]);
	assert!(!office.allows(utc(0, 9, 0) - 1));
	assert!(office.allows(utc(0, 9, 0)));
	assert!(office.allows(utc(0, 17, 0) - 1));
	assert!(!office.allows(utc(0, 17, 0)));
	assert!(!office.allows(utc(1, 12, 0)));
	assert!(office.allows(utc(7, 12, 0)));
}

#[test]
fn allows_should_carry_a_night_into_the_next_day_when_it_starts_on_an_allowed_one() {
	let monday_night = schedule(0b1, 0, &[(22 * 60, 6 * 60)]);
	assert!(monday_night.allows(utc(0, 23, 0)));
	assert!(monday_night.allows(utc(1, 5, 59)));
	assert!(!monday_night.allows(utc(1, 6, 0)));
	// Monday's early morning belongs to Sunday's night.
	assert!(!monday_night.allows(utc(0, 5, 0)));
	assert!(!monday_night.allows(utc(1, 22, 0)));

	let sunday_night = schedule(0b100_0000, 0, &[(22 * 60, 6 * 60)]);
	assert!(sunday_night.allows(utc(6, 22, 0)));
	assert!(sunday_night.allows(utc(7, 5, 59)));
	assert!(!sunday_night.allows(utc(6, 5, 59)));
}

#[test]
fn allows_should_take_the_local_day_when_the_offset_crosses_a_day() {
	// Noon to one on Monday, 14 hours ahead of UTC: Sunday night in UTC.
	let ahead = schedule(0b1, 14 * 60, &[(12 * 60, 13 * 60)]);
	assert!(ahead.allows(utc(6, 22, 30)));
	assert!(!ahead.allows(utc(0, 12, 30)));
	// Eleven at night on Sunday, 12 hours behind: Monday morning in UTC.
	let behind = schedule(0b100_0000, -12 * 60, &[(23 * 60, 24 * 60)]);
	assert!(behind.allows(utc(7, 11, 0)));
	assert!(!behind.allows(utc(7, 12, 0)));
	assert!(!behind.allows(utc(6, 23, 0)));
}

#[test]
fn allows_should_take_the_local_week_when_a_night_and_an_offset_cross_it() {
	// Sunday 23:00 to Monday 01:00, at UTC+5:30.
	let indian = schedule(0b100_0000, 330, &[(23 * 60, 60)]);
	assert!(!indian.allows(utc(6, 17, 29)));
	assert!(indian.allows(utc(6, 17, 30)));
	assert!(indian.allows(utc(6, 19, 29)));
	assert!(!indian.allows(utc(6, 19, 30)));
}

#[test]
fn allows_should_know_days_before_the_epoch_when_the_offset_leads_there() {
	// The epoch's first minute is Wednesday evening at UTC-12.
	assert!(schedule(0b100, -720, &[(12 * 60, 24 * 60)]).allows(0));
	assert!(!schedule(0b1000, -720, &[(0, 24 * 60)]).allows(0));
}

#[test]
fn allows_should_permit_nothing_when_no_day_or_no_window_is_given() {
	for hour in 0..7 * 24 {
		assert!(!schedule(0, 0, &[(0, 1440)]).allows(utc(0, hour, 0)));
		assert!(!schedule(Schedule::ALL_DAYS, 0, &[]).allows(utc(0, hour, 0)));
		assert!(Schedule::always().allows(utc(0, hour, 0)));
	}
	assert!(Schedule::always().allows(Moment::MAX));
}

#[test]
fn allows_should_agree_with_the_model_for_each_minute_of_a_week() {
	let schedules = [
		schedule(0b010_1010, 0, &[(0, 1), (1439, 1440)]),
		schedule(0b100_0001, -840, &[(1439, 1), (600, 599)]),
		schedule(0b000_1000, 840, &[(720, 721), (1, 1440)]),
	];
	for schedule in schedules {
		assert!(schedule.is_valid());
		let week = painted(&schedule);
		for minute in 0..2 * WEEK as u64 {
			let at = minute * MINUTE + minute % MINUTE;
			assert_eq!(schedule.allows(at), allowed_by_model(&week, &schedule, at), "{minute}");
		}
	}
}

fn any_window() -> impl Strategy<Value = (u16, u16)> {
	(0..DAY_MINUTES, 1..=DAY_MINUTES).prop_filter("not empty", |(from, to)| from != to)
}

fn any_schedule() -> impl Strategy<Value = Schedule> {
	(
		0..=Schedule::ALL_DAYS,
		-MAX_OFFSET_MINUTES..=MAX_OFFSET_MINUTES,
		proptest::collection::vec(any_window(), 0..=8),
	)
		.prop_map(|(days, offset, windows)| schedule(days, offset, &windows))
}

proptest! {
	#[test]
	fn allows_should_agree_with_the_model_for_any_schedule_and_moment(
		schedule in any_schedule(),
		moments in proptest::collection::vec(0..4_102_444_800_000u64, 1..200),
	) {
		prop_assert!(schedule.is_valid());
		let week = painted(&schedule);
		for at in moments {
			prop_assert_eq!(schedule.allows(at), allowed_by_model(&week, &schedule, at));
		}
	}

	#[test]
	fn allows_should_repeat_every_week(schedule in any_schedule(), at in 0..4_102_444_800_000u64) {
		prop_assert_eq!(schedule.allows(at), schedule.allows(at + WEEK as u64 * MINUTE));
	}

	#[test]
	fn allows_should_not_panic_for_any_bytes(
		days in any::<u8>(),
		offset in any::<i16>(),
		windows in proptest::collection::vec((any::<u16>(), any::<u16>()), 0..=8),
		at in any::<u64>(),
	) {
		let _ = schedule(days, offset, &windows).allows(at);
	}
}
