//! Manifests: what `from_bytes` takes and refuses, sizes at the bounds, and the parameters that
//! count as active (`docs/protocol/manifest.md`).
#![allow(clippy::unwrap_used)]

use aria_primitives::{
	hashing::sha256,
	manifest::{
		Architecture, Attention, Encoding, Gate, Head, Manifest, ManifestError, Tensor, TensorRole,
		MANIFEST_VERSION, MAX_EOS, MAX_LAYERS, MAX_MANIFEST_BYTES, MAX_SHARDS, MAX_TENSORS,
		NO_LAYER,
	},
	record::LayerRange,
};
use codec::{Compact, Encode, MaxEncodedLen};
use proptest::prelude::*;
use sp_core::{ConstU32, H256};
use sp_runtime::BoundedVec;

const GQA: Attention = Attention::Gqa { heads: 4, kv_heads: 2, head_dim: 16 };
const MLA: Attention =
	Attention::Mla { heads: 4, nope_dim: 16, rope_dim: 8, v_dim: 16, kv_rank: 32, q_rank: 24 };

/// What every layer has, whatever its attention.
const COMMON: [TensorRole; 7] = [
	TensorRole::AttentionNorm,
	TensorRole::AttentionOutput,
	TensorRole::FeedForwardNorm,
	TensorRole::Gate,
	TensorRole::Up,
	TensorRole::Down,
	TensorRole::Query,
];

fn bounded<T, const N: u32>(items: Vec<T>) -> BoundedVec<T, ConstU32<N>> {
	BoundedVec::try_from(items).ok().unwrap()
}

fn tensor(layer: u16, role: TensorRole) -> Tensor {
	Tensor { layer, role, encoding: Encoding::Ternary2, root: H256::repeat_byte(role as u8) }
}

fn required(attention: &Attention) -> Vec<TensorRole> {
	let own = match attention {
		Attention::Gqa { .. } => [TensorRole::Key, TensorRole::Value],
		Attention::Mla { .. } => [TensorRole::KvCompress, TensorRole::KvExpand],
	};
	[&COMMON[..], &own].concat()
}

/// A tied manifest with the tensors that it needs and no others, in one shard.
fn manifest(layers: u16, attention: Attention) -> Manifest {
	let roles = required(&attention);
	let mut tensors: Vec<_> = (0..layers)
		.flat_map(|layer| roles.iter().map(move |role| tensor(layer, *role)))
		.chain([TensorRole::TokenEmbedding, TensorRole::OutputNorm].map(|r| tensor(NO_LAYER, r)))
		.collect();
	tensors.sort_by_key(|tensor| (tensor.layer, tensor.role));
	Manifest {
		version: MANIFEST_VERSION,
		architecture: Architecture::BitnetB158,
		attention,
		hidden: 64,
		feed_forward: 192,
		layers,
		vocab: 512,
		context: 256,
		rope_theta: 10_000,
		norm_epsilon_bits: 1e-5_f32.to_bits(),
		gate: Gate::SquaredRelu,
		head: Head::Tied,
		numerics_version: 1,
		bos: Some(1),
		eos: bounded(vec![2]),
		tokenizer_hash: H256::repeat_byte(1),
		chat_template_hash: H256::repeat_byte(2),
		tensors: bounded(tensors),
		shards: bounded(vec![LayerRange { first: 0, end: layers }]),
	}
}

/// Each layer a shard of its own.
fn sharded(mut manifest: Manifest) -> Manifest {
	let shards = (0..manifest.layers).map(|first| LayerRange { first, end: first + 1 });
	manifest.shards = bounded(shards.collect());
	manifest
}

fn refused(change: impl FnOnce(&mut Manifest)) -> ManifestError {
	refused_of(manifest(2, GQA), change)
}

fn refused_of(mut manifest: Manifest, change: impl FnOnce(&mut Manifest)) -> ManifestError {
	assert_eq!(manifest.check(), Ok(()));
	change(&mut manifest);
	let error = manifest.check().unwrap_err();
	assert_eq!(Manifest::from_bytes(&manifest.to_bytes()), Err(error));
	error
}

// --- bytes --------------------------------------------------------------------------------------

#[test]
fn from_bytes_should_give_back_what_was_written() {
	for attention in [GQA, MLA] {
		let manifest = manifest(2, attention);
		let bytes = manifest.to_bytes();
		assert_eq!(Manifest::from_bytes(&bytes), Ok(manifest.clone()));
		assert_eq!(manifest.model_id(), sha256(&bytes));
	}
}

#[test]
fn from_bytes_should_refuse_every_truncation() {
	for attention in [GQA, MLA] {
		let bytes = manifest(2, attention).to_bytes();
		for length in 0..bytes.len() {
			let read = Manifest::from_bytes(&bytes[..length]);
			assert_eq!(read, Err(ManifestError::Malformed), "{length} of {} bytes", bytes.len());
		}
	}
}

#[test]
fn from_bytes_should_refuse_trailing_bytes() {
	let bytes = manifest(2, GQA).to_bytes();
	for tail in [&[0u8][..], &[0xFF], &bytes] {
		let longer = [&bytes[..], tail].concat();
		assert_eq!(Manifest::from_bytes(&longer), Err(ManifestError::Malformed));
	}
}

#[test]
fn from_bytes_should_refuse_lists_beyond_their_bounds() {
	let manifest = manifest(2, GQA);
	let bytes = manifest.to_bytes();
	let before_shards = &bytes[..bytes.len() - manifest.shards.encode().len()];
	let layers = vec![LayerRange { first: 0, end: 1 }; MAX_SHARDS as usize + 1];
	for shards in [layers.encode(), Compact(u32::MAX).encode(), Compact(1u32 << 20).encode()] {
		let read = Manifest::from_bytes(&[before_shards, &shards].concat());
		assert_eq!(read, Err(ManifestError::Malformed));
	}
}

#[test]
fn from_bytes_should_refuse_unknown_variants() {
	let manifest = manifest(2, GQA);
	let bytes = manifest.to_bytes();
	// Architecture, and attention, follow the version; the gate and the head lie behind these and
	// seven numbers.
	for at in [2, 3, 36, 37] {
		let mut bytes = bytes.clone();
		bytes[at] = 0x7F;
		assert_eq!(Manifest::from_bytes(&bytes), Err(ManifestError::Malformed), "byte {at}");
	}
}

proptest! {
	#![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

	/// No two byte strings are the same manifest: what is read is what was written, to the byte.
	#[test]
	fn from_bytes_should_survive_mutations(
		mla: bool,
		changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
	) {
		let mut bytes = manifest(2, if mla { MLA } else { GQA }).to_bytes();
		for (at, byte) in changes {
			let at = at.index(bytes.len());
			bytes[at] = byte;
		}
		if let Ok(manifest) = Manifest::from_bytes(&bytes) {
			prop_assert_eq!(manifest.to_bytes(), bytes);
			prop_assert_eq!(manifest.check(), Ok(()));
			prop_assert!(manifest.active_parameters() > 0);
		}
	}

	#[test]
	fn from_bytes_should_survive_noise(bytes in prop::collection::vec(any::<u8>(), 0..2048)) {
		if let Ok(manifest) = Manifest::from_bytes(&bytes) {
			prop_assert_eq!(manifest.to_bytes(), bytes);
		}
	}
}

// --- errors -------------------------------------------------------------------------------------

#[test]
fn check_should_refuse_other_versions() {
	for version in [0, MANIFEST_VERSION + 1, u16::MAX] {
		assert_eq!(refused(|m| m.version = version), ManifestError::UnknownVersion);
	}
}

#[test]
fn check_should_refuse_dimensions_that_are_zero_or_too_large() {
	const TOO_LARGE: u32 = (1 << 20) + 1;
	let changes: [fn(&mut Manifest, u32); 4] = [
		|m, value| m.hidden = value,
		|m, value| m.feed_forward = value,
		|m, value| m.vocab = value,
		|m, value| m.context = value,
	];
	for change in changes {
		for value in [0, TOO_LARGE, u32::MAX] {
			assert_eq!(refused(|m| change(m, value)), ManifestError::BadDimensions);
		}
		let mut largest = manifest(2, GQA);
		change(&mut largest, TOO_LARGE - 1);
		assert_eq!(largest.check(), Ok(()));
	}
	for layers in [0, MAX_LAYERS + 1, u16::MAX] {
		assert_eq!(refused(|m| m.layers = layers), ManifestError::BadDimensions);
	}
	assert_eq!(refused(|m| m.rope_theta = 0), ManifestError::BadDimensions);
	assert_eq!(refused(|m| m.numerics_version = 0), ManifestError::BadDimensions);
}

#[test]
fn check_should_refuse_an_epsilon_that_is_no_positive_number() {
	for epsilon in [0.0, -0.0, -1e-5, f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
		let error = refused(|m| m.norm_epsilon_bits = epsilon.to_bits());
		assert_eq!(error, ManifestError::BadDimensions, "{epsilon}");
	}
}

#[test]
fn check_should_refuse_heads_that_do_not_divide_or_have_no_pairs() {
	let gqa = |heads, kv_heads, head_dim| Attention::Gqa { heads, kv_heads, head_dim };
	for bad in
		[gqa(0, 2, 16), gqa(4, 0, 16), gqa(4, 3, 16), gqa(2, 4, 16), gqa(4, 2, 0), gqa(4, 2, 15)]
	{
		assert_eq!(refused(|m| m.attention = bad), ManifestError::BadDimensions, "{bad:?}");
	}
	let mla = |heads, nope_dim, rope_dim, v_dim, kv_rank| Attention::Mla {
		heads,
		nope_dim,
		rope_dim,
		v_dim,
		kv_rank,
		q_rank: 0,
	};
	for bad in [
		mla(0, 16, 8, 16, 32),
		mla(4, 0, 8, 16, 32),
		mla(4, 16, 0, 16, 32),
		mla(4, 16, 7, 16, 32),
		mla(4, 16, 8, 0, 32),
		mla(4, 16, 8, 16, 0),
	] {
		let error = refused_of(manifest(2, MLA), |m| m.attention = bad);
		assert_eq!(error, ManifestError::BadDimensions, "{bad:?}");
	}
}

#[test]
fn check_should_refuse_special_tokens_beyond_the_vocabulary() {
	assert_eq!(refused(|m| m.bos = Some(m.vocab)), ManifestError::BadDimensions);
	assert_eq!(refused(|m| m.eos = bounded(vec![2, m.vocab])), ManifestError::BadDimensions);
	let mut manifest = manifest(2, GQA);
	(manifest.bos, manifest.eos) = (Some(511), bounded(vec![]));
	assert_eq!(manifest.check(), Ok(()));
}

#[test]
fn check_should_refuse_tensors_that_are_missing() {
	for attention in [GQA, MLA] {
		let count = manifest(2, attention).tensors.len();
		for index in 0..count {
			let error = refused_of(manifest(2, attention), |m| {
				m.tensors.remove(index);
			});
			assert_eq!(error, ManifestError::BadTensors, "tensor {index}");
		}
	}
	assert_eq!(refused(|m| m.tensors = bounded(vec![])), ManifestError::BadTensors);
	// One kind of attention has not what the other one needs.
	assert_eq!(refused(|m| m.attention = MLA), ManifestError::BadTensors);
}

#[test]
fn check_should_refuse_tensors_that_are_repeated_or_out_of_order() {
	let count = manifest(2, GQA).tensors.len();
	for index in 1..count {
		let swapped = refused(|m| {
			let tensors: &mut [Tensor] = m.tensors.as_mut();
			tensors.swap(index - 1, index);
		});
		assert_eq!(swapped, ManifestError::BadTensors);
		let repeated = refused(|m| {
			let tensor = m.tensors[index];
			m.tensors.try_insert(index, tensor).unwrap();
		});
		assert_eq!(repeated, ManifestError::BadTensors);
	}
}

#[test]
fn check_should_refuse_tensors_in_layers_that_are_not_theirs() {
	let push = |layer, role| {
		refused(|m| {
			m.tensors.try_push(tensor(layer, role)).unwrap();
			m.tensors.sort_by_key(|tensor| (tensor.layer, tensor.role));
		})
	};
	assert_eq!(push(2, TensorRole::AttentionNorm), ManifestError::BadTensors);
	assert_eq!(push(NO_LAYER, TensorRole::Gate), ManifestError::BadTensors);
	assert_eq!(push(0, TensorRole::TokenEmbedding), ManifestError::BadTensors);
	assert_eq!(push(1, TensorRole::Output), ManifestError::BadTensors);
}

#[test]
fn check_should_want_a_head_matrix_exactly_when_the_head_is_untied() {
	assert_eq!(refused(|m| m.head = Head::Untied), ManifestError::BadTensors);
	let with_output = |m: &mut Manifest| {
		m.tensors.try_push(tensor(NO_LAYER, TensorRole::Output)).unwrap();
		m.tensors.sort_by_key(|tensor| (tensor.layer, tensor.role));
	};
	assert_eq!(refused(with_output), ManifestError::BadTensors);
	let mut untied = manifest(2, GQA);
	untied.head = Head::Untied;
	with_output(&mut untied);
	assert_eq!(untied.check(), Ok(()));
}

#[test]
fn check_should_take_tensors_that_are_not_needed_in_every_layer() {
	let mut manifest = manifest(2, GQA);
	manifest.tensors.try_push(tensor(0, TensorRole::AttentionSubNorm)).unwrap();
	manifest.tensors.try_push(tensor(1, TensorRole::FeedForwardSubNorm)).unwrap();
	manifest.tensors.sort_by_key(|tensor| (tensor.layer, tensor.role));
	assert_eq!(manifest.check(), Ok(()));
}

#[test]
fn check_should_refuse_shards_that_do_not_cover_the_layers_once() {
	let range = |first, end| LayerRange { first, end };
	for shards in [
		vec![],
		vec![range(0, 3)],
		vec![range(0, 5)],
		vec![range(1, 4)],
		vec![range(0, 2), range(3, 4)],
		vec![range(0, 3), range(2, 4)],
		vec![range(2, 4), range(0, 2)],
		vec![range(0, 2), range(2, 2), range(2, 4)],
		vec![range(0, 0), range(0, 4)],
		vec![range(0, 4), range(4, 2)],
		vec![range(0, 4), range(4, 5)],
		vec![range(0, u16::MAX)],
	] {
		let error = refused_of(manifest(4, GQA), |m| m.shards = bounded(shards.clone()));
		assert_eq!(error, ManifestError::BadShards, "{shards:?}");
	}
	let mut manifest = manifest(4, GQA);
	manifest.shards = bounded(vec![range(0, 1), range(1, 3), range(3, 4)]);
	assert_eq!(manifest.check(), Ok(()));
}

// --- sizes --------------------------------------------------------------------------------------

/// As many layers and tensors as fit, all other lists but the shards' full.
fn largest() -> Manifest {
	let layers = ((MAX_TENSORS - 2) / 9) as u16;
	let mut manifest = manifest(layers, MLA);
	for layer in 0..layers {
		let _ = manifest.tensors.try_push(tensor(layer, TensorRole::AttentionSubNorm));
	}
	manifest.tensors.sort_by_key(|tensor| (tensor.layer, tensor.role));
	manifest.eos = bounded(vec![3; MAX_EOS as usize]);
	manifest
}

#[test]
fn a_tensor_should_take_36_bytes() {
	assert_eq!(tensor(0, TensorRole::Up).encode().len(), 36);
	assert_eq!(Tensor::max_encoded_len(), 36);
}

#[test]
fn a_manifest_with_most_tensors_should_fit() {
	let mut manifest = largest();
	assert_eq!(manifest.tensors.len(), MAX_TENSORS as usize);
	let step = manifest.layers.div_ceil(26);
	let shards = (0..manifest.layers)
		.step_by(step.into())
		.map(|first| LayerRange { first, end: manifest.layers.min(first + step) });
	manifest.shards = bounded(shards.collect());
	assert!(manifest.shards.len() >= 25);
	assert!(manifest.encode().len() <= MAX_MANIFEST_BYTES as usize);
	assert_eq!(Manifest::from_bytes(&manifest.to_bytes()), Ok(manifest));
}

#[test]
fn a_model_of_30_layers_should_fit_with_a_shard_for_each() {
	let mut manifest = sharded(manifest(30, GQA));
	for layer in 0..30 {
		for role in [TensorRole::AttentionSubNorm, TensorRole::FeedForwardSubNorm] {
			manifest.tensors.try_push(tensor(layer, role)).unwrap();
		}
	}
	manifest.tensors.sort_by_key(|tensor| (tensor.layer, tensor.role));
	assert_eq!(manifest.tensors.len(), 332);
	assert!(manifest.to_bytes().len() < 12_500);
	assert_eq!(Manifest::from_bytes(&manifest.to_bytes()), Ok(manifest));
}

#[test]
fn a_manifest_should_be_refused_when_its_lists_fit_and_its_bytes_do_not() {
	let manifest = sharded(largest());
	assert_eq!(manifest.check(), Ok(()));
	assert!(manifest.to_bytes().len() > MAX_MANIFEST_BYTES as usize);
	assert_eq!(Manifest::from_bytes(&manifest.to_bytes()), Err(ManifestError::Malformed));
}

// --- active parameters --------------------------------------------------------------------------

#[test]
fn active_parameters_should_count_the_matrices_and_the_head() {
	// Queries and output 64 × 64 each, keys and values 64 × 32 each.
	let attention = 2 * 64 * 64 + 2 * 64 * 32;
	let feed_forward = 3 * 64 * 192;
	let head = 64 * 512;
	assert_eq!(manifest(2, GQA).active_parameters(), 2 * (attention + feed_forward) + head);

	let query = 64 * 24 + 24 * 4 * (16 + 8);
	let compress = 64 * (32 + 8);
	let expand = 32 * 4 * (16 + 16);
	let output = 4 * 16 * 64;
	let attention = query + compress + expand + output;
	let mut mla = manifest(2, MLA);
	assert_eq!(mla.active_parameters(), 2 * (attention + feed_forward) + head);

	// Without compression a query is one matrix.
	let attention = attention - query + 64 * 4 * (16 + 8);
	mla.attention =
		Attention::Mla { heads: 4, nope_dim: 16, rope_dim: 8, v_dim: 16, kv_rank: 32, q_rank: 0 };
	assert_eq!(mla.active_parameters(), 2 * (attention + feed_forward) + head);
}

#[test]
fn active_parameters_should_saturate() {
	let most = u16::MAX;
	for attention in [
		Attention::Gqa { heads: most, kv_heads: most, head_dim: most },
		Attention::Mla {
			heads: most,
			nope_dim: most,
			rope_dim: most,
			v_dim: most,
			kv_rank: most,
			q_rank: most,
		},
	] {
		let mut manifest = manifest(1, GQA);
		(manifest.hidden, manifest.feed_forward, manifest.vocab) = (u32::MAX, u32::MAX, u32::MAX);
		(manifest.layers, manifest.attention) = (most, attention);
		assert_eq!(manifest.active_parameters(), u64::MAX);
	}
}
