//! A chain of one client over parity-db in a temporary folder, with the real runtime in wasm: the
//! development preset, blocks that the block builder fills, execution and import with a stopwatch.

use crate::draft::{Built, Draft, Nonces};
use anyhow::{anyhow, bail, Context, Result};
use aria_primitives::{record::Anchor, BlockNumber, Moment};
use aria_runtime::{genesis::EPOCH_SLOTS, RuntimeApi, RuntimeCall, UncheckedExtrinsic};
use codec::{Decode, Encode};
use futures::executor::block_on;
use sc_block_builder::{BlockBuilder, BlockBuilderBuilder};
use sc_chain_spec::{GenesisConfigBuilderRuntimeCaller, DEV_RUNTIME_PRESET};
use sc_client_api::{execution_extensions::ExecutionExtensions, StorageProvider};
use sc_client_db::{BlocksPruning, DatabaseSettings, DatabaseSource, PruningMode};
use sc_consensus::{
	BlockImport, BlockImportParams, ForkChoiceStrategy, ImportResult, StateAction, StorageChanges,
};
use sc_executor::WasmExecutor;
use sc_service::{ClientConfig, GenesisBlockBuilder, TFullClient};
use sp_api::{ApiExt, Core, ProvideRuntimeApi};
use sp_blockchain::HeaderBackend;
use sp_consensus::BlockOrigin;
use sp_consensus_babe::{
	digests::{PreDigest, SecondaryPlainPreDigest},
	BABE_ENGINE_ID,
};
use sp_core::{
	storage::{well_known_keys::CODE, StorageKey},
	testing::TaskExecutor,
	traits::CallContext,
	H256,
};
use sp_runtime::{
	traits::{Block as _, Header as _},
	Digest, DigestItem,
};
use std::{
	path::Path,
	sync::Arc,
	time::{Duration, Instant},
};
use tempfile::TempDir;

pub use aria_runtime::opaque::Block;

type Executor = WasmExecutor<sp_io::SubstrateHostFunctions>;
/// What builds, executes and imports.
pub type Client = TFullClient<Block, RuntimeApi, Executor>;

/// The time of the slot before the first block: 15 June 2025, 15:00 UTC.
const START_MILLIS: Moment = 1_749_999_600_000;
/// The length of a slot in the development preset, in milliseconds.
const SLOT_MILLIS: Moment = aria_runtime::genesis::DEV_SLOT_MILLIS;
/// Cache of the state, in bytes, and blocks whose state is kept: the defaults of a node.
const CACHE_BYTES: usize = 1024 * 1024 * 1024;
const KEPT_STATES: u32 = 256;

/// Where the next block stands.
#[derive(Clone, Copy, Debug)]
pub struct Site {
	/// The hash of block 0.
	pub genesis: H256,
	/// The block before it.
	pub parent: Anchor,
	/// Its number.
	pub number: BlockNumber,
	/// Its time, in milliseconds since the Unix epoch.
	pub time: Moment,
}

/// A chain whose blocks are all final.
pub struct Chain {
	// Closed before its folder is removed, because fields are dropped in order.
	client: Client,
	_folder: TempDir,
	genesis: H256,
	head: Anchor,
	nonces: Nonces,
	/// All blocks but the first.
	blocks: Vec<Block>,
	/// Slots that were left empty.
	skipped: u64,
}

impl Chain {
	/// A new chain in a folder of its own below `place`.
	pub fn new(place: &Path) -> Result<Self> {
		let folder =
			tempfile::Builder::new().prefix("aria-throughput-").tempdir_in(place).with_context(
				|| format!("{} takes no new folder: name another with --place", place.display()),
			)?;
		let client = open(folder.path())?;
		let genesis = client.info().genesis_hash;
		Ok(Self {
			client,
			_folder: folder,
			genesis,
			head: Anchor { number: 0, hash: genesis },
			nonces: Nonces::default(),
			blocks: Vec::new(),
			skipped: 0,
		})
	}

	/// Where the next block stands.
	pub fn site(&self) -> Site {
		let number = self.head.number.saturating_add(1);
		let time = time_of(number) + self.skipped * SLOT_MILLIS;
		Site { genesis: self.genesis, parent: self.head, number, time }
	}

	/// Leaves an epoch's slots empty, so that the next block lies in the epoch after this one.
	pub fn skip_epoch(&mut self) {
		self.skipped = self.skipped.saturating_add(EPOCH_SLOTS);
	}

	/// What the state of the last block has under a key.
	pub fn value<V: Decode>(&self, key: Vec<u8>) -> Result<Option<V>> {
		let value = self
			.client
			.storage(self.head.hash, &StorageKey(key))
			.context("the state cannot be read")?;
		value
			.map(|value| V::decode(&mut value.0.as_slice()).context("a value is not understood"))
			.transpose()
	}

	/// All blocks that were imported.
	pub fn blocks(&self) -> &[Block] {
		&self.blocks
	}

	/// The next block, empty but for its time.
	pub fn draft(&self) -> Result<Draft<'_>> {
		let site = self.site();
		let slot = site.time / SLOT_MILLIS;
		let claim = PreDigest::SecondaryPlain(SecondaryPlainPreDigest {
			authority_index: 0,
			slot: slot.into(),
		});
		let digest = Digest { logs: vec![DigestItem::PreRuntime(BABE_ENGINE_ID, claim.encode())] };
		let mut builder: BlockBuilder<'_, Block, Client> = BlockBuilderBuilder::new(&self.client)
			.on_parent_block(site.parent.hash)
			.with_parent_block_number(site.parent.number)
			.with_inherent_digests(digest)
			.build()
			.context("a block cannot be begun")?;
		let set_time = RuntimeCall::Timestamp(pallet_timestamp::Call::set { now: site.time });
		builder
			.push(UncheckedExtrinsic::new_bare(set_time).into())
			.context("a block does not take its time")?;
		Ok(Draft::new(builder, self.genesis, self.nonces.clone()))
	}

	/// Appends a block that was drafted here, with the state that came of it.
	pub fn append(&mut self, built: Built) -> Result<()> {
		let changes = StateAction::ApplyChanges(StorageChanges::Changes(built.changes));
		self.import_with(built.block, BlockOrigin::Own, changes)?;
		self.nonces = built.nonces;
		Ok(())
	}

	/// Imports a block of another chain with the same genesis: executes it, and writes it and its
	/// state. Consensus is left out, which is two signatures a block.
	pub fn import(&mut self, block: Block) -> Result<()> {
		self.import_with(block, BlockOrigin::NetworkBroadcast, StateAction::Execute)
	}

	/// How long the next block takes to execute, state root included. Writes nothing.
	pub fn execute(&self, block: &Block) -> Result<Duration> {
		let parent = *block.header().parent_hash();
		let block = block.clone();
		let mut api = self.client.runtime_api();
		api.set_call_context(CallContext::Onchain { import: true });
		let start = Instant::now();
		api.execute_block(parent, block.into()).context("a block does not execute")?;
		Ok(start.elapsed())
	}

	/// Waits until the database has written everything.
	pub fn close(self) {
		let Self { client, _folder, .. } = self;
		drop(client);
	}

	fn import_with(
		&mut self,
		block: Block,
		origin: BlockOrigin,
		action: StateAction<Block>,
	) -> Result<()> {
		let (number, hash) = (*block.header().number(), block.hash());
		let (header, body) = block.clone().deconstruct();
		let mut params = BlockImportParams::new(origin, header);
		params.body = Some(body);
		params.state_action = action;
		params.fork_choice = Some(ForkChoiceStrategy::LongestChain);
		params.finalized = true;
		match block_on(self.client.import_block(params)) {
			Ok(ImportResult::Imported(_)) => {
				self.head = Anchor { number, hash };
				self.blocks.push(block);
				Ok(())
			}
			Ok(other) => bail!("block {number} is not imported: {other:?}"),
			Err(error) => Err(anyhow!("block {number} is not imported: {error}")),
		}
	}
}

/// When the block with this number is made if no slot is left empty, one slot after its parent.
fn time_of(number: BlockNumber) -> Moment {
	START_MILLIS + Moment::from(number) * SLOT_MILLIS
}

fn open(folder: &Path) -> Result<Client> {
	let wasm = aria_runtime::WASM_BINARY.context(
		"this program carries no runtime, because it was built with SKIP_WASM_BUILD set: build it \
		 again without",
	)?;
	let mut storage = GenesisConfigBuilderRuntimeCaller::<()>::new(wasm)
		.get_storage_for_named_preset(Some(&DEV_RUNTIME_PRESET.to_string()))
		.map_err(|error| anyhow!("the runtime builds no genesis: {error}"))?;
	storage.top.insert(CODE.to_vec(), wasm.to_vec());

	let backend = sc_service::new_db_backend::<Block>(DatabaseSettings {
		trie_cache_maximum_size: Some(CACHE_BYTES),
		state_pruning: Some(PruningMode::blocks_pruning(KEPT_STATES)),
		source: DatabaseSource::ParityDb { path: folder.join("paritydb") },
		blocks_pruning: BlocksPruning::KeepFinalized,
		pruning_filters: Vec::new(),
		metrics_registry: None,
	})
	.context("no database can be made")?;
	let executor = Executor::builder().build();
	let genesis = GenesisBlockBuilder::<Block, _, _>::new_with_storage(
		storage,
		true,
		backend.clone(),
		executor.clone(),
	)
	.context("no genesis block can be made")?;
	let extensions = ExecutionExtensions::new(None, Arc::new(executor.clone()));
	sc_service::new_client::<_, Block, RuntimeApi, _>(
		backend,
		executor,
		genesis,
		None,
		None,
		extensions,
		Box::new(TaskExecutor::new()),
		None,
		None,
		// As the node does, for the nodes of the MMR.
		ClientConfig { offchain_indexing_api: true, ..Default::default() },
	)
	.context("no client can be made")
}
