use super::*;
use crate::mock::{build_and_execute, RegisteredWorkers, ALICE, BOB, EVE, FERDIE, POOR};
use frame_support::assert_noop;

#[test]
fn accept_should_link_both_sides() {
	build_and_execute(|| {
		assert_ok!(ValidatorRegistry::link_worker(signed(&ALICE), EVE));
		assert_ok!(ValidatorRegistry::accept_link(signed(&EVE), ALICE));
		assert_eq!(ValidatorRegistry::validator_of(EVE), Some(ALICE));
		assert_eq!(ValidatorRegistry::linked_workers(&ALICE), vec![EVE]);
		assert_last(Event::Linked { validator: ALICE, worker: EVE });

		// A worker that left is not counted any more.
		RegisteredWorkers::mutate(|workers| workers.remove(&EVE));
		assert_eq!(ValidatorRegistry::linked_workers(&ALICE), vec![]);
	});
}

#[test]
fn accept_should_work_when_validator_and_worker_are_one_account() {
	build_and_execute(|| {
		RegisteredWorkers::mutate(|workers| workers.insert(ALICE));
		assert_ok!(ValidatorRegistry::link_worker(signed(&ALICE), ALICE));
		assert_ok!(ValidatorRegistry::accept_link(signed(&ALICE), ALICE));
		assert_eq!(ValidatorRegistry::linked_workers(&ALICE), vec![ALICE]);
	});
}

#[test]
fn accept_should_fail_when_nobody_proposed() {
	build_and_execute(|| {
		assert_noop!(ValidatorRegistry::accept_link(signed(&EVE), ALICE), Error::NoSuchLink);
		assert_ok!(ValidatorRegistry::link_worker(signed(&ALICE), FERDIE));
		assert_noop!(ValidatorRegistry::accept_link(signed(&EVE), ALICE), Error::NoSuchLink);
	});
}

#[test]
fn accept_should_fail_when_the_worker_agreed_already() {
	build_and_execute(|| {
		assert_ok!(ValidatorRegistry::link_worker(signed(&ALICE), EVE));
		assert_ok!(ValidatorRegistry::link_worker(signed(&BOB), EVE));
		assert_ok!(ValidatorRegistry::accept_link(signed(&EVE), ALICE));
		for validator in [ALICE, BOB] {
			assert_noop!(
				ValidatorRegistry::accept_link(signed(&EVE), validator),
				Error::WorkerTaken
			);
		}
	});
}

#[test]
fn accept_should_fail_when_the_caller_is_no_worker() {
	build_and_execute(|| {
		assert_noop!(
			ValidatorRegistry::accept_link(signed(&POOR), ALICE),
			Error::WorkerNotRegistered
		);
	});
}
