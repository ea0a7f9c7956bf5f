use super::*;
use crate::{
	mock::{
		build_and_execute, chain_of, end_session, end_session_without, Grace, MinValidators, ALICE,
		BOB, CHARLIE, DAVE, EVE,
	},
	ChillReason,
};

#[test]
fn a_silent_validator_should_be_chilled_after_the_grace() {
	build_and_execute(|| {
		end_session_without(&[DAVE]);
		assert_has(Event::Absent { validator: DAVE, session: 0, absences: 1 });
		assert!(is_candidate(&DAVE));

		end_session_without(&[DAVE]);
		assert_has(Event::Absent { validator: DAVE, session: 1, absences: 2 });
		assert_has(Event::Chilled { validator: DAVE, reason: ChillReason::Absence });
		assert!(!is_candidate(&DAVE));
		assert_eq!(held(&DAVE), 100);

		end_session_without(&[DAVE]);
		assert_eq!(Session::validators(), vec![ALICE, BOB, CHARLIE]);

		// It comes back when it can.
		assert_ok!(ValidatorRegistry::resume(signed(&DAVE)));
		end_session();
		end_session();
		assert_eq!(Session::validators(), vec![ALICE, BOB, CHARLIE, DAVE]);
	});
}

#[test]
fn presence_should_reset_the_count() {
	build_and_execute(|| {
		end_session_without(&[DAVE]);
		end_session();
		assert_eq!(info(&DAVE).absences, 0);
		end_session_without(&[DAVE]);
		assert_eq!(info(&DAVE).absences, 1);
		assert!(is_candidate(&DAVE));
	});
}

#[test]
fn a_heartbeat_should_count_as_presence() {
	build_and_execute(|| {
		for _ in 0..4 {
			assert_ok!(ValidatorRegistry::heartbeat(signed(&DAVE)));
			end_session_without(&[DAVE]);
		}
		assert_eq!(info(&DAVE).absences, 0);
		assert_eq!(count_events(|event| matches!(event, Event::Absent { .. })), 0);
	});
}

#[test]
fn the_last_ones_needed_should_never_be_chilled() {
	build_and_execute(|| {
		// Three must remain, so only one of four can go.
		for _ in 0..3 {
			end_session_without(&[ALICE, BOB, CHARLIE, DAVE]);
		}
		assert!(!is_candidate(&ALICE));
		for who in [&BOB, &CHARLIE, &DAVE] {
			assert!(is_candidate(who));
			assert_eq!(info(who).absences, 3);
		}
		assert_eq!(count_events(|event| matches!(event, Event::Chilled { .. })), 1);
	});
}

#[test]
fn candidates_without_keys_should_not_count_as_remaining() {
	build_and_execute(|| {
		MinValidators::set(4);
		assert_ok!(ValidatorRegistry::register_candidate(signed(&EVE), 100));
		for _ in 0..3 {
			end_session_without(&[DAVE]);
		}
		assert!(is_candidate(&DAVE));
		set_keys(&EVE);
		end_session_without(&[DAVE]);
		assert!(!is_candidate(&DAVE));
	});
}

#[test]
fn a_lone_validator_should_go_on_when_silent() {
	let mut ext = chain_of(&[ALICE]);
	ext.execute_with(|| {
		MinValidators::set(1);
		Grace::set(0);
		for _ in 0..3 {
			end_session_without(&[ALICE]);
		}
		assert!(is_candidate(&ALICE));
		assert_eq!(Session::validators(), vec![ALICE]);
		ValidatorRegistry::do_try_state().unwrap();
	});
}

#[test]
fn authors_that_are_no_validators_here_should_leave_no_trace() {
	build_and_execute(|| {
		assert_state_unchanged(|| ValidatorRegistry::note_author(&EVE));
		ValidatorRegistry::note_author(&ALICE);
		assert_eq!((info(&ALICE).seen, info(&ALICE).heartbeat), (Some(0), None));
		assert_state_unchanged(|| ValidatorRegistry::note_author(&ALICE));
	});
}

#[test]
fn a_chilled_validator_should_not_be_counted_absent() {
	build_and_execute(|| {
		assert_ok!(ValidatorRegistry::chill(signed(&DAVE)));
		end_session_without(&[DAVE]);
		assert_eq!(info(&DAVE).absences, 0);
	});
}
