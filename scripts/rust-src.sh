# shellcheck shell=bash
# The sources of Rust's standard library, for a target that rustup cannot fetch: out of Debian's
# rust-src of exactly the version of rustc, into the folder where cargo looks for them.
# To be sourced after env.sh (`. scripts/rust-src.sh`).

# Where a rust-src as new as a rustup toolchain is likely to be, the smallest lists first.
SUITES=(trixie-backports trixie sid forky bookworm-backports bookworm)

# What put_sources added to the toolchain, for whoever called it to remove at the end: sources that
# rustup does not know of would outlive the toolchain's next update.
sources_copied=
# Why put_sources failed; part of a sentence.
sources_missing=

# lock_toolchain RUSTLIB: waits until no other script of this folder writes into that toolchain, and
# keeps the others out until this one ends.
lock_toolchain() {
	have flock || return 0
	local lock=$1/.aria-wasm-target.lock
	exec 9>"$lock"
	flock -w 900 9 || fail "Another build holds $lock: wait for it to end, then run this again."
}

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

# private_apt MIRROR KEYRING SUITE WORK: an apt configuration below WORK with that one source and its
# own lists and cache. It keeps the machine's settings (proxies, say), without its hooks and extra
# indexes.
private_apt() {
	local apt=$4/apt
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

# unpack_sources NAME VERSION WORK: the standard library of rust-src of that version below
# WORK/package.
unpack_sources() {
	local name=$1 version=$2 work=$3 mirror keyring suite package
	while IFS=$'\t' read -r mirror keyring; do
		for suite in "${SUITES[@]}"; do
			private_apt "$mirror" "$keyring" "$suite" "$work"
			apt-get update >>"$work/apt.log" 2>&1 </dev/null || continue
			package=$(find_package "$version") || continue
			step "$name: rust-src $package from $suite"
			(cd "$work" && apt-get download "rust-src=$package") >>"$work/apt.log" 2>&1 </dev/null || continue
			mkdir -p "$work/package"
			dpkg-deb --fsys-tarfile "$work"/rust-src_*.deb |
				tar -x -C "$work/package" --wildcards --no-wildcards-match-slash './usr/src/*/library' || continue
			return 0
		done
	done < <(mirrors)
	return 1
}

# put_sources NAME RUSTLIB WORK: the sources of the standard library below RUSTLIB, the toolchain's
# folder lib/rustlib. NAME begins the lines that tell of it, WORK is a temporary folder; apt's log is
# WORK/apt.log. Returns 1 if they cannot be had, with the reason in $sources_missing.
put_sources() {
	local name=$1 rustlib=$2 work=$3 library=$2/src/rust/library version core
	if [[ -f $library/core/src/lib.rs ]]; then
		return 0
	fi
	version=$(rustc --version | awk '{ print $2 }')
	if ! have apt-get || ! have dpkg-deb; then
		sources_missing="this is no Debian to get the sources of Rust $version from"
		return 1
	fi
	step "$name: looking for rust-src $version in Debian's suites"
	unpack_sources "$name" "$version" "$work" || {
		sources_missing="no Debian suite that this machine reaches has rust-src $version (tried ${SUITES[*]})"
		return 1
	}
	core=$(echo "$work"/package/usr/src/*/library/core/src/lib.rs)
	if [[ ! -f $core ]]; then
		sources_missing="Debian's rust-src $version has no library/core"
		return 1
	fi
	# What goes away at the end is the highest folder that is not there yet.
	sources_copied=$rustlib/src
	if [[ -e $sources_copied ]]; then sources_copied=$rustlib/src/rust; fi
	if [[ -e $sources_copied ]]; then sources_copied=$library; fi
	# With their dates, or cargo would take them for changed each time.
	if ! mkdir -p "$rustlib/src/rust" || ! cp -r --preserve=timestamps "${core%/core/src/lib.rs}" "$library"; then
		sources_missing="they cannot be written to $library"
		return 1
	fi
}
