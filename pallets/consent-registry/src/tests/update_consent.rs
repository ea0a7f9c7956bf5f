use super::*;
use crate::{Histories, Versions};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{DispatchError, TokenError};

#[test]
fn update_consent_should_supersede_the_version_in_force() {
	build_and_execute(|| {
		give_terms(ALICE, 25);
		System::set_block_number(8);
		assert_ok!(ConsentRegistry::update_consent(RuntimeOrigin::signed(ALICE), terms(50)));

		let first = ConsentRegistry::version(&ALICE, 1).unwrap();
		assert_eq!((first.set_at, first.superseded_at), (1, Some(8)));
		let second = ConsentRegistry::current(&ALICE).unwrap();
		assert_eq!((second.version, second.set_at, second.superseded_at), (2, 8, None));
		assert_eq!(second.consent, terms(50));
		assert_eq!(held(&ALICE), BASE + 2 * PER_VERSION);
		let event = Event::ConsentUpdated { worker: ALICE, version: 2, previous: 1 };
		System::assert_last_event(event.into());
	});
}

#[test]
fn update_consent_should_fail_when_none_is_in_force() {
	build_and_execute(|| {
		let update = || ConsentRegistry::update_consent(RuntimeOrigin::signed(ALICE), terms(50));
		assert_noop!(update(), Error::NotSet);
		give_terms(ALICE, 25);
		assert_ok!(ConsentRegistry::withdraw_consent(RuntimeOrigin::signed(ALICE)));
		assert_noop!(update(), Error::NotSet);
	});
}

#[test]
fn update_consent_should_fail_when_terms_are_the_same() {
	build_and_execute(|| {
		give_terms(ALICE, 25);
		assert_noop!(
			ConsentRegistry::update_consent(RuntimeOrigin::signed(ALICE), terms(25)),
			Error::Unchanged
		);
	});
}

#[test]
fn update_consent_should_name_the_fault_when_terms_are_broken() {
	build_and_execute(|| {
		give_terms(ALICE, 25);
		for (consent, error) in broken_terms() {
			assert_noop!(
				ConsentRegistry::update_consent(RuntimeOrigin::signed(ALICE), consent),
				error
			);
		}
	});
}

#[test]
fn update_consent_should_fail_when_not_signed() {
	build_and_execute(|| {
		assert_noop!(
			ConsentRegistry::update_consent(RuntimeOrigin::root(), terms(25)),
			DispatchError::BadOrigin
		);
	});
}

#[test]
fn update_consent_should_fail_when_full_until_the_oldest_version_is_old_enough() {
	build_and_execute(|| {
		give_terms(ALICE, 1);
		System::set_block_number(11);
		// Version 1 is superseded in block 11.
		for cpu_percent in 2..=MAX_VERSIONS as u8 {
			give_terms(ALICE, cpu_percent);
		}
		let update = || ConsentRegistry::update_consent(RuntimeOrigin::signed(ALICE), terms(99));
		assert_noop!(update(), Error::TooManyVersions);
		assert_eq!(ConsentRegistry::prunable_from(ALICE), Some(11 + HISTORY));

		System::set_block_number(10 + HISTORY);
		assert_noop!(update(), Error::TooManyVersions);

		System::set_block_number(11 + HISTORY);
		assert_ok!(update());
		System::assert_has_event(Event::VersionsPruned { worker: ALICE, first: 1, last: 1 }.into());
		assert_eq!(Histories::<Test>::get(ALICE).oldest, 2);
		assert!(!Versions::<Test>::contains_key(ALICE, 1));
		assert_eq!(held(&ALICE), BASE + PER_VERSION * u128::from(MAX_VERSIONS));
	});
}

#[test]
fn update_consent_should_fail_when_the_deposit_is_not_affordable() {
	build_and_execute(|| {
		give_terms(ALICE, 25);
		DepositPerVersion::set(BALANCE);
		assert_noop!(
			ConsentRegistry::update_consent(RuntimeOrigin::signed(ALICE), terms(50)),
			TokenError::FundsUnavailable
		);
	});
}

#[test]
fn update_consent_should_charge_the_price_of_today_when_it_has_changed() {
	build_and_execute(|| {
		give_terms(ALICE, 25);
		DepositPerVersion::set(3 * PER_VERSION);
		give_terms(ALICE, 50);
		assert_eq!(held(&ALICE), BASE + 6 * PER_VERSION);
		DepositPerVersion::set(1);
		give_terms(ALICE, 75);
		assert_eq!(held(&ALICE), BASE + 3);
	});
}
