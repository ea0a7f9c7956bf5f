//! The node itself: what it is built of, and how it starts.
//!
//! Blocks take one path into the database, whoever made them: BABE's rules ([`partial`]), then
//! [`FinalityLayer`]. Only who makes them differs: on a development chain [`dev`] seals and
//! finalises alone, on every other chain [`live`] takes part in BABE's lottery and GRANDPA's votes.

mod dev;
mod live;
mod partial;

pub use partial::{new_partial, Partial};

use crate::{chain_spec, rpc};
use aria_rpc::RecordIndex;
use aria_runtime::{opaque::Block, Hash, RuntimeApi};
use futures::FutureExt;
use sc_basic_authorship::ProposerFactory;
use sc_client_api::Backend;
use sc_consensus::{BlockCheckParams, BlockImport, BlockImportParams, ImportResult};
use sc_consensus_babe::{BabeBlockImport, BabeLink};
use sc_consensus_grandpa::{warp_proof, FinalityProofProvider, SharedVoterState};
use sc_executor::WasmExecutor;
use sc_network::{
	config::{FullNetworkConfiguration, NetworkBackendType},
	Litep2pNetworkBackend, NetworkBackend,
};
use sc_offchain::{OffchainWorkerOptions, OffchainWorkers};
use sc_rpc::SubscriptionTaskExecutor;
use sc_service::{
	BuildNetworkParams, Configuration, Error as ServiceError, SpawnTasksParams, TaskManager,
	WarpSyncConfig,
};
use sc_telemetry::TelemetryHandle;
use sc_transaction_pool::TransactionPoolHandle;
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_consensus_babe::inherents::BabeCreateInherentDataProviders;
use sp_keystore::KeystorePtr;
use std::{path::Path, sync::Arc, time::Duration};
use substrate_prometheus_endpoint::Registry;

pub type FullClient =
	sc_service::TFullClient<Block, RuntimeApi, WasmExecutor<sp_io::SubstrateHostFunctions>>;
pub type FullBackend = sc_service::TFullBackend<Block>;
pub type FullPool = TransactionPoolHandle<Block, FullClient>;
pub type FullSelectChain = sc_consensus::LongestChain<FullBackend, Block>;

type GrandpaBlockImport =
	sc_consensus_grandpa::GrandpaBlockImport<FullBackend, Block, FullClient, FullSelectChain>;
type GrandpaLink = sc_consensus_grandpa::LinkHalf<Block, FullClient, FullSelectChain>;
type Inherents = BabeCreateInherentDataProviders<Block>;
type FullBlockImport =
	BabeBlockImport<Block, FullClient, FinalityLayer, Inherents, FullSelectChain>;

/// Blocks between two GRANDPA justifications that are kept, and that are imported when offered.
/// Fewer make light clients and warp sync coarser, more fill the database.
const JUSTIFICATION_PERIOD: u32 = 512;

/// What a block meets after BABE's checks: GRANDPA's tracking of authority sets, or, on the chain
/// of one node that finalises by itself, the database. GRANDPA's would wait there for votes that
/// nobody casts, and its list of pending authority sets would only grow.
#[derive(Clone)]
// One value in a process.
#[allow(clippy::large_enum_variant)]
pub enum FinalityLayer {
	/// Blocks become final by GRANDPA's votes.
	Voted(GrandpaBlockImport),
	/// Blocks are final as soon as their author says so.
	Instant(Arc<FullClient>),
}

#[async_trait::async_trait]
impl BlockImport<Block> for FinalityLayer {
	type Error = sp_consensus::Error;

	async fn check_block(
		&self,
		block: BlockCheckParams<Block>,
	) -> Result<ImportResult, Self::Error> {
		match self {
			Self::Voted(grandpa) => grandpa.check_block(block).await,
			Self::Instant(client) => client.check_block(block).await,
		}
	}

	async fn import_block(
		&self,
		block: BlockImportParams<Block>,
	) -> Result<ImportResult, Self::Error> {
		match self {
			Self::Voted(grandpa) => grandpa.import_block(block).await,
			Self::Instant(client) => client.import_block(block).await,
		}
	}
}

/// What an author of blocks needs, on either kind of chain.
struct Authoring {
	client: Arc<FullClient>,
	pool: Arc<FullPool>,
	select_chain: FullSelectChain,
	block_import: FullBlockImport,
	babe_link: BabeLink<Block>,
	inherents: Inherents,
	keystore: KeystorePtr,
	registry: Option<Registry>,
	telemetry: Option<TelemetryHandle>,
}

impl Authoring {
	/// What fills a block from the pool.
	fn proposer(&self, tasks: &TaskManager) -> ProposerFactory<FullPool, FullClient> {
		ProposerFactory::new(
			tasks.spawn_handle(),
			self.client.clone(),
			self.pool.clone(),
			self.registry.as_ref(),
			self.telemetry.clone(),
		)
	}
}

/// Starts the node. It stops when the returned tasks are dropped, or when an essential one fails.
///
/// `dev_idle` is how long a development chain waits before it makes an empty block; other chains
/// refuse it. Errors when the configuration asks for what this node cannot do, and when the
/// database, the network or the RPC servers cannot be opened.
pub fn start(
	mut config: Configuration,
	dev_idle: Option<Duration>,
) -> Result<TaskManager, ServiceError> {
	check(&config, dev_idle)?;
	let development = chain_spec::is_development(config.chain_spec.as_ref());

	let (partial, mut tasks) = new_partial(&mut config)?;
	let Partial {
		client,
		backend,
		import_queue,
		keystore,
		select_chain,
		pool,
		block_import,
		babe_link,
		babe_worker,
		grandpa_link,
		inherents,
		mut telemetry,
	} = partial;

	let registry = config.prometheus_registry().cloned();
	let metrics =
		<Litep2pNetworkBackend as NetworkBackend<Block, Hash>>::register_notification_metrics(
			registry.as_ref(),
		);
	let mut net_config = FullNetworkConfiguration::<Block, Hash, Litep2pNetworkBackend>::new(
		&config.network,
		registry.clone(),
	);
	let voting = (!development).then(|| {
		live::register_protocol(
			&mut net_config,
			metrics.clone(),
			sc_consensus_grandpa::protocol_standard_name(
				&client.chain_info().genesis_hash,
				&config.chain_spec,
			),
		)
	});
	let warp_sync = warp_proof::NetworkProvider::new(
		backend.clone(),
		grandpa_link.shared_authority_set().clone(),
		Vec::new(),
	);

	let (network, system_rpc_tx, tx_handler_controller, sync_service, _bitswap) =
		sc_service::build_network(BuildNetworkParams {
			config: &config,
			net_config,
			client: client.clone(),
			transaction_pool: pool.clone(),
			spawn_handle: tasks.spawn_handle(),
			spawn_essential_handle: tasks.spawn_essential_handle(),
			import_queue,
			block_announce_validator_builder: None,
			warp_sync_config: Some(WarpSyncConfig::WithProvider(Arc::new(warp_sync))),
			block_relay: None,
			metrics,
			gap_sync_body_policy: None,
		})?;

	if config.offchain_worker.enabled {
		let workers = OffchainWorkers::new(OffchainWorkerOptions {
			runtime_api_provider: client.clone(),
			keystore: Some(keystore.clone()),
			offchain_db: backend.offchain_storage(),
			transaction_pool: Some(OffchainTransactionPoolFactory::new(pool.clone())),
			network_provider: Arc::new(network.clone()),
			is_validator: config.role.is_authority(),
			// Nothing in the runtime asks the network for anything.
			enable_http_requests: false,
			custom_extensions: |_| Vec::new(),
		})?;
		tasks.spawn_handle().spawn(
			"offchain-workers-runner",
			Some("offchain-worker"),
			workers.run(client.clone(), tasks.spawn_handle()).boxed(),
		);
	}

	// Proofs of old leaves need nodes that no fork can overwrite: this moves them there.
	tasks.spawn_essential_handle().spawn_blocking(
		"mmr-gadget",
		None,
		mmr_gadget::MmrGadget::<Block, FullBackend, FullClient>::start(
			client.clone(),
			backend.clone(),
			sp_mmr_primitives::INDEXING_PREFIX.to_vec(),
		),
	);

	let record_index = open_record_index(&config)?;
	tasks.spawn_handle().spawn_blocking(
		"record-index",
		Some("aria"),
		aria_rpc::run_indexer::<Block, FullClient, FullBackend>(
			client.clone(),
			backend.clone(),
			record_index.clone(),
		),
	);

	let voter_state = SharedVoterState::empty();
	let rpc_deps = rpc::Deps {
		client: client.clone(),
		backend: backend.clone(),
		pool: pool.clone(),
		select_chain: select_chain.clone(),
		chain_spec: config.chain_spec.cloned_box(),
		keystore: keystore.clone(),
		babe_worker,
		grandpa: rpc::GrandpaDeps {
			authority_set: grandpa_link.shared_authority_set().clone(),
			voter_state: voter_state.clone(),
			justifications: grandpa_link.justification_stream(),
			finality_proofs: FinalityProofProvider::new_for_service(
				backend.clone(),
				Some(grandpa_link.shared_authority_set().clone()),
			),
		},
		record_index,
	};

	let role = config.role;
	let force_authoring = config.force_authoring;
	let node_name = config.network.node_name.clone();
	let votes = !config.disable_grandpa;

	if development {
		dev::insert_keys(&client, &keystore)?;
	}

	sc_service::spawn_tasks(SpawnTasksParams {
		config,
		client: client.clone(),
		backend,
		task_manager: &mut tasks,
		keystore: keystore.clone(),
		transaction_pool: pool.clone(),
		rpc_builder: Box::new(move |executor: SubscriptionTaskExecutor| {
			rpc::create(&rpc_deps, executor).map_err(ServiceError::Application)
		}),
		network: network.clone(),
		system_rpc_tx,
		tx_handler_controller,
		sync_service: sync_service.clone(),
		telemetry: telemetry.as_mut(),
		tracing_execute_block: None,
	})?;

	let telemetry = telemetry.as_ref().map(|telemetry| telemetry.handle());
	let authoring = Authoring {
		client,
		pool: pool.clone(),
		select_chain,
		block_import,
		babe_link,
		inherents,
		keystore: keystore.clone(),
		registry: registry.clone(),
		telemetry: telemetry.clone(),
	};

	let Some(protocol) = voting else {
		dev::seal(&tasks, authoring, dev_idle.unwrap_or(dev::DEFAULT_IDLE));
		return Ok(tasks);
	};

	if role.is_authority() {
		live::author(&tasks, authoring, sync_service.clone(), force_authoring)?;
	}
	if votes {
		live::vote(
			&tasks,
			live::Voting {
				protocol,
				link: grandpa_link,
				role,
				node_name,
				keystore,
				network,
				sync: sync_service,
				pool,
				voter_state,
				registry,
				telemetry,
			},
		)?;
	}

	Ok(tasks)
}

/// Refuses what this node cannot do, before anything is opened.
fn check(config: &Configuration, dev_idle: Option<Duration>) -> Result<(), ServiceError> {
	let development = chain_spec::is_development(config.chain_spec.as_ref());

	if !matches!(config.network.network_backend, NetworkBackendType::Litep2p) {
		return Err("this node speaks litep2p only: leave --network-backend away".into());
	}
	if development && !config.role.is_authority() {
		return Err("a development chain has one node, which makes its blocks: \
			start it with --dev, or use --chain local for a chain of several nodes"
			.into());
	}
	if !development && dev_idle.is_some() {
		return Err(
			"--dev-idle-block-ms is for development chains: leave it away, or add --dev".into()
		);
	}
	Ok(())
}

/// Opens the index of records beside the database, so that `purge-chain` takes both away and a
/// temporary node leaves nothing behind. In memory if the database has no place on disk.
fn open_record_index(config: &Configuration) -> Result<Arc<RecordIndex>, ServiceError> {
	let path = config.database.path().and_then(Path::parent).map(|dir| dir.join("record-index"));

	RecordIndex::open(path.as_deref()).map_err(|error| {
		let place = path.map_or("in memory".into(), |path| format!("at {}", path.display()));
		ServiceError::Other(format!(
			"the index of records {place} cannot be opened: {error}. \
			 It can be deleted while the node is stopped: it is filled again from the chain."
		))
	})
}
