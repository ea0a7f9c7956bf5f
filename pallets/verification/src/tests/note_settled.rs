//! Noting settled records.

use crate::{
	mock::{
		assert_state_unchanged, build_and_execute, enter_epoch, id, new_test_ext, next_block, note,
		CurrentEpoch, MaxPerEpoch, MaxWaiting, System, Test, Verification, FLOOR,
	},
	Error, Event, PendingEpoch, PendingEpochs, Settled, SettledRecord, Unaudited, WaitingEnds,
	MAX_PENDING_EPOCHS,
};
use aria_primitives::{
	traits::{AuditDraw, RecordStakes},
	Balance, Ppm, ARIA, PPM,
};
use frame_support::{assert_err, assert_noop, assert_ok};
use sp_runtime::DispatchResult;

#[test]
fn current_epoch_should_be_the_configured_one() {
	build_and_execute(|| {
		assert_eq!(<Verification as AuditDraw>::current_epoch(), 0);
		CurrentEpoch::set(9);
		assert_eq!(<Verification as AuditDraw>::current_epoch(), 9);
	});
}

#[test]
fn note_settled_should_queue_the_record_under_its_epoch() {
	build_and_execute(|| {
		enter_epoch(3);
		assert_ok!(Verification::note_settled(id(1), 250_000, true));
		System::assert_last_event(Event::<Test>::RecordPending { id: id(1), epoch: 3 }.into());
		assert_eq!(
			Settled::<Test>::get(3, id(1)),
			Some(SettledRecord {
				reputation: 250_000,
				forced: false,
				stakes: RecordStakes::default()
			})
		);

		next_block();
		note(2..4, 0);
		assert_eq!(
			PendingEpochs::<Test>::get().into_inner(),
			vec![PendingEpoch {
				epoch: 3,
				records: 3,
				last_settled_at: System::block_number(),
				expected_ppm: 0,
			}]
		);
		assert_eq!(Verification::pending(3), 3);
		assert_eq!(Verification::pending(2), 0);
	});
}

#[test]
fn note_settled_should_make_the_record_unaudited_when_it_is_not_auditable() {
	build_and_execute(|| {
		assert_ok!(Verification::note_settled(id(1), 0, false));
		System::assert_last_event(Event::<Test>::RecordUnaudited { id: id(1) }.into());
		assert!(Unaudited::<Test>::contains_key(id(1)));
		// It takes no place in the queue, and no draw ever reaches it.
		assert!(PendingEpochs::<Test>::get().is_empty());
		enter_epoch(2);
		assert!(System::events().is_empty());
		assert_eq!(Verification::drawn(id(1)), None);
	});
}

#[test]
fn note_settled_should_fail_when_the_record_was_noted() {
	build_and_execute(|| {
		assert_ok!(Verification::note_settled(id(1), 0, true));
		assert_noop!(Verification::note_settled(id(1), 0, true), Error::<Test>::AlreadyNoted);
		assert_ok!(Verification::note_settled(id(2), 0, false));
		assert_noop!(Verification::note_settled(id(2), 0, false), Error::<Test>::AlreadyNoted);
	});
}

#[test]
fn note_settled_should_fail_when_the_epoch_is_full() {
	build_and_execute(|| {
		MaxPerEpoch::set(3);
		note(0..3, 0);
		assert_noop!(Verification::note_settled(id(3), 0, true), Error::<Test>::EpochFull);
		// Records that are not auditable need no place.
		assert_ok!(Verification::note_settled(id(3), 0, false));

		enter_epoch(1);
		assert_ok!(Verification::note_settled(id(4), 0, true));
		assert_eq!((Verification::pending(0), Verification::pending(1)), (3, 1));
	});
}

/// Settles a record whose workers have this reputation, and which costs so much.
fn settle(n: u32, reputation: Ppm, price: Balance) -> DispatchResult {
	assert_ok!(Verification::note_settled(id(n), reputation, true));
	Verification::note_stakes(id(n), RecordStakes { price, stake: 20 * ARIA, ..Default::default() })
}

fn expected() -> u64 {
	PendingEpochs::<Test>::get().iter().map(|pending| pending.expected_ppm).sum()
}

#[test]
fn note_stakes_should_keep_places_for_records_that_are_seldom_drawn() {
	build_and_execute(|| {
		MaxPerEpoch::set(1_000);
		MaxWaiting::set(10);
		// Newcomers' records take a half of the places, in whatever epoch,
		(0..3).for_each(|n| {
			assert_ok!(settle(n, 0, 0));
		});
		enter_epoch(1);
		(3..5).for_each(|n| {
			assert_ok!(settle(n, 0, 0));
		});
		assert_eq!(expected(), 5 * u64::from(PPM));
		let full: DispatchResult = Err(Error::<Test>::EpochFull.into());
		assert_eq!(settle(5, 0, 0), full);
		// and so do dear ones, whoever made them.
		assert_eq!(settle(6, PPM, 5 * ARIA), full);
		// Those of the best known find room.
		let before = expected();
		(10..100).for_each(|n| {
			assert_ok!(settle(n, PPM, 0));
		});
		assert_eq!(expected(), before + 90 * u64::from(FLOOR));
	});
}

#[test]
fn note_stakes_should_count_what_waits_for_its_audit() {
	build_and_execute(|| {
		MaxWaiting::set(10);
		(0..5).for_each(|n| {
			assert_ok!(settle(n, 0, 0));
		});
		enter_epoch(2);
		next_block();
		// They are drawn, and none has begun.
		assert_eq!((expected(), WaitingEnds::<Test>::get().len()), (0, 5));
		assert_eq!(settle(5, 0, 0), Err(Error::<Test>::EpochFull.into()));
		assert_ok!(settle(6, PPM, 0));
	});
}

#[test]
fn note_settled_should_fail_when_too_many_epochs_are_pending() {
	build_and_execute(|| {
		// No block begins in between, so no draw takes place.
		for epoch in 0..MAX_PENDING_EPOCHS {
			CurrentEpoch::set(u64::from(epoch));
			note(epoch..epoch + 1, 0);
		}
		CurrentEpoch::set(u64::from(MAX_PENDING_EPOCHS));
		assert_state_unchanged(|| {
			assert_err!(
				Verification::note_settled(id(1_000), 0, true),
				Error::<Test>::TooManyPendingEpochs
			);
		});

		// Once the oldest epoch is drawn, there is room.
		enter_epoch(u64::from(MAX_PENDING_EPOCHS));
		assert_ok!(Verification::note_settled(id(1_000), 0, true));
	});
}

#[test]
fn try_state_should_fail_when_a_pending_record_is_gone() {
	new_test_ext().execute_with(|| {
		note(0..2, 0);
		assert_ok!(Verification::do_try_state());
		Settled::<Test>::remove(0, id(1));
		assert!(Verification::do_try_state().is_err());
	});
}
