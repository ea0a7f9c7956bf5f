//! `aria-worker status`, `pause` and `resume`: ask and tell a worker of this machine.

use anyhow::{Context, Result};
use aria_worker::{
	admin::{client::Found, report::PlanReport},
	run::config::default_base,
};
use clap::Args;
use std::{future::Future, path::PathBuf};

/// Which worker.
#[derive(Args, Debug)]
pub struct Which {
	/// The worker's base path [default: ~/.local/share/aria/worker]
	#[arg(long, value_name = "DIR", env = "ARIA_BASE_PATH")]
	base_path: Option<PathBuf>,

	/// Print JSON
	#[arg(long)]
	json: bool,
}

/// Show what the worker does, what it serves, and what is in its way
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  aria-worker status
  aria-worker status --plan aria-wordnet")]
pub struct StatusArgs {
	#[command(flatten)]
	which: Which,

	/// Show who would compute an answer now, and why the others would not [default model: the one that
	/// is served]
	#[arg(long, value_name = "MODEL", num_args = 0..=1, default_missing_value = "")]
	plan: Option<String>,
}

/// Stop computing at once and take no work, until `resume`, also after a restart
///
/// Answers that are under way go on at other workers. Pausing costs no reputation.
#[derive(Args, Debug)]
pub struct PauseArgs {
	#[command(flatten)]
	which: Which,
}

/// Take work again
#[derive(Args, Debug)]
pub struct ResumeArgs {
	#[command(flatten)]
	which: Which,
}

impl Which {
	fn found(&self) -> Result<Found> {
		let base = match &self.base_path {
			Some(base) => base.clone(),
			None => default_base()?,
		};
		Found::read(&base)
	}
}

/// Runs `aria-worker status`.
pub fn run(args: StatusArgs) -> Result<()> {
	let found = args.which.found()?;
	let Some(model) = args.plan else {
		let status = wait(found.status())?;
		if args.which.json {
			say!("{}", serde_json::to_string_pretty(&status)?);
		} else {
			say!("{}", status.to_string().trim_end());
		}
		return Ok(());
	};
	let model = Some(model).filter(|model| !model.is_empty());
	let plan = wait(found.plan(model.as_deref()))?;
	if args.which.json {
		say!("{}", serde_json::to_string_pretty(&plan)?);
		return Ok(());
	}
	show(&plan)
}

/// Runs `aria-worker pause`.
pub fn pause(args: PauseArgs) -> Result<()> {
	set_paused(&args.which, true)
}

/// Runs `aria-worker resume`.
pub fn resume(args: ResumeArgs) -> Result<()> {
	set_paused(&args.which, false)
}

fn set_paused(which: &Which, paused: bool) -> Result<()> {
	let status = wait(which.found()?.set_paused(paused))?;
	if which.json {
		say!("{}", serde_json::to_string_pretty(&status)?);
		return Ok(());
	}
	match status.obstacles.first() {
		_ if paused => say!("paused"),
		None => say!("orders are taken"),
		Some(obstacle) => say!("not paused, and no orders are taken: {obstacle}"),
	}
	Ok(())
}

fn show(plan: &PlanReport) -> Result<()> {
	say!("model       {}", plan.model);
	for stage in &plan.stages {
		say!("stage       {}..{} {}", stage.first, stage.end, stage.node);
		for standby in &stage.standbys {
			say!("  standby   {standby}");
		}
	}
	if !plan.uncovered.is_empty() {
		say!("uncovered   layers {}", plan.uncovered.join(", "));
	}
	for passed in &plan.passed {
		say!("passed over {}", passed.node);
		say!("            {}", passed.reason);
	}
	if let Some(seconds) = plan.retry_after_seconds {
		say!("again in    {seconds} s");
	}
	Ok(())
}

fn wait<T>(asked: impl Future<Output = Result<T>>) -> Result<T> {
	tokio::runtime::Builder::new_current_thread()
		.enable_all()
		.build()
		.context("the asynchronous runtime does not start")?
		.block_on(asked)
}
