//! Workers that lie, and verifiers that find out.
//!
//! A lie is told by weights: a worker that has other ones than its model's computes something else and
//! stands for it, as one would whose owner changed its program. Its files lie where a worker keeps what
//! it has verified, so that it starts like any other.
//!
//! Not every test file uses all of it.
#![allow(dead_code)]

use aria_e2e::{
	client::{eventually, Client},
	cluster::{self, Cluster},
	keys,
	worker::{Options, Worker},
};
use aria_primitives::{
	audit::Verdict,
	record::{LayerRange, RecordEntry},
	views::{AuditStatus, Trace},
	AccountId, Balance, BlockNumber, EpochIndex, RecordId,
};
use aria_runtime::{Runtime, RuntimeCall};
use codec::{Decode, Encode};
use frame_support::{storage::storage_prefix, Blake2_128Concat, StorageHasher};
use jsonrpsee::rpc_params;
use serde_json::Value;
use sp_core::{
	bytes::{from_hex, to_hex},
	H256,
};
use std::{
	fs,
	path::{Path, PathBuf},
	time::Duration,
};

/// Bytes of a row of the shipped model's embedding: 256 of int8, and a scale.
const ROW: usize = 256 + 4;
/// Four weights of 0 in `Ternary2`.
const ZEROS: u8 = 0b0101_0101;
/// Bytes of a scale: a ternary tensor's behind its rows, an embedding's behind each of them.
const SCALE: usize = 4;
/// How long workers may take to be known as verifiers.
const JOINING: Duration = Duration::from_secs(60);

/// What verifiers have at stake, in ARIA: a canary would take half of it.
const STAKE: &str = "20";

/// How a worker lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
	/// Each token stands for its neighbour: where the embedding is, another one is worked on, where the
	/// head is, another one is drawn.
	Token,
	/// A layer is left out: it adds nothing.
	Layer,
	/// Weights of a layer are others.
	Weights,
	/// Tokens are drawn at a fifth of the temperature: the head's scales are five times theirs, and
	/// everything else is honest.
	Sampling,
	/// The feed-forward part of the last layer adds nothing: what a canary's maker does
	/// (`aria_engine::model::Session::cut_short`), and so what somebody finds right who has it of the maker.
	FeedForward,
}

/// The bytes of a tensor in a file of a package, and where they begin.
fn tensor<'a>(file: &'a mut [u8], name: &str) -> &'a mut [u8] {
	let (length, rest) = file.split_at_mut(8);
	let length = usize::try_from(u64::from_le_bytes(length.try_into().unwrap())).unwrap();
	let (header, data) = rest.split_at_mut(length);
	let header: Value = serde_json::from_slice(header).unwrap();
	let offset = |place: usize| {
		let offset = header[name]["data_offsets"][place].as_u64();
		usize::try_from(offset.unwrap_or_else(|| panic!("no tensor {name}"))).unwrap()
	};
	&mut data[offset(0)..offset(1)]
}

/// Changes one file of a package.
fn change(dir: &Path, file: &str, work: impl FnOnce(&mut [u8])) {
	let path = dir.join(file);
	let mut bytes = fs::read(&path).unwrap();
	work(&mut bytes);
	fs::write(&path, bytes).unwrap();
}

/// Where a worker keeps what it has verified of the model.
fn kept(worker: &Worker, cluster: &Cluster) -> PathBuf {
	let name = to_hex(cluster.model.as_bytes(), false);
	worker.base().join("models").join(name.trim_start_matches("0x"))
}

/// Makes a worker of the cluster lie from its next start on; `layers` are its own.
pub fn corrupt(cluster: &Cluster, worker: usize, layers: LayerRange, lie: Lie) {
	mislead(cluster, &cluster.workers[worker], layers, lie);
}

/// Gives a worker other weights of these layers from its next start on: as a stage it lies, and as a
/// verifier it finds that the others do.
pub fn mislead(cluster: &Cluster, worker: &Worker, layers: LayerRange, lie: Lie) {
	let dir = kept(worker, cluster);
	fs::create_dir_all(&dir).unwrap();
	for entry in fs::read_dir(&cluster.spec.package).unwrap() {
		let path = entry.unwrap().path();
		if path.is_file() {
			fs::copy(&path, dir.join(path.file_name().unwrap())).unwrap();
		}
	}
	let layer = layers.end - 1;
	let shard = format!("shard-{:03}.safetensors", layer / 2);
	match lie {
		Lie::Token => change(&dir, "common.safetensors", |file| {
			for pair in tensor(file, "token_embedding").chunks_exact_mut(2 * ROW) {
				let (one, other) = pair.split_at_mut(ROW);
				one.swap_with_slice(other);
			}
		}),
		Lie::Sampling => change(&dir, "common.safetensors", |file| {
			for row in tensor(file, "token_embedding").chunks_exact_mut(ROW) {
				let (_, scale) = row.split_at_mut(ROW - SCALE);
				let louder = f32::from_le_bytes(scale.try_into().unwrap()) * 5.0;
				scale.copy_from_slice(&louder.to_le_bytes());
			}
		}),
		Lie::Layer => change(&dir, &shard, |file| {
			for role in ["attention_output", "down"] {
				let bytes = tensor(file, &format!("layers.{layer}.{role}"));
				let weights = bytes.len() - SCALE;
				bytes[..weights].fill(ZEROS);
			}
		}),
		Lie::Weights => change(&dir, &shard, |file| {
			let bytes = tensor(file, &format!("layers.{layer}.up"));
			let weights = bytes.len() - SCALE;
			bytes[..weights].reverse();
		}),
		Lie::FeedForward => change(&dir, &shard, |file| {
			let bytes = tensor(file, &format!("layers.{layer}.down"));
			let weights = bytes.len() - SCALE;
			bytes[..weights].fill(ZEROS);
		}),
	}
}

/// Has it computed honestly again from its next start on.
pub fn mend(cluster: &Cluster, worker: usize) {
	fs::remove_dir_all(kept(&cluster.workers[worker], cluster)).unwrap();
}

/// The instruction sets that this machine has, each by its name.
pub fn kernels() -> Vec<&'static str> {
	aria_engine::kernels::available()
}

/// Workers behind those of the cluster that verify. They serve a layer that nobody plans with, so that
/// none is ever a party; they take turns in instruction sets.
pub async fn verifiers(cluster: &Cluster, count: usize) -> Vec<Worker> {
	verifiers_with(cluster, count, STAKE).await
}

/// The same with another stake, in ARIA.
pub async fn verifiers_with(cluster: &Cluster, count: usize, stake: &str) -> Vec<Worker> {
	let kernels = kernels();
	let first = cluster.workers.len();
	cluster::fund(&cluster.client, first + count).await.unwrap();
	let bootstrap = cluster.workers[0].address().await.unwrap();
	let mut workers = Vec::new();
	for index in first..first + count {
		let layers = LayerRange { first: 0, end: 1 };
		let (suri, spec) = (cluster::suri(index), &cluster.spec);
		let options = Options::worker(&suri, &spec.alias, layers, &spec.package)
			.arg("--audit")
			.arg("--stake")
			.arg(stake)
			.arg("--kernel")
			.arg(kernels[index % kernels.len()])
			.bootstrap(&bootstrap);
		workers.push(Worker::start(&cluster.node.url(), options).await.unwrap());
	}
	let prefix = storage_prefix(b"Verification", b"Verifiers");
	let known = || async {
		let keys = cluster.client.keys(&prefix, None).await?;
		Ok((keys.len() >= count).then_some(()))
	};
	if let Err(error) = eventually("the verifiers on chain", JOINING, known).await {
		panic!("{error:#}\n{}", workers[0].log_tail());
	}
	workers
}

/// What workers say of one record, and what they complain of besides.
pub fn said_of(id: RecordId, workers: &[Worker]) -> String {
	let id = format!("{id:?}");
	let tells =
		|line: &&str| line.contains(&id) || line.contains(" WARN ") && !line.contains("record=");
	let of = |worker: &Worker| {
		let log = worker.log_text();
		let lines: Vec<&str> = log.lines().filter(tells).collect();
		format!("{}:\n{}\n", worker.name(), lines.join("\n"))
	};
	workers.iter().map(of).collect()
}

/// Expects so many seats in an audit's first round.
pub async fn expect_seats(client: &Client, seats: u32) {
	use aria_runtime::dynamic::dynamic_params::audit::{FirstSeats, Parameters};
	set(client, Parameters::FirstSeats(FirstSeats, Some(seats))).await;
}

/// Has every record drawn, whatever the reputation of who made it.
pub async fn draw_all(client: &Client) {
	use aria_runtime::dynamic::dynamic_params::audit::{Floor, Parameters};
	set(client, Parameters::Floor(Floor, Some(aria_primitives::PPM))).await;
}

/// Expects a right to make a canary for each so many audits.
pub async fn expect_canaries(client: &Client, rate: u32) {
	use aria_runtime::dynamic::dynamic_params::audit::{CanaryRate, Parameters};
	set(client, Parameters::CanaryRate(CanaryRate, Some(rate))).await;
}

/// Sets a parameter of the audit game.
async fn set(client: &Client, value: aria_runtime::dynamic::dynamic_params::audit::Parameters) {
	let key_value = aria_runtime::dynamic::RuntimeParameters::Audit(value);
	let call = RuntimeCall::Parameters(pallet_parameters::Call::set_parameter { key_value });
	let sudo = RuntimeCall::Sudo(pallet_sudo::Call::sudo { call: Box::new(call) });
	client.submit(&keys::owner(), sudo).await.unwrap().success().unwrap();
}

/// `Verification.Verifiers`.
#[derive(Clone, Debug, Decode)]
pub struct Entry {
	/// The key of its lots.
	pub key: [u8; 32],
	/// What counts of its stake, in planck.
	pub weight: Balance,
	/// The first epoch whose rounds it may sit in.
	pub from: EpochIndex,
	/// Its seats in audits that have no verdict.
	pub seats: u32,
	/// Fees that are not paid, in planck.
	pub owed: Balance,
	/// Fees of the while before, in planck.
	pub ripening: Balance,
	/// The block from which on those are paid.
	pub ripe_at: BlockNumber,
	/// The last epoch whose right to make a canary was used.
	pub canary: Option<EpochIndex>,
}

/// A verifier, as the chain has it.
pub async fn verifier(client: &Client, account: &AccountId) -> Option<Entry> {
	let mut key = storage_prefix(b"Verification", b"Verifiers").to_vec();
	key.extend(Blake2_128Concat::hash(&account.encode()));
	client.storage(&key, None).await.unwrap()
}

/// Fees of a verifier that are not paid, in planck; who has retired has none.
pub async fn fees(client: &Client, account: &AccountId) -> Balance {
	verifier(client, account).await.map_or(0, |entry| entry.owed + entry.ripening)
}

/// `Verification.Drawn`: a drawn record.
#[derive(Clone, Debug, Decode)]
pub struct DrawInfo {
	/// The epoch that settled it.
	pub epoch: EpochIndex,
	/// The block of the draw.
	pub at: BlockNumber,
	/// The seed of the epoch's lots.
	pub seed: H256,
	/// How probable it was, in parts per million.
	pub probability_ppm: u32,
	/// Why: 0 by lot, 1 by order.
	pub cause: u8,
	/// Where its audit stands.
	pub status: DrawnStatus,
}

/// Where the audit of a drawn record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Decode)]
pub enum DrawnStatus {
	/// There is no verdict on it.
	#[codec(index = 0)]
	Open,
	/// There is.
	#[codec(index = 1)]
	Decided {
		/// The verdict.
		verdict: Verdict,
		/// Its block.
		at: BlockNumber,
		/// Whether it is a canary.
		canary: bool,
	},
}

/// How a record was drawn, if it was.
pub async fn drawn(client: &Client, id: RecordId) -> Option<DrawInfo> {
	let mut key = storage_prefix(b"Verification", b"Drawn").to_vec();
	key.extend(id.as_bytes());
	client.storage(&key, None).await.unwrap()
}

/// The epoch of the best block.
pub async fn epoch(client: &Client) -> u64 {
	let key = storage_prefix(b"Babe", b"EpochIndex");
	client.storage(&key, None).await.unwrap().unwrap_or_default()
}

/// Where a record stands.
pub async fn status(client: &Client, id: RecordId) -> AuditStatus {
	let (_, best) = client.best().await.unwrap();
	let parameters = to_hex(&id.encode(), false);
	let answer: String = client
		.call("state_call", rpc_params!["ProvenanceApi_trace", parameters, best])
		.await
		.unwrap();
	let bytes = from_hex(&answer).unwrap();
	Option::<Trace>::decode(&mut bytes.as_slice()).unwrap().unwrap().audit
}

/// A worker's stake, in planck.
pub async fn stake(client: &Client, account: &AccountId) -> Balance {
	let key = pallet_worker_registry::Workers::<Runtime>::hashed_key_for(account);
	let info: Option<pallet_worker_registry::WorkerInfo> =
		client.storage(&key, None).await.unwrap();
	info.unwrap().stake
}

/// What a requester has in escrow, in planck.
pub async fn escrow(client: &Client, account: &AccountId) -> Balance {
	let key = pallet_inference_market::Escrows::<Runtime>::hashed_key_for(account);
	let escrow: Option<pallet_inference_market::EscrowAccount> =
		client.storage(&key, None).await.unwrap();
	escrow.unwrap().held
}

/// Prices of records, in planck.
pub fn prices<'a>(records: impl IntoIterator<Item = &'a RecordEntry>) -> Balance {
	records.into_iter().map(|record| record.price).sum()
}
