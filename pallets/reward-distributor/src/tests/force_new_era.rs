use super::*;
use crate::{EraEnding, Error, Event};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

#[test]
fn force_new_era_should_end_the_era_when_root_asks() {
	build_and_execute(|| {
		run_to(4);

		assert_ok!(RewardDistributor::force_new_era(RuntimeOrigin::root()));

		System::assert_last_event(Event::<Test>::EraEndScheduled { era: 0 }.into());
		assert_eq!(RewardDistributor::current_era(), 0);
		run_to(5);
		assert_eq!(RewardDistributor::current_era(), 1);
		assert_eq!(era_info(0).end, Some(5));
		assert_eq!(era_info(0).pool(), 4_000_000);
		assert!(!EraEnding::<Test>::get());
		// The new era has its full length.
		run_to(14);
		assert_eq!(RewardDistributor::current_era(), 1);
		run_to(15);
		assert_eq!(RewardDistributor::current_era(), 2);
	});
}

#[test]
fn force_new_era_should_fail_when_the_era_is_ending_already() {
	build_and_execute(|| {
		run_to(4);
		assert_ok!(RewardDistributor::force_new_era(RuntimeOrigin::root()));

		assert_noop!(
			RewardDistributor::force_new_era(RuntimeOrigin::root()),
			Error::<Test>::AlreadyEnding
		);
	});
}

#[test]
fn force_new_era_should_fail_when_the_origin_is_not_allowed() {
	build_and_execute(|| {
		run_to(4);

		assert_noop!(
			RewardDistributor::force_new_era(RuntimeOrigin::signed(alice())),
			DispatchError::BadOrigin
		);
		assert_noop!(
			RewardDistributor::force_new_era(RuntimeOrigin::none()),
			DispatchError::BadOrigin
		);
	});
}
