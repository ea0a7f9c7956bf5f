//! Tiny packages to test and to break, and what the fuzz targets and the tests' mutations run.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use aria_engine::{
	package::{
		encode, even_shards, layout::layouts, read_manifest, Encodings, ManifestHead, Package,
		PackageBuilder, TensorLayout, TensorPlan, COMMON_FILE, MANIFEST_FILE, MANIFEST_VIEW,
		TEMPLATE_FILE, TOKENIZER_FILE,
	},
	EngineError,
};
use aria_primitives::manifest::{
	Architecture, Attention, Encoding, Gate, Head, Manifest, TensorRole,
};
use std::{collections::BTreeMap, fs, path::Path};

/// The files of a package by name.
pub type Files = BTreeMap<String, Vec<u8>>;

pub const TOKENIZER: &[u8] = br#"{"version":"1.0","model":{"type":"BPE"}}"#;
pub const TEMPLATE: &[u8] =
	"{% for message in messages %}«{{ message.content }}»{% endfor %}".as_bytes();

/// SplitMix64.
pub struct Random(pub u64);

impl Random {
	pub fn draw(&mut self) -> u64 {
		self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
		let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
		let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
		z ^ (z >> 31)
	}

	/// A number below `end`, which is above 0.
	pub fn below(&mut self, end: usize) -> usize {
		(self.draw() % end as u64) as usize
	}

	pub fn ternary(&mut self, count: usize) -> Vec<i8> {
		(0..count).map(|_| self.below(3) as i8 - 1).collect()
	}

	pub fn floats(&mut self, count: usize) -> Vec<f32> {
		(0..count).map(|_| self.below(2001) as f32 / 1000.0 - 1.0).collect()
	}
}

/// Two layers in two shards, and an odd number of columns in every matrix.
pub fn head(encodings: Encodings) -> ManifestHead {
	let mut head = ManifestHead {
		architecture: Architecture::BitnetB158,
		attention: Attention::Gqa { heads: 2, kv_heads: 1, head_dim: 14 },
		hidden: 33,
		feed_forward: 51,
		layers: 2,
		vocab: 27,
		context: 64,
		rope_theta: 10_000,
		norm_epsilon: 1e-5,
		gate: Gate::SquaredRelu,
		head: Head::Untied,
		numerics_version: 1,
		bos: Some(0),
		eos: vec![1, 2],
		tensors: Vec::new(),
		shards: even_shards(2, 2),
	};
	head.tensors = head.standard_tensors(&encodings);
	head
}

/// Rows and columns of a tensor of `head`, without the code under test.
pub fn dimensions(head: &ManifestHead, role: TensorRole) -> (usize, usize) {
	use TensorRole as Role;
	let (hidden, feed_forward) = (head.hidden as usize, head.feed_forward as usize);
	let Attention::Gqa { heads, kv_heads, head_dim } = head.attention else { unreachable!() };
	let (query, key) = (usize::from(heads * head_dim), usize::from(kv_heads * head_dim));
	match role {
		Role::TokenEmbedding | Role::Output => (head.vocab as usize, hidden),
		Role::Query => (query, hidden),
		Role::Key | Role::Value => (key, hidden),
		Role::AttentionSubNorm => (1, query),
		Role::AttentionOutput => (hidden, query),
		Role::Gate | Role::Up => (feed_forward, hidden),
		Role::FeedForwardSubNorm => (1, feed_forward),
		Role::Down => (hidden, feed_forward),
		_ => (1, hidden),
	}
}

/// Stored bytes of a tensor with values from `random`.
pub fn stored(random: &mut Random, encoding: Encoding, rows: usize, cols: usize) -> Vec<u8> {
	let count = rows * cols;
	let scale = 0.5 + random.below(100) as f32 / 100.0;
	match encoding {
		Encoding::Ternary2 => encode::ternary2(&random.ternary(count), rows, cols, scale),
		Encoding::Ternary5 => encode::ternary5(&random.ternary(count), rows, cols, scale),
		Encoding::Int8Row => encode::int8_rows(&random.floats(count), rows, cols),
		Encoding::F16 => encode::f16_rows(&random.floats(count), rows, cols),
		Encoding::F32 => encode::f32_rows(&random.floats(count), rows, cols),
	}
	.unwrap()
}

/// The stored bytes of every tensor of `head`, in its order.
pub fn weights(head: &ManifestHead, seed: u64) -> Vec<(TensorPlan, Vec<u8>)> {
	let mut random = Random(seed);
	let bytes = |plan: &TensorPlan| {
		let (rows, cols) = dimensions(head, plan.role);
		(*plan, stored(&mut random, plan.encoding, rows, cols))
	};
	head.tensors.iter().map(bytes).collect()
}

pub fn write(dir: &Path, head: &ManifestHead, seed: u64) -> Manifest {
	let mut builder = PackageBuilder::new(dir, head).unwrap();
	for (plan, bytes) in weights(head, seed) {
		let (rows, cols) = dimensions(head, plan.role);
		builder.tensor(plan.layer, plan.role, plan.encoding, rows, cols, &bytes).unwrap();
	}
	builder.tokenizer(TOKENIZER).unwrap();
	builder.template(TEMPLATE).unwrap();
	builder.finish().unwrap()
}

/// The files of a folder that are read.
pub fn files(dir: &Path) -> Files {
	let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
	entries
		.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
		.filter(|(name, _)| name != MANIFEST_VIEW)
		.collect()
}

/// A valid package in memory.
pub fn valid(encodings: Encodings) -> Files {
	let dir = tempfile::tempdir().unwrap();
	let dir = dir.path().join("package");
	write(&dir, &head(encodings), 7);
	files(&dir)
}

/// The JSON in front of a file of weights, and the data behind it.
pub fn parts(file: &[u8]) -> (String, Vec<u8>) {
	let len = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
	(String::from_utf8(file[8..8 + len].to_vec()).unwrap(), file[8 + len..].to_vec())
}

/// A file of weights with that header and those data.
pub fn joined(json: &[u8], data: &[u8]) -> Vec<u8> {
	[&(json.len() as u64).to_le_bytes()[..], json, data].concat()
}

/// The package that everything hostile begins with.
pub struct Base {
	pub files: Files,
	pub package: Package,
}

impl Base {
	pub fn new() -> Self {
		let encodings = Encodings { output: Encoding::F16, ..Encodings::default() };
		let files = valid(encodings);
		let package = Package::from_memory(files.clone()).unwrap();
		Self { files, package }
	}
}

/// What became of hostile bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
	/// The file and the field of the error.
	Refused(String, String),
	/// Opened, and refused when its values were checked.
	Unverified(String, String),
	Verified,
}

fn named(error: &EngineError) -> (String, String) {
	let EngineError::Package { file, field, reason } = error else {
		panic!("no file and field in: {error}");
	};
	assert!(!file.is_empty() && !field.is_empty() && !reason.is_empty(), "{error}");
	assert!(error.to_string().len() < 4000, "{} bytes of error", error.to_string().len());
	(file.clone(), field.clone())
}

/// Reads a manifest; nothing may panic, and what is read has to be what was there.
pub fn fuzz_manifest(base: &Base, data: &[u8]) -> Outcome {
	let valid = &base.files[MANIFEST_FILE];
	let bytes = match data.split_first() {
		Some((0..128, patches)) => patched(valid.clone(), patches),
		Some((_, raw)) => raw.to_vec(),
		None => Vec::new(),
	};
	let manifest = match read_manifest(MANIFEST_FILE, &bytes) {
		Ok(manifest) => manifest,
		Err(error) => {
			let (file, field) = named(&error);
			return Outcome::Refused(file, field);
		}
	};
	assert_eq!(manifest.to_bytes(), bytes);
	match layouts(&manifest) {
		Ok(layouts) => {
			let whole = |layout: &TensorLayout| {
				let last = layout.chunk(layout.chunk_count() - 1).unwrap();
				assert_eq!(last.end, layout.len);
				assert_eq!(layout.chunk(layout.chunk_count()), None);
			};
			layouts.iter().for_each(whole);
			Outcome::Verified
		}
		Err(error) => {
			let (file, field) = named(&error);
			Outcome::Refused(file, field)
		}
	}
}

/// Changes one file of a valid package as `data` say, opens it, and reads everything.
pub fn fuzz_package(base: &Base, data: &[u8]) -> Outcome {
	let [which, how, rest @ ..] = data else { return Outcome::Verified };
	let mut files = base.files.clone();
	let name = files.keys().nth(usize::from(*which) % files.len()).unwrap().clone();
	let file = files.remove(&name).unwrap();
	let weights = name.ends_with(".safetensors");
	let changed = match how % 6 {
		0 => Some(rest.to_vec()),
		1 => Some(patched(file, rest)),
		2 => {
			let len = number(rest) % (file.len() + 64);
			Some(file.into_iter().chain([0; 64]).take(len).collect())
		}
		3 if weights => Some(joined(rest, &parts(&file).1)),
		4 if weights => {
			let (json, data) = parts(&file);
			Some(joined(&patched(json.into_bytes(), rest), &data))
		}
		_ => None,
	};
	files.extend(changed.map(|file| (name, file)));
	exercise(base, files)
}

/// Opens and reads `files`. Whatever verifies under the base's id has the base's tensors.
pub fn exercise(base: &Base, files: Files) -> Outcome {
	let package = match Package::from_memory(files) {
		Ok(package) => package,
		Err(error) => {
			let (file, field) = named(&error);
			return Outcome::Refused(file, field);
		}
	};
	let manifest = package.manifest.clone();
	let mut sound = true;
	for tensor in &manifest.tensors {
		let layer = (tensor.layer != u16::MAX).then_some(tensor.layer);
		assert!(package.lists(layer, tensor.role));
		match package.tensor(layer, tensor.role) {
			Ok(view) => {
				assert!(package.has(layer, tensor.role));
				assert!(view.scale().is_finite() && view.scale() > 0.0);
				assert_eq!(view.chunks().map(<[u8]>::len).sum::<usize>(), view.bytes.len());
				if let Err(error) = view.check() {
					named(&error);
					sound = false;
				}
				let mut row = vec![0f32; view.cols];
				for index in 0..view.rows + 1 {
					match view.float_row(index, &mut row) {
						Ok(()) => assert!(row.iter().all(|value| value.is_finite())),
						Err(error) => drop(named(&error)),
					}
				}
			}
			Err(error) => {
				assert!(!package.has(layer, tensor.role));
				named(&error);
			}
		}
	}
	match package.verify(&mut |done, total| assert!(done <= total)) {
		Ok(report) => {
			assert!(sound);
			let names = [COMMON_FILE, "shard-000.safetensors", "shard-001.safetensors"];
			assert_eq!(report.files.len() + report.missing.len(), 1 + manifest.shards.len());
			assert!(report.files.iter().all(|file| names.contains(&file.as_str())));
			if package.model_id() == base.package.model_id() {
				for tensor in &manifest.tensors {
					let layer = (tensor.layer != u16::MAX).then_some(tensor.layer);
					if package.has(layer, tensor.role) {
						let view = package.tensor(layer, tensor.role).unwrap();
						let own = base.package.tensor(layer, tensor.role).unwrap();
						assert_eq!(view.bytes, own.bytes);
					}
				}
			}
			Outcome::Verified
		}
		Err(error) => {
			let (file, field) = named(&error);
			Outcome::Unverified(file, field)
		}
	}
}

/// Overwrites bytes: each patch is three bytes of place, one of length, and so many bytes.
fn patched(mut bytes: Vec<u8>, mut patches: &[u8]) -> Vec<u8> {
	while let [a, b, c, len, rest @ ..] = patches {
		let len = usize::from(len % 16 + 1).min(rest.len());
		let (patch, rest) = rest.split_at(len);
		if !bytes.is_empty() {
			let place = u32::from_le_bytes([*a, *b, *c, 0]) as usize % bytes.len();
			bytes.iter_mut().skip(place).zip(patch).for_each(|(byte, new)| *byte = *new);
		}
		patches = rest;
	}
	bytes
}

fn number(bytes: &[u8]) -> usize {
	bytes.iter().take(4).fold(0, |number, byte| (number << 8) | usize::from(*byte))
}

/// The names of all files of the base.
pub fn names() -> [&'static str; 6] {
	[
		MANIFEST_FILE,
		COMMON_FILE,
		"shard-000.safetensors",
		"shard-001.safetensors",
		TOKENIZER_FILE,
		TEMPLATE_FILE,
	]
}
