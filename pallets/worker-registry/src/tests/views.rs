use super::*;
use crate::mock::{build_and_execute, small_model, ALICE, BOB, CHARLIE, MINIMUM};

#[test]
fn views_should_answer_about_a_worker() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		serve(&ALICE, 0, 12);
		assert_eq!(WorkerRegistry::worker(ALICE), WorkerRegistry::info(&ALICE));
		assert_eq!(WorkerRegistry::worker_by_peer(peer(1)), Some(ALICE));
		assert_eq!(WorkerRegistry::peer_of(&ALICE), Some(peer(1)));
		assert_eq!(WorkerRegistry::served(ALICE), vec![shard(model(), 0, 12)]);
	});
}

#[test]
fn views_should_answer_about_a_stranger() {
	build_and_execute(|| {
		assert_eq!(WorkerRegistry::worker(BOB), None);
		assert_eq!(WorkerRegistry::worker_by_peer(peer(1)), None);
		assert_eq!(WorkerRegistry::peer_of(&BOB), None);
		assert_eq!(WorkerRegistry::reputation(BOB), 0);
		assert_eq!(WorkerRegistry::served(BOB), vec![]);
	});
}

#[test]
fn pages_should_list_every_worker_once() {
	build_and_execute(|| {
		for (seed, who) in [(1, &ALICE), (2, &BOB), (3, &CHARLIE)] {
			register(who, seed, MINIMUM);
			serve(who, 0, 12);
		}
		let first = WorkerRegistry::workers_serving(model(), None, 2);
		assert_eq!(first.len(), 2);
		let second = WorkerRegistry::workers_serving(model(), first.last().cloned(), 2);
		assert_eq!(second.len(), 1);

		let mut all: Vec<AccountId> = first.into_iter().chain(second).collect();
		all.sort();
		assert_eq!(all, vec![ALICE, BOB, CHARLIE]);
		assert_eq!(WorkerRegistry::workers_serving(small_model(), None, 2), vec![]);
		assert_eq!(WorkerRegistry::workers_serving(model(), None, 0), vec![]);
		assert_eq!(WorkerRegistry::workers_serving(model(), None, u32::MAX).len(), 3);
	});
}
