//! Requests made on chain: reserve, match, settle or refund (`docs/protocol/request.md`).

use crate::{
	pallet::*,
	payment::named,
	types::{MatchedStages, Payer, Request, RequestPrompt, RequestState, Terms},
};
use alloc::boxed::Box;
use aria_primitives::{
	hashing::{domain_hash, REQUEST_DOMAIN},
	record::RecordBody,
	ticket::AuditMode,
	traits::{Consents, ModelInfo, Models, Workers},
	AccountId, BlockNumber, PaymentHash,
};
use frame_support::{ensure, traits::Get};
use sp_core::H256;
use sp_runtime::{traits::Zero, DispatchError, DispatchResult, SaturatedConversion};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_request(request: Request) -> DispatchResult {
		Self::ensure_askable(&request)?;
		let now = Self::now();
		ensure!(request.deadline > now, Error::<T>::DeadlinePassed);
		let wait = request.deadline.saturating_sub(now);
		ensure!(
			wait >= T::RequestDeadlineMin::get() && wait <= T::RequestDeadlineMax::get(),
			Error::<T>::DeadlineOutOfRange
		);

		let count = RequestCount::<T>::get();
		let id = Self::request_id(&Self::genesis(), count, &request);
		Deadlines::<T>::try_mutate(request.deadline, |ids| {
			ids.try_push(id).map_err(|_| Error::<T>::TooManyRequestsAtBlock)
		})?;
		Self::reserve(&request.requester, request.max_price)?;
		RequestCount::<T>::put(count.saturating_add(1));
		let event = Event::Requested {
			id,
			requester: request.requester.clone(),
			model_id: request.model_id,
			max_price: request.max_price,
			deadline: request.deadline,
		};
		Requests::<T>::insert(id, request);
		Self::deposit_event(event);
		Ok(())
	}

	/// `sha256(REQUEST_DOMAIN ‖ genesis ‖ SCALE(requester, count, model, prompt, sampling,
	/// max_tokens, max_price, deadline, audit mode))`.
	pub(crate) fn request_id(genesis: &H256, count: u64, request: &Request) -> PaymentHash {
		let content = (
			&request.requester,
			count,
			&request.model_id,
			&request.prompt,
			&request.sampling,
			request.max_tokens,
			request.max_price,
			request.deadline,
			&request.audit_mode,
		);
		domain_hash(REQUEST_DOMAIN, genesis, &content)
	}

	fn ensure_askable(request: &Request) -> DispatchResult {
		ensure!(!request.max_price.is_zero(), Error::<T>::PriceZero);
		ensure!(request.sampling.is_valid(), Error::<T>::InvalidSampling);
		if let RequestPrompt::Text(text) = &request.prompt {
			ensure!(!text.is_empty(), Error::<T>::PromptEmpty);
			ensure!(core::str::from_utf8(text).is_ok(), Error::<T>::PromptNotText);
		}
		ensure!(request.max_tokens > 0, Error::<T>::NoTokens);
		let model = T::Models::pinned(&request.model_id)?;
		ensure!(request.max_tokens <= model.context, Error::<T>::TokensExceedContext);
		Ok(())
	}

	pub(crate) fn do_match_request(
		gateway: AccountId,
		id: PaymentHash,
		stages: MatchedStages,
	) -> DispatchResult {
		let now = Self::now();
		Self::ensure_gateway_active(&gateway)?;
		let mut request = Requests::<T>::get(id).ok_or(Error::<T>::UnknownRequest)?;
		ensure!(request.is_open(now), Error::<T>::RequestNotOpen);
		let model = T::Models::pinned(&request.model_id)?;
		Self::ensure_matchable(&request, &stages, &model)?;
		// What the prompt costs is not known before it is tokenised; the answer alone has to fit.
		let offer = T::Models::offer(&request.model_id, &gateway)?;
		let longest =
			Self::price(&offer, 0, 0, request.max_tokens, stages.len().saturated_into()).total();
		ensure!(longest <= request.max_price, Error::<T>::PriceAboveRequest);

		// At its deadline the request is refunded before anything else happens in the block.
		let until =
			now.saturating_add(T::MatchTimeout::get()).min(request.deadline.saturating_sub(1));
		request.state = RequestState::Matched { gateway: gateway.clone(), stages, until, offer };
		Requests::<T>::insert(id, request);
		Self::deposit_event(Event::RequestMatched { id, gateway, until });
		Ok(())
	}

	/// Whether the stages cover the model and each may and wants to work now.
	fn ensure_matchable(
		request: &Request,
		stages: &MatchedStages,
		model: &ModelInfo,
	) -> DispatchResult {
		let end = Self::ensure_contiguous(stages.iter().map(|(node, layers)| (node, layers)))?;
		Self::ensure_complete(end, model.layers)?;
		let (now, now_ms) = (Self::now(), Self::now_ms());
		for (node, layers) in stages.iter() {
			T::Workers::ensure_may_work(node, &request.model_id, layers, now)?;
			T::Consents::ensure_permits_now(node, model.task_type, now_ms)?;
		}
		Ok(())
	}

	pub(crate) fn do_cancel_request(requester: &AccountId, id: PaymentHash) -> DispatchResult {
		let request = Requests::<T>::get(id).ok_or(Error::<T>::UnknownRequest)?;
		ensure!(request.requester == *requester, Error::<T>::NotRequester);
		ensure!(request.is_open(Self::now()), Error::<T>::RequestNotOpen);
		Self::close_request(id, &request);
		Self::deposit_event(Event::RequestCancelled { id, amount: request.max_price });
		Ok(())
	}

	/// On what terms a matched request pays for a record.
	pub(crate) fn request_terms(
		body: &RecordBody,
		id: &PaymentHash,
	) -> Result<Terms, DispatchError> {
		ensure!(body.ticket_hash == *id, Error::<T>::TicketMismatch);
		let request = Box::new(Requests::<T>::get(id).ok_or(Error::<T>::UnknownRequest)?);
		let RequestState::Matched { gateway, stages, until, offer } = &request.state else {
			return Err(Error::<T>::RequestNotMatched.into());
		};
		ensure!(Self::now() <= *until, Error::<T>::MatchLapsed);
		let asked = match &request.prompt {
			RequestPrompt::Hash(query) => *query == body.query_hash,
			RequestPrompt::Text(_) => true,
		};
		ensure!(asked && request.model_id == body.model_id, Error::<T>::RequestMismatch);
		ensure!(body.output_tokens <= request.max_tokens, Error::<T>::TokensExceedRequest);
		let ran = body.stages.iter().map(|stage| (&stage.node, &stage.layers));
		let matched = stages.iter().map(|(node, layers)| (node, layers));
		ensure!(ran.eq(matched), Error::<T>::StagesDiffer);
		Self::ensure_gateway_answers(gateway)?;

		// Both agreed on the offer at the match; what it says now does not count.
		let (gateway, offer) = (gateway.clone(), *offer);
		let price = Self::record_price(&offer, body).capped(request.max_price);
		Ok(Terms {
			requester: request.requester.clone(),
			gateway,
			offer,
			price,
			auditable: request.audit_mode != AuditMode::None,
			named: named(&request.audit_mode),
			payer: Payer::Request(*id, request),
		})
	}

	/// Forgets a request and frees what it reserved.
	pub(crate) fn close_request(id: PaymentHash, request: &Request) {
		Requests::<T>::remove(id);
		Deadlines::<T>::mutate_exists(request.deadline, |entry| {
			if let Some(ids) = entry {
				ids.retain(|other| *other != id);
				if ids.is_empty() {
					*entry = None;
				}
			}
		});
		Self::unreserve(&request.requester, request.max_price);
	}

	/// Refunds the requests whose deadline is `now`; returns how many there were.
	pub(crate) fn expire_requests(now: BlockNumber) -> u32 {
		let ids = Deadlines::<T>::take(now);
		for id in ids.iter() {
			if let Some(request) = Requests::<T>::take(id) {
				Self::unreserve(&request.requester, request.max_price);
				Self::deposit_event(Event::RequestRefunded {
					id: *id,
					requester: request.requester,
					amount: request.max_price,
				});
			}
		}
		ids.len().saturated_into()
	}
}
