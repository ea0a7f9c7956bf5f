//! `aria-worker run`: a worker, a gateway, or both.

use super::find;
use anyhow::{Context, Result};
use aria_worker::run::{
	config::{Config, Flags},
	run as run_worker,
};
use clap::Args;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;

/// How long blocking work may go on when everything else has ended.
const LEFT: Duration = Duration::from_secs(2);
/// Exit code of a process that was told twice to end, as shells have it for SIGINT.
const INTERRUPTED: i32 = 130;

/// Lend this machine: hold layers of a model and compute with them, within the limits of a consent
///
/// Registers the account on chain with consent and stake, fetches and loads layers, and takes orders. With
/// --gateway it serves the OpenAI API too. The first Ctrl-C or SIGTERM finishes what runs, the second ends
/// at once. Everything can be written into a file as well (docs/operations/worker.toml).
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  aria-worker run --bootstrap /ip4/192.0.2.7/tcp/30343 --cpu-percent 25 --hours 22:00-07:00
  aria-worker run --gateway 127.0.0.1:8080 --serve none --offer 0.00005,0.000005,0.0003
  aria-worker run --leave")]
pub struct RunArgs {
	#[command(flatten)]
	flags: Flags,
}

/// Runs the command.
pub fn run(args: RunArgs) -> Result<()> {
	let mut config = Config::load(args.flags)?;
	// The model that comes with the project need not be fetched from anybody.
	config.packages.extend(find::model(None).ok());
	let runtime = runtime()?;
	let result = runtime.block_on(async {
		let stop = CancellationToken::new();
		tokio::spawn(signals(stop.clone()));
		run_worker(config, stop).await
	});
	runtime.shutdown_timeout(LEFT);
	result
}

/// A runtime with a thread for each processor.
pub fn runtime() -> Result<Runtime> {
	Builder::new_multi_thread()
		.enable_all()
		.build()
		.context("the asynchronous runtime does not start")
}

/// The first signal asks to end, the second ends.
async fn signals(stop: CancellationToken) {
	signal().await;
	stop.cancel();
	signal().await;
	eprintln!("ended at once; what was not settled is kept");
	std::process::exit(INTERRUPTED);
}

#[cfg(unix)]
async fn signal() {
	use tokio::signal::unix::{signal, SignalKind};
	let Ok(mut terminate) = signal(SignalKind::terminate()) else {
		let _ = tokio::signal::ctrl_c().await;
		return;
	};
	tokio::select! {
		_ = tokio::signal::ctrl_c() => {}
		_ = terminate.recv() => {}
	}
}

#[cfg(not(unix))]
async fn signal() {
	let _ = tokio::signal::ctrl_c().await;
}
