#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Every way a body can end, without a VM: verdict, words, exit code, in every report.
. "$(dirname "$0")/tap.sh"
prog=$top/build/tests/self/verdicts
export XDG_STATE_HOME=$scratch/state

# one NAME STATUS REGEX: one test alone, its exit code, and what KTAP says of it
one() {
	expect "$1: exit $2" "$2" "$3" "$prog" --color never -t "$1"
}

one passes 0 '^ok 1 passes$'
one passes 0 '^# value gap_ns = 1234.5 ns$'
one passes 0 '^# note a note on a passing test$'
one fails 1 '^not ok 1 fails$'
one fails 1 '^# tests/self/verdicts.c:[0-9]+: expected gap <= 64$'
one fails 1 '^#   seen 71; wanted 64$'
one fails 1 'seen "seen\\x01\\xff"; wanted "wanted <&>"'
one fails 1 'verdicts.c:[0-9]+: expected 7, because'
one fails 1 "^# run again: $prog -t fails\$"
one fails_then_stops 1 'expected 1 == 2'
one fails_and_skips 1 '^not ok 1 fails_and_skips$'
one skips 4 '^ok 1 skips # SKIP needs a moon   of cheese$'
one is_undecided 5 '^ok 1 is_undecided # SKIP UNDECIDED: the host was busy$'
one checks_nothing 5 'SKIP UNDECIDED: the body made no check'
one set_up_breaks 70 '^not ok 1 set_up_breaks # ERROR '
one set_up_breaks 70 "payload binary 'ktstr-there-is-no-such-program' is not"
one measures_nothing 70 'a missing reading is not a value'
one segfaults 1 'the body crashed: signal 11 \(SIGSEGV, Segmentation fault\) at address 0x10'
one segfaults 1 '^#   in write_to at .*tests/self/verdicts.c:[0-9]+$'
one segfaults 1 '^#   called by segfaults at .*tests/self/verdicts.c:[0-9]+$'
one aborts 1 'signal 6 \(SIGABRT'
one aborts 1 '^#   about to abort$'
one overflows_stack 1 'in recurse at '
one exits 1 'the body ended its process instead of returning: exit status 0'
one is_killed 1 'the body was killed: signal 9'
one waits_too_long 1 '# TIMEOUT the body did not finish within its limit of 300 ms'
one without_limit 0 '^ok 1 without_limit$'
one writes_its_own_end 70 'a record that only the runner may send'
one writes_without_end 70 'the body sent more than 64 MiB of records'
one talks_much 1 '^#   line 19999$'
one has_no_body 70 'it has no .run and no .scenario'
one has_impossible_topology 70 '# ERROR topology: '
one needs_other_kernel 4 '# SKIP needs Linux 99.0; '
one built_with_other_headers 70 'built against other headers'

check "a body that waits leaves no process behind" no_process '[-]-guest-body waits_too_long'
expect "test's own limit can be overruled" 1 'limit of 50 ms' \
	"$prog" --test-timeout 50ms -t waits_too_long
expect "limit of the whole run: exit 124" 124 'time limit of the run reached: 1 of 2 tests' \
	"$prog" -j1 --timeout 300ms waits_for_ever waits_too_long
expect "SKIP beside a pass is exit 0" 0 '1 passed, 0 failed, 0 errors, 1 skipped' \
	"$prog" passes skips
expect "UNDECIDED beside a pass is exit 5" 5 '1 undecided' "$prog" passes is_undecided
expect "FAIL beats ERROR" 1 '1 failed, 1 errors' "$prog" fails set_up_breaks
expect "a pattern given twice runs once" 0 '^1\.\.1$' "$prog" passes passes

# --- reports -------------------------------------------------------------------------------------
all() {
	"$prog" --run-dir "$scratch/run" --junit "$scratch/j.xml" "$@" '[!w]*' waits_too_long \
		>"$scratch/out" 2>"$scratch/err"
}
all
check "KTAP has its header and plan" bash -c "head -n 2 $scratch/out | tr '\n' ' ' |
	grep -qx 'KTAP version 1 1..20 '"
check "KTAP lines are what KTAP allows" bash -c "! grep -vE '^(KTAP version 1|1\.\.20|# .*|#|(not )?ok [0-9]+ [a-z_]+( # (SKIP|ERROR|TIMEOUT) .*)?)\$' $scratch/out"
check "KTAP numbers go up by one" bash -c "diff <(sed -nE 's/^(not )?ok ([0-9]+) .*/\2/p' $scratch/out) <(seq 20)"
check "stderr without a terminal has no escapes" bash -c "! grep -q \$'\033' $scratch/err"
check "the summary counts" grep -q '^1 passed, 10 failed, 5 errors, 2 skipped, 2 undecided in ' \
	"$scratch/err"
check_python "results.jsonl has every result and the sum" "$scratch/run/results.jsonl" <<'PY'
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
results = {r["test"]: r for r in lines if r["type"] == "result"}
assert len(results) == 20 and lines[-1]["type"] == "summary", lines[-1]
assert lines[-1]["exit"] == 1 and lines[-1]["planned"] == 20, lines[-1]
assert results["passes"]["verdict"] == "PASS" and results["passes"]["checks"] == 6
assert results["passes"]["values"] == [{"name": "gap_ns", "value": 1234.5, "unit": "ns"}]
assert results["passes"]["notes"] == ["a note on a passing test"]
fails = results["fails"]
assert fails["verdict"] == "FAIL" and fails["checks_failed"] == 3, fails
assert fails["failed"][0]["actual"] == "71" and fails["failed"][0]["bound"] == "64"
assert "hello_ns" not in fails and "console_tail" not in fails
assert results["segfaults"]["end"] == "crashed" and results["exits"]["end"] == "exited"
assert results["talks_much"]["checks"] == 20001
PY
check_python "JUnit is well-formed and has the same counts" "$scratch/j.xml" <<'PY'
import sys, xml.etree.ElementTree as et
suite = et.parse(sys.argv[1]).getroot()
assert suite.attrib["tests"] == "20" and suite.attrib["failures"] == "10", suite.attrib
assert suite.attrib["errors"] == "5" and suite.attrib["skipped"] == "4", suite.attrib
cases = {c.attrib["name"]: c for c in suite}
assert cases["passes"].find("failure") is None
assert "wanted <&>" in cases["fails"].find("failure").text
assert cases["is_undecided"].find("skipped").attrib["message"].startswith("UNDECIDED")
PY
check "a failing test keeps its files" test -s "$scratch/run/fails/records.bin"
check "a passing test keeps only its result and records" bash -c \
	"[ \"\$(cd $scratch/run/passes && echo *)\" = 'records.bin result.json' ]"
expect "a run folder is never overwritten" 2 "'$scratch/run' for the run is not empty" \
	"$prog" --run-dir "$scratch/run" passes
rm -rf "$scratch/run"
all --json
check_python "--json writes one object per line and no KTAP" "$scratch/out" <<'PY'
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
assert [r["type"] for r in lines] == ["run"] + ["result"] * 20 + ["summary"]
PY
expect "--keep keeps the files of a passing test" 0 . "$prog" --keep --run-dir "$scratch/kept" passes
check "... all of them" test -s "$scratch/kept/passes/records.bin"
check "runs without --run-dir go to XDG_STATE_HOME, one folder each" bash -c \
	"ls $scratch/state/ktstr/runs | grep -qE '^[0-9]{8}-[0-9]{6}-[0-9]+\$'"
finish
