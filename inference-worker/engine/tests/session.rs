//! Sessions with input that is wrong, and steps that end early: an error that says what to do, no
//! panic, and a session that goes on as if the call had not been.
#![allow(clippy::unwrap_used)]

mod support;

use aria_engine::{
	kernels,
	model::{
		random::{write_random_package, RandomShape},
		Cancel, Input, Model, ModelOptions, Pipeline, Session, PAGE,
	},
	package::{encode, ManifestHead, Package, PackageBuilder, TensorPlan},
	EngineError,
};
use aria_primitives::{
	manifest::{Attention, Encoding, Manifest, TensorRole as Role},
	query::Sampling,
	record::LayerRange,
};
use std::{path::Path, sync::Arc};
use support::{
	ask, bits, folder, load, load_plain, load_stages, pipeline, random_package, small_shape,
	tokens, Question, Random, RandomPackage,
};

fn small() -> RandomPackage {
	random_package(&small_shape(), 5)
}

fn prompt(count: usize) -> Vec<u32> {
	tokens(&mut Random(9), small_shape().vocab, count)
}

/// The bits that a session gives out for `tokens`.
fn run(session: &mut Session, tokens: &[u32]) -> Vec<u32> {
	bits(session.forward(Input::Tokens(tokens), &Cancel::new()).unwrap().values)
}

#[test]
fn tokens_out_of_range_should_be_refused_with_their_place() {
	let model = small();
	let vocab = model.shape.vocab;
	let mut session = load_plain(&model.package).session(32).unwrap();
	run(&mut session, &prompt(3));
	for token in [vocab, vocab + 1, u32::MAX] {
		match session.forward(Input::Tokens(&[1, 2, token]), &Cancel::new()) {
			Err(EngineError::TokenOutOfRange { token: is, vocab: of, position }) => {
				assert_eq!((is, of, position), (token, vocab, 5));
			}
			other => panic!("{other:?}"),
		}
		assert_eq!(session.position(), 3);
	}
	run(&mut session, &[vocab - 1]);
}

#[test]
fn positions_beyond_the_session_should_be_refused() {
	let model = small();
	let plain = load_plain(&model.package);
	let mut session = plain.session(10).unwrap();
	run(&mut session, &prompt(8));
	match session.forward(Input::Tokens(&[1, 2, 3]), &Cancel::new()) {
		Err(EngineError::ContextExceeded { needed: 11, context: 10 }) => {}
		other => panic!("{other:?}"),
	}
	assert_eq!(session.position(), 8);
	run(&mut session, &[1, 2]);
	assert!(session.forward(Input::Tokens(&[1]), &Cancel::new()).is_err());

	assert!(matches!(plain.session(0), Err(EngineError::Session { .. })));
	let context = model.shape.context as usize;
	assert!(plain.session(context).is_ok());
	assert!(matches!(plain.session(context + 1), Err(EngineError::ContextExceeded { .. })));
	assert!(matches!(plain.session(usize::MAX), Err(EngineError::ContextExceeded { .. })));
}

#[test]
fn a_prompt_beyond_the_context_should_be_refused_before_any_work() {
	let model = small();
	let mut pipeline = pipeline(&[load_plain(&model.package)], 10);
	match pipeline.prefill(&prompt(11), 4) {
		Err(EngineError::ContextExceeded { needed: 11, context: 10 }) => {}
		other => panic!("{other:?}"),
	}
	assert_eq!((pipeline.position(), pipeline.kv_bytes()), (0, 0));
	assert!(matches!(pipeline.prefill(&[], 4), Err(EngineError::Session { .. })));
	assert!(matches!(pipeline.logits(), Err(EngineError::Session { .. })));
	pipeline.prefill(&prompt(10), 4).unwrap();
	pipeline.logits().unwrap();
	pipeline.truncate(4);
	assert!(matches!(pipeline.logits(), Err(EngineError::Session { .. })));
}

#[test]
fn input_of_the_wrong_kind_or_length_should_be_refused() {
	let model = small();
	let hidden = model.shape.hidden as usize;
	let stages = load_stages(&model.package, "scalar", 1, &[2, 4]);
	let mut first = stages[0].session(32).unwrap();
	let mut second = stages[1].session(32).unwrap();
	let cancel = Cancel::new();
	let zeros = vec![0.5; 3 * hidden];
	fn refused<T>(result: aria_engine::Result<T>) {
		assert!(matches!(result, Err(EngineError::Session { .. })));
	}
	refused(first.forward(Input::Tokens(&[]), &cancel));
	refused(first.forward(Input::Activations(&zeros), &cancel));
	refused(second.forward(Input::Tokens(&[1]), &cancel));
	refused(second.forward(Input::Activations(&[]), &cancel));
	for length in [1, hidden - 1, hidden + 1, 2 * hidden + 7] {
		refused(second.forward(Input::Activations(&zeros[..length]), &cancel));
	}
	assert_eq!((first.position(), second.position()), (0, 0));
	assert_eq!(second.forward(Input::Activations(&zeros), &cancel).unwrap().tokens, 3);

	let vocab = model.shape.vocab as usize;
	let (mut state, mut logits) = (vec![0.0; hidden], vec![0.0; vocab]);
	assert!(first.final_hidden(&zeros[..hidden], &mut state).is_err());
	assert!(first.logits(&zeros[..hidden], &mut logits).is_err());
	assert!(second.final_hidden(&zeros[..hidden - 1], &mut state).is_err());
	assert!(second.final_hidden(&zeros[..hidden], &mut state[1..]).is_err());
	assert!(second.logits(&zeros[..hidden], &mut logits[1..]).is_err());
	assert!(second.logits(&zeros[..hidden + 1], &mut logits).is_err());
	second.final_hidden(&zeros[..hidden], &mut state).unwrap();
	second.logits(&state, &mut logits).unwrap();
}

#[test]
fn activations_that_are_not_finite_should_be_refused_and_forgotten() {
	let model = small();
	let hidden = model.shape.hidden as usize;
	for kernel in kernels::available() {
		let second =
			load(&model.package, kernel, 2, LayerRange { first: 2, end: model.shape.layers });
		let mut session = second.session(32).unwrap();
		let mut fresh = second.session(32).unwrap();
		let good: Vec<f32> = (0..2 * hidden).map(|i| (i as f32 * 0.37).sin()).collect();
		for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
			for place in [0, hidden - 1, 2 * hidden - 1] {
				let mut values = good.clone();
				values[place] = bad;
				let result = session.forward(Input::Activations(&values), &Cancel::new());
				assert!(matches!(result, Err(EngineError::NotFinite { .. })));
				assert_eq!(session.position(), 0);
			}
		}
		let cancel = Cancel::new();
		let after = bits(session.forward(Input::Activations(&good), &cancel).unwrap().values);
		let without = bits(fresh.forward(Input::Activations(&good), &cancel).unwrap().values);
		assert_eq!(after, without);

		let (mut state, mut logits) = (vec![0.0; hidden], vec![0.0; model.shape.vocab as usize]);
		let mut values = good[..hidden].to_vec();
		values[3] = f32::NAN;
		assert!(matches!(
			session.final_hidden(&values, &mut state),
			Err(EngineError::NotFinite { layer: None, .. })
		));
		assert!(matches!(
			session.logits(&values, &mut logits),
			Err(EngineError::NotFinite { layer: None, .. })
		));
	}
}

#[test]
fn a_cancelled_step_should_leave_the_session_where_it_was() {
	let model = small();
	let layers = LayerRange { first: 0, end: model.shape.layers };
	for threads in [1, 2] {
		let whole = load(&model.package, "scalar", threads, layers);
		let mut session = whole.session(100).unwrap();
		let mut fresh = whole.session(100).unwrap();
		let (start, rest) = (prompt(5), prompt(90));
		run(&mut session, &start);
		run(&mut fresh, &start);

		let cancel = Cancel::new();
		cancel.cancel();
		let result = session.forward(Input::Tokens(&rest), &cancel);
		assert!(matches!(result, Err(EngineError::Cancelled)));
		assert_eq!(session.position(), 5);

		// From another thread, somewhere on the way: it ends early or it does not.
		for delay in 0..20 {
			let cancel = Cancel::new();
			let asked = cancel.clone();
			let canceller = std::thread::spawn(move || {
				std::thread::sleep(std::time::Duration::from_micros(delay * 300));
				asked.cancel();
			});
			match session.forward(Input::Tokens(&rest), &cancel).map(|_| ()) {
				Ok(()) => {
					assert_eq!(session.position(), 95);
					session.truncate(5);
				}
				Err(error) => {
					assert!(matches!(error, EngineError::Cancelled));
					assert_eq!(session.position(), 5);
				}
			}
			canceller.join().unwrap();
		}
		assert_eq!(run(&mut session, &rest), run(&mut fresh, &rest));
	}
}

#[test]
fn a_pipeline_that_is_cancelled_between_stages_should_go_back_as_a_whole() {
	let model = small();
	let stages = load_stages(&model.package, "scalar", 1, &[1, 3, 4]);
	let question = Question { prompt: prompt(40), answer: 3, sampling: Sampling::GREEDY };
	let expected = ask(&mut pipeline(&stages, 64), &question, 16);

	let mut interrupted = pipeline(&stages, 64);
	interrupted.prefill(&question.prompt[..10], 16).unwrap();
	let cancel = interrupted.cancel();
	let mut seen = 0;
	let result = interrupted.observed(&question.prompt[10..], 16, &mut |_, _, _| {
		seen += 1;
		if seen == 3 {
			cancel.cancel();
		}
		Ok(())
	});
	assert!(matches!(result, Err(EngineError::Cancelled)));
	assert!(interrupted.stages().iter().all(|stage| stage.position() == 10));
	assert!(matches!(interrupted.logits(), Err(EngineError::Session { .. })));
	interrupted.set_cancel(Cancel::new());
	let answer = support::go_on(&mut interrupted, &question, 16);
	assert_eq!(answer.tokens, expected.tokens);
	assert_eq!(answer.logits, expected.logits);

	// An observer's own failure is handed on, and goes back likewise.
	let mut failing = pipeline(&stages, 64);
	let result = failing.observed(&question.prompt, 16, &mut |stage, position, _| {
		if stage == 1 && position == 16 {
			return Err(EngineError::Session { reason: "no room".into() });
		}
		Ok(())
	});
	assert!(matches!(result, Err(EngineError::Session { .. })));
	assert!(failing.stages().iter().all(|stage| stage.position() == 0));
}

#[test]
fn stages_that_do_not_follow_each_other_should_be_refused() {
	let model = small();
	let range = |first, end| load(&model.package, "scalar", 1, LayerRange { first, end });
	let (a, b, whole) = (range(0, 2), range(2, 4), range(0, 4));
	let sessions = |models: &[&Arc<Model>]| -> Vec<Session> {
		models.iter().map(|model| model.session(16).unwrap()).collect()
	};
	let none: &[&Arc<Model>] = &[];
	for models in [none, &[&a], &[&b], &[&b, &a], &[&a, &a], &[&a, &b, &b], &[&whole, &whole]] {
		let result = Pipeline::new(sessions(models));
		assert!(matches!(result, Err(EngineError::Layers { .. })), "{models:?}");
	}
	let mut ahead = a.session(16).unwrap();
	run(&mut ahead, &[1, 2]);
	let result = Pipeline::new(vec![ahead, b.session(16).unwrap()]);
	assert!(matches!(result, Err(EngineError::Session { .. })));
	let other = random_package(&RandomShape { hidden: 96, ..small_shape() }, 5);
	let foreign = load(&other.package, "scalar", 1, LayerRange { first: 2, end: 4 });
	let result = Pipeline::new(vec![a.session(16).unwrap(), foreign.session(16).unwrap()]);
	assert!(matches!(result, Err(EngineError::Session { .. })));
	assert!(Pipeline::new(sessions(&[&a, &b])).is_ok());
}

#[test]
fn options_that_cannot_be_met_should_be_refused() {
	let model = small();
	let load = |layers: Option<(u16, u16)>, threads| {
		let layers = layers.map(|(first, end)| LayerRange { first, end });
		let kernel = kernels::by_name("scalar").unwrap();
		Model::load(&model.package, ModelOptions { layers, kernel, threads }, &mut |_, _| ())
	};
	for range in [(0, 0), (2, 2), (3, 1), (0, 5), (4, 5), (u16::MAX, u16::MAX)] {
		assert!(matches!(load(Some(range), 1), Err(EngineError::Layers { .. })), "{range:?}");
	}
	assert!(matches!(load(None, 0), Err(EngineError::Threads { .. })));
	assert!(matches!(load(None, usize::MAX), Err(EngineError::Threads { .. })));
	assert!(matches!(kernels::by_name("abacus"), Err(EngineError::KernelUnavailable { .. })));
	assert!(load(None, 1).is_ok());
}

#[test]
fn memory_should_be_what_is_promised() {
	let model = small();
	let stage = load(&model.package, "scalar", 2, LayerRange { first: 1, end: 3 });
	let position = 2 * 2 * 2 * 16 * 4;
	assert_eq!(stage.kv_bytes_per_position(), position);
	let mut session = stage.session(128).unwrap();
	assert_eq!(session.kv_bytes(), 0);
	let hidden = model.shape.hidden as usize;
	let values = vec![0.25; hidden * (PAGE + 1)];
	session.forward(Input::Activations(&values[..hidden]), &Cancel::new()).unwrap();
	assert_eq!(session.kv_bytes(), PAGE * position);
	session.forward(Input::Activations(&values[hidden..]), &Cancel::new()).unwrap();
	assert_eq!(session.kv_bytes(), 2 * PAGE * position);
	session.truncate(PAGE as u32);
	assert_eq!(session.kv_bytes(), PAGE * position);
	session.truncate(1000);
	assert_eq!(session.position() as usize, PAGE);
}

#[test]
fn progress_should_reach_its_end() {
	let folder = folder();
	let dir = folder.path().join("model");
	let mut steps = Vec::new();
	write_random_package(&dir, &small_shape(), 1, &mut |done, total| steps.push((done, total)))
		.unwrap();
	assert!(steps.windows(2).all(|pair| pair[0].0 <= pair[1].0));
	assert!(steps.last().is_some_and(|(done, total)| done == total));
	let package = Package::open(&dir).unwrap();
	steps.clear();
	let kernel = kernels::best();
	let options = ModelOptions { layers: None, kernel, threads: 1 };
	Model::load(&package, options, &mut |done, total| steps.push((done, total))).unwrap();
	assert!(steps.windows(2).all(|pair| pair[0].0 <= pair[1].0));
	assert!(steps.last().is_some_and(|(done, total)| done == total && *total > 40));
}

#[test]
fn sessions_and_models_should_cross_threads() {
	fn is_send<T: Send>() {}
	fn is_sync<T: Sync>() {}
	is_send::<Session>();
	is_send::<Pipeline>();
	is_send::<Arc<Model>>();
	is_sync::<Model>();
	is_sync::<Cancel>();
}

/// The same package with the tensors of one role replaced.
fn rewrite(
	package: &Package,
	dir: &Path,
	role: Role,
	replace: impl Fn(usize, usize) -> (Encoding, Vec<u8>),
) -> Package {
	let Manifest { attention, architecture, gate, head, .. } = package.manifest;
	let manifest = &package.manifest;
	let number = |layer: u16| (layer != u16::MAX).then_some(layer);
	let mut plans: Vec<TensorPlan> = manifest
		.tensors
		.iter()
		.map(|t| TensorPlan { layer: number(t.layer), role: t.role, encoding: t.encoding })
		.collect();
	for plan in plans.iter_mut().filter(|plan| plan.role == role) {
		plan.encoding = replace(1, 1).0;
	}
	let head = ManifestHead {
		architecture,
		attention,
		hidden: manifest.hidden,
		feed_forward: manifest.feed_forward,
		layers: manifest.layers,
		vocab: manifest.vocab,
		context: manifest.context,
		rope_theta: manifest.rope_theta,
		norm_epsilon: f32::from_bits(manifest.norm_epsilon_bits),
		gate,
		head,
		numerics_version: manifest.numerics_version,
		bos: manifest.bos,
		eos: manifest.eos.to_vec(),
		tensors: plans.clone(),
		shards: manifest.shards.to_vec(),
	};
	let mut builder = PackageBuilder::new(dir, &head).unwrap();
	for plan in plans {
		let view = package.tensor(plan.layer, plan.role).unwrap();
		let replaced = (plan.role == role).then(|| replace(view.rows, view.cols).1);
		let bytes = replaced.as_deref().unwrap_or(view.bytes);
		builder.tensor(plan.layer, plan.role, plan.encoding, view.rows, view.cols, bytes).unwrap();
	}
	builder.tokenizer(package.tokenizer()).unwrap();
	builder.template(package.chat_template().as_bytes()).unwrap();
	builder.finish().unwrap();
	Package::open(dir).unwrap()
}

#[test]
fn values_that_overflow_should_end_the_step_and_name_the_layer() {
	let model = small();
	let folder = folder();
	let huge = |rows: usize, cols: usize| {
		(Encoding::F32, encode::f32_rows(&vec![f32::MAX; rows * cols], rows, cols).unwrap())
	};
	let cases = [
		(Role::AttentionNorm, Some(0)),
		(Role::FeedForwardNorm, Some(0)),
		(Role::OutputNorm, None),
	];
	for (index, (role, layer)) in cases.into_iter().enumerate() {
		let package = rewrite(&model.package, &folder.path().join(index.to_string()), role, huge);
		for kernel in kernels::available() {
			for threads in [1, 2] {
				let range = LayerRange { first: 0, end: model.shape.layers };
				let mut pipeline = pipeline(&[load(&package, kernel, threads, range)], 64);
				match pipeline.prefill(&prompt(20), 7) {
					Err(EngineError::NotFinite { layer: is, .. }) => assert_eq!(is, layer),
					other => panic!("{role:?} {kernel} {other:?}"),
				}
				assert_eq!(pipeline.position(), 0);
			}
		}
	}
}

#[test]
fn what_the_engine_does_not_know_should_be_refused_by_name() {
	let model = small();
	let folder = folder();
	let float = |rows: usize, cols: usize| {
		(Encoding::F32, encode::f32_rows(&vec![0.5; rows * cols], rows, cols).unwrap())
	};
	let package = rewrite(&model.package, &folder.path().join("float"), Role::Gate, float);
	let kernel = kernels::by_name("scalar").unwrap();
	let options = ModelOptions { layers: None, kernel, threads: 1 };
	match Model::load(&package, options, &mut |_, _| ()) {
		Err(EngineError::Package { field, .. }) => {
			assert!(field.contains("layers.0.gate"), "{field}")
		}
		other => panic!("{other:?}"),
	}
	let mut manifest = model.package.manifest.clone();
	manifest.numerics_version = 2;
	let named = |manifest: &Manifest| match aria_engine::model::Config::new(manifest) {
		Err(EngineError::Package { field, .. }) => field,
		other => panic!("{other:?}"),
	};
	assert_eq!(named(&manifest), "numerics_version");
	manifest.numerics_version = 1;
	manifest.attention =
		Attention::Mla { heads: 4, nope_dim: 8, rope_dim: 8, v_dim: 8, kv_rank: 16, q_rank: 0 };
	assert_eq!(named(&manifest), "attention");
	manifest.attention = Attention::Gqa { heads: u16::MAX, kv_heads: 1, head_dim: 1024 };
	assert!(named(&manifest).contains("head_dim"));
}
