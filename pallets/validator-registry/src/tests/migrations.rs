use super::*;
use crate::{
	migrations::ToV2,
	mock::{build_and_execute, ALICE, BOB, CHARLIE, DAVE},
	Pallet, SlotWeights,
};
use frame_support::traits::{GetStorageVersion, OnRuntimeUpgrade, StorageVersion};

#[test]
fn a_chain_of_equal_validators_should_get_their_weights_written_down() {
	build_and_execute(|| {
		SlotWeights::<Test>::kill();
		StorageVersion::new(1).put::<Pallet<Test>>();
		ToV2::<Test>::on_runtime_upgrade();
		assert_eq!(
			SlotWeights::<Test>::get().into_inner(),
			vec![(ALICE, 1), (BOB, 1), (CHARLIE, 1), (DAVE, 1)]
		);
		assert_eq!(Pallet::<Test>::on_chain_storage_version(), StorageVersion::new(2));
	});
}

#[test]
fn a_chain_of_this_version_should_stay_as_it_is() {
	build_and_execute(|| {
		StorageVersion::new(2).put::<Pallet<Test>>();
		assert_state_unchanged(|| {
			ToV2::<Test>::on_runtime_upgrade();
		});
	});
}
