use super::*;
use crate::mock::{
	build_and_execute, end_session, ALICE, BOB, CHARLIE, DAVE, EVE, INITIAL, MINIMUM, UNBONDING,
};

#[docify::export]
#[test]
fn a_candidate_should_become_active_and_leave() {
	build_and_execute(|| {
		// Stake and keys make a candidate that can be chosen.
		assert_ok!(ValidatorRegistry::register_candidate(signed(&EVE), MINIMUM));
		assert_ok!(Session::set_keys(signed(&EVE), keys(&EVE), vec![]));

		// It is queued for a session, then active.
		end_session();
		assert_eq!(Session::validators(), vec![ALICE, BOB, CHARLIE, DAVE]);
		end_session();
		assert_eq!(Session::validators(), vec![ALICE, BOB, CHARLIE, DAVE, EVE]);
		assert_ok!(ValidatorRegistry::heartbeat(signed(&EVE)));

		// It leaves the way it came, and with its stake.
		assert_ok!(ValidatorRegistry::unbond(signed(&EVE)));
		end_session();
		end_session();
		assert_eq!(Session::validators(), vec![ALICE, BOB, CHARLIE, DAVE]);
		System::set_block_number(System::block_number() + UNBONDING);
		assert_ok!(ValidatorRegistry::withdraw(signed(&EVE)));
		assert_eq!(Balances::free_balance(&EVE), INITIAL);
	});
}
