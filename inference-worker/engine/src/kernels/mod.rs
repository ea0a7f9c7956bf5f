//! Matrix products and vector operations, once for each instruction set.
//!
//! | kernel | needs | ternary and int8 products |
//! |---|---|---|
//! | `avx512-vnni` | AVX-512 F, BW, DQ, VL, VNNI | 64 products an instruction, exact |
//! | `avx2` | AVX2 | bytes to 16-bit pairs, widened before they can overflow |
//! | `neon-dotprod` | AArch64 with dot products | 16 products an instruction, exact |
//! | `neon` | AArch64 | bytes to 16-bit products |
//! | `scalar` | nothing | one after the other; the judge of all others |
//!
//! All follow `docs/protocol/numerics.md` to the bit, so that a choice of kernel is a choice of
//! speed alone. Integer products are exact. Float operations are written once, over 16 lanes, in
//! `float`, and compiled for each instruction set; `scalar` has loops of its own.
//!
//! A ternary weight `w` is kept as the code `w + 1`, so that `Σ w·q = Σ (w + 1)·q − Σ q`: the first
//! sum suits instructions that multiply unsigned with signed bytes, the second is known from
//! quantisation. Rows are interleaved in tiles ([`PackedTernary`]), so that a thread reads its part
//! of a matrix as one sequential stream.
//!
//! Architecture invariant: an object of a kernel exists only where its instructions do, and all
//! `unsafe` of the crate but the mapping of files is below this module.

mod activations;
mod drive;
mod float;
mod memory;
#[cfg(target_arch = "aarch64")]
mod neon;
mod pack;
mod scalar;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use activations::{quantise, QuantisedActivations};
pub use memory::{AlignedVec, HugeVec, Plain, HUGE_PAGE, LINE};
pub use pack::{PackedInt8, PackedTernary, BLOCK, MAX_INT8_COLS, MAX_TERNARY_COLS, TILE_ROWS};

use crate::error::{EngineError, Result};
use std::{fmt, ops::Range, sync::Arc};

/// Products of packed matrices with quantised activations, and operations on floats, by the
/// instructions of one kind of processor.
pub trait Kernel: Send + Sync + 'static {
	/// The name that [`by_name`] knows.
	fn name(&self) -> &'static str;

	/// Rows of a tile: what matrices are packed and divided by.
	fn tile_rows(&self) -> usize;

	/// Exact products of the rows of `tiles` with each token.
	///
	/// `acc[t * stride + r]` becomes the product of token `t` with row `r`, counted from the first
	/// row of `tiles`; rows that only pad the last tile are left alone. So `acc` has at least
	/// `(tokens − 1) * stride + rows` values and `stride >= rows`. Calls for disjoint tiles may run
	/// at the same time.
	///
	/// # Panics
	///
	/// If `acc` is too short, `tiles` reach beyond the matrix, the activations do not have as many
	/// values as the matrix has columns, or it was packed for tiles of another height.
	fn ternary(
		&self,
		weights: &PackedTernary,
		tiles: Range<usize>,
		activations: &QuantisedActivations,
		acc: &mut [i32],
		stride: usize,
	);

	/// The same for a matrix of 8-bit integers.
	///
	/// # Panics
	///
	/// As [`Self::ternary`].
	fn int8(
		&self,
		weights: &PackedInt8,
		tiles: Range<usize>,
		activations: &QuantisedActivations,
		acc: &mut [i32],
		stride: usize,
	);

	/// Operations on floats.
	fn float(&self) -> &FloatOps;
}

/// Operations on floats, with the same bits from every kernel. Where lengths differ, the shortest
/// counts. Bits are those of `docs/protocol/numerics.md`; of a NaN they are free.
#[derive(Clone, Copy, Debug)]
pub struct FloatOps {
	/// `Σ x[i] × x[i]`, striped.
	pub sum_squares: fn(x: &[f32]) -> f32,
	/// `Σ a[i] × b[i]`, striped.
	pub dot: fn(a: &[f32], b: &[f32]) -> f32,
	/// `out[j] = Σ query[i] × keys[j × d + i]`, striped, `d` being the length of `query`: [`Self::dot`]
	/// of many vectors that lie one after the other.
	pub dots: fn(query: &[f32], keys: &[f32], out: &mut [f32]),
	/// `Σ x[i]`, striped.
	pub sum: fn(x: &[f32]) -> f32,
	/// The greatest value, `+0` for either zero; −∞ of nothing. Without NaN.
	pub max: fn(x: &[f32]) -> f32,
	/// The greatest of the bits without sign, which is the bits of the greatest absolute value. At
	/// least `0x7F80_0000` exactly if some value is infinite or NaN.
	pub absmax_bits: fn(x: &[f32]) -> u32,
	/// `out[i] = clamp(rne(x[i] × scale), −128, 127)`; gives their sum. Finite values only.
	pub quantise: fn(x: &[f32], scale: f32, out: &mut [i8]) -> i32,
	/// `out[i] = (x[i] × r) × gain[i]`.
	pub norm: fn(x: &[f32], r: f32, gain: &[f32], out: &mut [f32]),
	/// `x[i] = x[i] + y[i]`.
	pub add: fn(x: &mut [f32], y: &[f32]),
	/// `x[i] = x[i] × factor`.
	pub scale: fn(x: &mut [f32], factor: f32),
	/// `out[i] = out[i] + e × v[i]`.
	pub axpy: fn(out: &mut [f32], e: f32, v: &[f32]),
	/// [`Self::axpy`] with each weight in turn: `out[i] = out[i] + weights[j] × values[j × d + i]` for
	/// ascending `j`, `d` being the length of `out`.
	pub mix: fn(out: &mut [f32], weights: &[f32], values: &[f32]),
	/// `x[i] = exp(x[i] − max)`.
	pub exp_shifted: fn(x: &mut [f32], max: f32),
	/// `gate[i] = (r × r) × up[i]` with `r = gate[i]` if that is above 0, and `+0` otherwise.
	pub squared_relu_mul: fn(gate: &mut [f32], up: &[f32]),
	/// `gate[i] = (gate[i] × sigmoid(gate[i])) × up[i]`.
	pub silu_mul: fn(gate: &mut [f32], up: &[f32]),
	/// Turns one head of `d` values by `d / 2` angles.
	pub rotate: fn(x: &mut [f32], cos: &[f32], sin: &[f32]),
	/// `out[i] = f32(acc[i]) × factor`.
	pub dequantise: fn(acc: &[i32], factor: f32, out: &mut [f32]),
	/// `out[i] = (f32(acc[i]) × scales[i]) × factor`: the logits of an `Int8Row` head.
	pub dequantise_rows: fn(acc: &[i32], scales: &[f32], factor: f32, out: &mut [f32]),
}

/// The kernels that run here, the fastest first. The last is `scalar`.
fn kernels() -> Vec<Arc<dyn Kernel>> {
	let mut kernels: Vec<Arc<dyn Kernel>> = Vec::new();
	#[cfg(target_arch = "x86_64")]
	{
		if let Some(kernel) = x86::Avx512::detect() {
			kernels.push(Arc::new(kernel));
		}
		if let Some(kernel) = x86::Avx2::detect() {
			kernels.push(Arc::new(kernel));
		}
	}
	#[cfg(target_arch = "aarch64")]
	{
		if let Some(kernel) = neon::NeonDot::detect() {
			kernels.push(Arc::new(kernel));
		}
		if let Some(kernel) = neon::Neon::detect() {
			kernels.push(Arc::new(kernel));
		}
	}
	kernels.push(Arc::new(scalar::Scalar));
	kernels
}

/// Names of the kernels that this build has and this processor can run, the fastest first.
pub fn available() -> Vec<&'static str> {
	kernels().iter().map(|kernel| kernel.name()).collect()
}

/// The kernel of that name.
///
/// # Errors
///
/// [`EngineError::KernelUnavailable`], with the names that there are.
pub fn by_name(name: &str) -> Result<Arc<dyn Kernel>> {
	kernels().into_iter().find(|kernel| kernel.name() == name).ok_or_else(|| {
		EngineError::KernelUnavailable { name: name.to_owned(), available: available().join(", ") }
	})
}

impl fmt::Debug for dyn Kernel {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(self.name())
	}
}

/// What stands for the fastest kernel in [`choose`].
pub const AUTO: &str = "auto";

/// The kernel of that name, or the fastest one for [`AUTO`].
///
/// # Errors
/// As [`by_name`].
pub fn choose(name: &str) -> Result<Arc<dyn Kernel>> {
	if name == AUTO {
		return Ok(best());
	}
	by_name(name)
}

/// The fastest kernel that runs here.
pub fn best() -> Arc<dyn Kernel> {
	kernels().into_iter().next().unwrap_or_else(|| Arc::new(scalar::Scalar))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn the_best_kernel_should_be_the_first_and_scalar_the_last() {
		let names = available();
		assert_eq!(names.first(), Some(&best().name()));
		assert_eq!(names.last(), Some(&"scalar"));
		for name in names {
			assert_eq!(by_name(name).unwrap().name(), name);
		}
	}

	#[test]
	fn an_unknown_kernel_should_be_refused_with_those_there_are() {
		let error = by_name("abacus").err().unwrap().to_string();
		assert!(error.contains("abacus") && error.contains("scalar"), "{error}");
	}
}
