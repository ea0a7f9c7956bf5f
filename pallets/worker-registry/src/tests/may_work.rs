use super::*;
use crate::mock::{build_and_execute, small_model, ALICE, BOB, MINIMUM};
use aria_primitives::{traits::Workers, PPM};
use frame_support::assert_noop;

fn may_work(first: u16, end: u16, began: u32) -> sp_runtime::DispatchResult {
	<WorkerRegistry as Workers>::ensure_may_work(&ALICE, &model(), &layers(first, end), began)
}

#[test]
fn a_worker_should_work_when_its_shards_cover_the_layers() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		let shards = vec![shard(model(), 2, 6), shard(model(), 6, 9), shard(model(), 10, 24)];
		assert_ok!(WorkerRegistry::set_served(signed(&ALICE), BoundedVec::truncate_from(shards)));

		// Within one shard, and across shards that touch.
		for (first, end) in [(2, 6), (3, 4), (2, 9), (5, 8), (10, 24)] {
			assert_ok!(may_work(first, end, 1));
		}
		// Outside, across a gap, and nothing at all.
		for (first, end) in [(0, 2), (1, 3), (8, 11), (9, 10), (2, 24), (23, 25), (4, 4), (5, 4)] {
			assert_noop!(may_work(first, end, 1), Error::NotServing);
		}
		let other = small_model();
		assert_noop!(
			WorkerRegistry::ensure_may_work(&ALICE, &other, &layers(2, 4), 1),
			Error::NotServing
		);
	});
}

#[test]
fn a_stranger_should_not_work() {
	build_and_execute(|| {
		assert_noop!(may_work(0, 1, 1), Error::NotRegistered);
	});
}

#[test]
fn a_draining_worker_should_finish_only_what_began_before() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		serve(&ALICE, 0, 24);
		System::set_block_number(10);
		assert_ok!(WorkerRegistry::drain(signed(&ALICE)));
		assert_ok!(may_work(0, 24, 9));
		assert_noop!(may_work(0, 24, 10), Error::Draining);
		assert_noop!(may_work(0, 24, 11), Error::Draining);
		assert_ok!(WorkerRegistry::resume(signed(&ALICE)));
		assert_ok!(may_work(0, 24, 11));
	});
}

#[test]
fn an_unbonding_worker_should_not_work() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		serve(&ALICE, 0, 24);
		System::set_block_number(10);
		assert_ok!(WorkerRegistry::drain(signed(&ALICE)));
		assert_ok!(WorkerRegistry::unbond(signed(&ALICE)));
		assert_noop!(may_work(0, 24, 1), Error::Unbonding);
	});
}

#[test]
fn a_worker_should_not_work_when_its_stake_fell_below_the_minimum() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		serve(&ALICE, 0, 24);
		assert_ok!(WorkerRegistry::punish(RuntimeOrigin::root(), ALICE, PPM / 100));
		assert_noop!(may_work(0, 24, 1), Error::InsufficientStake);
		assert_ok!(WorkerRegistry::bond_more(signed(&ALICE), 1));
		assert_ok!(may_work(0, 24, 1));
	});
}

#[test]
fn a_worker_should_be_registered_until_it_withdraws() {
	use aria_primitives::traits::WorkerRegistration;
	build_and_execute(|| {
		assert!(!WorkerRegistry::is_registered(&BOB));
		register(&BOB, 1, MINIMUM);
		assert_ok!(WorkerRegistry::drain(signed(&BOB)));
		assert_ok!(WorkerRegistry::unbond(signed(&BOB)));
		assert!(WorkerRegistry::is_registered(&BOB));
		System::set_block_number(1_000);
		assert_ok!(WorkerRegistry::withdraw(signed(&BOB)));
		assert!(!WorkerRegistry::is_registered(&BOB));
	});
}
