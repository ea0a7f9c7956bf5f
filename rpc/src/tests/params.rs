//! Parameters, good and bad.

use crate::{
	params::{account, hash, Filter, Page, PageParams, RecordFilter},
	tests::mock::{entry, node},
	Error, DEFAULT_LIMIT, MAX_LIMIT,
};
use serde_json::{json, Value};
use sp_core::H256;

const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
const ALICE_KEY: &str = "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d";
const ALICE_ON_POLKADOT: &str = "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5";

fn page(params: Value) -> Result<Page, Error> {
	Page::parse(serde_json::from_value::<Option<PageParams>>(params).unwrap())
}

#[test]
fn pages_should_have_defaults() {
	for params in [Value::Null, json!({}), json!({ "after": null, "limit": null })] {
		assert_eq!(page(params).unwrap(), Page { after: None, limit: DEFAULT_LIMIT });
	}
}

#[test]
fn pages_should_take_every_length_that_is_served() {
	for limit in [1, 2, 999, MAX_LIMIT] {
		assert_eq!(page(json!({ "limit": limit })).unwrap().limit, limit);
	}
}

#[test]
fn pages_should_refuse_any_other_length() {
	let limits = [
		json!(0),
		json!(1_001),
		json!(u32::MAX),
		json!(1u64 << 32),
		json!((1u64 << 32) + 1),
		json!(u64::MAX),
		json!(1e30),
		json!(-1),
		json!(2.5),
		json!("10"),
		json!(true),
		json!([10]),
	];
	for limit in limits {
		let error = page(json!({ "limit": limit.clone() })).unwrap_err();
		assert!(matches!(error, Error::InvalidPageSize { .. }), "{limit}: {error}");
	}
}

#[test]
fn pages_should_begin_after_a_record_only() {
	let after = H256::repeat_byte(7);
	assert_eq!(page(json!({ "after": after })).unwrap().after, Some(after));
	assert!(matches!(
		page(json!({ "after": "0x07" })).unwrap_err(),
		Error::InvalidHash { parameter: "page.after", .. }
	));
	assert!(serde_json::from_value::<PageParams>(json!({ "offset": 3 })).is_err());
}

#[test]
fn hashes_should_be_64_digits_with_or_without_prefix() {
	let digits = "0123456789abcdefABCDEF9876543210".repeat(2);
	let value = hash("id", &digits).unwrap();
	assert_eq!(hash("id", &format!("0x{digits}")).unwrap(), value);
	assert_eq!(value.as_bytes()[..3], [0x01, 0x23, 0x45]);
}

#[test]
fn hashes_should_be_refused_otherwise() {
	let digits = "00".repeat(32);
	let bad = [
		String::new(),
		"0x".into(),
		"0x00".into(),
		digits[1..].into(),
		format!("{digits}0"),
		format!("{digits}00"),
		format!("0X{digits}"),
		format!("0x0x{digits}"),
		format!(" {digits}"),
		format!("{}zz", &digits[2..]),
		format!("{}é", &digits[2..]),
		"\u{1F600}".repeat(200),
	];
	for text in bad {
		let error = hash("id", &text).unwrap_err();
		let Error::InvalidHash { parameter: "id", got } = &error else { panic!("{error}") };
		assert!(got.chars().count() <= 83, "{got}");
	}
}

#[test]
fn accounts_should_be_addresses_or_keys() {
	let alice = account("account", ALICE).unwrap();
	assert_eq!(account("account", ALICE_KEY).unwrap(), alice);
	assert_eq!(account("account", &format!("0x{ALICE_KEY}")).unwrap(), alice);
	assert_eq!(account("account", ALICE_ON_POLKADOT).unwrap(), alice);
}

#[test]
fn accounts_should_be_refused_otherwise() {
	let mistyped = ALICE.replace("utQY", "utQZ");
	let longer = format!("{ALICE}x");
	let endless = "5".repeat(1_000_000);
	let bad = [
		"",
		"0x",
		"alice",
		"0xd43593",
		mistyped.as_str(),
		&ALICE[1..],
		longer.as_str(),
		endless.as_str(),
	];
	for text in bad {
		let error = account("account", text).unwrap_err();
		assert!(matches!(error, Error::InvalidAccount { .. }), "{text}: {error}");
	}
}

#[test]
fn filters_should_accept_what_meets_all_their_parts() {
	let record = entry(1, 1, &[1, 2]);
	let filter = |model: Option<u8>, worker: Option<u8>| Filter {
		model_id: model.map(H256::repeat_byte),
		node: worker.map(node),
	};
	assert!(filter(None, None).accepts(&record));
	assert!(filter(Some(1), None).accepts(&record));
	assert!(filter(None, Some(2)).accepts(&record));
	assert!(filter(Some(1), Some(1)).accepts(&record));
	assert!(!filter(Some(2), None).accepts(&record));
	assert!(!filter(None, Some(3)).accepts(&record));
	assert!(!filter(Some(2), Some(1)).accepts(&record));
}

#[test]
fn filters_should_be_parsed() {
	let parse = |params: Value| {
		Filter::parse(serde_json::from_value::<Option<RecordFilter>>(params).unwrap())
	};
	assert_eq!(parse(Value::Null).unwrap(), Filter::default());
	let model = H256::repeat_byte(9);
	assert_eq!(
		parse(json!({ "modelId": model, "node": ALICE })).unwrap(),
		Filter { model_id: Some(model), node: Some(account("node", ALICE).unwrap()) }
	);
	assert!(matches!(
		parse(json!({ "modelId": "x" })).unwrap_err(),
		Error::InvalidHash { parameter: "filter.modelId", .. }
	));
	assert!(matches!(
		parse(json!({ "node": "x" })).unwrap_err(),
		Error::InvalidAccount { parameter: "filter.node", .. }
	));
	assert!(serde_json::from_value::<RecordFilter>(json!({ "model": model })).is_err());
}
