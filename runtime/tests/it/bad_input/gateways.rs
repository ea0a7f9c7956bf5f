//! Settlements that the gateway did not sign as they are: a ticket that was seen in the pool and
//! taken for another record, signatures that were left out or added on the way.

use super::{case, refuse_settlements, MarketError, NONCE};
use crate::{chain::account_of, flow::*};
use aria_primitives::record::{batch_digest, settlement_digest, Settlement};
use aria_runtime::{parameters, Runtime, RuntimeEvent};
use pallet_inference_market::Event;
use sp_core::Pair;
use sp_keyring::Sr25519Keyring;
use sp_runtime::DispatchError;

/// Lets the grace pass in which every stage has to sign.
fn pass_grace(flow: &mut Flow) {
	flow.chain.blocks(parameters::SigningGrace::get() + 10);
}

/// Anchors the draft in a block whose grace is over.
fn anchor_early(flow: &mut Flow, draft: &mut Draft) {
	let number = flow.chain.next_number() - parameters::SigningGrace::get() - 2;
	draft.body.anchor = flow.anchor(number);
}

/// Replaces the record by that of a draft, and keeps what pays and what the gateway signed.
fn steal(settlement: &mut Settlement, theft: Draft) {
	let seen = settlement.clone();
	*settlement = theft.seal();
	assert_ne!(settlement.id, seen.id, "a theft is another record");
	settlement.payment = seen.payment;
	settlement.gateway_signature = seen.gateway_signature;
}

#[test]
fn settlements_should_be_refused_when_a_ticket_is_taken_for_another_record() {
	refuse_settlements(vec![
		case("a stolen ticket with another answer", MarketError::BadGatewaySignature).sealed(
			|flow, settlement| {
				let mut theft = flow.draft(NONCE);
				theft.body.output_hash = NOTHING;
				steal(settlement, theft);
			},
		),
		case("a stolen ticket by one worker for all layers", MarketError::BadGatewaySignature)
			.sealed(|flow, settlement| steal(settlement, flow.draft_by(NONCE, &[LAST]))),
		case("a stolen ticket, signed by the thief", MarketError::BadGatewaySignature).sealed(
			|flow, settlement| {
				steal(settlement, flow.draft_by(NONCE, &[LAST]));
				let digest = settlement_digest(&settlement.id, 0b1);
				settlement.gateway_signature = LAST.pair().sign(digest.as_bytes()).into();
			},
		),
	]);
}

#[test]
fn settlements_should_be_refused_when_other_stages_signed_than_the_gateway_says() {
	refuse_settlements(vec![
		case("a signature stripped", MarketError::BadGatewaySignature)
			.given(pass_grace)
			.draft(anchor_early)
			.sealed(|_, settlement| settlement.signatures[0] = None),
		case("a signature added", MarketError::BadGatewaySignature)
			.given(pass_grace)
			.draft(|flow, draft| {
				anchor_early(flow, draft);
				draft.stage_keys[0] = None;
			})
			.sealed(|_, settlement| {
				let signature = FIRST.pair().sign(settlement.id.as_bytes());
				settlement.signatures[0] = Some(signature.into());
			}),
	]);
}

/// Signs a settlement as this account, over these bytes.
fn sign_as(settlement: &mut Settlement, signer: Sr25519Keyring, message: &[u8]) {
	settlement.gateway_signature = signer.pair().sign(message).into();
}

#[test]
fn settlements_should_be_refused_when_the_gateways_signature_is_not_one() {
	refuse_settlements(vec![
		case("by an unknown key", MarketError::BadGatewaySignature)
			.draft(|_, draft| draft.gateway_key = strange_key()),
		case("by the requester", MarketError::BadGatewaySignature)
			.draft(|_, draft| draft.gateway_key = REQUESTER.pair()),
		case("by the spending key", MarketError::BadGatewaySignature)
			.draft(|_, draft| draft.gateway_key = spending_key()),
		case("by a stage", MarketError::BadGatewaySignature)
			.draft(|_, draft| draft.gateway_key = LAST.pair()),
		case("by who submits", MarketError::BadGatewaySignature)
			.draft(|_, draft| draft.gateway_key = SUBMITTER.pair()),
		case("over the id alone", MarketError::BadGatewaySignature).sealed(|_, settlement| {
			let id = settlement.id;
			sign_as(settlement, GATEWAY, id.as_bytes());
		}),
		case("over a batch of the record", MarketError::BadGatewaySignature).sealed(
			|flow, settlement| {
				let signers = [GATEWAY.to_account_id()];
				let digest = batch_digest(&flow.chain.genesis(), &[settlement.id], &signers);
				sign_as(settlement, GATEWAY, digest.as_bytes());
			},
		),
		case("a stage's over the record", MarketError::BadGatewaySignature).sealed(
			|_, settlement| {
				settlement.gateway_signature = settlement.signatures[0].clone().unwrap();
			},
		),
		case("by another than matched the request", MarketError::BadGatewaySignature)
			.given(|flow| {
				let id = flow.request(NONCE);
				flow.match_request(id, &[FIRST, LAST]);
			})
			.draft(|flow, draft| {
				draft.request = Some(flow.request);
				draft.gateway_key = SUBMITTER.pair();
			}),
	]);
}

#[test]
fn an_entry_of_a_batch_should_be_refused_when_its_gateway_is_no_signer() {
	// Given a second gateway, which is a worker too, and a key that is bound to it.
	let mut flow = Flow::new();
	let (model, key) = (flow.model, strange_key());
	let register_key = Market::register_key {
		key: account_of(&key),
		gateway: FIRST.to_account_id(),
		allowance: ESCROW,
		hourly_cap: ESCROW,
		expiry: KEY_EXPIRY,
	};
	flow.chain.accept(vec![
		(FIRST, Market::register_gateway {}.into()),
		(FIRST, Models::set_offer { model, offer: OFFER }.into()),
		(REQUESTER, register_key.into()),
	]);
	let mut signed = flow.draft(1);
	signed.ticket.gateway = FIRST.to_account_id();
	signed.ticket.key = account_of(&key);
	signed.ticket_key = key;
	let unsigned = flow.draft(2);

	// When both stages sign a batch with a record of each gateway.
	let batch = batch(&flow.chain, vec![signed, unsigned], &[FIRST, LAST]);
	let refused = batch.entries[1].id;
	let executed = flow.chain.submit(SUBMITTER, settle_batch(batch));

	// Then only the one is settled whose gateway signed.
	executed.assert_good();
	let failed: Vec<_> = executed
		.events()
		.filter_map(|event| match event {
			RuntimeEvent::InferenceMarket(Event::SettlementFailed { index, id, error }) => {
				Some((*index, *id, *error))
			}
			_ => None,
		})
		.collect();
	let error: DispatchError =
		pallet_inference_market::Error::<Runtime>::BadGatewaySignature.into();
	assert_eq!(failed, [(1, refused, error)]);
	let settled = executed.find(|event| match event {
		RuntimeEvent::InferenceMarket(Event::BatchSettled { settled, failed }) => {
			Some((*settled, *failed))
		}
		_ => None,
	});
	assert_eq!(settled, (1, 1));
}
