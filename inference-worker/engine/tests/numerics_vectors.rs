//! The golden vectors of `docs/protocol/vectors/numerics.json`, which `numerics.py` makes there
//! without any of this code: the reference has to come to the same bits.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "numerics_vectors/read.rs"]
mod read;

use aria_engine::{
	numerics::{
		elementary::{exp, exp64, f16_to_f32, f32_to_f16, ln, sigmoid, sincos},
		reduce::{dot, sum, sum_squares},
		reference::{attention, layer, quantise, rmsnorm, Cache, Matrix, Model},
		rope::RopeTable,
	},
	sampler::{sample, SampleScratch},
	trace::{activation_leaf, verify, BoundaryTrace},
};
use aria_primitives::{query::Sampling, QueryHash};
use read::{
	at, bits, double, equal, float, floats, hash, integers, items, layer_of, lines, matrix, read,
	shape_of, text,
};

#[test]
fn elementary_functions_should_match() {
	let vectors = read("elementary");
	for line in lines(&vectors, "exp_sigmoid") {
		let x = float(line[0]);
		equal(&format!("exp({x})"), &[exp(x)], &[float(line[1])]);
		equal(&format!("sigmoid({x})"), &[sigmoid(x)], &[float(line[2])]);
	}
	for line in lines(&vectors, "ln") {
		assert_eq!(ln(line[0].parse().unwrap()).to_bits(), double(line[1]).to_bits(), "{line:?}");
	}
	for line in lines(&vectors, "exp64") {
		assert_eq!(exp64(double(line[0])).to_bits(), double(line[1]).to_bits(), "{line:?}");
	}
	for line in lines(&vectors, "sincos") {
		let (s, c) = sincos(double(line[0]));
		assert_eq!(s.to_bits(), double(line[1]).to_bits(), "sine: {line:?}");
		assert_eq!(c.to_bits(), double(line[2]).to_bits(), "cosine: {line:?}");
	}
	for line in lines(&vectors, "f16_to_f32") {
		equal("a half", &[f16_to_f32(bits(line[0]) as u16)], &[float(line[1])]);
	}
	for line in lines(&vectors, "f32_to_f16") {
		assert_eq!(u32::from(f32_to_f16(float(line[0]))), bits(line[1]), "{line:?}");
	}
}

#[test]
fn rotary_tables_should_match() {
	for vector in items(&read("rope")) {
		let (theta, head_dim) = (at(vector, "theta"), at(vector, "head_dim").as_u64().unwrap());
		let table = RopeTable::new(theta.as_u64().unwrap() as u32, head_dim as usize);
		equal("frequencies", table.frequencies(), &floats(at(vector, "frequencies")));
		for one in items(at(vector, "positions")) {
			let position = at(one, "position").as_u64().unwrap() as u32;
			let mut cos = vec![0.0; head_dim as usize / 2];
			let mut sin = cos.clone();
			table.at(position, &mut cos, &mut sin);
			equal(&format!("cosines of {position}"), &cos, &floats(at(one, "cos")));
			equal(&format!("sines of {position}"), &sin, &floats(at(one, "sin")));
		}
	}
}

#[test]
fn sums_should_match() {
	for vector in items(&read("sums")) {
		let (x, y) = (floats(at(vector, "x")), floats(at(vector, "y")));
		let made = [sum(&x), sum_squares(&x), dot(&x, &y)];
		let committed = ["sum", "sum_squares", "dot"].map(|name| float(text(at(vector, name))));
		equal(&format!("sums of {}", x.len()), &made, &committed);
	}
}

#[test]
fn quantised_activations_should_match() {
	for vector in items(&read("quantise")) {
		let (q, scale) = quantise(&floats(at(vector, "x"))).unwrap();
		equal("scale", &[scale], &[float(text(at(vector, "scale")))]);
		let q: Vec<i64> = q.into_iter().map(i64::from).collect();
		assert_eq!(q, integers(at(vector, "q")));
	}
}

#[test]
fn matrix_products_should_match() {
	for vector in items(&read("products")) {
		let matrix = matrix(vector);
		let what = format!("{} of {}", at(vector, "encoding"), at(vector, "cols"));
		equal(&what, &matrix.product(&floats(at(vector, "x"))).unwrap(), &floats(at(vector, "y")));
		if let Some(rows) = vector.get("rows") {
			for (index, row) in items(rows).iter().enumerate() {
				equal(&what, &matrix.row(index).unwrap(), &floats(row));
			}
			assert_eq!(matrix.row(items(rows).len()), None);
		}
	}
}

#[test]
fn norms_should_match() {
	for vector in items(&read("rmsnorm")) {
		let epsilon = float(text(at(vector, "epsilon")));
		let made = rmsnorm(&floats(at(vector, "x")), &floats(at(vector, "gain")), epsilon);
		equal("norm", &made, &floats(at(vector, "y")));
	}
}

#[test]
fn attention_should_match() {
	for vector in items(&read("attention")) {
		let part = |name| -> Vec<Vec<f32>> { items(at(vector, name)).iter().map(floats).collect() };
		let (keys, values) = (part("keys"), part("values"));
		let keys: Vec<&[f32]> = keys.iter().map(Vec::as_slice).collect();
		let values: Vec<&[f32]> = values.iter().map(Vec::as_slice).collect();
		let made = attention(&floats(at(vector, "query")), &keys, &values);
		equal(&format!("{} positions", keys.len()), &made, &floats(at(vector, "y")));
	}
}

#[test]
fn layers_should_match() {
	for vector in items(&read("layers")) {
		let shape = shape_of(at(vector, "shape"));
		let weights = layer_of(at(vector, "weights"));
		let mut cache = Cache::default();
		let tokens = items(at(vector, "x")).iter().zip(items(at(vector, "y")));
		for (position, (x, y)) in tokens.enumerate() {
			let made = layer(&shape, &weights, &mut cache, &floats(x)).unwrap();
			equal(&format!("{}, position {position}", at(vector, "name")), &made, &floats(y));
		}
	}
}

#[test]
fn a_model_should_match_from_prompt_to_boundaries() {
	let vector = read("model");
	let model = Model {
		shape: shape_of(at(&vector, "shape")),
		embedding: matrix(at(&vector, "embedding")),
		layers: items(at(&vector, "layers")).iter().map(layer_of).collect(),
		output_norm: floats(at(&vector, "output_norm")),
		output: None,
	};
	assert!(matches!(model.embedding, Matrix::Int8 { .. }));
	let prompt: Vec<u32> = integers(at(&vector, "prompt")).iter().map(|t| *t as u32).collect();
	let answer: Vec<u32> = integers(at(&vector, "answer")).iter().map(|t| *t as u32).collect();
	let (sampling, _) = sampling_of(text(at(&vector, "sampling")));
	let salt = hash(at(&vector, "salt"));

	let mut caches = model.caches();
	let mut scratch = SampleScratch::default();
	let mut behind_first = BoundaryTrace::new(salt);
	let mut behind_last = BoundaryTrace::new(salt);
	let mut made = Vec::new();
	let mut opened = None;
	let last = prompt.len() - 1;
	for position in 0..last + answer.len() {
		let token = prompt.get(position).copied().unwrap_or_else(|| made[position - last - 1]);
		let step = model.step(&mut caches, token).unwrap();
		behind_first.push_activation(position as u32, &step.streams[0]).unwrap();
		if position == 6 {
			opened = Some(activation_leaf(&salt, 6, &step.streams[0]));
		}
		if position >= last {
			let index = made.len();
			equal("logits", &step.logits, &floats(&at(&vector, "logits")[index]));
			let token = sample(&step.logits, &sampling, index as u32, &mut scratch).unwrap();
			behind_last.push_final(position as u32, &step.hidden, token).unwrap();
			made.push(token);
		}
	}
	assert_eq!(made, answer);

	let query_hash = QueryHash::from(hash(at(&vector, "query_hash")));
	let traces = [BoundaryTrace::prompt(salt, &prompt), behind_first, behind_last];
	for (index, trace) in traces.iter().enumerate() {
		let committed = |name: &str| hash(&at(&vector, name)[index]);
		assert_eq!(trace.root().0, committed("roots"), "root {index}");
		let boundary = trace.boundary(index as u16, &query_hash);
		assert_eq!(boundary.0, committed("boundaries"), "boundary {index}");
	}
	let trace = &traces[1];
	let proof = trace.proof(6).unwrap();
	let committed: Vec<[u8; 32]> =
		items(at(&vector, "proof_of_position_6")).iter().map(hash).collect();
	assert_eq!(proof.iter().map(|step| step.0).collect::<Vec<_>>(), committed);
	assert!(verify(&trace.root(), &opened.unwrap(), 6, trace.len(), &proof));
}

#[test]
fn draws_should_match() {
	let mut scratch = SampleScratch::default();
	for vector in items(&read("sampling")) {
		let logits = floats(at(vector, "logits"));
		for draw in items(at(vector, "draws")) {
			let (sampling, rest) = sampling_of(text(draw));
			let made = sample(&logits, &sampling, rest[0], &mut scratch).unwrap();
			assert_eq!(made, rest[1], "{}: {draw}", at(vector, "name"));
		}
	}
}

/// `temperature_milli top_k top_p_ppm seed`, and the numbers behind them.
fn sampling_of(line: &str) -> (Sampling, Vec<u32>) {
	let numbers: Vec<u64> = line.split(' ').map(|number| number.parse().unwrap()).collect();
	let sampling = Sampling {
		temperature_milli: numbers[0] as u32,
		top_k: numbers[1] as u32,
		top_p_ppm: numbers[2] as u32,
		seed: numbers[3],
	};
	(sampling, numbers[4..].iter().map(|number| *number as u32).collect())
}
