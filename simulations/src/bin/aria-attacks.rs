//! Plays attacks on the protocol: what they cost, what they gain, when they are caught
//! (`docs/security.md`).

#![forbid(unsafe_code)]

use anyhow::{Context, Result};
use aria_simulations::{
	attacks::{figures, lab::Lab, report},
	document,
};
use clap::Parser;
use std::{
	fs,
	path::{Path, PathBuf},
};

/// Plays each attack on the audit game, the rewards and the lottery many times, with the arithmetic of
/// the chain; then again without the defence that it is for.
///
/// The same arguments give the same files, to the byte.
#[derive(Parser)]
#[command(name = "aria-attacks", version)]
struct Args {
	/// How often each attack is played
	#[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
	trials: u32,

	/// Decides all chance
	#[arg(long, default_value_t = 1)]
	seed: u64,

	/// Folder for the table (CSV) and the plot (SVG); made if it is missing
	#[arg(long, value_name = "DIR")]
	out: PathBuf,

	/// Document whose places `<!-- attacks:… -->` get the tables
	#[arg(long, value_name = "FILE")]
	document: Option<PathBuf>,
}

fn main() -> Result<()> {
	let args = Args::parse();
	// Before the minutes of computing, not after them.
	fs::create_dir_all(&args.out)
		.with_context(|| format!("the folder {} cannot be made", args.out.display()))?;
	let document = args.document.map(|path| read(&path).map(|text| (path, text))).transpose()?;

	let lab = Lab::new(args.seed, args.trials);
	let attacks = lab.attacks();
	for (name, content) in report::files(&attacks).into_iter().chain(figures::files(&lab.setting)) {
		write(&args.out.join(name), &content)?;
	}
	if let Some((path, text)) = document {
		let updated = document::update(&text, "attacks", &report::sections(&lab, &attacks))
			.with_context(|| format!("{} stays as it is", path.display()))?;
		write(&path, &updated)?;
	}
	println!("{}", report::summary(&attacks));
	println!("Table and plot are in {}.", args.out.display());
	Ok(())
}

fn read(path: &Path) -> Result<String> {
	fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
}

fn write(path: &Path, content: &str) -> Result<()> {
	fs::write(path, content).with_context(|| format!("{} cannot be written", path.display()))
}
