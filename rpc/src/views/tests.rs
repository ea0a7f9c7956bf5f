//! The JSON of every view, against what is written down in `golden/`.

#![allow(clippy::unwrap_used)]

use super::{
	AuditView, ConsentView, NetworkStatsView, PastView, ProofView, RecordView, RewardView,
	TraceView,
};
use crate::tests::mock::{consent, entry, reward, stats, trace};
use aria_primitives::{
	audit::Verdict,
	consent::ConsentVersion,
	record::{EnergySource, FinishReason, RecordEntry},
	views::{AuditStatus, NetworkStats},
	RecordId,
};
use serde::{de::DeserializeOwned, Serialize};
use serde_json::{json, Value};
use sp_core::H256;

const ID: RecordId = H256([0xaa; 32]);

/// Two stages, of which the first signed.
fn record() -> RecordEntry {
	entry(9, 0x11, &[1, 3])
}

/// Compares both ways, the order of fields included.
fn check<T>(view: T, golden: &str)
where
	T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
{
	let wanted: Value = serde_json::from_str(golden).unwrap();
	assert_eq!(serde_json::to_value(&view).unwrap(), wanted);
	assert_eq!(serde_json::from_str::<T>(golden).unwrap(), view);

	let spaceless: String = golden.chars().filter(|char| !char.is_whitespace()).collect();
	assert_eq!(serde_json::to_string(&view).unwrap(), spaceless);
}

#[test]
fn a_record_should_keep_its_json() {
	check(RecordView::new(ID, record()), include_str!("golden/record.json"));
}

#[test]
fn a_consent_should_keep_its_json() {
	check(ConsentView::from(consent()), include_str!("golden/consent.json"));
}

#[test]
fn a_trace_should_keep_its_json() {
	check(TraceView::from(trace(ID, record())), include_str!("golden/trace.json"));
}

#[test]
fn a_reward_should_keep_its_json() {
	check(RewardView::from(reward()), include_str!("golden/reward.json"));
}

#[test]
fn network_stats_should_keep_their_json() {
	check(NetworkStatsView::from(stats()), include_str!("golden/network.json"));
}

#[test]
fn network_stats_of_an_idle_network_should_have_no_ratios() {
	let view = serde_json::to_value(NetworkStatsView::from(NetworkStats::default())).unwrap();
	assert_eq!(view["inferences"], "0");
	for ratio in ["joulesPerToken", "measuredShare", "measuredTokenShare"] {
		assert_eq!(view.get(ratio), Some(&Value::Null), "{ratio}");
	}
}

#[test]
fn the_largest_numbers_should_stay_exact() {
	let mut record = record();
	record.price = u128::MAX;
	record.epoch = u64::MAX;
	record.body.energy_mj = u64::MAX;
	let view = RecordView::new(ID, record);
	let text = serde_json::to_value(&view).unwrap();
	assert_eq!(text["price"], "340282366920938463463374607431768211455");
	assert_eq!(text["epoch"], "18446744073709551615");
	assert_eq!(text["energyMj"], "18446744073709551615");
	assert_eq!(serde_json::from_value::<RecordView>(text).unwrap(), view);
}

#[test]
fn every_stage_should_show_whether_it_signed() {
	let mut record = entry(9, 1, &[1; 32]);
	record.signed_stages = 0x8000_0001;
	let view = RecordView::new(ID, record);
	let signed: Vec<_> = (0..32).filter(|index| view.stages[*index].signed).collect();
	assert_eq!(signed, [0, 31]);
}

#[test]
fn kinds_should_have_snake_case_names() {
	let mut record = record();
	let cases = [
		(FinishReason::Length, "length", EnergySource::Powermetrics, "powermetrics"),
		(FinishReason::Cancelled, "cancelled", EnergySource::Meter, "meter"),
	];
	for (reason, reason_name, source, source_name) in cases {
		record.body.finish_reason = reason;
		record.body.stages[0].energy_source = source;
		let view = serde_json::to_value(RecordView::new(ID, record.clone())).unwrap();
		assert_eq!(view["finishReason"], reason_name);
		assert_eq!(view["stages"][0]["energySource"], source_name);
	}
}

#[test]
fn every_audit_status_should_have_its_json() {
	let decided = |verdict| AuditStatus::Decided { verdict, at: 9 };
	let cases = [
		(AuditStatus::Pending { draw_epoch: 7 }, json!({ "status": "pending", "drawEpoch": "7" })),
		(AuditStatus::NotDrawn, json!({ "status": "not_drawn" })),
		(AuditStatus::Drawn { at: 9 }, json!({ "status": "drawn", "at": 9 })),
		(AuditStatus::Unaudited, json!({ "status": "unaudited" })),
		(decided(Verdict::Passed), json!({ "status": "passed", "at": 9 })),
		(decided(Verdict::Failed { stage: 1 }), json!({ "status": "failed", "stage": 1, "at": 9 })),
		(decided(Verdict::Silent), json!({ "status": "silent", "at": 9 })),
	];
	for (status, wanted) in cases {
		let view = AuditView::from(status);
		assert_eq!(serde_json::to_value(&view).unwrap(), wanted);
		assert_eq!(serde_json::from_value::<AuditView>(wanted).unwrap(), view);
	}
}

#[test]
fn a_superseded_consent_should_say_when() {
	let consent = ConsentVersion { superseded_at: Some(12), ..consent() };
	assert_eq!(serde_json::to_value(ConsentView::from(consent)).unwrap()["supersededAt"], 12);
}

#[test]
fn a_proof_should_be_hex() {
	let view = ProofView {
		block_hash: ID,
		block_number: 3,
		storage_key: vec![0x0au8].into(),
		proof: vec![vec![0x01u8, 0xff].into(), Vec::<u8>::new().into()],
		value: vec![0x00u8].into(),
		past: None,
	};
	let wanted = json!({
		"blockHash": ID,
		"blockNumber": 3,
		"storageKey": "0x0a",
		"proof": ["0x01ff", "0x"],
		"value": "0x00",
		"past": null,
	});
	assert_eq!(serde_json::to_value(&view).unwrap(), wanted);

	let past = PastView {
		block_hash: ID,
		block_number: 9,
		leaf: vec![0x07u8].into(),
		items: vec![ID],
		record_index: 0,
		record_count: 2,
		record_path: vec![ID],
	};
	let wanted = json!({
		"blockHash": ID,
		"blockNumber": 9,
		"leaf": "0x07",
		"items": [ID],
		"recordIndex": 0,
		"recordCount": 2,
		"recordPath": [ID],
	});
	let view = ProofView { past: Some(past), ..view };
	assert_eq!(serde_json::to_value(view).unwrap()["past"], wanted);
}
