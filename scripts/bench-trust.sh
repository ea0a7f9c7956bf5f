#!/usr/bin/env bash
# What trust costs: the share of computation that goes into audits, their weight, settlement beside them,
# and a search among a million records. Writes docs/benchmarks-trust.md if every part was measured.
#
#   scripts/bench-trust.sh                        all parts
#   scripts/bench-trust.sh find --records 100000  one of them, with arguments of aria-trust-bench
#   scripts/bench-trust.sh settled --blocks 4     settlement, with arguments of aria-throughput
#   scripts/bench-trust.sh table                  the tables of what was measured so far
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$ARIA_ROOT"

bin=$CARGO_TARGET_DIR/release
for program in aria-trust-bench aria-throughput aria-node aria-worker; do
	[[ -x $bin/$program ]] || fail "$program is not built: run \`make build\`, or \`make bench-trust\`, which does that first."
done

mkdir -p "$ARIA_LOGS"
json=$ARIA_LOGS/bench-trust.json
settled=$ARIA_LOGS/bench-trust-settled.json
document=docs/benchmarks-trust.md
# Blocks beside each kind of draws.
blocks=6

# part NAME ARGUMENTS...: measures one part.
part() {
	local name=$1
	shift
	step "bench-trust: $name (leave the machine alone meanwhile)"
	if [[ $name == settled ]]; then
		"$bin/aria-throughput" --audits --json "$settled" "$@"
		set -- "$settled"
	fi
	"$bin/aria-trust-bench" "$name" "$@" --json "$json"
}

case ${1:-all} in
all)
	[[ $# -le 1 ]] || fail "Arguments are those of one part: name it, as in \`scripts/bench-trust.sh find --records 100000\`."
	rm -f "$json"
	# The short ones first: what is wrong with the machine shows early.
	part weights
	part share
	part settled --blocks "$blocks"
	part find
	part run
	step "bench-trust: all of it"
	"$bin/aria-trust-bench" table --json "$json" --document "$document"
	step "bench-trust: written into $document, and as JSON in $json"
	;;
table)
	shift
	"$bin/aria-trust-bench" table --json "$json" "$@"
	;;
weights | share | settled | find | run)
	part "$@"
	;;
*)
	fail "There is no part $1: weights, share, settled, find, run, table, or all."
	;;
esac
