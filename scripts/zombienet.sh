#!/usr/bin/env bash
# Four validators on this machine, one of which is killed and started again (zombienet/).
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$ARIA_ROOT"
. scripts/npm.sh

bin=$CARGO_TARGET_DIR/release
[[ -x $bin/aria-node ]] || fail "There is no $bin/aria-node: run \`make build\`."
have ps || fail "zombienet watches its nodes with ps, which is missing: install Debian's package procps."
node_at_least 18.0 zombienet
npm_ready zombienet

work=$(mktemp -d "${TMPDIR:-/tmp}/aria-zombienet.XXXXXX")
log=$ARIA_LOGS/zombienet.log
mkdir -p "$ARIA_LOGS"
runner=

# Ends zombienet and its nodes, which share a process group of their own.
cleanup() {
	local status=$?
	trap - EXIT
	if [[ -n $runner ]] && kill -0 -- "-$runner" 2>/dev/null; then
		kill -TERM -- "-$runner" 2>/dev/null || true
		for _ in {1..50}; do
			kill -0 -- "-$runner" 2>/dev/null || break
			sleep 0.2
		done
		kill -KILL -- "-$runner" 2>/dev/null || true
	fi
	if ((status != 0)); then
		rm -rf "$ARIA_LOGS/zombienet"
		mkdir -p "$ARIA_LOGS/zombienet"
		cp "$work"/network/*.log "$ARIA_LOGS/zombienet/" 2>/dev/null || true
	fi
	rm -rf "$work"
	exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Only the outcome of each step is worth a line; the rest is in the log.
outcomes() {
	local line
	while IFS= read -r line; do
		case $line in
		*✅* | *❌* | *finalised*blocks* | *has\ block*)
			sed -E 's/\x1b\[[0-9;]*m//g; s/[│║┃]//g; s/^[[:space:]]+//; s/[[:space:]]+/ /g' <<<"    $line"
			;;
		esac
	done
}

run_zombienet() {
	# Without these, which a CI may set for other ends, it would look for its nodes in a cluster.
	env -u RUN_IN_CONTAINER -u ZOMBIENET_IMAGE -u ZOMBIE_NAMESPACE PATH="$bin:$PATH" \
		zombienet/node_modules/.bin/zombienet --provider native --logType text --dir "$work/network" \
		test zombienet/restart.zndsl </dev/null 2>&1 | tee "$log" | outcomes
}

step "zombienet: four validators; it takes about four minutes, and writes to $log"
set -m
run_zombienet &
runner=$!
set +m
status=0
wait "$runner" || status=$?

if ((status != 0)); then
	tail -n 30 "$log" >&2
	printf 'zombienet: FAIL\n'
	fail "A step failed: the end of $log is above, and the nodes' logs are in $ARIA_LOGS/zombienet."
fi
printf 'zombienet: PASS\n'
