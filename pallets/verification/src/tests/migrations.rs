//! Changes of storage.

use crate::{
	migrations::ToV2,
	mock::{enter_epoch, free, id, new_test_ext, note, AuditPot, System, Test, Verification, ED},
	Audits, ClosedThrough, Drawn, DrawnStatus, OpenAudits, Pallet, PendingEpoch, PendingEpochs,
	Settled, SettledRecord, Waiting, WaitingEnds,
};
use aria_primitives::{audit::Verdict, traits::RecordStakes, AccountId};
use frame_support::traits::{
	fungible::Mutate, GetStorageVersion, OnRuntimeUpgrade, StorageVersion,
};

#[test]
fn records_of_the_version_before_should_be_read() {
	new_test_ext().execute_with(|| {
		// given drawn and pending records as the version before wrote them, and no pot
		note(0..2, 0);
		enter_epoch(2);
		note(7..8, 500_000);
		for drawn in 0..2 {
			Audits::<Test>::remove(id(drawn));
		}
		let _ = Waiting::<Test>::clear(10, None);
		WaitingEnds::<Test>::kill();
		let _ = OpenAudits::<Test>::clear(10, None);
		let key = Settled::<Test>::hashed_key_for(2, id(7));
		frame_support::storage::unhashed::put(&key, &(500_000u32, false));
		assert!(Settled::<Test>::get(2, id(7)).is_none());
		let last = System::block_number();
		let key = PendingEpochs::<Test>::hashed_key();
		frame_support::storage::unhashed::put(&key, &vec![(2u64, 1u32, last)]);
		let pot = AuditPot::get();
		let burnt = <crate::mock::Balances as Mutate<AccountId>>::burn_from(
			&pot,
			ED,
			frame_support::traits::tokens::Preservation::Expendable,
			frame_support::traits::tokens::Precision::Exact,
			frame_support::traits::tokens::Fortitude::Force,
		);
		assert_eq!(burnt, Ok(ED));
		ClosedThrough::<Test>::kill();
		StorageVersion::new(1).put::<Pallet<Test>>();

		ToV2::<Test>::on_runtime_upgrade();
		assert_eq!(Pallet::<Test>::on_chain_storage_version(), 2);
		assert_eq!(
			Settled::<Test>::get(2, id(7)),
			Some(SettledRecord {
				reputation: 500_000,
				forced: false,
				stakes: RecordStakes::default()
			})
		);
		assert_eq!(
			PendingEpochs::<Test>::get().into_inner(),
			[PendingEpoch { epoch: 2, records: 1, last_settled_at: last, expected_ppm: 0 }]
		);
		let at = System::block_number();
		for drawn in 0..2 {
			assert_eq!(
				Drawn::<Test>::get(id(drawn)).unwrap().status,
				DrawnStatus::Decided { verdict: Verdict::Unaudited, at, canary: false }
			);
		}
		assert_eq!(free(&pot), ED);
		assert_eq!(ClosedThrough::<Test>::get(), Some(1));
		Verification::do_try_state().unwrap();

		// Once only.
		Drawn::<Test>::remove(id(0));
		ToV2::<Test>::on_runtime_upgrade();
		assert!(!Drawn::<Test>::contains_key(id(0)));
	});
}
