#!/usr/bin/env bash
# Rehearses the upgrade from the previous runtime (e2e/fixtures) to this one: on a real node, then with
# the checks of the feature `try-runtime` on the states that the node had before and after.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$ARIA_ROOT"

compgen -G 'e2e/fixtures/runtime-*.wasm' >/dev/null ||
	fail "The previous runtime is missing: run \`scripts/previous-runtime.sh\`."
states=$ARIA_CACHE/upgrade-states
rm -rf "$states"
mkdir -p "$states"
export ARIA_UPGRADE_STATES=$states

step "rehearsal: a real node, from the previous runtime to this one; about four minutes"
cargo test --release --locked --workspace --test upgrade -- --include-ignored ||
	fail "The upgrade failed on a real node: the test above says where."

# Without a wasm: only the native runtime is asked, and one with these checks is for nobody to run.
step "rehearsal: its states, with the checks of try-runtime; the first build takes minutes"
SKIP_WASM_BUILD=1 cargo test --release --locked -p aria-runtime --features try-runtime --test it -- \
	--include-ignored upgrade ||
	fail "A check of the upgrade failed: the test above names it. The states are in $states."
step "rehearsal: done; the states are in $states"
