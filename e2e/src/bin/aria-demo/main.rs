//! `make demo`: a network on this machine, a question over the OpenAI API, and what the chain knows of
//! the answer.
//!
//! | module | what it does |
//! |---|---|
//! | [`up`] | starts node, workers and gateway; shows what each worker consents to |
//! | [`ask`] | asks, and writes the answer as it comes |
//! | [`record`] | the record of the answer, from the chain, compared with what was streamed |
//! | [`payment`] | who paid, and who gets what of it |
//! | [`origin`] | the auditor's tool finds the record by the text |
//! | [`talk`] | how to go on |
//! | [`show`] | how the demo speaks |
//! | [`signals`] | Ctrl-C and its kin |
//!
//! Whatever does not happen, or is not what it should be, ends the demo with an error.

mod ask;
mod origin;
mod payment;
mod record;
mod show;
mod signals;
mod talk;
mod up;

use anyhow::{anyhow, bail, Result};
use aria_e2e::cluster::Cluster;
use clap::Parser;
use show::{heading, note};
use signals::{Signals, Told};
use std::{path::PathBuf, process::ExitCode, time::Instant};

/// Runs a network on this machine (a development chain, three workers with a third of a model's layers
/// each, a replica of one, a gateway), asks it a question, and shows where the answer comes from.
///
/// Accounts, money and blocks are those of a development chain. Answer, hashes, signatures, energy, times
/// and payment are what the processes computed, measured or estimated, and settled.
#[derive(Debug, Parser)]
#[command(name = "aria-demo", version)]
struct Args {
	/// End after one round, with exit code 0 only if every step of it happened. Otherwise the network
	/// stays up until Ctrl-C
	#[arg(long)]
	once: bool,

	/// Port of the node's RPC; a free one is taken if somebody listens there
	#[arg(long, value_name = "PORT", default_value_t = 9944)]
	port: u16,

	/// Port of the OpenAI API; a free one is taken if somebody listens there
	#[arg(long, value_name = "PORT", default_value_t = 8080)]
	gateway_port: u16,

	/// What is asked
	#[arg(long, value_name = "TEXT", default_value = "What is a doctor?")]
	question: String,

	/// Folder of a model package with three layers or more [default: the model that comes with the
	/// project]
	#[arg(long, value_name = "DIR")]
	model: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
	match run(&Args::parse()).await {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => {
			eprintln!("aria-demo: {error:#}");
			ExitCode::FAILURE
		}
	}
}

async fn run(args: &Args) -> Result<()> {
	let began = Instant::now();
	let mut signals = Signals::listen()?;
	heading("ARIA: a question, three workers with a third of the model each, and the record");

	// Dropping what starts kills what was started.
	let mut cluster = tokio::select! {
		_ = signals.next() => return interrupted(args),
		started = up::start(args) => started?,
	};
	let (outcome, told) = tokio::select! {
		told = signals.next() => (interrupted(args), Some(told)),
		outcome = shown(args, &cluster, began) => (outcome, None),
	};
	let (outcome, told) = match (outcome, told) {
		(Err(error), None) => (Err(explained(&mut cluster, error)), None),
		(Ok(()), None) if !args.once => tokio::select! {
			told = signals.next() => (Ok(()), Some(told)),
			fallen = cluster.fell() => (Err(anyhow!(fallen)), None),
		},
		other => other,
	};

	if !args.once {
		eprintln!("\nending every process; once more to end them at once");
	}
	let asked = told.is_some_and(|told| told == Told::Everybody);
	tokio::select! {
		killed = cluster.end(asked) => if !killed.is_empty() {
			eprintln!("these had to be killed: {}", killed.join(", "));
		},
		_ = signals.next() => (),
	}
	outcome
}

/// One round.
async fn shown(args: &Args, cluster: &Cluster, began: Instant) -> Result<()> {
	up::consents(cluster).await?;
	let answer = ask::ask(cluster, &args.question).await?;
	let settled = record::show(cluster, &answer).await?;
	payment::show(cluster, &settled).await?;
	origin::show(cluster, &answer, &settled).await?;
	heading(&format!("All of that happened, in {:.1} s", began.elapsed().as_secs_f32()));
	if args.once {
		return Ok(());
	}
	talk::show(cluster, &answer, &args.question).await?;
	note("Ctrl-C ends every process. Their files are in temporary folders and go with them.");
	Ok(())
}

/// Somebody ended the demo before it had shown everything: no error where one may look as long as one
/// likes.
fn interrupted(args: &Args) -> Result<()> {
	if args.once {
		bail!("ended before all of it had happened");
	}
	Ok(())
}

/// The error, and what the processes say to it.
fn explained(cluster: &mut Cluster, error: anyhow::Error) -> anyhow::Error {
	let said = cluster
		.fallen()
		.unwrap_or_else(|| format!("The gateway's log ends:\n{}", cluster.gateway.log_tail()));
	anyhow!("{error:#}\n{said}")
}

#[cfg(test)]
mod tests {
	use super::*;
	use clap::CommandFactory;

	#[test]
	fn the_command_line_should_make_sense() {
		Args::command().debug_assert();
	}
}
