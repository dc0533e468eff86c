#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#
# Install exactly what is missing to build and run ktstr.
#
# usage: tools/setup.sh [--with NAME] [--dry-run] [--os-release FILE] [--apt-etc DIR] [--list]
#   --with NAME        also what slurm (an example), bench (make bench) or chromium (tests of pages;
#                      120 MB) needs
#   --dry-run          say what would be done, change nothing
#   --os-release FILE  take the distribution from FILE (for tests; implies --dry-run)
#   --apt-etc DIR      read DIR/sources.list and DIR/sources.list.d (for tests; implies --dry-run)
#   --list             print the packages and whether each is there
#
# Debian 12 and 13: apt, as root or through sudo.  Package lists, downloads and the sources file
# that adds Debian 12's backports (for QEMU 10) lie in a temporary folder that is removed again, so
# the system keeps the packages and nothing else.  Everything present: no apt, no network.
# Elsewhere: the missing packages as one dnf or pacman command; nothing is changed.
#
# Exit status: 0 everything is there, 1 something is missing, 2 usage.
set -u

# Debian package | Fedora package | Arch package | how to see it where dpkg is not asked
PACKAGES='
gcc|gcc|gcc|cmd:gcc
libc6-dev|glibc-static|glibc|lib:libc.a
clang|clang|clang|cmd:clang
libclang-rt-dev|compiler-rt|compiler-rt|clang-rt:fuzzer
make|make|make|cmd:make
pkgconf|pkgconf-pkg-config|pkgconf|cmd:pkg-config
git|git-core|git|cmd:git
clang-format|clang-tools-extra|clang|cmd:clang-format
universal-ctags|ctags|ctags|cmd:ctags
python3|python3|python|cmd:python3
libcmocka-dev|libcmocka-devel|cmocka|pc:cmocka
libjansson-dev|jansson-devel jansson-static|jansson|pc:jansson
libyaml-dev|libyaml-devel|libyaml|pc:yaml-0.1
libmnl-dev|libmnl-devel|libmnl|pc:libmnl
libzstd-dev|libzstd-devel|zstd|pc:libzstd
libxxhash-dev|xxhash-devel|xxhash|pc:libxxhash
libelf-dev|elfutils-libelf-devel|libelf|pc:libelf
libdw-dev|elfutils-devel|elfutils|pc:libdw
zlib1g-dev|zlib-devel|zlib|pc:zlib
liblzma-dev|xz-devel|xz|pc:liblzma
libbz2-dev|bzip2-devel|bzip2|pc:bzip2
libbpf-dev|libbpf-devel|libbpf|pc:libbpf
libjemalloc-dev|jemalloc-devel|jemalloc|pc:jemalloc
busybox-static|busybox|busybox|cmd:busybox
util-linux|util-linux|util-linux|cmd:flock
procps|procps-ng|procps-ng|cmd:pgrep
parallel|parallel|parallel|cmd:parallel
xz-utils|xz|xz|cmd:xz
lz4|lz4|lz4|cmd:lz4
zstd|zstd|zstd|cmd:zstd
bzip2|bzip2|bzip2|cmd:bzip2
lzop|lzop|lzop|cmd:lzop
'
# What --with NAME adds, in the same columns.  Debian may start a service that it installs.
SLURM='
munge|munge|munge|cmd:munged
slurmctld|slurm-slurmctld|slurm-llnl|cmd:slurmctld
slurmd|slurm-slurmd|slurm-llnl|cmd:slurmd
slurm-client|slurm|slurm-llnl|cmd:sbatch
'
# What some figures of make bench are compared with, or measured by.
BENCH='
sysstat|sysstat|sysstat|cmd:pidstat
rt-tests|realtime-tests|rt-tests|cmd:cyclictest
'
# What looks at pages of ktstr ctprof; tests/self/ctprof_html_test.sh skips without.
CHROMIUM='
chromium|chromium|chromium|cmd:chromium
fonts-dejavu-core|dejavu-sans-fonts|ttf-dejavu|font:DejaVuSans
'
QEMU_BASELINE=10
BACKPORTED=qemu-system-x86/bookworm-backports

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
dry_run=0
list=0
os_release=/etc/os-release
apt_etc=/etc/apt

say() { echo "setup: $*" >&2; }
die() {
	say "$*"
	exit 1
}

while [ $# -gt 0 ]; do
	case $1 in
	--dry-run) dry_run=1 ;;
	--list) list=1 ;;
	--with)
		case ${2:-} in
		slurm) PACKAGES+=$SLURM ;;
		bench) PACKAGES+=$BENCH ;;
		chromium) PACKAGES+=$CHROMIUM ;;
		*)
			say "--with needs a name; known: slurm bench chromium"
			exit 2
			;;
		esac
		shift
		;;
	--os-release | --apt-etc)
		[ $# -gt 1 ] || { say "$1 needs an argument"; exit 2; }
		[ "$1" = --apt-etc ] && apt_etc=$2 || os_release=$2
		dry_run=1
		shift
		;;
	*)
		say "unknown option '$1'; known: --with NAME --dry-run --list --os-release FILE --apt-etc DIR"
		exit 2
		;;
	esac
	shift
done

# One field of an os-release file, without running it.
os_field() { sed -n "s/^$1=\"\{0,1\}\([^\"]*\)\"\{0,1\}\$/\1/p" "$os_release" 2>/dev/null | head -n 1; }

qemu_major() {
	local line
	command -v qemu-system-x86_64 >/dev/null || return 1
	line=$(qemu-system-x86_64 --version 2>/dev/null) || return 1
	[[ $line =~ version\ ([0-9]+)\. ]] && echo "${BASH_REMATCH[1]}"
}

# --- what is missing ------------------------------------------------------------------------
seen() { # probe
	local what=${1#*:}
	case $1 in
	cmd:*) command -v "$what" >/dev/null ;;
	pc:*) pkg-config --exists "$what" 2>/dev/null ||
		{ [ "$what" = jemalloc ] && lib_seen libjemalloc.so; } ;;
	lib:*) lib_seen "$what" ;;
	font:*) find /usr/share/fonts -name "$what.ttf" 2>/dev/null | grep -q . ;;
	clang-rt:*) command -v clang >/dev/null &&
		compgen -G "$(clang -print-resource-dir)/lib/*/libclang_rt.$what*.a" >/dev/null ;;
	esac
}

lib_seen() {
	local path
	path=$(gcc -print-file-name="$1" 2>/dev/null) && [ "$path" != "$1" ]
}

missing_by_dpkg() {
	local names have
	names=$(cut -d'|' -f1 <<<"$PACKAGES" | grep .)
	# shellcheck disable=SC2086
	have=$(dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' $names 2>/dev/null |
		sed -n 's/^[ihr]i.//p')
	for name in $names; do
		grep -qxF -- "$name" <<<"$have" || echo "$name"
	done
}

missing_by_probe() { # column
	local deb dnf pacman probe
	while IFS='|' read -r deb dnf pacman probe; do
		[ -n "$deb" ] || continue
		seen "$probe" || case $1 in
		dnf) printf '%s\n' $dnf ;;
		pacman) echo "$pacman" ;;
		*) echo "$deb" ;;
		esac
	done <<<"$PACKAGES" | awk '!seen[$0]++'
}

# --- Debian ---------------------------------------------------------------------------------
# Print "URI<TAB>SIGNED_BY" of the first enabled source that carries SUITE's component main, from
# deb822 .sources files and one-line .list files; see sources.list(5).
apt_source() { # suite
	{ deb822_source "$1" && return; } || one_line_source "$1"
}

deb822_source() {
	local f
	for f in "$apt_etc"/sources.list.d/*.sources; do
		[ -r "$f" ] && cat "$f" && echo
	done | awk -v suite="$1" '
		function flush(  i, n, w, ok) {
			n = split(f["suites"], w, /[ \t]+/)
			for (i = 1; i <= n; i++)
				ok = ok || w[i] == suite
			if (ok && !found && (" " f["types"] " ") ~ / deb / &&
			    (" " f["components"] " ") ~ / main / &&
			    tolower(f["enabled"]) !~ /^(no|false|without|off|disable)$/) {
				sub(/^[ \t]+/, "", f["uris"])
				split(f["uris"], w, /[ \t\n]+/)
				print w[1] "\t" f["signed-by"]
				found = 1
			}
			split("", f)
			key = ""
		}
		/^#/ { next }
		/^[ \t]*$/ { flush(); next }
		/^[ \t]/ { sub(/^[ \t]+/, ""); f[key] = f[key] "\n" $0; next }
		{
			key = tolower($0)
			sub(/:.*/, "", key)
			sub(/^[^:]*:[ \t]*/, "")
			f[key] = $0
		}
		END { flush() }' | grep .
}

one_line_source() {
	cat "$apt_etc/sources.list" "$apt_etc"/sources.list.d/*.list 2>/dev/null | awk -v suite="$1" '
		$1 != "deb" || found { next }
		{
			signed = ""
			if (match($0, /\[[^]]*\]/)) {
				n = split(substr($0, RSTART + 1, RLENGTH - 2), o, /[ \t]+/)
				$0 = substr($0, 1, RSTART - 1) " " substr($0, RSTART + RLENGTH)
				for (i = 1; i <= n; i++)
					if (tolower(o[i]) ~ /^signed-by=/)
						signed = substr(o[i], index(o[i], "=") + 1)
			}
			sub(/#.*/, "")
			for (i = 4; i <= NF; i++)
				if ($3 == suite && $i == "main" && !found) {
					print $2 "\t" signed
					found = 1
				}
		}' | grep .
}

# A sources file for Debian 12's backports, from the system's own source of Debian 12 itself.
backports_source() { # codename
	local found uri signed
	found=$(apt_source "$1") || return 1
	uri=${found%%$'\t'*}
	signed=${found#*$'\t'}
	printf 'Types: deb\nURIs: %s\nSuites: %s-backports\nComponents: main\n' "$uri" "$1"
	[ -z "$signed" ] || sed '1s/^/Signed-By: /; 2,$s/^/ /' <<<"$signed"
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

apt_run() {
	as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get -q -y \
		-o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" \
		-o Dir::Etc::sourceparts="$work/sources" -o Dir::Etc::sourcelist=/dev/null \
		-o Dir::Etc::preferences="$work/preferences" \
		-o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 -o APT::Sandbox::User=root \
		-o Acquire::Languages=none -o Dpkg::Options::=--force-confold "$@" </dev/null
}

remove_work() {
	[ -z "${work:-}" ] || as_root rm -rf "$work"
}

# Install into the system with private lists, downloads and sources.
apt_install() { # codename, packages...
	local codename=$1 log
	shift
	work=$(mktemp -d /tmp/ktstr-setup.XXXXXX) || die "cannot make a folder in /tmp"
	trap remove_work EXIT
	trap 'exit 130' INT TERM HUP
	mkdir -p "$work"/{lists/partial,cache/archives/partial,sources}
	cp "$apt_etc"/sources.list.d/*.sources "$apt_etc"/sources.list.d/*.list "$work/sources" 2>/dev/null
	cp "$apt_etc/sources.list" "$work/sources/system.list" 2>/dev/null
	[ ! -r /etc/apt/preferences ] || cat /etc/apt/preferences >"$work/preferences"
	# Only QEMU and its firmware come from there, by this pin alone: naming the suite with the
	# package would take what it depends on from there too (libbpf1, against libbpf-dev).
	printf '\nPackage: src:qemu src:seabios src:ipxe\nPin: release n=%s-backports\nPin-Priority: 990\n' \
		"$codename" >>"$work/preferences"
	if [[ " $* " = *"$BACKPORTED "* ]] && ! apt_source "$codename-backports" >/dev/null; then
		backports_source "$codename" >"$work/sources/ktstr-backports.sources" ||
			die "no source of '$codename main' in $apt_etc: add one, then run this again"
	fi
	log=$work/log
	say "reading package lists"
	apt_run update >"$log" 2>&1 || say "some package lists could not be read, going on"
	say "installing: $*"
	if ! apt_run install --no-install-recommends "${@%/*-backports}" >>"$log" 2>&1; then
		tail -n 15 "$log" >&2
		die "apt-get failed; its last lines are above"
	fi
}

# The command a user without rights has to give.
rights_or_die() {
	[ "$(id -u)" = 0 ] || command -v sudo >/dev/null ||
		die "not root and no sudo here; as root run: $top/tools/setup.sh"
	if [ "$(id -u)" != 0 ] && ! sudo -n true 2>/dev/null && [ ! -t 0 ]; then
		die "sudo wants a password and there is no terminal; as root run: $top/tools/setup.sh"
	fi
}

debian_wanted() { # codename
	local major
	missing_by_dpkg
	major=$(qemu_major) && [ "$major" -ge "$QEMU_BASELINE" ] && return
	if [ "$1" = bookworm ]; then
		echo $BACKPORTED
	elif [ -z "$major" ]; then
		echo qemu-system-x86
	fi
}

setup_debian() { # codename
	local wanted
	wanted=$(debian_wanted "$1")
	[ -n "$wanted" ] || return 0
	if [ "$dry_run" = 1 ]; then
		echo "would install:" $wanted
		[[ $wanted != *backports* ]] || backports_source "$1" ||
			die "no source of '$1 main' in $apt_etc: add one, then run this again"
		return 0
	fi
	rights_or_die
	exec 9<"${BASH_SOURCE[0]}"
	flock 9
	wanted=$(debian_wanted "$1")
	[ -n "$wanted" ] || return 0
	# shellcheck disable=SC2086
	apt_install "$1" $wanted
	wanted=$(debian_wanted "$1")
	[ -z "$wanted" ] || die "still missing after installing:" $wanted
	say "done"
}

# --- elsewhere --------------------------------------------------------------------------------
tell() { # column, command
	local wanted
	wanted=$(missing_by_probe "$1")
	qemu_major >/dev/null || wanted+=$'\n'$(case $1 in
		dnf) echo qemu-system-x86-core ;;
		pacman) echo qemu-system-x86 ;;
		*) echo "qemu-system-x86 (version $QEMU_BASELINE or newer)" ;;
		esac)
	wanted=$(echo $wanted)
	[ -n "$wanted" ] || return 0
	say "packages are missing; nothing was changed.  Install them with:"
	echo "$2 $wanted" >&2
	return 1
}

main() {
	local id like codename
	id=$(os_field ID)
	like=" $id $(os_field ID_LIKE) "
	codename=$(os_field VERSION_CODENAME)
	if [ "$list" = 1 ]; then
		missing_by_probe deb | sed 's/^/missing: /'
		echo "qemu: version $(qemu_major || echo none)"
		return
	fi
	case $id:$codename in
	debian:bookworm | debian:trixie | debian:forky | debian:sid) setup_debian "$codename" ;;
	*) case $like in
		*" fedora "* | *" rhel "*) tell dnf "sudo dnf install" ;;
		*" arch "*) tell pacman "sudo pacman -S --needed" ;;
		*" debian "* | *" ubuntu "*) tell deb "sudo apt-get install --no-install-recommends" ;;
		*) tell deb "(Debian's names; use your distribution's)" ;;
		esac ;;
	esac
}

main
