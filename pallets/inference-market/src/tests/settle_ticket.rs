//! `settle`: tickets that are refused. Each case compares the state before and after.

use super::fixtures::*;
use crate::{mock::*, Error};
use aria_primitives::record::Payment;
use frame_support::assert_ok;
use sp_core::H256;

/// A change to a ticket, and the error that it has to meet.
fn refused(change: impl FnOnce(&mut Draft), error: Error<Test>) {
	with_setup(|| {
		let mut draft = Draft::new(2);
		change(&mut draft);
		refuse(draft.settlement(), error);
	});
}

#[test]
fn settle_should_fail_when_the_ticket_has_another_version() {
	refused(|draft| draft.ticket.version = 2, Error::UnknownTicketVersion);
}

#[test]
fn settle_should_fail_when_the_record_names_another_ticket() {
	with_setup(|| {
		let draft = Draft::new(2);
		let other = draft.clone().nonce(9);
		let payment = Payment::Ticket(other.signed_ticket());
		let settlement = sign_record(draft.finished_body(), payment, &[]);
		refuse(settlement, Error::<Test>::TicketMismatch);
	});
}

#[test]
fn settle_should_fail_when_the_ticket_was_altered_after_signing() {
	with_setup(|| {
		let draft = Draft::new(2);
		let mut ticket = draft.signed_ticket();
		ticket.ticket.max_price += 1;
		let settlement = sign_record(draft.finished_body(), Payment::Ticket(ticket.clone()), &[]);
		refuse(settlement, Error::<Test>::TicketMismatch);

		let mut body = draft.finished_body();
		body.ticket_hash = ticket.ticket.hash(&GENESIS);
		let settlement = sign_record(body, Payment::Ticket(ticket), &[]);
		refuse(settlement, Error::<Test>::BadTicketSignature);
	});
}

#[test]
fn settle_should_fail_when_the_ticket_is_of_another_chain() {
	with_setup(|| {
		let draft = Draft::new(2);
		let mut ticket = draft.signed_ticket();
		ticket.signature = sign(KEY, &ticket.ticket.hash(&H256::repeat_byte(0xbb)));
		let settlement = sign_record(draft.finished_body(), Payment::Ticket(ticket), &[]);
		refuse(settlement, Error::<Test>::BadTicketSignature);
	});
}

#[test]
fn settle_should_fail_when_the_ticket_is_for_something_else() {
	refused(|draft| draft.ticket.query_hash = H256::zero(), Error::TicketForAnotherQuery);
	refused(|draft| draft.ticket.model_id = H256::zero(), Error::TicketForAnotherQuery);
}

#[test]
fn settle_should_fail_when_the_ticket_is_foreign() {
	refused(|draft| draft.ticket.requester = stranger(), Error::ForeignTicket);
	refused(|draft| draft.ticket.gateway = stranger(), Error::WrongGateway);
	refused(|draft| draft.ticket.key = stranger(), Error::UnknownKey);
	refused(|draft| draft.signer = STRANGER, Error::BadTicketSignature);
}

#[test]
fn settle_should_fail_when_the_ticket_has_expired_or_lives_too_long() {
	refused(|draft| draft.ticket.expiry = NOW - 1, Error::TicketExpired);
	refused(|draft| draft.ticket.expiry = NOW + TICKET_LIFETIME + 1, Error::TicketTooFarAhead);
	for expiry in [NOW, NOW + TICKET_LIFETIME] {
		with_setup(|| {
			let mut draft = Draft::new(2);
			draft.ticket.expiry = expiry;
			assert_ok!(settle(draft.settlement()));
		});
	}
}

#[test]
fn settle_should_fail_when_the_key_has_expired() {
	with_setup(|| {
		let (key, draft) = (spending_key(), Draft::new(2));
		assert_ok!(Market::update_key(signed(REQUESTER), key, ALLOWANCE, HOURLY_CAP, NOW + 1));
		run_to(NOW + 2);
		refuse(draft.settlement(), Error::<Test>::KeyExpired);
	});
}

#[test]
fn settle_should_fail_when_the_ticket_is_replayed() {
	with_setup(|| {
		let draft = Draft::new(2);
		assert_ok!(settle(draft.settlement()));
		// The same ticket for another answer.
		let mut again = draft.clone();
		again.body.output_hash = H256::zero();
		refuse(again.settlement(), Error::<Test>::TicketReplayed);
		// Another ticket with the same nonce.
		let mut other = draft.clone();
		other.ticket.expiry += 1;
		refuse(other.settlement(), Error::<Test>::TicketReplayed);
		assert_ok!(settle(draft.nonce(2).settlement()));
	});
}

#[test]
fn settle_should_fail_when_the_nonce_left_the_window() {
	with_setup(|| {
		assert_ok!(settle(Draft::new(2).nonce(5_000).settlement()));
		refuse(Draft::new(2).nonce(3_976).settlement(), Error::<Test>::NonceTooOld);
		assert_ok!(settle(Draft::new(2).nonce(3_977).settlement()));
	});
}

#[test]
fn settle_should_fail_when_the_gateway_has_no_offer() {
	with_setup(|| {
		forget("offer", (MODEL, gateway()));
		refuse(Draft::new(2).settlement(), NO_OFFER);
	});
}

#[test]
fn settle_should_fail_when_the_price_is_above_the_ticket() {
	refused(|draft| draft.ticket.max_price = PRICE - 1, Error::PriceAboveTicket);
	with_setup(|| {
		let mut draft = Draft::new(2);
		draft.ticket.max_price = PRICE;
		assert_ok!(settle(draft.settlement()));
	});
}

#[test]
fn settle_should_fail_when_a_price_has_no_bounds() {
	with_setup(|| {
		let dear = aria_primitives::traits::Offer { output_price: u128::MAX, ..OFFER };
		put("offer", (MODEL, gateway()), dear);
		refuse(Draft::new(2).settlement(), Error::<Test>::PriceAboveTicket);
		let mut draft = Draft::new(2);
		draft.ticket.max_price = u128::MAX;
		refuse(draft.settlement(), Error::<Test>::AllowanceExceeded);
	});
}

#[test]
fn settle_should_fail_when_the_allowance_does_not_suffice() {
	with_setup(|| {
		let allow = |amount| {
			let (origin, key) = (signed(REQUESTER), spending_key());
			assert_ok!(Market::update_key(origin, key, amount, HOURLY_CAP, KEY_EXPIRY));
		};
		allow(2 * PRICE - 1);
		assert_ok!(settle(Draft::new(2).settlement()));
		refuse(Draft::new(2).nonce(2).settlement(), Error::<Test>::AllowanceExceeded);
		allow(2 * PRICE);
		assert_ok!(settle(Draft::new(2).nonce(2).settlement()));
	});
}

#[test]
fn settle_should_fail_when_the_hourly_cap_does_not_suffice() {
	with_setup(|| {
		let (key, cap) = (spending_key(), 2 * PRICE - 1);
		assert_ok!(Market::update_key(signed(REQUESTER), key, ALLOWANCE, cap, KEY_EXPIRY));
		assert_ok!(settle(Draft::new(2).settlement()));
		put("time", (), NOW_MS + 3_599_999);
		let mut next = Draft::new(2).nonce(2);
		next.body.timestamp = NOW_MS + 3_599_999;
		refuse(next.settlement(), Error::<Test>::HourlyCapExceeded);

		put("time", (), NOW_MS + 3_600_000);
		assert_ok!(settle(next.settlement()));
		let info = Market::spending_key(spending_key()).unwrap();
		assert_eq!((info.spent, info.spent_in_hour), (2 * PRICE, PRICE));
		assert_eq!(info.hour, NOW_MS / 3_600_000 + 1);
	});
}

#[test]
fn settle_should_fail_when_the_escrow_does_not_suffice() {
	with_setup(|| {
		assert_ok!(Market::withdraw(signed(REQUESTER), DEPOSIT - PRICE + 1));
		refuse(Draft::new(2).settlement(), Error::<Test>::EscrowInsufficient);
		assert_ok!(Market::deposit(signed(REQUESTER), 1));
		assert_ok!(settle(Draft::new(2).settlement()));
		assert_eq!(Market::escrow(requester()), Default::default());
	});
}

#[test]
fn settle_should_fail_when_the_escrow_is_reserved() {
	with_setup(|| {
		let rest = DEPOSIT - PRICE + 1;
		assert_ok!(Asked { max_price: rest, ..Default::default() }.by(REQUESTER));
		refuse(Draft::new(2).settlement(), Error::<Test>::EscrowInsufficient);
	});
}
