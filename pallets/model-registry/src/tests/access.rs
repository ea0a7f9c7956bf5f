use super::*;
use crate::fixtures;
use aria_primitives::{traits::Models, ModelId};
use frame_support::{assert_noop, assert_ok};

#[test]
fn pinned_should_say_which_is_missing_when_a_model_can_not_earn() {
	build_and_execute(|| {
		assert_noop!(ModelRegistry::pinned(&ModelId::zero()), Error::UnknownModel);
		let model = registered(0);
		assert_noop!(ModelRegistry::pinned(&model), Error::NotPinned);
		assert_ok!(ModelRegistry::pin(RuntimeOrigin::root(), model));
		assert_eq!(ModelRegistry::pinned(&model).unwrap().layers, 4);
		assert_ok!(ModelRegistry::unpin(RuntimeOrigin::root(), model));
		assert_noop!(ModelRegistry::pinned(&model), Error::NotPinned);
	});
}

#[test]
fn offer_should_be_the_sellers_own() {
	build_and_execute(|| {
		let model = registered(0);
		assert_noop!(ModelRegistry::offer(&model, &BOB), Error::NoOffer);
		assert_ok!(ModelRegistry::set_offer(RuntimeOrigin::signed(BOB), model, OFFER));
		assert_eq!(ModelRegistry::offer(&model, &BOB), Ok(OFFER));
		assert_noop!(ModelRegistry::offer(&model, &ALICE), Error::NoOffer);
		assert_noop!(ModelRegistry::offer(&ModelId::zero(), &BOB), Error::NoOffer);
	});
}

#[test]
fn info_should_be_none_when_the_model_is_unknown() {
	build_and_execute(|| {
		assert_eq!(ModelRegistry::info(&ModelId::zero()), None);
		assert!(!ModelRegistry::is_pinned(&ModelId::zero()));
		assert!(ModelRegistry::aliases_of(&ModelId::zero()).is_empty());
		let model = registered(0);
		let info = ModelRegistry::info(&model).unwrap();
		assert_eq!(info.active_parameters, fixtures::manifest(4).active_parameters());
	});
}

#[cfg(feature = "runtime-benchmarks")]
#[test]
fn benchmark_model_should_give_a_pinned_model_with_an_offer() {
	build_and_execute(|| {
		for layers in [1, fixtures::MOST_LAYERS, 1] {
			let model = ModelRegistry::benchmark_model(layers, &PAUPER, OFFER);
			assert_eq!(ModelRegistry::pinned(&model).unwrap().layers, layers);
			assert_eq!(ModelRegistry::offer(&model, &PAUPER), Ok(OFFER));
		}
	});
}
