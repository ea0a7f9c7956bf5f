use super::*;
use crate::{
	migrations::ToV2,
	mock::{build_and_execute, ALICE, BOB, MINIMUM},
	Pallet, Places, Roster, RosterSize,
};
use frame_support::traits::{GetStorageVersion, OnRuntimeUpgrade, StorageVersion};

#[test]
fn a_chain_without_a_roster_should_get_one() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		register(&BOB, 2, MINIMUM);
		let _ = Roster::<Test>::clear(u32::MAX, None);
		let _ = Places::<Test>::clear(u32::MAX, None);
		RosterSize::<Test>::kill();
		StorageVersion::new(1).put::<Pallet<Test>>();
		ToV2::<Test>::on_runtime_upgrade();
		// The invariants that are checked behind this test say the rest.
		assert_eq!(RosterSize::<Test>::get(), 2);
		assert_eq!(Pallet::<Test>::on_chain_storage_version(), StorageVersion::new(2));
	});
}

#[test]
fn a_chain_of_this_version_should_stay_as_it_is() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		StorageVersion::new(2).put::<Pallet<Test>>();
		assert_state_unchanged(|| {
			ToV2::<Test>::on_runtime_upgrade();
		});
	});
}
