use super::*;
use crate::{Error, Event, TotalMinted, TotalUnclaimed, Unclaimed};
use frame_support::{assert_noop, assert_ok, traits::fungible::Mutate};
use sp_runtime::DispatchError;

/// An era in which Alice earns so little that her account cannot come into being by it.
fn deferred(amount_burnt: Balance) {
	let era = RewardDistributor::current_era();
	note(WorkNote { burnt: amount_burnt, ..stage(alice(), 1_000) });
	settle(era);
}

#[test]
fn claim_should_mint_when_the_account_can_receive_it() {
	build_and_execute(|| {
		run_to(1);
		deferred(50);
		Balances::mint_into(&alice(), EXISTENTIAL_DEPOSIT).unwrap();

		assert_ok!(RewardDistributor::claim(RuntimeOrigin::signed(alice())));

		assert_eq!(balance(&alice()), EXISTENTIAL_DEPOSIT + 45);
		assert_eq!((TotalMinted::<Test>::get(), TotalUnclaimed::<Test>::get()), (45, 0));
		assert!(!Unclaimed::<Test>::contains_key(alice()));
		System::assert_last_event(Event::<Test>::Claimed { account: alice(), amount: 45 }.into());
	});
}

#[test]
fn claim_should_fail_when_nothing_was_deferred() {
	build_and_execute(|| {
		run_to(1);
		note(stage(alice(), 1_000));
		settle(0);

		assert_noop!(
			RewardDistributor::claim(RuntimeOrigin::signed(alice())),
			Error::<Test>::NothingToClaim
		);
		assert_noop!(
			RewardDistributor::claim_for(RuntimeOrigin::signed(alice()), bob()),
			Error::<Test>::NothingToClaim
		);
	});
}

#[test]
fn claim_should_fail_when_it_was_claimed_before() {
	build_and_execute(|| {
		run_to(1);
		deferred(50);
		Balances::mint_into(&alice(), EXISTENTIAL_DEPOSIT).unwrap();
		assert_ok!(RewardDistributor::claim(RuntimeOrigin::signed(alice())));

		assert_noop!(
			RewardDistributor::claim(RuntimeOrigin::signed(alice())),
			Error::<Test>::NothingToClaim
		);
	});
}

#[test]
fn claim_should_fail_when_the_account_still_cannot_receive_it() {
	build_and_execute(|| {
		run_to(1);
		deferred(50);

		assert_noop!(
			RewardDistributor::claim(RuntimeOrigin::signed(alice())),
			Error::<Test>::CannotReceive
		);
		assert_noop!(
			RewardDistributor::claim_for(RuntimeOrigin::signed(bob()), alice()),
			Error::<Test>::CannotReceive
		);
		assert_eq!(Unclaimed::<Test>::get(alice()), 45);
	});
}

#[test]
fn claim_should_fail_when_it_is_not_signed() {
	build_and_execute(|| {
		run_to(1);

		assert_noop!(RewardDistributor::claim(RuntimeOrigin::root()), DispatchError::BadOrigin);
		assert_noop!(
			RewardDistributor::claim_for(RuntimeOrigin::none(), alice()),
			DispatchError::BadOrigin
		);
	});
}

#[test]
fn claim_for_should_mint_when_enough_has_been_added_up() {
	build_and_execute(|| {
		run_to(1);
		deferred(60);
		deferred(60);
		assert_eq!(RewardDistributor::unclaimed(alice()), 108);

		assert_ok!(RewardDistributor::claim_for(RuntimeOrigin::signed(bob()), alice()));

		assert_eq!(balance(&alice()), 108);
		assert_eq!(balance(&bob()), 0);
		System::assert_last_event(Event::<Test>::Claimed { account: alice(), amount: 108 }.into());
	});
}
