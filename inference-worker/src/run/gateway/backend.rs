//! Answers requests: plan, payment, pipeline, settlement.

mod canary;

pub use canary::CanaryForge;

use super::{
	catalogue::{Catalogue, Entry},
	convert::{self, RETRY},
	purse::{most, Asked, Purse, Reservation},
};
use crate::{
	audit::{HandOvers, Kept},
	keys::{account_of, Spending},
	pipeline::{Coordinator, Event as Stepped, Job, Outcome, PipelineError, Plan, SignedRecord},
	plan::{Demand, NoPlan},
	run::{
		live::{now, Live, MAX_AWAY, MAX_CLOCK_OFF},
		payments::{Paid, Payments, Who},
		peers::NetworkDialer,
		planner::Planner,
	},
	seldom::Seldom,
	settle::{SettlementStore, Settler},
};
use aria_chain_client::Chain;
use aria_gateway::{
	Audit, Backend, Event, Finished, ModelCard, Principal, Refused, Request, Running, Usage,
};
use aria_network::wire::pipeline::SessionId;
use aria_primitives::{
	audit::{Handover, Named},
	query::CanonicalQuery,
	record::Anchor,
	ticket::{SignedTicket, Ticket, TICKET_VERSION},
	traits::Offer,
	AccountId, Balance, BlockNumber, ModelId, QueryHash,
};
use futures::future::BoxFuture;
use sp_core::{crypto::Ss58Codec, sr25519, Pair};
use std::{
	collections::HashMap,
	sync::{Arc, Mutex, PoisonError},
	time::Duration,
};
use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Requests for which the stakes of workers do not answer, in the log.
static NO_ROOM: Seldom = Seldom::new();
/// Tokens that wait for the pipeline's reader, and for the client.
const QUEUE: usize = 64;
/// Longest life of a ticket, in blocks: long enough for an answer and its settlement.
const TICKET_LIFE: BlockNumber = 300;
/// How often a plan is made anew where its workers refuse before a token was drawn.
const PLANS: usize = 3;
/// How often it is looked whether a settlement is final.
const LOOK: Duration = Duration::from_secs(1);
/// After how many looks money that a settlement will take is counted no more.
const LOOKS: usize = 900;
/// Spending keys that are remembered.
const MOST_KEYS: usize = 4_096;

/// What answers are made with.
pub struct Answers {
	/// The chain.
	pub chain: Chain,
	/// The gateway's key.
	pub pair: sr25519::Pair,
	/// The gateway's account.
	pub account: AccountId,
	/// What the chain and the owner say.
	pub live: Arc<Live>,
	/// Models.
	pub catalogue: Arc<Catalogue>,
	/// Who computes.
	pub planner: Arc<Planner>,
	/// What pays.
	pub payments: Arc<Payments>,
	/// What is under way.
	pub purse: Arc<Purse>,
	/// Nonces, and settlements.
	pub store: Arc<SettlementStore>,
	/// Submits.
	pub settler: Arc<Settler>,
	/// What verifiers may ask for.
	pub handovers: Arc<HandOvers>,
	/// Runs pipelines.
	pub coordinator: Coordinator<NetworkDialer>,
	/// Answers whose records are not kept yet.
	pub closing: TaskTracker,
	/// Spending keys by what the key file calls them.
	pub keys: Mutex<HashMap<String, sr25519::Pair>>,
}

/// The gateway, as the HTTP API asks it.
pub struct GatewayBackend(pub Arc<Answers>);

/// A request on its way.
struct Task {
	request: Request,
	model: ModelId,
	entry: Arc<Entry>,
	query: CanonicalQuery,
	key: sr25519::Pair,
	requester: AccountId,
	demand: Demand,
}

/// One attempt to answer.
struct Attempt {
	job: Job,
	plan: Plan,
	closing: Closing,
}

/// What is needed when an answer has ended.
struct Closing {
	request: Arc<str>,
	reserved: Reservation,
	offer: Offer,
	query_hash: QueryHash,
	salt: [u8; 32],
	salted: bool,
	query: CanonicalQuery,
	/// Whom the requester named; `None` where nobody may audit.
	named: Option<Named>,
}

impl Backend for GatewayBackend {
	fn models(&self) -> Vec<ModelCard> {
		self.0.catalogue.cards()
	}

	fn start(&self, request: Request) -> BoxFuture<'_, Result<Running, Refused>> {
		Box::pin(async move { self.0.clone().start(request).await })
	}
}

impl Answers {
	/// Begins an answer: returns with its first token, or with the reason why there is none.
	async fn start(self: Arc<Self>, request: Request) -> Result<Running, Refused> {
		self.check_chain()?;
		let task = self.task(request)?;
		let mut avoid: Vec<AccountId> = Vec::new();
		let mut tries = 1;
		loop {
			let attempt = self.attempt(&task, &avoid).await?;
			let plan = attempt.plan.clone();
			let error = match self.clone().begin(attempt).await {
				Ok(running) => return Ok(running),
				Err(error) => error,
			};
			match error {
				PipelineError::NoReplica { stage, ref reason, .. } if tries < PLANS => {
					tracing::info!(
						target: "aria::gateway", stage, %reason, "planned again without these workers"
					);
					tries += 1;
					let stage = usize::from(stage);
					avoid.extend(plan.stages.get(stage).map(|place| place.node.clone()));
					let standbys = plan.standbys.get(stage).into_iter().flatten();
					avoid.extend(standbys.map(|place| place.node.clone()));
				}
				error => return Err(convert::refused(error)),
			}
		}
	}

	/// Without the chain nothing can be planned or paid; with a wrong clock records are refused.
	fn check_chain(&self) -> Result<(), Refused> {
		let unavailable =
			|message: String| Err(Refused::Unavailable { message, retry_after: RETRY });
		if self.chain.unreachable_for().is_some_and(|away| away > MAX_AWAY) {
			return unavailable("the chain is not reached from here".to_owned());
		}
		match self.live.snapshot().clock_off {
			Some(off) if off.abs() > MAX_CLOCK_OFF => unavailable(
				"this gateway's clock differs from the chain's: its operator has to set it"
					.to_owned(),
			),
			_ => Ok(()),
		}
	}

	fn task(&self, request: Request) -> Result<Task, Refused> {
		let model = ModelId::from(request.model);
		let entry = self.catalogue.get(&model).ok_or_else(|| Refused::UnknownModel {
			message: "this model is not served here any more".to_owned(),
		})?;
		let query = convert::query(&request, rand::random())?;
		let (first, last) = convert::ends(&request.demands)?;
		let key = self.key(&request.principal)?;
		let requester = AccountId::from_ss58check(&request.principal.requester).map_err(|_| {
			Refused::Internal {
				message: "the API key names no account that pays: ask the gateway's operator"
					.to_owned(),
			}
		})?;
		let demand = Demand {
			model,
			layers: entry.manifest.layers,
			price: 0,
			at_stake: 0,
			at: now(),
			whole_model: request.demands.whole_model,
			first,
			last,
			region: request.demands.region,
			seed: rand::random(),
		};
		Ok(Task { request, model, entry, query, key, requester, demand })
	}

	/// The spending key of a principal.
	fn key(&self, principal: &Principal) -> Result<sr25519::Pair, Refused> {
		let words = match &principal.spending_key {
			Some(words) => words.clone(),
			None => Spending::Derived(principal.name.clone()).to_string(),
		};
		let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
		if let Some(pair) = keys.get(&words) {
			return Ok(pair.clone());
		}
		let pair = words
			.parse::<Spending>()
			.map_err(anyhow::Error::msg)
			.and_then(|spending| spending.pair(&self.pair))
			.map_err(|error| {
				tracing::error!(
					target: "aria::gateway",
					key = %principal.name,
					error = format!("{error:#}"),
					"an API key has no spending key"
				);
				Refused::Internal {
					message: "the spending key of this API key is not at hand: ask the gateway's operator"
						.to_owned(),
				}
			})?;
		if keys.len() >= MOST_KEYS {
			keys.clear();
		}
		keys.insert(words, pair.clone());
		Ok(pair)
	}

	/// Plans, reserves the price and signs a ticket.
	async fn attempt(&self, task: &Task, avoid: &[AccountId]) -> Result<Attempt, Refused> {
		let key = account_of(&task.key);
		let who = Who {
			requester: &task.requester,
			key: &key,
			gateway: &self.account,
			model: task.model,
		};
		let unread = |error: aria_chain_client::ChainError| {
			tracing::warn!(target: "aria::gateway", %error, "the chain can't be read");
			Refused::Unavailable {
				message: "the chain is not reached from here".to_owned(),
				retry_after: RETRY,
			}
		};
		let paid = self.payments.paid(who, None).await.map_err(unread)?;
		let Some(offer) = paid.offer else {
			return Err(Refused::UnknownModel {
				message: "this gateway sells this model no more".to_owned(),
			});
		};
		let prompt = u32::try_from(task.query.prompt_tokens.len()).unwrap_or(u32::MAX);
		let constants = self.chain.constants();
		let price = |stages: usize| {
			let stages = u32::try_from(stages).unwrap_or(u32::MAX);
			most(&constants, &paid, prompt, task.query.max_tokens, stages).unwrap_or_default()
		};
		let auditable = task.request.demands.audit != Audit::None;
		let demand = Demand {
			price: offer.output_price,
			// What tokens cost does not depend on the number of stages.
			at_stake: if auditable { price(1).tokens } else { 0 },
			at: now(),
			..task.demand.clone()
		};
		let planned = self.planner.plan(&demand, avoid, &self.purse.held()).map_err(no_plan)?;
		let stages = planned.plan.stages.iter().map(|place| &place.node);
		let rooms = self.planner.rooms(&task.model, stages);
		let price = price(planned.plan.stages.len());
		let asked = Asked {
			key: &key,
			requester: &task.requester,
			gateway: &self.account,
			price,
			auditable,
			stages: &rooms,
		};
		let reserved = self.purse.reserve(&asked, &paid)?;

		let head = *self.chain.head().borrow();
		let payment = self.ticket(task, key, price.total(), head.best.0, &paid)?;
		let (number, hash) = head.finalized;
		let job = Job {
			query: task.query.clone(),
			payment,
			anchor: Anchor { number, hash },
			plan: planned.plan.clone(),
			gateway: self.account.clone(),
			tokenizer: task.entry.tokenizer.clone(),
			eos: task.entry.manifest.eos.to_vec(),
			context: task.entry.manifest.context,
			salted_output: task.request.demands.salted,
		};
		let closing = Closing {
			request: task.request.request_id.clone(),
			reserved,
			offer,
			query_hash: task.query.hash(),
			salt: task.query.salt,
			salted: task.request.demands.salted,
			query: task.query.clone(),
			named: convert::named(&task.request.demands.audit)?,
		};
		Ok(Attempt { job, plan: planned.plan, closing })
	}

	fn ticket(
		&self,
		task: &Task,
		key: AccountId,
		price: Balance,
		best: BlockNumber,
		paid: &Paid,
	) -> Result<SignedTicket, Refused> {
		let internal = |error: crate::settle::StoreError| {
			tracing::error!(target: "aria::gateway", %error, "no nonce for a ticket");
			Refused::Internal { message: "this gateway can't make a ticket now".to_owned() }
		};
		// The key may have been used with another gateway's files, before a restore say.
		if let Some(on_chain) = &paid.key {
			let least = on_chain.nonces.highest.saturating_add(1);
			self.store.raise_nonce(&key, least).map_err(internal)?;
		}
		let nonce = self.store.next_nonce(&key).map_err(internal)?;
		let life = TICKET_LIFE.min(self.chain.constants().max_ticket_lifetime);
		let ticket = Ticket {
			version: TICKET_VERSION,
			requester: task.requester.clone(),
			key,
			gateway: self.account.clone(),
			model_id: task.model,
			query_hash: task.query.hash(),
			max_price: price,
			nonce,
			expiry: best.saturating_add(life),
			audit_mode: convert::audit(&task.request.demands.audit)?,
		};
		let hash = ticket.hash(&self.chain.genesis());
		let signature = task.key.sign(hash.as_bytes()).into();
		Ok(SignedTicket { ticket, signature })
	}

	/// Runs the pipeline until it gives its first token, and hands over the rest.
	async fn begin(self: Arc<Self>, attempt: Attempt) -> Result<Running, PipelineError> {
		let Attempt { job, closing, .. } = attempt;
		let cancel = CancellationToken::new();
		// A client that leaves before the first token drops this future.
		let leave = cancel.clone().drop_guard();
		let (stepped, mut steps) = mpsc::channel(QUEUE);
		let running = {
			let (this, cancel) = (self.clone(), cancel.clone());
			self.closing.spawn(async move {
				let outcome = this.coordinator.run(job, stepped, cancel).await?;
				Ok::<_, PipelineError>(this.close(outcome, closing).await)
			})
		};
		let first = steps.recv().await;
		let (events, receiver) = mpsc::channel(QUEUE);
		if first.is_none() {
			// It ended without a token: with an error, or because none was asked for.
			let finished = match running.await {
				Ok(result) => result?,
				Err(_) => return Err(PipelineError::Job("it broke off".to_owned())),
			};
			if let Some(finished) = finished {
				let _ = events.try_send(Event::Finished(Box::new(finished)));
			}
			return Ok(Running::new(receiver, leave.disarm()));
		}
		tokio::spawn(async move {
			let mut next = first;
			while let Some(step) = next {
				let event = match step {
					Stepped::Token { text, .. } => Event::Token { text },
					Stepped::Replaced { .. } => Event::Replaced,
				};
				if events.send(event).await.is_err() {
					return;
				}
				next = steps.recv().await;
			}
			let last = match running.await {
				Ok(Ok(Some(finished))) => Event::Finished(Box::new(finished)),
				Ok(Ok(None)) => return,
				Ok(Err(error)) => Event::Failed(convert::refused(error)),
				Err(_) => Event::Failed(Refused::Internal {
					message: "the answer broke off in this gateway".to_owned(),
				}),
			};
			let _ = events.send(last).await;
		});
		Ok(Running::new(receiver, leave.disarm()))
	}

	/// Keeps the record for settlement. What the client is told, if it is still there.
	async fn close(&self, outcome: Outcome, mut closing: Closing) -> Option<Finished> {
		let answer = &outcome.answer;
		let usage = Usage {
			prompt_tokens: answer.prompt_tokens,
			completion_tokens: u32::try_from(answer.tokens.len()).unwrap_or(u32::MAX),
			cached_tokens: answer.cached_tokens,
		};
		let finish_reason = convert::finish(answer.finish_reason);
		// A short text's hash has the salt behind it whether or not that was asked for.
		let salted = closing.salted || answer.text.len() < SHORT;
		let salt = salted.then_some(closing.salt);
		tracing::info!(
			target: "aria::gateway",
			request = %closing.request,
			session = outcome.session.as_ref().map(session_name).as_deref(),
			record = outcome.record.as_ref().map(|record| tracing::field::debug(record.id)),
			tokens = usage.completion_tokens,
			first_token = ?outcome.first_token,
			rest = ?outcome.rest,
			replaced = outcome.replaced,
			end = ?answer.finish_reason,
			"answered"
		);
		self.planner.note_replaced(outcome.replaced);
		for account in &outcome.failed {
			self.planner.suspect(account);
		}
		let receipt = match outcome.record {
			Some(record) => {
				let body = &record.body;
				let stages = u32::try_from(body.stages.len()).unwrap_or(u32::MAX);
				let (prompt, cached) = (body.prompt_tokens, body.cached_tokens);
				let constants = self.chain.constants();
				let price =
					constants.price(&closing.offer, prompt, cached, body.output_tokens, stages);
				let workers = body.stages.iter().map(|stage| stage.node.clone()).collect();
				closing.reserved.shrink_to(&price, workers);
				let mut receipt = convert::receipt(&record, salt);
				let kept = closing.named.take().map(|named| {
					let tokens = answer.tokens.clone();
					Kept { handed: Handover { query: closing.query.clone(), tokens }, named }
				});
				if !self.keep(record, kept, closing.reserved).await {
					receipt.record_id = None;
				}
				receipt
			}
			None => {
				if let Some(reason) = &outcome.unrecorded {
					let request = &closing.request;
					tracing::warn!(target: "aria::gateway", %request, %reason, "an answer has no record");
				}
				let query_hash = closing.query_hash.to_fixed_bytes();
				aria_gateway::Receipt { query_hash, salt, ..Default::default() }
			}
		};
		Some(Finished { finish_reason: finish_reason?, usage, receipt })
	}

	/// Keeps a record for settlement, and its price reserved until that is final. Whether it is on disk.
	async fn keep(&self, record: SignedRecord, kept: Option<Kept>, reserved: Reservation) -> bool {
		let id = record.id;
		let settlement = record.settlement(&self.pair);
		let (settler, handovers) = (self.settler.clone(), self.handovers.clone());
		// It is on disk before the client hears of it, and what verifiers may ask for before anybody can
		// draw it.
		let add = move || {
			if let Some(Err(error)) = kept.map(|kept| handovers.keep(&id, &kept, now())) {
				tracing::error!(
					target: "aria::gateway", ?id, %error,
					"what an answer was made of is not kept: if it is audited, this gateway is silent"
				);
			}
			settler.add(settlement)
		};
		match tokio::task::spawn_blocking(add).await {
			Ok(Ok(())) => {}
			Ok(Err(error)) => {
				tracing::error!(
					target: "aria::gateway", ?id, %error, "a record is not kept, so nobody is paid for it"
				);
				return false;
			}
			Err(_) => return false,
		}
		let store = self.store.clone();
		tokio::spawn(async move {
			for _ in 0..LOOKS {
				tokio::time::sleep(LOOK).await;
				if !matches!(store.settlement(&id), Ok(Some(_))) {
					break;
				}
			}
			drop(reserved);
		});
		true
	}
}

/// A session as the logs of its stages name it.
fn session_name(session: &SessionId) -> String {
	session.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// Shortest text whose hash stands without a salt, in bytes (`docs/protocol/record.md`).
const SHORT: usize = 64;

/// What the client is told where nobody computes.
fn no_plan(none: NoPlan) -> Refused {
	let (message, retry_after) = (none.to_string(), none.retry_after.unwrap_or(RETRY));
	if none.no_room {
		if let Some(unsaid) = NO_ROOM.turn() {
			tracing::warn!(
				target: "aria::gateway", %message, unsaid, "the stakes of workers answer for no more"
			);
		}
		return Refused::Busy { message, retry_after };
	}
	Refused::Unavailable { message, retry_after }
}
