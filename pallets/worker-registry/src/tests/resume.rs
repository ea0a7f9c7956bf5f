use super::*;
use crate::{
	mock::{build_and_execute, ALICE, MINIMUM},
	WorkerState,
};
use frame_support::{assert_noop, dispatch::Pays};

#[test]
fn resume_should_make_active_when_draining_or_unbonding() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		assert_ok!(WorkerRegistry::drain(signed(&ALICE)));
		assert_ok!(WorkerRegistry::resume(signed(&ALICE)));
		assert_eq!(WorkerRegistry::info(&ALICE).unwrap().state, WorkerState::Active);
		assert_last(Event::Resumed { worker: ALICE });

		assert_ok!(WorkerRegistry::drain(signed(&ALICE)));
		assert_ok!(WorkerRegistry::unbond(signed(&ALICE)));
		assert_ok!(WorkerRegistry::resume(signed(&ALICE)));
		assert_eq!(WorkerRegistry::info(&ALICE).unwrap().state, WorkerState::Active);
	});
}

#[test]
fn resume_should_be_free_when_the_worker_rested() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		let resume = || WorkerRegistry::resume(signed(&ALICE)).unwrap().pays_fee;
		assert_ok!(WorkerRegistry::rest(signed(&ALICE)));
		assert_eq!(resume(), Pays::No);
		assert_ok!(WorkerRegistry::drain(signed(&ALICE)));
		assert_eq!(resume(), Pays::Yes);
	});
}

#[test]
fn resume_should_fail_when_active() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		assert_noop!(WorkerRegistry::resume(signed(&ALICE)), Error::AlreadyActive);
	});
}

#[test]
fn resume_should_fail_when_not_registered() {
	build_and_execute(|| {
		assert_noop!(WorkerRegistry::resume(signed(&ALICE)), Error::NotRegistered);
	});
}
