//! Tokens a second of three stages, each a process, beside one process with all layers.

use crate::{
	ask::{Gateway, Timed},
	package::{Generated, Package, STAGES},
	report::{bar, table, verdict, Section, Summary},
	settings::{Settings, Which},
};
use anyhow::{ensure, Context, Result};
use aria_e2e::cluster::Cluster;
use serde::Serialize;
use std::time::Duration;
use tokio::time::sleep;

/// What is waited for behind an answer of the network, whose record is settled meanwhile.
const REST: Duration = Duration::from_secs(4);
/// The least that the network may reach of one process, on the random model.
const TARGET: f64 = 0.8;

/// One model.
#[derive(Debug, Serialize)]
struct Compared {
	model: String,
	which: Which,
	kernel: String,
	stages: u16,
	tokens: u64,
	/// Whether each token was seen, so that rates end with the last one and not with the answer.
	visible: bool,
	/// Tokens a second behind the first, over the gateway.
	network: Summary,
	/// The same of `aria-worker generate`.
	process: Summary,
	/// Of each pair of neighbours, network over process.
	ratio: Summary,
	/// Seconds from the request to the first token.
	network_first: Summary,
	/// Seconds from the query to the first token, once the model is loaded.
	process_first: Summary,
	/// Seconds from the last token to the answer's end, where tokens are seen.
	closing: Option<Summary>,
}

/// Measures.
///
/// # Errors
/// What does not start or answer; answers that differ.
pub async fn run(settings: &Settings) -> Result<Section> {
	let mut all = Vec::new();
	for package in Package::chosen(settings).await? {
		all.push(compare(settings, &package).await.with_context(|| package.label.clone())?);
	}
	let rows: Vec<Vec<String>> = all.iter().map(row).collect();
	let head = [
		"model",
		"tokens",
		"network, tokens/s",
		"generate, tokens/s",
		"ratio",
		"first token, network",
		"first token, generate",
		"end behind last token",
	];
	let mut lines = vec![table(&head, &rows), String::new()];
	let mut failures = Vec::new();
	for one in all.iter().filter(|one| one.which == Which::Random) {
		let passed = one.ratio.median >= TARGET;
		let line = format!(
			"{}: {STAGES} stages decode {} at {:.3} of `generate` (at least {TARGET:.1}).",
			verdict(passed),
			one.model,
			one.ratio.median
		);
		if !passed {
			failures.push(line.clone());
		}
		lines.push(line);
	}
	lines.push(format!(
		"Median of {} pairs (least to greatest). Every answer of the network had the text of its \
		 neighbour.",
		settings.repetitions
	));
	Ok(Section { text: lines.join("\n"), json: serde_json::to_value(&all)?, failures })
}

async fn compare(settings: &Settings, package: &Package) -> Result<Compared> {
	let tokens = match package.which {
		Which::Random => settings.tokens,
		Which::Shipped => settings.shipped_tokens,
	};
	let bar = bar(u64::from(settings.repetitions), &format!("{}: starting", package.label));
	let cluster = Cluster::start(package.spec(settings)).await?;
	let gateway = Gateway::of(&cluster).await?;
	let (question, _) = gateway.lengthen(&package.question(tokens)).await?;
	let threads = settings.threads();
	bar.set_message(format!("{}: pairs", package.label));

	let mut pairs: Vec<(Timed, Generated)> = Vec::new();
	for repetition in 0..settings.repetitions {
		// Which is first changes, so that a machine whose speed drifts treats both alike.
		let pair = if repetition % 2 == 0 {
			let answer = gateway.ask(&question).await?;
			sleep(REST).await;
			(answer, package.generate(&question, threads).await?)
		} else {
			let generated = package.generate(&question, threads).await?;
			(gateway.ask(&question).await?, generated)
		};
		let (answer, generated) = &pair;
		ensure!(
			answer.text == generated.text && answer.tokens == generated.tokens,
			"the network and `aria-worker generate` answer differently: {:?} ({} tokens), {:?} ({})",
			answer.text,
			answer.tokens,
			generated.text,
			generated.tokens
		);
		ensure!(answer.replaced == 0, "a stage was replaced while it was measured");
		pairs.push(pair);
		bar.inc(1);
	}
	bar.finish_and_clear();
	Ok(summarise(package, &pairs))
}

fn summarise(package: &Package, pairs: &[(Timed, Generated)]) -> Compared {
	let of = |value: &dyn Fn(&Timed, &Generated) -> f64| {
		let values: Vec<f64> = pairs.iter().map(|(answer, one)| value(answer, one)).collect();
		Summary::of(&values)
	};
	let visible = pairs.iter().all(|(answer, _)| answer.is_visible());
	let closing = of(&|answer, _| {
		let last = answer.pieces.last().copied().unwrap_or(Duration::ZERO);
		answer.closed.saturating_sub(last).as_secs_f64()
	});
	let first = pairs.first();
	Compared {
		model: package.label.clone(),
		which: package.which,
		kernel: first.map(|(_, one)| one.kernel.clone()).unwrap_or_default(),
		stages: STAGES,
		tokens: first.map_or(0, |(answer, _)| answer.tokens),
		visible,
		network: of(&|answer, _| answer.rate()),
		process: of(&|_, one| one.rate),
		ratio: of(&|answer, one| if one.rate > 0.0 { answer.rate() / one.rate } else { 0.0 }),
		network_first: of(&|answer, _| answer.opened.as_secs_f64()),
		process_first: of(&|_, one| one.first),
		closing: visible.then_some(closing),
	}
}

fn row(one: &Compared) -> Vec<String> {
	let millis = |summary: &Summary| format!("{:.0} ms", summary.median * 1e3);
	vec![
		format!("{} ({})", one.model, one.kernel),
		one.tokens.to_string(),
		one.network.shown(2, 1.0),
		one.process.shown(2, 1.0),
		one.ratio.shown(3, 1.0),
		millis(&one.network_first),
		millis(&one.process_first),
		one.closing.as_ref().map_or("in the rate".to_owned(), millis),
	]
}
