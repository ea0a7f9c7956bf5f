//! Records leave the state when their time is over, and are found and proven all the same, at a node
//! that keeps old states (`docs/protocol/retention.md`).
//!
//! A chain of one node with short epochs; how long records stay is set to the least that there is. The
//! proof is checked here once more, by what the protocol's texts say.
#![allow(clippy::unwrap_used)]

use aria_e2e::{
	client::{eventually, Client},
	flow::{self, Network},
	keys,
	node::{binary, program, Node, Options},
};
use aria_primitives::{
	hashing::{leaf_hash, sha256, verify_merkle_proof, MMR_ENGINE_ID},
	record::RecordEntry,
	BlockNumber, RecordId,
};
use aria_runtime::{
	dynamic::{
		dynamic_params::records::{Parameters, Retention},
		RuntimeParameters,
	},
	parameters::RETENTION_LEAST,
	Hash, Header, RewardDistributor, Runtime, RuntimeCall,
};
use codec::{Decode, DecodeAll};
use frame_support::dispatch::CallableCallFor;
use jsonrpsee::{
	core::{params::ArrayParams, ClientError},
	rpc_params,
};
use serde_json::{json, Value};
use sp_core::{bytes::from_hex, H256};
use sp_runtime::{
	traits::{Hash as _, Keccak256},
	DigestItem,
};
use std::{
	fs,
	path::{Path, PathBuf},
	process::{Output, Stdio},
	time::Duration,
};
use tokio::process::Command;

/// The reward distributor's calls.
type RewardCall = CallableCallFor<RewardDistributor, Runtime>;

/// Milliseconds of a slot, and between two empty blocks.
const SLOT: u64 = 200;
/// Slots of an epoch.
const EPOCH: u64 = 20;
/// How long the least retention may take on a busy machine, with all that has to be over before: 200
/// blocks, some epochs, two eras.
const LEAVING: Duration = Duration::from_secs(300);
/// How long a node's index may lag.
const LAG: Duration = Duration::from_secs(30);
/// Longer than 64 bytes, so that its hash has no salt.
const ANSWER: &str =
	"What is written down stays written, though not for ever on the table: later it lies in \
	the archive, and the seal says that it is the same.";

/// The development chain with short slots and epochs.
async fn specification(dir: &Path) -> PathBuf {
	let output = Command::new(binary().unwrap())
		.args(["export-chain-spec", "--chain", "dev"])
		.stdin(Stdio::null())
		.output()
		.await
		.unwrap();
	assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
	let mut spec: Value = serde_json::from_slice(&output.stdout).unwrap();
	spec["id"] = json!("aria_retention");
	let registry = spec.pointer_mut("/genesis/runtimeGenesis/patch/validatorRegistry").unwrap();
	registry["slotDuration"] = json!(SLOT);
	registry["epochLength"] = json!(EPOCH);
	let path = dir.join("retention.json");
	fs::write(&path, serde_json::to_vec(&spec).unwrap()).unwrap();
	path
}

fn options(spec: &Path) -> Options {
	Options::validator(spec).arg("--dev-idle-block-ms").arg(SLOT.to_string())
}

fn sudo(calls: Vec<RuntimeCall>) -> RuntimeCall {
	let call = Box::new(RuntimeCall::Utility(pallet_utility::Call::batch_all { calls }));
	RuntimeCall::Sudo(pallet_sudo::Call::sudo { call })
}

/// Records stay as short as they may.
async fn set_retention(client: &Client) {
	let key_value = RuntimeParameters::Records(Parameters::Retention(Retention, Some(0)));
	let call = RuntimeCall::Parameters(pallet_parameters::Call::set_parameter { key_value });
	let included = client.submit(&keys::owner(), sudo(vec![call])).await.unwrap();
	included.success().unwrap();
}

/// Ends the era.
async fn next_era(client: &Client) {
	let call = RuntimeCall::RewardDistributor(RewardCall::force_new_era {});
	let included = client.submit(&keys::owner(), sudo(vec![call])).await.unwrap();
	let number = included.success().unwrap().number;
	client.finalized_after(number).await.unwrap();
}

/// A chain whose retention is short, and a record on it that is settled: its id and its block.
async fn settled(options: Options) -> (Node, Client, RecordId, BlockNumber) {
	let node = Node::start(options).await.unwrap();
	let client = Client::connect(&node.url()).await.unwrap();
	set_retention(&client).await;
	let network: Network = flow::set_up(&client).await.unwrap();
	let (id, included) = network.settle(&client, "Does it stay?", ANSWER, 1).await.unwrap();
	(node, client, id, included.number)
}

/// Waits until the record has left the state; returns a final block behind that.
async fn leave(client: &Client, id: RecordId) -> (BlockNumber, Hash) {
	// The record's era is paid once two more have ended.
	next_era(client).await;
	next_era(client).await;
	eventually("the record's leaving", LEAVING, || async {
		let (number, block) = client.finalized().await?;
		let record = flow::record(client, id, block).await?;
		Ok(record.is_none().then_some((number, block)))
	})
	.await
	.unwrap()
}

async fn answer(client: &Client, method: &str, values: &[Value]) -> Value {
	match client.rpc(method, params(values)).await {
		Ok(value) => value,
		Err(error) => panic!("{method} {values:?}: {error}"),
	}
}

async fn refusal(client: &Client, method: &str, values: &[Value]) -> (i32, String) {
	match client.rpc(method, params(values)).await {
		Err(ClientError::Call(error)) => (error.code(), error.message().to_owned()),
		other => panic!("{method} {values:?}: {other:?}"),
	}
}

fn params(values: &[Value]) -> ArrayParams {
	let mut params = ArrayParams::new();
	for value in values {
		params.insert(value).unwrap();
	}
	params
}

fn bytes(value: &Value) -> Vec<u8> {
	from_hex(value.as_str().unwrap()).unwrap()
}

fn hash(value: &Value) -> H256 {
	H256::from_slice(&bytes(value))
}

fn hashes(value: &Value) -> Vec<H256> {
	value.as_array().unwrap().iter().map(hash).collect()
}

fn number(value: &Value) -> u64 {
	value.as_u64().unwrap()
}

/// What is wrong with a proof that `later`, which is trusted, leads to the record; the entry if nothing
/// is. The way through the state is for others to check.
fn verify(
	proof: &Value,
	later: &Header,
	block: &Header,
	genesis: H256,
	id: RecordId,
) -> Result<RecordEntry, &'static str> {
	let past = &proof["past"];
	let root = later.digest.logs.iter().find_map(|log| match log {
		DigestItem::Consensus(MMR_ENGINE_ID, root) => Some(H256::from_slice(root)),
		_ => None,
	});
	let leaf = bytes(&past["leaf"]);
	let index = number(&proof["blockNumber"]);
	if climb(Keccak256::hash(&leaf), index, later.number.into(), &hashes(&past["items"])) != root {
		return Err("the leaf does not lead to the root");
	}
	let (of, settled, records) =
		<(BlockNumber, H256, H256)>::decode_all(&mut leaf.as_slice()).map_err(|_| "no leaf")?;
	if (of, settled) != (block.number, block.hash()) {
		return Err("the leaf is of another block");
	}
	let place = number(&past["recordIndex"]) as usize;
	let count = number(&past["recordCount"]) as usize;
	let path = hashes(&past["recordPath"]);
	if !verify_merkle_proof(&records, &leaf_hash(id.as_bytes()), place, count, &path) {
		return Err("the block did not settle the record");
	}
	let value = bytes(&proof["value"]);
	let entry = RecordEntry::decode(&mut value.as_slice()).map_err(|_| "no record")?;
	if entry.body.id(&genesis) != id {
		return Err("the body has another id");
	}
	Ok(entry)
}

/// The root that a leaf leads to (`docs/protocol/retention.md`).
fn climb(leaf: H256, index: u64, count: u64, items: &[H256]) -> Option<H256> {
	let join =
		|one: H256, other: H256| Keccak256::hash(&[one.as_bytes(), other.as_bytes()].concat());
	let mut items = items.iter().copied();
	let (mut peaks, mut first) = (Vec::new(), 0);
	for height in (0..64).rev().filter(|height| (count >> height) & 1 == 1) {
		let end = first + (1u64 << height);
		if end <= index {
			peaks.push(items.next()?);
			first = end;
			continue;
		}
		let mut node = leaf;
		for level in 0..height {
			let other = items.next()?;
			let left = ((index - first) >> level) & 1 == 0;
			node = if left { join(node, other) } else { join(other, node) };
		}
		peaks.push(node);
		peaks.extend(items.by_ref());
		break;
	}
	peaks.into_iter().rev().reduce(join)
}

/// `aria-worker provenance` about something, at this node.
async fn provenance(url: &str, args: &[&str]) -> Output {
	Command::new(program("aria-worker", "ARIA_WORKER").unwrap())
		.arg("provenance")
		.args(args)
		.args(["--node", url, "--json"])
		.stdin(Stdio::null())
		.kill_on_drop(true)
		.output()
		.await
		.unwrap()
}

#[tokio::test]
async fn a_record_should_leave_the_state_and_stay_found_and_proven_at_an_archive() {
	let dir = tempfile::tempdir().unwrap();
	let spec = specification(dir.path()).await;
	let archive = options(&spec).arg("--state-pruning").arg("archive");
	let (node, client, id, settled_at) = settled(archive).await;
	let before = answer(&client, "provenance_getRecord", &[json!(id)]).await;
	let (_, last) = client.finalized_after(settled_at).await.unwrap();
	let kept = flow::record(&client, id, last).await.unwrap().unwrap();

	let (left, block) = leave(&client, id).await;
	assert!(left > settled_at + RETENTION_LEAST, "it left in block {left} at the latest");
	assert!(client.record_ids(Some(block)).await.unwrap().is_empty());

	// It is found by all that it was found by.
	let found = answer(&client, "provenance_getRecord", &[json!(id)]).await;
	assert_eq!(found, before);
	let output = json!(sha256(ANSWER.as_bytes()));
	for (method, key) in [
		("provenance_findByOutput", output.clone()),
		("provenance_findByQuery", before["queryHash"].clone()),
	] {
		let page = answer(&client, method, &[key]).await;
		assert_eq!(page["records"], json!([before]), "{method}");
		assert_eq!(page["discarded"], json!([]), "{method}");
	}
	let node_of = before["stages"][0]["node"].clone();
	let page = eventually("the record in the index", LAG, || async {
		let page =
			client.rpc("provenance_listByNode", params(std::slice::from_ref(&node_of))).await;
		Ok(page.ok().filter(|page| page["records"] == json!([before])))
	})
	.await
	.unwrap();
	assert_eq!(page["discarded"], json!([]));
	let trace = answer(&client, "provenance_trace", &[json!(id)]).await;
	assert_eq!(trace["record"], before);
	assert_ne!(trace["audit"]["status"], "pending");

	// It is proven by a later header.
	let (number, later) = client.finalized().await.unwrap();
	let proof = answer(&client, "provenance_getProof", &[json!(id), json!(later)]).await;
	assert_eq!(hash(&proof["past"]["blockHash"]), later);
	assert_eq!(proof["past"]["blockNumber"], number);
	assert_eq!(proof["blockNumber"], settled_at);
	let later = client.header(Some(later)).await.unwrap();
	let block = client.header(Some(hash(&proof["blockHash"]))).await.unwrap();
	let genesis = client.genesis();
	assert_eq!(verify(&proof, &later, &block, genesis, id), Ok(kept));

	// A record that is another one is not.
	let mut value = bytes(&proof["value"]);
	for place in [2, 70, 120, 200] {
		value[place] ^= 1;
		let mut false_one = proof.clone();
		false_one["value"] = json!(sp_core::bytes::to_hex(&value, false));
		assert!(verify(&false_one, &later, &block, genesis, id).is_err(), "byte {place}");
		// Under the id that its body has it is none of that block's.
		if let Ok(entry) = RecordEntry::decode(&mut value.as_slice()) {
			let other = entry.body.id(&genesis);
			let refused = verify(&false_one, &later, &block, genesis, other);
			assert_eq!(refused, Err("the block did not settle the record"), "byte {place}");
		}
		value[place] ^= 1;
	}
	let mut other_leaf = proof.clone();
	let mut leaf = bytes(&proof["past"]["leaf"]);
	leaf[40] ^= 1;
	other_leaf["past"]["leaf"] = json!(sp_core::bytes::to_hex(&leaf, false));
	let refused = verify(&other_leaf, &later, &block, genesis, id);
	assert_eq!(refused, Err("the leaf does not lead to the root"));
	// Nor by a header that does not follow.
	let refused = verify(&proof, &block, &block, genesis, id);
	assert_eq!(refused, Err("the leaf does not lead to the root"));

	// The auditor's command says so too, of the text and of the id.
	for args in [vec![ANSWER, "--as", "text"], vec![&*format!("{id:?}")]] {
		let output = provenance(&node.url(), &args).await;
		let said = String::from_utf8_lossy(&output.stdout);
		assert_eq!(output.status.code(), Some(0), "{said}");
		let report: Value = serde_json::from_str(&said).unwrap();
		assert_eq!(report["proven"], true);
		assert_eq!(report["records"][0]["record"]["settledAt"], settled_at);
	}

	// What the node serves to others makes the same proof.
	let proof: Value = client
		.call("mmr_generateProof", rpc_params![[settled_at + 1], number, later.hash()])
		.await
		.unwrap();
	assert!(client.call::<bool>("mmr_verifyProof", rpc_params![proof]).await.unwrap());
}

#[tokio::test]
async fn a_node_that_discards_old_states_should_say_where_the_record_was_settled() {
	let dir = tempfile::tempdir().unwrap();
	let spec = specification(dir.path()).await;
	// Fewer states than records stay for.
	let (node, client, id, settled_at) =
		settled(options(&spec).arg("--state-pruning").arg("64")).await;
	let (left, _) = leave(&client, id).await;
	client.finalized_after(left + 64).await.unwrap();

	for method in ["provenance_getRecord", "provenance_trace", "provenance_getProof"] {
		let (code, message) = refusal(&client, method, &[json!(id)]).await;
		assert_eq!(code, 7012, "{method}: {message}");
		assert!(message.contains(&format!("block {settled_at}")), "{message}");
		assert!(message.contains("archive"), "{message}");
	}
	let output = json!(sha256(ANSWER.as_bytes()));
	let page = answer(&client, "provenance_findByOutput", &[output]).await;
	assert_eq!(page["records"], json!([]));
	assert_eq!(page["discarded"], json!([{ "id": id, "settledAt": settled_at }]));

	let output = provenance(&node.url(), &[ANSWER, "--as", "text"]).await;
	assert_eq!(output.status.code(), Some(1));
	assert!(String::from_utf8_lossy(&output.stdout).contains("archive"));
}
