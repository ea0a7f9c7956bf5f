//! The manifest: a model in at most 16 KiB of canonical bytes (`docs/protocol/manifest.md`).
//!
//! `model_id = sha256(SCALE(manifest))`. Shapes are not listed: they follow from the dimensions.

use crate::{consent::TaskType, hashing::sha256, record::LayerRange, ModelId};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{ConstU32, H256};
use sp_runtime::BoundedVec;

#[cfg(feature = "std")]
use serde::{Deserialize, Serialize};

/// Version of [`Manifest`] that this crate writes.
pub const MANIFEST_VERSION: u16 = 1;
/// Most bytes of a manifest.
pub const MAX_MANIFEST_BYTES: u32 = 16 * 1024;
/// Most tensors: 36 bytes each, which leaves room for 26 shards beside all of them.
pub const MAX_TENSORS: u32 = 448;
/// Most shards.
pub const MAX_SHARDS: u32 = 64;
/// Most end-of-sequence tokens.
pub const MAX_EOS: u32 = 8;
/// Most layers.
pub const MAX_LAYERS: u16 = 512;
/// Bytes of a chunk under a tensor's Merkle root; chunks are aligned to rows.
pub const CHUNK_BYTES: u32 = 64 * 1024;
/// The layer number of tensors that belong to no layer.
pub const NO_LAYER: u16 = u16::MAX;

/// The graph of a layer.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Debug,
)]
#[cfg_attr(feature = "std", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
pub enum Architecture {
	/// BitNet b1.58 with sub-norms before the output and the down projection.
	BitnetB158,
	/// LLaMA's graph with ternary linear layers.
	LlamaTernary,
}

/// How attention keeps keys and values.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Debug,
)]
#[cfg_attr(feature = "std", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
pub enum Attention {
	/// Grouped-query attention.
	Gqa {
		/// Query heads.
		heads: u16,
		/// Key and value heads; divides `heads`.
		kv_heads: u16,
		/// Values of a head; even.
		head_dim: u16,
	},
	/// Multi-head latent attention (paper, 3.1).
	Mla {
		/// Query heads.
		heads: u16,
		/// Values of a head without position.
		nope_dim: u16,
		/// Values of a head with rotary position; even.
		rope_dim: u16,
		/// Values of a value head.
		v_dim: u16,
		/// Rank of the compressed keys and values.
		kv_rank: u16,
		/// Rank of the compressed queries; 0 for none.
		q_rank: u16,
	},
}

/// The gate of the feed-forward block.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Debug,
)]
#[cfg_attr(feature = "std", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
pub enum Gate {
	/// `relu(x)^2`.
	SquaredRelu,
	/// `x * sigmoid(x)`.
	Silu,
}

/// The output head.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Debug,
)]
#[cfg_attr(feature = "std", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
pub enum Head {
	/// The embedding, transposed.
	Tied,
	/// A matrix of its own.
	Untied,
}

/// How a tensor's values are stored.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Debug,
)]
#[cfg_attr(feature = "std", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
pub enum Encoding {
	/// Ternary, four values a byte, one scale for the tensor.
	Ternary2,
	/// Ternary, five values a byte, one scale for the tensor.
	Ternary5,
	/// 8-bit integers with one scale a row.
	Int8Row,
	/// IEEE half precision.
	F16,
	/// IEEE single precision.
	F32,
}

/// What a tensor is for.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Debug,
)]
#[cfg_attr(feature = "std", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
pub enum TensorRole {
	/// Token embedding, `[vocab, hidden]`.
	TokenEmbedding,
	/// Norm before the head, `[hidden]`.
	OutputNorm,
	/// Head, `[vocab, hidden]`.
	Output,
	/// Norm before attention, `[hidden]`.
	AttentionNorm,
	/// Queries.
	Query,
	/// Keys.
	Key,
	/// Values.
	Value,
	/// Norm before the attention's output projection.
	AttentionSubNorm,
	/// Output projection of attention.
	AttentionOutput,
	/// Norm before the feed-forward block, `[hidden]`.
	FeedForwardNorm,
	/// Gate, `[feed_forward, hidden]`.
	Gate,
	/// Up, `[feed_forward, hidden]`.
	Up,
	/// Norm before down, `[feed_forward]`.
	FeedForwardSubNorm,
	/// Down, `[hidden, feed_forward]`.
	Down,
	/// Compression of keys and values (MLA).
	KvCompress,
	/// Expansion of keys and values (MLA).
	KvExpand,
	/// Compression of queries (MLA).
	QueryCompress,
}

/// A tensor: which one, how stored, and the root over its chunks.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Debug,
)]
#[cfg_attr(feature = "std", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
pub struct Tensor {
	/// The layer, or [`NO_LAYER`].
	pub layer: u16,
	/// What it is for.
	pub role: TensorRole,
	/// How its values are stored.
	pub encoding: Encoding,
	/// Merkle root over chunks of [`CHUNK_BYTES`].
	pub root: H256,
}

/// Everything that decides the bits of an answer, but for the query.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
#[cfg_attr(feature = "std", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
pub struct Manifest {
	/// [`MANIFEST_VERSION`].
	pub version: u16,
	/// The graph of a layer.
	pub architecture: Architecture,
	/// How attention keeps keys and values.
	pub attention: Attention,
	/// Width of the residual stream.
	pub hidden: u32,
	/// Width of the feed-forward block.
	pub feed_forward: u32,
	/// Number of layers.
	pub layers: u16,
	/// Entries of the vocabulary.
	pub vocab: u32,
	/// Positions that the model was made for.
	pub context: u32,
	/// Base of the rotary embedding.
	pub rope_theta: u32,
	/// Bits of the norms' epsilon, IEEE single precision.
	pub norm_epsilon_bits: u32,
	/// The gate of the feed-forward block.
	pub gate: Gate,
	/// The output head.
	pub head: Head,
	/// The numerics that the engine must follow to the bit (`docs/protocol/manifest.md`).
	pub numerics_version: u16,
	/// Token that begins a sequence.
	pub bos: Option<u32>,
	/// Tokens that end a sequence.
	pub eos: BoundedVec<u32, ConstU32<MAX_EOS>>,
	/// `sha256` of tokenizer.json.
	pub tokenizer_hash: H256,
	/// `sha256` of the chat template.
	pub chat_template_hash: H256,
	/// All tensors, strictly ascending by (layer, role).
	pub tensors: BoundedVec<Tensor, ConstU32<MAX_TENSORS>>,
	/// Ranges of layers that cover `0..layers` in order without gap or overlap.
	pub shards: BoundedVec<LayerRange, ConstU32<MAX_SHARDS>>,
}

/// Why a manifest is refused.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, Debug)]
#[cfg_attr(feature = "std", derive(Serialize, Deserialize))]
pub enum ManifestError {
	/// The bytes are no manifest, or bytes follow it.
	Malformed,
	/// A version that this software does not know.
	UnknownVersion,
	/// A dimension is 0, too large, or does not divide as it must.
	BadDimensions,
	/// Tensors are missing, repeated, out of order, or belong to no layer of the model.
	BadTensors,
	/// Shards overlap, leave a gap, or do not cover the layers.
	BadShards,
}

impl Manifest {
	/// Reads canonical bytes; refuses anything behind them and anything [`Self::check`] refuses.
	pub fn from_bytes(bytes: &[u8]) -> Result<Self, ManifestError> {
		if bytes.len() > MAX_MANIFEST_BYTES as usize {
			return Err(ManifestError::Malformed);
		}
		let mut input = bytes;
		let manifest = Self::decode(&mut input).map_err(|_| ManifestError::Malformed)?;
		if !input.is_empty() {
			return Err(ManifestError::Malformed);
		}
		manifest.check()?;
		Ok(manifest)
	}

	/// The canonical bytes.
	pub fn to_bytes(&self) -> Vec<u8> {
		self.encode()
	}

	/// `sha256` of the canonical bytes.
	pub fn model_id(&self) -> ModelId {
		sha256(&self.encode())
	}

	/// What the model is for.
	pub fn task_type(&self) -> TaskType {
		TaskType::TextGeneration
	}

	/// Whether dimensions, tensors and shards fit together.
	pub fn check(&self) -> Result<(), ManifestError> {
		if self.version != MANIFEST_VERSION {
			return Err(ManifestError::UnknownVersion);
		}
		self.check_dimensions()?;
		self.check_tensors()?;
		self.check_shards()
	}

	fn check_dimensions(&self) -> Result<(), ManifestError> {
		const LARGEST: u32 = 1 << 20;
		let sized = |value: u32| value > 0 && value <= LARGEST;
		let even = |value: u16| value > 0 && value.is_multiple_of(2);
		let epsilon = f32::from_bits(self.norm_epsilon_bits);
		let attention = match self.attention {
			Attention::Gqa { heads, kv_heads, head_dim } => {
				heads > 0 && kv_heads > 0 && heads % kv_heads == 0 && even(head_dim)
			}
			Attention::Mla { heads, nope_dim, rope_dim, v_dim, kv_rank, .. } => {
				heads > 0 && nope_dim > 0 && even(rope_dim) && v_dim > 0 && kv_rank > 0
			}
		};
		let fits = sized(self.hidden)
			&& sized(self.feed_forward)
			&& sized(self.vocab)
			&& sized(self.context)
			&& self.layers > 0
			&& self.layers <= MAX_LAYERS
			&& self.rope_theta > 0
			&& epsilon.is_finite()
			&& epsilon > 0.0
			&& self.numerics_version > 0
			&& self.bos.iter().chain(self.eos.iter()).all(|token| *token < self.vocab);
		if attention && fits {
			Ok(())
		} else {
			Err(ManifestError::BadDimensions)
		}
	}

	fn check_tensors(&self) -> Result<(), ManifestError> {
		let ordered = self
			.tensors
			.iter()
			.zip(self.tensors.iter().skip(1))
			.all(|(a, b)| (a.layer, a.role) < (b.layer, b.role));
		let global = |role| {
			matches!(role, TensorRole::TokenEmbedding | TensorRole::OutputNorm | TensorRole::Output)
		};
		let placed = self.tensors.iter().all(|tensor| {
			if global(tensor.role) {
				tensor.layer == NO_LAYER
			} else {
				tensor.layer < self.layers
			}
		});
		let has = |layer, role| {
			self.tensors
				.binary_search_by_key(&(layer, role), |tensor| (tensor.layer, tensor.role))
				.is_ok()
		};
		let head = has(NO_LAYER, TensorRole::TokenEmbedding)
			&& has(NO_LAYER, TensorRole::OutputNorm)
			&& has(NO_LAYER, TensorRole::Output) == (self.head == Head::Untied);
		let mut required = [
			TensorRole::AttentionNorm,
			TensorRole::AttentionOutput,
			TensorRole::FeedForwardNorm,
			TensorRole::Gate,
			TensorRole::Up,
			TensorRole::Down,
			TensorRole::Query,
			TensorRole::Key,
			TensorRole::Value,
		];
		if matches!(self.attention, Attention::Mla { .. }) {
			let [.., key, value] = &mut required;
			(*key, *value) = (TensorRole::KvCompress, TensorRole::KvExpand);
		}
		let complete =
			ordered && (0..self.layers).all(|layer| required.iter().all(|role| has(layer, *role)));
		if placed && head && complete {
			Ok(())
		} else {
			Err(ManifestError::BadTensors)
		}
	}

	fn check_shards(&self) -> Result<(), ManifestError> {
		let mut next = 0u16;
		for shard in &self.shards {
			if shard.first != next || shard.end <= shard.first {
				return Err(ManifestError::BadShards);
			}
			next = shard.end;
		}
		if next == self.layers {
			Ok(())
		} else {
			Err(ManifestError::BadShards)
		}
	}

	/// Parameters that take part in every token: the matrices of all layers and the head, without
	/// the embedding and the norms. Never 0 for a manifest that passes [`Self::check`].
	pub fn active_parameters(&self) -> u64 {
		let hidden = u64::from(self.hidden);
		let times = |a: u64, b: u16| a.saturating_mul(u64::from(b));
		let attention = match self.attention {
			Attention::Gqa { heads, kv_heads, head_dim } => {
				let head = times(hidden, head_dim);
				times(head, heads)
					.saturating_mul(2)
					.saturating_add(times(head, kv_heads).saturating_mul(2))
			}
			Attention::Mla { heads, nope_dim, rope_dim, v_dim, kv_rank, q_rank } => {
				let head = u64::from(nope_dim).saturating_add(u64::from(rope_dim));
				let query = if q_rank == 0 {
					times(hidden.saturating_mul(head), heads)
				} else {
					times(hidden, q_rank)
						.saturating_add(times(head.saturating_mul(u64::from(q_rank)), heads))
				};
				let compress =
					hidden.saturating_mul(u64::from(kv_rank).saturating_add(u64::from(rope_dim)));
				let expand = times(
					u64::from(kv_rank)
						.saturating_mul(u64::from(nope_dim).saturating_add(u64::from(v_dim))),
					heads,
				);
				let output = times(times(hidden, v_dim), heads);
				query.saturating_add(compress).saturating_add(expand).saturating_add(output)
			}
		};
		let feed_forward = hidden.saturating_mul(u64::from(self.feed_forward)).saturating_mul(3);
		let layers = attention.saturating_add(feed_forward).saturating_mul(u64::from(self.layers));
		layers.saturating_add(hidden.saturating_mul(u64::from(self.vocab)))
	}
}
