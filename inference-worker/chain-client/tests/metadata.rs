//! The committed metadata is that of the runtime in this repository.

#![allow(clippy::unwrap_used)]

use aria_runtime::Runtime;
use codec::{Decode, Encode};
use std::{env, fs, path::PathBuf};

/// The version of the metadata that is committed.
const VERSION: u32 = 15;

fn path() -> PathBuf {
	PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("metadata.scale")
}

/// The runtime's metadata over an empty state: some constants are values of the genesis.
fn of_runtime() -> Vec<u8> {
	let metadata = sp_io::TestExternalities::default()
		.execute_with(|| Runtime::metadata_at_version(VERSION))
		.unwrap();
	// The bytes lie within bytes, with their length before them.
	Vec::<u8>::decode(&mut metadata.encode().as_slice()).unwrap()
}

#[test]
fn the_committed_metadata_should_be_that_of_the_runtime() {
	let expected = of_runtime();
	if env::var_os("ARIA_UPDATE").is_some_and(|value| value == "1") {
		fs::write(path(), &expected).unwrap();
		return;
	}

	let committed = fs::read(path()).unwrap();

	assert!(
		committed == expected,
		"metadata.scale ({} bytes) is not the metadata of the runtime ({} bytes). If the runtime was \
		 meant to change, run `ARIA_UPDATE=1 cargo test -p aria-chain-client --test metadata`, then \
		 all tests of this crate",
		committed.len(),
		expected.len(),
	);
}
