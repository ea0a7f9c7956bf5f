//! What several commands take and do: opening, loading, progress.

use super::find;
use anyhow::{ensure, Context, Result};
use aria_engine::{
	kernels::{self, Kernel},
	model::{Model, ModelOptions, Pipeline, MAX_THREADS},
	package::Package,
};
use aria_primitives::record::LayerRange;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use std::{num::NonZeroUsize, path::PathBuf, sync::Arc, thread};

/// Which model.
#[derive(Args, Clone, Debug)]
pub struct ModelArgs {
	/// Folder of the model package [default: the embedded model]
	#[arg(short, long, value_name = "DIR", env = "ARIA_MODEL")]
	pub model: Option<PathBuf>,
}

impl ModelArgs {
	/// Opens the package.
	pub fn open(&self) -> Result<Package> {
		open(find::model(self.model.clone())?)
	}
}

/// Opens the package in `dir`.
pub fn open(dir: PathBuf) -> Result<Package> {
	Package::open(&dir).with_context(|| format!("the model in {} does not open", dir.display()))
}

/// What computes.
#[derive(Args, Clone, Debug)]
pub struct KernelArgs {
	/// Instruction set of the kernels: auto, scalar, avx2, avx512-vnni, neon, as far as this machine
	/// has it. The answer is the same with each
	#[arg(long, value_name = "NAME", default_value = kernels::AUTO)]
	pub kernel: String,
}

impl KernelArgs {
	/// The kernel: the best one for `auto`.
	pub fn get(&self) -> Result<Arc<dyn Kernel>> {
		kernels::choose(&self.kernel).context("--kernel")
	}
}

/// How many threads, if nobody says: one a processor.
pub fn processors() -> usize {
	thread::available_parallelism().map_or(1, NonZeroUsize::get).min(MAX_THREADS)
}

/// A number of threads.
pub fn threads(text: &str) -> Result<usize, String> {
	match text.trim().parse() {
		Ok(count) if (1..=MAX_THREADS).contains(&count) => Ok(count),
		_ => Err(format!("it is no number from 1 to {MAX_THREADS}")),
	}
}

/// A number from 1.
pub fn positive(text: &str) -> Result<usize, String> {
	match text.trim().parse() {
		Ok(0) | Err(_) => Err("it is no number from 1 on".to_owned()),
		Ok(count) => Ok(count),
	}
}

/// Loads all layers of `package` as `stages` models of about equally many layers.
pub fn load(
	package: &Package,
	stages: usize,
	threads: usize,
	kernel: &Arc<dyn Kernel>,
) -> Result<Vec<Arc<Model>>> {
	package.require_complete()?;
	let ranges = divide(package.manifest.layers, stages)?;
	let bar = progress("loading", "tensors");
	let mut before = 0;
	let mut models = Vec::with_capacity(ranges.len());
	for range in ranges {
		let options = ModelOptions { layers: Some(range), kernel: kernel.clone(), threads };
		let mut here = 0;
		let model = Model::load(package, options, &mut |done, total| {
			here = total;
			bar.set_length(before + total);
			bar.set_position(before + done);
		})?;
		before += here;
		models.push(model);
	}
	bar.finish_and_clear();
	Ok(models)
}

/// A pipeline of one session on each of `models`.
pub fn pipeline(models: &[Arc<Model>], positions: usize) -> Result<Pipeline> {
	let sessions = models.iter().map(|model| model.session(positions)).collect::<Result<_, _>>()?;
	Ok(Pipeline::new(sessions)?)
}

/// `layers` in `stages` ranges whose lengths differ by at most one.
fn divide(layers: u16, stages: usize) -> Result<Vec<LayerRange>> {
	ensure!(
		(1..=usize::from(layers)).contains(&stages),
		"--stages {stages}: the model has {layers} layers, so it has 1 to {layers} stages"
	);
	let place = |stage: usize| (usize::from(layers) * stage / stages) as u16;
	Ok((0..stages).map(|stage| LayerRange { first: place(stage), end: place(stage + 1) }).collect())
}

/// A progress bar on stderr, where that is a terminal. `unit` is what is counted; `bytes` for bytes.
pub fn progress(what: &'static str, unit: &str) -> ProgressBar {
	let count = match unit {
		"bytes" => "{binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec}".to_owned(),
		unit => format!("{{pos}}/{{len}} {unit}"),
	};
	let template = format!("{{msg:10}} {{bar:30}} {count} {{elapsed}} {{eta}}");
	let bar = ProgressBar::new(0).with_message(what);
	match ProgressStyle::with_template(&template) {
		Ok(style) => bar.with_style(style),
		Err(_) => bar,
	}
}

/// A number of bytes for people.
pub fn bytes(count: u64) -> String {
	const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
	let mut value = count as f64;
	let mut unit = 0;
	while value >= 1024.0 && unit + 1 < UNITS.len() {
		value /= 1024.0;
		unit += 1;
	}
	let name = UNITS.get(unit).copied().unwrap_or_default();
	if unit == 0 {
		format!("{count} {name}")
	} else {
		format!("{value:.1} {name}")
	}
}

/// A number with its thousands apart.
pub fn grouped(number: u64) -> String {
	let digits = number.to_string();
	let mut text = String::with_capacity(digits.len() + digits.len() / 3);
	for (index, digit) in digits.chars().enumerate() {
		if index > 0 && (digits.len() - index).is_multiple_of(3) {
			text.push(',');
		}
		text.push(digit);
	}
	text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn stages_should_cover_the_layers() {
		for layers in 1..12u16 {
			for stages in 1..=usize::from(layers) {
				let ranges = divide(layers, stages).unwrap();
				assert_eq!(ranges.len(), stages);
				assert_eq!((ranges[0].first, ranges[stages - 1].end), (0, layers));
				assert!(ranges.iter().all(|range| !range.is_empty()));
				assert!(ranges.windows(2).all(|pair| pair[0].end == pair[1].first));
			}
			assert!(divide(layers, 0).is_err());
			assert!(divide(layers, usize::from(layers) + 1).is_err());
		}
	}

	#[test]
	fn numbers_should_be_readable() {
		assert_eq!(bytes(0), "0 B");
		assert_eq!(bytes(1536), "1.5 KiB");
		assert_eq!(bytes(3 << 30), "3.0 GiB");
		assert_eq!(grouped(0), "0");
		assert_eq!(grouped(999), "999");
		assert_eq!(grouped(2_412_820_480), "2,412,820,480");
	}

	#[test]
	fn counts_should_be_checked() {
		assert_eq!(threads("2"), Ok(2));
		for text in ["0", "-1", "x", "100000"] {
			assert!(threads(text).is_err(), "{text}");
		}
		assert_eq!(positive("1"), Ok(1));
		assert!(positive("0").is_err());
	}

	#[test]
	fn progress_templates_should_parse() {
		for unit in ["bytes", "tensors"] {
			progress("reading", unit).finish_and_clear();
		}
	}
}
