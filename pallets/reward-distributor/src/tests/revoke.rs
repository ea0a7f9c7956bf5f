//! Work that an audit takes out again, and eras that wait for audits.

use super::*;
use crate::{EraEpochs, Event, ModelEnergy};

fn revoke(era: EraIndex, note: WorkNote) {
	<Pallet<Test> as WorkSink>::revoke_work(era, note);
}

#[test]
fn revoked_work_should_leave_what_there_was_before_it() {
	build_and_execute(|| {
		run_to(1);
		note(stage(alice(), 5_000));
		note(stage(bob(), 700));
		let before = (era_info(0), line(0, &alice()), ModelEnergy::<Test>::get(0, model()));

		let false_work = WorkNote { latency_ms_per_token: 90, ..stage(alice(), 3_000) };
		note(false_work.clone());
		assert_eq!(era_info(0).total_work, 8_700);
		revoke(0, false_work);
		let after = (era_info(0), line(0, &alice()), ModelEnergy::<Test>::get(0, model()));
		assert_eq!(before, after);
		System::assert_last_event(
			Event::<Test>::WorkRevoked { era: 0, worker: alice(), work: 3_000 }.into(),
		);
		settle(0);
		assert_paid_as_recomputed(0);
	});
}

#[test]
fn a_line_should_go_with_its_last_work() {
	build_and_execute(|| {
		run_to(1);
		note(stage(bob(), 700));
		let before = era_info(0);
		note(stage(alice(), 5_000));
		revoke(0, stage(alice(), 5_000));
		assert_eq!(era_info(0), before);
		assert!(!Lines::<Test>::contains_key(0, alice()));

		revoke(0, stage(bob(), 700));
		assert_eq!((era_info(0).workers, era_info(0).total_work), (0, 0));
		assert!(!ModelEnergy::<Test>::contains_key(0, model()));
		settle(0);
		assert_eq!(era_info(0).paid_workers, 0);
	});
}

#[test]
fn work_that_does_not_count_should_not_be_revoked() {
	build_and_execute(|| {
		run_to(1);
		note(stage(alice(), 5_000));
		assert_state_unchanged(|| {
			// Of nobody, of no era, of no fee.
			revoke(0, stage(bob(), 1));
			revoke(7, stage(alice(), 5_000));
			revoke(0, WorkNote { burnt: 0, ..stage(alice(), 5_000) });
		});
		settle(0);
		assert_state_unchanged(|| revoke(0, stage(alice(), 5_000)));
	});
}

#[test]
fn an_era_should_wait_until_audits_of_its_records_are_over() {
	build_and_execute(|| {
		run_to(1);
		note(stage(alice(), 5_000));
		ClosedThrough::set(0);
		while RewardDistributor::current_era() < 2 {
			run_to(System::block_number() + 1);
		}
		let epoch = EraEpochs::<Test>::get(0).unwrap();
		assert!(epoch > 0);
		run_to(System::block_number() + 5);
		assert_eq!(era_info(0).state, EraState::Closed);

		ClosedThrough::set(epoch);
		settle(0);
		assert!(!EraEpochs::<Test>::contains_key(0));
		assert_paid_as_recomputed(0);
	});
}
