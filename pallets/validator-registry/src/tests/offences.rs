use super::*;
use crate::{
	mock::{build_and_execute, chain_of, end_session, MinValidators, ALICE, BOB, DAVE, EVE, POOR},
	ChillReason, Offences, MAX_OFFENCE_NOTES,
};
use frame_support::weights::Weight;
use sp_runtime::Perbill;
use sp_staking::offence::{OffenceDetails, OnOffenceHandler};

fn details(who: &AccountId) -> OffenceDetails<AccountId, (AccountId, ())> {
	OffenceDetails { offender: (who.clone(), ()), reporters: vec![] }
}

fn report(offenders: &[&AccountId], percent: u32, session: u32) -> Weight {
	let offenders: Vec<_> = offenders.iter().map(|who| details(who)).collect();
	let fractions = vec![Perbill::from_percent(percent); offenders.len()];
	ValidatorRegistry::on_offence(&offenders, &fractions, session)
}

#[test]
fn an_offence_should_burn_stake_chill_and_disable() {
	build_and_execute(|| {
		assert_ok!(ValidatorRegistry::bond_more(signed(&DAVE), 300));
		let issued = Balances::total_issuance();
		let weight = report(&[&DAVE], 50, 0);

		assert!(weight.ref_time() > 0);
		assert_eq!((info(&DAVE).stake, held(&DAVE)), (200, 200));
		assert_eq!(Balances::total_issuance(), issued - 200);
		assert_eq!(Session::disabled_validators(), vec![3]);
		assert_has(Event::Chilled { validator: DAVE, reason: ChillReason::Offence });
		assert_has(Event::Slashed { validator: DAVE, session: 0, amount: 200, stake: 200 });

		end_session();
		end_session();
		assert!(!Session::validators().contains(&DAVE));
	});
}

#[test]
fn a_small_fraction_should_cost_the_minimum_and_a_free_one_nothing() {
	build_and_execute(|| {
		report(&[&DAVE], 1, 0);
		assert_eq!(info(&DAVE).stake, 90);
		report(&[&BOB], 0, 0);
		assert_eq!(info(&BOB).stake, 100);
		assert!(!is_candidate(&BOB));
	});
}

#[test]
fn a_repeated_report_should_take_only_the_difference() {
	build_and_execute(|| {
		report(&[&DAVE], 20, 0);
		assert_eq!(info(&DAVE).stake, 80);
		// Another offender of the same slot makes the offence worse for both.
		report(&[&DAVE, &BOB], 50, 0);
		assert_eq!((info(&DAVE).stake, info(&BOB).stake), (50, 50));
		assert_eq!(assert_state_unchanged_but_for_sessions(&DAVE), 50);
	});
}

/// Reports the same again; returns the stake after it.
fn assert_state_unchanged_but_for_sessions(who: &AccountId) -> Balance {
	let before = (info(who), count_events(|_| true));
	report(&[who], 50, 0);
	report(&[who], 20, 0);
	assert_eq!((info(who), count_events(|_| true)), before);
	info(who).stake
}

#[test]
fn an_offence_of_another_session_should_be_taken_from_what_is_left() {
	build_and_execute(|| {
		report(&[&DAVE], 50, 0);
		report(&[&DAVE], 50, 1);
		assert_eq!(info(&DAVE).stake, 25);
		assert_eq!(Offences::<Test>::get(DAVE).len(), 2);
		report(&[&DAVE], 100, 0);
		assert_eq!(info(&DAVE).stake, 0);
	});
}

#[test]
fn notes_should_be_those_of_the_latest_sessions_when_there_are_many() {
	build_and_execute(|| {
		let first_kept = 10;
		for session in 0..MAX_OFFENCE_NOTES + first_kept {
			report(&[&DAVE], 10, session);
		}
		let sessions = || Offences::<Test>::get(DAVE).keys().copied().collect::<Vec<_>>();
		let kept: Vec<_> = (first_kept..MAX_OFFENCE_NOTES + first_kept).collect();
		assert_eq!(sessions(), kept);

		// An offence before all of them costs as much, and takes nobody's place.
		assert_ok!(ValidatorRegistry::bond_more(signed(&DAVE), 1_000));
		let before = info(&DAVE).stake;
		report(&[&DAVE], 10, first_kept - 1);
		assert!(info(&DAVE).stake < before);
		assert_eq!(sessions(), kept);
	});
}

#[test]
fn an_offence_should_reach_a_validator_that_unbonds() {
	build_and_execute(|| {
		assert_ok!(ValidatorRegistry::unbond(signed(&DAVE)));
		report(&[&DAVE], 50, 0);
		assert_eq!(info(&DAVE).stake, 50);
		assert!(matches!(info(&DAVE).state, ValidatorState::Unbonding { .. }));
	});
}

#[test]
fn an_offence_should_end_the_waiver() {
	chain_of(&[ALICE, BOB, POOR]).execute_with(|| {
		report(&[&POOR], 50, 0);
		assert_eq!((info(&POOR).stake, info(&POOR).stake_waived), (0, false));
		frame_support::assert_noop!(ValidatorRegistry::resume(signed(&POOR)), Error::StakeTooLow);
		ValidatorRegistry::do_try_state().unwrap();
	});
}

#[test]
fn a_lone_validator_should_not_be_disabled() {
	chain_of(&[ALICE]).execute_with(|| {
		MinValidators::set(1);
		report(&[&ALICE], 50, 0);
		assert!(Session::disabled_validators().is_empty());
		end_session();
		end_session();
		assert_eq!(Session::validators(), vec![ALICE]);
	});
}

#[test]
fn an_offender_that_is_no_validator_should_leave_no_trace() {
	build_and_execute(|| {
		assert_state_unchanged(|| report(&[&EVE], 50, 0));
	});
}
