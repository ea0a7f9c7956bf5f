use super::*;
use crate::{
	mock::{
		build_and_execute, chain_of, chain_with_work, end_session, ClosedBefore, MinValidators,
		ALICE, BOB, CHARLIE, DAVE, EVE, FERDIE, MINIMUM,
	},
	SlotWeights, VerifiedWork, VerifiedWorkOf,
};
use aria_primitives::traits::LotteryWork;
use frame_support::traits::Hooks;

const ALL: [AccountId; 4] = [ALICE, BOB, CHARLIE, DAVE];

/// Gives validators these sums of verified work, as of now.
fn give(work: [u128; 4]) {
	let session = pallet_session::CurrentIndex::<Test>::get();
	for (validator, sum) in ALL.into_iter().zip(work) {
		VerifiedWorkOf::<Test>::insert(validator, VerifiedWork { sum, session });
	}
}

fn weights() -> Vec<u64> {
	ValidatorRegistry::slot_weights().into_iter().map(|(_, weight)| weight).collect()
}

/// The part of all weight that a validator has.
fn share(of: &AccountId) -> f64 {
	let all = ValidatorRegistry::slot_weights();
	let sum: u64 = all.iter().map(|(_, weight)| weight).sum();
	let own = all.iter().find(|(account, _)| account == of).map_or(0, |(_, weight)| *weight);
	own as f64 / sum as f64
}

#[test]
fn validators_should_weigh_the_same_when_nobody_worked() {
	build_and_execute(|| {
		assert_eq!(weights(), [1; 4]);
		for _ in 0..3 {
			end_session();
			assert_eq!(weights(), [1; 4]);
		}
		let announced = |event: &Event<Test>| matches!(event, Event::WeightsAnnounced { .. });
		assert_eq!(count_events(announced), 0);
	});
}

#[test]
fn genesis_should_give_the_weights_of_the_work_it_names() {
	let work = [(ALICE, 1_000), (BOB, 2_000), (CHARLIE, 4_000), (DAVE, 8_000)];
	chain_with_work(&ALL, &work).execute_with(|| {
		assert_eq!(weights(), [1, 2, 4, 8]);
		// All fades alike.
		for _ in 0..5 {
			end_session();
		}
		let shares = ALL.map(|who| (share(&who) * 15.0).round() as u64);
		assert_eq!(shares, [1, 2, 4, 8]);
		ValidatorRegistry::do_try_state().unwrap();
	});
}

#[test]
#[should_panic = "not among its validators"]
fn genesis_should_refuse_work_of_a_stranger() {
	chain_with_work(&ALL, &[(EVE, 1)]);
}

#[test]
fn weights_should_follow_the_work_of_linked_workers() {
	build_and_execute(|| {
		assert_ok!(ValidatorRegistry::link_worker(signed(&BOB), EVE));
		assert_ok!(ValidatorRegistry::accept_link(signed(&EVE), BOB));
		<ValidatorRegistry as LotteryWork>::note_work(&EVE, 1_000_000);
		// While it may fail an audit it weighs nothing.
		end_session();
		assert_eq!(weights(), [1; 4]);

		ClosedBefore::set(1);
		ValidatorRegistry::on_initialize(System::block_number());
		end_session();
		assert_has(Event::WeightsAnnounced { session: 3 });
		assert!(share(&BOB) > 0.31 && share(&BOB) <= 0.312_501, "{}", share(&BOB));
		assert!((share(&ALICE) - share(&DAVE)).abs() < 1e-6);
	});
}

#[test]
fn a_share_should_grow_by_a_quarter_a_session_up_to_the_cap() {
	build_and_execute(|| {
		let mut before = 0.25;
		for _ in 0..6 {
			give([1_000, 0, 0, 0]);
			end_session();
			let now = share(&ALICE);
			assert!(now <= before * 1.25 + 1e-5, "{before}, {now}");
			before = now;
		}
		// Two and a half times an equal share.
		assert!((before - 0.625).abs() < 1e-5, "{before}");
	});
}

#[test]
fn a_newcomer_should_begin_small_whatever_it_did() {
	build_and_execute(|| {
		give([10, 10, 10, 10]);
		register(&EVE, MINIMUM);
		let sum = u128::MAX;
		VerifiedWorkOf::<Test>::insert(EVE, VerifiedWork { sum, session: 0 });
		end_session();
		assert_eq!(SlotWeights::<Test>::get().len(), 5);
		assert!(share(&EVE) < 1.0 / 16.0, "{}", share(&EVE));
	});
}

#[test]
fn candidates_should_be_chosen_by_stake_and_not_by_work() {
	build_and_execute(|| {
		register(&EVE, MINIMUM + 5);
		register(&FERDIE, MINIMUM + 6);
		// DAVE staked least, of those the last.
		give([0, 0, 0, 1_000_000]);
		end_session();
		end_session();
		assert_eq!(Session::validators(), vec![ALICE, BOB, CHARLIE, EVE, FERDIE]);
		assert_eq!(share(&DAVE), 0.0);
	});
}

#[test]
fn weights_should_be_defined_when_work_is_as_much_as_fits() {
	build_and_execute(|| {
		give([u128::MAX; 4]);
		end_session();
		assert_eq!(weights(), [1; 4]);
		give([u128::MAX, 0, u128::MAX, 1]);
		end_session();
		let weights = weights();
		assert!(weights.iter().all(|weight| *weight > 0));
		assert!(weights.iter().sum::<u64>() < 1 << 32);
	});
}

#[test]
fn an_empty_set_should_leave_the_weights_as_they_are() {
	build_and_execute(|| {
		give([1, 2, 4, 8]);
		assert_state_unchanged(|| {
			assert!(ValidatorRegistry::announce_weights(&[]).is_empty());
		});
	});
}

#[test]
fn a_lone_validator_should_have_all_the_weight() {
	chain_of(&[ALICE]).execute_with(|| {
		MinValidators::set(1);
		VerifiedWorkOf::<Test>::insert(ALICE, VerifiedWork { sum: 7, session: 0 });
		end_session();
		assert_eq!(weights(), [1]);
		ValidatorRegistry::do_try_state().unwrap();
	});
}

#[test]
fn the_rest_should_share_the_lottery_when_a_validator_leaves() {
	let work = [(ALICE, 1_000), (BOB, 1_000), (CHARLIE, 2_000), (DAVE, 4_000)];
	chain_with_work(&ALL, &work).execute_with(|| {
		assert_ok!(ValidatorRegistry::chill(signed(&DAVE)));
		end_session();
		let all = ValidatorRegistry::slot_weights();
		assert_eq!(all, vec![(ALICE, 1), (BOB, 1), (CHARLIE, 2)]);
		ValidatorRegistry::do_try_state().unwrap();
	});
}
