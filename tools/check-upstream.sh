#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#
# Try ktstr against schedulers that nobody here wrote: the kernel's own, from tools/sched_ext.
#
# usage: tools/check-upstream.sh [--build] [--budget TIME] [SCHEDULER]...
#   --build        only fetch and build them
#   --budget TIME  for each of them, of scenarios (60s)
#   SCHEDULER      simple, qmap, central, flatcg, pair, userland, cpu0; all of them if none is named
#
# The source is Debian's linux-source package of the version that the newest cached kernel with
# sched_ext has, the compiler the newest clang that this system's own package sources offer (older
# ones make code that the verifier does not take).  About 250 MB are fetched, once.  All of it lies
# in build/upstream; nothing is installed, and no root is needed.
#
# Each is attached, runs a load and is told to go; then it is judged by scenarios of the catalogue,
# and a table says how it did (whole reports: build/upstream/NAME.txt and .json).
#
# Exit status: 0 all of them could be tried, or, without Debian's packages, none; 1 one was not attached
# or did not go, or a scenario ended in an ERROR that is not its own; 2 usage.  What scenarios find is
# about the schedulers, which are examples, and no failure here.
set -u

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
top=$PWD
dir=$top/build/upstream
all=(simple qmap central flatcg pair userland cpu0)
clang_oldest=16

say() { echo "check-upstream: $*" >&2; }
die() {
	say "$*"
	exit 1
}
skip() {
	say "SKIP $*"
	exit 0
}

quietly() { # log, command...
	local log=$dir/$1
	shift
	"$@" >"$log" 2>&1 && return
	tail -n 15 "$log" >&2
	die "'$1' failed; the whole log is $log"
}

# --- the kernel they are built for ------------------------------------------------------------
kernel_facts() {
	build/ktstr kernel list --json | python3 -c '
import json, sys
for line in sys.stdin:
    k = json.loads(line)
    if k["sched_ext"] and k["btf"] and not k["imported"]:
        print(k["version"], k["vmlinux"])
        break'
}

# --- packages -----------------------------------------------------------------------------------
# ktstr has read the lists of Debian's suites to find its kernels; the same sources, in a folder of
# our own, so that its cache stays as it is.
suite_conf() { # suite folder
	local to=$dir/apt/${1##*/}
	mkdir -p "$to/lists/partial" "$to/archives/partial"
	sed "s|$1|$to|g" "$1/apt.conf" >"$to/apt.conf"
	cp "$1/kernels.sources" "$to/"
	echo "$to/apt.conf"
}

find_source() { # version
	local name=linux-source-${1%.*} conf suite found
	for suite in "${XDG_CACHE_HOME:-$HOME/.cache}"/ktstr/apt/*/; do
		[ -r "$suite/kernels.sources" ] || continue
		conf=$(suite_conf "${suite%/}")
		quietly update.log apt-get -c "$conf" update
		found=$(apt-cache -c "$conf" madison "$name" 2>/dev/null |
			awk -F'|' -v v="$1" '{ gsub(/ /, "", $2); if (index($2, v "-") == 1) print $2 }' |
			head -n 1)
		[ -z "$found" ] || { echo "$conf $name=$found" && return; }
	done
	return 1
}

fetch_source() { # version
	local found conf package
	[ ! -e "$dir/linux/.version-$1" ] || return 0
	found=$(find_source "$1") || skip "no suite that 'ktstr kernel fetch' knows has linux-source of $1"
	conf=${found% *}
	package=${found#* }
	say "fetching $package"
	rm -rf "$dir/linux" "$dir/source"
	mkdir -p "$dir/linux" "$dir/source"
	(cd "$dir/source" && quietly source.log apt-get -c "$conf" download "$package") || exit 1
	say "unpacking it"
	dpkg-deb --fsys-tarfile "$dir"/source/linux-source-*.deb |
		tar -x -C "$dir/source" --wildcards './usr/src/linux-source-*.tar.xz' || die "cannot unpack it"
	tar -x -C "$dir/linux" --strip-components=1 --wildcards \
		-f "$dir"/source/usr/src/linux-source-*.tar.xz \
		'*/tools' '*/scripts' '*/include' '*/arch/x86' '*/kernel/bpf' '*/Makefile' ||
		die "cannot unpack the source"
	rm -rf "$dir/source"
	touch "$dir/linux/.version-$1"
}

# The system's own package sources with lists of our own.
system_apt() { # tool, arguments...
	local tool=$1
	shift
	"$tool" -q -o Dir::State::lists="$dir/apt/system/lists" \
		-o Dir::Cache="$dir/apt/system" -o Debug::NoLocking=1 -o APT::Sandbox::User= \
		-o Acquire::Languages=none "$@"
}

fetch_clang() {
	local newest packages
	[ ! -x "$dir/clang/bin" ] || return 0
	mkdir -p "$dir/apt/system/lists/partial" "$dir/apt/system/archives/partial" "$dir/debs"
	quietly lists.log system_apt apt-get update
	newest=$(system_apt apt-cache pkgnames clang- | sed -n 's/^clang-\([0-9]*\)$/\1/p' | sort -n | tail -n 1)
	[ "${newest:-0}" -ge $clang_oldest ] || skip "no clang-$clang_oldest or newer in this system's package sources"
	say "fetching clang-$newest"
	packages=$(system_apt apt-get -s --no-install-recommends install "clang-$newest" |
		sed -n 's/^Inst \([^ ]*\) .*/\1/p')
	[ -n "$packages" ] || packages=clang-$newest
	# shellcheck disable=SC2086
	(cd "$dir/debs" && quietly clang.log system_apt apt-get download $packages) || exit 1
	rm -rf "$dir/clang"
	for deb in "$dir"/debs/*.deb; do
		dpkg-deb -x "$deb" "$dir/clang" || die "cannot unpack '$deb'"
	done
	rm -rf "$dir/debs"
	ln -s "usr/lib/llvm-$newest/bin" "$dir/clang/bin"
}

# --- build ------------------------------------------------------------------------------------
build_all() { # version, vmlinux
	local libraries=$dir/clang/usr/lib/x86_64-linux-gnu name
	[ ! -e "$dir/bin/.version-$1" ] || return 0
	say "building ${all[*]}"
	for name in "$dir"/clang/usr/lib/llvm-*/lib; do
		libraries+=:$name
	done
	rm -rf "${dir:?}/out" "${dir:?}/bin"
	mkdir -p "$dir/out" "$dir/bin"
	# As people would build them: without optimisation loading takes three times as long.
	sed -i 's/-O0/-O2/' "$dir/linux/tools/sched_ext/Makefile"
	# What make hands to its children is about this project's build.
	quietly build.log env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u CC -u CFLAGS -u B \
		LD_LIBRARY_PATH="$libraries" make -j2 -C "$dir/linux/tools/sched_ext" O="$dir/out" \
		VMLINUX_BTF="$2" CLANG="$dir/clang/bin/clang" "${all[@]/#/scx_}"
	for name in "${all[@]}"; do
		strip -g -o "$dir/bin/scx_$name" "$dir/out/build/bin/scx_$name" || die "scx_$name was not built"
	done
	touch "$dir/bin/.version-$1"
}

# --- run --------------------------------------------------------------------------------------
show_table() { # names...
	python3 - "$dir" "$@" <<'EOF'
import collections, json, sys
folder, names = sys.argv[1], sys.argv[2:]
words = ["PASS", "FAIL", "UNDECIDED", "SKIP", "ERROR"]
print(f"{'':12}" + "".join(f"{w.lower():>11}" for w in words))
broken, found = False, []
for name in names:
    count = collections.Counter()
    with open(f"{folder}/{name}.json") as f:
        for result in map(json.loads, f):
            if result.get("type") != "result":
                continue
            count[result["verdict"]] += 1
            findings = result.get("findings", [])
            # A scheduler may refuse a machine: scx_pair wants an even number of CPUs.
            broken |= result["verdict"] == "ERROR" and not any(
                x["check"] == "scheduler_alive" and x["verdict"] == "ERROR" for x in findings)
            for x in findings:
                if x["verdict"] in ("FAIL", "ERROR"):
                    found.append(f"{x['verdict']} {name} {result['test']}: {x.get('text', '')}")
    broken |= not count
    print(f"{name:12}" + "".join(f"{count[w]:11}" for w in words))
print("\n".join([""] + found))
sys.exit(broken)
EOF
}

judge_all() { # budget, names...
	local budget=$1 name
	shift
	for name in "$@"; do
		say "judging $name"
		rm -f "$dir/$name.json"
		build/ktstr check --budget "$budget" --json "$dir/$name.json" -- "$dir/bin/scx_$name" \
			>"$dir/$name.txt" 2>&1
		[ -s "$dir/$name.json" ] || {
			tail -n 5 "$dir/$name.txt" >&2
			die "$name was not judged"
		}
	done
	show_table "$@"
}

main() {
	local only_build="" budget=60s status=0 wanted=() version vmlinux facts tests=()
	while [ $# -gt 0 ]; do
		case $1 in
		--build) only_build=1 ;;
		--budget)
			budget=${2:-}
			shift
			;;
		-*)
			sed -n 's/^# \(usage: .*\)/\1/p' "${BASH_SOURCE[0]}" >&2
			exit 2
			;;
		*)
			[[ " ${all[*]} " = *" $1 "* ]] || {
				say "unknown scheduler '$1'; there are: ${all[*]}"
				exit 2
			}
			wanted+=("$1")
			;;
		esac
		shift
	done
	command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || skip "Debian's packages are needed"
	facts=$(kernel_facts)
	[ -n "$facts" ] || skip "no cached kernel with sched_ext: ktstr kernel fetch"
	version=${facts%% *}
	vmlinux=${facts#* }
	mkdir -p "$dir"
	fetch_source "$version"
	fetch_clang
	build_all "$version" "$vmlinux"
	[ -z "$only_build" ] || return 0
	[ ${#wanted[@]} -gt 0 ] || wanted=("${all[@]}")
	for name in "${wanted[@]}"; do
		tests+=(-t "upstream_$name")
	done
	build/tests/upstream/sched_upstream "${tests[@]}" >&2 || status=1
	judge_all "$budget" "${wanted[@]}" || status=1
	return $status
}

main "$@"
