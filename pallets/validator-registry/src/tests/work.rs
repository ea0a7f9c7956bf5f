use super::*;
use crate::{
	mock::{
		build_and_execute, end_session, ClosedBefore, CurrentEpoch, MaxWorkPerBlock,
		RegisteredWorkers, ALICE, BOB, CHARLIE, DAVE, EVE, FERDIE, UNBONDING,
	},
	PendingWork, VerifiedWork, VerifiedWorkOf, WaitingWork, WorkEpochs, MAX_WORK_EPOCHS,
};
use aria_primitives::{traits::LotteryWork, EpochIndex};
use frame_support::traits::Hooks;

fn link(validator: &AccountId, worker: &AccountId) {
	assert_ok!(ValidatorRegistry::link_worker(signed(validator), worker.clone()));
	assert_ok!(ValidatorRegistry::accept_link(signed(worker), validator.clone()));
}

fn note(worker: &AccountId, work: u128) {
	<ValidatorRegistry as LotteryWork>::note_work(worker, work);
}

fn revoke(worker: &AccountId, epoch: EpochIndex) {
	<ValidatorRegistry as LotteryWork>::revoke_work(worker, epoch);
}

fn next_block() {
	System::set_block_number(System::block_number() + 1);
	ValidatorRegistry::on_initialize(System::block_number());
	ValidatorRegistry::do_try_state().unwrap();
}

fn waiting(epoch: EpochIndex, worker: &AccountId) -> Option<u128> {
	WaitingWork::<Test>::get(epoch, worker).map(|pending| pending.work)
}

fn work(validator: &AccountId) -> u128 {
	ValidatorRegistry::work(validator.clone())
}

#[test]
fn work_should_count_when_audits_of_its_epoch_are_over() {
	build_and_execute(|| {
		link(&ALICE, &EVE);
		note(&EVE, 30);
		note(&EVE, 12);
		assert_eq!(waiting(0, &EVE), Some(42));
		CurrentEpoch::set(3);
		next_block();
		assert_eq!(work(&ALICE), 0);

		ClosedBefore::set(1);
		next_block();
		assert_eq!(work(&ALICE), 42);
		assert_eq!(waiting(0, &EVE), None);
		assert!(WorkEpochs::<Test>::get().is_empty());
		assert_has(Event::WorkCounted { epoch: 0, workers: 1, work: 42 });
	});
}

#[test]
fn work_should_not_count_for_nobody() {
	build_and_execute(|| {
		assert_state_unchanged(|| {
			note(&EVE, 1_000);
			note(&ALICE, u128::MAX);
		});
		// A claim that the worker did not accept is no link.
		assert_ok!(ValidatorRegistry::link_worker(signed(&ALICE), EVE));
		assert_state_unchanged(|| note(&EVE, 1_000));
		assert_ok!(ValidatorRegistry::accept_link(signed(&EVE), ALICE));
		assert_state_unchanged(|| note(&EVE, 0));
	});
}

#[test]
fn work_should_not_count_when_it_failed_an_audit() {
	build_and_execute(|| {
		link(&ALICE, &EVE);
		link(&BOB, &FERDIE);
		note(&EVE, 30);
		note(&FERDIE, 7);
		CurrentEpoch::set(1);
		note(&EVE, 5);
		revoke(&EVE, 0);
		assert_last(Event::WorkRevoked { validator: ALICE, worker: EVE, epoch: 0, work: 30 });
		// Twice, of an epoch without work, and of a stranger.
		assert_state_unchanged(|| {
			revoke(&EVE, 0);
			revoke(&EVE, 9);
			revoke(&ALICE, 0);
		});

		ClosedBefore::set(2);
		for _ in 0..3 {
			next_block();
		}
		assert_eq!((work(&ALICE), work(&BOB)), (5, 7));
	});
}

#[test]
fn work_should_stay_when_audits_are_over() {
	build_and_execute(|| {
		link(&ALICE, &EVE);
		note(&EVE, 30);
		ClosedBefore::set(1);
		next_block();
		assert_state_unchanged(|| revoke(&EVE, 0));
		assert_eq!(work(&ALICE), 30);
	});
}

#[test]
fn an_epoch_should_close_when_all_of_its_work_was_revoked() {
	build_and_execute(|| {
		link(&ALICE, &EVE);
		note(&EVE, 30);
		revoke(&EVE, 0);
		ValidatorRegistry::do_try_state().unwrap();
		ClosedBefore::set(1);
		next_block();
		assert!(WorkEpochs::<Test>::get().is_empty());
		assert_eq!(count_events(|event| matches!(event, Event::WorkCounted { .. })), 0);
	});
}

#[test]
fn work_of_an_epoch_should_go_to_the_validator_of_its_first_record() {
	build_and_execute(|| {
		link(&ALICE, &EVE);
		note(&EVE, 30);
		assert_ok!(ValidatorRegistry::unlink(signed(&EVE), ALICE, EVE));
		note(&EVE, 10);
		link(&BOB, &EVE);
		note(&EVE, 2);
		assert_eq!(
			WaitingWork::<Test>::get(0u64, EVE),
			Some(PendingWork { validator: ALICE, work: 42 })
		);
		CurrentEpoch::set(1);
		note(&EVE, 5);
		assert_eq!(
			WaitingWork::<Test>::get(1u64, EVE),
			Some(PendingWork { validator: BOB, work: 5 })
		);
	});
}

#[test]
fn work_should_be_counted_in_steps_and_in_order() {
	build_and_execute(|| {
		let workers: Vec<AccountId> = (10u8..17).map(|seed| AccountId::new([seed; 32])).collect();
		for epoch in [4, 7] {
			CurrentEpoch::set(epoch);
			for worker in &workers {
				crate::ValidatorOf::<Test>::insert(worker, ALICE);
				note(worker, 1);
				crate::ValidatorOf::<Test>::remove(worker);
			}
		}
		assert_eq!(WorkEpochs::<Test>::get().into_inner(), vec![4, 7]);
		ClosedBefore::set(7);
		// Two a block: seven take four blocks, the last of which finds the end.
		for expected in [2, 4, 6, 7, 7] {
			next_block();
			assert_eq!(work(&ALICE), expected);
		}
		assert_eq!(WorkEpochs::<Test>::get().into_inner(), vec![7]);

		MaxWorkPerBlock::set(7);
		ClosedBefore::set(8);
		next_block();
		assert_eq!(work(&ALICE), 14);
		// As many as a block counts: it takes another look to know that there are no more.
		assert_eq!(WorkEpochs::<Test>::get().into_inner(), vec![7]);
		next_block();
		assert!(WorkEpochs::<Test>::get().is_empty());
		assert_eq!(count_events(|event| matches!(event, Event::WorkCounted { .. })), 5);
	});
}

#[test]
fn work_should_not_count_when_too_many_epochs_wait() {
	build_and_execute(|| {
		link(&ALICE, &EVE);
		for epoch in 0..u64::from(MAX_WORK_EPOCHS) {
			CurrentEpoch::set(epoch);
			note(&EVE, 1);
		}
		CurrentEpoch::set(u64::from(MAX_WORK_EPOCHS));
		assert_state_unchanged(|| note(&EVE, 1));
		ClosedBefore::set(1);
		next_block();
		note(&EVE, 9);
		assert_eq!(waiting(u64::from(MAX_WORK_EPOCHS), &EVE), Some(9));
	});
}

#[test]
fn work_should_fade_from_session_to_session() {
	build_and_execute(|| {
		link(&ALICE, &EVE);
		note(&EVE, 1_000);
		ClosedBefore::set(1);
		next_block();
		end_session();
		assert_eq!(work(&ALICE), 500);
		CurrentEpoch::set(1);
		note(&EVE, 100);
		ClosedBefore::set(2);
		next_block();
		assert_eq!(VerifiedWorkOf::<Test>::get(ALICE), Some(VerifiedWork { sum: 600, session: 1 }));
		end_session();
		end_session();
		assert_eq!(work(&ALICE), 150);
	});
}

#[test]
fn work_should_saturate_when_it_would_overflow() {
	build_and_execute(|| {
		link(&ALICE, &EVE);
		link(&ALICE, &FERDIE);
		// A validator may be a worker of another one.
		RegisteredWorkers::mutate(|workers| workers.insert(CHARLIE));
		link(&BOB, &CHARLIE);
		for _ in 0..2 {
			note(&EVE, u128::MAX);
			note(&FERDIE, u128::MAX);
		}
		note(&CHARLIE, 1);
		ClosedBefore::set(1);
		next_block();
		next_block();
		assert_eq!((work(&ALICE), work(&BOB)), (u128::MAX, 1));
		end_session();
		assert_eq!(ValidatorRegistry::slot_weights().len(), 4);
	});
}

#[test]
fn work_should_be_forgotten_with_its_validator() {
	build_and_execute(|| {
		link(&DAVE, &EVE);
		note(&EVE, 10);
		ClosedBefore::set(1);
		next_block();
		assert_eq!(work(&DAVE), 10);
		CurrentEpoch::set(1);
		note(&EVE, 20);
		assert_ok!(ValidatorRegistry::unbond(signed(&DAVE)));
		end_session();
		end_session();
		System::set_block_number(System::block_number() + UNBONDING);
		assert_ok!(ValidatorRegistry::withdraw(signed(&DAVE)));
		assert!(!VerifiedWorkOf::<Test>::contains_key(DAVE));

		// What still waited goes to nobody.
		ClosedBefore::set(2);
		next_block();
		assert_eq!(VerifiedWorkOf::<Test>::iter().count(), 0);
		assert_eq!(waiting(1, &EVE), None);
	});
}
