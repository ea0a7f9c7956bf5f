//! One changed file in a valid package, opened, read and verified.
#![no_main]

#[path = "../../tests/package_support/mod.rs"]
mod support;

use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;

static BASE: OnceLock<support::Base> = OnceLock::new();

fuzz_target!(|data: &[u8]| {
	support::fuzz_package(BASE.get_or_init(support::Base::new), data);
});
