//! Numbers about repeated measurements.

use serde::Serialize;

/// Mean, median and spread of some measurements.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Summary {
	/// Arithmetic mean.
	pub mean: f64,
	/// The middle one, or the mean of the middle two.
	pub median: f64,
	/// Standard deviation of the sample; 0 for a single measurement.
	pub deviation: f64,
	/// The smallest.
	pub least: f64,
	/// The greatest.
	pub greatest: f64,
}

impl Summary {
	/// Of at least one value; zeros of none.
	pub fn of(values: &[f64]) -> Self {
		let mut sorted = values.to_vec();
		sorted.sort_unstable_by(f64::total_cmp);
		let (Some(least), Some(greatest)) = (sorted.first(), sorted.last()) else {
			return Self { mean: 0.0, median: 0.0, deviation: 0.0, least: 0.0, greatest: 0.0 };
		};
		let count = sorted.len() as f64;
		let mean = sorted.iter().sum::<f64>() / count;
		let squares = sorted.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
		let deviation = if sorted.len() > 1 { (squares / (count - 1.0)).sqrt() } else { 0.0 };
		let middle = |index: usize| sorted.get(index).copied().unwrap_or(*least);
		let median = (middle((sorted.len() - 1) / 2) + middle(sorted.len() / 2)) / 2.0;
		Self { mean, median, deviation, least: *least, greatest: *greatest }
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn summary_should_be_that_of_the_textbook() {
		let summary = Summary::of(&[4.0, 1.0, 3.0, 2.0]);
		assert_eq!((summary.mean, summary.median), (2.5, 2.5));
		assert!((summary.deviation - (5.0f64 / 3.0).sqrt()).abs() < 1e-12);
		assert_eq!((summary.least, summary.greatest), (1.0, 4.0));
		assert_eq!(Summary::of(&[1.0, 9.0, 2.0]).median, 2.0);
		assert_eq!(Summary::of(&[7.0]).deviation, 0.0);
		assert_eq!(Summary::of(&[]).mean, 0.0);
	}
}
