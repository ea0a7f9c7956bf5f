//! Records that have left the state.

use crate::{
	chain::Chain,
	index::{Place, RecordIndex, Settled, Tip},
	past::last_with,
	tests::mock::{call, entry, methods, MockChain},
	views::ProofView,
};
use aria_primitives::{
	hashing::{leaf_hash, verify_merkle_proof},
	RecordId,
};
use codec::Encode;
use jsonrpsee::RpcModule;
use serde_json::{json, Value};
use sp_core::H256;
use std::sync::Arc;

/// Blocks 1 to 9 are final and settled the records 1 to 9, all with the same hashes. Those of blocks 1
/// to 3 left the state in block 5. The index has all of them.
fn chain() -> (MockChain, Arc<RecordIndex>, RpcModule<()>) {
	let (chain, index) = (MockChain::new(), RecordIndex::open(None).unwrap());
	for number in 1..=9 {
		chain.add_record(number);
		let place = Place { block: number.into(), position: 0 };
		let record = Settled::new(at(number), place, &entry(number.into(), 1, &[1]));
		index.append(Tip { number: number.into(), hash: None }, &[record]).unwrap();
	}
	for id in 1..=3 {
		chain.leave(id, 5);
	}
	chain.finalize();
	index.note_finalized(9);
	index.note_ready();
	let module = methods(&chain, &index);
	(chain, index, module)
}

fn at(byte: u8) -> RecordId {
	RecordId::repeat_byte(byte)
}

fn id(byte: u8) -> Value {
	json!(at(byte))
}

fn block(chain: &MockChain, number: u32) -> Value {
	json!(chain.hash(number).unwrap())
}

fn ids(page: &Value) -> Vec<Value> {
	page["records"].as_array().unwrap().iter().map(|record| record["id"].clone()).collect()
}

#[tokio::test]
async fn get_record_should_read_the_block_that_settled_it() {
	let (chain, _, module) = chain();
	for number in 1..=9 {
		let record = call(&module, "provenance_getRecord", json!([id(number)])).await.unwrap();
		assert_eq!((&record["id"], &record["settledAt"]), (&id(number), &json!(number)));
	}
	// As of a block before it was settled it is not known, and it is as of one before it left.
	let params = json!([id(2), block(&chain, 1)]);
	let error = call(&module, "provenance_getRecord", params).await.unwrap_err();
	assert_eq!(error["code"], 7002);
	let params = json!([id(2), block(&chain, 4)]);
	assert!(call(&module, "provenance_getRecord", params).await.is_ok());
}

#[tokio::test]
async fn a_node_that_discarded_the_state_should_say_where_the_record_was_settled() {
	let (chain, _, module) = chain();
	chain.prune(8);
	for method in ["provenance_getRecord", "provenance_trace", "provenance_getProof"] {
		let error = call(&module, method, json!([id(2)])).await.unwrap_err();
		assert_eq!((&error["code"], &error["data"]), (&json!(7012), &json!("RecordPruned")));
		let message = error["message"].as_str().unwrap();
		assert!(message.contains("block 2") && message.contains("archive"), "{message}");
		// Those in state are as ever.
		assert!(call(&module, method, json!([id(6)])).await.is_ok());
	}
	let output = H256::repeat_byte(0x33);
	let page = call(&module, "provenance_findByOutput", json!([output])).await.unwrap();
	assert_eq!(ids(&page), [4, 5, 6, 7, 8, 9].map(id));
	let expected: Vec<Value> =
		[1, 2, 3].map(|number| json!({ "id": id(number), "settledAt": number })).to_vec();
	assert_eq!(page["discarded"], json!(expected));
	let model = H256::repeat_byte(1);
	let page = call(&module, "provenance_listByModel", json!([model])).await.unwrap();
	assert_eq!(ids(&page), [4, 5, 6, 7, 8, 9].map(id));
	assert_eq!(page["discarded"], json!(expected));
}

#[tokio::test]
async fn a_record_that_nobody_knows_should_be_unknown() {
	let (_, _, module) = chain();
	for method in ["provenance_getRecord", "provenance_trace", "provenance_getProof"] {
		let error = call(&module, method, json!([id(77)])).await.unwrap_err();
		assert_eq!(error["code"], 7002);
	}
}

#[tokio::test]
async fn find_should_page_through_records_in_state_and_before_once() {
	let (chain, _, module) = chain();
	let (output, query) = (H256::repeat_byte(0x33), H256::repeat_byte(0x22));
	let all: Vec<Value> = (1..=9).map(id).collect();
	for (method, hash) in [("provenance_findByOutput", output), ("provenance_findByQuery", query)] {
		for limit in 1..=10 {
			let (mut found, mut after) = (Vec::new(), Value::Null);
			loop {
				let params = json!([hash, { "limit": limit, "after": after }]);
				let page = call(&module, method, params).await.unwrap();
				assert!(ids(&page).len() <= limit);
				assert_eq!(page["indexed"], json!({ "from": 0, "to": 9 }));
				found.extend(ids(&page));
				after = page["next"].clone();
				if after.is_null() {
					break;
				}
			}
			assert_eq!(found, all, "{method} by {limit}");
		}
		// As of a block, what came later is not there, and what had left is.
		let params = json!([hash, null, block(&chain, 6)]);
		let page = call(&module, method, params).await.unwrap();
		assert_eq!(ids(&page), all[..6]);
	}
}

#[tokio::test]
async fn find_should_do_without_the_index() {
	let (chain, _, _) = chain();
	let empty = RecordIndex::open(None).unwrap();
	let module = methods(&chain, &empty);
	let output = H256::repeat_byte(0x33);
	let page = call(&module, "provenance_findByOutput", json!([output])).await.unwrap();
	assert_eq!(ids(&page), [4, 5, 6, 7, 8, 9].map(id));
	assert_eq!((&page["indexed"], &page["discarded"]), (&Value::Null, &json!([])));
}

#[tokio::test]
async fn list_should_show_records_that_have_left() {
	let (_, _, module) = chain();
	let model = H256::repeat_byte(1);
	let page = call(&module, "provenance_listByModel", json!([model])).await.unwrap();
	assert_eq!(ids(&page), (1..=9).map(id).collect::<Vec<_>>());
	assert_eq!(page["discarded"], json!([]));
}

#[tokio::test]
async fn trace_should_be_of_the_last_state_that_had_the_record() {
	let (chain, _, module) = chain();
	let trace = call(&module, "provenance_trace", json!([id(2)])).await.unwrap();
	assert_eq!(trace["record"]["id"], id(2));
	assert_eq!(last_with(&chain, at(2), 2, 9).unwrap(), chain.hash(4).unwrap());
	assert_eq!(last_with(&chain, at(2), 2, 3).unwrap(), chain.hash(3).unwrap());
	// The older ones are discarded, and then all that had it.
	chain.prune(4);
	assert_eq!(last_with(&chain, at(2), 2, 9).unwrap(), chain.hash(4).unwrap());
	chain.prune(5);
	assert_eq!(last_with(&chain, at(2), 2, 9).unwrap(), None);
}

#[tokio::test]
async fn get_proof_should_lead_from_a_later_block_to_the_one_that_settled_the_record() {
	let (chain, _, module) = chain();
	for later in [6, 9] {
		let params = json!([id(2), block(&chain, later)]);
		let proof = call(&module, "provenance_getProof", params).await.unwrap();
		let proof: ProofView = serde_json::from_value(proof).unwrap();
		assert_eq!((Some(proof.block_hash), proof.block_number), (chain.hash(2).unwrap(), 2));
		assert_eq!(proof.value.0, entry(2, 1, &[1]).encode());
		let past = proof.past.unwrap();
		assert_eq!((Some(past.block_hash), past.block_number), (chain.hash(later).unwrap(), later));
		assert_eq!(past.leaf.0, (2u32, proof.block_hash).encode());
		assert_eq!(past.items, [H256::repeat_byte(0x77)]);
		let leaf = leaf_hash(at(2).as_bytes());
		let (index, count) = (past.record_index as usize, past.record_count as usize);
		assert!(verify_merkle_proof(&leaf, &leaf, index, count, &past.record_path));
	}
	// While it was in state, and of one that is, the state alone proves it.
	for params in [json!([id(2), block(&chain, 4)]), json!([id(6)])] {
		let proof = call(&module, "provenance_getProof", params).await.unwrap();
		assert_eq!(proof["past"], Value::Null);
	}
}
