//! Logarithm, exponential and power in double precision, out of the four operations that IEEE 754
//! defines to the bit.
//!
//! Those of the standard library are the platform's, and differ in the last bit between platforms,
//! which a simulation of thousands of steps would show.

use std::f64::consts::{LN_2, SQRT_2};

/// Bits of a double's fraction.
const FRACTION: u32 = 52;

/// What the exponent of a double is stored with on top.
const BIAS: i64 = 1023;

/// The natural logarithm, to about 15 digits; negative infinity for what is not above zero.
pub fn ln(x: f64) -> f64 {
	if x.is_nan() || x <= 0.0 {
		return f64::NEG_INFINITY;
	}
	if x.is_infinite() {
		return x;
	}
	let bits = x.max(f64::MIN_POSITIVE).to_bits();
	let mut exponent = (bits >> FRACTION) as i64 - BIAS;
	let fraction = bits & ((1_u64 << FRACTION) - 1);
	let mut mantissa = f64::from_bits(fraction | ((BIAS as u64) << FRACTION));
	if mantissa > SQRT_2 {
		mantissa /= 2.0;
		exponent += 1;
	}
	// ln m = 2 artanh z with |z| below 0.172: fourteen terms leave less than 10^-22.
	let z = (mantissa - 1.0) / (mantissa + 1.0);
	let square = z * z;
	let series = (0..14_u32).rev().fold(0.0, |sum, n| sum * square + 1.0 / f64::from(2 * n + 1));
	exponent as f64 * LN_2 + 2.0 * z * series
}

/// e^x, to about 13 digits; what lies beyond ±700 counts as ±700.
pub fn exp(x: f64) -> f64 {
	let x = x.clamp(-700.0, 700.0);
	let doublings = (x / LN_2 + 0.5).floor();
	let rest = x - doublings * LN_2;
	let series = (1..=18_u32).rev().fold(1.0, |inner, n| 1.0 + rest * inner / f64::from(n));
	series * f64::from_bits(((doublings as i64 + BIAS) as u64) << FRACTION)
}

/// `base^exponent` for a base that is not negative; 0 for a base of 0 or below.
pub fn pow(base: f64, exponent: f64) -> f64 {
	if base > 0.0 {
		exp(exponent * ln(base))
	} else {
		0.0
	}
}

/// The logistic curve 1 / (1 + e^−x).
pub fn logistic(x: f64) -> f64 {
	1.0 / (1.0 + exp(-x))
}

#[cfg(test)]
mod tests {
	use super::*;

	fn close(a: f64, b: f64) -> bool {
		(a - b).abs() <= 1e-12 * b.abs().max(1.0)
	}

	#[test]
	fn functions_should_agree_with_the_platforms() {
		for step in -400..=400_i32 {
			let x = f64::from(step) / 7.0;
			assert!((exp(x) / x.exp() - 1.0).abs() < 1e-12, "e^{x}");
			let y = x.exp();
			assert!(close(ln(y), y.ln()), "ln {y}");
			assert!((pow(y, 0.37) / y.powf(0.37) - 1.0).abs() < 1e-12, "{y}^0.37");
			assert!(close(logistic(x), 1.0 / (1.0 + (-x).exp())), "logistic {x}");
		}
	}

	#[test]
	fn functions_should_be_defined_everywhere() {
		assert_eq!(ln(0.0), f64::NEG_INFINITY);
		assert_eq!(ln(-1.0), f64::NEG_INFINITY);
		assert_eq!(ln(f64::NAN), f64::NEG_INFINITY);
		assert_eq!(ln(f64::INFINITY), f64::INFINITY);
		assert!(close(ln(f64::MIN_POSITIVE), f64::MIN_POSITIVE.ln()));
		assert_eq!(exp(0.0), 1.0);
		assert_eq!(exp(-1e9), exp(-700.0));
		assert_eq!(exp(1e9), exp(700.0));
		assert_eq!(pow(0.0, 0.5), 0.0);
		assert_eq!(pow(-2.0, 2.0), 0.0);
	}
}
