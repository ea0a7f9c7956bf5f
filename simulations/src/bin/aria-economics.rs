//! Simulates the protocol's economics: supply, emission, burn, what workers earn, what an inference
//! costs beside its energy, and what each number does to that (`docs/economics.md`).

#![forbid(unsafe_code)]

use anyhow::{Context, Result};
use aria_simulations::{
	document,
	economics::{
		figures, report,
		study::{self, Study},
		Scenario,
	},
};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use std::{
	fs,
	path::{Path, PathBuf},
};

/// Simulates the economics era by era, with the arithmetic of the chain, in three scenarios of
/// adoption; then again with each number at its half and its double.
///
/// The same arguments give the same files, to the byte. What is assumed, and what the plots show, is
/// in docs/economics.md.
#[derive(Parser)]
#[command(name = "aria-economics", version)]
struct Args {
	/// Years from genesis on
	#[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100))]
	years: u32,

	/// Decides the sample of machines and the noise of demand
	#[arg(long, default_value_t = 1)]
	seed: u64,

	/// Folder for tables (CSV) and plots (SVG); made if it is missing
	#[arg(long, value_name = "DIR")]
	out: PathBuf,

	/// Only this scenario; may be given more than once [default: all of them]
	#[arg(long, value_enum)]
	scenario: Vec<Scenario>,

	/// Document whose places `<!-- economics:… -->` get the numbers; it speaks of all scenarios over
	/// ten years
	#[arg(long, value_name = "FILE", conflicts_with_all = ["scenario", "years"])]
	document: Option<PathBuf>,
}

fn main() -> Result<()> {
	let args = Args::parse();
	let mut scenarios = args.scenario;
	if scenarios.is_empty() {
		scenarios = Scenario::ALL.to_vec();
	}
	scenarios.sort_unstable();
	scenarios.dedup();
	// Before the minutes of computing, not after them.
	fs::create_dir_all(&args.out)
		.with_context(|| format!("the folder {} cannot be made", args.out.display()))?;
	let document = args.document.map(|path| read(&path).map(|text| (path, text))).transpose()?;

	let style = ProgressStyle::with_template("{bar:30} {pos}/{len} runs {elapsed} {msg}")
		.context("the progress bar's template is wrong")?;
	let bar = ProgressBar::new((scenarios.len() * study::runs()) as u64).with_style(style);
	let mut studies = Vec::with_capacity(scenarios.len());
	for scenario in scenarios {
		bar.set_message(scenario.name());
		studies.push(Study::run(scenario, args.years, args.seed, || bar.inc(1))?);
	}
	bar.finish_and_clear();

	for (name, content) in report::files(&studies).into_iter().chain(figures::files(&studies)) {
		write(&args.out.join(name), &content)?;
	}
	if let Some((path, text)) = document {
		let sections = report::sections(&studies, args.years, args.seed);
		let updated = document::update(&text, "economics", &sections)
			.with_context(|| format!("{} stays as it is", path.display()))?;
		write(&path, &updated)?;
	}
	println!("{}", report::summary(&studies));
	println!("Tables and plots are in {}.", args.out.display());
	Ok(())
}

fn read(path: &Path) -> Result<String> {
	fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
}

fn write(path: &Path, content: &str) -> Result<()> {
	fs::write(path, content).with_context(|| format!("{} cannot be written", path.display()))
}
