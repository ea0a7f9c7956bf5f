use super::*;
use crate::{HoldReason, Manifests, Models};
use aria_primitives::ModelId;
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

#[test]
fn unregister_model_should_release_the_deposit_that_was_taken() {
	build_and_execute(|| {
		let model = registered(0);
		// The price of today does not matter.
		DepositPerByte::set(7 * PER_BYTE);
		assert_ok!(ModelRegistry::unregister_model(RuntimeOrigin::signed(ALICE), model));

		assert_eq!(Models::<Test>::get(model), None);
		assert!(!Manifests::<Test>::contains_key(model));
		assert_eq!(held(HoldReason::ModelDeposit, &ALICE), 0);
		assert_eq!(Balances::free_balance(ALICE), BALANCE);
		System::assert_last_event(Event::ModelUnregistered { model }.into());
	});
}

#[test]
fn unregister_model_should_keep_the_deposits_of_other_models() {
	build_and_execute(|| {
		let (first, second) = (registered(0), registered(1));
		let before = held(HoldReason::ModelDeposit, &ALICE);
		assert_ok!(ModelRegistry::unregister_model(RuntimeOrigin::signed(ALICE), first));
		assert_eq!(held(HoldReason::ModelDeposit, &ALICE), before / 2);
		assert!(ModelRegistry::info(&second).is_some());
	});
}

#[test]
fn unregister_model_should_allow_the_model_to_be_registered_again() {
	build_and_execute(|| {
		let model = registered(0);
		assert_ok!(ModelRegistry::unregister_model(RuntimeOrigin::signed(ALICE), model));
		assert_eq!(registered(0), model);
	});
}

#[test]
fn unregister_model_should_fail_when_the_model_is_unknown() {
	build_and_execute(|| {
		assert_noop!(
			ModelRegistry::unregister_model(RuntimeOrigin::signed(ALICE), ModelId::zero()),
			Error::UnknownModel
		);
	});
}

#[test]
fn unregister_model_should_fail_when_the_caller_is_not_the_owner() {
	build_and_execute(|| {
		let model = registered(0);
		assert_noop!(
			ModelRegistry::unregister_model(RuntimeOrigin::signed(BOB), model),
			Error::NotOwner
		);
		assert_noop!(
			ModelRegistry::unregister_model(RuntimeOrigin::root(), model),
			DispatchError::BadOrigin
		);
	});
}

#[test]
fn unregister_model_should_fail_until_nothing_hangs_on_the_model() {
	build_and_execute(|| {
		let model = pinned(0);
		let unregister = || ModelRegistry::unregister_model(RuntimeOrigin::signed(ALICE), model);
		let librarian = || RuntimeOrigin::signed(LIBRARIAN);
		assert_ok!(ModelRegistry::set_alias(librarian(), alias("aria-2b-1bit"), model));
		assert_ok!(ModelRegistry::set_offer(RuntimeOrigin::signed(BOB), model, OFFER));

		assert_noop!(unregister(), Error::StillPinned);
		assert_ok!(ModelRegistry::unpin(RuntimeOrigin::root(), model));
		assert_noop!(unregister(), Error::StillAliased);
		assert_ok!(ModelRegistry::remove_alias(librarian(), alias("aria-2b-1bit")));
		assert_noop!(unregister(), Error::StillOffered);
		assert_ok!(ModelRegistry::remove_offer(RuntimeOrigin::signed(BOB), model));
		assert_ok!(unregister());
	});
}
