//! The block's list, its root and the proofs under it.

use crate::{
	mock::{build_and_execute, entry, id, next_block, Ledger, Test, MAX_RECORDS},
	BlockRecords, RecordsRoot, WeightInfo,
};
use aria_primitives::{
	hashing::{leaf_hash, merkle_root, sha256, verify_merkle_proof},
	traits::Ledger as _,
};
use frame_support::{assert_ok, weights::RuntimeDbWeight};
use sp_core::H256;

#[test]
fn block_records_should_stay_until_the_next_block_begins() {
	build_and_execute(|| {
		// Not sorted: the list keeps the order of settlement.
		for n in [3, 1, 2] {
			assert_ok!(Ledger::insert(id(n), entry(n)));
		}
		assert_eq!(Ledger::block_records(), vec![id(3), id(1), id(2)]);
		next_block();
		assert!(Ledger::block_records().is_empty());
		assert!(!BlockRecords::<Test>::exists());
		assert_ok!(Ledger::insert(id(4), entry(4)));
		assert_eq!(Ledger::block_records(), vec![id(4)]);
	});
}

#[test]
fn records_root_should_be_the_merkle_root_of_the_block_that_ended() {
	build_and_execute(|| {
		assert_eq!(Ledger::records_root(), H256::zero());
		assert_ok!(Ledger::insert(id(1), entry(1)));
		assert_ok!(Ledger::insert(id(2), entry(2)));
		assert_eq!(Ledger::records_root(), H256::zero());

		next_block();
		let root = merkle_root(&[leaf_hash(id(1).as_bytes()), leaf_hash(id(2).as_bytes())]);
		assert_eq!(Ledger::records_root(), root);

		// The records of the block that has begun do not show before it ends.
		assert_ok!(Ledger::insert(id(3), entry(3)));
		assert_eq!(RecordsRoot::<Test>::get(), root);
		next_block();
		assert_eq!(Ledger::records_root(), leaf_hash(id(3).as_bytes()));
	});
}

#[test]
fn records_root_should_be_the_hash_of_nothing_when_the_block_has_no_record() {
	build_and_execute(|| {
		next_block();
		assert_eq!(Ledger::records_root(), sha256(b""));
	});
}

#[test]
fn record_inclusion_should_prove_every_record_of_a_block_of_any_size() {
	build_and_execute(|| {
		for count in 1..=MAX_RECORDS {
			let of_block = |n: u32| count * 100 + n;
			for n in (0..count).map(of_block) {
				assert_ok!(Ledger::insert(id(n), entry(n)));
			}
			let proofs: Vec<_> = (0..count)
				.map(of_block)
				.map(|n| (id(n), Ledger::record_inclusion(id(n)).unwrap()))
				.collect();
			next_block();
			let root = Ledger::records_root();
			for (position, (id, (index, leaves, path))) in proofs.into_iter().enumerate() {
				assert_eq!((index as usize, leaves), (position, count));
				let leaf = leaf_hash(id.as_bytes());
				assert!(verify_merkle_proof(&root, &leaf, index as usize, leaves as usize, &path));
			}
		}
	});
}

#[test]
fn record_inclusion_should_be_none_when_the_block_did_not_settle_the_record() {
	build_and_execute(|| {
		assert_eq!(Ledger::record_inclusion(id(1)), None);
		assert_ok!(Ledger::insert(id(1), entry(1)));
		assert_eq!(Ledger::record_inclusion(id(2)), None);
		next_block();
		assert_eq!(Ledger::record_inclusion(id(1)), None);
	});
}

#[test]
fn on_initialize_should_pay_for_the_root_of_a_full_block() {
	build_and_execute(|| {
		let paid = next_block();
		let root = <() as WeightInfo>::on_finalize(MAX_RECORDS);
		let database: RuntimeDbWeight = <Test as frame_system::Config>::DbWeight::get();
		assert_eq!(paid, root.saturating_add(database.writes(1)));
	});
}
