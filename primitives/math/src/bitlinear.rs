//! Rows of a ternary matrix times int8 activations: the sums of a BitLinear
//! (`docs/protocol/numerics.md`, matrix products; `docs/protocol/package.md`, stored bytes).
//!
//! What the engine's scalar kernel computes, on the bytes as a package stores them: exact, and free of
//! any order. The chain decides disputes by it (`docs/protocol/dispute.md`).

use alloc::vec::Vec;

/// Most bytes of rows at once: a chunk of a tensor.
pub const MAX_BYTES: usize = 65_536;
/// Most columns: a sum is at most 128 times as many, and so far within 32 bits.
pub const MAX_COLUMNS: usize = 65_536;

/// Columns of a block of [`Packing::Ternary2`], and its bytes.
const BLOCK: usize = 256;
const BLOCK_BYTES: usize = 64;
/// Values of a byte of [`Packing::Ternary5`].
const DIGITS: usize = 5;

/// How ternary weights are stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Packing {
	/// Four values a byte, in blocks of 256 columns.
	Ternary2,
	/// Five values a byte.
	Ternary5,
}

/// Why there are no sums.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
	/// No input, more than [`MAX_COLUMNS`], no row, more than [`MAX_BYTES`], or not whole rows.
	Length,
	/// A byte that stands for no weights, or padding that is not 0.
	Code,
}

impl Packing {
	/// Bytes of a row of so many columns.
	pub fn row_bytes(self, columns: usize) -> usize {
		match self {
			Self::Ternary2 => columns.div_ceil(BLOCK).saturating_mul(BLOCK_BYTES),
			Self::Ternary5 => columns.div_ceil(DIGITS),
		}
	}
}

/// `Σ_i W[r][i] × q[i]` for each row `r` of `weights`, whole rows as they are stored, and the inputs
/// `q`, a byte each in two's complement.
///
/// # Errors
/// [`Fault::Length`] before anything is computed, [`Fault::Code`] at the first byte that is none.
pub fn sums(packing: Packing, weights: &[u8], inputs: &[u8]) -> Result<Vec<i32>, Fault> {
	let row_bytes = packing.row_bytes(inputs.len());
	let is_whole = weights.len().checked_rem(row_bytes) == Some(0);
	if inputs.len() > MAX_COLUMNS || weights.len() > MAX_BYTES || weights.is_empty() || !is_whole {
		return Err(Fault::Length);
	}
	let row = match packing {
		Packing::Ternary2 => row_of_twos,
		Packing::Ternary5 => row_of_fives,
	};
	weights.chunks_exact(row_bytes).map(|bytes| row(bytes, inputs)).collect()
}

fn row_of_twos(row: &[u8], inputs: &[u8]) -> Result<i32, Fault> {
	let blocks = row.chunks_exact(BLOCK_BYTES).zip(inputs.chunks(BLOCK));
	let mut sum = 0i32;
	for (codes, inputs) in blocks {
		for plane in 0..4u32 {
			// The columns of a plane follow each other, as its bytes do.
			let first = BLOCK_BYTES.saturating_mul(plane as usize);
			let values = inputs.get(first..).unwrap_or_default();
			for (place, byte) in codes.iter().enumerate() {
				let code = byte.wrapping_shr(plane << 1) & 3;
				sum = add(sum, code, values.get(place))?;
			}
		}
	}
	Ok(sum)
}

fn row_of_fives(row: &[u8], inputs: &[u8]) -> Result<i32, Fault> {
	let mut sum = 0i32;
	for (byte, inputs) in row.iter().zip(inputs.chunks(DIGITS)) {
		let mut digits = *byte;
		for place in 0..DIGITS {
			sum = add(sum, digits % 3, inputs.get(place))?;
			digits /= 3;
		}
		// 3^5 is 243: nothing is left of what stands for five digits.
		if digits != 0 {
			return Err(Fault::Code);
		}
	}
	Ok(sum)
}

/// Adds the product of the weight `code − 1` and an input; without one, the weight has to be 0.
fn add(sum: i32, code: u8, input: Option<&u8>) -> Result<i32, Fault> {
	let input = input.map(|byte| i32::from(i8::from_le_bytes([*byte])));
	// At most 2^16 columns of at most 2^7: nothing ever wraps.
	match (code, input) {
		(0, Some(input)) => Ok(sum.wrapping_sub(input)),
		(1, _) => Ok(sum),
		(2, Some(input)) => Ok(sum.wrapping_add(input)),
		_ => Err(Fault::Code),
	}
}
