#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# ktstr ctprof on this machine: what it prints, and what it says to bad input.
. "$(dirname "$0")/tap.sh"

ktstr=$top/build/ktstr
worker=$top/build/payloads/ktstr-jemalloc-alloc-worker
for program in "$ktstr" "$worker"; do
	if [ ! -x "$program" ]; then
		echo "Bail out! $program is not built"
		exit 1
	fi
done
file=$scratch/a.ctprof.zst

# A worker whose marker lies in the scratch folder.
mkfifo "$scratch/ready"
KTSTR_WORKER_READY_MARKER_OVERRIDE=$scratch/ready "$worker" 16777216 >/dev/null &
worker_pid=$!
trap 'kill "$worker_pid"; rm -rf "$scratch"' EXIT
read -r <"$scratch/ready"

expect "a capture is saved, and its cost told" 0 'threads of [0-9]+ processes in .* us a thread' \
	"$ktstr" ctprof capture -o "$file" --stats
expect "a saved capture is shown" 0 '^ +TGID +TID COMM +run_time_ns' "$ktstr" ctprof show "$file"
expect "any column, any order" 0 "^ *$worker_pid +$worker_pid +ktstr-jemalloc- +0" \
	"$ktstr" ctprof show --sort hiwater_rss_bytes -c nice -n 0 "$file"
expect "JSON has what is there" 0 "\"tgid\":$worker_pid,.*\"start_time_ticks\":[0-9]+" \
	"$ktstr" ctprof show --json -n 0 "$file"
no_zero_for_absent() {
	! "$ktstr" ctprof show --json -n 0 "$file" | grep '"kernel-thread"' | grep -q allocated
}
check "JSON leaves out what is absent" no_zero_for_absent
expect "metrics are listed with unit and meaning" 0 \
	'^run_time_ns +ns +counter +sum +schedstat +Time on a CPU' "$ktstr" ctprof metrics
expect "metrics as JSON" 0 '"name":"usage_us","unit":"us","type":"counter"' \
	"$ktstr" ctprof metrics --json

may_trace() { # PTRACE_SEIZE; what holds it ends
	python3 -c 'import ctypes, sys; sys.exit(ctypes.CDLL(None).ptrace(0x4206, int(sys.argv[1]), 0, 0) != 0)' "$1"
}
if ! may_trace "$worker_pid"; then
	skip "a process is probed" "ptrace: root, or sysctl kernel.yama.ptrace_scope=0"
else
	expect "a process is probed" 0 "^ *$worker_pid ktstr-jemalloc- +16.0MiB +[0-9.]+[KM]iB +168" \
		"$ktstr" ctprof probe "$worker_pid"
	three() { [ "$("$ktstr" ctprof probe --json -i 1ms -n 3 "$worker_pid" | grep -c '"allocated_bytes":168')" = 3 ]; }
	check "a process is probed three times" three
fi
expect "a process without jemalloc has no counters" 70 'jemalloc-not-found' \
	"$ktstr" ctprof probe $$

expect "no file to write" 2 "missing option '-o FILE'" "$ktstr" ctprof capture
expect "a folder that is not there" 70 'nonexistent' \
	"$ktstr" ctprof capture -o "$scratch/nonexistent/x"
expect "a process that is not there" 70 '^ktstr: no process 2147483647$' \
	"$ktstr" ctprof capture --pid 2147483647 -o "$file"
expect "a file that is not there" 70 'No such file' "$ktstr" ctprof show "$scratch/none"
expect "a file of another kind" 70 'is not a ctprof file' "$ktstr" ctprof show "$worker"
head -c 1000 "$file" >"$scratch/cut"
expect "a file that was cut" 70 'damaged or cut short' "$ktstr" ctprof show "$scratch/cut"
expect "a metric that does not exist" 2 "no metric 'speed'" "$ktstr" ctprof show -s speed "$file"
expect "a column that does not exist" 2 "no metric 'speed'" "$ktstr" ctprof show -c nice,speed "$file"
expect "two files" 2 'try' "$ktstr" ctprof show "$file" "$file"
expect "no process named" 2 'missing argument' "$ktstr" ctprof probe
expect "a name instead of a process" 2 "'init' is not a process id" "$ktstr" ctprof probe init
expect "a count of zero" 2 'count 0 is not in 1' "$ktstr" ctprof probe -n 0 1
expect "an unknown verb" 2 "unknown command 'compress'" "$ktstr" ctprof compress
full() { "$ktstr" ctprof show -n 0 "$file" >/dev/full; }
expect "a full disk behind standard output" 70 'No space left' full
finish
