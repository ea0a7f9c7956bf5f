#!/usr/bin/env bash
# Runs the runtime's benchmarks and writes pallets/*/src/weights.rs. Arguments go to aria-weights:
# `scripts/weights.sh --pallet consent-registry`, `scripts/weights.sh --check`.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$ARIA_ROOT"

# The command of `make build`, because another selection of packages would build the dependencies
# again with other features.
step "weights: building the runner"
cargo build --release --locked --workspace --bins --examples ||
	fail "The build failed: the compiler's errors are above."

# The runtime with its benchmarks, for wasm alone and as substrate-wasm-builder would build it: the
# same flags and profile, in the same folder, so that what has no benchmarks is not built again. A
# native build with the feature would build everything again.
builder=$CARGO_TARGET_DIR/release/wbuild
project=$builder/aria-runtime-benchmarks
wasm=$builder/aria-runtime/target/wasm32v1-none/release/aria_runtime_benchmarks.wasm

# put FILE: writes what comes in, unless the file says that already; a newer file is built again.
put() {
	local new
	new=$(cat)
	[[ -f $1 && $(<"$1") == "$new" ]] || printf '%s\n' "$new" >"$1"
}

mkdir -p "$project/src"
put "$project/src/lib.rs" <<'EOF'
#![no_std]
#![allow(unused_imports)]
pub use measured::*;
EOF
put "$project/Cargo.toml" <<EOF
[package]
name = "aria-runtime-benchmarks"
version = "1.0.0"
edition = "2021"

[lib]
name = "aria_runtime_benchmarks"
crate-type = ["cdylib"]

[dependencies.measured]
package = "aria-runtime"
path = "$ARIA_ROOT/runtime"
default-features = false
features = ["runtime-benchmarks"]

[profile.release]
lto = "thin"
panic = "abort"

[workspace]
resolver = "2"
EOF
cp Cargo.lock "$project/Cargo.lock"

step "weights: building the runtime with its benchmarks"
env -u CARGO_ENCODED_RUSTFLAGS CARGO_TARGET_DIR="$builder/aria-runtime/target" \
	RUSTFLAGS="-C link-arg=--export-table -C link-arg=--export=__heap_base -C link-arg=--import-memory --cfg substrate_runtime" \
	cargo build --release --target wasm32v1-none --manifest-path "$project/Cargo.toml" ||
	fail "The runtime does not build with its benchmarks: the compiler's errors are above."

step "weights: running the benchmarks (leave the machine alone meanwhile)"
"$CARGO_TARGET_DIR/release/aria-weights" --runtime "$wasm" --out pallets "$@" ||
	fail "The benchmarks did not all run: their errors are above."
