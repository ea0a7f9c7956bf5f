//! [`Chain`] over the client of a node.

use super::{Ancestry, Chain, ChainError, Finality, StoredRecord};
use aria_primitives::{
	consent::ConsentVersion,
	record::RecordEntry,
	views::{NetworkStats, RewardExplanation, Trace},
	AccountId, BlockNumber, EraIndex, OutputHash, QueryHash, RecordId,
};
use aria_runtime_api::{ConsentApi, ProvenanceApi, RetentionApi, RewardApi, SobrietyApi};
use futures::{stream::BoxStream, StreamExt};
use sc_client_api::{Backend, BlockchainEvents, ProofProvider, StorageProvider};
use sp_api::{ApiError, ApiExt, ProvideRuntimeApi};
use sp_blockchain::HeaderBackend;
use sp_core::{
	offchain::{storage::OffchainDb, OffchainDbExt},
	H256,
};
use sp_mmr_primitives::MmrApi;
use sp_runtime::{
	traits::{Block as BlockT, Header as HeaderT, NumberFor},
	SaturatedConversion,
};
use sp_storage::StorageKey;
use std::{iter, marker::PhantomData, sync::Arc};

/// The client of a node whose runtime has ARIA's APIs: implemented by every full client.
pub trait NodeClient<Block, BE>:
	ProvideRuntimeApi<
		Block,
		Api: ProvenanceApi<Block>
		         + RetentionApi<Block>
		         + ConsentApi<Block>
		         + RewardApi<Block>
		         + SobrietyApi<Block>
		         + MmrApi<Block, H256, NumberFor<Block>>,
	> + HeaderBackend<Block>
	+ BlockchainEvents<Block>
	+ ProofProvider<Block>
	+ StorageProvider<Block, BE>
	+ Send
	+ Sync
	+ 'static
where
	Block: BlockT<Hash = H256>,
	BE: Backend<Block> + 'static,
{
}

impl<Block, BE, C> NodeClient<Block, BE> for C
where
	Block: BlockT<Hash = H256>,
	BE: Backend<Block> + 'static,
	C: ProvideRuntimeApi<Block>
		+ HeaderBackend<Block>
		+ BlockchainEvents<Block>
		+ ProofProvider<Block>
		+ StorageProvider<Block, BE>
		+ Send
		+ Sync
		+ 'static,
	C::Api: ProvenanceApi<Block>
		+ RetentionApi<Block>
		+ ConsentApi<Block>
		+ RewardApi<Block>
		+ SobrietyApi<Block>
		+ MmrApi<Block, H256, NumberFor<Block>>,
{
}

/// The chain of a node's client.
pub(crate) struct ClientChain<Block, C, BE> {
	client: Arc<C>,
	backend: Arc<BE>,
	types: PhantomData<fn() -> Block>,
}

impl<Block, C, BE> ClientChain<Block, C, BE> {
	/// `backend` holds what blocks indexed off chain.
	pub fn new(client: Arc<C>, backend: Arc<BE>) -> Self {
		Self { client, backend, types: PhantomData }
	}
}

impl<Block, C, BE> Chain for ClientChain<Block, C, BE>
where
	Block: BlockT<Hash = H256>,
	BE: Backend<Block> + 'static,
	C: NodeClient<Block, BE>,
{
	fn genesis(&self) -> H256 {
		self.client.info().genesis_hash
	}

	fn best(&self) -> H256 {
		self.client.info().best_hash
	}

	fn finalized(&self) -> (BlockNumber, H256) {
		let info = self.client.info();
		(info.finalized_number.saturated_into(), info.finalized_hash)
	}

	fn hash(&self, number: BlockNumber) -> Result<Option<H256>, ChainError> {
		Ok(self.client.hash(number.into())?)
	}

	fn number(&self, hash: H256) -> Result<Option<BlockNumber>, ChainError> {
		Ok(self.client.number(hash)?.map(|number| number.saturated_into()))
	}

	fn finality(&self) -> BoxStream<'static, Finality> {
		self.client
			.finality_notification_stream()
			.map(|notification| Finality {
				number: (*notification.header.number()).saturated_into(),
				hold: Box::new(notification),
			})
			.boxed()
	}

	fn record(&self, at: H256, id: RecordId) -> Result<Option<RecordEntry>, ChainError> {
		Ok(self.client.runtime_api().record(at, id)?)
	}

	fn block_records(&self, at: H256) -> Result<Vec<RecordId>, ChainError> {
		Ok(self.client.runtime_api().block_records(at)?)
	}

	fn records_since(&self, at: H256) -> Result<BlockNumber, ChainError> {
		let api = self.client.runtime_api();
		// Before there was this question, no record ever left.
		Ok(match api.has_api::<dyn RetentionApi<Block>>(at)? {
			true => api.records_since(at)?,
			false => 0,
		})
	}

	fn ancestry(&self, at: H256, block: BlockNumber) -> Result<Ancestry, ChainError> {
		let offchain = self
			.backend
			.offchain_storage()
			.ok_or_else(|| ChainError::Failed("the database keeps no offchain storage".into()))?;
		let mut api = self.client.runtime_api();
		api.register_extension(OffchainDbExt::new(OffchainDb::new(offchain)));
		// A block's leaf is added by the next one.
		let adder: NumberFor<Block> = block.saturating_add(1).into();
		let (leaves, proof) = api.generate_proof(at, vec![adder], None)?.map_err(|error| {
			ChainError::Failed(format!(
				"no proof of block {block} can be made ({error:?}): a node that warp-synced lacks \
					 the nodes of older blocks"
			))
		})?;
		match (leaves.into_iter().next(), proof.leaf_indices.first()) {
			(Some(leaf), Some(index)) => Ok(Ancestry {
				leaf: leaf.0,
				leaf_index: *index,
				leaf_count: proof.leaf_count,
				items: proof.items,
			}),
			_ => Err(ChainError::Failed(format!("the proof of block {block} is empty"))),
		}
	}

	fn stored_ids(
		&self,
		at: H256,
		after: Option<RecordId>,
		limit: usize,
	) -> Result<Option<Vec<RecordId>>, ChainError> {
		// A record's key ends in its id as it is; all that comes before is the same for every record.
		let id = RecordId::repeat_byte(0xa5);
		let key = self.client.runtime_api().record_storage_key(at, id)?;
		let Some(prefix) = key.strip_suffix(id.as_bytes()) else { return Ok(None) };

		let start = after.map(|id| StorageKey([prefix, id.as_bytes()].concat()));
		let keys =
			self.client.storage_keys(at, Some(&StorageKey(prefix.to_vec())), start.as_ref())?;
		let ids = keys
			.filter_map(|key| {
				let id = <[u8; 32]>::try_from(key.0.strip_prefix(prefix)?).ok()?;
				Some(RecordId::from(id))
			})
			.take(limit)
			.collect();
		Ok(Some(ids))
	}

	fn records_by_output(
		&self,
		at: H256,
		hash: OutputHash,
		after: Option<RecordId>,
		limit: u32,
	) -> Result<Vec<RecordId>, ChainError> {
		Ok(self.client.runtime_api().records_by_output(at, hash, after, limit)?)
	}

	fn records_by_query(
		&self,
		at: H256,
		hash: QueryHash,
		after: Option<RecordId>,
		limit: u32,
	) -> Result<Vec<RecordId>, ChainError> {
		Ok(self.client.runtime_api().records_by_query(at, hash, after, limit)?)
	}

	fn trace(&self, at: H256, id: RecordId) -> Result<Option<Trace>, ChainError> {
		Ok(self.client.runtime_api().trace(at, id)?)
	}

	fn stored_record(&self, at: H256, id: RecordId) -> Result<Option<StoredRecord>, ChainError> {
		let key = self.client.runtime_api().record_storage_key(at, id)?;
		// The very bytes that the proof is of, not an encoding of what this node made of them.
		let Some(value) = self.client.storage(at, &StorageKey(key.clone()))? else {
			return Ok(None);
		};
		let proof = self.client.read_proof(at, &mut iter::once(key.as_slice()))?;
		Ok(Some(StoredRecord { proof: proof.into_iter_nodes().collect(), key, value: value.0 }))
	}

	fn consent(
		&self,
		at: H256,
		worker: AccountId,
		version: Option<u32>,
	) -> Result<Option<ConsentVersion>, ChainError> {
		let api = self.client.runtime_api();
		Ok(match version {
			Some(version) => api.consent_version(at, worker, version)?,
			None => api.consent(at, worker)?,
		})
	}

	fn current_era(&self, at: H256) -> Result<EraIndex, ChainError> {
		Ok(self.client.runtime_api().current_era(at)?)
	}

	fn explain(
		&self,
		at: H256,
		era: EraIndex,
		worker: AccountId,
	) -> Result<Option<RewardExplanation>, ChainError> {
		Ok(self.client.runtime_api().explain(at, era, worker)?)
	}

	fn network_stats(&self, at: H256) -> Result<NetworkStats, ChainError> {
		Ok(self.client.runtime_api().network_stats(at)?)
	}
}

impl From<sp_blockchain::Error> for ChainError {
	fn from(error: sp_blockchain::Error) -> Self {
		match error {
			sp_blockchain::Error::UnknownBlock(_) => ChainError::NoState,
			sp_blockchain::Error::RuntimeApiError(error) => error.into(),
			other => ChainError::Failed(other.to_string()),
		}
	}
}

impl From<ApiError> for ChainError {
	fn from(error: ApiError) -> Self {
		match error {
			ApiError::UnknownBlock(_) => ChainError::NoState,
			other => ChainError::Failed(other.to_string()),
		}
	}
}
