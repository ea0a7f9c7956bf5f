use super::*;
use crate::{
	mock::{build_and_execute, Balances, ALICE, BOB, INITIAL, MINIMUM},
	HoldReason,
};
use aria_math::reputation::{fall, FAULT_FACTOR_PPM};
use aria_primitives::traits::{Accountable, Workers as _};
use frame_support::{
	assert_noop,
	traits::fungible::{hold::Inspect as _, Inspect as _},
};

fn slash(amount: Balance) -> Balance {
	<WorkerRegistry as Accountable>::slash(&ALICE, amount, &BOB)
}

#[test]
fn slash_should_move_stake_to_another_account() {
	build_and_execute(|| {
		register(&ALICE, 1, 400);
		let issued = Balances::total_issuance();
		assert_eq!(slash(150), 150);

		assert_eq!(<WorkerRegistry as Accountable>::stake(&ALICE), 250);
		assert_eq!(Balances::balance_on_hold(&HoldReason::Stake.into(), &ALICE), 250);
		assert_eq!(Balances::balance(&BOB), INITIAL + 150);
		assert_eq!(Balances::total_issuance(), issued);
		assert_last(Event::Slashed { worker: ALICE, amount: 150, stake: 250 });
	});
}

#[test]
fn slash_should_take_no_more_than_there_is() {
	build_and_execute(|| {
		assert_eq!(slash(1), 0);
		register(&ALICE, 1, 400);
		assert_eq!(slash(0), 0);
		assert_eq!(slash(Balance::MAX), 400);
		assert_eq!(slash(1), 0);
		assert_eq!(<WorkerRegistry as Accountable>::stake(&ALICE), 0);
	});
}

#[test]
fn note_fault_should_halve_the_reputation() {
	build_and_execute(|| {
		WorkerRegistry::note_fault(&ALICE);
		register(&ALICE, 1, MINIMUM);
		(0..100).for_each(|_| WorkerRegistry::note_settled(&ALICE, 0));
		let before = WorkerRegistry::reputation(ALICE);
		WorkerRegistry::note_fault(&ALICE);
		let reputation = WorkerRegistry::reputation(ALICE);
		assert_eq!(reputation, fall(before, FAULT_FACTOR_PPM));
		assert_last(Event::ReputationCut { worker: ALICE, reputation });
	});
}

#[test]
fn ensure_active_should_say_what_is_missing() {
	build_and_execute(|| {
		let ensure = || <WorkerRegistry as Accountable>::ensure_active(&ALICE);
		assert_noop!(ensure(), Error::NotRegistered);
		register(&ALICE, 1, MINIMUM);
		assert_ok!(ensure());
		assert_ok!(WorkerRegistry::rest(signed(&ALICE)));
		assert_noop!(ensure(), Error::Resting);
		assert_ok!(WorkerRegistry::drain(signed(&ALICE)));
		assert_noop!(ensure(), Error::Draining);
		assert_ok!(WorkerRegistry::unbond(signed(&ALICE)));
		assert_noop!(ensure(), Error::Unbonding);
		assert_ok!(WorkerRegistry::resume(signed(&ALICE)));
		assert_eq!(slash(1), 1);
		assert_noop!(ensure(), Error::InsufficientStake);
	});
}
