//! Reading `numerics.json`: floats by their bits, lists of numbers as one string.

use aria_engine::numerics::reference::{Layer, Matrix, Shape};
use aria_primitives::manifest::Gate;
use serde_json::Value;
use std::{fs, path::PathBuf};

/// One section of the file.
pub fn read(section: &str) -> Value {
	let path = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap())
		.join("../../docs/protocol/vectors/numerics.json");
	let text = fs::read_to_string(&path)
		.unwrap_or_else(|error| panic!("{}: {error}: run numerics.py there", path.display()));
	let mut all: Value = serde_json::from_str(&text)
		.unwrap_or_else(|error| panic!("{}: {error}: run numerics.py there", path.display()));
	all.get_mut(section).unwrap_or_else(|| panic!("numerics.json has no {section}")).take()
}

/// A field that must be there.
pub fn at<'a>(value: &'a Value, field: &str) -> &'a Value {
	value.get(field).unwrap_or_else(|| panic!("no {field} in a vector of numerics.json"))
}

/// A list that must hold something: else a test would pass without a check.
pub fn items(value: &Value) -> &[Value] {
	let items = value.as_array().expect("a list in numerics.json");
	assert!(!items.is_empty(), "an empty list in numerics.json");
	items
}

pub fn text(value: &Value) -> &str {
	value.as_str().expect("a string in numerics.json")
}

/// The strings of a list, each cut at its spaces.
pub fn lines<'a>(value: &'a Value, field: &str) -> Vec<Vec<&'a str>> {
	items(at(value, field)).iter().map(|line| text(line).split(' ').collect()).collect()
}

pub fn bits(digits: &str) -> u32 {
	u32::from_str_radix(digits, 16).expect("32 bits in hexadecimal")
}

pub fn float(digits: &str) -> f32 {
	f32::from_bits(bits(digits))
}

pub fn double(digits: &str) -> f64 {
	f64::from_bits(u64::from_str_radix(digits, 16).expect("64 bits in hexadecimal"))
}

pub fn floats(value: &Value) -> Vec<f32> {
	text(value).split(' ').map(float).collect()
}

pub fn integers(value: &Value) -> Vec<i64> {
	text(value).split(' ').map(|number| number.parse().expect("an integer")).collect()
}

/// 32 bytes behind `0x`.
pub fn hash(value: &Value) -> [u8; 32] {
	let digits = text(value).strip_prefix("0x").expect("0x");
	assert_eq!(digits.len(), 64, "{digits}");
	std::array::from_fn(|index| bits(&digits[2 * index..2 * index + 2]) as u8)
}

/// Whether two lists of floats are the same bits.
#[track_caller]
pub fn equal(what: &str, made: &[f32], committed: &[f32]) {
	let in_bits = |values: &[f32]| -> Vec<String> {
		values.iter().map(|value| format!("{:08x}", value.to_bits())).collect()
	};
	assert_eq!(in_bits(made), in_bits(committed), "{what}: the code makes the first");
}

pub fn matrix(value: &Value) -> Matrix {
	let cols = at(value, "cols").as_u64().expect("cols") as usize;
	let weights = at(value, "weights");
	match text(at(value, "encoding")) {
		"ternary" => Matrix::Ternary {
			cols,
			weights: text(weights)
				.bytes()
				.map(|sign| (sign == b'+') as i8 - (sign == b'-') as i8)
				.collect(),
			scale: float(text(at(value, "scale"))),
		},
		"int8" => Matrix::Int8 {
			cols,
			weights: integers(weights).into_iter().map(|weight| weight as i8).collect(),
			scales: floats(at(value, "scales")),
		},
		"float" => Matrix::Float { cols, weights: floats(weights) },
		other => panic!("no encoding {other}"),
	}
}

pub fn shape_of(value: &Value) -> Shape {
	let number = |field| at(value, field).as_u64().expect("a number") as usize;
	Shape {
		heads: number("heads"),
		kv_heads: number("kv_heads"),
		head_dim: number("head_dim"),
		epsilon: float(text(at(value, "epsilon"))),
		theta: number("theta") as u32,
		gate: match text(at(value, "gate")) {
			"squared_relu" => Gate::SquaredRelu,
			"silu" => Gate::Silu,
			other => panic!("no gate {other}"),
		},
	}
}

pub fn layer_of(value: &Value) -> Layer {
	Layer {
		attention_norm: floats(at(value, "attention_norm")),
		query: matrix(at(value, "query")),
		key: matrix(at(value, "key")),
		value: matrix(at(value, "value")),
		attention_sub_norm: value.get("attention_sub_norm").map(floats),
		attention_output: matrix(at(value, "attention_output")),
		feed_forward_norm: floats(at(value, "feed_forward_norm")),
		gate: matrix(at(value, "gate")),
		up: matrix(at(value, "up")),
		feed_forward_sub_norm: value.get("feed_forward_sub_norm").map(floats),
		down: matrix(at(value, "down")),
	}
}
