//! Replayed, expired, overspending and foreign tickets; keys, allowances, hourly caps and escrows.

use super::{call, case, refuse_calls, refuse_settlements, MarketError, NONCE};
use crate::{chain::account_of, flow::*};
use aria_primitives::ARIA;
use aria_runtime::{parameters, RuntimeCall};
use sp_runtime::TokenError;

#[test]
fn tickets_should_be_refused_when_they_were_used_or_are_out_of_time() {
	refuse_settlements(vec![
		case("replayed", MarketError::TicketReplayed).given(|flow| {
			let draft = flow.draft(NONCE);
			flow.settle(draft);
		}),
		case("the same record again", MarketError::AlreadySettled)
			.given(|flow| {
				let draft = flow.draft(NONCE);
				flow.settle(draft);
			})
			.sealed(|flow, settlement| *settlement = flow.last.clone().unwrap()),
		case("a nonce that left the window", MarketError::NonceTooOld)
			.given(|flow| {
				let draft = flow.draft(NONCE);
				flow.settle(draft);
			})
			.draft(|_, draft| draft.ticket.nonce = NONCE - 1_024),
		case("expired", MarketError::TicketExpired)
			.draft(|flow, draft| draft.ticket.expiry = flow.chain.head().number),
		case("expired long ago", MarketError::TicketExpired)
			.draft(|_, draft| draft.ticket.expiry = 0),
		case("expires too far ahead", MarketError::TicketTooFarAhead).draft(|flow, draft| {
			let latest = flow.chain.next_number() + parameters::MaxTicketLifetime::get();
			draft.ticket.expiry = latest + 1;
		}),
		case("never expires", MarketError::TicketTooFarAhead)
			.draft(|_, draft| draft.ticket.expiry = u32::MAX),
	]);
}

#[test]
fn tickets_should_be_refused_when_they_are_anothers() {
	refuse_settlements(vec![
		case("for another requester", MarketError::ForeignTicket)
			.draft(|_, draft| draft.ticket.requester = SUBMITTER.to_account_id()),
		case("for another gateway", MarketError::WrongGateway)
			.draft(|_, draft| draft.ticket.gateway = SUBMITTER.to_account_id()),
		case("for another query", MarketError::TicketForAnotherQuery)
			.draft(|_, draft| draft.ticket.query_hash = NOTHING),
		case("for another model", MarketError::TicketForAnotherQuery)
			.draft(|_, draft| draft.ticket.model_id = NOTHING),
		case("for another chain", MarketError::TicketMismatch)
			.draft(|_, draft| draft.ticket_genesis = NOTHING),
		case("not the one that the record names", MarketError::TicketMismatch)
			.draft(|_, draft| draft.paid_by = Some(NOTHING)),
		case("of an unknown version", MarketError::UnknownTicketVersion)
			.draft(|_, draft| draft.ticket.version = 2),
		case("signed by another key", MarketError::BadTicketSignature)
			.draft(|_, draft| draft.ticket_key = strange_key()),
		case("by an unknown key", MarketError::UnknownKey).draft(|_, draft| {
			draft.ticket_key = strange_key();
			draft.ticket.key = account_of(&strange_key());
		}),
		case("by a revoked key", MarketError::UnknownKey).given(|flow| {
			let revoke = Market::revoke_key { key: account_of(&spending_key()) };
			flow.chain.accept(vec![(REQUESTER, revoke.into())]);
		}),
		case("by an expired key", MarketError::KeyExpired).given(|flow| {
			let expiry = flow.chain.next_number() + 1;
			flow.chain.accept(vec![(REQUESTER, update_key(ESCROW, ESCROW, expiry))]);
			flow.chain.blocks(1);
		}),
		case("of a gateway that has left", MarketError::GatewayUnbonded).given(|flow| {
			flow.chain.accept(vec![(GATEWAY, Market::unbond_gateway {}.into())]);
			let until = flow.chain.head().number + parameters::GatewayUnbonding::get();
			flow.chain.jump_to(until - 1);
			flow.chain.blocks(1);
		}),
	]);
}

#[test]
fn tickets_should_be_refused_when_they_overspend() {
	refuse_settlements(vec![
		case("more than the ticket allows", MarketError::PriceAboveTicket)
			.draft(|_, draft| draft.ticket.max_price = price(&draft.body) - 1),
		case("a ticket for nothing", MarketError::PriceAboveTicket)
			.draft(|_, draft| draft.ticket.max_price = 0),
		case("more than the allowance", MarketError::AllowanceExceeded)
			.given(|flow| limit(flow, |price| (price - 1, ESCROW))),
		case("more than what is left of the allowance", MarketError::AllowanceExceeded).given(
			|flow| {
				limit(flow, |price| (2 * price - 1, ESCROW));
				let draft = flow.draft(1);
				flow.settle(draft);
			},
		),
		case("a suspended key", MarketError::AllowanceExceeded)
			.given(|flow| limit(flow, |_| (0, 0))),
		case("more than the hourly cap", MarketError::HourlyCapExceeded)
			.given(|flow| limit(flow, |price| (ESCROW, price - 1))),
		case("more than what is left of the hourly cap", MarketError::HourlyCapExceeded).given(
			|flow| {
				limit(flow, |price| (ESCROW, 2 * price - 1));
				let draft = flow.draft(1);
				flow.settle(draft);
			},
		),
		case("more than the escrow", MarketError::EscrowInsufficient).given(|flow| {
			let left = price(&flow.draft(NONCE).body) - 1;
			let withdraw = Market::withdraw { amount: ESCROW - left };
			flow.chain.accept(vec![(REQUESTER, withdraw.into())]);
		}),
		case("what requests reserve", MarketError::EscrowInsufficient).given(|flow| {
			let mut request = flow.request_call(1);
			if let Market::request { max_price, .. } = &mut request {
				*max_price = ESCROW;
			}
			flow.chain.accept(vec![(REQUESTER, request.into())]);
		}),
		case("an empty escrow", MarketError::EscrowInsufficient).given(|flow| {
			let withdraw = Market::withdraw { amount: ESCROW };
			flow.chain.accept(vec![(REQUESTER, withdraw.into())]);
		}),
	]);
}

/// Sets allowance and hourly cap of the spending key by the price of a good record.
fn limit(flow: &mut Flow, limits: fn(u128) -> (u128, u128)) {
	let (allowance, cap) = limits(price(&flow.draft(NONCE).body));
	flow.chain.accept(vec![(REQUESTER, update_key(allowance, cap, KEY_EXPIRY))]);
}

#[test]
fn keys_gateways_and_escrows_should_be_refused_when_they_are_not_sound() {
	fn market(call: Market) -> RuntimeCall {
		call.into()
	}
	refuse_calls(vec![
		call("a deposit of nothing", MarketError::AmountZero, REQUESTER, |_| {
			market(Market::deposit { amount: 0 })
		}),
		call("a deposit above the balance", TokenError::FundsUnavailable, REQUESTER, |_| {
			market(Market::deposit { amount: 2_000_000 * ARIA })
		}),
		call("a deposit beyond any balance", TokenError::FundsUnavailable, REQUESTER, |_| {
			market(Market::deposit { amount: u128::MAX })
		}),
		call("a withdrawal of nothing", MarketError::AmountZero, REQUESTER, |_| {
			market(Market::withdraw { amount: 0 })
		}),
		call("a withdrawal above the escrow", MarketError::EscrowInsufficient, REQUESTER, |_| {
			market(Market::withdraw { amount: ESCROW + 1 })
		}),
		call("a withdrawal without escrow", MarketError::EscrowInsufficient, SUBMITTER, |_| {
			market(Market::withdraw { amount: 1 })
		}),
		call("a withdrawal of what is reserved", MarketError::EscrowInsufficient, REQUESTER, |f| {
			f.request(1);
			market(Market::withdraw { amount: ESCROW })
		}),
		call("a gateway twice", MarketError::AlreadyGateway, GATEWAY, |_| {
			market(Market::register_gateway {})
		}),
		call("a notice by no gateway", MarketError::UnknownGateway, SUBMITTER, |_| {
			market(Market::unbond_gateway {})
		}),
		call("a notice twice", MarketError::AlreadyUnbonding, GATEWAY, |flow| {
			flow.chain.accept(vec![(GATEWAY, Market::unbond_gateway {}.into())]);
			market(Market::unbond_gateway {})
		}),
		call("a stake without notice", MarketError::NotUnbonding, GATEWAY, |_| {
			market(Market::withdraw_gateway_stake {})
		}),
		call("a stake too early", MarketError::StillUnbonding, GATEWAY, |flow| {
			flow.chain.accept(vec![(GATEWAY, Market::unbond_gateway {}.into())]);
			market(Market::withdraw_gateway_stake {})
		}),
		call("a key twice", MarketError::KeyTaken, REQUESTER, |_| {
			register_key(&spending_key(), KEY_EXPIRY)
		}),
		call("another's key", MarketError::KeyTaken, SUBMITTER, |_| {
			register_key(&spending_key(), KEY_EXPIRY)
		}),
		call("a key that has expired", MarketError::ExpiryInPast, REQUESTER, |flow| {
			register_key(&strange_key(), flow.chain.next_number())
		}),
		call("a key for a leaving gateway", MarketError::GatewayLeaving, REQUESTER, |flow| {
			flow.chain.accept(vec![(GATEWAY, Market::unbond_gateway {}.into())]);
			register_key(&strange_key(), KEY_EXPIRY)
		}),
		call("a key for no gateway", MarketError::UnknownGateway, REQUESTER, |_| {
			market(Market::register_key {
				key: account_of(&strange_key()),
				gateway: SUBMITTER.to_account_id(),
				allowance: ARIA,
				hourly_cap: ARIA,
				expiry: KEY_EXPIRY,
			})
		}),
		call("limits of another's key", MarketError::NotKeyOwner, SUBMITTER, |_| {
			update_key(ARIA, ARIA, KEY_EXPIRY)
		}),
		call("limits of an unknown key", MarketError::UnknownKey, REQUESTER, |_| {
			let key = account_of(&strange_key());
			market(Market::update_key { key, allowance: 1, hourly_cap: 1, expiry: KEY_EXPIRY })
		}),
		call("a new expiry in the past", MarketError::ExpiryInPast, REQUESTER, |_| {
			update_key(ARIA, ARIA, 1)
		}),
		call("another's key revoked", MarketError::NotKeyOwner, SUBMITTER, |_| {
			market(Market::revoke_key { key: account_of(&spending_key()) })
		}),
		call("a bucket that can be audited", MarketError::EpochNotClosed, SUBMITTER, |_| {
			market(Market::release { epoch: 0, payee: FIRST.to_account_id() })
		}),
		call("a bucket of the far future", MarketError::EpochNotClosed, SUBMITTER, |_| {
			market(Market::release { epoch: u64::MAX, payee: FIRST.to_account_id() })
		}),
		call("a bucket without a part", MarketError::NothingToRelease, SUBMITTER, |flow| {
			flow.chain.epochs(4);
			market(Market::release { epoch: 0, payee: FIRST.to_account_id() })
		}),
		call("a claim of nothing", MarketError::NothingToClaim, SUBMITTER, |_| {
			market(Market::claim { payee: FIRST.to_account_id() })
		}),
	]);
}
