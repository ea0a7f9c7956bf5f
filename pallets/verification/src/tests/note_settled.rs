//! Noting settled records.

use crate::{
	mock::{
		assert_state_unchanged, build_and_execute, enter_epoch, id, new_test_ext, next_block, note,
		CurrentEpoch, MaxPerEpoch, System, Test, Verification,
	},
	Error, Event, PendingEpoch, PendingEpochs, Settled, SettledRecord, Unaudited,
	MAX_PENDING_EPOCHS,
};
use aria_primitives::traits::{AuditDraw, RecordStakes};
use frame_support::{assert_err, assert_noop, assert_ok};

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
			vec![PendingEpoch { epoch: 3, records: 3, last_settled_at: System::block_number() }]
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
