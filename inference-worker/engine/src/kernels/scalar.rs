//! The plainest kernel: one product after the other. What it computes is right by definition.

use super::{
	FloatOps, Kernel, PackedInt8, PackedTernary, QuantisedActivations, BLOCK, LINE, TILE_ROWS,
};
use crate::numerics::{
	self,
	elementary::{exp, sigmoid},
	reduce,
};
use std::ops::Range;

pub(super) struct Scalar;

impl Kernel for Scalar {
	fn name(&self) -> &'static str {
		"scalar"
	}

	fn tile_rows(&self) -> usize {
		TILE_ROWS
	}

	fn ternary(
		&self,
		weights: &PackedTernary,
		tiles: Range<usize>,
		activations: &QuantisedActivations,
		acc: &mut [i32],
		stride: usize,
	) {
		assert_eq!(activations.len, weights.cols, "activations and matrix differ in length");
		let rows = weights.rows_of(&tiles);
		for token in 0..activations.tokens {
			let values = &activations.values[token * activations.stride..][..activations.stride];
			let acc = &mut acc[token * stride..][..rows.len()];
			for (row, acc) in rows.clone().zip(acc) {
				*acc = 0;
				for (block, values) in values.chunks_exact(BLOCK).enumerate() {
					for (place, codes) in weights.codes(row, block).iter().enumerate() {
						for plane in 0..4 {
							let weight = i32::from((codes >> (2 * plane)) & 3) - 1;
							*acc += weight * i32::from(values[plane * LINE + place]);
						}
					}
				}
			}
		}
	}

	fn int8(
		&self,
		weights: &PackedInt8,
		tiles: Range<usize>,
		activations: &QuantisedActivations,
		acc: &mut [i32],
		stride: usize,
	) {
		assert_eq!(activations.len, weights.cols, "activations and matrix differ in length");
		let rows = weights.rows_of(&tiles);
		for token in 0..activations.tokens {
			let values = &activations.values[token * activations.stride..][..activations.stride];
			let acc = &mut acc[token * stride..][..rows.len()];
			for (row, acc) in rows.clone().zip(acc) {
				*acc = 0;
				for (block, values) in
					values.chunks_exact(PackedInt8::COLUMNS).take(weights.blocks()).enumerate()
				{
					for (weight, value) in weights.weights(row, block).iter().zip(values) {
						let product = i32::from(*weight as i8) * i32::from(*value);
						*acc = acc.wrapping_add(product);
					}
				}
			}
		}
	}

	fn float(&self) -> &FloatOps {
		&OPS
	}
}

static OPS: FloatOps = FloatOps {
	sum_squares: reduce::sum_squares,
	dot: reduce::dot,
	dots,
	sum: reduce::sum,
	max,
	absmax_bits,
	quantise,
	norm,
	add,
	scale,
	axpy,
	mix,
	exp_shifted,
	squared_relu_mul,
	silu_mul,
	rotate,
	dequantise,
	dequantise_rows,
};

fn dots(query: &[f32], keys: &[f32], out: &mut [f32]) {
	for (key, out) in keys.chunks_exact(query.len().max(1)).zip(out) {
		*out = reduce::dot(query, key);
	}
}

fn max(x: &[f32]) -> f32 {
	// Adding +0 makes +0 of −0, whichever of the two came first.
	x.iter().fold(f32::NEG_INFINITY, |max, x| if *x > max { *x } else { max }) + 0.0
}

fn absmax_bits(x: &[f32]) -> u32 {
	x.iter().fold(0, |max, x| max.max(x.to_bits() & 0x7FFF_FFFF))
}

fn quantise(x: &[f32], scale: f32, out: &mut [i8]) -> i32 {
	let mut sum = 0;
	for (x, out) in x.iter().zip(out) {
		*out = numerics::quantise(*x, scale);
		sum += i32::from(*out);
	}
	sum
}

fn norm(x: &[f32], r: f32, gain: &[f32], out: &mut [f32]) {
	for ((x, gain), out) in x.iter().zip(gain).zip(out) {
		*out = (x * r) * gain;
	}
}

fn add(x: &mut [f32], y: &[f32]) {
	for (x, y) in x.iter_mut().zip(y) {
		*x += y;
	}
}

fn scale(x: &mut [f32], factor: f32) {
	for x in x {
		*x *= factor;
	}
}

fn axpy(out: &mut [f32], e: f32, v: &[f32]) {
	for (out, v) in out.iter_mut().zip(v) {
		*out += e * v;
	}
}

fn mix(out: &mut [f32], weights: &[f32], values: &[f32]) {
	for (weight, values) in weights.iter().zip(values.chunks_exact(out.len().max(1))) {
		axpy(out, *weight, values);
	}
}

fn exp_shifted(x: &mut [f32], max: f32) {
	for x in x {
		*x = exp(*x - max);
	}
}

fn squared_relu_mul(gate: &mut [f32], up: &[f32]) {
	for (gate, up) in gate.iter_mut().zip(up) {
		let r = if *gate > 0.0 { *gate } else { 0.0 };
		*gate = (r * r) * up;
	}
}

fn silu_mul(gate: &mut [f32], up: &[f32]) {
	for (gate, up) in gate.iter_mut().zip(up) {
		*gate = (*gate * sigmoid(*gate)) * up;
	}
}

fn rotate(x: &mut [f32], cos: &[f32], sin: &[f32]) {
	let (low, high) = x.split_at_mut(x.len() / 2);
	for ((low, high), (cos, sin)) in low.iter_mut().zip(high).zip(cos.iter().zip(sin)) {
		let (a, b) = (*low, *high);
		*low = (a * cos) - (b * sin);
		*high = (b * cos) + (a * sin);
	}
}

fn dequantise(acc: &[i32], factor: f32, out: &mut [f32]) {
	for (acc, out) in acc.iter().zip(out) {
		*out = *acc as f32 * factor;
	}
}

fn dequantise_rows(acc: &[i32], scales: &[f32], factor: f32, out: &mut [f32]) {
	for ((acc, scale), out) in acc.iter().zip(scales).zip(out) {
		*out = (*acc as f32 * scale) * factor;
	}
}
