//! ARIA's JSON-RPC on a real node (`docs/rpc.md`): what it answers, and what it refuses.
#![allow(clippy::unwrap_used)]

use aria_e2e::{
	client::{eventually, Client, Included},
	flow::{self, Network},
	keys,
	node::Node,
};
use aria_primitives::{hashing::sha256, record::RecordEntry, RecordId};
use codec::Decode;
use jsonrpsee::core::{params::ArrayParams, ClientError};
use serde_json::{json, Value};
use sp_core::{bytes::from_hex, H256};
use std::time::Duration;
use tokio::time::timeout;

/// Longer than 64 bytes, so that its hash has no salt.
const ANSWER: &str =
	"A machine that lends its idle hours lends them under terms that it set itself, \
	and may take them back.";
/// A hash of nothing on the chain.
const ABSENT: &str = "0x1111111111111111111111111111111111111111111111111111111111111111";
/// How long a node's own index may lag behind the chain.
const LAG: Duration = Duration::from_secs(30);

/// JSON-RPC's code for parameters of another type.
const INVALID_PARAMS: i32 = -32602;

async fn chain() -> (Node, Client, Network) {
	let node = Node::dev().await.unwrap();
	let client = Client::connect(&node.url()).await.unwrap();
	let network = flow::set_up(&client).await.unwrap();
	(node, client, network)
}

async fn settle(
	client: &Client,
	network: &Network,
	answer: &str,
	nonce: u64,
) -> (RecordId, Included) {
	network.settle(client, "What is consent?", answer, nonce).await.unwrap()
}

fn params(values: &[Value]) -> ArrayParams {
	let mut params = ArrayParams::new();
	for value in values {
		params.insert(value).unwrap();
	}
	params
}

async fn answer(client: &Client, method: &str, values: &[Value]) -> Value {
	match client.rpc(method, params(values)).await {
		Ok(value) => value,
		Err(error) => panic!("{method} {values:?}: {error}"),
	}
}

/// The code of an error, and the name in its data if there is one.
fn code_and_name(error: ClientError) -> (i32, Option<String>) {
	match error {
		ClientError::Call(error) => {
			let name = error.data().and_then(|data| serde_json::from_str(data.get()).ok());
			(error.code(), name)
		}
		other => panic!("no answer but: {other}"),
	}
}

async fn refusal(client: &Client, method: &str, values: &[Value]) -> (i32, Option<String>) {
	match client.rpc(method, params(values)).await {
		Ok(value) => panic!("{method} {values:?} answered {value}"),
		Err(error) => code_and_name(error),
	}
}

async fn should_refuse(client: &Client, method: &str, values: &[Value], code: i32, name: &str) {
	let refusal = refusal(client, method, values).await;

	assert_eq!(refusal, (code, Some(name.to_owned())), "{method} {values:?}");
}

/// The answer of a method that reads the node's index, once that holds `count` records.
async fn listed(client: &Client, method: &str, key: &Value, count: usize) -> Value {
	eventually("records in the index", LAG, || async {
		// Until the index is ready, there is an error that says so.
		let page = client.rpc(method, params(std::slice::from_ref(key))).await.unwrap_or_default();
		Ok((ids(&page).len() == count).then_some(page))
	})
	.await
	.unwrap()
}

fn ids(page: &Value) -> Vec<String> {
	let records = page["records"].as_array().cloned().unwrap_or_default();
	records.iter().map(|record| text(&record["id"])).collect()
}

fn text(value: &Value) -> String {
	value.as_str().unwrap().to_owned()
}

fn hex(hash: impl std::fmt::Debug) -> String {
	format!("{hash:?}")
}

#[tokio::test]
async fn every_method_should_answer_about_settled_records() {
	let (_node, client, network) = chain().await;
	let before = client.finalized().await.unwrap().1;
	let (first, _) = settle(&client, &network, ANSWER, 1).await;
	let (second, _) = settle(&client, &network, ANSWER, 2).await;
	let (third, last) = settle(&client, &network, "Yes.", 3).await;
	let [bob, charlie] = keys::workers().map(|pair| keys::account(&pair).to_string());

	// The record.
	let record = answer(&client, "provenance_getRecord", &[json!(first)]).await;
	assert_eq!(text(&record["id"]), hex(first));
	assert_eq!(text(&record["modelId"]), hex(network.model.id));
	assert_eq!(text(&record["outputHash"]), hex(sha256(ANSWER.as_bytes())));
	assert_eq!(record["outputTokens"], ANSWER.len());
	assert_eq!(record["energyMj"], "79700");
	assert_eq!(record["stages"][0]["node"], bob);
	assert_eq!(record["stages"][1]["node"], charlie);
	assert_eq!(record["stages"][0]["layers"], json!({ "first": 0, "end": 1 }));
	assert_eq!(record["stages"][0]["energySource"], "rapl");
	assert_eq!(record["stages"][1]["energySource"], "estimate");
	assert!(record["stages"].as_array().unwrap().iter().all(|stage| stage["signed"] == true));
	assert_eq!(record["requester"], keys::account(&keys::requester()).to_string());
	assert_eq!(record["gateway"], keys::account(&keys::gateway()).to_string());
	assert!(text(&record["price"]).parse::<u128>().unwrap() > 0);
	let without_prefix = hex(first).replace("0x", "");
	let again = answer(&client, "provenance_getRecord", &[json!(without_prefix)]).await;
	assert_eq!(again, record);
	should_refuse(
		&client,
		"provenance_getRecord",
		&[json!(first), json!(before)],
		7002,
		"UnknownRecord",
	)
	.await;

	// By the answer, in pages.
	let output = json!(sha256(ANSWER.as_bytes()));
	let mut same = [hex(first), hex(second)];
	same.sort();
	let page = answer(&client, "provenance_findByOutput", std::slice::from_ref(&output)).await;
	assert_eq!(ids(&page), same);
	assert_eq!(page["next"], Value::Null);
	let one = json!({ "limit": 1 });
	let page = answer(&client, "provenance_findByOutput", &[output.clone(), one]).await;
	assert_eq!(ids(&page), same[..1]);
	assert_eq!(page["next"], same[0]);
	let rest = json!({ "limit": 1, "after": same[0] });
	let page = answer(&client, "provenance_findByOutput", &[output, rest]).await;
	assert_eq!(ids(&page), same[1..]);
	assert_eq!(page["next"], Value::Null);

	// By the question, which has a salt of its own each time.
	let page = answer(&client, "provenance_findByQuery", &[record["queryHash"].clone()]).await;
	assert_eq!(ids(&page), [hex(first)]);

	// By model and by node, in order of settlement.
	let all = [hex(first), hex(second), hex(third)];
	let model = json!(network.model.id);
	let page = listed(&client, "provenance_listByModel", &model, 3).await;
	assert_eq!(ids(&page), all);
	assert_eq!(page["next"], Value::Null);
	let two = json!({ "limit": 2 });
	let page = answer(&client, "provenance_listByModel", &[model.clone(), two]).await;
	assert_eq!(ids(&page), all[..2]);
	let rest = json!({ "limit": 2, "after": page["next"] });
	let page = answer(&client, "provenance_listByModel", &[model, rest]).await;
	assert_eq!(ids(&page), all[2..]);
	for worker in [&bob, &charlie] {
		let page = listed(&client, "provenance_listByNode", &json!(worker), 3).await;
		assert_eq!(ids(&page), all);
	}
	let gateway = json!(keys::account(&keys::gateway()).to_string());
	assert!(ids(&answer(&client, "provenance_listByNode", &[gateway]).await).is_empty());

	// The record with all around it.
	let trace = answer(&client, "provenance_trace", &[json!(first)]).await;
	assert_eq!(trace["record"], record);
	assert_eq!(trace["model"]["layers"], flow::LAYERS);
	assert_eq!(trace["aliases"], json!([flow::ALIAS]));
	assert_eq!(trace["pinned"], true);
	assert_eq!(trace["nodes"][0]["node"], bob);
	assert_eq!(trace["nodes"][0]["consent"]["version"], record["stages"][0]["consentVersion"]);
	assert!(trace["audit"]["status"].is_string());

	// The proof.
	let proof = answer(&client, "provenance_getProof", &[json!(first), json!(last.block)]).await;
	assert_eq!(text(&proof["blockHash"]), hex(last.block));
	assert_eq!(proof["blockNumber"], last.number);
	assert!(text(&proof["storageKey"]).ends_with(&hex(first).replace("0x", "")));
	assert!(!proof["proof"].as_array().unwrap().is_empty());
	let value = from_hex(&text(&proof["value"])).unwrap();
	let entry = RecordEntry::decode(&mut value.as_slice()).unwrap();
	assert_eq!(entry.body.id(&client.genesis()), first);
	assert_eq!(flow::record(&client, first, last.block).await.unwrap(), Some(entry));

	// Consent, by address and by public key.
	let consent = answer(&client, "consent_get", &[json!(bob)]).await;
	assert_eq!(consent["version"], network.consents[0]);
	assert_eq!(consent["cpuPercent"], 25);
	assert_eq!(consent["rewardPreference"]["payout"], bob);
	assert_eq!(consent["supersededAt"], Value::Null);
	let key = <[u8; 32]>::from(keys::account(&keys::workers()[0]));
	let key = json!(H256::from(key));
	let version = json!(network.consents[0]);
	assert_eq!(answer(&client, "consent_get", &[key, version]).await, consent);

	// The reward.
	let reward = answer(&client, "reward_explain", &[json!(bob)]).await;
	assert_eq!(reward["worker"], bob);
	assert_eq!(reward["records"], 3);
	assert_eq!(reward["energyMj"], (3 * 41_500).to_string());
	assert_eq!(reward["settled"], false);

	// The network.
	let stats = answer(&client, "sobriety_networkStats", &[]).await;
	assert_eq!(stats["inferences"], "3");
	assert_eq!(stats["measuredMillijoules"], (3 * 41_500).to_string());
	assert_eq!(stats["estimatedMillijoules"], (3 * 38_200).to_string());
	assert!(stats["joulesPerToken"].as_f64().unwrap() > 0.0);
	let earlier = answer(&client, "sobriety_networkStats", &[json!(before)]).await;
	assert_eq!(earlier["inferences"], "0");
	assert_eq!(earlier["joulesPerToken"], Value::Null);
}

#[tokio::test]
async fn bad_input_should_meet_an_error_of_its_own() {
	let (_node, client, network) = chain().await;
	let (id, _) = settle(&client, &network, ANSWER, 1).await;
	let (id, model, absent) = (json!(id), json!(network.model.id), json!(ABSENT));
	let worker = json!(keys::account(&keys::workers()[0]).to_string());
	let stranger = json!(keys::account(&keys::stranger()).to_string());
	listed(&client, "provenance_listByModel", &model, 1).await;

	// No hash.
	let (short, long) = (&ABSENT[..64], format!("{ABSENT}11"));
	for bad in ["", "0x", "zz", short, long.as_str(), "0xg"] {
		for method in [
			"provenance_getRecord",
			"provenance_trace",
			"provenance_getProof",
			"provenance_findByOutput",
			"provenance_findByQuery",
			"provenance_listByModel",
		] {
			should_refuse(&client, method, &[json!(bad)], 7001, "InvalidHash").await;
		}
	}

	// Nothing there.
	for method in ["provenance_getRecord", "provenance_trace", "provenance_getProof"] {
		should_refuse(&client, method, std::slice::from_ref(&absent), 7002, "UnknownRecord").await;
	}
	for method in ["provenance_findByOutput", "provenance_findByQuery", "provenance_listByModel"] {
		let page = answer(&client, method, std::slice::from_ref(&absent)).await;
		assert!(ids(&page).is_empty() && page["next"].is_null(), "{method}");
	}

	// Pages.
	let lists = [
		("provenance_findByOutput", &absent),
		("provenance_findByQuery", &absent),
		("provenance_listByModel", &model),
		("provenance_listByNode", &worker),
	];
	for (method, key) in lists {
		for limit in [json!(0), json!(1_001), json!(4_294_967_296_u64), json!(-1), json!("ten")] {
			let page = json!({ "limit": limit });
			should_refuse(&client, method, &[key.clone(), page], 7003, "InvalidPageSize").await;
		}
		let page = json!({ "after": "zz" });
		should_refuse(&client, method, &[key.clone(), page], 7001, "InvalidHash").await;
		let page = json!({ "pages": 1 });
		let (code, _) = refusal(&client, method, &[key.clone(), page]).await;
		assert_eq!(code, INVALID_PARAMS, "{method}");
		answer(&client, method, &[key.clone(), json!({ "limit": 1_000 })]).await;
	}
	for (method, key) in &lists[2..] {
		let page = json!({ "after": ABSENT });
		should_refuse(&client, method, &[(*key).clone(), page], 7010, "UnknownCursor").await;
	}

	// Blocks.
	let at = [
		("provenance_getRecord", vec![id.clone()]),
		("provenance_trace", vec![id.clone()]),
		("provenance_getProof", vec![id.clone()]),
		("provenance_findByOutput", vec![absent.clone(), Value::Null]),
		("provenance_findByQuery", vec![absent.clone(), Value::Null]),
		("consent_get", vec![worker.clone(), Value::Null]),
		("reward_explain", vec![worker.clone(), Value::Null]),
		("sobriety_networkStats", vec![]),
	];
	for (method, before) in at {
		let with = |block: &Value| [before.as_slice(), std::slice::from_ref(block)].concat();
		should_refuse(&client, method, &with(&absent), 7005, "UnknownBlock").await;
		should_refuse(&client, method, &with(&json!("0x12")), 7001, "InvalidHash").await;
	}

	// Accounts.
	let mut typo = text(&worker);
	typo.replace_range(10..12, "11");
	for bad in ["", "5Grw", typo.as_str(), short] {
		for method in ["provenance_listByNode", "consent_get", "reward_explain"] {
			should_refuse(&client, method, &[json!(bad)], 7004, "InvalidAccount").await;
		}
	}
	should_refuse(&client, "consent_get", std::slice::from_ref(&stranger), 7006, "UnknownConsent")
		.await;
	for version in [0, 2, 4_294_967_296_u64] {
		let values = [worker.clone(), json!(version)];
		should_refuse(&client, "consent_get", &values, 7006, "UnknownConsent").await;
	}
	should_refuse(&client, "reward_explain", &[stranger], 7007, "NoWorkInEra").await;
	for era in [1_000, 4_294_967_296_u64] {
		let values = [worker.clone(), json!(era)];
		should_refuse(&client, "reward_explain", &values, 7007, "NoWorkInEra").await;
	}

	// Other types, or nothing at all.
	for (method, values) in [
		("provenance_getRecord", vec![]),
		("provenance_getRecord", vec![json!(7)]),
		("provenance_listByModel", vec![json!({})]),
		("consent_get", vec![worker, json!(-1)]),
		("reward_explain", vec![json!(null)]),
	] {
		let (code, _) = refusal(&client, method, &values).await;
		assert_eq!(code, INVALID_PARAMS, "{method} {values:?}");
	}

	// And the node still answers.
	answer(&client, "provenance_getRecord", &[id]).await;
}

#[tokio::test]
async fn a_subscription_should_deliver_the_records_that_it_asked_for() {
	let (_node, client, network) = chain().await;
	let subscribe = |filter: Value| {
		client.subscribe(
			"provenance_subscribeRecords",
			params(&[filter]),
			"provenance_unsubscribeRecords",
		)
	};
	let worker = keys::account(&keys::workers()[1]).to_string();
	let mut all = subscribe(Value::Null).await.unwrap();
	let mut of_both =
		subscribe(json!({ "modelId": network.model.id, "node": worker })).await.unwrap();
	let mut of_another = subscribe(json!({ "modelId": ABSENT })).await.unwrap();

	let (first, _) = settle(&client, &network, ANSWER, 1).await;
	let (second, _) = settle(&client, &network, ANSWER, 2).await;

	for records in [&mut all, &mut of_both] {
		for id in [first, second] {
			let record = timeout(LAG, records.next()).await.unwrap().unwrap().unwrap();
			assert_eq!(text(&record["id"]), hex(id));
		}
	}
	assert!(timeout(Duration::from_millis(500), of_another.next()).await.is_err());

	for (filter, code, name) in [
		(json!({ "modelId": "zz" }), 7001, "InvalidHash"),
		(json!({ "node": "5Grw" }), 7004, "InvalidAccount"),
	] {
		let error = subscribe(filter).await.err().unwrap();
		assert_eq!(code_and_name(error), (code, Some(name.to_owned())));
	}
}
