//! Writing records.

use crate::{
	mock::{
		assert_state_unchanged, build_and_execute, entry, id, new_test_ext, next_block,
		output_hash, query_hash, Ledger, System, Test, MAX_RECORDS,
	},
	Call, Error, Event, Records, RecordsTotal,
};
use aria_primitives::traits::Ledger as _;
use frame_support::{assert_noop, assert_ok, traits::GetCallName};

#[test]
#[docify::export]
fn insert_should_store_the_record_and_say_so() {
	build_and_execute(|| {
		// given a record that the market has checked
		let (id, entry) = (id(1), entry(1));

		// when it is written
		assert_ok!(Ledger::insert(id, entry.clone()));

		// then it is there, listed by output and by query
		assert_eq!(Ledger::record(id), Some(entry.clone()));
		assert_eq!(Ledger::by_output(entry.body.output_hash, None, 10), vec![id]);
		assert_eq!(Ledger::by_query(entry.body.query_hash, None, 10), vec![id]);
		System::assert_last_event(
			Event::<Test>::RecordWritten {
				id,
				model: entry.body.model_id,
				output_hash: entry.body.output_hash,
				query_hash: entry.body.query_hash,
			}
			.into(),
		);
	});
}

#[test]
fn contains_and_get_should_answer_by_id() {
	build_and_execute(|| {
		assert!(!Ledger::contains(&id(1)));
		assert_eq!(Ledger::get(&id(1)), None);
		assert_ok!(Ledger::insert(id(1), entry(1)));
		assert!(Ledger::contains(&id(1)));
		assert_eq!(Ledger::get(&id(1)), Some(entry(1)));
		assert!(!Ledger::contains(&id(2)));
	});
}

#[test]
fn insert_should_fail_when_the_record_exists() {
	build_and_execute(|| {
		assert_ok!(Ledger::insert(id(1), entry(1)));
		assert_noop!(Ledger::insert(id(1), entry(1)), Error::<Test>::RecordExists);
		// Another entry does not get in under the same id either, now or later.
		assert_noop!(Ledger::insert(id(1), entry(2)), Error::<Test>::RecordExists);
		next_block();
		assert_noop!(Ledger::insert(id(1), entry(2)), Error::<Test>::RecordExists);
		assert_eq!(Ledger::record(id(1)), Some(entry(1)));
		assert_eq!(RecordsTotal::<Test>::get(), 1);
	});
}

#[test]
fn insert_should_fail_when_the_block_is_full() {
	build_and_execute(|| {
		for n in 0..MAX_RECORDS {
			assert_ok!(Ledger::insert(id(n), entry(n)));
		}
		let late = MAX_RECORDS;
		assert_noop!(Ledger::insert(id(late), entry(late)), Error::<Test>::BlockFull);

		next_block();
		assert_ok!(Ledger::insert(id(late), entry(late)));
		assert_eq!(RecordsTotal::<Test>::get(), u64::from(MAX_RECORDS) + 1);
	});
}

#[test]
fn storage_key_should_be_the_key_of_the_record() {
	build_and_execute(|| {
		assert_ok!(Ledger::insert(id(1), entry(1)));
		let key = Ledger::storage_key(id(1));
		assert!(sp_io::storage::exists(&key));
		// The id itself ends the key, so that a prover needs no hasher.
		assert!(key.ends_with(id(1).as_bytes()));
		assert!(!sp_io::storage::exists(&Ledger::storage_key(id(2))));
	});
}

#[test]
fn there_should_be_no_call() {
	assert!(Call::<Test>::get_call_names().is_empty());
}

#[test]
fn views_should_leave_the_state_as_it_is() {
	build_and_execute(|| {
		assert_ok!(Ledger::insert(id(1), entry(1)));
		assert_state_unchanged(|| {
			assert!(Ledger::record(id(1)).is_some());
			assert_eq!(Ledger::by_output(output_hash(1), None, 1).len(), 1);
			assert_eq!(Ledger::by_query(query_hash(1), None, 1).len(), 1);
			assert_eq!(Ledger::block_records(), vec![id(1)]);
			assert!(Ledger::record_inclusion(id(1)).is_some());
			assert_eq!(Ledger::stats().inferences, 1);
		});
	});
}

#[test]
fn try_state_should_fail_when_a_record_is_gone() {
	new_test_ext().execute_with(|| {
		assert_ok!(Ledger::insert(id(1), entry(1)));
		assert_ok!(Ledger::do_try_state());
		Records::<Test>::remove(id(1));
		assert!(Ledger::do_try_state().is_err());
	});
}
