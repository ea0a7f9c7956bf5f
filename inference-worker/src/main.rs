//! `aria-worker`: lends a machine, serves the OpenAI API, asks models, measures them, makes and checks
//! their packages, finds out where a text comes from.
//!
//! Exit codes: 0 if all went well, 1 if it did not, 2 if the command line makes no sense.

#![forbid(unsafe_code)]

mod cli;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
	let cli = cli::Cli::parse();
	cli.log();
	match cli.run() {
		Ok(code) => code,
		// Whoever read has read enough.
		Err(error) if cli::is_closed(&error) => ExitCode::SUCCESS,
		Err(error) => {
			eprintln!("error: {error:#}");
			ExitCode::FAILURE
		}
	}
}
