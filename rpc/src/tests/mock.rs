//! A chain that is made up of a few lists.

#![allow(clippy::unwrap_used)]

use crate::{
	chain::{Ancestry, Chain, ChainError, Finality, StoredRecord},
	index::RecordIndex,
	methods::Methods,
};
use aria_primitives::{
	consent::{Consent, ConsentVersion, RewardMode, RewardPreference, Schedule, TaskType},
	record::{
		Anchor, EnergySource, FinishReason, LayerRange, RecordBody, RecordEntry, Stage,
		RECORD_VERSION,
	},
	traits::ModelInfo,
	views::{AuditStatus, NetworkStats, RewardExplanation, Trace, TracedNode},
	AccountId, BlockNumber, EraIndex, OutputHash, QueryHash, RecordId, ARIA,
};
use codec::Encode;
use futures::{
	channel::mpsc::{unbounded, UnboundedSender},
	future::BoxFuture,
	stream::{BoxStream, StreamExt},
};
use jsonrpsee::RpcModule;
use parking_lot::Mutex;
use serde_json::{json, Value};
use sp_core::{traits::SpawnNamed, H256};
use std::{collections::BTreeMap, sync::Arc};

/// Runs subscriptions on the test's runtime.
#[derive(Clone)]
struct Tokio;

impl SpawnNamed for Tokio {
	fn spawn_blocking(
		&self,
		_: &'static str,
		_: Option<&'static str>,
		future: BoxFuture<'static, ()>,
	) {
		tokio::spawn(future);
	}

	fn spawn(&self, _: &'static str, _: Option<&'static str>, future: BoxFuture<'static, ()>) {
		tokio::spawn(future);
	}
}

/// A block, and whether its state is there.
#[derive(Clone)]
pub(crate) struct MockBlock {
	pub hash: H256,
	pub records: Vec<(RecordId, RecordEntry)>,
	pub state: bool,
}

#[derive(Default)]
struct State {
	blocks: Vec<MockBlock>,
	finalized: BlockNumber,
	listeners: Vec<UnboundedSender<BlockNumber>>,
	/// What every read of a state fails with.
	failure: Option<String>,
	/// Whether the ids in state can be gone through.
	readable: bool,
	/// Records that have left the state, and in which block.
	left: BTreeMap<RecordId, BlockNumber>,
	/// The first block all of whose records are in state.
	since: BlockNumber,
	reads: usize,
}

/// The chain. Clones are the same one.
#[derive(Clone)]
pub(crate) struct MockChain(Arc<Mutex<State>>);

impl MockChain {
	/// A chain with a genesis block, which is final.
	pub fn new() -> Self {
		let chain = Self(Arc::new(Mutex::new(State { readable: true, ..State::default() })));
		chain.add(Vec::new());
		chain
	}

	/// Adds a block with these records; returns its hash.
	pub fn add(&self, records: Vec<(RecordId, RecordEntry)>) -> H256 {
		let mut state = self.0.lock();
		let number = state.blocks.len() as u64;
		let hash = H256::from_low_u64_be(0xb10c_0000 + number);
		state.blocks.push(MockBlock { hash, records, state: true });
		hash
	}

	/// Adds a block with one record of model 1 and node 1, whose id repeats a byte.
	pub fn add_record(&self, id: u8) -> H256 {
		let number = self.0.lock().blocks.len() as BlockNumber;
		self.add(vec![(RecordId::repeat_byte(id), entry(number, 1, &[1]))])
	}

	/// Makes every block final and says so.
	pub fn finalize(&self) {
		let mut state = self.0.lock();
		state.finalized = state.blocks.len() as BlockNumber - 1;
		let finalized = state.finalized;
		state.listeners.retain(|listener| listener.unbounded_send(finalized).is_ok());
	}

	/// Discards the states of the blocks below this one.
	pub fn prune(&self, below: BlockNumber) {
		for block in self.0.lock().blocks.iter_mut().take(below as usize) {
			block.state = false;
		}
	}

	/// The record leaves the state in this block.
	pub fn leave(&self, id: u8, block: BlockNumber) {
		self.0.lock().left.insert(RecordId::repeat_byte(id), block);
	}

	/// Records of blocks before this one have left the state.
	pub fn since(&self, block: BlockNumber) {
		self.0.lock().since = block;
	}

	/// Replaces a block by another one.
	pub fn replace(&self, number: BlockNumber, records: Vec<(RecordId, RecordEntry)>) {
		let mut state = self.0.lock();
		let block = &mut state.blocks[number as usize];
		block.hash = H256::from_low_u64_be(0xf0_0000 + u64::from(number));
		block.records = records;
	}

	/// Every read of a state fails from now on, or none.
	pub fn fail(&self, failure: Option<&str>) {
		self.0.lock().failure = failure.map(Into::into);
	}

	/// The ids in state cannot be gone through.
	pub fn hide_ids(&self) {
		self.0.lock().readable = false;
	}

	/// How many states were read.
	pub fn reads(&self) -> usize {
		self.0.lock().reads
	}

	/// The records in the state of a block.
	fn state(&self, at: H256) -> Result<Vec<(RecordId, RecordEntry)>, ChainError> {
		let mut state = self.0.lock();
		state.reads += 1;
		if let Some(failure) = &state.failure {
			return Err(ChainError::Failed(failure.clone()));
		}
		let number = state.blocks.iter().position(|block| block.hash == at);
		let number = number.filter(|number| state.blocks[*number].state);
		let number = number.ok_or(ChainError::NoState)?;
		let has_left =
			|id: &RecordId| state.left.get(id).is_some_and(|block| *block as usize <= number);
		let mut records: Vec<_> = state.blocks[..=number]
			.iter()
			.flat_map(|block| block.records.clone())
			.filter(|(id, _)| !has_left(id))
			.collect();
		records.sort_by_key(|(id, _)| *id);
		Ok(records)
	}

	fn ids_where(
		&self,
		at: H256,
		after: Option<RecordId>,
		limit: usize,
		wanted: impl Fn(&RecordEntry) -> bool,
	) -> Result<Vec<RecordId>, ChainError> {
		let records = self.state(at)?;
		let ids = records
			.into_iter()
			.filter(|(id, record)| after.is_none_or(|after| *id > after) && wanted(record))
			.map(|(id, _)| id);
		Ok(ids.take(limit).collect())
	}
}

impl Chain for MockChain {
	fn genesis(&self) -> H256 {
		self.0.lock().blocks[0].hash
	}

	fn best(&self) -> H256 {
		self.0.lock().blocks.last().unwrap().hash
	}

	fn finalized(&self) -> (BlockNumber, H256) {
		let state = self.0.lock();
		(state.finalized, state.blocks[state.finalized as usize].hash)
	}

	fn hash(&self, number: BlockNumber) -> Result<Option<H256>, ChainError> {
		Ok(self.0.lock().blocks.get(number as usize).map(|block| block.hash))
	}

	fn number(&self, hash: H256) -> Result<Option<BlockNumber>, ChainError> {
		let state = self.0.lock();
		let number = state.blocks.iter().position(|block| block.hash == hash);
		Ok(number.map(|number| number as BlockNumber))
	}

	fn finality(&self) -> BoxStream<'static, Finality> {
		let (sender, receiver) = unbounded();
		self.0.lock().listeners.push(sender);
		receiver.map(|number| Finality { number, hold: Box::new(()) }).boxed()
	}

	fn record(&self, at: H256, id: RecordId) -> Result<Option<RecordEntry>, ChainError> {
		let found = self.state(at)?.into_iter().find(|(other, _)| *other == id);
		Ok(found.map(|(_, record)| record))
	}

	fn block_records(&self, at: H256) -> Result<Vec<RecordId>, ChainError> {
		self.state(at)?;
		let state = self.0.lock();
		let block = state.blocks.iter().find(|block| block.hash == at).unwrap();
		Ok(block.records.iter().map(|(id, _)| *id).collect())
	}

	fn records_since(&self, at: H256) -> Result<BlockNumber, ChainError> {
		self.state(at)?;
		Ok(self.0.lock().since)
	}

	fn ancestry(&self, at: H256, block: BlockNumber) -> Result<Ancestry, ChainError> {
		self.state(at)?;
		let until = self.number(at)?.unwrap();
		Ok(Ancestry {
			leaf: (block, self.hash(block)?.unwrap()).encode(),
			leaf_index: block.into(),
			leaf_count: until.into(),
			items: vec![H256::repeat_byte(0x77)],
		})
	}

	fn stored_ids(
		&self,
		at: H256,
		after: Option<RecordId>,
		limit: usize,
	) -> Result<Option<Vec<RecordId>>, ChainError> {
		// Few at a time, so that more than one step is needed.
		let ids = self.ids_where(at, after, limit.min(2), |_| true)?;
		Ok(Some(ids).filter(|_| self.0.lock().readable))
	}

	fn records_by_output(
		&self,
		at: H256,
		hash: OutputHash,
		after: Option<RecordId>,
		limit: u32,
	) -> Result<Vec<RecordId>, ChainError> {
		self.ids_where(at, after, limit as usize, |record| record.body.output_hash == hash)
	}

	fn records_by_query(
		&self,
		at: H256,
		hash: QueryHash,
		after: Option<RecordId>,
		limit: u32,
	) -> Result<Vec<RecordId>, ChainError> {
		self.ids_where(at, after, limit as usize, |record| record.body.query_hash == hash)
	}

	fn trace(&self, at: H256, id: RecordId) -> Result<Option<Trace>, ChainError> {
		Ok(self.record(at, id)?.map(|record| trace(id, record)))
	}

	fn stored_record(&self, at: H256, id: RecordId) -> Result<Option<StoredRecord>, ChainError> {
		Ok(self.record(at, id)?.map(|record| StoredRecord {
			key: [b"key".as_slice(), id.as_bytes()].concat(),
			value: record.encode(),
			proof: vec![b"root".to_vec(), b"leaf".to_vec()],
		}))
	}

	fn consent(
		&self,
		at: H256,
		worker: AccountId,
		version: Option<u32>,
	) -> Result<Option<ConsentVersion>, ChainError> {
		self.state(at)?;
		let known = worker == node(1) && version.is_none_or(|version| version == 3);
		Ok(known.then(consent))
	}

	fn current_era(&self, at: H256) -> Result<EraIndex, ChainError> {
		self.state(at)?;
		Ok(7)
	}

	fn explain(
		&self,
		at: H256,
		era: EraIndex,
		worker: AccountId,
	) -> Result<Option<RewardExplanation>, ChainError> {
		self.state(at)?;
		Ok((worker == node(1) && era == 7).then(reward))
	}

	fn network_stats(&self, at: H256) -> Result<NetworkStats, ChainError> {
		self.state(at)?;
		Ok(stats())
	}
}

/// The methods over a chain.
pub(crate) fn methods(chain: &MockChain, index: &Arc<RecordIndex>) -> RpcModule<()> {
	Methods::new(Arc::new(chain.clone()), index.clone(), Arc::new(Tokio)).into_module().unwrap()
}

/// Calls a method; its result, or its error.
pub(crate) async fn call(
	module: &RpcModule<()>,
	method: &str,
	params: Value,
) -> Result<Value, Value> {
	let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
	let (answer, _) = module.raw_json_request(&request.to_string(), 16).await.unwrap();
	let mut answer: Value = serde_json::from_str(&answer).unwrap();
	match answer.get_mut("error") {
		Some(error) => Err(error.take()),
		None => Ok(answer["result"].take()),
	}
}

/// A worker.
pub(crate) fn node(seed: u8) -> AccountId {
	AccountId::new([seed; 32])
}

/// A record that block `number` settled: a model, and one stage for each node, of which all but the
/// last signed.
pub(crate) fn entry(number: BlockNumber, model: u8, nodes: &[u8]) -> RecordEntry {
	let stages: Vec<_> = (0u16..)
		.zip(nodes)
		.map(|(index, seed)| Stage {
			node: node(*seed),
			layers: LayerRange { first: index * 15, end: index * 15 + 15 },
			energy_mj: 5_000_000_000,
			energy_source: if index == 0 { EnergySource::Rapl } else { EnergySource::Estimate },
			consent_version: 3,
		})
		.collect();
	let boundaries = (0..=nodes.len()).map(|index| H256::repeat_byte(0xb0 + index as u8));
	let body = RecordBody {
		version: RECORD_VERSION,
		model_id: H256::repeat_byte(model),
		query_hash: H256::repeat_byte(0x22),
		output_hash: H256::repeat_byte(0x33),
		output_tokens_hash: H256::repeat_byte(0x44),
		finish_reason: FinishReason::Stop,
		prompt_tokens: 40,
		cached_tokens: 8,
		output_tokens: 12,
		energy_mj: 5_000_000_000 * nodes.len() as u64,
		boundaries: boundaries.collect::<Vec<_>>().try_into().unwrap(),
		stages: stages.try_into().unwrap(),
		latency_ms: 1_500,
		timestamp: 1_767_225_600_000,
		anchor: Anchor { number: number.saturating_sub(1), hash: H256::repeat_byte(0x55) },
		ticket_hash: H256::repeat_byte(0x66),
	};
	RecordEntry {
		body,
		signed_stages: (1 << (nodes.len() - 1)) - 1,
		requester: node(0x77),
		gateway: node(0x88),
		price: 3 * ARIA,
		settled_at: number,
		epoch: 5,
		era: 7,
		auditable: true,
	}
}

/// A consent of version 3.
pub(crate) fn consent() -> ConsentVersion {
	ConsentVersion {
		version: 3,
		consent: Consent {
			cpu_percent: 25,
			schedule: Schedule::always(),
			task_types: vec![TaskType::TextGeneration, TaskType::Audit].try_into().unwrap(),
			max_bandwidth_mbps: 50,
			max_memory_mb: 4_096,
			reward_preference: RewardPreference {
				payout: node(2),
				minimum_price: 1_000,
				mode: RewardMode::Keep,
			},
		},
		set_at: 4,
		superseded_at: None,
	}
}

/// A trace of a record; its first node has the consent, the others have nothing any more.
pub(crate) fn trace(id: RecordId, record: RecordEntry) -> Trace {
	let nodes = record.body.stages.iter().enumerate();
	let nodes = nodes.map(|(index, stage)| TracedNode {
		node: stage.node.clone(),
		peer: (index == 0).then_some([0x99; 32]),
		consent: (index == 0).then(consent),
		reputation: 900_000,
	});
	Trace {
		id,
		nodes: nodes.collect(),
		model: Some(ModelInfo {
			layers: 30,
			active_parameters: 2_412_820_480,
			context: 4_096,
			task_type: TaskType::TextGeneration,
		}),
		aliases: vec![b"aria-2b-1bit".to_vec()],
		pinned: true,
		audit: AuditStatus::Pending { draw_epoch: 7 },
		record,
	}
}

/// A reward of node 1 in era 7.
pub(crate) fn reward() -> RewardExplanation {
	RewardExplanation {
		era: 7,
		worker: node(1),
		settled: false,
		era_start: 100,
		era_end: None,
		pool: 50 * ARIA,
		work: 1_000_000,
		records: 9,
		uptime_ppm: 1_000_000,
		latency_ppm: 900_000,
		audit_ppm: 1_000_000,
		quality_ppm: 966_666,
		energy_mj: 45_000,
		expected_energy_mj: 40_000,
		efficiency_ceiling_ppm: 1_100_000,
		efficiency_ppm: 888_888,
		weighted: 859_258,
		total_weighted: 4_000_000,
		by_rate: 10 * ARIA,
		burnt: 2 * ARIA,
		burn_bound: 18 * ARIA / 10,
		payout: 18 * ARIA / 10,
		payout_account: node(2),
	}
}

/// Sums of which a quarter of the energy and half of the tokens were measured.
pub(crate) fn stats() -> NetworkStats {
	NetworkStats {
		inferences: 4,
		prompt_tokens: 400,
		output_tokens: 200,
		measured_mj: 100_000,
		estimated_mj: 300_000,
		measured_output_tokens: 100,
	}
}
