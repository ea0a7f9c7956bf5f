//! AVX-512 with VNNI: `vpdpbusd` multiplies 64 unsigned with 64 signed bytes and adds them up by
//! fours, exactly.
//!
//! Ternary codes are unsigned as they are. For 8-bit weights it is the activations that are made
//! unsigned, by adding 128.

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

/// Bytes by which weights are asked for before they are needed: what memory delivers in the time
/// that it takes to answer.
const AHEAD: usize = 4096;

/// The kernel `avx512-vnni`. There is one only where the processor has the instructions.
pub(in crate::kernels) struct Avx512(());

impl Avx512 {
	/// `None` where the processor, or the operating system, lacks something.
	pub fn detect() -> Option<Self> {
		let found = is_x86_feature_detected!("avx512f")
			&& is_x86_feature_detected!("avx512bw")
			&& is_x86_feature_detected!("avx512dq")
			&& is_x86_feature_detected!("avx512vl")
			&& is_x86_feature_detected!("avx512vnni");
		found.then_some(Self(()))
	}
}

impl Kernel for Avx512 {
	fn name(&self) -> &'static str {
		"avx512-vnni"
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

impl Products for Avx512 {
	const TERNARY_TOKENS: usize = 6;
	const INT8_TOKENS: usize = 6;
	const INT8_OFFSET: i32 = 128;

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
				4 => ternary_some::<4>(tile, activations, stride),
				5 => ternary_some::<5>(tile, activations, stride),
				_ => ternary_some::<6>(tile, activations, stride),
			}
		}
	}

	fn int8_one(&self, stream: &[u8], blocks: usize, activations: &[i8], out: &mut [i32]) {
		// SAFETY: `self` exists only where `detect` found the instructions.
		unsafe { int8_one(stream, blocks, activations, out) }
	}

	fn int8_some(&self, tile: &[u8], activations: &[i8], stride: usize, tokens: usize) -> Sums {
		// SAFETY: `self` exists only where `detect` found the instructions.
		unsafe {
			match tokens {
				1 => int8_some::<1>(tile, activations, stride),
				2 => int8_some::<2>(tile, activations, stride),
				3 => int8_some::<3>(tile, activations, stride),
				4 => int8_some::<4>(tile, activations, stride),
				5 => int8_some::<5>(tile, activations, stride),
				_ => int8_some::<6>(tile, activations, stride),
			}
		}
	}
}

/// The sums of the 16 lanes of each row.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn sum_rows(rows: [__m512i; TILE_ROWS]) -> [i32; TILE_ROWS] {
	let [r0, r1, r2, r3] = rows;
	let r01 = _mm512_add_epi32(_mm512_unpacklo_epi32(r0, r1), _mm512_unpackhi_epi32(r0, r1));
	let r23 = _mm512_add_epi32(_mm512_unpacklo_epi32(r2, r3), _mm512_unpackhi_epi32(r2, r3));
	// Each 128 bits have a part of row 0, 1, 2 and 3.
	let rows = _mm512_add_epi32(_mm512_unpacklo_epi64(r01, r23), _mm512_unpackhi_epi64(r01, r23));
	let rows = _mm256_add_epi32(_mm512_castsi512_si256(rows), _mm512_extracti64x4_epi64::<1>(rows));
	let rows = _mm_add_epi32(_mm256_castsi256_si128(rows), _mm256_extracti128_si256::<1>(rows));
	let mut sums = [0; TILE_ROWS];
	// SAFETY: four integers of 32 bits are 16 bytes.
	unsafe { _mm_storeu_si128(sums.as_mut_ptr().cast(), rows) };
	sums
}

/// Adds up accumulators whose products were of codes times 1, 4, 16 and 64. All four are multiples
/// of that in every lane, so that the shifts are exact.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn sum_planes(planes: [__m512i; 4]) -> __m512i {
	let [p0, p1, p2, p3] = planes;
	let (p1, p2, p3) =
		(_mm512_srai_epi32::<2>(p1), _mm512_srai_epi32::<4>(p2), _mm512_srai_epi32::<6>(p3));
	_mm512_add_epi32(_mm512_add_epi32(p0, p1), _mm512_add_epi32(p2, p3))
}

/// One token. Codes are masked where they lie instead of being shifted down: that leaves them
/// multiplied by 1, 4, 16 or 64, at most 128, and saves the shifts. A lane takes four products of a
/// block, up to `4 × 128 × 128 = 2^16`, so that 2^20 columns come to 2^28.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn ternary_one(stream: &[u8], blocks: usize, activations: &[i8], out: &mut [i32]) {
	let zero = _mm512_setzero_si512();
	let mask0 = _mm512_set1_epi8(0b11);
	let mask1 = _mm512_set1_epi8(0b11 << 2);
	let mask2 = _mm512_set1_epi8(0b11 << 4);
	let mask3 = _mm512_set1_epi8(!0b11_1111);
	let tiles = stream.chunks_exact(blocks * TILE_BLOCK);
	for (tile, out) in tiles.zip(out.chunks_mut(TILE_ROWS)) {
		// For each row, for each place of a code in its byte.
		let mut acc = [[zero; 4]; TILE_ROWS];
		let blocks = tile.chunks_exact(TILE_BLOCK).zip(activations.chunks_exact(BLOCK));
		for (codes, activations) in blocks {
			// SAFETY: a block has 256 activations.
			let (a0, a1, a2, a3) = unsafe {
				let from = activations.as_ptr();
				(
					_mm512_loadu_si512(from.cast()),
					_mm512_loadu_si512(from.add(LINE).cast()),
					_mm512_loadu_si512(from.add(2 * LINE).cast()),
					_mm512_loadu_si512(from.add(3 * LINE).cast()),
				)
			};
			macro_rules! row {
				($row:literal) => {
					// SAFETY: a block of a tile has 64 bytes for each of four rows.
					let codes = unsafe {
						let from = codes.as_ptr().add($row * LINE);
						_mm_prefetch::<_MM_HINT_T0>(from.wrapping_add(AHEAD).cast());
						_mm512_loadu_si512(from.cast())
					};
					let [p0, p1, p2, p3] = &mut acc[$row];
					*p0 = _mm512_dpbusd_epi32(*p0, _mm512_and_si512(codes, mask0), a0);
					*p1 = _mm512_dpbusd_epi32(*p1, _mm512_and_si512(codes, mask1), a1);
					*p2 = _mm512_dpbusd_epi32(*p2, _mm512_and_si512(codes, mask2), a2);
					*p3 = _mm512_dpbusd_epi32(*p3, _mm512_and_si512(codes, mask3), a3);
				};
			}
			row!(0);
			row!(1);
			row!(2);
			row!(3);
		}
		let [r0, r1, r2, r3] = acc;
		let rows = [sum_planes(r0), sum_planes(r1), sum_planes(r2), sum_planes(r3)];
		drive::add(out, &sum_rows(rows));
	}
}

/// `T` tokens with one tile: codes are taken apart once for all tokens, and each accumulator stays
/// in its register.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn ternary_some<const T: usize>(tile: &[u8], activations: &[i8], stride: usize) -> Sums {
	let needed = (T - 1).saturating_mul(stride).saturating_add(tile.len() / TILE_BLOCK * BLOCK);
	assert!(needed <= activations.len(), "activations of {T} tokens are not all there");
	let mask = _mm512_set1_epi8(0b11);
	let mut acc = [[_mm512_setzero_si512(); TILE_ROWS]; T];
	for (block, codes) in tile.chunks_exact(TILE_BLOCK).enumerate() {
		// SAFETY: a block of a tile has 64 bytes for each of four rows.
		let (v0, v1, v2, v3) = unsafe {
			let from = codes.as_ptr();
			(
				_mm512_loadu_si512(from.cast()),
				_mm512_loadu_si512(from.add(LINE).cast()),
				_mm512_loadu_si512(from.add(2 * LINE).cast()),
				_mm512_loadu_si512(from.add(3 * LINE).cast()),
			)
		};
		let column = block * BLOCK;
		macro_rules! plane {
			($plane:literal) => {
				let c0 = _mm512_and_si512(_mm512_srli_epi16::<{ 2 * $plane }>(v0), mask);
				let c1 = _mm512_and_si512(_mm512_srli_epi16::<{ 2 * $plane }>(v1), mask);
				let c2 = _mm512_and_si512(_mm512_srli_epi16::<{ 2 * $plane }>(v2), mask);
				let c3 = _mm512_and_si512(_mm512_srli_epi16::<{ 2 * $plane }>(v3), mask);
				for (token, acc) in acc.iter_mut().enumerate() {
					// SAFETY: it ends at `token * stride + (block + 1) * 256` at most, and `needed` is
					// the greatest of these.
					let a = unsafe {
						let from =
							activations.as_ptr().add(column + token * stride + $plane * LINE);
						_mm512_loadu_si512(from.cast())
					};
					let [r0, r1, r2, r3] = acc;
					*r0 = _mm512_dpbusd_epi32(*r0, c0, a);
					*r1 = _mm512_dpbusd_epi32(*r1, c1, a);
					*r2 = _mm512_dpbusd_epi32(*r2, c2, a);
					*r3 = _mm512_dpbusd_epi32(*r3, c3, a);
				}
			};
		}
		plane!(0);
		plane!(1);
		plane!(2);
		plane!(3);
	}
	let mut sums = [[0; TILE_ROWS]; MOST_TOKENS];
	for (sums, acc) in sums.iter_mut().zip(acc) {
		*sums = sum_rows(acc);
	}
	sums
}

/// One token with 8-bit weights. A lane takes four products of up to `255 × 128` from each block of
/// 64 columns: 2^28 from 2^17 of them.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn int8_one(stream: &[u8], blocks: usize, activations: &[i8], out: &mut [i32]) {
	let offset = _mm512_set1_epi8(i8::MIN);
	let tiles = stream.chunks_exact(blocks * TILE_BLOCK);
	for (tile, out) in tiles.zip(out.chunks_mut(TILE_ROWS)) {
		let mut acc = [_mm512_setzero_si512(); TILE_ROWS];
		let blocks = tile.chunks_exact(TILE_BLOCK).zip(activations.chunks_exact(LINE));
		for (weights, activations) in blocks {
			// SAFETY: a block has 64 activations.
			let a = unsafe { _mm512_loadu_si512(activations.as_ptr().cast()) };
			let a = _mm512_xor_si512(a, offset);
			macro_rules! row {
				($row:literal) => {
					// SAFETY: a block of a tile has 64 bytes for each of four rows.
					let weights = unsafe {
						let from = weights.as_ptr().add($row * LINE);
						_mm_prefetch::<_MM_HINT_T0>(from.wrapping_add(AHEAD).cast());
						_mm512_loadu_si512(from.cast())
					};
					acc[$row] = _mm512_dpbusd_epi32(acc[$row], a, weights);
				};
			}
			row!(0);
			row!(1);
			row!(2);
			row!(3);
		}
		drive::add(out, &sum_rows(acc));
	}
}

/// `T` tokens with one tile of 8-bit weights.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn int8_some<const T: usize>(tile: &[u8], activations: &[i8], stride: usize) -> Sums {
	let needed = (T - 1).saturating_mul(stride).saturating_add(tile.len() / TILE_BLOCK * LINE);
	assert!(needed <= activations.len(), "activations of {T} tokens are not all there");
	let offset = _mm512_set1_epi8(i8::MIN);
	let mut acc = [[_mm512_setzero_si512(); TILE_ROWS]; T];
	for (block, weights) in tile.chunks_exact(TILE_BLOCK).enumerate() {
		// SAFETY: a block of a tile has 64 bytes for each of four rows.
		let (w0, w1, w2, w3) = unsafe {
			let from = weights.as_ptr();
			(
				_mm512_loadu_si512(from.cast()),
				_mm512_loadu_si512(from.add(LINE).cast()),
				_mm512_loadu_si512(from.add(2 * LINE).cast()),
				_mm512_loadu_si512(from.add(3 * LINE).cast()),
			)
		};
		for (token, acc) in acc.iter_mut().enumerate() {
			// SAFETY: it ends at `token * stride + (block + 1) * 64`, and `needed` is the greatest of
			// these.
			let a = unsafe {
				let from = activations.as_ptr().add(block * LINE + token * stride);
				_mm512_loadu_si512(from.cast())
			};
			let a = _mm512_xor_si512(a, offset);
			let [r0, r1, r2, r3] = acc;
			*r0 = _mm512_dpbusd_epi32(*r0, a, w0);
			*r1 = _mm512_dpbusd_epi32(*r1, a, w1);
			*r2 = _mm512_dpbusd_epi32(*r2, a, w2);
			*r3 = _mm512_dpbusd_epi32(*r3, a, w3);
		}
	}
	let mut sums = [[0; TILE_ROWS]; MOST_TOKENS];
	for (sums, acc) in sums.iter_mut().zip(acc) {
		*sums = sum_rows(acc);
	}
	sums
}

/// 16 lanes in one register.
#[derive(Clone, Copy)]
struct Wide(__m512);

const NEAREST: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;

impl Lanes for Wide {
	type Int = __m512i;

	#[inline(always)]
	unsafe fn splat(value: f32) -> Self {
		Self(_mm512_set1_ps(value))
	}

	#[inline(always)]
	unsafe fn load(from: *const f32) -> Self {
		Self(_mm512_loadu_ps(from))
	}

	#[inline(always)]
	unsafe fn store(self, to: *mut f32) {
		_mm512_storeu_ps(to, self.0);
	}

	#[inline(always)]
	unsafe fn add(self, other: Self) -> Self {
		Self(_mm512_add_ps(self.0, other.0))
	}

	#[inline(always)]
	unsafe fn sub(self, other: Self) -> Self {
		Self(_mm512_sub_ps(self.0, other.0))
	}

	#[inline(always)]
	unsafe fn mul(self, other: Self) -> Self {
		Self(_mm512_mul_ps(self.0, other.0))
	}

	#[inline(always)]
	unsafe fn div(self, other: Self) -> Self {
		Self(_mm512_div_ps(self.0, other.0))
	}

	#[inline(always)]
	unsafe fn greater(self, other: Self) -> Self {
		Self(_mm512_max_ps(self.0, other.0))
	}

	#[inline(always)]
	unsafe fn at_most(self, limit: Self) -> Self {
		let above = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(self.0, limit.0);
		Self(_mm512_mask_mov_ps(self.0, above, limit.0))
	}

	#[inline(always)]
	unsafe fn positive(self) -> Self {
		let above = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(self.0, _mm512_setzero_ps());
		Self(_mm512_maskz_mov_ps(above, self.0))
	}

	#[inline(always)]
	unsafe fn zero_where_below(self, x: Self, limit: Self) -> Self {
		let kept = _mm512_cmp_ps_mask::<_CMP_NLT_UQ>(x.0, limit.0);
		Self(_mm512_maskz_mov_ps(kept, self.0))
	}

	#[inline(always)]
	unsafe fn round(self) -> Self {
		Self(_mm512_roundscale_ps::<NEAREST>(self.0))
	}

	#[inline(always)]
	unsafe fn power_of_two(self) -> Self {
		let biased = _mm512_add_epi32(_mm512_cvtps_epi32(self.0), _mm512_set1_epi32(127));
		Self(_mm512_castsi512_ps(_mm512_slli_epi32::<23>(biased)))
	}

	#[inline(always)]
	unsafe fn fold(self) -> f32 {
		let high = _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(self.0)));
		super::avx2::fold(_mm512_castps512_ps256(self.0), high)
	}

	#[inline(always)]
	unsafe fn magnitude(self) -> __m512i {
		_mm512_and_si512(_mm512_castps_si512(self.0), _mm512_set1_epi32(i32::MAX))
	}

	#[inline(always)]
	unsafe fn to_int(self) -> __m512i {
		_mm512_cvtps_epi32(self.0)
	}

	#[inline(always)]
	unsafe fn from_int(int: __m512i) -> Self {
		Self(_mm512_cvtepi32_ps(int))
	}

	#[inline(always)]
	unsafe fn int_zero() -> __m512i {
		_mm512_setzero_si512()
	}

	#[inline(always)]
	unsafe fn int_load(from: *const i32) -> __m512i {
		_mm512_loadu_si512(from.cast())
	}

	#[inline(always)]
	unsafe fn int_store(int: __m512i, to: *mut i32) {
		_mm512_storeu_si512(to.cast(), int);
	}

	#[inline(always)]
	unsafe fn int_add(a: __m512i, b: __m512i) -> __m512i {
		_mm512_add_epi32(a, b)
	}

	#[inline(always)]
	unsafe fn int_greater(a: __m512i, b: __m512i) -> __m512i {
		_mm512_max_epi32(a, b)
	}

	#[inline(always)]
	unsafe fn int_store_bytes(int: __m512i, to: *mut i8) {
		_mm_storeu_si128(to.cast(), _mm512_cvtepi32_epi8(int));
	}
}

/// Operations on floats with AVX-512.
mod table {
	use super::Wide;

	crate::kernels::float::float_table!(TABLE, "avx512f,avx512bw,avx512dq,avx512vl", Wide);
}
