use super::*;
use crate::{Current, Histories};
use aria_primitives::traits::Consents;
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

#[test]
fn withdraw_consent_should_permit_nothing_from_that_block_on() {
	build_and_execute(|| {
		give_terms(ALICE, 25);
		assert_ok!(ConsentRegistry::ensure_permits_now(&ALICE, TaskType::TextGeneration, 0));

		System::set_block_number(4);
		assert_ok!(ConsentRegistry::withdraw_consent(RuntimeOrigin::signed(ALICE)));

		System::assert_last_event(Event::ConsentWithdrawn { worker: ALICE, version: 1 }.into());
		assert_eq!(Current::<Test>::get(ALICE), None);
		assert_eq!(ConsentRegistry::version(&ALICE, 1).unwrap().superseded_at, Some(4));
		assert_eq!(Histories::<Test>::get(ALICE).withdrawn_at, Some(4));
		assert_noop!(
			ConsentRegistry::ensure_permits_now(&ALICE, TaskType::TextGeneration, 0),
			Error::NoConsent
		);
	});
}

#[test]
fn withdraw_consent_should_keep_the_deposit_until_versions_are_pruned() {
	build_and_execute(|| {
		give_terms(ALICE, 25);
		assert_ok!(ConsentRegistry::withdraw_consent(RuntimeOrigin::signed(ALICE)));
		assert_eq!(held(&ALICE), BASE + PER_VERSION);
		System::set_block_number(1 + HISTORY);
		assert_ok!(ConsentRegistry::prune(RuntimeOrigin::signed(ALICE), ALICE));
		assert_eq!(held(&ALICE), 0);
		assert_eq!(Balances::free_balance(ALICE), BALANCE);
	});
}

#[test]
fn withdraw_consent_should_fail_when_none_is_in_force() {
	build_and_execute(|| {
		let withdraw = || ConsentRegistry::withdraw_consent(RuntimeOrigin::signed(ALICE));
		assert_noop!(withdraw(), Error::NotSet);
		give_terms(ALICE, 25);
		assert_ok!(withdraw());
		assert_noop!(withdraw(), Error::NotSet);
	});
}

#[test]
fn withdraw_consent_should_fail_when_not_signed() {
	build_and_execute(|| {
		assert_noop!(
			ConsentRegistry::withdraw_consent(RuntimeOrigin::root()),
			DispatchError::BadOrigin
		);
	});
}
