//! Packages as `docs/protocol/package.md` has them: written, read, split, verified.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::unusual_byte_groupings)]

mod package_support;

use aria_engine::package::{
	encode, even_shards,
	layout::{layouts, shard_file},
	safetensors::read_header,
	split, Encodings, ManifestHead, Package, PackageBuilder, TensorDigest, TensorLayout,
	COMMON_FILE, MANIFEST_FILE, MANIFEST_VIEW,
};
use aria_primitives::{
	hashing::{leaf_hash, merkle_root},
	manifest::{Encoding, Head, Manifest, TensorRole as Role},
	record::LayerRange,
};
use package_support::{dimensions, files, head, joined, parts, weights, write, Random};
use std::{fs, ops::Range};

fn encodings(linear: Encoding, rows: Encoding, norm: Encoding) -> Encodings {
	Encodings { linear, embedding: rows, output: rows, norm }
}

#[test]
fn tensors_should_come_back_as_they_were_written() {
	let cases = [
		encodings(Encoding::Ternary2, Encoding::Int8Row, Encoding::F32),
		encodings(Encoding::Ternary5, Encoding::F16, Encoding::F16),
		encodings(Encoding::F16, Encoding::F32, Encoding::F32),
		encodings(Encoding::F32, Encoding::Int8Row, Encoding::F16),
	];
	for (seed, encodings) in cases.into_iter().enumerate() {
		let dir = tempfile::tempdir().unwrap();
		let dir = dir.path().join("new/package");
		let head = head(encodings);
		let manifest = write(&dir, &head, seed as u64);
		let package = Package::open_expecting(&dir, &manifest.model_id()).unwrap();
		assert_eq!(package.manifest, manifest);
		assert_eq!(package.model_id(), manifest.model_id());
		assert_eq!(package.tokenizer(), package_support::TOKENIZER);
		assert_eq!(package.chat_template().as_bytes(), package_support::TEMPLATE);
		assert_eq!(package.layers_present(), [LayerRange { first: 0, end: 2 }]);
		package.require_complete().unwrap();

		let mut total = 0;
		for (plan, bytes) in weights(&head, seed as u64) {
			let view = package.tensor(plan.layer, plan.role).unwrap();
			assert_eq!((view.rows, view.cols), dimensions(&head, plan.role));
			assert_eq!(
				(view.layer, view.role, view.encoding),
				(plan.layer, plan.role, plan.encoding)
			);
			assert_eq!(view.bytes, bytes);
			view.check().unwrap();
			total += bytes.len() as u64;
		}
		let mut calls = Vec::new();
		let report = package.verify(&mut |done, all| calls.push((done, all))).unwrap();
		assert_eq!(report.bytes, total);
		assert_eq!(report.tensors, head.tensors.len());
		assert_eq!(report.missing, Vec::<String>::new());
		assert_eq!((calls.first(), calls.last()), (Some(&(0, total)), Some(&(total, total))));
		// Verifying lets go of pages; they come back.
		assert_eq!(package.verify(&mut |_, _| ()).unwrap(), report);

		let view = fs::read(dir.join(MANIFEST_VIEW)).unwrap();
		assert_eq!(serde_json::from_slice::<Manifest>(&view).unwrap(), manifest);
		let memory = Package::from_memory(files(&dir)).unwrap();
		assert_eq!(memory.verify(&mut |_, _| ()).unwrap(), report);
	}
}

#[test]
fn values_should_come_back_as_they_were_encoded() {
	let mut random = Random(11);
	let (rows, cols) = (27, 33);
	let floats = random.floats(rows * cols);
	let package = |encoding| {
		let dir = tempfile::tempdir().unwrap();
		let dir = dir.path().join("package");
		let head = head(encodings(Encoding::Ternary2, encoding, Encoding::F32));
		let mut builder = PackageBuilder::new(&dir, &head).unwrap();
		for (plan, bytes) in weights(&head, 1) {
			let (rows, cols) = dimensions(&head, plan.role);
			let bytes = match plan.role {
				Role::TokenEmbedding => match encoding {
					Encoding::Int8Row => encode::int8_rows(&floats, rows, cols).unwrap(),
					Encoding::F16 => encode::f16_rows(&floats, rows, cols).unwrap(),
					_ => encode::f32_rows(&floats, rows, cols).unwrap(),
				},
				_ => bytes,
			};
			builder.tensor(plan.layer, plan.role, plan.encoding, rows, cols, &bytes).unwrap();
		}
		builder.tokenizer(b"{}").unwrap();
		builder.template(b"").unwrap();
		builder.finish().unwrap();
		Package::from_memory(files(&dir)).unwrap()
	};
	for (encoding, error) in [
		(Encoding::F32, 0.0),
		(Encoding::F16, 1.0 / 2048.0),
		(Encoding::Int8Row, 0.5 / 127.0 + 1e-6),
	] {
		let package = package(encoding);
		let view = package.tensor(None, Role::TokenEmbedding).unwrap();
		let mut row = vec![0f32; cols];
		for (index, want) in floats.chunks(cols).enumerate() {
			view.float_row(index, &mut row).unwrap();
			for (value, want) in row.iter().zip(want) {
				assert!((value - want).abs() <= error, "{encoding:?}: {value} for {want}");
			}
		}
		assert!(view.float_row(rows, &mut row).is_err());
		assert!(view.float_row(0, &mut row[1..]).is_err());
		assert!(view.ternary2_row(0, &mut [0; 64]).is_err());
		assert_eq!(view.row_scales().is_ok(), encoding == Encoding::Int8Row);
		assert!(view.row_bytes(rows).is_empty());
	}
}

#[test]
fn blocks_of_ternary2_should_hold_columns_64_apart() {
	// Column 0 is -1, 64 is 0, 128 is 1, 192 is -1: codes 0, 1, 2, 0 from the lowest bits up.
	let mut row = vec![0i8; 257];
	(row[0], row[128], row[192], row[256]) = (-1, 1, -1, 1);
	let bytes = encode::ternary2(&row, 1, 257, 0.25).unwrap();
	assert_eq!(bytes.len(), 2 * 64 + 4);
	assert_eq!(bytes[0], 0b00_10_01_00);
	assert!(bytes[1..64].iter().all(|byte| *byte == 0b01_01_01_01));
	// Column 256 is the first of the second block; what follows is padding.
	assert_eq!(bytes[64], 0b01_01_01_10);
	assert!(bytes[65..128].iter().all(|byte| *byte == 0b01_01_01_01));
	assert_eq!(bytes[128..], 0.25f32.to_le_bytes());
}

#[test]
fn bytes_of_ternary5_should_hold_five_columns() {
	let bytes = encode::ternary5(&[-1, 0, 1, 0, 1, 1], 1, 6, 2.0).unwrap();
	assert_eq!(bytes[0], 3 + 2 * 9 + 27 + 2 * 81);
	// The padding's digits are 1.
	assert_eq!(bytes[1], 2 + 3 + 9 + 27 + 81);
	assert_eq!(bytes[2..], 2.0f32.to_le_bytes());
}

#[test]
fn int8_rows_should_have_a_scale_each() {
	let bytes = encode::int8_rows(&[127.0, -63.5, 0.5, 0.0, 0.0, 0.0], 2, 3).unwrap();
	// -63.5 and 0.5 are halfway and go to the even neighbour.
	assert_eq!(bytes[..3], [127, -64i8 as u8, 0]);
	assert_eq!(bytes[3..7], 1.0f32.to_le_bytes());
	assert_eq!(bytes[7..10], [0; 3]);
	assert_eq!(bytes[10..], 1.0f32.to_le_bytes());
}

#[test]
fn both_ternary_encodings_should_mean_the_same() {
	let package = |linear| {
		let dir = tempfile::tempdir().unwrap();
		let dir = dir.path().join("package");
		// Equal seeds give equal values for both, and the other tensors don't depend on them.
		write(&dir, &head(encodings(linear, Encoding::F16, Encoding::F32)), 5);
		Package::from_memory(files(&dir)).unwrap()
	};
	let (two, five) = (package(Encoding::Ternary2), package(Encoding::Ternary5));
	for role in [Role::Query, Role::Key, Role::Gate, Role::Down] {
		let two = two.tensor(Some(1), role).unwrap();
		let five = five.tensor(Some(1), role).unwrap();
		assert_eq!(two.scale(), five.scale());
		let (mut values, mut others) = (vec![9i8; two.cols], vec![9i8; two.cols]);
		let mut packed = vec![0u8; two.cols.div_ceil(256) * 64];
		for row in 0..two.rows {
			two.ternary_row(row, &mut values).unwrap();
			five.ternary_row(row, &mut others).unwrap();
			assert_eq!(values, others);
			assert!(values.iter().all(|value| (-1..=1).contains(value)));
			five.ternary2_row(row, &mut packed).unwrap();
			assert_eq!(packed, two.row_bytes(row));
			packed.fill(0);
			two.ternary2_row(row, &mut packed).unwrap();
			assert_eq!(packed, two.row_bytes(row));
		}
	}
}

/// A manifest with other dimensions: enough for layouts, which don't look at roots.
fn sized(hidden: u32, vocab: u32, encodings: Encodings) -> Manifest {
	let dir = tempfile::tempdir().unwrap();
	let head = head(encodings);
	let mut manifest = write(&dir.path().join("package"), &head, 0);
	(manifest.hidden, manifest.vocab) = (hidden, vocab);
	manifest
}

fn chunks(
	manifest: &Manifest,
	layer: Option<u16>,
	role: Role,
	encoding: Encoding,
) -> Vec<Range<usize>> {
	let layout = TensorLayout::new(manifest, layer, role, encoding).unwrap();
	let chunks: Vec<_> = layout.chunks().collect();
	assert_eq!(chunks.len(), layout.chunk_count());
	assert_eq!(layout.chunk(chunks.len()), None);
	assert_eq!(layout.chunk(usize::MAX), None);
	let mut next = 0;
	for chunk in &chunks {
		assert!(chunk.start == next && chunk.end > next && chunk.len() <= 65_536);
		next = chunk.end;
	}
	assert_eq!(next, layout.len);
	chunks
}

#[test]
fn chunks_should_be_aligned_to_rows() {
	let manifest = sized(2560, 1000, Encodings::default());
	// 2,564 bytes a row: 25 rows are 64,100 bytes, 26 would be 66,664.
	let embedding = chunks(&manifest, None, Role::TokenEmbedding, Encoding::Int8Row);
	assert_eq!(embedding.len(), 40);
	assert_eq!(embedding[1], 64_100..128_200);
	// 640 bytes a row, 51 rows in one chunk, then the scale.
	let gate = chunks(&manifest, Some(0), Role::Gate, Encoding::Ternary2);
	assert_eq!(gate, [0..32_640, 32_640..32_644]);
	let norm = chunks(&manifest, None, Role::OutputNorm, Encoding::F32);
	assert_eq!(norm.len(), 1);
	assert_eq!(norm[0], 0..10_240);

	// Rows that fill a chunk exactly, and rows of one byte more.
	let manifest = sized(65_532, 3, Encodings::default());
	let exact = chunks(&manifest, None, Role::TokenEmbedding, Encoding::Int8Row);
	assert_eq!(exact, [0..65_536, 65_536..131_072, 131_072..196_608]);
	let manifest = sized(65_533, 3, Encodings::default());
	let longer = chunks(&manifest, None, Role::TokenEmbedding, Encoding::Int8Row);
	assert_eq!(longer.len(), 6);
	assert_eq!(longer[1], 65_536..65_537);
	assert_eq!(longer[2], 65_537..131_073);
}

#[test]
fn a_digest_should_not_depend_on_the_pieces() {
	let mut random = Random(3);
	for (hidden, encoding) in
		[(65_533u32, Encoding::Int8Row), (300, Encoding::F16), (40_000, Encoding::F32)]
	{
		let manifest = sized(hidden, (600_000 / hidden).min(300), Encodings::default());
		let layout = TensorLayout::new(&manifest, None, Role::Output, encoding).unwrap();
		let bytes = package_support::stored(&mut random, encoding, layout.rows, layout.cols);
		assert_eq!(bytes.len(), layout.len);
		let leaves: Vec<_> = layout.chunks().map(|range| leaf_hash(&bytes[range])).collect();
		let root = merkle_root(&leaves);
		for most in [1_000_000_000, 65_536, 100_003, 777] {
			let mut digest = TensorDigest::new(&layout);
			let mut rest = &bytes[..];
			while !rest.is_empty() {
				let (piece, behind) = rest.split_at((1 + random.below(most)).min(rest.len()));
				digest.update(piece).unwrap();
				rest = behind;
			}
			assert_eq!(digest.finish().unwrap(), root);
		}
		let mut digest = TensorDigest::new(&layout);
		digest.update(&bytes[1..]).unwrap_or_default();
		assert!(digest.finish().is_err());
	}
}

#[test]
fn roots_should_be_over_the_chunks() {
	let dir = tempfile::tempdir().unwrap();
	let dir = dir.path().join("package");
	let manifest = write(&dir, &head(Encodings::default()), 4);
	let package = Package::open(&dir).unwrap();
	for (tensor, layout) in manifest.tensors.iter().zip(layouts(&manifest).unwrap()) {
		let view = package.tensor(layout.layer, tensor.role).unwrap();
		let leaves: Vec<_> = view.chunks().map(leaf_hash).collect();
		assert_eq!(merkle_root(&leaves), tensor.root);
		assert_eq!(view.layout(), &layout);
	}
}

#[test]
fn order_and_pieces_of_writing_should_not_matter() {
	let dir = tempfile::tempdir().unwrap();
	let (one, two) = (dir.path().join("one"), dir.path().join("two"));
	let mut head = head(Encodings::default());
	write(&one, &head, 9);
	let mut tensors = weights(&head, 9);
	tensors.reverse();
	head.tensors.reverse();
	let mut builder = PackageBuilder::new(&two, &head).unwrap();
	builder.template(package_support::TEMPLATE).unwrap();
	builder.tokenizer(b"a first try").unwrap();
	for (plan, bytes) in tensors {
		let (rows, cols) = dimensions(&head, plan.role);
		let mut writer = builder.begin(plan.layer, plan.role, plan.encoding, rows, cols).unwrap();
		bytes.chunks(7).for_each(|piece| writer.write(piece).unwrap());
		writer.end().unwrap();
	}
	builder.tokenizer(package_support::TOKENIZER).unwrap();
	builder.finish().unwrap();
	assert_eq!(files(&one), files(&two));
}

#[test]
fn files_of_weights_should_be_safetensors() {
	let dir = tempfile::tempdir().unwrap();
	let dir = dir.path().join("package");
	write(&dir, &head(Encodings::default()), 2);
	let file = fs::read(dir.join(shard_file(1))).unwrap();
	let (json, data) = parts(&file);
	assert_eq!((file.len() - data.len()) % 64, 0);
	let header: serde_json::Value = serde_json::from_str(&json).unwrap();
	let query = &header["layers.1.query"];
	assert_eq!(query["dtype"], "U8");
	assert_eq!(query["shape"], serde_json::json!([28 * 64 + 4]));
	assert_eq!(header.as_object().unwrap().len(), 11);
	let entries = read_header("file", &file).unwrap();
	assert_eq!(entries.iter().map(|entry| entry.range.len()).sum::<usize>(), data.len());
}

#[test]
fn headers_of_other_writers_should_be_read() {
	let dir = tempfile::tempdir().unwrap();
	let dir = dir.path().join("package");
	write(&dir, &head(Encodings::default()), 2);
	let mut files = files(&dir);
	let whole = Package::from_memory(files.clone()).unwrap();
	// Backwards, with metadata, unpadded.
	let file = &files[COMMON_FILE];
	let (mut tensors, mut data) = (Vec::new(), Vec::new());
	for entry in read_header(COMMON_FILE, file).unwrap().into_iter().rev() {
		let (begin, len) = (data.len(), entry.range.len());
		data.extend_from_slice(&file[entry.range]);
		tensors.push(format!(
			r#""{}" : {{"data_offsets":[{begin},{}],"shape":[{len}],"dtype":"U8"}}"#,
			entry.name,
			begin + len
		));
	}
	tensors.rotate_left(1);
	let json = format!(r#"{{"__metadata__":{{"format":"pt"}},{}}}"#, tensors.join(",\n"));
	files.insert(COMMON_FILE.to_owned(), joined(json.as_bytes(), &data));
	let package = Package::from_memory(files).unwrap();
	assert_eq!(
		package.verify(&mut |_, _| ()).unwrap().bytes,
		whole.verify(&mut |_, _| ()).unwrap().bytes
	);
}

#[test]
fn splitting_should_give_each_shard_its_part() {
	let dir = tempfile::tempdir().unwrap();
	let source = dir.path().join("package");
	let mut head = head(Encodings::default());
	(head.layers, head.shards) = (5, even_shards(5, 3));
	head.tensors = head.standard_tensors(&Encodings::default());
	write(&source, &head, 1);
	let package = Package::open(&source).unwrap();
	let out = dir.path().join("split");
	let mut last = (0, 0);
	let report = split(&package, &out, &mut |done, total| last = (done, total)).unwrap();
	assert_eq!(last, (report.bytes, report.bytes));
	assert_eq!(report.linked + report.copied, 5);
	let ranges = [(0, 2), (2, 4), (4, 5)];
	for (shard, ((first, end), folder)) in ranges.into_iter().zip(&report.folders).enumerate() {
		assert_eq!(*folder, out.join(format!("shard-{shard:03}")));
		let part = Package::open_expecting(folder, &package.model_id()).unwrap();
		assert_eq!(part.layers_present(), [LayerRange { first, end }]);
		assert_eq!(part.has_common(), shard != 1);
		assert_eq!(part.tokenizer(), package.tokenizer());
		let verified = part.verify(&mut |_, _| ()).unwrap();
		assert_eq!(verified.missing.len(), if shard == 1 { 3 } else { 2 });
		assert!(part.has(Some(first), Role::Query) && part.lists(Some(0), Role::Query));
		let absent = (first + 2) % 5;
		let error = part.tensor(Some(absent), Role::Query).unwrap_err().to_string();
		let file = shard_file(ranges.iter().position(|(_, end)| absent < *end).unwrap());
		assert!(error.contains(&file) && error.contains("missing"), "{error}");
		assert!(part.require_complete().unwrap_err().to_string().contains("missing"));
		assert!(split(&part, &dir.path().join("again"), &mut |_, _| ()).is_err());
	}
	let error = split(&package, &out, &mut |_, _| ()).unwrap_err().to_string();
	assert!(error.contains("shard-000"), "{error}");

	// From memory there is nothing to link to.
	let memory = Package::from_memory(files(&source)).unwrap();
	let copy = dir.path().join("copy");
	let copied = split(&memory, &copy, &mut |_, _| ()).unwrap();
	assert_eq!((copied.copied, copied.bytes), (5, report.bytes));
	for (one, two) in report.folders.iter().zip(&copied.folders) {
		assert_eq!(files(one), files(two));
	}
}

#[test]
fn layers_of_neighbouring_shards_should_be_joined() {
	let dir = tempfile::tempdir().unwrap();
	let dir = dir.path().join("package");
	let mut head = head(Encodings::default());
	(head.layers, head.shards) = (4, even_shards(4, 4));
	head.tensors = head.standard_tensors(&Encodings::default());
	write(&dir, &head, 1);
	fs::remove_file(dir.join(shard_file(2))).unwrap();
	let package = Package::open(&dir).unwrap();
	let ranges = [LayerRange { first: 0, end: 2 }, LayerRange { first: 3, end: 4 }];
	assert_eq!(package.layers_present(), ranges);
	assert_eq!(package.files_missing(), [shard_file(2)]);
	assert_eq!(package.files_present().len(), 4);
}

#[test]
fn shards_should_be_even() {
	let lengths = |layers, shards| {
		even_shards(layers, shards).iter().map(LayerRange::len).collect::<Vec<_>>()
	};
	assert_eq!(lengths(30, 4), [8, 8, 7, 7]);
	assert_eq!(lengths(3, 3), [1, 1, 1]);
	assert_eq!(lengths(3, 9), [1, 1, 1]);
	assert_eq!(lengths(7, 0), [7]);
}

#[test]
fn writer_should_refuse_what_no_package_holds() {
	let dir = tempfile::tempdir().unwrap();
	let path = dir.path().join("package");
	let refused = |result: aria_engine::Result<()>, words: &str| {
		let error = result.unwrap_err().to_string();
		assert!(error.contains(words), "{error}: without {words}");
	};
	let head = head(Encodings::default());
	let new =
		|path: &std::path::Path, head: &ManifestHead| PackageBuilder::new(path, head).map(|_| ());

	let mut wrong = head.clone();
	wrong.shards = vec![LayerRange { first: 0, end: 1 }];
	refused(new(&path, &wrong), "shards");
	let mut wrong = head.clone();
	wrong.head = Head::Tied;
	refused(new(&path, &wrong), "tensors");
	let mut wrong = head.clone();
	wrong.norm_epsilon = f32::NAN;
	refused(new(&path, &wrong), "norm_epsilon_bits");
	let mut wrong = head.clone();
	wrong.eos = vec![0; 9];
	refused(new(&path, &wrong), "eos");
	let mut wrong = head.clone();
	wrong.tensors =
		wrong.standard_tensors(&encodings(Encoding::Int8Row, Encoding::Int8Row, Encoding::F32));
	refused(new(&path, &wrong), "Int8Row");
	assert!(!path.exists());

	let (t2, q) = (Encoding::Ternary2, Role::Query);
	let good = encode::ternary2(&vec![0; 28 * 33], 28, 33, 1.0).unwrap();
	let mut builder = PackageBuilder::new(&path, &head).unwrap();
	refused(builder.tensor(Some(0), q, t2, 33, 28, &good), "28 of 33");
	refused(builder.tensor(Some(0), q, Encoding::Ternary5, 28, 33, &good), "Ternary5");
	refused(builder.tensor(Some(2), q, t2, 28, 33, &good), "layers.2.query");
	refused(builder.tensor(None, q, t2, 28, 33, &good), "query");
	refused(builder.tensor(Some(0), q, t2, 28, 33, &good[1..]), "layers.0.query");
	refused(builder.tensor(Some(0), q, t2, 28, 33, &[&good[..], &[0]].concat()), "more");
	let mut bad = good.clone();
	bad[64 * 3] = 0b11;
	refused(builder.tensor(Some(0), q, t2, 28, 33, &bad), "row 3: column 0");
	let mut bad = good.clone();
	bad[33] = 0;
	refused(builder.tensor(Some(0), q, t2, 28, 33, &bad), "row 0: the padding");
	for scale in [0.0, -1.0, f32::NAN, f32::INFINITY] {
		let mut bad = good.clone();
		bad[28 * 64..].copy_from_slice(&scale.to_le_bytes());
		refused(builder.tensor(Some(0), q, t2, 28, 33, &bad), "scale");
		assert!(encode::ternary2(&[1], 1, 1, scale).is_err());
	}
	builder.tensor(Some(0), q, t2, 28, 33, &good).unwrap();
	refused(builder.tensor(Some(0), q, t2, 28, 33, &good), "already");
	refused(builder.template(&[0xFF]), "UTF-8");
	refused(builder.finish().map(|_| ()), "layers.1.query, layers.1.key");
	// The unfinished package is gone.
	assert_eq!(fs::read_dir(&path).unwrap().count(), 0);

	write(&path, &head, 0);
	refused(new(&path, &head), "already");
	assert_eq!(files(&path).len(), 6);

	assert!(encode::ternary2_rows(&[2], 1, 1).is_err());
	assert!(encode::ternary5_rows(&[0, -2], 1, 2).is_err());
	assert!(encode::ternary2_rows(&[0], 2, 1).is_err());
	assert!(encode::ternary2_rows(&[], 0, 0).is_err());
	assert!(encode::int8_rows(&[f32::NAN], 1, 1).is_err());
	assert!(encode::f16_rows(&[65_520.0], 1, 1).is_err());
	assert!(encode::f32_rows(&[f32::INFINITY], 1, 1).is_err());
}

#[test]
fn verification_should_find_every_changed_byte() {
	let dir = tempfile::tempdir().unwrap();
	let dir = dir.path().join("package");
	write(&dir, &head(Encodings::default()), 3);
	let good = files(&dir);
	let mut random = Random(8);
	for name in [COMMON_FILE, "shard-000.safetensors", "shard-001.safetensors"] {
		let entries = read_header(name, &good[name]).unwrap();
		for entry in entries {
			let mut files = good.clone();
			let file = files.get_mut(name).unwrap();
			let place = entry.range.start + random.below(entry.range.len());
			file[place] ^= 1 << random.below(8);
			let error = match Package::from_memory(files) {
				Ok(package) => package.verify(&mut |_, _| ()).unwrap_err(),
				// A scale that isn't one is found on opening.
				Err(error) => error,
			};
			let error = error.to_string();
			assert!(error.contains(name) && error.contains(&entry.name), "{error}");
		}
	}
	let mut manifest = Manifest::from_bytes(&good[MANIFEST_FILE]).unwrap();
	manifest.tensors[3].root = Default::default();
	let layout = layouts(&manifest).unwrap()[3].clone();
	let mut files = good.clone();
	files.insert(MANIFEST_FILE.to_owned(), manifest.to_bytes());
	let package = Package::from_memory(files).unwrap();
	let error = package.verify(&mut |_, _| ()).unwrap_err().to_string();
	assert!(error.contains(&layout.name()) && error.contains("root"), "{error}");
}
