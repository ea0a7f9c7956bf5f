use super::*;
use crate::mock::{
	build_and_execute, chain_of, end_session, Historical, MinValidators, ALICE, BOB, CHARLIE, DAVE,
	EVE, FERDIE, MINIMUM,
};
use codec::Encode;
use frame_support::traits::KeyOwnerProofSystem;
use pallet_session::historical::HistoricalSessions;
use sp_core::crypto::key_types::DUMMY;
use sp_runtime::testing::UintAuthorityId;

#[test]
fn the_set_should_be_those_with_keys_that_staked_most() {
	build_and_execute(|| {
		register(&EVE, MINIMUM + 5);
		register(&FERDIE, MINIMUM + 6);
		end_session();
		end_session();
		// Five places: of the four that staked least, DAVE comes last.
		assert_eq!(Session::validators(), vec![ALICE, BOB, CHARLIE, EVE, FERDIE]);
	});
}

#[test]
fn a_candidate_without_keys_should_not_be_chosen() {
	build_and_execute(|| {
		assert_ok!(ValidatorRegistry::register_candidate(signed(&EVE), 900));
		end_session();
		end_session();
		assert_eq!(Session::validators(), vec![ALICE, BOB, CHARLIE, DAVE]);
		set_keys(&EVE);
		end_session();
		end_session();
		assert_eq!(Session::validators(), vec![ALICE, BOB, CHARLIE, DAVE, EVE]);
	});
}

#[test]
fn the_set_should_stay_when_candidates_are_too_few() {
	build_and_execute(|| {
		assert_ok!(ValidatorRegistry::chill(signed(&ALICE)));
		assert_ok!(ValidatorRegistry::chill(signed(&BOB)));
		end_session();
		assert_has(Event::TooFewCandidates { session: 2, eligible: 2 });
		end_session();
		assert_eq!(Session::validators(), vec![ALICE, BOB, CHARLIE, DAVE]);

		assert_ok!(ValidatorRegistry::resume(signed(&BOB)));
		end_session();
		end_session();
		assert_eq!(Session::validators(), vec![BOB, CHARLIE, DAVE]);
	});
}

#[test]
fn a_lone_validator_should_be_chosen_again_and_again() {
	chain_of(&[ALICE]).execute_with(|| {
		MinValidators::set(1);
		for _ in 0..3 {
			end_session();
			assert_eq!(Session::validators(), vec![ALICE]);
		}
		assert_ok!(ValidatorRegistry::unbond(signed(&ALICE)));
		end_session();
		end_session();
		assert_eq!(Session::validators(), vec![ALICE]);
		ValidatorRegistry::do_try_state().unwrap();
	});
}

#[test]
fn the_set_should_be_announced_only_when_it_changes() {
	build_and_execute(|| {
		assert_eq!(ValidatorRegistry::plan(7), None);
		// More stake changes the rank, not the set.
		assert_ok!(ValidatorRegistry::bond_more(signed(&DAVE), 500));
		assert_eq!(ValidatorRegistry::plan(7), None);

		// New keys are a change, of which history must know.
		assert_ok!(Session::set_keys(signed(&ALICE), UintAuthorityId(77), vec![]));
		assert_eq!(ValidatorRegistry::plan(7), Some(vec![ALICE, BOB, CHARLIE, DAVE]));
	});
}

#[test]
fn history_should_prove_who_had_a_key() {
	build_and_execute(|| {
		let key = || (DUMMY, keys(&BOB).encode());
		let proof = Historical::prove(key()).unwrap();
		assert_eq!(Historical::check_proof(key(), proof.clone()), Some((BOB, ())));

		// In later sessions the root of the session answers.
		end_session();
		end_session();
		assert!(HistoricalSessions::<Test>::contains_key(0));
		assert_eq!(Historical::check_proof(key(), proof), Some((BOB, ())));
	});
}
