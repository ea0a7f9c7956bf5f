#!/usr/bin/env bash
# Tokens a second of three workers and a gateway, what records cost of it, answers over slow lines, and
# many clients at once. Arguments go to aria-serving-bench, `all` if the first is none of its commands:
# `scripts/bench-serving.sh load --clients 20 --seconds 60`.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$ARIA_ROOT"

bench=$CARGO_TARGET_DIR/release/aria-serving-bench
for program in "$bench" "$CARGO_TARGET_DIR"/release/aria-{node,worker}; do
	[[ -x $program ]] || fail "${program##*/} is not built: run \`make build\`, or \`make bench-serving\`, which does that first."
done

[[ $# -gt 0 && $1 != -* ]] || set -- all "$@"
mkdir -p "$ARIA_LOGS"
run=("$bench" "$@" --json "$ARIA_LOGS/bench-serving.json")
# Peers dial no loopback address, so that the relays of `delay` need another one: that of a network which
# has only this in it, where one can be made.
host=10.99.0.1
if [[ " $* " != *" --host"* ]] && have ip && unshare -rn true 2>/dev/null; then
	run=(unshare -rn bash -euc 'ip link set lo up; ip address add "$0/32" dev lo; exec "$@"' "$host" "${run[@]}" --host "$host")
fi
step "bench-serving: $1 (leave the machine alone meanwhile)"
"${run[@]}" ||
	fail "The benchmark did not pass: its last lines above say why. What was measured is in $ARIA_LOGS/bench-serving.json."
step "bench-serving: the same as JSON in $ARIA_LOGS/bench-serving.json"
