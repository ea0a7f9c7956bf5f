//! `deposit`, `withdraw`, and the pot at genesis.

use super::fixtures::*;
use crate::{mock::*, Error, Escrows, Event, HoldReason};
use aria_primitives::ARIA;
use frame_support::{assert_noop, assert_ok};
use sp_runtime::TokenError;

#[test]
fn pot_should_have_the_existential_deposit_when_the_chain_begins() {
	build_and_execute(|| assert_eq!(free(&Market::pot()), ED));
}

#[test]
fn deposit_should_hold_and_count_when_the_balance_suffices() {
	build_and_execute(|| {
		System::reset_events();
		assert_ok!(Market::deposit(signed(REQUESTER), 5 * ARIA));
		assert_ok!(Market::deposit(signed(REQUESTER), 2 * ARIA));

		assert_eq!(Market::escrow(requester()).held, 7 * ARIA);
		assert_eq!(on_hold(&requester(), HoldReason::Escrow), 7 * ARIA);
		assert_eq!(
			market_events(),
			vec![
				Event::Deposited { requester: requester(), amount: 5 * ARIA },
				Event::Deposited { requester: requester(), amount: 2 * ARIA },
			]
		);
	});
}

#[test]
fn deposit_should_fail_when_the_amount_is_zero_or_missing() {
	build_and_execute(|| {
		assert_noop!(Market::deposit(signed(REQUESTER), 0), Error::<Test>::AmountZero);
		assert_noop!(
			Market::deposit(signed(REQUESTER), 2_000_000 * ARIA),
			TokenError::FundsUnavailable
		);
		assert_noop!(
			Market::deposit(RuntimeOrigin::root(), ARIA),
			sp_runtime::DispatchError::BadOrigin
		);
	});
}

#[test]
fn withdraw_should_release_when_nothing_is_reserved() {
	build_and_execute(|| {
		let before = free(&requester());
		assert_ok!(Market::deposit(signed(REQUESTER), 5 * ARIA));
		System::reset_events();
		assert_ok!(Market::withdraw(signed(REQUESTER), 5 * ARIA));

		assert_eq!(free(&requester()), before);
		assert!(!Escrows::<Test>::contains_key(requester()));
		assert_eq!(
			market_events(),
			vec![Event::Withdrawn { requester: requester(), amount: 5 * ARIA }]
		);
	});
}

#[test]
fn withdraw_should_fail_when_more_is_asked_than_is_free() {
	with_setup(|| {
		assert_noop!(Market::withdraw(signed(REQUESTER), 0), Error::<Test>::AmountZero);
		assert_noop!(
			Market::withdraw(signed(REQUESTER), DEPOSIT + 1),
			Error::<Test>::EscrowInsufficient
		);
		assert_noop!(Market::withdraw(signed(STRANGER), 1), Error::<Test>::EscrowInsufficient);

		assert_ok!(Asked::default().by(REQUESTER));
		assert_noop!(
			Market::withdraw(signed(REQUESTER), DEPOSIT - MAX_PRICE + 1),
			Error::<Test>::EscrowInsufficient
		);
		assert_ok!(Market::withdraw(signed(REQUESTER), DEPOSIT - MAX_PRICE));
	});
}
