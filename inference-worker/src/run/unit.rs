//! A range of layers in memory, and the sessions on it.

use super::{
	choice::{weight_bytes, Pick},
	guard::WorkerGuard,
	peers::NetworkDialer,
};
use crate::{
	limits::{Governor, MemoryLease},
	pipeline::{Guard, HostParts, HostTiming, StageHost},
	shards::PackageStore,
};
use anyhow::{anyhow, Context, Result};
use aria_energy::Meter;
use aria_engine::{
	kernels::Kernel,
	model::{Model, ModelOptions},
	package::Package,
	text::ChatTokenizer,
};
use aria_primitives::{record::LayerRange, ModelId};
use sp_core::{sr25519, H256};
use std::sync::Arc;

/// A range of layers in memory.
pub struct Unit {
	/// The model's id.
	pub model: ModelId,
	/// Its name on chain.
	pub name: Option<String>,
	/// The layers.
	pub layers: LayerRange,
	/// All layers of the model.
	pub of: u16,
	/// Takes orders and links.
	pub host: Arc<StageHost<NetworkDialer>>,
	/// Memory of the layers.
	pub weights: MemoryLease,
}

/// What units share.
pub struct UnitParts {
	/// The worker's key.
	pub pair: sr25519::Pair,
	/// The chain.
	pub genesis: H256,
	/// Limits.
	pub governor: Arc<Governor>,
	/// Energy.
	pub meter: Arc<Meter>,
	/// Who may work.
	pub guard: Arc<WorkerGuard>,
	/// Other workers.
	pub dialer: Arc<NetworkDialer>,
	/// Threads that compute.
	pub threads: usize,
	/// What computes.
	pub kernel: Arc<dyn Kernel>,
	/// Sessions at once.
	pub sessions: u16,
}

/// Checks what is not known to be the manifest's in the package of `model`: one from elsewhere was not
/// fetched chunk by chunk.
///
/// # Errors
/// The first tensor that differs.
pub async fn verify(store: &Arc<PackageStore>, model: ModelId) -> Result<()> {
	let unverified =
		store.holdings(&model).iter().any(|holding| holding.present && !holding.verified);
	if !unverified {
		return Ok(());
	}
	let store = store.clone();
	tokio::task::spawn_blocking(move || {
		let (bar, progress) = crate::shards::bar("verifying");
		let result = store.verify(&model, &mut |done, total| progress(done, total));
		bar.finish_and_clear();
		result
	})
	.await
	.map_err(|_| anyhow!("the verification broke off"))?
	.context("a package here is not what its manifest says: remove it, or fetch it again")?;
	Ok(())
}

impl Unit {
	/// Loads the layers of `pick` out of `package`.
	///
	/// # Errors
	/// No room in memory, or a package that does not load.
	pub async fn load(pick: &Pick, package: Arc<Package>, parts: &UnitParts) -> Result<Arc<Self>> {
		let layers = pick.layers;
		let bytes = weight_bytes(&pick.manifest, layers);
		let weights = parts.governor.memory().reserve(bytes).map_err(|refused| {
			anyhow!("layers {}..{} do not fit into memory: {refused}", layers.first, layers.end)
		})?;
		let (threads, kernel) = (parts.threads, parts.kernel.clone());
		let loading = package.clone();
		let loaded = tokio::task::spawn_blocking(move || {
			let bar = indicatif::ProgressBar::new(0).with_message("loading");
			let options = ModelOptions { layers: Some(layers), kernel, threads };
			let model = Model::load(&loading, options, &mut |done, total| {
				bar.set_length(total);
				bar.set_position(done);
			});
			let tokenizer = ChatTokenizer::open(&loading);
			bar.finish_and_clear();
			Ok::<_, aria_engine::EngineError>((model?, tokenizer?))
		});
		let (model, tokenizer) = loaded.await.map_err(|_| anyhow!("loading broke off"))??;
		let guard: Arc<dyn Guard> = parts.guard.clone();
		let host = StageHost::new(HostParts {
			pair: parts.pair.clone(),
			genesis: parts.genesis,
			model,
			eos: pick.manifest.eos.to_vec(),
			tokenizer: Some(Arc::new(tokenizer)),
			governor: parts.governor.clone(),
			meter: Arc::new(parts.meter.clone()),
			guard,
			dialer: parts.dialer.clone(),
			max_sessions: usize::from(parts.sessions),
			timing: HostTiming::default(),
		});
		tracing::info!(
			target: "aria::worker",
			model = ?pick.model,
			name = pick.name.as_deref().unwrap_or("-"),
			first = layers.first,
			end = layers.end,
			"layers are in memory"
		);
		Ok(Arc::new(Self {
			model: pick.model,
			name: pick.name.clone(),
			layers,
			of: pick.manifest.layers,
			host,
			weights,
		}))
	}
}
