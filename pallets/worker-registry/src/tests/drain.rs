use super::*;
use crate::{
	mock::{build_and_execute, ALICE, MINIMUM},
	WorkerState,
};
use frame_support::assert_noop;

#[test]
fn drain_should_note_the_block() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		System::set_block_number(7);
		assert_ok!(WorkerRegistry::drain(signed(&ALICE)));
		assert_eq!(WorkerRegistry::info(&ALICE).unwrap().state, WorkerState::Draining { since: 7 });
		assert_last(Event::Draining { worker: ALICE, since: 7 });
	});
}

#[test]
fn drain_should_keep_the_block_when_the_worker_rests() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		System::set_block_number(7);
		assert_ok!(WorkerRegistry::rest(signed(&ALICE)));
		System::set_block_number(9);
		assert_ok!(WorkerRegistry::drain(signed(&ALICE)));
		assert_last(Event::Draining { worker: ALICE, since: 7 });
	});
}

#[test]
fn drain_should_fail_when_not_active() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		assert_ok!(WorkerRegistry::drain(signed(&ALICE)));
		assert_noop!(WorkerRegistry::drain(signed(&ALICE)), Error::NotActive);
		assert_ok!(WorkerRegistry::unbond(signed(&ALICE)));
		assert_noop!(WorkerRegistry::drain(signed(&ALICE)), Error::NotActive);
	});
}

#[test]
fn drain_should_fail_when_not_registered() {
	build_and_execute(|| {
		assert_noop!(WorkerRegistry::drain(signed(&ALICE)), Error::NotRegistered);
	});
}
