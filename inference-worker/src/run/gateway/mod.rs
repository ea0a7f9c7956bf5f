//! The part that takes questions over HTTP and has them answered.
//!
//! | module | what it does |
//! |---|---|
//! | [`setup`] | the gateway on chain: stake, prices; development keys |
//! | [`fund`] | escrow and spending keys of who pays |
//! | [`catalogue`] | the models that can be asked |
//! | [`purse`] | what an answer may cost, and whether that is covered |
//! | [`backend`] | from a request to an answer with its record |
//! | [`convert`] | between HTTP's words and the pipeline's |

pub mod backend;
pub mod catalogue;
pub mod convert;
pub mod fund;
pub mod purse;
pub mod setup;

use super::{
	common::Common,
	config::{Config, GatewayConfig},
	ledger::ChainLedger,
	patience::{patiently, Trouble},
	payments::Payments,
	peers::{NetworkDialer, NetworkSigners},
	planner::Planner,
	sources::NetworkSource,
	worker::Worker,
};
use crate::{
	limits::{Governor, Limits},
	pipeline::{Coordinator, Timing},
	settle::{Pace, Rules, Settler},
	shards::{Fetcher, PackageStore},
};
use anyhow::{Context, Result};
use aria_chain_client::At;
use aria_gateway::{KeyFile, Server, Serving};
use aria_primitives::{record::LayerRange, ModelId};
use backend::{Answers, GatewayBackend};
use catalogue::Catalogue;
use purse::Purse;
use std::sync::Arc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A gateway that serves.
pub struct Gateway {
	/// Its models.
	pub catalogue: Arc<Catalogue>,
	/// Its settlements.
	pub settler: Arc<Settler>,
	/// Its HTTP server.
	pub serving: Serving,
	settling: JoinHandle<()>,
	stop_settling: CancellationToken,
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
	) -> Result<Option<Self>> {
		let keys = Arc::new(KeyFile::open(&gateway.keys)?);
		if setup::register(common).await?.is_none() || setup::sell(config, common).await?.is_none()
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
		let catalogue = Catalogue::new(chain.clone(), account.clone(), packages, planner.clone());
		let read = patiently("the models are read", &common.stop, || async {
			catalogue.refresh().await.map_err(Trouble::from)
		});
		if read.await?.is_none() {
			return Ok(None);
		}
		tokio::spawn(catalogue.clone().run(shutdown));
		let (defaults, constants) = (Pace::default(), chain.constants());
		let rules = Rules {
			anchor_age: constants.max_anchor_age,
			signing_grace: constants.signing_grace,
			..defaults.rules
		};
		let settler = Settler::new(
			Arc::new(ChainLedger::new(chain.clone(), pair.clone())),
			store.clone(),
			pair.clone(),
			Some(Arc::new(NetworkSigners::new(handle.clone(), chain.clone()))),
			Pace { rules, ..defaults },
		);
		// It goes on while the rest ends: answers that end now are still kept.
		let stop_settling = CancellationToken::new();
		let settling = tokio::spawn(settler.clone().run(stop_settling.clone()));
		let coordinator =
			Coordinator::new(NetworkDialer(handle.clone()), chain.genesis(), Timing::default());
		let answers = Arc::new(Answers {
			payments: Arc::new(Payments::new(chain.clone())),
			chain,
			pair,
			account,
			live,
			catalogue: catalogue.clone(),
			planner: planner.clone(),
			purse: Arc::<Purse>::default(),
			store,
			settler: settler.clone(),
			coordinator,
			keys: Default::default(),
		});
		let backend = Arc::new(GatewayBackend(answers));
		let serving =
			Server::start(gateway.serve.clone(), backend, keys, CancellationToken::new()).await?;
		Ok(Some(Self { catalogue, settler, serving, settling, stop_settling }))
	}

	/// Takes no more requests, lets those under way end, then stops settling; what is not settled is kept
	/// on disk.
	pub async fn stop(self) {
		self.serving.stop();
		self.serving.finished().await;
		self.stop_settling.cancel();
		let _ = self.settling.await;
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
