use super::*;
use crate::{
	mock::{build_and_execute, small_model, ALICE, BOB, GRACE, MINIMUM},
	Served, Services, Serving, Superseded,
};
use frame_support::assert_noop;
use sp_core::H256;
use sp_runtime::DispatchError;

fn set(shards: Vec<ServedShard>) -> sp_runtime::DispatchResult {
	WorkerRegistry::set_served(signed(&ALICE), BoundedVec::try_from(shards).unwrap())
}

#[test]
fn set_served_should_store_the_shards_in_order_when_valid() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		assert_ok!(set(vec![
			shard(small_model(), 0, 4),
			shard(model(), 12, 24),
			shard(model(), 0, 6)
		]));

		assert_eq!(
			WorkerRegistry::served(ALICE),
			vec![shard(model(), 0, 6), shard(model(), 12, 24), shard(small_model(), 0, 4)]
		);
		assert!(Serving::<Test>::contains_key(model(), ALICE));
		assert!(Serving::<Test>::contains_key(small_model(), ALICE));
		assert_last(Event::ServedSet { worker: ALICE, shards: 3 });
	});
}

#[test]
fn set_served_should_replace_what_was_served() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		assert_ok!(set(vec![shard(model(), 0, 24)]));
		assert_ok!(set(vec![shard(small_model(), 1, 2)]));

		assert!(!Serving::<Test>::contains_key(model(), ALICE));
		assert!(Serving::<Test>::contains_key(small_model(), ALICE));

		System::set_block_number(1 + GRACE);
		assert_ok!(set(vec![]));
		assert_eq!(WorkerRegistry::served(ALICE), vec![]);
		assert_eq!(Serving::<Test>::iter().count(), 0);
		assert_last(Event::ServedSet { worker: ALICE, shards: 0 });
	});
}

#[test]
fn set_served_should_accept_shards_that_touch() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		assert_ok!(set(vec![shard(model(), 0, 6), shard(model(), 6, 12)]));
	});
}

#[test]
fn set_served_should_fail_when_layers_are_out_of_range() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		for bad in [shard(model(), 0, 25), shard(model(), 6, 6), shard(model(), 7, 6)] {
			assert_noop!(set(vec![bad]), Error::LayersOutOfRange);
		}
	});
}

#[test]
fn set_served_should_fail_when_shards_overlap() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		for (left, right) in [
			(shard(model(), 0, 6), shard(model(), 5, 7)),
			(shard(model(), 5, 7), shard(model(), 0, 6)),
			(shard(model(), 0, 6), shard(model(), 0, 6)),
			(shard(model(), 0, 24), shard(model(), 3, 4)),
		] {
			assert_noop!(set(vec![left, right]), Error::OverlappingShards);
		}
	});
}

#[test]
fn set_served_should_fail_when_a_model_is_not_pinned() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		assert_noop!(
			set(vec![shard(H256::repeat_byte(1), 0, 1)]),
			DispatchError::Other("not pinned")
		);
	});
}

#[test]
fn set_served_should_fail_when_not_registered_or_leaving() {
	build_and_execute(|| {
		assert_noop!(set(vec![]), Error::NotRegistered);
		register(&ALICE, 1, MINIMUM);
		assert_ok!(WorkerRegistry::drain(signed(&ALICE)));
		assert_ok!(WorkerRegistry::unbond(signed(&ALICE)));
		assert_noop!(set(vec![]), Error::Unbonding);
	});
}

#[test]
fn set_served_should_leave_other_workers_in_the_index() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		register(&BOB, 2, MINIMUM);
		serve(&ALICE, 0, 12);
		serve(&BOB, 0, 12);
		assert_ok!(set(vec![]));
		assert_eq!(WorkerRegistry::workers_serving(model(), None, 10), vec![BOB]);
	});
}

#[test]
fn set_served_should_store_nothing_when_nothing_was_served() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		assert_ok!(set(vec![]));
		assert!(!Served::<Test>::contains_key(ALICE));
	});
}

#[test]
fn set_served_should_keep_what_was_served_when_layers_are_dropped() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		assert_ok!(set(vec![shard(model(), 0, 12), shard(small_model(), 0, 4)]));
		System::set_block_number(7);
		assert_ok!(set(vec![shard(model(), 0, 11), shard(small_model(), 0, 4)]));

		let before = vec![shard(model(), 0, 12), shard(small_model(), 0, 4)];
		let now = vec![shard(model(), 0, 11), shard(small_model(), 0, 4)];
		assert_eq!(
			Served::<Test>::get(ALICE),
			Services {
				shards: BoundedVec::truncate_from(now),
				superseded: Some(Superseded { shards: BoundedVec::truncate_from(before), at: 7 }),
			}
		);
	});
}

#[test]
fn set_served_should_fail_when_layers_were_dropped_recently() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		assert_ok!(set(vec![shard(model(), 0, 24)]));
		System::set_block_number(7);
		assert_ok!(set(vec![shard(model(), 0, 12)]));

		for block in [7, 8, 6 + GRACE] {
			System::set_block_number(block);
			for fewer in [vec![], vec![shard(model(), 1, 24)], vec![shard(small_model(), 0, 4)]] {
				assert_noop!(set(fewer), Error::ServedChangedRecently);
			}
		}
		System::set_block_number(7 + GRACE);
		assert_ok!(set(vec![]));
		assert_eq!(Served::<Test>::get(ALICE).superseded.unwrap().at, 7 + GRACE);
		assert_ok!(set(vec![shard(small_model(), 0, 4)]));
		assert_noop!(set(vec![]), Error::ServedChangedRecently);
	});
}

#[test]
fn set_served_should_add_layers_when_others_were_dropped_recently() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		assert_ok!(set(vec![shard(model(), 0, 24)]));
		assert_ok!(set(vec![shard(model(), 0, 12)]));
		let superseded = Served::<Test>::get(ALICE).superseded;

		// More layers, the same in other shards, and everything back again.
		for shards in [
			vec![shard(model(), 0, 14)],
			vec![shard(model(), 0, 6), shard(model(), 6, 14), shard(small_model(), 0, 1)],
			vec![shard(model(), 0, 24), shard(small_model(), 0, 1)],
		] {
			assert_ok!(set(shards));
			assert_eq!(Served::<Test>::get(ALICE).superseded, superseded);
		}
	});
}

#[test]
fn set_served_should_remember_the_last_drop_when_draining_or_unbonding() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		assert_ok!(set(vec![shard(model(), 0, 24)]));
		assert_ok!(set(vec![shard(model(), 0, 12)]));
		assert_ok!(WorkerRegistry::drain(signed(&ALICE)));
		assert_noop!(set(vec![]), Error::ServedChangedRecently);
		assert_ok!(WorkerRegistry::unbond(signed(&ALICE)));
		assert_ok!(WorkerRegistry::resume(signed(&ALICE)));
		assert_noop!(set(vec![]), Error::ServedChangedRecently);
	});
}
