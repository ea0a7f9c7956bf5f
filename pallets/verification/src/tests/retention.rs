//! What the ledger has to keep, and what is forgotten with it.

use crate::{
	mock::{build_and_execute, id, new_test_ext, System, Test, Verification},
	tests::support::{requester, Game, SETTLED_IN},
	Canaries, CanaryInfo, CanaryLots, ClosedThrough, DrawCause, DrawInfo, Drawn, DrawnStatus,
	Unaudited, CANARY_LIFE,
};
use aria_primitives::{audit::Verdict, traits::AuditDraw, PPM};
use frame_support::assert_ok;
use sp_core::H256;

#[test]
fn a_record_should_be_needed_until_audits_up_to_its_epoch_are_over() {
	new_test_ext().execute_with(|| {
		let record = Game::make(2, None, 1).entry;
		assert!(Verification::needs(&record));
		ClosedThrough::<Test>::put(SETTLED_IN - 1);
		assert!(Verification::needs(&record));
		ClosedThrough::<Test>::put(SETTLED_IN);
		assert!(!Verification::needs(&record));
	});
}

#[test]
fn a_record_should_be_needed_while_it_may_be_a_canary() {
	new_test_ext().execute_with(|| {
		let record = Game::make(2, None, 1).entry;
		ClosedThrough::<Test>::put(SETTLED_IN);
		let info = CanaryInfo { by: requester(), at: 0, bond: 0, lots: CanaryLots::default() };
		Canaries::<Test>::insert(H256::zero(), info);
		System::set_block_number(record.settled_at + CANARY_LIFE);
		assert!(Verification::needs(&record));
		System::set_block_number(record.settled_at + CANARY_LIFE + 1);
		assert!(!Verification::needs(&record));
	});
}

#[test]
fn forget_should_remove_where_a_record_stands() {
	build_and_execute(|| {
		assert_ok!(Verification::note_settled(id(1), 0, false));
		let status = DrawnStatus::Decided { verdict: Verdict::Passed, at: 1, canary: false };
		let info = DrawInfo {
			epoch: 0,
			at: System::block_number(),
			seed: H256::zero(),
			probability_ppm: PPM,
			cause: DrawCause::Order,
			status,
		};
		Drawn::<Test>::insert(id(2), info);
		for n in 1..4 {
			Verification::forget(&id(n));
		}
		assert!(!Unaudited::<Test>::contains_key(id(1)));
		assert!(!Drawn::<Test>::contains_key(id(2)));
	});
}
