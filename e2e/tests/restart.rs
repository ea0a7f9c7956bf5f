//! Nodes that are killed with `kill -9` while they make or import blocks under load: they start
//! again, keep what was final, and go on; their index of records misses nothing.
#![allow(clippy::unwrap_used)]

use anyhow::Result;
use aria_e2e::{
	client::{eventually, Client},
	flow::{self, Network},
	keys,
	node::{quick_chain, Node, Options},
};
use aria_primitives::RecordId;
use aria_runtime::{Nonce, Runtime, RuntimeCall};
use jsonrpsee::{core::ClientError, rpc_params};
use serde_json::{json, Value};
use std::{collections::BTreeSet, time::Duration};
use tokio::time::sleep;

/// Between the last look at a node and its end: what it showed as final is on disk by then.
const SETTLED_IN: Duration = Duration::from_secs(2);
/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two rounds of load.
const BREATH: Duration = Duration::from_millis(100);
/// Transactions of each round of load, besides one settlement.
const REMARKS: Nonce = 20;
/// The error code of a node whose index is not ready.
const INDEX_UNAVAILABLE: i32 = 7008;

/// Sends remarks and settlements until the node is gone. Tickets get numbers from `ticket` on;
/// returns the first that was not used.
async fn load(url: String, network: Network, mut ticket: u64) -> u64 {
	let Ok(client) = Client::connect(&url).await else { return ticket };
	loop {
		let round = round(&client, &network, ticket).await;
		ticket += 1;
		match round {
			Ok(()) => sleep(BREATH).await,
			// The pool refused something: there is more to come.
			Err(error) if is_refusal(&error) => sleep(BREATH).await,
			Err(_) => return ticket,
		}
	}
}

async fn round(client: &Client, network: &Network, ticket: u64) -> Result<()> {
	let sender = keys::stranger();
	let first = client.nonce(&keys::account(&sender)).await?;
	for nonce in first..first + REMARKS {
		let remark = frame_system::Call::<Runtime>::remark_with_event { remark: vec![0x5a; 1_024] };
		client.send(&client.sign(&sender, RuntimeCall::System(remark), nonce)).await?;
	}
	let inference = network.infer(client, "Are you there?", "I am again.", ticket).await?;
	let call = flow::settle(inference.settlement(&client.genesis())?);
	client.send(&client.sign(&sender, call, first + REMARKS)).await?;
	Ok(())
}

fn is_refusal(error: &anyhow::Error) -> bool {
	matches!(error.downcast_ref::<ClientError>(), Some(ClientError::Call(_)))
}

/// Every record of the model in the node's index, page by page; `None` while the index is filled.
async fn listed(client: &Client, network: &Network) -> Result<Option<Vec<RecordId>>> {
	let (mut ids, mut after) = (Vec::new(), Value::Null);
	loop {
		let page = json!({ "limit": 7, "after": after });
		let params = rpc_params![network.model.id, page];
		let page = match client.rpc("provenance_listByModel", params).await {
			Ok(page) => page,
			Err(ClientError::Call(error)) if error.code() == INDEX_UNAVAILABLE => return Ok(None),
			Err(error) => return Err(error.into()),
		};
		for record in page["records"].as_array().into_iter().flatten() {
			ids.push(serde_json::from_value(record["id"].clone())?);
		}
		after = page["next"].clone();
		if after.is_null() {
			return Ok(Some(ids));
		}
	}
}

/// The index should come to list each record in the final state once.
async fn index_should_be_complete(client: &Client, network: &Network) {
	eventually("each record once in the index", PATIENCE, || async {
		let (_, head) = client.finalized().await?;
		let stored = client.record_ids(Some(head)).await?;
		let Some(mut ids) = listed(client, network).await? else { return Ok(None) };
		ids.sort();
		Ok((ids == stored).then_some(()))
	})
	.await
	.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_author_should_go_on_with_all_that_was_final() {
	let mut node = Node::dev().await.unwrap();
	let mut client = Client::connect(&node.url()).await.unwrap();
	let network = flow::set_up(&client).await.unwrap();
	let mut ticket = 1;

	for pause in [700, 1_300, 450, 1_000].map(Duration::from_millis) {
		let load = tokio::spawn(load(node.url(), network.clone(), ticket));
		sleep(pause).await;
		let (number, hash) = client.finalized().await.unwrap();
		let settled: BTreeSet<RecordId> =
			client.record_ids(Some(hash)).await.unwrap().into_iter().collect();
		sleep(SETTLED_IN).await;

		node.kill9().unwrap();
		ticket = load.await.unwrap();
		node.restart().await.unwrap();
		client = Client::connect(&node.url()).await.unwrap();

		let (head, head_hash) = client.finalized().await.unwrap();
		assert!(head >= number, "final was {number}, after the restart {head}");
		assert_eq!(client.block_hash(number).await.unwrap(), Some(hash));
		let kept = client.record_ids(Some(head_hash)).await.unwrap().into_iter().collect();
		assert!(settled.is_subset(&kept), "records were lost");
		client.finalized_after(head).await.unwrap();
		let (id, _) = network.settle(&client, "And now?", "Now too.", ticket).await.unwrap();
		ticket += 1;
		assert!(client.record_ids(None).await.unwrap().contains(&id));
		index_should_be_complete(&client, &network).await;
	}
	let count = client.record_ids(None).await.unwrap().len();
	assert!(count > 4, "the load settled nothing: {count} records");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_killed_while_it_imports_should_catch_up() {
	let dir = tempfile::tempdir().unwrap();
	let spec = quick_chain(dir.path()).unwrap();
	let author = Node::start(Options::validator(&spec)).await.unwrap();
	let client = Client::connect(&author.url()).await.unwrap();
	let network = flow::set_up(&client).await.unwrap();
	let load = tokio::spawn(load(author.url(), network.clone(), 1));
	// Something to import at once.
	client.finalized_after(20).await.unwrap();

	let address = client.address().await.unwrap();
	let mut follower = Node::start(Options::follower(&spec, &address)).await.unwrap();
	for _ in 0..4 {
		let copy = Client::connect(&follower.url()).await.unwrap();
		let (begin, _) = copy.best().await.unwrap();
		let (number, hash) = copy.finalized().await.unwrap();
		eventually("an imported block", PATIENCE, || async {
			Ok((copy.best().await?.0 > begin).then_some(()))
		})
		.await
		.unwrap();

		sleep(SETTLED_IN).await;
		follower.kill9().unwrap();
		follower.restart().await.unwrap();
		let copy = Client::connect(&follower.url()).await.unwrap();
		let (head, head_hash) = copy.finalized().await.unwrap();
		assert!(head >= number, "final was {number}, after the restart {head}");
		assert_eq!(copy.block_hash(number).await.unwrap(), Some(hash));
		assert_eq!(client.block_hash(head).await.unwrap(), Some(head_hash));
	}
	load.abort();

	let (number, hash) = client.finalized().await.unwrap();
	let copy = Client::connect(&follower.url()).await.unwrap();
	eventually("what the author has as final", PATIENCE, || async {
		Ok((copy.finalized().await?.0 >= number).then_some(()))
	})
	.await
	.unwrap();
	assert_eq!(copy.block_hash(number).await.unwrap(), Some(hash));
	index_should_be_complete(&copy, &network).await;
	let (_, head) = copy.finalized().await.unwrap();
	assert!(!copy.record_ids(Some(head)).await.unwrap().is_empty(), "the load settled nothing");
}
