//! A network on this machine for scripts and tests of clients: the one that `aria-demo` shows, without
//! words. Says where everything is in one line of JSON, and stays up.

#[path = "aria-demo/signals.rs"]
mod signals;

use anyhow::{anyhow, Error, Result};
use aria_e2e::cluster::{shipped, Cluster, Spec};
use clap::Parser;
use serde_json::{json, Value};
use signals::{Signals, Told};
use std::{
	collections::BTreeSet, future::pending, io, iter, path::PathBuf, process::ExitCode, thread,
	time::Duration,
};
use tokio::{sync::oneshot, time::sleep};

/// Workers with a part of the model each.
const PARTS: u16 = 3;
/// The worker whose layers a fourth one has too.
const REPLICATED: usize = 1;
/// How often it is looked whether all processes still run.
const WATCH: Duration = Duration::from_millis(500);

/// Runs a development chain, three workers with a third of a model's layers each, a replica of one, and a
/// gateway, all on free ports.
///
/// When an answer can be had, prints one line of JSON on stdout:
///
/// {"node":"ws://…","base_url":"http://…/v1","api_key":"…","model":"NAME","model_id":"0x…",
/// "gateway_pid":1,"worker_pids":[2,3,4,5],"bases":["…"]}
///
/// `bases` are the processes' folders: the gateway's, then those of `worker_pids` in order. Ends with SIGTERM
/// or SIGINT, and with an error if the node ends. If a worker or the gateway does, which a script may want,
/// stderr says so.
#[derive(Debug, Parser)]
#[command(name = "aria-devnet", version, verbatim_doc_comment)]
struct Args {
	/// Answers at once that the gateway gives [default: the gateway's own]
	#[arg(long, value_name = "COUNT")]
	streams: Option<usize>,

	/// Share of all logical CPUs that each worker may use
	#[arg(long, value_name = "PERCENT", default_value_t = 100, value_parser = clap::value_parser!(u8).range(1..=100))]
	cpu_percent: u8,

	/// Folder of a model package with three layers or more [default: the model that comes with the
	/// project]
	#[arg(long, value_name = "DIR")]
	model: Option<PathBuf>,

	/// End with the end of stdin, too: whoever started it is gone then
	#[arg(long)]
	until_eof: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
	match run(&Args::parse()).await {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => {
			eprintln!("aria-devnet: {error:#}");
			ExitCode::FAILURE
		}
	}
}

async fn run(args: &Args) -> Result<()> {
	let mut signals = Signals::listen()?;
	let over = end_of_input(args.until_eof);
	tokio::pin!(over);

	// Dropping what starts kills what was started.
	let started = async {
		let cluster = Cluster::start(spec(args)?).await?;
		let places = places(&cluster).await?;
		Ok::<_, Error>((cluster, places))
	};
	let (mut cluster, places) = tokio::select! {
		_ = signals.next() => return Ok(()),
		() = &mut over => return Ok(()),
		started = started => started?,
	};
	println!("{places}");
	let (outcome, told) = tokio::select! {
		told = signals.next() => (Ok(()), told),
		() = &mut over => (Ok(()), Told::Us),
		error = watch(&mut cluster) => (Err(error), Told::Us),
	};
	tokio::select! {
		_ = cluster.end(told == Told::Everybody) => (),
		_ = signals.next() => (),
	}
	outcome
}

fn spec(args: &Args) -> Result<Spec> {
	let package = args.model.clone().unwrap_or_else(shipped);
	let spec = Spec::divided(&package, PARTS)?
		.replica(REPLICATED)
		.worker_arg("--cpu-percent", &args.cpu_percent.to_string());
	Ok(match args.streams {
		Some(streams) => spec.gateway_arg("--max-streams", &streams.to_string()),
		None => spec,
	})
}

/// Where everything is.
async fn places(cluster: &Cluster) -> Result<Value> {
	let pids: Vec<Option<u32>> = cluster.workers.iter().map(|worker| worker.pid()).collect();
	let processes = iter::once(&cluster.gateway).chain(&cluster.workers);
	let bases: Vec<String> =
		processes.map(|process| process.base().display().to_string()).collect();
	let (base_url, api_key) = (cluster.gateway.base_url().await?, cluster.gateway.api_key()?);
	Ok(json!({
		"node": cluster.node.url(),
		"base_url": base_url,
		"api_key": api_key,
		"model": cluster.spec.alias,
		"model_id": cluster.model,
		"gateway_pid": cluster.gateway.pid(),
		"worker_pids": pids,
		"bases": bases,
	}))
}

/// Tells of gateway and workers that end; ends with the node.
async fn watch(cluster: &mut Cluster) -> Error {
	let mut told = BTreeSet::new();
	while cluster.node.runs() {
		for process in iter::once(&mut cluster.gateway).chain(&mut cluster.workers) {
			if !process.runs() && told.insert(process.name().to_owned()) {
				eprintln!("{} ended. Its log ends:\n{}", process.name(), process.log_tail());
			}
		}
		sleep(WATCH).await;
	}
	anyhow!("the node ended. Its log ends:\n{}", cluster.node.log_tail())
}

/// Waits until stdin ends, for ever if that is not `wanted`.
async fn end_of_input(wanted: bool) {
	if !wanted {
		return pending().await;
	}
	let (sender, ended) = oneshot::channel();
	// Not a task: what reads stdin cannot be cancelled, and a runtime would wait for it.
	thread::spawn(move || {
		let _ = io::copy(&mut io::stdin(), &mut io::sink());
		let _ = sender.send(());
	});
	let _ = ended.await;
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
