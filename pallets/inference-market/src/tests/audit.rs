//! What audits take and give back.

use super::fixtures::*;
use crate::{
	mock::*, Error, Event, Forfeited, HoldReason, NextBucket, SharedTotal, Unvested, UnvestedTotal,
};
use aria_primitives::{
	ticket::AuditMode,
	traits::{RecordFunds, RecordStakes, StageStake},
	AccountId, ARIA,
};
use frame_support::{assert_noop, assert_ok};
use sp_core::H256;

const EPOCH: u64 = 5;
const SHARE: u128 = TOKEN_PRICE * 60 / 100 / 2;
const BURNT: u128 = TOKEN_PRICE * 15 / 100 / 2;

fn pot() -> AccountId {
	account(77)
}

/// Settles a record of two stages; the pot of audits exists.
fn settled() {
	assert_ok!(settle(Draft::new(2).settlement()));
	fund(&pot(), ED);
	System::reset_events();
}

fn fund(who: &AccountId, amount: u128) {
	use frame_support::traits::fungible::Mutate;
	assert_ok!(<Balances as Mutate<AccountId>>::mint_into(who, amount));
}

#[test]
fn settle_should_note_what_hangs_on_the_record() {
	with_setup(|| {
		let settlement = Draft::new(2).settlement();
		let id = settlement.id;
		assert_ok!(settle(settlement));
		let notes: Vec<u128> = work_notes().iter().map(|note| note.work).collect();
		let stages: Vec<StageStake> = notes
			.iter()
			.map(|work| StageStake { share: SHARE, burnt: BURNT, work: *work })
			.collect();
		let expected = RecordStakes {
			stages: stages.try_into().unwrap(),
			named: None,
			price: PRICE,
			// Author, audits, storage and bytes, and what is burnt.
			cost: PRICE - TOKEN_PRICE * 70 / 100,
			stake: STAKE,
		};
		assert_eq!(stakes(id), Some(expected));
	});
}

#[test]
fn settle_should_note_whom_the_requester_named() {
	with_setup(|| {
		let set = H256::repeat_byte(5);
		let mut draft = Draft::new(1);
		draft.ticket.audit_mode = AuditMode::Named(set);
		let settlement = draft.settlement();
		let id = settlement.id;
		assert_ok!(settle(settlement));
		assert_eq!(stakes(id).unwrap().named, Some(set));

		let mut draft = Draft::new(1).nonce(2);
		draft.ticket.audit_mode = AuditMode::None;
		let settlement = draft.settlement();
		let id = settlement.id;
		assert_ok!(settle(settlement));
		assert_eq!(stakes(id), None);
	});
}

#[test]
fn release_should_wait_when_an_audit_is_open() {
	with_setup(|| {
		settled();
		put("epoch", (), EPOCH + VESTING);
		put("open-audits", EPOCH, true);
		assert_noop!(
			Market::release(signed(SUBMITTER), EPOCH, worker(0)),
			Error::<Test>::EpochNotClosed
		);
		put("open-audits", EPOCH, false);
		assert_ok!(Market::release(signed(SUBMITTER), EPOCH, worker(0)));
	});
}

#[test]
fn withhold_should_take_a_share_out_of_its_bucket() {
	with_setup(|| {
		settled();
		let issued = issuance();
		assert_eq!(Market::withhold(EPOCH, &worker(0), SHARE - 1, &pot()), SHARE - 1);
		assert_eq!(free(&pot()), ED + SHARE - 1);
		assert_eq!(Unvested::<Test>::get(EPOCH, worker(0)), Some(1));
		assert_eq!(UnvestedTotal::<Test>::get(worker(0)), 1);

		// No more than there is, and nothing of others.
		assert_eq!(Market::withhold(EPOCH, &worker(0), SHARE, &pot()), 1);
		assert_eq!(Market::withhold(EPOCH, &worker(0), SHARE, &pot()), 0);
		assert!(!Unvested::<Test>::contains_key(EPOCH, worker(0)));
		assert!(!UnvestedTotal::<Test>::contains_key(worker(0)));
		assert_eq!(Market::withhold(EPOCH + 1, &worker(1), SHARE, &pot()), 0);
		assert_eq!(Unvested::<Test>::get(EPOCH, worker(1)), Some(SHARE));
		assert_eq!(issuance(), issued);
		assert_eq!(
			market_events(),
			vec![
				Event::Withheld { epoch: EPOCH, payee: worker(0), amount: SHARE - 1 },
				Event::Withheld { epoch: EPOCH, payee: worker(0), amount: 1 },
			]
		);
	});
}

#[test]
fn forfeit_should_take_everything_of_every_bucket_and_leave_what_comes_after() {
	with_setup(|| {
		settled();
		put("epoch", (), EPOCH + 1);
		assert_ok!(settle(Draft::new(2).nonce(2).settlement()));
		let issued = issuance();
		System::reset_events();
		assert_eq!(Market::forfeit(&stranger(), &pot()), 0);
		assert_eq!(Market::forfeit(&worker(0), &pot()), 2 * SHARE);
		assert_eq!(market_events(), vec![Event::Forfeited { payee: worker(0), amount: 2 * SHARE }]);
		assert_eq!(free(&pot()), ED + 2 * SHARE);
		assert_eq!(Market::forfeit(&worker(0), &pot()), 0);
		// What is still written down is nobody's.
		assert_eq!(Market::withhold(EPOCH, &worker(0), SHARE, &pot()), 0);
		assert_eq!(UnvestedTotal::<Test>::get(worker(0)), 0);

		// It may earn again, in the same epoch even.
		assert_ok!(settle(Draft::new(2).nonce(3).settlement()));
		assert_eq!(UnvestedTotal::<Test>::get(worker(0)), SHARE);
		Market::do_try_state().unwrap();
		put("epoch", (), EPOCH + 1 + VESTING);
		let release = |epoch, seed| Market::release(signed(SUBMITTER), epoch, worker(seed));
		assert_noop!(release(EPOCH, 0), Error::<Test>::NothingToRelease);
		assert_ok!(release(EPOCH, 1));
		assert_ok!(release(EPOCH + 1, 0));
		assert_eq!(free(&worker(0)), SHARE);
		assert!(issuance() < issued, "what was to be burnt is");
		Market::do_try_state().unwrap();
	});
}

#[test]
fn idle_time_should_drop_what_was_forfeited() {
	with_setup(|| {
		use frame_support::{traits::Hooks, weights::Weight};
		settled();
		put("epoch", (), EPOCH + 1);
		assert_eq!(Market::forfeit(&worker(0), &pot()), SHARE);
		assert!(Unvested::<Test>::contains_key(EPOCH, worker(0)));
		NextBucket::<Test>::put(EPOCH);
		put("epoch", (), EPOCH + VESTING);
		for _ in 0..4 {
			Market::on_idle(NOW, Weight::MAX);
		}
		assert_eq!(Unvested::<Test>::iter_prefix(EPOCH).count(), 0);
		assert!(!Forfeited::<Test>::contains_key(worker(0)));
		assert_eq!((free(&worker(0)), free(&worker(1))), (0, SHARE));
		Market::do_try_state().unwrap();
	});
}

#[test]
fn nothing_should_vest_past_an_open_audit_of_an_earlier_epoch() {
	with_setup(|| {
		settled();
		put("epoch", (), EPOCH + 1);
		assert_ok!(settle(Draft::new(2).nonce(2).settlement()));
		put("epoch", (), EPOCH + 1 + VESTING);
		put("open-audits", EPOCH, true);
		assert_noop!(
			Market::release(signed(SUBMITTER), EPOCH + 1, worker(0)),
			Error::<Test>::EpochNotClosed
		);
		put("open-audits", EPOCH, false);
		assert_ok!(Market::release(signed(SUBMITTER), EPOCH + 1, worker(0)));
	});
}

#[test]
fn a_price_beyond_what_stakes_answer_for_should_stay_with_the_requester() {
	with_setup(|| {
		// The second stage has a stake whose tenth is a quarter of the price.
		put("stake", worker(1), TOKEN_PRICE / 4 * 10);
		put("price-limit", (), 100_000u128);
		let limit = TOKEN_PRICE / 4 * 10 / 1_000_000 * 100_000;
		let held = Market::escrow(requester()).held;
		let settlement = Draft::new(2).settlement();
		let id = settlement.id;
		assert_ok!(settle(settlement));
		assert!(market_events().contains(&Event::PriceLimited { id, tokens: limit }));
		let taken = limit + PRICE - TOKEN_PRICE;
		assert_eq!(Market::escrow(requester()).held, held - taken);
		assert_eq!(stakes(id).unwrap().price, taken);
		assert_eq!(Unvested::<Test>::get(EPOCH, worker(0)), Some(limit * 60 / 100 / 2));

		// Where nobody may check, no stake answers.
		let mut draft = Draft::new(2).nonce(2);
		draft.ticket.audit_mode = AuditMode::None;
		assert_ok!(settle(draft.settlement()));
		assert_eq!(Market::escrow(requester()).held, held - taken - PRICE);
	});
}

#[test]
fn shared_records_should_cost_no_more_than_the_least_stake_until_they_vest() {
	with_setup(|| {
		put("stake", worker(0), TOKEN_PRICE * 3 / 2);
		put("shared-limit", (), 1_000_000u128);
		let limit = TOKEN_PRICE * 3 / 2 / 1_000_000 * 1_000_000;
		for nonce in 1..4 {
			assert_ok!(settle(Draft::new(2).nonce(nonce).settlement()));
		}
		for worker in [worker(0), worker(1)] {
			assert_eq!(SharedTotal::<Test>::get(worker), limit);
		}
		// The second was paid in part, of the third its bytes alone.
		let limits: Vec<u128> = market_events()
			.into_iter()
			.filter_map(|event| match event {
				Event::PriceLimited { tokens, .. } => Some(tokens),
				_ => None,
			})
			.collect();
		assert_eq!(limits, [limit - TOKEN_PRICE, 0]);
		// Alone, a worker answers with what has not vested.
		assert_ok!(settle(Draft::new(1).nonce(4).settlement()));
		assert_eq!(SharedTotal::<Test>::get(worker(0)), limit);
		Market::do_try_state().unwrap();

		put("epoch", (), EPOCH + VESTING);
		assert_ok!(Market::release(signed(SUBMITTER), EPOCH, worker(0)));
		assert_eq!(SharedTotal::<Test>::get(worker(0)), 0);
		assert_eq!(SharedTotal::<Test>::get(worker(1)), limit);
		NextBucket::<Test>::put(EPOCH);
		use frame_support::{traits::Hooks, weights::Weight};
		for _ in 0..4 {
			Market::on_idle(NOW, Weight::MAX);
		}
		assert_eq!(SharedTotal::<Test>::get(worker(1)), 0);
		Market::do_try_state().unwrap();
	});
}

#[test]
fn refund_should_go_to_the_escrow_when_the_pot_has_it() {
	with_setup(|| {
		fund(&pot(), ED + 500);
		let held = on_hold(&requester(), HoldReason::Escrow);
		assert_eq!(Market::refund(&requester(), &pot(), 0), 0);
		assert_eq!(Market::refund(&requester(), &pot(), 501), 0);
		assert_eq!(Market::refund(&requester(), &pot(), 500), 500);
		assert_eq!(on_hold(&requester(), HoldReason::Escrow), held + 500);
		assert_eq!(Market::escrow(requester()).held, held + 500);
		assert_eq!(free(&pot()), ED);
	});
}

#[test]
fn a_slashed_gateway_should_take_nothing_new_until_its_stake_is_restored() {
	with_setup(|| {
		fund(&pot(), ED);
		let before = on_hold(&gateway(), HoldReason::GatewayStake);
		assert_eq!(Market::slash_gateway(&stranger(), ARIA, &pot()), 0);
		assert_noop!(Market::restore_gateway_stake(signed(GATEWAY)), Error::<Test>::AmountZero);
		assert_eq!(Market::slash_gateway(&gateway(), 10 * ARIA, &pot()), 10 * ARIA);
		assert_eq!(on_hold(&gateway(), HoldReason::GatewayStake), before - 10 * ARIA);
		assert_eq!(free(&pot()), ED + 10 * ARIA);

		let register = || {
			Market::register_key(
				signed(REQUESTER),
				account(50),
				gateway(),
				ALLOWANCE,
				HOURLY_CAP,
				KEY_EXPIRY,
			)
		};
		assert_noop!(register(), Error::<Test>::GatewayUnderstaked);
		// What it accepted is settled, as long as half of its stake is left.
		assert_ok!(settle(Draft::new(2).settlement()));
		assert_eq!(Market::slash_gateway(&gateway(), before / 2, &pot()), before / 2);
		assert_noop!(
			settle(Draft::new(2).nonce(2).settlement()).map_err(|error| error.error),
			Error::<Test>::GatewayUnderstaked
		);
		System::reset_events();
		assert_ok!(Market::restore_gateway_stake(signed(GATEWAY)));
		let amount = before / 2 + 10 * ARIA;
		assert_eq!(
			market_events(),
			vec![Event::GatewayStakeRestored { gateway: gateway(), amount }]
		);
		assert_eq!(on_hold(&gateway(), HoldReason::GatewayStake), before);
		assert_ok!(register());
		assert_noop!(
			Market::restore_gateway_stake(signed(STRANGER)),
			Error::<Test>::UnknownGateway
		);
		// No more than there is.
		assert_eq!(Market::slash_gateway(&gateway(), u128::MAX, &pot()), before);
		assert_eq!(Market::slash_gateway(&gateway(), 1, &pot()), 0);
	});
}
