//! Bad packages: always an error that names the file and the field, never a panic.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod package_support;

use aria_engine::{
	package::{
		safetensors::{read_header, MAX_HEADER},
		Encodings, Package, COMMON_FILE, MANIFEST_FILE, MANIFEST_VIEW, TEMPLATE_FILE,
		TOKENIZER_FILE,
	},
	EngineError,
};
use aria_primitives::{
	hashing::sha256,
	manifest::{
		Attention, Encoding, Head, Manifest, Tensor, TensorRole as Role, MAX_MANIFEST_BYTES,
		MAX_TENSORS,
	},
	record::LayerRange,
	ModelId,
};
use package_support::{
	exercise, fuzz_manifest, fuzz_package, head, joined, names, parts, valid, write, Base, Files,
	Outcome, Random,
};
use std::{
	collections::BTreeSet,
	fs::{self, File},
};

const SHARD: &str = "shard-001.safetensors";

/// That a package is refused for `field` of `file`, for a reason that has `words` in it.
fn refused<T>(result: aria_engine::Result<T>, file: &str, field: &str, words: &str) {
	let error = result.err().unwrap_or_else(|| panic!("{file}: {field} ({words}) is accepted"));
	let EngineError::Package { file: of, field: about, reason } = &error else {
		panic!("{error} and not {file}: {field}");
	};
	assert!(of.ends_with(file), "{error}: not of {file}");
	assert!(about.contains(field), "{error}: not about {field}");
	assert!(reason.contains(words), "{error}: does not say {words}");
}

fn with(files: &Files, name: &str, bytes: Vec<u8>) -> Files {
	let mut files = files.clone();
	files.insert(name.to_owned(), bytes);
	files
}

fn verify(files: Files) -> aria_engine::Result<()> {
	Package::from_memory(files)?.verify(&mut |_, _| ()).map(|_| ())
}

type Change = fn(&mut Manifest);

/// The base with a changed manifest.
fn changed(base: &Base, change: Change) -> aria_engine::Result<Package> {
	let mut manifest = Manifest::from_bytes(&base.files[MANIFEST_FILE]).unwrap();
	change(&mut manifest);
	Package::from_memory(with(&base.files, MANIFEST_FILE, manifest.to_bytes()))
}

fn gqa(manifest: &mut Manifest, heads: u16, kv_heads: u16, head_dim: u16) {
	manifest.attention = Attention::Gqa { heads, kv_heads, head_dim };
}

fn shards(manifest: &mut Manifest, ranges: &[(u16, u16)]) {
	let ranges: Vec<_> =
		ranges.iter().map(|(first, end)| LayerRange { first: *first, end: *end }).collect();
	manifest.shards = ranges.try_into().unwrap();
}

#[test]
fn fields_of_a_manifest_should_be_named() {
	let changes: &[(&str, &str, Change)] = &[
		("version", "reads 1", |m| m.version = 2),
		("hidden", "1 to", |m| m.hidden = 0),
		("hidden", "1 to", |m| m.hidden = u32::MAX),
		("feed_forward", "1 to", |m| m.feed_forward = (1 << 20) + 1),
		("vocab", "1 to", |m| m.vocab = 0),
		("context", "1 to", |m| m.context = 0),
		("layers", "1 to", |m| m.layers = 0),
		("layers", "1 to", |m| m.layers = 513),
		("rope_theta", "0", |m| m.rope_theta = 0),
		("norm_epsilon_bits", "finite", |m| m.norm_epsilon_bits = f32::NAN.to_bits()),
		("norm_epsilon_bits", "finite", |m| m.norm_epsilon_bits = f32::INFINITY.to_bits()),
		("norm_epsilon_bits", "above 0", |m| m.norm_epsilon_bits = (-1e-5f32).to_bits()),
		("norm_epsilon_bits", "above 0", |m| m.norm_epsilon_bits = 0),
		("numerics_version", "0", |m| m.numerics_version = 0),
		("bos", "beyond", |m| m.bos = Some(27)),
		("eos", "beyond", |m| m.eos[1] = u32::MAX),
		("attention", "divide", |m| gqa(m, 3, 2, 14)),
		("attention", "divide", |m| gqa(m, 2, 0, 14)),
		("attention", "even", |m| gqa(m, 2, 1, 13)),
		// Tensors: twice, in another order, missing, astray, too many.
		("layers.0.attention_norm", "ascend", |m| m.tensors[1].role = Role::AttentionNorm),
		("layers.0.query", "ascend", |m| {
			(m.tensors[1].role, m.tensors[2].role) = (Role::Key, Role::Query)
		}),
		("tensors", "missing", |m| {
			m.tensors.remove(10);
		}),
		("layers.2.down", "2 layers", |m| m.tensors[21].layer = 2),
		("tensors", "tied", |m| m.head = Head::Tied),
		// Shards: overlapping, with a gap, empty, too few, too many, none.
		("shards[1]", "begin at 1", |m| shards(m, &[(0, 1), (0, 2)])),
		("shards[1]", "begin at 1", |m| shards(m, &[(0, 1), (2, 2)])),
		("shards[1]", "hold a layer", |m| shards(m, &[(0, 1), (1, 1), (1, 2)])),
		("shards[0]", "begin at 0", |m| shards(m, &[(2, 0)])),
		("shards", "end at layer 1", |m| shards(m, &[(0, 1)])),
		("shards", "end at layer 3", |m| shards(m, &[(0, 1), (1, 2), (2, 3)])),
		("shards", "end at layer 0", |m| shards(m, &[])),
		// What follows for the stored bytes.
		("layers.0.attention_norm", "Ternary2", |m| m.tensors[0].encoding = Encoding::Ternary2),
		("token_embedding", "Ternary5", |m| m.tensors[22].encoding = Encoding::Ternary5),
		("query", "rows", |m| gqa(m, u16::MAX, 1, 65_534)),
		("token_embedding", "Int8Row", |m| m.hidden = 1 << 18),
		("kv_compress", "no such tensor", |m| {
			let tensor = Tensor { role: Role::KvCompress, ..m.tensors[10] };
			m.tensors.try_insert(11, tensor).unwrap();
		}),
	];
	let base = Base::new();
	for (field, words, change) in changes {
		refused(changed(&base, *change), MANIFEST_FILE, field, words);
	}
}

#[test]
fn shapes_should_have_to_fit() {
	let base = Base::new();
	let changes: &[(&str, &str, Change)] = &[
		(COMMON_FILE, "token_embedding.shape", |m| m.hidden = 34),
		(COMMON_FILE, "token_embedding.shape", |m| m.vocab = 28),
		// 2^20 rows of 2^17: 137 GB, which nobody may try to have.
		(COMMON_FILE, "token_embedding.shape", |m| (m.vocab, m.hidden) = (1 << 20, 1 << 17)),
		("shard-000.safetensors", "layers.0.gate.shape", |m| m.feed_forward = 52),
		("shard-000.safetensors", "layers.0.gate.shape", |m| m.feed_forward = 1 << 20),
		("shard-000.safetensors", "layers.0.query.shape", |m| gqa(m, 2, 1, 16)),
		("shard-000.safetensors", "layers.0.key.shape", |m| gqa(m, 2, 2, 14)),
		("shard-000.safetensors", "layers.0.up.shape", |m| {
			m.tensors[8].encoding = Encoding::Ternary5
		}),
		// One shard for both layers: what is in the second file misses in the first.
		("shard-000.safetensors", "layers.1.attention_norm", |m| shards(m, &[(0, 2)])),
	];
	for (file, field, change) in changes {
		refused(changed(&base, *change), file, field, "");
	}
}

#[test]
fn bytes_of_a_manifest_should_be_all_there() {
	let base = Base::new();
	let bytes = &base.files[MANIFEST_FILE];
	for len in 0..bytes.len() {
		let cut = with(&base.files, MANIFEST_FILE, bytes[..len].to_vec());
		refused(Package::from_memory(cut), MANIFEST_FILE, "bytes", "cut short");
	}
	let longer = [&bytes[..], &[0]].concat();
	let longer = with(&base.files, MANIFEST_FILE, longer);
	refused(Package::from_memory(longer), MANIFEST_FILE, "length", "follow");
	let long = with(&base.files, MANIFEST_FILE, vec![1; MAX_MANIFEST_BYTES as usize + 1]);
	refused(Package::from_memory(long), MANIFEST_FILE, "length", "at most");
	let ones = with(&base.files, MANIFEST_FILE, vec![0xFF; 1000]);
	refused(Package::from_memory(ones), MANIFEST_FILE, "bytes", "");
}

/// Headers, the field that an error has to name, and words of the reason.
fn hostile_headers(shard: &[u8]) -> Vec<(Vec<u8>, &'static str, &'static str)> {
	let (json, data) = parts(shard);
	let json = json.trim_end();
	let swap = |from: &str, to: &str| {
		assert_eq!(json.matches(from).count(), 1, "{from} in {json}");
		joined(json.replace(from, to).as_bytes(), &data)
	};
	let length = |length: u64, rest: &[u8]| [&length.to_le_bytes()[..], rest].concat();
	let whole = |json: &str| joined(json.as_bytes(), &data);
	let before = |more: &str| whole(&json.replacen('{', &format!("{{{more},"), 1));
	let deep = |begin: &str, nest: &str| whole(&format!("{{{begin}{}", nest.repeat(20_000)));
	let query = r#""layers.1.query":{"dtype":"U8","shape":[1796],"data_offsets":[132,1928]}"#;
	let entry = |entry: &str| swap(query, &format!(r#""layers.1.query":{{{entry}}}"#));
	let named = |name: &str| swap("layers.1.query", name);
	let many: Vec<_> = (0..MAX_TENSORS + 1)
		.map(|n| format!(r#""{n}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#))
		.collect();
	let mut no_text = json.as_bytes().to_vec();
	no_text[2] = 0xFF;
	vec![
		(vec![], "header", "cut short"),
		(vec![0; 7], "header", "cut short"),
		(length(1 << 63, &[]), "header", "at most"),
		(length(1 << 63, json.as_bytes()), "header", "at most"),
		(length(u64::MAX, json.as_bytes()), "header", "at most"),
		(length(u64::MAX - 7, json.as_bytes()), "header", "at most"),
		(length(MAX_HEADER as u64, json.as_bytes()), "header", "are there"),
		(length(json.len() as u64 + 1, json.as_bytes()), "header", "are there"),
		(joined(&vec![b' '; MAX_HEADER + 1], &data), "header", "at most"),
		(joined(&[], &data), "header", "brace"),
		(joined(&vec![b'{'; MAX_HEADER], &data), "header", ""),
		(whole("[]"), "header", "brace"),
		(whole(" {}"), "header", "brace"),
		(whole("{"), "header", "EOF"),
		(whole("{}"), "length", "tensors hold 0"),
		(joined(b"{}", &[]), "layers.1.attention_norm", "not in the file"),
		(joined(&no_text, &data), "header", ""),
		(whole(&format!("{json}x")), "header", "trailing"),
		(whole(&format!("{json}{json}")), "header", "trailing"),
		(whole(&json[..json.len() / 2]), "header", ""),
		// Nesting.
		(deep(r#""a":"#, "["), "header", ""),
		(deep(r#""a":"#, r#"{"dtype":"#), "header", ""),
		(deep(r#""a":{"dtype":"#, "["), "header", ""),
		(deep(r#""a":{"x":"#, "["), "header", "unknown field"),
		(deep(r#""__metadata__":{"a":"#, r#"{"a":"#), "header", ""),
		// Names.
		(named("layers.1.attention_norm"), "layers.1.attention_norm", "twice"),
		(named("layers.1.\\u0061ttention_norm"), "layers.1.attention_norm", "twice"),
		(named("layers.0.query"), "layers.0.query", "does not belong"),
		(named("output_norm"), "output_norm", "does not belong"),
		(named(""), "(no name)", "does not belong"),
		(named("\\u0000\\n\\u001b[2J"), "\\0\\n\\u{1b}[2J", "does not belong"),
		(named(&"x".repeat(100_000)), "xxx…", "does not belong"),
		(before(&many.join(",")), "header", "more than 448"),
		(before(r#""__metadata__":{},"__metadata__":{}"#), "header", "twice"),
		(before(r#""__metadata__":{"a":1}"#), "header", ""),
		(before(r#""__metadata__":[]"#), "header", ""),
		// Fields.
		(entry(r#""dtype":"F32","shape":[1796],"data_offsets":[132,1928]"#), "query.dtype", "U8"),
		(entry(r#""dtype":"U8","shape":[1797],"data_offsets":[132,1928]"#), "query.shape", "1796"),
		(entry(r#""dtype":"U8","shape":[28,64],"data_offsets":[132,1928]"#), "header", ""),
		(entry(r#""dtype":"U8","shape":[],"data_offsets":[132,1928]"#), "header", ""),
		(entry(r#""dtype":"U8","shape":[-1],"data_offsets":[132,1928]"#), "header", ""),
		(entry(r#""dtype":"U8","shape":[1796.5],"data_offsets":[132,1928]"#), "header", ""),
		(entry(r#""dtype":"U8","shape":[1e400],"data_offsets":[132,1928]"#), "header", ""),
		(entry(r#""dtype":"U8","shape":[NaN],"data_offsets":[132,1928]"#), "header", ""),
		(entry(r#""dtype":"U8","shape":[null],"data_offsets":[132,1928]"#), "header", ""),
		(swap(query, r#""layers.1.query":["U8",[1796],[132,1928]]"#), "header", ""),
		(entry(r#""dtype":"U8","data_offsets":[132,1928]"#), "header", "missing field"),
		(entry(r#""dtype":"U8","dtype":"U8""#), "header", "duplicate field"),
		(entry(r#""dtype":"U8","x":1"#), "header", "unknown field"),
		// Offsets: overlapping, unaligned with their neighbours, backwards, beyond the file, overflowing.
		(
			entry(r#""dtype":"U8","shape":[1796],"data_offsets":[131,1927]"#),
			"query.data_offsets",
			"overlaps",
		),
		(
			entry(r#""dtype":"U8","shape":[1796],"data_offsets":[0,1796]"#),
			"data_offsets",
			"overlaps",
		),
		(
			entry(r#""dtype":"U8","shape":[1796],"data_offsets":[133,1929]"#),
			"query.data_offsets",
			"gap",
		),
		(
			entry(r#""dtype":"U8","shape":[1795],"data_offsets":[132,1927]"#),
			"key.data_offsets",
			"gap",
		),
		(
			entry(r#""dtype":"U8","shape":[1796],"data_offsets":[1928,132]"#),
			"query.data_offsets",
			"no range",
		),
		(
			entry(r#""dtype":"U8","shape":[9],"data_offsets":[132,9223372036854775808]"#),
			"query.data_offsets",
			"no range",
		),
		(
			entry(
				r#""dtype":"U8","shape":[9],"data_offsets":[18446744073709551615,18446744073709551615]"#,
			),
			"query.data_offsets",
			"no range",
		),
		(
			entry(r#""dtype":"U8","shape":[9],"data_offsets":[132,18446744073709551616]"#),
			"header",
			"",
		),
		// Data.
		(joined(json.as_bytes(), &data[..data.len() - 1]), "data_offsets", "no range"),
		(joined(json.as_bytes(), &[&data[..], &[0]].concat()), "length", "data"),
	]
}

#[test]
fn hostile_headers_should_be_refused() {
	let base = Base::new();
	for (file, field, words) in hostile_headers(&base.files[SHARD]) {
		let files = with(&base.files, SHARD, file);
		refused(Package::from_memory(files), SHARD, field, words);
	}
	let file = &base.files[SHARD];
	for len in (0..file.len()).step_by(7) {
		let files = with(&base.files, SHARD, file[..len].to_vec());
		refused(Package::from_memory(files), SHARD, "", "");
	}
	// The right bytes under another shard's name.
	let files = with(&base.files, "shard-000.safetensors", file.clone());
	refused(Package::from_memory(files), "shard-000.safetensors", "layers.1.", "does not belong");
}

#[test]
fn hostile_headers_on_disk_should_be_refused() {
	let base = Base::new();
	let dir = tempfile::tempdir().unwrap();
	for (name, bytes) in &base.files {
		fs::write(dir.path().join(name), bytes).unwrap();
	}
	for (file, field, words) in hostile_headers(&base.files[SHARD]) {
		fs::write(dir.path().join(SHARD), file).unwrap();
		refused(Package::open(dir.path()), SHARD, field, words);
	}
}

/// `files` with bytes of a tensor overwritten from `place` on, counted from its end if negative.
fn overwritten(files: &Files, file: &str, tensor: &str, place: isize, bytes: &[u8]) -> Files {
	let mut stored = files[file].clone();
	let entries = read_header(file, &stored).unwrap();
	let range = entries.into_iter().find(|entry| entry.name == tensor).unwrap().range;
	let from = if place < 0 { range.end } else { range.start };
	let start = from.checked_add_signed(place).unwrap();
	stored[start..start + bytes.len()].copy_from_slice(bytes);
	with(files, file, stored)
}

#[test]
fn scales_of_ternary_tensors_should_be_positive() {
	let base = Base::new();
	for scale in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.0, -1.0, -f32::MIN_POSITIVE] {
		let files = overwritten(&base.files, SHARD, "layers.1.gate", -4, &scale.to_le_bytes());
		refused(Package::from_memory(files), SHARD, "layers.1.gate.scale", "finite and above 0");
	}
}

#[test]
fn values_should_be_checked() {
	let base = Base::new();
	let five = valid(Encodings { linear: Encoding::Ternary5, ..Encodings::default() });
	let nan = f32::NAN.to_le_bytes();
	let cases: [(&Files, &str, &str, isize, &[u8], &str); 13] = [
		(&base.files, SHARD, "layers.1.query", 0, &[0b11], "row 0: column 0 has the code 3"),
		(&base.files, SHARD, "layers.1.query", 64 + 5, &[0b1101_0101], "row 1: column 197 has"),
		(&base.files, SHARD, "layers.1.down", -5, &[0b0101_0001], "row 32: the padding"),
		(&five, SHARD, "layers.1.query", 7 + 2, &[243], "row 1: column 10: a byte above 242"),
		(&five, SHARD, "layers.1.query", 3, &[255], "row 0: column 15"),
		(&five, SHARD, "layers.1.query", 6, &[0], "row 0: the padding"),
		(&base.files, COMMON_FILE, "token_embedding", 2 * 37 + 33, &nan, "row 2: scale"),
		(&base.files, COMMON_FILE, "token_embedding", -4, &[0; 4], "row 26: scale: 0"),
		(&base.files, COMMON_FILE, "token_embedding", 37 + 3, &[0x80], "row 1: column 3 is -128"),
		(&base.files, COMMON_FILE, "output", 2 * (33 + 3), &[0, 0x7C], "row 1: column 3"),
		(&base.files, COMMON_FILE, "output", 0, &[1, 0xFC], "row 0: column 0"),
		(&base.files, COMMON_FILE, "output_norm", 32 * 4, &nan, "row 0: column 32"),
		(&base.files, COMMON_FILE, "output_norm", 0, &[0, 0, 0x80, 0xFF], "row 0: column 0"),
	];
	for (files, file, tensor, place, bytes, words) in cases {
		let files = overwritten(files, file, tensor, place, bytes);
		refused(verify(files.clone()), file, tensor, words);
		let package = Package::from_memory(files).unwrap();
		let (layer, role) = match tensor {
			"layers.1.query" => (Some(1), Role::Query),
			"layers.1.down" => (Some(1), Role::Down),
			"token_embedding" => (None, Role::TokenEmbedding),
			"output" => (None, Role::Output),
			_ => (None, Role::OutputNorm),
		};
		let view = package.tensor(layer, role).unwrap();
		refused(view.check(), file, tensor, words);
		// No way of reading lets it through.
		let mut packed = vec![0; view.cols.div_ceil(256) * 64];
		let mut floats = vec![0.0; view.cols];
		let failures = (0..view.rows).filter(|row| match role {
			Role::Query | Role::Down => view.ternary2_row(*row, &mut packed).is_err(),
			_ => view.float_row(*row, &mut floats).is_err(),
		});
		assert_eq!(failures.count(), 1);
	}
}

#[test]
fn tokenizer_and_template_should_be_the_manifests() {
	let base = Base::new();
	let other = || b"{}".to_vec();
	let files = with(&base.files, TOKENIZER_FILE, other());
	refused(Package::from_memory(files), TOKENIZER_FILE, "tokenizer_hash", "the manifest says");
	let files = with(&base.files, TEMPLATE_FILE, other());
	refused(Package::from_memory(files), TEMPLATE_FILE, "chat_template_hash", "the manifest says");
	let mut manifest = base.package.manifest.clone();
	manifest.chat_template_hash = sha256(&[0xC3, 0x28]);
	let files = with(&base.files, TEMPLATE_FILE, vec![0xC3, 0x28]);
	let files = with(&files, MANIFEST_FILE, manifest.to_bytes());
	refused(Package::from_memory(files), TEMPLATE_FILE, "text", "UTF-8");
}

#[test]
fn missing_files_should_be_named() {
	let base = Base::new();
	for name in [MANIFEST_FILE, TOKENIZER_FILE, TEMPLATE_FILE] {
		let mut files = base.files.clone();
		files.remove(name);
		refused(Package::from_memory(files), name, "file", "missing");
	}
	for (name, layer, role) in [
		(COMMON_FILE, None, Role::OutputNorm),
		("shard-000.safetensors", Some(0), Role::Query),
		(SHARD, Some(1), Role::Down),
	] {
		let mut files = base.files.clone();
		files.remove(name);
		let package = Package::from_memory(files).unwrap();
		refused(package.tensor(layer, role), name, "", "missing");
		refused(package.require_complete(), name, "file", "missing");
		assert_eq!(package.verify(&mut |_, _| ()).unwrap().missing, [name]);
	}
	let package = &base.package;
	refused(package.tensor(Some(2), Role::Query), MANIFEST_FILE, "layers.2.query", "no such");
	refused(package.tensor(None, Role::Query), MANIFEST_FILE, "query", "no such");
	refused(package.tensor(Some(u16::MAX), Role::Down), MANIFEST_FILE, "down", "no such");
	refused(package.tensor(Some(0), Role::KvExpand), MANIFEST_FILE, "kv_expand", "no such");
	let dir = tempfile::tempdir().unwrap();
	refused(Package::open(dir.path()), MANIFEST_FILE, "file", "missing");
	refused(Package::open(&dir.path().join("nowhere")), MANIFEST_FILE, "file", "missing");
}

#[test]
fn another_model_should_be_refused() {
	let dir = tempfile::tempdir().unwrap();
	let dir = dir.path().join("package");
	let id = write(&dir, &head(Encodings::default()), 1).model_id();
	assert_eq!(Package::open_expecting(&dir, &id).unwrap().model_id(), id);
	let other = ModelId::repeat_byte(7);
	refused(Package::open_expecting(&dir, &other), MANIFEST_FILE, "model_id", "0x0707");
	// The view is for people: nothing reads it.
	fs::write(dir.join(MANIFEST_VIEW), "{").unwrap();
	Package::open(&dir).unwrap();
}

#[test]
fn only_regular_files_should_be_read() {
	let folder = tempfile::tempdir().unwrap();
	for name in names() {
		let dir = folder.path().join(format!("no-{name}"));
		write(&dir, &head(Encodings::default()), 1);
		let (path, moved) = (dir.join(name), dir.join("elsewhere"));
		fs::rename(&path, &moved).unwrap();
		#[cfg(unix)]
		{
			std::os::unix::fs::symlink(&moved, &path).unwrap();
			refused(Package::open(&dir), name, "file", "symbolic link");
			fs::remove_file(&path).unwrap();
			std::os::unix::fs::symlink("/nowhere", &path).unwrap();
			refused(Package::open(&dir), name, "file", "symbolic link");
			fs::remove_file(&path).unwrap();
		}
		fs::create_dir(&path).unwrap();
		refused(Package::open(&dir), name, "file", "regular");
		fs::remove_dir(&path).unwrap();
		File::create(&path).unwrap();
		refused(Package::open(&dir), name, "", "");
		fs::rename(&moved, &path).unwrap();
		Package::open(&dir).unwrap();
	}
}

#[test]
fn large_files_should_not_be_read() {
	let dir = tempfile::tempdir().unwrap();
	let dir = dir.path().join("package");
	write(&dir, &head(Encodings::default()), 1);
	for name in [TEMPLATE_FILE, TOKENIZER_FILE, MANIFEST_FILE] {
		// Holes: they take no room.
		File::create(dir.join(name)).unwrap().set_len(1 << 33).unwrap();
		refused(Package::open(&dir), name, "length", "at most");
	}
}

#[test]
fn a_file_that_shrinks_should_be_an_error() {
	let dir = tempfile::tempdir().unwrap();
	let dir = dir.path().join("package");
	write(&dir, &head(Encodings::default()), 1);
	let package = Package::open(&dir).unwrap();
	File::options().write(true).open(dir.join(SHARD)).unwrap().set_len(100).unwrap();
	refused(package.tensor(Some(1), Role::Query), SHARD, "length", "100");
	refused(package.verify(&mut |_, _| ()), SHARD, "length", "100");
	package.tensor(Some(0), Role::Query).unwrap();
}

/// A header with one to three edits that somebody hostile would try.
fn edited(random: &mut Random, json: &str) -> Vec<u8> {
	const NUMBERS: [&str; 9] = [
		"0",
		"1",
		"-1",
		"9223372036854775808",
		"18446744073709551615",
		"1e308",
		"0.5",
		"null",
		"\"1\"",
	];
	const PIECES: [&str; 8] = ["{", "}", "[", "]", ",", "\"", "\\u0000", "\"__metadata__\":{},"];
	let mut bytes = json.trim_end().as_bytes().to_vec();
	for _ in 0..1 + random.below(3) {
		if bytes.is_empty() {
			break;
		}
		let place = random.below(bytes.len());
		let end = (place + 1 + random.below(40)).min(bytes.len());
		match random.below(4) {
			0 => {
				// The next number after the place becomes another.
				let digit = |byte: &u8| byte.is_ascii_digit();
				let Some(start) = bytes.iter().skip(place).position(digit) else { continue };
				let start = place + start;
				let len = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
				let number = NUMBERS[random.below(NUMBERS.len())].bytes();
				drop(bytes.splice(start..start + len, number));
			}
			1 => drop(bytes.drain(place..end)),
			2 => {
				let piece = bytes[place..end].to_vec();
				let to = random.below(bytes.len());
				drop(bytes.splice(to..to, piece));
			}
			_ => {
				let piece = PIECES[random.below(PIECES.len())].bytes();
				drop(bytes.splice(place..place, piece));
			}
		}
	}
	bytes
}

/// The fuzz targets' entry points on 3,000 seeded mutations: `fuzz/` goes on from here with nightly.
#[test]
fn mutations_should_never_panic() {
	let base = Base::new();
	assert_eq!(exercise(&base, base.files.clone()), Outcome::Verified);
	let mut random = Random(0xA51A);
	let mut outcomes = BTreeSet::new();
	let mut verified = 0;
	for round in 0..3_000 {
		let len = random.below(80);
		let mut data: Vec<u8> = (0..len).map(|_| random.draw() as u8).collect();
		let outcome = match round % 6 {
			0 => fuzz_manifest(&base, &data),
			1 | 2 => {
				let weights = |name: &&str| name.ends_with("safetensors");
				let all = base.files.keys().map(String::as_str);
				let name = all.clone().filter(weights).nth(random.below(3)).unwrap();
				let place = all.clone().position(|known| known == name).unwrap();
				let json = edited(&mut random, &parts(&base.files[name]).0);
				data = [&[place as u8, 3], &json[..]].concat();
				fuzz_package(&base, &data)
			}
			_ => fuzz_package(&base, &data),
		};
		verified += usize::from(outcome == Outcome::Verified);
		outcomes.insert(outcome);
	}
	// What was tried was neither all valid nor all refused for the same reason.
	assert!(verified > 30, "{verified} verified");
	assert!(outcomes.len() > 30, "{outcomes:?}");
	for name in names() {
		let named = |outcome: &Outcome| match outcome {
			Outcome::Refused(file, _) | Outcome::Unverified(file, _) => file == name,
			Outcome::Verified => false,
		};
		assert!(outcomes.iter().any(named), "nothing was wrong with {name}");
	}
	let late = |outcome: &Outcome| matches!(outcome, Outcome::Unverified(..));
	assert!(outcomes.iter().any(late), "no value was wrong");
}
