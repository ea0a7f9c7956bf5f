//! Speed of matrix products: bytes of weights a second for one token, where memory is the limit, and
//! products a second for many, where arithmetic is.
//!
//! `cargo bench -p aria-engine --bench kernels`; a filter such as `avx512` or `decode` behind `--`.
//! Matrices that are measured for one token are taken in turn from several of a kind, so that they
//! come from memory as they do in a model, and not from the cache.

// Criterion's macros make functions without documentation.
#![allow(clippy::unwrap_used, missing_docs)]

use aria_engine::kernels::{
	available, by_name, quantise, Kernel, PackedInt8, PackedTernary, QuantisedActivations,
};
use criterion::{criterion_group, criterion_main, BenchmarkId, Criterion, Throughput};
use std::{hint::black_box, sync::Arc};

/// Rows and columns: attention, gate and up, down.
const SHAPES: [(usize, usize); 3] = [(2560, 2560), (6912, 2560), (2560, 6912)];

/// Bytes of weights that no cache holds.
const BEYOND_CACHES: usize = 256 << 20;

/// Tokens of a chunk of a prompt.
const CHUNK: usize = 128;

fn kernels() -> Vec<Arc<dyn Kernel>> {
	available()
		.into_iter()
		.filter(|name| *name != "scalar")
		.map(|name| by_name(name).unwrap())
		.collect()
}

fn next(state: &mut u32) -> u32 {
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	*state
}

fn ternary(kernel: &dyn Kernel, rows: usize, cols: usize) -> PackedTernary {
	let mut state = 1;
	PackedTernary::pack(kernel, rows, cols, 1.0, |_, out| {
		assert_eq!(cols % 256, 0, "every code is a column's");
		for byte in out {
			// Codes 0, 1 and 2 from the digits of a number below 81.
			let digits = next(&mut state) % 81;
			*byte = ((digits % 3)
				| ((digits / 3 % 3) << 2)
				| ((digits / 9 % 3) << 4)
				| ((digits / 27) << 6)) as u8;
		}
		Ok(())
	})
	.unwrap()
}

fn int8(kernel: &dyn Kernel, rows: usize, cols: usize) -> PackedInt8 {
	let mut state = 2;
	PackedInt8::pack(kernel, rows, cols, |_, out| {
		out.fill_with(|| (next(&mut state) % 255) as i8 as u8);
		Ok(1.0)
	})
	.unwrap()
}

fn inputs(kernel: &dyn Kernel, tokens: usize, cols: usize) -> QuantisedActivations {
	let mut state = 3;
	let x: Vec<f32> = (0..tokens * cols).map(|_| next(&mut state) as f32 - 2e9).collect();
	let mut out = QuantisedActivations::default();
	quantise(kernel, &x, tokens, cols, &mut out).unwrap();
	out
}

fn decode(criterion: &mut Criterion) {
	let mut group = criterion.benchmark_group("decode");
	for kernel in kernels() {
		let kernel = kernel.as_ref();
		for (rows, cols) in SHAPES {
			let bytes = rows * cols / 4;
			let matrices: Vec<PackedTernary> =
				(0..BEYOND_CACHES / bytes).map(|_| ternary(kernel, rows, cols)).collect();
			let inputs = inputs(kernel, 1, cols);
			let mut acc = vec![0; rows];
			let mut turn = 0;
			group.throughput(Throughput::Bytes(bytes as u64));
			let id = BenchmarkId::new(kernel.name(), format!("{rows}x{cols}"));
			group.bench_function(id, |bencher| {
				bencher.iter(|| {
					let matrix = &matrices[turn % matrices.len()];
					turn += 1;
					kernel.ternary(matrix, 0..matrix.tiles(), &inputs, &mut acc, rows);
					black_box(&mut acc);
				});
			});
		}
	}
	group.finish();
}

fn prefill(criterion: &mut Criterion) {
	let mut group = criterion.benchmark_group("prefill");
	for kernel in kernels() {
		let kernel = kernel.as_ref();
		for (rows, cols) in SHAPES {
			let matrix = ternary(kernel, rows, cols);
			let inputs = inputs(kernel, CHUNK, cols);
			let mut acc = vec![0; CHUNK * rows];
			// An element is a product of a weight with an activation.
			group.throughput(Throughput::Elements((rows * cols * CHUNK) as u64));
			let id = BenchmarkId::new(kernel.name(), format!("{rows}x{cols}x{CHUNK}"));
			group.bench_function(id, |bencher| {
				bencher.iter(|| {
					kernel.ternary(&matrix, 0..matrix.tiles(), &inputs, &mut acc, rows);
					black_box(&mut acc);
				});
			});
		}
	}
	group.finish();
}

fn head(criterion: &mut Criterion) {
	let (rows, cols) = (128_256, 2560);
	let mut group = criterion.benchmark_group("head");
	group.sample_size(20);
	for kernel in kernels() {
		let kernel = kernel.as_ref();
		let matrix = int8(kernel, rows, cols);
		let inputs = inputs(kernel, 1, cols);
		let mut acc = vec![0; rows];
		group.throughput(Throughput::Bytes((rows * cols) as u64));
		group.bench_function(
			BenchmarkId::new(kernel.name(), format!("{rows}x{cols}")),
			|bencher| {
				bencher.iter(|| {
					kernel.int8(&matrix, 0..matrix.tiles(), &inputs, &mut acc, rows);
					black_box(&mut acc);
				});
			},
		);
	}
	group.finish();
}

fn floats(criterion: &mut Criterion) {
	let mut group = criterion.benchmark_group("floats");
	let length = 6912;
	let x: Vec<f32> = (0..length).map(|i| (i % 97) as f32 * 0.1 - 5.0).collect();
	for name in available() {
		let kernel = by_name(name).unwrap();
		let ops = kernel.float();
		group.throughput(Throughput::Elements(length as u64));
		let mut out = x.clone();
		group.bench_function(BenchmarkId::new("sum_squares", name), |bencher| {
			bencher.iter(|| (ops.sum_squares)(black_box(&x)));
		});
		group.bench_function(BenchmarkId::new("norm", name), |bencher| {
			bencher.iter(|| (ops.norm)(black_box(&x), 0.5, &x, &mut out));
		});
		group.bench_function(BenchmarkId::new("silu_mul", name), |bencher| {
			bencher.iter(|| {
				out.copy_from_slice(&x);
				(ops.silu_mul)(black_box(&mut out), &x);
			});
		});
		let mut bytes = vec![0; length];
		group.bench_function(BenchmarkId::new("quantise", name), |bencher| {
			bencher.iter(|| (ops.quantise)(black_box(&x), 25.0, &mut bytes));
		});
		// 54 positions of a head of 128.
		let mut scores = vec![0.0; length / 128];
		group.bench_function(BenchmarkId::new("dots", name), |bencher| {
			bencher.iter(|| (ops.dots)(black_box(&x[..128]), &x, &mut scores));
		});
		group.bench_function(BenchmarkId::new("mix", name), |bencher| {
			bencher.iter(|| (ops.mix)(black_box(&mut out[..128]), &scores, &x));
		});
	}
	group.finish();
}

criterion_group!(benches, decode, prefill, head, floats);
criterion_main!(benches);
