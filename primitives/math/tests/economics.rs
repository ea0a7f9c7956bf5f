//! The vectors of `docs/protocol/vectors/economics.json`, which `economics.py` beside them makes and
//! which `scripts/recompute-era` is tested with as well.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use aria_math::{
	efficiency::efficiency,
	emission::EmissionSchedule,
	quality::{latency_score, quality},
	reward::{burn_bound, reward, reward_share, weighted, Factors},
	split::{split_exact, split_proportional},
	wide::{mul_div_ceil, mul_div_floor},
};
use std::{collections::BTreeSet, fs, path::Path};

/// Functions of the vectors that are the reward distributor's own: its tests check them.
const OF_THE_PALLET: [&str; 2] = ["supported_work", "counted"];

/// A function's name, what goes in, and what comes out, each a number in decimal.
struct Case {
	function: String,
	given: Vec<u128>,
	result: Vec<String>,
}

/// The cases of the file. All that stands there is a string, so that the strings are its tokens.
fn cases() -> Vec<Case> {
	let path =
		Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/protocol/vectors/economics.json");
	let text = fs::read_to_string(path).unwrap();
	let (_, text) = text.split_once("\"cases\"").expect("the file has cases");
	let mut cases: Vec<Case> = Vec::new();
	let mut field = "";
	for token in text.split('"').skip(1).step_by(2) {
		match (token, field) {
			("function" | "given" | "result", _) => field = token,
			(name, "function") => {
				let (given, result) = (Vec::new(), Vec::new());
				cases.push(Case { function: name.to_owned(), given, result });
			}
			(number, "given") => cases.last_mut().unwrap().given.push(number.parse().unwrap()),
			(number, "result") => cases.last_mut().unwrap().result.push(number.to_owned()),
			(other, _) => panic!("{other} stands outside of a case"),
		}
	}
	cases
}

/// Fractions, which the functions take in 32 bits.
fn ppm(value: u128) -> u32 {
	value.try_into().unwrap()
}

fn narrow(value: u128) -> u64 {
	value.try_into().unwrap()
}

fn optional(value: Option<u128>) -> Vec<String> {
	vec![value.map_or("none".to_owned(), |value| value.to_string())]
}

fn strings(values: &[u128]) -> Vec<String> {
	values.iter().map(u128::to_string).collect()
}

fn compute(function: &str, given: &[u128]) -> Vec<String> {
	match (function, given) {
		("mul_div_floor", &[a, b, c]) => optional(mul_div_floor(a, b, c)),
		("mul_div_ceil", &[a, b, c]) => optional(mul_div_ceil(a, b, c)),
		("emission_between", &[from, to, initial, interval]) => {
			let schedule = EmissionSchedule { initial, interval: narrow(interval) };
			strings(&[schedule.emission_between(narrow(from), narrow(to))])
		}
		("split_exact", &[total, ref weights @ ..]) => {
			let weights: Vec<u32> = weights.iter().copied().map(ppm).collect();
			let weights: [u32; 6] = weights.try_into().expect("a price has six parts");
			split_exact(total, &weights).map_or(optional(None), |parts| strings(&parts))
		}
		("split_proportional", &[total, ref weights @ ..]) => {
			let weights: Vec<u64> = weights.iter().copied().map(narrow).collect();
			let mut parts = vec![0; weights.len()];
			let left = split_proportional(total, &weights, &mut parts);
			assert_eq!(left + parts.iter().sum::<u128>(), total);
			strings(&parts)
		}
		("latency_score", &[observed, target]) => {
			strings(&[latency_score(narrow(observed), narrow(target)).into()])
		}
		("quality", &[uptime, latency, audits]) => {
			strings(&[quality(ppm(uptime), ppm(latency), ppm(audits)).into()])
		}
		("efficiency", &[expected, own, ceiling]) => {
			strings(&[efficiency(expected, own, ppm(ceiling)).into()])
		}
		("weighted", &[work, quality, efficiency]) => {
			strings(&[weighted(&factors(work, quality, efficiency))])
		}
		("reward_share", &[pool, total, own, cap]) => {
			strings(&[reward_share(pool, total, own, cap)])
		}
		("burn_bound", &[burnt, beta]) => strings(&[burn_bound(burnt, ppm(beta))]),
		("reward", &[pool, total, work, quality, efficiency, cap, bound]) => {
			let found = reward(pool, total, &factors(work, quality, efficiency), cap, bound);
			strings(&[found.weighted, found.rate_limited, found.burn_limited, found.payout])
		}
		_ => panic!("no function {function} of {} numbers is known here", given.len()),
	}
}

fn factors(work: u128, quality: u128, efficiency: u128) -> Factors {
	Factors { work, quality_ppm: ppm(quality), efficiency_ppm: ppm(efficiency) }
}

#[test]
fn the_arithmetic_should_come_to_the_numbers_of_the_vectors() {
	let cases = cases();
	let functions: BTreeSet<&str> = cases.iter().map(|case| case.function.as_str()).collect();
	assert_eq!(functions.len(), 14, "{functions:?}");
	for Case { function, given, result } in &cases {
		if OF_THE_PALLET.contains(&function.as_str()) {
			continue;
		}
		assert_eq!(&compute(function, given), result, "{function} of {given:?}");
	}
}
