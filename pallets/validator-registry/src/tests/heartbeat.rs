use super::*;
use crate::mock::{build_and_execute, end_session, ALICE, EVE, FERDIE, MINIMUM};
use frame_support::{assert_noop, dispatch::Pays};

#[test]
fn heartbeat_should_be_noted_and_free() {
	build_and_execute(|| {
		let post = ValidatorRegistry::heartbeat(signed(&ALICE)).unwrap();
		assert_eq!(post.pays_fee, Pays::No);
		assert_eq!((info(&ALICE).heartbeat, info(&ALICE).seen), (Some(0), Some(0)));
		assert_last(Event::Heartbeat { validator: ALICE, session: 0 });

		end_session();
		assert_ok!(ValidatorRegistry::heartbeat(signed(&ALICE)));
		assert_last(Event::Heartbeat { validator: ALICE, session: 1 });
	});
}

#[test]
fn heartbeat_should_fail_when_sent_already() {
	build_and_execute(|| {
		assert_ok!(ValidatorRegistry::heartbeat(signed(&ALICE)));
		assert_noop!(ValidatorRegistry::heartbeat(signed(&ALICE)), Error::AlreadyBeat);
	});
}

#[test]
fn heartbeat_should_work_when_a_block_was_authored() {
	build_and_execute(|| {
		ValidatorRegistry::note_author(&ALICE);
		assert_ok!(ValidatorRegistry::heartbeat(signed(&ALICE)));
	});
}

#[test]
fn heartbeat_should_fail_when_not_active() {
	build_and_execute(|| {
		register(&EVE, MINIMUM);
		assert_noop!(ValidatorRegistry::heartbeat(signed(&EVE)), Error::NotActive);
	});
}

#[test]
fn heartbeat_should_fail_when_not_registered() {
	build_and_execute(|| {
		assert_noop!(ValidatorRegistry::heartbeat(signed(&FERDIE)), Error::NotRegistered);
	});
}
