# shellcheck shell=bash
# What the Makefile and every script agree on: folders, environment, how a script speaks.
# To be sourced (`. scripts/env.sh`), with or without `set -eu`.

ARIA_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
export ARIA_ROOT

if [[ -z ${HOME:-} ]]; then
	HOME=$(getent passwd "$(id -u)" | cut -d: -f6) || true
	if [[ -z $HOME ]]; then
		printf 'aria: HOME is not set: set it to a folder that you may write to.\n' >&2
		exit 1
	fi
	export HOME
fi

ARIA_CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/aria
ARIA_LOGS=$ARIA_CACHE/logs
export ARIA_CACHE ARIA_LOGS

# One target folder for every clone and every command, outside the work tree: a fresh clone, a CI
# run say, reuses each dependency. Absolute, because scripts change directory and cargo does not know.
CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$ARIA_CACHE/target}
[[ $CARGO_TARGET_DIR == /* ]] || CARGO_TARGET_DIR=$PWD/$CARGO_TARGET_DIR
export CARGO_TARGET_DIR

# The same values, to the letter, as .cargo/config.toml has for a bare `cargo build`: another value
# would make cargo run build scripts again.
export WASM_BUILD_WORKSPACE_HINT=$ARIA_ROOT/
export OPENSSL_NO_VENDOR=1

# Where setup.sh puts a Node.js of its own, if the system's is too old.
ARIA_NODE_DIR=$ARIA_CACHE/node
export ARIA_NODE_DIR
[[ ! -x $ARIA_NODE_DIR/bin/node ]] || export PATH=$ARIA_NODE_DIR/bin:$PATH

aria_bin_dir=${CARGO_HOME:-$HOME/.cargo}/bin
[[ :$PATH: == *:$aria_bin_dir:* || ! -d $aria_bin_dir ]] || export PATH=$aria_bin_dir:$PATH
unset aria_bin_dir

# rustup's proxies look for toolchains below HOME. Under another HOME than the one that they were
# installed with, they find none, though `.rustup` lies beside the `.cargo` that they came from.
if [[ -z ${RUSTUP_HOME:-} && ! -d $HOME/.rustup/toolchains ]] && aria_cargo=$(command -v cargo); then
	aria_prefix=$(dirname "$(dirname "$(dirname "$aria_cargo")")")
	for aria_dir in "$aria_prefix/.rustup" "$aria_prefix/rustup"; do
		if [[ -d $aria_dir/toolchains ]]; then
			export RUSTUP_HOME=$aria_dir
			break
		fi
	done
	unset aria_prefix aria_dir
fi
unset aria_cargo

# step TEXT: one line of progress.
step() {
	printf '==> %s\n' "$*"
}

# fail SENTENCE: what is missing and what to do about it, then the end.
fail() {
	printf 'aria: %s\n' "$*" >&2
	exit 1
}

have() {
	command -v "$1" >/dev/null 2>&1
}

# logged NAME COMMAND...: runs COMMAND with its output in a log, the end of which is shown if it
# fails. Returns its exit status.
logged() {
	local log=$ARIA_LOGS/$1.log status
	shift
	mkdir -p "$ARIA_LOGS"
	"$@" >"$log" 2>&1 </dev/null && return 0
	status=$?
	printf -- '--- the last lines of %s ---\n' "$log" >&2
	tail -n 30 "$log" >&2
	printf -- '---\n' >&2
	return "$status"
}

# rustup_tries NAME SECONDS ARGUMENTS...: rustup under a time limit, for without a network it may hang.
rustup_tries() {
	local name=$1 seconds=$2
	shift 2
	have rustup || return 1
	logged "$name" timeout "$seconds" env RUST_BACKTRACE=0 rustup "$@"
}
