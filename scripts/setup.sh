#!/usr/bin/env bash
# Installs what a build, the demo and the tests need and this machine lacks; where it can't, says
# what to install. On a machine that has everything it is one line a check.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$ARIA_ROOT"

# What polkadot-api needs; Debian 12 has an older one, which the npm registry's build then replaces.
NODE_LEAST=20.19
NODE_PACKAGE=20.19.6

found() {
	printf '==> %-10s %s\n' "$1" "$2"
}

# --- system packages --------------------------------------------------------------------------

packages=()

# need PACKAGE CHECK...: notes the Debian package if CHECK fails.
need() {
	local package=$1
	shift
	"$@" >/dev/null 2>&1 || packages+=("$package")
}

# Each missing thing under the name of the Debian package that brings it.
list_missing() {
	packages=()
	need build-essential have g++
	need build-essential have make
	need pkg-config have pkg-config
	need libssl-dev pkg-config --exists openssl
	need protobuf-compiler have protoc
	need git have git
	need procps have ps
	need python3-venv python3 -c 'import venv, ensurepip'
	need nodejs have node
	if ((${#packages[@]})); then
		mapfile -t packages < <(printf '%s\n' "${packages[@]}" | sort -u)
	fi
}

# install_packages: apt-get installs $packages, or the script ends in a sentence that names them.
install_packages() {
	((${#packages[@]})) || return 0
	local names=${packages[*]} root=()
	if ! have apt-get; then
		fail "Missing: $names (names of Debian's packages); install them with this system's package manager, then run this again."
	fi
	if [[ $(id -u) != 0 ]]; then
		if ! sudo -n true >/dev/null 2>&1; then
			fail "Missing Debian packages, and neither root nor a sudo without password to install them: run \`sudo apt-get install $names\`, then this again."
		fi
		root=(sudo -n)
	fi
	local apt=(${root[@]+"${root[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300)
	step "packages: installing $names"
	# A third-party source that does not answer is no reason to stop: the install will tell.
	logged apt-update "${apt[@]}" update ||
		step "packages: apt-get update failed, going on with the lists that are here"
	logged apt-install "${apt[@]}" install -y --no-install-recommends "${packages[@]}" ||
		fail "apt-get could not install $names: look at the lines above, install them by hand, then run this again."
	hash -r
}

check_packages() {
	list_missing
	install_packages
	# Apart, because some builds of nodejs bring npm along and conflict with Debian's package of it.
	packages=()
	need npm have npm
	install_packages

	list_missing
	need npm have npm
	if ((${#packages[@]})); then
		fail "Still missing after the install: ${packages[*]} (names of Debian's packages); install what brings their commands, then run this again."
	fi
	found packages "g++, make, pkg-config, libssl, protoc, git, ps, python3, node and npm are here"
}

# node_suits: whether the first node on the PATH starts and is new enough.
node_suits() {
	local version
	version=$(node --version 2>/dev/null) || return 1
	[[ $(printf '%s\n' "$NODE_LEAST" "${version#v}" | sort -V | head -n 1) == "$NODE_LEAST" ]]
}

check_node() {
	if ! node_suits; then
		local platform
		case $(uname -sm) in
			"Linux x86_64") platform=linux-x64 ;;
			"Linux aarch64") platform=linux-arm64 ;;
			*) fail "Node.js $(node --version 2>/dev/null) is too old: install $NODE_LEAST or newer and put it first in the PATH." ;;
		esac
		step "node: $(node --version 2>/dev/null) is too old, installing $NODE_PACKAGE below $ARIA_NODE_DIR"
		mkdir -p "$ARIA_NODE_DIR"
		logged npm-node npm install --prefix "$ARIA_NODE_DIR" --ignore-scripts --no-audit --no-fund \
			"node-$platform@$NODE_PACKAGE" ||
			fail "npm could not install Node.js $NODE_PACKAGE: look at the lines above, or install $NODE_LEAST or newer by hand and put it first in the PATH."
		mkdir -p "$ARIA_NODE_DIR/bin"
		ln -sf "../node_modules/node-$platform/bin/node" "$ARIA_NODE_DIR/bin/node"
		export PATH=$ARIA_NODE_DIR/bin:$PATH
		hash -r
		node_suits || fail "Node.js $NODE_PACKAGE was installed but does not start: install $NODE_LEAST or newer by hand and put it first in the PATH."
	fi
	found node "$(node --version)"
}

# --- Rust -------------------------------------------------------------------------------------

install_rustup() {
	step "rust: neither cargo nor rustup is here, trying rustup's installer"
	if ! have curl; then
		packages=(curl ca-certificates)
		install_packages
	fi
	logged rustup-init bash -c "set -o pipefail; curl --proto '=https' --tlsv1.2 --connect-timeout 20 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal" ||
		fail "Rust is missing and its installer can't be had from here: install rustup as https://rustup.rs says (or put an existing cargo on the PATH), then run this again."
	export PATH=${CARGO_HOME:-$HOME/.cargo}/bin:$PATH
	hash -r
}

# rustup is here and has no toolchain, or none that is the default.
install_toolchain() {
	local home=${RUSTUP_HOME:-$HOME/.rustup}
	step "rust: no toolchain in $home, trying rustup default stable"
	rustup_tries rustup-default 900 default stable ||
		fail "cargo does not start, for rustup finds no toolchain in $home: set RUSTUP_HOME to the folder that has one (for example RUSTUP_HOME=/home/you/.rustup), or run \`rustup default stable\`."
}

check_rust() {
	have cargo || have rustup || install_rustup
	if ! cargo --version >/dev/null 2>&1; then
		have rustup || fail "cargo is on the PATH but does not start: reinstall Rust with rustup, or put a cargo that works first in the PATH."
		install_toolchain
	fi
	have rustc || fail "cargo is here but rustc is not: install Rust with rustup, or Debian's package rustc."

	local version least
	version=$(rustc --version | awk '{ print $2 }')
	least=$(awk -F'"' '/^rust-version *=/ { print $2 }' Cargo.toml)
	if [[ $(printf '%s\n' "$least" "${version%%-*}" | sort -V | head -n 1) != "$least" ]]; then
		fail "rustc $version is too old: run \`rustup update stable\` to get $least or newer."
	fi
	found rust "rustc $version"

	if ! cargo fmt --version >/dev/null 2>&1; then
		step "rustfmt: missing, trying rustup component add rustfmt"
		rustup_tries rustup-rustfmt 300 component add rustfmt ||
			fail "rustfmt is missing and rustup could not add it: run \`rustup component add rustfmt\` where it can, or install Debian's package rustfmt."
	fi
	found rustfmt "$(cargo fmt --version)"
}

check_packages
check_node
check_rust
scripts/wasm-target.sh
