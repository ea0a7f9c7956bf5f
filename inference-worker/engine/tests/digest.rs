//! The same bits on every machine: what random models compute is hashed into one digest, and that is
//! committed. A machine with other kernels, or another processor, has to come to it too; on one
//! machine `equality.rs` compares more.
#![allow(clippy::unwrap_used)]

mod support;

use aria_engine::kernels;
use aria_primitives::{query::Sampling, PPM};
use sha2::{Digest, Sha256};
use support::{
	ask, load_stages, pipeline, random_package, random_shape, tokens, Answer, Question, Random,
	RandomPackage,
};

/// SHA-256 of the digests of all cases. It changes with `random_shape`, with the weights of random
/// packages and with the version of the numerics, and for no other reason.
const DIGEST: &str = "4c3e8917f6bce3a7143f2c95fe8b1fe803fa7edd0bb50aab726db55bb0d8f5ae";

/// Seeds of the cases.
const SEEDS: std::ops::Range<u64> = 4000..4024;

fn case(seed: u64) -> (RandomPackage, Question) {
	let mut random = Random(seed.wrapping_mul(0xA24B_AED4_963E_E407));
	let shape = random_shape(&mut random);
	let model = random_package(&shape, seed);
	let length = random.between(1, 24);
	let question = Question {
		prompt: tokens(&mut random, shape.vocab, length),
		answer: random.between(2, 5),
		sampling: Sampling {
			temperature_milli: random.of(&[0, 300, 1000]),
			top_k: random.of(&[0, 40]),
			top_p_ppm: random.of(&[PPM, 900_000]),
			seed,
		},
	};
	(model, question)
}

/// Everything that an answer consists of. Each list begins with its length, so that no two answers
/// are the same bytes; all numbers are u32, little-endian.
fn digest_of(answer: &Answer) -> [u8; 32] {
	let mut hash = Sha256::new();
	let mut add = |values: &[u32]| {
		hash.update((values.len() as u32).to_le_bytes());
		for value in values {
			hash.update(value.to_le_bytes());
		}
	};
	for (end, values) in &answer.boundaries {
		add(&[u32::from(*end)]);
		add(values);
	}
	for values in answer.hidden.iter().chain(&answer.logits) {
		add(values);
	}
	add(&answer.tokens);
	hash.finalize().into()
}

fn hex(bytes: &[u8]) -> String {
	bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn answers_should_have_the_committed_digest_on_every_kernel() {
	let mut all = Sha256::new();
	for seed in SEEDS {
		let (model, question) = case(seed);
		let every_layer: Vec<u16> = (1..=model.shape.layers).collect();
		let digest = |kernel: &str| {
			let stages = load_stages(&model.package, kernel, 1, &every_layer);
			digest_of(&ask(&mut pipeline(&stages, 64), &question, usize::MAX))
		};
		let scalar = digest("scalar");
		for kernel in kernels::available() {
			assert_eq!(hex(&digest(kernel)), hex(&scalar), "{seed}, {kernel}: {:?}", model.shape);
		}
		// To find the case in which two machines differ.
		println!("{seed}: {}", hex(&scalar));
		all.update(scalar);
	}
	let digest = hex(&all.finalize());
	assert_eq!(
		digest,
		DIGEST,
		"on {} this machine comes to {digest} (left): compare the cases above with those of a machine \
		 that comes to the committed digest (right)",
		std::env::consts::ARCH
	);
}

/// A run that is to prove something about certain kernels names them in `ARIA_TEST_KERNELS`.
#[test]
fn kernels_that_are_asked_for_should_run_here() {
	let available = kernels::available();
	for name in std::env::var("ARIA_TEST_KERNELS").unwrap_or_default().split_whitespace() {
		assert!(available.contains(&name), "{name} does not run here, only {available:?}");
	}
}
