#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# ktstr ctprof compare and show on captures of this machine, before and during a load.
. "$(dirname "$0")/tap.sh"

ktstr=$top/build/ktstr
need_built "$ktstr"
a=$scratch/a.ctprof.zst
b=$scratch/b.ctprof.zst
series=$scratch/series.ctprof.zst

# Says when it has used half a second of CPU time, then goes on until it is killed.
cat >"$scratch/load.py" <<'PY'
import threading, time
def spin():
    while time.thread_time() < 0.5:
        pass
    print("ready", flush=True)
    time.sleep(3600)
t = threading.Thread(target=spin)
t.start()
t.join()
PY
capture() { "$ktstr" ctprof capture --no-jemalloc --no-smaps "$@" 2>/dev/null; }
capture -o "$a"
mkfifo "$scratch/ready"
python3 "$scratch/load.py" >"$scratch/ready" &
load=$!
trap 'kill "$load"; rm -rf "$scratch"' EXIT
read -r <"$scratch/ready"
capture -o "$b"
cp "$b" "$series"
capture -o "$series" -i 50ms -n 3

compare() { "$ktstr" ctprof compare "$@"; }
json() { compare --json "$@" >"$scratch/json"; }

expect "what happened in between is shown" 0 '^PROCESS +THREADS +RUN +WAIT' compare "$a" "$b"
expect "two records of one boot are joined" 0 '[0-9.]+m?s later' compare "$a" "$b"
json -g task -m run_time "$a" "$b"
check_python "the load's thread ran half a second, and is new" "$scratch/json" "$load" <<'PY'
import json, sys
c = json.load(open(sys.argv[1]))
assert c["one_boot"], c
task = c["blocks"][1]
assert task["by"] == "task"
mine = [g for g in task["groups"] if g.get("tgid") == int(sys.argv[2])]
assert len(mine) == 2, mine
ran = sum(g["metrics"]["run_time_ns"]["change"] for g in mine)
assert 0.5e9 <= ran < 30e9, ran
assert all(g["only"] == "after" for g in mine)
PY
json -g all "$a" "$b"
check_python "groups add up to the machine" "$scratch/json" <<'PY'
import json, sys
c = json.load(open(sys.argv[1]))
blocks = {b["by"]: b["groups"] for b in c["blocks"]}
assert list(blocks) == ["machine", "cgroup", "process", "thread"], list(blocks)
for name in ("run_time_ns", "voluntary_csw", "minflt"):
    sums = {by: sum(g["metrics"].get(name, {}).get("between", {}).get("value", 0) for g in groups)
            for by, groups in blocks.items()}
    assert len(set(sums.values())) == 1, sums
    assert sums["machine"] > 0
PY
expect "a record against itself has not changed" 0 '^Nothing changed' compare "$b" "$b"
expect "CSV has a heading and lines" 0 '^process,.*,run_time_ns,ns,' compare --csv "$a" "$b"
eighty_columns() { ! compare "$a" "$b" | sed '/more, \|^gone\|^only\|^! /d' | grep -qE '.{81}'; }
check "80 columns are enough" eighty_columns
check "no colours but on a terminal" lacks $'\033' compare "$a" "$b"
expect "colours if asked for" 0 $'\033' compare --color always "$a" "$b"
expect "rows, columns and metrics are chosen" 0 '^run_time_ns +all threads +[+]' \
	compare --layout rows -c metric,group,between -m run_time,nice "$a" "$b"
expect "other boots are compared by sums" 0 '^PROCESS .* BEFORE +AFTER +%' \
	compare --boots other -m run_time "$a" "$b"
expect "a series is compared from first to last" 0 'later' compare "$series"
expect "moments of a series are picked" 0 '^after +series.*@3' compare "$series@2" "$series@3"
expect "two series are compared by their rates" 0 'run_time_ns/s' compare --limit 0 "$series" "$series"
expect "... in which nothing changed, and no heading stands for it" 0 '^Nothing changed\.$' \
	compare "$series" "$series"
expect "per second" 0 'RUN/s' compare --per-second "$a" "$b"

expect "a condition that is met fails" 1 '^met: run_time > 100ms: run_time_ns of all threads' \
	compare --fail-if 'run_time > 100ms' "$a" "$b"
expect "a condition that is not met passes" 0 '^not met: after nice > 1000 in [*]' \
	compare --fail-if 'after nice > 1000 in *' "$a" "$b"
expect "what is not there is undecided" 5 '^undecided: .*no group matches' \
	compare --fail-if 'run_time > 1 in no-such-process' "$a" "$b"
expect "what is met outweighs what is undecided" 1 '^undecided' compare \
	--fail-if 'run_time > 1 in nobody' --fail-if 'run_time > 1ms' "$a" "$b"
expect "a condition that makes no sense" 2 "no metric 'speed'" compare --fail-if 'speed > 1' "$a" "$b"

expect "show by process" 0 '^PROCESS +THREADS +RUN' "$ktstr" ctprof show -g process "$b"
expect "show the last moment of a series" 0 '^of series' "$ktstr" ctprof show "$series"
expect "show one moment of a series" 0 '^of series.*@2' "$ktstr" ctprof show "$series@2"
expect "no such moment" 2 'has 4 moments|has 3 moments' "$ktstr" ctprof show "$series@9"
expect "the wrong way round" 2 'swap them' compare "$b" "$a"
expect "one moment alone" 2 'holds one moment' compare "$b"
expect "a moment and a window" 2 'compare two of a kind' compare "$b" "$series"
expect "an unknown grouping" 2 "none of all, cgroup" compare -g colour "$a" "$b"
expect "an unknown section" 2 "no section 'x'" compare --sections x "$a" "$b"
expect "an unknown column" 2 "no column 'x'" compare -c x "$a" "$b"
expect "an unknown sort key" 2 "did you mean 'run_time'" compare -s run_tine "$a" "$b"
expect "three files" 2 'unexpected argument' compare "$a" "$b" "$b"
finish
