//! Sums of floats over 16 stripes, so that their order does not depend on the width of a machine's
//! vectors (`docs/protocol/numerics.md`, "Striped sums").

/// Accumulators of a striped sum.
pub const LANES: usize = 16;

/// Adds the accumulators up: halves of 8, 4, 2 and 1.
#[inline(always)]
pub fn fold(acc: &[f32; LANES]) -> f32 {
	let mut acc = *acc;
	for width in [8, 4, 2, 1] {
		let (low, high) = acc.split_at_mut(width);
		for (low, high) in low.iter_mut().zip(high) {
			*low += *high;
		}
	}
	acc[0]
}

/// `Σ x[i]`, striped; `+0` of nothing.
#[inline]
pub fn sum(x: &[f32]) -> f32 {
	let mut acc = [0.0; LANES];
	for row in x.chunks(LANES) {
		for (acc, x) in acc.iter_mut().zip(row) {
			*acc += *x;
		}
	}
	fold(&acc)
}

/// `Σ x[i] × x[i]`, striped.
#[inline]
pub fn sum_squares(x: &[f32]) -> f32 {
	dot(x, x)
}

/// `Σ a[i] × b[i]`, striped, over the length of the shorter one.
#[inline]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
	let length = a.len().min(b.len());
	let (a, b) = (&a[..length], &b[..length]);
	let mut acc = [0.0; LANES];
	for (a, b) in a.chunks(LANES).zip(b.chunks(LANES)) {
		for ((acc, a), b) in acc.iter_mut().zip(a).zip(b) {
			*acc += *a * *b;
		}
	}
	fold(&acc)
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	/// The definition, word by word.
	#[allow(clippy::needless_range_loop)]
	fn defined(values: &[f32]) -> f32 {
		let mut acc = [0.0f32; 16];
		for (i, value) in values.iter().enumerate() {
			acc[i % 16] += value;
		}
		for w in [8, 4, 2, 1] {
			for j in 0..w {
				acc[j] += acc[j + w];
			}
		}
		acc[0]
	}

	proptest! {
		#[test]
		fn sums_should_be_those_of_the_definition(
			pairs in proptest::collection::vec((-1e3f32..1e3, -1e-3f32..1e3), 0..100),
		) {
			let (a, b): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
			let products: Vec<f32> = a.iter().zip(&b).map(|(a, b)| a * b).collect();
			let squares: Vec<f32> = a.iter().map(|a| a * a).collect();
			prop_assert_eq!(sum(&a).to_bits(), defined(&a).to_bits());
			prop_assert_eq!(dot(&a, &b).to_bits(), defined(&products).to_bits());
			prop_assert_eq!(sum_squares(&a).to_bits(), defined(&squares).to_bits());
		}

		#[test]
		fn zeros_behind_should_change_nothing(
			mut x in proptest::collection::vec(-1e3f32..1e3, 0..40), zeros in 0usize..40,
		) {
			let before = sum(&x).to_bits();
			x.resize(x.len() + zeros, 0.0);
			prop_assert_eq!(sum(&x).to_bits(), before);
		}
	}

	#[test]
	fn a_sum_should_never_be_negative_zero() {
		assert_eq!(sum(&[-0.0; 40]).to_bits(), 0);
		assert_eq!(sum(&[]).to_bits(), 0);
	}
}
