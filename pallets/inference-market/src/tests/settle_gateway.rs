//! `settle`: what the gateway signs, so that nobody who sees a settlement can change it.

use super::fixtures::*;
use crate::{mock::*, Error};
use aria_primitives::{
	record::{settlement_digest, Payment, Settlement},
	traits::{Ledger, Obligations},
};
use frame_support::assert_ok;

/// The settlement with a signature of some seed's key as its gateway's, over that set of stages.
fn signed_by(seed: u8, settlement: &Settlement, signed: u32) -> Settlement {
	let gateway_signature = sign(seed, &settlement_digest(&settlement.id, signed));
	Settlement { gateway_signature, ..settlement.clone() }
}

#[test]
fn settle_should_fail_when_a_stolen_ticket_is_to_pay_for_another_record() {
	with_setup(|| {
		let sound = Draft::new(2).settlement();
		// The thief's workers sign, and the ticket is good; only the gateway did not mean this.
		let mut other = Draft::new(2);
		other.body.output_hash = sp_core::H256::zero();
		let body = other.finished_body();
		assert_eq!(body.ticket_hash, sound.body.ticket_hash);
		let stolen = sign_record(body, sound.payment.clone(), &[]);
		let replayed =
			Settlement { gateway_signature: sound.gateway_signature.clone(), ..stolen.clone() };
		refuse(replayed, Error::<Test>::BadGatewaySignature);
		refuse(signed_by(SUBMITTER, &stolen, 0b11), Error::<Test>::BadGatewaySignature);
		assert_ok!(settle(sound));
	});
}

#[test]
fn settle_should_fail_when_a_stages_signature_was_left_out_after_the_grace() {
	with_setup(|| {
		let sound = Draft::new(3).anchored(NOW - GRACE - 1).settlement();
		let mut stripped = sound.clone();
		stripped.signatures[1] = None;
		refuse(stripped, Error::<Test>::BadGatewaySignature);
		assert_ok!(settle(sound));
		assert!(<Market as Obligations>::unvested(&worker(1)) > 0);
	});
}

#[test]
fn settle_should_fail_when_a_stages_signature_was_added() {
	with_setup(|| {
		let sound = Draft::new(3).anchored(NOW - GRACE - 1).without(&[1]).settlement();
		let mut added = sound.clone();
		added.signatures[1] = Some(sign(WORKER + 1, &sound.id));
		refuse(added, Error::<Test>::BadGatewaySignature);
		assert_ok!(settle(sound.clone()));
		assert_eq!(<Mock as Ledger>::get(&sound.id).unwrap().signed_stages, 0b101);
	});
}

#[test]
fn settle_should_fail_when_the_gateway_did_not_sign_just_this() {
	with_setup(|| {
		let sound = Draft::new(2).settlement();
		for signed in [0, 0b1, 0b111, u32::MAX] {
			let other_set = signed_by(GATEWAY, &sound, signed);
			refuse(other_set, Error::<Test>::BadGatewaySignature);
		}
		// As a stage signs.
		let bare = Settlement { gateway_signature: sign(GATEWAY, &sound.id), ..sound.clone() };
		refuse(bare, Error::<Test>::BadGatewaySignature);
		for seed in [REQUESTER, KEY, SUBMITTER, WORKER] {
			refuse(signed_by(seed, &sound, 0b11), Error::<Test>::BadGatewaySignature);
		}
		assert_ok!(settle(signed_by(GATEWAY, &sound, 0b11)));
	});
}

#[test]
fn settle_should_fail_when_the_gateway_that_matched_did_not_sign() {
	with_setup(|| {
		let id = Asked::default().by(REQUESTER).unwrap();
		assert_ok!(Market::match_request(signed(GATEWAY), id, matched(2)));
		let sound = answer(id, Draft::new(2).body);
		refuse(signed_by(STRANGER, &sound, 0b11), Error::<Test>::BadGatewaySignature);

		let mut other = sound.body.clone();
		other.output_hash = sp_core::H256::zero();
		let other = sign_record(other, Payment::Request(id), &[]);
		let replayed = Settlement { gateway_signature: sound.gateway_signature.clone(), ..other };
		refuse(replayed, Error::<Test>::BadGatewaySignature);

		let late = answer(id, Draft::new(2).anchored(NOW - GRACE - 1).body);
		let mut stripped = late.clone();
		stripped.signatures[0] = None;
		refuse(stripped, Error::<Test>::BadGatewaySignature);
		assert_ok!(settle(late));
	});
}
