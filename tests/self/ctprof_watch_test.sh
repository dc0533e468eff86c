#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# ktstr ctprof watch: lines, JSON, and on a terminal the layout, the keys, resizing and the end.
. "$(dirname "$0")/tap.sh"

ktstr=$top/build/ktstr
self=$top/tests/self
need_built "$ktstr"

sleepers=
start_sleepers() {
	[ -z "$sleepers" ] || { kill "$sleepers"; wait "$sleepers"; }
	rm -f "$scratch/ready"
	mkfifo "$scratch/ready"
	python3 "$self/watch_sleepers.py" >"$scratch/ready" &
	sleepers=$!
	read -r <"$scratch/ready"
}
start_sleepers
trap 'kill "$sleepers" 2>/dev/null; rm -rf "$scratch"' EXIT

blocks() { [ "$("$ktstr" ctprof watch -i 50ms -n 3 | grep -c 'PID .* >CPU%')" = 3 ]; }
check "without a terminal each interval is some lines" blocks
expect "the busiest thread comes first" 0 "^ *$sleepers +[0-9]+ .* spinner" \
	"$ktstr" ctprof watch -i 100ms -n 20 -l 1 -g thread --pid "$sleepers"
expect "rows are filtered" 0 '  1 +0\.0.*idle-7|idle-7' \
	"$ktstr" ctprof watch -i 50ms -n 1 -g thread --pid "$sleepers" -f idle-7
expect "the collector is chosen" 0 '^ *[0-9]+ +[0-9]+ ' \
	"$ktstr" ctprof watch -i 50ms -n 1 -g thread --pid "$sleepers" --collector procfs
check "rows that do not match are left out" lacks spinner \
	"$ktstr" ctprof watch -i 50ms -n 1 -g thread --pid "$sleepers" -f idle-7
check "no rows, no heading" lacks NAME \
	"$ktstr" ctprof watch -i 50ms -n 1 --pid "$sleepers" -f nobody-is-called-so
check_python "JSON has one object per interval, rates, and no absent values" "$ktstr" "$sleepers" <<'PY'
import json, subprocess, sys
out = subprocess.run([sys.argv[1], "ctprof", "watch", "--json", "-i", "100ms", "-n", "10", "-g", "thread",
                      "-c", "run_time_ns,nr_threads", "--pid", sys.argv[2], "-l", "0"],
                     stdout=subprocess.PIPE, check=True, text=True).stdout.splitlines()
assert len(out) == 10, out
busy = 0
for frame in map(json.loads, out):
    assert frame["type"] == "ktstr-ctprof-watch" and frame["by"] == "thread" and frame["seconds"] > 0
    first = frame["rows"][0]
    # A busy machine may not let it run in each of the intervals.
    busy += first["name"] == "spinner" and first["values"]["run_time_ns"]["per_second"] > 0
    assert len(frame["rows"]) == 32 == frame["rows_of"], len(frame["rows"])
    # Threads in the process: on its leader only.
    having = [r["tid"] for r in frame["rows"] if "nr_threads" in r["values"]]
    assert having == [int(sys.argv[2])], having
assert busy, out
PY
on_terminal() { python3 "$self/watch_terminal.py" "$ktstr" "$sleepers" "$1"; }
check "columns stand below their headings at 80 columns" on_terminal layout
check "keys choose rows, order, filter, pages, help and pause" on_terminal keys
check "rows that are equal keep their places" on_terminal ties
check "the screen follows the terminal's size, down to one cell" on_terminal resize
check "it ends after the intervals asked for" on_terminal counted
check "Ctrl-C gives the terminal back" on_terminal ended_by_INT
check "SIGTERM gives the terminal back" on_terminal ended_by_TERM
check "SIGHUP gives the terminal back" on_terminal ended_by_HUP
check "Ctrl-Z gives the terminal back, and the screen comes again" on_terminal stopped
check "threads are shown as new and as gone" on_terminal births
"$ktstr" ctprof capture -o "$scratch/now.ctprof.zst" --pid "$sleepers" 2>"$scratch/said"
check_python "a terminal that moves no cursor has lines, without color" "$ktstr" "$sleepers" "$scratch/now.ctprof.zst" <<'PY'
import os, pty, sys
ktstr, pid = sys.argv[1:3]
os.environ["TERM"] = "dumb"
for words in (["watch", "-i", "50ms", "-n", "1", "--pid", pid], ["show", "--color=auto", sys.argv[3]]):
    child, terminal = pty.fork()
    if child == 0:
        os.execv(ktstr, [ktstr, "ctprof", *words])
    seen = b""
    try:
        while bytes_ := os.read(terminal, 4096):
            seen += bytes_
    except OSError:
        pass
    assert os.waitpid(child, 0)[1] == 0, seen
    assert b"PID" in seen or b"TGID" in seen, seen
    assert b"\x1b" not in seen, seen
PY
check "it ends with the process it watches, and says so" on_terminal process_ends
wait "$sleepers"
sleepers=
start_sleepers

interrupted() {
	local pid
	"$ktstr" ctprof watch --json -i 50ms -g thread --pid "$sleepers" >"$scratch/lines" &
	pid=$!
	until_true "$pid" test -s "$scratch/lines"
	kill -TERM "$pid"
	wait "$pid"
	[ $? = 130 ] && python3 -c 'import json, sys; [json.loads(l) for l in sys.stdin]' <"$scratch/lines"
}
check "SIGTERM ends lines at the end of one" interrupted
reader_gone() { "$ktstr" ctprof watch -i 10ms --plain 2>"$scratch/said" | head -n 1; [ "${PIPESTATUS[0]}" = 70 ]; }
check "it ends when nobody reads on" reader_gone
expect "no such rows" 2 "no rows by 'speed'" "$ktstr" ctprof watch -g speed
expect "no such column" 2 "no metric 'speed'" "$ktstr" ctprof watch -c run_time_ns,speed
expect "a column that does not move" 2 "'policy' is a value of type category" "$ktstr" ctprof watch -c policy
expect "no such collector" 2 "none of auto, bpf, procfs" "$ktstr" ctprof watch --collector ptrace
expect "an interval too short" 2 'shorter than 10 ms' "$ktstr" ctprof watch -i 1ms
expect "a process that is not there" 70 'no process 2147483647' "$ktstr" ctprof watch --pid 2147483647 -n 1
finish
