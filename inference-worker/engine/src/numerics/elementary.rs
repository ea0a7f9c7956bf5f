//! Elementary functions from `+ − × ÷` alone, so that no library's rounding can differ
//! (`docs/protocol/numerics.md`, "Elementary functions").

const LOG2_E: f32 = f32::from_bits(0x3FB8_AA3B);
const LN_2_HIGH: f32 = f32::from_bits(0x3F31_8000);
const LN_2_LOW: f32 = f32::from_bits(0xB95E_8083);

/// `1 ÷ k!` rounded to f32, for `k` from 7 down to 0: in the order in which Horner's rule needs
/// them.
const INVERSE_FACTORIALS: [f32; 8] =
	[1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 1.0 / 2.0, 1.0, 1.0];

/// `1.5 × 2^23`: added to a float below `2^22` in size, it leaves the nearest integer, ties to even,
/// in the lowest bits. Unlike a call to a rounding function this compiles to vector code anywhere.
const ROUNDER: f32 = 12_582_912.0;

/// `e^x`: 0 below −87, `e^88` above 88. The error is below 2 units in the last place; of NaN, NaN.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
	let bounded = if x > 88.0 { 88.0 } else { x };
	let shifted = bounded * LOG2_E + ROUNDER;
	let n = shifted - ROUNDER;
	let r = (bounded - n * LN_2_HIGH) - n * LN_2_LOW;
	let mut p = INVERSE_FACTORIALS[0];
	p = p * r + INVERSE_FACTORIALS[1];
	p = p * r + INVERSE_FACTORIALS[2];
	p = p * r + INVERSE_FACTORIALS[3];
	p = p * r + INVERSE_FACTORIALS[4];
	p = p * r + INVERSE_FACTORIALS[5];
	p = p * r + INVERSE_FACTORIALS[6];
	p = p * r + INVERSE_FACTORIALS[7];
	// 2^n by its biased exponent. What lies outside −87 ..= 88 makes nonsense of it, and is either
	// replaced below or NaN in `p` already.
	let exponent = shifted.to_bits().wrapping_sub(ROUNDER.to_bits()).wrapping_add(127);
	let value = p * f32::from_bits(exponent << 23);
	if x < -87.0 {
		0.0
	} else {
		value
	}
}

/// `1 ÷ (1 + e^(−x))`.
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
	1.0 / (1.0 + exp(-x))
}

const LN_2: f64 = f64::from_bits(0x3FE6_2E42_FEFA_39EF);
const LOG2_E_64: f64 = f64::from_bits(0x3FF7_1547_652B_82FE);
const LN_2_HIGH_64: f64 = f64::from_bits(0x3FE6_2E42_FEE0_0000);
const LN_2_LOW_64: f64 = f64::from_bits(0x3DEA_39EF_3579_3C76);
const TWO_OVER_PI: f64 = f64::from_bits(0x3FE4_5F30_6DC9_C883);
const HALF_PI: [f64; 3] = [
	f64::from_bits(0x3FF9_21FB_5440_0000),
	f64::from_bits(0x3DD0_B461_1A60_0000),
	f64::from_bits(0x3BA3_198A_2E03_7073),
];

/// The natural logarithm of an integer that is at least 1; −∞ for 0.
pub fn ln(u: u32) -> f64 {
	if u == 0 {
		return f64::NEG_INFINITY;
	}
	let mut e = 31 - u.leading_zeros().min(31);
	let mut m = f64::from(u) / f64::from(1u32 << e);
	if m > std::f64::consts::SQRT_2 {
		m /= 2.0;
		e += 1;
	}
	let z = (m - 1.0) / (m + 1.0);
	let y = z * z;
	let mut s = 1.0 / 41.0;
	let mut k = 39.0;
	while k > 0.0 {
		s = s * y + 1.0 / k;
		k -= 2.0;
	}
	f64::from(e) * LN_2 + (2.0 * z) * s
}

/// `e^x` in f64, for `x` of −700 ..= 0.
pub fn exp64(x: f64) -> f64 {
	let n = (x * LOG2_E_64).round_ties_even();
	let r = (x - n * LN_2_HIGH_64) - n * LN_2_LOW_64;
	let mut p = 1.0;
	let mut k = 20.0;
	while k > 0.0 {
		p = 1.0 + (r * p) / k;
		k -= 1.0;
	}
	let exponent = (n as i64).clamp(-1022, 1023) + 1023;
	p * f64::from_bits((exponent as u64) << 52)
}

/// Sine and cosine, in this order, of an angle in radians with `0 <= a < 2^20`.
pub fn sincos(a: f64) -> (f64, f64) {
	let k = (a * TWO_OVER_PI).round_ties_even();
	let r = ((a - k * HALF_PI[0]) - k * HALF_PI[1]) - k * HALF_PI[2];
	let y = r * r;
	let (mut s, mut c) = (1.0, 1.0);
	let mut j = 19.0;
	while j > 2.0 {
		s = 1.0 - (y * s) / (j * (j - 1.0));
		j -= 1.0;
		c = 1.0 - (y * c) / (j * (j - 1.0));
		j -= 1.0;
	}
	let s = r * s;
	match (k as i64) & 3 {
		0 => (s, c),
		1 => (c, -s),
		2 => (-s, -c),
		_ => (-c, s),
	}
}

/// The value of a half (IEEE 754 binary16); exact.
#[inline]
pub fn f16_to_f32(bits: u16) -> f32 {
	let sign = u32::from(bits & 0x8000) << 16;
	let magnitude = u32::from(bits & 0x7FFF);
	let value = if magnitude >= 0x7C00 {
		// Infinity and NaN.
		0x7F80_0000 | ((magnitude & 0x3FF) << 13)
	} else if magnitude >= 0x400 {
		(magnitude << 13) + (112 << 23)
	} else {
		// A denormal half: an integer times 2^−24.
		(magnitude as f32 * f32::from_bits(0x3380_0000)).to_bits()
	};
	f32::from_bits(sign | value)
}

/// The nearest half, ties to even; beyond the range infinity, of NaN a quiet NaN.
pub fn f32_to_f16(x: f32) -> u16 {
	let bits = x.to_bits();
	let sign = ((bits >> 16) & 0x8000) as u16;
	let magnitude = bits & 0x7FFF_FFFF;
	let value = if magnitude > 0x7F80_0000 {
		0x7E00
	} else if magnitude >= 0x477F_F000 {
		// From 65,520 on the nearest half would be 65,536, which is none.
		0x7C00
	} else if magnitude >= 0x3880_0000 {
		let rebased = magnitude - (112 << 23);
		let odd = (rebased >> 13) & 1;
		(rebased + 0xFFF + odd) >> 13
	} else {
		// A denormal half counts units of 2^−24; the product is exact, the rounding the only one.
		(f32::from_bits(magnitude) * 16_777_216.0).round_ties_even() as u32
	};
	sign | value as u16
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	#[test]
	fn exp_should_be_within_two_units_of_the_last_place() {
		let mut x = -87.0f32;
		while x < 88.0 {
			let (made, exact) = (exp(x), f64::from(x).exp());
			let unit = f64::from(f32::from_bits(made.to_bits() + 1)) - f64::from(made);
			assert!(((f64::from(made) - exact) / unit).abs() < 2.0, "exp({x}) is {made}");
			x += 0.001_37;
		}
	}

	#[test]
	fn exp_should_hold_at_its_ends() {
		assert_eq!(exp(0.0), 1.0);
		assert_eq!(exp(-0.0), 1.0);
		assert_eq!(exp(-87.000_01), 0.0);
		assert_eq!(exp(f32::NEG_INFINITY), 0.0);
		assert_eq!(exp(f32::INFINITY), exp(88.0));
		assert!(exp(-87.0) > 0.0 && exp(88.0).is_finite());
		assert!(exp(f32::NAN).is_nan() && sigmoid(f32::NAN).is_nan());
		assert_eq!((sigmoid(0.0), sigmoid(200.0)), (0.5, 1.0));
	}

	#[test]
	fn f64_functions_should_be_close_to_the_true_ones() {
		for u in (1u32..5000).chain([10_000, 500_000, 1 << 31, u32::MAX]) {
			assert!((ln(u) - f64::from(u).ln()).abs() <= 1e-14 * (1.0 + ln(u)), "ln({u})");
		}
		for step in 0..3000 {
			let x = -f64::from(step) * 0.01;
			assert!((exp64(x) / x.exp() - 1.0).abs() < 1e-14, "exp64({x})");
			let a = f64::from(step) * 349.123;
			let (s, c) = sincos(a);
			assert!((s - a.sin()).abs() < 1e-14 && (c - a.cos()).abs() < 1e-14, "sincos({a})");
		}
		assert_eq!((ln(0), ln(1)), (f64::NEG_INFINITY, 0.0));
		assert_eq!(sincos(0.0), (0.0, 1.0));
	}

	#[test]
	fn every_half_should_survive_the_way_to_f32_and_back() {
		for bits in 0..=u16::MAX {
			let value = f16_to_f32(bits);
			if value.is_nan() {
				assert!(f16_to_f32(f32_to_f16(value)).is_nan());
			} else {
				assert_eq!(f32_to_f16(value), bits);
			}
		}
		assert_eq!(f16_to_f32(0x3C00), 1.0);
		assert_eq!(f16_to_f32(0x7BFF), 65_504.0);
		assert_eq!(f16_to_f32(0x0001), 2.0f32.powi(-24));
	}

	proptest! {
		#[test]
		fn a_half_should_be_the_nearest_one(bits in 0u32..0x477F_E000) {
			let x = f32::from_bits(bits);
			let half = f32_to_f16(x);
			let error = (f64::from(f16_to_f32(half)) - f64::from(x)).abs();
			for neighbour in [half.saturating_sub(1), half + 1] {
				let other = (f64::from(f16_to_f32(neighbour)) - f64::from(x)).abs();
				prop_assert!(error < other || (error == other && half & 1 == 0) || half == neighbour);
			}
			prop_assert_eq!(f32_to_f16(-x), half | 0x8000);
		}
	}
}
