//! From a query to an answer: what ends it, what is kept for the next one, and what a trace holds.
#![allow(clippy::unwrap_used)]

mod support;

use aria_engine::{
	generate::{positions, Answer, Generator, QueryTrace, Step},
	model::Cancel,
	text::ChatTokenizer,
	EngineError,
};
use aria_primitives::{
	query::{CanonicalQuery, Sampling, QUERY_VERSION},
	record::FinishReason,
};
use std::{ops::ControlFlow, sync::Arc};
use support::{ask, load_plain, load_stages, pipeline, random_package, small_shape};
use support::{Question, RandomPackage};

fn small() -> RandomPackage {
	random_package(&small_shape(), 11)
}

fn query(model: &RandomPackage, prompt: &[u32], max_tokens: u32) -> CanonicalQuery {
	CanonicalQuery {
		version: QUERY_VERSION,
		model_id: model.package.model_id(),
		prompt_tokens: prompt.to_vec().try_into().unwrap(),
		sampling: Sampling { temperature_milli: 900, top_k: 0, top_p_ppm: 1_000_000, seed: 5 },
		max_tokens,
		stop: Default::default(),
		salt: [3; 32],
	}
}

fn generator(model: &RandomPackage, ends: &[u16], room: usize) -> Generator {
	let models = load_stages(&model.package, "scalar", 1, ends);
	let tokenizer = Arc::new(ChatTokenizer::open(&model.package).unwrap());
	Generator::new(&model.package, pipeline(&models, room), tokenizer)
}

fn go_on(_: &Step<'_>) -> ControlFlow<()> {
	ControlFlow::Continue(())
}

/// Breaks at the third token.
fn third(step: &Step<'_>) -> ControlFlow<()> {
	match step.index {
		2 => ControlFlow::Break(()),
		_ => ControlFlow::Continue(()),
	}
}

fn answer(generator: &mut Generator, query: &CanonicalQuery) -> Answer {
	generator.generate(query, None, &Cancel::new(), &mut go_on).unwrap()
}

fn traced(generator: &mut Generator, query: &CanonicalQuery) -> (Answer, QueryTrace) {
	let mut trace = QueryTrace::new(query, generator.pipeline().stages().len());
	let answer = generator.generate(query, Some(&mut trace), &Cancel::new(), &mut go_on).unwrap();
	(answer, trace)
}

/// Everything but how long it took and what was at hand.
fn same(a: &Answer, b: &Answer) -> bool {
	(&a.tokens, &a.text, a.finish_reason) == (&b.tokens, &b.text, b.finish_reason)
}

#[test]
fn answer_should_be_that_of_the_pipeline() {
	let model = small();
	let prompt = [5, 70, 71, 9];
	let query = query(&model, &prompt, 20);
	let question = Question { prompt: prompt.to_vec(), answer: 20, sampling: query.sampling };
	let expected = ask(&mut pipeline(&[load_plain(&model.package)], 64), &question, 1).tokens;
	let is = answer(&mut generator(&model, &[1, 4], 64), &query);
	assert_eq!(is.tokens, expected[..is.tokens.len()]);
	let ended = model.package.manifest.eos.contains(is.tokens.last().unwrap());
	assert_eq!(is.tokens.len() == 20 && !ended, is.finish_reason == FinishReason::Length);
}

#[test]
fn pieces_should_be_the_text_and_the_text_that_of_the_tokens() {
	let model = small();
	let mut generator = generator(&model, &[4], 64);
	let query = query(&model, &[65, 66], 40);
	let (mut text, mut tokens, mut finish) = (String::new(), Vec::new(), None);
	let answer = generator
		.generate(&query, None, &Cancel::new(), &mut |step| {
			assert_eq!(step.index as usize, tokens.len());
			assert_eq!(finish, None);
			text.push_str(step.text);
			tokens.push(step.token);
			finish = step.finish;
			ControlFlow::Continue(())
		})
		.unwrap();
	assert_eq!((&text, &tokens), (&answer.text, &answer.tokens));
	assert_eq!(finish, Some(answer.finish_reason));
	assert_eq!(answer.text, generator.tokenizer().decode(&answer.tokens).unwrap());
}

#[test]
fn a_prompt_that_begins_alike_should_be_worked_on_from_where_it_differs() {
	let model = small();
	let mut used = generator(&model, &[2, 4], 100);
	let first = answer(&mut used, &query(&model, &[1, 2, 3, 4, 5], 6));
	assert_eq!(first.cached_tokens, 0);

	let mut longer = vec![1, 2, 3, 4, 5];
	longer.extend(&first.tokens);
	longer.extend([8, 9]);
	for (prompt, cached) in [
		// The last token of the answer was drawn and not worked on.
		(longer, 5 + first.tokens.len() as u32 - 1),
		(vec![1, 2, 3, 7], 3),
		(vec![1, 2, 3, 7], 3),
		(vec![9, 2, 3], 0),
	] {
		let query = query(&model, &prompt, 8);
		let fresh = answer(&mut generator(&model, &[4], 100), &query);
		let again = answer(&mut used, &query);
		assert_eq!((again.cached_tokens, fresh.cached_tokens), (cached, 0));
		assert!(same(&again, &fresh), "{again:?} {fresh:?}");
	}
	used.forget();
	assert_eq!(answer(&mut used, &query(&model, &[9, 2, 3], 1)).cached_tokens, 0);
}

#[test]
fn stop_sequences_should_end_the_answer_across_tokens() {
	let model = small();
	// An answer with a pair of characters, each of which is a token of its own, followed by more.
	let (seeded, whole, pair) = (0..200)
		.find_map(|seed| {
			let mut query = query(&model, &[65], 40);
			query.sampling.seed = seed;
			let whole = answer(&mut generator(&model, &[4], 64), &query);
			let bytes = whole.text.as_bytes();
			let at = bytes.windows(2).position(|pair| pair.iter().all(u8::is_ascii_graphic))?;
			let pair = whole.text[at..at + 2].to_owned();
			(at + 2 < bytes.len()).then_some((query, whole, pair))
		})
		.unwrap();
	let mut stopped = seeded;
	stopped.stop.try_push(pair.clone().into_bytes().try_into().unwrap()).unwrap();
	let is = answer(&mut generator(&model, &[4], 64), &stopped);
	assert_eq!(is.finish_reason, FinishReason::Stop);
	assert_eq!(is.text, whole.text[..whole.text.find(&pair).unwrap()]);
	assert!(is.tokens.len() < whole.tokens.len());
	assert_eq!(is.tokens, whole.tokens[..is.tokens.len()]);
}

#[test]
fn cancelling_should_leave_a_generator_that_goes_on() {
	let model = small();
	let mut used = generator(&model, &[2, 4], 64);
	let query = query(&model, &[65, 66, 67], 12);
	let fresh = answer(&mut generator(&model, &[4], 64), &query);
	assert!(fresh.tokens.len() > 4, "choose another seed");

	let broken = used.generate(&query, None, &Cancel::new(), &mut third).unwrap();
	assert_eq!(broken.finish_reason, FinishReason::Cancelled);
	assert_eq!(broken.tokens, fresh.tokens[..3]);
	assert_eq!(broken.text, used.tokenizer().decode(&broken.tokens).unwrap());

	let cancel = Cancel::new();
	let stop_later = cancel.clone();
	let cancelled = used
		.generate(&query, None, &cancel, &mut |step| {
			if step.index == 3 {
				stop_later.cancel();
			}
			ControlFlow::Continue(())
		})
		.unwrap();
	assert_eq!(cancelled.finish_reason, FinishReason::Cancelled);
	assert_eq!(cancelled.tokens, fresh.tokens[..4]);

	let nothing = used.generate(&query, None, &cancel, &mut go_on).unwrap();
	assert_eq!(nothing.finish_reason, FinishReason::Cancelled);
	assert!(nothing.tokens.is_empty());
	assert!(same(&answer(&mut used, &query), &fresh));
}

#[test]
fn traces_should_agree_whatever_was_cached_and_however_the_prompt_was_cut() {
	let model = small();
	let query = query(&model, &[65, 66, 67, 68, 69], 6);
	let (expected, trace) = traced(&mut generator(&model, &[1, 2, 4], 64), &query);
	let [prompt, first, second, last] = trace.trees() else { panic!() };
	assert_eq!(prompt.len(), 5);
	// The token that was drawn last is not worked on.
	assert_eq!(first.len(), 5 + expected.tokens.len() - 1);
	assert_eq!(second.len(), first.len());
	assert_eq!((last.len(), last.first_position()), (expected.tokens.len(), 4));

	let mut used = generator(&model, &[1, 2, 4], 64);
	used.set_chunk(2);
	for _ in 0..2 {
		let (again, other) = traced(&mut used, &query);
		assert!(same(&again, &expected));
		assert_eq!(again.cached_tokens, 0);
		assert_eq!(other.boundaries(), trace.boundaries());
	}
	// A stage alone has no boundary that a cached position would be missing from.
	let mut whole = generator(&model, &[4], 64);
	for cached in [0, 4] {
		let (again, other) = traced(&mut whole, &query);
		assert_eq!(again.cached_tokens, cached);
		assert_eq!(other.trees().len(), 2);
		assert_eq!(other.trees()[0].root(), prompt.root());
		assert_eq!(other.trees()[1].root(), last.root());
	}
	let mut wrong = QueryTrace::new(&query, 2);
	assert!(used.generate(&query, Some(&mut wrong), &Cancel::new(), &mut go_on).is_err());
}

#[test]
fn prompt_and_answer_should_fit_the_context_together() {
	let model = small();
	let context = small_shape().context as usize;
	assert_eq!(positions(10, 5, context), 15);
	assert_eq!(positions(10, u32::MAX, context), context);
	assert_eq!(positions(0, 0, context), 1);

	let mut generator = generator(&model, &[4], context);
	let almost = vec![7; context - 2];
	let is = answer(&mut generator, &query(&model, &almost, 100));
	assert!(is.tokens.len() <= 2);
	let full = vec![7; context];
	let error = generator.generate(&query(&model, &full, 1), None, &Cancel::new(), &mut go_on);
	assert!(matches!(error, Err(EngineError::ContextExceeded { needed: 129, context: 128 })));

	let nothing = answer(&mut generator, &query(&model, &[7], 0));
	assert_eq!((nothing.tokens.len(), nothing.finish_reason), (0, FinishReason::Length));
}

#[test]
fn queries_that_cannot_be_answered_should_be_refused() {
	let model = small();
	let mut generator = generator(&model, &[4], 16);
	let good = query(&model, &[65], 4);
	let refused = |generator: &mut Generator, query: &CanonicalQuery, part: &str| {
		let error = generator.generate(query, None, &Cancel::new(), &mut go_on).unwrap_err();
		assert!(error.to_string().contains(part), "{part}: {error}");
	};
	let mut bad = good.clone();
	bad.version = 2;
	refused(&mut generator, &bad, "version 2");
	let mut bad = good.clone();
	bad.model_id = Default::default();
	refused(&mut generator, &bad, "asks model");
	refused(&mut generator, &query(&model, &[], 4), "no tokens");
	refused(&mut generator, &query(&model, &[65, 300], 4), "token 300 at position 1");
	refused(&mut generator, &query(&model, &[65; 10], 20), "30 positions");
	let mut bad = good.clone();
	bad.sampling.temperature_milli = 100_001;
	refused(&mut generator, &bad, "temperature_milli");
	for stop in [&b""[..], b"\xff"] {
		let mut bad = good.clone();
		bad.stop.try_push(stop.to_vec().try_into().unwrap()).unwrap();
		refused(&mut generator, &bad, "stop sequence");
	}
	assert!(!answer(&mut generator, &good).tokens.is_empty());
}
