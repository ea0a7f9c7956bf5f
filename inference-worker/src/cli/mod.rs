//! The command line.
//!
//! | module | command |
//! |---|---|
//! | `generate` | `aria-worker generate` |
//! | `bench`, with `probe`, `memory`, `statistics` | `aria-worker bench` |
//! | `model`, with `random` and `eval` | `aria-worker model …` |
//! | `common`, `find`, `sampling` | what several of them take |
//!
//! Answers and results go to stdout, everything else to stderr.

/// As `println!`, but what stdout refuses is an error, of a function that gives a `Result`.
macro_rules! say {
	($($text:tt)*) => {{
		use std::io::Write as _;
		writeln!(std::io::stdout(), $($text)*)?;
	}};
}

mod bench;
mod card;
mod common;
mod eval;
mod find;
mod generate;
mod memory;
mod model;
mod probe;
mod random;
mod sampling;
mod statistics;

use anyhow::Result;
use clap::{ArgAction, Parser, Subcommand};
use tracing::level_filters::LevelFilter;

/// Runs ternary language models, the same bits on every machine.
#[derive(Parser)]
#[command(version, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
	/// Say more on stderr: -v for what is done, -vv for details
	#[arg(short, long, global = true, action = ArgAction::Count)]
	pub verbose: u8,

	#[command(subcommand)]
	command: Command,
}

// What a command does is said at its arguments: a line here would hide the rest of it.
#[derive(Subcommand)]
enum Command {
	Generate(generate::Args),
	Bench(bench::Args),
	/// Make, look at, check, divide and score model packages
	#[command(subcommand)]
	Model(model::Command),
}

impl Cli {
	/// Does what was asked for.
	pub fn run(self) -> Result<()> {
		match self.command {
			Command::Generate(args) => generate::run(args),
			Command::Bench(args) => bench::run(args),
			Command::Model(command) => model::run(command),
		}
	}
}

/// Whether what went wrong is that nobody reads stdout any more.
pub fn is_closed(error: &anyhow::Error) -> bool {
	error
		.downcast_ref::<std::io::Error>()
		.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

/// Sends what libraries log to stderr: warnings, and more for each `-v`.
pub fn log(verbose: u8) {
	let level = match verbose {
		0 => LevelFilter::WARN,
		1 => LevelFilter::INFO,
		2 => LevelFilter::DEBUG,
		_ => LevelFilter::TRACE,
	};
	tracing_subscriber::fmt()
		.with_max_level(level)
		.with_writer(std::io::stderr)
		.with_target(false)
		.init();
}
