use super::*;
use crate::{
	mock::{build_and_execute, Balances, ALICE, BOB, INITIAL, MINIMUM, POOR},
	HoldReason, WorkerInfo, WorkerState,
};
use frame_support::{assert_noop, traits::fungible::hold::Inspect};
use sp_runtime::TokenError;

#[test]
fn register_should_hold_the_stake_and_bind_the_peer() {
	build_and_execute(|| {
		register(&ALICE, 1, 250);

		assert_eq!(
			WorkerRegistry::info(&ALICE),
			Some(WorkerInfo {
				peer: peer(1),
				region: 756,
				stake: 250,
				state: WorkerState::Active,
				reputation: 0,
				settled: 0,
				registered_at: 1,
				active_at: 1,
			})
		);
		assert_eq!(Balances::balance_on_hold(&HoldReason::Stake.into(), &ALICE), 250);
		assert_eq!(Balances::free_balance(&ALICE), INITIAL - 250);
		assert_eq!(WorkerRegistry::worker_by_peer(peer(1)), Some(ALICE));
		assert_last(Event::Registered { worker: ALICE, peer: peer(1), region: 756, stake: 250 });
	});
}

#[test]
fn register_should_fail_when_registered_already() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		let call =
			|| WorkerRegistry::register_worker(signed(&ALICE), peer(2), binding(2, &ALICE), 0, 100);
		assert_noop!(call(), Error::AlreadyRegistered);
		assert_eq!(assert_state_unchanged(call), Err(Error::AlreadyRegistered.into()));
	});
}

#[test]
fn register_should_fail_when_the_stake_is_too_low() {
	build_and_execute(|| {
		assert_noop!(
			WorkerRegistry::register_worker(
				signed(&ALICE),
				peer(1),
				binding(1, &ALICE),
				0,
				MINIMUM - 1
			),
			Error::StakeTooLow
		);
	});
}

#[test]
fn register_should_fail_when_the_region_is_no_code() {
	build_and_execute(|| {
		assert_noop!(
			WorkerRegistry::register_worker(
				signed(&ALICE),
				peer(1),
				binding(1, &ALICE),
				1_000,
				MINIMUM
			),
			Error::BadRegion
		);
	});
}

#[test]
fn register_should_fail_when_the_peer_is_taken() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		assert_noop!(
			WorkerRegistry::register_worker(signed(&BOB), peer(1), binding(1, &BOB), 0, MINIMUM),
			Error::PeerTaken
		);
	});
}

#[test]
fn register_should_fail_when_the_peer_signed_another_account() {
	build_and_execute(|| {
		assert_noop!(
			WorkerRegistry::register_worker(signed(&BOB), peer(1), binding(1, &ALICE), 0, MINIMUM),
			Error::BadPeerSignature
		);
	});
}

#[test]
fn register_should_fail_when_another_key_signed() {
	build_and_execute(|| {
		assert_noop!(
			WorkerRegistry::register_worker(
				signed(&ALICE),
				peer(1),
				binding(2, &ALICE),
				0,
				MINIMUM
			),
			Error::BadPeerSignature
		);
	});
}

#[test]
fn register_should_fail_when_the_binding_is_of_another_chain() {
	build_and_execute(|| {
		let elsewhere = binding(1, &ALICE);
		frame_system::BlockHash::<Test>::insert(0u32, sp_core::H256::repeat_byte(7));
		assert_noop!(
			WorkerRegistry::register_worker(signed(&ALICE), peer(1), elsewhere, 0, MINIMUM),
			Error::BadPeerSignature
		);
	});
}

#[test]
fn register_should_fail_when_the_caller_is_poor() {
	build_and_execute(|| {
		assert_noop!(
			WorkerRegistry::register_worker(signed(&POOR), peer(1), binding(1, &POOR), 0, MINIMUM),
			TokenError::FundsUnavailable
		);
		// The existential deposit stays free.
		assert_noop!(
			WorkerRegistry::register_worker(
				signed(&ALICE),
				peer(1),
				binding(1, &ALICE),
				0,
				INITIAL
			),
			TokenError::FundsUnavailable
		);
	});
}

#[test]
fn register_should_fail_when_not_signed() {
	build_and_execute(|| {
		assert_noop!(
			WorkerRegistry::register_worker(
				RuntimeOrigin::root(),
				peer(1),
				binding(1, &ALICE),
				0,
				MINIMUM
			),
			sp_runtime::DispatchError::BadOrigin
		);
	});
}
