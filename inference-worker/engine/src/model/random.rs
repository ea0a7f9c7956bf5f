//! Packages with random weights: for tests of equality, and for measurements on a shape whose weights
//! are not at hand.
//!
//! Every value follows from a seed, the tensor and its place, so that two machines make the same
//! model, and the same one whichever ternary encoding is chosen. Scales are such that activations keep
//! their size through the layers and logits spread over a few units.

use crate::{
	error::Result,
	numerics::NUMERICS_VERSION,
	package::{encode, even_shards, Encodings, ManifestHead, PackageBuilder, TensorPlan},
};
use aria_primitives::manifest::{
	Architecture, Attention, Encoding, Gate, Head, Manifest, TensorRole,
};
use std::{fmt::Write, path::Path};

/// Values that are made and written at a time.
const BATCH: usize = 1 << 20;
/// Entries of a vocabulary of all bytes, a beginning and an end.
const BYTES_AND_SPECIALS: u32 = 258;
/// A template that writes roles and contents in turn.
const TEMPLATE: &str = "{% for message in messages %}{{ message.role }}: {{ message.content }}\n\
	{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}";

/// The dimensions of a random model; the fields are those of a manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct RandomShape {
	/// The graph of a layer.
	pub architecture: Architecture,
	/// Whether there are norms before the output and the down projection.
	pub sub_norms: bool,
	/// Width of the residual stream.
	pub hidden: u32,
	/// Width of the feed-forward block.
	pub feed_forward: u32,
	/// Layers.
	pub layers: u16,
	/// Query heads.
	pub heads: u16,
	/// Key and value heads; divides `heads`.
	pub kv_heads: u16,
	/// Values of a head; even.
	pub head_dim: u16,
	/// Entries of the vocabulary. From 258 on the last two are the beginning and the end of a
	/// sequence, and the first 256 the bytes.
	pub vocab: u32,
	/// Positions.
	pub context: u32,
	/// Base of the rotary embedding.
	pub rope_theta: u32,
	/// The norms' epsilon.
	pub norm_epsilon: f32,
	/// The gate of the feed-forward block.
	pub gate: Gate,
	/// The output head.
	pub head: Head,
	/// How tensors are stored.
	pub encodings: Encodings,
	/// Files that the layers are divided among.
	pub shards: u16,
}

impl RandomShape {
	/// The shape of BitNet b1.58 2B4T: 2.4 billion parameters.
	pub fn bitnet_2b4t() -> Self {
		Self {
			architecture: Architecture::BitnetB158,
			sub_norms: true,
			hidden: 2560,
			feed_forward: 6912,
			layers: 30,
			heads: 20,
			kv_heads: 5,
			head_dim: 128,
			vocab: 128_256,
			context: 4096,
			rope_theta: 500_000,
			norm_epsilon: 1e-5,
			gate: Gate::SquaredRelu,
			head: Head::Tied,
			encodings: Encodings::default(),
			shards: 5,
		}
	}

	/// Tokens that begin and end a sequence, where the vocabulary has room for them.
	fn specials(&self) -> Option<(u32, u32)> {
		(self.vocab >= BYTES_AND_SPECIALS).then(|| (self.vocab - 2, self.vocab - 1))
	}

	fn manifest_head(&self) -> ManifestHead {
		let Self { heads, kv_heads, head_dim, .. } = *self;
		let specials = self.specials();
		let mut head = ManifestHead {
			// For the list of tensors; set right below.
			architecture: if self.sub_norms {
				Architecture::BitnetB158
			} else {
				Architecture::LlamaTernary
			},
			attention: Attention::Gqa { heads, kv_heads, head_dim },
			hidden: self.hidden,
			feed_forward: self.feed_forward,
			layers: self.layers,
			vocab: self.vocab,
			context: self.context,
			rope_theta: self.rope_theta,
			norm_epsilon: self.norm_epsilon,
			gate: self.gate,
			head: self.head,
			numerics_version: NUMERICS_VERSION,
			bos: specials.map(|(bos, _)| bos),
			eos: specials.map(|(_, eos)| eos).into_iter().collect(),
			tensors: Vec::new(),
			shards: even_shards(self.layers, self.shards),
		};
		head.tensors = head.standard_tensors(&self.encodings);
		head.architecture = self.architecture;
		head
	}

	/// Rows and columns of a tensor.
	fn dimensions(&self, role: TensorRole) -> (usize, usize) {
		use TensorRole as Role;
		let (hidden, feed_forward) = (self.hidden as usize, self.feed_forward as usize);
		let query = usize::from(self.heads) * usize::from(self.head_dim);
		let kv = usize::from(self.kv_heads) * usize::from(self.head_dim);
		match role {
			Role::TokenEmbedding | Role::Output => (self.vocab as usize, hidden),
			Role::Query => (query, hidden),
			Role::Key | Role::Value => (kv, hidden),
			Role::AttentionSubNorm => (1, query),
			Role::AttentionOutput => (hidden, query),
			Role::Gate | Role::Up => (feed_forward, hidden),
			Role::FeedForwardSubNorm => (1, feed_forward),
			Role::Down => (hidden, feed_forward),
			_ => (1, hidden),
		}
	}
}

/// Writes a package of random weights into folder `dir`. `progress` gets weights done and all.
///
/// Takes the memory of a few million values, whatever the model's size.
///
/// # Errors
///
/// As [`PackageBuilder`]: a shape that no manifest may have, a folder that holds a package already,
/// what the system refuses.
pub fn write_random_package(
	dir: &Path,
	shape: &RandomShape,
	seed: u64,
	progress: &mut dyn FnMut(u64, u64),
) -> Result<Manifest> {
	let head = shape.manifest_head();
	let mut builder = PackageBuilder::new(dir, &head)?;
	let weights = |plan: &TensorPlan| {
		let (rows, cols) = shape.dimensions(plan.role);
		rows as u64 * cols as u64
	};
	let total: u64 = head.tensors.iter().map(weights).sum();
	let mut done = 0;
	progress(done, total);
	for plan in &head.tensors {
		write_tensor(&mut builder, shape, plan, seed, &mut |more| {
			done += more;
			progress(done, total);
		})?;
	}
	builder.tokenizer(tokenizer(shape).as_bytes())?;
	builder.template(TEMPLATE.as_bytes())?;
	builder.finish()
}

fn write_tensor(
	builder: &mut PackageBuilder,
	shape: &RandomShape,
	plan: &TensorPlan,
	seed: u64,
	progress: &mut dyn FnMut(u64),
) -> Result<()> {
	let TensorPlan { layer, role, encoding } = *plan;
	let (rows, cols) = shape.dimensions(role);
	let mut random = Random::new(seed, layer, role);
	let mut writer = builder.begin(layer, role, encoding, rows, cols)?;
	let at_once = (BATCH / cols.max(1)).clamp(1, rows.max(1));
	let mut row = 0;
	match encoding {
		Encoding::Ternary2 | Encoding::Ternary5 => {
			let encode = match encoding {
				Encoding::Ternary2 => encode::ternary2_rows,
				_ => encode::ternary5_rows,
			};
			let mut values = vec![0i8; at_once * cols];
			while row < rows {
				let count = at_once.min(rows - row);
				let values = &mut values[..count * cols];
				values.chunks_mut(16).for_each(|values| random.ternary(values));
				writer.write(&encode(values, count, cols)?)?;
				row += count;
				progress(values.len() as u64);
			}
			writer.write(&scale(shape, role, cols).to_le_bytes())?;
		}
		Encoding::Int8Row | Encoding::F16 | Encoding::F32 => {
			let encode = match encoding {
				Encoding::Int8Row => encode::int8_rows,
				Encoding::F16 => encode::f16_rows,
				_ => encode::f32_rows,
			};
			let is_norm =
				rows == 1 && !matches!(role, TensorRole::TokenEmbedding | TensorRole::Output);
			// Logits are sums over the columns: so they have a standard deviation of two or so.
			let amplitude = 3.5 / (cols as f32).sqrt();
			let mut values = vec![0f32; at_once * cols];
			while row < rows {
				let count = at_once.min(rows - row);
				let values = &mut values[..count * cols];
				for value in values.iter_mut() {
					let random = random.unit();
					*value = if is_norm { 0.5 + random } else { (2.0 * random - 1.0) * amplitude };
				}
				writer.write(&encode(values, count, cols)?)?;
				row += count;
				progress(values.len() as u64);
			}
		}
	}
	writer.end()
}

/// The scale that keeps outputs at the size of the inputs, and what is added to the residual stream
/// small enough that all layers together do not drown the embedding.
fn scale(shape: &RandomShape, role: TensorRole, cols: usize) -> f32 {
	// The variance of a weight is two thirds.
	let scale = (1.5 / cols as f32).sqrt();
	match role {
		TensorRole::AttentionOutput | TensorRole::Down => {
			scale / (2.0 * f32::from(shape.layers)).sqrt()
		}
		_ => scale,
	}
}

/// A counter that is mixed: each tensor has a stream of its own.
struct Random {
	state: u64,
}

impl Random {
	fn new(seed: u64, layer: Option<u16>, role: TensorRole) -> Self {
		let tensor = (u64::from(layer.unwrap_or(u16::MAX)) << 8) | role as u64;
		let mut random = Self { state: seed };
		random.state = random.next() ^ tensor.wrapping_mul(0xD6E8_FEB8_6659_FD93);
		random.state = random.next();
		random
	}

	fn next(&mut self) -> u64 {
		self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
		let mut z = self.state;
		z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
		z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
		z ^ (z >> 31)
	}

	/// Up to 16 values of −1, 0 and 1 from one draw: each 16 bits give four.
	fn ternary(&mut self, values: &mut [i8]) {
		let mut bits = self.next();
		for four in values.chunks_mut(4) {
			let mut digits = ((bits & 0xFFFF) * 81) >> 16;
			bits >>= 16;
			for value in four {
				*value = (digits % 3) as i8 - 1;
				digits /= 3;
			}
		}
	}

	/// A value of 0 to 1, 1 excluded, of 24 bits.
	fn unit(&mut self) -> f32 {
		(self.next() >> 40) as f32 / (1u32 << 24) as f32
	}
}

/// A byte-level tokenizer without merges: token `n` below 256 is byte `n`.
///
/// Written by hand, because the bytes are hashed into the manifest and a map's order in a JSON library
/// depends on how it was built.
fn tokenizer(shape: &RandomShape) -> String {
	let mut vocab = String::new();
	for byte in 0..=u8::MAX {
		if u32::from(byte) < shape.vocab {
			let symbol = match byte_symbol(byte) {
				'"' => "\\\"".to_owned(),
				'\\' => "\\\\".to_owned(),
				symbol => symbol.to_string(),
			};
			let comma = if byte == 0 { "" } else { "," };
			// Writing to a string does not fail.
			let _ = write!(vocab, "{comma}\"{symbol}\":{byte}");
		}
	}
	let mut added = String::new();
	if let Some((bos, eos)) = shape.specials() {
		let _ = write!(vocab, ",\"<|begin|>\":{bos},\"<|end|>\":{eos}");
		for (id, name, comma) in [(bos, "begin", ","), (eos, "end", "")] {
			let _ = write!(
				added,
				"{{\"id\":{id},\"content\":\"<|{name}|>\",\"single_word\":false,\"lstrip\":false,\
				 \"rstrip\":false,\"normalized\":false,\"special\":true}}{comma}"
			);
		}
	}
	let byte_level = "\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,\
		\"use_regex\":false";
	format!(
		"{{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":[{added}],\
		 \"normalizer\":null,\"pre_tokenizer\":{{{byte_level}}},\"post_processor\":null,\
		 \"decoder\":{{{byte_level}}},\"model\":{{\"type\":\"BPE\",\"dropout\":null,\
		 \"unk_token\":null,\"continuing_subword_prefix\":null,\"end_of_word_suffix\":null,\
		 \"fuse_unk\":false,\"byte_fallback\":false,\"vocab\":{{{vocab}}},\"merges\":[]}}}}\n"
	)
}

/// How byte-level tokenizers write a byte: as itself where it is printable, otherwise as the next free
/// character from U+0100 on.
fn byte_symbol(byte: u8) -> char {
	let printable = |byte: u8| matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
	if printable(byte) {
		return char::from(byte);
	}
	let before = (0..byte).filter(|byte| !printable(*byte)).count() as u32;
	char::from_u32(0x100 + before).unwrap_or('\u{100}')
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn bytes_should_have_symbols_of_their_own() {
		let symbols: std::collections::BTreeSet<char> = (0..=u8::MAX).map(byte_symbol).collect();
		assert_eq!(symbols.len(), 256);
		assert_eq!(byte_symbol(b'a'), 'a');
		assert_eq!(byte_symbol(b' '), 'Ġ');
		assert_eq!(byte_symbol(b'\n'), 'Ċ');
	}

	#[test]
	fn tokenizers_should_be_json_with_every_byte() {
		for vocab in [3, 256, 258, 600] {
			let shape = RandomShape { vocab, ..RandomShape::bitnet_2b4t() };
			let json: serde_json::Value = serde_json::from_str(&tokenizer(&shape)).unwrap();
			let entries = json["model"]["vocab"].as_object().unwrap().len();
			assert_eq!(entries, vocab.min(258) as usize);
			assert_eq!(
				json["added_tokens"].as_array().unwrap().len(),
				if vocab < 258 { 0 } else { 2 }
			);
		}
	}

	#[test]
	fn weights_should_be_balanced_and_follow_from_the_tensor() {
		let mut random = Random::new(7, Some(1), TensorRole::Gate);
		let mut values = vec![0i8; 1 << 16];
		values.chunks_mut(16).for_each(|values| random.ternary(values));
		for value in -1..=1 {
			let share = values.iter().filter(|v| **v == value).count() as f32 / values.len() as f32;
			assert!((share - 1.0 / 3.0).abs() < 0.01, "{share}");
		}
		let first = |seed, layer, role| Random::new(seed, layer, role).next();
		let all = [
			first(7, Some(1), TensorRole::Gate),
			first(8, Some(1), TensorRole::Gate),
			first(7, Some(2), TensorRole::Gate),
			first(7, Some(1), TensorRole::Up),
			first(7, None, TensorRole::Gate),
		];
		let distinct: std::collections::BTreeSet<u64> = all.into_iter().collect();
		assert_eq!(distinct.len(), all.len());
	}

	#[test]
	fn units_should_lie_between_zero_and_one() {
		let mut random = Random::new(1, None, TensorRole::Output);
		let values: Vec<f32> = (0..10_000).map(|_| random.unit()).collect();
		assert!(values.iter().all(|value| (0.0..1.0).contains(value)));
		let mean = values.iter().sum::<f32>() / values.len() as f32;
		assert!((mean - 0.5).abs() < 0.02, "{mean}");
	}
}
