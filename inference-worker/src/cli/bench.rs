//! `aria-worker bench`: tokens a second, beside what the machine's memory allows.
//!
//! Measurements take turns, so that a machine whose speed drifts treats all of them alike.

use super::{
	common::{self, bytes, grouped, KernelArgs, ModelArgs},
	memory,
	probe::Probe,
	statistics::Summary,
};
use anyhow::{anyhow, ensure, Result};
use aria_engine::{
	generate::QueryTrace,
	model::{Model, Pipeline},
	package::Package,
	sampler::{sample, SampleScratch},
};
use aria_primitives::query::{CanonicalQuery, Sampling, QUERY_VERSION};
use indicatif::ProgressBar;
use serde::Serialize;
use std::{sync::Arc, time::Instant};

/// Tokens of a prompt that are worked on at once.
const CHUNK: usize = 512;

/// Measure how fast a model reads prompts and writes answers here
///
/// In the same run it is measured how fast memory is read: a decoded token reads all weights once, so
/// that is the limit.
#[derive(clap::Args, Debug)]
#[command(after_help = "Leave the machine alone meanwhile. Example:
  aria-worker model random --shape 2b4t /tmp/2b4t
  aria-worker bench --model /tmp/2b4t --threads 1,2")]
pub struct Args {
	#[command(flatten)]
	model: ModelArgs,

	/// Numbers of threads [default: 1 and one a processor]
	#[arg(short, long, value_name = "N,…", value_delimiter = ',', value_parser = common::threads)]
	threads: Vec<usize>,

	/// Lengths of prompts, in tokens
	#[arg(
		short,
		long,
		value_name = "N,…",
		value_delimiter = ',',
		default_value = "128,512",
		value_parser = common::positive
	)]
	prompt: Vec<usize>,

	/// Tokens to decode
	#[arg(short = 'n', long, value_name = "N", default_value = "128", value_parser = common::positive)]
	decode: usize,

	/// How often each is measured
	#[arg(short, long, value_name = "N", default_value = "5", value_parser = common::positive)]
	repetitions: usize,

	#[command(flatten)]
	kernel: KernelArgs,

	/// Divide the layers into this many stages
	#[arg(long, value_name = "N", default_value = "1", value_parser = common::positive)]
	stages: usize,

	/// Also decode with a trace, in turn with decoding without, and compare
	#[arg(long)]
	trace_cost: bool,

	/// Size of the buffer that is read to measure memory, in MiB: many times the caches'
	#[arg(long, value_name = "MIB", default_value = "1024", value_parser = common::positive)]
	probe_mib: usize,

	/// Print JSON instead of a table
	#[arg(long)]
	json: bool,
}

/// All measurements.
#[derive(Serialize)]
struct Report {
	model_id: String,
	active_parameters: u64,
	kernel: String,
	stages: usize,
	repetitions: usize,
	runs: Vec<Run>,
}

/// The measurements with one number of threads.
#[derive(Serialize)]
struct Run {
	threads: usize,
	/// Tokens a second.
	prompts: Vec<Measured>,
	decode: Measured,
	/// Weights that a decoded token reads.
	weight_bytes_per_token: u64,
	/// Keys and values that it reads, on average.
	kv_bytes_per_token: u64,
	/// Bytes a second.
	read_bandwidth: Summary,
	/// What decoding read of that: a share of the median.
	bandwidth_share: f64,
	/// Greatest resident set while the model worked, without the buffer that measures bandwidth.
	peak_memory_bytes: Option<u64>,
	trace: Option<TraceCost>,
}

/// Tokens a second of one kind.
#[derive(Serialize)]
struct Measured {
	tokens: usize,
	tokens_per_second: Summary,
}

/// What a trace costs.
#[derive(Serialize)]
struct TraceCost {
	tokens_per_second: Summary,
	/// Time of a step with a trace over that of one without, of each answer.
	ratio: Summary,
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
	let package = args.model.open()?;
	let kernel = args.kernel.get()?;
	let context = package.manifest.context as usize;
	for prompt in &args.prompt {
		ensure!(*prompt <= context, "--prompt {prompt}: the model has {context} positions");
	}
	let decode = args.decode;
	ensure!(
		decode < context,
		"--decode {decode}: the model has {context} positions, one of which begins"
	);

	ensure!(
		!args.trace_cost || decode > 1,
		"--trace-cost compares a token with its neighbour: ask for --decode 2 or more"
	);

	let mut threads = args.threads.clone();
	if threads.is_empty() {
		threads = vec![1, common::processors()];
		threads.dedup();
	}
	let measurements = args.prompt.len() + 2 + usize::from(args.trace_cost);
	let runs = threads
		.into_iter()
		.map(|threads| {
			memory::forget_peak();
			let models = common::load(&package, args.stages, threads, &kernel)?;
			let bar = common::progress("measuring", "measurements");
			bar.set_length(args.repetitions.saturating_mul(measurements) as u64);
			let run = Bench::new(&args, &package, &models)?.run(threads, &bar)?;
			bar.finish_and_clear();
			Ok(run)
		})
		.collect::<Result<Vec<_>>>()?;
	let report = Report {
		model_id: format!("{:?}", package.model_id()),
		active_parameters: package.manifest.active_parameters(),
		kernel: kernel.name().to_owned(),
		stages: args.stages,
		repetitions: args.repetitions,
		runs,
	};
	if args.json {
		say!("{}", serde_json::to_string_pretty(&report)?);
	} else {
		report.print()?;
	}
	Ok(())
}

/// A loaded model and what is asked of it.
struct Bench<'a> {
	args: &'a Args,
	models: &'a [Arc<Model>],
	pipeline: Pipeline,
	prompt: Vec<u32>,
	query: CanonicalQuery,
	scratch: SampleScratch,
}

impl<'a> Bench<'a> {
	fn new(args: &'a Args, package: &Package, models: &'a [Arc<Model>]) -> Result<Self> {
		let longest = args.prompt.iter().copied().max().unwrap_or(1);
		let prompt = tokens(longest, package.manifest.vocab);
		let first: Vec<u32> = prompt.iter().take(1).copied().collect();
		let query = CanonicalQuery {
			version: QUERY_VERSION,
			model_id: package.model_id(),
			prompt_tokens: first.try_into().map_err(|_| anyhow!("the prompt is too long"))?,
			sampling: Sampling::GREEDY,
			max_tokens: u32::try_from(args.decode)?,
			stop: Default::default(),
			salt: [0; 32],
		};
		Ok(Self {
			pipeline: common::pipeline(models, longest.max(args.decode + 1))?,
			args,
			models,
			prompt,
			query,
			scratch: SampleScratch::default(),
		})
	}

	fn run(&mut self, threads: usize, bar: &ProgressBar) -> Result<Run> {
		let args = self.args;
		// Faults every page in, and shows what memory the model takes.
		self.prefill(self.prompt.len())?;
		self.decode()?;
		let peak = memory::peak();

		let probe = Probe::new(args.probe_mib.saturating_mul(1 << 20))?;
		let _ = probe.read(threads);
		let mut prompts = vec![Vec::new(); args.prompt.len()];
		let (mut plain, mut traced, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
		let mut bandwidths = Vec::new();
		for repetition in 0..args.repetitions {
			for (length, rates) in args.prompt.iter().zip(&mut prompts) {
				rates.push(*length as f64 / self.prefill(*length)?);
				bar.inc(1);
			}
			plain.push(args.decode as f64 / self.decode()?);
			bar.inc(1);
			if args.trace_cost {
				let [without, with] = self.decode_in_turn(repetition % 2 == 0)?;
				traced.push(1.0 / with);
				ratios.push(with / without);
				bar.inc(1);
			}
			// The best of three: the limit is what the machine can do when nothing disturbs it.
			bandwidths.push((0..3).map(|_| probe.read(threads)).fold(0.0, f64::max));
			bar.inc(1);
		}

		let weights: usize = self.models.iter().map(|model| model.weight_bytes()).sum();
		let position: usize = self.models.iter().map(|model| model.kv_bytes_per_position()).sum();
		// The first of these tokens sees two positions, the last all of them.
		let kv = position as f64 * (args.decode as f64 + 3.0) / 2.0;
		let decode = Summary::of(&plain);
		let read_bandwidth = Summary::of(&bandwidths);
		Ok(Run {
			threads,
			prompts: args
				.prompt
				.iter()
				.zip(&prompts)
				.map(|(tokens, rates)| Measured {
					tokens: *tokens,
					tokens_per_second: Summary::of(rates),
				})
				.collect(),
			weight_bytes_per_token: weights as u64,
			kv_bytes_per_token: kv as u64,
			bandwidth_share: (weights as f64 + kv) * decode.median / read_bandwidth.median,
			decode: Measured { tokens: args.decode, tokens_per_second: decode },
			read_bandwidth,
			peak_memory_bytes: peak,
			trace: args.trace_cost.then(|| TraceCost {
				tokens_per_second: Summary::of(&traced),
				ratio: Summary::of(&ratios),
			}),
		})
	}

	/// Seconds for a prompt of `length` tokens, from nothing to the logits behind it.
	fn prefill(&mut self, length: usize) -> Result<f64> {
		self.pipeline.truncate(0);
		let prompt = self.prompt.get(..length).unwrap_or(&self.prompt);
		let start = Instant::now();
		self.pipeline.prefill(prompt, CHUNK)?;
		self.pipeline.logits()?;
		Ok(start.elapsed().as_secs_f64())
	}

	/// Seconds for the tokens of an answer: logits, drawing, and the next step.
	fn decode(&mut self) -> Result<f64> {
		self.pipeline.truncate(0);
		self.pipeline.prefill(&self.query.prompt_tokens, CHUNK)?;
		let start = Instant::now();
		for index in 0..self.query.max_tokens {
			let token = self.draw(index)?;
			self.pipeline.decode(token)?;
		}
		Ok(start.elapsed().as_secs_f64())
	}

	/// Seconds of a token's step without a trace and with one: medians over an answer in which every
	/// second step has one, the first of them if `first`. What a machine does beside, which is more than a
	/// trace, disturbs neighbours alike.
	fn decode_in_turn(&mut self, first: bool) -> Result<[f64; 2]> {
		self.pipeline.truncate(0);
		self.pipeline.prefill(&self.query.prompt_tokens, CHUNK)?;
		let mut trace = QueryTrace::new(&self.query, self.models.len());
		let (mut steps, mut leaves) = ([Vec::new(), Vec::new()], 0);
		for index in 0..self.query.max_tokens {
			let with = (index % 2 == 0) == first;
			let start = Instant::now();
			let token = self.draw(index)?;
			if with {
				// Numbered without gaps, as a trace has to be.
				trace.drawn(leaves, self.pipeline.hidden()?, token)?;
				self.pipeline.observed(&[token], 1, &mut |stage, _, activations| {
					trace.passed(stage, leaves, activations)
				})?;
				leaves += 1;
			} else {
				self.pipeline.decode(token)?;
			}
			steps[usize::from(with)].push(start.elapsed().as_secs_f64());
		}
		let start = Instant::now();
		std::hint::black_box(trace.boundaries());
		let end = start.elapsed().as_secs_f64() / f64::from(leaves.max(1));
		let [without, with] = steps.map(|steps| Summary::of(&steps).median);
		Ok([without, with + end])
	}

	/// The next token of an answer.
	fn draw(&mut self, index: u32) -> Result<u32> {
		let logits = self.pipeline.logits()?;
		Ok(sample(logits, &self.query.sampling, index, &mut self.scratch)?)
	}
}

/// Tokens without a pattern; the same each time.
fn tokens(count: usize, vocab: u32) -> Vec<u32> {
	let mut state = 1u64;
	(0..count)
		.map(|_| {
			state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
			((state >> 33) % u64::from(vocab.max(1))) as u32
		})
		.collect()
}

impl Report {
	fn print(&self) -> Result<()> {
		let Self { model_id, active_parameters, kernel, stages, repetitions, .. } = self;
		say!("model {model_id}");
		say!(
			"{} active parameters, kernel {kernel}, {stages} stage(s), {repetitions} repetitions\n",
			grouped(*active_parameters)
		);
		say!("| threads | test          |   mean ±   sd |  median | unit     |");
		say!("|--------:|:--------------|--------------:|--------:|:---------|");
		for run in &self.runs {
			let row = |test: &str, values: &Summary, scale: f64, unit: &str| -> Result<()> {
				say!(
					"| {:>7} | {test:<13} | {:>7.2} ±{:>5.2} | {:>7.2} | {unit:<8} |",
					run.threads,
					values.mean / scale,
					values.deviation / scale,
					values.median / scale
				);
				Ok(())
			};
			for prompt in &run.prompts {
				let test = format!("prompt {}", prompt.tokens);
				row(&test, &prompt.tokens_per_second, 1.0, "tokens/s")?;
			}
			let test = format!("decode {}", run.decode.tokens);
			row(&test, &run.decode.tokens_per_second, 1.0, "tokens/s")?;
			if let Some(trace) = &run.trace {
				row("  with trace", &trace.tokens_per_second, 1.0, "tokens/s")?;
			}
			row("read memory", &run.read_bandwidth, 1e9, "GB/s")?;
		}
		say!();
		for run in &self.runs {
			let weights = run.weight_bytes_per_token as f64 / 1e6;
			let kv = run.kv_bytes_per_token as f64 / 1e6;
			let limit = run.read_bandwidth.median / ((weights + kv) * 1e6);
			let peak = run.peak_memory_bytes.map_or("unknown here".to_owned(), bytes);
			say!(
				"{} thread(s): a decoded token reads {weights:.1} MB of weights and {kv:.1} MB of keys and \
				 values, so memory allows {limit:.1} tokens/s; reached {:.0} %. Peak memory {peak}.",
				run.threads,
				100.0 * run.bandwidth_share,
			);
			if let Some(trace) = &run.trace {
				say!(
					"{} thread(s): a trace costs {:+.2} % of decode time (median of answers, from {:+.2} to \
					 {:+.2}).",
					run.threads,
					100.0 * (trace.ratio.median - 1.0),
					100.0 * (trace.ratio.least - 1.0),
					100.0 * (trace.ratio.greatest - 1.0),
				);
			}
		}
		Ok(())
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn tokens_should_lie_in_the_vocabulary() {
		let drawn = tokens(1000, 300);
		assert_eq!(drawn.len(), 1000);
		assert!(drawn.iter().all(|token| *token < 300));
		let distinct: std::collections::BTreeSet<_> = drawn.iter().collect();
		assert!(distinct.len() > 250);
	}
}
