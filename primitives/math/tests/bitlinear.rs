//! Sums of ternary rows: the vectors of `docs/protocol/vectors/bitlinear.json`, which `bitlinear.py`
//! beside them makes, and what is refused.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use aria_math::bitlinear::{sums, Fault, Packing, MAX_BYTES, MAX_COLUMNS};
use proptest::prelude::*;
use std::{fs, path::Path};

struct Case {
	packing: Packing,
	weights: Vec<u8>,
	inputs: Vec<u8>,
	sums: Vec<i32>,
}

fn bytes(hex: &str) -> Vec<u8> {
	let digit = |byte: u8| char::from(byte).to_digit(16).expect("a digit") as u8;
	hex.as_bytes().chunks(2).map(|pair| (digit(pair[0]) << 4) | digit(pair[1])).collect()
}

/// The cases of the file. All that stands there is a string, so that the strings are its tokens.
fn cases() -> Vec<Case> {
	let path =
		Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/protocol/vectors/bitlinear.json");
	let text = fs::read_to_string(path).unwrap();
	let (_, text) = text.split_once("\"cases\"").expect("the file has cases");
	let tokens: Vec<&str> = text.split('"').skip(1).step_by(2).collect();
	tokens
		.chunks_exact(8)
		.map(|fields| {
			let &["packing", packing, "weights", weights, "inputs", inputs, "sums", sums] = fields
			else {
				panic!("{fields:?} is no case")
			};
			let packing = match packing {
				"ternary2" => Packing::Ternary2,
				"ternary5" => Packing::Ternary5,
				other => panic!("{other} is no packing"),
			};
			let sums = bytes(sums)
				.chunks_exact(4)
				.map(|sum| i32::from_le_bytes(sum.try_into().unwrap()))
				.collect();
			Case { packing, weights: bytes(weights), inputs: bytes(inputs), sums }
		})
		.collect()
}

#[test]
fn sums_should_be_those_of_the_vectors() {
	let cases = cases();
	assert_eq!(cases.len(), 16);
	for Case { packing, weights, inputs, sums: expected } in cases {
		assert_eq!(sums(packing, &weights, &inputs), Ok(expected), "{packing:?}");
	}
}

/// A row as a package stores it.
fn pack(packing: Packing, row: &[i8]) -> Vec<u8> {
	let code = |column: usize| row.get(column).map_or(1, |weight| (weight + 1) as u8);
	let length = packing.row_bytes(row.len());
	(0..length)
		.map(|byte| match packing {
			Packing::Ternary2 => (0..4).fold(0, |sum, plane| {
				let column = byte / 64 * 256 + byte % 64 + 64 * plane;
				sum | (code(column) << (2 * plane))
			}),
			Packing::Ternary5 => {
				(0..5).rev().fold(0, |sum, place| sum * 3 + code(5 * byte + place))
			}
		})
		.collect()
}

fn any_packing() -> impl Strategy<Value = Packing> {
	prop_oneof![Just(Packing::Ternary2), Just(Packing::Ternary5)]
}

proptest! {
	#![proptest_config(ProptestConfig {
		cases: 256,
		failure_persistence: None,
		..ProptestConfig::default()
	})]

	#[test]
	fn sums_should_be_products_added_up(
		packing in any_packing(),
		row in prop::collection::vec((-1i8..=1, any::<i8>()), 1..900),
	) {
		let (weights, inputs): (Vec<i8>, Vec<i8>) = row.into_iter().unzip();
		let expected: i32 =
			weights.iter().zip(&inputs).map(|(w, q)| i32::from(*w) * i32::from(*q)).sum();
		let bytes: Vec<u8> = inputs.iter().map(|value| *value as u8).collect();
		let packed = pack(packing, &weights);
		prop_assert_eq!(sums(packing, &packed, &bytes), Ok(vec![expected]));
	}

	#[test]
	fn any_bytes_should_give_sums_or_a_fault(
		packing in any_packing(),
		weights in prop::collection::vec(any::<u8>(), 0..700),
		inputs in prop::collection::vec(any::<u8>(), 0..700),
	) {
		if let Ok(sums) = sums(packing, &weights, &inputs) {
			let most = 128 * inputs.len() as i32;
			prop_assert!(sums.iter().all(|sum| sum.abs() <= most));
		}
	}
}

#[test]
fn lengths_that_do_not_fit_should_be_refused() {
	for packing in [Packing::Ternary2, Packing::Ternary5] {
		assert_eq!(sums(packing, &[], &[]), Err(Fault::Length));
		assert_eq!(sums(packing, &[], &[1]), Err(Fault::Length));
		assert_eq!(sums(packing, &[1; 64], &[]), Err(Fault::Length));
		let wide = vec![0; MAX_COLUMNS + 1];
		let row = vec![0; packing.row_bytes(wide.len())];
		assert_eq!(sums(packing, &row, &wide), Err(Fault::Length));
		assert_eq!(sums(packing, &vec![0; MAX_BYTES + 64], &[1; 5]), Err(Fault::Length));
	}
	assert_eq!(sums(Packing::Ternary2, &[0x55; 63], &[1]), Err(Fault::Length));
	assert_eq!(sums(Packing::Ternary5, &[121; 3], &[1; 10]), Err(Fault::Length));
}

#[test]
fn bytes_that_stand_for_no_weights_should_be_refused() {
	let inputs = [1; 256];
	let mut row = [0x55; 64];
	assert_eq!(sums(Packing::Ternary2, &row, &inputs), Ok(vec![0]));
	row[9] = 0x57;
	assert_eq!(sums(Packing::Ternary2, &row, &inputs), Err(Fault::Code));
	// Padding has to be 0.
	row[9] = 0x95;
	assert_eq!(sums(Packing::Ternary2, &row, &inputs), Ok(vec![1]));
	assert_eq!(sums(Packing::Ternary2, &row, &inputs[..200]), Err(Fault::Code));
	assert_eq!(sums(Packing::Ternary5, &[242], &[1; 5]), Ok(vec![5]));
	assert_eq!(sums(Packing::Ternary5, &[243], &[1; 5]), Err(Fault::Code));
	assert_eq!(sums(Packing::Ternary5, &[242], &[1; 4]), Err(Fault::Code));
}

#[test]
fn the_largest_chunks_should_have_sums() {
	let inputs = vec![0x80; MAX_COLUMNS];
	let two = vec![0xaa; MAX_BYTES];
	let rows = MAX_BYTES / Packing::Ternary2.row_bytes(MAX_COLUMNS);
	let least = -128 * MAX_COLUMNS as i32;
	assert_eq!(sums(Packing::Ternary2, &two, &inputs), Ok(vec![least; rows]));
}
