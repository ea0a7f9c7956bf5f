use super::*;
use crate::mock::{
	build_and_execute, Balances, ALICE, BOB, ERA, INITIAL, MINIMUM, POOR, PROMISED, TARGET,
};
use aria_math::reputation;
use aria_primitives::traits::Workers;
use frame_support::traits::fungible::Mutate;

fn earn(worker: &AccountId, amount: Balance) -> Balance {
	<WorkerRegistry as Workers>::stake_from_earnings(worker, amount)
}

#[test]
fn earnings_should_fill_the_stake_up_to_the_target() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		assert_eq!(earn(&ALICE, 150), 150);
		assert_last(Event::StakeEarned { worker: ALICE, amount: 150, stake: MINIMUM + 150 });
		assert_eq!(earn(&ALICE, 1_000), TARGET - MINIMUM - 150);
		assert_eq!(<WorkerRegistry as Workers>::stake(&ALICE), TARGET);
		assert_eq!(assert_state_unchanged(|| earn(&ALICE, 1)), 0);
		assert_eq!(Balances::free_balance(&ALICE), INITIAL - TARGET);
	});
}

#[test]
fn earnings_should_not_be_taken_beyond_what_is_free() {
	build_and_execute(|| {
		assert_ok!(<Balances as Mutate<AccountId>>::mint_into(&POOR, MINIMUM + 31));
		register(&POOR, 1, MINIMUM);
		// The existential deposit of 1 stays.
		assert_eq!(earn(&POOR, 400), 30);
		assert_eq!(earn(&POOR, 400), 0);
	});
}

#[test]
fn earnings_should_stay_free_when_the_account_is_no_worker_or_leaves() {
	build_and_execute(|| {
		assert_eq!(assert_state_unchanged(|| earn(&BOB, 100)), 0);
		register(&ALICE, 1, MINIMUM);
		assert_ok!(WorkerRegistry::drain(signed(&ALICE)));
		assert_ok!(WorkerRegistry::unbond(signed(&ALICE)));
		assert_eq!(assert_state_unchanged(|| earn(&ALICE, 100)), 0);
	});
}

#[test]
fn settled_work_should_make_the_reputation_grow() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		System::set_block_number(4);
		<WorkerRegistry as Workers>::note_settled(&ALICE, 0);
		<WorkerRegistry as Workers>::note_settled(&ALICE, 0);

		let step = reputation::GROWTH_STEP_PPM;
		let expected = reputation::grow(reputation::grow(0, step), step);
		let info = WorkerRegistry::info(&ALICE).unwrap();
		assert_eq!((info.reputation, info.settled, info.active_at), (expected, 2, 4));
		assert_eq!(<WorkerRegistry as Workers>::reputation(&ALICE), expected);
	});
}

#[test]
fn reputation_should_grow_slower_when_answers_are_slower_than_promised() {
	build_and_execute(|| {
		for (seed, who, latency) in [(1, &ALICE, PROMISED), (2, &BOB, 4 * PROMISED)] {
			register(who, seed, MINIMUM);
			<WorkerRegistry as Workers>::note_settled(who, latency);
		}
		assert_eq!(WorkerRegistry::reputation(ALICE), reputation::GROWTH_STEP_PPM);
		assert_eq!(WorkerRegistry::reputation(BOB), reputation::GROWTH_STEP_PPM / 4);
		<WorkerRegistry as Workers>::note_settled(&BOB, u32::MAX);
		assert_eq!(WorkerRegistry::reputation(BOB), reputation::GROWTH_STEP_PPM / 4);
	});
}

#[test]
fn reputation_should_fade_when_idle_beyond_the_grace() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		for _ in 0..1_000 {
			<WorkerRegistry as Workers>::note_settled(&ALICE, 0);
		}
		let score = WorkerRegistry::reputation(ALICE);

		System::set_block_number(1 + ERA * reputation::IDLE_GRACE_ERAS);
		assert_eq!(WorkerRegistry::reputation(ALICE), score);
		System::set_block_number(1 + ERA * (reputation::IDLE_GRACE_ERAS + 10));
		let faded = reputation::decay(score, reputation::IDLE_GRACE_ERAS + 10);
		assert!(faded < score);
		assert_eq!(WorkerRegistry::reputation(ALICE), faded);

		// New work grows on what is left.
		<WorkerRegistry as Workers>::note_settled(&ALICE, 0);
		assert_eq!(
			WorkerRegistry::reputation(ALICE),
			reputation::grow(faded, reputation::GROWTH_STEP_PPM)
		);
	});
}

#[test]
fn settled_work_of_a_stranger_should_leave_no_trace() {
	build_and_execute(|| {
		assert_state_unchanged(|| <WorkerRegistry as Workers>::note_settled(&BOB, 0));
		assert_eq!(<WorkerRegistry as Workers>::reputation(&BOB), 0);
		assert_eq!(<WorkerRegistry as Workers>::stake(&BOB), 0);
	});
}
