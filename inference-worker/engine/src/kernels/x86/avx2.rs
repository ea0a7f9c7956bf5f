//! AVX2: `vpmaddubsw` multiplies 32 unsigned with 32 signed bytes and adds neighbours up in 16 bits.
//!
//! For ternary codes that is exact: `|pair| <= 2 × 2 × 128 = 512`. For 8-bit weights it could
//! saturate, so that these are widened to 16 bits first.

// Where the whole build has the instructions enabled, some calls are safe of themselves.
#![allow(unsafe_code, unused_unsafe)]

use crate::kernels::{
	drive::{self, Products, Sums, MOST_TOKENS, TILE_BLOCK},
	float::Lanes,
	pack::{PackedInt8, PackedTernary, BLOCK, TILE_ROWS},
	FloatOps, Kernel, QuantisedActivations, LINE,
};
use std::{
	arch::{is_x86_feature_detected, x86_64::*},
	ops::Range,
};

/// Blocks whose products 16 bits hold: each adds eight pairs to a lane, and `7 × 8 × 512 < 2^15`.
const NARROW_BLOCKS: usize = 7;

/// The kernel `avx2`. There is one only where the processor has the instructions.
pub(in crate::kernels) struct Avx2(());

impl Avx2 {
	/// `None` where the processor, or the operating system, lacks something.
	pub fn detect() -> Option<Self> {
		is_x86_feature_detected!("avx2").then_some(Self(()))
	}
}

impl Kernel for Avx2 {
	fn name(&self) -> &'static str {
		"avx2"
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
		drive::ternary(self, weights, tiles, activations, acc, stride);
	}

	fn int8(
		&self,
		weights: &PackedInt8,
		tiles: Range<usize>,
		activations: &QuantisedActivations,
		acc: &mut [i32],
		stride: usize,
	) {
		drive::int8(self, weights, tiles, activations, acc, stride);
	}

	fn float(&self) -> &FloatOps {
		&table::TABLE
	}
}

impl Products for Avx2 {
	const TERNARY_TOKENS: usize = 4;
	const INT8_TOKENS: usize = 2;
	const INT8_OFFSET: i32 = 0;

	fn ternary_one(&self, stream: &[u8], blocks: usize, activations: &[i8], out: &mut [i32]) {
		// SAFETY: `self` exists only where `detect` found the instructions.
		unsafe { ternary_one(stream, blocks, activations, out) }
	}

	fn ternary_some(&self, tile: &[u8], activations: &[i8], stride: usize, tokens: usize) -> Sums {
		// SAFETY: `self` exists only where `detect` found the instructions.
		unsafe {
			match tokens {
				1 => ternary_some::<1>(tile, activations, stride),
				2 => ternary_some::<2>(tile, activations, stride),
				3 => ternary_some::<3>(tile, activations, stride),
				_ => ternary_some::<4>(tile, activations, stride),
			}
		}
	}

	fn int8_one(&self, stream: &[u8], blocks: usize, activations: &[i8], out: &mut [i32]) {
		let tiles = stream.chunks_exact(blocks * TILE_BLOCK);
		for (tile, out) in tiles.zip(out.chunks_mut(TILE_ROWS)) {
			// SAFETY: `self` exists only where `detect` found the instructions.
			let [sums, ..] = unsafe { int8_some::<1>(tile, activations, 0) };
			drive::add(out, &sums);
		}
	}

	fn int8_some(&self, tile: &[u8], activations: &[i8], stride: usize, tokens: usize) -> Sums {
		// SAFETY: `self` exists only where `detect` found the instructions.
		unsafe {
			match tokens {
				1 => int8_some::<1>(tile, activations, stride),
				_ => int8_some::<2>(tile, activations, stride),
			}
		}
	}
}

/// The sums of the eight lanes of each row.
#[inline]
#[target_feature(enable = "avx2")]
fn sum_rows(rows: [__m256i; TILE_ROWS]) -> [i32; TILE_ROWS] {
	let [r0, r1, r2, r3] = rows;
	// Each half has a part of row 0, 1, 2 and 3.
	let rows = _mm256_hadd_epi32(_mm256_hadd_epi32(r0, r1), _mm256_hadd_epi32(r2, r3));
	let rows = _mm_add_epi32(_mm256_castsi256_si128(rows), _mm256_extracti128_si256::<1>(rows));
	let mut sums = [0; TILE_ROWS];
	// SAFETY: four integers of 32 bits are 16 bytes.
	unsafe { _mm_storeu_si128(sums.as_mut_ptr().cast(), rows) };
	sums
}

/// Adds pairs of 16-bit sums to 32-bit ones.
#[inline]
#[target_feature(enable = "avx2")]
fn widen(wide: __m256i, narrow: __m256i) -> __m256i {
	_mm256_add_epi32(wide, _mm256_madd_epi16(narrow, _mm256_set1_epi16(1)))
}

/// The products of the four codes of each of 32 bytes, added up by eights: at most `4 × 512`.
#[inline]
#[target_feature(enable = "avx2")]
fn products(codes: __m256i, activations: [__m256i; 4]) -> __m256i {
	let mask = _mm256_set1_epi8(0b11);
	let [a0, a1, a2, a3] = activations;
	let p0 = _mm256_maddubs_epi16(_mm256_and_si256(codes, mask), a0);
	let p1 = _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16::<2>(codes), mask), a1);
	let p2 = _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16::<4>(codes), mask), a2);
	let p3 = _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16::<6>(codes), mask), a3);
	_mm256_add_epi16(_mm256_add_epi16(p0, p1), _mm256_add_epi16(p2, p3))
}

/// One token.
#[target_feature(enable = "avx2")]
fn ternary_one(stream: &[u8], blocks: usize, activations: &[i8], out: &mut [i32]) {
	let zero = _mm256_setzero_si256();
	let tiles = stream.chunks_exact(blocks * TILE_BLOCK);
	for (tile, out) in tiles.zip(out.chunks_mut(TILE_ROWS)) {
		let mut wide = [zero; TILE_ROWS];
		let spans =
			tile.chunks(NARROW_BLOCKS * TILE_BLOCK).zip(activations.chunks(NARROW_BLOCKS * BLOCK));
		for (tile, activations) in spans {
			let (mut n0, mut n1, mut n2, mut n3) = (zero, zero, zero, zero);
			let blocks = tile.chunks_exact(TILE_BLOCK).zip(activations.chunks_exact(BLOCK));
			for (codes, activations) in blocks {
				for half in 0..2 {
					let half = half * LINE / 2;
					// SAFETY: a block has 256 activations and, in a tile, 64 bytes for each of four
					// rows; `half` begins the first or second 32 of a row's bytes.
					unsafe {
						let from = activations.as_ptr().add(half);
						let a = [
							_mm256_loadu_si256(from.cast()),
							_mm256_loadu_si256(from.add(LINE).cast()),
							_mm256_loadu_si256(from.add(2 * LINE).cast()),
							_mm256_loadu_si256(from.add(3 * LINE).cast()),
						];
						let from = codes.as_ptr().add(half);
						let c0 = _mm256_loadu_si256(from.cast());
						let c1 = _mm256_loadu_si256(from.add(LINE).cast());
						let c2 = _mm256_loadu_si256(from.add(2 * LINE).cast());
						let c3 = _mm256_loadu_si256(from.add(3 * LINE).cast());
						n0 = _mm256_add_epi16(n0, products(c0, a));
						n1 = _mm256_add_epi16(n1, products(c1, a));
						n2 = _mm256_add_epi16(n2, products(c2, a));
						n3 = _mm256_add_epi16(n3, products(c3, a));
					}
				}
			}
			let [w0, w1, w2, w3] = wide;
			wide = [widen(w0, n0), widen(w1, n1), widen(w2, n2), widen(w3, n3)];
		}
		drive::add(out, &sum_rows(wide));
	}
}

/// `T` tokens with one tile, two rows at a time: eight 16-bit accumulators for four tokens leave
/// half of the registers for codes and activations.
#[target_feature(enable = "avx2")]
fn ternary_some<const T: usize>(tile: &[u8], activations: &[i8], stride: usize) -> Sums {
	let needed = (T - 1).saturating_mul(stride).saturating_add(tile.len() / TILE_BLOCK * BLOCK);
	assert!(needed <= activations.len(), "activations of {T} tokens are not all there");
	let zero = _mm256_setzero_si256();
	let mask = _mm256_set1_epi8(0b11);
	let mut wide = [[zero; TILE_ROWS]; T];
	for pair in [0, 2] {
		for (span, tile) in tile.chunks(NARROW_BLOCKS * TILE_BLOCK).enumerate() {
			let mut narrow = [[zero; 2]; T];
			for (block, codes) in tile.chunks_exact(TILE_BLOCK).enumerate() {
				let column = (span * NARROW_BLOCKS + block) * BLOCK;
				for half in 0..2 {
					let half = half * LINE / 2;
					// SAFETY: a block of a tile has 64 bytes for each of four rows; `half` begins the
					// first or second 32 of them.
					let (v0, v1) = unsafe {
						let from = codes.as_ptr().add(pair * LINE + half);
						(_mm256_loadu_si256(from.cast()), _mm256_loadu_si256(from.add(LINE).cast()))
					};
					macro_rules! plane {
						($plane:literal) => {
							let c0 =
								_mm256_and_si256(_mm256_srli_epi16::<{ 2 * $plane }>(v0), mask);
							let c1 =
								_mm256_and_si256(_mm256_srli_epi16::<{ 2 * $plane }>(v1), mask);
							for (token, narrow) in narrow.iter_mut().enumerate() {
								// SAFETY: it ends at `token * stride + column + 256` at most, and
								// `needed` is the greatest of these.
								let a = unsafe {
									let place = token * stride + column + $plane * LINE + half;
									_mm256_loadu_si256(activations.as_ptr().add(place).cast())
								};
								let [n0, n1] = narrow;
								*n0 = _mm256_add_epi16(*n0, _mm256_maddubs_epi16(c0, a));
								*n1 = _mm256_add_epi16(*n1, _mm256_maddubs_epi16(c1, a));
							}
						};
					}
					plane!(0);
					plane!(1);
					plane!(2);
					plane!(3);
				}
			}
			for (wide, [n0, n1]) in wide.iter_mut().zip(narrow) {
				wide[pair] = widen(wide[pair], n0);
				wide[pair + 1] = widen(wide[pair + 1], n1);
			}
		}
	}
	let mut sums = [[0; TILE_ROWS]; MOST_TOKENS];
	for (sums, wide) in sums.iter_mut().zip(wide) {
		*sums = sum_rows(wide);
	}
	sums
}

/// `T` tokens with one tile of 8-bit weights. Two products of 16 bits fit 32; a lane takes eight
/// from each block of 64 columns, `8 × 2^14`, and so 2^28 from 2^17 columns.
#[target_feature(enable = "avx2")]
fn int8_some<const T: usize>(tile: &[u8], activations: &[i8], stride: usize) -> Sums {
	let needed = (T - 1).saturating_mul(stride).saturating_add(tile.len() / TILE_BLOCK * LINE);
	assert!(needed <= activations.len(), "activations of {T} tokens are not all there");
	let mut acc = [[_mm256_setzero_si256(); TILE_ROWS]; T];
	for (block, weights) in tile.chunks_exact(TILE_BLOCK).enumerate() {
		for quarter in 0..4 {
			let quarter = quarter * LINE / 4;
			// SAFETY: a block of a tile has 64 bytes for each of four rows; `quarter` begins 16 of
			// them.
			let (w0, w1, w2, w3) = unsafe {
				let from = weights.as_ptr().add(quarter);
				(
					_mm256_cvtepi8_epi16(_mm_loadu_si128(from.cast())),
					_mm256_cvtepi8_epi16(_mm_loadu_si128(from.add(LINE).cast())),
					_mm256_cvtepi8_epi16(_mm_loadu_si128(from.add(2 * LINE).cast())),
					_mm256_cvtepi8_epi16(_mm_loadu_si128(from.add(3 * LINE).cast())),
				)
			};
			for (token, acc) in acc.iter_mut().enumerate() {
				// SAFETY: it ends at `token * stride + (block + 1) * 64` at most, and `needed` is the
				// greatest of these.
				let a = unsafe {
					let from = activations.as_ptr().add(token * stride + block * LINE + quarter);
					_mm256_cvtepi8_epi16(_mm_loadu_si128(from.cast()))
				};
				let [r0, r1, r2, r3] = acc;
				*r0 = _mm256_add_epi32(*r0, _mm256_madd_epi16(w0, a));
				*r1 = _mm256_add_epi32(*r1, _mm256_madd_epi16(w1, a));
				*r2 = _mm256_add_epi32(*r2, _mm256_madd_epi16(w2, a));
				*r3 = _mm256_add_epi32(*r3, _mm256_madd_epi16(w3, a));
			}
		}
	}
	let mut sums = [[0; TILE_ROWS]; MOST_TOKENS];
	for (sums, acc) in sums.iter_mut().zip(acc) {
		*sums = sum_rows(acc);
	}
	sums
}

/// Lanes 0 ..= 7 and 8 ..= 15 added up in the order of "Striped sums". AVX has to be enabled.
#[inline(always)]
pub(super) unsafe fn fold(low: __m256, high: __m256) -> f32 {
	let eights = _mm256_add_ps(low, high);
	let fours = _mm_add_ps(_mm256_castps256_ps128(eights), _mm256_extractf128_ps::<1>(eights));
	let twos = _mm_add_ps(fours, _mm_movehl_ps(fours, fours));
	_mm_cvtss_f32(_mm_add_ss(twos, _mm_shuffle_ps::<1>(twos, twos)))
}

/// 16 lanes in two registers.
#[derive(Clone, Copy)]
struct Halves(__m256, __m256);

/// 16 integers in two registers.
#[derive(Clone, Copy)]
struct IntHalves(__m256i, __m256i);

const NEAREST: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;

impl Lanes for Halves {
	type Int = IntHalves;

	#[inline(always)]
	unsafe fn splat(value: f32) -> Self {
		Self(_mm256_set1_ps(value), _mm256_set1_ps(value))
	}

	#[inline(always)]
	unsafe fn load(from: *const f32) -> Self {
		Self(_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(8)))
	}

	#[inline(always)]
	unsafe fn store(self, to: *mut f32) {
		_mm256_storeu_ps(to, self.0);
		_mm256_storeu_ps(to.add(8), self.1);
	}

	#[inline(always)]
	unsafe fn add(self, other: Self) -> Self {
		Self(_mm256_add_ps(self.0, other.0), _mm256_add_ps(self.1, other.1))
	}

	#[inline(always)]
	unsafe fn sub(self, other: Self) -> Self {
		Self(_mm256_sub_ps(self.0, other.0), _mm256_sub_ps(self.1, other.1))
	}

	#[inline(always)]
	unsafe fn mul(self, other: Self) -> Self {
		Self(_mm256_mul_ps(self.0, other.0), _mm256_mul_ps(self.1, other.1))
	}

	#[inline(always)]
	unsafe fn div(self, other: Self) -> Self {
		Self(_mm256_div_ps(self.0, other.0), _mm256_div_ps(self.1, other.1))
	}

	#[inline(always)]
	unsafe fn greater(self, other: Self) -> Self {
		Self(_mm256_max_ps(self.0, other.0), _mm256_max_ps(self.1, other.1))
	}

	#[inline(always)]
	unsafe fn at_most(self, limit: Self) -> Self {
		let above0 = _mm256_cmp_ps::<_CMP_GT_OQ>(self.0, limit.0);
		let above1 = _mm256_cmp_ps::<_CMP_GT_OQ>(self.1, limit.1);
		Self(_mm256_blendv_ps(self.0, limit.0, above0), _mm256_blendv_ps(self.1, limit.1, above1))
	}

	#[inline(always)]
	unsafe fn positive(self) -> Self {
		let zero = _mm256_setzero_ps();
		let above0 = _mm256_cmp_ps::<_CMP_GT_OQ>(self.0, zero);
		let above1 = _mm256_cmp_ps::<_CMP_GT_OQ>(self.1, zero);
		Self(_mm256_and_ps(self.0, above0), _mm256_and_ps(self.1, above1))
	}

	#[inline(always)]
	unsafe fn zero_where_below(self, x: Self, limit: Self) -> Self {
		let kept0 = _mm256_cmp_ps::<_CMP_NLT_UQ>(x.0, limit.0);
		let kept1 = _mm256_cmp_ps::<_CMP_NLT_UQ>(x.1, limit.1);
		Self(_mm256_and_ps(self.0, kept0), _mm256_and_ps(self.1, kept1))
	}

	#[inline(always)]
	unsafe fn round(self) -> Self {
		Self(_mm256_round_ps::<NEAREST>(self.0), _mm256_round_ps::<NEAREST>(self.1))
	}

	#[inline(always)]
	unsafe fn power_of_two(self) -> Self {
		let bias = _mm256_set1_epi32(127);
		let biased0 = _mm256_add_epi32(_mm256_cvtps_epi32(self.0), bias);
		let biased1 = _mm256_add_epi32(_mm256_cvtps_epi32(self.1), bias);
		Self(
			_mm256_castsi256_ps(_mm256_slli_epi32::<23>(biased0)),
			_mm256_castsi256_ps(_mm256_slli_epi32::<23>(biased1)),
		)
	}

	#[inline(always)]
	unsafe fn fold(self) -> f32 {
		fold(self.0, self.1)
	}

	#[inline(always)]
	unsafe fn magnitude(self) -> IntHalves {
		let mask = _mm256_set1_epi32(i32::MAX);
		IntHalves(
			_mm256_and_si256(_mm256_castps_si256(self.0), mask),
			_mm256_and_si256(_mm256_castps_si256(self.1), mask),
		)
	}

	#[inline(always)]
	unsafe fn to_int(self) -> IntHalves {
		IntHalves(_mm256_cvtps_epi32(self.0), _mm256_cvtps_epi32(self.1))
	}

	#[inline(always)]
	unsafe fn from_int(int: IntHalves) -> Self {
		Self(_mm256_cvtepi32_ps(int.0), _mm256_cvtepi32_ps(int.1))
	}

	#[inline(always)]
	unsafe fn int_zero() -> IntHalves {
		IntHalves(_mm256_setzero_si256(), _mm256_setzero_si256())
	}

	#[inline(always)]
	unsafe fn int_load(from: *const i32) -> IntHalves {
		IntHalves(_mm256_loadu_si256(from.cast()), _mm256_loadu_si256(from.add(8).cast()))
	}

	#[inline(always)]
	unsafe fn int_store(int: IntHalves, to: *mut i32) {
		_mm256_storeu_si256(to.cast(), int.0);
		_mm256_storeu_si256(to.add(8).cast(), int.1);
	}

	#[inline(always)]
	unsafe fn int_add(a: IntHalves, b: IntHalves) -> IntHalves {
		IntHalves(_mm256_add_epi32(a.0, b.0), _mm256_add_epi32(a.1, b.1))
	}

	#[inline(always)]
	unsafe fn int_greater(a: IntHalves, b: IntHalves) -> IntHalves {
		IntHalves(_mm256_max_epi32(a.0, b.0), _mm256_max_epi32(a.1, b.1))
	}

	#[inline(always)]
	unsafe fn int_store_bytes(int: IntHalves, to: *mut i8) {
		// Packing works on each 128 bits by themselves: quarters 0, 2, 1, 3 are put in order.
		let words = _mm256_packs_epi32(int.0, int.1);
		let words = _mm256_permute4x64_epi64::<0b11_01_10_00>(words);
		let bytes =
			_mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256::<1>(words));
		_mm_storeu_si128(to.cast(), bytes);
	}
}

/// Operations on floats with AVX2.
mod table {
	use super::Halves;

	crate::kernels::float::float_table!(TABLE, "avx2", Halves);
}
