//! The part that takes questions over HTTP and has them answered.
//!
//! | module | what it does |
//! |---|---|
//! | [`setup`] | the gateway on chain: stake, prices; development keys |
//! | [`room`] | what its stake still answers for |
//! | [`fund`] | escrow and spending keys of who pays |
//! | [`catalogue`] | the models that can be asked |
//! | [`purse`] | what an answer may cost, and whether that is covered |
//! | [`settling`] | settlement, from before the first question until after the last |
//! | [`backend`] | from a request to an answer with its record |
//! | [`convert`] | between HTTP's words and the pipeline's |

pub mod backend;
pub mod catalogue;
pub mod convert;
pub mod fund;
pub mod purse;
pub mod room;
pub mod settling;
pub mod setup;

use super::{
	audit,
	common::Common,
	config::{Config, GatewayConfig},
	patience::{patiently, Trouble},
	payments::Payments,
	peers::NetworkDialer,
	planner::Planner,
	sources::NetworkSource,
	worker::Worker,
};
use crate::{
	audit::{Giving, HandOvers},
	limits::{Governor, Limits},
	pipeline::{Coordinator, Timing},
	shards::{Fetcher, PackageStore},
};
use anyhow::{Context, Result};
use aria_chain_client::At;
use aria_gateway::{KeyFile, Server, Serving};
use aria_primitives::{record::LayerRange, ModelId};
use backend::{Answers, GatewayBackend};
use catalogue::Catalogue;
use purse::Purse;
use room::Room;
use settling::Settling;
use std::{sync::Arc, time::Duration};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Between two looks for models that can be sold since.
const KEEP_UP: Duration = Duration::from_secs(60);
/// How long answers that have ended have until their records are kept.
const CLOSING: Duration = Duration::from_secs(10);

/// A gateway that serves.
pub struct Gateway {
	/// Its models.
	pub catalogue: Arc<Catalogue>,
	/// Its HTTP server.
	pub serving: Serving,
	/// Answers verifiers.
	pub giving: Arc<Giving>,
	/// What answers are made with.
	pub answers: Arc<Answers>,
	/// What its stake still answers for.
	pub room: Arc<Room>,
	/// Answers that are not kept yet.
	closing: TaskTracker,
	settling: Settling,
}

impl Gateway {
	/// Registers on chain, gets the tokenizers of its models, and serves. `None` if the process is to end
	/// meanwhile.
	///
	/// # Errors
	/// What the operator has to see to.
	pub async fn start(
		config: &Config,
		gateway: &GatewayConfig,
		common: &Common,
		planner: &Arc<Planner>,
		packages: Arc<PackageStore>,
		worker: Option<&Worker>,
		settling: Settling,
	) -> Result<Option<Self>> {
		let keys = Arc::new(KeyFile::open(&gateway.keys)?);
		if setup::register(common).await?.is_none()
			|| setup::stake(gateway.stake, common).await?.is_none()
			|| setup::sell(config, common).await?.is_none()
		{
			return Ok(None);
		}
		if config.dev && setup::develop(config, common, &keys).await?.is_none() {
			return Ok(None);
		}
		let Some(models) = setup::models(config, common).await? else { return Ok(None) };
		let governor = match worker {
			Some(worker) => worker.governor.clone(),
			None => Governor::new(Limits::NONE),
		};
		for model in models {
			let fetched = fetch_tokenizer(common, &packages, &governor, model);
			tokio::select! {
				() = common.stop.cancelled() => return Ok(None),
				fetched = fetched => {
					if let Err(error) = fetched {
						let error = format!("{error:#}");
						tracing::warn!(target: "aria::gateway", ?model, error, "no tokenizer; it can't be asked");
					}
				}
			}
		}

		let Common { chain, handle, pair, account, store, live, shutdown, .. } = common.clone();
		let settler = settling.settler.clone();
		let catalogue =
			Catalogue::new(chain.clone(), account.clone(), packages.clone(), planner.clone());
		let read = patiently("the models are read", &common.stop, || async {
			catalogue.refresh().await.map_err(Trouble::from)
		});
		if read.await?.is_none() {
			return Ok(None);
		}
		let room = Arc::<Room>::default();
		tokio::spawn(room.clone().run(chain.clone(), account.clone(), shutdown.clone()));
		tokio::spawn(catalogue.clone().run(shutdown));
		tokio::spawn(keep_up(config.clone(), common.clone(), packages, governor));
		let coordinator =
			Coordinator::new(NetworkDialer(handle.clone()), chain.genesis(), Timing::default());
		let kept = Arc::new(HandOvers::open(&config.handovers_file(), chain.genesis())?);
		let giving = audit::give(common, kept.clone()).await?;
		let purse = Arc::<Purse>::default();
		// What an earlier process kept still takes money.
		tokio::spawn(purse::release(store.clone(), purse.take_up(&store)?));
		let closing = TaskTracker::new();
		let answers = Arc::new(Answers {
			payments: Arc::new(Payments::new(chain.clone())),
			chain,
			pair,
			account,
			live,
			catalogue: catalogue.clone(),
			planner: planner.clone(),
			purse,
			store,
			settler,
			handovers: kept,
			closing: closing.clone(),
			coordinator,
			keys: Default::default(),
		});
		let backend = Arc::new(GatewayBackend(answers.clone()));
		let serving =
			Server::start(gateway.serve.clone(), backend, keys, CancellationToken::new()).await?;
		Ok(Some(Self { catalogue, serving, giving, answers, room, closing, settling }))
	}

	/// Takes no more requests, lets those under way end, then stops settling; what is not settled is kept
	/// on disk.
	pub async fn stop(self) {
		self.serving.stop();
		self.serving.finished().await;
		// A record is signed and written down behind the last token.
		self.closing.close();
		if tokio::time::timeout(CLOSING, self.closing.wait()).await.is_err() {
			tracing::warn!(target: "aria::gateway", "answers ended without their records being kept");
		}
		self.settling.end().await;
	}
}

/// Sells models that were pinned since, and gets tokenizers that nobody had.
async fn keep_up(
	config: Config,
	common: Common,
	packages: Arc<PackageStore>,
	governor: Arc<Governor>,
) {
	loop {
		tokio::select! {
			() = common.stop.cancelled() => return,
			() = tokio::time::sleep(KEEP_UP) => {}
		}
		let sold = setup::sell(&config, &common).await;
		let models = match sold {
			Ok(Some(_)) => setup::models(&config, &common).await,
			_ => Ok(None),
		};
		for model in models.ok().flatten().unwrap_or_default() {
			if let Err(error) = fetch_tokenizer(&common, &packages, &governor, model).await {
				let error = format!("{error:#}");
				tracing::debug!(target: "aria::gateway", ?model, error, "still no tokenizer");
			}
		}
	}
}

/// Gets manifest, tokenizer and template of a model, with the smallest part of its weights, unless they
/// are here.
async fn fetch_tokenizer(
	common: &Common,
	packages: &Arc<PackageStore>,
	governor: &Arc<Governor>,
	model: ModelId,
) -> Result<()> {
	if packages.package(&model).is_some() {
		return Ok(());
	}
	let manifest = common.chain.manifest(model, At::Best).await?.context("it is not registered")?;
	// The shards between the ends come without the tensors that belong to no layer.
	let middle = manifest.shards.len() / 2;
	let all = LayerRange { first: 0, end: manifest.layers };
	let layers = manifest.shards.get(middle).copied().unwrap_or(all);
	let source = Arc::new(NetworkSource::new(common.handle.clone(), common.chain.clone()));
	let fetcher = Fetcher::new(source, packages.clone(), governor.clone());
	let (bar, progress) = crate::shards::bar("fetching");
	let fetched = fetcher.fetch(model, Some(layers), progress).await;
	bar.finish_and_clear();
	fetched?;
	Ok(())
}
