use super::*;
use crate::{Models, PinnedModels};
use aria_primitives::ModelId;
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

#[test]
fn pin_should_let_a_model_earn() {
	build_and_execute(|| {
		let model = registered(0);
		System::set_block_number(6);
		assert_ok!(ModelRegistry::pin(RuntimeOrigin::root(), model));
		assert!(ModelRegistry::is_pinned(&model));
		assert_eq!(Models::<Test>::get(model).unwrap().pinned_at, Some(6));
		assert_eq!(PinnedModels::<Test>::get().into_inner(), vec![model]);
		System::assert_last_event(Event::ModelPinned { model }.into());
	});
}

#[test]
fn pin_should_fail_when_the_model_is_unknown_or_pinned() {
	build_and_execute(|| {
		assert_noop!(
			ModelRegistry::pin(RuntimeOrigin::root(), ModelId::zero()),
			Error::UnknownModel
		);
		let model = pinned(0);
		assert_noop!(ModelRegistry::pin(RuntimeOrigin::root(), model), Error::AlreadyPinned);
	});
}

#[test]
fn pin_should_fail_when_too_many_models_are_pinned() {
	build_and_execute(|| {
		let first = pinned(0);
		for seed in 1..MAX_PINNED {
			pinned(seed);
		}
		let model = registered(MAX_PINNED);
		assert_noop!(ModelRegistry::pin(RuntimeOrigin::root(), model), Error::TooManyPinned);
		assert_ok!(ModelRegistry::unpin(RuntimeOrigin::root(), first));
		assert_ok!(ModelRegistry::pin(RuntimeOrigin::root(), model));
	});
}

#[test]
fn pin_and_unpin_should_fail_when_the_origin_is_not_the_one_that_pins() {
	build_and_execute(|| {
		let model = registered(0);
		for who in [ALICE, LIBRARIAN] {
			assert_noop!(
				ModelRegistry::pin(RuntimeOrigin::signed(who.clone()), model),
				DispatchError::BadOrigin
			);
			assert_noop!(
				ModelRegistry::unpin(RuntimeOrigin::signed(who), model),
				DispatchError::BadOrigin
			);
		}
	});
}

#[test]
fn unpin_should_keep_the_others_in_order() {
	build_and_execute(|| {
		let (first, second, third) = (pinned(0), pinned(1), pinned(2));
		assert_ok!(ModelRegistry::unpin(RuntimeOrigin::root(), second));
		assert!(!ModelRegistry::is_pinned(&second));
		assert_eq!(PinnedModels::<Test>::get().into_inner(), vec![first, third]);
		System::assert_last_event(Event::ModelUnpinned { model: second }.into());
	});
}

#[test]
fn unpin_should_fail_when_the_model_is_unknown_or_not_pinned() {
	build_and_execute(|| {
		assert_noop!(
			ModelRegistry::unpin(RuntimeOrigin::root(), ModelId::zero()),
			Error::UnknownModel
		);
		let model = registered(0);
		assert_noop!(ModelRegistry::unpin(RuntimeOrigin::root(), model), Error::NotPinned);
	});
}
