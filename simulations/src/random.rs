//! Random numbers that depend on a seed alone, now and in later versions of every dependency.

use crate::real;

/// A stream of random numbers: SplitMix64 (Steele, Lea and Flood, 2014), whose state is a counter.
/// For simulations; not for keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Random {
	state: u64,
}

impl Random {
	/// The stream of a seed.
	pub fn new(seed: u64) -> Self {
		Self { state: seed }
	}

	/// 64 uniformly random bits.
	pub fn bits(&mut self) -> u64 {
		self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
		let z = self.state;
		let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
		let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
		z ^ (z >> 31)
	}

	/// Uniform in `[0, 1)`, with 53 bits.
	pub fn unit(&mut self) -> f64 {
		const STEP: f64 = 1.0 / (1_u64 << 53) as f64;
		(self.bits() >> 11) as f64 * STEP
	}

	/// Uniform in `[low, high)`.
	pub fn between(&mut self, low: f64, high: f64) -> f64 {
		low + (high - low) * self.unit()
	}

	/// A factor from `1 / most` to `most`, whose logarithm has a triangular distribution around 0.
	pub fn factor(&mut self, most: f64) -> f64 {
		let tilt = self.unit() + self.unit() - 1.0;
		real::exp(tilt * real::ln(most))
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_stream_of_seed_zero_should_be_the_known_one() {
		let mut random = Random::new(0);
		let first: Vec<u64> = (0..3).map(|_| random.bits()).collect();
		assert_eq!(first, [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f]);
	}

	#[test]
	fn numbers_should_stay_in_their_ranges_and_fill_them() {
		let mut random = Random::new(7);
		let (mut sum, mut logs) = (0.0, 0.0);
		for _ in 0..10_000 {
			let value = random.between(2.0, 4.0);
			assert!((2.0..4.0).contains(&value));
			sum += value;
			let factor = random.factor(3.0);
			assert!(factor > 1.0 / 3.0 - 1e-9 && factor < 3.0 + 1e-9);
			logs += factor.ln();
		}
		assert!((sum / 10_000.0 - 3.0).abs() < 0.05);
		assert!((logs / 10_000.0).abs() < 0.05);
	}
}
