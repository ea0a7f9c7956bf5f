use super::*;
use crate::{
	mock::{build_and_execute, ALICE, DAVE, EVE, FERDIE, INITIAL, MINIMUM, POOR},
	Candidates, ChillReason,
};
use frame_support::{assert_noop, traits::fungible::Mutate};
use sp_runtime::{DispatchError, TokenError};

/// Takes the last of the six places.
fn fill() {
	register(&EVE, MINIMUM + 1);
	register(&FERDIE, MINIMUM + 2);
}

fn newcomer() -> AccountId {
	let who = AccountId::new([7; 32]);
	assert_ok!(<Balances as Mutate<AccountId>>::mint_into(&who, INITIAL));
	who
}

#[test]
fn register_should_hold_the_stake_and_take_a_place() {
	build_and_execute(|| {
		assert_ok!(ValidatorRegistry::register_candidate(signed(&EVE), 300));
		assert_eq!(info(&EVE), ValidatorInfo::new(300, false, 1));
		assert_eq!(held(&EVE), 300);
		assert_eq!(Candidates::<Test>::get().get(&EVE), Some(&300));
		assert_last(Event::Registered { validator: EVE, stake: 300 });
	});
}

#[test]
fn register_should_take_the_last_place_when_it_stakes_more() {
	build_and_execute(|| {
		fill();
		let who = newcomer();
		assert_ok!(ValidatorRegistry::register_candidate(signed(&who), MINIMUM + 1));

		// Of the four that staked least, the last one by account.
		assert_eq!(info(&DAVE).state, ValidatorState::Chilled { since: 1 });
		assert_eq!(held(&DAVE), MINIMUM);
		assert_eq!(Candidates::<Test>::get().len(), 6);
		assert_has(Event::Chilled { validator: DAVE, reason: ChillReason::Outbid });
		assert_last(Event::Registered { validator: who, stake: MINIMUM + 1 });
	});
}

#[test]
fn register_should_fail_when_all_places_are_taken_by_as_much_stake() {
	build_and_execute(|| {
		fill();
		let who = newcomer();
		assert_noop!(
			ValidatorRegistry::register_candidate(signed(&who), MINIMUM),
			Error::TooManyCandidates
		);
	});
}

#[test]
fn register_should_fail_when_registered_already() {
	build_and_execute(|| {
		let call = || ValidatorRegistry::register_candidate(signed(&ALICE), 300);
		assert_noop!(call(), Error::AlreadyRegistered);
		assert_eq!(assert_state_unchanged(call), Err(Error::AlreadyRegistered.into()));
	});
}

#[test]
fn register_should_fail_when_the_stake_is_too_low() {
	build_and_execute(|| {
		assert_noop!(
			ValidatorRegistry::register_candidate(signed(&EVE), MINIMUM - 1),
			Error::StakeTooLow
		);
	});
}

#[test]
fn register_should_fail_when_the_caller_is_poor() {
	build_and_execute(|| {
		assert_noop!(
			ValidatorRegistry::register_candidate(signed(&POOR), MINIMUM),
			TokenError::FundsUnavailable
		);
	});
}

#[test]
fn register_should_fail_when_not_signed() {
	build_and_execute(|| {
		assert_noop!(
			ValidatorRegistry::register_candidate(RuntimeOrigin::root(), MINIMUM),
			DispatchError::BadOrigin
		);
	});
}
