use super::{any_ppm, any_u128, config};
use aria_math::wide::*;
use proptest::prelude::*;

/// `a × b / c` one bit of `a` at a time: the product is never formed. `None` on overflow.
fn reference(a: u128, b: u128, c: u128) -> Option<(u128, u128)> {
	/// Doubles or adds remainders below `c`, and says whether that carried a whole `c`.
	fn add(x: u128, y: u128, c: u128) -> (u128, bool) {
		let room = c - x;
		if y >= room {
			(y - room, true)
		} else {
			(x + y, false)
		}
	}
	let (whole, part) = (b / c, b % c);
	let (mut quotient, mut remainder) = (0_u128, 0_u128);
	for bit in (0..128).rev() {
		let (doubled, carry) = add(remainder, remainder, c);
		quotient = quotient.checked_mul(2)?.checked_add(u128::from(carry))?;
		remainder = doubled;
		if (a >> bit) & 1 == 1 {
			let (added, carry) = add(remainder, part, c);
			quotient = quotient.checked_add(whole)?.checked_add(u128::from(carry))?;
			remainder = added;
		}
	}
	Some((quotient, remainder))
}

#[test]
fn widening_mul_should_give_known_products() {
	assert_eq!(widening_mul(0, u128::MAX), (0, 0));
	assert_eq!(widening_mul(1, u128::MAX), (0, u128::MAX));
	assert_eq!(widening_mul(1 << 64, 1 << 64), (1, 0));
	assert_eq!(widening_mul(u128::MAX, u128::MAX), (u128::MAX - 1, 1));
}

#[test]
fn mul_div_should_give_known_quotients() {
	assert_eq!(mul_div_rem(7, 3, 5), Some((4, 1)));
	assert_eq!(mul_div_rem(u128::MAX, u128::MAX, u128::MAX), Some((u128::MAX, 0)));
	assert_eq!(mul_div_rem(u128::MAX, u128::MAX - 1, u128::MAX), Some((u128::MAX - 1, 0)));
	assert_eq!(mul_div_floor(1 << 127, 6, 1 << 126), Some(12));
	assert_eq!(mul_div_floor(10, 10, 3), Some(33));
	assert_eq!(mul_div_ceil(10, 10, 3), Some(34));
	assert_eq!(mul_div_ceil(9, 10, 3), Some(30));
}

#[test]
fn mul_div_should_saturate_when_the_quotient_overflows() {
	assert_eq!(mul_div_rem(u128::MAX, 2, 1), None);
	assert_eq!(mul_div_floor(u128::MAX, 2, 1), Some(u128::MAX));
	assert_eq!(mul_div_ceil(u128::MAX, u128::MAX, 2), Some(u128::MAX));
}

#[test]
fn mul_div_should_give_none_when_the_divisor_is_zero() {
	for (a, b) in [(0, 0), (1, 1), (u128::MAX, u128::MAX)] {
		assert_eq!(mul_div_rem(a, b, 0), None);
		assert_eq!(mul_div_floor(a, b, 0), None);
		assert_eq!(mul_div_ceil(a, b, 0), None);
	}
}

#[test]
fn mul_ppm_should_round_down_and_saturate() {
	assert_eq!(mul_ppm(10, 999_999), 9);
	assert_eq!(mul_ppm(u128::MAX, 1_000_000), u128::MAX);
	assert_eq!(mul_ppm(u128::MAX, u32::MAX), u128::MAX);
}

proptest! {
	#![proptest_config(config())]

	#[test]
	fn mul_div_should_equal_the_bitwise_reference(
		a in any_u128(),
		b in any_u128(),
		c in any_u128(),
	) {
		let expected = if c == 0 { None } else { reference(a, b, c) };
		prop_assert_eq!(mul_div_rem(a, b, c), expected);
		if c > 0 {
			let (floor, ceil) = match expected {
				Some((quotient, 0)) => (quotient, quotient),
				Some((quotient, _)) => (quotient, quotient.saturating_add(1)),
				None => (u128::MAX, u128::MAX),
			};
			prop_assert_eq!(mul_div_floor(a, b, c), Some(floor));
			prop_assert_eq!(mul_div_ceil(a, b, c), Some(ceil));
		}
	}

	#[test]
	fn mul_div_should_undo_itself(a in any_u128(), b in any_u128(), c in 1..=u128::MAX) {
		// (a × b) / c × c + remainder is a × b again, compared in 256 bits.
		if let Some((quotient, remainder)) = mul_div_rem(a, b, c) {
			prop_assert!(remainder < c);
			let (high, low) = widening_mul(quotient, c);
			let (low, carry) = low.overflowing_add(remainder);
			prop_assert_eq!((high + u128::from(carry), low), widening_mul(a, b));
		}
	}

	#[test]
	fn widening_mul_should_commute(a in any_u128(), b in any_u128()) {
		prop_assert_eq!(widening_mul(a, b), widening_mul(b, a));
		prop_assert_eq!(widening_mul(a, b).1, a.wrapping_mul(b));
	}

	#[test]
	fn mul_ppm_should_not_exceed_the_value_when_the_fraction_is_at_most_one(
		value in any_u128(),
		ppm in any_ppm(),
	) {
		let part = mul_ppm(value, ppm);
		prop_assert!(ppm > 1_000_000 || part <= value);
		prop_assert!(ppm < 1_000_000 || part >= value);
	}
}
