//! `POST /v1/chat/completions` and `POST /v1/completions`.

use super::{
	body, stream,
	tally::{End, Tally},
	App, Held, RequestId,
};
use crate::{
	admission::{Full, Permit},
	ask::{self, Ask},
	backend::{Event, ModelCard, Request, Sampling},
	choices::{self, Events},
	error::ApiError,
	hex,
	keys::Principal,
	prompt, random,
	reply::{Done, Kind, Reply},
};
use axum::{
	extract::{Request as HttpRequest, State},
	http::HeaderValue,
	response::{IntoResponse, Response},
	Json,
};
use futures::StreamExt;
use std::{
	sync::Arc,
	time::{Instant, SystemTime, UNIX_EPOCH},
};

/// The header with the ids of the records.
const RECORD: &str = "x-aria-record";

/// Answers a chat.
pub(crate) async fn chat(State(app): State<Arc<App>>, request: HttpRequest) -> Response {
	respond(app, Kind::Chat, request).await
}

/// Continues a text.
pub(crate) async fn completion(State(app): State<Arc<App>>, request: HttpRequest) -> Response {
	respond(app, Kind::Completion, request).await
}

async fn respond(app: Arc<App>, kind: Kind, request: HttpRequest) -> Response {
	let received = Instant::now();
	let (parts, body) = request.into_parts();
	let call = Call {
		kind,
		received,
		id: parts.extensions.get::<RequestId>().map_or_else(|| "".into(), |id| id.0.clone()),
		held: parts.extensions.get::<Held>().cloned(),
	};
	let admitted = app.authenticate(&parts.headers).map(|principal| {
		let limited = app.limiter.request(&principal, received);
		(principal, limited)
	});
	match admitted {
		Err(error) => {
			body::discard(body, app.config.body_bytes).await;
			error.into_response()
		}
		Ok((principal, Err(error))) => {
			body::discard(body, app.config.body_bytes).await;
			app.respond(&principal, Err(error))
		}
		Ok((principal, Ok(()))) => {
			let config = &app.config;
			let result = match body::read(body, config.body_bytes, config.body_wait).await {
				Ok(body) => answer(&app, call, &principal, body).await,
				Err(error) => Err(error),
			};
			app.respond(&principal, result)
		}
	}
}

/// An HTTP request.
struct Call {
	kind: Kind,
	received: Instant,
	id: Arc<str>,
	held: Option<Held>,
}

/// What is being answered. Dropping it ends that, and then gives the places back.
pub(super) struct Job {
	pub reply: Reply,
	pub events: Events,
	pub tally: Tally,
	/// Choices of all prompts.
	pub answers: usize,
	pub _permit: Permit,
	/// The connection is in use as long as there is something to write.
	pub _held: Option<Held>,
}

async fn answer(
	app: &Arc<App>,
	call: Call,
	principal: &Arc<Principal>,
	body: Vec<u8>,
) -> Result<Response, ApiError> {
	if app.stopping.is_cancelled() {
		return Err(ApiError::stopping());
	}
	let Prepared { ask, model, prompts } = prepare(app, call.kind, body).await?;
	let (requests, seeds) = requests(app, &call, principal, &ask, &model, &prompts);
	let most = requests.iter().map(|request| {
		(request.prompt_tokens.len() as u64).saturating_add(request.max_tokens.into())
	});
	let charge = app.limiter.tokens(principal, most.sum(), Instant::now())?;

	let width = app.config.width(requests.len());
	let permit = app.admission.acquire(&principal.id, width).await.map_err(|full| match full {
		Full::Closed => ApiError::stopping(),
		Full::Busy(after) => {
			let message = "too many requests are waiting: go on as Retry-After says";
			ApiError::limited("requests", message, after)
		}
	})?;
	let width = permit.weight();

	let name = model.name.clone();
	let mut tally = Tally::new(app.metrics.clone(), charge, call.received, name, &requests, width);
	let answers = requests.len();
	let mut requests = requests.into_iter();
	let Some(first) = requests.next() else {
		return Err(ApiError::internal("the request has no prompts"));
	};
	let started = tokio::select! {
		biased;
		() = app.ended.cancelled() => Err(ApiError::stopping()),
		started = app.backend.start(first) => started.map_err(ApiError::from),
	};
	let running = started.inspect_err(|_| tally.end = End::Failed)?;
	let reply = Reply {
		kind: call.kind,
		id: random::name(call.kind.prefix()),
		created: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
		model: model.name,
		model_id: model.id,
		fingerprint: model.fingerprint,
		seeds,
		per_prompt: ask.choices as usize,
		include_usage: ask.include_usage,
	};
	let events = choices::events(running, requests.collect(), &app.backend, width);
	let job = Job { reply, events, tally, answers, _permit: permit, _held: call.held };
	if ask.stream {
		Ok(stream::respond(app.clone(), job))
	} else {
		whole(app, job).await
	}
}

/// A request that was read.
struct Prepared {
	ask: Ask,
	model: ModelCard,
	prompts: Vec<Arc<[u32]>>,
}

/// Reads the body and makes tokens of it, on a thread for such work.
async fn prepare(app: &App, kind: Kind, body: Vec<u8>) -> Result<Prepared, ApiError> {
	let failed = || ApiError::internal("the request could not be read: send it again");
	let turn = app.preparing.clone().acquire_owned().await.map_err(|_| failed())?;
	let backend = app.backend.clone();
	let work = move || -> Result<Prepared, ApiError> {
		let _turn = turn;
		let ask = match kind {
			Kind::Chat => ask::chat(&body),
			Kind::Completion => ask::completion(&body),
		}?;
		let model = prompt::find(backend.models(), &ask.model)?;
		let prompts = prompt::tokens(&model, &ask)?;
		Ok(Prepared { ask, model, prompts })
	};
	tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
		tracing::error!(target: "aria::gateway", "reading a request: {error}");
		Err(failed())
	})
}

/// A question for each choice of each prompt, and their seeds.
fn requests(
	app: &App,
	call: &Call,
	principal: &Arc<Principal>,
	ask: &Ask,
	model: &ModelCard,
	prompts: &[Arc<[u32]>],
) -> (Vec<Request>, Vec<u64>) {
	let seed = ask.seed.unwrap_or_else(random::seed);
	let most = ask.max_tokens.or(app.config.default_max_tokens).unwrap_or(u32::MAX).max(1);
	let mut requests = Vec::new();
	let mut seeds = Vec::new();
	for prompt in prompts {
		let used = u32::try_from(prompt.len()).unwrap_or(u32::MAX);
		let room = model.context.saturating_sub(used).max(1);
		for choice in 0..ask.choices {
			let seed = seed.wrapping_add(choice.into());
			seeds.push(seed);
			requests.push(Request {
				request_id: call.id.clone(),
				model: model.id,
				principal: principal.clone(),
				prompt_tokens: prompt.clone(),
				sampling: Sampling {
					temperature_milli: ask.temperature_milli,
					top_k: ask.top_k,
					top_p_ppm: ask.top_p_ppm,
					seed,
				},
				max_tokens: most.min(room),
				stops: ask.stops.clone(),
				demands: ask.demands.clone(),
			});
		}
	}
	(requests, seeds)
}

/// Waits for all answers.
async fn whole(app: &App, mut job: Job) -> Result<Response, ApiError> {
	let mut texts = vec![String::new(); job.answers];
	let mut done: Vec<Option<Done>> = vec![None; job.answers];
	loop {
		let next = tokio::select! {
			biased;
			() = app.ended.cancelled() => {
				job.tally.end = End::Stopped;
				return Err(ApiError::stopping());
			}
			next = job.events.next() => next,
		};
		let Some((index, event)) = next else { break };
		job.tally.note(index, &event);
		match event {
			Event::Token { text } => {
				if let Some(whole) = texts.get_mut(index) {
					whole.push_str(&text);
				}
			}
			Event::Replaced => {}
			Event::Finished(finished) => {
				if let Some(place) = done.get_mut(index) {
					let replaced = job.tally.replaced(index);
					*place = Some(Done { finished: *finished, replaced });
				}
			}
			Event::Failed(refused) => {
				job.tally.end = End::Failed;
				return Err(refused.into());
			}
		}
	}
	let Some(done) = done.into_iter().collect::<Option<Vec<Done>>>() else {
		job.tally.end = End::Failed;
		return Err(ApiError::internal("an answer broke off: send the request again"));
	};
	job.tally.end = End::Complete;
	let records: Vec<String> = done
		.iter()
		.filter_map(|done| done.finished.receipt.record_id)
		.map(|id| hex::prefixed(&id))
		.collect();
	let answers: Vec<(String, Done)> = texts.into_iter().zip(done).collect();
	let mut response = Json(job.reply.whole(&answers)).into_response();
	if !records.is_empty() {
		if let Ok(value) = HeaderValue::try_from(records.join(",")) {
			response.headers_mut().insert(RECORD, value);
		}
	}
	Ok(response)
}
