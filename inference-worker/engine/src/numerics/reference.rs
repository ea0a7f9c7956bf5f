//! Layers and models in the plainest code there is, straight from `docs/protocol/numerics.md`.
//!
//! Vectors are `Vec`s, matrices are kept unpacked, a token is worked on at a time and nothing is
//! reused. It is what kernels, threads, chunks and stages are tested against, and slow.

use super::{activation_scale, elementary, quantise as to_int8, reduce, rope};
use crate::error::{EngineError, Result};
use aria_primitives::manifest::Gate;

/// A matrix `[rows, cols]`, row after row.
#[derive(Clone, Debug, PartialEq)]
pub enum Matrix {
	/// Weights −1, 0 and 1 with one scale.
	Ternary {
		/// Inputs.
		cols: usize,
		/// `rows × cols` weights.
		weights: Vec<i8>,
		/// What an exact product is multiplied by.
		scale: f32,
	},
	/// 8-bit weights with one scale a row.
	Int8 {
		/// Inputs.
		cols: usize,
		/// `rows × cols` weights.
		weights: Vec<i8>,
		/// A scale for each row.
		scales: Vec<f32>,
	},
	/// Floats, which halves become too.
	Float {
		/// Inputs.
		cols: usize,
		/// `rows × cols` weights.
		weights: Vec<f32>,
	},
}

impl Matrix {
	/// `W x`, of `rows` values. Fails if `x` holds a value that is not finite.
	pub fn product(&self, x: &[f32]) -> Result<Vec<f32>> {
		match self {
			Self::Ternary { cols, weights, scale } => ternary_matvec(weights, *cols, *scale, x),
			Self::Int8 { cols, weights, scales } => int8_matvec(weights, *cols, scales, x),
			Self::Float { cols, weights } => {
				finite(x, "an input of a matrix product")?;
				Ok(rows(weights, *cols).map(|row| reduce::dot(row, x)).collect())
			}
		}
	}

	/// Row `index` as floats, as an embedding is read; `None` if there is no such row.
	pub fn row(&self, index: usize) -> Option<Vec<f32>> {
		match self {
			Self::Ternary { cols, weights, scale } => {
				let row = rows(weights, *cols).nth(index)?;
				Some(row.iter().map(|w| *scale * f32::from(*w)).collect())
			}
			Self::Int8 { cols, weights, scales } => {
				let (row, scale) = (rows(weights, *cols).nth(index)?, scales.get(index)?);
				Some(row.iter().map(|q| *scale * f32::from(*q)).collect())
			}
			Self::Float { cols, weights } => rows(weights, *cols).nth(index).map(<[f32]>::to_vec),
		}
	}
}

/// The rows of a matrix; none if it has no columns.
fn rows<T>(values: &[T], cols: usize) -> std::slice::ChunksExact<'_, T> {
	values.chunks_exact(cols.max(1))
}

/// Fails if a value is infinite or NaN. `what` says what the values are.
fn finite(x: &[f32], what: &'static str) -> Result<()> {
	if x.iter().all(|x| x.is_finite()) {
		Ok(())
	} else {
		Err(EngineError::NotFinite { layer: None, what })
	}
}

/// `(x × r) × g` with `r = 1 ÷ √(mean of squares + epsilon)`.
pub fn rmsnorm(x: &[f32], gain: &[f32], epsilon: f32) -> Vec<f32> {
	let v = reduce::sum_squares(x) / x.len() as f32;
	let r = 1.0 / (v + epsilon).sqrt();
	x.iter().zip(gain).map(|(x, g)| (x * r) * g).collect()
}

/// One token's activations as 8-bit integers, and their scale `s`: `q = rne(x × s)`. Fails if a
/// value is not finite.
pub fn quantise(x: &[f32]) -> Result<(Vec<i8>, f32)> {
	finite(x, "an input of a matrix product")?;
	let maximum = x.iter().fold(0.0f32, |maximum, x| maximum.max(x.abs()));
	let scale = activation_scale(maximum);
	Ok((x.iter().map(|x| to_int8(*x, scale)).collect(), scale))
}

fn integer_dot(weights: &[i8], q: &[i8]) -> i32 {
	weights.iter().zip(q).map(|(w, q)| i32::from(*w) * i32::from(*q)).sum()
}

/// `f32(acc) × (scale ÷ s)` for each row of ternary weights. `x` is quantised here.
pub fn ternary_matvec(weights: &[i8], cols: usize, scale: f32, x: &[f32]) -> Result<Vec<f32>> {
	let (q, s) = quantise(x)?;
	let factor = scale / s;
	Ok(rows(weights, cols).map(|row| integer_dot(row, &q) as f32 * factor).collect())
}

/// `(f32(acc) × b[r]) × (1 ÷ s)` for each row of 8-bit weights. `x` is quantised here.
pub fn int8_matvec(weights: &[i8], cols: usize, scales: &[f32], x: &[f32]) -> Result<Vec<f32>> {
	let (q, s) = quantise(x)?;
	let factor = 1.0 / s;
	let product = |(row, scale): (&[i8], &f32)| (integer_dot(row, &q) as f32 * scale) * factor;
	Ok(rows(weights, cols).zip(scales).map(product).collect())
}

/// Attention of one head for one query over the keys and values of positions 0 up to its own; each
/// slice holds `head_dim` values.
pub fn attention(query: &[f32], keys: &[&[f32]], values: &[&[f32]]) -> Vec<f32> {
	let factor = 1.0 / (query.len() as f32).sqrt();
	let t: Vec<f32> = keys.iter().map(|key| reduce::dot(query, key) * factor).collect();
	let m = t.iter().copied().fold(f32::NEG_INFINITY, f32::max);
	let e: Vec<f32> = t.iter().map(|t| elementary::exp(t - m)).collect();
	let inverse = 1.0 / reduce::sum(&e);
	let mut o = vec![0.0f32; query.len()];
	for (e, value) in e.iter().zip(values) {
		for (o, v) in o.iter_mut().zip(*value) {
			*o += e * v;
		}
	}
	o.iter().map(|o| o * inverse).collect()
}

/// The gate's function.
pub fn activate(gate: Gate, g: f32) -> f32 {
	match gate {
		Gate::SquaredRelu => {
			let r = if g > 0.0 { g } else { 0.0 };
			r * r
		}
		Gate::Silu => g * elementary::sigmoid(g),
	}
}

/// What all layers of a model share.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
	/// Query heads.
	pub heads: usize,
	/// Key and value heads; divides `heads`.
	pub kv_heads: usize,
	/// Values of a head; even.
	pub head_dim: usize,
	/// `ε` of the norms.
	pub epsilon: f32,
	/// Base of the rotary embedding.
	pub theta: u32,
	/// The gate of the feed-forward block.
	pub gate: Gate,
}

/// The weights of a layer, by the roles of a manifest's tensors.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
	/// `[hidden]`.
	pub attention_norm: Vec<f32>,
	/// `[heads × head_dim, hidden]`.
	pub query: Matrix,
	/// `[kv_heads × head_dim, hidden]`.
	pub key: Matrix,
	/// `[kv_heads × head_dim, hidden]`.
	pub value: Matrix,
	/// `[heads × head_dim]`, if there is one.
	pub attention_sub_norm: Option<Vec<f32>>,
	/// `[hidden, heads × head_dim]`.
	pub attention_output: Matrix,
	/// `[hidden]`.
	pub feed_forward_norm: Vec<f32>,
	/// `[feed_forward, hidden]`.
	pub gate: Matrix,
	/// `[feed_forward, hidden]`.
	pub up: Matrix,
	/// `[feed_forward]`, if there is one.
	pub feed_forward_sub_norm: Option<Vec<f32>>,
	/// `[hidden, feed_forward]`.
	pub down: Matrix,
}

/// Keys and values of one layer, a vector of `kv_heads × head_dim` for each position.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cache {
	/// Keys, turned.
	pub keys: Vec<Vec<f32>>,
	/// Values.
	pub values: Vec<Vec<f32>>,
}

/// One token through one layer; its position is the number of positions in `cache`, which gets one
/// more. `x` is the residual stream, `[hidden]`.
pub fn layer(shape: &Shape, layer: &Layer, cache: &mut Cache, x: &[f32]) -> Result<Vec<f32>> {
	let Shape { heads, kv_heads, head_dim, epsilon, theta, gate } = *shape;
	let a = rmsnorm(x, &layer.attention_norm, epsilon);
	let mut q = layer.query.product(&a)?;
	let mut k = layer.key.product(&a)?;
	let (mut cos, mut sin) = (vec![0.0; head_dim / 2], vec![0.0; head_dim / 2]);
	rope::RopeTable::new(theta, head_dim).at(cache.keys.len() as u32, &mut cos, &mut sin);
	for head in q.chunks_exact_mut(head_dim.max(1)).chain(k.chunks_exact_mut(head_dim.max(1))) {
		rope::rotate(head, &cos, &sin);
	}
	cache.keys.push(k);
	cache.values.push(layer.value.product(&a)?);

	let mut h = Vec::with_capacity(q.len());
	let group = (heads / kv_heads.max(1)).max(1);
	for (head, query) in q.chunks_exact(head_dim.max(1)).enumerate() {
		let first = head / group * head_dim;
		let (keys, values) =
			(part(&cache.keys, first, head_dim), part(&cache.values, first, head_dim));
		h.extend(attention(query, &keys, &values));
	}
	if let Some(gain) = &layer.attention_sub_norm {
		h = rmsnorm(&h, gain, epsilon);
	}
	let x = add(x, &layer.attention_output.product(&h)?);

	let b = rmsnorm(&x, &layer.feed_forward_norm, epsilon);
	let (g, u) = (layer.gate.product(&b)?, layer.up.product(&b)?);
	let mut f: Vec<f32> = g.iter().zip(&u).map(|(g, u)| activate(gate, *g) * u).collect();
	if let Some(gain) = &layer.feed_forward_sub_norm {
		f = rmsnorm(&f, gain, epsilon);
	}
	Ok(add(&x, &layer.down.product(&f)?))
}

/// The values of one head at each position.
fn part(positions: &[Vec<f32>], first: usize, length: usize) -> Vec<&[f32]> {
	positions.iter().map(|one| one.get(first..first + length).unwrap_or_default()).collect()
}

fn add(a: &[f32], b: &[f32]) -> Vec<f32> {
	a.iter().zip(b).map(|(a, b)| a + b).collect()
}

/// A whole model.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
	/// What all layers share.
	pub shape: Shape,
	/// `[vocab, hidden]`.
	pub embedding: Matrix,
	/// The layers in order.
	pub layers: Vec<Layer>,
	/// `[hidden]`.
	pub output_norm: Vec<f32>,
	/// `[vocab, hidden]`; `None` if it is the embedding.
	pub output: Option<Matrix>,
}

/// What one token gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
	/// The residual stream behind each layer.
	pub streams: Vec<Vec<f32>>,
	/// The final hidden state.
	pub hidden: Vec<f32>,
	/// The logits, `[vocab]`.
	pub logits: Vec<f32>,
}

impl Model {
	/// Empty caches, one a layer.
	pub fn caches(&self) -> Vec<Cache> {
		vec![Cache::default(); self.layers.len()]
	}

	/// The next token through all layers. Its position follows from `caches`.
	pub fn step(&self, caches: &mut [Cache], token: u32) -> Result<Step> {
		let position = caches.first().map_or(0, |cache| cache.keys.len() as u32);
		let mut x = self.embedding.row(token as usize).ok_or_else(|| {
			let rows = match &self.embedding {
				Matrix::Ternary { cols, weights, .. } | Matrix::Int8 { cols, weights, .. } => {
					weights.len() / cols.max(&1)
				}
				Matrix::Float { cols, weights } => weights.len() / cols.max(&1),
			};
			EngineError::TokenOutOfRange { token, vocab: rows as u32, position }
		})?;
		let mut streams = Vec::with_capacity(self.layers.len());
		for (weights, cache) in self.layers.iter().zip(caches) {
			x = layer(&self.shape, weights, cache, &x)?;
			finite(&x, "the output of a stage")?;
			streams.push(x.clone());
		}
		let hidden = rmsnorm(&x, &self.output_norm, self.shape.epsilon);
		let logits = self.output.as_ref().unwrap_or(&self.embedding).product(&hidden)?;
		finite(&logits, "a logit")?;
		Ok(Step { streams, hidden, logits })
	}
}
