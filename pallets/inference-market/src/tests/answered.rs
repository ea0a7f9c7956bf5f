//! What a gateway's stake answers for, and `raise_gateway_stake`.

use super::fixtures::*;
use crate::{
	mock::*, record_bytes, Answered, AnsweredTotal, Error, Event, HoldReason, NextBucket,
	SharedTotal,
};
use aria_primitives::{
	record::{settlement_digest, Settlement},
	ticket::AuditMode,
	traits::{Offer, RecordFunds},
	AccountId, ARIA,
};
use frame_support::{
	assert_noop, assert_ok,
	dispatch::Pays,
	traits::{fungible::Mutate, Hooks},
	weights::Weight,
};
use sp_core::H256;
use sp_runtime::TokenError;

const EPOCH: u64 = 5;
const GATEWAY_STAKE: u128 = 1_000 * ARIA;
/// Sixteen times as much as [`OFFER`].
const DEAR: Offer =
	Offer { prompt_price: 1_600_000, cached_price: 800_000, output_price: 4_800_000 };
const COST: u128 = 16 * TOKEN_PRICE;
/// A millionth of the stake, so that it is enough for two records and a half.
const LIMIT: u128 = GATEWAY_STAKE / 1_000_000;

/// Runs `test` where a gateway answers for a millionth of its stake and workers have plenty.
fn with_bound(test: impl FnOnce()) {
	with_setup(|| {
		put("offer", (MODEL, gateway()), DEAR);
		put("shared-limit", (), 1u128);
		for index in 0..2 {
			put("stake", worker(index), 1_000_000 * ARIA);
		}
		test();
	});
}

fn fund(who: &AccountId, amount: u128) {
	assert_ok!(<Balances as Mutate<AccountId>>::mint_into(who, amount));
}

/// Takes stake of the gateway.
fn slash(amount: u128) {
	let pot = account(77);
	fund(&pot, ED);
	assert_eq!(Market::slash_gateway(&gateway(), amount, &pot), amount);
}

/// What records were paid for their tokens that were not paid in full, since the last call.
fn limited() -> Vec<u128> {
	let events = market_events().into_iter().filter_map(|event| match event {
		Event::PriceLimited { tokens, .. } => Some(tokens),
		_ => None,
	});
	events.collect()
}

/// Settles records of one stage with these nonces.
fn settle_all(nonces: core::ops::RangeInclusive<u64>) {
	for nonce in nonces {
		assert_ok!(settle(Draft::new(1).nonce(nonce).settlement()));
	}
}

fn answered(who: &AccountId) -> u128 {
	Market::do_try_state().unwrap();
	AnsweredTotal::<Test>::get(who)
}

/// A settlement of another gateway's, with a key that is bound to it.
fn settlement_of(seed: u8, key: u8, stages: u8) -> Settlement {
	let mut draft = Draft::new(stages);
	draft.ticket.gateway = account(seed);
	draft.ticket.key = account(key);
	draft.signer = key;
	let settlement = draft.settlement();
	let signed = stages_in(&settlement.signatures);
	let gateway_signature = sign(seed, &settlement_digest(&settlement.id, signed));
	Settlement { gateway_signature, ..settlement }
}

/// Makes an account a gateway with an offer, and a key of the requester's that is bound to it.
fn second_gateway(seed: u8, key: u8) {
	assert_ok!(Market::register_gateway(signed(seed)));
	put("offer", (MODEL, account(seed)), DEAR);
	assert_ok!(Market::register_key(
		signed(REQUESTER),
		account(key),
		account(seed),
		ALLOWANCE,
		HOURLY_CAP,
		KEY_EXPIRY,
	));
}

#[test]
fn records_should_cost_no_more_than_the_gateways_stake_until_they_vest() {
	with_bound(|| {
		settle_all(1..=3);
		// The third one was paid in part, of the next its bytes alone, which is dust.
		assert_eq!(limited(), [LIMIT - 2 * COST]);
		assert_eq!(answered(&gateway()), LIMIT);
		let dust = settle(Draft::new(1).nonce(4).settlement()).unwrap();
		assert_eq!((dust.pays_fee, limited()), (Pays::Yes, vec![0]));
		assert_eq!(answered(&gateway()), LIMIT);
		let bytes = 4 * u128::from(record_bytes(1)) * BYTE_FEE;
		assert_eq!(Market::escrow(requester()).held, DEPOSIT - LIMIT - bytes);
		// Records of one stage count for no worker.
		assert_eq!(SharedTotal::<Test>::get(worker(0)), 0);
	});
}

#[test]
fn records_of_several_stages_should_count_too() {
	with_bound(|| {
		for nonce in 1..=4 {
			assert_ok!(settle(Draft::new(2).nonce(nonce).settlement()));
		}
		assert_eq!(limited(), [LIMIT - 2 * COST, 0]);
		assert_eq!(answered(&gateway()), LIMIT);
		// What the gateway's stake does not answer for is not paid by the workers' bound either.
		assert_eq!(SharedTotal::<Test>::get(worker(0)), LIMIT);
		// The least of all bounds counts.
		put("stake", worker(1), 0u128);
		put("shared-limit", (), 2u128);
		assert_ok!(settle(Draft::new(2).nonce(5).settlement()));
		assert_eq!((limited(), answered(&gateway())), (vec![0], LIMIT));
	});
}

#[test]
fn nothing_should_be_counted_where_stakes_answer_for_everything() {
	with_setup(|| {
		put("offer", (MODEL, gateway()), DEAR);
		settle_all(1..=4);
		assert_eq!(limited(), Vec::<u128>::new());
		assert_eq!((answered(&gateway()), Answered::<Test>::iter().count()), (0, 0));
	});
}

#[test]
fn a_closed_bucket_should_make_room_when_it_is_released() {
	with_bound(|| {
		settle_all(1..=3);
		put("epoch", (), EPOCH + 1);
		settle_all(4..=4);
		assert_eq!(limited(), [LIMIT - 2 * COST, 0]);

		put("epoch", (), EPOCH + VESTING);
		put("open-audits", EPOCH, true);
		let release = || Market::release(signed(SUBMITTER), EPOCH, gateway());
		assert_noop!(release(), Error::<Test>::EpochNotClosed);
		put("open-audits", EPOCH, false);
		assert_ok!(release());
		assert_eq!(answered(&gateway()), 0);
		settle_all(5..=6);
		assert_eq!((limited(), answered(&gateway())), (vec![], 2 * COST));
	});
}

#[test]
fn idle_time_should_make_room_within_its_steps() {
	with_bound(|| {
		settle_all(1..=3);
		NextBucket::<Test>::put(EPOCH);
		put("epoch", (), EPOCH + VESTING);
		// The worker, the gateway, the author and two pots are paid; the gateway's room comes with its pay.
		assert_eq!(Market::drain(5), 5);
		assert_eq!((answered(&gateway()), NextBucket::<Test>::get()), (0, EPOCH));
		assert_eq!((Market::drain(9), NextBucket::<Test>::get()), (1, EPOCH + 1));
		settle_all(4..=5);
		assert_eq!(answered(&gateway()), 2 * COST);
		put("epoch", (), EPOCH + 2 * VESTING);
		for _ in 0..2 {
			Market::on_idle(NOW, Weight::MAX);
		}
		assert_eq!(answered(&gateway()), 0);
	});
}

#[test]
fn idle_time_should_take_what_is_shared_with_the_pay() {
	with_bound(|| {
		for nonce in 1..=2 {
			assert_ok!(settle(Draft::new(2).nonce(nonce).settlement()));
		}
		NextBucket::<Test>::put(EPOCH);
		put("epoch", (), EPOCH + VESTING);
		assert_eq!(SharedTotal::<Test>::get(worker(0)), 2 * COST);
		// Two workers, the gateway, the author and two pots: a step for each, and none for what counts
		// no more.
		assert_eq!(Market::drain(6), 6);
		for index in 0..2 {
			assert_eq!(SharedTotal::<Test>::get(worker(index)), 0);
		}
		assert_eq!((answered(&gateway()), Market::drain(9)), (0, 1));
	});
}

#[test]
fn records_that_nobody_may_check_should_not_count_and_named_ones_should() {
	with_bound(|| {
		let settle_with = |nonce, mode| {
			let mut draft = Draft::new(1).nonce(nonce);
			draft.ticket.audit_mode = mode;
			assert_ok!(settle(draft.settlement()));
		};
		settle_with(1, AuditMode::None);
		assert_eq!(answered(&gateway()), 0);
		settle_with(2, AuditMode::Named(H256::repeat_byte(4)));
		assert_eq!(answered(&gateway()), COST);
		settle_all(3..=4);
		assert_eq!((limited(), answered(&gateway())), (vec![LIMIT - 2 * COST], LIMIT));
		settle_with(5, AuditMode::Named(H256::repeat_byte(4)));
		assert_eq!(limited(), [0]);
		settle_with(6, AuditMode::None);
		assert_eq!((limited(), answered(&gateway())), (vec![], LIMIT));
	});
}

#[test]
fn requests_should_count_like_tickets() {
	with_bound(|| {
		let request = Asked { max_price: ARIA, ..Default::default() };
		let id = request.by(REQUESTER).unwrap();
		assert_ok!(Market::match_request(signed(GATEWAY), id, matched(2)));
		assert_ok!(settle(answer(id, Draft::new(2).body)));
		assert_eq!(answered(&gateway()), COST);
	});
}

#[test]
fn a_slashed_gateway_should_answer_for_what_is_left() {
	with_bound(|| {
		settle_all(1..=2);
		slash(100 * ARIA);
		settle_all(3..=3);
		let left = LIMIT / 10 * 9;
		assert_eq!((limited(), answered(&gateway())), (vec![left - 2 * COST], left));
		// More is unvested than it answers for.
		slash(300 * ARIA);
		settle_all(4..=4);
		assert_eq!((limited(), answered(&gateway())), (vec![0], left));
		assert_ok!(Market::restore_gateway_stake(signed(GATEWAY)));
		settle_all(5..=5);
		assert_eq!((limited(), answered(&gateway())), (vec![LIMIT - left], LIMIT));
	});
}

#[test]
fn gateways_should_answer_each_for_its_own_records() {
	with_bound(|| {
		second_gateway(STRANGER, 50);
		settle_all(1..=3);
		assert_eq!(limited(), [LIMIT - 2 * COST]);
		assert_ok!(settle(settlement_of(STRANGER, 50, 1)));
		assert_eq!(limited(), Vec::<u128>::new());
		assert_eq!((answered(&gateway()), answered(&stranger())), (LIMIT, COST));

		put("epoch", (), EPOCH + VESTING);
		assert_ok!(Market::release(signed(SUBMITTER), EPOCH, stranger()));
		assert_eq!((answered(&gateway()), answered(&stranger())), (LIMIT, 0));
	});
}

#[test]
fn a_gateway_that_works_too_should_have_two_sums() {
	with_bound(|| {
		fund(&worker(0), 2_000 * ARIA);
		second_gateway(WORKER, 50);
		settle_all(1..=1);
		assert_ok!(settle(Draft::new(2).nonce(2).settlement()));
		let sums = |who: &AccountId| (SharedTotal::<Test>::get(who), answered(who));
		assert_eq!(sums(&worker(0)), (COST, 0));
		assert_ok!(settle(settlement_of(WORKER, 50, 2)));
		assert_eq!(sums(&worker(0)), (2 * COST, COST));
		assert_eq!(sums(&gateway()), (0, 2 * COST));

		// A worker that fails loses its pay; its gateway's records are as they were.
		put("epoch", (), EPOCH + 1);
		let pot = account(77);
		fund(&pot, ED);
		assert!(Market::forfeit(&worker(0), &pot) > 0);
		assert_eq!(sums(&worker(0)), (2 * COST, COST));
		NextBucket::<Test>::put(EPOCH);
		put("epoch", (), EPOCH + VESTING);
		for _ in 0..3 {
			Market::on_idle(NOW, Weight::MAX);
		}
		assert_eq!((sums(&worker(0)), sums(&gateway())), ((0, 0), (0, 0)));
	});
}

#[test]
fn raise_gateway_stake_should_make_room() {
	with_bound(|| {
		settle_all(1..=4);
		assert_eq!(limited(), [LIMIT - 2 * COST, 0]);
		assert_ok!(Market::raise_gateway_stake(signed(GATEWAY), GATEWAY_STAKE));
		assert_eq!(
			market_events(),
			vec![Event::GatewayStakeRaised { gateway: gateway(), amount: GATEWAY_STAKE }]
		);
		assert_eq!(on_hold(&gateway(), HoldReason::GatewayStake), 2 * GATEWAY_STAKE);
		settle_all(5..=6);
		assert_eq!((limited(), answered(&gateway())), (vec![], LIMIT + 2 * COST));

		// Audits take from all of it, and what has to be there is there as long as they leave that.
		slash(GATEWAY_STAKE);
		assert_noop!(Market::restore_gateway_stake(signed(GATEWAY)), Error::<Test>::AmountZero);
		slash(ARIA);
		assert_ok!(Market::restore_gateway_stake(signed(GATEWAY)));
		assert_eq!(Market::gateway(gateway()).unwrap().stake, GATEWAY_STAKE);
		assert_ok!(Market::raise_gateway_stake(signed(GATEWAY), 5));
	});
}

#[test]
fn a_gateway_that_leaves_should_have_all_of_its_stake_back() {
	with_setup(|| {
		let before = free(&gateway());
		assert_ok!(Market::raise_gateway_stake(signed(GATEWAY), 7 * ARIA));
		assert_ok!(Market::unbond_gateway(signed(GATEWAY)));
		// It still settles what it accepted, and may answer for more of it.
		assert_ok!(Market::raise_gateway_stake(signed(GATEWAY), ARIA));
		assert_eq!(free(&gateway()), before - 8 * ARIA);
		run_to(NOW + UNBONDING);
		assert_ok!(Market::withdraw_gateway_stake(signed(GATEWAY)));
		assert_eq!(free(&gateway()), before + GATEWAY_STAKE);
		assert_eq!(on_hold(&gateway(), HoldReason::GatewayStake), 0);
	});
}

#[test]
fn raise_gateway_stake_should_fail_for_nothing_for_others_and_without_money() {
	with_setup(|| {
		assert_noop!(Market::raise_gateway_stake(signed(GATEWAY), 0), Error::<Test>::AmountZero);
		assert_noop!(
			Market::raise_gateway_stake(signed(STRANGER), ARIA),
			Error::<Test>::UnknownGateway
		);
		assert_noop!(
			Market::raise_gateway_stake(signed(GATEWAY), 1_000_000 * ARIA),
			TokenError::FundsUnavailable
		);
	});
}
