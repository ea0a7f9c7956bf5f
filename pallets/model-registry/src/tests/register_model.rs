use super::*;
use crate::{fixtures, HoldReason, ManifestBytes, Manifests, ModelEntry, Models};
use aria_primitives::{
	consent::TaskType,
	hashing::sha256,
	manifest::{Attention, Manifest, Tensor, TensorRole, NO_LAYER},
	record::LayerRange,
	traits::ModelInfo,
};
use frame_support::{assert_noop, assert_ok};
use proptest::prelude::*;
use sp_runtime::{traits::Dispatchable, DispatchError, DispatchResult, TokenError};

fn register(bytes: ManifestBytes) -> DispatchResult {
	ModelRegistry::register_model(RuntimeOrigin::signed(ALICE), bytes)
}

#[docify::export]
#[test]
fn register_model_should_give_the_hash_of_the_manifest_as_id() {
	build_and_execute(|| {
		let manifest = fixtures::manifest(4);
		let bytes = fixtures::bytes(&manifest);
		let model = sha256(&bytes);
		assert_ok!(ModelRegistry::register_model(RuntimeOrigin::signed(ALICE), bytes.clone()));

		assert_eq!(ModelRegistry::manifest(model), Some(bytes.clone()));
		let deposit = BASE + PER_BYTE * bytes.len() as u128;
		let event = Event::ModelRegistered { model, owner: ALICE, deposit };
		System::assert_last_event(event.into());
		// Registered, but not pinned: it earns nothing yet.
		assert!(!ModelRegistry::is_pinned(&model));
	});
}

#[test]
fn register_model_should_keep_what_settlements_need_at_hand() {
	build_and_execute(|| {
		System::set_block_number(9);
		let model = registered(0);
		let manifest = fixtures::manifest(4);
		let deposit = BASE + PER_BYTE * manifest.to_bytes().len() as u128;
		let info = ModelInfo {
			layers: 4,
			active_parameters: manifest.active_parameters(),
			context: 4_096,
			task_type: TaskType::TextGeneration,
		};
		assert_eq!(
			Models::<Test>::get(model),
			Some(ModelEntry { owner: ALICE, deposit, info, registered_at: 9, pinned_at: None })
		);
		assert_eq!(held(HoldReason::ModelDeposit, &ALICE), deposit);
		assert_eq!(model, manifest.model_id());
	});
}

#[test]
fn register_model_should_accept_every_size_that_the_fixtures_have() {
	build_and_execute(|| {
		for layers in [1, 2, 7, 8, 9, 30, fixtures::MOST_LAYERS] {
			assert_ok!(register(fixtures::bytes(&fixtures::manifest(layers))));
		}
	});
}

#[test]
fn register_model_should_fail_when_the_model_is_registered() {
	build_and_execute(|| {
		registered(0);
		let bytes = fixtures::bytes(&fixtures::manifest(4));
		assert_noop!(register(bytes.clone()), Error::AlreadyRegistered);
		assert_noop!(
			ModelRegistry::register_model(RuntimeOrigin::signed(BOB), bytes),
			Error::AlreadyRegistered
		);
	});
}

#[test]
fn register_model_should_fail_when_the_bytes_are_malformed() {
	build_and_execute(|| {
		let bytes = fixtures::bytes(&fixtures::manifest(4));
		let mut cut = bytes.clone();
		cut.truncate(bytes.len() - 1);
		let mut longer = bytes.clone();
		longer.try_push(0).unwrap();
		for bytes in [ManifestBytes::default(), cut, longer, vec![0xff; 16_384].try_into().unwrap()]
		{
			assert_noop!(register(bytes), Error::MalformedManifest);
		}
	});
}

#[test]
fn register_model_should_name_the_fault_when_the_manifest_is_broken() {
	let with = |change: &dyn Fn(&mut Manifest)| {
		let mut manifest = fixtures::manifest(4);
		change(&mut manifest);
		manifest
	};
	let stray = Tensor {
		layer: 4,
		role: TensorRole::Query,
		encoding: fixtures::manifest(4).tensors[0].encoding,
		root: sha256(b"stray"),
	};
	let gqa = |heads, kv_heads, head_dim| {
		with(&move |m| m.attention = Attention::Gqa { heads, kv_heads, head_dim })
	};
	let shards = |ranges: &'static [(u16, u16)]| {
		with(&move |m| {
			let list: Vec<_> =
				ranges.iter().map(|(first, end)| LayerRange { first: *first, end: *end }).collect();
			m.shards = list.try_into().unwrap();
		})
	};
	let cases = [
		(with(&|m| m.version = 0), Error::UnknownManifestVersion),
		(with(&|m| m.version = 2), Error::UnknownManifestVersion),
		(with(&|m| m.hidden = 0), Error::BadDimensions),
		(with(&|m| m.feed_forward = u32::MAX), Error::BadDimensions),
		(with(&|m| m.vocab = 0), Error::BadDimensions),
		(with(&|m| m.vocab = 128_001), Error::BadDimensions),
		(with(&|m| m.context = 0), Error::BadDimensions),
		(with(&|m| m.layers = 0), Error::BadDimensions),
		(with(&|m| m.rope_theta = 0), Error::BadDimensions),
		(with(&|m| m.norm_epsilon_bits = f32::NAN.to_bits()), Error::BadDimensions),
		(with(&|m| m.norm_epsilon_bits = 0), Error::BadDimensions),
		(with(&|m| m.numerics_version = 0), Error::BadDimensions),
		(gqa(0, 1, 128), Error::BadDimensions),
		(gqa(20, 0, 128), Error::BadDimensions),
		(gqa(20, 3, 128), Error::BadDimensions),
		(gqa(20, 5, 127), Error::BadDimensions),
		(with(&|m| m.layers = 5), Error::BadTensors),
		(with(&|m| m.tensors = Default::default()), Error::BadTensors),
		(
			with(&|m| {
				m.tensors.pop();
			}),
			Error::BadTensors,
		),
		(
			with(&|m| {
				let mut tensors = m.tensors.clone().into_inner();
				tensors.swap(3, 4);
				m.tensors = tensors.try_into().unwrap();
			}),
			Error::BadTensors,
		),
		(
			with(&|m| {
				let first = m.tensors[0];
				m.tensors.try_insert(0, first).unwrap();
			}),
			Error::BadTensors,
		),
		(
			with(&|m| {
				let globals = m.tensors.len() - 2;
				m.tensors.try_insert(globals, stray).unwrap();
			}),
			Error::BadTensors,
		),
		(
			with(&|m| {
				let output = Tensor { layer: NO_LAYER, role: TensorRole::Output, ..stray };
				m.tensors.try_push(output).unwrap();
			}),
			Error::BadTensors,
		),
		(shards(&[]), Error::BadShards),
		(shards(&[(0, 3)]), Error::BadShards),
		(shards(&[(0, 5)]), Error::BadShards),
		(shards(&[(1, 4)]), Error::BadShards),
		(shards(&[(0, 2), (3, 4)]), Error::BadShards),
		(shards(&[(0, 3), (2, 4)]), Error::BadShards),
		(shards(&[(0, 0), (0, 4)]), Error::BadShards),
		(shards(&[(2, 4), (0, 2)]), Error::BadShards),
	];
	build_and_execute(|| {
		for (manifest, error) in cases {
			assert_noop!(register(fixtures::bytes(&manifest)), error);
		}
	});
}

#[test]
fn register_model_should_fail_when_the_deposit_is_not_affordable() {
	build_and_execute(|| {
		let bytes = fixtures::bytes(&fixtures::manifest(1));
		assert_noop!(
			ModelRegistry::register_model(RuntimeOrigin::signed(PAUPER), bytes),
			TokenError::FundsUnavailable
		);
	});
}

#[test]
fn register_model_should_fail_when_not_signed() {
	build_and_execute(|| {
		let bytes = fixtures::bytes(&fixtures::manifest(1));
		assert_noop!(
			ModelRegistry::register_model(RuntimeOrigin::root(), bytes),
			DispatchError::BadOrigin
		);
	});
}

#[test]
fn register_model_should_leave_no_trace_when_dispatched_and_refused() {
	build_and_execute(|| {
		let call = RuntimeCall::ModelRegistry(crate::Call::register_model {
			manifest: ManifestBytes::default(),
		});
		let result = assert_state_unchanged(|| call.dispatch(RuntimeOrigin::signed(ALICE)));
		assert_eq!(result.unwrap_err().error, Error::MalformedManifest.into());
	});
}

proptest! {
	/// Whatever bytes come, the call neither panics nor stores a manifest that it should refuse.
	#[test]
	fn register_model_should_store_only_valid_manifests_for_any_change(
		position in any::<proptest::sample::Index>(),
		byte in any::<u8>(),
		cut in any::<proptest::sample::Index>(),
	) {
		build_and_execute(|| {
			let mut bytes = fixtures::manifest(3).to_bytes();
			let position = position.index(bytes.len());
			bytes[position] = byte;
			// Cuts half of the cases, anywhere.
			bytes.truncate(cut.index(2 * bytes.len()).max(1));
			let bytes: ManifestBytes = bytes.try_into().unwrap();
			let valid = Manifest::from_bytes(&bytes).is_ok();
			assert_eq!(register(bytes.clone()).is_ok(), valid);
			assert_eq!(Manifests::<Test>::contains_key(sha256(&bytes)), valid);
		});
	}
}
