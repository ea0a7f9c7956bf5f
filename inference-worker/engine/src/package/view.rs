//! A tensor in an open package: its stored bytes, and how to read values out of them.

use super::{
	encode::{digits, get_code, put_code, TERNARY2_ZEROS},
	fault,
	layout::{is_ternary, TensorLayout, BLOCK, BLOCK_BYTES, SCALE_BYTES},
	verify::{check_row, check_scale},
};
use crate::{error::Result, numerics::elementary::f16_to_f32};
use aria_primitives::manifest::{Encoding, TensorRole};

/// A tensor's stored bytes where they lie in the file. Opening a package checks lengths and the scale
/// of ternary tensors; values are checked by the methods that read them and by [`Self::check`], not
/// by [`Self::row_bytes`].
#[derive(Clone, Copy, Debug)]
pub struct TensorView<'a> {
	/// What it is for.
	pub role: TensorRole,
	/// The layer, or `None`.
	pub layer: Option<u16>,
	/// How its values are stored.
	pub encoding: Encoding,
	/// Rows; 1 for a norm.
	pub rows: usize,
	/// Columns.
	pub cols: usize,
	/// All stored bytes, scales included.
	pub bytes: &'a [u8],
	scale: f32,
	layout: &'a TensorLayout,
	file: &'a str,
}

impl<'a> TensorView<'a> {
	/// `bytes` are as long as `layout` says.
	pub(super) fn new(layout: &'a TensorLayout, bytes: &'a [u8], file: &'a str) -> Result<Self> {
		let TensorLayout { role, layer, encoding, rows, cols, .. } = *layout;
		let scale = if is_ternary(encoding) {
			bytes
				.last_chunk::<SCALE_BYTES>()
				.ok_or_else(|| "is not there".to_owned())
				.and_then(|scale| check_scale(*scale))
				.map_err(|reason| fault(file, format!("{}.scale", layout.name()), reason))?
		} else {
			1.0
		};
		Ok(Self { role, layer, encoding, rows, cols, bytes, scale, layout, file })
	}

	/// The name in the file.
	pub fn name(&self) -> String {
		self.layout.name()
	}

	/// How the bytes are divided.
	pub fn layout(&self) -> &'a TensorLayout {
		self.layout
	}

	/// The scale of a ternary tensor, finite and above 0; 1 for other encodings, whose values need
	/// none or have one a row.
	pub fn scale(&self) -> f32 {
		self.scale
	}

	/// The stored bytes of row `row`, with its scale for `Int8Row`; empty beyond the last row.
	pub fn row_bytes(&self, row: usize) -> &'a [u8] {
		let start = row.saturating_mul(self.layout.row_bytes);
		let range = start..start.saturating_add(self.layout.row_bytes);
		if row < self.rows {
			self.bytes.get(range).unwrap_or_default()
		} else {
			&[]
		}
	}

	/// The chunks under the tensor's root, in order.
	pub fn chunks(&self) -> impl Iterator<Item = &'a [u8]> + 'a {
		let bytes = self.bytes;
		self.layout.chunks().map(move |range| bytes.get(range).unwrap_or_default())
	}

	/// Checks every value: codes, padding, scales, finiteness. Reads all bytes once.
	///
	/// # Errors
	/// The file, the tensor, the row, and what is wrong.
	pub fn check(&self) -> Result<()> {
		(0..self.rows).try_for_each(|row| self.checked_row(row).map(|_| ()))
	}

	/// Row `row` in the layout of `Ternary2`, of either ternary encoding: `out` has
	/// `cols.div_ceil(256) * 64` bytes.
	///
	/// # Errors
	/// Values that are refused, another encoding, no such row, or another length of `out`.
	pub fn ternary2_row(&self, row: usize, out: &mut [u8]) -> Result<()> {
		let bytes = self.ternary_bytes(row)?;
		self.wants("bytes", out.len(), self.cols.div_ceil(BLOCK) * BLOCK_BYTES)?;
		if self.encoding == Encoding::Ternary2 {
			out.copy_from_slice(bytes);
			return Ok(());
		}
		out.fill(TERNARY2_ZEROS);
		let codes = bytes.iter().flat_map(|byte| digits(*byte)).take(self.cols);
		for (column, code) in codes.enumerate() {
			// Codes of a block are spread over its bytes: see `put_code`.
			let block = column / BLOCK * BLOCK_BYTES;
			if let Some(block) = out.get_mut(block..block + BLOCK_BYTES) {
				put_code(block, column % BLOCK, code);
			}
		}
		Ok(())
	}

	/// Row `row` of a ternary tensor as −1, 0 and 1: `out` has `cols` values.
	///
	/// # Errors
	/// As [`Self::ternary2_row`].
	pub fn ternary_row(&self, row: usize, out: &mut [i8]) -> Result<()> {
		let bytes = self.ternary_bytes(row)?;
		self.wants("values", out.len(), self.cols)?;
		if self.encoding == Encoding::Ternary2 {
			for (block, values) in bytes.chunks(BLOCK_BYTES).zip(out.chunks_mut(BLOCK)) {
				for (place, value) in values.iter_mut().enumerate() {
					*value = get_code(block, place) as i8 - 1;
				}
			}
		} else {
			let codes = bytes.iter().flat_map(|byte| digits(*byte));
			out.iter_mut().zip(codes).for_each(|(value, code)| *value = code as i8 - 1);
		}
		Ok(())
	}

	/// Row `row` of an `Int8Row` tensor: its values, each a two's complement int8 in −127 ..= 127, and
	/// its scale.
	///
	/// # Errors
	/// A scale that is not finite and above 0, a value of −128, another encoding, or no such row.
	pub fn int8_row(&self, row: usize) -> Result<(&'a [u8], f32)> {
		if self.encoding != Encoding::Int8Row {
			return Err(self.fault(format!("is {:?} and not Int8Row", self.encoding)));
		}
		match self.checked_row(row)?.split_last_chunk::<SCALE_BYTES>() {
			Some((values, scale)) => Ok((values, f32::from_le_bytes(*scale))),
			None => Err(self.fault("a row has no scale".to_owned())),
		}
	}

	/// The scales of all rows of an `Int8Row` tensor.
	///
	/// # Errors
	/// As [`Self::int8_row`].
	pub fn row_scales(&self) -> Result<Vec<f32>> {
		(0..self.rows).map(|row| self.int8_row(row).map(|(_, scale)| scale)).collect()
	}

	/// Row `row` as floats: the values themselves of `F16` and `F32`, `scale × f32(q)` of `Int8Row`.
	/// `out` has `cols` values.
	///
	/// # Errors
	/// Values that are not finite, a ternary encoding, no such row, or another length of `out`.
	pub fn float_row(&self, row: usize, out: &mut [f32]) -> Result<()> {
		self.wants("values", out.len(), self.cols)?;
		match self.encoding {
			Encoding::F16 => {
				let halves = self.checked_row(row)?.chunks_exact(2);
				for (value, half) in out.iter_mut().zip(halves) {
					if let [low, high] = half {
						*value = f16_to_f32(u16::from_le_bytes([*low, *high]));
					}
				}
			}
			Encoding::F32 => {
				let floats = self.checked_row(row)?.chunks_exact(4);
				for (value, float) in out.iter_mut().zip(floats) {
					if let [a, b, c, d] = float {
						*value = f32::from_le_bytes([*a, *b, *c, *d]);
					}
				}
			}
			Encoding::Int8Row => {
				let (values, scale) = self.int8_row(row)?;
				for (value, byte) in out.iter_mut().zip(values) {
					*value = scale * f32::from(*byte as i8);
				}
			}
			Encoding::Ternary2 | Encoding::Ternary5 => {
				return Err(self.fault("is ternary and not stored as floats".to_owned()));
			}
		}
		Ok(())
	}

	/// A norm's values: the only row of an `F16` or `F32` tensor.
	///
	/// # Errors
	/// As [`Self::float_row`].
	pub fn floats(&self) -> Result<Vec<f32>> {
		let mut values = vec![0.0; self.cols];
		self.float_row(0, &mut values)?;
		Ok(values)
	}

	fn ternary_bytes(&self, row: usize) -> Result<&'a [u8]> {
		if !is_ternary(self.encoding) {
			return Err(self.fault(format!("is {:?} and not ternary", self.encoding)));
		}
		self.checked_row(row)
	}

	fn checked_row(&self, row: usize) -> Result<&'a [u8]> {
		if row >= self.rows {
			return Err(self.fault(format!("has {} rows, and row {row} was asked for", self.rows)));
		}
		let bytes = self.row_bytes(row);
		check_row(self.layout, bytes)
			.map_err(|reason| self.fault(format!("row {row}: {reason}")))?;
		Ok(bytes)
	}

	fn wants(&self, what: &str, is: usize, want: usize) -> Result<()> {
		if is == want {
			Ok(())
		} else {
			Err(self.fault(format!("a row has {want} {what}, and there is room for {is}")))
		}
	}

	fn fault(&self, reason: String) -> crate::error::EngineError {
		fault(self.file, self.name(), reason)
	}
}
