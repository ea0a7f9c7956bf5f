//! Where a record stands.

use crate::mock::{
	assert_state_unchanged, build_and_execute, enter_epoch, id, next_block, note, seed_of, System,
	Verification, FLOOR,
};
use aria_primitives::{traits::AuditDraw, views::AuditStatus, PPM};
use frame_support::assert_ok;

#[test]
fn status_should_go_from_pending_to_drawn() {
	build_and_execute(|| {
		enter_epoch(5);
		note(0..1, 0);
		let pending = AuditStatus::Pending { draw_epoch: 7 };
		assert_eq!(Verification::status(id(0), 5, true), pending);
		enter_epoch(6);
		assert_eq!(Verification::status(id(0), 5, true), pending);
		enter_epoch(7);
		let drawn = AuditStatus::Drawn { at: System::block_number() };
		assert_eq!(Verification::status(id(0), 5, true), drawn);
		// It stays so.
		enter_epoch(1_000);
		assert_eq!(Verification::status(id(0), 5, true), drawn);
	});
}

#[test]
fn status_should_be_not_drawn_when_the_draw_passed_the_record_over() {
	build_and_execute(|| {
		let lucky =
			(0..).find(|n| !Verification::lot_falls_on(&id(*n), &seed_of(0), FLOOR)).unwrap();
		note(lucky..lucky + 1, PPM);
		enter_epoch(2);
		assert_eq!(Verification::status(id(lucky), 0, true), AuditStatus::NotDrawn);
	});
}

#[test]
fn status_should_stay_pending_until_the_draw_reaches_the_record() {
	build_and_execute(|| {
		note(0..6, 0);
		enter_epoch(2);
		let count = |wanted: fn(&AuditStatus) -> bool| {
			(0..6).map(|n| Verification::status(id(n), 0, true)).filter(wanted).count()
		};
		assert_eq!(count(|status| matches!(status, AuditStatus::Drawn { .. })), 4);
		assert_eq!(count(|status| matches!(status, AuditStatus::Pending { draw_epoch: 2 })), 2);
		next_block();
		assert_eq!(count(|status| matches!(status, AuditStatus::Drawn { .. })), 6);
	});
}

#[test]
fn status_should_be_unaudited_when_nobody_may_check() {
	build_and_execute(|| {
		assert_ok!(Verification::note_settled(id(0), 0, false));
		assert_eq!(Verification::status(id(0), 0, false), AuditStatus::Unaudited);
		// The chain's own note is enough, and so is the record's.
		assert_eq!(Verification::status(id(0), 0, true), AuditStatus::Unaudited);
		assert_eq!(Verification::status(id(1), 0, false), AuditStatus::Unaudited);
		enter_epoch(2);
		assert_eq!(Verification::status(id(0), 0, false), AuditStatus::Unaudited);
	});
}

#[test]
fn views_should_answer_as_the_functions_do_and_change_nothing() {
	build_and_execute(|| {
		note(0..5, 0);
		enter_epoch(2);
		assert_state_unchanged(|| {
			for n in 0..5 {
				assert_eq!(
					Verification::audit_status(id(n), 0, true),
					Verification::status(id(n), 0, true)
				);
			}
			assert_eq!((0..5).filter(|n| Verification::drawn(id(*n)).is_some()).count(), 4);
			assert_eq!(Verification::pending(0), 1);
		});
	});
}
