use super::*;
use crate::{
	mock::{build_and_execute, end_session, ALICE, DAVE, EVE, FERDIE, INITIAL, MINIMUM, UNBONDING},
	Links, Offences, ValidatorOf,
};
use frame_support::assert_noop;
use sp_runtime::Perbill;

#[test]
fn withdraw_should_release_the_stake_and_forget_everything() {
	build_and_execute(|| {
		register(&EVE, 400);
		assert_ok!(ValidatorRegistry::link_worker(signed(&EVE), FERDIE));
		assert_ok!(ValidatorRegistry::accept_link(signed(&FERDIE), EVE));
		ValidatorRegistry::slash(&EVE, Perbill::from_percent(25), 0);
		assert_ok!(ValidatorRegistry::unbond(signed(&EVE)));
		System::set_block_number(1 + UNBONDING);
		assert_ok!(ValidatorRegistry::withdraw(signed(&EVE)));

		assert_eq!(Balances::free_balance(&EVE), INITIAL - 100);
		assert_eq!(held(&EVE), 0);
		assert!(!Validators::<Test>::contains_key(&EVE));
		assert!(!Links::<Test>::contains_key(&EVE));
		assert!(!ValidatorOf::<Test>::contains_key(&FERDIE));
		assert_eq!(Offences::<Test>::iter().count(), 0);
		assert_last(Event::Withdrawn { validator: EVE, amount: 300 });
	});
}

#[test]
fn withdraw_should_fail_when_the_stake_is_locked() {
	build_and_execute(|| {
		register(&EVE, MINIMUM);
		assert_ok!(ValidatorRegistry::unbond(signed(&EVE)));
		System::set_block_number(UNBONDING);
		assert_noop!(ValidatorRegistry::withdraw(signed(&EVE)), Error::StillUnbonding);
	});
}

#[test]
fn withdraw_should_fail_when_active_or_queued() {
	build_and_execute(|| {
		assert_ok!(ValidatorRegistry::unbond(signed(&DAVE)));
		end_session();
		// Out of the next set, still in this one.
		assert!(!ValidatorRegistry::is_queued(&DAVE));
		System::set_block_number(100);
		assert_noop!(ValidatorRegistry::withdraw(signed(&DAVE)), Error::StillActive);
		end_session();
		assert_ok!(ValidatorRegistry::withdraw(signed(&DAVE)));

		// In the next set, not yet in this one.
		register(&EVE, MINIMUM);
		end_session();
		assert!(ValidatorRegistry::is_queued(&EVE) && !ValidatorRegistry::is_active(&EVE));
		assert_ok!(ValidatorRegistry::unbond(signed(&EVE)));
		System::set_block_number(1_000);
		assert_noop!(ValidatorRegistry::withdraw(signed(&EVE)), Error::StillActive);
	});
}

#[test]
fn withdraw_should_fail_when_not_unbonding() {
	build_and_execute(|| {
		assert_noop!(ValidatorRegistry::withdraw(signed(&EVE)), Error::NotRegistered);
		assert_noop!(ValidatorRegistry::withdraw(signed(&ALICE)), Error::NotUnbonding);
		assert_ok!(ValidatorRegistry::chill(signed(&ALICE)));
		assert_noop!(ValidatorRegistry::withdraw(signed(&ALICE)), Error::NotUnbonding);
	});
}
