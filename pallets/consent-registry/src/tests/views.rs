use super::*;
use crate::{ConsentVersionViewFunction, Refusal};
use aria_primitives::consent::ConsentVersion;
use codec::{Decode, Encode};
use frame_support::{assert_ok, view_functions::ViewFunction};

const TEXT: TaskType = TaskType::TextGeneration;

#[test]
fn consent_should_show_the_version_in_force() {
	build_and_execute(|| {
		assert_eq!(ConsentRegistry::consent(ALICE), None);
		give_terms(ALICE, 25);
		give_terms(ALICE, 50);
		assert_eq!(ConsentRegistry::consent(ALICE).unwrap().version, 2);
		assert_eq!(ConsentRegistry::consent_version(ALICE, 1).unwrap().consent, terms(25));
		assert_eq!(ConsentRegistry::consent_version(ALICE, 3), None);
	});
}

#[test]
fn permits_should_give_the_reason_when_it_says_no() {
	build_and_execute(|| {
		assert_eq!(ConsentRegistry::permits(ALICE, TEXT, 0), Err(Refusal::NoConsent));
		let mut mornings = terms(25);
		mornings.schedule.windows = BoundedVec::truncate_from(vec![Window { from: 0, to: 60 }]);
		assert_ok!(ConsentRegistry::set_consent(RuntimeOrigin::signed(ALICE), mornings));
		assert_eq!(ConsentRegistry::permits(ALICE, TEXT, 59 * 60_000), Ok(()));
		assert_eq!(
			ConsentRegistry::permits(ALICE, TEXT, 60 * 60_000),
			Err(Refusal::OutsideSchedule)
		);
		assert_eq!(
			ConsentRegistry::permits(ALICE, TaskType::Embedding, 0),
			Err(Refusal::TaskNotPermitted)
		);
	});
}

#[test]
fn prunable_from_should_say_when_the_oldest_version_may_go() {
	build_and_execute(|| {
		assert_eq!(ConsentRegistry::prunable_from(ALICE), None);
		give_terms(ALICE, 25);
		assert_eq!(ConsentRegistry::prunable_from(ALICE), None);
		System::set_block_number(7);
		give_terms(ALICE, 50);
		assert_eq!(ConsentRegistry::prunable_from(ALICE), Some(7 + HISTORY));
	});
}

#[test]
fn views_should_be_dispatched_by_their_ids() {
	build_and_execute(|| {
		give_terms(ALICE, 25);
		let id = ConsentVersionViewFunction::<Test>::id();
		let output = Test::execute_view_function(id, (ALICE, 1u32).encode()).unwrap();
		let version = Option::<ConsentVersion>::decode(&mut output.as_slice()).unwrap();
		assert_eq!(version, ConsentRegistry::current(&ALICE));
	});
}
