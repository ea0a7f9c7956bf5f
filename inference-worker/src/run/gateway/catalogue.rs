//! The models that can be asked here: pinned, sold by this gateway, with a tokenizer at hand.

use crate::{run::planner::Planner, shards::PackageStore};
use aria_chain_client::{At, Chain, ChainError};
use aria_engine::text::ChatTokenizer;
use aria_gateway::{fingerprint, ModelCard};
use aria_primitives::{manifest::Manifest, AccountId, ModelId};
use std::{
	collections::BTreeMap,
	sync::{Arc, PoisonError, RwLock},
	time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio_util::sync::CancellationToken;

/// Longest time between two looks at the chain.
const LOOK: Duration = Duration::from_secs(5);

/// A model that can be asked.
#[derive(Clone, Debug)]
pub struct Entry {
	/// What it is.
	pub manifest: Arc<Manifest>,
	/// Its tokenizer.
	pub tokenizer: Arc<ChatTokenizer>,
	/// Its names on chain.
	pub aliases: Vec<String>,
	/// When it was first seen here, in seconds since 1970.
	pub since: u64,
}

/// The models that can be asked.
pub struct Catalogue {
	chain: Chain,
	gateway: AccountId,
	packages: Arc<PackageStore>,
	planner: Arc<Planner>,
	entries: RwLock<BTreeMap<ModelId, Arc<Entry>>>,
}

impl Catalogue {
	/// Without models, until [`Catalogue::refresh`].
	pub fn new(
		chain: Chain,
		gateway: AccountId,
		packages: Arc<PackageStore>,
		planner: Arc<Planner>,
	) -> Arc<Self> {
		Arc::new(Self { chain, gateway, packages, planner, entries: RwLock::default() })
	}

	/// The model with this id.
	pub fn get(&self, model: &ModelId) -> Option<Arc<Entry>> {
		self.entries().get(model).cloned()
	}

	/// The only model, or the first one.
	pub fn first(&self) -> Option<(ModelId, Arc<Entry>)> {
		self.entries().first_key_value().map(|(model, entry)| (*model, entry.clone()))
	}

	/// The model with this name, or this id in hexadecimal digits.
	pub fn find(&self, name: &str) -> Option<(ModelId, Arc<Entry>)> {
		let entries = self.entries();
		let digits = name.strip_prefix("0x").unwrap_or(name);
		let named = |(model, entry): &(&ModelId, &Arc<Entry>)| {
			entry.aliases.iter().any(|alias| alias == name)
				|| hex::encode(model.as_bytes()) == digits
		};
		entries.iter().find(named).map(|(model, entry)| (*model, entry.clone()))
	}

	/// What clients are told.
	pub fn cards(&self) -> Vec<ModelCard> {
		let entries = self.entries();
		let mut cards = Vec::new();
		for (model, entry) in entries.iter() {
			let id = model.to_fixed_bytes();
			let card = |name: String| ModelCard {
				name,
				id,
				context: entry.manifest.context,
				fingerprint: fingerprint(&id, entry.manifest.numerics_version),
				created: entry.since,
				tokenizer: entry.tokenizer.clone(),
				eos: entry.manifest.eos.to_vec(),
			};
			if entry.aliases.is_empty() {
				cards.push(card(hex::encode(id)));
			}
			cards.extend(entry.aliases.iter().cloned().map(card));
		}
		cards
	}

	/// Looks at the chain and at the packages that are here.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn refresh(&self) -> Result<(), ChainError> {
		let mut found = BTreeMap::new();
		for model in self.chain.models(At::Best).await?.into_iter().filter(|model| model.pinned) {
			let model = model.id;
			if self.chain.offer(model, &self.gateway, At::Best).await?.is_none() {
				continue;
			}
			let known = self.get(&model);
			let (manifest, tokenizer, since) = match &known {
				Some(entry) => (entry.manifest.clone(), entry.tokenizer.clone(), entry.since),
				None => {
					let Some((manifest, tokenizer)) = self.open(&model).await else { continue };
					(manifest, tokenizer, seconds())
				}
			};
			let aliases = self.chain.aliases_of(model, At::Best).await?;
			if known.is_none() {
				self.planner.watch(model, &manifest);
				tracing::info!(
					target: "aria::gateway", ?model, names = aliases.join(", "), "a model can be asked"
				);
			}
			found.insert(model, Arc::new(Entry { manifest, tokenizer, aliases, since }));
		}
		*self.entries.write().unwrap_or_else(PoisonError::into_inner) = found;
		Ok(())
	}

	/// Manifest and tokenizer of a package that is here.
	async fn open(&self, model: &ModelId) -> Option<(Arc<Manifest>, Arc<ChatTokenizer>)> {
		let package = self.packages.package(model)?;
		let opened = tokio::task::spawn_blocking(move || {
			ChatTokenizer::open(&package)
				.map(|tokenizer| (Arc::new(package.manifest.clone()), Arc::new(tokenizer)))
		});
		match opened.await {
			Ok(Ok(opened)) => Some(opened),
			Ok(Err(error)) => {
				tracing::warn!(target: "aria::gateway", ?model, %error, "the tokenizer does not open");
				None
			}
			Err(_) => None,
		}
	}

	/// Refreshes with new blocks until `shutdown`.
	pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
		loop {
			tokio::select! {
				() = shutdown.cancelled() => return,
				() = tokio::time::sleep(LOOK) => {}
			}
			if let Err(error) = self.refresh().await {
				tracing::debug!(target: "aria::gateway", %error, "models can't be read");
			}
		}
	}

	fn entries(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<ModelId, Arc<Entry>>> {
		self.entries.read().unwrap_or_else(PoisonError::into_inner)
	}
}

fn seconds() -> u64 {
	SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
