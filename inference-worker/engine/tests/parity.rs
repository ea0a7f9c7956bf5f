//! Parity with Hugging Face transformers: the same weights give the same logits within a small bound,
//! and the same greedy tokens wherever the choice is not closer than that.
//!
//! `models/parity/fixtures.py` makes the fixtures in `tests/parity`: packages, and what transformers
//! computes from the same weights in float32. `models/parity/shipped.py` makes `tests/shipped.json`, what
//! it computes from the model that ships with the project.
#![allow(clippy::unwrap_used, missing_docs)]

use aria_engine::{
	kernels,
	model::{Model, ModelOptions, Pipeline},
	package::Package,
};
use serde::Deserialize;
use std::{fs, path::PathBuf};

/// Largest difference of a logit, as a part of the largest logit of its position. transformers sums
/// in another order; where that moves an activation across a rounding edge of its int8, the logits
/// move by more than float32's own precision.
const BOUND: f32 = 0.005;
/// The same in the median over all positions, where nothing moved across an edge.
const MEDIAN_BOUND: f32 = 1e-6;

#[derive(Deserialize)]
struct Expected {
	prompt: Vec<u32>,
	/// `[prompt, vocab]` f32, little-endian, in hexadecimal.
	logits: String,
	greedy: Vec<u32>,
	margins: Vec<f32>,
}

fn floats(text: &str) -> Vec<f32> {
	let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
	(0..text.len() / 8)
		.map(|index| f32::from_le_bytes([0, 2, 4, 6].map(|at| byte(8 * index + at))))
		.collect()
}

fn largest(values: &[f32]) -> f32 {
	values.iter().fold(0.0, |most, value| most.max(value.abs()))
}

fn best(logits: &[f32]) -> u32 {
	let better = |best: usize, at: usize| if logits[at] > logits[best] { at } else { best };
	(0..logits.len()).reduce(better).unwrap() as u32
}

/// At run time: cargo may keep this program for another clone.
fn manifest_dir() -> PathBuf {
	std::env::var_os("CARGO_MANIFEST_DIR").unwrap().into()
}

fn cases() -> Vec<(String, Package, Expected)> {
	let folder = manifest_dir().join("tests/parity");
	let mut names: Vec<String> = fs::read_dir(&folder)
		.unwrap()
		.map(|entry| entry.unwrap().file_name().into_string().unwrap())
		.collect();
	names.sort();
	names
		.into_iter()
		.map(|name| {
			let text = fs::read_to_string(folder.join(&name).join("expected.json")).unwrap();
			let expected = serde_json::from_str(&text).unwrap();
			(name.clone(), Package::open(&folder.join(&name)).unwrap(), expected)
		})
		.collect()
}

fn pipeline(package: &Package) -> Pipeline {
	let options = ModelOptions { layers: None, kernel: kernels::best(), threads: 1 };
	let model = Model::load(package, options, &mut |_, _| ()).unwrap();
	Pipeline::new(vec![model.session(64).unwrap()]).unwrap()
}

#[test]
fn logits_should_be_those_of_transformers_within_the_bound() {
	let cases = cases();
	assert!(cases.len() >= 10, "only {} fixtures", cases.len());
	let mut errors = Vec::new();
	for (name, package, expected) in &cases {
		let vocab = package.manifest.vocab as usize;
		let theirs = floats(&expected.logits);
		assert_eq!(theirs.len(), vocab * expected.prompt.len());
		let mut pipeline = pipeline(package);
		let mut worst: f32 = 0.0;
		for (token, theirs) in expected.prompt.iter().zip(theirs.chunks(vocab)) {
			pipeline.decode(*token).unwrap();
			let ours = pipeline.logits().unwrap();
			let differences: Vec<f32> = ours.iter().zip(theirs).map(|(a, b)| a - b).collect();
			let error = largest(&differences) / largest(theirs);
			worst = worst.max(error);
			errors.push(error);
		}
		println!("{name}: at most {worst:.2e} of the largest logit");
	}
	errors.sort_by(f32::total_cmp);
	let (median, worst) = (errors[errors.len() / 2], errors[errors.len() - 1]);
	println!("{} positions: median {median:.2e}, worst {worst:.2e}", errors.len());
	assert!(worst <= BOUND, "{worst} is above the bound {BOUND}");
	assert!(median <= MEDIAN_BOUND, "the median {median} is above {MEDIAN_BOUND}");
}

#[test]
fn greedy_tokens_should_be_those_of_transformers_wherever_the_margin_is_clear() {
	let (mut compared, mut close) = (0, 0);
	for (name, package, expected) in &cases() {
		let mut pipeline = pipeline(package);
		pipeline.prefill(&expected.prompt, 64).unwrap();
		for (index, (token, margin)) in expected.greedy.iter().zip(&expected.margins).enumerate() {
			let logits = pipeline.logits().unwrap();
			if *margin > 2.0 * BOUND * largest(logits) {
				assert_eq!(best(logits), *token, "{name}, token {index}");
				compared += 1;
			} else {
				close += 1;
			}
			// Theirs in any case, so that one close choice does not end the comparison.
			pipeline.decode(*token).unwrap();
		}
	}
	println!("{compared} tokens compared, {close} too close");
	assert!(compared >= 100, "only {compared} tokens could be compared");
}

#[derive(Deserialize)]
struct Shipped {
	cases: Vec<Expected>,
}

/// transformers multiplies its head with floats, the engine with int8 activations, as the numerics say:
/// what that rounds away is more than everything else together.
const SHIPPED_BOUND: f32 = 0.02;

#[test]
fn the_shipped_model_should_answer_as_in_transformers() {
	let here = manifest_dir();
	let package = Package::open(&here.join("../../models/aria-wordnet")).unwrap();
	let text = fs::read_to_string(here.join("tests/shipped.json")).unwrap();
	let Shipped { cases } = serde_json::from_str(&text).unwrap();
	assert!(cases.len() >= 6, "only {} questions", cases.len());
	let (mut worst, mut compared, mut close): (f32, u32, u32) = (0.0, 0, 0);
	for (case, expected) in cases.iter().enumerate() {
		let mut pipeline = pipeline(&package);
		pipeline.prefill(&expected.prompt, 64).unwrap();
		let theirs = floats(&expected.logits);
		let ours = pipeline.logits().unwrap();
		assert_eq!(ours.len(), theirs.len());
		let differences: Vec<f32> = ours.iter().zip(&theirs).map(|(a, b)| a - b).collect();
		worst = worst.max(largest(&differences) / largest(&theirs));
		for (index, (token, margin)) in expected.greedy.iter().zip(&expected.margins).enumerate() {
			let logits = pipeline.logits().unwrap();
			if *margin > 2.0 * SHIPPED_BOUND * largest(logits) {
				assert_eq!(best(logits), *token, "question {case}, token {index}");
				compared += 1;
			} else {
				close += 1;
			}
			pipeline.decode(*token).unwrap();
		}
	}
	println!("worst {worst:.2e}; {compared} tokens compared, {close} too close");
	assert!(worst <= SHIPPED_BOUND, "{worst} is above the bound {SHIPPED_BOUND}");
	assert!(compared >= 20, "only {compared} tokens could be compared");
}
