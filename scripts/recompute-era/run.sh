#!/usr/bin/env bash
# Recomputes an era's rewards from a node's public state: `run.sh --help`. Installs what it needs first.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../env.sh"
. "$ARIA_ROOT/scripts/npm.sh"
folder=$ARIA_ROOT/scripts/recompute-era
node_at_least 18.3 "recompute-era"
# What is printed belongs to the comparison.
(cd "$ARIA_ROOT" && npm_ready scripts/recompute-era) >&2
exec node "$folder/recompute-era.mjs" "$@"
