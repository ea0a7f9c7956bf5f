use super::*;
use crate::{
	mock::{build_and_execute, Balances, Obliged, ALICE, INITIAL, UNBONDING},
	Peers, Served, Serving, Workers,
};
use frame_support::assert_noop;
use std::collections::BTreeSet;

/// ALICE serves, and has unbonded in block 1.
fn leaving() {
	register(&ALICE, 1, 250);
	serve(&ALICE, 0, 24);
	serve(&ALICE, 0, 12);
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
		assert_last(Event::Withdrawn { worker: ALICE, amount: 250 });

		// It may come back, as a newcomer.
		register(&ALICE, 1, 250);
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
