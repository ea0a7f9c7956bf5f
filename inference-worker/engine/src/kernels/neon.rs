//! AArch64: NEON, which every such processor has, and the dot products that most have.
//!
//! Ternary codes are 0, 1 and 2, and so signed bytes too. Without dot products bytes are multiplied
//! to 16 bits and added to 32-bit lanes in pairs; with them `sdot` does four bytes at once. `sdot` is
//! written as assembly, because the compiler's function for it is not stable.

// Where the whole build has the instructions enabled, some calls are safe of themselves.
#![allow(unsafe_code, unused_unsafe)]

use super::{
	drive::{self, Products, Sums, MOST_TOKENS, TILE_BLOCK},
	float::Lanes,
	pack::{PackedInt8, PackedTernary, BLOCK, TILE_ROWS},
	FloatOps, Kernel, QuantisedActivations, LINE,
};
use std::{
	arch::{aarch64::*, asm, is_aarch64_feature_detected},
	ops::Range,
};

/// Bytes of a vector.
const VECTOR: usize = 16;

/// How 16 products of bytes are added to four lanes.
///
/// # Safety
///
/// The processor has the instructions.
trait Step {
	/// Codes up to 2.
	unsafe fn codes(acc: int32x4_t, codes: int8x16_t, a: int8x16_t) -> int32x4_t;
	/// Any bytes.
	unsafe fn bytes(acc: int32x4_t, weights: int8x16_t, a: int8x16_t) -> int32x4_t;
}

/// Without `sdot`.
struct Widened;

impl Step for Widened {
	/// `|code × activation| <= 256`, so that two of them fit 16 bits.
	#[inline(always)]
	unsafe fn codes(acc: int32x4_t, codes: int8x16_t, a: int8x16_t) -> int32x4_t {
		let low = vmull_s8(vget_low_s8(codes), vget_low_s8(a));
		vpadalq_s16(acc, vmlal_high_s8(low, codes, a))
	}

	/// Two products of up to `2^14` do not fit 16 bits.
	#[inline(always)]
	unsafe fn bytes(acc: int32x4_t, weights: int8x16_t, a: int8x16_t) -> int32x4_t {
		let acc = vpadalq_s16(acc, vmull_s8(vget_low_s8(weights), vget_low_s8(a)));
		vpadalq_s16(acc, vmull_high_s8(weights, a))
	}
}

/// With `sdot`.
struct Dotted;

impl Step for Dotted {
	#[inline(always)]
	unsafe fn codes(acc: int32x4_t, codes: int8x16_t, a: int8x16_t) -> int32x4_t {
		sdot(acc, codes, a)
	}

	#[inline(always)]
	unsafe fn bytes(acc: int32x4_t, weights: int8x16_t, a: int8x16_t) -> int32x4_t {
		sdot(acc, weights, a)
	}
}

/// Adds four products of bytes to each lane.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn sdot(acc: int32x4_t, weights: int8x16_t, a: int8x16_t) -> int32x4_t {
	let mut acc = acc;
	// SAFETY: it changes nothing but `acc`, and the instruction is enabled here.
	unsafe {
		asm!(
			"sdot {acc:v}.4s, {weights:v}.16b, {a:v}.16b",
			acc = inout(vreg) acc,
			weights = in(vreg) weights,
			a = in(vreg) a,
			options(pure, nomem, nostack, preserves_flags),
		);
	}
	acc
}

/// Accumulators of the rows of a tile.
type Rows = [int32x4_t; TILE_ROWS];

#[inline(always)]
unsafe fn sums_of<const T: usize>(acc: [Rows; T]) -> Sums {
	let mut sums = [[0; TILE_ROWS]; MOST_TOKENS];
	for (sums, [r0, r1, r2, r3]) in sums.iter_mut().zip(acc) {
		vst1q_s32(sums.as_mut_ptr(), vpaddq_s32(vpaddq_s32(r0, r1), vpaddq_s32(r2, r3)));
	}
	sums
}

/// Multiplies 16 codes of each row with the activations of `T` tokens, `stride` apart, which begin
/// at `from`.
#[inline(always)]
unsafe fn add_plane<S: Step, const T: usize>(
	acc: &mut [Rows; T],
	codes: [uint8x16_t; TILE_ROWS],
	from: *const i8,
	stride: usize,
) {
	let [c0, c1, c2, c3] = codes;
	let (c0, c1) = (vreinterpretq_s8_u8(c0), vreinterpretq_s8_u8(c1));
	let (c2, c3) = (vreinterpretq_s8_u8(c2), vreinterpretq_s8_u8(c3));
	for (token, acc) in acc.iter_mut().enumerate() {
		let a = vld1q_s8(from.add(token * stride));
		let [r0, r1, r2, r3] = acc;
		*r0 = S::codes(*r0, c0, a);
		*r1 = S::codes(*r1, c1, a);
		*r2 = S::codes(*r2, c2, a);
		*r3 = S::codes(*r3, c3, a);
	}
}

/// `T` tokens with some blocks of one tile of ternary codes.
#[inline(always)]
unsafe fn ternary<S: Step, const T: usize>(tile: &[u8], activations: &[i8], stride: usize) -> Sums {
	let columns = tile.len() / TILE_BLOCK * BLOCK;
	let needed = (T - 1).saturating_mul(stride).saturating_add(columns);
	assert!(needed <= activations.len(), "activations of {T} tokens are not all there");
	let mask = vdupq_n_u8(0b11);
	let mut acc = [[vdupq_n_s32(0); TILE_ROWS]; T];
	for (block, codes) in tile.chunks_exact(TILE_BLOCK).enumerate() {
		for part in 0..LINE / VECTOR {
			// A block of a tile has 64 bytes for each of four rows, and the last activations that are
			// read for a block end at `(T - 1) * stride + (block + 1) * 256`, which is `needed` at
			// most.
			let from = codes.as_ptr().add(part * VECTOR);
			let a = activations.as_ptr().add(block * BLOCK + part * VECTOR);
			let v0 = vld1q_u8(from);
			let v1 = vld1q_u8(from.add(LINE));
			let v2 = vld1q_u8(from.add(2 * LINE));
			let v3 = vld1q_u8(from.add(3 * LINE));
			let codes =
				[vandq_u8(v0, mask), vandq_u8(v1, mask), vandq_u8(v2, mask), vandq_u8(v3, mask)];
			add_plane::<S, T>(&mut acc, codes, a, stride);
			let codes = [
				vandq_u8(vshrq_n_u8::<2>(v0), mask),
				vandq_u8(vshrq_n_u8::<2>(v1), mask),
				vandq_u8(vshrq_n_u8::<2>(v2), mask),
				vandq_u8(vshrq_n_u8::<2>(v3), mask),
			];
			add_plane::<S, T>(&mut acc, codes, a.add(LINE), stride);
			let codes = [
				vandq_u8(vshrq_n_u8::<4>(v0), mask),
				vandq_u8(vshrq_n_u8::<4>(v1), mask),
				vandq_u8(vshrq_n_u8::<4>(v2), mask),
				vandq_u8(vshrq_n_u8::<4>(v3), mask),
			];
			add_plane::<S, T>(&mut acc, codes, a.add(2 * LINE), stride);
			let codes = [
				vshrq_n_u8::<6>(v0),
				vshrq_n_u8::<6>(v1),
				vshrq_n_u8::<6>(v2),
				vshrq_n_u8::<6>(v3),
			];
			add_plane::<S, T>(&mut acc, codes, a.add(3 * LINE), stride);
		}
	}
	sums_of(acc)
}

/// `T` tokens with some blocks of one tile of 8-bit weights.
#[inline(always)]
unsafe fn int8<S: Step, const T: usize>(tile: &[u8], activations: &[i8], stride: usize) -> Sums {
	let columns = tile.len() / TILE_BLOCK * LINE;
	let needed = (T - 1).saturating_mul(stride).saturating_add(columns);
	assert!(needed <= activations.len(), "activations of {T} tokens are not all there");
	let mut acc = [[vdupq_n_s32(0); TILE_ROWS]; T];
	for (block, weights) in tile.chunks_exact(TILE_BLOCK).enumerate() {
		for part in 0..LINE / VECTOR {
			// As in `ternary`, with blocks of 64 columns.
			let from = weights.as_ptr().add(part * VECTOR).cast::<i8>();
			let a = activations.as_ptr().add(block * LINE + part * VECTOR);
			let w0 = vld1q_s8(from);
			let w1 = vld1q_s8(from.add(LINE));
			let w2 = vld1q_s8(from.add(2 * LINE));
			let w3 = vld1q_s8(from.add(3 * LINE));
			for (token, acc) in acc.iter_mut().enumerate() {
				let a = vld1q_s8(a.add(token * stride));
				let [r0, r1, r2, r3] = acc;
				*r0 = S::bytes(*r0, w0, a);
				*r1 = S::bytes(*r1, w1, a);
				*r2 = S::bytes(*r2, w2, a);
				*r3 = S::bytes(*r3, w3, a);
			}
		}
	}
	sums_of(acc)
}

/// A kernel whose products have step `$step`, compiled with `$features` enabled.
macro_rules! kernel {
	($kernel:ident, $name:literal, $step:ident, $features:tt, $($feature:tt)*) => {
		/// There is one only where the processor has the instructions.
		pub(super) struct $kernel(());

		impl $kernel {
			/// `None` where the processor, or the operating system, lacks something.
			pub fn detect() -> Option<Self> {
				let found = true $(&& is_aarch64_feature_detected!($feature))*;
				found.then_some(Self(()))
			}

			fn ternary<const T: usize>(&self, tile: &[u8], a: &[i8], stride: usize) -> Sums {
				#[target_feature(enable = $features)]
				fn with_features<const T: usize>(tile: &[u8], a: &[i8], stride: usize) -> Sums {
					// SAFETY: the instructions are enabled here.
					unsafe { ternary::<$step, T>(tile, a, stride) }
				}
				// SAFETY: `self` exists only where `detect` found the instructions.
				unsafe { with_features::<T>(tile, a, stride) }
			}

			fn int8<const T: usize>(&self, tile: &[u8], a: &[i8], stride: usize) -> Sums {
				#[target_feature(enable = $features)]
				fn with_features<const T: usize>(tile: &[u8], a: &[i8], stride: usize) -> Sums {
					// SAFETY: the instructions are enabled here.
					unsafe { int8::<$step, T>(tile, a, stride) }
				}
				// SAFETY: `self` exists only where `detect` found the instructions.
				unsafe { with_features::<T>(tile, a, stride) }
			}
		}

		impl Kernel for $kernel {
			fn name(&self) -> &'static str {
				$name
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

		impl Products for $kernel {
			const TERNARY_TOKENS: usize = 4;
			const INT8_TOKENS: usize = 4;
			const INT8_OFFSET: i32 = 0;

			fn ternary_one(&self, stream: &[u8], blocks: usize, a: &[i8], out: &mut [i32]) {
				let tiles = stream.chunks_exact(blocks * TILE_BLOCK);
				for (tile, out) in tiles.zip(out.chunks_mut(TILE_ROWS)) {
					let [sums, ..] = $kernel::ternary::<1>(self, tile, a, 0);
					drive::add(out, &sums);
				}
			}

			fn ternary_some(&self, tile: &[u8], a: &[i8], stride: usize, tokens: usize) -> Sums {
				match tokens {
					1 => $kernel::ternary::<1>(self, tile, a, stride),
					2 => $kernel::ternary::<2>(self, tile, a, stride),
					3 => $kernel::ternary::<3>(self, tile, a, stride),
					_ => $kernel::ternary::<4>(self, tile, a, stride),
				}
			}

			fn int8_one(&self, stream: &[u8], blocks: usize, a: &[i8], out: &mut [i32]) {
				let tiles = stream.chunks_exact(blocks * TILE_BLOCK);
				for (tile, out) in tiles.zip(out.chunks_mut(TILE_ROWS)) {
					let [sums, ..] = $kernel::int8::<1>(self, tile, a, 0);
					drive::add(out, &sums);
				}
			}

			fn int8_some(&self, tile: &[u8], a: &[i8], stride: usize, tokens: usize) -> Sums {
				match tokens {
					1 => $kernel::int8::<1>(self, tile, a, stride),
					2 => $kernel::int8::<2>(self, tile, a, stride),
					3 => $kernel::int8::<3>(self, tile, a, stride),
					_ => $kernel::int8::<4>(self, tile, a, stride),
				}
			}
		}
	};
}

kernel!(Neon, "neon", Widened, "neon", "neon");
kernel!(NeonDot, "neon-dotprod", Dotted, "neon,dotprod", "neon" "dotprod");

/// 16 lanes in four registers.
#[derive(Clone, Copy)]
struct Quarters([float32x4_t; 4]);

/// 16 integers in four registers.
#[derive(Clone, Copy)]
struct IntQuarters([int32x4_t; 4]);

#[inline(always)]
fn each<A, B>(a: [A; 4], f: impl Fn(A) -> B) -> [B; 4] {
	let [a0, a1, a2, a3] = a;
	[f(a0), f(a1), f(a2), f(a3)]
}

#[inline(always)]
fn both<A, B, C>(a: [A; 4], b: [B; 4], f: impl Fn(A, B) -> C) -> [C; 4] {
	let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (a, b);
	[f(a0, b0), f(a1, b1), f(a2, b2), f(a3, b3)]
}

/// `a` where all bits of `mask` are set, `+0` where none are.
#[inline(always)]
unsafe fn masked(a: float32x4_t, mask: uint32x4_t) -> float32x4_t {
	vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(a), mask))
}

impl Lanes for Quarters {
	type Int = IntQuarters;

	#[inline(always)]
	unsafe fn splat(value: f32) -> Self {
		Self([vdupq_n_f32(value); 4])
	}

	#[inline(always)]
	unsafe fn load(from: *const f32) -> Self {
		Self([
			vld1q_f32(from),
			vld1q_f32(from.add(4)),
			vld1q_f32(from.add(8)),
			vld1q_f32(from.add(12)),
		])
	}

	#[inline(always)]
	unsafe fn store(self, to: *mut f32) {
		let [a, b, c, d] = self.0;
		vst1q_f32(to, a);
		vst1q_f32(to.add(4), b);
		vst1q_f32(to.add(8), c);
		vst1q_f32(to.add(12), d);
	}

	#[inline(always)]
	unsafe fn add(self, other: Self) -> Self {
		Self(both(self.0, other.0, |a, b| unsafe { vaddq_f32(a, b) }))
	}

	#[inline(always)]
	unsafe fn sub(self, other: Self) -> Self {
		Self(both(self.0, other.0, |a, b| unsafe { vsubq_f32(a, b) }))
	}

	#[inline(always)]
	unsafe fn mul(self, other: Self) -> Self {
		Self(both(self.0, other.0, |a, b| unsafe { vmulq_f32(a, b) }))
	}

	#[inline(always)]
	unsafe fn div(self, other: Self) -> Self {
		Self(both(self.0, other.0, |a, b| unsafe { vdivq_f32(a, b) }))
	}

	#[inline(always)]
	unsafe fn greater(self, other: Self) -> Self {
		Self(both(self.0, other.0, |a, b| unsafe { vmaxq_f32(a, b) }))
	}

	#[inline(always)]
	unsafe fn at_most(self, limit: Self) -> Self {
		Self(both(self.0, limit.0, |a, limit| unsafe { vbslq_f32(vcgtq_f32(a, limit), limit, a) }))
	}

	#[inline(always)]
	unsafe fn positive(self) -> Self {
		Self(each(self.0, |a| unsafe { masked(a, vcgtq_f32(a, vdupq_n_f32(0.0))) }))
	}

	#[inline(always)]
	unsafe fn zero_where_below(self, x: Self, limit: Self) -> Self {
		let below = both(x.0, limit.0, |x, limit| unsafe { vcltq_f32(x, limit) });
		Self(both(self.0, below, |a, below| unsafe { masked(a, vmvnq_u32(below)) }))
	}

	#[inline(always)]
	unsafe fn round(self) -> Self {
		Self(each(self.0, |a| unsafe { vrndnq_f32(a) }))
	}

	#[inline(always)]
	unsafe fn power_of_two(self) -> Self {
		Self(each(self.0, |a| unsafe {
			let biased = vaddq_s32(vcvtnq_s32_f32(a), vdupq_n_s32(127));
			vreinterpretq_f32_s32(vshlq_n_s32::<23>(biased))
		}))
	}

	#[inline(always)]
	unsafe fn fold(self) -> f32 {
		let [a, b, c, d] = self.0;
		let fours = vaddq_f32(vaddq_f32(a, c), vaddq_f32(b, d));
		let twos = vadd_f32(vget_low_f32(fours), vget_high_f32(fours));
		vget_lane_f32::<0>(twos) + vget_lane_f32::<1>(twos)
	}

	#[inline(always)]
	unsafe fn magnitude(self) -> IntQuarters {
		IntQuarters(each(self.0, |a| unsafe {
			vandq_s32(vreinterpretq_s32_f32(a), vdupq_n_s32(i32::MAX))
		}))
	}

	#[inline(always)]
	unsafe fn to_int(self) -> IntQuarters {
		IntQuarters(each(self.0, |a| unsafe { vcvtnq_s32_f32(a) }))
	}

	#[inline(always)]
	unsafe fn from_int(int: IntQuarters) -> Self {
		Self(each(int.0, |a| unsafe { vcvtq_f32_s32(a) }))
	}

	#[inline(always)]
	unsafe fn int_zero() -> IntQuarters {
		IntQuarters([vdupq_n_s32(0); 4])
	}

	#[inline(always)]
	unsafe fn int_load(from: *const i32) -> IntQuarters {
		IntQuarters([
			vld1q_s32(from),
			vld1q_s32(from.add(4)),
			vld1q_s32(from.add(8)),
			vld1q_s32(from.add(12)),
		])
	}

	#[inline(always)]
	unsafe fn int_store(int: IntQuarters, to: *mut i32) {
		let [a, b, c, d] = int.0;
		vst1q_s32(to, a);
		vst1q_s32(to.add(4), b);
		vst1q_s32(to.add(8), c);
		vst1q_s32(to.add(12), d);
	}

	#[inline(always)]
	unsafe fn int_add(a: IntQuarters, b: IntQuarters) -> IntQuarters {
		IntQuarters(both(a.0, b.0, |a, b| unsafe { vaddq_s32(a, b) }))
	}

	#[inline(always)]
	unsafe fn int_greater(a: IntQuarters, b: IntQuarters) -> IntQuarters {
		IntQuarters(both(a.0, b.0, |a, b| unsafe { vmaxq_s32(a, b) }))
	}

	#[inline(always)]
	unsafe fn int_store_bytes(int: IntQuarters, to: *mut i8) {
		let [a, b, c, d] = each(int.0, |a| unsafe { vmovn_s32(a) });
		let (low, high) = (vcombine_s16(a, b), vcombine_s16(c, d));
		vst1q_s8(to, vcombine_s8(vmovn_s16(low), vmovn_s16(high)));
	}
}

/// Operations on floats with NEON.
mod table {
	use super::Quarters;

	crate::kernels::float::float_table!(TABLE, "neon", Quarters);
}
