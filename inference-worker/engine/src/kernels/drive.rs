//! The loops around a kernel's inner products: which tile meets which token when.
//!
//! With one token a matrix is read once, from beginning to end, and memory is the limit. With more,
//! arithmetic should be: weights stay in the second cache while groups of tokens pass over them, and
//! the activations of a group in the first one while tiles pass over them.

use super::{
	pack::{PackedInt8, PackedTernary, BLOCK, TILE_ROWS},
	QuantisedActivations, LINE,
};
use std::ops::Range;

/// Bytes of one block of a tile: 256 columns of ternary weights, or 64 of 8-bit integers.
pub(super) const TILE_BLOCK: usize = TILE_ROWS * LINE;

/// Tokens of a group at most, in any kernel.
pub(super) const MOST_TOKENS: usize = 6;

/// Bytes of weights that should stay in the second cache.
const CACHED_WEIGHTS: usize = 256 << 10;

/// Columns of a group of tokens that should stay in the first cache: 21 KiB for six tokens.
const CACHED_COLUMNS: usize = 14 * BLOCK;

/// Products of each token of a group with the rows of a tile.
pub(super) type Sums = [[i32; TILE_ROWS]; MOST_TOKENS];

/// Inner products of an instruction set. Streams are whole tiles of [`TILE_ROWS`] rows, as
/// `PackedTernary` and `PackedInt8` describe them. Ternary products are those of the codes, `w + 1`.
/// Sums wrap around.
pub(super) trait Products {
	/// Tokens of a group of ternary products, up to [`MOST_TOKENS`].
	const TERNARY_TOKENS: usize;
	/// Tokens of a group of 8-bit products, up to [`MOST_TOKENS`].
	const INT8_TOKENS: usize;
	/// What the 8-bit products exceed the true ones by, for each unit of the sum of a row's weights.
	const INT8_OFFSET: i32;

	/// Adds the products of one token to `out`, which has a place for each row but those that pad
	/// the last tile. `activations` are `blocks * 256`.
	fn ternary_one(&self, stream: &[u8], blocks: usize, activations: &[i8], out: &mut [i32]);

	/// The products of `tokens` tokens, `1 ..= TERNARY_TOKENS`, with some blocks of one tile. The
	/// activations of token `t` begin at `t * stride`.
	fn ternary_some(&self, tile: &[u8], activations: &[i8], stride: usize, tokens: usize) -> Sums;

	/// As [`Self::ternary_one`]; `activations` are `blocks * 64`.
	fn int8_one(&self, stream: &[u8], blocks: usize, activations: &[i8], out: &mut [i32]);

	/// As [`Self::ternary_some`], up to `INT8_TOKENS`.
	fn int8_some(&self, tile: &[u8], activations: &[i8], stride: usize, tokens: usize) -> Sums;
}

/// `Kernel::ternary` by the products of an instruction set.
pub(super) fn ternary<P: Products>(
	products: &P,
	weights: &PackedTernary,
	tiles: Range<usize>,
	inputs: &QuantisedActivations,
	acc: &mut [i32],
	stride: usize,
) {
	check(weights.tile_rows(), weights.cols, inputs);
	let (blocks, rows) = (weights.blocks(), weights.rows_of(&tiles).len());
	// The codes are above the weights by 1, so their products are by the sum of the activations.
	for (token, sum) in inputs.sums.iter().enumerate().take(inputs.tokens) {
		acc[token * stride..][..rows].fill(sum.wrapping_neg());
	}
	let stream = weights.stream(&tiles);
	if inputs.tokens == 1 {
		let activations = &inputs.values[..blocks * BLOCK];
		products.ternary_one(stream, blocks, activations, &mut acc[..rows]);
	} else {
		let some = |tile: &[u8], activations: &[i8], tokens| {
			products.ternary_some(tile, activations, inputs.stride, tokens)
		};
		let job = Job { stream, blocks, columns: BLOCK, rows, group: P::TERNARY_TOKENS };
		job.run(inputs, acc, stride, some);
	}
}

/// `Kernel::int8` by the products of an instruction set.
pub(super) fn int8<P: Products>(
	products: &P,
	weights: &PackedInt8,
	tiles: Range<usize>,
	inputs: &QuantisedActivations,
	acc: &mut [i32],
	stride: usize,
) {
	check(weights.tile_rows(), weights.cols, inputs);
	let range = weights.rows_of(&tiles);
	let (blocks, rows) = (weights.blocks(), range.len());
	for token in 0..inputs.tokens {
		let acc = &mut acc[token * stride..][..rows];
		for (acc, sum) in acc.iter_mut().zip(&weights.sums()[range.clone()]) {
			*acc = sum.wrapping_mul(P::INT8_OFFSET).wrapping_neg();
		}
	}
	let stream = weights.stream(&tiles);
	if inputs.tokens == 1 {
		let activations = &inputs.values[..blocks * PackedInt8::COLUMNS];
		products.int8_one(stream, blocks, activations, &mut acc[..rows]);
	} else {
		let some = |tile: &[u8], activations: &[i8], tokens| {
			products.int8_some(tile, activations, inputs.stride, tokens)
		};
		let columns = PackedInt8::COLUMNS;
		let job = Job { stream, blocks, columns, rows, group: P::INT8_TOKENS };
		job.run(inputs, acc, stride, some);
	}
}

/// What nobody but a caller's mistake can break; see `Kernel::ternary`.
fn check(tile_rows: usize, cols: usize, inputs: &QuantisedActivations) {
	assert_eq!(tile_rows, TILE_ROWS, "pack the matrix for the kernel that multiplies with it");
	assert_eq!(inputs.len, cols, "activations and matrix differ in length");
}

/// Adds the products of a tile to the accumulators of its rows; the last tile may have fewer.
#[inline]
pub(super) fn add(out: &mut [i32], products: &[i32; TILE_ROWS]) {
	for (out, product) in out.iter_mut().zip(products) {
		*out = out.wrapping_add(*product);
	}
}

/// Products of several tokens.
struct Job<'a> {
	/// Whole tiles.
	stream: &'a [u8],
	/// Blocks of a row, and columns of a block.
	blocks: usize,
	columns: usize,
	/// Rows without padding.
	rows: usize,
	/// Tokens at once.
	group: usize,
}

impl Job<'_> {
	fn run(
		&self,
		inputs: &QuantisedActivations,
		acc: &mut [i32],
		stride: usize,
		some: impl Fn(&[u8], &[i8], usize) -> Sums,
	) {
		let tile = self.blocks * TILE_BLOCK;
		let spans = self.blocks.div_ceil((CACHED_COLUMNS / self.columns).max(1));
		let span = self.blocks.div_ceil(spans.max(1)).max(1);
		let cached = (CACHED_WEIGHTS / (span * TILE_BLOCK)).max(1);
		let mut row = 0;
		for stream in self.stream.chunks(cached * tile) {
			for first in (0..self.blocks).step_by(span) {
				let blocks = first..self.blocks.min(first + span);
				let bytes = blocks.start * TILE_BLOCK..blocks.end * TILE_BLOCK;
				let mut token = 0;
				while token < inputs.tokens {
					// Equal groups, because a small one leaves the arithmetic waiting.
					let left = inputs.tokens - token;
					let tokens = left.div_ceil(left.div_ceil(self.group));
					let start = token * inputs.stride + blocks.start * self.columns;
					let activations = &inputs.values[start..];
					for (index, tile) in stream.chunks_exact(tile).enumerate() {
						let row = row + index * TILE_ROWS;
						let rows = TILE_ROWS.min(self.rows - row);
						let sums = some(&tile[bytes.clone()], activations, tokens);
						for (token, sums) in (token..).zip(&sums[..tokens]) {
							add(&mut acc[token * stride + row..][..rows], sums);
						}
					}
					token += tokens;
				}
			}
			row += stream.len() / tile * TILE_ROWS;
		}
	}
}
