//! Benchmarks, and the values of their components at which they are measured.

use anyhow::{Context, Result};
use frame_benchmarking::{BenchmarkList, BenchmarkParameter};

/// A value for each component.
pub type Point = Vec<(BenchmarkParameter, u32)>;

/// Something that a call's weight depends on, for example a number of items.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Component {
	/// How the benchmark calls it.
	pub letter: BenchmarkParameter,
	/// Least value.
	pub low: u32,
	/// Greatest value.
	pub high: u32,
}

/// A benchmark of a pallet.
#[derive(Clone, Debug)]
pub struct Benchmark {
	/// The pallet's crate, for example `pallet_consent_registry`.
	pub pallet: String,
	/// The pallet's name in the runtime.
	pub instance: String,
	/// The call or hook that it measures.
	pub name: String,
	/// What its weight depends on, in order.
	pub components: Vec<Component>,
}

impl Benchmark {
	/// The benchmarks of one pallet as a runtime lists them.
	pub fn of(list: BenchmarkList) -> Result<Vec<Self>> {
		let text = |bytes: Vec<u8>| String::from_utf8(bytes).context("a name is not UTF-8");
		let (pallet, instance) = (text(list.pallet)?, text(list.instance)?);
		list.benchmarks
			.into_iter()
			.map(|benchmark| {
				let components = benchmark.components.into_iter();
				Ok(Self {
					pallet: pallet.clone(),
					instance: instance.clone(),
					name: text(benchmark.name)?,
					components: components
						.map(|(letter, low, high)| Component { letter, low, high })
						.collect(),
				})
			})
			.collect()
	}

	/// Where each component is greatest.
	pub fn highest(&self) -> Point {
		self.components.iter().map(|component| (component.letter, component.high)).collect()
	}

	/// Each component in turn in up to `steps` steps from its least to its greatest value, the
	/// others at their greatest. No point twice.
	pub fn points(&self, steps: u32) -> Vec<Point> {
		let mut points = vec![self.highest()];
		for (index, component) in self.components.iter().enumerate() {
			for value in values(component, steps) {
				let mut point = self.highest();
				point[index].1 = value;
				if !points.contains(&point) {
					points.push(point);
				}
			}
		}
		points
	}
}

/// Values at equal distances, both ends among them; `steps` is at least 2.
fn values(component: &Component, steps: u32) -> impl Iterator<Item = u32> {
	let low = component.low;
	let range = u64::from(component.high.saturating_sub(low));
	let last = steps.max(2) - 1;
	(0..=last).map(move |step| {
		let offset = range * u64::from(step) / u64::from(last);
		low + u32::try_from(offset).unwrap_or(u32::MAX)
	})
}

#[cfg(test)]
mod tests {
	use super::*;

	fn benchmark(components: &[(BenchmarkParameter, u32, u32)]) -> Benchmark {
		Benchmark {
			pallet: "pallet_a".into(),
			instance: "A".into(),
			name: "call".into(),
			components: components
				.iter()
				.map(|(letter, low, high)| Component { letter: *letter, low: *low, high: *high })
				.collect(),
		}
	}

	#[test]
	fn a_benchmark_without_components_should_have_one_point() {
		assert_eq!(benchmark(&[]).points(20), vec![Vec::new()]);
	}

	#[test]
	fn points_should_vary_one_component_with_the_others_at_their_greatest() {
		use BenchmarkParameter::{k, n};
		let points = benchmark(&[(k, 32, 64), (n, 1, 3)]).points(3);

		assert_eq!(
			points,
			[
				[(k, 64), (n, 3)],
				[(k, 32), (n, 3)],
				[(k, 48), (n, 3)],
				[(k, 64), (n, 1)],
				[(k, 64), (n, 2)],
			]
		);
	}

	#[test]
	fn values_should_include_both_ends_of_the_widest_range() {
		let component = Component { letter: BenchmarkParameter::a, low: 0, high: u32::MAX };
		let values: Vec<u32> = values(&component, 20).collect();

		assert_eq!((values.first(), values.last()), (Some(&0), Some(&u32::MAX)));
		assert_eq!(values.len(), 20);
	}
}
