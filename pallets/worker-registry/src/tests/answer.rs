use super::*;
use crate::{
	mock::{answer, build_and_execute, next_block, peer, run_to, ALICE, BOB, MINIMUM, WINDOW},
	EraTally,
};
use frame_support::{assert_noop, dispatch::Pays};

/// ALICE works, and block 5 asks her.
fn asked() {
	register(&ALICE, 1, MINIMUM);
	serve(&ALICE, 0, 24);
	run_to(5);
	WorkerRegistry::ask(5, 5 + WINDOW + 1, [0].into_iter());
	assert_last(Event::Challenged { worker: ALICE, until: 5 + WINDOW });
}

fn tallies() -> Vec<EraTally> {
	WorkerRegistry::attendance(ALICE)
}

#[test]
fn an_answer_should_be_counted_and_be_free() {
	build_and_execute(|| {
		asked();
		next_block();
		let signature = answer(1, &ALICE);
		let info = WorkerRegistry::answer(signed(&ALICE), signature).unwrap();
		assert_eq!(info.pays_fee, Pays::No);
		assert_last(Event::Answered { worker: ALICE });
		assert_eq!(WorkerRegistry::challenge(ALICE), None);
		assert_eq!(tallies(), [EraTally { era: 3, answered: 1, missed: 0, rests: 0 }]);
		// Once.
		let again = WorkerRegistry::answer(signed(&ALICE), signature);
		assert_noop!(again, Error::NotChallenged);
	});
}

#[test]
fn an_answer_should_be_taken_until_the_window_ends() {
	build_and_execute(|| {
		asked();
		run_to(5 + WINDOW);
		assert_ok!(WorkerRegistry::answer(signed(&ALICE), answer(1, &ALICE)));
		next_block();
		assert_eq!(tallies(), [EraTally { era: 3, answered: 1, missed: 0, rests: 0 }]);
	});
}

#[test]
fn an_answer_should_fail_when_nobody_asked_or_it_is_too_early_or_too_late() {
	build_and_execute(|| {
		let empty = || WorkerRegistry::answer(signed(&ALICE), [0; 64]);
		assert_noop!(empty(), Error::NotRegistered);
		register(&BOB, 2, MINIMUM);
		let nobody = WorkerRegistry::answer(signed(&BOB), [0; 64]);
		assert_noop!(nobody, Error::NotChallenged);
		asked_second();
		// The block's hash is not there yet: an answer to nothing could be made before.
		let early = WorkerRegistry::answer(signed(&ALICE), answer(1, &ALICE));
		assert_noop!(early, Error::NotChallenged);
		let signature = {
			next_block();
			answer(1, &ALICE)
		};
		// Where no hook ran, it is too late all the same.
		System::set_block_number(5 + WINDOW + 1);
		assert_noop!(WorkerRegistry::answer(signed(&ALICE), signature), Error::NotChallenged);
		System::set_block_number(6);
	});
}

/// [`asked`], where BOB came first.
fn asked_second() {
	register(&ALICE, 1, MINIMUM);
	serve(&ALICE, 0, 24);
	run_to(5);
	WorkerRegistry::ask(5, 5 + WINDOW + 1, [1].into_iter());
}

#[test]
fn an_answer_should_fail_when_another_key_or_another_block_signed() {
	build_and_execute(|| {
		asked();
		next_block();
		let other_key = answer(2, &ALICE);
		assert_noop!(WorkerRegistry::answer(signed(&ALICE), other_key), Error::BadAnswer);

		// On another branch the block had another hash.
		let signature = answer(1, &ALICE);
		let made = frame_system::BlockHash::<Test>::get(5);
		frame_system::BlockHash::<Test>::insert(5, sp_core::H256::repeat_byte(7));
		assert_noop!(WorkerRegistry::answer(signed(&ALICE), signature), Error::BadAnswer);
		frame_system::BlockHash::<Test>::insert(5, made);

		// Who changes its peer answers by the new one.
		let binding = crate::mock::binding(9, &ALICE);
		assert_ok!(WorkerRegistry::rotate_peer(signed(&ALICE), peer(9), binding));
		assert_noop!(WorkerRegistry::answer(signed(&ALICE), signature), Error::BadAnswer);
		assert_ok!(WorkerRegistry::answer(signed(&ALICE), answer(9, &ALICE)));
	});
}
