#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Every way a body can bring its guest to an end is told apart from the others.
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/guest.sh"
ends=$top/build/tests/self/ends

"$ends" --run-dir "$scratch/run" >"$scratch/out" 2>"$scratch/err"
expect "a failed test beside errors is exit 1" 1 '' bash -c "exit $?"

cat >"$scratch/one.py" <<'PY'
import json, re, sys
path, test, verdict, end, pattern = sys.argv[1:]
results = [json.loads(line) for line in open(path)]
result = next((r for r in results if r.get("test") == test), None)
if not result:
    sys.exit("no result: the run's last line is " + str(results[-1:]))
seen = result["verdict"], result["end"], result.get("reasons", "")
if seen[:2] != (verdict, end) or not re.search(pattern, seen[2]):
    sys.exit("seen: %s %s\n%s" % seen)
PY
ends_as() { # test, verdict, end, regex of the reasons
	check "$1 is $2 ($3)" python3 "$scratch/one.py" "$scratch/run/results.jsonl" "$@"
}
ends_as returns PASS finished '^$'
ends_as kills_all_others PASS finished '^$'
ends_as fills_the_disk PASS finished '^$'
ends_as leaves_daemons PASS finished '^$'
ends_as writes_without_end PASS finished '^$'
ends_as crashes FAIL crashed \
	'^the body crashed: signal 11 \(SIGSEGV, .*\) at address 0x0\n  in ends_crash_here at .*ends\.c:\d+'
ends_as aborts FAIL crashed '^the body crashed: signal 6 .*\n  in aborts at .*ends\.c:\d+'
ends_as kills_itself FAIL crashed '^the body was killed: signal 9 '
ends_as exits_with_zero FAIL exited 'exit status 0$'
ends_as exits_with_three FAIL exited 'exit status 3$'
ends_as closes_everything FAIL exited 'exit status 70$'
ends_as times_out FAIL timeout 'within its limit of 1\.00 s; what was running:\n.*ends .*pause'
ends_as stops_everyone FAIL timeout 'within its limit of 1\.00 s'
ends_as panics FAIL panic "^the guest's kernel panicked: Kernel panic - not syncing: sysrq .*\n  CPU: "
ends_as powers_off FAIL went-down '^the guest powered off or rebooted while the body ran$'
# Where the guest's time is its own, silence is 30 s of QEMU's CPU time, however long that takes.
used='\d+'
! grep '"test":"hangs"' "$scratch/run/results.jsonl" | grep -q '"mode":"exact"' || used='3\d{4}'
ends_as hangs FAIL hung "^the guest hung: no sign of life for [^;]+; QEMU used $used ms of CPU time in it"
ends_as takes_all_memory ERROR memory '^the guest ran out of memory: .*\n  the guest had 256 MiB: '
ends_as writes_garbage ERROR agent 'that are not a record'
check "a panic shows the last lines of the console" \
	grep -q '^# last lines of the guest console:$' "$scratch/out"
check "a failing test keeps its console" grep -q 'Kernel panic' "$scratch/run/panics/console.log"
finish
