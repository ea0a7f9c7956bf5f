//! `release`, `claim`, and what idle time pays.

use super::fixtures::*;
use crate::{
	mock::*, Error, Event, NextBucket, Unclaimed, Unvested, UnvestedBurn, UnvestedTotal, WeightInfo,
};
use aria_primitives::{traits::Offer, AccountId, ARIA};
use frame_support::{
	assert_noop, assert_ok,
	traits::{fungible::Mutate, Hooks},
	weights::Weight,
};
use sp_runtime::TokenError;

const EPOCH: u64 = 5;
const SHARE: u128 = TOKEN_PRICE * 60 / 100 / 2;
const BURN: u128 = TOKEN_PRICE * 15 / 100;

/// A settled record whose bucket is closed.
fn closed() {
	assert_ok!(settle(Draft::new(2).settlement()));
	put("epoch", (), EPOCH + VESTING);
	System::reset_events();
}

fn release(payee: AccountId) -> sp_runtime::DispatchResult {
	Market::release(signed(SUBMITTER), EPOCH, payee)
}

#[test]
fn release_should_pay_and_burn_when_the_bucket_is_closed() {
	with_setup(|| {
		let issued = issuance();
		closed();
		assert_ok!(release(worker(0)));

		assert_eq!(free(&worker(0)), SHARE);
		assert_eq!(issuance(), issued - BURN);
		assert_eq!(UnvestedBurn::<Test>::get(EPOCH), 0);
		assert!(!UnvestedTotal::<Test>::contains_key(worker(0)));
		assert_eq!(
			market_events(),
			vec![
				Event::Burnt { epoch: EPOCH, amount: BURN },
				Event::Released { epoch: EPOCH, payee: worker(0), amount: SHARE },
			]
		);
		assert_ok!(release(worker(1)));
		assert_eq!(issuance(), issued - BURN);
	});
}

#[test]
fn release_should_fail_when_the_bucket_is_open_or_empty() {
	with_setup(|| {
		closed();
		put("epoch", (), EPOCH + VESTING - 1);
		assert_noop!(release(worker(0)), Error::<Test>::EpochNotClosed);
		assert_noop!(
			Market::release(signed(SUBMITTER), u64::MAX, worker(0)),
			Error::<Test>::EpochNotClosed
		);
		put("epoch", (), EPOCH + VESTING);
		assert_noop!(release(stranger()), Error::<Test>::NothingToRelease);
		assert_ok!(release(worker(0)));
		assert_noop!(release(worker(0)), Error::<Test>::NothingToRelease);
	});
}

#[test]
fn release_should_wait_when_the_epoch_is_not_drawn() {
	with_setup(|| {
		closed();
		put("undrawn", EPOCH, true);
		assert_state_unchanged(|| release(worker(0)), Error::<Test>::EpochNotClosed);
		put("undrawn", EPOCH, false);
		assert_ok!(release(worker(0)));
		assert_eq!(free(&worker(0)), SHARE);
	});
}

#[test]
fn on_idle_should_wait_for_the_draw_when_it_is_late() {
	with_setup(|| {
		closed();
		NextBucket::<Test>::put(EPOCH);
		put("undrawn", EPOCH, true);
		put("epoch", (), EPOCH + 10 * VESTING);
		assert_eq!(Market::on_idle(NOW, Weight::MAX), <() as WeightInfo>::drain(0));
		assert_eq!(NextBucket::<Test>::get(), EPOCH);
		assert_eq!(Unvested::<Test>::iter_prefix(EPOCH).count(), 6);
		assert_eq!(UnvestedBurn::<Test>::get(EPOCH), BURN);

		put("undrawn", EPOCH, false);
		Market::on_idle(NOW, Weight::MAX);
		assert_eq!(Unvested::<Test>::iter_prefix(EPOCH).count(), 0);
		assert_eq!(free(&worker(0)), SHARE);
	});
}

#[test]
fn release_should_stake_and_pass_on_when_a_worker_lacks_stake() {
	with_setup(|| {
		closed();
		let (lacking, payout) = (2_000_000u128, account(77));
		put("lacking-stake", worker(0), lacking);
		put("payout", worker(0), payout.clone());
		assert_ok!(release(worker(0)));
		assert_eq!(free(&worker(0)), lacking);
		assert_eq!(free(&payout), SHARE - lacking);
	});
}

#[test]
fn release_should_leave_earnings_with_the_worker_when_its_payout_fails() {
	with_setup(|| {
		closed();
		let payout = account(77);
		put("lacking-stake", worker(0), SHARE - 1);
		put("payout", worker(0), payout.clone());
		assert_ok!(release(worker(0)));
		assert_eq!((free(&worker(0)), free(&payout)), (SHARE, 0));
	});
}

#[test]
fn release_should_keep_the_payment_when_the_account_can_not_exist() {
	with_setup(|| {
		put("offer", (MODEL, gateway()), Offer { prompt_price: 10, ..Default::default() });
		closed();
		let share = 800 * 60 / 100 / 2;
		assert_ok!(release(worker(0)));
		assert_eq!(Unclaimed::<Test>::get(worker(0)), Some(share));
		assert!(!UnvestedTotal::<Test>::contains_key(worker(0)));
		assert!(market_events().contains(&Event::PaymentKept { payee: worker(0), amount: share }));

		let claim = |payee| Market::claim(signed(SUBMITTER), payee);
		assert_noop!(claim(worker(0)), TokenError::BelowMinimum);
		assert_noop!(claim(stranger()), Error::<Test>::NothingToClaim);
		assert_ok!(Balances::mint_into(&worker(0), ED));
		assert_ok!(claim(worker(0)));
		assert_eq!(free(&worker(0)), ED + share);
		assert_eq!(market_events(), vec![Event::Claimed { payee: worker(0), amount: share }]);
		assert_noop!(claim(worker(0)), Error::<Test>::NothingToClaim);
	});
}

#[test]
fn on_idle_should_pay_closed_buckets_when_there_is_room() {
	with_setup(|| {
		let issued = issuance();
		assert_ok!(settle(Draft::new(2).settlement()));
		put("epoch", (), EPOCH + 1);
		assert_ok!(settle(Draft::new(2).nonce(2).settlement()));
		put("epoch", (), EPOCH + VESTING);

		// Five empty buckets, and three of six payees.
		let weight = Market::on_idle(NOW, Weight::MAX);
		assert_eq!(weight, <() as WeightInfo>::drain(8));
		assert_eq!(NextBucket::<Test>::get(), EPOCH);
		assert_eq!(Unvested::<Test>::iter_prefix(EPOCH).count(), 3);

		// The others, and the burn.
		let weight = Market::on_idle(NOW, Weight::MAX);
		assert_eq!(weight, <() as WeightInfo>::drain(4));
		assert_eq!(NextBucket::<Test>::get(), EPOCH + 1);
		assert_eq!(Unvested::<Test>::iter_prefix(EPOCH).count(), 0);
		assert_eq!(issuance(), issued - BURN);
		assert_eq!(free(&worker(0)), SHARE);

		// The next bucket is not closed.
		assert_eq!(Market::on_idle(NOW, Weight::MAX), <() as WeightInfo>::drain(0));
		assert_eq!(Unvested::<Test>::iter_prefix(EPOCH + 1).count(), 6);
	});
}

#[test]
fn on_idle_should_take_no_more_than_it_is_given_when_blocks_are_full() {
	with_setup(|| {
		NextBucket::<Test>::put(EPOCH);
		closed();
		let little = <() as WeightInfo>::drain(2);
		assert_eq!(Market::on_idle(NOW, little), little);
		assert_eq!(Unvested::<Test>::iter_prefix(EPOCH).count(), 4);
		assert_eq!(Market::on_idle(NOW, Weight::zero()), Weight::zero());
		assert_eq!(Unvested::<Test>::iter_prefix(EPOCH).count(), 4);
	});
}

#[test]
fn pot_should_keep_the_existential_deposit_when_everything_is_paid() {
	with_setup(|| {
		closed();
		for _ in 0..3 {
			Market::on_idle(NOW, Weight::MAX);
		}
		assert_eq!(free(&Market::pot()), ED);
		assert_eq!(free(&StoragePot::get()), TOKEN_PRICE * 5 / 100 + 427 * BYTE_FEE);
		assert!(free(&requester()) < 1_000_000 * ARIA);
	});
}
