# shellcheck shell=bash
# For scripts that want the chain `local` with its four validators on this machine; to be sourced after
# env.sh, with `node` on the PATH and $node_bin the path of aria-node.

# What runs. Whoever sources this calls local_network_ends in its trap.
local_pids=()
# Set by local_network_starts: the RPC of the first validator, and a raw specification whose boot nodes
# are all four, by WebSocket.
local_url=
local_spec=

# local_rpc URL METHOD: the result as JSON; fails if there is none.
local_rpc() {
	node -e '
		const [url, method] = process.argv.slice(1);
		const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: [] });
		const headers = { "content-type": "application/json" };
		fetch(url, { method: "POST", headers, body, signal: AbortSignal.timeout(5000) })
			.then((reply) => reply.json())
			.then(({ result }) => {
				if (result === undefined) process.exit(1);
				console.log(JSON.stringify(result));
			})
			.catch(() => process.exit(1));' "$1" "$2"
}

# local_specification FILE: the preset `local`, raw, with slots that a test can wait for, and with
# validators whose verified work is as 1 : 2 : 4 : 8. Nothing else differs.
local_specification() {
	local file=$1
	"$node_bin" export-chain-spec --chain local 2>/dev/null | node -e '
		const spec = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
		const registry = spec.genesis.runtimeGenesis.patch.validatorRegistry;
		spec.id = "aria_clients";
		registry.slotDuration = 500;
		registry.work = registry.validators.map((account, index) => [account, 1e15 * 2 ** index]);
		console.log(JSON.stringify(spec));' >"$file.plain" || return 1
	"$node_bin" export-chain-spec --raw --chain "$file.plain" >"$file" 2>/dev/null
}

# local_node NAME FOLDER ARGUMENTS...: starts one validator on free ports. Its log is `local-NAME.log`.
local_node() {
	local name=$1 folder=$2
	shift 2
	"$node_bin" --chain "$folder/spec.json" "--$name" --force-authoring \
		--unsafe-force-node-key-generation --base-path "$folder/$name" --rpc-port 0 \
		--listen-addr /ip4/127.0.0.1/tcp/0 --listen-addr /ip4/127.0.0.1/tcp/0/ws --no-mdns \
		--no-prometheus --no-telemetry --disable-log-color "$@" \
		>"$ARIA_LOGS/local-$name.log" 2>&1 </dev/null &
	local_pids+=("$!")
}

# local_answers NAME: waits for the RPC of the validator that was started last, and prints its URL.
local_answers() {
	local log=$ARIA_LOGS/local-$1.log pid=${local_pids[${#local_pids[@]} - 1]} address
	for _ in {1..200}; do
		address=$(sed -n 's/.*Running JSON-RPC server: addr=.*\(127\.0\.0\.1:[0-9][0-9]*\).*/\1/p' "$log" | head -n 1)
		if [[ -n $address ]] && local_rpc "http://$address" system_health >/dev/null; then
			printf 'http://%s\n' "$address"
			return 0
		fi
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.3
	done
	tail -n 30 "$log" >&2
	return 1
}

# local_network_starts FOLDER: starts all four, each connected to those before it.
local_network_starts() {
	local folder=$1 name url listens address
	local reserved=() boot=()
	mkdir -p "$folder" "$ARIA_LOGS"
	local_specification "$folder/spec.json" ||
		fail "aria-node writes no specification of the chain \`local\`: see \`$node_bin export-chain-spec --chain local\`."
	for name in alice bob charlie dave; do
		local_node "$name" "$folder" ${reserved[@]+"${reserved[@]}"}
		url=$(local_answers "$name") ||
			fail "The validator $name did not come up: the end of $ARIA_LOGS/local-$name.log is above."
		listens=$(local_rpc "$url" system_localListenAddresses) ||
			fail "The validator $name does not say where it listens: see $ARIA_LOGS/local-$name.log."
		address=$(local_address "$listens" '^/ip4/127\.0\.0\.1/tcp/[0-9]+/p2p/') ||
			fail "The validator $name listens on no TCP port of this machine: $listens"
		reserved+=(--reserved-nodes "$address")
		address=$(local_address "$listens" '^/ip4/127\.0\.0\.1/tcp/[0-9]+/ws/p2p/') ||
			fail "The validator $name listens for no WebSockets: $listens"
		boot+=("$address")
		[[ -n $local_url ]] || local_url=$url
	done
	local_spec=$folder/light.json
	node -e '
		const { readFileSync, writeFileSync } = require("node:fs");
		const [from, to, ...bootNodes] = process.argv.slice(1);
		const spec = JSON.parse(readFileSync(from, "utf8"));
		writeFileSync(to, JSON.stringify({ ...spec, bootNodes }));' \
		"$folder/spec.json" "$local_spec" "${boot[@]}"
}

# local_address ADDRESSES PATTERN: the first of a JSON list that matches.
local_address() {
	node -e '
		const [list, pattern] = process.argv.slice(1);
		const found = JSON.parse(list).find((address) => new RegExp(pattern).test(address));
		if (found === undefined) process.exit(1);
		console.log(found);' "$1" "$2"
}

# Ends the validators that run, and waits until they have ended.
local_network_ends() {
	local pid
	for pid in ${local_pids[@]+"${local_pids[@]}"}; do
		kill -TERM "$pid" 2>/dev/null || true
	done
	for pid in ${local_pids[@]+"${local_pids[@]}"}; do
		for _ in {1..50}; do
			kill -0 "$pid" 2>/dev/null || break
			sleep 0.2
		done
		kill -KILL "$pid" 2>/dev/null || true
	done
	local_pids=()
}
