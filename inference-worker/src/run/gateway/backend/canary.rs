//! Canaries, asked for by this gateway itself (`docs/protocol/audit.md`, "Canaries"): planned, paid and
//! computed like any answer, but that this worker's own stage computes falsely, and that the record is
//! given back instead of settled.

use super::{Answers, Attempt, Task};
use crate::{
	audit::{
		canary::{Accounts, Forge, Made, Orders},
		Kept,
	},
	keys::account_of,
	plan::Demand,
	run::{
		gateway::{
			catalogue::Entry,
			convert,
			fund::{grant, Grant},
		},
		live::now,
		stages::Stages,
	},
};
use aria_engine::text::{Message, RenderOptions};
use aria_gateway::{Demands, Principal, Request, Sampling};
use aria_primitives::{
	audit::{Handover, Named},
	record::{LayerRange, Settlement},
	ModelId, ARIA,
};
use futures::future::BoxFuture;
use rand::Rng;
use sp_core::crypto::Ss58Codec;
use std::{sync::Arc, time::Duration};
use tokio::{sync::mpsc, time::timeout};
use tokio_util::sync::CancellationToken;

/// What a canary's requester grants: enough for a few answers.
const GRANT: Grant =
	Grant { escrow: ARIA, allowance: 20 * ARIA, hourly_cap: 2 * ARIA, life: 1_000_000 };
/// How often it is planned until this worker has a stage.
const PLANS: usize = 12;
/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(240);
/// Fewest and most tokens of an answer.
const TOKENS: (u32, u32) = (24, 160);

/// Makes canaries with the gateway and the worker of this process.
pub struct CanaryForge {
	/// The gateway.
	pub answers: Arc<Answers>,
	/// What the worker serves.
	pub stages: Arc<Stages>,
	/// The orders that it computes falsely.
	pub orders: Arc<Orders>,
	/// The process is to end.
	pub stop: CancellationToken,
}

impl CanaryForge {
	/// A model that is sold and served here, with the layers that are.
	fn served(&self) -> Option<(ModelId, Arc<Entry>, LayerRange)> {
		let units = self.stages.units();
		let mut served: Vec<_> = units
			.iter()
			.filter_map(|unit| {
				let entry = self.answers.catalogue.get(&unit.model)?;
				Some((unit.model, entry, unit.layers))
			})
			.collect();
		match served.len() {
			0 => None,
			count => Some(served.swap_remove(rand::thread_rng().gen_range(0..count))),
		}
	}

	/// A request like any other.
	async fn task(&self, accounts: &Accounts, question: String) -> Result<Task, String> {
		let (model, entry, layers) = self
			.served()
			.ok_or("no model is both served by this worker and sold by its gateway")?;
		let tokenizer = entry.tokenizer.clone();
		let tokens = tokio::task::spawn_blocking(move || {
			tokenizer.chat(&[Message::user(question)], &RenderOptions::default())
		});
		let tokens = tokens.await.map_err(|_| "the question was not encoded".to_owned())?;
		let tokens = tokens.map_err(|error| error.to_string())?;
		let used = u32::try_from(tokens.len()).unwrap_or(u32::MAX);
		let room = entry.manifest.context.saturating_sub(used);
		if room == 0 {
			return Err("the question does not fit the model's context".to_owned());
		}
		let (max_tokens, seed, warm) = {
			let mut random = rand::thread_rng();
			(random.gen_range(TOKENS.0..=TOKENS.1), random.gen(), random.gen_bool(0.7))
		};
		let requester = account_of(&accounts.requester);
		let request = Request {
			request_id: "canary".into(),
			model: model.to_fixed_bytes(),
			principal: Arc::new(Principal::new("canary", requester.to_ss58check())),
			prompt_tokens: tokens.into(),
			sampling: Sampling {
				temperature_milli: if warm { 700 } else { 0 },
				top_k: 0,
				top_p_ppm: 1_000_000,
				seed,
			},
			max_tokens: max_tokens.min(room),
			stops: Vec::new(),
			demands: Demands::default(),
		};
		let query =
			convert::query(&request, rand::random()).map_err(|refused| refused.to_string())?;
		let me = || Some(self.answers.account.clone());
		let all = entry.manifest.layers;
		let demand = Demand {
			model,
			layers: all,
			price: 0,
			at_stake: 0,
			at: now(),
			whole_model: false,
			first: (layers.first == 0).then(me).flatten(),
			last: (layers.first > 0 && layers.end == all).then(me).flatten(),
			region: None,
			seed: rand::random(),
		};
		Ok(Task { request, model, entry, query, key: accounts.key.clone(), requester, demand })
	}

	/// A plan in which this worker has a stage; which one.
	async fn planned(&self, task: &mut Task) -> Result<(Attempt, usize), String> {
		for _ in 0..PLANS {
			let attempt = self.answers.attempt(task, &[]).await;
			let attempt = attempt.map_err(|refused| refused.to_string())?;
			let mut places = attempt.job.plan.stages.iter();
			if let Some(stage) = places.position(|place| place.node == self.answers.account) {
				return Ok((attempt, stage));
			}
			task.demand.seed = rand::random();
		}
		Err("no plan has a stage for this worker: others are preferred".to_owned())
	}

	async fn made(&self, accounts: &Accounts, question: String) -> Result<Made, String> {
		let Answers { chain, account, pair, coordinator, .. } = &*self.answers;
		self.answers.check_chain().map_err(|refused| refused.to_string())?;
		let key = account_of(&accounts.key);
		grant(chain, &accounts.requester, &key, account, GRANT, &self.stop)
			.await
			.map_err(|error| format!("{error:#}"))?
			.ok_or("the process ends")?;
		let mut task = self.task(accounts, question).await?;
		let (attempt, stage) = self.planned(&mut task).await?;
		let Attempt { mut job, closing, .. } = attempt;
		// Nobody goes on where this worker leaves: what it began is false.
		if let Some(standbys) = job.plan.standbys.get_mut(stage) {
			standbys.clear();
		}
		let ticket = &job.payment.ticket;
		let expiry = ticket.expiry;
		let expected = self.orders.expect(ticket.hash(&chain.genesis()));
		let (events, _) = mpsc::channel(1);
		let computed = timeout(PATIENCE, coordinator.run(job, events, CancellationToken::new()));
		let outcome = computed.await.map_err(|_| "it took too long".to_owned())?;
		drop((expected, closing));
		let outcome = outcome.map_err(|error| error.to_string())?;
		let record = outcome.record.ok_or("the answer has no record")?;
		let signed = record.signed_stages().checked_shr(stage as u32).unwrap_or(0) & 1 == 1;
		let mine = record.body.stages.get(stage).is_some_and(|mine| mine.node == *account);
		if !signed || !mine {
			return Err("this worker's stage did not sign the record".to_owned());
		}
		let handed = Handover { query: task.query, tokens: outcome.answer.tokens };
		Ok(Made {
			stage: u16::try_from(stage).map_err(|error| error.to_string())?,
			settlement: record.settlement(pair),
			kept: Kept { handed, named: Named::default() },
			expiry,
		})
	}
}

impl Forge for CanaryForge {
	fn make<'a>(
		&'a self,
		accounts: &'a Accounts,
		question: String,
	) -> BoxFuture<'a, Result<Made, String>> {
		Box::pin(self.made(accounts, question))
	}

	fn settle(&self, settlement: Settlement, kept: Kept) -> BoxFuture<'_, Result<(), String>> {
		let (settler, handovers) = (self.answers.settler.clone(), self.answers.handovers.clone());
		Box::pin(async move {
			let keep = move || {
				let kept = handovers.keep(&settlement.id, &kept, now());
				kept.map_err(|error| error.to_string())?;
				settler.add(settlement).map_err(|error| error.to_string())
			};
			let done = tokio::task::spawn_blocking(keep).await;
			done.map_err(|_| "it was not kept for settlement".to_owned())?
		})
	}
}
