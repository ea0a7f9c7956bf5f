//! `aria-failover-bench`: how long a client waits when a stage of its answer is killed with -9.
//!
//! Six workers have a third of a random model each, every third twice. Answer after answer, one of the
//! workers that compute it is killed, of the first, the middle and the last stage in turn. A kill's wait
//! is the longest time without a piece of text in that answer. Then the worker is started again, and the
//! next kill waits until it takes part in answers. Ends with an error if an answer breaks off, or
//! differs from that of `aria-worker generate`.

#[path = "../../tests/network_support/mod.rs"]
mod network_support;

use anyhow::{ensure, Context, Result};
use aria_e2e::openai::Answer;
use clap::{Parser, ValueEnum};
use network_support::{
	address, ask_until, back, busy, generate, idle, nodes, settled, start, write_slow_model, Ask,
	Reference, Transport, SLOW, WITH_REPLICAS,
};
use std::{process::ExitCode, time::Duration};

/// Stages of an answer.
const STAGES: usize = 3;
/// What the stages are called.
const NAMES: [&str; STAGES] = ["first", "middle", "last"];

/// Measure how long a client waits when a stage of its answer is killed
#[derive(Parser, Debug)]
#[command(version)]
struct Args {
	/// Workers to kill, one an answer
	#[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
	kills: u32,

	/// How peers are connected. Over TCP others hear of a process that was killed; over QUIC they notice
	/// its silence
	#[arg(long, value_enum, default_value = "quic")]
	transport: By,

	/// Tokens of an answer
	#[arg(long, value_name = "N", default_value_t = 240, value_parser = clap::value_parser!(u32).range(120..=900))]
	tokens: u32,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum By {
	Tcp,
	Quic,
}

impl From<By> for Transport {
	fn from(by: By) -> Self {
		match by {
			By::Tcp => Self::Tcp,
			By::Quic => Self::Quic,
		}
	}
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
	let args = Args::parse();
	let dir = tempfile::Builder::new().prefix("aria-failover-").tempdir()?;
	let package = dir.path().join("package");
	eprintln!("writing a random model");
	write_slow_model(&package).await?;
	let ask = Ask::new("What is the sea?", 1.0, 11, args.tokens);
	let reference = generate(&package, &ask, None, STAGES).await?;
	eprintln!("starting a node, {} workers and a gateway", WITH_REPLICAS.len());
	let mut cluster = start(&package, &WITH_REPLICAS, args.transport.into()).await?;
	let api = cluster.api().await?;

	let quiet = api.chat(&ask.body(SLOW)).await?;
	reference.check(&quiet.text, &quiet.aria).context("the answer that nothing happens to")?;
	println!(
		"undisturbed: {} tokens, {:.1} tokens/s, first after {} ms, longest gap {} ms",
		quiet.tokens(),
		quiet.rate(),
		quiet.first.as_millis(),
		quiet.longest_gap().as_millis(),
	);

	println!(
		"{:>4}  {:<7} {:<12} {:>6}  {:>8}  answer",
		"kill", "stage", "worker", "pieces", "gap ms"
	);
	let (mut gaps, mut wrong) = (Vec::new(), 0u32);
	for kill in 0..args.kills {
		let stage = kill as usize % STAGES;
		// From the beginning of an answer to a good part of it.
		let pieces = 4 + (kill as usize * 7) % 32;
		idle(&cluster).await?;
		let asked = ask_until(&api, &ask.body(SLOW), pieces).await?;
		let layers = cluster.spec.layers.get(stage).copied().context("there are three stages")?;
		let lost = busy(&cluster, layers).await?;
		let worker = cluster.workers.get_mut(lost).context("it is one of the workers")?;
		let name = worker.name().to_owned();
		worker.kill9()?;
		let verdict = match asked.await? {
			Ok(answer) => judge(&answer, &reference, stage, lost).map(|()| answer.longest_gap()),
			Err(error) => Err(error),
		};
		let (gap, word) = match &verdict {
			Ok(gap) => (gap.as_millis().to_string(), "the same".to_owned()),
			Err(error) => ("-".to_owned(), format!("{error:#}")),
		};
		let number = kill + 1;
		println!("{number:>4}  {:<7} {name:<12} {pieces:>6}  {gap:>8}  {word}", NAMES[stage]);
		match verdict {
			Ok(gap) => gaps.push(gap),
			Err(_) => wrong += 1,
		}
		let worker = cluster.workers.get_mut(lost).context("it is one of the workers")?;
		worker.restart().await?;
		cluster.planned(WITH_REPLICAS.len()).await?;
		back(&cluster, &[lost]).await?;
	}
	settled(&cluster.gateway).await?;

	gaps.sort_unstable();
	println!("{:<6} {:>6} {:>9} {:>9} {:>9}", "", "kills", "p50 ms", "p95 ms", "max ms");
	println!(
		"{:<6} {:>6} {:>9} {:>9} {:>9}",
		"wait",
		gaps.len(),
		percentile(&gaps, 50).as_millis(),
		percentile(&gaps, 95).as_millis(),
		percentile(&gaps, 100).as_millis(),
	);
	if wrong > 0 {
		eprintln!("{wrong} of {} answers broke off or differ", args.kills);
		return Ok(ExitCode::FAILURE);
	}
	Ok(ExitCode::SUCCESS)
}

/// Whether an answer is the right one, and somebody else took the place of the worker `lost`.
fn judge(answer: &Answer, reference: &Reference, stage: usize, lost: usize) -> Result<()> {
	reference.check(&answer.text, &answer.aria)?;
	let replaced = answer.aria["replaced"].as_u64();
	ensure!(replaced >= Some(1), "the answer was over before the kill");
	let replacement = address((lost + STAGES) % WITH_REPLICAS.len());
	let nodes = nodes(&answer.aria);
	ensure!(nodes.get(stage) == Some(&replacement), "{nodes:?} has no {replacement}");
	Ok(())
}

/// The least of these ascending times that so many percent of them do not exceed; zero without any.
fn percentile(ascending: &[Duration], percent: usize) -> Duration {
	let rank = (ascending.len() * percent).div_ceil(100);
	ascending.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_percentile_should_be_one_of_the_times() {
		let times: Vec<Duration> = (1..=20).map(Duration::from_millis).collect();

		assert_eq!(percentile(&times, 50), Duration::from_millis(10));
		assert_eq!(percentile(&times, 95), Duration::from_millis(19));
		assert_eq!(percentile(&times, 100), Duration::from_millis(20));
		assert_eq!(percentile(&times[..1], 50), Duration::from_millis(1));
		assert_eq!(percentile(&[], 50), Duration::ZERO);
	}
}
