//! `settle_batch`.

use super::fixtures::*;
use crate::{mock::*, Error, Event, WeightInfo};
use aria_primitives::record::Batch;
use frame_support::{
	assert_ok,
	dispatch::{DispatchResultWithPostInfo, GetDispatchInfo, Pays},
};
use sp_core::H256;

const BOTH: [u8; 2] = [WORKER, WORKER + 1];

fn submit(batch: Batch) -> DispatchResultWithPostInfo {
	Market::settle_batch(signed(SUBMITTER), Box::new(batch))
}

fn refuse_batch(batch: Batch, error: Error<Test>) {
	assert_state_unchanged(|| submit(batch), error);
}

fn because(error: Error<Test>) -> sp_runtime::DispatchError {
	error.into()
}

/// The entries that were refused, with why.
fn failures() -> Vec<(u32, sp_runtime::DispatchError)> {
	market_events()
		.into_iter()
		.filter_map(|event| match event {
			Event::SettlementFailed { index, error, .. } => Some((index, error)),
			_ => None,
		})
		.collect()
}

#[test]
fn settle_batch_should_settle_all_when_each_node_signed_once() {
	with_setup(|| {
		let drafts = [Draft::new(2), Draft::new(2).nonce(2), Draft::new(1).nonce(3)];
		let result = submit(batch_of(&drafts, &BOTH));
		assert_eq!(result.unwrap().pays_fee, Pays::No);

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
		let result = submit(batch_of(&drafts, &BOTH));
		assert_eq!(result.unwrap().pays_fee, Pays::Yes);

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
		assert_ok!(submit(batch_of(&drafts, &BOTH)));
		assert_eq!(
			failures(),
			vec![(1, because(Error::AlreadySettled)), (2, because(Error::PriceAboveTicket)),]
		);
	});
}

#[test]
fn settle_batch_should_count_missing_nodes_as_unsigned_when_grace_is_over() {
	with_setup(|| {
		let fresh = Draft::new(2);
		let late = Draft::new(2).nonce(2).anchored(NOW - GRACE - 1);
		assert_ok!(submit(batch_of(&[fresh.clone(), late.clone()], &[WORKER + 1])));
		assert_eq!(failures(), vec![(0, because(Error::MissingSignature))]);
		assert_eq!(work_notes().len(), 1);
		assert_eq!(work_notes()[0].worker, worker(1));

		let last_missing = batch_of(&[late.nonce(3)], &[WORKER]);
		refuse_batch(last_missing, Error::BatchFailed);
	});
}

#[test]
fn settle_batch_should_refuse_an_entry_when_its_id_is_not_its_bodys() {
	with_setup(|| {
		let mut entries = batch_of(&[Draft::new(2), Draft::new(2).nonce(2)], &[]).entries;
		entries[1].body.output_tokens = 1;
		assert_ok!(submit(sign_batch(entries.into_inner(), &BOTH)));
		assert_eq!(failures(), vec![(1, because(Error::RecordIdMismatch))]);
	});
}

#[test]
fn settle_batch_should_settle_requests_when_they_were_matched() {
	with_setup(|| {
		let id = Asked::default().by(REQUESTER).unwrap();
		assert_ok!(Market::match_request(signed(GATEWAY), id, matched(2)));
		let mut entries = batch_of(&[Draft::new(2)], &[]).entries;
		let settlement = answer(id, Draft::new(2).body);
		let entry = aria_primitives::record::BatchEntry {
			id: settlement.id,
			body: settlement.body,
			payment: settlement.payment,
		};
		entries.try_push(entry).unwrap();
		let result = submit(sign_batch(entries.into_inner(), &BOTH));
		assert_eq!(result.unwrap().pays_fee, Pays::No);
		assert_eq!(Market::escrow(requester()).held, DEPOSIT - 2 * PRICE);
	});
}

#[test]
fn settle_batch_should_fail_when_it_is_empty_or_badly_signed() {
	with_setup(|| {
		let good = batch_of(&[Draft::new(2)], &BOTH);
		refuse_batch(batch_of(&[], &BOTH), Error::EmptyBatch);

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
		other.entries = batch_of(&[Draft::new(2).nonce(2)], &BOTH).entries;
		refuse_batch(other, Error::BadBatchSignature);

		assert_ok!(submit(good));
	});
}

#[test]
fn settle_batch_should_fail_when_no_entry_can_be_settled() {
	with_setup(|| {
		assert_ok!(settle(Draft::new(2).settlement()));
		refuse_batch(batch_of(&[Draft::new(2)], &BOTH), Error::BatchFailed);
		refuse_batch(batch_of(&[Draft::new(2).nonce(2)], &[]), Error::BatchFailed);
		assert_state_unchanged(
			|| Market::settle_batch(RuntimeOrigin::root(), Box::new(batch_of(&[], &[]))),
			sp_runtime::DispatchError::BadOrigin,
		);
	});
}

#[test]
fn settle_batch_should_weigh_by_signers_entries_and_stages_when_dispatched() {
	new_test_ext().execute_with(|| {
		let batch = Box::new(batch_of(&[Draft::new(2), Draft::new(3)], &BOTH));
		let weight = crate::Call::<Test>::settle_batch { batch }.get_dispatch_info().call_weight;
		assert_eq!(weight, <() as WeightInfo>::settle_batch(2, 2, 3));
	});
}
