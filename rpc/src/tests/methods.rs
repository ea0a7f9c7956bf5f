//! The methods over JSON.

use crate::{
	chain::Chain,
	index::{Place, RecordIndex, Settled, Tip},
	tests::mock::{call, entry, methods, node, MockChain},
	views::{ss58, ProofView, RecordView},
};
use aria_primitives::{record::RecordEntry, RecordId};
use codec::Decode;
use jsonrpsee::RpcModule;
use serde_json::{json, Value};
use sp_core::H256;
use std::sync::Arc;

/// A chain whose blocks 1 to 3 hold one record each, the last not final; and an index that is up to
/// date.
fn chain() -> (MockChain, Arc<RecordIndex>, RpcModule<()>) {
	let (chain, index) = (MockChain::new(), RecordIndex::open(None).unwrap());
	chain.add_record(1);
	chain.add_record(2);
	chain.finalize();
	chain.add_record(3);
	for (number, id) in [(1, 1), (2, 2)] {
		let (id, place) = (RecordId::repeat_byte(id), Place { block: number, position: 0 });
		let record = Settled::new(id, place, &entry(number, 1, &[1]));
		index.append(Tip { number, hash: None }, &[record]).unwrap();
	}
	index.note_finalized(2);
	index.note_ready();
	let module = methods(&chain, &index);
	(chain, index, module)
}

fn id(byte: u8) -> Value {
	json!(RecordId::repeat_byte(byte))
}

fn ids(page: &Value) -> Vec<Value> {
	page["records"].as_array().unwrap().iter().map(|record| record["id"].clone()).collect()
}

#[test]
fn every_method_should_have_its_name() {
	let (_, _, module) = chain();
	let mut names: Vec<_> = module.method_names().collect();
	names.sort_unstable();
	assert_eq!(
		names,
		[
			"consent_get",
			"provenance_findByOutput",
			"provenance_findByQuery",
			"provenance_getProof",
			"provenance_getRecord",
			"provenance_listByModel",
			"provenance_listByNode",
			"provenance_subscribeRecords",
			"provenance_trace",
			"provenance_unsubscribeRecords",
			"reward_explain",
			"sobriety_networkStats",
		]
	);
}

#[tokio::test]
async fn get_record_should_read_the_best_block_or_another() {
	let (chain, _, module) = chain();
	let record = call(&module, "provenance_getRecord", json!([id(3)])).await.unwrap();
	let record: RecordView = serde_json::from_value(record).unwrap();
	assert_eq!(record, RecordView::new(RecordId::repeat_byte(3), entry(3, 1, &[1])));

	// By name, without prefix, and at a block that does not have it yet.
	let at = chain.hash(2).unwrap().unwrap();
	let params = json!({ "id": "03".repeat(32), "at": at });
	let error = call(&module, "provenance_getRecord", params).await.unwrap_err();
	assert_eq!(error["code"], 7002);
}

#[tokio::test]
async fn bad_parameters_should_meet_their_errors() {
	let (chain, _, module) = chain();
	chain.prune(1);
	let (digits, worker) = ("ab".repeat(32), ss58(&node(1)));
	let genesis = H256::from_low_u64_be(0xb10c_0000);
	let cases = [
		("provenance_getRecord", json!(["0x12"]), 7001),
		("provenance_getRecord", json!([format!("0x{digits}00")]), 7001),
		("provenance_getRecord", json!([digits]), 7002),
		("provenance_getRecord", json!([digits, "latest"]), 7001),
		("provenance_getRecord", json!([digits, digits]), 7005),
		("provenance_getRecord", json!([id(1), genesis]), 7005),
		("provenance_findByOutput", json!(["output"]), 7001),
		("provenance_findByOutput", json!([digits, { "limit": 0 }]), 7003),
		("provenance_findByOutput", json!([digits, { "limit": 1001 }]), 7003),
		("provenance_findByOutput", json!([digits, { "limit": 1u64 << 32 }]), 7003),
		("provenance_findByOutput", json!([digits, { "after": "0x" }]), 7001),
		("provenance_findByQuery", json!([digits, { "limit": 1u64 << 32 }]), 7003),
		("provenance_findByQuery", json!([digits, null, digits]), 7005),
		("provenance_listByModel", json!(["aria-2b-1bit"]), 7001),
		("provenance_listByModel", json!([digits, { "limit": 0 }]), 7003),
		("provenance_listByModel", json!([digits, { "limit": 1u64 << 32 }]), 7003),
		("provenance_listByModel", json!([digits, { "after": digits }]), 7010),
		("provenance_listByNode", json!(["alice"]), 7004),
		("provenance_listByNode", json!([worker, { "limit": 1u64 << 32 }]), 7003),
		("provenance_trace", json!(["0x"]), 7001),
		("provenance_trace", json!([digits]), 7002),
		("provenance_getProof", json!(["0x"]), 7001),
		("provenance_getProof", json!([digits]), 7002),
		// It is there, but not final.
		("provenance_getProof", json!([id(3)]), 7002),
		("provenance_getProof", json!([id(1), digits]), 7005),
		("consent_get", json!(["0x12"]), 7004),
		("consent_get", json!([ss58(&node(9))]), 7006),
		("consent_get", json!([worker, 4]), 7006),
		("consent_get", json!([worker, 1u64 << 32]), 7006),
		("consent_get", json!([worker, null, "x"]), 7001),
		("reward_explain", json!(["x"]), 7004),
		("reward_explain", json!([ss58(&node(9))]), 7007),
		("reward_explain", json!([worker, 6]), 7007),
		("reward_explain", json!([worker, 1u64 << 32]), 7007),
		("sobriety_networkStats", json!([digits]), 7005),
		// What is not even of the right JSON type is the parser's.
		("provenance_getRecord", json!([7]), -32602),
		("provenance_getRecord", json!([]), -32602),
		("provenance_listByModel", json!([digits, 7]), -32602),
		("consent_get", json!([worker, -1]), -32602),
	];
	for (method, params, code) in cases {
		let error = call(&module, method, params.clone()).await.unwrap_err();
		assert_eq!(error["code"], code, "{method} {params}: {error}");
	}
}

#[tokio::test]
async fn a_runtime_that_fails_should_be_said_to_fail() {
	let (chain, _, module) = chain();
	chain.fail(Some("trap"));
	let error = call(&module, "provenance_getRecord", json!([id(1)])).await.unwrap_err();
	assert_eq!((&error["code"], &error["data"]), (&json!(7009), &json!("Runtime")));
}

#[tokio::test]
async fn find_should_page_through_all_records_once() {
	let (_, _, module) = chain();
	let (output, query) = (H256::repeat_byte(0x33), H256::repeat_byte(0x22));
	for (method, hash) in [("provenance_findByOutput", output), ("provenance_findByQuery", query)] {
		for limit in 1..=4 {
			let (mut found, mut after) = (Vec::new(), Value::Null);
			loop {
				let params = json!([hash, { "limit": limit, "after": after }]);
				let page = call(&module, method, params).await.unwrap();
				assert!(ids(&page).len() <= limit);
				found.extend(ids(&page));
				after = page["next"].clone();
				if after.is_null() {
					break;
				}
			}
			assert_eq!(found, [id(1), id(2), id(3)], "{method} by {limit}");
		}
	}

	let page = call(&module, "provenance_findByOutput", json!([query])).await.unwrap();
	assert_eq!((ids(&page).len(), &page["next"]), (0, &Value::Null));
}

#[tokio::test]
async fn list_should_page_through_final_records_once() {
	let (_, _, module) = chain();
	let (model, worker) = (json!(H256::repeat_byte(1)), json!(ss58(&node(1))));
	for (method, owner) in [("provenance_listByModel", model), ("provenance_listByNode", worker)] {
		let page = call(&module, method, json!([owner])).await.unwrap();
		assert_eq!((ids(&page), &page["next"]), (vec![id(1), id(2)], &Value::Null));
		assert_eq!(page["indexed"], json!({ "from": 0, "to": 2 }));

		let page = call(&module, method, json!([owner, { "limit": 1 }])).await.unwrap();
		assert_eq!((ids(&page), &page["next"]), (vec![id(1)], &id(1)));
		let page = call(&module, method, json!([owner, { "after": id(1) }])).await.unwrap();
		assert_eq!((ids(&page), &page["next"]), (vec![id(2)], &Value::Null));
	}
	let page = call(&module, "provenance_listByNode", json!([ss58(&node(9))])).await.unwrap();
	assert!(ids(&page).is_empty());
}

#[tokio::test]
async fn list_should_wait_for_the_index() {
	let (chain, index) = (MockChain::new(), RecordIndex::open(None).unwrap());
	let module = methods(&chain, &index);
	let params = json!([H256::repeat_byte(1)]);
	let error = call(&module, "provenance_listByModel", params.clone()).await.unwrap_err();
	assert_eq!(error["code"], 7008);

	index.note_failure(Some("the disk is full".into()));
	let error = call(&module, "provenance_listByModel", params).await.unwrap_err();
	assert!(error["message"].as_str().unwrap().contains("the disk is full"), "{error}");
}

#[tokio::test]
async fn trace_should_tell_of_all_around_a_record() {
	let (_, _, module) = chain();
	let trace = call(&module, "provenance_trace", json!([id(2)])).await.unwrap();
	assert_eq!(trace["record"]["id"], id(2));
	assert_eq!(trace["aliases"], json!(["aria-2b-1bit"]));
	assert_eq!(trace["nodes"][0]["node"], trace["record"]["stages"][0]["node"]);
	assert_eq!(trace["nodes"][0]["consent"]["version"], 3);
	assert_eq!(trace["audit"], json!({ "status": "pending", "drawEpoch": "7" }));
}

#[tokio::test]
async fn get_proof_should_be_of_the_last_final_block() {
	let (chain, _, module) = chain();
	let proof = call(&module, "provenance_getProof", json!([id(1)])).await.unwrap();
	assert_eq!(proof["blockHash"], json!(chain.finalized().1));
	assert_eq!(proof["proof"], json!(["0x726f6f74", "0x6c656166"]));

	let proof: ProofView = serde_json::from_value(proof).unwrap();
	assert_eq!(proof.block_number, 2);
	assert!(proof.storage_key.ends_with(&[1; 32]));
	assert_eq!(RecordEntry::decode(&mut &proof.value[..]).unwrap(), entry(1, 1, &[1]));

	let proof = call(&module, "provenance_getProof", json!([id(3), chain.best()])).await.unwrap();
	assert_eq!(proof["blockNumber"], 3);
}

#[tokio::test]
async fn the_other_methods_should_answer() {
	let (_, _, module) = chain();
	let worker = ss58(&node(1));
	for params in [json!([worker]), json!([worker, 3]), json!(["01".repeat(32)])] {
		let consent = call(&module, "consent_get", params).await.unwrap();
		assert_eq!((&consent["version"], &consent["cpuPercent"]), (&json!(3), &json!(25)));
	}
	for params in [json!([worker]), json!([worker, 7]), json!({ "account": worker })] {
		let reward = call(&module, "reward_explain", params).await.unwrap();
		assert_eq!((&reward["era"], &reward["payout"]), (&json!(7), &json!("1800000000000")));
	}
	let stats = call(&module, "sobriety_networkStats", json!([])).await.unwrap();
	assert_eq!((&stats["joulesPerToken"], &stats["measuredShare"]), (&json!(2.0), &json!(0.25)));
}
