#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#
# From a fresh clone to tests in virtual machines and a judged scheduler: set up, build, fetch a kernel, run.
#
# usage: tools/demo.sh
#
# Steps that were done before are skipped; a second run needs no network.  Results (KTAP) go to
# stdout, everything else to stderr.  Exit status: that of the tests, or of the step that failed.
set -u

[ $# -eq 0 ] || { echo "usage: tools/demo.sh" >&2; exit 2; }
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
began=$(date +%s%N)
steps=''

tenths() { printf '%d.%d' $(($1 / 1000000000)) $(($1 / 100000000 % 10)); }

step() { # what, command...
	local what=$1 t0 status
	shift
	echo "== $what" >&2
	t0=$(date +%s%N)
	"$@"
	status=$?
	steps+="  $(printf '%-12s' "$what") $(tenths $(($(date +%s%N) - t0))) s"$'\n'
	return "$status"
}

# A signal may come to this script alone; what runs has to end with it.
child=''
ended() { # exit status
	trap '' INT TERM
	[ -z "$child" ] || { kill "$child" 2>/dev/null; wait "$child"; }
	echo "demo: interrupted" >&2
	exit "$1"
}
trap 'ended 130' INT
trap 'ended 143' TERM

guarded() { # command...
	local status
	"$@" &
	child=$!
	wait "$child"
	status=$?
	child=''
	return "$status"
}

build() {
	mkdir -p build
	guarded make -s -j"$(nproc)" >build/demo-build.log 2>&1 && return
	tail -n 30 build/demo-build.log >&2
	echo "demo: the build failed; the whole log is build/demo-build.log" >&2
	return 1
}

kernel() {
	build/ktstr kernel list --json 2>/dev/null | grep -q '"sched_ext":true' ||
		guarded build/ktstr kernel fetch >&2
}

tests() {
	local program status=0
	for program in tests/vm/ctprof_jemalloc examples/hello_topology examples/payload_metrics; do
		printf '\n-- ktstr run build/%s\n' "$program" >&2
		guarded build/ktstr run "build/$program" || status=$?
	done
	return "$status"
}

# Our own scheduler, as it is and with a bug put in: the second has to be found out.
check() {
	local status=0
	printf '\n-- ktstr check -- ktstr-sched\n' >&2
	guarded build/ktstr check --scenarios 'cpuset:*' --topologies tiny-2llc -- \
		build/payloads/ktstr-sched || return
	printf '\n-- the same scheduler, but blind for changes of cpusets\n' >&2
	guarded build/ktstr check --scenarios 'cpuset:*' --topologies tiny-2llc -- \
		build/payloads/ktstr-sched --fault cpuset-ignored || status=$?
	[ $status -eq 1 ] && return
	echo "demo: a bug that was put in was not found (exit status $status)" >&2
	return 1
}

step "set-up" tools/setup.sh && step "build" build && step "kernel" kernel && step "tests" tests &&
	step "check" check
status=$?
printf '\ntimes:\n%s  %-12s %s s\n' "$steps" "in all" "$(tenths $(($(date +%s%N) - began)))" >&2
exit $status
