use super::*;
use aria_primitives::{consent::RewardMode, traits::Consents, BlockNumber, Moment};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchResult;

const TEXT: TaskType = TaskType::TextGeneration;
/// Monday, 5 January 1970, midnight UTC.
const MONDAY: Moment = 4 * 24 * 3_600_000;

fn permitted(version: u32, anchor: BlockNumber) -> DispatchResult {
	ConsentRegistry::ensure_permitted(&ALICE, TEXT, MONDAY, version, anchor)
}

#[test]
fn ensure_permitted_should_pass_when_the_version_is_in_force() {
	build_and_execute(|| {
		System::set_block_number(5);
		give_terms(ALICE, 25);
		System::set_block_number(1_000_000);
		assert_ok!(permitted(1, 5));
		assert_ok!(permitted(1, 999_999));
	});
}

#[test]
fn ensure_permitted_should_fail_when_the_worker_never_consented() {
	build_and_execute(|| {
		assert_noop!(permitted(1, 1), Error::NoConsent);
	});
}

#[test]
fn ensure_permitted_should_fail_when_the_version_is_unknown() {
	build_and_execute(|| {
		give_terms(ALICE, 25);
		for version in [0, 2, u32::MAX] {
			assert_noop!(permitted(version, 1), Error::UnknownVersion);
		}
	});
}

#[test]
fn ensure_permitted_should_fail_when_the_version_was_pruned() {
	build_and_execute(|| {
		give_terms(ALICE, 25);
		give_terms(ALICE, 50);
		System::set_block_number(1 + HISTORY);
		assert_ok!(ConsentRegistry::prune(RuntimeOrigin::signed(BOB), ALICE));
		assert_noop!(permitted(1, 1), Error::UnknownVersion);
	});
}

#[test]
fn ensure_permitted_should_fail_when_the_version_was_set_after_the_anchor() {
	build_and_execute(|| {
		System::set_block_number(5);
		give_terms(ALICE, 25);
		assert_noop!(permitted(1, 4), Error::VersionNotInForce);
		assert_ok!(permitted(1, 5));
	});
}

#[test]
fn ensure_permitted_should_hold_to_the_grace_period_for_every_anchor_and_block() {
	build_and_execute(|| {
		const SET: BlockNumber = 5;
		const SUPERSEDED: BlockNumber = 20;
		System::set_block_number(SET);
		give_terms(ALICE, 25);
		System::set_block_number(SUPERSEDED);
		give_terms(ALICE, 50);
		for now in SUPERSEDED..SUPERSEDED + 3 * GRACE {
			System::set_block_number(now);
			for anchor in 0..=now + GRACE {
				let expected =
					anchor >= SET && now <= SUPERSEDED + GRACE && anchor <= SUPERSEDED + GRACE;
				let result = assert_state_unchanged(|| permitted(1, anchor));
				if expected {
					assert_ok!(result);
				} else {
					assert_eq!(result, Err(Error::VersionNotInForce.into()), "{now} {anchor}");
				}
			}
		}
	});
}

#[test]
fn ensure_permitted_should_settle_work_from_before_a_withdrawal_and_refuse_what_began_after() {
	build_and_execute(|| {
		System::set_block_number(5);
		give_terms(ALICE, 25);
		System::set_block_number(20);
		assert_ok!(ConsentRegistry::withdraw_consent(RuntimeOrigin::signed(ALICE)));
		System::set_block_number(22);
		assert_ok!(permitted(1, 19));
		assert_noop!(permitted(1, 20), Error::NoConsent);
		assert_noop!(permitted(1, 22), Error::NoConsent);
		System::set_block_number(20 + GRACE);
		assert_ok!(permitted(1, 19));
		System::set_block_number(21 + GRACE);
		assert_noop!(permitted(1, 19), Error::VersionNotInForce);
	});
}

#[test]
fn ensure_permitted_should_end_the_grace_of_an_older_version_when_the_worker_withdraws() {
	build_and_execute(|| {
		give_terms(ALICE, 25);
		System::set_block_number(10);
		give_terms(ALICE, 50);
		System::set_block_number(12);
		assert_ok!(ConsentRegistry::withdraw_consent(RuntimeOrigin::signed(ALICE)));
		System::set_block_number(14);
		// Version 2 was in force at 11, so version 1 was in its grace.
		assert_ok!(permitted(1, 11));
		assert_noop!(permitted(1, 12), Error::NoConsent);

		// Consenting again does not bring back what began in between.
		give_terms(ALICE, 75);
		assert_noop!(permitted(1, 13), Error::NoConsent);
		assert_noop!(permitted(2, 13), Error::NoConsent);
		assert_noop!(permitted(3, 13), Error::VersionNotInForce);
		assert_ok!(permitted(3, 14));
	});
}

#[test]
fn ensure_permitted_should_judge_by_the_named_version_and_not_by_the_one_in_force() {
	build_and_execute(|| {
		give_terms(ALICE, 25);
		System::set_block_number(5);
		let mut audits = terms(25);
		audits.task_types = BoundedVec::truncate_from(vec![TaskType::Audit]);
		assert_ok!(ConsentRegistry::update_consent(RuntimeOrigin::signed(ALICE), audits));

		assert_ok!(permitted(1, 4));
		assert_noop!(permitted(2, 5), Error::TaskNotPermitted);
		assert_noop!(
			ConsentRegistry::ensure_permits_now(&ALICE, TEXT, MONDAY),
			Error::TaskNotPermitted
		);
		assert_ok!(ConsentRegistry::ensure_permits_now(&ALICE, TaskType::Audit, MONDAY));
	});
}

#[test]
fn ensure_permitted_should_fail_when_the_time_is_outside_the_schedule() {
	build_and_execute(|| {
		let mut nights = terms(25);
		nights.schedule.days = 1;
		nights.schedule.windows =
			BoundedVec::truncate_from(vec![Window { from: 22 * 60, to: 6 * 60 }]);
		assert_ok!(ConsentRegistry::set_consent(RuntimeOrigin::signed(ALICE), nights));
		let at = |hour: Moment| MONDAY + hour * 3_600_000;
		for (hour, allowed) in [(0, false), (21, false), (22, true), (29, true), (30, false)] {
			let by_version = ConsentRegistry::ensure_permitted(&ALICE, TEXT, at(hour), 1, 1);
			let now = ConsentRegistry::ensure_permits_now(&ALICE, TEXT, at(hour));
			let expected: DispatchResult =
				if allowed { Ok(()) } else { Err(Error::OutsideSchedule.into()) };
			assert_eq!((by_version, now), (expected, expected), "{hour}");
		}
	});
}

#[test]
fn ensure_permits_now_should_fail_when_there_is_no_consent() {
	build_and_execute(|| {
		assert_noop!(ConsentRegistry::ensure_permits_now(&ALICE, TEXT, 0), Error::NoConsent);
	});
}

#[test]
fn minimum_price_should_be_that_of_the_named_version() {
	build_and_execute(|| {
		assert_noop!(ConsentRegistry::minimum_price(&ALICE, 1), Error::NoConsent);
		give_terms(ALICE, 25);
		let mut dearer = terms(25);
		dearer.reward_preference.minimum_price = 70;
		assert_ok!(ConsentRegistry::update_consent(RuntimeOrigin::signed(ALICE), dearer));
		assert_eq!(ConsentRegistry::minimum_price(&ALICE, 1), Ok(7));
		assert_eq!(ConsentRegistry::minimum_price(&ALICE, 2), Ok(70));
		assert_noop!(ConsentRegistry::minimum_price(&ALICE, 3), Error::UnknownVersion);
	});
}

#[test]
fn payout_should_follow_the_preference_in_force() {
	build_and_execute(|| {
		assert_eq!(ConsentRegistry::payout(&ALICE), ALICE);
		give_terms(ALICE, 25);
		assert_eq!(ConsentRegistry::payout(&ALICE), PAYOUT);
		let mut donor = terms(25);
		donor.reward_preference.mode = RewardMode::Donate;
		assert_ok!(ConsentRegistry::update_consent(RuntimeOrigin::signed(ALICE), donor));
		assert_eq!(ConsentRegistry::payout(&ALICE), CHARITY);
		assert_ok!(ConsentRegistry::withdraw_consent(RuntimeOrigin::signed(ALICE)));
		assert_eq!(ConsentRegistry::payout(&ALICE), ALICE);
	});
}

#[cfg(feature = "runtime-benchmarks")]
#[test]
fn benchmark_consent_should_permit_every_task_at_any_time() {
	build_and_execute(|| {
		assert_eq!(ConsentRegistry::benchmark_consent(&PAUPER), 1);
		assert_eq!(ConsentRegistry::benchmark_consent(&PAUPER), 1);
		for task in [TEXT, TaskType::Embedding, TaskType::Audit] {
			for at in [0, MONDAY, MONDAY + 86_399_999] {
				assert_ok!(ConsentRegistry::ensure_permitted(&PAUPER, task, at, 1, 1));
			}
		}
	});
}

#[test]
fn is_open_should_ask_for_hours_alone() {
	build_and_execute(|| {
		let is_open = |at| <ConsentRegistry as Consents>::is_open(&ALICE, at);
		assert!(!is_open(MONDAY));
		let mut audits = terms(50);
		audits.task_types = BoundedVec::truncate_from(vec![TaskType::Audit]);
		audits.schedule.windows = BoundedVec::truncate_from(vec![Window { from: 0, to: 60 }]);
		assert_ok!(ConsentRegistry::set_consent(RuntimeOrigin::signed(ALICE), audits));
		assert!(is_open(MONDAY));
		assert!(!is_open(MONDAY + 3_600_000));
		assert_ok!(ConsentRegistry::withdraw_consent(RuntimeOrigin::signed(ALICE)));
		assert!(!is_open(MONDAY));
	});
}
