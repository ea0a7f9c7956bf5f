//! The same bits, whatever computes them (`docs/protocol/numerics.md`).
//!
//! Each case is a random model, prompt and sampling. Its answer is computed once on the scalar kernel,
//! one thread, the whole prompt at once and every layer a stage of its own. Then every other way must
//! have the same residual streams, hidden states, logits and tokens, bit by bit.
#![allow(clippy::unwrap_used)]

mod support;

use aria_engine::kernels;
use aria_primitives::{manifest::Encoding, query::Sampling, PPM};
use std::{
	num::NonZeroUsize,
	sync::{PoisonError, RwLock},
};
use support::{
	ask, assert_same, go_on, load_plain, load_stages, pipeline, random_package, random_shape,
	reference::{ask_reference, reference},
	tokens, Answer, Question, Random, RandomPackage,
};

/// Cases; each of the tests below takes a quarter.
const CASES: u64 = 224;
const CHUNKS: [usize; 4] = [1, 7, 64, usize::MAX];
const THREADS: [usize; 3] = [1, 2, 4];

/// The first of the seeds of a test, as many as `ARIA_TEST_CASES` says; all of them where it is not
/// set. An emulated processor is too slow for all.
fn limited(seeds: impl Iterator<Item = u64>) -> impl Iterator<Item = u64> {
	let limit = match std::env::var("ARIA_TEST_CASES") {
		Ok(text) => text
			.parse::<NonZeroUsize>()
			.map(NonZeroUsize::get)
			.unwrap_or_else(|_| panic!("ARIA_TEST_CASES is {text:?}: set it to a number from 1")),
		Err(_) => usize::MAX,
	};
	seeds.take(limit)
}

/// Several lanes want all processors, or they wait for each other; single threads may share them.
static PROCESSORS: RwLock<()> = RwLock::new(());

fn with_processors<T>(threads: usize, work: impl FnOnce() -> T) -> T {
	if threads == 1 {
		let _shared = PROCESSORS.read().unwrap_or_else(PoisonError::into_inner);
		work()
	} else {
		let _alone = PROCESSORS.write().unwrap_or_else(PoisonError::into_inner);
		work()
	}
}

struct Case {
	seed: u64,
	random: Random,
	model: RandomPackage,
	question: Question,
	expected: Answer,
}

impl Case {
	fn new(seed: u64) -> Self {
		let mut random = Random(seed.wrapping_mul(0xA24B_AED4_963E_E407));
		let shape = random_shape(&mut random);
		let model = random_package(&shape, seed);
		let length = if random.coin() { random.between(1, 40) } else { random.between(60, 100) };
		let question = Question {
			prompt: tokens(&mut random, shape.vocab, length),
			answer: random.between(1, 5),
			sampling: sampling(&mut random),
		};
		let every_layer: Vec<u16> = (1..=shape.layers).collect();
		let stages = load_stages(&model.package, "scalar", 1, &every_layer);
		let expected =
			with_processors(1, || ask(&mut pipeline(&stages, 128), &question, usize::MAX));
		Self { seed, random, model, question, expected }
	}

	/// Ends of up to five stages.
	fn split(&mut self, stages: usize) -> Vec<u16> {
		let layers = self.model.shape.layers;
		let mut ends = vec![layers];
		for _ in 1..stages {
			let end = self.random.between(1, layers.into()) as u16;
			if !ends.contains(&end) {
				ends.push(end);
			}
		}
		ends.sort_unstable();
		ends
	}

	fn check(&self, kernel: &str, threads: usize, chunk: usize, ends: &[u16]) {
		let models = load_stages(&self.model.package, kernel, threads, ends);
		let answer =
			with_processors(threads, || ask(&mut pipeline(&models, 128), &self.question, chunk));
		let what = (self.seed, kernel, threads, chunk, ends, &self.model.shape);
		assert_same(&answer, &self.expected, &what);
	}
}

fn sampling(random: &mut Random) -> Sampling {
	let seed = random.draw();
	if random.coin() {
		return Sampling { seed, ..Sampling::GREEDY };
	}
	Sampling {
		temperature_milli: random.between(1, 2000) as u32,
		top_k: random.of(&[0, 0, 1, 20, 1000]),
		top_p_ppm: random.of(&[PPM, PPM, 900_000, 1]),
		seed,
	}
}

/// One quarter of the cases.
fn cases(quarter: u64) {
	let kernels = kernels::available();
	assert!(kernels.contains(&"scalar"));
	for seed in limited((0..CASES).filter(|seed| seed % 4 == quarter)) {
		let mut case = Case::new(seed);
		let whole = [case.model.shape.layers];
		// Everything once by itself, the rest drawn, so that combinations come up too.
		for kernel in &kernels {
			let (threads, chunk) = (case.random.of(&THREADS), case.random.of(&CHUNKS));
			case.check(kernel, threads, chunk, &whole);
		}
		for threads in THREADS {
			let (kernel, chunk) = (case.random.of(&kernels), case.random.of(&CHUNKS));
			case.check(kernel, threads, chunk, &whole);
		}
		for chunk in CHUNKS {
			let (kernel, threads) = (case.random.of(&kernels), case.random.of(&THREADS));
			case.check(kernel, threads, chunk, &whole);
		}
		for stages in 2..=5 {
			let (kernel, threads) = (case.random.of(&kernels), case.random.of(&THREADS));
			let (chunk, ends) = (case.random.of(&CHUNKS), case.split(stages));
			case.check(kernel, threads, chunk, &ends);
		}
		if seed % 3 == 0 {
			let model = reference(&case.model.package);
			let prompt = case.question.prompt.iter().copied().take(20).collect();
			let question = Question { prompt, ..case.question.clone() };
			let expected = with_processors(1, || ask_reference(&model, &question));
			let every_layer: Vec<u16> = (1..=case.model.shape.layers).collect();
			let stages = load_stages(&case.model.package, "scalar", 1, &every_layer);
			let answer = ask(&mut pipeline(&stages, 128), &question, usize::MAX);
			assert_same(&answer, &expected, &("reference", seed, &case.model.shape));
		}
	}
}

#[test]
fn every_way_should_give_the_same_bits_1() {
	cases(0);
}

#[test]
fn every_way_should_give_the_same_bits_2() {
	cases(1);
}

#[test]
fn every_way_should_give_the_same_bits_3() {
	cases(2);
}

#[test]
fn every_way_should_give_the_same_bits_4() {
	cases(3);
}

#[test]
fn sessions_at_once_should_give_what_they_give_one_after_another() {
	for seed in limited(1000..1012) {
		let mut case = Case::new(seed);
		let (kernels, layers) = (kernels::available(), case.model.shape.layers);
		let questions: Vec<Question> = (0..4)
			.map(|turn| {
				let mut question = case.question.clone();
				let turn = turn % question.prompt.len();
				question.prompt.rotate_left(turn);
				question
			})
			.collect();
		for threads in THREADS {
			let kernel = case.random.of(&kernels);
			let models = load_stages(&case.model.package, kernel, threads, &[layers]);
			let ask_one = |question: &Question| ask(&mut pipeline(&models, 128), question, 7);
			let one_by_one: Vec<Answer> =
				with_processors(threads, || questions.iter().map(ask_one).collect());
			assert_same(&one_by_one[0], &case.expected, &(seed, kernel, threads));
			let all_at_once = || {
				std::thread::scope(|scope| {
					let running: Vec<_> = questions
						.iter()
						.map(|question| scope.spawn(move || ask_one(question)))
						.collect();
					running.into_iter().map(|run| run.join().unwrap()).collect::<Vec<Answer>>()
				})
			};
			let at_once: Vec<Answer> = with_processors(threads, all_at_once);
			for (answer, expected) in at_once.iter().zip(&one_by_one) {
				assert_same(answer, expected, &(seed, kernel, threads));
			}
		}
	}
}

#[test]
fn a_prefix_should_be_used_again_without_a_trace() {
	for seed in limited(2000..2024) {
		let mut case = Case::new(seed);
		let (kernels, layers) = (kernels::available(), case.model.shape.layers);
		let (kernel, threads) = (case.random.of(&kernels), case.random.of(&THREADS));
		let models = load_stages(&case.model.package, kernel, threads, &[layers]);
		let mut used = pipeline(&models, 128);
		let length = case.question.prompt.len();
		// Another question first, with the same beginning.
		let shared = case.random.between(0, length - 1);
		let mut other = case.question.clone();
		for token in &mut other.prompt[shared..] {
			*token = (*token + 1) % case.model.shape.vocab;
		}
		with_processors(threads, || ask(&mut used, &other, 64));
		used.truncate(shared as u32);
		assert_eq!(used.position() as usize, shared);
		let chunk = case.random.of(&CHUNKS);
		let answer = with_processors(threads, || go_on(&mut used, &case.question, chunk));
		assert_same(&answer, &case.expected, &("after another", seed, kernel, threads, shared));
		// And once more from the same session.
		let kept = case.random.between(0, length - 1);
		used.truncate(kept as u32);
		let answer = with_processors(threads, || go_on(&mut used, &case.question, 7));
		assert_same(&answer, &case.expected, &("again", seed, kernel, threads, kept));
	}
}

#[test]
fn both_ternary_encodings_should_be_the_same_model() {
	for seed in limited(3000..3012) {
		let mut random = Random(seed);
		let mut shape = random_shape(&mut random);
		let question = Question {
			prompt: tokens(&mut random, shape.vocab, 20),
			answer: 3,
			sampling: Sampling::GREEDY,
		};
		let mut answers = Vec::new();
		for linear in [Encoding::Ternary2, Encoding::Ternary5] {
			shape.encodings.linear = linear;
			let model = random_package(&shape, seed);
			let plain = load_plain(&model.package);
			answers.push(ask(&mut pipeline(&[plain], 64), &question, usize::MAX));
		}
		assert_same(&answers[0], &answers[1], &shape);
	}
}
