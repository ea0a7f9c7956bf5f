//! Four validators whose verified work is as 1 : 2 : 4 : 8 win primary slots as `1 − (1 − c)^θ` says,
//! by the blocks that they produce. A node that comes late and syncs from genesis has the same final
//! blocks. When the heaviest of them vanishes, with more than half of the lottery, blocks and finality
//! go on; when the two heaviest are gone, blocks go on, and finality as soon as one of them is back.
#![allow(clippy::unwrap_used)]

use anyhow::{ensure, Context, Result};
use aria_e2e::{
	client::{eventually, Client},
	node::{binary, Node, Options},
};
use aria_primitives::BlockNumber;
use aria_runtime::{genesis::EPOCH_SLOTS, Hash, Header};
use codec::Decode;
use frame_support::storage::storage_prefix;
use jsonrpsee::rpc_params;
use serde_json::{json, Value};
use sp_consensus_babe::{digests::PreDigest, BABE_ENGINE_ID};
use sp_runtime::DigestItem;
use std::{
	collections::BTreeMap,
	fs,
	path::{Path, PathBuf},
	process::{Command, Stdio},
	sync::{Arc, Mutex},
	time::Duration,
};
use tokio::{task::JoinSet, time::sleep};

/// The validators, each with its verified work in units of [`UNIT`].
const VALIDATORS: [(&str, u64); 4] =
	[("--alice", 1), ("--bob", 2), ("--charlie", 4), ("--dave", 8)];
/// So much that it keeps its proportions while it fades.
const UNIT: u64 = 1_000_000_000_000_000;
const SLOT_MILLIS: u64 = 500;
/// Slots that are watched.
const SLOTS: u64 = 1_050;
/// A third of the slots have a block.
const C: f64 = 1.0 / 3.0;
/// What chi-squared exceeds with a chance of one in a thousand: at four degrees of freedom, and at
/// one.
const CRITICAL_4: f64 = 18.467;
const CRITICAL_1: f64 = 10.828;
/// Longest wait for anything but the slots. A fifth of the weight makes a block each 6.4 seconds.
const PATIENCE: Duration = Duration::from_secs(240);
/// Blocks that show that there are blocks.
const SOME_BLOCKS: BlockNumber = 8;

/// The local chain with short slots, and with work that has been verified before it begins.
fn specification(dir: &Path) -> Result<PathBuf> {
	let output = Command::new(binary()?)
		.args(["export-chain-spec", "--chain", "local"])
		.stdin(Stdio::null())
		.output()
		.context("aria-node cannot be started")?;
	ensure!(
		output.status.success(),
		"aria-node exports no specification: {}",
		String::from_utf8_lossy(&output.stderr)
	);
	let mut spec: Value = serde_json::from_slice(&output.stdout)
		.context("what aria-node exports as a specification is no JSON")?;
	spec["id"] = json!("aria_lottery");
	let registry = spec
		.pointer_mut("/genesis/runtimeGenesis/patch/validatorRegistry")
		.context("the specification says nothing of validators")?;
	// In the order of the preset: Alice to Dave.
	let validators = registry["validators"].as_array().context("there are no validators")?;
	ensure!(validators.len() == VALIDATORS.len(), "{validators:?}");
	let work: Vec<Value> = validators
		.iter()
		.zip(VALIDATORS)
		.map(|(account, (_, work))| json!([account, work * UNIT]))
		.collect();
	registry["work"] = Value::Array(work);
	registry["slotDuration"] = json!(SLOT_MILLIS);
	let path = dir.join("lottery.json");
	fs::write(&path, serde_json::to_vec(&spec)?).context("the specification cannot be written")?;
	Ok(path)
}

/// All four, each connected to those before it.
async fn start(spec: &Path) -> Result<Vec<Node>> {
	let mut nodes: Vec<Node> = Vec::new();
	let mut addresses: Vec<String> = Vec::new();
	for (name, _) in VALIDATORS {
		let options = match addresses.split_first() {
			None => Options::validator(spec),
			Some((first, others)) => {
				let mut options = Options::follower(spec, first)
					.arg(name)
					.arg("--force-authoring")
					.arg("--unsafe-force-node-key-generation");
				for other in others {
					options = options.arg("--reserved-nodes").arg(other);
				}
				options
			}
		};
		let node = Node::start(options).await?;
		addresses.push(Client::connect(&node.url()).await?.address().await?);
		nodes.push(node);
	}
	Ok(nodes)
}

/// A node without a vote, connected to all, that begins with nothing but the specification.
async fn newcomer(spec: &Path, validators: &[Node]) -> Result<Node> {
	let mut addresses: Vec<String> = Vec::new();
	for node in validators {
		addresses.push(Client::connect(&node.url()).await?.address().await?);
	}
	let (first, others) = addresses.split_first().context("there are no validators")?;
	let options = others.iter().fold(Options::follower(spec, first), |options, other| {
		options.arg("--reserved-nodes").arg(other)
	});
	Node::start(options).await
}

/// Who claimed which slot: the number of an authority in its set. Nothing if there is no primary
/// claim.
fn claim(header: &Header) -> Option<(u64, u32)> {
	header.digest.logs.iter().find_map(|log| {
		let DigestItem::PreRuntime(BABE_ENGINE_ID, bytes) = log else { return None };
		match PreDigest::decode(&mut bytes.as_slice()).ok()? {
			PreDigest::Primary(claim) => Some((*claim.slot, claim.authority_index)),
			_ => None,
		}
	})
}

/// Blocks by their hashes, those of branches that came to nothing too: a slot may have several
/// winners, and each of them produces a block.
type Produced = Arc<Mutex<BTreeMap<Hash, (u64, u32)>>>;

/// Notes every block that a node imports or makes, until the node is gone.
async fn watch(url: String, produced: Produced) -> Result<()> {
	let client = Client::connect(&url).await?;
	let mut heads = client
		.subscribe("chain_subscribeAllHeads", rpc_params![], "chain_unsubscribeAllHeads")
		.await?;
	while let Some(head) = heads.next().await {
		let header: Header = serde_json::from_value(head?)?;
		// Genesis has none.
		if header.number > 0 {
			let claim = claim(&header).context("a block has no primary claim")?;
			produced.lock().unwrap().insert(header.hash(), claim);
		}
	}
	Ok(())
}

/// What each authority weighs in the epoch of the best block, in the order of the set.
async fn weights(client: &Client) -> Result<Vec<u64>> {
	let key = storage_prefix(b"Babe", b"Authorities");
	let authorities: Option<Vec<([u8; 32], u64)>> = client.storage(&key, None).await?;
	let authorities = authorities.context("BABE has no authorities")?;
	Ok(authorities.into_iter().map(|(_, weight)| weight).collect())
}

/// Weights as fifteenths of all, which they are but for what fading rounds off.
fn fifteenths(weights: &[u64]) -> Vec<u64> {
	let sum: u64 = weights.iter().sum();
	weights.iter().map(|weight| (*weight as f64 * 15.0 / sum as f64).round() as u64).collect()
}

/// The slot of the best block, once there is one: genesis has none.
async fn slot(client: &Client) -> Result<u64> {
	eventually("a block in a slot", PATIENCE, || async {
		Ok(claim(&client.header(None).await?).map(|(slot, _)| slot))
	})
	.await
}

/// How far counts lie from what the chances let expect: each is a binomial variable.
fn chi_squared(counts: &[(u64, f64)]) -> f64 {
	counts
		.iter()
		.map(|(count, chance)| {
			let expected = SLOTS as f64 * chance;
			(*count as f64 - expected).powi(2) / (expected * (1.0 - chance))
		})
		.sum()
}

/// Waits for some more blocks; the number of the last.
async fn blocks_should_come(client: &Client) -> Result<BlockNumber> {
	let (begin, _) = client.best().await?;
	eventually("blocks", PATIENCE, || async {
		let (best, _) = client.best().await?;
		Ok((best >= begin + SOME_BLOCKS).then_some(best))
	})
	.await
}

/// Waits until this block, or a later one of its height, is final.
async fn finality_should_reach(client: &Client, number: BlockNumber) -> Result<()> {
	eventually("finality", PATIENCE, || async {
		Ok((client.finalized().await?.0 >= number).then_some(()))
	})
	.await
}

/// Waits until a block of this number is final for all of these nodes; it must be the same one, and
/// so must all before it. Its hash.
async fn finality_should_be_one(clients: &[Client], number: BlockNumber) -> Result<Hash> {
	let mut found = None;
	for client in clients {
		finality_should_reach(client, number).await?;
		let hash = client.block_hash(number).await?.context("a final block is not there")?;
		let first = *found.get_or_insert(hash);
		ensure!(hash == first, "final block {number} is {hash} to one node, {first} to another");
	}
	found.context("there are no nodes")
}

/// The epoch of a block, by the state that the node has of it.
async fn epoch(client: &Client, block: Hash) -> Result<u64> {
	let key = storage_prefix(b"Babe", b"EpochIndex");
	Ok(client.storage(&key, Some(block)).await?.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes 15 minutes"]
async fn blocks_should_be_won_by_work_and_go_on_without_the_heaviest() {
	let dir = tempfile::tempdir().unwrap();
	let spec = specification(dir.path()).unwrap();
	let mut nodes = start(&spec).await.unwrap();
	let client = Client::connect(&nodes[0].url()).await.unwrap();

	let produced = Produced::default();
	let mut watchers = JoinSet::new();
	for node in &nodes {
		watchers.spawn(watch(node.url(), produced.clone()));
		let client = Client::connect(&node.url()).await.unwrap();
		eventually("all peers", PATIENCE, || async {
			let health: Value = client.call("system_health", rpc_params![]).await?;
			Ok((health["peers"] == json!(3) && health["isSyncing"] == json!(false)).then_some(()))
		})
		.await
		.unwrap();
	}

	// --- slots are won as work says -------------------------------------------------------------
	let work = fifteenths(&weights(&client).await.unwrap());
	let mut sorted = work.clone();
	sorted.sort_unstable();
	assert_eq!(sorted, VALIDATORS.map(|(_, work)| work), "the weights are not those of the work");

	let begin = slot(&client).await.unwrap() + 2;
	let end = begin + SLOTS;
	sleep(Duration::from_millis(SLOTS * SLOT_MILLIS)).await;
	// A block behind the last slot, by when those of the last slot have come.
	eventually("the end of the slots", PATIENCE, || async {
		Ok((slot(&client).await? > end + 4).then_some(()))
	})
	.await
	.unwrap();
	assert_eq!(fifteenths(&weights(&client).await.unwrap()), work, "the weights have moved");
	if let Some(ended) = watchers.try_join_next() {
		panic!("a node was not watched to the end: {ended:?}");
	}

	let (mut won, mut taken) = (vec![0_u64; work.len()], BTreeMap::<u64, u64>::new());
	for (slot, author) in produced.lock().unwrap().values() {
		if (begin..end).contains(slot) {
			won[*author as usize] += 1;
			*taken.entry(*slot).or_default() += 1;
		}
	}
	let chances = work.iter().map(|work| 1.0 - (1.0 - C).powf(*work as f64 / 15.0));
	let counts: Vec<(u64, f64)> = won.iter().copied().zip(chances).collect();
	let distance = chi_squared(&counts);
	println!(
		"{SLOTS} slots, blocks and chances by validator: {counts:?}; chi-squared {distance:.2}"
	);
	assert!(distance < CRITICAL_4, "slots are not won by work: {counts:?}, {distance}");
	let distance = chi_squared(&[(taken.len() as u64, C)]);
	println!("{} slots have a block; chi-squared {distance:.2}", taken.len());
	assert!(distance < CRITICAL_1, "{} of {SLOTS} slots have a block: {distance}", taken.len());

	// --- all agree, and so does who comes late --------------------------------------------------
	let late = newcomer(&spec, &nodes).await.unwrap();
	let mut clients = vec![Client::connect(&late.url()).await.unwrap()];
	for node in &nodes {
		clients.push(Client::connect(&node.url()).await.unwrap());
	}
	let (number, _) = client.finalized().await.unwrap();
	let hash = finality_should_be_one(&clients, number).await.unwrap();
	// It has checked claims of all these epochs by the weights that blocks announced.
	let epochs = epoch(&clients[0], hash).await.unwrap();
	assert!(epochs >= SLOTS / EPOCH_SLOTS - 1, "block {number} is still in epoch {epochs}");
	assert_eq!(fifteenths(&weights(&clients[0]).await.unwrap()), work, "it has other weights");
	println!("a node from genesis agrees on final block {number}, in epoch {epochs}");
	drop(clients);

	// --- the heaviest vanishes ------------------------------------------------------------------
	nodes[3].kill9().unwrap();
	let best = blocks_should_come(&client).await.unwrap();
	finality_should_reach(&client, best).await.unwrap();

	// --- the two heaviest are gone --------------------------------------------------------------
	nodes[2].kill9().unwrap();
	// What was voted on before may still become final.
	blocks_should_come(&client).await.unwrap();
	let (halted, _) = client.finalized().await.unwrap();
	let best = blocks_should_come(&client).await.unwrap();
	let (number, _) = client.finalized().await.unwrap();
	assert_eq!(number, halted, "two of four voters made a block final");

	nodes[2].restart().await.unwrap();
	finality_should_reach(&client, best).await.unwrap();
	let mut clients = vec![Client::connect(&late.url()).await.unwrap()];
	for node in &nodes[..3] {
		clients.push(Client::connect(&node.url()).await.unwrap());
	}
	finality_should_be_one(&clients, best).await.unwrap();
	watchers.abort_all();
}
