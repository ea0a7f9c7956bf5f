use super::*;
use crate::mock::{build_and_execute, Balances, ALICE, INITIAL, MINIMUM, UNBONDING};
use aria_primitives::traits::Workers as _;

#[docify::export]
#[test]
fn a_worker_should_come_work_and_leave() {
	build_and_execute(|| {
		// The peer key signs the account, the account signs the call.
		assert_ok!(WorkerRegistry::register_worker(
			signed(&ALICE),
			peer(1),
			binding(1, &ALICE),
			756,
			MINIMUM
		));

		// It serves half of a model, and may work on any part of that half.
		let shards = BoundedVec::truncate_from(vec![shard(model(), 0, 12)]);
		assert_ok!(WorkerRegistry::set_served(signed(&ALICE), shards));
		assert_ok!(WorkerRegistry::ensure_may_work(&ALICE, &model(), &layers(0, 6), 1));

		// Settled work makes its reputation grow.
		WorkerRegistry::note_settled(&ALICE, 0);
		assert!(WorkerRegistry::reputation(ALICE) > 0);

		// It finishes, waits, and leaves with its stake.
		assert_ok!(WorkerRegistry::drain(signed(&ALICE)));
		assert_ok!(WorkerRegistry::unbond(signed(&ALICE)));
		System::set_block_number(1 + UNBONDING);
		assert_ok!(WorkerRegistry::withdraw(signed(&ALICE)));
		assert_eq!(Balances::free_balance(&ALICE), INITIAL);
	});
}
