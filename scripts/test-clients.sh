#!/usr/bin/env bash
# Runs the examples of docs/examples against a development chain: @polkadot/api, polkadot-api and
# the verifier of proofs, each as npm has it; smoldot against the chain `local` with its four
# validators; and the tests of scripts/recompute-era.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$ARIA_ROOT"
. scripts/npm.sh
. scripts/local-network.sh

examples=docs/examples
node_bin=$CARGO_TARGET_DIR/release/aria-node
[[ -x $node_bin ]] || fail "There is no $node_bin: run \`make build\`."
node_at_least 20.19 "polkadot-api"
for example in polkadot-js papi smoldot verify-proof; do
	npm_ready "$examples/$example"
done
recompute=scripts/recompute-era
npm_ready "$recompute"

mkdir -p "$ARIA_LOGS"
work=$(mktemp -d "${TMPDIR:-/tmp}/aria-clients.XXXXXX")
node_log=$ARIA_LOGS/clients-node.log
node_pid=

cleanup() {
	local status=$?
	trap - EXIT
	if [[ -n $node_pid ]] && kill -TERM "$node_pid" 2>/dev/null; then
		for _ in {1..50}; do
			kill -0 "$node_pid" 2>/dev/null || break
			sleep 0.2
		done
		kill -KILL "$node_pid" 2>/dev/null || true
	fi
	local_network_ends
	rm -rf "$work"
	exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Two ports of this machine that nobody listens on now.
free_ports() {
	node -e '
		const { createServer } = require("node:net");
		const open = () => new Promise((resolve, reject) => {
			const server = createServer().on("error", reject);
			server.listen(0, "127.0.0.1", () => resolve(server));
		});
		Promise.all([open(), open()]).then((servers) => {
			console.log(servers.map((server) => server.address().port).join(" "));
			servers.forEach((server) => server.close());
		});'
}

# rpc_answers URL: whether a node answers there.
rpc_answers() {
	node -e '
		const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "system_health", params: [] });
		const headers = { "content-type": "application/json" };
		fetch(process.argv[1], { method: "POST", headers, body, signal: AbortSignal.timeout(2000) })
			.then((reply) => reply.json())
			.then(({ result }) => process.exit(result ? 0 : 1))
			.catch(() => process.exit(1));' "$1"
}

# Starts the node, and returns when it answers.
start_node() {
	local ports p2p
	ports=$(free_ports)
	read -r rpc_port p2p <<<"$ports"
	"$node_bin" --dev --base-path "$work/node" --rpc-port "$rpc_port" --no-prometheus --no-telemetry \
		--no-mdns --listen-addr "/ip4/127.0.0.1/tcp/$p2p" >"$node_log" 2>&1 </dev/null &
	node_pid=$!
	for _ in {1..120}; do
		kill -0 "$node_pid" 2>/dev/null || break
		rpc_answers "http://127.0.0.1:$rpc_port" && return 0
		sleep 0.3
	done
	tail -n 30 "$node_log" >&2
	fail "The development node did not come up: the end of $node_log is above."
}

passed=0
failed=0

# check NAME COMMAND...: one test; its output is in a log, the end of which is shown if it fails.
check() {
	local name=$1 status=0
	shift
	logged "clients-$name" timeout 300 "$@" || status=$?
	if ((status == 0)); then
		printf '    ok      %s\n' "$name"
		passed=$((passed + 1))
	else
		printf '    FAILED  %s (%s)\n' "$name" "$ARIA_LOGS/clients-$name.log"
		failed=$((failed + 1))
	fi
}

# refuses TEXT COMMAND...: succeeds if the command ends with status 1 and says TEXT.
refuses() {
	local text=$1 status=0 said
	shift
	said=$("$@" 2>&1) || status=$?
	printf '%s\n' "$said"
	[[ $status == 1 && $said == *"$text"* ]]
}

# record_of NAME: the id that an example printed last.
record_of() {
	sed -n 's/^record \(0x[0-9a-f]\{64\}\)$/\1/p' "$ARIA_LOGS/clients-$1.log" | tail -n 1
}

step "clients: starting a development node"
start_node
url=ws://127.0.0.1:$rpc_port
step "clients: tests against $url"

check protocol node --test "$examples/aria/protocol.test.mjs"
check recompute-era node --test "$recompute/rules.test.mjs" "$recompute/recompute.test.mjs"
check polkadot-js node "$examples/polkadot-js/consent-request-record.mjs" "$url"
check papi node "$examples/papi/consent-request-record.mjs" "$url"
record=$(record_of polkadot-js)
check verify-proof env ARIA_RPC="$url" ARIA_RECORD="$record" node --test "$examples/verify-proof/verify.test.mjs"
for example in polkadot-js papi; do
	check "proof-of-$example" node "$examples/verify-proof/verify.mjs" "$url" "$(record_of "$example")"
done
unknown=0x$(printf '0%.0s' {1..64})
export -f refuses
check proof-of-nothing bash -c 'refuses "$@"' refuses "no record" \
	node "$examples/verify-proof/verify.mjs" "$url" "$unknown"

step "clients: starting the chain \`local\` with four validators"
local_network_starts "$work/local"
step "clients: tests of a light client against $local_url"

light=$examples/smoldot
check light-client node --test "$light/light.test.mjs"
# Each transaction waits until GRANDPA has made its block final.
check local-record node "$examples/polkadot-js/consent-request-record.mjs" "ws${local_url#http}"
record=$(record_of local-record)
check smoldot node "$light/read-record.mjs" "$local_spec" "$local_url" "$record"
check smoldot-no-record bash -c 'refuses "$@"' refuses "no record" \
	node "$light/read-record.mjs" "$local_spec" "$local_url" "$unknown"
check smoldot-other-chain bash -c 'refuses "$@"' refuses "another chain" \
	node "$light/read-record.mjs" "$local_spec" "$url" "$record"
check smoldot-no-boot-node bash -c 'refuses "$@"' refuses "no boot node" \
	node "$light/read-record.mjs" "$work/local/spec.json" "$local_url" "$record"
local_network_ends

printf 'clients: %d passed, %d failed\n' "$passed" "$failed"
if ((failed > 0)); then
	printf -- '--- the last lines of %s ---\n' "$node_log" >&2
	tail -n 30 "$node_log" >&2
	fail "$failed of the clients' tests failed: their names and logs are above."
fi
