//! Schedules as people write them: `hours = ["22:00-07:00"]`, `days = "mon-fri"`,
//! `utc_offset = "+01:00"` (`docs/protocol/consent.md`, "Schedule").

use aria_primitives::consent::{Schedule, Window, DAY_MINUTES, MAX_OFFSET_MINUTES};
use std::fmt::Write as _;

/// Days as they are written; their places are the bits of [`Schedule::days`].
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A window of a day: `22:00-07:00`, `09:30-24:00`, or `always`.
///
/// # Errors
/// What is wrong with it.
pub fn window(text: &str) -> Result<Window, String> {
	if text.trim() == "always" {
		return Ok(Window::ALL_DAY);
	}
	let refused = || format!("{text:?} is no window of a day: write 22:00-07:00, or always");
	let (from, to) = text.split_once('-').ok_or_else(refused)?;
	let from = minute(from).ok_or_else(refused)?;
	// Midnight at which a window ends is the day's end.
	let to = match minute(to).ok_or_else(refused)? {
		0 => DAY_MINUTES,
		to => to,
	};
	let window = Window { from, to };
	if window.is_valid() {
		Ok(window)
	} else {
		Err(format!("{text:?} is empty: write always for the whole day"))
	}
}

/// Days: `all`, `mon-fri`, `sat,sun`, `fri-mon`.
///
/// # Errors
/// What is wrong with them.
pub fn days(text: &str) -> Result<u8, String> {
	let refused = || format!("{text:?} are no days: write all, mon-fri, or sat,sun");
	if text.trim() == "all" {
		return Ok(Schedule::ALL_DAYS);
	}
	let day = |name: &str| {
		let name = name.trim().to_lowercase();
		DAYS.iter().position(|day| *day == name).ok_or_else(refused)
	};
	let mut bits = 0u8;
	for part in text.split(',') {
		let (first, last) = part.split_once('-').unwrap_or((part, part));
		let (mut at, last) = (day(first)?, day(last)?);
		loop {
			bits |= 1 << at;
			if at == last {
				break;
			}
			at = (at + 1) % DAYS.len();
		}
	}
	Ok(bits)
}

/// An offset from UTC, `+01:00`, `-03:30` or `utc`, in minutes.
///
/// # Errors
/// What is wrong with it.
pub fn offset(text: &str) -> Result<i16, String> {
	let refused = || format!("{text:?} is no offset from UTC: write +01:00, -03:30 or utc");
	let text = text.trim();
	if text.eq_ignore_ascii_case("utc") {
		return Ok(0);
	}
	let (sign, rest) = match text.split_at_checked(1) {
		Some(("+", rest)) => (1, rest),
		Some(("-", rest)) => (-1, rest),
		_ => return Err(refused()),
	};
	let minutes =
		minute(rest).and_then(|minutes| i16::try_from(minutes).ok()).ok_or_else(refused)?;
	if minutes > MAX_OFFSET_MINUTES {
		return Err(refused());
	}
	Ok(sign * minutes)
}

/// `07:30`, in minutes; `24:00` is the day's end.
fn minute(text: &str) -> Option<u16> {
	let (hours, minutes) = text.trim().split_once(':')?;
	let number = |text: &str| {
		let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
		digits.then(|| text.parse::<u16>().ok()).flatten()
	};
	let (hours, minutes) = (number(hours)?, number(minutes)?);
	(minutes < 60).then_some(hours * 60 + minutes).filter(|minute| *minute <= DAY_MINUTES)
}

/// `schedule` for people: `mon-fri 22:00-07:00 (UTC+01:00)`.
pub fn shown(schedule: &Schedule) -> String {
	let mut text = match schedule.days & Schedule::ALL_DAYS {
		Schedule::ALL_DAYS => "every day".to_owned(),
		0 => "no day".to_owned(),
		days => {
			let names = DAYS.iter().enumerate().filter(|(bit, _)| (days >> bit) & 1 == 1);
			names.map(|(_, name)| *name).collect::<Vec<_>>().join(",")
		}
	};
	if schedule.windows.is_empty() {
		text.push_str(" at no hour");
	}
	for window in &schedule.windows {
		let _ = match *window {
			Window::ALL_DAY => write!(text, " at any hour"),
			Window { from, to } => {
				write!(text, " {:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
			}
		};
	}
	let offset = schedule.utc_offset_minutes;
	if offset != 0 {
		let sign = if offset < 0 { '-' } else { '+' };
		let minutes = offset.unsigned_abs();
		let _ = write!(text, " (UTC{sign}{:02}:{:02})", minutes / 60, minutes % 60);
	}
	text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use sp_runtime::BoundedVec;

	#[test]
	fn windows_should_parse() {
		assert_eq!(window("22:00-07:00"), Ok(Window { from: 1320, to: 420 }));
		assert_eq!(window(" 09:30 - 17:45 "), Ok(Window { from: 570, to: 1065 }));
		assert_eq!(window("22:00-00:00"), Ok(Window { from: 1320, to: 1440 }));
		assert_eq!(window("00:00-24:00"), Ok(Window::ALL_DAY));
		assert_eq!(window("always"), Ok(Window::ALL_DAY));
		for text in ["", "22-07", "22:00", "25:00-07:00", "22:60-07:00", "7:00-8:00", "08:00-08:00"]
		{
			assert!(window(text).is_err(), "{text}");
		}
		assert!(window("24:00-07:00").is_err());
	}

	#[test]
	fn days_should_parse() {
		assert_eq!(days("all"), Ok(0b0111_1111));
		assert_eq!(days("mon-fri"), Ok(0b0001_1111));
		assert_eq!(days("sat,sun"), Ok(0b0110_0000));
		assert_eq!(days("Fri-Mon"), Ok(0b0111_0001));
		assert_eq!(days("wed"), Ok(0b0000_0100));
		for text in ["", "monday", "mon-", "mon;tue"] {
			assert!(days(text).is_err(), "{text}");
		}
	}

	#[test]
	fn offsets_should_parse() {
		assert_eq!(offset("utc"), Ok(0));
		assert_eq!(offset("+01:00"), Ok(60));
		assert_eq!(offset("-03:30"), Ok(-210));
		assert_eq!(offset("+14:00"), Ok(840));
		for text in ["", "01:00", "+1", "+15:00", "é"] {
			assert!(offset(text).is_err(), "{text}");
		}
	}

	#[test]
	fn schedules_should_be_readable() {
		assert_eq!(shown(&Schedule::always()), "every day at any hour");
		let schedule = Schedule {
			days: days("mon-fri").unwrap(),
			utc_offset_minutes: -210,
			windows: BoundedVec::truncate_from(vec![window("22:00-07:00").unwrap()]),
		};
		assert_eq!(shown(&schedule), "mon,tue,wed,thu,fri 22:00-07:00 (UTC-03:30)");
	}
}
