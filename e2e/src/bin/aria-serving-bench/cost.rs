//! What trace and settlement cost of decoding.
//!
//! Neither can be switched off in a worker: an answer without a record is none. A trace is measured by the
//! engine, which can decode with and without one. Settlement is measured by the CPU time that all
//! processes use between the end of an answer and its record being final, and by whether an answer
//! slows down while another one's record is settled.

use crate::{
	ask::{Gateway, Question, Timed},
	machine::{ByKind, Processes},
	package::Package,
	report::{bar, table, verdict, Section, Summary},
	settings::Settings,
};
use anyhow::{ensure, Context, Result};
use aria_e2e::cluster::Cluster;
use indicatif::ProgressBar;
use serde::Serialize;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// The most that trace and settlement may cost of decoding together.
const TARGET: f64 = 0.03;
/// How long the network is watched while it does nothing.
const IDLE: Duration = Duration::from_secs(20);
/// How often it is looked whether a record is final; the same while nothing happens.
const LOOK: Duration = Duration::from_millis(250);
/// What is waited for after that, for what comes behind it.
const TAIL: Duration = Duration::from_secs(1);
/// How long a record may take until it is final.
const SETTLING: Duration = Duration::from_secs(90);
/// Tokens of the answer whose record is settled during the next one.
const PRIMING: u32 = 2;

/// What was measured.
#[derive(Debug, Serialize)]
struct Cost {
	model: String,
	tokens: u32,
	/// Time to decode with a trace over time without.
	trace: Summary,
	/// CPU seconds a second while nothing is asked.
	idle: ByKind,
	/// CPU seconds of an answer, from the request to its end.
	answer: f64,
	/// CPU seconds from its end until its record is final, less those of idling.
	settlement: ByKind,
	/// The second over the first.
	settlement_share: f64,
	/// Seconds from an answer's end until its record is final.
	until_final: Summary,
	/// Seconds from the last token to an answer's end: signatures, and the record on disk.
	closing: Summary,
	/// Seconds of an answer.
	took: Summary,
	/// The medians of these two.
	closing_share: f64,
	/// Tokens a second of an answer while nothing is settled.
	alone: Summary,
	/// Of one during which the record of another is settled.
	following: Summary,
	/// Of each pair of neighbours, the second over the first.
	ratio: Summary,
	/// In how many of these pairs that record was final when the answer ended.
	settled_meanwhile: usize,
	/// Trace, settlement and closing together.
	total: f64,
}

/// An answer that was asked while nothing else happened.
struct Alone {
	answer: Timed,
	cpu: f64,
	settling: Duration,
	settlement: ByKind,
}

/// Measures, on the random model.
///
/// # Errors
/// What does not start, answer or settle.
pub async fn run(settings: &Settings) -> Result<Section> {
	let package = Package::random(settings).await?;
	let steps = u64::from(settings.repetitions).saturating_mul(3).saturating_add(2);
	let bar = bar(steps, "trace");
	let trace = package.trace_ratio(settings).await?;
	bar.inc(1);
	bar.set_message("starting a network");
	let cluster = Cluster::start(package.spec(settings)).await?;
	let network = Network {
		gateway: Gateway::of(&cluster).await?,
		processes: Processes::of(&cluster)?,
		cluster: &cluster,
	};
	let (question, _) = network.gateway.lengthen(&package.question(settings.tokens)).await?;
	let cost = network.measure(settings, &package, &question, trace, &bar).await?;
	bar.finish_and_clear();
	let passed = cost.total <= TARGET;
	let line = format!(
		"{}: trace, settlement and closing take {:.2} % of an answer of {} tokens (at most {:.0} %).",
		verdict(passed),
		cost.total * 100.0,
		cost.tokens,
		TARGET * 100.0
	);
	let failures = if passed { Vec::new() } else { vec![line.clone()] };
	let text = format!("{}\n\n{}\n{line}", cost.rows(), cost.sentences());
	Ok(Section { text, json: serde_json::to_value(&cost)?, failures })
}

struct Network<'a> {
	gateway: Gateway,
	processes: Processes,
	cluster: &'a Cluster,
}

impl Network<'_> {
	async fn measure(
		&self,
		settings: &Settings,
		package: &Package,
		question: &Question,
		trace: Summary,
		bar: &ProgressBar,
	) -> Result<Cost> {
		bar.set_message("idling");
		self.quiet().await?;
		let idle = self.idle().await?;
		bar.inc(1);

		let (mut alone, mut following) = (Vec::new(), Vec::new());
		let (mut closing, mut settled_meanwhile) = (Vec::new(), 0);
		for repetition in 0..settings.repetitions {
			bar.set_message("answers and their settlement");
			// Which is first changes, so that a machine whose speed drifts treats both alike.
			for following_now in [repetition % 2 == 1, repetition % 2 == 0] {
				self.quiet().await?;
				if following_now {
					let (answer, settled) = self.following(question).await?;
					following.push(answer.rate());
					settled_meanwhile += usize::from(settled);
				} else {
					alone.push(self.alone(question, &idle).await?);
				}
				bar.inc(1);
			}
			self.quiet().await?;
			// Its first token is its last one.
			let short = self.gateway.ask(&Question { tokens: 1, ..question.clone() }).await?;
			closing.push(short.closed.saturating_sub(short.opened).as_secs_f64());
			bar.inc(1);
		}

		let count = alone.len().max(1) as f64;
		let mut settlement = ByKind::default();
		for one in &alone {
			settlement += one.settlement.times(1.0 / count);
		}
		let of = |value: &dyn Fn(&Alone) -> f64| {
			Summary::of(&alone.iter().map(value).collect::<Vec<f64>>())
		};
		let answer = alone.iter().map(|one| one.cpu).sum::<f64>() / count;
		let rates: Vec<f64> = alone.iter().map(|one| one.answer.rate()).collect();
		let ratios: Vec<f64> = following
			.iter()
			.zip(&rates)
			.map(|(following, alone)| if *alone > 0.0 { following / alone } else { 0.0 })
			.collect();
		let took = of(&|one| one.answer.closed.as_secs_f64());
		let closing = Summary::of(&closing);
		let settlement_share = share(settlement.all().max(0.0), answer);
		let closing_share = share(closing.median, took.median);
		Ok(Cost {
			model: package.label.clone(),
			tokens: question.tokens,
			trace,
			idle,
			answer,
			settlement,
			settlement_share,
			until_final: of(&|one| one.settling.as_secs_f64()),
			closing,
			took,
			closing_share,
			alone: Summary::of(&rates),
			following: Summary::of(&following),
			ratio: Summary::of(&ratios),
			settled_meanwhile,
			total: (trace.median - 1.0).max(0.0) + settlement_share + closing_share,
		})
	}

	/// CPU seconds a second while nothing is asked, the looks included.
	async fn idle(&self) -> Result<ByKind> {
		let (before, began) = (self.processes.cpu()?, Instant::now());
		while began.elapsed() < IDLE {
			self.pending().await?;
			sleep(LOOK).await;
		}
		Ok((self.processes.cpu()? - before).times(1.0 / began.elapsed().as_secs_f64()))
	}

	async fn alone(&self, question: &Question, idle: &ByKind) -> Result<Alone> {
		let before = self.processes.cpu()?;
		let answer = self.gateway.ask(question).await?;
		let (ended, began) = (self.processes.cpu()?, Instant::now());
		self.settled().await?;
		let settling = began.elapsed();
		let tail = Instant::now();
		while tail.elapsed() < TAIL {
			self.pending().await?;
			sleep(LOOK).await;
		}
		let used = self.processes.cpu()? - ended;
		let settlement = used - idle.times(began.elapsed().as_secs_f64());
		Ok(Alone { answer, cpu: (ended - before).all(), settling, settlement })
	}

	/// An answer right behind a short one, and whether the short one's record was final when it ended.
	async fn following(&self, question: &Question) -> Result<(Timed, bool)> {
		self.gateway.ask(&Question { tokens: PRIMING, ..question.clone() }).await?;
		let answer = self.gateway.ask(question).await?;
		Ok((answer, self.pending().await? <= 1))
	}

	/// Waits until no record waits, and for what comes behind that.
	async fn quiet(&self) -> Result<()> {
		self.settled().await?;
		sleep(TAIL).await;
		Ok(())
	}

	async fn settled(&self) -> Result<()> {
		let deadline = Instant::now() + SETTLING;
		while self.pending().await? > 0 {
			ensure!(
				Instant::now() < deadline,
				"a record is not final after {} seconds. The gateway's log ends:\n{}",
				SETTLING.as_secs(),
				self.cluster.gateway.log_tail()
			);
			sleep(LOOK).await;
		}
		Ok(())
	}

	/// Records that are not final.
	async fn pending(&self) -> Result<u64> {
		let status = self.cluster.gateway.status().await?;
		let pending = status["settlements"]["pending"].as_u64();
		pending.context("the gateway does not say what is not settled")
	}
}

fn share(part: f64, whole: f64) -> f64 {
	if whole > 0.0 {
		part / whole
	} else {
		0.0
	}
}

impl Cost {
	fn rows(&self) -> String {
		let percent = |share: f64| format!("{:.2} %", share * 100.0);
		let cpu = self.settlement.times(1e3);
		let rows = [
			(
				"trace",
				percent(self.trace.median - 1.0),
				format!(
					"time to decode, from {} to {}",
					percent(self.trace.least - 1.0),
					percent(self.trace.greatest - 1.0)
				),
			),
			(
				"settlement",
				percent(self.settlement_share),
				format!(
					"CPU time: {:.0} ms a record (node {:.0}, gateway {:.0}, workers {:.0}) of {:.2} s an \
					 answer",
					cpu.all(),
					cpu.node,
					cpu.gateway,
					cpu.workers,
					self.answer
				),
			),
			(
				"closing",
				percent(self.closing_share),
				format!("{} ms of {:.2} s an answer", self.closing.shown(0, 1e3), self.took.median),
			),
			("together", percent(self.total), String::new()),
		];
		let rows = rows.map(|(what, share, how)| vec![what.to_owned(), share, how]);
		let title = format!("{}, {} tokens", self.model, self.tokens);
		table(&[title.as_str(), "cost", "of what"], &rows)
	}

	fn sentences(&self) -> String {
		format!(
			"A record is final {} s behind its answer. Idle, all processes together use {:.1} ms of CPU \
			 time a second.\n\
			 While the record of another answer is settled, an answer is decoded at {} of its rate alone \
			 ({:.2} of {:.2} tokens/s; the record was final meanwhile in {} of {} pairs).",
			self.until_final.shown(1, 1.0),
			self.idle.all() * 1e3,
			self.ratio.shown(3, 1.0),
			self.following.median,
			self.alone.median,
			self.settled_meanwhile,
			self.ratio.count
		)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_share_of_nothing_should_be_nothing() {
		assert_eq!(share(1.0, 4.0), 0.25);
		assert_eq!(share(1.0, 0.0), 0.0);
	}
}
