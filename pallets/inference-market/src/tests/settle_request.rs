//! `settle`: records that answer on-chain requests.

use super::fixtures::*;
use crate::{mock::*, Deadlines, Error, RequestState, Requests};
use aria_primitives::{
	record::LayerRange,
	ticket::AuditMode,
	traits::{Ledger, Obligations, Offer},
	PaymentHash,
};
use frame_support::{assert_ok, dispatch::Pays};
use sp_core::H256;

/// A request of the requester that the gateway matched to two workers.
fn matched_request(asked: Asked) -> PaymentHash {
	let id = asked.by(REQUESTER).unwrap();
	assert_ok!(Market::match_request(signed(GATEWAY), id, matched(2)));
	id
}

#[test]
fn settle_should_pay_and_close_when_a_request_is_answered() {
	with_setup(|| {
		let id = matched_request(Asked::default());
		let settlement = answer(id, Draft::new(2).body);
		let record = settlement.id;
		assert_eq!(settle(settlement).unwrap().pays_fee, Pays::No);

		let escrow = Market::escrow(requester());
		assert_eq!((escrow.held, escrow.reserved), (DEPOSIT - PRICE, 0));
		assert!(!Requests::<Test>::contains_key(id));
		assert!(!Deadlines::<Test>::contains_key(DEADLINE));
		let entry = <Mock as Ledger>::get(&record).unwrap();
		assert_eq!((entry.gateway, entry.requester), (gateway(), requester()));
		assert_eq!((entry.price, entry.auditable), (PRICE, true));
		assert_eq!(<Market as Obligations>::unvested(&gateway()), TOKEN_PRICE / 10);

		let mut again = Draft::new(2).body;
		again.output_hash = H256::zero();
		refuse(answer(id, again), Error::<Test>::UnknownRequest);
	});
}

#[test]
fn settle_should_take_no_more_than_offered_when_the_prompt_is_long() {
	with_setup(|| {
		let max_price = PRICE - 5_000_000;
		let id = matched_request(Asked { max_price, ..Default::default() });
		assert_ok!(settle(answer(id, Draft::new(2).body)));
		assert_eq!(Market::escrow(requester()).held, DEPOSIT - max_price);
		let tokens = max_price - 427 * BYTE_FEE;
		assert_eq!(<Market as Obligations>::unvested(&worker(0)), tokens * 60 / 100 / 2);
	});
}

#[test]
fn settle_should_take_the_price_of_the_match_when_the_offer_changed_since() {
	for offer in [
		None,
		Some(Offer { output_price: 2 * OFFER.output_price, ..OFFER }),
		Some(Offer { output_price: OFFER.output_price - 1, ..OFFER }),
	] {
		with_setup(|| {
			put("minimum-price", worker(0), OFFER.output_price);
			let id = matched_request(Asked::default());
			match offer {
				Some(offer) => put("offer", (MODEL, gateway()), offer),
				None => forget("offer", (MODEL, gateway())),
			}
			assert_ok!(settle(answer(id, Draft::new(2).body)));
			assert_eq!(Market::escrow(requester()).held, DEPOSIT - PRICE);
		});
	}
}

#[test]
fn settle_should_take_the_price_of_the_last_match_when_there_were_two() {
	with_setup(|| {
		let id = matched_request(Asked::default());
		run_to(NOW + MATCH_TIMEOUT + 1);
		let cheaper = Offer { output_price: OFFER.output_price - 1, ..OFFER };
		put("offer", (MODEL, gateway()), cheaper);
		assert_ok!(Market::match_request(signed(GATEWAY), id, matched(2)));
		let state = Market::open_request(id).unwrap().state;
		assert!(matches!(state, RequestState::Matched { offer, .. } if offer == cheaper));
		assert_ok!(settle(answer(id, Draft::new(2).at(NOW + MATCH_TIMEOUT).body)));
		assert_eq!(Market::escrow(requester()).held, DEPOSIT - PRICE + 50);
	});
}

#[test]
fn settle_should_not_count_work_when_the_request_allows_no_audit() {
	with_setup(|| {
		let id = matched_request(Asked { audit_mode: AuditMode::None, ..Default::default() });
		let settlement = answer(id, Draft::new(2).body);
		let record = settlement.id;
		assert_ok!(settle(settlement));
		assert_eq!(work_notes(), vec![]);
		assert!(!<Mock as Ledger>::get(&record).unwrap().auditable);
	});
}

#[test]
fn settle_should_accept_any_query_when_the_request_is_a_text() {
	with_setup(|| {
		let id = matched_request(Asked { prompt: text("Why?"), ..Default::default() });
		let mut body = Draft::new(2).body;
		body.query_hash = H256::zero();
		assert_ok!(settle(answer(id, body)));
	});
}

#[test]
fn settle_should_fail_when_the_request_is_unknown_or_not_matched() {
	with_setup(|| {
		let unknown = H256::repeat_byte(3);
		refuse(answer(unknown, Draft::new(2).body), Error::<Test>::UnknownRequest);
		let id = Asked::default().by(REQUESTER).unwrap();
		refuse(answer(id, Draft::new(2).body), Error::<Test>::RequestNotMatched);
	});
}

#[test]
fn settle_should_fail_when_the_answer_is_not_what_was_asked() {
	with_setup(|| {
		let id = matched_request(Asked::default());
		let changed = |change: fn(&mut aria_primitives::record::RecordBody)| {
			let mut body = Draft::new(2).body;
			change(&mut body);
			answer(id, body)
		};
		let other_query = changed(|body| body.query_hash = H256::zero());
		refuse(other_query, Error::<Test>::RequestMismatch);
		put_model(H256::zero(), LAYERS);
		put("offer", (H256::zero(), gateway()), OFFER);
		let other_model = changed(|body| body.model_id = H256::zero());
		refuse(other_model, Error::<Test>::RequestMismatch);
		let longer = changed(|body| body.output_tokens = 51);
		refuse(longer, Error::<Test>::TokensExceedRequest);
		let shifted = changed(|body| {
			body.stages[0].layers = LayerRange { first: 0, end: 11 };
			body.stages[1].layers = LayerRange { first: 11, end: LAYERS };
		});
		refuse(shifted, Error::<Test>::StagesDiffer);
		refuse(answer(id, Draft::new(1).body), Error::<Test>::StagesDiffer);
		assert_ok!(settle(answer(id, Draft::new(2).body)));
	});
}

#[test]
fn settle_should_fail_when_the_match_has_lapsed() {
	with_setup(|| {
		let id = matched_request(Asked::default());
		run_to(NOW + MATCH_TIMEOUT);
		let settlement = answer(id, Draft::new(2).at(NOW + MATCH_TIMEOUT).body);
		run_to(NOW + MATCH_TIMEOUT + 1);
		refuse(settlement.clone(), Error::<Test>::MatchLapsed);
		assert_ok!(Market::match_request(signed(GATEWAY), id, matched(2)));
		assert_ok!(settle(settlement));
	});
}

#[test]
fn settle_should_leave_a_stage_out_when_it_did_not_sign_a_request() {
	with_setup(|| {
		let id = matched_request(Asked::default());
		let mut body = Draft::new(2).anchored(NOW - GRACE - 1).body;
		body.ticket_hash = id;
		let payment = aria_primitives::record::Payment::Request(id);
		assert_ok!(settle(sign_record(body, payment, &[0])));
		let escrow = Market::escrow(requester());
		assert_eq!(escrow.held, DEPOSIT - PRICE + TOKEN_PRICE * 60 / 100 / 2);
		assert_eq!(escrow.reserved, 0);
	});
}

#[test]
fn settle_should_fail_when_the_gateway_of_a_match_is_gone() {
	with_setup(|| {
		let id = matched_request(Asked::default());
		crate::Gateways::<Test>::mutate(gateway(), |info| {
			let info = info.as_mut().unwrap();
			info.state = crate::GatewayState::Unbonding { until: NOW };
		});
		refuse(answer(id, Draft::new(2).body), Error::<Test>::GatewayUnbonded);
	});
}
