//! Weights in the order in which kernels read them.
//!
//! [`TILE_ROWS`] rows make a tile, which is stored block of columns by block of columns, and in a
//! block row by row, 64 bytes each:
//!
//! ```text
//! tile 0: block 0: row 0, row 1, row 2, row 3;  block 1: row 0, …      tile 1: …
//! ```
//!
//! So a thread that owns some tiles reads one stream from its beginning to its end, a vector of
//! activations serves all rows of a tile, and a vector of weights all tokens at hand.

use super::{HugeVec, Kernel, LINE};
use crate::error::{EngineError, Result};
use std::ops::Range;

/// Columns of a block of ternary weights: four to a byte.
pub const BLOCK: usize = 4 * LINE;

/// Rows of a tile, in every kernel that is not scalar too: four accumulators become one vector of
/// four products, and with six tokens they fill the 32 registers of AVX-512.
pub const TILE_ROWS: usize = 4;

/// Most columns of a ternary matrix (`docs/protocol/numerics.md`, "Matrix products").
pub const MAX_TERNARY_COLS: usize = 1 << 20;

/// Most columns of a matrix of 8-bit integers.
pub const MAX_INT8_COLS: usize = 1 << 17;

/// Four codes of the weight 0.
const ZEROS: u8 = 0b01_01_01_01;

const WHAT: &str = "packed weights";

fn fault(field: String, reason: impl Into<String>) -> EngineError {
	EngineError::Package { file: WHAT.to_owned(), field, reason: reason.into() }
}

/// The place of each 64 bytes of a tiled matrix.
#[derive(Clone, Copy, Debug)]
struct Tiling {
	rows: usize,
	tile_rows: usize,
	/// Blocks of a row.
	blocks: usize,
}

impl Tiling {
	/// `columns` are those of a block.
	fn new(
		kernel: &dyn Kernel,
		rows: usize,
		cols: usize,
		columns: usize,
		most: usize,
	) -> Result<Self> {
		if rows == 0 || cols == 0 || cols > most {
			let reason = format!("there have to be rows, and 1 to {most} columns");
			return Err(fault(format!("{rows} rows of {cols}"), reason));
		}
		Ok(Self { rows, tile_rows: kernel.tile_rows().max(1), blocks: cols.div_ceil(columns) })
	}

	fn tiles(&self) -> usize {
		self.rows.div_ceil(self.tile_rows)
	}

	fn tile_bytes(&self) -> usize {
		self.tile_rows * self.blocks * LINE
	}

	fn rows_of(&self, tiles: &Range<usize>) -> Range<usize> {
		let row = |tile: usize| tile.saturating_mul(self.tile_rows).min(self.rows);
		row(tiles.start)..row(tiles.end)
	}

	fn place(&self, row: usize, block: usize) -> Range<usize> {
		let (tile, lane) = (row / self.tile_rows, row % self.tile_rows);
		let start = tile * self.tile_bytes() + (block * self.tile_rows + lane) * LINE;
		start..start + LINE
	}

	/// Packs what `row` gives; it is called once for each row, in ascending order, with a buffer of
	/// all blocks. Rows that pad the last tile are `padding`.
	fn pack(
		&self,
		padding: u8,
		mut row: impl FnMut(usize, &mut [u8]) -> Result<()>,
	) -> Result<HugeVec> {
		let bytes = self
			.tiles()
			.checked_mul(self.tile_bytes())
			.ok_or(EngineError::Memory { what: WHAT, bytes: u64::MAX })?;
		let mut packed = HugeVec::<u8>::zeroed(bytes, WHAT)?;
		let mut buffer = vec![0u8; self.blocks * LINE];
		for (tile, packed) in packed.chunks_exact_mut(self.tile_bytes()).enumerate() {
			for lane in 0..self.tile_rows {
				let index = tile * self.tile_rows + lane;
				if index < self.rows {
					row(index, &mut buffer)?;
				} else {
					buffer.fill(padding);
				}
				let places = packed.chunks_exact_mut(LINE).skip(lane).step_by(self.tile_rows);
				for (place, bytes) in places.zip(buffer.chunks_exact(LINE)) {
					place.copy_from_slice(bytes);
				}
			}
		}
		Ok(packed)
	}
}

/// A ternary matrix in tiles.
///
/// Byte `p` of the 64 bytes of a row in a block holds the codes `w + 1` of the block's columns `p`,
/// `p + 64`, `p + 128` and `p + 192` in bits 1:0, 3:2, 5:4 and 7:6, as `Ternary2` stores them. Columns
/// behind the last are padded with the code 1, which is the weight 0.
#[derive(Debug)]
pub struct PackedTernary {
	/// Outputs.
	pub rows: usize,
	/// Inputs.
	pub cols: usize,
	/// What an exact product is multiplied by, divided by the activations' scale.
	pub scale: f32,
	tiling: Tiling,
	bytes: HugeVec,
}

impl PackedTernary {
	/// Packs a matrix for `kernel`.
	///
	/// `row(r, out)` writes row `r` as `Ternary2` stores it: `cols.div_ceil(256) × 64` bytes. It is
	/// called once for each row, in ascending order.
	///
	/// # Errors
	///
	/// What `row` gives; [`EngineError::Package`] for no rows, no or more than [`MAX_TERNARY_COLS`]
	/// columns, a scale that is not finite and above 0, the code 3, or padding that is not 1;
	/// [`EngineError::Memory`].
	pub fn pack(
		kernel: &dyn Kernel,
		rows: usize,
		cols: usize,
		scale: f32,
		mut row: impl FnMut(usize, &mut [u8]) -> Result<()>,
	) -> Result<Self> {
		let tiling = Tiling::new(kernel, rows, cols, BLOCK, MAX_TERNARY_COLS)?;
		if !(scale.is_finite() && scale > 0.0) {
			return Err(fault("scale".to_owned(), format!("{scale} is not finite and above 0")));
		}
		let bytes = tiling.pack(ZEROS, |index, out| {
			row(index, out)?;
			check_codes(out, cols).map_err(|reason| fault(format!("row {index}"), reason))
		})?;
		Ok(Self { rows, cols, scale, tiling, bytes })
	}

	/// Tiles of the matrix.
	pub fn tiles(&self) -> usize {
		self.tiling.tiles()
	}

	/// Rows of a tile.
	pub fn tile_rows(&self) -> usize {
		self.tiling.tile_rows
	}

	/// Bytes of a tile.
	pub fn tile_bytes(&self) -> usize {
		self.tiling.tile_bytes()
	}

	/// The rows of `tiles`, without those that only pad the last tile.
	pub fn rows_of(&self, tiles: &Range<usize>) -> Range<usize> {
		self.tiling.rows_of(tiles)
	}

	/// Blocks of a row.
	pub(super) fn blocks(&self) -> usize {
		self.tiling.blocks
	}

	/// The stream of `tiles`.
	pub(super) fn stream(&self, tiles: &Range<usize>) -> &[u8] {
		let tile = self.tiling.tile_bytes();
		&self.bytes[tiles.start * tile..tiles.end * tile]
	}

	/// The codes of a row in a block.
	pub(super) fn codes(&self, row: usize, block: usize) -> &[u8] {
		&self.bytes[self.tiling.place(row, block)]
	}
}

/// Refuses what no kernel can multiply by: the sums of kernels are bounded because codes are.
fn check_codes(row: &[u8], cols: usize) -> std::result::Result<(), &'static str> {
	let threes = row.iter().fold(0, |found, byte| found | (byte & (byte >> 1)));
	if threes & ZEROS != 0 {
		return Err("has the code 3, which is no weight: get the package again");
	}
	let code = |column: usize| {
		let place = column % BLOCK;
		(row[column / BLOCK * LINE + place % LINE] >> (place / LINE * 2)) & 3
	};
	let mut padding = cols..row.len() * 4;
	if padding.any(|column| code(column) != 1) {
		return Err("has codes other than 1 behind its last column: get the package again");
	}
	Ok(())
}

/// A matrix of 8-bit integers with one scale a row, in tiles whose blocks have 64 columns.
#[derive(Debug)]
pub struct PackedInt8 {
	/// Outputs.
	pub rows: usize,
	/// Inputs.
	pub cols: usize,
	/// For each row what its exact product is multiplied by.
	pub scales: Vec<f32>,
	/// For each row the sum of its weights.
	sums: Vec<i32>,
	tiling: Tiling,
	bytes: HugeVec,
}

impl PackedInt8 {
	/// Columns of a block.
	pub(crate) const COLUMNS: usize = LINE;

	/// Packs a matrix for `kernel`.
	///
	/// `row(r, out)` writes the `cols` weights of row `r`, in two's complement, and gives the row's
	/// scale. It is called once for each row, in ascending order.
	///
	/// # Errors
	///
	/// What `row` gives; [`EngineError::Package`] for no rows, or no or more than [`MAX_INT8_COLS`]
	/// columns; [`EngineError::Memory`].
	pub fn pack(
		kernel: &dyn Kernel,
		rows: usize,
		cols: usize,
		mut row: impl FnMut(usize, &mut [u8]) -> Result<f32>,
	) -> Result<Self> {
		let tiling = Tiling::new(kernel, rows, cols, Self::COLUMNS, MAX_INT8_COLS)?;
		let (mut scales, mut sums) = (Vec::<f32>::new(), Vec::<i32>::new());
		let lack = |_| EngineError::Memory { what: WHAT, bytes: rows as u64 * 4 };
		scales.try_reserve_exact(rows).map_err(lack)?;
		sums.try_reserve_exact(rows).map_err(lack)?;
		let bytes = tiling.pack(0, |index, out| {
			let (weights, padding) = out.split_at_mut(cols);
			scales.push(row(index, weights)?);
			sums.push(weights.iter().map(|weight| i32::from(*weight as i8)).sum());
			padding.fill(0);
			Ok(())
		})?;
		Ok(Self { rows, cols, scales, sums, tiling, bytes })
	}

	/// Tiles of the matrix.
	pub fn tiles(&self) -> usize {
		self.tiling.tiles()
	}

	/// Rows of a tile.
	pub fn tile_rows(&self) -> usize {
		self.tiling.tile_rows
	}

	/// Bytes of a tile.
	pub fn tile_bytes(&self) -> usize {
		self.tiling.tile_bytes()
	}

	/// The rows of `tiles`, without those that only pad the last tile.
	pub fn rows_of(&self, tiles: &Range<usize>) -> Range<usize> {
		self.tiling.rows_of(tiles)
	}

	/// Blocks of a row.
	pub(super) fn blocks(&self) -> usize {
		self.tiling.blocks
	}

	/// The stream of `tiles`.
	pub(super) fn stream(&self, tiles: &Range<usize>) -> &[u8] {
		let tile = self.tiling.tile_bytes();
		&self.bytes[tiles.start * tile..tiles.end * tile]
	}

	/// The weights of a row in a block.
	pub(crate) fn weights(&self, row: usize, block: usize) -> &[u8] {
		&self.bytes[self.tiling.place(row, block)]
	}

	/// For each row the sum of its weights.
	pub(super) fn sums(&self) -> &[i32] {
		&self.sums
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::kernels::scalar::Scalar;

	#[test]
	fn rows_should_be_found_where_they_were_put() {
		let (rows, cols) = (6, 300);
		let packed = PackedTernary::pack(&Scalar, rows, cols, 1.0, |row, out| {
			out.fill(ZEROS);
			out[row] = ZEROS & !1;
			out[LINE + row] = ZEROS & !1;
			Ok(())
		})
		.unwrap();
		assert_eq!((packed.tiles(), packed.blocks(), packed.tile_bytes()), (2, 2, 512));
		assert_eq!(packed.rows_of(&(1..2)), 4..6);
		assert_eq!(packed.stream(&(0..2)).len(), 1024);
		for row in 0..rows {
			for block in 0..2 {
				let found: Vec<usize> =
					(0..LINE).filter(|place| packed.codes(row, block)[*place] != ZEROS).collect();
				assert_eq!(found, [row]);
			}
		}
		// What pads the last tile weighs nothing.
		assert!(packed.codes(7, 1).iter().all(|codes| *codes == ZEROS));
	}

	#[test]
	fn what_no_kernel_can_multiply_by_should_be_refused() {
		let pack = |cols, scale, place: usize, byte| {
			PackedTernary::pack(&Scalar, 1, cols, scale, |_, out| {
				out.fill(ZEROS);
				out[place] = byte;
				Ok(())
			})
		};
		assert!(pack(256, 1.0, 5, 0b10_00_01_10).is_ok());
		for byte in [0b11, 0b11_01, 0b11_01_01, 0b1101_0101] {
			assert!(pack(256, 1.0, 63, byte).is_err());
		}
		// Column 200 is in the highest bits of byte 8.
		assert!(pack(201, 1.0, 8, 0b10_01_01_01).is_ok());
		assert!(pack(200, 1.0, 8, 0b10_01_01_01).is_err());
		for scale in [0.0, -1.0, f32::NAN, f32::INFINITY] {
			assert!(pack(256, scale, 0, ZEROS).is_err());
		}
		assert!(PackedTernary::pack(&Scalar, 0, 5, 1.0, |_, _| Ok(())).is_err());
		assert!(PackedTernary::pack(&Scalar, 5, 0, 1.0, |_, _| Ok(())).is_err());
		assert!(PackedTernary::pack(&Scalar, 1, MAX_TERNARY_COLS + 1, 1.0, |_, _| Ok(())).is_err());
		assert!(PackedInt8::pack(&Scalar, 1, MAX_INT8_COLS + 1, |_, _| Ok(1.0)).is_err());
	}

	#[test]
	fn an_int8_matrix_should_know_the_sums_of_its_rows() {
		let packed = PackedInt8::pack(&Scalar, 5, 70, |row, out| {
			out.fill((row as i8 - 2) as u8);
			Ok(row as f32)
		})
		.unwrap();
		assert_eq!(packed.sums(), [-140, -70, 0, 70, 140]);
		assert_eq!(packed.scales, [0.0, 1.0, 2.0, 3.0, 4.0]);
		assert_eq!(packed.weights(4, 1)[5..7], [2, 0]);
		assert_eq!((packed.tiles(), packed.blocks()), (2, 2));
	}
}
