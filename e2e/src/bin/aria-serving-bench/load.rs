//! Many clients at once, each of which asks as soon as it is answered.

use crate::{
	ask::{Gateway, Question, Timed},
	key,
	machine::{ByKind, Processes},
	package::Package,
	report::{bar, table, verdict, Percentiles, Section},
	settings::Settings,
};
use anyhow::{Context, Result};
use aria_e2e::cluster::Cluster;
use indicatif::ProgressBar;
use serde::Serialize;
use std::{
	sync::{
		atomic::{AtomicU64, Ordering::Relaxed},
		Arc,
	},
	time::{Duration, Instant},
};
use tokio::{task::JoinSet, time::sleep};

/// Temperature of the answers: those of a chat.
const TEMPERATURE: f64 = 0.7;
/// What the gateway stakes, in ARIA: enough for all that it sells in a measurement.
const GATEWAY_STAKE: &str = "100000";
/// How long a client waits after an error.
const AFTER_ERROR: Duration = Duration::from_millis(250);
/// Errors that are shown.
const SHOWN: usize = 5;
/// How long the last records may take until they are final.
const SETTLING: Duration = Duration::from_secs(180);
/// How often it is looked meanwhile.
const LOOK: Duration = Duration::from_secs(1);
/// What is asked about.
const WORDS: [&str; 16] = [
	"lighthouse",
	"river",
	"bridge",
	"serendipity",
	"hedgehog",
	"clock",
	"mountain",
	"violin",
	"harbour",
	"winter",
	"pepper",
	"island",
	"doctor",
	"feather",
	"engine",
	"garden",
];
/// How it is asked, before and behind the word.
const ASKED: [(&str, &str); 4] = [
	("What is a ", "?"),
	("What does the word ", " mean?"),
	("What kind of thing is a ", "?"),
	("Use the word ", " in a sentence."),
];

/// What clients saw.
#[derive(Debug, Default)]
struct Tally {
	answers: u64,
	tokens: u64,
	replaced: u64,
	errors: u64,
	shown: Vec<String>,
	/// Seconds.
	first: Vec<f64>,
	gaps: Vec<f64>,
	took: Vec<f64>,
}

/// What was measured.
#[derive(Debug, Serialize)]
struct Load {
	model: String,
	clients: u16,
	streams: u16,
	/// From the first request to the last answer's end.
	seconds: f64,
	answers: u64,
	errors: u64,
	/// The first of them.
	shown: Vec<String>,
	replaced: u64,
	tokens: u64,
	tokens_per_second: f64,
	answers_per_second: f64,
	/// Streams that were open, in the mean.
	open: f64,
	/// Seconds from the request to the first text.
	first: Percentiles,
	/// Seconds between one piece of text and the next.
	gap: Percentiles,
	/// Seconds of an answer.
	took: Percentiles,
	/// Resident memory before, in the middle and at the end, in MiB.
	resident: [ByKind; 3],
	/// CPU seconds a second.
	cpu: ByKind,
	/// Records that were not final yet when the last answer ended.
	pending: u64,
	/// Seconds until they were; `None` if they were not in time.
	until_final: Option<f64>,
	/// Records that cannot be settled.
	unsettled: u64,
}

/// Measures, on the shipped model.
///
/// # Errors
/// What does not start.
pub async fn run(settings: &Settings) -> Result<Section> {
	let package = Package::shipped()?;
	let bar = bar(settings.seconds, "starting a network");
	let streams = settings.streams;
	let mut spec = package
		.spec(settings)
		.gateway_arg("--max-streams", &streams.to_string())
		.gateway_arg("--gateway-stake", GATEWAY_STAKE);
	if streams > 64 {
		spec = spec.worker_arg("--sessions", &streams.to_string());
	}
	let cluster = Cluster::start(spec).await?;
	let key = key::make(&cluster).await?;
	let gateway = Gateway::new(&cluster.gateway.base_url().await?, &key)?;
	gateway.ask(&question(&package, 0, settings)).await?;
	let load = press(settings, &package, &cluster, &gateway, &bar).await?;
	bar.finish_and_clear();

	let mut failures = Vec::new();
	if load.errors > 0 {
		failures.push(format!("{} errors: {}", load.errors, load.shown.join("; ")));
	}
	if load.unsettled > 0 {
		failures.push(format!("{} records cannot be settled", load.unsettled));
	}
	if load.until_final.is_none() {
		let waited = SETTLING.as_secs();
		failures.push(format!("records are not final {waited} seconds after the last answer"));
	}
	Ok(Section {
		text: load.text(failures.is_empty()),
		json: serde_json::to_value(&load)?,
		failures,
	})
}

async fn press(
	settings: &Settings,
	package: &Package,
	cluster: &Cluster,
	gateway: &Gateway,
	bar: &ProgressBar,
) -> Result<Load> {
	let processes = Processes::of(cluster)?;
	let (before, used) = (processes.resident()?, processes.cpu()?);
	let (answered, failed) = (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
	let began = Instant::now();
	let end = began + Duration::from_secs(settings.seconds);
	let mut clients = JoinSet::new();
	for client in 0..settings.clients {
		let (package, settings, gateway) = (package.clone(), settings.clone(), gateway.clone());
		let (answered, failed) = (answered.clone(), failed.clone());
		clients.spawn(async move {
			let mut tally = Tally::default();
			// No two clients share a seed, and neighbours begin with different questions.
			let mut number = (u64::from(client) << 32) | u64::from(client);
			while Instant::now() < end {
				match gateway.ask(&question(&package, number, &settings)).await {
					Ok(answer) => {
						answered.fetch_add(1, Relaxed);
						tally.add(&answer);
					}
					Err(error) => {
						failed.fetch_add(1, Relaxed);
						tally.fail(format!("{error:#}"));
						sleep(AFTER_ERROR).await;
					}
				}
				number = number.wrapping_add(1);
			}
			tally
		});
	}

	let (mut middle, mut tally) = (None, Tally::default());
	loop {
		tokio::select! {
			ended = clients.join_next() => match ended {
				Some(ended) => tally.merge(ended.context("a client broke off")?),
				None => break,
			},
			() = sleep(LOOK) => {
				bar.set_position(began.elapsed().as_secs());
				let (answered, failed) = (answered.load(Relaxed), failed.load(Relaxed));
				bar.set_message(format!("{answered} answers, {failed} errors"));
				if middle.is_none() && began.elapsed() * 2 >= end - began {
					middle = Some(processes.resident()?);
				}
			}
		}
	}
	let seconds = began.elapsed().as_secs_f64();
	let cpu = (processes.cpu()? - used).times(1.0 / seconds);
	let after = processes.resident()?;
	let (pending, until_final, unsettled) = settle(cluster, bar).await?;
	Ok(Load {
		model: package.label.clone(),
		clients: settings.clients,
		streams: settings.streams,
		seconds,
		answers: tally.answers,
		errors: tally.errors,
		shown: tally.shown,
		replaced: tally.replaced,
		tokens: tally.tokens,
		tokens_per_second: tally.tokens as f64 / seconds,
		answers_per_second: tally.answers as f64 / seconds,
		open: tally.took.iter().sum::<f64>() / seconds,
		first: Percentiles::of(&tally.first),
		gap: Percentiles::of(&tally.gaps),
		took: Percentiles::of(&tally.took),
		resident: [before, middle.unwrap_or(after), after],
		cpu,
		pending,
		until_final,
		unsettled,
	})
}

/// Records that waited, in how many seconds they were final, and how many never will be.
async fn settle(cluster: &Cluster, bar: &ProgressBar) -> Result<(u64, Option<f64>, u64)> {
	let began = Instant::now();
	let mut first = None;
	loop {
		let status = cluster.gateway.status().await?;
		let count = |name: &str| {
			let count = status["settlements"][name].as_u64();
			count.context("the gateway does not say what is not settled")
		};
		let (pending, unsettled) = (count("pending")?, count("failed")?);
		let at_first = *first.get_or_insert(pending);
		bar.set_message(format!("{pending} records to settle"));
		if pending == 0 {
			return Ok((at_first, Some(began.elapsed().as_secs_f64()), unsettled));
		}
		if began.elapsed() > SETTLING {
			return Ok((at_first, None, unsettled));
		}
		sleep(LOOK).await;
	}
}

fn question(package: &Package, number: u64, settings: &Settings) -> Question {
	let pick = |divisor: usize, count: usize| (number as usize / divisor) % count;
	let word = WORDS.get(pick(1, WORDS.len())).copied().unwrap_or_default();
	let (before, behind) = ASKED.get(pick(WORDS.len(), ASKED.len())).copied().unwrap_or_default();
	Question {
		model: package.alias.to_owned(),
		text: format!("{before}{word}{behind}"),
		tokens: settings.answer_tokens,
		temperature: TEMPERATURE,
		seed: number,
	}
}

impl Tally {
	fn add(&mut self, answer: &Timed) {
		self.answers = self.answers.saturating_add(1);
		self.tokens = self.tokens.saturating_add(answer.tokens);
		self.replaced = self.replaced.saturating_add(answer.replaced);
		self.first.push(answer.first().as_secs_f64());
		self.gaps.extend(answer.gaps().map(|gap| gap.as_secs_f64()));
		self.took.push(answer.closed.as_secs_f64());
	}

	fn fail(&mut self, error: String) {
		self.errors = self.errors.saturating_add(1);
		if self.shown.len() < SHOWN {
			self.shown.push(error);
		}
	}

	fn merge(&mut self, other: Self) {
		self.answers = self.answers.saturating_add(other.answers);
		self.tokens = self.tokens.saturating_add(other.tokens);
		self.replaced = self.replaced.saturating_add(other.replaced);
		self.errors = self.errors.saturating_add(other.errors);
		self.shown.extend(other.shown);
		self.shown.truncate(SHOWN);
		self.first.extend(other.first);
		self.gaps.extend(other.gaps);
		self.took.extend(other.took);
	}
}

impl Load {
	fn text(&self, passed: bool) -> String {
		let row = |what: &str, of: &Percentiles| -> Vec<String> {
			let values = [of.p50, of.p95, of.p99, of.greatest];
			let cells = values.map(|seconds| format!("{:.1} ms", seconds * 1e3));
			std::iter::once(what.to_owned()).chain(cells).chain([of.count.to_string()]).collect()
		};
		let rows: Vec<Vec<String>> = vec![
			row("first token", &self.first),
			row("each further token", &self.gap),
			row("whole answer", &self.took),
		];
		let times = table(&["time", "p50", "p95", "p99", "longest", "count"], &rows);
		let memory = |what: &str, of: fn(&ByKind) -> f64| -> Vec<String> {
			let sizes = self.resident.map(|resident| format!("{:.0} MiB", of(&resident)));
			let cpu = format!("{:.2}", of(&self.cpu));
			std::iter::once(what.to_owned()).chain(sizes).chain([cpu]).collect()
		};
		let rows: Vec<Vec<String>> = vec![
			memory("gateway", |of| of.gateway),
			memory("workers, all", |of| of.workers),
			memory("node", |of| of.node),
		];
		let memory =
			table(&["process", "before", "halfway", "at the end", "CPU seconds a second"], &rows);
		let settled = match self.until_final {
			Some(seconds) => format!("final {seconds:.0} s later"),
			None => "not final in time".to_owned(),
		};
		format!(
			"{times}\n\n{memory}\n\n\
			 {}: {} clients for {:.0} s, admission for {}: {} answers, {} errors, {} stages replaced; {:.1} \
			 streams open in the mean.\n\
			 {:.0} tokens/s and {:.1} answers/s in all. When the last answer ended, {} records were not \
			 final: {settled}; {} cannot be settled.",
			verdict(passed),
			self.clients,
			self.seconds,
			self.streams,
			self.answers,
			self.errors,
			self.replaced,
			self.open,
			self.tokens_per_second,
			self.answers_per_second,
			self.pending,
			self.unsettled,
		)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn tallies_should_add_up_and_show_few_errors() {
		let mut sum = Tally::default();
		for _ in 0..3 {
			let mut tally = Tally::default();
			tally.add(&Timed { tokens: 5, ..Timed::default() });
			tally.fail("a".to_owned());
			tally.fail("b".to_owned());
			sum.merge(tally);
		}

		assert_eq!((sum.answers, sum.tokens, sum.errors), (3, 15, 6));
		assert_eq!((sum.shown.len(), sum.first.len(), sum.took.len()), (SHOWN, 3, 3));
	}
}
