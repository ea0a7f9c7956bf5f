use super::*;
use crate::{
	mock::{build_and_execute, ALICE, BOB, EVE, UNBONDING},
	Candidates, ChillReason,
};
use frame_support::assert_noop;

#[test]
fn unbond_should_end_the_candidacy_and_name_the_block() {
	build_and_execute(|| {
		assert_ok!(ValidatorRegistry::unbond(signed(&ALICE)));
		let until = 1 + UNBONDING;
		assert_eq!(info(&ALICE).state, ValidatorState::Unbonding { until });
		assert!(!Candidates::<Test>::get().contains_key(&ALICE));
		assert_has(Event::Chilled { validator: ALICE, reason: ChillReason::Asked });
		assert_last(Event::Unbonding { validator: ALICE, until });
	});
}

#[test]
fn unbond_should_work_when_chilled() {
	build_and_execute(|| {
		assert_ok!(ValidatorRegistry::chill(signed(&BOB)));
		System::set_block_number(3);
		assert_ok!(ValidatorRegistry::unbond(signed(&BOB)));
		assert_eq!(info(&BOB).state, ValidatorState::Unbonding { until: 3 + UNBONDING });
		assert_eq!(count_events(|event| matches!(event, Event::Chilled { .. })), 1);
	});
}

#[test]
fn unbond_should_fail_when_unbonding() {
	build_and_execute(|| {
		assert_ok!(ValidatorRegistry::unbond(signed(&ALICE)));
		assert_noop!(ValidatorRegistry::unbond(signed(&ALICE)), Error::AlreadyUnbonding);
	});
}

#[test]
fn unbond_should_fail_when_not_registered() {
	build_and_execute(|| {
		assert_noop!(ValidatorRegistry::unbond(signed(&EVE)), Error::NotRegistered);
	});
}
