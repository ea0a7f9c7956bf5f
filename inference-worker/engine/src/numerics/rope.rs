//! Cosines and sines of rotary positions (`docs/protocol/numerics.md`, "Rotary positions").

use super::elementary::{exp64, ln, sincos};

/// Frequencies of a rotary embedding: `theta^(−2i/d)` for `i` in `0 .. d/2`.
///
/// Cosines and sines are computed for a position when they are asked for, once for all layers and
/// heads: a table over all positions would be larger than the caches.
#[derive(Clone, Debug, PartialEq)]
pub struct RopeTable {
	frequencies: Vec<f32>,
}

impl RopeTable {
	/// The frequencies for heads of `head_dim` values (even) and the base `theta` (at least 1).
	pub fn new(theta: u32, head_dim: usize) -> Self {
		let logarithm = ln(theta.max(1));
		let frequency = |i: usize| exp64(-((2 * i) as f64 / head_dim as f64) * logarithm) as f32;
		Self { frequencies: (0..head_dim / 2).map(frequency).collect() }
	}

	/// `f[i]`, from 1 downwards: radians a position.
	pub fn frequencies(&self) -> &[f32] {
		&self.frequencies
	}

	/// Writes the cosines and sines of `position` (below 2^20) into two slices of `head_dim / 2`.
	pub fn at(&self, position: u32, cos: &mut [f32], sin: &mut [f32]) {
		for ((frequency, cos), sin) in self.frequencies.iter().zip(cos).zip(sin) {
			let angle = position as f32 * *frequency;
			let (s, c) = sincos(f64::from(angle));
			*sin = s as f32;
			*cos = c as f32;
		}
	}
}

/// Turns one head by the cosines and sines of a position: `x[i]` pairs with `x[i + d/2]`.
pub fn rotate(x: &mut [f32], cos: &[f32], sin: &[f32]) {
	let (low, high) = x.split_at_mut(x.len() / 2);
	for (((low, high), c), s) in low.iter_mut().zip(high).zip(cos).zip(sin) {
		let (a, b) = (*low, *high);
		*low = (a * *c) - (b * *s);
		*high = (b * *c) + (a * *s);
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn position_zero_should_turn_nothing() {
		let table = RopeTable::new(500_000, 8);
		let (mut cos, mut sin) = ([9.0; 4], [9.0; 4]);
		table.at(0, &mut cos, &mut sin);
		assert_eq!((cos, sin), ([1.0; 4], [0.0; 4]));
		let mut x = [1.0, -2.0, 3.0, -4.0, 5.0, -6.0, 7.0, -8.0];
		let before = x;
		rotate(&mut x, &cos, &sin);
		assert_eq!(x, before);
	}

	#[test]
	fn angles_should_be_positions_times_powers_of_the_base() {
		let table = RopeTable::new(10_000, 4);
		let (mut cos, mut sin) = ([0.0; 2], [0.0; 2]);
		table.at(1000, &mut cos, &mut sin);
		for (i, angle) in [1000.0f64, 10.0].into_iter().enumerate() {
			assert!((f64::from(cos[i]) - angle.cos()).abs() < 1e-6);
			assert!((f64::from(sin[i]) - angle.sin()).abs() < 1e-6);
		}
	}
}
