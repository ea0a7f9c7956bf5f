# shellcheck shell=bash
# For scripts that run JavaScript; to be sourced after env.sh.

# node_at_least MAJOR.MINOR WHAT: ends in a sentence if Node.js is missing or older than WHAT needs.
node_at_least() {
	have node && have npm || fail "Node.js and npm are missing: run \`make setup\`."
	local version least=$1
	version=$(node --version) || fail "node is on the PATH but does not start: install Node.js $least or newer."
	if [[ $(printf '%s\n' "$least" "${version#v}" | sort -V | head -n 1) != "$least" ]]; then
		fail "Node.js $version is too old for $2: install $least or newer and put it first in the PATH."
	fi
}

# npm_ready FOLDER: installs what the folder's package-lock.json says, unless that is there. Scripts
# of packages are not run: nothing here needs what they build.
npm_ready() {
	local folder=$1 name mark
	name=$(basename "$folder")
	mark=$(cat "$folder/package.json" "$folder/package-lock.json" | sha256sum | cut -d' ' -f1)
	if [[ $(cat "$folder/node_modules/.aria-lock" 2>/dev/null) != "$mark" ]]; then
		step "npm: installing what $folder needs"
		(cd "$folder" && logged "npm-$name" npm ci --ignore-scripts --prefer-offline --no-audit --no-fund) ||
			fail "npm could not install what $folder needs: look at the lines above; it needs the npm registry or a mirror of it (npm config get registry)."
		printf '%s\n' "$mark" >"$folder/node_modules/.aria-lock"
	fi
}
