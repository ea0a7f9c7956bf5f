//! No header, manifest or length makes opening a package allocate beyond the size of its files.
#![allow(clippy::unwrap_used, clippy::expect_used, unsafe_code)]

mod package_support;

use aria_engine::package::{safetensors::MAX_HEADER, Package, MANIFEST_FILE};
use aria_primitives::manifest::Manifest;
use package_support::{joined, parts, Base};
use std::{
	alloc::{GlobalAlloc, Layout, System},
	sync::atomic::{AtomicUsize, Ordering},
};

/// The system's allocator, which remembers the largest allocation.
struct Watched;

static LARGEST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Watched {
	unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
		LARGEST.fetch_max(layout.size(), Ordering::Relaxed);
		// SAFETY: the caller keeps the promises of `alloc`.
		unsafe { System.alloc(layout) }
	}

	unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
		// SAFETY: the pointer came from `alloc` above, thus from the system's.
		unsafe { System.dealloc(pointer, layout) }
	}
}

#[global_allocator]
static ALLOCATOR: Watched = Watched;

#[test]
fn allocations_should_stay_below_the_files() {
	let base = Base::new();
	let shard = "shard-001.safetensors";
	let (json, data) = parts(&base.files[shard]);
	let changed = |change: fn(&mut Manifest)| {
		let mut manifest = base.package.manifest.clone();
		change(&mut manifest);
		(MANIFEST_FILE, manifest.to_bytes())
	};
	let length = |length: u64| [&length.to_le_bytes()[..], json.as_bytes(), &data[..]].concat();
	let filled = |unit: &str| {
		let json =
			format!("{{\"__metadata__\":{{\"\":\"{}", unit.repeat(MAX_HEADER / unit.len() - 99));
		joined(json.as_bytes(), &data)
	};
	let cases = [
		changed(|m| (m.vocab, m.hidden) = (1 << 20, 1 << 17)),
		changed(|m| m.feed_forward = 1 << 20),
		changed(|m| m.layers = 512),
		// Behind bos, a list of eos that says it has 2^30 - 1 tokens.
		(MANIFEST_FILE, [&base.files[MANIFEST_FILE][..45], &[0xFE, 0xFF, 0xFF, 0xFF][..]].concat()),
		(MANIFEST_FILE, vec![0xFF; 16_384]),
		(shard, length(1 << 63)),
		(shard, length(u64::MAX)),
		(shard, length(MAX_HEADER as u64)),
		(shard, filled("a")),
		(shard, filled("\\u0041")),
		(shard, joined(format!("{{\"a\":{}", "[".repeat(200_000)).as_bytes(), &data)),
		(shard, joined(json.replace("[132,", "[9223372036854775807,").as_bytes(), &data)),
	];
	for (name, bytes) in cases {
		let size = bytes.len();
		let mut files = base.files.clone();
		files.insert(name.to_owned(), bytes);
		let most = files.values().map(Vec::len).max().unwrap();
		LARGEST.store(0, Ordering::Relaxed);
		let result = Package::from_memory(files);
		let largest = LARGEST.load(Ordering::Relaxed);
		assert!(result.is_err(), "{name} of {size} bytes is accepted");
		// A string may grow to twice what it holds; 64 KiB for lists of at most 448 tensors.
		assert!(largest <= 2 * most + 65_536, "{largest} bytes for {name} of {size}");
	}
}
