//! The index on both back ends.

#![allow(clippy::unwrap_used)]

use super::{IdPage, IndexError, Place, RecordIndex, Settled, Tip};
use crate::tests::mock::{entry, node};
use aria_primitives::{BlockNumber, RecordId};
use sp_core::H256;
use std::sync::Arc;

fn id(byte: u8) -> RecordId {
	RecordId::repeat_byte(byte)
}

fn model(byte: u8) -> H256 {
	H256::repeat_byte(byte)
}

fn tip(number: BlockNumber) -> Tip {
	Tip { number, hash: Some(H256::from_low_u64_be(number.into())) }
}

fn settled(byte: u8, block: BlockNumber, position: u32, model: u8, nodes: &[u8]) -> Settled {
	Settled::new(id(byte), Place { block, position }, &entry(block, model, nodes))
}

/// Runs a test in memory and in a folder.
fn on_both(test: impl Fn(Arc<RecordIndex>)) {
	test(RecordIndex::open(None).unwrap());
	let folder = tempfile::tempdir().unwrap();
	test(RecordIndex::open(Some(&folder.path().join("record-index"))).unwrap());
}

fn ids(page: IdPage) -> Vec<RecordId> {
	assert!(!page.more);
	page.ids
}

/// Blocks 1, 256 and 70,000, so that an order of bytes other than of numbers would show.
fn fill(index: &RecordIndex) {
	index.append(tip(1), &[settled(9, 1, 0, 1, &[1]), settled(2, 1, 1, 2, &[1, 2])]).unwrap();
	index.append(tip(256), &[settled(7, 256, 0, 1, &[2, 2, 3])]).unwrap();
	index
		.append(
			tip(70_000),
			&[
				settled(1, 70_000, 0, 1, &[1]),
				settled(5, 70_000, 256, 1, &[3]),
				settled(6, 70_000, 2, 1, &[3]),
			],
		)
		.unwrap();
}

fn check(index: &RecordIndex) {
	let lists = [
		(index.by_model(&model(1), None, 10), vec![9, 7, 1, 6, 5]),
		(index.by_model(&model(2), None, 10), vec![2]),
		(index.by_model(&model(3), None, 10), vec![]),
		(index.by_node(&node(1), None, 10), vec![9, 2, 1]),
		(index.by_node(&node(2), None, 10), vec![2, 7]),
		(index.by_node(&node(3), None, 10), vec![7, 6, 5]),
	];
	for (list, expected) in lists {
		assert_eq!(ids(list.unwrap()), expected.into_iter().map(id).collect::<Vec<_>>());
	}
	assert_eq!(index.tip().unwrap(), Some(tip(70_000)));
}

#[test]
fn lists_should_be_in_order_of_settlement() {
	on_both(|index| {
		fill(&index);
		check(&index);
	});
}

#[test]
fn appending_again_should_change_nothing() {
	on_both(|index| {
		fill(&index);
		fill(&index);
		check(&index);
	});
}

#[test]
fn a_known_record_should_keep_its_place() {
	on_both(|index| {
		fill(&index);
		index.append(tip(70_000), &[settled(9, 70_000, 9, 1, &[1])]).unwrap();
		check(&index);
	});
}

#[test]
fn pages_should_join_to_the_list() {
	on_both(|index| {
		fill(&index);
		for limit in 1..=6 {
			let (mut all, mut after) = (Vec::new(), None);
			loop {
				let page = index.by_model(&model(1), after, limit).unwrap();
				assert!(page.ids.len() <= limit);
				all.extend(page.ids);
				after = all.last().copied();
				if !page.more {
					break;
				}
			}
			assert_eq!(all, [9, 7, 1, 6, 5].map(id), "by {limit}");
		}
	});
}

#[test]
fn a_page_should_begin_after_a_known_record_only() {
	on_both(|index| {
		fill(&index);
		// It stands in another list, at its place all the same.
		assert_eq!(ids(index.by_node(&node(3), Some(id(1)), 10).unwrap()), [id(6), id(5)]);
		assert!(ids(index.by_node(&node(3), Some(id(5)), 10).unwrap()).is_empty());
		assert!(matches!(
			index.by_node(&node(3), Some(id(99)), 10),
			Err(IndexError::UnknownCursor(unknown)) if unknown == id(99)
		));
	});
}

#[test]
fn an_index_should_be_the_same_when_opened_again() {
	let folder = tempfile::tempdir().unwrap();
	let path = folder.path().join("deep/record-index");
	{
		let index = RecordIndex::open(Some(&path)).unwrap();
		assert!(index.adopt(H256::repeat_byte(1)).unwrap());
		fill(&index);
		index.note_ready();
	}
	let index = RecordIndex::open(Some(&path)).unwrap();
	check(&index);
	assert!(index.adopt(H256::repeat_byte(1)).unwrap());
	assert!(!index.adopt(H256::repeat_byte(2)).unwrap());

	// Whether it is whole is for the indexer to find out.
	let progress = index.progress().unwrap();
	assert_eq!((progress.ready, progress.from, progress.to), (false, 0, Some(70_000)));
}

#[test]
fn a_folder_in_use_should_be_refused() {
	let folder = tempfile::tempdir().unwrap();
	let _index = RecordIndex::open(Some(folder.path())).unwrap();
	let Err(error) = RecordIndex::open(Some(folder.path())) else { panic!("opened twice") };
	assert!(error.to_string().contains("in use"), "{error}");
}

#[test]
fn clearing_should_leave_nothing() {
	on_both(|index| {
		index.adopt(H256::repeat_byte(1)).unwrap();
		fill(&index);
		index.note_ready();
		index.skip(70_001, tip(80_000)).unwrap();
		index.clear(H256::repeat_byte(2)).unwrap();

		assert!(index.adopt(H256::repeat_byte(2)).unwrap());
		assert_eq!((index.tip().unwrap(), index.gap().unwrap()), (None, None));
		assert!(!index.progress().unwrap().ready);
		for byte in 1..=9 {
			assert_eq!(index.place(&id(byte)).unwrap(), None);
			assert!(ids(index.by_model(&model(byte), None, 10).unwrap()).is_empty());
			assert!(ids(index.by_node(&node(byte), None, 10).unwrap()).is_empty());
		}
		fill(&index);
		check(&index);
	});
}

#[test]
fn lists_by_hash_should_ascend_by_id_and_begin_anywhere() {
	on_both(|index| {
		fill(&index);
		let (output, query) = (H256::repeat_byte(0x33), H256::repeat_byte(0x22));
		let all: Vec<RecordId> = [1, 2, 5, 6, 7, 9].map(id).to_vec();
		assert_eq!(ids(index.by_output(&output, None, 10).unwrap()), all);
		assert_eq!(ids(index.by_query(&query, None, 10).unwrap()), all);
		assert!(ids(index.by_query(&output, None, 10).unwrap()).is_empty());

		let page = index.by_output(&output, Some(id(2)), 2).unwrap();
		assert_eq!(page, IdPage { ids: [5, 6].map(id).to_vec(), more: true });
		// What is not listed is as good a cursor.
		let page = index.by_output(&output, Some(id(3)), 2).unwrap();
		assert_eq!(page, IdPage { ids: [5, 6].map(id).to_vec(), more: true });
		assert!(ids(index.by_output(&output, Some(id(9)), 2).unwrap()).is_empty());

		index.clear(H256::zero()).unwrap();
		assert!(ids(index.by_output(&output, None, 10).unwrap()).is_empty());
		assert!(ids(index.by_query(&query, None, 10).unwrap()).is_empty());
	});
}
