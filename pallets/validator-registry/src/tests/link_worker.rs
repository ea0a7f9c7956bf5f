use super::*;
use crate::{
	mock::{build_and_execute, RegisteredWorkers, ALICE, BOB, CHARLIE, EVE, FERDIE, POOR},
	Link, Links, ValidatorOf,
};
use frame_support::assert_noop;

#[test]
fn link_worker_should_note_a_proposal() {
	build_and_execute(|| {
		assert_ok!(ValidatorRegistry::link_worker(signed(&ALICE), EVE));
		let expected = vec![Link { worker: EVE, accepted: false }];
		assert_eq!(Links::<Test>::get(ALICE).into_inner(), expected);
		assert!(!ValidatorOf::<Test>::contains_key(&EVE));
		assert_last(Event::LinkProposed { validator: ALICE, worker: EVE });
		assert_eq!(ValidatorRegistry::linked_workers(&ALICE), vec![]);

		// Others may propose as well: the worker chooses.
		assert_ok!(ValidatorRegistry::link_worker(signed(&BOB), EVE));
	});
}

#[test]
fn link_worker_should_fail_when_no_candidate() {
	build_and_execute(|| {
		assert_noop!(ValidatorRegistry::link_worker(signed(&EVE), FERDIE), Error::NotRegistered);
		assert_ok!(ValidatorRegistry::chill(signed(&ALICE)));
		assert_noop!(ValidatorRegistry::link_worker(signed(&ALICE), EVE), Error::NotCandidate);
	});
}

#[test]
fn link_worker_should_fail_when_the_account_is_no_worker() {
	build_and_execute(|| {
		assert_noop!(
			ValidatorRegistry::link_worker(signed(&ALICE), POOR),
			Error::WorkerNotRegistered
		);
	});
}

#[test]
fn link_worker_should_fail_when_linked_already() {
	build_and_execute(|| {
		assert_ok!(ValidatorRegistry::link_worker(signed(&ALICE), EVE));
		assert_noop!(ValidatorRegistry::link_worker(signed(&ALICE), EVE), Error::AlreadyLinked);
		assert_ok!(ValidatorRegistry::accept_link(signed(&EVE), ALICE));
		assert_noop!(ValidatorRegistry::link_worker(signed(&ALICE), EVE), Error::AlreadyLinked);
	});
}

#[test]
fn link_worker_should_fail_when_the_worker_agreed_to_another() {
	build_and_execute(|| {
		assert_ok!(ValidatorRegistry::link_worker(signed(&ALICE), EVE));
		assert_ok!(ValidatorRegistry::accept_link(signed(&EVE), ALICE));
		assert_noop!(ValidatorRegistry::link_worker(signed(&BOB), EVE), Error::WorkerTaken);
	});
}

#[test]
fn link_worker_should_fail_when_there_are_too_many() {
	build_and_execute(|| {
		RegisteredWorkers::mutate(|workers| workers.insert(CHARLIE));
		assert_ok!(ValidatorRegistry::link_worker(signed(&ALICE), EVE));
		assert_ok!(ValidatorRegistry::link_worker(signed(&ALICE), FERDIE));
		assert_noop!(ValidatorRegistry::link_worker(signed(&ALICE), CHARLIE), Error::TooManyLinks);
	});
}
