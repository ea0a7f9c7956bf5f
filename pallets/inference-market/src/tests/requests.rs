//! `request`, `match_request`, `cancel_request`, and deadlines.

use super::fixtures::*;
use crate::{mock::*, Deadlines, Error, Event, HoldReason, RequestState, Requests};
use aria_primitives::{
	query::Sampling,
	record::LayerRange,
	traits::{ModelInfo, Offer},
	ARIA,
};
use frame_support::{assert_noop, assert_ok};
use sp_core::H256;

#[test]
fn request_should_reserve_when_the_escrow_suffices() {
	with_setup(|| {
		let id = Asked::default().by(REQUESTER).unwrap();

		let escrow = Market::escrow(requester());
		assert_eq!((escrow.held, escrow.reserved), (DEPOSIT, MAX_PRICE));
		let request = Market::open_request(id).unwrap();
		assert_eq!(request.state, RequestState::Open);
		assert_eq!((request.requester, request.max_price), (requester(), MAX_PRICE));
		assert_eq!(Deadlines::<Test>::get(DEADLINE).to_vec(), vec![id]);
		assert_eq!(
			market_events(),
			vec![Event::Requested {
				id,
				requester: requester(),
				model_id: MODEL,
				max_price: MAX_PRICE,
				deadline: DEADLINE,
			}]
		);
		let again = Asked::default().by(REQUESTER).unwrap();
		assert_ne!(id, again, "the same request twice is two requests");
	});
}

#[test]
fn request_should_take_from_the_balance_when_the_escrow_lacks() {
	with_setup(|| {
		let before = free(&stranger());
		assert_ok!(Market::deposit(signed(STRANGER), 1_000_000));
		assert_ok!(Asked { prompt: text("Why?"), ..Default::default() }.by(STRANGER));

		assert_eq!(free(&stranger()), before - MAX_PRICE);
		assert_eq!(on_hold(&stranger(), HoldReason::Escrow), MAX_PRICE);
		let topped_up = Event::Deposited { requester: stranger(), amount: MAX_PRICE - 1_000_000 };
		assert!(market_events().contains(&topped_up));
	});
}

#[test]
fn request_should_fail_when_something_is_wrong() {
	with_setup(|| {
		let refused = |asked: Asked, error: Error<Test>| {
			assert_state_unchanged(|| asked.by(REQUESTER), error);
		};
		let good = Asked::default;
		refused(Asked { max_price: 0, ..good() }, Error::PriceZero);
		let hot = Sampling { temperature_milli: 100_001, ..Sampling::GREEDY };
		refused(Asked { sampling: hot, ..good() }, Error::InvalidSampling);
		let none = Sampling { top_p_ppm: 0, ..Sampling::GREEDY };
		refused(Asked { sampling: none, ..good() }, Error::InvalidSampling);
		refused(Asked { prompt: text(""), ..good() }, Error::PromptEmpty);
		let bytes = crate::RequestPrompt::Text(vec![0xffu8].try_into().unwrap());
		refused(Asked { prompt: bytes, ..good() }, Error::PromptNotText);
		refused(Asked { max_tokens: 0, ..good() }, Error::NoTokens);
		refused(Asked { max_tokens: 4_097, ..good() }, Error::TokensExceedContext);
		refused(Asked { deadline: NOW, ..good() }, Error::DeadlinePassed);
		refused(Asked { deadline: 0, ..good() }, Error::DeadlinePassed);
		let near = NOW + DEADLINE_MIN - 1;
		refused(Asked { deadline: near, ..good() }, Error::DeadlineOutOfRange);
		let far = NOW + DEADLINE_MAX + 1;
		refused(Asked { deadline: far, ..good() }, Error::DeadlineOutOfRange);
		assert_state_unchanged(
			|| Asked { model: H256::zero(), ..good() }.by(REQUESTER),
			UNKNOWN_MODEL,
		);
		assert_state_unchanged(|| good().by(AUTHOR), Error::<Test>::EscrowInsufficient);
		let dear = Asked { max_price: 2_000_000 * ARIA, ..good() };
		refused(dear, Error::EscrowInsufficient);
	});
}

#[test]
fn request_should_fail_when_too_many_have_the_same_deadline() {
	with_setup(|| {
		for _ in 0..REQUESTS_PER_BLOCK {
			assert_ok!(Asked::default().by(REQUESTER));
		}
		assert_state_unchanged(
			|| Asked::default().by(REQUESTER),
			Error::<Test>::TooManyRequestsAtBlock,
		);
		assert_ok!(Asked { deadline: DEADLINE + 1, ..Default::default() }.by(REQUESTER));
	});
}

#[test]
fn match_request_should_name_the_workers_when_all_are_willing() {
	with_setup(|| {
		let id = Asked::default().by(REQUESTER).unwrap();
		System::reset_events();
		assert_ok!(Market::match_request(signed(GATEWAY), id, matched(2)));

		let until = NOW + MATCH_TIMEOUT;
		assert_eq!(
			Market::open_request(id).unwrap().state,
			RequestState::Matched { gateway: gateway(), stages: matched(2), until, offer: OFFER }
		);
		assert_eq!(market_events(), vec![Event::RequestMatched { id, gateway: gateway(), until }]);
		assert_noop!(
			Market::match_request(signed(GATEWAY), id, matched(1)),
			Error::<Test>::RequestNotOpen
		);
		run_to(until + 1);
		assert_ok!(Market::match_request(signed(GATEWAY), id, matched(1)));
	});
}

#[test]
fn match_request_should_end_before_the_deadline_when_that_is_near() {
	with_setup(|| {
		let deadline = NOW + DEADLINE_MIN;
		let id = Asked { deadline, ..Default::default() }.by(REQUESTER).unwrap();
		assert_ok!(Market::match_request(signed(GATEWAY), id, matched(1)));
		let RequestState::Matched { until, .. } = Market::open_request(id).unwrap().state else {
			panic!("it was matched")
		};
		assert_eq!(until, deadline - 1);
	});
}

#[test]
fn match_request_should_fail_when_something_is_wrong() {
	with_setup(|| {
		let id = Asked::default().by(REQUESTER).unwrap();
		let attempt = |stages| Market::match_request(signed(GATEWAY), id, stages);
		let shaped = |ranges: &[(u8, u16, u16)]| {
			let stages: Vec<_> = ranges
				.iter()
				.map(|(index, first, end)| {
					(worker(*index), LayerRange { first: *first, end: *end })
				})
				.collect();
			crate::MatchedStages::try_from(stages).unwrap()
		};
		assert_noop!(
			Market::match_request(signed(STRANGER), id, matched(1)),
			Error::<Test>::UnknownGateway
		);
		assert_noop!(
			Market::match_request(signed(GATEWAY), H256::zero(), matched(1)),
			Error::<Test>::UnknownRequest
		);
		assert_noop!(attempt(shaped(&[])), Error::<Test>::NoStages);
		assert_noop!(attempt(shaped(&[(0, 0, 0)])), Error::<Test>::EmptyStage);
		assert_noop!(attempt(shaped(&[(0, 0, 12), (1, 11, 24)])), Error::<Test>::LayersOverlap);
		assert_noop!(attempt(shaped(&[(0, 0, 23)])), Error::<Test>::LayersIncomplete);
		assert_noop!(attempt(shaped(&[(0, 0, 25)])), Error::<Test>::LayersBeyondModel);
		assert_noop!(attempt(shaped(&[(0, 0, 12), (0, 12, 24)])), Error::<Test>::DuplicateStage);

		put("worker-refusal", worker(0), Refusal::Draining);
		assert_noop!(attempt(matched(2)), sp_runtime::DispatchError::from(Refusal::Draining));
		forget("worker-refusal", worker(0));
		put("consent-refusal", worker(1), Refusal::WrongHour);
		assert_noop!(attempt(matched(2)), sp_runtime::DispatchError::from(Refusal::WrongHour));
		forget("consent-refusal", worker(1));

		put("offer", (MODEL, gateway()), Offer { output_price: 600_001, ..OFFER });
		assert_noop!(attempt(matched(2)), Error::<Test>::PriceAboveRequest);
		forget("offer", (MODEL, gateway()));
		assert_noop!(attempt(matched(2)), NO_OFFER);
		put("offer", (MODEL, gateway()), OFFER);

		let (info, _) = read::<(ModelInfo, bool)>("model", MODEL).unwrap();
		put("model", MODEL, (info, false));
		assert_noop!(attempt(matched(2)), NOT_PINNED);
		put("model", MODEL, (info, true));

		assert_ok!(Market::unbond_gateway(signed(GATEWAY)));
		assert_noop!(attempt(matched(2)), Error::<Test>::GatewayLeaving);
	});
}

#[test]
fn cancel_request_should_free_the_reserve_when_nobody_matched() {
	with_setup(|| {
		let id = Asked::default().by(REQUESTER).unwrap();
		System::reset_events();
		assert_noop!(Market::cancel_request(signed(STRANGER), id), Error::<Test>::NotRequester);
		assert_ok!(Market::cancel_request(signed(REQUESTER), id));

		assert_eq!(Market::escrow(requester()).reserved, 0);
		assert!(!Requests::<Test>::contains_key(id));
		assert!(!Deadlines::<Test>::contains_key(DEADLINE));
		assert_eq!(market_events(), vec![Event::RequestCancelled { id, amount: MAX_PRICE }]);
		assert_noop!(Market::cancel_request(signed(REQUESTER), id), Error::<Test>::UnknownRequest);
	});
}

#[test]
fn cancel_request_should_wait_when_a_gateway_matched_it() {
	with_setup(|| {
		let id = Asked::default().by(REQUESTER).unwrap();
		assert_ok!(Market::match_request(signed(GATEWAY), id, matched(2)));
		assert_noop!(Market::cancel_request(signed(REQUESTER), id), Error::<Test>::RequestNotOpen);
		run_to(NOW + MATCH_TIMEOUT + 1);
		assert_ok!(Market::cancel_request(signed(REQUESTER), id));
	});
}

#[test]
fn request_should_be_refunded_when_its_deadline_comes() {
	with_setup(|| {
		let open = Asked::default().by(REQUESTER).unwrap();
		let taken = Asked::default().by(REQUESTER).unwrap();
		let later = Asked { deadline: DEADLINE + 1, ..Default::default() };
		let later = later.by(REQUESTER).unwrap();
		run_to(DEADLINE - 1);
		assert_ok!(Market::match_request(signed(GATEWAY), taken, matched(2)));
		System::reset_events();
		run_to(DEADLINE);

		let refund = |id| Event::RequestRefunded { id, requester: requester(), amount: MAX_PRICE };
		assert_eq!(market_events(), vec![refund(open), refund(taken)]);
		let escrow = Market::escrow(requester());
		assert_eq!((escrow.held, escrow.reserved), (DEPOSIT, MAX_PRICE));
		assert!(Requests::<Test>::contains_key(later));
		assert_noop!(
			Market::match_request(signed(GATEWAY), open, matched(2)),
			Error::<Test>::UnknownRequest
		);
		run_to(DEADLINE + 1);
		assert_eq!(Market::escrow(requester()).reserved, 0);
		assert_ok!(Market::withdraw(signed(REQUESTER), DEPOSIT));
	});
}
