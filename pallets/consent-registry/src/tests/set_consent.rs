use super::*;
use crate::{Current, Histories, History};
use aria_primitives::consent::ConsentVersion;
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{traits::Dispatchable, ArithmeticError, DispatchError, TokenError};

#[docify::export]
#[test]
fn set_consent_should_store_version_one_when_terms_are_valid() {
	build_and_execute(|| {
		// Alice lends a quarter of her CPU. She need not be a worker yet.
		assert_ok!(ConsentRegistry::set_consent(RuntimeOrigin::signed(ALICE), terms(25)));

		let version =
			ConsentVersion { version: 1, consent: terms(25), set_at: 1, superseded_at: None };
		assert_eq!(ConsentRegistry::current(&ALICE), Some(version));
		assert_eq!(held(&ALICE), BASE + PER_VERSION);
		System::assert_last_event(Event::ConsentSet { worker: ALICE, version: 1 }.into());
	});
}

#[test]
fn set_consent_should_fail_when_one_is_in_force() {
	build_and_execute(|| {
		give_terms(ALICE, 25);
		assert_noop!(
			ConsentRegistry::set_consent(RuntimeOrigin::signed(ALICE), terms(50)),
			Error::AlreadySet
		);
	});
}

#[test]
fn set_consent_should_name_the_fault_when_terms_are_broken() {
	build_and_execute(|| {
		for (consent, error) in broken_terms() {
			assert_noop!(
				ConsentRegistry::set_consent(RuntimeOrigin::signed(ALICE), consent),
				error
			);
		}
	});
}

#[test]
fn set_consent_should_accept_the_extremes_of_each_range() {
	build_and_execute(|| {
		let mut consent = terms(1);
		consent.schedule.days = 0;
		consent.schedule.utc_offset_minutes = -14 * 60;
		consent.schedule.windows = BoundedVec::truncate_from(vec![Window { from: 1439, to: 1 }; 8]);
		consent.task_types = BoundedVec::truncate_from(vec![
			TaskType::TextGeneration,
			TaskType::Embedding,
			TaskType::Audit,
		]);
		consent.max_bandwidth_mbps = 1;
		consent.max_memory_mb = u32::MAX;
		consent.reward_preference.minimum_price = u128::MAX;
		assert_ok!(ConsentRegistry::set_consent(RuntimeOrigin::signed(ALICE), consent));
		assert_ok!(ConsentRegistry::set_consent(RuntimeOrigin::signed(BOB), terms(100)));
	});
}

#[test]
fn set_consent_should_fail_when_the_deposit_is_not_affordable() {
	build_and_execute(|| {
		assert_noop!(
			ConsentRegistry::set_consent(RuntimeOrigin::signed(PAUPER), terms(25)),
			TokenError::FundsUnavailable
		);
	});
}

#[test]
fn set_consent_should_fail_when_not_signed() {
	build_and_execute(|| {
		assert_noop!(
			ConsentRegistry::set_consent(RuntimeOrigin::root(), terms(25)),
			DispatchError::BadOrigin
		);
		assert_noop!(
			ConsentRegistry::set_consent(RuntimeOrigin::none(), terms(25)),
			DispatchError::BadOrigin
		);
	});
}

#[test]
fn set_consent_should_go_on_counting_when_one_was_withdrawn() {
	build_and_execute(|| {
		give_terms(ALICE, 25);
		assert_ok!(ConsentRegistry::withdraw_consent(RuntimeOrigin::signed(ALICE)));
		System::set_block_number(5);

		// The same terms are a new version all the same.
		assert_ok!(ConsentRegistry::set_consent(RuntimeOrigin::signed(ALICE), terms(25)));
		System::assert_last_event(Event::ConsentSet { worker: ALICE, version: 2 }.into());
		assert_eq!(ConsentRegistry::version(&ALICE, 1).unwrap().superseded_at, Some(1));
		assert_eq!(ConsentRegistry::version(&ALICE, 2).unwrap().set_at, 5);
		assert_eq!(held(&ALICE), BASE + 2 * PER_VERSION);
	});
}

#[test]
fn set_consent_should_go_on_counting_when_all_versions_were_pruned() {
	build_and_execute(|| {
		give_terms(ALICE, 25);
		assert_ok!(ConsentRegistry::withdraw_consent(RuntimeOrigin::signed(ALICE)));
		System::set_block_number(1 + HISTORY);
		assert_ok!(ConsentRegistry::prune(RuntimeOrigin::signed(BOB), ALICE));
		assert_eq!(held(&ALICE), 0);

		give_terms(ALICE, 30);
		assert_eq!(Current::<Test>::get(ALICE), Some(2));
		assert_eq!(ConsentRegistry::version(&ALICE, 1), None);
		assert_eq!(held(&ALICE), BASE + PER_VERSION);
	});
}

#[test]
fn set_consent_should_make_room_when_the_oldest_version_is_old_enough() {
	build_and_execute(|| {
		for cpu_percent in 1..=MAX_VERSIONS as u8 {
			give_terms(ALICE, cpu_percent);
		}
		assert_ok!(ConsentRegistry::withdraw_consent(RuntimeOrigin::signed(ALICE)));

		// Full, and everything still needed.
		System::set_block_number(HISTORY);
		assert_noop!(
			ConsentRegistry::set_consent(RuntimeOrigin::signed(ALICE), terms(9)),
			Error::TooManyVersions
		);

		System::set_block_number(1 + HISTORY);
		assert_ok!(ConsentRegistry::set_consent(RuntimeOrigin::signed(ALICE), terms(9)));
		System::assert_has_event(Event::VersionsPruned { worker: ALICE, first: 1, last: 1 }.into());
		assert_eq!(Histories::<Test>::get(ALICE).kept(), MAX_VERSIONS);
		assert_eq!(held(&ALICE), BASE + PER_VERSION * u128::from(MAX_VERSIONS));
	});
}

#[test]
fn set_consent_should_fail_when_version_numbers_are_used_up() {
	build_and_execute(|| {
		let last = u32::MAX - 1;
		Histories::<Test>::insert(ALICE, History { last, oldest: last + 1, withdrawn_at: None });
		assert_noop!(
			ConsentRegistry::set_consent(RuntimeOrigin::signed(ALICE), terms(25)),
			ArithmeticError::Overflow
		);
	});
}

#[test]
fn set_consent_should_leave_no_trace_when_dispatched_and_refused() {
	build_and_execute(|| {
		let mut consent = terms(25);
		consent.max_memory_mb = 0;
		let call = RuntimeCall::ConsentRegistry(crate::Call::set_consent { consent });
		let result = assert_state_unchanged(|| call.dispatch(RuntimeOrigin::signed(ALICE)));
		assert_eq!(result.unwrap_err().error, Error::MemoryZero.into());
	});
}
