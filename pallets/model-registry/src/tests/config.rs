use super::*;
use crate::{
	fixtures, Aliases, AliasesOf, Manifests, Models, OfferCount, Offers, PinnedModels, WeightInfo,
};
use aria_primitives::{manifest::MAX_MANIFEST_BYTES, ModelId};
use frame_support::{assert_ok, dispatch::GetDispatchInfo, traits::Hooks};

#[test]
fn integrity_test_should_pass_when_the_constants_fit() {
	build_and_execute(<ModelRegistry as Hooks<u32>>::integrity_test);
}

#[test]
fn fixtures_should_be_valid_and_fit_for_every_number_of_layers() {
	for layers in 1..=fixtures::MOST_LAYERS {
		let manifest = fixtures::manifest(layers);
		assert_eq!(manifest.check(), Ok(()), "{layers}");
		assert!(manifest.to_bytes().len() <= MAX_MANIFEST_BYTES as usize);
	}
	assert_ne!(fixtures::variant(1, 0).model_id(), fixtures::variant(1, 1).model_id());
}

#[test]
fn register_model_should_cost_more_when_the_manifest_is_longer() {
	build_and_execute(|| {
		let weight = |layers| {
			let manifest = fixtures::bytes(&fixtures::manifest(layers));
			crate::Call::<Test>::register_model { manifest }.get_dispatch_info().call_weight
		};
		assert!(weight(1).ref_time() < weight(30).ref_time());
		assert!(weight(30).all_lte(<() as WeightInfo>::register_model(MAX_MANIFEST_BYTES)));
	});
}

#[test]
fn try_state_should_notice_when_an_invariant_is_broken() {
	let breaks: [fn(ModelId); 12] = [
		|model| Manifests::<Test>::remove(model),
		|model| Manifests::<Test>::insert(model, fixtures::bytes(&fixtures::manifest(1))),
		|_| Manifests::<Test>::insert(ModelId::zero(), fixtures::bytes(&fixtures::manifest(1))),
		|model| Models::<Test>::mutate(model, |entry| entry.as_mut().unwrap().info.layers = 9),
		|model| Models::<Test>::mutate(model, |entry| entry.as_mut().unwrap().deposit += 1),
		|model| Models::<Test>::mutate(model, |entry| entry.as_mut().unwrap().pinned_at = None),
		|model| PinnedModels::<Test>::mutate(|list| list.try_push(model).unwrap()),
		|model| Offers::<Test>::remove(model, BOB),
		|model| OfferCount::<Test>::insert(model, 2),
		|model| AliasesOf::<Test>::remove(model),
		|_| Aliases::<Test>::remove(alias("aria")),
		|_| Aliases::<Test>::insert(alias("aria"), ModelId::zero()),
	];
	for change in breaks {
		new_test_ext().execute_with(|| {
			let model = pinned(0);
			assert_ok!(ModelRegistry::set_offer(RuntimeOrigin::signed(BOB), model, OFFER));
			let librarian = RuntimeOrigin::signed(LIBRARIAN);
			assert_ok!(ModelRegistry::set_alias(librarian, alias("aria"), model));
			ModelRegistry::do_try_state().unwrap();
			change(model);
			ModelRegistry::do_try_state().unwrap_err();
		});
	}
}
