//! Requests made on chain, their matches, and settlements that they are to pay.

use super::{
	call, case, refuse_calls, refuse_settlements, CallCase, ConsentError, MarketError, ModelError,
	WorkerError, NONCE,
};
use crate::flow::*;
use aria_primitives::{
	consent::TaskType, query::Sampling, record::LayerRange, AccountId, Balance, BlockNumber, ARIA,
};
use aria_runtime::{parameters, RuntimeCall, RuntimeEvent};
use pallet_inference_market::RequestPrompt;
use sp_core::H256;
use sp_runtime::DispatchError;

/// The fields of a request that cases change.
struct Ask<'a> {
	model: &'a mut H256,
	prompt: &'a mut RequestPrompt,
	sampling: &'a mut Sampling,
	max_tokens: &'a mut u32,
	max_price: &'a mut Balance,
	deadline: &'a mut BlockNumber,
}

/// A good request after a change.
fn ask(flow: &Flow, change: impl FnOnce(Ask<'_>)) -> RuntimeCall {
	let mut request = flow.request_call(NONCE);
	if let Market::request {
		model_id: model,
		prompt,
		sampling,
		max_tokens,
		max_price,
		deadline,
		..
	} = &mut request
	{
		change(Ask { model, prompt, sampling, max_tokens, max_price, deadline });
	}
	request.into()
}

fn asked(
	name: &'static str,
	error: impl Into<DispatchError>,
	request: fn(&mut Flow) -> RuntimeCall,
) -> CallCase {
	call(name, error, REQUESTER, request)
}

#[test]
fn requests_should_be_refused_when_they_can_not_be_answered() {
	refuse_calls(vec![
		asked("for nothing", MarketError::PriceZero, |f| ask(f, |a| *a.max_price = 0)),
		asked("for more than the requester has", MarketError::EscrowInsufficient, |f| {
			ask(f, |a| *a.max_price = 2_000_000 * ARIA)
		}),
		asked("for more than there is", MarketError::EscrowInsufficient, |f| {
			ask(f, |a| *a.max_price = Balance::MAX)
		}),
		call("by who has no money", MarketError::EscrowInsufficient, SUBMITTER, |f| {
			let all = f.free(&SUBMITTER.to_account_id());
			ask(f, |a| *a.max_price = all)
		}),
		asked("at an absurd temperature", MarketError::InvalidSampling, |f| {
			ask(f, |a| a.sampling.temperature_milli = 100_001)
		}),
		asked("with no probability", MarketError::InvalidSampling, |f| {
			ask(f, |a| a.sampling.top_p_ppm = 0)
		}),
		asked("with more than all probability", MarketError::InvalidSampling, |f| {
			ask(f, |a| a.sampling.top_p_ppm = u32::MAX)
		}),
		asked("without a prompt", MarketError::PromptEmpty, |f| {
			ask(f, |a| *a.prompt = RequestPrompt::Text(Default::default()))
		}),
		asked("with bytes that are no text", MarketError::PromptNotText, |f| {
			ask(f, |a| *a.prompt = RequestPrompt::Text(vec![0xc3, 0x28].try_into().unwrap()))
		}),
		asked("for no tokens", MarketError::NoTokens, |f| ask(f, |a| *a.max_tokens = 0)),
		asked("for more tokens than the context", MarketError::TokensExceedContext, |f| {
			ask(f, |a| *a.max_tokens = 4_097)
		}),
		asked("until a block that has passed", MarketError::DeadlinePassed, |f| {
			ask(f, |a| *a.deadline = 1)
		}),
		asked("until the block that takes it", MarketError::DeadlinePassed, |f| {
			let now = f.chain.next_number();
			ask(f, |a| *a.deadline = now)
		}),
		asked("until too soon", MarketError::DeadlineOutOfRange, |f| {
			let soonest = f.chain.next_number() + parameters::MinRequestDeadline::get();
			ask(f, |a| *a.deadline = soonest - 1)
		}),
		asked("until too late", MarketError::DeadlineOutOfRange, |f| {
			let latest = f.chain.next_number() + parameters::MaxRequestDeadline::get();
			ask(f, |a| *a.deadline = latest + 1)
		}),
		asked("until the end of time", MarketError::DeadlineOutOfRange, |f| {
			ask(f, |a| *a.deadline = u32::MAX)
		}),
		asked("to an unknown model", ModelError::UnknownModel, |f| ask(f, |a| *a.model = NOTHING)),
		asked("to a model that is not pinned", ModelError::NotPinned, |f| {
			let unpin = sudo(Models::unpin { model: f.model });
			f.chain.accept(vec![(SUDO, unpin)]);
			ask(f, |_| ())
		}),
		asked("to a deadline with too many others", MarketError::TooManyRequestsAtBlock, |f| {
			let deadline = f.chain.next_number() + 1_000;
			let most = parameters::MaxRequestsPerDeadline::get();
			let same = |f: &Flow| {
				ask(f, |a| {
					*a.deadline = deadline;
					*a.max_price = 1;
				})
			};
			let requests = (0..most).map(|_| (REQUESTER, same(f))).collect();
			f.chain.accept(requests);
			same(f)
		}),
	]);
}

#[test]
fn cancellations_should_be_refused_when_the_request_is_not_open_or_anothers() {
	fn cancel(id: H256) -> RuntimeCall {
		Market::cancel_request { id }.into()
	}
	refuse_calls(vec![
		call("another's", MarketError::NotRequester, SUBMITTER, |flow| cancel(flow.request(1))),
		call("unknown", MarketError::UnknownRequest, REQUESTER, |_| cancel(NOTHING)),
		call("matched", MarketError::RequestNotOpen, REQUESTER, |flow| {
			let id = flow.request(1);
			flow.match_request(id, &[FIRST]);
			cancel(id)
		}),
		call("cancelled", MarketError::UnknownRequest, REQUESTER, |flow| {
			let id = flow.request(1);
			flow.chain.accept(vec![(REQUESTER, cancel(id))]);
			cancel(id)
		}),
	]);
}

/// A match to these stages.
fn stages_of(id: H256, list: &[(AccountId, u16, u16)]) -> RuntimeCall {
	let stages: Vec<_> = list
		.iter()
		.map(|(node, first, end)| (node.clone(), LayerRange { first: *first, end: *end }))
		.collect();
	Market::match_request { id, stages: stages.try_into().unwrap() }.into()
}

fn matched(
	name: &'static str,
	error: impl Into<DispatchError>,
	request: fn(&mut Flow) -> RuntimeCall,
) -> CallCase {
	call(name, error, GATEWAY, request)
}

#[test]
fn matches_should_be_refused_when_gateway_request_or_workers_are_not_fit() {
	refuse_calls(vec![
		call("by no gateway", MarketError::UnknownGateway, SUBMITTER, |flow| {
			match_call(flow.request(1), &[FIRST]).into()
		}),
		matched("by a leaving gateway", MarketError::GatewayLeaving, |flow| {
			let id = flow.request(1);
			flow.chain.accept(vec![(GATEWAY, Market::unbond_gateway {}.into())]);
			match_call(id, &[FIRST]).into()
		}),
		matched("without an offer", ModelError::NoOffer, |flow| {
			let id = flow.request(1);
			let remove = Models::remove_offer { model: flow.model };
			flow.chain.accept(vec![(GATEWAY, remove.into())]);
			match_call(id, &[FIRST]).into()
		}),
		matched("of an unknown request", MarketError::UnknownRequest, |_| {
			match_call(NOTHING, &[FIRST]).into()
		}),
		matched("of a matched request", MarketError::RequestNotOpen, |flow| {
			let id = flow.request(1);
			flow.match_request(id, &[FIRST]);
			match_call(id, &[LAST]).into()
		}),
		matched("of a request that is refunded", MarketError::UnknownRequest, |flow| {
			let id = flow.request(1);
			flow.pass_deadline(id);
			match_call(id, &[FIRST]).into()
		}),
		matched("at a price above the request's", MarketError::PriceAboveRequest, |flow| {
			let cheap = ask(flow, |a| *a.max_price = 1);
			let executed = flow.chain.accept(vec![(REQUESTER, cheap)]);
			let id = executed.find(requested);
			match_call(id, &[FIRST]).into()
		}),
		matched("to nobody", MarketError::NoStages, |flow| stages_of(flow.request(1), &[])),
		matched("to less than the model", MarketError::LayersIncomplete, |flow| {
			stages_of(flow.request(1), &[(FIRST.to_account_id(), 0, LAYERS - 1)])
		}),
		matched("to more than the model", MarketError::LayersBeyondModel, |flow| {
			stages_of(flow.request(1), &[(FIRST.to_account_id(), 0, LAYERS + 1)])
		}),
		matched("to overlapping stages", MarketError::LayersOverlap, |flow| {
			let both = [(FIRST.to_account_id(), 0, 20), (LAST.to_account_id(), 10, LAYERS)];
			stages_of(flow.request(1), &both)
		}),
		matched("to a stage without layers", MarketError::EmptyStage, |flow| {
			let both = [(FIRST.to_account_id(), 0, 0), (LAST.to_account_id(), 0, LAYERS)];
			stages_of(flow.request(1), &both)
		}),
		matched("to one node twice", MarketError::DuplicateStage, |flow| {
			let both = [(FIRST.to_account_id(), 0, 10), (FIRST.to_account_id(), 10, LAYERS)];
			stages_of(flow.request(1), &both)
		}),
		matched("to a stranger", WorkerError::NotRegistered, |flow| {
			match_call(flow.request(1), &[SUBMITTER]).into()
		}),
		matched("to who drains", WorkerError::Draining, |flow| {
			let id = flow.request(1);
			flow.chain.accept(vec![(LAST, Workers::drain {}.into())]);
			match_call(id, &[LAST]).into()
		}),
		matched("to who does not consent", ConsentError::NoConsent, |flow| {
			let id = flow.request(1);
			flow.chain.accept(vec![(LAST, Consents::withdraw_consent {}.into())]);
			match_call(id, &[LAST]).into()
		}),
		matched("to who consents to other tasks", ConsentError::TaskNotPermitted, |flow| {
			let id = flow.request(1);
			let mut consent = consent(LAST.to_account_id());
			consent.task_types = vec![TaskType::Audit].try_into().unwrap();
			let update = Consents::update_consent { consent };
			flow.chain.accept(vec![(LAST, update.into())]);
			match_call(id, &[LAST]).into()
		}),
	]);
}

fn requested(event: &RuntimeEvent) -> Option<H256> {
	match event {
		RuntimeEvent::InferenceMarket(pallet_inference_market::Event::Requested { id, .. }) => {
			Some(*id)
		}
		_ => None,
	}
}

/// Requests what the case's draft answers, and matches it to both workers.
fn both_matched(flow: &mut Flow) {
	let id = flow.request(NONCE);
	flow.match_request(id, &[FIRST, LAST]);
}

#[test]
fn settlements_should_be_refused_when_the_request_does_not_pay_for_them() {
	refuse_settlements(vec![
		case("unknown", MarketError::UnknownRequest)
			.draft(|_, draft| draft.request = Some(NOTHING)),
		case("not matched", MarketError::RequestNotMatched)
			.given(|flow| {
				flow.request(NONCE);
			})
			.draft(|flow, draft| draft.request = Some(flow.request)),
		case("matched too long ago", MarketError::MatchLapsed)
			.given(|flow| {
				both_matched(flow);
				flow.chain.blocks(parameters::MatchTimeout::get());
			})
			.draft(|flow, draft| draft.request = Some(flow.request)),
		case("refunded", MarketError::UnknownRequest)
			.given(|flow| {
				both_matched(flow);
				flow.pass_deadline(flow.request);
			})
			.draft(|flow, draft| draft.request = Some(flow.request)),
		case("settled", MarketError::UnknownRequest)
			.given(|flow| {
				both_matched(flow);
				let mut draft = flow.draft(NONCE);
				draft.request = Some(flow.request);
				flow.settle(draft);
			})
			.draft(|flow, draft| draft.request = Some(flow.request)),
		case("not the one that the record names", MarketError::TicketMismatch)
			.given(both_matched)
			.draft(|flow, draft| {
				draft.request = Some(flow.request);
				draft.paid_by = Some(NOTHING);
			}),
		case("for another query", MarketError::RequestMismatch)
			.given(|flow| {
				let id = flow.request(1);
				flow.match_request(id, &[FIRST, LAST]);
			})
			.draft(|flow, draft| draft.request = Some(flow.request)),
		case("for fewer tokens", MarketError::TokensExceedRequest).given(both_matched).draft(
			|flow, draft| {
				draft.request = Some(flow.request);
				draft.body.output_tokens = 257;
			},
		),
		case("matched to one worker", MarketError::StagesDiffer)
			.given(|flow| {
				let id = flow.request(NONCE);
				flow.match_request(id, &[FIRST]);
			})
			.draft(|flow, draft| draft.request = Some(flow.request)),
		case("matched in another order", MarketError::StagesDiffer)
			.given(|flow| {
				let id = flow.request(NONCE);
				flow.match_request(id, &[LAST, FIRST]);
			})
			.draft(|flow, draft| draft.request = Some(flow.request)),
		case("matched with other layers", MarketError::StagesDiffer).given(both_matched).draft(
			|flow, draft| {
				draft.request = Some(flow.request);
				draft.stage(0, |stage| stage.layers.end = 10);
				draft.stage(1, |stage| stage.layers.first = 10);
			},
		),
	]);
}
