//! Measures settled records a second, in execution and import, what binds, and whether the heaviest
//! blocks that the weights allow execute in time (`docs/benchmarks.md`).
//!
//! | module | what it holds |
//! |---|---|
//! | `chain` | a client over parity-db with the runtime in wasm |
//! | `draft` | a block that is being filled, and what came of it |
//! | `world` | accounts, models, and the calls that register them |
//! | `records` | settlements and batches |
//! | `load` | what blocks are filled with, and filling them |
//! | `measure` | execution and import with a stopwatch |
//! | `audits` | the same while records are drawn and audits begin (`docs/benchmarks-trust.md`) |
//! | `report` | a table, and JSON |

#![forbid(unsafe_code)]

mod audits;
mod chain;
mod draft;
mod load;
mod measure;
mod records;
mod report;
mod world;

use crate::{chain::Chain, load::Load, measure::Limits, report::Report, world::World};
use anyhow::{ensure, Context, Result};
use aria_primitives::record::MAX_STAGES;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::{
	env, fs,
	path::{Path, PathBuf},
};

/// Measures settled records a second, and how long the heaviest blocks take.
#[derive(Parser)]
struct Args {
	/// Executions of each block
	#[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
	runs: u32,

	// All of them lie in one epoch, which settles no more records than it can draw.
	/// Blocks of each import
	#[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=20))]
	blocks: u32,

	/// Where the databases are made, in folders that are removed afterwards [default: the
	/// temporary folder]
	#[arg(long)]
	place: Option<PathBuf>,

	/// Where the report is written as JSON, besides the table
	#[arg(long)]
	json: Option<PathBuf>,

	/// Measure settlement without draws, at the reputation floor, and with every record drawn, and
	/// nothing else; in at most three blocks each
	#[arg(long)]
	audits: bool,
}

/// The loads that are imported.
const IMPORTED: [Load; 2] = [Load::Settle(1), Load::SettleBatch(1)];

fn main() -> Result<()> {
	let args = Args::parse();
	let place = args.place.unwrap_or_else(env::temp_dir);
	if args.audits {
		let blocks = args.blocks.min(audits::MOST_BLOCKS);
		return beside_audits(args.runs, blocks, &place, args.json.as_deref());
	}
	let loads = Load::SETTLING.len() + Load::HEAVY.len() + IMPORTED.len() * args.blocks as usize;
	let bar = progress(loads as u64)?;

	bar.set_message("registering");
	let mut chain = Chain::new(&place)?;
	let mut world = World::set_up(&mut chain, MAX_STAGES).context("the world cannot be set up")?;
	// Of newcomers' records, no more is settled than audits have room for.
	audits::raise_reputations(&mut chain, &world)?;
	let signature = measure::signature()?;

	let mut execute = |loads: &[Load]| {
		let each = loads.iter().map(|load| {
			bar.set_message(load.name());
			let runs = args.runs as usize;
			let execution = measure::execution(&chain, &mut world, *load, runs, signature);
			bar.inc(1);
			execution.with_context(|| load.name())
		});
		each.collect::<Result<Vec<_>>>()
	};
	let settling = execute(&Load::SETTLING)?;
	let heavy = execute(&Load::HEAVY)?;

	let mut imports = Vec::new();
	for load in IMPORTED {
		bar.set_message(format!("import: {}", load.name()));
		let done = || bar.inc(1);
		let import = measure::import(&mut chain, &mut world, load, args.blocks, &place, done);
		imports.push(import.with_context(|| load.name())?);
	}
	bar.finish_and_clear();

	let micros = signature.as_secs_f64() * 1e6;
	let report = Report::new(Limits::of_runtime(), micros, settling, heavy, imports);
	println!("{}", report.text());
	write(args.json.as_deref(), &report)?;
	ensure!(report.passed, "a block takes longer than it may: its weight is too low");
	Ok(())
}

fn beside_audits(runs: u32, blocks: u32, place: &Path, json: Option<&Path>) -> Result<()> {
	let bar = progress(audits::steps(blocks))?;
	let report = audits::measure(runs as usize, blocks, place, &bar)?;
	bar.finish_and_clear();
	println!("{}", report.text());
	write(json, &report)
}

fn progress(length: u64) -> Result<ProgressBar> {
	let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} {msg}")
		.context("the progress bar's template is wrong")?;
	Ok(ProgressBar::new(length).with_style(style))
}

fn write(path: Option<&Path>, report: &impl Serialize) -> Result<()> {
	let Some(path) = path else { return Ok(()) };
	let json = serde_json::to_string_pretty(report)?;
	fs::write(path, json).with_context(|| format!("{} cannot be written", path.display()))
}
