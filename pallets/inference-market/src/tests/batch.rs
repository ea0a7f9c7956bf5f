//! `settle_batch`.

use super::fixtures::*;
use crate::{mock::*, record_bytes, Error, Event, WeightInfo};
use aria_primitives::record::{Batch, BatchEntry, Settlement};
use frame_support::{
	assert_ok,
	dispatch::{DispatchResultWithPostInfo, GetDispatchInfo, Pays},
};
use sp_core::H256;
use sp_runtime::DispatchError;

/// The gateway and the workers of two stages.
const ALL: [u8; 3] = [GATEWAY, WORKER, WORKER + 1];

fn submit(batch: Batch) -> DispatchResultWithPostInfo {
	Market::settle_batch(signed(SUBMITTER), Box::new(batch))
}

fn refuse_batch(batch: Batch, error: Error<Test>) {
	assert_state_unchanged(|| submit(batch).map_err(|refused| refused.error), error);
}

fn because(error: Error<Test>) -> DispatchError {
	error.into()
}

/// The entries that were refused, with why.
fn failures() -> Vec<(u32, DispatchError)> {
	market_events()
		.into_iter()
		.filter_map(|event| match event {
			Event::SettlementFailed { index, error, .. } => Some((index, error)),
			_ => None,
		})
		.collect()
}

/// A settlement as an entry.
fn entry(settlement: Settlement) -> BatchEntry {
	BatchEntry { id: settlement.id, body: settlement.body, payment: settlement.payment }
}

/// A request that the gateway matched to two workers.
fn matched_request() -> H256 {
	let id = Asked::default().by(REQUESTER).unwrap();
	assert_ok!(Market::match_request(signed(GATEWAY), id, matched(2)));
	id
}

#[test]
fn settle_batch_should_settle_all_when_each_account_signed_once() {
	with_setup(|| {
		let drafts = [Draft::new(2), Draft::new(2).nonce(2), Draft::new(1).nonce(3)];
		let result = submit(batch_of(&drafts, &ALL)).unwrap();
		assert_eq!((result.pays_fee, result.actual_weight), (Pays::No, None));

		assert_eq!(work_notes().len(), 5);
		assert_eq!(audit_notes().len(), 3);
		let events = market_events();
		assert_eq!(events.last(), Some(&Event::BatchSettled { settled: 3, failed: 0 }));
		let settled = |event: &&Event<Test>| matches!(event, Event::Settled { .. });
		assert_eq!(events.iter().filter(settled).count(), 3);
	});
}

#[test]
fn settle_batch_should_leave_others_alone_when_an_entry_fails() {
	with_setup(|| {
		let mut poor = Draft::new(2).nonce(2);
		poor.ticket.max_price = 1;
		let mut replayed = Draft::new(2);
		replayed.body.output_hash = H256::zero();
		let drafts = [Draft::new(2), poor, replayed, Draft::new(2).nonce(3)];
		// The price of the good ones is enough for the places of all.
		let result = submit(batch_of(&drafts, &ALL));
		assert_eq!(result.unwrap().pays_fee, Pays::No);

		assert_eq!(market_events().last(), Some(&Event::BatchSettled { settled: 2, failed: 2 }));
		assert_eq!(Market::escrow(requester()).held, DEPOSIT - 2 * PRICE);
		assert_eq!(Market::spending_key(spending_key()).unwrap().spent, 2 * PRICE);
		assert_eq!(work_notes().len(), 4);
		assert_eq!(audit_notes().len(), 2);
		// The nonce of the refused ticket is still good.
		assert_ok!(settle(Draft::new(2).nonce(2).settlement()));
	});
}

#[test]
fn settle_batch_should_say_why_when_entries_fail() {
	with_setup(|| {
		let mut poor = Draft::new(2).nonce(2);
		poor.ticket.max_price = 1;
		let drafts = [Draft::new(2), Draft::new(2), poor];
		assert_ok!(submit(batch_of(&drafts, &ALL)));
		assert_eq!(
			failures(),
			vec![(1, because(Error::AlreadySettled)), (2, because(Error::PriceAboveTicket)),]
		);
	});
}

#[test]
fn settle_batch_should_use_what_pays_once_when_entries_share_it() {
	with_setup(|| {
		let request = matched_request();
		let other = |mut draft: Draft| {
			draft.body.output_hash = H256::zero();
			draft
		};
		let mut poor = Draft::new(2).nonce(2);
		poor.ticket.max_price = 1;
		let drafts = [Draft::new(2), other(Draft::new(2)), poor, Draft::new(2).nonce(2)];
		let mut entries = batch_of(&drafts, &[]).entries.into_inner();
		entries.push(entry(answer(request, Draft::new(2).body)));
		entries.push(entry(answer(request, other(Draft::new(2)).body)));
		assert_ok!(submit(sign_batch(entries, &ALL)));

		// What a refused entry would have used is still there for the next one.
		assert_eq!(
			failures(),
			vec![
				(1, because(Error::TicketReplayed)),
				(2, because(Error::PriceAboveTicket)),
				(5, because(Error::UnknownRequest)),
			]
		);
		assert_eq!(Market::escrow(requester()).held, DEPOSIT - 3 * PRICE);
	});
}

#[test]
fn settle_batch_should_count_missing_nodes_as_unsigned_when_grace_is_over() {
	with_setup(|| {
		let fresh = Draft::new(2);
		let late = Draft::new(2).nonce(2).anchored(NOW - GRACE - 1);
		assert_ok!(submit(batch_of(&[fresh.clone(), late.clone()], &[GATEWAY, WORKER + 1])));
		assert_eq!(failures(), vec![(0, because(Error::MissingSignature))]);
		assert_eq!(work_notes().len(), 1);
		assert_eq!(work_notes()[0].worker, worker(1));

		let last_missing = batch_of(&[late.nonce(3)], &[GATEWAY, WORKER]);
		refuse_batch(last_missing, Error::BatchFailed);
	});
}

#[test]
fn settle_batch_should_refuse_an_entry_when_its_gateway_did_not_sign() {
	with_setup(|| {
		refuse_batch(batch_of(&[Draft::new(2)], &[WORKER, WORKER + 1]), Error::BatchFailed);

		// Of two gateways only one signed.
		let (key, limit, expiry) = (60, 100 * PRICE, KEY_EXPIRY);
		assert_ok!(Market::register_gateway(signed(STRANGER)));
		put("offer", (MODEL, stranger()), OFFER);
		let origin = signed(REQUESTER);
		assert_ok!(Market::register_key(origin, account(key), stranger(), limit, limit, expiry));
		let mut foreign = Draft::new(2).nonce(2);
		foreign.ticket.gateway = stranger();
		foreign.ticket.key = account(key);
		foreign.signer = key;
		assert_ok!(submit(batch_of(&[Draft::new(2), foreign.clone()], &ALL)));
		assert_eq!(failures(), vec![(1, because(Error::BadGatewaySignature))]);

		let both = [GATEWAY, STRANGER, WORKER, WORKER + 1];
		assert_ok!(submit(batch_of(&[Draft::new(2).nonce(3), foreign], &both)));
		assert_eq!(failures(), vec![]);
	});
}

#[test]
fn settle_batch_should_refuse_a_request_when_the_gateway_that_matched_did_not_sign() {
	with_setup(|| {
		let answered = entry(answer(matched_request(), Draft::new(2).body));
		let batch = sign_batch(vec![answered.clone()], &[WORKER, WORKER + 1, STRANGER]);
		refuse_batch(batch, Error::BatchFailed);
		assert_ok!(submit(sign_batch(vec![answered], &ALL)));
	});
}

#[test]
fn settle_batch_should_refuse_an_entry_when_its_id_is_not_its_bodys() {
	with_setup(|| {
		let mut entries = batch_of(&[Draft::new(2), Draft::new(2).nonce(2)], &[]).entries;
		entries[1].body.output_tokens = 1;
		assert_ok!(submit(sign_batch(entries.into_inner(), &ALL)));
		assert_eq!(failures(), vec![(1, because(Error::RecordIdMismatch))]);
	});
}

#[test]
fn settle_batch_should_settle_requests_when_they_were_matched() {
	with_setup(|| {
		let id = matched_request();
		let mut entries = batch_of(&[Draft::new(2)], &[]).entries;
		entries.try_push(entry(answer(id, Draft::new(2).body))).unwrap();
		let result = submit(sign_batch(entries.into_inner(), &ALL));
		assert_eq!(result.unwrap().pays_fee, Pays::No);
		assert_eq!(Market::escrow(requester()).held, DEPOSIT - 2 * PRICE);
	});
}

#[test]
fn settle_batch_should_cost_the_fee_when_its_prices_are_dust() {
	with_setup(|| {
		two_stages_free_from(PRICE);
		let cost = |nonce: u64, output_tokens: u32| {
			let mut other = Draft::new(2).nonce(nonce + 1);
			other.body.output_tokens = output_tokens;
			let batch = batch_of(&[Draft::new(2).nonce(nonce), other], &ALL);
			submit(batch).unwrap().pays_fee
		};
		assert_eq!(cost(1, 50), Pays::No);
		assert_eq!(cost(3, 51), Pays::No);
		assert_eq!(cost(5, 49), Pays::Yes);
		// All the same they are settled.
		assert_eq!(market_events().last(), Some(&Event::BatchSettled { settled: 2, failed: 0 }));

		// Prices together count, not each.
		two_stages_free_from(PRICE + OFFER.output_price / 2);
		assert_eq!(cost(7, 51), Pays::No);
		assert_eq!(cost(9, 50), Pays::Yes);
	});
}

#[test]
fn settle_batch_should_have_failed_entries_covered_when_it_is_free() {
	with_setup(|| {
		// As when its requester revokes a key while the batch is on its way.
		let foreign = |nonce: u64, stages: u8| {
			let mut draft = Draft::new(stages).nonce(nonce);
			draft.ticket.key = stranger();
			draft.signer = STRANGER;
			draft
		};
		let cost = |drafts: &[Draft]| submit(batch_of(drafts, &ALL)).unwrap().pays_fee;
		let one = || Draft::new(1);
		let single = TOKEN_PRICE + u128::from(record_bytes(1)) * BYTE_FEE;
		MockFreeFrom::set(single / 2);
		assert_eq!(cost(&[one().nonce(1), foreign(2, 1)]), Pays::No);
		assert_eq!(failures(), vec![(1, because(Error::UnknownKey))]);
		// The place of a record of more stages is dearer.
		assert_eq!(cost(&[one().nonce(3), foreign(4, 2)]), Pays::Yes);
		assert_eq!(cost(&[one().nonce(5), foreign(6, 1), foreign(7, 1)]), Pays::Yes);
		assert_eq!(cost(&[one().nonce(8), one().nonce(9), foreign(10, 2)]), Pays::No);
	});
}

#[test]
fn settle_batch_should_fail_when_it_is_empty_or_badly_signed() {
	with_setup(|| {
		let good = batch_of(&[Draft::new(2)], &ALL);
		refuse_batch(batch_of(&[], &ALL), Error::EmptyBatch);

		let mut descending = good.clone();
		let first = descending.signatures[0].clone();
		descending.signatures[0] = descending.signatures[1].clone();
		descending.signatures[1] = first.clone();
		refuse_batch(descending, Error::BatchSignersUnordered);

		let mut twice = good.clone();
		twice.signatures[1] = first;
		refuse_batch(twice, Error::BatchSignersUnordered);

		let mut foreign = good.clone();
		foreign.signatures[0].1 = sign(STRANGER, &H256::zero());
		refuse_batch(foreign, Error::BadBatchSignature);

		// Signatures over other entries.
		let mut other = good.clone();
		other.entries = batch_of(&[Draft::new(2).nonce(2)], &ALL).entries;
		refuse_batch(other, Error::BadBatchSignature);

		assert_ok!(submit(good));
	});
}

#[test]
fn settle_batch_should_fail_when_no_entry_can_be_settled() {
	with_setup(|| {
		assert_ok!(settle(Draft::new(2).settlement()));
		refuse_batch(batch_of(&[Draft::new(2)], &ALL), Error::BatchFailed);
		refuse_batch(batch_of(&[Draft::new(2).nonce(2)], &[]), Error::BatchFailed);
		assert_state_unchanged(
			|| Market::settle_batch(RuntimeOrigin::root(), Box::new(batch_of(&[], &[]))),
			DispatchError::BadOrigin,
		);
	});
}

#[test]
fn settle_batch_should_weigh_little_for_entries_when_they_are_settled() {
	with_setup(|| {
		let again = <() as WeightInfo>::settle_again().saturating_mul(2);
		let drafts: Vec<_> = (1..=3).map(|nonce| Draft::new(2).nonce(nonce)).collect();
		assert_ok!(submit(batch_of(&drafts[..2], &ALL)));

		let refused = submit(batch_of(&drafts[..2], &ALL)).unwrap_err();
		assert_eq!(refused.error, because(Error::BatchFailed));
		let declared = <() as WeightInfo>::settle_batch(3, 2, 2, 0);
		assert!(again.ref_time() < declared.ref_time() / 4);
		assert_eq!(refused.post_info.actual_weight, Some(again.min(declared)));
		assert_eq!(refused.post_info.pays_fee, Pays::Yes);

		System::reset_events();
		let partly = submit(batch_of(&drafts, &ALL)).unwrap();
		let settled = because(Error::AlreadySettled);
		assert_eq!(failures(), vec![(0, settled), (1, settled)]);
		let one = <() as WeightInfo>::settle_batch(3, 1, 1, 0);
		let declared = <() as WeightInfo>::settle_batch(3, 3, 3, 0);
		assert_eq!(partly.actual_weight, Some((one + again).min(declared)));
		assert_eq!(partly.pays_fee, Pays::Yes);
	});
}

#[test]
fn settle_batch_should_weigh_by_signers_entries_and_stages_when_dispatched() {
	new_test_ext().execute_with(|| {
		let weight = |batch: Batch| {
			let batch = Box::new(batch);
			crate::Call::<Test>::settle_batch { batch }.get_dispatch_info().call_weight
		};
		// The third stage of the second record does not sign.
		let batch = batch_of(&[Draft::new(2), Draft::new(3)], &ALL);
		assert_eq!(weight(batch), <() as WeightInfo>::settle_batch(3, 2, 2, 1));

		let nobody = batch_of(&[Draft::new(2), Draft::new(3)], &[]);
		assert_eq!(weight(nobody), <() as WeightInfo>::settle_batch(0, 2, 0, 5));

		let answered = entry(answer(H256::zero(), Draft::new(2).body));
		let (one, by_request) =
			(<() as WeightInfo>::settle(1), <() as WeightInfo>::settle_request(1));
		let expected = <() as WeightInfo>::settle_batch(3, 1, 1, 0)
			.saturating_add(by_request.saturating_sub(one));
		assert_eq!(weight(sign_batch(vec![answered], &ALL)), expected);
	});
}
