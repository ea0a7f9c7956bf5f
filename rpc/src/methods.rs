//! What the methods do.

use crate::{
	api::{ConsentRpcServer, ProvenanceRpcServer, RewardRpcServer, SobrietyRpcServer},
	chain::{Chain, ChainError},
	error::Error,
	index::{IdPage, IndexError, RecordIndex},
	limits::{LastBlock, Places, MAX_SUBSCRIPTIONS},
	params::{account, hash, Filter, Page, PageParams, RecordFilter},
	past::{self, HashedPage, Read},
	subscription,
	views::{
		ConsentView, DiscardedView, FoundView, IndexedRange, ListView, NetworkStatsView, ProofView,
		RecordView, RewardView, TraceView,
	},
};
use aria_primitives::RecordId;
use futures::{channel::oneshot, FutureExt};
use jsonrpsee::{
	core::{async_trait, RegisterMethodError},
	PendingSubscriptionSink, RpcModule, SubscriptionCloseResponse,
};
use sc_rpc::SubscriptionTaskExecutor;
use sp_core::H256;
use std::sync::Arc;

/// All methods over one chain.
pub(crate) struct Methods<Ch> {
	chain: Arc<Ch>,
	index: Arc<RecordIndex>,
	executor: SubscriptionTaskExecutor,
	last: LastBlock,
	subscriptions: Places,
}

impl<Ch> Clone for Methods<Ch> {
	fn clone(&self) -> Self {
		Self {
			chain: self.chain.clone(),
			index: self.index.clone(),
			executor: self.executor.clone(),
			last: self.last.clone(),
			subscriptions: self.subscriptions.clone(),
		}
	}
}

impl<Ch: Chain> Methods<Ch> {
	pub fn new(
		chain: Arc<Ch>,
		index: Arc<RecordIndex>,
		executor: SubscriptionTaskExecutor,
	) -> Self {
		Self {
			chain,
			index,
			executor,
			last: LastBlock::default(),
			subscriptions: Places::new(MAX_SUBSCRIPTIONS),
		}
	}

	/// The methods under their names.
	pub fn into_module(self) -> Result<RpcModule<()>, RegisterMethodError> {
		let mut module = RpcModule::new(());
		module.merge(ProvenanceRpcServer::into_rpc(self.clone()))?;
		module.merge(ConsentRpcServer::into_rpc(self.clone()))?;
		module.merge(RewardRpcServer::into_rpc(self.clone()))?;
		module.merge(SobrietyRpcServer::into_rpc(self))?;
		Ok(module)
	}

	/// The block to read: `at` if this node knows it, else the best one.
	fn block(&self, at: Option<String>) -> Result<H256, Error> {
		let Some(at) = at else { return Ok(self.chain.best()) };
		let at = hash("at", &at)?;
		match self.chain.number(at).map_err(Error::reading(at))? {
			Some(_) => Ok(at),
			None => Err(Error::UnknownBlock(at)),
		}
	}

	/// The records with these ids as of block `at`, and those that this node cannot show.
	fn records(
		&self,
		at: H256,
		ids: &[RecordId],
	) -> Result<(Vec<RecordView>, Vec<DiscardedView>), Error> {
		let (mut records, mut discarded) = (Vec::with_capacity(ids.len()), Vec::new());
		for id in ids {
			match past::read(&*self.chain, &self.index, at, *id)? {
				Read::Is(record) => records.push(RecordView::new(*id, *record)),
				Read::Discarded(settled_at) => {
					discarded.push(DiscardedView { id: *id, settled_at });
				}
				Read::Unknown => {}
			}
		}
		Ok((records, discarded))
	}

	/// A page of the ids that `state` and `index` give: each is called with the id to begin after and a
	/// limit.
	fn find(
		&self,
		at: Option<String>,
		page: Option<PageParams>,
		state: impl Fn(H256, Option<RecordId>, u32) -> Result<Vec<RecordId>, ChainError>,
		index: impl Fn(&RecordIndex, Option<RecordId>, usize) -> Result<IdPage, IndexError>,
	) -> Result<FoundView, Error> {
		let Page { after, limit } = Page::parse(page)?;
		let at = self.block(at)?;
		let HashedPage { ids, next } = past::page(
			after,
			limit,
			|after, limit| state(at, after, limit).map_err(Error::reading(at)),
			|after, limit| index(self.index.as_ref(), after, limit),
		)?;
		let (records, discarded) = self.records(at, &ids)?;
		let progress = self.index.progress().ok().filter(|progress| progress.ready);
		let indexed =
			progress.map(|progress| IndexedRange { from: progress.from, to: progress.to });
		Ok(FoundView { records, next, at, discarded, indexed })
	}

	/// A page of a list that `read` takes from the index.
	fn list(
		&self,
		page: Option<PageParams>,
		read: impl Fn(&RecordIndex, Option<RecordId>, usize) -> Result<IdPage, IndexError>,
	) -> Result<ListView, Error> {
		let Page { after, limit } = Page::parse(page)?;
		let progress = self.index.progress()?;
		if !progress.ready {
			return Err(match progress.failure {
				Some(reason) => Error::IndexUnavailable(reason),
				None => Error::still_indexing(progress.to, progress.finalized),
			});
		}
		let IdPage { ids, more } = read(self.index.as_ref(), after, limit as usize)?;
		let (_, at) = self.chain.finalized();
		let (records, discarded) = self.records(at, &ids)?;
		Ok(ListView {
			records,
			discarded,
			next: ids.last().copied().filter(|_| more),
			indexed: IndexedRange { from: progress.from, to: progress.to },
		})
	}
}

#[async_trait]
impl<Ch: Chain> ProvenanceRpcServer for Methods<Ch> {
	fn get_record(&self, id: String, at: Option<String>) -> Result<RecordView, Error> {
		let id = hash("id", &id)?;
		let at = self.block(at)?;
		match past::read(&*self.chain, &self.index, at, id)? {
			Read::Is(record) => Ok(RecordView::new(id, *record)),
			Read::Discarded(settled_at) => Err(Error::RecordPruned { id, settled_at }),
			Read::Unknown => Err(Error::UnknownRecord { id, at }),
		}
	}

	fn find_by_output(
		&self,
		output: String,
		page: Option<PageParams>,
		at: Option<String>,
	) -> Result<FoundView, Error> {
		let output = hash("hash", &output)?;
		self.find(
			at,
			page,
			|at, after, limit| self.chain.records_by_output(at, output, after, limit),
			|index, after, limit| index.by_output(&output, after, limit),
		)
	}

	fn find_by_query(
		&self,
		query: String,
		page: Option<PageParams>,
		at: Option<String>,
	) -> Result<FoundView, Error> {
		let query = hash("hash", &query)?;
		self.find(
			at,
			page,
			|at, after, limit| self.chain.records_by_query(at, query, after, limit),
			|index, after, limit| index.by_query(&query, after, limit),
		)
	}

	fn list_by_model(&self, model_id: String, page: Option<PageParams>) -> Result<ListView, Error> {
		let model = hash("modelId", &model_id)?;
		self.list(page, |index, after, limit| index.by_model(&model, after, limit))
	}

	fn list_by_node(&self, node: String, page: Option<PageParams>) -> Result<ListView, Error> {
		let node = account("account", &node)?;
		self.list(page, |index, after, limit| index.by_node(&node, after, limit))
	}

	fn trace(&self, id: String, at: Option<String>) -> Result<TraceView, Error> {
		let id = hash("id", &id)?;
		let at = self.block(at)?;
		if let Some(trace) = self.chain.trace(at, id).map_err(Error::reading(at))? {
			return Ok(trace.into());
		}
		let unknown = Error::UnknownRecord { id, at };
		let Some((settled_at, _)) = past::settled(&*self.chain, &self.index, at, id)? else {
			return Err(unknown);
		};
		// What was known of it last: by then its audit was over.
		let until = self.chain.number(at).map_err(Error::reading(at))?.unwrap_or(settled_at);
		let last = past::last_with(&*self.chain, id, settled_at, until);
		let Some(last) = last.map_err(Error::reading(at))? else {
			return Err(Error::RecordPruned { id, settled_at });
		};
		let trace = self.chain.trace(last, id).map_err(Error::reading(last))?;
		trace.map(TraceView::from).ok_or(unknown)
	}

	fn get_proof(&self, id: String, at: Option<String>) -> Result<ProofView, Error> {
		let id = hash("id", &id)?;
		// A proof against a block that may still be replaced is worth nothing.
		let at = match at {
			Some(_) => self.block(at)?,
			None => self.chain.finalized().1,
		};
		let number = self.chain.number(at).map_err(Error::reading(at))?;
		let Some(stored) = self.chain.stored_record(at, id).map_err(Error::reading(at))? else {
			return past::prove(&*self.chain, &self.index, at, id)?
				.ok_or(Error::UnknownRecord { id, at });
		};
		Ok(ProofView {
			block_hash: at,
			block_number: number.ok_or(Error::UnknownBlock(at))?,
			storage_key: stored.key.into(),
			proof: stored.proof.into_iter().map(Into::into).collect(),
			value: stored.value.into(),
			past: None,
		})
	}

	async fn subscribe_records(
		&self,
		pending: PendingSubscriptionSink,
		filter: Option<RecordFilter>,
	) -> SubscriptionCloseResponse {
		let filter = match Filter::parse(filter) {
			Ok(filter) => filter,
			Err(error) => {
				pending.reject(error).await;
				return SubscriptionCloseResponse::None;
			}
		};
		let Some(place) = self.subscriptions.take() else {
			pending.reject(Error::Busy("it has as many subscribers as it serves")).await;
			return SubscriptionCloseResponse::None;
		};
		let (ended, end) = oneshot::channel();
		let (chain, last) = (self.chain.clone(), self.last.clone());
		let task = async move {
			let _ = ended.send(subscription::run(chain, last, pending, filter).await);
			drop(place);
		};
		// It reads blocks, which takes long enough to hold up what else runs on a thread.
		self.executor.spawn_blocking("aria-rpc-subscription", Some("rpc"), task.boxed());
		match end.await {
			Ok(Err(reason)) => reason.into_response(),
			// The subscriber left, or the node stops.
			Ok(Ok(())) | Err(_) => SubscriptionCloseResponse::None,
		}
	}
}

impl<Ch: Chain> ConsentRpcServer for Methods<Ch> {
	fn get(
		&self,
		worker: String,
		version: Option<u64>,
		at: Option<String>,
	) -> Result<ConsentView, Error> {
		let worker = account("account", &worker)?;
		let at = self.block(at)?;
		let unknown = || Error::unknown_consent(&worker, version);
		let number = version.map(u32::try_from).transpose().map_err(|_| unknown())?;
		self.chain
			.consent(at, worker.clone(), number)
			.map_err(Error::reading(at))?
			.map(ConsentView::from)
			.ok_or_else(unknown)
	}
}

impl<Ch: Chain> RewardRpcServer for Methods<Ch> {
	fn explain(
		&self,
		worker: String,
		era: Option<u64>,
		at: Option<String>,
	) -> Result<RewardView, Error> {
		let worker = account("account", &worker)?;
		let at = self.block(at)?;
		let era = match era {
			Some(era) => u32::try_from(era).map_err(|_| Error::no_work(&worker, era))?,
			None => self.chain.current_era(at).map_err(Error::reading(at))?,
		};
		self.chain
			.explain(at, era, worker.clone())
			.map_err(Error::reading(at))?
			.map(RewardView::from)
			.ok_or_else(|| Error::no_work(&worker, era.into()))
	}
}

impl<Ch: Chain> SobrietyRpcServer for Methods<Ch> {
	fn network_stats(&self, at: Option<String>) -> Result<NetworkStatsView, Error> {
		let at = self.block(at)?;
		Ok(self.chain.network_stats(at).map_err(Error::reading(at))?.into())
	}
}

impl From<IndexError> for Error {
	fn from(error: IndexError) -> Self {
		match error {
			IndexError::UnknownCursor(id) => Error::UnknownCursor(id),
			other => Error::IndexUnavailable(other.to_string()),
		}
	}
}
