//! The JSON-RPC methods of an ARIA node, over the runtime API (`docs/rpc.md`).
//!
//! | module | what |
//! |---|---|
//! | `api` | names and parameters of the methods |
//! | `methods`, `subscription` | what they do |
//! | `past` | records that have left the state |
//! | [`views`] | what they answer |
//! | [`Error`] | what they refuse |
//! | `index` | the node's own lists of records, by model, node, output and query |
//! | `indexer` | what fills those from final blocks |
//! | `limits` | how much of it at once |
//! | `chain` | all that this crate asks of the node |
//!
//! A node opens a [`RecordIndex`], spawns [`run_indexer`] on a thread that may block, and merges
//! [`rpc_module`] into its RPC.
//!
//! Architecture invariant: this crate knows the runtime's API and not the runtime, and it writes
//! nothing but its index.

#![forbid(unsafe_code)]

mod api;
mod chain;
mod error;
mod index;
mod indexer;
mod limits;
mod methods;
mod params;
mod past;
mod subscription;
#[cfg(test)]
mod tests;
pub mod views;

pub use api::{ConsentRpcServer, ProvenanceRpcServer, RewardRpcServer, SobrietyRpcServer};
pub use chain::NodeClient;
pub use error::Error;
pub use index::{IdPage, IndexError, Progress, RecordIndex};
pub use params::{PageParams, RecordFilter, DEFAULT_LIMIT, MAX_LIMIT};

use chain::ClientChain;
use jsonrpsee::{core::RegisterMethodError, RpcModule};
use methods::Methods;
use sc_client_api::Backend;
use sc_rpc::SubscriptionTaskExecutor;
use sp_core::H256;
use sp_runtime::traits::Block as BlockT;
use std::sync::Arc;

/// What the methods work with.
pub struct Deps<C, BE> {
	/// The node's client, through which the chain is read.
	pub client: Arc<C>,
	/// The database behind the client; it holds what proofs of old records are made of.
	pub backend: Arc<BE>,
	/// The node's index of records, which [`run_indexer`] fills.
	pub index: Arc<RecordIndex>,
	/// Where subscriptions run.
	pub executor: SubscriptionTaskExecutor,
}

/// The methods, to be merged into a node's.
///
/// Errors when two of them have one name, which is a mistake in this crate.
pub fn rpc_module<Block, C, BE>(deps: Deps<C, BE>) -> Result<RpcModule<()>, RegisterMethodError>
where
	Block: BlockT<Hash = H256>,
	C: NodeClient<Block, BE>,
	BE: Backend<Block> + 'static,
{
	let Deps { client, backend, index, executor } = deps;
	let chain = ClientChain::<Block, C, BE>::new(client, backend);
	Methods::new(Arc::new(chain), index, executor).into_module()
}

/// Fills the index from final blocks, for as long as the client sends notices of them. To be spawned
/// on a thread that may block. What fails is logged and tried again.
pub async fn run_indexer<Block, C, BE>(client: Arc<C>, backend: Arc<BE>, index: Arc<RecordIndex>)
where
	Block: BlockT<Hash = H256>,
	C: NodeClient<Block, BE>,
	BE: Backend<Block> + 'static,
{
	indexer::run(ClientChain::<Block, C, BE>::new(client, backend), index).await
}
