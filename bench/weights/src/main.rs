//! Runs the benchmarks of a runtime and writes the pallets' weights (`docs/benchmarks.md`).
//!
//! | module | what it holds |
//! |---|---|
//! | `runtime` | the runtime in wasm: what it offers, one run of one benchmark |
//! | `points` | benchmarks, and the values at which they are measured |
//! | `line` | lines through measurements |
//! | `squares` | least squares without negative coefficients |
//! | `measure` | from a benchmark to a weight |
//! | `render` | a pallet's `weights.rs` |
//! | `host` | the machine's processor and date |
//!
//! Architecture invariant: this program knows no pallet. It takes a runtime as a file, so that the
//! workspace is never built with the feature `runtime-benchmarks`.

#![forbid(unsafe_code)]

mod host;
mod line;
mod measure;
mod points;
mod render;
mod runtime;
mod squares;

use crate::{
	measure::{measure, place, Names, Weight},
	points::Benchmark,
	render::Conditions,
	runtime::{Purpose, Runtime},
};
use anyhow::{bail, ensure, Context, Result};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use std::{
	collections::BTreeMap,
	fs,
	path::{Path, PathBuf},
};

/// Time above its line by which a weight is worth a remark, in percent.
const REMARKABLE: u64 = 15;

/// Runs the benchmarks of a runtime and writes the pallets' weights.
#[derive(Parser)]
struct Args {
	/// The runtime in wasm, built with the feature `runtime-benchmarks`
	#[arg(long)]
	runtime: PathBuf,

	/// One pallet, for example `consent-registry`, or `all`
	#[arg(long, default_value = "all")]
	pallet: String,

	/// Values of each component
	#[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(2..))]
	steps: u32,

	/// Repetitions at each value
	#[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
	repeat: u32,

	/// The folder with the pallets' folders
	#[arg(long, default_value = "pallets")]
	out: PathBuf,

	/// Run each benchmark once, where its components are greatest, and write nothing
	#[arg(long)]
	check: bool,
}

/// A pallet's crate with its benchmarks.
type Pallets = BTreeMap<String, Vec<Benchmark>>;

fn main() -> Result<()> {
	let args = Args::parse();
	host::print_errors();
	let runtime = Runtime::load(&args.runtime)?;
	let (list, storage) = runtime.metadata()?;
	let mut pallets = Pallets::new();
	for benchmark in list.into_iter().map(Benchmark::of).collect::<Result<Vec<_>>>()?.concat() {
		pallets.entry(benchmark.pallet.clone()).or_default().push(benchmark);
	}
	let pallets = select(pallets, &args.pallet)?;
	if args.check {
		check(&runtime, &pallets)
	} else {
		write(&runtime, &Names::new(&storage), &pallets, &args)
	}
}

/// The pallet with this name, which may lack its `pallet_` and have hyphens, or all.
fn select(mut pallets: Pallets, name: &str) -> Result<Pallets> {
	if name != "all" {
		let plain = name.replace('-', "_");
		let known: Vec<String> = pallets.keys().cloned().collect();
		pallets.retain(|pallet, _| {
			pallet == &plain || pallet.strip_prefix("pallet_") == Some(plain.as_str())
		});
		ensure!(
			!pallets.is_empty(),
			"the runtime has no benchmarks of {name}, only of {}",
			known.join(", ")
		);
	}
	ensure!(!pallets.is_empty(), "the runtime has no benchmarks");
	Ok(pallets)
}

fn check(runtime: &Runtime, pallets: &Pallets) -> Result<()> {
	let benchmarks: Vec<&Benchmark> = pallets.values().flatten().collect();
	let bar = progress(benchmarks.len())?;
	let mut failed = 0usize;
	for benchmark in &benchmarks {
		bar.set_message(format!("{}::{}", benchmark.pallet, benchmark.name));
		let point = benchmark.highest();
		if let Err(error) = runtime.run(benchmark, &point, Purpose::Verify) {
			failed += 1;
			let place = place(benchmark, &point);
			bar.suspend(|| eprintln!("{}::{place}: {error:#}", benchmark.pallet));
		}
		bar.inc(1);
	}
	bar.finish_and_clear();
	println!("benchmarks: {} run, {failed} failed", benchmarks.len());
	ensure!(failed == 0, "{failed} benchmarks failed: their errors are above");
	Ok(())
}

fn write(runtime: &Runtime, names: &Names, pallets: &Pallets, args: &Args) -> Result<()> {
	// What can't be written is better found before all is measured than after.
	let files: BTreeMap<&String, PathBuf> = pallets
		.keys()
		.map(|pallet| Ok((pallet, target(&args.out, pallet)?)))
		.collect::<Result<_>>()?;
	for (pallet, benchmarks) in pallets {
		ensure_complete(&files[pallet], benchmarks)?;
	}

	let conditions = Conditions {
		date: host::today(),
		cpu: host::cpu(),
		steps: args.steps,
		repeats: args.repeat,
	};
	let points = pallets.values().flatten().map(|benchmark| benchmark.points(args.steps).len());
	let points: usize = points.sum();
	let bar = progress(points * measure::visits(args.repeat))?;
	let mut failed = 0usize;
	for (pallet, benchmarks) in pallets {
		let mut weights = Vec::new();
		for benchmark in benchmarks {
			bar.set_message(format!("{pallet}::{}", benchmark.name));
			let done = || bar.inc(1);
			match measure(runtime, names, benchmark, args.steps, args.repeat, done) {
				Ok(weight) => {
					remark(&bar, pallet, &weight);
					weights.push(weight);
				}
				Err(error) => {
					failed += 1;
					bar.suspend(|| eprintln!("{pallet}::{}: {error:#}", benchmark.name));
				}
			}
		}
		if weights.len() == benchmarks.len() {
			let path = &files[pallet];
			sort(&mut weights, path);
			let text = render::file(pallet, &weights, &conditions).context("no text comes out")?;
			fs::write(path, text)
				.with_context(|| format!("{} cannot be written", path.display()))?;
			bar.suspend(|| println!("{}: {} weights", path.display(), weights.len()));
		}
	}
	bar.finish_and_clear();
	if failed > 0 {
		bail!(
			"{failed} benchmarks failed, their errors are above: the weights of their pallets are \
			 as they were"
		);
	}
	Ok(())
}

/// The file of a pallet's weights.
fn target(out: &Path, pallet: &str) -> Result<PathBuf> {
	let folder = pallet.strip_prefix("pallet_").unwrap_or(pallet).replace('_', "-");
	let path = out.join(folder).join("src").join("weights.rs");
	ensure!(
		path.parent().is_some_and(Path::is_dir),
		"{} is no folder: name the folder of the pallets with --out",
		path.parent().unwrap_or(&path).display()
	);
	Ok(path)
}

/// The functions of the weights that a pallet has so far.
fn existing(path: &Path) -> Vec<String> {
	render::functions(&fs::read_to_string(path).unwrap_or_default())
}

/// Whether there is a benchmark for every function that the pallet may call.
fn ensure_complete(path: &Path, benchmarks: &[Benchmark]) -> Result<()> {
	for function in existing(path) {
		ensure!(
			benchmarks.iter().any(|benchmark| benchmark.name == function),
			"WeightInfo::{function} of {} has no benchmark: write one, or remove the function",
			path.display()
		);
	}
	Ok(())
}

/// In the order of the file so far; what is new follows in the order of the benchmarks.
fn sort(weights: &mut [Weight], path: &Path) {
	let order = existing(path);
	weights.sort_by_key(|weight| {
		order.iter().position(|name| *name == weight.name).unwrap_or(order.len())
	});
}

fn remark(bar: &ProgressBar, pallet: &str, weight: &Weight) {
	let (name, excess) = (&weight.name, weight.excess_percent);
	if excess > REMARKABLE {
		bar.suspend(|| {
			println!(
				"{pallet}::{name} takes up to {excess} % more than its weight says: the machine is \
				 busy, or its time is no line"
			);
		});
	}
}

fn progress(length: usize) -> Result<ProgressBar> {
	let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} {msg}")
		.context("the progress bar's template is wrong")?;
	Ok(ProgressBar::new(u64::try_from(length)?).with_style(style))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	fn pallets() -> Pallets {
		["pallet_consent_registry", "pallet_verification"]
			.map(|name| (name.to_owned(), Vec::new()))
			.into()
	}

	#[test]
	fn a_pallet_should_be_found_under_each_of_its_names() {
		for name in ["pallet_consent_registry", "consent_registry", "consent-registry"] {
			let found: Vec<String> = select(pallets(), name).unwrap().into_keys().collect();
			assert_eq!(found, ["pallet_consent_registry"]);
		}
		assert_eq!(select(pallets(), "all").unwrap().len(), 2);
	}

	#[test]
	fn an_unknown_pallet_should_be_refused_with_those_that_exist() {
		let error = select(pallets(), "consent").unwrap_err().to_string();

		assert!(error.contains("pallet_verification"), "{error}");
	}
}
