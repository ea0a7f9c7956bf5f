//! The models, and what `aria-worker` makes of them without a network.

use crate::{
	ask::Question,
	report::{spinner, Summary},
	settings::{Settings, Which},
};
use anyhow::{ensure, Context, Result};
use aria_e2e::{
	cluster::{self, Spec, SHIPPED},
	node::program,
};
use aria_primitives::manifest::Manifest;
use serde_json::Value;
use std::{
	env, fs,
	path::{Path, PathBuf},
	process::Stdio,
};
use tokio::process::Command;

/// The name of the random model on chain.
const RANDOM: &str = "aria-bench";
/// What is asked where it does not matter.
const QUESTION: &str = "What is a lighthouse?";
/// The temperature at which the shipped model, which likes short sentences, goes on.
const WARM: f64 = 2.0;
/// What workers put on hold, in ARIA: enough that hours of answers may await their audit.
const STAKE: &str = "1000";
/// Stages of the network.
pub const STAGES: u16 = 3;
/// Memory that `aria-worker bench` reads to measure bandwidth, which is not looked at here, in MiB.
const PROBE_MIB: &str = "64";

/// A model's package.
#[derive(Clone, Debug)]
pub struct Package {
	/// Which.
	pub which: Which,
	/// What it is called in tables.
	pub label: String,
	/// Its name on chain.
	pub alias: &'static str,
	/// Its folder.
	pub dir: PathBuf,
	/// What it is.
	pub manifest: Manifest,
}

/// What one process made of a question.
#[derive(Clone, Debug)]
pub struct Generated {
	/// The text.
	pub text: String,
	/// Its tokens.
	pub tokens: u64,
	/// Tokens a second behind the first.
	pub rate: f64,
	/// From the query to the first token, in seconds.
	pub first: f64,
	/// The instruction set.
	pub kernel: String,
}

impl Package {
	/// The models that are to be measured.
	///
	/// # Errors
	/// When one is not to be had.
	pub async fn chosen(settings: &Settings) -> Result<Vec<Self>> {
		let mut packages = Vec::new();
		for which in &settings.models {
			packages.push(match which {
				Which::Random => Self::random(settings).await?,
				Which::Shipped => Self::shipped()?,
			});
		}
		Ok(packages)
	}

	/// The one that comes with the project.
	///
	/// # Errors
	/// When it is not there.
	pub fn shipped() -> Result<Self> {
		Self::open(Which::Shipped, SHIPPED.to_owned(), SHIPPED, cluster::shipped())
	}

	/// Random weights: made once, and kept.
	///
	/// # Errors
	/// When it can't be made, for lack of room say.
	pub async fn random(settings: &Settings) -> Result<Self> {
		if let Some(dir) = &settings.package {
			let label =
				dir.file_name().map_or_else(|| "package".into(), |name| name.to_string_lossy());
			return Self::open(Which::Random, label.into_owned(), RANDOM, dir.clone());
		}
		let shape = &settings.shape;
		let plain = shape.chars().all(|char| char.is_ascii_alphanumeric() || char == '-');
		ensure!(plain && !shape.is_empty(), "--shape {shape}: it is no name of a shape");
		let folder = cache()?.join("bench");
		let dir = folder.join(format!("random-{shape}"));
		if !dir.join("manifest.scale").is_file() {
			write_random(&folder, &dir, shape).await?;
		}
		Self::open(Which::Random, format!("random {shape}"), RANDOM, dir)
	}

	fn open(which: Which, label: String, alias: &'static str, dir: PathBuf) -> Result<Self> {
		let manifest = cluster::manifest(&dir)?;
		let layers = manifest.layers;
		ensure!(layers >= STAGES, "{label} has {layers} layers, too few for {STAGES} stages");
		Ok(Self { which, label, alias, dir, manifest })
	}

	/// The layers of each stage.
	pub fn thirds(&self) -> Vec<(u16, u16)> {
		divide(self.manifest.layers, STAGES)
	}

	/// A network of this model: a worker for each stage, with nothing in its way but `settings`.
	pub fn spec(&self, settings: &Settings) -> Spec {
		let mut spec = Spec::new(&self.thirds())
			.worker_arg("--threads", &settings.threads().to_string())
			.worker_arg("--memory", &settings.memory.to_string())
			.worker_arg("--stake", STAKE);
		spec.package = self.dir.clone();
		spec.alias = self.alias.to_owned();
		spec
	}

	/// A question with an answer of `tokens` tokens: the most probable ones of random weights, and warm
	/// ones of the shipped model, whose answers end early otherwise.
	pub fn question(&self, tokens: u32) -> Question {
		Question {
			model: self.alias.to_owned(),
			text: QUESTION.to_owned(),
			tokens,
			temperature: match self.which {
				Which::Random => 0.0,
				Which::Shipped => WARM,
			},
			seed: 0,
		}
	}

	/// `aria-worker generate`: the same answer by one process.
	///
	/// # Errors
	/// When it fails, with what it said.
	pub async fn generate(&self, question: &Question, threads: usize) -> Result<Generated> {
		let mut command = worker()?;
		command.args(["generate", "--json", "--chat", &question.text]);
		command.arg("--model").arg(&self.dir);
		command.args(["--threads", &threads.to_string()]);
		command.args(["--max-tokens", &question.tokens.to_string()]);
		command.args(["--temperature", &question.temperature.to_string()]);
		command.args(["--seed", &question.seed.to_string()]);
		let report = json_of(command).await?;
		let number = |name: &str| {
			report[name].as_f64().with_context(|| format!("`aria-worker generate` says no {name}"))
		};
		Ok(Generated {
			text: report["text"].as_str().unwrap_or_default().to_owned(),
			tokens: report["output_tokens"].as_array().map_or(0, Vec::len) as u64,
			rate: number("output_tokens_per_second")?,
			first: number("first_token_seconds")?,
			kernel: report["kernel"].as_str().unwrap_or("unknown").to_owned(),
		})
	}

	/// `aria-worker bench --trace-cost` with as many stages as the network has: time to decode with a trace
	/// over time without, of neighbouring measurements.
	///
	/// # Errors
	/// When it fails, with what it said.
	pub async fn trace_ratio(&self, settings: &Settings) -> Result<Summary> {
		let mut command = worker()?;
		command.args(["bench", "--json", "--trace-cost", "--prompt", "1"]);
		command.arg("--model").arg(&self.dir);
		command.args(["--threads", &settings.threads().to_string()]);
		command.args(["--decode", &settings.tokens.to_string()]);
		command.args(["--stages", &STAGES.to_string()]);
		// Each is two answers, and a small difference of large numbers.
		let repetitions = settings.repetitions.saturating_mul(4);
		command.args(["--repetitions", &repetitions.to_string()]);
		command.args(["--probe-mib", PROBE_MIB]);
		let report = json_of(command).await?;
		let ratio = &report["runs"][0]["trace"]["ratio"];
		let number = |name: &str| {
			ratio[name].as_f64().with_context(|| format!("`aria-worker bench` says no {name}"))
		};
		Ok(Summary {
			median: number("median")?,
			least: number("least")?,
			greatest: number("greatest")?,
			count: repetitions as usize,
		})
	}
}

/// `layers` in `parts` ranges whose lengths differ by at most one.
fn divide(layers: u16, parts: u16) -> Vec<(u16, u16)> {
	let place = |part: u16| {
		let place = u32::from(layers).saturating_mul(part.into()) / u32::from(parts.max(1));
		u16::try_from(place).unwrap_or(layers)
	};
	(0..parts).map(|part| (place(part), place(part.saturating_add(1)))).collect()
}

/// Writes random weights beside `dir`, and moves them there when they are whole.
async fn write_random(folder: &Path, dir: &Path, shape: &str) -> Result<()> {
	fs::create_dir_all(folder)
		.with_context(|| format!("{} cannot be made: set ARIA_CACHE", folder.display()))?;
	let fresh = tempfile::Builder::new().prefix("writing-").tempdir_in(folder)?;
	let package = fresh.path().join("package");
	let bar = spinner(&format!("a random model of the shape {shape} is written, once"));
	let mut command = worker()?;
	command.args(["model", "random", "--shape", shape]).arg(&package);
	let written = output_of(command).await;
	bar.finish_and_clear();
	written?;
	// Who made it meanwhile made the same.
	if let Err(error) = fs::rename(&package, dir) {
		ensure!(dir.join("manifest.scale").is_file(), "{}: {error}", dir.display());
	}
	Ok(())
}

/// Where the project keeps what can be made again.
fn cache() -> Result<PathBuf> {
	let folder = |name: &str| env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
	let cache = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")));
	let found = folder("ARIA_CACHE").or_else(|| Some(cache?.join("aria")));
	found.context("there is no HOME: set ARIA_CACHE to a folder with room for a model")
}

/// `aria-worker`, which ends with this program.
pub fn worker() -> Result<Command> {
	let mut command = Command::new(program("aria-worker", "ARIA_WORKER")?);
	command.stdin(Stdio::null()).kill_on_drop(true);
	Ok(command)
}

/// What a command writes to stdout.
///
/// # Errors
/// When it fails, with what it wrote to stderr.
pub async fn output_of(mut command: Command) -> Result<Vec<u8>> {
	let output = command.output().await.context("aria-worker cannot be started")?;
	ensure!(
		output.status.success(),
		"`aria-worker` failed: {}",
		String::from_utf8_lossy(&output.stderr).trim()
	);
	Ok(output.stdout)
}

async fn json_of(command: Command) -> Result<Value> {
	let bytes = output_of(command).await?;
	serde_json::from_slice(&bytes).context("what `aria-worker` says is no JSON")
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn stages_should_cover_all_layers() {
		assert_eq!(divide(30, 3), [(0, 10), (10, 20), (20, 30)]);
		assert_eq!(divide(4, 3), [(0, 1), (1, 2), (2, 4)]);
	}
}
