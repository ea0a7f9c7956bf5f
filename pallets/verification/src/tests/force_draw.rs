//! Ordering the audit of a pending record.

use crate::{
	mock::{
		build_and_execute, enter_epoch, id, note, seed_of, RuntimeOrigin, System, Test,
		Verification, FLOOR,
	},
	DrawCause, Error, Event, Settled,
};
use aria_primitives::{traits::AuditDraw, AccountId, PPM};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

/// The first record that a draw of epoch 0 at the floor would pass over.
fn passed_over() -> u32 {
	(0..).find(|n| !Verification::lot_falls_on(&id(*n), &seed_of(0), FLOOR)).unwrap()
}

#[test]
fn force_draw_should_make_the_draw_certain() {
	build_and_execute(|| {
		let lucky = passed_over();
		note(lucky..lucky + 1, PPM);
		assert_ok!(Verification::force_draw(RuntimeOrigin::root(), id(lucky), 0));
		System::assert_last_event(Event::<Test>::DrawForced { id: id(lucky), epoch: 0 }.into());

		enter_epoch(2);
		let info = Verification::drawn(id(lucky)).unwrap();
		assert_eq!((info.cause, info.probability_ppm), (DrawCause::Order, PPM));
		System::assert_has_event(
			Event::<Test>::RecordDrawn { id: id(lucky), epoch: 0, probability_ppm: PPM }.into(),
		);
	});
}

#[test]
fn force_draw_should_leave_other_records_to_their_lot() {
	build_and_execute(|| {
		let lucky = passed_over();
		note(lucky..lucky + 1, PPM);
		note(1_000..1_001, 0);
		assert_ok!(Verification::force_draw(RuntimeOrigin::root(), id(1_000), 0));
		assert!(Settled::<Test>::get(0, id(lucky)).is_some_and(|record| !record.forced));
		enter_epoch(2);
		assert_eq!(Verification::drawn(id(lucky)), None);
	});
}

#[test]
fn force_draw_should_work_while_the_draw_of_the_epoch_is_under_way() {
	build_and_execute(|| {
		note(0..10, PPM);
		enter_epoch(2);
		let (_, waiting) = Settled::<Test>::iter_keys().last().unwrap();
		assert_ok!(Verification::force_draw(RuntimeOrigin::root(), waiting, 0));
		crate::mock::next_block();
		crate::mock::next_block();
		assert!(Verification::drawn(waiting).is_some_and(|info| info.cause == DrawCause::Order));
	});
}

#[test]
fn force_draw_should_fail_when_the_origin_may_not() {
	build_and_execute(|| {
		note(0..1, 0);
		for origin in [RuntimeOrigin::signed(AccountId::new([1; 32])), RuntimeOrigin::none()] {
			assert_noop!(Verification::force_draw(origin, id(0), 0), DispatchError::BadOrigin);
		}
	});
}

#[test]
fn force_draw_should_fail_when_the_record_is_not_pending() {
	build_and_execute(|| {
		note(0..1, 0);
		assert_ok!(Verification::note_settled(id(1), 0, false));
		// Unknown, unaudited, of another epoch.
		for (record, epoch) in [(id(9), 0), (id(1), 0), (id(0), 1)] {
			assert_noop!(
				Verification::force_draw(RuntimeOrigin::root(), record, epoch),
				Error::<Test>::NotPending
			);
		}
		enter_epoch(2);
		// Drawn.
		assert_noop!(
			Verification::force_draw(RuntimeOrigin::root(), id(0), 0),
			Error::<Test>::NotPending
		);
	});
}

#[test]
fn force_draw_should_fail_when_it_was_ordered_before() {
	build_and_execute(|| {
		note(0..1, 0);
		assert_ok!(Verification::force_draw(RuntimeOrigin::root(), id(0), 0));
		assert_noop!(
			Verification::force_draw(RuntimeOrigin::root(), id(0), 0),
			Error::<Test>::AlreadyForced
		);
	});
}
