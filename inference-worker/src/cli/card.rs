//! `aria-worker model card`: what a model card says, computed again.

use super::{
	common::{self, KernelArgs},
	eval::{self, Report},
	find,
};
use anyhow::{bail, ensure, Context, Result};
use aria_engine::{
	generate::{positions, Generator},
	model::Cancel,
	package::Package,
	text::{ChatTokenizer, Message, RenderOptions},
};
use aria_primitives::query::{CanonicalQuery, Sampling, QUERY_VERSION};
use clap::Args;
use serde::Deserialize;
use std::{fmt::Write, fs, ops::ControlFlow, path::PathBuf, sync::Arc};

/// Samples in a card.
const SAMPLES: usize = 20;
/// Most tokens of a sample.
const MAX_TOKENS: u32 = 64;
/// How samples are drawn; their seed is the number of the line.
const SAMPLING: Sampling =
	Sampling { temperature_milli: 500, top_k: 0, top_p_ppm: 950_000, seed: 0 };
/// What stands before and behind the computed part of a card.
const BEGIN: &str = "<!-- computed by `aria-worker model card` -->\n";
const END: &str = "<!-- until here -->\n";

/// Compute what a model's card says: its held-out loss, and twenty samples
///
/// Prompts of the samples are those of every n-th line of the held-out text, their seeds the numbers of
/// the lines: nobody picked one. The result is the same on every machine.
#[derive(Args, Debug)]
pub struct CardArgs {
	/// Folder of the package [default: ARIA_MODEL, or the embedded model]
	dir: Option<PathBuf>,

	/// The held-out chats [default: heldout.jsonl in the package's folder]
	#[arg(long, value_name = "FILE")]
	text: Option<PathBuf>,

	/// Fail if FILE does not say the same
	#[arg(long, value_name = "FILE")]
	check: Option<PathBuf>,

	/// Lines that are worked on at once, each on a thread [default: one a processor]
	#[arg(short, long, value_name = "N", value_parser = common::threads)]
	threads: Option<usize>,

	#[command(flatten)]
	kernel: KernelArgs,
}

#[derive(Deserialize)]
struct Chat {
	prompt: String,
}

/// Runs the command.
pub fn run(args: CardArgs) -> Result<()> {
	let given = args.dir.clone().or_else(|| std::env::var_os("ARIA_MODEL").map(PathBuf::from));
	let package = common::open(find::model(given)?)?;
	let text = args.text.clone().unwrap_or_else(|| package.dir.join("heldout.jsonl"));
	let threads = args.threads.unwrap_or_else(common::processors);
	let report = eval::score(&package, &text, None, threads, &args.kernel)?;
	let lines = fs::read_to_string(&text)
		.with_context(|| format!("--text: cannot read {}", text.display()))?;
	let card = card(&package, &report, &samples(&package, &lines, threads, &args.kernel)?);
	let Some(path) = &args.check else {
		say!("{}", card.trim_end_matches('\n'));
		return Ok(());
	};
	let said = fs::read_to_string(path)
		.with_context(|| format!("--check: cannot read {}", path.display()))?;
	let said = part(&said).with_context(|| {
		format!("--check: {} has no part between {BEGIN:?} and {END:?}", path.display())
	})?;
	if said != card {
		let line = said.lines().zip(card.lines()).find(|(said, is)| said != is);
		let (said, is) = line.unwrap_or(("another number of lines", ""));
		bail!("{} says\n  {said}\nand the model\n  {is}", path.display());
	}
	say!("{} says what the model does", path.display());
	Ok(())
}

/// The computed part of a card, its marks included.
fn part(text: &str) -> Option<&str> {
	let begin = text.find(BEGIN)?;
	let end = text.get(begin..)?.find(END)?.checked_add(begin)?.checked_add(END.len())?;
	text.get(begin..end)
}

/// Prompts and answers.
fn samples(
	package: &Package,
	lines: &str,
	threads: usize,
	kernel: &KernelArgs,
) -> Result<Vec<(String, String)>> {
	let lines: Vec<&str> = lines.lines().collect();
	ensure!(lines.len() >= SAMPLES, "the held-out text has fewer than {SAMPLES} lines");
	let tokenizer = Arc::new(ChatTokenizer::open(package)?);
	let models = common::load(package, 1, threads, &kernel.get()?)?;
	let context = package.manifest.context as usize;
	let mut generator =
		Generator::new(package, common::pipeline(&models, context)?, tokenizer.clone());
	let step = lines.len() / SAMPLES;
	let mut samples = Vec::with_capacity(SAMPLES);
	for (index, line) in lines.iter().enumerate().step_by(step).take(SAMPLES) {
		let Chat { prompt } = serde_json::from_str(line)
			.with_context(|| format!("--text: line {} is no chat", index + 1))?;
		let messages = [Message::user(prompt.as_str())];
		let tokens = tokenizer.chat(&messages, &RenderOptions::default())?;
		ensure!(positions(tokens.len(), MAX_TOKENS, context) > tokens.len(), "a long prompt");
		let query = CanonicalQuery {
			version: QUERY_VERSION,
			model_id: package.model_id(),
			prompt_tokens: tokens.try_into().ok().context("a long prompt")?,
			sampling: Sampling { seed: index as u64 + 1, ..SAMPLING },
			max_tokens: MAX_TOKENS,
			stop: Default::default(),
			salt: [0; 32],
		};
		let answer =
			generator.generate(&query, None, &Cancel::new(), &mut |_| ControlFlow::Continue(()))?;
		samples.push((prompt, answer.text));
	}
	Ok(samples)
}

fn card(package: &Package, report: &Report, samples: &[(String, String)]) -> String {
	let mut text = String::from(BEGIN);
	// Writing to a string does not fail.
	let _ = write!(
		text,
		"\n| | |\n|---|---|\n| model id | `{:?}` |\n| held-out chats | {} |\n| tokens of their answers | {} \
		 |\n| loss | {:.4} nats a token |\n| perplexity | {:.2} |\n\n| question | answer |\n|---|---|\n",
		package.model_id(),
		common::grouped(report.lines as u64),
		common::grouped(report.tokens),
		report.loss,
		report.loss.exp(),
	);
	for (prompt, answer) in samples {
		let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
		let _ = writeln!(text, "| {} | {} |", cell(prompt), cell(answer));
	}
	text.push('\n');
	text.push_str(END);
	text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn the_computed_part_should_be_found_with_its_marks() {
		let text = format!("before\n{BEGIN}a\n{END}behind");

		assert_eq!(part(&text).unwrap(), format!("{BEGIN}a\n{END}"));
		assert_eq!(part(&format!("{END}{BEGIN}a")), None);
		assert_eq!(part("nothing"), None);
	}
}
