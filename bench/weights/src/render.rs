//! A pallet's `weights.rs`.

use crate::{line::Line, measure::Weight};
use std::fmt::{Error, Write};

/// What was measured where.
#[derive(Clone, Debug)]
pub struct Conditions {
	/// The day, `YYYY-MM-DD`.
	pub date: String,
	/// The processor's model.
	pub cpu: String,
	/// Values of each component.
	pub steps: u32,
	/// Repetitions at each value.
	pub repeats: u32,
}

/// The functions of the trait `WeightInfo` of a `weights.rs`, in order.
pub fn functions(source: &str) -> Vec<String> {
	source
		.lines()
		.skip_while(|line| !line.starts_with("pub trait WeightInfo"))
		.take_while(|line| !line.starts_with('}'))
		.filter_map(|line| line.trim().strip_prefix("fn "))
		.filter_map(|rest| rest.split_once('('))
		.map(|(name, _)| name.to_owned())
		.collect()
}

/// The file for a pallet's crate, for example `pallet_consent_registry`.
pub fn file(pallet: &str, weights: &[Weight], conditions: &Conditions) -> Result<String, Error> {
	let mut text = String::new();
	head(&mut text, pallet, conditions)?;

	writeln!(text, "/// Weight functions needed for `{pallet}`.")?;
	writeln!(text, "pub trait WeightInfo {{")?;
	for weight in weights {
		writeln!(text, "\t{};", signature(weight, |_| true))?;
	}
	writeln!(text, "}}\n")?;

	writeln!(text, "/// Weights of `{pallet}` with the database weights of the runtime.")?;
	writeln!(text, "pub struct SubstrateWeight<T>(PhantomData<T>);")?;
	writeln!(text, "impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {{")?;
	for weight in weights {
		documentation(&mut text, weight)?;
		body(&mut text, weight, "T::DbWeight")?;
	}
	writeln!(text, "}}\n")?;

	writeln!(text, "// For tests.")?;
	writeln!(text, "impl WeightInfo for () {{")?;
	for weight in weights {
		body(&mut text, weight, "RocksDbWeight")?;
	}
	writeln!(text, "}}")?;
	Ok(text)
}

fn head(text: &mut String, pallet: &str, conditions: &Conditions) -> Result<(), Error> {
	let Conditions { date, cpu, steps, repeats } = conditions;
	writeln!(text, "//! Weights of `{pallet}`, written by `make weights`.")?;
	writeln!(text, "//!")?;
	writeln!(
		text,
		"//! Measured on {date} on {cpu}: the runtime in wasm over a database in memory,"
	)?;
	writeln!(text, "//! {steps} steps of each component with the others at their greatest,")?;
	writeln!(
		text,
		"//! {repeats} repetitions of each. Time by least squares; reads, writes and bytes"
	)?;
	writeln!(text, "//! of proof by the line on which or below which all that was counted lies.")?;
	writeln!(text)?;
	writeln!(text, "#![cfg_attr(rustfmt, rustfmt_skip)]")?;
	for lint in ["unused_parens", "unused_imports", "missing_docs", "dead_code"] {
		writeln!(text, "#![allow({lint})]")?;
	}
	writeln!(text)?;
	writeln!(text, "use core::marker::PhantomData;")?;
	writeln!(
		text,
		"use frame_support::{{traits::Get, weights::{{Weight, constants::RocksDbWeight}}}};\n"
	)
}

/// `fn name(a: u32, _b: u32, ) -> Weight`, with an underscore before what is not used.
fn signature(weight: &Weight, used: impl Fn(usize) -> bool) -> String {
	let parameters: String = weight
		.components
		.iter()
		.enumerate()
		.map(|(index, component)| {
			let mark = if used(index) { "" } else { "_" };
			format!("{mark}{}: u32, ", component.letter)
		})
		.collect();
	format!("fn {}({parameters}) -> Weight", weight.name)
}

fn documentation(text: &mut String, weight: &Weight) -> Result<(), Error> {
	let Weight { least_nanos, touched, .. } = weight;
	let (whole, tenth) = (least_nanos / 1_000, least_nanos % 1_000 / 100);
	writeln!(text, "\t/// Takes {whole}.{tenth} µs at least.")?;
	for component in &weight.components {
		let (letter, low, high) = (component.letter, component.low, component.high);
		writeln!(text, "\t///")?;
		writeln!(text, "\t/// The range of component `{letter}` is `[{low}, {high}]`.")?;
	}
	if !touched.is_empty() {
		let at = if weight.components.is_empty() { "" } else { " with the greatest components" };
		writeln!(text, "\t///")?;
		writeln!(text, "\t/// Keys read and written{at}:")?;
	}
	for entry in touched {
		let (item, reads, writes) = (&entry.item, entry.reads, entry.writes);
		writeln!(text, "\t/// - `{item}` (r:{reads} w:{writes})")?;
	}
	Ok(())
}

fn body(text: &mut String, weight: &Weight, database: &str) -> Result<(), Error> {
	let letters: Vec<String> =
		weight.components.iter().map(|component| component.letter.to_string()).collect();
	let slopes = |line: &Line| -> Vec<(String, u64)> {
		let pairs = letters.iter().cloned().zip(line.slopes.iter().copied());
		pairs.filter(|(_, slope)| *slope > 0).collect()
	};
	let (time, proof) = (grouped(weight.time.base), grouped(weight.proof.base));
	writeln!(text, "\t{} {{", signature(weight, |index| weight.depends_on(index)))?;
	write!(text, "\t\tWeight::from_parts({time}, {proof})")?;
	for (letter, slope) in slopes(&weight.time) {
		add(text, &format!("Weight::from_parts({}, 0)", grouped(slope)), &letter)?;
	}
	for (kind, line) in [("reads", &weight.reads), ("writes", &weight.writes)] {
		let call = format!("{database}::get().{kind}");
		if line.base > 0 {
			write!(text, "\n\t\t\t.saturating_add({call}({}_u64))", line.base)?;
		}
		for (letter, slope) in slopes(line) {
			let times = format!("({slope}_u64).saturating_mul({letter}.into())");
			write!(text, "\n\t\t\t.saturating_add({call}({times}))")?;
		}
	}
	for (letter, slope) in slopes(&weight.proof) {
		add(text, &format!("Weight::from_parts(0, {})", grouped(slope)), &letter)?;
	}
	writeln!(text, "\n\t}}")
}

fn add(text: &mut String, each: &str, letter: &str) -> Result<(), Error> {
	write!(text, "\n\t\t\t.saturating_add({each}.saturating_mul({letter}.into()))")
}

/// `12_345_678`.
fn grouped(value: u64) -> String {
	let digits = value.to_string();
	let mut text = String::new();
	for (index, digit) in digits.chars().enumerate() {
		if index > 0 && (digits.len() - index).is_multiple_of(3) {
			text.push('_');
		}
		text.push(digit);
	}
	text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::{measure::Touched, points::Component};
	use frame_benchmarking::BenchmarkParameter;

	fn line(base: u64, slopes: &[u64]) -> Line {
		Line { base, slopes: slopes.to_vec() }
	}

	fn weight() -> Weight {
		let component = |letter| Component { letter, low: 1, high: 32 };
		Weight {
			name: "prune".into(),
			components: vec![component(BenchmarkParameter::k), component(BenchmarkParameter::v)],
			time: line(70_000_000, &[0, 4_000_001]),
			proof: line(7_500, &[0, 2_700]),
			reads: line(4, &[0, 1]),
			writes: line(0, &[0, 1]),
			least_nanos: 70_990,
			excess_percent: 0,
			touched: vec![Touched { item: "System::Account".into(), reads: 1, writes: 1 }],
		}
	}

	#[test]
	fn a_function_should_add_what_its_components_cost() {
		let mut text = String::new();
		body(&mut text, &weight(), "T::DbWeight").unwrap();

		let expected = "\tfn prune(_k: u32, v: u32, ) -> Weight {
		Weight::from_parts(70_000_000, 7_500)
			.saturating_add(Weight::from_parts(4_000_001, 0).saturating_mul(v.into()))
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(v.into())))
			.saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(v.into())))
			.saturating_add(Weight::from_parts(0, 2_700).saturating_mul(v.into()))
	}
";
		assert_eq!(text, expected);
	}

	#[test]
	fn the_functions_of_a_file_should_be_those_that_were_written() {
		let conditions = Conditions {
			date: "2025-06-15".into(),
			cpu: "a processor".into(),
			steps: 20,
			repeats: 10,
		};
		let mut other = weight();
		other.name = "settle".into();
		let text = file("pallet_a", &[other, weight()], &conditions).unwrap();

		assert_eq!(functions(&text), ["settle", "prune"]);
		assert!(text.contains("\tfn prune(k: u32, v: u32, ) -> Weight;"));
		assert!(text.contains("/// Takes 70.9 µs at least."));
		assert!(text.contains("/// - `System::Account` (r:1 w:1)"));
	}

	#[test]
	fn digits_should_be_grouped_by_three() {
		assert_eq!(grouped(0), "0");
		assert_eq!(grouped(999), "999");
		assert_eq!(grouped(1_000), "1_000");
		assert_eq!(grouped(12_345_678), "12_345_678");
	}
}
