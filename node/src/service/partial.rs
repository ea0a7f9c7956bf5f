//! The parts that every command needs: the database, the rules of consensus, the pool.

use super::{
	dev, live, FinalityLayer, FullBackend, FullBlockImport, FullClient, FullPool, FullSelectChain,
	GrandpaBlockImport, GrandpaLink, Inherents, JUSTIFICATION_PERIOD,
};
use crate::chain_spec;
use aria_runtime::{opaque::Block, RuntimeApi};
use sc_consensus::{BoxJustificationImport, DefaultImportQueue};
use sc_consensus_babe::{BabeLink, BabeWorkerHandle, ImportQueueParams};
use sc_consensus_grandpa::GrandpaPruningFilter;
use sc_service::{Configuration, Error as ServiceError, TaskManager};
use sc_telemetry::{Telemetry, TelemetryWorker};
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_keystore::KeystorePtr;
use std::sync::Arc;

/// A node that is built and does nothing yet.
pub struct Partial {
	pub client: Arc<FullClient>,
	pub backend: Arc<FullBackend>,
	pub import_queue: DefaultImportQueue<Block>,
	pub keystore: KeystorePtr,
	pub select_chain: FullSelectChain,
	pub pool: Arc<FullPool>,
	pub block_import: FullBlockImport,
	pub babe_link: BabeLink<Block>,
	pub babe_worker: BabeWorkerHandle<Block>,
	pub grandpa_link: GrandpaLink,
	pub inherents: Inherents,
	pub telemetry: Option<Telemetry>,
}

/// Opens the database (and makes the genesis block where there is none) and builds what imports
/// blocks into it. The tasks have to be kept as long as the parts are used.
///
/// Offchain indexing is switched on, whatever the command line says: without it blocks are imported
/// whose MMR nodes are lost, and no proof could be made of their records.
pub fn new_partial(config: &mut Configuration) -> Result<(Partial, TaskManager), ServiceError> {
	config.offchain_worker.indexing_enabled = true;
	let development = chain_spec::is_development(config.chain_spec.as_ref());

	let telemetry = config
		.telemetry_endpoints
		.clone()
		.filter(|endpoints| !endpoints.is_empty())
		.map(|endpoints| -> Result<_, sc_telemetry::Error> {
			let worker = TelemetryWorker::new(16)?;
			let telemetry = worker.handle().new_telemetry(endpoints);
			Ok((worker, telemetry))
		})
		.transpose()?;
	let telemetry_handle = telemetry.as_ref().map(|(_, telemetry)| telemetry.handle());

	let executor = sc_service::new_wasm_executor::<sp_io::SubstrateHostFunctions>(&config.executor);
	let (client, backend, keystore_container, tasks) =
		sc_service::new_full_parts::<Block, RuntimeApi, _>(
			config,
			telemetry_handle.clone(),
			executor,
			// Warp sync is served from blocks with justifications, so pruning spares them.
			vec![Arc::new(GrandpaPruningFilter)],
		)?;
	let client = Arc::new(client);

	let telemetry = telemetry.map(|(worker, telemetry)| {
		tasks.spawn_handle().spawn("telemetry", None, worker.run());
		telemetry
	});

	let select_chain = FullSelectChain::new(backend.clone());
	let pool = Arc::new(
		sc_transaction_pool::Builder::new(
			tasks.spawn_essential_handle(),
			client.clone(),
			config.role.is_authority().into(),
		)
		.with_options(config.transaction_pool.clone())
		.with_prometheus(config.prometheus_registry())
		.build(),
	);

	let (grandpa_import, grandpa_link): (GrandpaBlockImport, GrandpaLink) =
		sc_consensus_grandpa::block_import(
			client.clone(),
			JUSTIFICATION_PERIOD,
			&client,
			select_chain.clone(),
			telemetry_handle.clone(),
		)?;

	let babe_config = sc_consensus_babe::configuration(&*client)?;
	let slot_duration = babe_config.slot_duration();
	if slot_duration.as_millis() == 0 {
		return Err("the genesis of this chain has slots of 0 ms: give --chain another \
			specification, or delete this chain's database with purge-chain"
			.into());
	}

	let inherents = if development {
		dev::inherents(client.clone(), slot_duration)
	} else {
		live::inherents(slot_duration)
	};
	let (finality, justification_import) = if development {
		(FinalityLayer::Instant(client.clone()), None)
	} else {
		let justifications: BoxJustificationImport<Block> = Box::new(grandpa_import.clone());
		(FinalityLayer::Voted(grandpa_import), Some(justifications))
	};

	let (block_import, babe_link) = sc_consensus_babe::block_import(
		babe_config,
		finality,
		client.clone(),
		inherents.clone(),
		select_chain.clone(),
		OffchainTransactionPoolFactory::new(pool.clone()),
	)?;
	let (import_queue, babe_worker) = sc_consensus_babe::import_queue(ImportQueueParams {
		link: babe_link.clone(),
		block_import: block_import.clone(),
		justification_import,
		client: client.clone(),
		slot_duration,
		spawner: &tasks.spawn_essential_handle(),
		registry: config.prometheus_registry(),
		telemetry: telemetry_handle,
	})?;

	let partial = Partial {
		client,
		backend,
		import_queue,
		keystore: keystore_container.keystore(),
		select_chain,
		pool,
		block_import,
		babe_link,
		babe_worker,
		grandpa_link,
		inherents,
		telemetry,
	};
	Ok((partial, tasks))
}
