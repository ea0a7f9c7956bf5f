//! Lines through measurements: a constant, and a slope for each component.

use crate::{points::Component, squares::non_negative};
use anyhow::{Context, Result};
use frame_benchmarking::{Analysis, BenchmarkResult, BenchmarkSelector};
use std::{collections::BTreeMap, iter};

/// `base + Σ slope × component`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
	/// The part that depends on nothing.
	pub base: u64,
	/// For each component in order; 0 where it does not matter.
	pub slopes: Vec<u64>,
}

impl Line {
	/// The value at the point of a result.
	pub fn at(&self, result: &BenchmarkResult) -> u64 {
		self.through(result.components.iter().map(|(_, value)| *value))
	}

	fn through(&self, point: impl Iterator<Item = u32>) -> u64 {
		let terms = self.slopes.iter().zip(point);
		terms.fold(self.base, |sum, (slope, value)| {
			sum.saturating_add(slope.saturating_mul(u64::from(value)))
		})
	}

	/// Picoseconds, by least squares over the median of each point's repetitions, without negative
	/// coefficients, and so that the point with the least does not lie above. (`Analysis::min_squares_iqr` takes the least time of all as the base where its
	/// line would begin below zero, and with that makes a call that is not at its greatest dearer by
	/// half.)
	pub fn of_time(components: &[Component], results: &[BenchmarkResult]) -> Result<Self> {
		let medians = medians(results);
		let samples: Vec<(Vec<f64>, f64)> = medians
			.iter()
			.map(|(point, time)| {
				let varying = components.iter().zip(point).map(|(component, value)| {
					// What never varies would be one with the base.
					if component.low < component.high {
						f64::from(*value)
					} else {
						0.0
					}
				});
				(iter::once(1.0).chain(varying).collect(), *time as f64)
			})
			.collect();
		let found = non_negative(&samples).context("no line goes through the measurements")?;
		// Rounded up; no time is near 2^64 ps, which are half a year.
		let mut rounded = found.into_iter().map(|value| value.ceil() as u64);
		let mut line = Self { base: rounded.next().unwrap_or(0), slopes: rounded.collect() };
		// Large points weigh most in a sum of squares: the smallest is not to be underpriced for that.
		if let Some((point, time)) = medians.iter().min_by_key(|(_, time)| **time) {
			let missing = time.saturating_sub(line.through(point.iter().copied()).into());
			line.base = line.base.saturating_add(u64::try_from(missing).unwrap_or(u64::MAX));
		}
		Ok(line)
	}

	/// What can be counted exactly (reads, writes, bytes of a proof): a line on which or below which
	/// every result lies.
	pub fn of_count(
		components: &[Component],
		results: &[BenchmarkResult],
		selector: BenchmarkSelector,
		count: impl Fn(&BenchmarkResult) -> u32,
	) -> Result<Self> {
		let mut line = fit(components, results, selector, Analysis::max)?;
		let missing =
			results.iter().map(|result| u64::from(count(result)).saturating_sub(line.at(result)));
		line.base = line.base.saturating_add(missing.max().unwrap_or(0));
		Ok(line)
	}

	/// By how many percent the median of a point exceeds this line of picoseconds, at worst.
	pub fn excess_percent(&self, results: &[BenchmarkResult]) -> u64 {
		let worst = medians(results).into_iter().filter_map(|(point, median)| {
			let line = u128::from(self.through(point.iter().copied()));
			median.saturating_sub(line).saturating_mul(100).checked_div(line)
		});
		u64::try_from(worst.max().unwrap_or(0)).unwrap_or(u64::MAX)
	}
}

/// The median of the times at each point, in picoseconds.
fn medians(results: &[BenchmarkResult]) -> BTreeMap<Vec<u32>, u128> {
	let mut by_point: BTreeMap<Vec<u32>, Vec<u128>> = BTreeMap::new();
	for result in results {
		let point = result.components.iter().map(|(_, value)| *value).collect();
		by_point.entry(point).or_default().push(result.extrinsic_time.saturating_mul(1_000));
	}
	let median = |mut times: Vec<u128>| {
		times.sort_unstable();
		times.get(times.len() / 2).copied()
	};
	by_point.into_iter().filter_map(|(point, times)| Some((point, median(times)?))).collect()
}

type Method = fn(&Vec<BenchmarkResult>, BenchmarkSelector) -> Result<Analysis>;

/// Fits a line. Components that never vary have no slope, and would leave the equations without a
/// solution.
fn fit(
	components: &[Component],
	results: &[BenchmarkResult],
	selector: BenchmarkSelector,
	method: Method,
) -> Result<Line> {
	let varies: Vec<bool> =
		components.iter().map(|component| component.low < component.high).collect();
	let reduced: Vec<BenchmarkResult> = results
		.iter()
		.map(|result| {
			let kept = result.components.iter().zip(&varies).filter(|(_, varies)| **varies);
			BenchmarkResult {
				components: kept.map(|(component, _)| *component).collect(),
				keys: Vec::new(),
				..*result
			}
		})
		.collect();
	let analysis = method(&reduced, selector)
		.or_else(|_| Analysis::median_slopes(&reduced, selector))
		.context("no line goes through the measurements")?;
	let mut fitted = analysis.slopes.iter();
	let slopes = varies
		.iter()
		.map(|varies| if *varies { fitted.next().map_or(0, |slope| clamp(*slope)) } else { 0 })
		.collect();
	Ok(Line { base: clamp(analysis.base), slopes })
}

fn clamp(value: u128) -> u64 {
	u64::try_from(value).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use frame_benchmarking::BenchmarkParameter::{k, n};

	fn result(at: &[u32], nanoseconds: u128, reads: u32) -> BenchmarkResult {
		BenchmarkResult {
			components: [k, n].into_iter().zip(at.iter().copied()).collect(),
			extrinsic_time: nanoseconds,
			reads,
			..Default::default()
		}
	}

	fn component(letter: frame_benchmarking::BenchmarkParameter, low: u32, high: u32) -> Component {
		Component { letter, low, high }
	}

	#[test]
	fn a_line_should_go_through_points_on_a_line() {
		let components = [component(k, 1, 4), component(n, 0, 8)];
		let results: Vec<_> = [(1, 8), (2, 8), (4, 8), (4, 0), (4, 4)]
			.map(|(first, second)| {
				result(&[first, second], u128::from(500 + 30 * first + 7 * second), 2 + first)
			})
			.to_vec();

		let time = Line::of_time(&components, &results).unwrap();
		let reads = Line::of_count(&components, &results, BenchmarkSelector::Reads, |r| r.reads);

		assert!(time.base.abs_diff(500_000) < 10, "{time:?}");
		assert!(time.slopes[0].abs_diff(30_000) < 10, "{time:?}");
		assert!(time.slopes[1].abs_diff(7_000) < 10, "{time:?}");
		assert_eq!(reads.unwrap(), Line { base: 2, slopes: vec![1, 0] });
		assert_eq!(time.excess_percent(&results), 0);
	}

	#[test]
	fn the_least_time_should_not_lie_above_a_line_that_begins_at_zero() {
		let components = [component(k, 1, 1_000)];
		let results: Vec<_> = [(1, 60), (500, 10_000), (1_000, 22_000)]
			.map(|(value, time)| result(&[value], time, 0))
			.to_vec();

		let time = Line::of_time(&components, &results).unwrap();

		assert!(time.at(&results[0]) >= 60_000, "{time:?}");
		assert!(time.at(&results[2]).abs_diff(22_000_000) < 1_500_000, "{time:?}");
	}

	#[test]
	fn no_count_should_lie_above_its_line() {
		let components = [component(k, 0, 9)];
		let results: Vec<_> =
			(0..10).map(|value| result(&[value], 1, if value < 5 { 3 } else { 7 })).collect();

		let reads =
			Line::of_count(&components, &results, BenchmarkSelector::Reads, |r| r.reads).unwrap();

		assert!(results.iter().all(|r| u64::from(r.reads) <= reads.at(r)), "{reads:?}");
	}

	#[test]
	fn a_component_that_does_not_vary_should_have_no_slope() {
		let components = [component(k, 3, 3), component(n, 0, 2)];
		let results: Vec<_> = (0..3).map(|value| result(&[3, value], 100, 1 + value)).collect();

		let reads = Line::of_count(&components, &results, BenchmarkSelector::Reads, |r| r.reads);

		assert_eq!(reads.unwrap(), Line { base: 1, slopes: vec![0, 1] });
	}

	#[test]
	fn excess_should_be_that_of_the_worst_point() {
		let line = Line { base: 100_000, slopes: vec![0] };
		let results = [result(&[1], 90, 0), result(&[2], 150, 0)];

		assert_eq!(line.excess_percent(&results), 50);
	}
}
