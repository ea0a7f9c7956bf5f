use super::*;
use crate::{
	mock::{chain_of, ALICE, BOB, CHARLIE, DAVE, INITIAL, MINIMUM, POOR},
	Candidates, EpochLength, EpochLengthOf, GenesisConfig, MinimumPeriodOf, SlotDuration,
	SlotDurationOf,
};
use frame_support::traits::Get;
use sp_runtime::BuildStorage;

#[test]
fn genesis_should_hold_the_stake_and_choose_the_validators() {
	chain_of(&[ALICE, BOB, CHARLIE, DAVE]).execute_with(|| {
		assert_eq!(info(&ALICE), ValidatorInfo::new(MINIMUM, false, 0));
		assert_eq!(held(&ALICE), MINIMUM);
		assert_eq!(Balances::free_balance(&ALICE), INITIAL - MINIMUM);
		assert_eq!(Session::validators(), vec![ALICE, BOB, CHARLIE, DAVE]);
		assert_eq!(Session::queued_keys().len(), 4);
		ValidatorRegistry::do_try_state().unwrap();
	});
}

#[test]
fn genesis_should_waive_the_stake_when_the_balance_does_not_allow_it() {
	chain_of(&[ALICE, BOB, POOR]).execute_with(|| {
		assert_eq!(info(&POOR), ValidatorInfo::new(0, true, 0));
		assert_eq!(Session::validators(), vec![ALICE, BOB, POOR]);
		ValidatorRegistry::do_try_state().unwrap();
	});
}

#[test]
fn genesis_should_take_a_validator_once_when_named_twice() {
	let mut storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
	GenesisConfig::<Test> { validators: vec![ALICE, ALICE], ..Default::default() }
		.assimilate_storage(&mut storage)
		.unwrap();
	sp_io::TestExternalities::from(storage).execute_with(|| {
		assert_eq!(Candidates::<Test>::get().len(), 1);
		ValidatorRegistry::do_try_state().unwrap();
	});
}

#[test]
fn genesis_should_choose_the_session_keys_owners_when_candidates_are_too_few() {
	// The mock needs three.
	chain_of(&[ALICE, BOB]).execute_with(|| {
		assert_eq!(Session::validators(), vec![ALICE, BOB]);
	});
}

#[test]
fn slot_and_epoch_should_be_those_of_genesis() {
	let mut storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
	GenesisConfig::<Test> { slot_duration: 500, epoch_length: 20, ..Default::default() }
		.assimilate_storage(&mut storage)
		.unwrap();
	sp_io::TestExternalities::from(storage).execute_with(|| {
		assert_eq!(SlotDurationOf::<Test>::get(), 500);
		assert_eq!(MinimumPeriodOf::<Test>::get(), 250);
		assert_eq!(EpochLengthOf::<Test>::get(), 20);
	});
}

#[test]
fn slot_and_epoch_should_have_defaults_and_never_be_zero() {
	sp_io::TestExternalities::default().execute_with(|| {
		assert_eq!(SlotDurationOf::<Test>::get(), 2_000);
		assert_eq!(MinimumPeriodOf::<Test>::get(), 1_000);
		assert_eq!(EpochLengthOf::<Test>::get(), 600);

		SlotDuration::<Test>::put(0);
		EpochLength::<Test>::put(0);
		assert_eq!(SlotDurationOf::<Test>::get(), 1);
		assert_eq!(MinimumPeriodOf::<Test>::get(), 1);
		assert_eq!(EpochLengthOf::<Test>::get(), 1);
	});
}

#[test]
#[should_panic = "slotDuration must be even"]
fn genesis_should_refuse_an_odd_slot() {
	let mut storage = Default::default();
	let _ = GenesisConfig::<Test> { slot_duration: 501, ..Default::default() }
		.assimilate_storage(&mut storage);
}

#[test]
#[should_panic = "epochLength must be at least 1"]
fn genesis_should_refuse_an_epoch_without_slots() {
	let mut storage = Default::default();
	let _ = GenesisConfig::<Test> { epoch_length: 0, ..Default::default() }
		.assimilate_storage(&mut storage);
}

#[test]
#[should_panic = "more than MaxCandidates"]
fn genesis_should_refuse_more_validators_than_places() {
	let mut storage = Default::default();
	let validators = (10u8..17).map(|seed| AccountId::new([seed; 32])).collect();
	let _ =
		GenesisConfig::<Test> { validators, ..Default::default() }.assimilate_storage(&mut storage);
}
