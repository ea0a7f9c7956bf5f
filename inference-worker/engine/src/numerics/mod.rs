//! The arithmetic that fixes the bits of an answer (`docs/protocol/numerics.md`, version 1).
//!
//! Everything here is scalar and safe, and evaluates each formula in the order in which the document
//! writes it: Rust never fuses a multiplication with an addition on its own. The kernels of an
//! instruction set have to come to the same bits.
//!
//! | module | what it computes |
//! |---|---|
//! | [`elementary`] | `exp`, `sigmoid`, the f64 functions behind the rotary tables, halves |
//! | [`reduce`] | sums over 16 stripes |
//! | [`rope`] | cosines and sines of positions |
//! | [`reference`] | whole layers and models, slow and plain: what fast paths are tested against |
//!
//! Architecture invariant: nothing here knows an instruction set, a file format or a thread.

pub mod elementary;
pub mod reduce;
pub mod reference;
pub mod rope;

/// The version of the arithmetic that this engine follows: `numerics_version` of a manifest.
pub const NUMERICS_VERSION: u16 = 1;

/// The bits of the least maximum that activations are scaled by, 1e-5: it keeps an input of zeros
/// from dividing by zero.
pub const LEAST_MAXIMUM: f32 = f32::from_bits(0x3727_C5AC);

/// The scale of a token's activations whose greatest absolute value is `maximum`: `127 ÷
/// max(maximum, 1e-5)`. `maximum` must be finite.
#[inline]
pub fn activation_scale(maximum: f32) -> f32 {
	127.0 / if maximum > LEAST_MAXIMUM { maximum } else { LEAST_MAXIMUM }
}

/// One activation as an 8-bit integer: `clamp(rne(x × scale), −128, 127)`.
#[inline]
pub fn quantise(x: f32, scale: f32) -> i8 {
	// A float that is cast saturates at the ends of the integer: that is the clamp.
	(x * scale).round_ties_even() as i8
}
