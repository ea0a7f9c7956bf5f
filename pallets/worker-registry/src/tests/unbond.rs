use super::*;
use crate::{
	mock::{build_and_execute, ALICE, MINIMUM, UNBONDING},
	WorkerState,
};
use frame_support::assert_noop;

#[test]
fn unbond_should_name_the_block_of_unlocking() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		assert_ok!(WorkerRegistry::drain(signed(&ALICE)));
		System::set_block_number(5);
		assert_ok!(WorkerRegistry::unbond(signed(&ALICE)));

		let until = 5 + UNBONDING;
		assert_eq!(
			WorkerRegistry::info(&ALICE).unwrap().state,
			WorkerState::Unbonding { since: 1, until }
		);
		assert_last(Event::Unbonding { worker: ALICE, until });
	});
}

#[test]
fn unbond_should_fail_when_not_draining() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		assert_noop!(WorkerRegistry::unbond(signed(&ALICE)), Error::NotDraining);
		assert_ok!(WorkerRegistry::drain(signed(&ALICE)));
		assert_ok!(WorkerRegistry::unbond(signed(&ALICE)));
		assert_noop!(WorkerRegistry::unbond(signed(&ALICE)), Error::NotDraining);
	});
}

#[test]
fn unbond_should_fail_when_not_registered() {
	build_and_execute(|| {
		assert_noop!(WorkerRegistry::unbond(signed(&ALICE)), Error::NotRegistered);
	});
}
