#!/usr/bin/env bash
# The Rust tests of the workspace: `scripts/test.sh`, or `scripts/test.sh --ignored` for the long
# ones, which `cargo test` leaves out by itself.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$ARIA_ROOT"

case ${1:-} in
'' | --ignored) ;;
*) fail "scripts/test.sh knows no option $1: leave it out, or say --ignored." ;;
esac

if [[ -z ${1:-} ]]; then
	step "format: cargo fmt --check"
	cargo fmt --all --check || fail "The code is not formatted: run \`cargo fmt --all\`."
	if command -v python3 >/dev/null; then
		step "vectors: what the second implementation makes"
		for maker in docs/protocol/vectors/{make,numerics}.py; do
			python3 "$maker" --check || fail "$maker makes other vectors than the committed ones: one of the two is wrong."
		done
	else
		step "vectors: skipped, there is no python3"
	fi
fi

# Not the documentation's examples with --ignored: those marked `ignore` are no long tests.
selection=()
if [[ -n ${1:-} ]]; then
	selection=(--lib --bins --tests -- --ignored)
fi
step "tests: cargo test${1:+ $1}"
mkdir -p "$ARIA_LOGS"
log=$ARIA_LOGS/test.log
[[ ! -t 1 ]] || export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-always}
status=0
cargo test --release --locked --workspace --no-fail-fast ${selection[@]+"${selection[@]}"} 2>&1 | tee "$log" || status=$?

read -r passed failed skipped < <(awk '
	/^test result:/ {
		for (i = 2; i <= NF; i++) {
			if ($i == "passed;") passed += $(i - 1)
			if ($i == "failed;") failed += $(i - 1)
			if ($i == "ignored;") skipped += $(i - 1)
		}
	}
	END { print passed + 0, failed + 0, skipped + 0 }' "$log")
printf 'rust: %d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"

if ((status != 0 && failed == 0)); then
	fail "cargo test did not get to the end: its error is above, and in $log."
elif ((status != 0)); then
	fail "$failed tests failed: their names are above, and in $log."
elif ((passed == 0)) && [[ -z ${1:-} ]]; then
	fail "cargo test ran no test: see $log."
fi
