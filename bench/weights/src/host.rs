//! What a file of weights says of the machine, and the runtime's log.

use log::{Level, LevelFilter, Log, Metadata, Record};
use std::{
	env, fs,
	time::{SystemTime, UNIX_EPOCH},
};

/// Seconds of a day.
const DAY: u64 = 86_400;

/// The model of the processor.
pub fn cpu() -> String {
	let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
	let model = info
		.lines()
		.filter_map(|line| line.split_once(':'))
		.find(|(field, _)| field.trim() == "model name")
		.map(|(_, model)| model.trim().to_owned());
	model.unwrap_or_else(|| format!("an unnamed processor ({})", env::consts::ARCH))
}

/// Today in UTC, `YYYY-MM-DD`.
pub fn today() -> String {
	let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
	date(since.as_secs() / DAY)
}

/// The date that many days after 1 January 1970. Counts in years that begin in March, so that a
/// leap day is the last day of its year.
fn date(days: u64) -> String {
	let days = days + 719_468;
	let (era, day_of_era) = (days / 146_097, days % 146_097);
	let year_of_era =
		(day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
	let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	let month_from_march = (5 * day_of_year + 2) / 153;
	let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
	let month = (month_from_march + 2) % 12 + 1;
	let year = 400 * era + year_of_era + u64::from(month <= 2);
	format!("{year:04}-{month:02}-{day:02}")
}

/// Prints errors, among them what a runtime says before it panics.
struct Errors;

impl Log for Errors {
	fn enabled(&self, metadata: &Metadata) -> bool {
		metadata.level() == Level::Error
	}

	fn log(&self, record: &Record) {
		if self.enabled(record.metadata()) {
			eprintln!("{}: {}", record.target(), record.args());
		}
	}

	fn flush(&self) {}
}

/// From here on errors are printed.
pub fn print_errors() {
	if log::set_logger(&Errors).is_ok() {
		log::set_max_level(LevelFilter::Error);
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn dates_should_follow_the_calendar() {
		assert_eq!(date(0), "1970-01-01");
		assert_eq!(date(58), "1970-02-28");
		assert_eq!(date(59), "1970-03-01");
		assert_eq!(date(11_016), "2000-02-29");
		assert_eq!(date(20_254), "2025-06-15");
		assert_eq!(date(20_453), "2025-12-31");
	}
}
