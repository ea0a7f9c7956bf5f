#!/usr/bin/env bash
# Makes sure that rustc can compile for wasm32v1-none, the runtime's target: through rustup, and
# where rustup can't fetch it, by building core and alloc from the sources in Debian's rust-src.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$ARIA_ROOT"
. scripts/rust-src.sh

TARGET=wasm32v1-none

sysroot=$(rustc --print sysroot) || fail "rustc does not start: run scripts/setup.sh, which says what it lacks."
rustlib=$sysroot/lib/rustlib
# Marks a target folder as built here, so that only such a one is ever replaced.
stamp=$rustlib/$TARGET/built-from-rust-src

work=$(mktemp -d)
# shellcheck disable=SC2317,SC2329 # called by the trap
clean_up() {
	rm -rf "$work"
	[[ -z $sources_copied ]] || rm -rf "$sources_copied"
}
trap clean_up EXIT

# Whether the installed target serves this very rustc: it refuses one that another version built.
target_works() {
	printf '#![no_std]\nextern crate alloc;\n' |
		rustc --target "$TARGET" --crate-type lib --emit=metadata -o "$work/probe.rmeta" - >/dev/null 2>&1
}

done_with() {
	printf '==> %-10s %s\n' wasm "$TARGET $1"
	exit 0
}

# --- the build --------------------------------------------------------------------------------

build_target() {
	local cargo=$sysroot/bin/cargo new=$work/$TARGET
	[[ -x $cargo ]] || cargo=$(command -v cargo)
	mkdir -p "$work/crate/src" "$new/lib"
	printf '[package]\nname = "wasm-target"\nversion = "0.0.0"\nedition = "2021"\n\n[workspace]\n' >"$work/crate/Cargo.toml"
	printf '#![no_std]\n' >"$work/crate/src/lib.rs"
	step "wasm: building core and alloc for $TARGET, about 20 seconds"
	# With bitcode, or the runtime's link-time optimisation finds none in these libraries. In its own
	# folder, where neither this workspace's settings nor its target folder reach.
	(
		cd "$work/crate"
		unset CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_TARGET CARGO_BUILD_TARGET_DIR CARGO_TARGET_DIR
		RUSTC=$sysroot/bin/rustc RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Cembed-bitcode=yes \
			logged wasm-target "$cargo" build --release -Zbuild-std=core,alloc \
			--target "$TARGET" --target-dir "$work/target"
	) || fail "core and alloc did not compile for $TARGET (the lines above say why): run \`rustup target add $TARGET\` with a network."

	cp "$work/target/$TARGET/release/deps"/lib{core,alloc,compiler_builtins}-*.rlib "$new/lib/"
	rustc --version >"$new/${stamp##*/}"
	rm -rf "${rustlib:?}/$TARGET"
	cp -r "$new" "$rustlib/$TARGET"
}

# --- main -------------------------------------------------------------------------------------

if target_works; then
	done_with "is here"
fi

if [[ ! -w $rustlib ]]; then
	fail "The target $TARGET is missing and $rustlib is not yours to write to: run \`rustup target add $TARGET\` as its owner."
fi

# Two builds that start together on one machine would write into one toolchain.
lock_toolchain "$rustlib"
if target_works; then
	done_with "is here"
fi

# A leftover of this script for an older rustc; rustup refuses to install over it.
if [[ -f $stamp ]]; then
	rm -rf "${rustlib:?}/$TARGET"
fi

if have rustup; then
	step "wasm: rustup target add $TARGET"
	if rustup_tries rustup-target 120 target add "$TARGET" && target_works; then
		done_with "was installed by rustup"
	fi
	step "wasm: rustup could not install $TARGET, so it is built from Debian's rust-src"
else
	step "wasm: no rustup to install $TARGET, so it is built from Debian's rust-src"
fi

put_sources wasm "$rustlib" "$work" || {
	tail -n 20 "$work/apt.log" >&2 2>/dev/null || true
	fail "The target $TARGET is missing, rustup can't fetch it, and $sources_missing: run \`rustup target add $TARGET\` with a network, or unpack the sources of Rust's standard library into $rustlib/src/rust/library."
}
build_target
target_works || fail "The target $TARGET was built but rustc still does not take it: run \`rustup target add $TARGET\` with a network."
done_with "was built from rust-src"
