//! What the administration's endpoint answers about this process.

use super::{
	common::Common,
	config::{Amount, Config, ModelName},
	gateway::{catalogue::Catalogue, room::Room},
	guard::Counters,
	live::now,
	paused,
	planner::Planner,
	terms,
	worker::Worker,
};
use crate::{
	admin::{
		report::{
			ChainStatus, ConsentStatus, ModelStatus, PlanReport, Settlements, Status, Usage,
			WorkerStatus,
		},
		Control, Wanted,
	},
	audit::{
		canary::{Counters as Canaries, Maker},
		Counters as Audits, Given, Giving,
	},
	dispute::Counters as Disputes,
	limits::Hours,
	plan::Demand,
	run::gateway::convert::source,
};
use anyhow::{bail, Context, Result};
use aria_chain_client::At;
use aria_primitives::{Balance, ModelId, ARIA};
use futures::future::BoxFuture;
use sp_core::crypto::Ss58Codec;
use std::{
	fmt::Write as _,
	path::PathBuf,
	sync::{
		atomic::{AtomicU64, Ordering},
		Arc,
	},
};

/// Tokens of the answer that is planned for whoever asks who would compute one.
const PLANNED_TOKENS: u32 = 500;

/// Everything that there is to say about this process.
pub struct Process {
	/// The process.
	pub common: Common,
	/// The base path.
	pub base: PathBuf,
	/// The worker, unless it is a gateway alone.
	pub worker: Option<Arc<Worker>>,
	/// The gateway's parts, if it is one.
	pub gateway: Option<GatewayParts>,
	/// Who would compute.
	pub planner: Arc<Planner>,
	/// Makes records false on purpose, if it is a verifier.
	pub canaries: Option<Arc<Maker>>,
}

/// What there is to say about a gateway.
pub struct GatewayParts {
	/// Where it serves.
	pub url: String,
	/// Its models.
	pub catalogue: Arc<Catalogue>,
	/// Answers verifiers.
	pub giving: Arc<Giving>,
	/// What its stake still answers for.
	pub room: Arc<Room>,
}

impl Process {
	/// A process with these parts.
	pub fn new(
		config: &Config,
		common: &Common,
		worker: Option<Arc<Worker>>,
		gateway: Option<GatewayParts>,
		planner: Arc<Planner>,
		canaries: Option<Arc<Maker>>,
	) -> Arc<Self> {
		Arc::new(Self {
			common: common.clone(),
			base: config.base.clone(),
			worker,
			gateway,
			planner,
			canaries,
		})
	}

	fn obstacles(&self) -> Vec<String> {
		if self.worker.is_none() {
			return Vec::new();
		}
		self.common.live.obstacle(&self.common.chain).iter().map(ToString::to_string).collect()
	}

	fn models(&self) -> Vec<ModelStatus> {
		let units = self.worker.iter().flat_map(|worker| worker.stages.units());
		units
			.map(|unit| ModelStatus {
				model: format!("{:?}", unit.model),
				name: unit.name.clone(),
				first: unit.layers.first,
				end: unit.layers.end,
				of: unit.of,
			})
			.collect()
	}

	fn usage(&self) -> Usage {
		let Some(worker) = &self.worker else { return Usage::default() };
		let governor = &worker.governor;
		Usage {
			cpu_percent: governor.cpu().share() * 100.0,
			cpu_limit_percent: governor.limits().cpu_percent,
			memory_bytes: governor.memory().used(),
			memory_limit_bytes: governor.memory().limit(),
			energy_source: source(worker.meter.source()).to_owned(),
		}
	}

	fn settlements(&self) -> Settlements {
		let failed = self.common.store.failed().map_or(0, |failed| failed.len());
		let pending = self.common.store.pending().unwrap_or(0);
		Settlements { pending: usize::try_from(pending).unwrap_or(usize::MAX), failed }
	}

	/// The model that `name` means; without a name the one that is served here.
	async fn model(&self, name: Option<String>) -> Result<ModelId> {
		let Some(name) = name else {
			let served = self.worker.as_ref().and_then(|worker| worker.stages.units().pop());
			let sold = self.gateway.as_ref().and_then(|gateway| gateway.catalogue.first());
			let model = served.map(|unit| unit.model).or(sold.map(|(model, _)| model));
			return model.context("no model is served here: name one with ?model=");
		};
		if let Some(parts) = &self.gateway {
			if let Some((model, _)) = parts.catalogue.find(&name) {
				return Ok(model);
			}
		}
		match name.parse::<ModelName>().map_err(anyhow::Error::msg)? {
			ModelName::Id(id) => Ok(id),
			_ => match self.common.chain.resolve_alias(&name, At::Best).await? {
				Some(id) => Ok(id),
				None => bail!("no model is named {name:?} on chain"),
			},
		}
	}

	async fn planned(&self, wanted: Wanted) -> Result<PlanReport> {
		let model = self.model(wanted.model).await?;
		let chain = &self.common.chain;
		let manifest = chain
			.manifest(model, At::Best)
			.await?
			.context("the model is not registered on chain")?;
		self.planner.watch(model, &manifest);
		self.planner.read(model).await?;
		// A worker does not know what others ask for: it is planned as if that were enough.
		let offer = match &self.gateway {
			Some(_) => chain.offer(model, &self.common.account, At::Best).await?,
			None => None,
		};
		let constants = chain.constants();
		// An answer of some length, or one that is just not dust.
		let at_stake = match &offer {
			Some(offer) => constants.price(offer, 0, 0, PLANNED_TOKENS, 1).tokens,
			None => constants.free_from(1),
		};
		let demand = Demand {
			model,
			layers: manifest.layers,
			price: offer.map_or(Balance::MAX, |offer| offer.output_price),
			at_stake,
			at: now(),
			whole_model: wanted.whole_model,
			first: wanted.first,
			last: wanted.last,
			region: wanted.region,
			seed: 0,
		};
		Ok(self.planner.report(&demand))
	}
}

impl Control for Process {
	fn status(&self) -> Status {
		let Common { chain, handle, identity, account, live, .. } = &self.common;
		let snapshot = live.snapshot();
		let head = *chain.head().borrow();
		let obstacles = self.obstacles();
		let addresses = handle.reach().borrow().clone();
		let addresses = if addresses.external.is_empty() {
			addresses.listen.into_iter().chain(addresses.relayed)
		} else {
			addresses.external.into_iter().chain(addresses.relayed)
		};
		Status {
			version: env!("CARGO_PKG_VERSION").to_owned(),
			account: account.to_ss58check(),
			peer: identity.peer_id().to_string(),
			working: self.worker.is_some() && obstacles.is_empty(),
			obstacles,
			paused: live.is_paused(),
			chain: ChainStatus {
				node: chain.url().to_owned(),
				best: head.best.0,
				finalized: head.finalized.0,
				away_seconds: chain.unreachable_for().map(|away| away.as_secs_f64()),
				clock_off_seconds: snapshot.clock_off.map(|off| off as f64 / 1_000.0),
			},
			worker: snapshot.worker.as_ref().map(|worker| WorkerStatus {
				stake: Amount(worker.stake).to_string(),
				reputation_ppm: worker.reputation,
				settled: worker.settled,
				active: worker.active,
			}),
			consent: snapshot.consent.as_ref().map(|version| ConsentStatus {
				version: version.version,
				terms: terms::shown(&version.consent),
				hours: Hours::at(&version.consent.schedule, now()).to_string(),
			}),
			models: self.models(),
			sessions: self.worker.as_ref().map_or(0, |worker| worker.stages.sessions()),
			capacity: self.worker.as_ref().map_or(0, |worker| worker.capacity),
			usage: self.usage(),
			addresses: addresses.map(|address| address.to_string()).collect(),
			peers: handle.connected_peers().len(),
			settlements: self.settlements(),
			gateway: self.gateway.as_ref().map(|gateway| gateway.url.clone()),
		}
	}

	fn set_paused(&self, paused: bool) -> Result<()> {
		paused::write(&self.base, paused)?;
		self.common.live.set_paused(paused);
		Ok(())
	}

	fn plan(&self, wanted: Wanted) -> BoxFuture<'_, Result<PlanReport>> {
		Box::pin(self.planned(wanted))
	}

	fn metrics(&self) -> String {
		let status = self.status();
		let network = self.common.handle.metrics();
		let worker = self.worker.as_ref();
		let count = |of: fn(&Counters) -> &AtomicU64| {
			worker.map_or(0, |worker| of(&worker.guard.counters).load(Ordering::Relaxed))
		};
		let audits = |of: fn(&Audits) -> &AtomicU64| {
			let verifier = worker.and_then(|worker| worker.verifier.as_ref());
			verifier.map_or(0, |verifier| of(&verifier.counters).load(Ordering::Relaxed))
		};
		let disputes = |of: fn(&Disputes) -> &AtomicU64| {
			worker.map_or(0, |worker| of(&worker.disputer.counters).load(Ordering::Relaxed))
		};
		let given = |of: fn(&Given) -> &AtomicU64| {
			let gateway = self.gateway.as_ref();
			gateway.map_or(0, |parts| of(&parts.giving.counters).load(Ordering::Relaxed))
		};
		let canaries = |of: fn(&Canaries) -> &AtomicU64| {
			self.canaries.as_ref().map_or(0, |maker| of(&maker.counters).load(Ordering::Relaxed))
		};
		let bandwidth = worker.map_or(0, |worker| worker.governor.limits().max_bandwidth_mbps);
		let bytes = worker.map_or(0, |worker| worker.governor.bytes().taken());
		let relayed = worker.map_or(0, |worker| worker.relayed.passed());
		let (failed, replaced) = self.planner.failures();
		let room = self.gateway.as_ref().map(|parts| parts.room.measured()).unwrap_or_default();
		let aria = |planck: Balance| planck as f64 / ARIA as f64;
		let mine = self.common.live.snapshot().worker;
		let mine = mine.filter(|_| worker.is_some());
		let gauges: [(&str, &str, f64); 19] = [
			("working", "1 if orders are taken", f64::from(u8::from(status.working))),
			("paused", "1 if the contributor paused it", f64::from(u8::from(status.paused))),
			("sessions", "sessions that run", status.sessions as f64),
			("sessions_limit", "sessions that can run", status.capacity as f64),
			("cpu_percent", "share of all CPUs over ten seconds", status.usage.cpu_percent),
			("cpu_limit_percent", "what is allowed", f64::from(status.usage.cpu_limit_percent)),
			("memory_bytes", "weights and sessions", status.usage.memory_bytes as f64),
			("memory_limit_bytes", "what is allowed", status.usage.memory_limit_bytes as f64),
			("bandwidth_limit_mbps", "megabits a second that are allowed", f64::from(bandwidth)),
			("chain_best_block", "number of the best block", f64::from(status.chain.best)),
			(
				"chain_final_block",
				"number of the last final block",
				f64::from(status.chain.finalized),
			),
			(
				"chain_away_seconds",
				"how long the node has been away",
				status.chain.away_seconds.unwrap_or(0.0),
			),
			(
				"settlements_pending",
				"records that are not final",
				status.settlements.pending as f64,
			),
			(
				"settlements_failed",
				"records that were refused for good",
				status.settlements.failed as f64,
			),
			("peers", "peers with a connection", status.peers as f64),
			(
				"stake_aria",
				"what this worker has staked",
				aria(mine.as_ref().map_or(0, |mine| mine.stake)),
			),
			(
				"room_aria",
				"what further records of several stages its stake answers for before some have vested",
				aria(mine.as_ref().map_or(0, |mine| mine.room())),
			),
			("gateway_stake_aria", "what this gateway has staked", aria(room.stake)),
			(
				"gateway_room_aria",
				"what further records its stake answers for before some have vested",
				aria(room.room),
			),
		];
		let answered = worker.map_or(0, |worker| worker.presence.answered());
		let counters: [(&str, &str, u64); 35] = [
			("orders_refused_total", "orders that were refused", count(|of| &of.refused)),
			("records_signed_total", "records that were signed", count(|of| &of.signed)),
			("tokens_total", "tokens computed here in these records", count(|of| &of.tokens)),
			(
				"energy_millijoules_total",
				"energy of this worker in these records",
				count(|of| &of.energy_mj),
			),
			("limited_bytes_total", "bytes that the limit of the bandwidth let pass", bytes),
			("relayed_bytes_total", "bytes relayed for others, in and out", relayed),
			("stages_failed_total", "workers that failed an answer they had begun", failed),
			("stages_replaced_total", "stages of answers that were taken over", replaced),
			("adverts_refused_total", "adverts that were not believed", network.adverts_refused),
			("network_bytes_in_total", "bytes read from peers", network.bytes_in),
			("network_bytes_out_total", "bytes written to peers", network.bytes_out),
			("streams_refused_total", "streams that were refused", network.streams_refused),
			("audits_seats_total", "seats drawn in audits", audits(|of| &of.seats)),
			("audits_run_total", "records that were run again", audits(|of| &of.runs)),
			("audits_accused_total", "of these, not as they should be", audits(|of| &of.accused)),
			("audits_committed_total", "commitments in a block", audits(|of| &of.committed)),
			("audits_revealed_total", "reveals in a block", audits(|of| &of.revealed)),
			("audits_opened_total", "openings in a block", audits(|of| &of.opened)),
			("audits_claimed_total", "claims of silence in a block", audits(|of| &of.claimed)),
			("audits_missed_total", "seats that came to nothing", audits(|of| &of.missed)),
			("audits_fee_claims_total", "claims of fees in a block", audits(|of| &of.fee_claims)),
			("audits_displaced_total", "verifiers displaced", audits(|of| &of.displaced)),
			("canaries_rights_total", "epochs with a right", canaries(|of| &of.rights)),
			("canaries_made_total", "false records made", canaries(|of| &of.made)),
			("canaries_committed_total", "commitments in a block", canaries(|of| &of.committed)),
			("canaries_shown_total", "canaries that were shown", canaries(|of| &of.shown)),
			("canaries_passed_over_total", "not drawn", canaries(|of| &of.passed_over)),
			("canaries_lost_total", "whose bond is lost", canaries(|of| &of.lost)),
			("audits_handed_total", "hand-overs that verifiers took", given(|of| &of.handed)),
			("audits_refused_total", "requests for one that were refused", given(|of| &of.refused)),
			("audits_posted_total", "hand-overs posted on chain", given(|of| &of.posted)),
			("challenges_answered_total", "challenges of the chain that were answered", answered),
			("disputes_opened_total", "verdicts contested", disputes(|of| &of.opened)),
			("disputes_posted_total", "answers in disputes", disputes(|of| &of.posted)),
			("disputes_proven_total", "others proven false", disputes(|of| &of.proven)),
		];
		let mut text = String::new();
		for (name, help, value) in gauges {
			let _ = write!(
				text,
				"# HELP aria_worker_{name} {help}\n# TYPE aria_worker_{name} gauge\naria_worker_{name} {value}\n"
			);
		}
		for (name, help, value) in counters {
			let _ = write!(
				text,
				"# HELP aria_worker_{name} {help}\n# TYPE aria_worker_{name} counter\naria_worker_{name} {value}\n"
			);
		}
		text
	}
}
