//! `aria-worker model eval`: the loss on text that a model has not seen.

use super::{
	common::{self, KernelArgs},
	find,
};
use anyhow::{bail, ensure, Context, Result};
use aria_engine::{
	model::{Cancel, Input, Model, ModelOptions, Session},
	package::Package,
	text::{ChatTokenizer, Message, RenderOptions},
};
use clap::Args;
use serde::Deserialize;
use serde_json::json;
use std::{
	fs::File,
	io::{BufRead, BufReader},
	path::{Path, PathBuf},
	sync::{
		atomic::{AtomicUsize, Ordering},
		Mutex, PoisonError,
	},
	thread,
};

/// Most bytes of a line.
const MAX_LINE: usize = 4 << 20;

/// Score a model on held-out text: its loss in nats a token, and perplexity
///
/// Each line of the file is scored by itself:
///
/// {"prompt": "…", "answer": "…"} is a chat: the loss is that of the answer's tokens and of the token
/// that ends it. {"tokens": [1, 2, …]} are tokens, {"text": "…"} or any line that does not begin with
/// a brace a text: the loss is that of all tokens but the first.
#[derive(Args, Debug)]
pub struct EvalArgs {
	/// Folder of the package [default: ARIA_MODEL, or the embedded model]
	dir: Option<PathBuf>,

	/// The lines
	#[arg(long, value_name = "FILE")]
	text: PathBuf,

	/// Only the first N lines
	#[arg(long, value_name = "N", value_parser = common::positive)]
	limit: Option<usize>,

	/// Lines that are worked on at once, each on a thread [default: one a processor]
	#[arg(short, long, value_name = "N", value_parser = common::threads)]
	threads: Option<usize>,

	#[command(flatten)]
	kernel: KernelArgs,

	/// Print JSON
	#[arg(long)]
	json: bool,
}

#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Line {
	Chat { prompt: String, answer: String },
	Tokens { tokens: Vec<u32> },
	Text { text: String },
}

/// Tokens, and how many of them at the beginning are given.
#[derive(Debug, PartialEq)]
struct Sequence {
	tokens: Vec<u32>,
	given: usize,
}

/// The loss over some tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Loss {
	/// In nats.
	sum: f64,
	tokens: u64,
}

/// How well a model foresees some lines.
pub struct Report {
	/// Lines.
	pub lines: usize,
	/// Tokens whose loss counts.
	pub tokens: u64,
	/// Mean loss in nats a token.
	pub loss: f64,
}

/// Runs the command.
pub fn run(args: EvalArgs) -> Result<()> {
	let given = args.dir.or_else(|| std::env::var_os("ARIA_MODEL").map(PathBuf::from));
	let package = common::open(find::model(given)?)?;
	let threads = args.threads.unwrap_or_else(common::processors);
	let Report { lines, tokens, loss } =
		score(&package, &args.text, args.limit, threads, &args.kernel)?;
	if args.json {
		let report = json!({
			"model_id": format!("{:?}", package.model_id()),
			"lines": lines,
			"tokens": tokens,
			"loss": loss,
			"perplexity": loss.exp(),
		});
		say!("{}", serde_json::to_string_pretty(&report)?);
	} else {
		say!("model       {:?}", package.model_id());
		say!("lines       {lines}");
		say!("tokens      {tokens}");
		say!("loss        {loss:.4} nats a token");
		say!("perplexity  {:.2}", loss.exp());
	}
	Ok(())
}

/// The loss of `package` on the first `limit` lines of the file `text`, `threads` lines at once. The same
/// with any number of threads and any kernel.
pub fn score(
	package: &Package,
	text: &Path,
	limit: Option<usize>,
	threads: usize,
	kernel: &KernelArgs,
) -> Result<Report> {
	package.require_complete()?;
	let tokenizer = ChatTokenizer::open(package)?;
	let end = package.manifest.eos.first().copied();
	let context = package.manifest.context as usize;
	let sequences = read(text, &tokenizer, end, context, limit)?;

	// Each sequence on one thread: shorter steps than those of a large model would wait at barriers.
	let options = ModelOptions { layers: None, kernel: kernel.get()?, threads: 1 };
	let bar = common::progress("loading", "tensors");
	let model = Model::load(package, options, &mut |done, total| {
		bar.set_length(total);
		bar.set_position(done);
	})?;
	bar.finish_and_clear();

	let count = threads.min(sequences.len());
	let bar = common::progress("scoring", "lines");
	bar.set_length(sequences.len() as u64);
	let next = AtomicUsize::new(0);
	let losses = Mutex::new(vec![Loss::default(); sequences.len()]);
	let longest = sequences.iter().map(|sequence| sequence.tokens.len()).max().unwrap_or(1);
	let results: Vec<Result<()>> = thread::scope(|scope| {
		let work = || -> Result<()> {
			let mut scorer = Scorer::new(model.session(longest)?);
			loop {
				let index = next.fetch_add(1, Ordering::Relaxed);
				let Some(sequence) = sequences.get(index) else { return Ok(()) };
				let loss = scorer
					.score(sequence)
					.with_context(|| format!("sequence {} cannot be scored", index + 1))?;
				let mut losses = losses.lock().unwrap_or_else(PoisonError::into_inner);
				if let Some(place) = losses.get_mut(index) {
					*place = loss;
				}
				bar.inc(1);
			}
		};
		let threads: Vec<_> = (0..count).map(|_| scope.spawn(work)).collect();
		threads
			.into_iter()
			.map(|thread| {
				thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a thread panicked")))
			})
			.collect()
	});
	bar.finish_and_clear();
	results.into_iter().collect::<Result<()>>()?;

	// In the order of the lines, so that the sum does not depend on the threads.
	let losses = losses.into_inner().unwrap_or_else(PoisonError::into_inner);
	let sum: f64 = losses.iter().map(|loss| loss.sum).sum();
	let tokens: u64 = losses.iter().map(|loss| loss.tokens).sum();
	Ok(Report { lines: sequences.len(), tokens, loss: sum / tokens as f64 })
}

/// The sequences of a file.
fn read(
	path: &Path,
	tokenizer: &ChatTokenizer,
	end: Option<u32>,
	context: usize,
	limit: Option<usize>,
) -> Result<Vec<Sequence>> {
	let file =
		File::open(path).with_context(|| format!("--text: cannot open {}", path.display()))?;
	let mut reader = BufReader::new(file);
	let mut sequences = Vec::new();
	let mut number = 0usize;
	while limit.is_none_or(|limit| sequences.len() < limit) {
		number += 1;
		let place = || format!("--text: {}, line {number}", path.display());
		let Some(line) = line(&mut reader).with_context(place)? else { break };
		if line.trim().is_empty() {
			continue;
		}
		let sequence = sequence(&line, tokenizer, end).with_context(place)?;
		let length = sequence.tokens.len();
		ensure!(
			length <= context,
			"{}: {length} tokens, the model has {context} positions: shorten the line",
			place()
		);
		if sequence.given < length {
			sequences.push(sequence);
		}
	}
	ensure!(!sequences.is_empty(), "--text: {} has no line with a token to score", path.display());
	Ok(sequences)
}

/// The next line without its end; `None` behind the last.
fn line(reader: &mut impl BufRead) -> Result<Option<String>> {
	let mut bytes = Vec::new();
	let mut limited = std::io::Read::take(reader, MAX_LINE as u64 + 1);
	if limited.read_until(b'\n', &mut bytes)? == 0 {
		return Ok(None);
	}
	ensure!(bytes.len() <= MAX_LINE, "it has more than {MAX_LINE} bytes");
	while bytes.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
		bytes.pop();
	}
	Ok(Some(String::from_utf8(bytes).context("it is not UTF-8")?))
}

fn sequence(line: &str, tokenizer: &ChatTokenizer, end: Option<u32>) -> Result<Sequence> {
	let line = if line.starts_with('{') {
		serde_json::from_str(line).context(
			"it is no object with prompt and answer, with tokens, or with text, and nothing else",
		)?
	} else {
		Line::Text { text: line.to_owned() }
	};
	Ok(match line {
		Line::Chat { prompt, answer } => {
			let mut tokens = tokenizer.chat(&[Message::user(prompt)], &RenderOptions::default())?;
			let given = tokens.len();
			ensure!(given > 0, "the chat template writes nothing in front of the answer");
			tokens.extend(tokenizer.encode(&answer)?);
			tokens.extend(end);
			Sequence { tokens, given }
		}
		Line::Tokens { tokens } => {
			let vocab = tokenizer.vocab();
			if let Some(token) = tokens.iter().find(|token| **token >= vocab) {
				bail!("token {token} is not in the vocabulary of {vocab}");
			}
			Sequence { tokens, given: 1 }
		}
		Line::Text { text } => Sequence { tokens: tokenizer.prompt(&text)?, given: 1 },
	})
}

/// A session and memory to score sequences with.
struct Scorer {
	session: Session,
	states: Vec<f32>,
	hidden: Vec<f32>,
	logits: Vec<f32>,
}

impl Scorer {
	fn new(session: Session) -> Self {
		let config = session.model().config();
		let (hidden, vocab) = (config.hidden, config.vocab);
		Self { session, states: Vec::new(), hidden: vec![0.0; hidden], logits: vec![0.0; vocab] }
	}

	/// The loss of the tokens that are not given. At least one is.
	fn score(&mut self, sequence: &Sequence) -> Result<Loss> {
		let Some((_, inputs)) = sequence.tokens.split_last() else { return Ok(Loss::default()) };
		self.session.truncate(0);
		self.states.clear();
		let first = sequence.given.saturating_sub(1);
		let output = self.session.forward(Input::Tokens(inputs), &Cancel::new())?;
		self.states.extend(output.values.iter().skip(first * output.hidden));

		let mut loss = Loss::default();
		let targets = sequence.tokens.iter().skip(sequence.given);
		for (x, target) in self.states.chunks_exact(self.hidden.len()).zip(targets) {
			self.session.final_hidden(x, &mut self.hidden)?;
			self.session.logits(&self.hidden, &mut self.logits)?;
			loss.sum += surprise(&self.logits, *target as usize);
			loss.tokens += 1;
		}
		Ok(loss)
	}
}

/// `−ln` of the probability that `logits` give to `target`. In f64: this is a statistic, no answer.
fn surprise(logits: &[f32], target: usize) -> f64 {
	let greatest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
	let shifted = |logit: f32| f64::from(logit) - f64::from(greatest);
	let sum: f64 = logits.iter().map(|logit| shifted(*logit).exp()).sum();
	let logit = logits.get(target).copied().unwrap_or(f32::NEG_INFINITY);
	sum.ln() - shifted(logit)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn surprise_should_be_the_cross_entropy() {
		assert!((surprise(&[0.0; 8], 3) - 8f64.ln()).abs() < 1e-12);
		assert!(surprise(&[50.0, 0.0], 0) < 1e-12);
		assert!((surprise(&[1.0, 3.0], 0) - (1.0 + 2f64.exp()).ln()).abs() < 1e-9);
	}

	#[test]
	fn lines_should_be_of_the_three_kinds() {
		let parse = |text: &str| serde_json::from_str::<Line>(text);
		assert!(matches!(parse(r#"{"prompt": "a", "answer": "b"}"#), Ok(Line::Chat { .. })));
		assert!(matches!(parse(r#"{"tokens": [1, 2]}"#), Ok(Line::Tokens { .. })));
		assert!(matches!(parse(r#"{"text": "a"}"#), Ok(Line::Text { .. })));
		for text in ["{}", r#"{"prompt": "a"}"#, r#"{"tokens": [-1]}"#, r#"{"text": "a", "x": 1}"#]
		{
			assert!(parse(text).is_err(), "{text}");
		}
	}

	#[test]
	fn lines_should_end_where_they_end() {
		let mut reader = &b"one\r\n\ntwo"[..];
		assert_eq!(line(&mut reader).unwrap().unwrap(), "one");
		assert_eq!(line(&mut reader).unwrap().unwrap(), "");
		assert_eq!(line(&mut reader).unwrap().unwrap(), "two");
		assert_eq!(line(&mut reader).unwrap(), None);
		assert!(line(&mut &b"\xff\n"[..]).is_err());
	}
}
