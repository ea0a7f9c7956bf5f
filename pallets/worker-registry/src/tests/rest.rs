use super::*;
use crate::{
	mock::{build_and_execute, CurrentEra, ALICE, MINIMUM},
	WorkerState, FREE_RESTS,
};
use frame_support::{assert_noop, dispatch::Pays};

#[test]
fn rest_should_note_the_block() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		System::set_block_number(7);
		assert_ok!(WorkerRegistry::rest(signed(&ALICE)));
		assert_eq!(WorkerRegistry::info(&ALICE).unwrap().state, WorkerState::Resting { since: 7 });
		assert_last(Event::Resting { worker: ALICE, since: 7 });
		assert_ok!(WorkerRegistry::resume(signed(&ALICE)));
		assert_eq!(WorkerRegistry::info(&ALICE).unwrap().state, WorkerState::Active);
	});
}

#[test]
fn rest_should_be_free_a_few_times_in_an_era() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		let rest = || {
			let pays = WorkerRegistry::rest(signed(&ALICE)).unwrap().pays_fee;
			assert_ok!(WorkerRegistry::resume(signed(&ALICE)));
			pays
		};
		(0..FREE_RESTS).for_each(|_| assert_eq!(rest(), Pays::No));
		assert_eq!(rest(), Pays::Yes);
		CurrentEra::set(4);
		assert_eq!(rest(), Pays::No);
	});
}

#[test]
fn rest_should_fail_when_not_active() {
	build_and_execute(|| {
		assert_noop!(WorkerRegistry::rest(signed(&ALICE)), Error::NotRegistered);
		register(&ALICE, 1, MINIMUM);
		assert_ok!(WorkerRegistry::rest(signed(&ALICE)));
		assert_noop!(WorkerRegistry::rest(signed(&ALICE)), Error::NotActive);
		assert_ok!(WorkerRegistry::drain(signed(&ALICE)));
		assert_noop!(WorkerRegistry::rest(signed(&ALICE)), Error::NotActive);
		assert_ok!(WorkerRegistry::unbond(signed(&ALICE)));
		assert_noop!(WorkerRegistry::rest(signed(&ALICE)), Error::NotActive);
	});
}
