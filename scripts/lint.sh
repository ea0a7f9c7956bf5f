#!/usr/bin/env bash
# clippy on all that compiles, then licences, sources and advisories of the dependencies.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$ARIA_ROOT"

if ! cargo clippy --version >/dev/null 2>&1; then
	step "clippy: missing, trying rustup component add clippy"
	rustup_tries rustup-clippy 300 component add clippy ||
		fail "clippy is missing and rustup could not add it: run \`rustup component add clippy\` where it can."
fi
step "clippy: all targets, warnings are errors"
cargo clippy --release --locked --workspace --all-targets -- -D warnings ||
	fail "clippy found something: the lines above say what and where."

if ! cargo deny --version >/dev/null 2>&1; then
	step "deny: NOT CHECKED, for cargo-deny is missing: \`cargo install --locked cargo-deny\` brings it"
	exit 0
fi
step "deny: licences, bans, sources"
cargo deny --locked check licenses bans sources ||
	fail "A dependency breaks a rule of deny.toml: the lines above name it."
if logged deny-fetch timeout 120 cargo deny --locked fetch db; then
	step "deny: advisories"
	cargo deny --locked --offline check advisories ||
		fail "A dependency has an advisory: update it, or note in deny.toml why it does no harm here."
else
	step "deny: advisories NOT CHECKED, for their database can't be had without a network"
fi
