use super::*;
use crate::mock::{build_and_execute, small_model, ALICE, BOB, GRACE, MINIMUM, UNBONDING};
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
fn a_resting_worker_should_finish_only_what_began_before() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		serve(&ALICE, 0, 24);
		System::set_block_number(10);
		assert_ok!(WorkerRegistry::rest(signed(&ALICE)));
		assert_ok!(may_work(0, 24, 9));
		assert_noop!(may_work(0, 24, 10), Error::Resting);
		System::set_block_number(20);
		assert_noop!(may_work(0, 24, 20), Error::Resting);
		assert_ok!(WorkerRegistry::resume(signed(&ALICE)));
		assert_ok!(may_work(0, 24, 20));
	});
}

#[test]
fn an_unbonding_worker_should_finish_only_what_began_before_it_drained() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		serve(&ALICE, 0, 24);
		System::set_block_number(10);
		assert_ok!(WorkerRegistry::drain(signed(&ALICE)));
		System::set_block_number(13);
		assert_ok!(WorkerRegistry::unbond(signed(&ALICE)));
		for block in [13, 10 + GRACE, 13 + UNBONDING] {
			System::set_block_number(block);
			assert_ok!(may_work(0, 24, 9));
			for began in [10, 12, 13, block] {
				assert_noop!(may_work(0, 24, began), Error::Unbonding);
			}
		}
		assert_ok!(WorkerRegistry::resume(signed(&ALICE)));
		assert_ok!(may_work(0, 24, 13 + UNBONDING));
	});
}

#[test]
fn a_worker_should_finish_what_began_before_it_dropped_the_layers() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		serve(&ALICE, 0, 24);
		System::set_block_number(10);
		serve(&ALICE, 6, 12);

		for (first, end) in [(0, 24), (0, 6), (12, 24)] {
			assert_ok!(may_work(first, end, 9));
			assert_noop!(may_work(first, end, 10), Error::NotServing);
			assert_noop!(may_work(first, end, 11), Error::NotServing);
		}
		assert_ok!(may_work(6, 12, 9));
		assert_ok!(may_work(6, 12, 10));

		// What is added later does not change it.
		serve(&ALICE, 6, 14);
		assert_ok!(may_work(6, 14, 10));
		assert_ok!(may_work(0, 24, 9));
		assert_noop!(may_work(4, 14, 10), Error::NotServing);
		assert_noop!(
			WorkerRegistry::ensure_may_work(&ALICE, &small_model(), &layers(0, 1), 9),
			Error::NotServing
		);
	});
}

#[test]
fn a_worker_should_not_work_on_layers_that_it_never_served_at_once() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		serve(&ALICE, 0, 12);
		System::set_block_number(10);
		serve(&ALICE, 12, 24);
		assert_ok!(may_work(0, 12, 9));
		assert_ok!(may_work(12, 24, 10));
		assert_noop!(may_work(0, 24, 9), Error::NotServing);
		assert_noop!(may_work(0, 24, 10), Error::NotServing);
	});
}

#[test]
fn a_worker_should_not_make_its_work_unpaid_when_it_drops_layers_in_turns() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		serve(&ALICE, 0, 24);
		System::set_block_number(10);
		serve(&ALICE, 0, 1);
		assert_ok!(may_work(0, 24, 9));

		// Taking the layers back does not let it drop them again.
		System::set_block_number(11);
		serve(&ALICE, 0, 24);
		System::set_block_number(9 + GRACE);
		let nothing = || WorkerRegistry::set_served(signed(&ALICE), BoundedVec::default());
		assert_noop!(nothing(), Error::ServedChangedRecently);

		// When it can, the first list is out of reach, and the second is kept.
		System::set_block_number(10 + GRACE);
		assert_ok!(nothing());
		assert_ok!(may_work(0, 24, 9 + GRACE));
		assert_noop!(may_work(0, 24, 10 + GRACE), Error::NotServing);
	});
}

#[test]
fn a_worker_should_not_make_its_work_unpaid_when_it_leaves_without_layers() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		serve(&ALICE, 0, 24);
		System::set_block_number(10);
		assert_ok!(WorkerRegistry::set_served(signed(&ALICE), BoundedVec::default()));
		assert_ok!(WorkerRegistry::drain(signed(&ALICE)));
		assert_ok!(WorkerRegistry::unbond(signed(&ALICE)));
		assert_ok!(may_work(0, 24, 9));
		assert_ok!(WorkerRegistry::resume(signed(&ALICE)));
		assert_ok!(may_work(0, 24, 9));
		assert_noop!(may_work(0, 24, 10), Error::NotServing);
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
