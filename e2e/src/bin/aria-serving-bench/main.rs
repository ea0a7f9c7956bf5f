//! Measures a network of three workers and a gateway, all processes of this machine, over the
//! gateway's HTTP API (`docs/benchmarks-serving.md`).
//!
//! | module | what it holds |
//! |---|---|
//! | `settings` | what can be set |
//! | `pipeline` | tokens a second of three stages beside one process |
//! | `cost` | what trace and settlement cost of that |
//! | `delay` | tokens a second where the stages are far from each other |
//! | `load` | many clients at once, for minutes |
//! | `package` | the models, and what `aria-worker` makes of them without a network |
//! | `ask` | a streamed answer with its times |
//! | `key` | an API key without limits that matter |
//! | `relay` | bytes between two peers, delayed |
//! | `machine` | this machine and its processes |
//! | `report` | summaries, tables, and what a measurement comes to |

#![forbid(unsafe_code)]

mod ask;
mod cost;
mod delay;
mod key;
mod load;
mod machine;
mod package;
mod pipeline;
mod relay;
mod report;
mod settings;

use anyhow::{bail, ensure, Context, Result};
use clap::{Parser, Subcommand};
use machine::Machine;
use report::Section;
use serde_json::{json, Map, Value};
use settings::Settings;
use std::{fs, future::Future};

/// Measures a network of three workers and a gateway on this machine
///
/// Every process is a program of this project, started for the measurement and ended with it. Leave the
/// machine alone meanwhile.
#[derive(Debug, Parser)]
#[command(name = "aria-serving-bench", version, arg_required_else_help = true)]
struct Args {
	#[command(subcommand)]
	what: What,

	#[command(flatten)]
	settings: Settings,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
enum What {
	/// Tokens a second of three stages beside `aria-worker generate`
	Pipeline,
	/// What trace and settlement cost of that
	Cost,
	/// Tokens a second with a delay on every hop
	Delay,
	/// Many clients at once, for minutes, without an error
	Load,
	/// All of these
	All,
}

impl What {
	fn parts(self) -> Vec<Self> {
		match self {
			Self::All => vec![Self::Pipeline, Self::Cost, Self::Delay, Self::Load],
			one => vec![one],
		}
	}

	fn name(self) -> &'static str {
		match self {
			Self::Pipeline => "pipeline",
			Self::Cost => "cost",
			Self::Delay => "delay",
			Self::Load => "load",
			Self::All => "all",
		}
	}
}

#[tokio::main]
async fn main() -> Result<()> {
	let Args { what, settings } = Args::parse();
	// Dropping what is measured ends its processes.
	tokio::select! {
		outcome = measure(what, &settings) => outcome,
		told = tokio::signal::ctrl_c() => {
			told.context("signals are not heard of")?;
			bail!("interrupted")
		}
	}
}

async fn measure(what: What, settings: &Settings) -> Result<()> {
	let machine = Machine::here();
	println!("{machine}, {} threads for each stage", settings.threads());
	let mut sections = Map::new();
	let mut failures = Vec::new();
	for part in what.parts() {
		match one(part, settings).await {
			Ok(section) => {
				println!("\n## {}\n\n{}", part.name(), section.text);
				failures
					.extend(section.failures.iter().map(|why| format!("{}: {why}", part.name())));
				sections.insert(part.name().to_owned(), section.json);
			}
			// The others are of use all the same.
			Err(error) => failures.push(format!("{}: {error:#}", part.name())),
		}
	}
	if let Some(path) = &settings.json {
		let report = json!({
			"machine": machine,
			"settings": settings,
			"sections": Value::Object(sections),
			"failures": failures,
		});
		let text = serde_json::to_string_pretty(&report)?;
		fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))?;
	}
	ensure!(failures.is_empty(), "{}", failures.join("\n"));
	Ok(())
}

/// On the heap: what is measured holds a whole network.
async fn one(part: What, settings: &Settings) -> Result<Section> {
	let section: std::pin::Pin<Box<dyn Future<Output = Result<Section>> + '_>> = match part {
		What::Pipeline => Box::pin(pipeline::run(settings)),
		What::Cost => Box::pin(cost::run(settings)),
		What::Delay => Box::pin(delay::run(settings)),
		What::Load => Box::pin(load::run(settings)),
		What::All => bail!("`all` is divided before"),
	};
	section.await
}

#[cfg(test)]
mod tests {
	use super::*;
	use clap::CommandFactory;

	#[test]
	fn the_command_line_should_hold_together() {
		Args::command().debug_assert();
	}

	#[test]
	fn settings_should_be_taken_behind_the_command() {
		let args = Args::try_parse_from(["bench", "delay", "--threads", "2", "--delays", "5,10"]);
		let args = args.map(|args| (args.what, args.settings.threads(), args.settings.delays));

		assert_eq!(args.ok(), Some((What::Delay, 2, vec![5, 10])));
	}
}
