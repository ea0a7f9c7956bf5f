//! Matrices that share their input, divided among lanes.
//!
//! Queries, keys and values read the same activations, and so do gate and up. Such a group is one
//! list of tiles, cut into one contiguous piece a lane: each lane streams its own part of the weights
//! from memory once, from beginning to end. Products stay exact integers until the owner of a token
//! turns them into floats.

use super::{
	kv::grow,
	layer::{Block, Scratch},
	threads::{read, share},
	weights::{Embedding, FloatRows},
};
use crate::{
	error::Result,
	kernels::{FloatOps, Kernel, PackedInt8, PackedTernary, QuantisedActivations},
};
use std::{ops::Range, sync::RwLock};

/// Bytes of weights that stay in a core's cache while blocks of tokens pass over them.
const CACHED_BYTES: usize = 256 << 10;

/// A lane's share of one matrix.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
	pub matrix: usize,
	pub tiles: Range<usize>,
	/// First row, and rows with those that pad the last tile.
	pub first_row: usize,
	pub rows: usize,
	/// Rows of the lane's parts before this one.
	pub before: usize,
}

/// Divides `tiles[m]` tiles of each matrix `m` among `lanes`, contiguously. All tiles cost the same.
pub(super) fn divide(tiles: &[usize], tile_rows: usize, lanes: usize) -> Vec<Vec<Part>> {
	let total: usize = tiles.iter().sum();
	(0..lanes)
		.map(|lane| {
			let range = share(total, lane, lanes);
			let (mut parts, mut start, mut before) = (Vec::new(), 0, 0);
			for (matrix, count) in tiles.iter().enumerate() {
				let own =
					range.start.clamp(start, start + count)..range.end.clamp(start, start + count);
				if !own.is_empty() {
					let tiles = own.start - start..own.end - start;
					let (first_row, rows) = (tiles.start * tile_rows, tiles.len() * tile_rows);
					parts.push(Part { matrix, tiles, first_row, rows, before });
					before += rows;
				}
				start += count;
			}
			parts
		})
		.collect()
}

/// Ternary matrices with the same input.
pub(super) struct Group {
	matrices: Vec<PackedTernary>,
	/// For each lane.
	parts: Vec<Vec<Part>>,
	tile_rows: usize,
	tile_bytes: usize,
}

impl Group {
	pub fn new(matrices: Vec<PackedTernary>, kernel: &dyn Kernel, lanes: usize) -> Self {
		let tile_rows = kernel.tile_rows();
		let tiles: Vec<usize> = matrices.iter().map(PackedTernary::tiles).collect();
		let tile_bytes = matrices.first().map_or(0, PackedTernary::tile_bytes);
		let parts = divide(&tiles, tile_rows, lanes);
		Self { matrices, parts, tile_rows, tile_bytes }
	}

	/// Rows of the lane that has most, with padding.
	pub fn most_rows(&self) -> usize {
		let rows = |parts: &Vec<Part>| parts.last().map_or(0, |part| part.before + part.rows);
		self.parts.iter().map(rows).max().unwrap_or(0)
	}

	/// Bytes of the weights.
	pub fn bytes(&self) -> usize {
		let tiles = self.parts.iter().flatten().map(|part| part.tiles.len()).sum::<usize>();
		tiles * self.tile_bytes
	}

	/// A lane's products with the quantised activations of all blocks, into `acc`: for each part
	/// `[tokens, rows]`.
	pub fn multiply(
		&self,
		kernel: &dyn Kernel,
		lane: usize,
		tokens: usize,
		blocks: &[RwLock<Block>],
		acc: &mut [i32],
	) {
		let at_once = if blocks.len() == 1 {
			usize::MAX
		} else {
			(CACHED_BYTES / self.tile_bytes.max(1)).max(1)
		};
		for part in self.parts.get(lane).into_iter().flatten() {
			let Some(matrix) = self.matrices.get(part.matrix) else { continue };
			let mut start = part.tiles.start;
			while start < part.tiles.end {
				let end = start.saturating_add(at_once).min(part.tiles.end);
				let row = (start - part.tiles.start) * self.tile_rows;
				for block in blocks {
					let block = read(block);
					let place = tokens * part.before + block.first * part.rows + row;
					kernel.ternary(matrix, start..end, &block.inputs, &mut acc[place..], part.rows);
				}
				start = end;
			}
		}
	}

	/// The exact products of the first of `tokens` tokens: for each matrix one a row.
	pub fn sums(&self, lanes: &[RwLock<Scratch>], tokens: usize) -> Vec<Vec<i32>> {
		let mut sums: Vec<Vec<i32>> =
			self.matrices.iter().map(|matrix| vec![0; matrix.rows]).collect();
		for (parts, lane) in self.parts.iter().zip(lanes) {
			let scratch = read(lane);
			for part in parts {
				let Some(sums) = sums.get_mut(part.matrix) else { continue };
				let end = sums.len().min(part.first_row + part.rows);
				let out = &mut sums[part.first_row..end];
				let place = tokens * part.before;
				out.copy_from_slice(&scratch.acc[place..place + out.len()]);
			}
		}
		sums
	}

	/// The products of `matrix` with one token as floats: `f32(acc) × (w ÷ s)`.
	pub fn output(
		&self,
		ops: &FloatOps,
		lanes: &[RwLock<Scratch>],
		matrix: usize,
		token: usize,
		tokens: usize,
		activation_scale: f32,
		out: &mut [f32],
	) {
		let Some(weights) = self.matrices.get(matrix) else { return };
		let factor = weights.scale / activation_scale;
		for (parts, lane) in self.parts.iter().zip(lanes) {
			for part in parts.iter().filter(|part| part.matrix == matrix) {
				let out = &mut out[part.first_row..weights.rows.min(part.first_row + part.rows)];
				let place = tokens * part.before + token * part.rows;
				(ops.dequantise)(&read(lane).acc[place..place + out.len()], factor, out);
			}
		}
	}
}

/// A head: logits from the final hidden state.
pub(super) struct Head {
	pub weights: HeadWeights,
	/// For each lane, rows without padding.
	pub rows: Vec<Range<usize>>,
	parts: Vec<Vec<Part>>,
}

pub(super) enum HeadWeights {
	Int8(PackedInt8),
	Float(FloatRows),
}

impl Head {
	pub fn new(weights: HeadWeights, kernel: &dyn Kernel, lanes: usize) -> Self {
		let (rows, tile_rows) = match &weights {
			HeadWeights::Int8(matrix) => (matrix.rows, kernel.tile_rows()),
			HeadWeights::Float(matrix) => (matrix.rows(), 1),
		};
		let parts = divide(&[rows.div_ceil(tile_rows)], tile_rows, lanes);
		let ranges = parts
			.iter()
			.map(|parts| {
				parts
					.first()
					.map_or(rows..rows, |part| part.first_row..rows.min(part.first_row + part.rows))
			})
			.collect();
		Self { weights, rows: ranges, parts }
	}

	/// Bytes of the weights.
	pub fn bytes(&self) -> usize {
		match &self.weights {
			HeadWeights::Int8(matrix) => {
				matrix.tiles() * matrix.tile_bytes() + matrix.rows * size_of::<f32>()
			}
			HeadWeights::Float(matrix) => matrix.bytes(),
		}
	}

	/// The embedding that the head is tied to.
	pub fn as_embedding(&self) -> Embedding<'_> {
		Embedding::Head(&self.weights)
	}

	/// A lane's logits: `out` holds its [`Self::rows`]. `input` is the final hidden state, and for
	/// an `Int8Row` head `quantised` the same in integers.
	pub fn multiply(
		&self,
		kernel: &dyn Kernel,
		lane: usize,
		input: &[f32],
		quantised: &QuantisedActivations,
		scratch: &mut Scratch,
		out: &mut [f32],
	) -> Result<()> {
		let Some(part) = self.parts.get(lane).and_then(|parts| parts.first()) else {
			return Ok(());
		};
		match &self.weights {
			HeadWeights::Int8(matrix) => {
				grow(&mut scratch.acc, part.rows, "logits")?;
				let acc = &mut scratch.acc[..part.rows];
				kernel.int8(matrix, part.tiles.clone(), quantised, acc, part.rows);
				let factor = 1.0 / quantised.scales.first().copied().unwrap_or(1.0);
				let scales = &matrix.scales[part.first_row..];
				(kernel.float().dequantise_rows)(acc, scales, factor, out);
			}
			HeadWeights::Float(matrix) => {
				grow(&mut scratch.row, matrix.cols(), "a row of the head")?;
				for (out, row) in out.iter_mut().zip(part.first_row..) {
					*out = (kernel.float().dot)(matrix.row(row, &mut scratch.row), input);
				}
			}
		}
		Ok(())
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn tiles_should_be_divided_without_gap_or_overlap() {
		for tiles in [&[5][..], &[7, 2, 2], &[1, 1, 1], &[40, 40]] {
			for lanes in 1..9 {
				let divided = divide(tiles, 8, lanes);
				assert_eq!(divided.len(), lanes);
				let mut next = vec![0; tiles.len()];
				for parts in &divided {
					let mut before = 0;
					for part in parts {
						assert_eq!(part.tiles.start, next[part.matrix]);
						next[part.matrix] = part.tiles.end;
						assert_eq!(
							(part.first_row, part.rows),
							(part.tiles.start * 8, part.tiles.len() * 8)
						);
						assert_eq!(part.before, before);
						before += part.rows;
					}
				}
				assert_eq!(next, tiles);
			}
		}
	}
}
