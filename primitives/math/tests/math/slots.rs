//! The lottery itself, by draws from a fixed seed: what a validator wins of primary slots is
//! 1 − (1 − c)^θ, with θ its part of the verified work.
//!
//! Thresholds are computed as BABE's client does it: c, θ and the power in double precision, and
//! the exact value of the result times 2^128, rounded down. A slot is won by whose 128 random bits,
//! in the client those of a VRF, lie below its threshold.

use aria_math::{lottery::*, odds::primary_slot_odds_q64, PPM};

const RULES: LotteryRules =
	LotteryRules { share_ppm: 100_000, multiple_ppm: 2_500_000, growth_ppm: 250_000 };
/// A third of the slots have an author, as on the live network.
const C: (u64, u64) = (1, 3);
const SLOTS: u32 = 8_000;
/// What chi-squared exceeds with a chance of one in a thousand: at four degrees of freedom, and at
/// one.
const CRITICAL_4: f64 = 18.467;
const CRITICAL_1: f64 = 10.828;

/// The chance of a slot, as the client computes it.
fn chance(weights: &[u64], index: usize) -> f64 {
	let c = C.0 as f64 / C.1 as f64;
	let theta = weights[index] as f64 / weights.iter().sum::<u64>() as f64;
	1.0 - (1.0 - c).powf(theta)
}

/// `chance × 2^128`, rounded down, of the very number that the double stands for. It lies between
/// 2^-900 and 1.
fn threshold(chance: f64) -> u128 {
	let bits = chance.to_bits();
	let mantissa = u128::from((bits & ((1 << 52) - 1)) | (1 << 52));
	let exponent = ((bits >> 52) & 0x7ff) as i32 - 1_075 + 128;
	if exponent >= 0 {
		mantissa << exponent
	} else {
		mantissa.checked_shr(exponent.unsigned_abs()).unwrap_or(0)
	}
}

/// SplitMix64: a counter and a mixing function.
struct Draws(u64);

impl Draws {
	fn next(&mut self) -> u64 {
		self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
		let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
		let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
		mixed ^ (mixed >> 31)
	}

	fn wide(&mut self) -> u128 {
		(u128::from(self.next()) << 64) | u128::from(self.next())
	}
}

/// How many of [`SLOTS`] each wins, and how many somebody wins.
fn play(weights: &[u64], seed: u64) -> (Vec<u32>, u32) {
	let thresholds: Vec<u128> =
		(0..weights.len()).map(|index| threshold(chance(weights, index))).collect();
	let mut draws = Draws(seed);
	let (mut won, mut blocks) = (vec![0; weights.len()], 0);
	for _ in 0..SLOTS {
		let mut taken = false;
		for (won, threshold) in won.iter_mut().zip(&thresholds) {
			if draws.wide() < *threshold {
				*won += 1;
				taken = true;
			}
		}
		blocks += u32::from(taken);
	}
	(won, blocks)
}

/// How far counts lie from what the chances let expect: each is a binomial variable of its own, as
/// a slot may have several winners.
fn chi_squared(won: &[u32], chances: &[f64]) -> f64 {
	won.iter()
		.zip(chances)
		.map(|(won, chance)| {
			let expected = f64::from(SLOTS) * chance;
			(f64::from(*won) - expected).powi(2) / (expected * (1.0 - chance))
		})
		.sum()
}

fn chances(weights: &[u64]) -> Vec<f64> {
	(0..weights.len()).map(|index| chance(weights, index)).collect()
}

#[test]
fn slots_should_be_won_in_proportion_to_verified_work() {
	let weights = lottery_weights(&[1_000, 2_000, 4_000, 8_000], &[], &RULES);
	// Of the formula, with θ = 1/15, 2/15, 4/15, 8/15.
	let of_work = [1.0, 2.0, 4.0, 8.0].map(|work| 1.0 - (2.0_f64 / 3.0).powf(work / 15.0));
	for seed in [1, 2, 7, 2_026] {
		let (won, blocks) = play(&weights, seed);
		let distance = chi_squared(&won, &of_work);
		assert!(distance < CRITICAL_4, "{won:?}: {distance}");

		let third = chi_squared(&[blocks], &[1.0 / 3.0]);
		assert!(third < CRITICAL_1, "{blocks} of {SLOTS} slots have a block: {third}");
	}
}

#[test]
fn the_test_should_tell_weights_from_equal_chances() {
	let equal = chances(&[1; 4]);
	let (won, _) = play(&lottery_weights(&[1, 2, 4, 8], &[], &RULES), 1);
	assert!(chi_squared(&won, &equal) > 20.0 * CRITICAL_4, "{won:?}");
	// And half as much again for one of them.
	let (won, _) = play(&[10, 20, 40, 120], 1);
	assert!(chi_squared(&won, &chances(&[10, 20, 40, 80])) > CRITICAL_4, "{won:?}");
}

#[test]
fn slots_should_follow_capped_and_raised_weights() {
	for work in [[8, 8, 8, 8], [1, 0, 0, 0], [1, 1, 100, 1_000]] {
		let weights = lottery_weights(&work, &[], &RULES);
		for seed in [1, 2, 7] {
			let (won, _) = play(&weights, seed);
			let distance = chi_squared(&won, &chances(&weights));
			assert!(distance < CRITICAL_4, "{work:?}, {weights:?}, {won:?}: {distance}");
		}
	}
}

#[test]
fn thresholds_should_be_those_of_the_integers() {
	for weights in [vec![1, 2, 4, 8], vec![16, 1, 1, 1], vec![1; 100], vec![1_600_000, 1_599_999]] {
		let sum = u128::from(weights.iter().sum::<u64>());
		let mut none = 1.0;
		for (index, weight) in weights.iter().enumerate() {
			let odds = primary_slot_odds_q64(C.0, C.1, u128::from(*weight), sum);
			let threshold = threshold(chance(&weights, index)) >> 64;
			// A double has 53 bits, and its last ones are rounded a few times.
			assert!(odds.abs_diff(threshold) < 1 << 13, "{odds} against {threshold}");
			none *= 1.0 - chance(&weights, index);
		}
		// However the weight is divided, a slot has an author with chance c.
		assert!((1.0 - none - 1.0 / 3.0).abs() < 1e-12);
	}
}

#[test]
fn a_threshold_should_be_the_exact_value_of_the_double() {
	assert_eq!(threshold(0.5), 1 << 127);
	assert_eq!(threshold(0.375), 3 << 125);
	assert_eq!(threshold(f64::EPSILON), 1 << 76);
	assert_eq!(threshold(2.0_f64.powi(-128)), 1);
	assert_eq!(threshold(2.0_f64.powi(-129)), 0);
}

#[test]
fn the_cap_should_bind_as_the_rules_say() {
	let weights = lottery_weights(&[1_000, 0, 0, 0], &[], &RULES);
	let sum: u64 = weights.iter().sum();
	let cap = u64::from(RULES.highest_share_ppm(4));
	assert_eq!(weights[0] * u64::from(PPM) / sum, cap);
}
