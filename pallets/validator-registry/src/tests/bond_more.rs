use super::*;
use crate::{
	mock::{build_and_execute, chain_of, ALICE, BOB, EVE, INITIAL, MINIMUM, POOR},
	Candidates,
};
use frame_support::{assert_noop, traits::fungible::Mutate};
use sp_runtime::TokenError;

#[test]
fn bond_more_should_add_to_the_stake_and_to_the_rank() {
	build_and_execute(|| {
		assert_ok!(ValidatorRegistry::bond_more(signed(&BOB), 50));
		assert_eq!(held(&BOB), MINIMUM + 50);
		assert_eq!(Candidates::<Test>::get().get(&BOB), Some(&(MINIMUM + 50)));
		assert_eq!(ValidatorRegistry::candidates().first(), Some(&(BOB, MINIMUM + 50)));
		assert_last(Event::Bonded { validator: BOB, amount: 50, stake: MINIMUM + 50 });
	});
}

#[test]
fn bond_more_should_add_when_chilled_and_leave_the_list_alone() {
	build_and_execute(|| {
		assert_ok!(ValidatorRegistry::chill(signed(&BOB)));
		assert_ok!(ValidatorRegistry::bond_more(signed(&BOB), 50));
		assert_eq!(info(&BOB).stake, MINIMUM + 50);
		assert!(!Candidates::<Test>::get().contains_key(&BOB));
	});
}

#[test]
fn bond_more_should_end_the_waiver_when_the_minimum_is_reached() {
	chain_of(&[ALICE, BOB, POOR]).execute_with(|| {
		assert_ok!(<Balances as Mutate<AccountId>>::mint_into(&POOR, INITIAL));
		assert_ok!(ValidatorRegistry::bond_more(signed(&POOR), MINIMUM - 1));
		assert!(info(&POOR).stake_waived);
		assert_ok!(ValidatorRegistry::bond_more(signed(&POOR), 1));
		assert!(!info(&POOR).stake_waived);
		ValidatorRegistry::do_try_state().unwrap();
	});
}

#[test]
fn bond_more_should_fail_when_the_amount_is_zero() {
	build_and_execute(|| {
		assert_noop!(ValidatorRegistry::bond_more(signed(&BOB), 0), Error::ZeroAmount);
	});
}

#[test]
fn bond_more_should_fail_when_not_registered() {
	build_and_execute(|| {
		assert_noop!(ValidatorRegistry::bond_more(signed(&EVE), 1), Error::NotRegistered);
	});
}

#[test]
fn bond_more_should_fail_when_unbonding() {
	build_and_execute(|| {
		assert_ok!(ValidatorRegistry::unbond(signed(&BOB)));
		assert_noop!(ValidatorRegistry::bond_more(signed(&BOB), 1), Error::AlreadyUnbonding);
	});
}

#[test]
fn bond_more_should_fail_when_the_funds_do_not_suffice() {
	build_and_execute(|| {
		assert_noop!(
			ValidatorRegistry::bond_more(signed(&BOB), INITIAL),
			TokenError::FundsUnavailable
		);
	});
}
