//! Codes and names of errors, which never change.

use crate::{chain::ChainError, tests::mock::node, Error};
use jsonrpsee::types::ErrorObjectOwned;
use sp_core::H256;

fn all() -> Vec<(Error, i32, &'static str)> {
	let hash = H256::repeat_byte(1);
	vec![
		(Error::InvalidHash { parameter: "id", got: "\"x\"".into() }, 7001, "InvalidHash"),
		(Error::UnknownRecord { id: hash, at: hash }, 7002, "UnknownRecord"),
		(Error::InvalidPageSize { got: "0".into() }, 7003, "InvalidPageSize"),
		(Error::InvalidAccount { parameter: "node", got: "5".into() }, 7004, "InvalidAccount"),
		(Error::UnknownBlock(hash), 7005, "UnknownBlock"),
		(Error::DiscardedState(hash), 7005, "UnknownBlock"),
		(Error::unknown_consent(&node(1), None), 7006, "UnknownConsent"),
		(Error::no_work(&node(1), 3), 7007, "NoWorkInEra"),
		(Error::still_indexing(Some(3), 9), 7008, "IndexUnavailable"),
		(Error::Runtime("it is gone".into()), 7009, "Runtime"),
		(Error::UnknownCursor(hash), 7010, "UnknownCursor"),
		(Error::Busy("it serves other subscribers"), 7011, "Busy"),
		(Error::RecordPruned { id: hash, settled_at: 7 }, 7012, "RecordPruned"),
	]
}

#[test]
fn errors_should_keep_their_codes_and_names() {
	for (error, code, name) in all() {
		let object = ErrorObjectOwned::from(error.clone());
		assert_eq!(object.code(), code, "{error}");
		assert_eq!(object.message(), error.to_string());
		assert_eq!(object.data().map(|data| data.get().to_owned()), Some(format!("\"{name}\"")));
	}
}

#[test]
fn errors_should_name_whole_hashes_and_accounts() {
	let id = H256::repeat_byte(0xab);
	let message = Error::UnknownRecord { id, at: id }.to_string();
	assert!(message.contains(&"ab".repeat(32)), "{message}");

	let message = Error::unknown_consent(&node(1), Some(4)).to_string();
	assert!(message.contains("5C62Ck4UrFPiBtoCmeSrgF7x9yv9mn38446dhCpsi2mLHiFT"), "{message}");
	assert!(message.contains("version 4"), "{message}");
}

#[test]
fn failed_reads_should_tell_a_discarded_state_from_the_rest() {
	let at = H256::repeat_byte(1);
	assert_eq!(Error::reading(at)(ChainError::NoState), Error::DiscardedState(at));
	assert_eq!(Error::reading(at)(ChainError::Failed("why".into())), Error::Runtime("why".into()));
}

#[test]
fn an_index_that_is_filled_should_say_how_far_it_is() {
	let texts = [(None, 9, "empty"), (Some(3), 9, "block 3 of 9"), (Some(9), 9, "discarded")];
	for (indexed, finalized, text) in texts {
		let message = Error::still_indexing(indexed, finalized).to_string();
		assert!(message.contains(text), "{message}");
	}
}
