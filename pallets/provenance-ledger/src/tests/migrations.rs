//! Chains that were deployed before records left the state.

use crate::{
	migrations::ToV2,
	mock::{assert_state_unchanged, entry, id, new_test_ext, Ledger, System, Test, Window},
	Oldest, OldestRecord, Pallet, Records, SettledIn,
};
use aria_primitives::traits::Ledger as _;
use frame_support::{
	assert_ok,
	traits::{GetStorageVersion, Hooks, OnRuntimeUpgrade, StorageVersion},
	weights::Weight,
};

#[test]
fn records_should_get_their_lists_and_leave_in_time() {
	new_test_ext().execute_with(|| {
		for (n, block) in [(1, 5), (2, 5), (3, 9)] {
			let mut entry = entry(n);
			entry.settled_at = block;
			assert_ok!(Ledger::insert(id(n), entry));
		}
		crate::BlockRecords::<Test>::kill();
		StorageVersion::new(1).put::<Pallet<Test>>();
		System::set_block_number(10);

		ToV2::<Test>::on_runtime_upgrade();
		assert_eq!(Pallet::<Test>::on_chain_storage_version(), StorageVersion::new(2));
		assert_eq!(Oldest::<Test>::get(), OldestRecord { block: 5, position: 0 });
		let mut expected = vec![id(1), id(2)];
		expected.sort();
		assert_eq!(SettledIn::<Test>::get(5).map(Vec::from), Some(expected));
		assert_eq!(SettledIn::<Test>::get(9).map(Vec::from), Some(vec![id(3)]));
		assert_ok!(Ledger::do_try_state());

		let now = 6 + Window::get();
		System::set_block_number(now);
		Ledger::on_idle(now, Weight::MAX);
		assert_eq!(Records::<Test>::iter_keys().collect::<Vec<_>>(), vec![id(3)]);
		assert_ok!(Ledger::do_try_state());
	});
}

#[test]
fn a_chain_without_records_should_begin_where_it_is() {
	new_test_ext().execute_with(|| {
		StorageVersion::new(1).put::<Pallet<Test>>();
		System::set_block_number(77);
		ToV2::<Test>::on_runtime_upgrade();
		assert_eq!(Oldest::<Test>::get(), OldestRecord { block: 77, position: 0 });
	});
}

#[test]
fn a_chain_of_this_version_should_stay_as_it_is() {
	new_test_ext().execute_with(|| {
		StorageVersion::new(2).put::<Pallet<Test>>();
		assert_state_unchanged(|| {
			ToV2::<Test>::on_runtime_upgrade();
		});
	});
}
