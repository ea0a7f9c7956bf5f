//! What a measurement comes to, as text and as JSON.

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::Value;
use std::time::Duration;

/// What a measurement comes to.
pub struct Section {
	/// Its place in the document.
	pub name: &'static str,
	/// For people: tables in Markdown, and sentences.
	pub text: String,
	/// The same for machines.
	pub json: Value,
	/// Its lines of the table of all.
	pub figures: Vec<Figure>,
}

/// A number that has an aim.
pub struct Figure {
	/// What it is.
	pub name: String,
	/// It, with its unit.
	pub value: String,
	/// What it should be, and whether it is; empty where it should be nothing.
	pub aim: String,
}

impl Figure {
	/// A number with an aim.
	pub fn aimed(name: &str, value: String, aim: &str, met: bool) -> Self {
		let verdict = if met { "PASS" } else { "FAIL" };
		Self { name: name.to_owned(), value, aim: format!("{aim}: {verdict}") }
	}

	/// A number without an aim.
	pub fn plain(name: &str, value: String) -> Self {
		Self { name: name.to_owned(), value, aim: String::new() }
	}
}

/// Most of many measurements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Percentiles {
	/// Half of them are at most this.
	pub p50: f64,
	/// 95 of a hundred are at most this.
	pub p95: f64,
	/// 99 of a hundred are at most this.
	pub p99: f64,
	/// The greatest.
	pub greatest: f64,
	/// How many.
	pub count: usize,
}

impl Percentiles {
	/// Of these times in milliseconds by nearest rank; zeros of none.
	pub fn of(times: &[Duration]) -> Self {
		let mut sorted = times.to_vec();
		sorted.sort_unstable();
		let count = sorted.len();
		let at = |percent: usize| {
			let rank = count.saturating_mul(percent).div_ceil(100).saturating_sub(1);
			sorted.get(rank).copied().unwrap_or_default().as_secs_f64() * 1_000.0
		};
		Self { p50: at(50), p95: at(95), p99: at(99), greatest: at(100), count }
	}

	/// Cells of a table: p50, p95, p99 and the greatest, in milliseconds.
	pub fn cells(&self) -> [String; 4] {
		[self.p50, self.p95, self.p99, self.greatest].map(millis)
	}
}

/// Milliseconds for people.
pub fn millis(value: f64) -> String {
	format!("{value:.2} ms")
}

/// A part of one as a percentage, with two decimals.
pub fn percent(share: f64) -> String {
	format!("{:.2} %", share * 100.0)
}

/// A progress bar on stderr, where that is a terminal.
pub fn bar(length: u64, what: &str) -> ProgressBar {
	let bar = ProgressBar::new(length).with_message(what.to_owned());
	match ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} {eta} {msg}") {
		Ok(style) => bar.with_style(style),
		Err(_) => bar,
	}
}

/// A progress bar for what has no known length.
pub fn spinner(what: &str) -> ProgressBar {
	let bar = ProgressBar::new_spinner().with_message(what.to_owned());
	bar.enable_steady_tick(Duration::from_millis(200));
	bar
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn percentiles_should_be_times_that_were_measured() {
		let times: Vec<Duration> = (1..=200).rev().map(Duration::from_millis).collect();
		let of = Percentiles::of(&times);

		assert_eq!((of.p50, of.p95, of.p99, of.greatest), (100.0, 190.0, 198.0, 200.0));
		assert_eq!(Percentiles::of(&[]), Percentiles::default());
	}

	#[test]
	fn a_figure_should_say_whether_its_aim_is_met() {
		assert_eq!(Figure::aimed("x", "1".into(), "below 2", true).aim, "below 2: PASS");
		assert_eq!(Figure::aimed("x", "3".into(), "below 2", false).aim, "below 2: FAIL");
	}
}
