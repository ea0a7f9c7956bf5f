//! The hours of a consent, and when they change.

use aria_primitives::{
	consent::{Schedule, DAY_MINUTES},
	Moment,
};
use std::fmt;

const MINUTE_MS: u64 = 60_000;
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// Whether a schedule allows work at a moment, and until when that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
	/// Whether work is allowed ([`Schedule::allows`]).
	pub open: bool,
	/// When that changes, in milliseconds since 1970; `None` if it never does.
	pub changes: Option<Moment>,
	/// Local time minus UTC, in minutes.
	offset: i16,
}

impl Hours {
	/// The hours of `schedule` as seen at `at`, in milliseconds since 1970.
	pub fn at(schedule: &Schedule, at: Moment) -> Self {
		let open = schedule.allows(at);
		let day_minutes = i64::from(DAY_MINUTES);
		let offset = i64::from(schedule.utc_offset_minutes);
		let now = i64::try_from(at / MINUTE_MS).unwrap_or(i64::MAX / 4);
		let today = now.saturating_add(offset).div_euclid(day_minutes);
		// Nothing changes but where a window begins or ends, and a week has all of these; a window over
		// midnight ends on the day after.
		let mut edges: Vec<i64> = (-1..=8)
			.flat_map(|day| {
				let midnight = (today + day) * day_minutes - offset;
				schedule.windows.iter().flat_map(move |window| {
					let end = midnight + i64::from(window.to);
					[midnight + i64::from(window.from), end, end + day_minutes]
				})
			})
			.filter(|edge| *edge > now)
			.collect();
		edges.sort_unstable();
		let changes = edges
			.into_iter()
			.filter_map(|edge| u64::try_from(edge).ok()?.checked_mul(MINUTE_MS))
			.find(|edge| schedule.allows(*edge) != open);
		Self { open, changes, offset: schedule.utc_offset_minutes }
	}
}

/// For messages: `closed until Mon 22:00 (UTC+02:00)`.
impl fmt::Display for Hours {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let state = if self.open { "open" } else { "closed" };
		let Some(at) = self.changes else {
			return match self.open {
				true => write!(f, "open at all hours"),
				false => write!(f, "closed at all hours; the consent's schedule has no hour"),
			};
		};
		let day_minutes = i64::from(DAY_MINUTES);
		let utc = i64::try_from(at / MINUTE_MS).unwrap_or(i64::MAX / 4);
		let local = utc.saturating_add(i64::from(self.offset));
		// The first of January 1970 was a Thursday.
		let weekday = (local.div_euclid(day_minutes) + 3).rem_euclid(7) as usize;
		let day = DAYS.get(weekday).copied().unwrap_or_default();
		let minute = local.rem_euclid(day_minutes);
		let sign = if self.offset < 0 { '-' } else { '+' };
		let offset = self.offset.unsigned_abs();
		write!(
			f,
			"{state} until {day} {:02}:{:02} (UTC{sign}{:02}:{:02})",
			minute / 60,
			minute % 60,
			offset / 60,
			offset % 60
		)
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use aria_primitives::consent::Window;

	/// Monday, the first of January 2024, 00:00 UTC.
	const MONDAY: Moment = 1_704_067_200_000;
	const HOUR: u64 = 3_600_000;

	fn schedule(days: u8, offset: i16, windows: &[(u16, u16)]) -> Schedule {
		let windows: Vec<Window> =
			windows.iter().map(|(from, to)| Window { from: *from, to: *to }).collect();
		Schedule { days, utc_offset_minutes: offset, windows: windows.try_into().unwrap() }
	}

	#[test]
	fn hours_should_say_when_they_change() {
		// 09:00 to 17:00 on workdays, in UTC+02:00.
		let schedule = schedule(0b1_1111, 120, &[(540, 1020)]);
		let morning = Hours::at(&schedule, MONDAY);
		assert_eq!((morning.open, morning.changes), (false, Some(MONDAY + 7 * HOUR)));
		assert_eq!(morning.to_string(), "closed until Mon 09:00 (UTC+02:00)");
		let noon = Hours::at(&schedule, MONDAY + 10 * HOUR + 1);
		assert_eq!((noon.open, noon.changes), (true, Some(MONDAY + 15 * HOUR)));
		assert_eq!(noon.to_string(), "open until Mon 17:00 (UTC+02:00)");
		let friday = Hours::at(&schedule, MONDAY + (4 * 24 + 15) * HOUR);
		assert_eq!(friday.changes, Some(MONDAY + (7 * 24 + 7) * HOUR));
	}

	#[test]
	fn a_window_over_midnight_should_end_on_the_next_day() {
		// Sundays from 22:00 to 06:00.
		let schedule = schedule(0b100_0000, 0, &[(1320, 360)]);
		let night = Hours::at(&schedule, MONDAY + HOUR);
		assert_eq!((night.open, night.changes), (true, Some(MONDAY + 6 * HOUR)));
		let day = Hours::at(&schedule, MONDAY + 6 * HOUR);
		assert_eq!((day.open, day.changes), (false, Some(MONDAY + (6 * 24 + 22) * HOUR)));
		assert_eq!(day.to_string(), "closed until Sun 22:00 (UTC+00:00)");
	}

	#[test]
	fn windows_that_touch_should_be_one() {
		let schedule = schedule(Schedule::ALL_DAYS, -210, &[(0, 720), (720, 1440)]);
		let hours = Hours::at(&schedule, MONDAY);
		assert_eq!((hours.open, hours.changes), (true, None));
	}

	#[test]
	fn always_and_never_should_not_change() {
		let always = Hours::at(&Schedule::always(), MONDAY);
		assert_eq!((always.open, always.changes), (true, None));
		assert_eq!(always.to_string(), "open at all hours");
		for never in [schedule(0, 0, &[(0, 1440)]), schedule(Schedule::ALL_DAYS, 0, &[])] {
			let hours = Hours::at(&never, MONDAY);
			assert_eq!((hours.open, hours.changes), (false, None));
			assert!(hours.to_string().starts_with("closed at all hours"));
		}
	}

	#[test]
	fn changes_should_agree_with_the_schedule_minute_by_minute() {
		let schedules = [
			schedule(0b010_1010, 330, &[(30, 90), (1400, 20)]),
			schedule(0b100_0001, -720, &[(0, 1440)]),
			schedule(0b111_1111, 840, &[(600, 599)]),
		];
		for schedule in schedules {
			let mut expected = None;
			for minute in (0..9 * 1440u64).rev() {
				let at = MONDAY + minute * MINUTE_MS;
				let next = at + MINUTE_MS;
				if schedule.allows(at) != schedule.allows(next) {
					expected = Some(next);
				}
				if minute < 1440 {
					assert_eq!(Hours::at(&schedule, at).changes, expected, "minute {minute}");
				}
			}
		}
	}

	#[test]
	fn odd_schedules_and_moments_should_be_answered() {
		let odd = schedule(0xff, i16::MIN, &[(u16::MAX, 7), (9, u16::MAX), (5, 5)]);
		for at in [0, 1, MONDAY, u64::MAX / 2, u64::MAX] {
			let _ = Hours::at(&odd, at).to_string();
			let _ = Hours::at(&Schedule::always(), at).to_string();
		}
	}
}
