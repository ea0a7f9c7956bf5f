use super::*;
use crate::{
	mock::{build_and_execute, end_session, ALICE, BOB, CHARLIE, DAVE, EVE, MINIMUM},
	Link, ValidatorView,
};

#[test]
fn validator_should_say_where_it_stands() {
	build_and_execute(|| {
		let view = |has_keys, active, queued| {
			Some(ValidatorView { info: info(&EVE), has_keys, active, queued })
		};
		assert_eq!(ValidatorRegistry::validator(EVE), None);
		assert_ok!(ValidatorRegistry::register_candidate(signed(&EVE), MINIMUM));
		assert_eq!(ValidatorRegistry::validator(EVE), view(false, false, false));
		set_keys(&EVE);
		assert_eq!(ValidatorRegistry::validator(EVE), view(true, false, false));
		end_session();
		assert_eq!(ValidatorRegistry::validator(EVE), view(true, false, true));
		end_session();
		assert_eq!(ValidatorRegistry::validator(EVE), view(true, true, true));
	});
}

#[test]
fn lists_should_be_those_of_the_chain() {
	build_and_execute(|| {
		assert_eq!(ValidatorRegistry::active_set(), vec![ALICE, BOB, CHARLIE, DAVE]);
		assert_ok!(ValidatorRegistry::bond_more(signed(&CHARLIE), 1));
		assert_eq!(
			ValidatorRegistry::candidates(),
			vec![(CHARLIE, MINIMUM + 1), (ALICE, MINIMUM), (BOB, MINIMUM), (DAVE, MINIMUM)]
		);
		assert_ok!(ValidatorRegistry::link_worker(signed(&ALICE), EVE));
		assert_eq!(ValidatorRegistry::links(ALICE), vec![Link { worker: EVE, accepted: false }]);
		assert_eq!(ValidatorRegistry::validator_of(EVE), None);
	});
}
