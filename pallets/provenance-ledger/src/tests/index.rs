//! Pages of ids by output and by query.

use crate::{
	mock::{
		build_and_execute, entry, id, output_hash, query_hash, Ledger, MaxIndexed, System, Test,
	},
	Event, IndexKind, OutputCount, QueryCount, Records, RecordsTotal,
};
use aria_primitives::{
	traits::{Ledger as _, RecordIndex},
	RecordId,
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
		MaxIndexed::set(10);
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
fn pages_should_be_clamped_to_the_length_of_an_index() {
	build_and_execute(|| {
		let ids = insert_alike(3);
		for page in [by_output, by_query] {
			assert!(page(None, 0).is_empty());
			assert_eq!(page(None, 2), &ids[..2]);
			assert_eq!(page(None, u32::MAX), ids);
		}
		MaxIndexed::set(1);
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

#[test]
fn insert_should_store_without_listing_when_an_index_is_full() {
	build_and_execute(|| {
		let listed = insert_alike(3);
		System::reset_events();
		assert_ok!(Ledger::insert(id(3), entry(0)));

		assert_eq!(by_output(None, 10), listed);
		assert_eq!(by_query(None, 10), listed);
		assert_eq!(OutputCount::<Test>::get(output_hash(0)), 3);
		assert_eq!(QueryCount::<Test>::get(query_hash(0)), 3);
		// The record itself is as good as any other.
		assert!(Records::<Test>::contains_key(id(3)));
		assert_eq!(RecordsTotal::<Test>::get(), 4);
		assert!(Ledger::record_inclusion(id(3)).is_some());

		for (kind, hash) in [(IndexKind::Output, output_hash(0)), (IndexKind::Query, query_hash(0))]
		{
			System::assert_has_event(Event::<Test>::IndexFull { kind, hash, id: id(3) }.into());
		}
		assert_eq!(System::events().len(), 3);
	});
}

#[test]
fn insert_should_still_list_by_query_when_only_the_output_is_full() {
	build_and_execute(|| {
		insert_alike(3);
		System::reset_events();
		let mut other = entry(0);
		other.body.query_hash = query_hash(9);
		assert_ok!(Ledger::insert(id(3), other));

		assert_eq!(Ledger::by_query(query_hash(9), None, 10), vec![id(3)]);
		System::assert_has_event(
			Event::<Test>::IndexFull { kind: IndexKind::Output, hash: output_hash(0), id: id(3) }
				.into(),
		);
		assert_eq!(System::events().len(), 2);
	});
}
