use super::*;
use crate::{
	mock::{build_and_execute, ALICE, INITIAL, MINIMUM},
	HoldReason,
};
use frame_support::{assert_noop, traits::fungible::hold::Inspect};
use sp_runtime::TokenError;

#[test]
fn bond_more_should_add_to_the_stake() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		assert_ok!(WorkerRegistry::bond_more(signed(&ALICE), 40));

		assert_eq!(WorkerRegistry::info(&ALICE).unwrap().stake, MINIMUM + 40);
		let held = crate::mock::Balances::balance_on_hold(&HoldReason::Stake.into(), &ALICE);
		assert_eq!(held, MINIMUM + 40);
		assert_last(Event::Bonded { worker: ALICE, amount: 40, stake: MINIMUM + 40 });
	});
}

#[test]
fn bond_more_should_fail_when_the_amount_is_zero() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		assert_noop!(WorkerRegistry::bond_more(signed(&ALICE), 0), Error::ZeroAmount);
	});
}

#[test]
fn bond_more_should_fail_when_not_registered() {
	build_and_execute(|| {
		assert_noop!(WorkerRegistry::bond_more(signed(&ALICE), 1), Error::NotRegistered);
	});
}

#[test]
fn bond_more_should_fail_when_unbonding() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		assert_ok!(WorkerRegistry::drain(signed(&ALICE)));
		assert_ok!(WorkerRegistry::bond_more(signed(&ALICE), 1));
		assert_ok!(WorkerRegistry::unbond(signed(&ALICE)));
		assert_noop!(WorkerRegistry::bond_more(signed(&ALICE), 1), Error::Unbonding);
	});
}

#[test]
fn bond_more_should_fail_when_the_funds_do_not_suffice() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		assert_noop!(
			WorkerRegistry::bond_more(signed(&ALICE), INITIAL),
			TokenError::FundsUnavailable
		);
	});
}
