use super::*;
use crate::{Histories, History, WeightInfo};
use frame_support::{assert_noop, assert_ok, dispatch::GetDispatchInfo};
use sp_runtime::DispatchError;

/// Versions 1 to 3, superseded in blocks 10, 20 and (withdrawn) 30.
fn three_versions() {
	give_terms(ALICE, 1);
	System::set_block_number(10);
	give_terms(ALICE, 2);
	System::set_block_number(20);
	give_terms(ALICE, 3);
	System::set_block_number(30);
	assert_ok!(ConsentRegistry::withdraw_consent(RuntimeOrigin::signed(ALICE)));
}

#[test]
fn prune_should_remove_exactly_the_versions_that_are_old_enough() {
	build_and_execute(|| {
		three_versions();
		System::set_block_number(20 + HISTORY);
		assert_ok!(ConsentRegistry::prune(RuntimeOrigin::signed(BOB), ALICE));

		System::assert_last_event(
			Event::VersionsPruned { worker: ALICE, first: 1, last: 2 }.into(),
		);
		let history = History { last: 3, oldest: 3, withdrawn_at: Some(30) };
		assert_eq!(Histories::<Test>::get(ALICE), history);
		assert_eq!(ConsentRegistry::version(&ALICE, 2), None);
		assert!(ConsentRegistry::version(&ALICE, 3).is_some());
		assert_eq!(held(&ALICE), BASE + PER_VERSION);
	});
}

#[test]
fn prune_should_release_everything_when_no_version_is_left() {
	build_and_execute(|| {
		three_versions();
		System::set_block_number(30 + HISTORY);
		assert_ok!(ConsentRegistry::prune(RuntimeOrigin::signed(BOB), ALICE));
		assert_eq!(Histories::<Test>::get(ALICE).kept(), 0);
		assert_eq!(Balances::free_balance(ALICE), BALANCE);
	});
}

#[test]
fn prune_should_never_remove_the_version_in_force() {
	build_and_execute(|| {
		give_terms(ALICE, 1);
		System::set_block_number(10 * HISTORY);
		assert_noop!(
			ConsentRegistry::prune(RuntimeOrigin::signed(BOB), ALICE),
			Error::NothingToPrune
		);
		give_terms(ALICE, 2);
		System::set_block_number(11 * HISTORY);
		assert_ok!(ConsentRegistry::prune(RuntimeOrigin::signed(BOB), ALICE));
		assert_eq!(ConsentRegistry::current(&ALICE).unwrap().version, 2);
		assert_noop!(
			ConsentRegistry::prune(RuntimeOrigin::signed(BOB), ALICE),
			Error::NothingToPrune
		);
	});
}

#[test]
fn prune_should_fail_when_nothing_is_old_enough() {
	build_and_execute(|| {
		// Nothing there at all.
		assert_noop!(
			ConsentRegistry::prune(RuntimeOrigin::signed(BOB), ALICE),
			Error::NothingToPrune
		);
		three_versions();
		System::set_block_number(9 + HISTORY);
		assert_noop!(
			ConsentRegistry::prune(RuntimeOrigin::signed(BOB), ALICE),
			Error::NothingToPrune
		);
	});
}

#[test]
fn prune_should_fail_when_not_signed() {
	build_and_execute(|| {
		assert_noop!(
			ConsentRegistry::prune(RuntimeOrigin::root(), ALICE),
			DispatchError::BadOrigin
		);
	});
}

#[test]
fn prune_should_not_raise_the_deposit_when_prices_have_risen() {
	build_and_execute(|| {
		three_versions();
		let before = held(&ALICE);
		DepositPerVersion::set(BALANCE);
		System::set_block_number(10 + HISTORY);
		assert_ok!(ConsentRegistry::prune(RuntimeOrigin::signed(BOB), ALICE));
		assert_eq!(held(&ALICE), before);

		// Nothing left, nothing held, at any price.
		System::set_block_number(30 + HISTORY);
		assert_ok!(ConsentRegistry::prune(RuntimeOrigin::signed(BOB), ALICE));
		assert_eq!(held(&ALICE), 0);
	});
}

#[test]
fn prune_should_charge_for_the_versions_that_it_removed() {
	build_and_execute(|| {
		three_versions();
		System::set_block_number(20 + HISTORY);
		let announced =
			crate::Call::<Test>::prune { worker: ALICE }.get_dispatch_info().call_weight;
		let paid = ConsentRegistry::prune(RuntimeOrigin::signed(BOB), ALICE)
			.unwrap()
			.actual_weight
			.unwrap();
		assert_eq!(paid, <() as WeightInfo>::prune(2));
		assert!(paid.all_lt(announced));
	});
}
