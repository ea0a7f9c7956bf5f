//! Values to stored bytes, for whoever writes a package (`docs/protocol/package.md`).
//!
//! `*_rows` give the rows alone; [`ternary2`] and [`ternary5`] add the tensor's scale.

use super::{
	fault,
	layout::{BLOCK, BLOCK_BYTES},
};
use crate::{error::Result, numerics::elementary::f32_to_f16};

/// A byte of four codes 1: four zeros. What padding consists of.
pub const TERNARY2_ZEROS: u8 = 0b0101_0101;

/// `rows × cols` values of −1, 0 and 1 in `Ternary2`, without the scale.
///
/// # Errors
/// Another value, or another number of values.
pub fn ternary2_rows(values: &[i8], rows: usize, cols: usize) -> Result<Vec<u8>> {
	let row_bytes = cols.div_ceil(BLOCK) * BLOCK_BYTES;
	let mut bytes = Vec::with_capacity(rows.saturating_mul(row_bytes));
	for (index, row) in split_rows(values, rows, cols)?.enumerate() {
		for (block, codes) in row.chunks(BLOCK).enumerate() {
			let mut packed = [TERNARY2_ZEROS; BLOCK_BYTES];
			for (place, value) in codes.iter().enumerate() {
				let code = code(*value, index, block * BLOCK + place)?;
				put_code(&mut packed, place, code);
			}
			bytes.extend_from_slice(&packed);
		}
	}
	Ok(bytes)
}

/// `rows × cols` values of −1, 0 and 1 in `Ternary5`, without the scale.
///
/// # Errors
/// As [`ternary2_rows`].
pub fn ternary5_rows(values: &[i8], rows: usize, cols: usize) -> Result<Vec<u8>> {
	let mut bytes = Vec::with_capacity(rows.saturating_mul(cols.div_ceil(5)));
	for (index, row) in split_rows(values, rows, cols)?.enumerate() {
		for (group, values) in row.chunks(5).enumerate() {
			let mut digits = [1u8; 5];
			for (place, (digit, value)) in digits.iter_mut().zip(values).enumerate() {
				*digit = code(*value, index, group * 5 + place)?;
			}
			bytes.push(digits.iter().rev().fold(0, |byte, digit| byte * 3 + digit));
		}
	}
	Ok(bytes)
}

/// The stored bytes of a `Ternary2` tensor: rows, then the scale that products are multiplied by.
///
/// # Errors
/// As [`ternary2_rows`], and for a scale that is not finite and above 0.
pub fn ternary2(values: &[i8], rows: usize, cols: usize, scale: f32) -> Result<Vec<u8>> {
	with_scale(ternary2_rows(values, rows, cols)?, scale)
}

/// The stored bytes of a `Ternary5` tensor: rows, then the scale.
///
/// # Errors
/// As [`ternary2`].
pub fn ternary5(values: &[i8], rows: usize, cols: usize, scale: f32) -> Result<Vec<u8>> {
	with_scale(ternary5_rows(values, rows, cols)?, scale)
}

/// Floats in `Int8Row`: for each row `q = rne(x ÷ scale)` and `scale = max |x| ÷ 127`, or 1 for a
/// row whose values are too small to divide by.
///
/// # Errors
/// A value that is not finite, or another number of values.
pub fn int8_rows(values: &[f32], rows: usize, cols: usize) -> Result<Vec<u8>> {
	let mut bytes = Vec::with_capacity(rows.saturating_mul(cols.saturating_add(4)));
	for (index, row) in split_rows(values, rows, cols)?.enumerate() {
		finite(row, index)?;
		let largest = row.iter().fold(0f32, |largest, value| largest.max(value.abs()));
		let scale = largest / 127.0;
		let scale = if scale >= f32::MIN_POSITIVE { scale } else { 1.0 };
		let quantise = |value: &f32| {
			let value = (value / scale).round_ties_even().clamp(-127.0, 127.0);
			(value as i8) as u8
		};
		bytes.extend(row.iter().map(quantise));
		bytes.extend_from_slice(&scale.to_le_bytes());
	}
	Ok(bytes)
}

/// Floats in `F16`, rounded to nearest even.
///
/// # Errors
/// A value that is not finite or too large for a half, or another number of values.
pub fn f16_rows(values: &[f32], rows: usize, cols: usize) -> Result<Vec<u8>> {
	let mut bytes = Vec::with_capacity(values.len().saturating_mul(2));
	for (index, row) in split_rows(values, rows, cols)?.enumerate() {
		finite(row, index)?;
		for (column, value) in row.iter().enumerate() {
			let half = f32_to_f16(*value);
			if half & 0x7C00 == 0x7C00 {
				return refuse(index, column, format!("{value} is too large for a half; use F32"));
			}
			bytes.extend_from_slice(&half.to_le_bytes());
		}
	}
	Ok(bytes)
}

/// Floats in `F32`.
///
/// # Errors
/// A value that is not finite, or another number of values.
pub fn f32_rows(values: &[f32], rows: usize, cols: usize) -> Result<Vec<u8>> {
	let mut bytes = Vec::with_capacity(values.len().saturating_mul(4));
	for (index, row) in split_rows(values, rows, cols)?.enumerate() {
		finite(row, index)?;
		bytes.extend(row.iter().flat_map(|value| value.to_le_bytes()));
	}
	Ok(bytes)
}

/// Writes a code into its place, `0..256`, of a `Ternary2` block.
pub(super) fn put_code(block: &mut [u8], place: usize, code: u8) {
	let shift = 2 * (place / BLOCK_BYTES % 4);
	if let Some(byte) = block.get_mut(place % BLOCK_BYTES) {
		*byte = (*byte & !(3 << shift)) | ((code & 3) << shift);
	}
}

/// Reads the code at a place of a `Ternary2` block.
pub(super) fn get_code(block: &[u8], place: usize) -> u8 {
	let shift = 2 * (place / BLOCK_BYTES % 4);
	block.get(place % BLOCK_BYTES).map_or(1, |byte| (byte >> shift) & 3)
}

/// The five digits of a `Ternary5` byte, codes of columns `5j ..= 5j + 4`.
pub(super) fn digits(byte: u8) -> [u8; 5] {
	[byte % 3, byte / 3 % 3, byte / 9 % 3, byte / 27 % 3, byte / 81 % 3]
}

fn code(value: i8, row: usize, column: usize) -> Result<u8> {
	match value {
		-1 => Ok(0),
		0 => Ok(1),
		1 => Ok(2),
		_ => refuse(row, column, format!("{value} is none of -1, 0, 1")),
	}
}

fn with_scale(mut rows: Vec<u8>, scale: f32) -> Result<Vec<u8>> {
	if !(scale.is_finite() && scale > 0.0) {
		let reason = format!("{scale} is not finite and above 0");
		return Err(fault("values to store", "scale", reason));
	}
	rows.extend_from_slice(&scale.to_le_bytes());
	Ok(rows)
}

fn split_rows<T>(values: &[T], rows: usize, cols: usize) -> Result<std::slice::ChunksExact<'_, T>> {
	if cols == 0 || Some(values.len()) != rows.checked_mul(cols) {
		let reason = format!("{} values for {rows} rows of {cols}", values.len());
		return Err(fault("values to store", "shape", reason));
	}
	Ok(values.chunks_exact(cols))
}

fn finite(row: &[f32], index: usize) -> Result<()> {
	match row.iter().position(|value| !value.is_finite()) {
		Some(column) => refuse(index, column, "is not finite".to_owned()),
		None => Ok(()),
	}
}

fn refuse<T>(row: usize, column: usize, reason: String) -> Result<T> {
	Err(fault("values to store", format!("row {row}, column {column}"), reason))
}
