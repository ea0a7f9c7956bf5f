use super::*;
use crate::{
	mock::{build_and_execute, Balances, Obliged, ALICE, BOB, CHARLIE, INITIAL, UNBONDING},
	Attendances, Peers, Roster, RosterSize, Served, Serving, Workers,
};
use frame_support::assert_noop;
use std::collections::BTreeSet;

/// ALICE serves, and has unbonded in block 1.
fn leaving() {
	register(&ALICE, 1, 250);
	serve(&ALICE, 0, 24);
	serve(&ALICE, 0, 12);
	assert_ok!(WorkerRegistry::rest(signed(&ALICE)));
	assert_ok!(WorkerRegistry::drain(signed(&ALICE)));
	assert_ok!(WorkerRegistry::unbond(signed(&ALICE)));
}

#[test]
fn withdraw_should_release_the_stake_and_forget_the_worker() {
	build_and_execute(|| {
		leaving();
		System::set_block_number(1 + UNBONDING);
		assert_ok!(WorkerRegistry::withdraw(signed(&ALICE)));

		assert_eq!(Balances::free_balance(&ALICE), INITIAL);
		assert_eq!(Workers::<Test>::iter().count(), 0);
		assert_eq!(Peers::<Test>::iter().count(), 0);
		assert_eq!(Served::<Test>::iter().count(), 0);
		assert_eq!(Serving::<Test>::iter().count(), 0);
		assert_eq!(Attendances::<Test>::iter().count(), 0);
		assert_eq!((RosterSize::<Test>::get(), Roster::<Test>::get(0)), (0, None));
		assert_last(Event::Withdrawn { worker: ALICE, amount: 250 });

		// It may come back, as a newcomer.
		register(&ALICE, 1, 250);
	});
}

#[test]
fn withdraw_should_leave_no_gap_in_the_roster() {
	build_and_execute(|| {
		leaving();
		for (seed, who) in [(2, &BOB), (3, &CHARLIE)] {
			register(who, seed, 250);
		}
		System::set_block_number(1 + UNBONDING);
		assert_ok!(WorkerRegistry::withdraw(signed(&ALICE)));
		let roster = [0, 1, 2].map(Roster::<Test>::get);
		assert_eq!(roster, [Some(CHARLIE), Some(BOB), None]);
	});
}

#[test]
fn withdraw_should_fail_when_the_stake_is_locked() {
	build_and_execute(|| {
		leaving();
		System::set_block_number(UNBONDING);
		assert_noop!(WorkerRegistry::withdraw(signed(&ALICE)), Error::StillUnbonding);
	});
}

#[test]
fn withdraw_should_fail_when_earnings_have_not_vested() {
	build_and_execute(|| {
		leaving();
		Obliged::set(BTreeSet::from([ALICE]));
		System::set_block_number(1 + UNBONDING);
		assert_noop!(WorkerRegistry::withdraw(signed(&ALICE)), Error::ObligationsPending);
		Obliged::set(BTreeSet::new());
		assert_ok!(WorkerRegistry::withdraw(signed(&ALICE)));
	});
}

#[test]
fn withdraw_should_fail_when_not_unbonding() {
	build_and_execute(|| {
		assert_noop!(WorkerRegistry::withdraw(signed(&ALICE)), Error::NotRegistered);
		register(&ALICE, 1, 250);
		assert_noop!(WorkerRegistry::withdraw(signed(&ALICE)), Error::NotUnbonding);
		assert_ok!(WorkerRegistry::drain(signed(&ALICE)));
		assert_noop!(WorkerRegistry::withdraw(signed(&ALICE)), Error::NotUnbonding);
	});
}
