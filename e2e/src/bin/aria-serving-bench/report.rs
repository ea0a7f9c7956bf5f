//! Summaries, tables, and what a measurement comes to.

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::Value;

/// What a measurement comes to.
pub struct Section {
	/// For people: tables in Markdown, and sentences.
	pub text: String,
	/// The same for machines.
	pub json: Value,
	/// What did not come out as it has to.
	pub failures: Vec<String>,
}

/// Repeated measurements of one thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
	/// The middle one, or the mean of the middle two.
	pub median: f64,
	/// The smallest.
	pub least: f64,
	/// The greatest.
	pub greatest: f64,
	/// How many.
	pub count: usize,
}

impl Summary {
	/// Of these values; zeros of none.
	pub fn of(values: &[f64]) -> Self {
		let sorted = sorted(values);
		let (Some(least), Some(greatest)) = (sorted.first(), sorted.last()) else {
			return Self::default();
		};
		let count = sorted.len();
		let at = |index: usize| sorted.get(index).copied().unwrap_or(*least);
		let median = (at((count - 1) / 2) + at(count / 2)) / 2.0;
		Self { median, least: *least, greatest: *greatest, count }
	}

	/// `median (least to greatest)` with so many decimals, all times `scale`.
	pub fn shown(&self, decimals: usize, scale: f64) -> String {
		let [median, least, greatest] =
			[self.median, self.least, self.greatest].map(|value| value * scale);
		format!("{median:.decimals$} ({least:.decimals$} to {greatest:.decimals$})")
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
	/// Of these values by nearest rank; zeros of none.
	pub fn of(values: &[f64]) -> Self {
		let sorted = sorted(values);
		let count = sorted.len();
		let at = |percent: usize| {
			let rank = count.saturating_mul(percent).div_ceil(100).saturating_sub(1);
			sorted.get(rank).copied().unwrap_or_default()
		};
		Self { p50: at(50), p95: at(95), p99: at(99), greatest: at(100), count }
	}
}

fn sorted(values: &[f64]) -> Vec<f64> {
	let mut sorted = values.to_vec();
	sorted.sort_unstable_by(f64::total_cmp);
	sorted
}

/// A table in Markdown; the first column is text, the others are aligned as numbers.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
	let head: Vec<String> = head.iter().map(|title| (*title).to_owned()).collect();
	let width = |column: usize| {
		let cells = std::iter::once(&head).chain(rows).filter_map(|row| row.get(column));
		cells.map(|cell| cell.chars().count()).max().unwrap_or(0).max(2)
	};
	let widths: Vec<usize> = (0..head.len()).map(width).collect();
	let line = |row: &Vec<String>| {
		let cells = widths.iter().enumerate().map(|(column, width)| {
			let cell = row.get(column).map(String::as_str).unwrap_or_default();
			let width = *width;
			if column == 0 {
				format!("{cell:<width$}")
			} else {
				format!("{cell:>width$}")
			}
		});
		format!("| {} |", cells.collect::<Vec<_>>().join(" | "))
	};
	let rule = widths.iter().enumerate().map(|(column, width)| match column {
		0 => "-".repeat(*width),
		_ => format!("{}:", "-".repeat(width.saturating_sub(1))),
	});
	let rule = format!("| {} |", rule.collect::<Vec<_>>().join(" | "));
	let mut lines = vec![line(&head), rule];
	lines.extend(rows.iter().map(line));
	lines.join("\n")
}

/// `PASS` or `FAIL`.
pub fn verdict(passed: bool) -> &'static str {
	if passed {
		"PASS"
	} else {
		"FAIL"
	}
}

/// A progress bar on stderr, where that is a terminal.
pub fn bar(length: u64, what: &str) -> ProgressBar {
	let bar = ProgressBar::new(length).with_message(what.to_owned());
	match ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} {msg}") {
		Ok(style) => bar.with_style(style),
		Err(_) => bar,
	}
}

/// A progress bar for what has no known length.
pub fn spinner(what: &str) -> ProgressBar {
	let bar = ProgressBar::new_spinner().with_message(what.to_owned());
	bar.enable_steady_tick(std::time::Duration::from_millis(200));
	bar
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_summary_should_be_that_of_the_textbook() {
		let summary = Summary::of(&[4.0, 1.0, 3.0, 2.0]);

		assert_eq!((summary.median, summary.least, summary.greatest), (2.5, 1.0, 4.0));
		assert_eq!(Summary::of(&[1.0, 9.0, 2.0]).median, 2.0);
		assert_eq!(Summary::of(&[]), Summary::default());
		assert_eq!(Summary::of(&[0.5]).shown(1, 100.0), "50.0 (50.0 to 50.0)");
	}

	#[test]
	fn percentiles_should_be_values_that_were_measured() {
		let values: Vec<f64> = (1..=200).rev().map(f64::from).collect();
		let of = Percentiles::of(&values);

		assert_eq!((of.p50, of.p95, of.p99, of.greatest), (100.0, 190.0, 198.0, 200.0));
		let one = Percentiles::of(&[7.0]);
		assert_eq!((one.p50, one.p99, one.greatest, one.count), (7.0, 7.0, 7.0, 1));
		assert_eq!(Percentiles::of(&[]), Percentiles::default());
	}

	#[test]
	fn columns_should_be_as_wide_as_their_widest_cell() {
		let text = table(&["what", "ms"], &[vec!["a".to_owned(), "1234".to_owned()]]);

		assert_eq!(text, "| what |   ms |\n| ---- | ---: |\n| a    | 1234 |");
	}
}
