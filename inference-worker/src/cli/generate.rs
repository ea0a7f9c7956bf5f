//! `aria-worker generate`: one prompt, one answer.

use super::{
	common::{self, KernelArgs, ModelArgs},
	sampling::SamplingArgs,
};
use anyhow::{anyhow, ensure, Context, Result};
use aria_engine::{
	generate::{positions, Answer, Generator, QueryTrace},
	model::Cancel,
	package::Package,
	text::{ChatTokenizer, Message, RenderOptions},
};
use aria_primitives::{
	hashing::sha256,
	query::{CanonicalQuery, MAX_PROMPT_TOKENS, MAX_STOPS, MAX_STOP_BYTES, QUERY_VERSION},
	record::FinishReason,
};
use serde_json::{json, Value};
use std::{
	fs,
	io::{self, IsTerminal, Read, Write},
	ops::ControlFlow,
	path::{Path, PathBuf},
	sync::Arc,
};

/// Most bytes that are read from stdin.
const MAX_STDIN: u64 = 4 << 20;

/// Answer a prompt, streaming, with speeds at the end
///
/// The answer goes to stdout as it is drawn, everything else to stderr. The same query gives the same
/// answer on every machine, with any kernel, number of threads and number of stages.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  aria-worker generate --chat 'What does \"serendipity\" mean?'
  echo 'What is a lighthouse?' | aria-worker generate
  aria-worker generate --prompt 'A lighthouse is' --max-tokens 20 --temperature 0.7 --seed 7")]
pub struct Args {
	#[command(flatten)]
	model: ModelArgs,

	/// A text to go on with, as it is: no chat template
	#[arg(short, long, value_name = "TEXT", conflicts_with = "chat")]
	prompt: Option<String>,

	/// What a user says, put into the model's chat template [default: what stdin says]
	#[arg(short, long, value_name = "TEXT")]
	chat: Option<String>,

	/// Take stdin as a text to go on with: no chat template
	#[arg(long, conflicts_with = "chat")]
	raw: bool,

	/// Most tokens of the answer
	#[arg(short = 'n', long, value_name = "N", default_value_t = 256)]
	max_tokens: u32,

	#[command(flatten)]
	sampling: SamplingArgs,

	/// End the answer before this text; up to four times
	#[arg(long, value_name = "TEXT")]
	stop: Vec<String>,

	/// The query's salt, 64 hexadecimal digits [default: zeros, so that runs compare]
	#[arg(long, value_name = "HEX", value_parser = salt)]
	salt: Option<[u8; 32]>,

	#[command(flatten)]
	kernel: KernelArgs,

	/// Threads [default: one a processor]. The answer is the same with any number
	#[arg(short, long, value_name = "N", value_parser = common::threads)]
	threads: Option<usize>,

	/// Divide the layers into this many stages, as a pipeline of workers does. The answer is the same
	#[arg(long, value_name = "N", default_value = "1", value_parser = common::positive)]
	stages: usize,

	/// Print one JSON object at the end instead of streaming text
	#[arg(long)]
	json: bool,

	/// Write the boundaries of the query as JSON: what a record commits to
	#[arg(long, value_name = "FILE")]
	trace: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
	let package = args.model.open()?;
	let kernel = args.kernel.get()?;
	let tokenizer = Arc::new(ChatTokenizer::open(&package)?);
	let query = query(&args, &package, &tokenizer)?;
	let threads = args.threads.unwrap_or_else(common::processors);

	let models = common::load(&package, args.stages, threads, &kernel)?;
	let context = package.manifest.context as usize;
	let room = positions(query.prompt_tokens.len(), query.max_tokens, context);
	let pipeline = common::pipeline(&models, room)?;
	let mut generator = Generator::new(&package, pipeline, tokenizer);
	let mut trace = args.trace.as_ref().map(|_| QueryTrace::new(&query, args.stages));

	let mut stdout = io::stdout().lock();
	let mut written = Ok(());
	let answer = generator.generate(&query, trace.as_mut(), &Cancel::new(), &mut |step| {
		if !args.json && !step.text.is_empty() {
			written = stdout.write_all(step.text.as_bytes()).and_then(|()| stdout.flush());
		}
		if written.is_ok() {
			ControlFlow::Continue(())
		} else {
			ControlFlow::Break(())
		}
	})?;
	if args.json {
		let report = report(&query, &answer, kernel.name(), threads, args.stages);
		written = serde_json::to_writer_pretty(&mut stdout, &report).map_err(io::Error::from);
	}
	let written = written.and_then(|()| stdout.write_all(b"\n")).and_then(|()| stdout.flush());
	match written {
		// Whoever read has read enough.
		Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
		written => written.context("stdout cannot be written to")?,
	}
	if let (Some(path), Some(trace)) = (&args.trace, &trace) {
		write_trace(path, &query, &answer, trace)?;
	}
	eprintln!(
		"model {:?}\nprompt {} tokens, {:.1} tokens/s; answer {} tokens, {:.1} tokens/s, {}; kernel {}, \
		 {threads} threads",
		query.model_id,
		answer.prompt_tokens,
		answer.prompt_rate(),
		answer.tokens.len(),
		answer.answer_rate(),
		name(answer.finish_reason),
		kernel.name(),
	);
	Ok(())
}

/// The query that the flags and stdin describe.
fn query(args: &Args, package: &Package, tokenizer: &ChatTokenizer) -> Result<CanonicalQuery> {
	let tokens = match (&args.prompt, &args.chat) {
		(Some(text), _) => tokenizer.prompt(text)?,
		(None, Some(text)) => chat(tokenizer, text)?,
		(None, None) => {
			let text = stdin()?;
			if args.raw {
				tokenizer.prompt(&text)?
			} else {
				chat(tokenizer, text.trim())?
			}
		}
	};
	let count = tokens.len();
	let prompt_tokens =
		tokens.try_into().map_err(|_| {
			anyhow!("the prompt has {count} tokens, at most {MAX_PROMPT_TOKENS} are allowed: shorten it")
		})?;
	let mut query = CanonicalQuery {
		version: QUERY_VERSION,
		model_id: package.model_id(),
		prompt_tokens,
		sampling: args.sampling.into(),
		max_tokens: args.max_tokens,
		stop: Default::default(),
		salt: args.salt.unwrap_or_default(),
	};
	for text in &args.stop {
		ensure!(!text.is_empty(), "--stop: the text is empty");
		let stop = text.as_bytes().to_vec().try_into().map_err(|_| {
			anyhow!("--stop {text:?}: it has more than the {MAX_STOP_BYTES} bytes that are allowed")
		})?;
		query
			.stop
			.try_push(stop)
			.map_err(|_| anyhow!("--stop: at most {MAX_STOPS} of them are allowed"))?;
	}
	Ok(query)
}

fn chat(tokenizer: &ChatTokenizer, text: &str) -> Result<Vec<u32>> {
	Ok(tokenizer.chat(&[Message::user(text)], &RenderOptions::default())?)
}

/// All of stdin, as text.
fn stdin() -> Result<String> {
	let stdin = io::stdin();
	if stdin.is_terminal() {
		eprintln!("Type what to ask, then press Ctrl-D (or say it with --chat or --prompt):");
	}
	let mut bytes = Vec::new();
	stdin.lock().take(MAX_STDIN + 1).read_to_end(&mut bytes).context("stdin cannot be read")?;
	ensure!(bytes.len() as u64 <= MAX_STDIN, "stdin has more than {MAX_STDIN} bytes: shorten it");
	let text = String::from_utf8(bytes).context("stdin is not UTF-8")?;
	ensure!(
		!text.trim().is_empty(),
		"there is nothing to answer: use --chat TEXT, --prompt TEXT, or pipe a text in"
	);
	Ok(text)
}

fn name(reason: FinishReason) -> &'static str {
	match reason {
		FinishReason::Stop => "stop",
		FinishReason::Length => "length",
		FinishReason::Cancelled => "cancelled",
	}
}

fn report(
	query: &CanonicalQuery,
	answer: &Answer,
	kernel: &str,
	threads: usize,
	stages: usize,
) -> Value {
	json!({
		"model_id": format!("{:?}", query.model_id),
		"query_hash": format!("{:?}", query.hash()),
		"text": answer.text,
		"output_hash": format!("{:?}", sha256(answer.text.as_bytes())),
		"finish_reason": name(answer.finish_reason),
		"prompt_tokens": query.prompt_tokens.to_vec(),
		"output_tokens": answer.tokens,
		"cached_tokens": answer.cached_tokens,
		"sampling": query.sampling,
		"kernel": kernel,
		"threads": threads,
		"stages": stages,
		"first_token_seconds": answer.timings.first_token.as_secs_f64(),
		"prompt_tokens_per_second": answer.prompt_rate(),
		"output_tokens_per_second": answer.answer_rate(),
	})
}

fn write_trace(
	path: &Path,
	query: &CanonicalQuery,
	answer: &Answer,
	trace: &QueryTrace,
) -> Result<()> {
	let trees: Vec<Value> = trace
		.trees()
		.iter()
		.zip(trace.boundaries())
		.map(|(tree, boundary)| {
			json!({
				"first_position": tree.first_position(),
				"leaves": tree.len(),
				"root": format!("{:?}", tree.root()),
				"boundary": format!("{boundary:?}"),
			})
		})
		.collect();
	let value = json!({
		"model_id": format!("{:?}", query.model_id),
		"query_hash": format!("{:?}", query.hash()),
		"salt": hex(&query.salt),
		"output_tokens": answer.tokens,
		"finish_reason": name(answer.finish_reason),
		"boundaries": trees,
	});
	let mut text = serde_json::to_string_pretty(&value)?;
	text.push('\n');
	fs::write(path, text).with_context(|| format!("--trace: cannot write {}", path.display()))
}

fn hex(bytes: &[u8]) -> String {
	let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
	std::iter::once("0x".to_owned()).chain(digits).collect()
}

/// 32 bytes from their hexadecimal digits.
fn salt(text: &str) -> Result<[u8; 32], String> {
	let digits = text.strip_prefix("0x").unwrap_or(text);
	let mut bytes = [0; 32];
	if digits.len() != 64 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
		return Err("it is not 64 hexadecimal digits".to_owned());
	}
	for (index, byte) in bytes.iter_mut().enumerate() {
		let pair = digits.get(2 * index..2 * index + 2).unwrap_or_default();
		*byte = u8::from_str_radix(pair, 16).map_err(|error| error.to_string())?;
	}
	Ok(bytes)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn salts_should_be_32_bytes() {
		let digits = "0123456789abcdefABCDEF0000000000000000000000000000000000000000ff";
		let bytes = salt(digits).unwrap_or_default();
		assert_eq!((bytes[0], bytes[11], bytes[31]), (0x01, 0, 0xff));
		assert_eq!(hex(&bytes), format!("0x{}", digits.to_lowercase()));
		for text in ["", "0x", "00", &digits[1..], &digits.replace('f', "g")] {
			assert!(salt(text).is_err(), "{text}");
		}
	}
}
