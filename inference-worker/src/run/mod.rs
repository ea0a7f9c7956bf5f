//! A worker, a gateway, or both in one process: what is started, in which order, and how it ends.
//!
//! | module | concern |
//! |---|---|
//! | [`config`] | the file and the flags |
//! | [`common`] | keys, chain, network, store: what all parts share |
//! | [`patience`] | trying again while the node is away |
//! | [`live`], [`watch`], [`paused`] | what the chain and the owner say, obeyed at each block |
//! | [`terms`], [`join`] | consent, registration, stake, what is served, on chain |
//! | [`presence`] | that this worker is there: challenges, rest and return |
//! | [`choice`], [`sources`], [`unit`], [`restore`] | which layers, where they come from, in memory, restored |
//! | [`guard`], [`payments`] | whether an order is taken |
//! | [`stages`], [`serve`], [`replay`] | streams of peers |
//! | [`advert`] | what others are told |
//! | [`worker`] | the part that lends a machine |
//! | [`book`], [`planner`], [`exact`], [`suspects`] | who computes an answer |
//! | [`peers`], [`ledger`] | other workers, and the chain, as other modules need them |
//! | [`gateway`] | the part that takes questions |
//! | [`audit`] | the part that runs others' records again |
//! | [`canary`] | the part that makes records false on purpose |
//! | [`dispute`] | the part that answers for what this worker computed and says |
//! | [`control`] | what the administration is told |
//!
//! It starts in this order, each step waiting patiently for what a node or a peer may not have yet: keys,
//! chain, network, administration's lock, registration, layers, adverts, gateway. It ends in the other:
//! no new work, what runs is finished within a bound, then everything stops. Whatever has to survive is
//! on disk at any moment, so that ending at once loses nothing either.

pub mod advert;
pub mod audit;
pub mod book;
pub mod canary;
pub mod choice;
pub mod common;
pub mod config;
pub mod control;
pub mod dispute;
pub mod exact;
pub mod gateway;
pub mod guard;
pub mod join;
pub mod ledger;
pub mod live;
pub mod patience;
pub mod paused;
pub mod payments;
pub mod peers;
pub mod planner;
pub mod presence;
pub mod replay;
pub mod restore;
pub mod serve;
pub mod sources;
pub mod stages;
pub mod suspects;
pub mod terms;
pub mod unit;
pub mod watch;
pub mod worker;

use crate::admin;
use anyhow::Result;
use common::Common;
use config::Config;
use control::{GatewayParts, Process};
use gateway::{settling::Settling, Gateway};
use planner::Planner;
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use worker::Worker;

/// How long sessions that run may go on once the process is to end.
const DRAIN: Duration = Duration::from_secs(30);
/// How often it is looked whether they have ended.
const LOOK: Duration = Duration::from_millis(200);
/// How long tasks have to end.
const CLOSING: Duration = Duration::from_millis(500);

/// Runs what `config` says until `stop` is cancelled, then finishes what runs and returns.
///
/// # Errors
/// What somebody has to see to: a key, a port, a chain of another release, money, a disk.
pub async fn run(config: Config, stop: CancellationToken) -> Result<()> {
	if config.leave {
		return leave(&config, &stop).await;
	}
	let _base = common::take_base(&config.base)?;
	let account = common::account(&config)?;
	let Some(chain) = common::connect(&config.node, &stop).await? else { return Ok(()) };
	tracing::info!(
		target: "aria::worker", node = chain.url(), genesis = ?chain.genesis(), "connected to the chain"
	);
	let shutdown = CancellationToken::new();
	let common = Common::new(&config, account, chain, stop.clone(), shutdown.clone())?;
	for address in common.handle.listen_addresses().await {
		tracing::info!(target: "aria::worker", %address, "peers connect here");
	}
	let result = match start(&config, &common).await {
		Ok(Some(running)) => {
			stop.cancelled().await;
			running.drain(&common).await;
			Ok(())
		}
		Ok(None) => Ok(()),
		Err(error) => Err(error),
	};
	common.live.drain();
	shutdown.cancel();
	// Connections are closed, rather than left to time out at the other end.
	tokio::time::sleep(CLOSING).await;
	result
}

/// Starts all parts. `None` if the process is to end meanwhile.
async fn start(config: &Config, common: &Common) -> Result<Option<Running>> {
	let planner =
		Planner::start(common.chain.clone(), common.handle.clone(), common.shutdown.clone());
	// What an earlier process kept goes first, whatever this one waits for.
	let settling = (config.gateway.is_some() || common.store.pending().unwrap_or(0) > 0)
		.then(|| Settling::start(common, config.dev));
	let worker = if config.models.is_empty() {
		if watch::first(common).await?.is_none() {
			return Ok(None);
		}
		tokio::spawn(watch::follow(common.clone(), None));
		None
	} else {
		match Worker::start(config, common).await? {
			Some(worker) => Some(Arc::new(worker)),
			None => return Ok(None),
		}
	};
	let gateway = match (&config.gateway, settling) {
		(Some(gateway), Some(settling)) => {
			let packages = match &worker {
				Some(worker) => worker.packages.clone(),
				None => worker::open_packages(config)?,
			};
			let worker = worker.as_deref();
			let started =
				Gateway::start(config, gateway, common, &planner, packages, worker, settling);
			match started.await? {
				Some(gateway) => Some(gateway),
				None => return Ok(None),
			}
		}
		// Settling goes on without questions.
		_ => None,
	};
	let canaries = match &worker {
		Some(worker) if config.audit => {
			let answers = gateway.as_ref().map(|gateway| gateway.answers.clone());
			Some(canary::start(config, common, worker, answers)?)
		}
		_ => None,
	};
	let parts = gateway.as_ref().map(|gateway| GatewayParts {
		url: format!("http://{}/v1", gateway.serving.local_addr),
		catalogue: gateway.catalogue.clone(),
		giving: gateway.giving.clone(),
		room: gateway.room.clone(),
	});
	let process = Process::new(config, common, worker.clone(), parts, planner, canaries);
	let admin = admin::Server::start(
		config.admin.listen,
		config.admin.token_file.as_deref(),
		&config.base,
		process,
		common.shutdown.clone(),
	)
	.await?;
	tracing::info!(target: "aria::worker", "ready");
	Ok(Some(Running { worker, gateway, _admin: admin }))
}

/// What runs.
struct Running {
	worker: Option<Arc<Worker>>,
	gateway: Option<Gateway>,
	_admin: admin::Server,
}

impl Running {
	/// Takes no new work and waits until what runs is finished, within a bound.
	async fn drain(self, common: &Common) {
		tracing::info!(target: "aria::worker", "ending: no new work; what runs is finished");
		common.live.drain();
		// What began before this is settled.
		let presence = self.worker.as_ref().map(|worker| worker.presence.clone());
		let rest = presence.map(|presence| tokio::spawn(async move { presence.rest().await }));
		// The gateway first: its answers may run on this very worker.
		if let Some(gateway) = self.gateway {
			gateway.stop().await;
		}
		let Some(worker) = self.worker else { return };
		let until = tokio::time::Instant::now() + DRAIN;
		while worker.stages.sessions() > 0 && tokio::time::Instant::now() < until {
			tokio::time::sleep(LOOK).await;
		}
		if worker.stages.sessions() > 0 {
			worker.stages.end_all("its process ends");
			tokio::time::sleep(LOOK).await;
		}
		if let Some(rest) = rest {
			let _ = rest.await;
		}
	}
}

/// Drains on chain; a process that runs on this base path sees it at the next block.
async fn leave(config: &Config, stop: &CancellationToken) -> Result<()> {
	let (pair, account) = common::account(config)?;
	let Some(chain) = common::connect(&config.node, stop).await? else { return Ok(()) };
	join::drain(&chain, &pair, &account, stop).await?;
	Ok(())
}
