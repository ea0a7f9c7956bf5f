//! Every kernel that runs here against the scalar one, bit for bit, and that one against products in
//! the plainest form.

#![allow(clippy::unwrap_used)]

use aria_engine::{
	kernels::{
		available, best, by_name, quantise, AlignedVec, Kernel, PackedInt8, PackedTernary,
		QuantisedActivations, BLOCK, LINE,
	},
	numerics::{elementary::exp, reduce},
	EngineError,
};
use std::sync::Arc;

/// What accumulators hold where no kernel may write.
const UNTOUCHED: i32 = 0x5A5A_5A5A;

/// A generator that is the same everywhere.
struct Random(u64);

impl Random {
	fn next(&mut self) -> u64 {
		self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
		let mut z = self.0;
		z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
		z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
		z ^ (z >> 31)
	}

	/// An integer below `end`.
	fn below(&mut self, end: usize) -> usize {
		(self.next() % end as u64) as usize
	}

	/// Floats of every size, both zeros and denormals among them.
	fn float(&mut self) -> f32 {
		let bits = self.next();
		let sign = (bits as u32) & 0x8000_0000;
		let magnitude = match bits >> 60 {
			0 => 0.0,
			1 => f32::from_bits((bits >> 32) as u32 & 0x007F_FFFF),
			2 => f32::MIN_POSITIVE,
			3 => ((bits >> 32) as u32 % 200) as f32 * 0.5,
			4 => ((bits >> 32) as u32 >> 8) as f32 * 1e20,
			5 => ((bits >> 32) as u32 >> 8) as f32 * 1e-30,
			_ => ((bits >> 32) as u32 >> 8) as f32 / 1_048_576.0,
		};
		f32::from_bits(magnitude.to_bits() | sign)
	}

	fn floats(&mut self, length: usize) -> Vec<f32> {
		(0..length).map(|_| self.float()).collect()
	}
}

/// How values of a test are made.
#[derive(Clone, Copy)]
enum Fill {
	Random,
	/// The products that are greatest.
	Greatest,
	/// The products that are least.
	Least,
}

impl Fill {
	fn activation(self, random: &mut Random) -> i8 {
		match self {
			Self::Random => match random.next() % 8 {
				0 => -128,
				1 => 127,
				_ => random.next() as i8,
			},
			Self::Greatest => 127,
			Self::Least => -128,
		}
	}

	fn ternary(self, random: &mut Random) -> i8 {
		match self {
			Self::Random => random.below(3) as i8 - 1,
			Self::Greatest | Self::Least => 1,
		}
	}

	fn int8(self, random: &mut Random) -> i8 {
		match self {
			Self::Random => self.activation(random),
			Self::Greatest => 127,
			Self::Least => -128,
		}
	}
}

fn activations(tokens: usize, len: usize, fill: Fill, random: &mut Random) -> QuantisedActivations {
	let stride = len.next_multiple_of(BLOCK);
	let mut values = AlignedVec::<i8>::zeroed(tokens * stride, "a test").unwrap();
	for values in values.chunks_exact_mut(stride) {
		values[..len].fill_with(|| fill.activation(random));
	}
	let sums = values
		.chunks_exact(stride)
		.map(|values| values.iter().map(|value| i32::from(*value)).sum::<i32>())
		.collect();
	QuantisedActivations { tokens, len, stride, values, scales: vec![1.0; tokens], sums }
}

fn pack_ternary(weights: &[i8], rows: usize, cols: usize) -> PackedTernary {
	let kernel = best();
	PackedTernary::pack(kernel.as_ref(), rows, cols, 0.5, |row, out| {
		out.fill(0b01_01_01_01);
		for (column, weight) in weights[row * cols..(row + 1) * cols].iter().enumerate() {
			let (block, place) = (column / BLOCK, column % BLOCK);
			let shift = place / LINE * 2;
			let byte = &mut out[block * LINE + place % LINE];
			*byte = (*byte & !(0b11u8 << shift)) | (((weight + 1) as u8) << shift);
		}
		Ok(())
	})
	.unwrap()
}

fn pack_int8(weights: &[i8], rows: usize, cols: usize) -> PackedInt8 {
	let kernel = best();
	PackedInt8::pack(kernel.as_ref(), rows, cols, |row, out| {
		for (out, weight) in out.iter_mut().zip(&weights[row * cols..]) {
			*out = *weight as u8;
		}
		Ok(1.0)
	})
	.unwrap()
}

/// The definition of a matrix product.
fn product(weights: &[i8], inputs: &QuantisedActivations, row: usize, token: usize) -> i32 {
	let weights = &weights[row * inputs.len..(row + 1) * inputs.len];
	let values = &inputs.values[token * inputs.stride..];
	weights.iter().zip(values).map(|(w, q)| i32::from(*w) * i32::from(*q)).sum()
}

/// All kernels, those that are not scalar first.
fn kernels() -> Vec<Arc<dyn Kernel>> {
	available().into_iter().map(|name| by_name(name).unwrap()).collect()
}

/// Products by all kernels of some tiles of random matrices.
fn check(rows: usize, cols: usize, tokens: usize, fill: Fill, random: &mut Random) {
	let inputs = activations(tokens, cols, fill, random);
	let ternary: Vec<i8> = (0..rows * cols).map(|_| fill.ternary(random)).collect();
	let int8: Vec<i8> = (0..rows * cols).map(|_| fill.int8(random)).collect();
	let (packed, packed8) = (pack_ternary(&ternary, rows, cols), pack_int8(&int8, rows, cols));
	let first = random.below(packed.tiles());
	let end = first + 1 + random.below(packed.tiles() - first);
	let own = packed.rows_of(&(first..end));
	let stride = own.len() + random.below(5);
	let expected = |weights: &[i8]| {
		let mut acc = vec![UNTOUCHED; tokens * stride + 9];
		for token in 0..tokens {
			for row in own.clone() {
				acc[token * stride + row - own.start] = product(weights, &inputs, row, token);
			}
		}
		acc
	};
	let (expected_ternary, expected_int8) = (expected(&ternary), expected(&int8));
	for kernel in kernels() {
		let name = kernel.name();
		let what = format!("{name}: {rows} rows of {cols}, {tokens} tokens, tiles {first}..{end}");
		let mut acc = vec![UNTOUCHED; tokens * stride + 9];
		kernel.ternary(&packed, first..end, &inputs, &mut acc, stride);
		assert!(acc == expected_ternary, "ternary, {what}");
		acc.fill(UNTOUCHED);
		kernel.int8(&packed8, first..end, &inputs, &mut acc, stride);
		assert!(acc == expected_int8, "int8, {what}");
	}
}

#[test]
fn products_should_be_exact_for_random_shapes() {
	let mut random = Random(1);
	for case in 0..60 {
		let (rows, cols) = (1 + random.below(70), 1 + random.below(1500));
		// A single token takes another way than several.
		let tokens = if case % 3 == 0 { 1 } else { 1 + random.below(20) };
		check(rows, cols, tokens, Fill::Random, &mut random);
	}
}

#[test]
fn products_should_be_exact_around_the_edges_of_blocks() {
	let mut random = Random(2);
	for cols in [1, 15, 16, 63, 64, 65, 127, 128, 129, 255, 256, 257, 511, 512, 513, 1792, 1793] {
		for rows in [1, 3, 4, 5, 8] {
			check(rows, cols, 1, Fill::Random, &mut random);
			check(rows, cols, 2 + random.below(6), Fill::Random, &mut random);
		}
	}
}

#[test]
fn products_should_be_exact_at_their_extremes() {
	let mut random = Random(3);
	for fill in [Fill::Greatest, Fill::Least] {
		for tokens in 1..=8 {
			check(9, 1499, tokens, fill, &mut random);
		}
		// More blocks than 16 bits hold the products of, and than the first cache has room for.
		check(5, 9000, 1, fill, &mut random);
		check(5, 9000, 7, fill, &mut random);
	}
}

#[test]
fn products_should_be_exact_where_caches_divide_the_work() {
	let mut random = Random(4);
	check(6, 8000, 13, Fill::Random, &mut random);
	check(6, 3585, 5, Fill::Random, &mut random);
	check(700, 3000, 3, Fill::Random, &mut random);
}

#[test]
fn a_matrix_should_give_the_same_in_parts() {
	let mut random = Random(5);
	let (rows, cols, tokens) = (53, 700, 5);
	let inputs = activations(tokens, cols, Fill::Random, &mut random);
	let weights: Vec<i8> = (0..rows * cols).map(|_| Fill::Random.ternary(&mut random)).collect();
	let packed = pack_ternary(&weights, rows, cols);
	for kernel in kernels() {
		let mut whole = vec![0; tokens * rows];
		kernel.ternary(&packed, 0..packed.tiles(), &inputs, &mut whole, rows);
		let mut parts = vec![0; tokens * rows];
		for tile in 0..packed.tiles() {
			let first = packed.rows_of(&(tile..tile + 1)).start;
			kernel.ternary(&packed, tile..tile + 1, &inputs, &mut parts[first..], rows);
		}
		assert_eq!(whole, parts, "{}", kernel.name());
	}
}

/// Equal bits, or both NaN.
#[track_caller]
fn assert_same(made: &[f32], expected: &[f32], what: &str) {
	assert_eq!(made.len(), expected.len());
	for (index, (made, expected)) in made.iter().zip(expected).enumerate() {
		assert!(
			made.to_bits() == expected.to_bits() || (made.is_nan() && expected.is_nan()),
			"{what}: value {index} is {made:e} and not {expected:e}"
		);
	}
}

#[test]
fn float_operations_should_have_the_bits_of_the_scalar_ones() {
	let mut random = Random(6);
	let scalar = by_name("scalar").unwrap();
	let judge = scalar.float();
	for kernel in kernels() {
		let (ops, name) = (kernel.float(), kernel.name());
		for length in 0..300 {
			// Slices that begin anywhere.
			let skip = random.below(4);
			let (a, b) = (random.floats(skip + length), random.floats(skip + length));
			let (a, b) = (&a[skip..], &b[skip..]);
			let what = |op: &str| format!("{name}, {op} of {length}");
			let factor = random.float();

			for (op, made, expected) in [
				("sum", (ops.sum)(a), (judge.sum)(a)),
				("dot", (ops.dot)(a, b), (judge.dot)(a, b)),
				("sum_squares", (ops.sum_squares)(a), (judge.sum_squares)(a)),
				("max", (ops.max)(a), (judge.max)(a)),
			] {
				assert_same(&[made], &[expected], &what(op));
			}
			assert_eq!((ops.absmax_bits)(a), (judge.absmax_bits)(a), "{}", what("absmax_bits"));

			type Unary = fn(&mut [f32], f32);
			let unary: [(&str, Unary, Unary); 2] = [
				("scale", ops.scale, judge.scale),
				("exp_shifted", ops.exp_shifted, judge.exp_shifted),
			];
			for (op, made_by, judged_by) in unary {
				let (mut made, mut expected) = (a.to_vec(), a.to_vec());
				made_by(&mut made, factor);
				judged_by(&mut expected, factor);
				assert_same(&made, &expected, &what(op));
			}

			type Binary = fn(&mut [f32], &[f32]);
			let binary: [(&str, Binary, Binary); 3] = [
				("add", ops.add, judge.add),
				("squared_relu_mul", ops.squared_relu_mul, judge.squared_relu_mul),
				("silu_mul", ops.silu_mul, judge.silu_mul),
			];
			for (op, made_by, judged_by) in binary {
				let (mut made, mut expected) = (a.to_vec(), a.to_vec());
				made_by(&mut made, b);
				judged_by(&mut expected, b);
				assert_same(&made, &expected, &what(op));
			}

			let (mut made, mut expected) = (a.to_vec(), a.to_vec());
			(ops.axpy)(&mut made, factor, b);
			(judge.axpy)(&mut expected, factor, b);
			assert_same(&made, &expected, &what("axpy"));

			let (mut made, mut expected) = (vec![0.0; length], vec![0.0; length]);
			(ops.norm)(a, factor, b, &mut made);
			(judge.norm)(a, factor, b, &mut expected);
			assert_same(&made, &expected, &what("norm"));

			let (mut made, mut expected) = (a.to_vec(), a.to_vec());
			let half = length / 2;
			(ops.rotate)(&mut made, &b[..half], &b[half..2 * half]);
			(judge.rotate)(&mut expected, &b[..half], &b[half..2 * half]);
			assert_same(&made, &expected, &what("rotate"));
		}
	}
}

#[test]
fn integer_conversions_should_have_the_bits_of_the_scalar_ones() {
	let mut random = Random(7);
	let scalar = by_name("scalar").unwrap();
	let judge = scalar.float();
	for kernel in kernels() {
		let (ops, name) = (kernel.float(), kernel.name());
		for length in 0..300 {
			let x = random.floats(length);
			let maximum = f32::from_bits((ops.absmax_bits)(&x));
			// The scale of an absolute maximum, one that clamps, and one that makes many ties.
			for scale in [127.0 / maximum.max(1e-5), 3.0, 1.0, 0.5] {
				let (mut made, mut expected) = (vec![99; length], vec![99; length]);
				let sum = (ops.quantise)(&x, scale, &mut made);
				assert_eq!(sum, (judge.quantise)(&x, scale, &mut expected), "{name}, {length}");
				assert_eq!(made, expected, "{name}, {length}, {scale}");
			}

			let acc: Vec<i32> = (0..length)
				.map(|_| match random.below(4) {
					0 => [i32::MIN, i32::MAX, 0, (1 << 24) + 1][random.below(4)],
					_ => (random.next() as i32) >> random.below(32),
				})
				.collect();
			let factor = random.float();
			let (mut made, mut expected) = (vec![0.0; length], vec![0.0; length]);
			(ops.dequantise)(&acc, factor, &mut made);
			(judge.dequantise)(&acc, factor, &mut expected);
			assert_same(&made, &expected, &format!("{name}, dequantise of {length}"));
			(ops.dequantise_rows)(&acc, &x, factor, &mut made);
			(judge.dequantise_rows)(&acc, &x, factor, &mut expected);
			assert_same(&made, &expected, &format!("{name}, dequantise_rows of {length}"));
		}
	}
}

#[test]
fn attention_should_have_the_bits_of_the_scalar_one() {
	let mut random = Random(8);
	let scalar = by_name("scalar").unwrap();
	let judge = scalar.float();
	for kernel in kernels() {
		let (ops, name) = (kernel.float(), kernel.name());
		for (head_dim, positions) in [
			(1, 5),
			(2, 1),
			(16, 4),
			(30, 7),
			(64, 9),
			(80, 6),
			(128, 0),
			(128, 67),
			(192, 3),
			(200, 13),
		] {
			let what = format!("{name}, {positions} positions of {head_dim}");
			let query = random.floats(head_dim);
			let keys = random.floats(head_dim * positions);
			let (mut made, mut expected) = (vec![0.0; positions], vec![0.0; positions]);
			(ops.dots)(&query, &keys, &mut made);
			(judge.dots)(&query, &keys, &mut expected);
			assert_same(&made, &expected, &what);
			for (key, dot) in keys.chunks_exact(head_dim).zip(&expected) {
				assert_same(&[reduce::dot(&query, key)], &[*dot], &what);
			}

			let weights = random.floats(positions);
			let (mut made, mut expected) = (query.clone(), query.clone());
			(ops.mix)(&mut made, &weights, &keys);
			for (weight, value) in weights.iter().zip(keys.chunks_exact(head_dim)) {
				(judge.axpy)(&mut expected, *weight, value);
			}
			assert_same(&made, &expected, &what);
			let mut judged = query.clone();
			(judge.mix)(&mut judged, &weights, &keys);
			assert_same(&judged, &expected, &what);
		}
	}
}

#[test]
fn special_values_should_pass_through_alike() {
	let values = [
		0.0,
		-0.0,
		1.0,
		-1.0,
		87.0,
		-87.0,
		-87.000_01,
		88.0,
		88.000_01,
		1e30,
		-1e30,
		1e-45,
		-1e-45,
		f32::MAX,
		f32::MIN,
		f32::INFINITY,
		f32::NEG_INFINITY,
		f32::NAN,
		0.5,
		-86.999_99,
	];
	let scalar = by_name("scalar").unwrap();
	let judge = scalar.float();
	for kernel in kernels() {
		let (ops, name) = (kernel.float(), kernel.name());
		let mut made = values.to_vec();
		(ops.exp_shifted)(&mut made, 0.0);
		let expected: Vec<f32> = values.iter().map(|x| exp(*x)).collect();
		assert_same(&made, &expected, &format!("{name}, exp"));
		for (op, made_by, judged_by) in [
			("silu_mul", ops.silu_mul, judge.silu_mul),
			("squared_relu_mul", ops.squared_relu_mul, judge.squared_relu_mul),
		] {
			let (mut made, mut expected) = (values.to_vec(), values.to_vec());
			made_by(&mut made, &[1.0; 20]);
			judged_by(&mut expected, &[1.0; 20]);
			assert_same(&made, &expected, &format!("{name}, {op}"));
		}
		assert_eq!((ops.max)(&[]), f32::NEG_INFINITY);
		assert_eq!((ops.max)(&[-0.0; 33]).to_bits(), 0);
		assert_eq!((ops.max)(&[-3.0; 17]), -3.0);
		for place in 0..40 {
			for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
				let mut x = vec![1.0; 40];
				x[place] = value;
				assert!((ops.absmax_bits)(&x) >= f32::INFINITY.to_bits(), "{name}");
			}
		}
	}
}

#[test]
fn every_exponent_should_give_the_bits_of_the_reference() {
	for kernel in kernels() {
		// All floats from −88 to 89 would be too many: every 50,021st of the bits.
		let mut x: Vec<f32> = (0..0x42B2_0000u32)
			.step_by(50_021)
			.flat_map(|bits| [f32::from_bits(bits), -f32::from_bits(bits)])
			.collect();
		let expected: Vec<f32> = x.iter().map(|x| exp(*x)).collect();
		(kernel.float().exp_shifted)(&mut x, 0.0);
		assert_same(&x, &expected, kernel.name());
	}
}

#[test]
fn activations_should_be_quantised_token_by_token() {
	let mut random = Random(9);
	let mut out = QuantisedActivations::default();
	for kernel in kernels() {
		for (tokens, len) in [(1, 1), (3, 300), (2, 256), (5, 17), (1, 0), (0, 7)] {
			let x: Vec<f32> = (0..tokens * len).map(|_| random.below(999) as f32 - 499.0).collect();
			quantise(kernel.as_ref(), &x, tokens, len, &mut out).unwrap();
			assert_eq!((out.tokens, out.len), (tokens, len));
			assert_eq!((out.scales.len(), out.sums.len()), (tokens, tokens));
			assert_eq!(out.stride, len.next_multiple_of(BLOCK));
			for token in 0..tokens {
				let x = &x[token * len..(token + 1) * len];
				let (values, padding) =
					out.values[token * out.stride..(token + 1) * out.stride].split_at(len);
				let maximum = x.iter().fold(0.0f32, |max, x| max.max(x.abs()));
				assert_eq!(out.scales[token], 127.0 / maximum.max(1e-5));
				for (x, value) in x.iter().zip(values) {
					assert_eq!(*value, (x * out.scales[token]).round_ties_even() as i8);
				}
				let sum: i32 = values.iter().map(|value| i32::from(*value)).sum();
				assert_eq!(out.sums[token], sum);
				assert!(padding.iter().all(|value| *value == 0));
			}
		}
		for bad in [f32::NAN, f32::INFINITY] {
			let result = quantise(kernel.as_ref(), &[1.0, bad, 2.0], 1, 3, &mut out);
			assert!(matches!(result, Err(EngineError::NotFinite { .. })));
			assert_eq!(out.tokens, 0);
		}
		assert!(quantise(kernel.as_ref(), &[1.0; 5], 2, 3, &mut out).is_err());
	}
}
