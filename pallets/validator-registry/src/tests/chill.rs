use super::*;
use crate::{
	mock::{build_and_execute, ALICE, EVE, MINIMUM},
	Candidates, ChillReason,
};
use frame_support::assert_noop;

#[test]
fn chill_should_free_the_place_and_keep_the_stake() {
	build_and_execute(|| {
		assert_ok!(ValidatorRegistry::chill(signed(&ALICE)));
		assert_eq!(info(&ALICE).state, ValidatorState::Chilled { since: 1 });
		assert_eq!(held(&ALICE), MINIMUM);
		assert!(!Candidates::<Test>::get().contains_key(&ALICE));
		assert_last(Event::Chilled { validator: ALICE, reason: ChillReason::Asked });
	});
}

#[test]
fn chill_should_fail_when_no_candidate() {
	build_and_execute(|| {
		assert_ok!(ValidatorRegistry::chill(signed(&ALICE)));
		assert_noop!(ValidatorRegistry::chill(signed(&ALICE)), Error::NotCandidate);
		assert_ok!(ValidatorRegistry::unbond(signed(&ALICE)));
		assert_noop!(ValidatorRegistry::chill(signed(&ALICE)), Error::NotCandidate);
	});
}

#[test]
fn chill_should_fail_when_not_registered() {
	build_and_execute(|| {
		assert_noop!(ValidatorRegistry::chill(signed(&EVE)), Error::NotRegistered);
	});
}
