//! Bytes as a manifest: raw, or patches of a valid one.
#![no_main]

#[path = "../../tests/package_support/mod.rs"]
mod support;

use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;

static BASE: OnceLock<support::Base> = OnceLock::new();

fuzz_target!(|data: &[u8]| {
	support::fuzz_manifest(BASE.get_or_init(support::Base::new), data);
});
