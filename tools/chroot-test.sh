#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#
# Try the project as a newcomer would: a clone of HEAD in a fresh minimal Debian.
#
# usage: tools/chroot-test.sh [--suite bookworm] [--base DIR] [--keep] [--cpus LIST] [COMMAND...]
#   --base DIR   make the minimal system once in DIR and copy it from there (default: none kept)
#   --keep       leave the chroot where it is and say where
#   --cpus LIST  run on these CPUs only, as taskset(1) takes them
#   COMMAND      each one line for a shell in the clone; default: 'make demo' twice, 'make check'
#
# Needs root and debootstrap.  The mirror is the one this system's apt uses.  Mounts are taken away
# on every way out.  Exit status: that of the first command that fails.
set -eu

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
suite=bookworm base='' keep=0 cpus=''
while [ $# -gt 0 ]; do
	case $1 in
	--suite) suite=$2; shift ;;
	--base) base=$2; shift ;;
	--cpus) cpus=$2; shift ;;
	--keep) keep=1 ;;
	-*) echo "chroot-test: unknown option '$1'" >&2; exit 2 ;;
	*) break ;;
	esac
	shift
done
[ $# -gt 0 ] || set -- 'make demo' 'make demo' 'make check'
[ "$(id -u)" = 0 ] || { echo "chroot-test: needs root" >&2; exit 1; }

dir=$(mktemp -d /var/tmp/ktstr-chroot.XXXXXX)
mounts=()
leave() {
	local status=$? i
	trap '' INT TERM HUP
	for ((i = ${#mounts[@]} - 1; i >= 0; i--)); do
		umount -R "${mounts[i]}" 2>/dev/null || umount -R -l "${mounts[i]}"
	done
	if [ "$keep" = 1 ]; then
		echo "chroot-test: kept $dir" >&2
	elif ! grep -q " $dir" /proc/self/mounts; then
		rm -rf --one-file-system "$dir"
	fi
	exit "$status"
}
trap leave EXIT
trap 'exit 130' INT TERM HUP

# What apt here reads, without what it keeps: proxies; for the same release also sources and keys.
copy_apt() {
	if grep -q "^VERSION_CODENAME=$suite$" /etc/os-release; then
		rm -f "$dir"/etc/apt/sources.list
		cp -a /etc/apt/sources.list.d "$dir/etc/apt/"
		[ ! -e /etc/apt/sources.list ] || cp /etc/apt/sources.list "$dir/etc/apt/"
		cp -a /usr/share/keyrings "$dir/usr/share/"
	fi
	apt-config dump | grep -E '^Acquire::(http|https|ftp)::.*Proxy' >"$dir/etc/apt/apt.conf.d/99proxy" || :
}

make_system() { # folder
	local mirror
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Component: main' |
		head -n 1)
	debootstrap --variant=minbase --include=make,git,ca-certificates "$suite" "$1" "$mirror"
}

if [ -n "$base" ]; then
	[ -d "$base/usr" ] || make_system "$base"
	cp -a "$base/." "$dir/"
else
	make_system "$dir"
fi
copy_apt
cp -L /etc/resolv.conf "$dir/etc/resolv.conf" 2>/dev/null || :
cp -L /etc/hosts "$dir/etc/hosts" 2>/dev/null || :
git clone -q --no-hardlinks "$top" "$dir/ktstr"

# Tests that take a mount namespace want the root to be a mount.
mount --bind "$dir" "$dir"
mounts+=("$dir")
for m in proc sys dev; do
	mount --rbind "/$m" "$dir/$m"
	mounts+=("$dir/$m")
	mount --make-rslave "$dir/$m"
done

for command in "$@"; do
	echo "chroot-test: == $command" >&2
	start=$SECONDS
	status=0
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp/user CI=true \
		${cpus:+taskset -c "$cpus"} chroot "$dir" /bin/sh -c "mkdir -p /tmp/user; cd /ktstr && $command" \
		</dev/null || status=$?
	echo "chroot-test: == $command: exit status $status after $((SECONDS - start)) s" >&2
	[ "$status" = 0 ] || exit "$status"
done
