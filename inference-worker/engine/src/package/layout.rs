//! Where everything lies in a package: file names, tensor names, shapes, lengths, chunks
//! (`docs/protocol/package.md`). Pure arithmetic over a manifest; nothing is read here.

use super::fault;
use crate::error::Result;
use aria_primitives::{
	manifest::{Attention, Encoding, Manifest, TensorRole as Role, CHUNK_BYTES, NO_LAYER},
	record::LayerRange,
};
use std::ops::Range;

/// The manifest in canonical bytes.
pub const MANIFEST_FILE: &str = "manifest.scale";
/// The manifest for people; never read.
pub const MANIFEST_VIEW: &str = "manifest.json";
/// The tensors that belong to no layer.
pub const COMMON_FILE: &str = "common.safetensors";
/// The tokenizer.
pub const TOKENIZER_FILE: &str = "tokenizer.json";
/// The chat template.
pub const TEMPLATE_FILE: &str = "chat_template.jinja";

/// Columns of a block of [`Encoding::Ternary2`].
pub const BLOCK: usize = 256;
/// Bytes of such a block.
pub const BLOCK_BYTES: usize = 64;
/// Bytes of a scale: an f32, little-endian.
pub const SCALE_BYTES: usize = 4;
/// Most rows or columns of a tensor, so that int32 sums can't overflow.
pub const MAX_WIDTH: u64 = 1 << 20;
/// Most columns of [`Encoding::Int8Row`], for the same reason.
pub const MAX_INT8_WIDTH: u64 = 1 << 17;

/// The file of a shard, by its index in the manifest's `shards`.
pub fn shard_file(shard: usize) -> String {
	format!("shard-{shard:03}.safetensors")
}

/// All files of weights: first the common one, then one a shard.
pub fn weight_files(manifest: &Manifest) -> Vec<String> {
	std::iter::once(COMMON_FILE.to_owned())
		.chain((0..manifest.shards.len()).map(shard_file))
		.collect()
}

/// A role's name in the files.
pub const fn role_name(role: Role) -> &'static str {
	match role {
		Role::TokenEmbedding => "token_embedding",
		Role::OutputNorm => "output_norm",
		Role::Output => "output",
		Role::AttentionNorm => "attention_norm",
		Role::Query => "query",
		Role::Key => "key",
		Role::Value => "value",
		Role::AttentionSubNorm => "attention_sub_norm",
		Role::AttentionOutput => "attention_output",
		Role::FeedForwardNorm => "feed_forward_norm",
		Role::Gate => "gate",
		Role::Up => "up",
		Role::FeedForwardSubNorm => "feed_forward_sub_norm",
		Role::Down => "down",
		Role::KvCompress => "kv_compress",
		Role::KvExpand => "kv_expand",
		Role::QueryCompress => "query_compress",
	}
}

/// A tensor's name in its file: `layers.3.gate`, `output_norm`.
pub fn tensor_name(layer: Option<u16>, role: Role) -> String {
	match layer {
		Some(layer) => format!("layers.{layer}.{}", role_name(role)),
		None => role_name(role).to_owned(),
	}
}

/// The number that a manifest writes for a layer.
pub fn layer_number(layer: Option<u16>) -> u16 {
	layer.unwrap_or(NO_LAYER)
}

/// The layer that a manifest's number means.
pub fn layer_of(number: u16) -> Option<u16> {
	(number != NO_LAYER).then_some(number)
}

/// Divides `layers` into `shards` ranges whose lengths differ by one at most, the longer ones first.
/// At least one range and at most one a layer.
pub fn even_shards(layers: u16, shards: u16) -> Vec<LayerRange> {
	let shards = shards.clamp(1, layers.max(1));
	let (length, longer) = (layers / shards, layers % shards);
	let mut first = 0;
	(0..shards)
		.map(|shard| {
			let end = first + length + u16::from(shard < longer);
			let range = LayerRange { first, end };
			first = end;
			range
		})
		.collect()
}

/// Rows and columns of a tensor, from the manifest's dimensions. A norm is one row.
///
/// # Errors
/// If the manifest's attention has no such tensor, or a side exceeds 2^20.
pub fn shape(manifest: &Manifest, role: Role) -> Result<(usize, usize)> {
	let hidden = u64::from(manifest.hidden);
	let feed_forward = u64::from(manifest.feed_forward);
	let vocab = u64::from(manifest.vocab);
	let times = |heads: u16, dim: u64| u64::from(heads) * dim;
	let plus = |a: u16, b: u16| u64::from(a) + u64::from(b);
	let (rows, cols) = match (role, manifest.attention) {
		(Role::TokenEmbedding | Role::Output, _) => (vocab, hidden),
		(Role::OutputNorm | Role::AttentionNorm | Role::FeedForwardNorm, _) => (1, hidden),
		(Role::FeedForwardSubNorm, _) => (1, feed_forward),
		(Role::Gate | Role::Up, _) => (feed_forward, hidden),
		(Role::Down, _) => (hidden, feed_forward),
		(Role::Query, Attention::Gqa { heads, head_dim, .. }) => {
			(times(heads, head_dim.into()), hidden)
		}
		(Role::Key | Role::Value, Attention::Gqa { kv_heads, head_dim, .. }) => {
			(times(kv_heads, head_dim.into()), hidden)
		}
		(Role::AttentionSubNorm, Attention::Gqa { heads, head_dim, .. }) => {
			(1, times(heads, head_dim.into()))
		}
		(Role::AttentionOutput, Attention::Gqa { heads, head_dim, .. }) => {
			(hidden, times(heads, head_dim.into()))
		}
		(Role::Query, Attention::Mla { heads, nope_dim, rope_dim, q_rank, .. }) => {
			let from = if q_rank == 0 { hidden } else { q_rank.into() };
			(times(heads, plus(nope_dim, rope_dim)), from)
		}
		(Role::KvCompress, Attention::Mla { kv_rank, rope_dim, .. }) => {
			(plus(kv_rank, rope_dim), hidden)
		}
		(Role::KvExpand, Attention::Mla { heads, nope_dim, v_dim, kv_rank, .. }) => {
			(times(heads, plus(nope_dim, v_dim)), kv_rank.into())
		}
		(Role::AttentionOutput, Attention::Mla { heads, v_dim, .. }) => {
			(hidden, times(heads, v_dim.into()))
		}
		(Role::AttentionSubNorm, Attention::Mla { heads, v_dim, .. }) => {
			(1, times(heads, v_dim.into()))
		}
		(Role::QueryCompress, Attention::Mla { q_rank, .. }) if q_rank > 0 => {
			(q_rank.into(), hidden)
		}
		_ => {
			let reason = "the manifest's attention has no such tensor; leave it out";
			return Err(fault(MANIFEST_FILE, role_name(role), reason));
		}
	};
	for (side, length) in [("rows", rows), ("columns", cols)] {
		if length == 0 || length > MAX_WIDTH {
			let reason = format!("{length} {side}; a tensor has 1 to {MAX_WIDTH}");
			return Err(fault(MANIFEST_FILE, role_name(role), reason));
		}
	}
	// Both are at most 2^20.
	Ok((rows as usize, cols as usize))
}

/// Whether `encoding` is defined for `role`: norms are floats, only an embedding or a head is
/// `Int8Row`, and neither of them is ternary.
pub fn allows(role: Role, encoding: Encoding) -> bool {
	let float = matches!(encoding, Encoding::F16 | Encoding::F32);
	match role {
		Role::OutputNorm
		| Role::AttentionNorm
		| Role::AttentionSubNorm
		| Role::FeedForwardNorm
		| Role::FeedForwardSubNorm => float,
		Role::TokenEmbedding | Role::Output => float || encoding == Encoding::Int8Row,
		_ => encoding != Encoding::Int8Row,
	}
}

/// Where a tensor's stored bytes begin and end, row by row and chunk by chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TensorLayout {
	/// The layer, or `None`.
	pub layer: Option<u16>,
	/// What it is for.
	pub role: Role,
	/// How its values are stored.
	pub encoding: Encoding,
	/// Rows: outputs of a matrix, entries of a vocabulary, 1 for a norm.
	pub rows: usize,
	/// Columns: inputs of a matrix, values of a norm.
	pub cols: usize,
	/// Bytes of a stored row.
	pub row_bytes: usize,
	/// Stored bytes altogether.
	pub len: usize,
	/// The file, by its index in [`weight_files`].
	pub file: usize,
}

impl TensorLayout {
	/// The layout of one tensor of `manifest`.
	///
	/// # Errors
	/// As [`shape`]; if [`allows`] refuses the encoding; if no shard holds the layer; if the bytes
	/// exceed this machine's address space.
	pub fn new(
		manifest: &Manifest,
		layer: Option<u16>,
		role: Role,
		encoding: Encoding,
	) -> Result<Self> {
		let refuse = |reason: String| Err(fault(MANIFEST_FILE, tensor_name(layer, role), reason));
		let (rows, cols) = shape(manifest, role)?;
		if !allows(role, encoding) {
			return refuse(format!("is stored as {encoding:?}, which is not defined for it"));
		}
		if encoding == Encoding::Int8Row && cols as u64 > MAX_INT8_WIDTH {
			return refuse(format!("has {cols} columns; Int8Row has {MAX_INT8_WIDTH} at most"));
		}
		let file = match layer {
			None => 0,
			Some(layer) => {
				let holds = |shard: &LayerRange| shard.first <= layer && layer < shard.end;
				match manifest.shards.iter().position(holds) {
					Some(shard) => shard + 1,
					None => return refuse(format!("no shard holds layer {layer}")),
				}
			}
		};
		// Neither side exceeds 2^20, so that these are far below 2^64.
		let row_bytes = match encoding {
			Encoding::Ternary2 => cols.div_ceil(BLOCK) * BLOCK_BYTES,
			Encoding::Ternary5 => cols.div_ceil(5),
			Encoding::Int8Row => cols + SCALE_BYTES,
			Encoding::F16 => cols * 2,
			Encoding::F32 => cols * 4,
		};
		let trailer = if is_ternary(encoding) { SCALE_BYTES } else { 0 };
		let len = rows.checked_mul(row_bytes).and_then(|rows| rows.checked_add(trailer));
		let Some(len) = len.filter(|len| isize::try_from(*len).is_ok()) else {
			return refuse("is larger than this machine can address".to_owned());
		};
		Ok(Self { layer, role, encoding, rows, cols, row_bytes, len, file })
	}

	/// The name in its file.
	pub fn name(&self) -> String {
		tensor_name(self.layer, self.role)
	}

	/// Bytes of all rows: without a ternary tensor's scale.
	pub fn rows_len(&self) -> usize {
		if is_ternary(self.encoding) {
			self.len.saturating_sub(SCALE_BYTES)
		} else {
			self.len
		}
	}

	/// Number of chunks under the tensor's root.
	pub fn chunk_count(&self) -> usize {
		let limit = CHUNK_BYTES as usize;
		let rows = if self.row_bytes <= limit {
			self.rows.div_ceil(self.rows_a_chunk())
		} else {
			self.rows.saturating_mul(self.row_bytes.div_ceil(limit))
		};
		rows.saturating_add(usize::from(is_ternary(self.encoding)))
	}

	/// The bytes of chunk `index`: whole rows as far as 64 KiB hold them, a longer row in pieces of
	/// 64 KiB, and the scale of a ternary tensor by itself. `None` beyond the last chunk.
	pub fn chunk(&self, index: usize) -> Option<Range<usize>> {
		let (limit, end) = (CHUNK_BYTES as usize, self.rows_len());
		let range = if self.row_bytes <= limit {
			let step = self.rows_a_chunk().saturating_mul(self.row_bytes);
			let start = index.saturating_mul(step);
			start..start.saturating_add(step).min(end)
		} else {
			let pieces = self.row_bytes.div_ceil(limit);
			let row = (index / pieces).saturating_mul(self.row_bytes);
			let start = row.saturating_add((index % pieces).saturating_mul(limit));
			start..start.saturating_add(limit).min(row.saturating_add(self.row_bytes))
		};
		if range.start < end {
			Some(range)
		} else if is_ternary(self.encoding) && index.saturating_add(1) == self.chunk_count() {
			Some(end..self.len)
		} else {
			None
		}
	}

	/// All chunks, in order; they cover the stored bytes exactly.
	pub fn chunks(&self) -> impl Iterator<Item = Range<usize>> + '_ {
		(0..self.chunk_count()).map_while(|index| self.chunk(index))
	}

	fn rows_a_chunk(&self) -> usize {
		(CHUNK_BYTES as usize / self.row_bytes.max(1)).max(1)
	}
}

/// Whether values are −1, 0 and 1 with one scale behind them.
pub const fn is_ternary(encoding: Encoding) -> bool {
	matches!(encoding, Encoding::Ternary2 | Encoding::Ternary5)
}

/// The layouts of all tensors, in the manifest's order.
///
/// # Errors
/// As [`TensorLayout::new`]; if a model with compressed queries lacks their compression.
pub fn layouts(manifest: &Manifest) -> Result<Vec<TensorLayout>> {
	let layouts = manifest
		.tensors
		.iter()
		.map(|tensor| {
			TensorLayout::new(manifest, layer_of(tensor.layer), tensor.role, tensor.encoding)
		})
		.collect::<Result<Vec<_>>>()?;
	if matches!(manifest.attention, Attention::Mla { q_rank, .. } if q_rank > 0) {
		for layer in 0..manifest.layers {
			let key = (layer, Role::QueryCompress);
			if manifest.tensors.binary_search_by_key(&key, |t| (t.layer, t.role)).is_err() {
				let name = tensor_name(Some(layer), Role::QueryCompress);
				return Err(fault(MANIFEST_FILE, name, "is missing although q_rank is above 0"));
			}
		}
	}
	Ok(layouts)
}
