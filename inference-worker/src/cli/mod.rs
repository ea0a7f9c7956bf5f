//! The command line.
//!
//! | module | command |
//! |---|---|
//! | `generate` | `aria-worker generate` |
//! | `bench`, with `probe`, `memory`, `statistics` | `aria-worker bench` |
//! | `model`, with `random`, `eval`, `card` and `register` | `aria-worker model …` |
//! | `run` | `aria-worker run` |
//! | `status` | `aria-worker status`, `pause`, `resume` |
//! | `key` | `aria-worker key …` |
//! | `provenance` | `aria-worker provenance` |
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
mod key;
mod memory;
mod model;
mod probe;
mod provenance;
mod random;
mod register;
mod run;
mod sampling;
mod statistics;
mod status;

use anyhow::Result;
use clap::{ArgAction, Parser, Subcommand};
use std::{io::IsTerminal, process::ExitCode};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{
	filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

/// Runs ternary language models, the same bits on every machine, alone or with others.
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
	Run(Box<run::RunArgs>),
	Status(status::StatusArgs),
	Pause(status::PauseArgs),
	Resume(status::ResumeArgs),
	/// Make, list and revoke the API keys of a gateway
	#[command(subcommand)]
	Key(key::Command),
	Provenance(provenance::ProvenanceArgs),
	Generate(generate::Args),
	Bench(bench::Args),
	/// Make, look at, check, divide, score and register model packages
	#[command(subcommand)]
	Model(model::Command),
}

impl Cli {
	/// Does what was asked for, and gives the exit code.
	pub fn run(self) -> Result<ExitCode> {
		match self.command {
			Command::Run(args) => run::run(*args)?,
			Command::Status(args) => status::run(args)?,
			Command::Pause(args) => status::pause(args)?,
			Command::Resume(args) => status::resume(args)?,
			Command::Key(command) => key::run(command)?,
			Command::Provenance(args) => return provenance::run(args),
			Command::Generate(args) => generate::run(args)?,
			Command::Bench(args) => bench::run(args)?,
			Command::Model(command) => model::run(command)?,
		}
		Ok(ExitCode::SUCCESS)
	}

	/// Sends what is logged to stderr: what a worker does, warnings of other commands, and more for each
	/// `-v`.
	pub fn log(&self) {
		match self.command {
			Command::Run(_) => log_service(self.verbose),
			_ => log(self.verbose),
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
fn log(verbose: u8) {
	let level = match verbose {
		0 => LevelFilter::WARN,
		1 => LevelFilter::INFO,
		2 => LevelFilter::DEBUG,
		_ => LevelFilter::TRACE,
	};
	tracing_subscriber::fmt()
		.with_max_level(level)
		.with_writer(std::io::stderr)
		.with_ansi(coloured())
		.with_target(false)
		.init();
}

/// As [`log`], for a process that runs for months: what happens here, and warnings of others.
fn log_service(verbose: u8) {
	let (own, others) = match verbose {
		0 => (LevelFilter::INFO, LevelFilter::WARN),
		1 => (LevelFilter::DEBUG, LevelFilter::WARN),
		2 => (LevelFilter::DEBUG, LevelFilter::INFO),
		_ => (LevelFilter::TRACE, LevelFilter::DEBUG),
	};
	// It warns of each round in which it knows no peer yet.
	let kademlia = if verbose < 2 { LevelFilter::ERROR } else { others };
	let targets = Targets::new()
		.with_default(others)
		.with_target("libp2p_kad", kademlia)
		.with_target("aria", own);
	let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(coloured());
	tracing_subscriber::registry().with(lines).with(targets).init();
}

/// Whether stderr shows colours, and nobody asked it not to.
fn coloured() -> bool {
	let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
	!refused && std::io::stderr().is_terminal()
}
