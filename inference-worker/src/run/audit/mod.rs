//! Audits, put together: a worker that runs others' records again, and a gateway that hands over what it
//! answered (`docs/protocol/audit.md`).

mod chain;
mod gateways;
mod upkeep;
mod verifier;
mod witness;

pub(super) use chain::{later, next_block, unsent};
pub(super) use gateways::NetworkGateways;

use super::{
	choice::weight_bytes, common::Common, config::Config, serve::take, stages::Stages, unit,
	worker::Loader,
};
use crate::{
	audit::{
		canary::Orders, conduct::Machine, seat, store::CaseStore, Giving, HandOvers, Library,
		Verifier, VerifierParts,
	},
	limits::Governor,
};
use anyhow::{Context, Result};
use aria_engine::package::Package;
use aria_network::wire::{audit::gateway_place, AUDIT_PROTOCOL, DISPUTE_PROTOCOL};
use aria_primitives::{record::LayerRange, ModelId};
use futures::future::BoxFuture;
use sp_core::Pair;
use std::sync::Arc;
use upkeep::{may_audit, Upkeep};
use verifier::VerifierChain;
use witness::GatewayChain;

/// Begins to verify: with a key of its own, once the chain knows it. It goes on in the background until
/// the process ends.
///
/// # Errors
/// A key or a file that can't be used.
pub(super) fn verify(
	config: &Config,
	common: &Common,
	loader: &Arc<Loader>,
	governor: &Arc<Governor>,
	stages: &Arc<Stages>,
	canaries: &Arc<Orders>,
) -> Result<Arc<Verifier>> {
	let path = config.verifier_key_file();
	let (pair, new) = seat::key(&path).context("the verifier's key")?;
	if new {
		tracing::info!(target: "aria::audit", path = %path.display(), "a verifier's key was made");
	}
	let genesis = common.chain.genesis();
	let live = common.live.clone();
	let paid = stages.clone();
	let machine = Machine {
		governor: governor.clone(),
		busy: Arc::new(move || paid.sessions() > 0),
		allowed: Arc::new(move || may_audit(&live)),
		weigh: weight_bytes,
		threads: config.threads,
		kernel: config.kernel.clone(),
	};
	let chain = Arc::new(VerifierChain {
		chain: common.chain.clone(),
		worker: common.pair.clone(),
		account: common.account.clone(),
	});
	let verifier = Verifier::new(VerifierParts {
		ledger: chain,
		account: common.account.clone(),
		pair: pair.clone(),
		store: CaseStore::open(&config.audits_file(), genesis)?,
		folder: config.audits_dir(),
		gateways: Arc::new(NetworkGateways::new(common.handle.clone(), pair.clone())),
		library: loader.clone(),
		machine,
	});
	let (common, running) = (common.clone(), verifier.clone());
	let upkeep = Upkeep {
		common: common.clone(),
		key: pair.public(),
		canaries: canaries.clone(),
		verifier: verifier.clone(),
	};
	tokio::spawn(async move {
		let registered = upkeep.register().await;
		match registered {
			Ok(Some(())) => {
				tokio::spawn(upkeep.run());
				running.run(common.shutdown.clone()).await;
			}
			Ok(None) => {}
			Err(error) => {
				let error = format!("{error:#}");
				tracing::error!(target: "aria::audit", error, "this worker audits nothing");
			}
		}
	});
	Ok(verifier)
}

impl Library for Loader {
	fn package(
		&self,
		model: ModelId,
		layers: Vec<LayerRange>,
	) -> BoxFuture<'_, Result<Arc<Package>, String>> {
		Box::pin(async move {
			for range in layers {
				let (bar, progress) = crate::shards::bar("fetching");
				let fetched = self.fetcher.fetch(model, Some(range), progress).await;
				bar.finish_and_clear();
				fetched.map_err(|error| error.to_string())?;
			}
			unit::verify(&self.packages, model).await.map_err(|error| format!("{error:#}"))?;
			self.packages.package(&model).ok_or_else(|| "the package has vanished".to_owned())
		})
	}
}

/// Begins to hand over what is kept, to who proves a seat. It goes on in the background until the process
/// ends.
///
/// # Errors
/// A network that has ended, or streams that somebody takes already.
pub(super) async fn give(common: &Common, kept: Arc<HandOvers>) -> Result<Arc<Giving>> {
	let witness = Arc::new(GatewayChain {
		chain: common.chain.clone(),
		pair: common.pair.clone(),
		account: common.account.clone(),
	});
	let giving = Giving::new(witness, kept);
	let serving = giving.clone();
	take(common.handle.accept(AUDIT_PROTOCOL)?, &common.shutdown, move |_, stream| {
		let giving = serving.clone();
		async move {
			if let Err(error) = giving.serve(stream).await {
				tracing::debug!(target: "aria::audit", %error, "a verifier was not answered");
			}
		}
	});
	let serving = giving.clone();
	take(common.handle.accept(DISPUTE_PROTOCOL)?, &common.shutdown, move |_, stream| {
		let giving = serving.clone();
		async move {
			if let Err(error) = giving.serve_accused(stream).await {
				tracing::debug!(target: "aria::audit", %error, "an accused stage was not answered");
			}
		}
	});
	let (name, range) = gateway_place(&common.account);
	common.handle.provide(name, range).await?;
	tokio::spawn(giving.clone().run(common.shutdown.clone()));
	Ok(giving)
}
