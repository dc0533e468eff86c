#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# ktstr ctprof on this machine: what it prints, and what it says to bad input.
. "$(dirname "$0")/tap.sh"

ktstr=$top/build/ktstr
worker=$top/build/payloads/ktstr-jemalloc-alloc-worker
need_built "$ktstr" "$worker"
file=$scratch/a.ctprof.zst

# A worker whose marker lies in the scratch folder.
mkfifo "$scratch/ready"
KTSTR_WORKER_READY_MARKER_OVERRIDE=$scratch/ready "$worker" 16777216 >/dev/null &
worker_pid=$!
trap 'kill "$worker_pid"; rm -rf "$scratch"' EXIT
read -r <"$scratch/ready"

expect "a capture is saved, and its cost told" 0 \
	'threads of [0-9]+ processes by [a-z]+ in .* us a thread' \
	"$ktstr" ctprof capture -o "$file" --stats
expect "a saved capture is shown" 0 '^ *TGID +TID COMM +RUN +WAIT' "$ktstr" ctprof show "$file"
expect "any column, any order" 0 "^ *$worker_pid +$worker_pid +ktstr-jemalloc- +0" \
	"$ktstr" ctprof show --sort hiwater_rss_bytes -c nice -n 0 "$file"
expect "JSON has what is there" 0 "\"tgid\":$worker_pid,.*\"start_time_ticks\":[0-9]+" \
	"$ktstr" ctprof show --json -n 0 "$file"
chosen() { "$ktstr" ctprof capture --collector procfs -o "$file" --stats; }
expect "a collector is chosen" 0 'by procfs in' chosen
expect "it is said what it filled" 0 '^procfs: start_time_ticks ' chosen
expect "it is said what nothing filled" 0 '^absent: ' chosen
expect "it is said why" 0 '^jemalloc of [0-9]+ threads: kernel-thread' chosen
snapshots() { zstd -dcq "$1" 2>/dev/null | grep -c '"ktstr-ctprof"'; }
series=$scratch/series.ctprof.zst
three_snapshots() {
	"$ktstr" ctprof capture -i 1ms -n 3 --no-jemalloc --no-smaps -o "$series" &&
		[ "$(snapshots "$series")" = 3 ]
}
check "a series goes into one file" three_snapshots
check "a series starts anew" three_snapshots
interrupted_series() { # options...
	"$ktstr" ctprof capture -i 1ms --no-jemalloc --no-smaps --pid $$ "$@" -o "$series" &
	until [ "$(snapshots "$series")" -gt 5 ]; do
		kill -0 $! || return 1
	done
	kill -TERM $!
	wait $!
}
endless_series() { interrupted_series && zstd -tq "$series" && [ "$(snapshots "$series")" -gt 5 ]; }
check "a series without a count ends well when interrupted" endless_series
rm -f "$series"
expect "a series with a count was not finished" 130 '' interrupted_series -n 1000000000
only_comms() { # glob, what other lines there may be
	"$ktstr" ctprof capture --comm "$1" -o "$file" || return
	"$ktstr" ctprof show --json -n 0 "$file" | grep '"tid"' >"$scratch/threads"
	[ -s "$scratch/threads" ] && ! grep -v '"comm":"ktstr-jemalloc-' "$scratch/threads"
}
check "threads are chosen by name" only_comms 'ktstr-jemalloc-*'
only_mine() {
	"$ktstr" ctprof capture --pid "$worker_pid" -o "$file" &&
		! "$ktstr" ctprof show --json -n 0 "$file" | grep '"tid"' |
			grep -v "\"tgid\":$worker_pid,"
}
check "a process is chosen by number" only_mine
no_such_cgroup() {
	"$ktstr" ctprof capture --cgroup '/no/such/*' -o "$file" &&
		! "$ktstr" ctprof show --json -n 0 "$file" | grep '"tid"'
}
check "threads are chosen by cgroup" no_such_cgroup
"$ktstr" ctprof capture -o "$file" 2>/dev/null
no_zero_for_absent() {
	! "$ktstr" ctprof show --json -n 0 "$file" | grep '"kernel-thread"' | grep -q allocated
}
check "JSON leaves out what is absent" no_zero_for_absent
expect "metrics are listed with unit and meaning" 0 \
	'^ *run_time_ns +ns +counter +sum +schedstat: Time on a CPU' "$ktstr" ctprof metrics
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

expect "names that nobody has" 0 '^no thread matches: the record is empty$' \
	"$ktstr" ctprof capture --comm 'nobody is called so' -o "$scratch/nobody"
expect "no file to write" 2 "missing option '-o FILE'" "$ktstr" ctprof capture
expect "a collector that does not exist" 2 "'magic' is none of auto, bpf, procfs" \
	"$ktstr" ctprof capture --collector magic -o "$file"
expect "a count without an interval" 2 'needs --interval' "$ktstr" ctprof capture -n 3 -o "$file"
expect "a folder that is not there" 2 'nonexistent' \
	"$ktstr" ctprof capture -o "$scratch/nonexistent/x"
expect "a process that is not there" 70 '^ktstr: no process 2147483647$' \
	"$ktstr" ctprof capture --pid 2147483647 -o "$file"
expect "a file that is not there" 2 'No such file' "$ktstr" ctprof show "$scratch/none"
expect "a file of another kind" 70 'is not a ctprof file' "$ktstr" ctprof show "$worker"
head -c 1000 "$file" >"$scratch/cut"
printf '{"type":"ktstr-ctprof","version":2,"x":%s%s}' "$(printf '[%.0s' {1..20})" "$(printf ']%.0s' {1..20})" |
	zstd -q >"$scratch/deep"
expect "a file that is nested too deep" 70 'nested more than 16 deep' "$ktstr" ctprof show "$scratch/deep"
expect "a file that was cut" 70 'damaged or cut short' "$ktstr" ctprof show "$scratch/cut"
expect "a metric that does not exist" 2 "no metric 'speed'" "$ktstr" ctprof show -s speed "$file"
expect "a column that does not exist" 2 "no metric 'speed'" "$ktstr" ctprof show -c nice,speed "$file"
expect "two files" 2 'try' "$ktstr" ctprof show "$file" "$file"
expect "no process named" 2 'missing argument' "$ktstr" ctprof probe
expect "a name instead of a process" 2 "'init' is not a process id" "$ktstr" ctprof probe init
expect "no process has the id 0" 2 "'0' is not a process id" "$ktstr" ctprof capture --pid 0 -o "$file"
expect "... for watch either" 2 "'0' is not a process id" "$ktstr" ctprof watch --pid 0 -n 1
expect "an interval of nothing" 2 'interval is 0; leave it out' "$ktstr" ctprof capture -i 0 -o "$file"
expect "a file without a name" 2 "write ''" "$ktstr" ctprof capture -o ''
expect "a count of zero" 2 'count 0 is not in 1' "$ktstr" ctprof probe -n 0 1
expect "an unknown verb" 2 "unknown command 'compress'" "$ktstr" ctprof compress
full() { "$ktstr" ctprof "$@" >/dev/full; }
lost='^ktstr: write to standard output: No space left'
expect "a full disk behind standard output" 70 "$lost" full show -n 0 "$file"
expect "a full disk behind JSON" 70 "$lost" full metrics --json
expect "a full disk behind watch" 70 "$lost" full watch -n 2 -i 10ms
expect "a condition is met, and nobody gets the table" 1 "$lost" \
	full compare "$file" "$file" --fail-if 'before run_time >= 0'
finish
