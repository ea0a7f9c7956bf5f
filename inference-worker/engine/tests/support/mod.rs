//! Random models in a folder of their own, and what the tests of the model do with them.
#![allow(dead_code, clippy::unwrap_used, missing_docs)]

pub mod reference;

use aria_engine::{
	kernels,
	model::{
		random::{write_random_package, RandomShape},
		Activations, Model, ModelOptions, Pipeline,
	},
	package::{Encodings, Package},
	sampler::{sample, SampleScratch},
};
use aria_primitives::{
	manifest::{Architecture, Encoding, Gate, Head},
	query::Sampling,
	record::LayerRange,
};
use std::{collections::BTreeMap, path::Path, sync::Arc};
use tempfile::TempDir;

/// A counter that is mixed; the tests repeat exactly.
pub struct Random(pub u64);

impl Random {
	pub fn draw(&mut self) -> u64 {
		self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
		let mut z = self.0;
		z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
		z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
		z ^ (z >> 31)
	}

	pub fn between(&mut self, first: usize, last: usize) -> usize {
		first + (self.draw() % (last - first + 1) as u64) as usize
	}

	pub fn of<T: Copy>(&mut self, values: &[T]) -> T {
		values[self.between(0, values.len() - 1)]
	}

	pub fn coin(&mut self) -> bool {
		self.draw() & 1 == 1
	}
}

/// A folder in memory where the system has one: packages are synced to disk as they are written.
pub fn folder() -> TempDir {
	let memory = Path::new("/dev/shm");
	if memory.is_dir() {
		if let Ok(folder) = tempfile::Builder::new().prefix("aria").tempdir_in(memory) {
			return folder;
		}
	}
	tempfile::tempdir().unwrap()
}

/// A package that goes away with its folder.
pub struct RandomPackage {
	pub package: Package,
	pub shape: RandomShape,
	_folder: TempDir,
}

pub fn random_package(shape: &RandomShape, seed: u64) -> RandomPackage {
	let folder = folder();
	let dir = folder.path().join("model");
	write_random_package(&dir, shape, seed, &mut |_, _| ()).unwrap();
	let package = Package::open(&dir).unwrap();
	RandomPackage { package, shape: shape.clone(), _folder: folder }
}

/// A shape of any kind that the format knows.
pub fn random_shape(random: &mut Random) -> RandomShape {
	let kv_heads = random.between(1, 3) as u16;
	RandomShape {
		architecture: random.of(&[Architecture::BitnetB158, Architecture::LlamaTernary]),
		sub_norms: random.coin(),
		hidden: random.between(32, 320) as u32,
		feed_forward: random.between(32, 600) as u32,
		layers: random.between(1, 6) as u16,
		heads: kv_heads * random.between(1, 4) as u16,
		kv_heads,
		head_dim: random.of(&[2, 4, 6, 10, 16, 18, 32, 34, 48, 64]),
		vocab: random.between(50, 600) as u32,
		context: 256,
		rope_theta: random.of(&[10_000, 500_000]),
		norm_epsilon: random.of(&[1e-5, 1e-6]),
		gate: random.of(&[Gate::SquaredRelu, Gate::Silu]),
		head: random.of(&[Head::Tied, Head::Untied]),
		encodings: Encodings {
			linear: random.of(&[Encoding::Ternary2, Encoding::Ternary5]),
			embedding: random.of(&[Encoding::Int8Row, Encoding::F16, Encoding::F32]),
			output: random.of(&[Encoding::Int8Row, Encoding::F16, Encoding::F32]),
			norm: random.of(&[Encoding::F16, Encoding::F32]),
		},
		shards: random.between(1, 3) as u16,
	}
}

/// A small shape for tests that are about something else.
pub fn small_shape() -> RandomShape {
	RandomShape {
		hidden: 64,
		feed_forward: 160,
		layers: 4,
		heads: 4,
		kv_heads: 2,
		head_dim: 16,
		vocab: 300,
		context: 128,
		shards: 2,
		..RandomShape::bitnet_2b4t()
	}
}

pub fn tokens(random: &mut Random, vocab: u32, count: usize) -> Vec<u32> {
	(0..count).map(|_| (random.draw() % u64::from(vocab)) as u32).collect()
}

pub fn load(package: &Package, kernel: &str, threads: usize, layers: LayerRange) -> Arc<Model> {
	let options =
		ModelOptions { layers: Some(layers), kernel: kernels::by_name(kernel).unwrap(), threads };
	Model::load(package, options, &mut |_, _| ()).unwrap()
}

/// All layers on the plainest kernel.
pub fn load_plain(package: &Package) -> Arc<Model> {
	let layers = LayerRange { first: 0, end: package.manifest.layers };
	load(package, "scalar", 1, layers)
}

/// Models of consecutive ranges that end at `ends`.
pub fn load_stages(
	package: &Package,
	kernel: &str,
	threads: usize,
	ends: &[u16],
) -> Vec<Arc<Model>> {
	let mut first = 0;
	ends.iter()
		.map(|end| {
			let range = LayerRange { first, end: *end };
			first = *end;
			load(package, kernel, threads, range)
		})
		.collect()
}

pub fn pipeline(models: &[Arc<Model>], positions: usize) -> Pipeline {
	Pipeline::new(models.iter().map(|model| model.session(positions).unwrap()).collect()).unwrap()
}

/// What is asked of a model.
#[derive(Clone, Debug)]
pub struct Question {
	pub prompt: Vec<u32>,
	pub answer: usize,
	pub sampling: Sampling,
}

/// Bits of everything that an answer consists of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
	/// For the number of layers before a boundary: the residual streams of all positions.
	pub boundaries: BTreeMap<u16, Vec<u32>>,
	/// Final hidden states and logits of each sampled token.
	pub hidden: Vec<Vec<u32>>,
	pub logits: Vec<Vec<u32>>,
	pub tokens: Vec<u32>,
}

pub fn bits(values: &[f32]) -> Vec<u32> {
	values.iter().map(|value| value.to_bits()).collect()
}

/// Answers on a fresh or used pipeline; what it has seen before is forgotten.
pub fn ask(pipeline: &mut Pipeline, question: &Question, chunk: usize) -> Answer {
	pipeline.truncate(0);
	go_on(pipeline, question, chunk)
}

/// Answers from where the pipeline is: positions that it has seen are not worked on again.
pub fn go_on(pipeline: &mut Pipeline, question: &Question, chunk: usize) -> Answer {
	let mut answer = Answer::default();
	let mut scratch = SampleScratch::default();
	let ends: Vec<u16> = pipeline.stages().iter().map(|stage| stage.model().layers().end).collect();
	let mut work = question.prompt[pipeline.position() as usize..].to_vec();
	for index in 0..question.answer {
		let boundaries = &mut answer.boundaries;
		let mut observer = |stage: usize, _: u32, activations: Activations<'_>| {
			boundaries.entry(ends[stage]).or_default().extend(bits(activations.values));
			Ok(())
		};
		let hidden = pipeline.observed(&work, chunk, &mut observer).unwrap();
		answer.hidden.push(bits(hidden));
		let logits = pipeline.logits().unwrap();
		answer.logits.push(bits(logits));
		let token = sample(logits, &question.sampling, index as u32, &mut scratch).unwrap();
		answer.tokens.push(token);
		work = vec![token];
	}
	answer
}

/// Asserts that an answer has the bits of `expected`, at every boundary that both have.
pub fn assert_same(answer: &Answer, expected: &Answer, what: &dyn std::fmt::Debug) {
	assert_eq!(answer.tokens, expected.tokens, "tokens differ: {what:?}");
	for (end, values) in &answer.boundaries {
		if let Some(expected) = expected.boundaries.get(end) {
			assert!(values == expected, "the boundary after {end} layers differs: {what:?}");
		}
	}
	assert!(answer.hidden == expected.hidden, "hidden states differ: {what:?}");
	assert!(answer.logits == expected.logits, "logits differ: {what:?}");
}
