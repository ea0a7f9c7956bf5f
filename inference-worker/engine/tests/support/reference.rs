//! A package as the plain model of `numerics::reference`.
#![allow(clippy::unwrap_used, missing_docs)]

use super::{bits, Answer, Question};
use aria_engine::{
	numerics::reference::{Layer, Matrix, Model, Shape},
	package::Package,
	sampler::{sample, SampleScratch},
};
use aria_primitives::manifest::{Attention, Encoding, Head, TensorRole as Role};

pub fn reference(package: &Package) -> Model {
	let manifest = &package.manifest;
	let Attention::Gqa { heads, kv_heads, head_dim } = manifest.attention else {
		panic!("the tests make no other models");
	};
	let layers = (0..manifest.layers)
		.map(|layer| {
			let matrix = |role| matrix(package, Some(layer), role);
			let norm = |role| package.tensor(Some(layer), role).unwrap().floats().unwrap();
			let maybe = |role| package.lists(Some(layer), role).then(|| norm(role));
			Layer {
				attention_norm: norm(Role::AttentionNorm),
				query: matrix(Role::Query),
				key: matrix(Role::Key),
				value: matrix(Role::Value),
				attention_sub_norm: maybe(Role::AttentionSubNorm),
				attention_output: matrix(Role::AttentionOutput),
				feed_forward_norm: norm(Role::FeedForwardNorm),
				gate: matrix(Role::Gate),
				up: matrix(Role::Up),
				feed_forward_sub_norm: maybe(Role::FeedForwardSubNorm),
				down: matrix(Role::Down),
			}
		})
		.collect();
	Model {
		shape: Shape {
			heads: heads.into(),
			kv_heads: kv_heads.into(),
			head_dim: head_dim.into(),
			epsilon: f32::from_bits(manifest.norm_epsilon_bits),
			theta: manifest.rope_theta,
			gate: manifest.gate,
		},
		embedding: matrix(package, None, Role::TokenEmbedding),
		layers,
		output_norm: package.tensor(None, Role::OutputNorm).unwrap().floats().unwrap(),
		output: (manifest.head == Head::Untied).then(|| matrix(package, None, Role::Output)),
	}
}

fn matrix(package: &Package, layer: Option<u16>, role: Role) -> Matrix {
	let view = package.tensor(layer, role).unwrap();
	let (rows, cols) = (view.rows, view.cols);
	match view.encoding {
		Encoding::Ternary2 | Encoding::Ternary5 => {
			let mut weights = vec![0; rows * cols];
			for (row, values) in weights.chunks_mut(cols).enumerate() {
				view.ternary_row(row, values).unwrap();
			}
			Matrix::Ternary { cols, weights, scale: view.scale() }
		}
		Encoding::Int8Row => {
			let (mut weights, mut scales) = (Vec::new(), Vec::new());
			for row in 0..rows {
				let (values, scale) = view.int8_row(row).unwrap();
				weights.extend(values.iter().map(|value| *value as i8));
				scales.push(scale);
			}
			Matrix::Int8 { cols, weights, scales }
		}
		Encoding::F16 | Encoding::F32 => {
			let mut weights = vec![0.0; rows * cols];
			for (row, values) in weights.chunks_mut(cols).enumerate() {
				view.float_row(row, values).unwrap();
			}
			Matrix::Float { cols, weights }
		}
	}
}

/// The answer of the plain model, with the boundaries after all layers but the last.
pub fn ask_reference(model: &Model, question: &Question) -> Answer {
	let mut answer = Answer::default();
	let mut scratch = SampleScratch::default();
	let mut caches = model.caches();
	let mut work = question.prompt.clone();
	for index in 0..question.answer {
		let mut last = None;
		for token in &work {
			let step = model.step(&mut caches, *token).unwrap();
			for (layer, stream) in step.streams.iter().enumerate().take(model.layers.len() - 1) {
				let boundary = answer.boundaries.entry(layer as u16 + 1).or_default();
				boundary.extend(bits(stream));
			}
			last = Some(step);
		}
		let step = last.unwrap();
		answer.hidden.push(bits(&step.hidden));
		answer.logits.push(bits(&step.logits));
		let token = sample(&step.logits, &question.sampling, index as u32, &mut scratch).unwrap();
		answer.tokens.push(token);
		work = vec![token];
	}
	answer
}
