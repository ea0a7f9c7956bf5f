//! Operations on floats, written once over 16 lanes and compiled for each instruction set.
//!
//! Every lane does what `docs/protocol/numerics.md` says of one value, in the order in which it is
//! written there; nothing is fused, because the compiler never does so on its own. A sum's 16
//! accumulators are the lanes. A tail of fewer than 16 values is padded with zeros, which change
//! neither sums nor the greatest absolute value.
//!
//! Everything here is inlined into functions that have the instruction set enabled: that is what
//! `unsafe` stands for in this file.

#![allow(unsafe_code)]

/// Values of a vector.
pub(super) const LANES: usize = 16;

/// 16 floats in as many registers as an instruction set needs for them.
///
/// # Safety
///
/// Functions may be called only where the processor has the instruction set of the implementation.
/// Pointers are to 16 values that may be read or written.
pub(super) trait Lanes: Copy {
	/// 16 integers.
	type Int: Copy;

	unsafe fn splat(value: f32) -> Self;
	unsafe fn load(from: *const f32) -> Self;
	unsafe fn store(self, to: *mut f32);
	unsafe fn add(self, other: Self) -> Self;
	unsafe fn sub(self, other: Self) -> Self;
	unsafe fn mul(self, other: Self) -> Self;
	unsafe fn div(self, other: Self) -> Self;
	/// The greater of two numbers; neither is NaN.
	unsafe fn greater(self, other: Self) -> Self;
	/// `limit` where it is exceeded; NaN stays.
	unsafe fn at_most(self, limit: Self) -> Self;
	/// `+0` where the value is not above 0.
	unsafe fn positive(self) -> Self;
	/// `+0` where `x < limit`.
	unsafe fn zero_where_below(self, x: Self, limit: Self) -> Self;
	/// The nearest integers, ties to even.
	unsafe fn round(self) -> Self;
	/// `2^n` of integers −126 ..= 127. Of anything else something that is not NaN times NaN.
	unsafe fn power_of_two(self) -> Self;
	/// Lanes 8, 4, 2 and 1 apart added up, as "Striped sums" says.
	unsafe fn fold(self) -> f32;

	/// The bits without sign, which order as the absolute values do.
	unsafe fn magnitude(self) -> Self::Int;
	/// Of integers in the range of i32.
	unsafe fn to_int(self) -> Self::Int;
	/// Rounded to nearest, ties to even.
	unsafe fn from_int(int: Self::Int) -> Self;
	unsafe fn int_zero() -> Self::Int;
	unsafe fn int_load(from: *const i32) -> Self::Int;
	unsafe fn int_store(int: Self::Int, to: *mut i32);
	unsafe fn int_add(a: Self::Int, b: Self::Int) -> Self::Int;
	/// The greater ones as signed integers.
	unsafe fn int_greater(a: Self::Int, b: Self::Int) -> Self::Int;
	/// Of integers in the range of i8.
	unsafe fn int_store_bytes(int: Self::Int, to: *mut i8);
}

/// Runs the body for each 16 of `$length` values, and once more for a tail.
macro_rules! for_lanes {
	($length:expr, $at:ident => $body:expr) => {{
		let length: usize = $length;
		let mut $at = 0;
		while $at + LANES <= length {
			$body;
			$at += LANES;
		}
		if $at < length {
			$body;
		}
	}};
}

/// Up to 16 values from `at`, and zeros.
#[cold]
#[inline(never)]
fn padded<T: Copy + Default>(x: &[T], at: usize) -> [T; LANES] {
	let mut buffer = [T::default(); LANES];
	for (to, from) in buffer.iter_mut().zip(x.iter().skip(at)) {
		*to = *from;
	}
	buffer
}

/// As many of 16 values as there is room for from `at`.
#[cold]
#[inline(never)]
fn cut<T: Copy>(x: &mut [T], at: usize, buffer: &[T; LANES]) {
	for (to, from) in x.iter_mut().skip(at).zip(buffer) {
		*to = *from;
	}
}

#[inline(always)]
unsafe fn load<V: Lanes>(x: &[f32], at: usize) -> V {
	if at + LANES <= x.len() {
		V::load(x.as_ptr().add(at))
	} else {
		V::load(padded(x, at).as_ptr())
	}
}

#[inline(always)]
unsafe fn store<V: Lanes>(value: V, x: &mut [f32], at: usize) {
	if at + LANES <= x.len() {
		value.store(x.as_mut_ptr().add(at));
	} else {
		let mut buffer = [0.0; LANES];
		value.store(buffer.as_mut_ptr());
		cut(x, at, &buffer);
	}
}

#[inline(always)]
unsafe fn int_load<V: Lanes>(x: &[i32], at: usize) -> V {
	V::from_int(if at + LANES <= x.len() {
		V::int_load(x.as_ptr().add(at))
	} else {
		V::int_load(padded(x, at).as_ptr())
	})
}

const LOG2_E: f32 = f32::from_bits(0x3FB8_AA3B);
const LN_2_HIGH: f32 = f32::from_bits(0x3F31_8000);
const LN_2_LOW: f32 = f32::from_bits(0xB95E_8083);

/// `1 ÷ k!` for `k` from 6 down to 0; a quotient of integers is rounded once.
const INVERSE_FACTORIALS: [f32; 7] =
	[1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 1.0 / 2.0, 1.0, 1.0];

/// `exp` of "Elementary functions".
#[inline(always)]
unsafe fn exp<V: Lanes>(x: V) -> V {
	let bounded = x.at_most(V::splat(88.0));
	let n = bounded.mul(V::splat(LOG2_E)).round();
	let r = bounded.sub(n.mul(V::splat(LN_2_HIGH))).sub(n.mul(V::splat(LN_2_LOW)));
	let mut p = V::splat(1.0 / 5040.0);
	let [c6, c5, c4, c3, c2, c1, c0] = INVERSE_FACTORIALS;
	p = p.mul(r).add(V::splat(c6));
	p = p.mul(r).add(V::splat(c5));
	p = p.mul(r).add(V::splat(c4));
	p = p.mul(r).add(V::splat(c3));
	p = p.mul(r).add(V::splat(c2));
	p = p.mul(r).add(V::splat(c1));
	p = p.mul(r).add(V::splat(c0));
	// Below −87 the power is nonsense, and replaced.
	p.mul(n.power_of_two()).zero_where_below(x, V::splat(-87.0))
}

#[inline(always)]
pub(super) unsafe fn sum_squares<V: Lanes>(x: &[f32]) -> f32 {
	dot::<V>(x, x)
}

#[inline(always)]
pub(super) unsafe fn dot<V: Lanes>(a: &[f32], b: &[f32]) -> f32 {
	let length = a.len().min(b.len());
	let (a, b) = (&a[..length], &b[..length]);
	let mut acc = V::splat(0.0);
	for_lanes!(length, at => acc = acc.add(load::<V>(a, at).mul(load::<V>(b, at))));
	acc.fold()
}

/// Four at a time, so that their additions need not wait for each other.
#[inline(always)]
pub(super) unsafe fn dots<V: Lanes>(query: &[f32], keys: &[f32], out: &mut [f32]) {
	let length = query.len().max(1);
	let count = out.len().min(keys.len() / length);
	let (keys, out) = (&keys[..count * length], &mut out[..count]);
	let mut fours = out.chunks_exact_mut(4);
	let mut key_fours = keys.chunks_exact(4 * length);
	for (out, keys) in fours.by_ref().zip(key_fours.by_ref()) {
		let (k0, rest) = keys.split_at(length);
		let (k1, rest) = rest.split_at(length);
		let (k2, k3) = rest.split_at(length);
		let zero = V::splat(0.0);
		let (mut a0, mut a1, mut a2, mut a3) = (zero, zero, zero, zero);
		for_lanes!(query.len(), at => {
			let q = load::<V>(query, at);
			a0 = a0.add(q.mul(load::<V>(k0, at)));
			a1 = a1.add(q.mul(load::<V>(k1, at)));
			a2 = a2.add(q.mul(load::<V>(k2, at)));
			a3 = a3.add(q.mul(load::<V>(k3, at)));
		});
		out.copy_from_slice(&[a0.fold(), a1.fold(), a2.fold(), a3.fold()]);
	}
	let keys = key_fours.remainder().chunks_exact(length);
	for (out, key) in fours.into_remainder().iter_mut().zip(keys) {
		*out = dot::<V>(query, key);
	}
}

#[inline(always)]
pub(super) unsafe fn sum<V: Lanes>(x: &[f32]) -> f32 {
	let mut acc = V::splat(0.0);
	for_lanes!(x.len(), at => acc = acc.add(load::<V>(x, at)));
	acc.fold()
}

#[inline(always)]
pub(super) unsafe fn max<V: Lanes>(x: &[f32]) -> f32 {
	let mut acc = V::splat(f32::NEG_INFINITY);
	let mut chunks = x.chunks_exact(LANES);
	for chunk in chunks.by_ref() {
		acc = acc.greater(V::load(chunk.as_ptr()));
	}
	let mut lanes = [0.0; LANES];
	acc.store(lanes.as_mut_ptr());
	let greater = |max: f32, x: &f32| if *x > max { *x } else { max };
	let max = lanes.iter().chain(chunks.remainder()).fold(f32::NEG_INFINITY, greater);
	// Adding +0 makes +0 of −0, whichever of the two came first.
	max + 0.0
}

#[inline(always)]
pub(super) unsafe fn absmax_bits<V: Lanes>(x: &[f32]) -> u32 {
	let mut acc = V::int_zero();
	for_lanes!(x.len(), at => acc = V::int_greater(acc, load::<V>(x, at).magnitude()));
	let mut lanes = [0; LANES];
	V::int_store(acc, lanes.as_mut_ptr());
	lanes.iter().fold(0, |max, lane| max.max(*lane as u32))
}

#[inline(always)]
pub(super) unsafe fn quantise<V: Lanes>(x: &[f32], scale: f32, out: &mut [i8]) -> i32 {
	let length = x.len().min(out.len());
	let (x, out) = (&x[..length], &mut out[..length]);
	let (scale, low, high) = (V::splat(scale), V::splat(-128.0), V::splat(127.0));
	let mut sum = V::int_zero();
	for_lanes!(length, at => {
		let value = load::<V>(x, at).mul(scale).round().greater(low).at_most(high).to_int();
		sum = V::int_add(sum, value);
		if at + LANES <= length {
			V::int_store_bytes(value, out.as_mut_ptr().add(at));
		} else {
			let mut buffer = [0; LANES];
			V::int_store_bytes(value, buffer.as_mut_ptr());
			cut(out, at, &buffer);
		}
	});
	let mut lanes = [0; LANES];
	V::int_store(sum, lanes.as_mut_ptr());
	lanes.iter().fold(0, |sum, lane| sum.wrapping_add(*lane))
}

#[inline(always)]
pub(super) unsafe fn norm<V: Lanes>(x: &[f32], r: f32, gain: &[f32], out: &mut [f32]) {
	let length = x.len().min(gain.len()).min(out.len());
	let (x, gain, out) = (&x[..length], &gain[..length], &mut out[..length]);
	let r = V::splat(r);
	for_lanes!(length, at => {
		store(load::<V>(x, at).mul(r).mul(load::<V>(gain, at)), out, at);
	});
}

#[inline(always)]
pub(super) unsafe fn add<V: Lanes>(x: &mut [f32], y: &[f32]) {
	let length = x.len().min(y.len());
	let (x, y) = (&mut x[..length], &y[..length]);
	for_lanes!(length, at => store(load::<V>(x, at).add(load::<V>(y, at)), x, at));
}

#[inline(always)]
pub(super) unsafe fn scale<V: Lanes>(x: &mut [f32], factor: f32) {
	let factor = V::splat(factor);
	for_lanes!(x.len(), at => store(load::<V>(x, at).mul(factor), x, at));
}

#[inline(always)]
pub(super) unsafe fn axpy<V: Lanes>(out: &mut [f32], e: f32, v: &[f32]) {
	let length = out.len().min(v.len());
	let (out, v) = (&mut out[..length], &v[..length]);
	let e = V::splat(e);
	for_lanes!(length, at => store(load::<V>(out, at).add(e.mul(load::<V>(v, at))), out, at));
}

/// 64 sums stay in registers while all values pass.
#[inline(always)]
pub(super) unsafe fn mix<V: Lanes>(out: &mut [f32], weights: &[f32], values: &[f32]) {
	let length = out.len();
	let mut at = 0;
	while at + 4 * LANES <= length {
		let sums = out.as_mut_ptr().add(at);
		let (mut s0, mut s1) = (V::load(sums), V::load(sums.add(LANES)));
		let (mut s2, mut s3) = (V::load(sums.add(2 * LANES)), V::load(sums.add(3 * LANES)));
		for (weight, value) in weights.iter().zip(values.chunks_exact(length)) {
			let (weight, value) = (V::splat(*weight), value.as_ptr().add(at));
			s0 = s0.add(weight.mul(V::load(value)));
			s1 = s1.add(weight.mul(V::load(value.add(LANES))));
			s2 = s2.add(weight.mul(V::load(value.add(2 * LANES))));
			s3 = s3.add(weight.mul(V::load(value.add(3 * LANES))));
		}
		s0.store(sums);
		s1.store(sums.add(LANES));
		s2.store(sums.add(2 * LANES));
		s3.store(sums.add(3 * LANES));
		at += 4 * LANES;
	}
	while at < length {
		let mut sum = load::<V>(out, at);
		for (weight, value) in weights.iter().zip(values.chunks_exact(length)) {
			sum = sum.add(V::splat(*weight).mul(load::<V>(value, at)));
		}
		store(sum, out, at);
		at += LANES;
	}
}

#[inline(always)]
pub(super) unsafe fn exp_shifted<V: Lanes>(x: &mut [f32], max: f32) {
	let max = V::splat(max);
	for_lanes!(x.len(), at => store(exp(load::<V>(x, at).sub(max)), x, at));
}

#[inline(always)]
pub(super) unsafe fn squared_relu_mul<V: Lanes>(gate: &mut [f32], up: &[f32]) {
	let length = gate.len().min(up.len());
	let (gate, up) = (&mut gate[..length], &up[..length]);
	for_lanes!(length, at => {
		let r = load::<V>(gate, at).positive();
		store(r.mul(r).mul(load::<V>(up, at)), gate, at);
	});
}

#[inline(always)]
pub(super) unsafe fn silu_mul<V: Lanes>(gate: &mut [f32], up: &[f32]) {
	let length = gate.len().min(up.len());
	let (gate, up) = (&mut gate[..length], &up[..length]);
	let (zero, one) = (V::splat(0.0), V::splat(1.0));
	for_lanes!(length, at => {
		let g = load::<V>(gate, at);
		let sigmoid = one.div(one.add(exp(zero.sub(g))));
		store(g.mul(sigmoid).mul(load::<V>(up, at)), gate, at);
	});
}

#[inline(always)]
pub(super) unsafe fn rotate<V: Lanes>(x: &mut [f32], cos: &[f32], sin: &[f32]) {
	let (low, high) = x.split_at_mut(x.len() / 2);
	let length = low.len().min(cos.len()).min(sin.len());
	let (low, high) = (&mut low[..length], &mut high[..length]);
	let (cos, sin) = (&cos[..length], &sin[..length]);
	for_lanes!(length, at => {
		let (a, b) = (load::<V>(low, at), load::<V>(high, at));
		let (c, s) = (load::<V>(cos, at), load::<V>(sin, at));
		store(a.mul(c).sub(b.mul(s)), low, at);
		store(b.mul(c).add(a.mul(s)), high, at);
	});
}

#[inline(always)]
pub(super) unsafe fn dequantise<V: Lanes>(acc: &[i32], factor: f32, out: &mut [f32]) {
	let length = acc.len().min(out.len());
	let (acc, out) = (&acc[..length], &mut out[..length]);
	let factor = V::splat(factor);
	for_lanes!(length, at => store(int_load::<V>(acc, at).mul(factor), out, at));
}

#[inline(always)]
pub(super) unsafe fn dequantise_rows<V: Lanes>(
	acc: &[i32],
	scales: &[f32],
	factor: f32,
	out: &mut [f32],
) {
	let length = acc.len().min(scales.len()).min(out.len());
	let (acc, scales, out) = (&acc[..length], &scales[..length], &mut out[..length]);
	let factor = V::splat(factor);
	for_lanes!(length, at => {
		store(int_load::<V>(acc, at).mul(load::<V>(scales, at)).mul(factor), out, at);
	});
}

/// The table of an instruction set: each operation compiled with `$features` enabled.
///
/// Whoever uses it promises that the table is handed out only where the processor has them.
macro_rules! float_table {
	($table:ident, $features:tt, $lanes:ty) => {
		$crate::kernels::float::float_table! {
			@functions $features, $lanes,
			sum_squares(x: &[f32]) -> f32;
			dot(a: &[f32], b: &[f32]) -> f32;
			dots(query: &[f32], keys: &[f32], out: &mut [f32]) -> ();
			sum(x: &[f32]) -> f32;
			max(x: &[f32]) -> f32;
			absmax_bits(x: &[f32]) -> u32;
			quantise(x: &[f32], scale: f32, out: &mut [i8]) -> i32;
			norm(x: &[f32], r: f32, gain: &[f32], out: &mut [f32]) -> ();
			add(x: &mut [f32], y: &[f32]) -> ();
			scale(x: &mut [f32], factor: f32) -> ();
			axpy(out: &mut [f32], e: f32, v: &[f32]) -> ();
			mix(out: &mut [f32], weights: &[f32], values: &[f32]) -> ();
			exp_shifted(x: &mut [f32], max: f32) -> ();
			squared_relu_mul(gate: &mut [f32], up: &[f32]) -> ();
			silu_mul(gate: &mut [f32], up: &[f32]) -> ();
			rotate(x: &mut [f32], cos: &[f32], sin: &[f32]) -> ();
			dequantise(acc: &[i32], factor: f32, out: &mut [f32]) -> ();
			dequantise_rows(acc: &[i32], scales: &[f32], factor: f32, out: &mut [f32]) -> ();
		}

		pub(super) static $table: $crate::kernels::FloatOps = $crate::kernels::FloatOps {
			sum_squares,
			dot,
			dots,
			sum,
			max,
			absmax_bits,
			quantise,
			norm,
			add,
			scale,
			axpy,
			mix,
			exp_shifted,
			squared_relu_mul,
			silu_mul,
			rotate,
			dequantise,
			dequantise_rows,
		};
	};
	(@functions $features:tt, $lanes:ty,
		$($name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*
	) => {
		$(
			#[allow(clippy::unused_unit)]
			fn $name($($argument: $type),*) -> $result {
				#[target_feature(enable = $features)]
				fn with_features($($argument: $type),*) -> $result {
					// SAFETY: the instruction set is enabled here.
					unsafe { $crate::kernels::float::$name::<$lanes>($($argument),*) }
				}
				// SAFETY: the table is handed out only where the processor has the instructions.
				unsafe { with_features($($argument),*) }
			}
		)*
	};
}
pub(super) use float_table;
