//! Records as their blocks become final.

use crate::{
	index::RecordIndex,
	tests::mock::{entry, methods, node, MockChain},
	views::{ss58, RecordView},
};
use aria_primitives::RecordId;
use jsonrpsee::{
	core::{server::MethodsError, EmptyServerParams},
	RpcModule,
};
use serde_json::{json, Value};
use sp_core::H256;
use std::time::Duration;

fn chain() -> (MockChain, RpcModule<()>) {
	let chain = MockChain::new();
	let module = methods(&chain, &RecordIndex::open(None).unwrap());
	(chain, module)
}

const SUBSCRIBE: &str = "provenance_subscribeRecords";

async fn next(subscription: &mut jsonrpsee::Subscription) -> Option<RecordId> {
	let wait = Duration::from_secs(10);
	let item = tokio::time::timeout(wait, subscription.next::<RecordView>()).await.unwrap();
	item.map(|item| item.unwrap().0.id)
}

#[tokio::test]
async fn subscribers_should_get_each_record_once_when_it_is_final() {
	let (chain, module) = chain();
	chain.add_record(1);
	chain.finalize();
	let mut all = module.subscribe(SUBSCRIBE, EmptyServerParams::new(), 16).await.unwrap();

	chain.add_record(2);
	chain.add_record(3);
	chain.finalize();
	assert_eq!(next(&mut all).await, Some(RecordId::repeat_byte(2)));
	assert_eq!(next(&mut all).await, Some(RecordId::repeat_byte(3)));

	// The same block again says nothing new.
	chain.finalize();
	chain.add_record(4);
	chain.finalize();
	assert_eq!(next(&mut all).await, Some(RecordId::repeat_byte(4)));
}

#[tokio::test]
async fn subscribers_should_get_what_they_ask_for() {
	let (chain, module) = chain();
	let filter = json!({ "modelId": H256::repeat_byte(2), "node": ss58(&node(5)) });
	let mut some = module.subscribe(SUBSCRIBE, [filter], 16).await.unwrap();

	let record = |id, model, workers: &[u8]| (RecordId::repeat_byte(id), entry(1, model, workers));
	chain.add(vec![record(1, 2, &[4]), record(2, 1, &[5]), record(3, 2, &[4, 5])]);
	chain.finalize();
	assert_eq!(next(&mut some).await, Some(RecordId::repeat_byte(3)));
}

#[tokio::test]
async fn bad_filters_should_be_refused() {
	let (_, module) = chain();
	let cases = [
		(json!({ "modelId": "x" }), 7001),
		(json!({ "node": "x" }), 7004),
		(json!({ "model": "x" }), -32602),
	];
	for (filter, code) in cases {
		let error = module.subscribe(SUBSCRIBE, [filter], 16).await.unwrap_err();
		let MethodsError::JsonRpc(error) = error else { panic!("{error}") };
		assert_eq!(error.code(), code);
	}
}

#[tokio::test]
async fn subscribers_should_be_told_when_a_block_cannot_be_read() {
	let (chain, module) = chain();
	let request = json!({ "jsonrpc": "2.0", "id": 1, "method": SUBSCRIBE }).to_string();
	let (_, mut notices) = module.raw_json_request(&request, 16).await.unwrap();

	chain.fail(Some("a \"trap\""));
	chain.add_record(1);
	chain.finalize();
	let wait = Duration::from_secs(10);
	let notice = tokio::time::timeout(wait, notices.recv()).await.unwrap().unwrap();
	let notice: Value = serde_json::from_str(&notice).unwrap();
	assert_eq!(notice["method"], "provenance_record");
	let error = notice["params"]["error"].as_str().unwrap();
	assert!(error.contains("block 1") && error.contains("\"trap\""), "{error}");
}
