use super::*;
use crate::{
	mock::{
		build_and_execute, end_session, new_test_ext, ALICE, DAVE, EVE, FERDIE, INITIAL, MINIMUM,
		UNBONDING,
	},
	Links, Offences, ValidatorOf, MAX_OFFENCE_NOTES,
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
fn withdraw_should_forget_all_offences_when_they_were_many() {
	let mut ext = new_test_ext();
	ext.execute_with(|| {
		register(&EVE, 400);
		for session in 0..MAX_OFFENCE_NOTES * 2 {
			ValidatorRegistry::slash(&EVE, Perbill::from_percent(10), session);
		}
		assert_ok!(ValidatorRegistry::unbond(signed(&EVE)));
	});
	// As in later blocks: what lies in the trie is harder to remove than what this block wrote.
	ext.commit_all().unwrap();
	ext.execute_with(|| {
		System::set_block_number(1 + UNBONDING);
		assert_ok!(ValidatorRegistry::withdraw(signed(&EVE)));
		assert!(!Offences::<Test>::contains_key(EVE));
		ValidatorRegistry::do_try_state().unwrap();

		// Whoever comes back begins without a record.
		register(&EVE, 400);
		ValidatorRegistry::slash(&EVE, Perbill::from_percent(10), MAX_OFFENCE_NOTES);
		assert_eq!(info(&EVE).stake, 360);
		ValidatorRegistry::do_try_state().unwrap();
	});
}

#[test]
fn try_state_should_fail_when_an_offence_is_of_a_stranger() {
	new_test_ext().execute_with(|| {
		ValidatorRegistry::slash(&DAVE, Perbill::from_percent(10), 0);
		assert_ok!(ValidatorRegistry::do_try_state());
		Offences::<Test>::insert(EVE, Offences::<Test>::get(DAVE));
		assert!(ValidatorRegistry::do_try_state().is_err());
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
