#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Ctrl-C and its kin at different moments: exit 130, finished results kept, nothing left behind.
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/guest.sh"
verdicts=$top/build/tests/self/verdicts

# Start a run in its own process group, as a terminal does; its folder is $scratch/$name.
start_run() { # name, command...
	name=$1
	shift
	set -m
	"$@" >"$scratch/$name.out" 2>"$scratch/$name.err" </dev/null &
	set +m
	runner=$!
}

gone() { # no process has this folder in its command line
	no_process "$scratch/$name[/ ]"
}

# The end of a run: how, and what is left of it.
interrupted() { # what
	wait "$runner"
	status=$?
	check "$1: exit 130" [ "$status" = 130 ]
	check "$1: no process is left" until_true $$ gone
	check "$1: no archive is left" bash -c "! ls $scratch/$name/*.cpio $scratch/$name/*/*.cpio 2>/dev/null"
}
console_began() { [ -s "$scratch/$name/waits_long/console.log" ]; }
body_began() { [ -s "$scratch/$name/waits_long/records.bin" ] &&
	grep -qa '"checks\|"ok":true,"line"' "$scratch/$name/waits_long/records.bin"; }
has_result() { grep -q '"test":"a_first_one"' "$scratch/$name/results.jsonl"; }

start_run early "$guests" --mode live --run-dir "$scratch/early" waits_long
until_true "$runner" test -e "$scratch/early/results.jsonl"
kill -INT -- "-$runner"
interrupted "while things are prepared"

start_run boot "$guests" --mode live --run-dir "$scratch/boot" a_first_one waits_long
until_true "$runner" console_began
kill -INT -- "-$runner"
interrupted "while the guest boots"
check "while the guest boots: the finished result is kept" has_result
check "while the guest boots: the summary is printed" grep -q '^1 passed, ' "$scratch/boot.err"
check "while the guest boots: the interrupted test is UNDECIDED" grep -q \
	'^ok 2 waits_long # SKIP UNDECIDED: interrupted by the user$' "$scratch/boot.out"
check "while the guest boots: the plan is called off" grep -qx 'Bail out! interrupted' \
	"$scratch/boot.out"

start_run body "$guests" --mode live --run-dir "$scratch/body" --junit "$scratch/body.xml" waits_long a_first_one
until_true "$runner" body_began
kill -TERM "$runner"
interrupted "while the body runs (SIGTERM to the runner alone)"
check "... finished results are in the JUnit file" grep -q 'a_first_one' "$scratch/body.xml"

start_run host "$verdicts" -j1 --run-dir "$scratch/host" passes waits_for_ever waits_too_long
until_true "$runner" grep -qs '"test":"passes"' "$scratch/host/results.jsonl"
kill -INT -- "-$runner"
interrupted "while a body runs on the host"
check "... tests that did not run are counted" grep -q 'interrupted: 1 of 3 tests did not run' \
	"$scratch/host.err"

# Shells without job control start what is in the background with SIGINT ignored.
start_run unasked timeout --foreground -s KILL 300 bash -c 'trap "" INT; exec "$@"' bash \
	"$verdicts" -j1 --run-dir "$scratch/unasked" waits_for_ever
until_true "$runner" grep -qsa '"ok":true' "$scratch/unasked/waits_for_ever/records.bin"
kill -TERM "$runner"
interrupted "SIGTERM where SIGINT is ignored"

exec_began() { [ -s "$scratch/exec/console.log" ]; }
start_run exec "$ktstr" exec --keep "$scratch/exec" -- sleep 1000
until_true "$runner" exec_began
kill -INT -- "-$runner"
interrupted "while 'ktstr exec' runs"
check "... and it says so" grep -q '^ktstr: interrupted$' "$scratch/exec.err"

start_run killed "$guests" --mode live --run-dir "$scratch/killed" waits_long
until_true "$runner" body_began
kill -KILL "$runner"
wait "$runner" 2>/dev/null
check "SIGKILL of the runner leaves no QEMU" until_true $$ gone
finish
