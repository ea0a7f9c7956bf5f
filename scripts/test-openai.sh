#!/usr/bin/env bash
# Runs OpenAI's clients for Python and Node.js, as they come, against a development network of
# processes: `scripts/test-openai.sh`. With --others, LangChain and LiteLLM instead; with --all, both.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$ARIA_ROOT"
. scripts/npm.sh

clients=1 others=
case ${1:-} in
'') ;;
--others) clients='' others=1 ;;
--all) others=1 ;;
*) fail "scripts/test-openai.sh knows no option $1: leave it out, or say --others or --all." ;;
esac

examples=docs/examples
devnet=$CARGO_TARGET_DIR/release/aria-devnet
worker=$CARGO_TARGET_DIR/release/aria-worker
for program in "$devnet" "$worker"; do
	[[ -x $program ]] || fail "There is no $program: run \`make build\`."
done
node_at_least 20.0 "the openai package"
[[ -z $clients ]] || npm_ready "$examples/openai-node"

mkdir -p "$ARIA_LOGS"
work=$(mktemp -d "${TMPDIR:-/tmp}/aria-openai.XXXXXX")
network_log=$ARIA_LOGS/openai-network.log
network_pid=
hold=

# ended SECONDS: whether the network ends within them.
ended() {
	local deadline=$((SECONDS + $1))
	while kill -0 "$network_pid" 2>/dev/null; do
		((SECONDS < deadline)) || return 1
		sleep 0.2
	done
}

cleanup() {
	local status=$?
	trap - EXIT
	if [[ -n $network_pid ]]; then
		# The end of its input is what it waits for.
		[[ -z $hold ]] || exec {hold}>&-
		ended 60 || {
			kill -TERM "$network_pid" 2>/dev/null || true
			ended 10 || kill -KILL "$network_pid" 2>/dev/null || true
		}
	fi
	rm -rf "$work"
	exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# --- Python -------------------------------------------------------------------------------------

# python_lacks: prints why the clients for Python can't be run here; nothing if they can.
python_lacks() {
	if ! have python3; then
		printf 'there is no python3: run `make setup`'
	elif ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
		printf 'they need Python 3.10 or newer, and here is %s' "$(python3 --version 2>&1)"
	elif ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
		printf 'python3 can make no environments: install what has its module venv, python3-venv on Debian'
	fi
}

# python_ready NAME FOLDER: an environment with what the folder's requirements.txt says, unless it is
# there. Nothing is built: wheels only.
python_ready() {
	local name=$1 requirements=$examples/$2/requirements.txt home=$ARIA_CACHE/python-$1 mark
	mark=$({
		cat "$requirements"
		python3 -c 'import sys; print(sys.version, sys.base_prefix)'
	} | sha256sum | cut -d' ' -f1)
	[[ $(cat "$home/.aria-lock" 2>/dev/null) != "$mark" ]] || return 0
	step "pip: installing what $examples/$2 needs"
	rm -rf "$home"
	logged "pip-$name" python3 -m venv "$home" &&
		logged "pip-$name" "$home/bin/python" -m pip install --quiet --no-input \
			--disable-pip-version-check --only-binary :all: --requirement "$requirements" || {
		printf 'aria: pip could not install what %s needs: look at the lines above; it needs the package index or a mirror of it (pip config get global.index-url).\n' "$examples/$2" >&2
		return 1
	}
	printf '%s\n' "$mark" >"$home/.aria-lock"
}

# --- the network --------------------------------------------------------------------------------

# Starts the network, and returns when it answers.
start_network() {
	mkfifo "$work/stdin"
	: >"$work/network.json"
	"$devnet" --until-eof <"$work/stdin" >"$work/network.json" 2>"$network_log" &
	network_pid=$!
	exec {hold}>"$work/stdin"
	local deadline=$((SECONDS + 300)) line
	# A line that has no end yet is no line.
	until IFS= read -r line <"$work/network.json"; do
		if ! kill -0 "$network_pid" 2>/dev/null || ((SECONDS >= deadline)); then
			tail -n 30 "$network_log" >&2
			fail "The development network did not come up: the end of $network_log is above."
		fi
		sleep 0.2
	done
	local fields
	mapfile -t fields < <(node -e '
		const [line] = require("node:fs").readFileSync(0, "utf8").split("\n");
		const { node, base_url, api_key, model, bases: [gateway, ...workers] } = JSON.parse(line);
		console.log([node, base_url, api_key, model, gateway, workers.join(":")].join("\n"));' \
		<"$work/network.json")
	((${#fields[@]} == 6)) || fail "The development network says something else than is known here: $line"
	chain_url=${fields[0]}
	gateway_base=${fields[4]}
	export OPENAI_BASE_URL=${fields[1]} OPENAI_API_KEY=${fields[2]} OPENAI_MODEL=${fields[3]}
	export ARIA_WORKER=$worker ARIA_BASES=${fields[5]}
}

# new_key NAME OPTION...: makes an API key that Eve pays for, and prints it.
new_key() {
	"$worker" key new "$@" --config "$work/worker.toml" --base-path "$gateway_base" --suri //Dave \
		--node "$chain_url" --requester-file "$work/requester" 2>>"$ARIA_LOGS/openai-keys.log" ||
		fail "The API key $1 could not be made: the end of $ARIA_LOGS/openai-keys.log says why."
}

# Keys that meet their limits.
make_keys() {
	: >"$work/worker.toml"
	: >"$ARIA_LOGS/openai-keys.log"
	(umask 077 && printf '//Eve\n' >"$work/requester")
	ARIA_KEY_LIMITED=$(new_key limited --requests-per-minute 30 --tokens-per-minute 1000000)
	ARIA_KEY_SPENT=$(new_key spent --allowance 0.000001)
	ARIA_KEY_CAPPED=$(new_key capped --hourly-cap 0.000001)
	export ARIA_KEY_LIMITED ARIA_KEY_SPENT ARIA_KEY_CAPPED
}

# --- the tests ----------------------------------------------------------------------------------

passed=0
failed=0
skipped=0

# counts LOG: what unittest, or a TAP reporter, counted: passed, failed, skipped.
counts() {
	awk '
		/^Ran [0-9]+ tests? in/ { ran = $2 }
		/^(OK|FAILED)( \(.*\))?$/ {
			gsub(/[(),]/, " ")
			for (i = 2; i <= NF; i++) {
				split($i, pair, "=")
				if (pair[1] == "skipped") skipped += pair[2]
				else bad += pair[2]
			}
		}
		/^# pass / { good += $3 }
		/^# (fail|cancelled) / { bad += $3 }
		/^# skipped / { skipped += $3 }
		END {
			# Each part of a test may fail for itself.
			if (ran && bad > ran) bad = ran
			if (ran) good = ran - bad - skipped
			print (good > 0 ? good : 0), bad + 0, skipped + 0
		}' "$1"
}

# suite NAME COMMAND...: several tests; their output is in a log, the end of which is shown if one fails.
suite() {
	local name=$1 status=0 good bad left
	shift
	logged "openai-$name" timeout 300 "$@" || status=$?
	read -r good bad left < <(counts "$ARIA_LOGS/openai-$name.log")
	if ((status != 0 && bad == 0)); then
		bad=1
	elif ((status == 0 && good == 0 && left == 0)); then
		good=1
	fi
	if ((status == 0)); then
		printf '    ok      %s (%d tests)\n' "$name" "$good"
	else
		printf '    FAILED  %s (%s)\n' "$name" "$ARIA_LOGS/openai-$name.log"
	fi
	passed=$((passed + good))
	failed=$((failed + bad))
	skipped=$((skipped + left))
}

# python_suite NAME FOLDER SCRIPT ARGUMENT...: a suite in Python, in an environment of its own.
python_suite() {
	local name=$1 folder=$2 script=$examples/$2/$3 lacks
	shift 3
	lacks=$(python_lacks)
	if [[ -n $lacks ]]; then
		printf '    SKIPPED python-%s: %s\n' "$name" "$lacks"
		skipped=$((skipped + 1))
	elif ! python_ready "$name" "$folder"; then
		printf '    FAILED  python-%s (%s)\n' "$name" "$ARIA_LOGS/pip-$name.log"
		failed=$((failed + 1))
	else
		suite "python-$name" env PYTHONUTF8=1 "$ARIA_CACHE/python-$name/bin/python" "$script" "$@"
	fi
}

# Nothing but the base URL and the key is to differ from what a client does by itself.
unset OPENAI_ORG_ID OPENAI_PROJECT_ID OPENAI_ADMIN_KEY OPENAI_LOG
# No proxy leads to this machine.
export no_proxy=${no_proxy:+$no_proxy,}127.0.0.1 NO_PROXY=${NO_PROXY:+$NO_PROXY,}127.0.0.1

step "openai clients: starting a development network"
start_network
step "openai clients: tests against $OPENAI_BASE_URL"
if [[ -n $clients ]]; then
	make_keys
	python_suite openai openai-python test_openai.py -v
	suite node-openai node --test --test-reporter=tap "$examples/openai-node/openai.test.mjs"
fi
if [[ -n $others ]]; then
	python_suite langchain-litellm langchain-litellm chat.py
fi

left=
((skipped == 0)) || left=", $skipped skipped"
printf 'openai clients: %d passed, %d failed%s\n' "$passed" "$failed" "$left"
if ((failed > 0)); then
	printf -- '--- the last lines of %s ---\n' "$network_log" >&2
	tail -n 30 "$network_log" >&2
	fail "$failed of the tests with OpenAI's clients failed: their names and logs are above."
fi
