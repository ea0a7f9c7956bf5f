#!/usr/bin/env bash
# The engine's tests of equality, compiled for AArch64 and run by qemu: the NEON kernels have to give
# the bits of the scalar one, and all of them those of other processors. Where the tools for that
# can't be had, it says so and is skipped.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$ARIA_ROOT"
. scripts/rust-src.sh

TARGET=aarch64-unknown-linux-gnu
GNU=aarch64-linux-gnu
PACKAGES=(gcc-aarch64-linux-gnu g++-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user)
TESTS=(kernels numerics_vectors digest parity equality)
# Emulated instructions are ten times slower or worse: so few of the random cases, a test.
CASES=${ARIA_TEST_CASES:-6}

work=$(mktemp -d)
# shellcheck disable=SC2317,SC2329 # called by the trap
clean_up() {
	rm -rf "$work"
	[[ -z $sources_copied ]] || rm -rf "$sources_copied"
}
trap clean_up EXIT

skip() {
	step "neon: SKIPPED, for $*"
	exit 0
}

# --- compiler and emulator --------------------------------------------------------------------

# Where the emulated programs' loader and libraries are: the first folder that has them.
guest_root() {
	local folder
	for folder in "/usr/$GNU" "$("$GNU-gcc" -print-sysroot)"; do
		if [[ -e $folder/lib/ld-linux-aarch64.so.1 ]]; then
			printf '%s\n' "$folder"
			return 0
		fi
	done
	return 1
}

# emulation_works: whether what the cross compiler makes runs here; sets the command `emulator`.
emulation_works() {
	local qemu root
	if ! have "$GNU-gcc" || ! have "$GNU-g++"; then return 1; fi
	root=$(guest_root) || return 1
	qemu=$(command -v qemu-aarch64 || command -v qemu-aarch64-static) || return 1
	emulator=("$qemu" -cpu max -L "$root")
	printf '#include <cstdio>\nint main() { return std::puts("runs") < 0; }\n' >"$work/probe.cc"
	"$GNU-g++" -o "$work/probe" "$work/probe.cc" >/dev/null 2>&1 || return 1
	[[ $("${emulator[@]}" "$work/probe" 2>/dev/null) == runs ]]
}

install_tools() {
	local names=${PACKAGES[*]} root=()
	if ! have apt-get; then
		skip "a cross compiler or qemu is missing: install what brings $GNU-gcc, $GNU-g++ with their C library, and qemu-aarch64."
	fi
	if [[ $(id -u) != 0 ]]; then
		sudo -n true >/dev/null 2>&1 ||
			skip "Debian packages are missing, and there is neither root nor a sudo without password to install them: run \`sudo apt-get install $names\`."
		root=(sudo -n)
	fi
	local apt=(${root[@]+"${root[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300)
	step "neon: installing $names"
	logged neon-update "${apt[@]}" update ||
		step "neon: apt-get update failed, going on with the lists that are here"
	logged neon-install "${apt[@]}" install -y --no-install-recommends "${PACKAGES[@]}" ||
		skip "apt-get could not install $names: the lines above say why."
	hash -r
}

# --- Rust's standard library ------------------------------------------------------------------

# Whether rustc has the target's standard library, and one of its own version.
std_works() {
	printf 'pub fn probe() -> String { String::new() }\n' |
		rustc --target "$TARGET" --crate-type lib --emit=metadata -o "$work/probe.rmeta" - >/dev/null 2>&1
}

# Installs it, or notes in `std` how cargo builds it.
prepare_std() {
	local rustlib
	if ! have rustup; then
		step "neon: no rustup to install $TARGET"
	else
		step "neon: rustup target add $TARGET"
		if rustup_tries neon-target 300 target add "$TARGET" && std_works; then
			return 0
		fi
	fi
	rustlib=$(rustc --print sysroot)/lib/rustlib
	[[ -w $rustlib ]] ||
		skip "Rust's standard library for $TARGET is missing and $rustlib is not yours to write to: run \`rustup target add $TARGET\` as its owner."
	lock_toolchain "$rustlib"
	put_sources neon "$rustlib" "$work" || {
		tail -n 20 "$work/apt.log" >&2 2>/dev/null || true
		skip "Rust's standard library for $TARGET is missing, rustup can't fetch it, and $sources_missing: run \`rustup target add $TARGET\` with a network."
	}
	[[ -f $rustlib/src/rust/library/Cargo.lock ]] ||
		skip "Rust's standard library for $TARGET is missing, rustup can't fetch it, and its sources in $rustlib/src/rust/library lack their Cargo.lock: run \`rustup target add $TARGET\` with a network."
	step "neon: cargo builds the standard library from rust-src"
	std=(-Zbuild-std=std,panic_unwind,test)
	export RUSTC_BOOTSTRAP=1
}

# --- build and run ----------------------------------------------------------------------------

build_tests() {
	step "neon: compiling for $TARGET, into $CARGO_TARGET_DIR"
	"${cargo[@]}" --no-run && return 0
	# Every crate for the target waits for the whole standard library, of which `test` is the last.
	if ((${#std[@]})) && ! compgen -G "$CARGO_TARGET_DIR/$TARGET/release/deps/libtest-*.rlib" >/dev/null; then
		skip "Rust's standard library did not compile from rust-src: the lines above say why; or run \`rustup target add $TARGET\` with a network."
	fi
	fail "The engine's tests did not compile for $TARGET: the compiler's errors are above."
}

run_tests() {
	local log=$ARIA_LOGS/neon.log status=0 passed failed
	mkdir -p "$ARIA_LOGS"
	step "neon: ${TESTS[*]}, under qemu; random cases: $CASES a test"
	# The digest's test fails if one of these kernels does not run.
	ARIA_TEST_KERNELS="neon-dotprod neon scalar" ARIA_TEST_CASES=$CASES \
		"${cargo[@]}" --no-fail-fast 2>&1 | tee "$log" || status=$?
	read -r passed failed < <(awk '
		/^test result:/ {
			for (i = 2; i <= NF; i++) {
				if ($i == "passed;") passed += $(i - 1)
				if ($i == "failed;") failed += $(i - 1)
			}
		}
		END { print passed + 0, failed + 0 }' "$log")
	printf 'neon: %d passed, %d failed\n' "$passed" "$failed"
	if ((status != 0 && failed == 0)); then
		fail "The tests did not get to their end under qemu: the error is above, and in $log."
	elif ((status != 0)); then
		fail "$failed tests failed on AArch64: their names are above, and in $log."
	elif ((passed == 0)); then
		fail "No test was run under qemu: see $log."
	fi
}

# --- main -------------------------------------------------------------------------------------

case $(uname -sm) in
"Linux aarch64") skip "this machine is an AArch64 itself: \`make test\` runs the same tests on it." ;;
Linux*) ;;
*) skip "qemu runs programs of another processor on Linux only." ;;
esac

emulator=()
if ! emulation_works; then
	install_tools
	emulation_works ||
		skip "a program that $GNU-g++ made does not run under qemu-aarch64, though the packages are here: ${PACKAGES[*]}."
fi

# The settings of this machine's own builds are not for another processor.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_TARGET CFLAGS CXXFLAGS
export CARGO_TARGET_DIR=$CARGO_TARGET_DIR/neon
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=$GNU-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="${emulator[*]}"
export CC_aarch64_unknown_linux_gnu=$GNU-gcc
export CXX_aarch64_unknown_linux_gnu=$GNU-g++
export AR_aarch64_unknown_linux_gnu=$GNU-ar
[[ ! -t 1 ]] || export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-always}

std=()
std_works || prepare_std
cargo=(cargo test ${std[@]+"${std[@]}"} --release --locked -p aria-engine --target "$TARGET" "${TESTS[@]/#/--test=}")
build_tests
run_tests
