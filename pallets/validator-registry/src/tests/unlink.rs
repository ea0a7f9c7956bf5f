use super::*;
use crate::{
	mock::{build_and_execute, ALICE, BOB, EVE, FERDIE},
	Links, ValidatorOf,
};
use frame_support::assert_noop;

fn linked() {
	assert_ok!(ValidatorRegistry::link_worker(signed(&ALICE), EVE));
	assert_ok!(ValidatorRegistry::accept_link(signed(&EVE), ALICE));
}

#[test]
fn unlink_should_remove_the_link_when_either_side_asks() {
	build_and_execute(|| {
		for who in [&ALICE, &EVE] {
			linked();
			assert_ok!(ValidatorRegistry::unlink(signed(who), ALICE, EVE));
			assert!(!Links::<Test>::contains_key(&ALICE));
			assert!(!ValidatorOf::<Test>::contains_key(&EVE));
			assert_last(Event::Unlinked { validator: ALICE, worker: EVE });
		}
	});
}

#[test]
fn unlink_should_remove_a_proposal_and_leave_the_others() {
	build_and_execute(|| {
		linked();
		assert_ok!(ValidatorRegistry::link_worker(signed(&ALICE), FERDIE));
		assert_ok!(ValidatorRegistry::unlink(signed(&FERDIE), ALICE, FERDIE));
		assert_eq!(ValidatorRegistry::linked_workers(&ALICE), vec![EVE]);
		assert_eq!(ValidatorRegistry::links(ALICE).len(), 1);
	});
}

#[test]
fn unlink_should_leave_an_agreement_with_another_alone() {
	build_and_execute(|| {
		assert_ok!(ValidatorRegistry::link_worker(signed(&BOB), EVE));
		linked();
		assert_ok!(ValidatorRegistry::unlink(signed(&BOB), BOB, EVE));
		assert_eq!(ValidatorRegistry::validator_of(EVE), Some(ALICE));
	});
}

#[test]
fn unlink_should_fail_when_the_caller_is_neither_side() {
	build_and_execute(|| {
		linked();
		assert_noop!(ValidatorRegistry::unlink(signed(&BOB), ALICE, EVE), Error::NotParty);
	});
}

#[test]
fn unlink_should_fail_when_there_is_no_link() {
	build_and_execute(|| {
		assert_noop!(ValidatorRegistry::unlink(signed(&ALICE), ALICE, EVE), Error::NoSuchLink);
		linked();
		assert_noop!(ValidatorRegistry::unlink(signed(&ALICE), ALICE, FERDIE), Error::NoSuchLink);
	});
}
