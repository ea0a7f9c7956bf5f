//! Measures benchmarks and makes weights of what was measured.

use crate::{
	line::Line,
	points::{Benchmark, Component, Point},
	runtime::{Purpose, Runtime},
};
use anyhow::{ensure, Context, Result};
use frame_benchmarking::{BenchmarkResult, BenchmarkSelector};
use frame_support::traits::StorageInfo;
use std::{collections::BTreeMap, fmt::Write};

/// Bytes at the beginning of a key that name a pallet and its item.
const PREFIX: usize = 32;

/// The weight of a call or hook.
#[derive(Clone, Debug)]
pub struct Weight {
	/// Its name.
	pub name: String,
	/// What it depends on.
	pub components: Vec<Component>,
	/// Picoseconds, without the database.
	pub time: Line,
	/// Bytes of a proof of what was read.
	pub proof: Line,
	/// Keys that were read.
	pub reads: Line,
	/// Keys that were written.
	pub writes: Line,
	/// The shortest time measured, in nanoseconds.
	pub least_nanos: u128,
	/// By how many percent the median at some point exceeds [`Weight::time`], at worst.
	pub excess_percent: u64,
	/// The storage that was touched where the components are greatest.
	pub touched: Vec<Touched>,
}

impl Weight {
	/// Whether the component with this index matters.
	pub fn depends_on(&self, index: usize) -> bool {
		[&self.time, &self.proof, &self.reads, &self.writes]
			.iter()
			.any(|line| line.slopes.get(index).is_some_and(|slope| *slope > 0))
	}
}

/// An item of a pallet's storage, or a key of no pallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
	/// `Pallet::Item`.
	pub item: String,
	/// Different keys that were read.
	pub reads: u32,
	/// Different keys that were written.
	pub writes: u32,
}

/// `Pallet::Item` by the beginning of its keys.
pub struct Names(BTreeMap<Vec<u8>, String>);

impl Names {
	/// The names of what the runtime's pallets store.
	pub fn new(storage: &[StorageInfo]) -> Self {
		let name = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
		let named = storage.iter().map(|info| {
			let item = format!("{}::{}", name(&info.pallet_name), name(&info.storage_name));
			(info.prefix.clone(), item)
		});
		Self(named.collect())
	}

	/// The storage that a run touched, but for what every block touches anyway.
	fn touched(&self, result: &BenchmarkResult) -> Vec<Touched> {
		let own = result.keys.iter().filter(|(_, _, _, whitelisted)| !whitelisted);
		let mut touched: Vec<Touched> = own
			.map(|(key, reads, writes, _)| Touched {
				item: self.item(key),
				reads: *reads,
				writes: *writes,
			})
			.collect();
		touched.sort_by(|a, b| a.item.cmp(&b.item));
		touched
	}

	fn item(&self, key: &[u8]) -> String {
		let prefix = key.get(..PREFIX).unwrap_or(key);
		if let Some(name) = self.0.get(prefix) {
			return name.clone();
		}
		if key.iter().all(u8::is_ascii_graphic) {
			return String::from_utf8_lossy(key).into_owned();
		}
		key.iter().fold(String::from("0x"), |mut hex, byte| {
			// Writing into a string does not fail.
			let _ = write!(hex, "{byte:02x}");
			hex
		})
	}
}

/// Rounds in which the repetitions at all points are made.
const ROUNDS: u32 = 5;

/// The repetitions of each round.
fn rounds(repeats: u32) -> impl Iterator<Item = u32> {
	let all = repeats.clamp(1, ROUNDS);
	(0..all).map(move |round| repeats / all + u32::from(round < repeats % all))
}

/// How often [`measure`] calls `done` for each point.
pub fn visits(repeats: u32) -> usize {
	1 + rounds(repeats).count()
}

/// Measures a benchmark at all of its points, in rounds: a machine that others use too is slower for
/// minutes. Calls `done` after each point of each round, and once before for each.
pub fn measure(
	runtime: &Runtime,
	names: &Names,
	benchmark: &Benchmark,
	steps: u32,
	repeats: u32,
	mut done: impl FnMut(),
) -> Result<Weight> {
	let (mut times, mut counts) = (Vec::new(), Vec::new());
	// The first point is the one with the greatest components.
	let mut touched = None;
	let points = benchmark.points(steps);
	for point in &points {
		let at = || place(benchmark, point);
		runtime.run(benchmark, point, Purpose::Verify).with_context(at)?;
		let tracked = runtime.run(benchmark, point, Purpose::Track).with_context(at)?;
		if touched.is_none() {
			touched = tracked.first().map(|result| names.touched(result));
		}
		counts.extend(tracked.into_iter().map(without_keys));
		done();
	}
	for (round, repeats) in rounds(repeats).enumerate() {
		for index in 0..points.len() {
			// Back and forth, so that a machine that gets slower does not look like a slope.
			let index = if round % 2 == 0 { index } else { points.len() - 1 - index };
			let point = &points[index];
			let timed = runtime.run(benchmark, point, Purpose::Time(repeats));
			let timed = timed.with_context(|| place(benchmark, point))?;
			times.extend(timed.into_iter().map(without_keys));
			done();
		}
	}
	ensure!(
		!times.is_empty() && !counts.is_empty(),
		"{} skips every value of its components: it gives no weight",
		benchmark.name
	);
	let components = benchmark.components.clone();
	let count = |selector, of: fn(&BenchmarkResult) -> u32| {
		Line::of_count(&components, &counts, selector, of)
	};
	let time = Line::of_time(&components, &times)?;
	Ok(Weight {
		proof: count(BenchmarkSelector::ProofSize, |result| result.proof_size)?,
		reads: count(BenchmarkSelector::Reads, |result| result.reads)?,
		writes: count(BenchmarkSelector::Writes, |result| result.writes)?,
		least_nanos: times.iter().map(|result| result.extrinsic_time).min().unwrap_or(0),
		excess_percent: time.excess_percent(&times),
		time,
		name: benchmark.name.clone(),
		touched: touched.unwrap_or_default(),
		components,
	})
}

/// `name(n = 3, s = 1)`.
pub fn place(benchmark: &Benchmark, point: &Point) -> String {
	let values: Vec<String> =
		point.iter().map(|(letter, value)| format!("{letter} = {value}")).collect();
	format!("{}({})", benchmark.name, values.join(", "))
}

fn without_keys(mut result: BenchmarkResult) -> BenchmarkResult {
	result.keys = Vec::new();
	result
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn rounds_should_share_out_all_repetitions() {
		for repeats in 1..=23 {
			let each: Vec<u32> = rounds(repeats).collect();
			assert_eq!(each.iter().sum::<u32>(), repeats);
			assert!(each.iter().all(|part| *part >= 1) && each.len() <= ROUNDS as usize);
			assert_eq!(visits(repeats), each.len() + 1);
		}
	}

	#[test]
	fn storage_should_be_named_where_a_pallet_owns_it() {
		let prefix = vec![7; PREFIX];
		let names = Names::new(&[StorageInfo {
			pallet_name: b"System".to_vec(),
			storage_name: b"Account".to_vec(),
			prefix: prefix.clone(),
			max_values: None,
			max_size: None,
		}]);
		let mut key = prefix;
		key.extend([1, 2, 3]);
		let keys = vec![
			(key, 2, 1, false),
			(b":code".to_vec(), 1, 0, false),
			(vec![0xab, 0xff], 0, 1, false),
			(b"ignored".to_vec(), 1, 1, true),
		];

		let touched = names.touched(&BenchmarkResult { keys, ..Default::default() });

		let items: Vec<_> = touched.iter().map(|entry| entry.item.as_str()).collect();
		assert_eq!(items, ["0xabff", ":code", "System::Account"]);
		assert_eq!((touched[2].reads, touched[2].writes), (2, 1));
	}
}
