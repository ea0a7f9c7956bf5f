//! Multiplication followed by division, with the product kept in 256 bits.
//!
//! A share of an amount is `amount × part / whole`, and the product outgrows 128 bits long before
//! the quotient does.

use crate::PPM;

const LOW: u128 = u64::MAX as u128;

/// `a × b` as `(high, low)`: the product is `high × 2^128 + low`.
pub fn widening_mul(a: u128, b: u128) -> (u128, u128) {
	let (a1, a0) = (a >> 64, a & LOW);
	let (b1, b0) = (b >> 64, b & LOW);
	// Products of 64-bit halves fit 128 bits, and so do the sums below: nothing wraps.
	let low = a0.wrapping_mul(b0);
	let cross = a0.wrapping_mul(b1);
	let other = a1.wrapping_mul(b0);
	let middle = (low >> 64).wrapping_add(cross & LOW).wrapping_add(other & LOW);
	let high = a1
		.wrapping_mul(b1)
		.wrapping_add(cross >> 64)
		.wrapping_add(other >> 64)
		.wrapping_add(middle >> 64);
	(high, (middle << 64) | (low & LOW))
}

/// Quotient and remainder of `a × b / c`.
///
/// `None` if `c` is zero or the quotient does not fit 128 bits.
pub fn mul_div_rem(a: u128, b: u128, c: u128) -> Option<(u128, u128)> {
	if let Some(product) = a.checked_mul(b) {
		return Some((product.checked_div(c)?, product.checked_rem(c)?));
	}
	let (high, low) = widening_mul(a, b);
	// True for a divisor of zero as well.
	if high >= c {
		return None;
	}
	// Long division in digits of 64 bits wants the divisor's top bit set. `high < c`, so that its
	// shift loses nothing; the shift of `low` is in two steps because the first may be by 128.
	let shift = c.leading_zeros();
	let divisor = c.wrapping_shl(shift);
	let carried = (low >> 1).wrapping_shr(127_u32.wrapping_sub(shift));
	let high = high.wrapping_shl(shift) | carried;
	let low = low.wrapping_shl(shift);
	let (upper, rest) = quotient_digit(high, low >> 64, divisor);
	let (lower, rest) = quotient_digit(rest, low & LOW, divisor);
	Some(((upper << 64) | lower, rest.wrapping_shr(shift)))
}

/// One step of the long division: `(remainder × 2^64 + next) / divisor` and what is left over, for
/// `remainder < divisor`, `next < 2^64` and a divisor of at least 2^127.
fn quotient_digit(remainder: u128, next: u128, divisor: u128) -> (u128, u128) {
	let (top, bottom) = (divisor >> 64, divisor & LOW);
	let mut guess = remainder.checked_div(top).unwrap_or(0);
	let mut rest = remainder.wrapping_sub(guess.wrapping_mul(top));
	// The guess ignores the divisor's lower half, and is at most two too big for it.
	while rest <= LOW && (guess > LOW || guess.wrapping_mul(bottom) > ((rest << 64) | next)) {
		guess = guess.wrapping_sub(1);
		rest = rest.wrapping_add(top);
	}
	// Both terms may exceed 128 bits; their difference does not.
	let left = ((remainder << 64) | next).wrapping_sub(guess.wrapping_mul(divisor));
	(guess, left)
}

/// `a × b / c` rounded down, at most `u128::MAX`. `None` if `c` is zero.
pub fn mul_div_floor(a: u128, b: u128, c: u128) -> Option<u128> {
	if c == 0 {
		return None;
	}
	Some(mul_div_rem(a, b, c).map_or(u128::MAX, |(quotient, _)| quotient))
}

/// `a × b / c` rounded up, at most `u128::MAX`. `None` if `c` is zero.
pub fn mul_div_ceil(a: u128, b: u128, c: u128) -> Option<u128> {
	if c == 0 {
		return None;
	}
	Some(mul_div_rem(a, b, c).map_or(u128::MAX, |(quotient, remainder)| {
		quotient.saturating_add(u128::from(remainder != 0))
	}))
}

/// `value × ppm / 1,000,000` rounded down, at most `u128::MAX`.
pub fn mul_ppm(value: u128, ppm: u32) -> u128 {
	mul_div_floor(value, u128::from(ppm), u128::from(PPM)).unwrap_or(0)
}
