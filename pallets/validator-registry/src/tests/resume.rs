use super::*;
use crate::{
	mock::{build_and_execute, ALICE, BOB, EVE, FERDIE, INITIAL, MINIMUM},
	Candidates, ChillReason,
};
use frame_support::{assert_noop, traits::fungible::Mutate};
use sp_runtime::Perbill;

#[test]
fn resume_should_make_a_candidate_when_chilled_or_unbonding() {
	build_and_execute(|| {
		assert_ok!(ValidatorRegistry::chill(signed(&ALICE)));
		assert_ok!(ValidatorRegistry::resume(signed(&ALICE)));
		assert!(is_candidate(&ALICE));
		assert_eq!(Candidates::<Test>::get().get(&ALICE), Some(&MINIMUM));
		assert_last(Event::Resumed { validator: ALICE });

		assert_ok!(ValidatorRegistry::unbond(signed(&ALICE)));
		assert_ok!(ValidatorRegistry::resume(signed(&ALICE)));
		assert!(is_candidate(&ALICE));
	});
}

#[test]
fn resume_should_fail_when_a_candidate() {
	build_and_execute(|| {
		assert_noop!(ValidatorRegistry::resume(signed(&ALICE)), Error::AlreadyCandidate);
	});
}

#[test]
fn resume_should_fail_when_not_registered() {
	build_and_execute(|| {
		assert_noop!(ValidatorRegistry::resume(signed(&EVE)), Error::NotRegistered);
	});
}

#[test]
fn resume_should_fail_when_slashed_below_the_minimum() {
	build_and_execute(|| {
		ValidatorRegistry::slash(&ALICE, Perbill::from_percent(50), 0);
		assert_noop!(ValidatorRegistry::resume(signed(&ALICE)), Error::StakeTooLow);
		assert_ok!(ValidatorRegistry::bond_more(signed(&ALICE), MINIMUM / 2));
		assert_ok!(ValidatorRegistry::resume(signed(&ALICE)));
	});
}

#[test]
fn resume_should_compete_for_a_place_when_all_are_taken() {
	build_and_execute(|| {
		let newcomer = AccountId::new([7; 32]);
		assert_ok!(<Balances as Mutate<AccountId>>::mint_into(&newcomer, INITIAL));
		assert_ok!(ValidatorRegistry::chill(signed(&ALICE)));
		for who in [&EVE, &FERDIE, &newcomer] {
			register(who, MINIMUM + 9);
		}
		assert_noop!(ValidatorRegistry::resume(signed(&ALICE)), Error::TooManyCandidates);

		assert_ok!(ValidatorRegistry::bond_more(signed(&ALICE), 1));
		assert_ok!(ValidatorRegistry::resume(signed(&ALICE)));
		assert!(is_candidate(&ALICE));
		assert!(is_candidate(&BOB));
		let dave = crate::mock::DAVE;
		assert_has(Event::Chilled { validator: dave, reason: ChillReason::Outbid });
	});
}
