//! The chance of a validator to win a primary slot, 1 − (1 − c)^θ, where θ is its part of all
//! weight.
//!
//! With f = −ln(1 − c) that is 1 − e^(−θf). Logarithm and exponential are series in fixed point
//! with 64 fractional bits.

use crate::{wide::mul_div_floor, PPM};

/// The number one in fixed point: 64 fractional bits.
pub const ONE_Q64: u128 = 1 << 64;

/// ln 2 with 64 fractional bits, rounded down.
const LN_2: u128 = 0xb172_17f7_d1cf_79ab;

/// Terms of the exponential's series: the next is below 2^-90 for arguments up to ln 2.
const EXP_TERMS: u128 = 24;

/// The chance per slot in ppm, rounded to the nearest: at most 0.5 ppm (and 10^-10) off.
///
/// `c = c_num / c_den` is the chance that a slot has a primary author at all. A `c` of one or more
/// makes the chance of any weight one; a weight above the total counts as the total. The chance is
/// zero if `c`, its denominator, the weight or the total is zero.
pub fn primary_slot_odds_ppm(c_num: u64, c_den: u64, weight: u128, total: u128) -> u32 {
	let odds = primary_slot_odds_q64(c_num, c_den, weight, total);
	let rounded = odds.saturating_mul(u128::from(PPM)).saturating_add(ONE_Q64 / 2) >> 64;
	u32::try_from(rounded).unwrap_or(PPM).min(PPM)
}

/// The chance per slot with 64 fractional bits (see [`ONE_Q64`]), less than 2^-56 off.
///
/// Arguments as for [`primary_slot_odds_ppm`].
pub fn primary_slot_odds_q64(c_num: u64, c_den: u64, weight: u128, total: u128) -> u128 {
	if c_num == 0 || c_den == 0 || weight == 0 || total == 0 {
		return 0;
	}
	if c_num >= c_den {
		return ONE_Q64;
	}
	let rate = ln_ratio(c_den, c_den.saturating_sub(c_num));
	let exponent = mul_div_floor(rate, weight.min(total), total).unwrap_or(0);
	ONE_Q64.saturating_sub(exp_of_minus(exponent))
}

/// ln(numerator / denominator), for `numerator >= denominator > 0`, below 45.
///
/// The ratio is 2^k × z with z from 1 up to 2, and ln z is 2 artanh((z − 1) / (z + 1)), whose
/// argument is below 1/3. Each of at most 64 doublings and 21 terms is less than 2^-63 off.
fn ln_ratio(numerator: u64, denominator: u64) -> u128 {
	let mut doublings = denominator.leading_zeros().saturating_sub(numerator.leading_zeros());
	let top = u128::from(numerator);
	let mut bottom = u128::from(denominator).wrapping_shl(doublings);
	if bottom > top {
		doublings = doublings.saturating_sub(1);
		bottom >>= 1;
	}
	let argument =
		(top.saturating_sub(bottom) << 64).checked_div(top.saturating_add(bottom)).unwrap_or(0);
	let square = mul_q64(argument, argument);
	let mut power = argument;
	let mut sum = argument;
	let mut odd = 1_u128;
	// The power shrinks at least ninefold each time.
	while power > 0 {
		power = mul_q64(power, square);
		odd = odd.saturating_add(2);
		sum = sum.saturating_add(power.checked_div(odd).unwrap_or(0));
	}
	LN_2.saturating_mul(u128::from(doublings)).saturating_add(sum.saturating_mul(2))
}

/// e^(−x).
///
/// x is n ln 2 + r with r below ln 2, so that the result is 2^-n times the series of e^(−r), which
/// is evaluated from its last term on: every intermediate value lies between 0 and 1.
fn exp_of_minus(x: u128) -> u128 {
	let halvings = x / LN_2;
	let rest = x % LN_2;
	let series = (1..=EXP_TERMS).rev().fold(ONE_Q64, |inner, n| {
		ONE_Q64.saturating_sub(mul_q64(rest, inner).checked_div(n).unwrap_or(0))
	});
	u32::try_from(halvings).ok().and_then(|n| series.checked_shr(n)).unwrap_or(0)
}

/// Product of two numbers in fixed point, rounded down: one below 1, the other at most 1.
fn mul_q64(a: u128, b: u128) -> u128 {
	a.saturating_mul(b) >> 64
}
