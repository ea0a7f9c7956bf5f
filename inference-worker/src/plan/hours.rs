//! When a schedule (`docs/protocol/consent.md`) has room for an answer.

use aria_primitives::{
	consent::{Schedule, DAY_MINUTES},
	Moment,
};

/// How long a schedule has to stay open, in milliseconds, for work to begin: the chain judges a record
/// by the moment at which the work ended, so what begins in the last seconds of a window would not be
/// paid.
pub const CLOSING: Moment = 60_000;
const MINUTE: i64 = 60_000;

/// Whether work may begin at `at`.
pub fn is_open(schedule: &Schedule, at: Moment) -> bool {
	schedule.allows(at) && schedule.allows(at.saturating_add(CLOSING))
}

/// The next moment behind `at` at which work may begin, within a week; `None` for a schedule that never
/// opens for longer than [`CLOSING`].
pub fn opens(schedule: &Schedule, at: Moment) -> Option<Moment> {
	let day = i64::from(DAY_MINUTES);
	let offset = i64::from(schedule.utc_offset_minutes);
	let minute = i64::try_from(at / MINUTE.unsigned_abs()).ok()?;
	let today = minute.checked_add(offset)?.div_euclid(day);
	// Everything repeats after a week; the same weekday again, for a window that opened earlier today.
	let openings = (0..=7).flat_map(|days| {
		schedule.windows.iter().filter_map(move |window| {
			let midnight = today.checked_add(days)?.checked_mul(day)?;
			let utc = midnight.checked_add(i64::from(window.from))?.checked_sub(offset)?;
			Moment::try_from(utc.checked_mul(MINUTE)?).ok()
		})
	});
	openings.filter(|opening| *opening > at && is_open(schedule, *opening)).min()
}

/// `at` on the clock of somebody whose local time is UTC plus `offset` minutes: weekday and time.
pub(super) fn clock(at: Moment, offset: i16) -> String {
	const DAYS: [&str; 7] =
		["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
	let day = i64::from(DAY_MINUTES);
	let utc = i64::try_from(at / MINUTE.unsigned_abs()).unwrap_or_default();
	let local = utc.saturating_add(i64::from(offset));
	let minute = local.rem_euclid(day);
	// The first of January 1970 was a Thursday.
	let weekday = local.div_euclid(day).saturating_add(3).rem_euclid(7);
	let name = usize::try_from(weekday).ok().and_then(|day| DAYS.get(day)).unwrap_or(&"");
	let (sign, shift) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs());
	format!(
		"{name} {:02}:{:02} (UTC{sign}{:02}:{:02})",
		minute / 60,
		minute % 60,
		shift / 60,
		shift % 60
	)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use aria_primitives::consent::Window;

	const HOUR: Moment = 3_600_000;
	/// Monday, the fifth of January 1970, at 00:00 UTC.
	const MONDAY: Moment = 4 * 24 * HOUR;

	fn schedule(days: u8, offset: i16, windows: &[(u16, u16)]) -> Schedule {
		let windows: Vec<Window> =
			windows.iter().map(|(from, to)| Window { from: *from, to: *to }).collect();
		Schedule { days, utc_offset_minutes: offset, windows: windows.try_into().unwrap() }
	}

	#[test]
	fn a_night_should_open_in_the_evening() {
		let night = schedule(Schedule::ALL_DAYS, 60, &[(22 * 60, 6 * 60)]);

		assert_eq!(opens(&night, MONDAY + 12 * HOUR), Some(MONDAY + 21 * HOUR));
		assert!(is_open(&night, MONDAY + 21 * HOUR));
		assert_eq!(clock(MONDAY + 21 * HOUR, 60), "Monday 22:00 (UTC+01:00)");
		assert_eq!(clock(MONDAY + 2 * HOUR, -210), "Sunday 22:30 (UTC-03:30)");
	}

	#[test]
	fn a_window_should_be_shut_for_new_work_in_its_last_minute() {
		let day = schedule(Schedule::ALL_DAYS, 0, &[(8 * 60, 10 * 60)]);

		assert!(is_open(&day, MONDAY + 10 * HOUR - CLOSING - 1));
		assert!(!is_open(&day, MONDAY + 10 * HOUR - CLOSING + 1));
		assert_eq!(opens(&day, MONDAY + 10 * HOUR - 1), Some(MONDAY + 32 * HOUR));
	}

	#[test]
	fn windows_that_touch_should_not_shut_between() {
		let day = schedule(Schedule::ALL_DAYS, 0, &[(480, 600), (600, 720)]);
		assert!(is_open(&day, MONDAY + 10 * HOUR - 1));
	}

	#[test]
	fn a_day_of_the_week_should_come_again_and_no_day_never() {
		let tuesdays = schedule(0b10, 0, &[(60, 120)]);
		let tuesday = MONDAY + 24 * HOUR;

		assert_eq!(opens(&tuesdays, tuesday + 3 * HOUR), Some(tuesday + (7 * 24 + 1) * HOUR));
		assert_eq!(opens(&schedule(0, 0, &[(60, 120)]), MONDAY), None);
		assert_eq!(opens(&schedule(1, 0, &[]), MONDAY), None);
		assert_eq!(opens(&schedule(1, 0, &[(5, 6)]), MONDAY), None);
		assert_eq!(opens(&tuesdays, Moment::MAX), None);
	}
}
