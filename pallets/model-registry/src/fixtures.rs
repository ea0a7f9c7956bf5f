//! Valid manifests of any number of layers, for tests and benchmarks.

#![allow(clippy::expect_used)]

use crate::ManifestBytes;
use alloc::vec::Vec;
use aria_primitives::{
	hashing::sha256,
	manifest::{
		Architecture, Attention, Encoding, Gate, Head, Manifest, Tensor, TensorRole,
		MANIFEST_VERSION, MAX_TENSORS, NO_LAYER,
	},
	record::LayerRange,
};
use codec::Encode;
use sp_runtime::BoundedVec;

/// Tensors that each layer needs, in canonical order.
const LAYER_ROLES: [TensorRole; 9] = [
	TensorRole::AttentionNorm,
	TensorRole::Query,
	TensorRole::Key,
	TensorRole::Value,
	TensorRole::AttentionOutput,
	TensorRole::FeedForwardNorm,
	TensorRole::Gate,
	TensorRole::Up,
	TensorRole::Down,
];

/// Most layers of a manifest that [`manifest`] builds: more tensors do not fit.
pub const MOST_LAYERS: u16 = ((MAX_TENSORS - 2) / LAYER_ROLES.len() as u32) as u16;

/// Layers of a shard.
const SHARD_LAYERS: u16 = 8;

/// A manifest with that many layers, `1..=MOST_LAYERS`.
pub fn manifest(layers: u16) -> Manifest {
	variant(layers, 0)
}

/// A manifest with that many layers; another `seed` gives another model.
pub fn variant(layers: u16, seed: u32) -> Manifest {
	assert!((1..=MOST_LAYERS).contains(&layers), "layers must be 1..={MOST_LAYERS}");
	let tensor = |layer: u16, role: TensorRole| Tensor {
		layer,
		role,
		encoding: match role {
			TensorRole::AttentionNorm
			| TensorRole::FeedForwardNorm
			| TensorRole::OutputNorm
			| TensorRole::TokenEmbedding => Encoding::F16,
			_ => Encoding::Ternary2,
		},
		root: sha256(&(seed, layer, role).encode()),
	};
	let tensors: Vec<Tensor> = (0..layers)
		.flat_map(|layer| LAYER_ROLES.into_iter().map(move |role| (layer, role)))
		.chain([(NO_LAYER, TensorRole::TokenEmbedding), (NO_LAYER, TensorRole::OutputNorm)])
		.map(|(layer, role)| tensor(layer, role))
		.collect();
	let shards: Vec<LayerRange> = (0..layers)
		.step_by(usize::from(SHARD_LAYERS))
		.map(|first| LayerRange { first, end: (first + SHARD_LAYERS).min(layers) })
		.collect();
	Manifest {
		version: MANIFEST_VERSION,
		architecture: Architecture::LlamaTernary,
		attention: Attention::Gqa { heads: 20, kv_heads: 5, head_dim: 128 },
		hidden: 2_560,
		feed_forward: 6_912,
		layers,
		vocab: 128_256,
		context: 4_096,
		rope_theta: 500_000,
		norm_epsilon_bits: 1e-5f32.to_bits(),
		gate: Gate::SquaredRelu,
		head: Head::Tied,
		numerics_version: 1,
		bos: Some(128_000),
		eos: BoundedVec::truncate_from([128_001u32, 128_009].to_vec()),
		tokenizer_hash: sha256(b"tokenizer"),
		chat_template_hash: sha256(b"chat template"),
		tensors: BoundedVec::truncate_from(tensors),
		shards: BoundedVec::truncate_from(shards),
	}
}

/// The canonical bytes of a manifest.
pub fn bytes(manifest: &Manifest) -> ManifestBytes {
	manifest.to_bytes().try_into().expect("a manifest within its bounds fits")
}
