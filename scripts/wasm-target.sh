#!/usr/bin/env bash
# Makes sure that rustc can compile for wasm32v1-none, the runtime's target: through rustup, and
# where rustup can't fetch it, by building core and alloc from the sources in Debian's rust-src.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$ARIA_ROOT"

TARGET=wasm32v1-none
# Where a rust-src as new as a rustup toolchain is likely to be, the smallest lists first.
SUITES=(trixie-backports trixie sid forky bookworm-backports bookworm)

sysroot=$(rustc --print sysroot) || fail "rustc does not start: run scripts/setup.sh, which says what it lacks."
rustlib=$sysroot/lib/rustlib
# Marks a target folder as built here, so that only such a one is ever replaced.
stamp=$rustlib/$TARGET/built-from-rust-src

work=$(mktemp -d)
copied=
# shellcheck disable=SC2317,SC2329 # called by the trap
clean_up() {
	rm -rf "$work"
	# Sources that rustup does not know of would outlive the toolchain's next update.
	[[ -z $copied ]] || rm -rf "$copied"
}
trap clean_up EXIT

# Whether the installed target serves this very rustc: it refuses one that another version built.
target_works() {
	printf '#![no_std]\nextern crate alloc;\n' |
		rustc --target "$TARGET" --crate-type lib --emit=metadata -o "$work/probe.rmeta" - >/dev/null 2>&1
}

done_with() {
	printf '==> %-10s %s\n' wasm "$TARGET $1"
	exit 0
}

# --- sources from Debian ----------------------------------------------------------------------

# Each archive in the machine's own apt sources, as `address<TAB>keyring`; the keyring may be empty.
mirrors() {
	{
		{ cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null || true; } | awk '
			$1 == "deb" {
				line = $0
				sub(/^[[:space:]]*deb[[:space:]]+/, "", line)
				key = ""
				if (line ~ /^\[/) {
					options = line
					sub(/\].*/, "", options)
					sub(/^[^]]*\][[:space:]]*/, "", line)
					if (match(options, /signed-by=[^][:space:]]+/))
						key = substr(options, RSTART + 10, RLENGTH - 10)
				}
				split(line, word, /[[:space:]]+/)
				print word[1] "\t" key
			}'
		local file
		for file in /etc/apt/sources.list.d/*.sources; do
			[[ -r $file ]] || continue
			awk '
				function flush(   n, i, uri) {
					if (on && types ~ /(^|[[:space:]])deb([[:space:]]|$)/) {
						n = split(uris, uri, /[[:space:]]+/)
						for (i = 1; i <= n; i++)
							if (uri[i] != "") print uri[i] "\t" key
					}
					on = 1
					field = types = uris = key = ""
				}
				BEGIN { on = 1 }
				/^#/ { next }
				/^[[:space:]]*$/ { flush(); next }
				{
					value = $0
					if (/^[^[:space:]]/) {
						field = tolower($0)
						sub(/[[:space:]]*:.*/, "", field)
						sub(/^[^:]*:[[:space:]]*/, "", value)
					}
					if (field == "types") types = types " " value
					if (field == "uris") uris = uris " " value
					if (field == "enabled" && tolower(value) ~ /^(no|false|0)/) on = 0
					# A key may also stand in the file itself; then the machine'"'"'s trusted keys have to do.
					if (field == "signed-by" && value ~ /^\//) { key = value; sub(/[[:space:]].*/, "", key) }
				}
				END { flush() }' "$file"
		done
	} | awk -F'\t' '$1 !~ /security/ && !seen[$1]++'
}

# private_apt MIRROR KEYRING SUITE: an apt configuration with that one source and its own lists and
# cache. It keeps the machine's settings (proxies, say), without its hooks and extra indexes.
private_apt() {
	local apt=$work/apt
	rm -rf "$apt"
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/parts"
	printf 'deb %s%s %s main\n' "${2:+[signed-by=$2] }" "$1" "$3" >"$apt/sources.list"
	{
		env -u APT_CONFIG apt-config dump |
			grep -Ev '^(Dir::(Etc|State|Cache)|Acquire::(IndexTargets|Languages)|(APT|DPkg)::.*(Invoke|Pre-Install|Post-Install))'
		cat <<-CONFIG
			Dir::Etc::main "/dev/null";
			Dir::Etc::parts "$apt/parts";
			Dir::Etc::sourcelist "$apt/sources.list";
			Dir::Etc::sourceparts "$apt/parts";
			Dir::Etc::preferences "/dev/null";
			Dir::Etc::preferencesparts "$apt/parts";
			Dir::State::Lists "$apt/lists";
			Dir::Cache "$apt/cache";
			Acquire::Languages "none";
			Acquire::Retries "1";
			Acquire::http::Timeout "20";
			Acquire::https::Timeout "20";
			APT::Sandbox::User "$(id -un)";
		CONFIG
	} >"$apt/apt.conf"
	export APT_CONFIG=$apt/apt.conf
}

# find_package VERSION: the full version of a rust-src of that upstream version, from the lists.
find_package() {
	local full upstream
	while read -r full; do
		upstream=${full#*:}
		upstream=${upstream%-*}
		if [[ $upstream == "$1" || $upstream == "$1"+* ]]; then
			printf '%s\n' "$full"
			return 0
		fi
	done < <(apt-cache madison rust-src | awk -F'|' '{ gsub(/[[:space:]]/, "", $2); print $2 }')
	return 1
}

# unpack_sources VERSION: the standard library of rust-src of that version below $work/package.
unpack_sources() {
	local mirror keyring suite package
	while IFS=$'\t' read -r mirror keyring; do
		for suite in "${SUITES[@]}"; do
			private_apt "$mirror" "$keyring" "$suite"
			apt-get update >>"$work/apt.log" 2>&1 </dev/null || continue
			package=$(find_package "$1") || continue
			step "wasm: rust-src $package from $suite"
			(cd "$work" && apt-get download "rust-src=$package") >>"$work/apt.log" 2>&1 </dev/null || continue
			mkdir -p "$work/package"
			dpkg-deb --fsys-tarfile "$work"/rust-src_*.deb |
				tar -x -C "$work/package" --wildcards --no-wildcards-match-slash './usr/src/*/library' || continue
			return 0
		done
	done < <(mirrors)
	return 1
}

# put_sources: the standard library's sources where cargo looks for them.
put_sources() {
	local library=$rustlib/src/rust/library version core
	if [[ -f $library/core/src/lib.rs ]]; then
		return 0
	fi
	version=$(rustc --version | awk '{ print $2 }')
	if ! have apt-get || ! have dpkg-deb; then
		fail "The target $TARGET is missing, rustup can't fetch it, and this is no Debian to get Rust's sources from: run \`rustup target add $TARGET\` with a network, or unpack the sources of Rust $version into $library."
	fi
	step "wasm: looking for rust-src $version in Debian's suites"
	unpack_sources "$version" || {
		tail -n 20 "$work/apt.log" >&2 2>/dev/null || true
		fail "The target $TARGET is missing, rustup can't fetch it, and no Debian suite that this machine reaches has rust-src $version (tried ${SUITES[*]}): run \`rustup target add $TARGET\` with a network."
	}
	core=$(echo "$work"/package/usr/src/*/library/core/src/lib.rs)
	[[ -f $core ]] || fail "Debian's rust-src $version has no library/core: run \`rustup target add $TARGET\` with a network."
	# What goes away at the end is the highest folder that is not there yet.
	copied=$rustlib/src
	if [[ -e $copied ]]; then copied=$rustlib/src/rust; fi
	if [[ -e $copied ]]; then copied=$library; fi
	mkdir -p "$rustlib/src/rust"
	cp -r "${core%/core/src/lib.rs}" "$library"
}

# --- the build --------------------------------------------------------------------------------

build_target() {
	local cargo=$sysroot/bin/cargo new=$work/$TARGET
	[[ -x $cargo ]] || cargo=$(command -v cargo)
	mkdir -p "$work/crate/src" "$new/lib"
	printf '[package]\nname = "wasm-target"\nversion = "0.0.0"\nedition = "2021"\n\n[workspace]\n' >"$work/crate/Cargo.toml"
	printf '#![no_std]\n' >"$work/crate/src/lib.rs"
	step "wasm: building core and alloc for $TARGET, about 20 seconds"
	# With bitcode, or the runtime's link-time optimisation finds none in these libraries. In its own
	# folder, where neither this workspace's settings nor its target folder reach.
	(
		cd "$work/crate"
		unset CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_TARGET CARGO_BUILD_TARGET_DIR CARGO_TARGET_DIR
		RUSTC=$sysroot/bin/rustc RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Cembed-bitcode=yes \
			logged wasm-target "$cargo" build --release -Zbuild-std=core,alloc \
			--target "$TARGET" --target-dir "$work/target"
	) || fail "core and alloc did not compile for $TARGET (the lines above say why): run \`rustup target add $TARGET\` with a network."

	cp "$work/target/$TARGET/release/deps"/lib{core,alloc,compiler_builtins}-*.rlib "$new/lib/"
	rustc --version >"$new/${stamp##*/}"
	rm -rf "${rustlib:?}/$TARGET"
	cp -r "$new" "$rustlib/$TARGET"
}

# --- main -------------------------------------------------------------------------------------

if target_works; then
	done_with "is here"
fi

if [[ ! -w $rustlib ]]; then
	fail "The target $TARGET is missing and $rustlib is not yours to write to: run \`rustup target add $TARGET\` as its owner."
fi

# Two builds that start together on one machine would write into one toolchain.
if have flock; then
	exec 9>"$rustlib/.aria-wasm-target.lock"
	flock -w 900 9 || fail "Another build holds $rustlib/.aria-wasm-target.lock: wait for it to end, then run this again."
	if target_works; then
		done_with "is here"
	fi
fi

# A leftover of this script for an older rustc; rustup refuses to install over it.
if [[ -f $stamp ]]; then
	rm -rf "${rustlib:?}/$TARGET"
fi

if have rustup; then
	step "wasm: rustup target add $TARGET"
	if rustup_tries rustup-target 120 target add "$TARGET" && target_works; then
		done_with "was installed by rustup"
	fi
	step "wasm: rustup could not install $TARGET, so it is built from Debian's rust-src"
else
	step "wasm: no rustup to install $TARGET, so it is built from Debian's rust-src"
fi

put_sources
build_target
target_works || fail "The target $TARGET was built but rustc still does not take it: run \`rustup target add $TARGET\` with a network."
done_with "was built from rust-src"
