//! The indexer on chains that grow, are pruned, fork and fail.

#![allow(clippy::unwrap_used)]

use super::{run, step, Step, BLOCKS_PER_STEP};
use crate::{
	index::RecordIndex,
	tests::mock::{entry, node, MockChain},
};
use aria_primitives::RecordId;
use sp_core::H256;
use std::{sync::Arc, time::Duration};

fn id(byte: u8) -> RecordId {
	RecordId::repeat_byte(byte)
}

/// A chain with one record in each of these blocks, from block 1 on, all final.
fn chain(ids: &[u8]) -> MockChain {
	let chain = MockChain::new();
	for id in ids {
		chain.add_record(*id);
	}
	chain.finalize();
	chain
}

/// Steps until there is nothing left to do.
fn settle(chain: &MockChain, index: &RecordIndex) {
	for _ in 0..1_000 {
		if step(chain, index).unwrap() == Step::Idle {
			return;
		}
	}
	panic!("it never comes to an end");
}

fn listed(index: &RecordIndex) -> Vec<RecordId> {
	let by_model = index.by_model(&H256::repeat_byte(1), None, 1_000).unwrap();
	let by_node = index.by_node(&node(1), None, 1_000).unwrap();
	assert_eq!(by_model, by_node);
	by_model.ids
}

#[test]
fn final_blocks_should_be_indexed_and_no_others() {
	let (chain, index) = (chain(&[5, 3]), RecordIndex::open(None).unwrap());
	chain.add_record(1);
	settle(&chain, &index);
	assert_eq!(listed(&index), [id(5), id(3)]);

	let progress = index.progress().unwrap();
	assert!(progress.ready);
	assert_eq!((progress.from, progress.to, progress.finalized), (0, Some(2), 2));

	chain.finalize();
	settle(&chain, &index);
	assert_eq!(listed(&index), [id(5), id(3), id(1)]);
}

#[test]
fn records_of_a_block_should_keep_their_order() {
	let (chain, index) = (MockChain::new(), RecordIndex::open(None).unwrap());
	chain.add([4, 2, 9].map(|byte| (id(byte), entry(1, 1, &[1]))).to_vec());
	chain.finalize();
	settle(&chain, &index);
	assert_eq!(listed(&index), [id(4), id(2), id(9)]);
}

#[test]
fn an_index_should_go_on_where_it_was() {
	let folder = tempfile::tempdir().unwrap();
	let chain = chain(&[5, 3]);
	settle(&chain, &RecordIndex::open(Some(folder.path())).unwrap());

	chain.add_record(1);
	chain.finalize();
	let before = chain.reads();
	let index = RecordIndex::open(Some(folder.path())).unwrap();
	assert!(!index.progress().unwrap().ready);
	settle(&chain, &index);
	assert_eq!(listed(&index), [id(5), id(3), id(1)]);
	// The ids of the new block, and its one record.
	assert_eq!(chain.reads() - before, 2);
}

#[test]
fn a_long_way_should_be_gone_in_few_steps() {
	let (chain, index) = (MockChain::new(), RecordIndex::open(None).unwrap());
	for _ in 0..BLOCKS_PER_STEP {
		chain.add(Vec::new());
	}
	chain.finalize();
	assert_eq!(step(&chain, &index).unwrap(), Step::Progressed);
	assert_eq!(index.tip().unwrap().unwrap().number, BLOCKS_PER_STEP - 1);
	assert_eq!(step(&chain, &index).unwrap(), Step::Progressed);
	assert_eq!(step(&chain, &index).unwrap(), Step::Idle);
}

#[test]
fn records_of_discarded_states_should_be_found_in_newer_ones() {
	// Two records in one block, whose order is lost.
	let (chain, index) = (chain(&[5, 3]), RecordIndex::open(None).unwrap());
	chain.add([8, 6].map(|byte| (id(byte), entry(3, 1, &[1]))).to_vec());
	for byte in [7, 2, 1] {
		chain.add_record(byte);
	}
	chain.finalize();
	chain.prune(5);
	settle(&chain, &index);
	assert_eq!(listed(&index), [5, 3, 6, 8, 7, 2, 1].map(id));

	let progress = index.progress().unwrap();
	assert_eq!((progress.from, progress.to), (0, Some(6)));
	assert_eq!(index.gap().unwrap(), None);
}

#[test]
fn what_comes_while_a_gap_is_filled_should_be_listed_once() {
	let (chain, index) = (chain(&[5, 3, 4]), RecordIndex::open(None).unwrap());
	chain.prune(3);
	while index.gap().unwrap().is_none() {
		step(&chain, &index).unwrap();
	}
	// One step into the gap, then new blocks, one of them pruned at once.
	step(&chain, &index).unwrap();
	step(&chain, &index).unwrap();
	chain.add_record(1);
	chain.add_record(9);
	chain.finalize();
	chain.prune(5);
	settle(&chain, &index);
	assert_eq!(listed(&index), [5, 3, 4, 1, 9].map(id));
}

#[test]
fn lists_should_begin_behind_records_that_have_left_the_state() {
	let (chain, index) = (chain(&[5, 3, 4, 7, 2]), RecordIndex::open(None).unwrap());
	// Records of blocks 1 and 2 left in block 4, and the states before that are discarded.
	for id in [5, 3] {
		chain.leave(id, 4);
	}
	chain.since(3);
	chain.prune(4);
	settle(&chain, &index);
	assert_eq!(listed(&index), [4, 7, 2].map(id));
	assert_eq!(index.progress().unwrap().from, 3);
	assert_eq!(index.gap().unwrap(), None);
}

#[test]
fn lists_should_begin_behind_what_cannot_be_found() {
	let (chain, index) = (chain(&[5, 3, 4]), RecordIndex::open(None).unwrap());
	chain.prune(3);
	chain.hide_ids();
	settle(&chain, &index);
	assert_eq!(listed(&index), [id(4)]);
	assert_eq!(index.progress().unwrap().from, 3);
}

#[test]
fn another_chain_should_be_indexed_anew() {
	let (chain, index) = (chain(&[5, 3]), RecordIndex::open(None).unwrap());
	settle(&chain, &index);
	// The last block was lost in a crash, and another one was made.
	chain.replace(2, vec![(id(7), entry(2, 1, &[1]))]);
	settle(&chain, &index);
	assert_eq!(listed(&index), [id(5), id(7)]);

	chain.replace(0, Vec::new());
	settle(&chain, &index);
	assert_eq!(listed(&index), [id(5), id(7)]);
}

#[test]
fn a_failed_step_should_change_nothing() {
	let (chain, index) = (chain(&[5, 3]), RecordIndex::open(None).unwrap());
	chain.fail(Some("trap"));
	assert!(step(&chain, &index).unwrap_err().to_string().contains("trap"));
	assert_eq!(index.tip().unwrap(), None);

	chain.fail(None);
	settle(&chain, &index);
	assert_eq!(listed(&index), [id(5), id(3)]);
}

#[test]
fn a_final_block_without_state_should_be_waited_for() {
	let (chain, index) = (chain(&[5, 3]), RecordIndex::open(None).unwrap());
	chain.prune(3);
	assert!(step(&chain, &index).unwrap_err().to_string().contains("final block 2"));
}

#[tokio::test]
async fn the_task_should_try_again_and_follow() {
	let (chain, index) = (chain(&[5]), RecordIndex::open(None).unwrap());
	chain.fail(Some("trap"));
	tokio::spawn(run(chain.clone(), Arc::clone(&index)));
	wait_for(|| index.progress().unwrap().failure.is_some()).await;

	chain.fail(None);
	wait_for(|| index.progress().unwrap().ready).await;
	assert_eq!(index.progress().unwrap().failure, None);
	assert_eq!(listed(&index), [id(5)]);

	chain.add_record(3);
	chain.finalize();
	wait_for(|| listed(&index).len() == 2).await;
}

/// Waits, but not for ever.
async fn wait_for(condition: impl Fn() -> bool) {
	for _ in 0..1_000 {
		if condition() {
			return;
		}
		tokio::time::sleep(Duration::from_millis(20)).await;
	}
	panic!("it never comes to pass");
}
