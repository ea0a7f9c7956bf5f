//! Inputs of a matrix as 8-bit integers (`docs/protocol/numerics.md`, "Activations to int8").

use super::{AlignedVec, Kernel, BLOCK};
use crate::{
	error::{EngineError, Result},
	numerics::activation_scale,
};

/// Activations of some tokens as integers, with what a product needs besides them.
#[derive(Debug, Default)]
pub struct QuantisedActivations {
	/// Tokens.
	pub tokens: usize,
	/// Values of a token.
	pub len: usize,
	/// From one token's values to the next one's: `len` and zeros up to a multiple of [`BLOCK`].
	pub stride: usize,
	/// `[tokens, stride]`.
	pub values: AlignedVec<i8>,
	/// For each token `s`, which the floats were multiplied by.
	pub scales: Vec<f32>,
	/// For each token the sum of its values.
	pub sums: Vec<i32>,
}

/// Makes integers of `[tokens, len]` floats, each token by itself, and reuses the memory of `out`.
///
/// # Errors
///
/// [`EngineError::NotFinite`] if a value is infinite or NaN (rule 4 of the numerics);
/// [`EngineError::Session`] for fewer values than `tokens × len`; [`EngineError::Memory`]. `out` has
/// no tokens then.
pub fn quantise(
	kernel: &dyn Kernel,
	x: &[f32],
	tokens: usize,
	len: usize,
	out: &mut QuantisedActivations,
) -> Result<()> {
	const WHAT: &str = "quantised activations";
	out.tokens = 0;
	let lack = || EngineError::Memory { what: WHAT, bytes: u64::MAX };
	if tokens.checked_mul(len).is_none_or(|values| values > x.len()) {
		let reason = format!("{} values are not {tokens} tokens of {len}", x.len());
		return Err(EngineError::Session { reason });
	}
	let stride = len.checked_next_multiple_of(BLOCK).ok_or_else(lack)?;
	out.values.reset(tokens.checked_mul(stride).ok_or_else(lack)?, WHAT)?;
	out.scales.clear();
	out.sums.clear();
	if len == 0 {
		out.scales.resize(tokens, activation_scale(0.0));
		out.sums.resize(tokens, 0);
	} else {
		let ops = kernel.float();
		for (x, values) in x.chunks_exact(len).zip(out.values.chunks_exact_mut(stride)) {
			let maximum = f32::from_bits((ops.absmax_bits)(x));
			if !maximum.is_finite() {
				return Err(EngineError::NotFinite { layer: None, what: "an input of a matrix" });
			}
			let scale = activation_scale(maximum);
			let (values, padding) = values.split_at_mut(len);
			out.sums.push((ops.quantise)(x, scale, values));
			out.scales.push(scale);
			padding.fill(0);
		}
	}
	(out.tokens, out.len, out.stride) = (tokens, len, stride);
	Ok(())
}
