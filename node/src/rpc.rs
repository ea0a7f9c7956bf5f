//! The JSON-RPC methods that this node adds to those which every Substrate node has (`chain_*`,
//! `state_*`, `author_*`, `system_*`, `chainHead_v1_*`, `transaction*_v1_*`).

use crate::service::{FullBackend, FullClient, FullPool, FullSelectChain};
use aria_rpc::RecordIndex;
use aria_runtime::{opaque::Block, AccountId, Balance, BlockNumber, Hash, Nonce};
use jsonrpsee::RpcModule;
use mmr_rpc::{Mmr, MmrApiServer};
use pallet_transaction_payment_rpc::{TransactionPayment, TransactionPaymentApiServer};
use pallet_transaction_payment_rpc_runtime_api::RuntimeDispatchInfo;
use sc_client_api::Backend;
use sc_consensus_babe::BabeWorkerHandle;
use sc_consensus_babe_rpc::{Babe, BabeApiServer};
use sc_consensus_grandpa::{
	FinalityProofProvider, GrandpaJustificationStream, SharedAuthoritySet, SharedVoterState,
};
use sc_consensus_grandpa_rpc::{Grandpa, GrandpaApiServer};
use sc_rpc::SubscriptionTaskExecutor;
use sc_service::ChainSpec;
use sc_sync_state_rpc::{SyncState, SyncStateApiServer};
use sp_keystore::KeystorePtr;
use std::sync::Arc;
use substrate_frame_rpc_system::{System, SystemApiServer};

/// What the methods read. One value serves every server that the node opens.
pub struct Deps {
	pub client: Arc<FullClient>,
	pub backend: Arc<FullBackend>,
	pub pool: Arc<FullPool>,
	pub select_chain: FullSelectChain,
	pub chain_spec: Box<dyn ChainSpec>,
	pub keystore: KeystorePtr,
	pub babe_worker: BabeWorkerHandle<Block>,
	pub grandpa: GrandpaDeps,
	pub record_index: Arc<RecordIndex>,
}

/// What the `grandpa_*` methods read.
pub struct GrandpaDeps {
	pub authority_set: SharedAuthoritySet<Hash, BlockNumber>,
	pub voter_state: SharedVoterState,
	pub justifications: GrandpaJustificationStream<Block>,
	pub finality_proofs: Arc<FinalityProofProvider<FullBackend, Block>>,
}

/// The methods of ARIA and of its consensus. Subscriptions run on `executor`.
///
/// Errors when two methods have one name, and when the backend has no offchain storage.
pub fn create(
	deps: &Deps,
	executor: SubscriptionTaskExecutor,
) -> Result<RpcModule<()>, Box<dyn std::error::Error + Send + Sync>> {
	let Deps { client, backend, pool, select_chain, keystore, babe_worker, grandpa, .. } = deps;
	let mut module = RpcModule::new(());

	module.merge(SystemApiServer::<Hash, AccountId, Nonce>::into_rpc(System::<
		FullPool,
		FullClient,
		Block,
	>::new(
		client.clone(),
		pool.clone(),
	)))?;
	module.merge(TransactionPaymentApiServer::<Hash, RuntimeDispatchInfo<Balance>>::into_rpc(
		TransactionPayment::<FullClient, Block>::new(client.clone()),
	))?;
	module.merge(
		Babe::<Block, FullClient, FullSelectChain>::new(
			client.clone(),
			babe_worker.clone(),
			keystore.clone(),
			select_chain.clone(),
		)
		.into_rpc(),
	)?;
	module.merge(
		Grandpa::new(
			executor.clone(),
			grandpa.authority_set.clone(),
			grandpa.voter_state.clone(),
			grandpa.justifications.clone(),
			grandpa.finality_proofs.clone(),
		)
		.into_rpc(),
	)?;
	module.merge(
		SyncState::<Block, FullClient>::new(
			deps.chain_spec.cloned_box(),
			client.clone(),
			grandpa.authority_set.clone(),
			babe_worker.clone(),
		)?
		.into_rpc(),
	)?;

	let offchain = backend
		.offchain_storage()
		.ok_or("the database keeps no offchain storage, without which MMR proofs are impossible")?;
	module.merge(MmrApiServer::<Hash, BlockNumber, Hash>::into_rpc(Mmr::<
		FullClient,
		(Block, Hash),
		_,
	>::new(
		client.clone(), offchain
	)))?;

	module.merge(aria_rpc::rpc_module::<Block, FullClient, FullBackend>(aria_rpc::Deps {
		client: client.clone(),
		backend: backend.clone(),
		index: deps.record_index.clone(),
		executor,
	})?)?;

	Ok(module)
}
