use super::*;
use crate::{
	mock::{build_and_execute, Balances, ALICE, UNBONDING},
	HoldReason,
};
use aria_math::reputation::FAULT_FACTOR_PPM;
use aria_primitives::{traits::Workers as _, PPM};
use frame_support::{assert_noop, traits::fungible::hold::Inspect};
use sp_runtime::DispatchError;

#[test]
fn punish_should_burn_stake_and_reputation() {
	build_and_execute(|| {
		register(&ALICE, 1, 401);
		WorkerRegistry::note_settled(&ALICE, 0);
		let reputation = WorkerRegistry::reputation(ALICE);
		let issued = Balances::total_issuance();
		assert_ok!(WorkerRegistry::punish(RuntimeOrigin::root(), ALICE, PPM / 2));

		// Rounded against the worker.
		assert_eq!(WorkerRegistry::stake(&ALICE), 200);
		assert_eq!(Balances::balance_on_hold(&HoldReason::Stake.into(), &ALICE), 200);
		assert_eq!(Balances::total_issuance(), issued - 201);
		let now = WorkerRegistry::reputation(ALICE);
		assert_eq!(now, aria_math::reputation::fall(reputation, FAULT_FACTOR_PPM));
		assert_last(Event::Punished { worker: ALICE, slashed: 201, stake: 200, reputation: now });
	});
}

#[test]
fn punish_should_take_everything_or_nothing_at_the_ends() {
	build_and_execute(|| {
		register(&ALICE, 1, 400);
		assert_ok!(WorkerRegistry::punish(RuntimeOrigin::root(), ALICE, 0));
		assert_eq!(WorkerRegistry::stake(&ALICE), 400);
		assert_ok!(WorkerRegistry::punish(RuntimeOrigin::root(), ALICE, PPM));
		assert_eq!(WorkerRegistry::stake(&ALICE), 0);
		assert_ok!(WorkerRegistry::punish(RuntimeOrigin::root(), ALICE, PPM));
		assert_last(Event::Punished { worker: ALICE, slashed: 0, stake: 0, reputation: 0 });
	});
}

#[test]
fn punish_should_reach_a_worker_that_unbonds() {
	build_and_execute(|| {
		register(&ALICE, 1, 400);
		assert_ok!(WorkerRegistry::drain(signed(&ALICE)));
		assert_ok!(WorkerRegistry::unbond(signed(&ALICE)));
		assert_ok!(WorkerRegistry::punish(RuntimeOrigin::root(), ALICE, PPM / 4));
		System::set_block_number(1 + UNBONDING);
		assert_ok!(WorkerRegistry::withdraw(signed(&ALICE)));
		assert_last(Event::Withdrawn { worker: ALICE, amount: 300 });
	});
}

#[test]
fn punish_should_fail_when_the_fraction_is_above_the_whole() {
	build_and_execute(|| {
		register(&ALICE, 1, 400);
		assert_noop!(
			WorkerRegistry::punish(RuntimeOrigin::root(), ALICE, PPM + 1),
			Error::InvalidFraction
		);
	});
}

#[test]
fn punish_should_fail_when_the_worker_is_unknown() {
	build_and_execute(|| {
		assert_noop!(WorkerRegistry::punish(RuntimeOrigin::root(), ALICE, 1), Error::NotRegistered);
	});
}

#[test]
fn punish_should_fail_when_the_origin_may_not() {
	build_and_execute(|| {
		register(&ALICE, 1, 400);
		assert_noop!(WorkerRegistry::punish(signed(&ALICE), ALICE, 1), DispatchError::BadOrigin);
	});
}
