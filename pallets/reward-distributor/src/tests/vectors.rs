//! What counts of a stage, by the vectors of `docs/protocol/vectors/economics.json`, which
//! `scripts/recompute-era` is tested with as well. The other functions there are aria-math's.

use super::*;
use std::{fs, path::Path};

/// The numbers of each case of a function: what goes in, and what comes out.
fn cases(function: &str) -> Vec<(Vec<u128>, Vec<u128>)> {
	let path =
		Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/protocol/vectors/economics.json");
	let text = fs::read_to_string(path).unwrap();
	let numbers = |list: &str| -> Vec<u128> {
		let (list, _) = list.split_once(']').unwrap();
		list.split('"').skip(1).step_by(2).map(|number| number.parse().unwrap()).collect()
	};
	let head = format!("\"function\": \"{function}\",");
	text.split(head.as_str())
		.skip(1)
		.map(|case| {
			let (given, result) = case.split_once("\"result\": [").unwrap();
			(numbers(given.split_once('[').unwrap().1), numbers(result))
		})
		.collect()
}

fn terms(numbers: &[u128]) -> Terms {
	let [beta, dilution, rate_cap] = *numbers else { panic!("three terms bound work") };
	Terms {
		beta_ppm: beta.try_into().unwrap(),
		dilution: dilution.try_into().unwrap(),
		rate_cap,
		..Default::default()
	}
}

#[test]
fn supported_work_should_come_to_the_numbers_of_the_vectors() {
	let cases = cases("supported_work");
	assert!(cases.len() > 10);
	for (given, result) in cases {
		assert_eq!(result, [terms(&given[1..]).supported_work(given[0])], "{given:?}");
	}
}

#[test]
fn what_counts_should_come_to_the_numbers_of_the_vectors() {
	let cases = cases("counted");
	assert!(cases.len() > 10);
	for (given, result) in cases {
		let note = WorkNote {
			energy_mj: given[1].try_into().unwrap(),
			burnt: given[2],
			..stage(alice(), given[0])
		};
		let counted = Counted::of(&note, &terms(&given[3..]));
		assert_eq!(result, [counted.work, counted.energy_nj], "{given:?}");
	}
}
