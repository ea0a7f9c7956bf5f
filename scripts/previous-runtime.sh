#!/usr/bin/env bash
# Builds the runtime of a git revision into e2e/fixtures, for the rehearsal of the upgrade from it:
# `scripts/previous-runtime.sh REVISION VERSION`, where VERSION is the revision's spec_version. Without
# arguments it builds what is committed there again.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$ARIA_ROOT"

fixtures=$ARIA_ROOT/e2e/fixtures
revision=${1:-$(sed -n 's/^revision=//p' "$fixtures/previous-runtime.env")}
version=${2:-$(sed -n 's/^spec_version=//p' "$fixtures/previous-runtime.env")}
[[ -n $revision && $version =~ ^[0-9]+$ ]] ||
	fail "Say which runtime: scripts/previous-runtime.sh REVISION VERSION."
commit=$(git rev-parse --verify --quiet "$revision^{commit}") ||
	fail "$revision is no commit of this clone: fetch it (git fetch --unshallow), or name another."
git show "$commit:runtime/src/lib.rs" | grep -Eq "^[[:space:]]*spec_version: $version,$" ||
	fail "The runtime of $commit has another spec_version than $version: look into its runtime/src/lib.rs."

work=$(mktemp -d)
# shellcheck disable=SC2317,SC2329 # called by the trap
clean_up() {
	git worktree remove --force "$work/tree" 2>/dev/null || true
	rm -rf "$work"
}
trap clean_up EXIT
git worktree add --quiet --detach "$work/tree" "$commit" ||
	fail "git made no worktree of $commit: its words are above."

# A folder of its own: the wasm of both would lie in the same place, and each build undo the other.
export CARGO_TARGET_DIR=$ARIA_CACHE/previous-runtime
export WASM_BUILD_WORKSPACE_HINT=$work/tree/
step "previous runtime: building that of ${commit:0:12}, version $version, into $CARGO_TARGET_DIR; minutes"
(cd "$work/tree" && cargo build --release --locked -p aria-runtime) ||
	fail "The runtime of $commit does not build: the compiler's errors are above."

name=runtime-$version.compact.compressed.wasm
cp "$CARGO_TARGET_DIR/release/wbuild/aria-runtime/aria_runtime.compact.compressed.wasm" "$fixtures/$name"
for old in "$fixtures"/runtime-*.wasm; do
	[[ $old == "$fixtures/$name" ]] || rm -f "$old"
done
cat >"$fixtures/previous-runtime.env" <<EOF
# Written by scripts/previous-runtime.sh.
revision=$commit
spec_version=$version
rustc=$(rustc --version)
sha256=$(sha256sum "$fixtures/$name" | cut -d' ' -f1)
EOF
step "previous runtime: e2e/fixtures/$name, $(stat -c %s "$fixtures/$name" 2>/dev/null || stat -f %z "$fixtures/$name") bytes"
