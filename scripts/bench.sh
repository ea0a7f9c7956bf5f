#!/usr/bin/env bash
# Settled records a second, what binds, and whether the heaviest blocks execute in time. Arguments
# go to aria-throughput: `scripts/bench.sh --runs 15 --place /mnt/disk`.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$ARIA_ROOT"

throughput=$CARGO_TARGET_DIR/release/aria-throughput
[[ -x $throughput ]] || fail "aria-throughput is not built: run \`make build\`, or \`make bench\`, which does that first."

mkdir -p "$ARIA_LOGS"
step "bench: full blocks, executed and imported (leave the machine alone meanwhile)"
"$throughput" --json "$ARIA_LOGS/bench.json" "$@" ||
	fail "The benchmark did not pass: its last lines above say why."
step "bench: the same as JSON in $ARIA_LOGS/bench.json"
