//! What the chain says of the workers of some models, read anew at each best block.

use super::patience::AGAIN;
use aria_chain_client::{At, Chain, ChainError, WorkerView};
use aria_primitives::{
	audit::AuditParams, consent::ConsentVersion, AccountId, BlockNumber, ModelId,
};
use futures::{stream, StreamExt, TryStreamExt};
use std::{
	collections::{BTreeMap, BTreeSet, HashMap},
	sync::{Arc, PoisonError, RwLock},
	time::Duration,
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Consents that are read at once.
const AT_ONCE: usize = 16;
/// Least time between two readings: blocks of a development chain come fast.
const PAUSE: Duration = Duration::from_millis(200);

/// A worker and its consent in force.
#[derive(Clone, Debug)]
pub struct Known {
	/// The worker.
	pub worker: WorkerView,
	/// Its consent.
	pub consent: Option<ConsentVersion>,
}

/// The workers of a model at one block.
#[derive(Clone, Debug, Default)]
pub struct Page {
	/// The block.
	pub at: BlockNumber,
	/// The numbers of audits in its epoch.
	pub audits: AuditParams,
	/// The workers that serve layers of it.
	pub workers: HashMap<AccountId, Known>,
}

/// The workers of the models that are watched.
pub struct Book {
	chain: Chain,
	watched: RwLock<BTreeSet<ModelId>>,
	pages: RwLock<BTreeMap<ModelId, Arc<Page>>>,
	added: Notify,
}

impl Book {
	/// Watches no model.
	pub fn new(chain: Chain) -> Arc<Self> {
		Arc::new(Self {
			chain,
			watched: RwLock::default(),
			pages: RwLock::default(),
			added: Notify::new(),
		})
	}

	/// Reads `model` too from now on.
	pub fn watch(&self, model: ModelId) {
		if self.watched.write().unwrap_or_else(PoisonError::into_inner).insert(model) {
			self.added.notify_one();
		}
	}

	/// What is known of a model's workers; `None` before it was read.
	pub fn page(&self, model: &ModelId) -> Option<Arc<Page>> {
		self.pages.read().unwrap_or_else(PoisonError::into_inner).get(model).cloned()
	}

	/// Reads a model now.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn read(&self, model: ModelId) -> Result<Arc<Page>, ChainError> {
		let (number, hash) = self.chain.head().borrow().best;
		let at = At::Block(hash);
		let (workers, terms) =
			tokio::try_join!(self.chain.workers_of(model, at), self.chain.epoch_terms(at))?;
		let audits = terms.map(|terms| terms.params).unwrap_or_default();
		let workers: HashMap<AccountId, Known> = stream::iter(workers)
			.map(|worker| async move {
				let consent = self.chain.consent(&worker.account, at).await?;
				let consent = consent.filter(|version| version.superseded_at.is_none());
				Ok::<_, ChainError>((worker.account.clone(), Known { worker, consent }))
			})
			.buffer_unordered(AT_ONCE)
			.try_collect()
			.await?;
		let page = Arc::new(Page { at: number, audits, workers });
		let mut pages = self.pages.write().unwrap_or_else(PoisonError::into_inner);
		pages.insert(model, page.clone());
		Ok(page)
	}

	/// Reads what is watched at each new block until `shutdown`.
	pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
		let mut head = self.chain.head();
		loop {
			head.borrow_and_update();
			let watched: Vec<ModelId> = self
				.watched
				.read()
				.unwrap_or_else(PoisonError::into_inner)
				.iter()
				.copied()
				.collect();
			let mut pause = PAUSE;
			for model in watched {
				let read = tokio::select! {
					() = shutdown.cancelled() => return,
					read = self.read(model) => read,
				};
				if let Err(error) = read {
					tracing::debug!(target: "aria::worker", %error, "the workers can't be read");
					pause = AGAIN;
				}
			}
			tokio::time::sleep(pause).await;
			tokio::select! {
				() = shutdown.cancelled() => return,
				changed = head.changed() => {
					if changed.is_err() {
						return;
					}
				}
				() = self.added.notified() => {}
			}
		}
	}
}
