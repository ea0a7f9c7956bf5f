//! Pages of ids by output and by query.

use crate::{
	mock::{
		build_and_execute, entry, id, new_test_ext, next_block, output_hash, query_hash, Ledger,
		MaxPage, Test,
	},
	ByOutput, ByQuery,
};
use aria_primitives::{
	traits::{Ledger as _, RecordIndex},
	AccountId, RecordId,
};
use frame_support::assert_ok;
use sp_core::H256;

/// Writes `count` records with the output and the query of `entry(0)`; returns their ids, ascending.
fn insert_alike(count: u32) -> Vec<RecordId> {
	let mut ids: Vec<RecordId> = (0..count).map(id).collect();
	for id in &ids {
		assert_ok!(Ledger::insert(*id, entry(0)));
	}
	ids.sort();
	ids
}

fn by_output(after: Option<RecordId>, limit: u32) -> Vec<RecordId> {
	<Ledger as RecordIndex>::by_output(&output_hash(0), after, limit)
}

fn by_query(after: Option<RecordId>, limit: u32) -> Vec<RecordId> {
	<Ledger as RecordIndex>::by_query(&query_hash(0), after, limit)
}

#[test]
fn pages_should_ascend_and_join_when_read_one_after_the_other() {
	build_and_execute(|| {
		MaxPage::set(10);
		let ids = insert_alike(7);
		for page in [by_output, by_query] {
			assert_eq!(page(None, 10), ids);
			let mut read = Vec::new();
			loop {
				let next = page(read.last().copied(), 2);
				if next.is_empty() {
					break;
				}
				assert!(next.len() <= 2);
				read.extend(next);
			}
			assert_eq!(read, ids);
		}
	});
}

#[test]
fn pages_should_go_on_when_after_is_not_listed() {
	build_and_execute(|| {
		let ids = insert_alike(3);
		for page in [by_output, by_query] {
			assert_eq!(page(Some(H256::zero()), 10), ids);
			let mut between = ids[0];
			between.0[31] ^= 1;
			let expected = if between > ids[0] { &ids[1..] } else { &ids[..] };
			assert_eq!(page(Some(between), 10), expected);
			assert!(page(Some(H256::repeat_byte(0xff)), 10).is_empty());
			assert!(page(ids.last().copied(), 10).is_empty());
		}
	});
}

#[test]
fn pages_should_be_clamped_to_the_longest() {
	build_and_execute(|| {
		let ids = insert_alike(3);
		for page in [by_output, by_query] {
			assert!(page(None, 0).is_empty());
			assert_eq!(page(None, 2), &ids[..2]);
			assert_eq!(page(None, u32::MAX), ids);
		}
		MaxPage::set(1);
		for page in [by_output, by_query] {
			assert_eq!(page(None, u32::MAX), &ids[..1]);
		}
	});
}

#[test]
fn pages_should_not_mix_hashes() {
	build_and_execute(|| {
		assert_ok!(Ledger::insert(id(1), entry(1)));
		assert_ok!(Ledger::insert(id(2), entry(2)));
		assert_eq!(Ledger::by_output(output_hash(1), None, 10), vec![id(1)]);
		assert_eq!(Ledger::by_query(query_hash(2), None, 10), vec![id(2)]);
		assert!(Ledger::by_output(query_hash(1), None, 10).is_empty());
		assert!(Ledger::by_query(output_hash(1), None, 10).is_empty());
	});
}

/// All ids that `page` gives from the beginning to the end.
fn read_all(page: fn(Option<RecordId>, u32) -> Vec<RecordId>) -> Vec<RecordId> {
	let mut read = Vec::new();
	loop {
		let next = page(read.last().copied(), u32::MAX);
		if next.is_empty() {
			return read;
		}
		assert!(next.len() <= MaxPage::get() as usize);
		read.extend(next);
	}
}

#[test]
fn record_should_be_listed_when_strangers_settled_many_with_its_hashes() {
	build_and_execute(|| {
		let mut foreign = entry(0);
		foreign.requester = AccountId::new([77; 32]);
		for n in 1..500 {
			assert_ok!(Ledger::insert(id(n), foreign.clone()));
			next_block();
		}
		assert_ok!(Ledger::insert(id(0), entry(0)));

		for page in [by_output, by_query] {
			let listed = read_all(page);
			assert_eq!(listed.len(), 500);
			assert!(listed.contains(&id(0)));
			assert!(listed.is_sorted());
		}
	});
}

#[test]
fn records_of_a_query_should_be_listed_when_others_have_the_same_output() {
	build_and_execute(|| {
		insert_alike(5);
		let mut other = entry(0);
		other.body.query_hash = query_hash(9);
		assert_ok!(Ledger::insert(id(5), other));

		assert_eq!(Ledger::by_query(query_hash(9), None, 10), vec![id(5)]);
		assert_eq!(read_all(by_output).len(), 6);
		assert_eq!(read_all(by_query).len(), 5);
	});
}

#[test]
fn try_state_should_fail_when_a_record_is_not_listed_or_listed_elsewhere() {
	let broken: [fn(); 4] = [
		|| ByOutput::<Test>::remove(output_hash(1), id(1)),
		|| ByQuery::<Test>::remove(query_hash(1), id(1)),
		|| ByOutput::<Test>::insert(output_hash(2), id(1), ()),
		|| ByQuery::<Test>::insert(query_hash(1), id(2), ()),
	];
	for break_it in broken {
		new_test_ext().execute_with(|| {
			assert_ok!(Ledger::insert(id(1), entry(1)));
			assert_ok!(Ledger::do_try_state());
			break_it();
			assert!(Ledger::do_try_state().is_err());
		});
	}
}
