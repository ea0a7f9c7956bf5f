//! Reading models, workers, prices and what pays.

use crate::{
	chain::{At, Chain},
	error::ChainError,
	keys,
	price::Price,
	reads::{account_key, pick},
	types::{Challenge, EraTally, GatewayView, Services, SpendingKey, WorkerInfo, WorkerView},
};
use aria_primitives::{
	manifest::Manifest, traits::Offer, views::ModelView, AccountId, Balance, ModelId,
};
use codec::Encode;

const WORKERS: (&str, &str) = ("WorkerRegistry", "Workers");
const SERVED: (&str, &str) = ("WorkerRegistry", "Served");
const SHARED: (&str, &str) = ("InferenceMarket", "SharedTotal");
/// Most workers of one model that are read.
const MAX_WORKERS: usize = 20_000;
/// Workers that are read with one request.
const CHUNK: usize = 200;

impl Chain {
	// --- models ---------------------------------------------------------------------------------

	/// The pinned models, in the order in which they were pinned.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn models(&self, at: At) -> Result<Vec<ModelView>, ChainError> {
		self.api("MarketApi_models", Vec::new(), at).await
	}

	/// The manifest of a registered model, checked against its id.
	///
	/// # Errors
	/// [`ChainError::BadAnswer`] if the bytes are no manifest or not that one, and those of all reads.
	pub async fn manifest(&self, model: ModelId, at: At) -> Result<Option<Manifest>, ChainError> {
		const METHOD: &str = "MarketApi_manifest";
		let bytes: Option<Vec<u8>> = self.api(METHOD, model.encode(), at).await?;
		let Some(bytes) = bytes else { return Ok(None) };
		let bad = |reason: String| ChainError::BadAnswer { method: METHOD.to_owned(), reason };
		let manifest = Manifest::from_bytes(&bytes).map_err(|error| bad(format!("{error:?}")))?;
		if manifest.model_id() == model {
			Ok(Some(manifest))
		} else {
			Err(bad(format!("the manifest is not that of model {model:?}")))
		}
	}

	/// The model behind an alias such as `aria-2b-1bit`.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn resolve_alias(&self, name: &str, at: At) -> Result<Option<ModelId>, ChainError> {
		self.api("MarketApi_resolve_alias", name.as_bytes().encode(), at).await
	}

	/// The aliases of a model.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn aliases_of(&self, model: ModelId, at: At) -> Result<Vec<String>, ChainError> {
		let key = keys::identity("ModelRegistry", "AliasesOf", model.as_bytes());
		let names: Option<Vec<Vec<u8>>> = self.storage("ModelRegistry.AliasesOf", key, at).await?;
		let names = names.unwrap_or_default();
		Ok(names.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect())
	}

	/// What a gateway asks for a model's tokens.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn offer(
		&self,
		model: ModelId,
		seller: &AccountId,
		at: At,
	) -> Result<Option<Offer>, ChainError> {
		self.api("MarketApi_offer", (model, seller).encode(), at).await
	}

	/// What an answer costs by a gateway's offer; `None` if it has none. Counts are in tokens.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn quote(
		&self,
		model: ModelId,
		gateway: &AccountId,
		prompt: u32,
		cached: u32,
		output: u32,
		stages: u32,
		at: At,
	) -> Result<Option<Price>, ChainError> {
		let offer = self.offer(model, gateway, at).await?;
		let constants = self.constants();
		Ok(offer.map(|offer| constants.price(&offer, prompt, cached, output, stages)))
	}

	// --- what pays ------------------------------------------------------------------------------

	/// Escrow of an account: what is held, and what of it is reserved, in planck.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn escrow(
		&self,
		account: &AccountId,
		at: At,
	) -> Result<(Balance, Balance), ChainError> {
		self.api("MarketApi_escrow", account.encode(), at).await
	}

	/// A spending key that is registered and not revoked.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn spending_key(
		&self,
		key: &AccountId,
		at: At,
	) -> Result<Option<SpendingKey>, ChainError> {
		let key: Option<SpendingKey> = self.entry_of("InferenceMarket", "Keys", key, at).await?;
		Ok(key.filter(|key| !key.revoked))
	}

	/// A registered gateway.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn gateway(
		&self,
		account: &AccountId,
		at: At,
	) -> Result<Option<GatewayView>, ChainError> {
		self.entry_of("InferenceMarket", "Gateways", account, at).await
	}

	/// What the records of a gateway cost that its stake answers for, since they are not vested, in
	/// planck; see [`GatewayView::room`].
	///
	/// # Errors
	/// Those of all reads.
	pub async fn answered(&self, gateway: &AccountId, at: At) -> Result<Balance, ChainError> {
		let total = self.entry_of("InferenceMarket", "AnsweredTotal", gateway, at).await?;
		Ok(total.unwrap_or_default())
	}

	/// What an account earned that is not vested yet, in planck.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn unvested(&self, account: &AccountId, at: At) -> Result<Balance, ChainError> {
		let total = self.entry_of("InferenceMarket", "UnvestedTotal", account, at).await?;
		Ok(total.unwrap_or_default())
	}

	// --- workers --------------------------------------------------------------------------------

	/// A registered worker.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn worker(
		&self,
		account: &AccountId,
		at: At,
	) -> Result<Option<WorkerView>, ChainError> {
		let block = self.fixed_hash(at).await?;
		let workers = self.workers(std::slice::from_ref(account), At::Block(block)).await?;
		Ok(workers.into_iter().next())
	}

	/// The challenge that waits for a worker's answer.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn challenge(
		&self,
		worker: &AccountId,
		at: At,
	) -> Result<Option<Challenge>, ChainError> {
		self.entry_of("WorkerRegistry", "Challenges", worker, at).await
	}

	/// What came of a worker's challenges in the last eras, oldest first.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn attendance(
		&self,
		worker: &AccountId,
		at: At,
	) -> Result<Vec<EraTally>, ChainError> {
		let tallies = self.entry_of("WorkerRegistry", "Attendances", worker, at).await?;
		Ok(tallies.unwrap_or_default())
	}

	/// The workers that serve layers of a model, draining ones included, in no order.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn workers_of(&self, model: ModelId, at: At) -> Result<Vec<WorkerView>, ChainError> {
		let block = self.fixed_hash(at).await?;
		let prefix = keys::identity("WorkerRegistry", "Serving", model.as_bytes());
		let entries = self.keys_under(&prefix, MAX_WORKERS, block).await?;
		// A key ends in the account as it is.
		let accounts: Vec<AccountId> = entries
			.iter()
			.filter_map(|key| key.last_chunk::<32>().copied().map(AccountId::new))
			.collect();
		self.workers(&accounts, At::Block(block)).await
	}

	/// Those of the accounts that are workers, in their order.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn workers(
		&self,
		accounts: &[AccountId],
		at: At,
	) -> Result<Vec<WorkerView>, ChainError> {
		let block = self.fixed_hash(at).await?;
		let number = self.header(At::Block(block)).await?.number;
		let era_length = self.constants().era_length;
		let mut workers = Vec::with_capacity(accounts.len());
		for chunk in accounts.chunks(CHUNK) {
			let keys: Vec<Vec<u8>> = chunk
				.iter()
				.flat_map(|account| {
					[WORKERS, SERVED, SHARED]
						.map(|(pallet, name)| account_key(pallet, name, account))
				})
				.collect();
			let values = self.values(&keys, block).await?;
			for account in chunk {
				let key = account_key(WORKERS.0, WORKERS.1, account);
				let info: Option<WorkerInfo> = pick(&values, "WorkerRegistry.Workers", &key)?;
				let Some(info) = info else { continue };
				let key = account_key(SERVED.0, SERVED.1, account);
				let services: Option<Services> = pick(&values, "WorkerRegistry.Served", &key)?;
				let services = services.unwrap_or_default();
				let key = account_key(SHARED.0, SHARED.1, account);
				let shared: Option<Balance> = pick(&values, "InferenceMarket.SharedTotal", &key)?;
				let shared = shared.unwrap_or_default();
				let account = account.clone();
				workers.push(WorkerView::new(account, info, services, shared, number, era_length));
			}
		}
		Ok(workers)
	}
}
