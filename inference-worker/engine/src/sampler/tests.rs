#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

const PLAIN: Sampling =
	Sampling { temperature_milli: 1000, top_k: 0, top_p_ppm: 1_000_000, seed: 0 };

fn draw_once(logits: &[f32], sampling: Sampling, index: u32) -> Result<u32> {
	sample(logits, &sampling, index, &mut SampleScratch::default())
}

/// The document's words with a full sort.
fn defined(logits: &[f32], sampling: &Sampling, index: u32) -> u32 {
	let mut order: Vec<usize> = (0..logits.len()).collect();
	order.sort_by(|a, b| logits[*b].partial_cmp(&logits[*a]).unwrap().then(a.cmp(b)));
	if sampling.temperature_milli == 0 {
		return order[0] as u32;
	}
	let t = sampling.temperature_milli as f32 / 1000.0;
	let z: Vec<f32> = logits.iter().map(|l| l / t).collect();
	let max = z.iter().copied().fold(f32::NEG_INFINITY, f32::max);
	let w: Vec<u64> = z.iter().map(|z| (exp(z - max) * 1_073_741_824.0).floor() as u64).collect();
	if sampling.top_k > 0 {
		order.truncate(sampling.top_k as usize);
	}
	if sampling.top_p_ppm < 1_000_000 {
		let whole: u128 = order.iter().map(|id| u128::from(w[*id])).sum();
		let (mut sum, mut count) = (0u128, 0);
		while sum * 1_000_000 < u128::from(sampling.top_p_ppm) * whole {
			sum += u128::from(w[order[count]]);
			count += 1;
		}
		order.truncate(count);
	}
	order.sort_unstable();
	let total: u64 = order.iter().map(|id| w[*id]).sum();
	let x = (u128::from(rng::random(sampling.seed, index)) * u128::from(total)) >> 64;
	let mut sum = 0u128;
	for id in order {
		sum += u128::from(w[id]);
		if sum > x {
			return id as u32;
		}
	}
	unreachable!("the sum exceeds every number below it")
}

/// Few distinct values give ties, wide ones tokens without weight.
fn logits() -> impl Strategy<Value = Vec<f32>> {
	let value = prop_oneof![
		(-3i32..3).prop_map(|step| step as f32 / 2.0),
		-4.0f32..4.0,
		-60.0f32..20.0,
		Just(-0.0f32),
	];
	proptest::collection::vec(value, 1..300)
}

fn samplings() -> impl Strategy<Value = Sampling> {
	let top_p = prop_oneof![Just(1_000_000u32), 1u32..=1_000_000, 900_000u32..1_000_000, 1u32..9];
	let temperature = prop_oneof![Just(0u32), Just(1000), 1u32..3000, 1u32..=100_000];
	let top_k = prop_oneof![Just(0u32), 1u32..320];
	(temperature, top_k, top_p, any::<u64>()).prop_map(
		|(temperature_milli, top_k, top_p_ppm, seed)| Sampling {
			temperature_milli,
			top_k,
			top_p_ppm,
			seed,
		},
	)
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(3000))]

	#[test]
	fn a_draw_should_be_that_of_a_full_sort(
		logits in logits(), sampling in samplings(), index in any::<u32>(),
	) {
		let made = draw_once(&logits, sampling, index).unwrap();
		prop_assert_eq!(made, defined(&logits, &sampling, index));
	}

	#[test]
	fn memory_of_another_draw_should_change_nothing(
		first in logits(), second in logits(), a in samplings(), b in samplings(),
	) {
		let mut scratch = SampleScratch::default();
		sample(&first, &a, 0, &mut scratch).unwrap();
		let made = sample(&second, &b, 1, &mut scratch).unwrap();
		prop_assert_eq!(made, defined(&second, &b, 1));
	}
}

#[test]
fn temperature_zero_should_take_the_first_of_the_greatest() {
	assert_eq!(draw_once(&[1.0, 3.0, 3.0, 2.0], Sampling::GREEDY, 5).unwrap(), 1);
	assert_eq!(draw_once(&[-0.0, 0.0], Sampling::GREEDY, 5).unwrap(), 0);
}

#[test]
fn a_probability_that_is_met_exactly_should_end_the_beginning() {
	// Four equal tokens: two hold exactly half, of which the smallest ids are kept.
	let all = |top_p_ppm| -> BTreeSet<u32> {
		(0..200)
			.map(|index| draw_once(&[1.0; 4], Sampling { top_p_ppm, ..PLAIN }, index).unwrap())
			.collect()
	};
	assert_eq!(all(250_000), BTreeSet::from([0]));
	assert_eq!(all(500_000), BTreeSet::from([0, 1]));
	assert_eq!(all(500_001), BTreeSet::from([0, 1, 2]));
	assert_eq!(all(1_000_000), BTreeSet::from([0, 1, 2, 3]));
}

#[test]
fn tokens_should_come_as_often_as_they_are_probable() {
	let logits = [0.0, 2.0f32.ln(), 5.0f32.ln()];
	let mut counts = [0u32; 3];
	for index in 0..8000 {
		counts[draw_once(&logits, PLAIN, index).unwrap() as usize] += 1;
	}
	for (count, expected) in counts.into_iter().zip([1000u32, 2000, 5000]) {
		assert!(count.abs_diff(expected) < 200, "{counts:?}");
	}
}

#[test]
fn a_large_vocabulary_should_be_drawn_from_as_a_small_one() {
	let logits: Vec<f32> =
		(0..50_000u32).map(|id| (id.wrapping_mul(2_654_435_761) >> 16) as f32 / 6000.0).collect();
	for (index, (top_k, top_p_ppm)) in
		[(0, 1_000_000), (0, 999_999), (0, 900_000), (40, 950_000), (40_000, 10_000), (50_000, 7)]
			.into_iter()
			.enumerate()
	{
		let sampling = Sampling { top_k, top_p_ppm, seed: 3, ..PLAIN };
		let made = draw_once(&logits, sampling, index as u32).unwrap();
		assert_eq!(made, defined(&logits, &sampling, index as u32), "{sampling:?}");
	}
}

#[test]
fn bad_input_should_be_refused() {
	for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
		let error = draw_once(&[1.0, bad], Sampling::GREEDY, 0).unwrap_err();
		assert!(matches!(error, EngineError::NotFinite { .. }), "{error}");
	}
	// The greatest logit must stay finite over the temperature; others may fall to nothing.
	let cold = Sampling { temperature_milli: 1, ..PLAIN };
	assert!(matches!(draw_once(&[1e37], cold, 0).unwrap_err(), EngineError::NotFinite { .. }));
	assert!(matches!(draw_once(&[-1e37], cold, 0).unwrap_err(), EngineError::NotFinite { .. }));
	assert_eq!(draw_once(&[-1e37, 1.0], cold, 0).unwrap(), 1);
	for sampling in [
		Sampling { temperature_milli: 100_001, ..PLAIN },
		Sampling { top_p_ppm: 0, ..PLAIN },
		Sampling { top_p_ppm: 1_000_001, ..PLAIN },
	] {
		let error = draw_once(&[1.0], sampling, 0).unwrap_err();
		assert!(matches!(error, EngineError::Sampling { .. }), "{error}");
	}
	assert!(matches!(draw_once(&[], PLAIN, 0).unwrap_err(), EngineError::Sampling { .. }));
}
