#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Tests in VMs through 'ktstr run': verdicts, needs, files, artefacts.
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/guest.sh"
cd "$scratch" || exit 1
echo content >plain

expect "a passing test, with what it noted" 0 '^# note a note from a guest$' \
	"$ktstr" run "$guests" --run-dir run -t sees_its_cpus -t a_first_one
check "... its folder has its result" test -s run/sees_its_cpus/result.json
for f in console.log qemu.args qemu.log output.log; do
	check "... and no $f" test ! -e "run/sees_its_cpus/$f"
done
check "... the guest's archive is gone" test ! -e run/guest.cpio
check_python "the result says what it ran on and how long it took" run/sees_its_cpus/result.json <<'PY'
import json, sys
r = json.load(open(sys.argv[1]))
assert r["verdict"] == "PASS" and r["topology"] == "1n1l2c1t" and r["kernel"], r
assert 0 < r["hello_ns"] < r["duration_ns"] and r["body_ns"] > 0, r
PY
expect "another topology than declared" 1 '^not ok 1 sees_its_cpus$' \
	"$ktstr" run "$guests" --topology 1n1l1c1t -t sees_its_cpus --run-dir other
check "... the command to run it again repeats the option" grep -qE \
	"\"rerun\":\"$guests -t sees_its_cpus --seed 1 --mode (live|exact) --perturb light --topology 1n1l1c1t\"" other/results.jsonl
expect "a failing test shows both sides" 1 '^#   seen 42; wanted 41$' \
	"$guests" --run-dir failed --keep fails
check "... the last lines of its output" grep -q 'something the body said' failed/fails/output.log
for f in console.log records.bin qemu.args qemu.log output.log result.json job.json run.json; do
	check "... --keep leaves $f" test -e "failed/fails/$f"
done
expect "a need that is not met is a SKIP that names it" 4 \
	"# SKIP needs CONFIG_KTSTR_NO_SUCH_OPTION, which kernel '.*' was built without" \
	"$guests" needs_odd_option
expect "declared files are where they belong" 0 '^ok 1 reads_its_files$' "$guests" reads_its_files
expect "a body beyond its limit" 1 '# TIMEOUT the body did not finish within its limit of 1.00 s' \
	"$guests" --test-timeout 1s waits_long
expect "the run's limit ends a guest: exit 124" 124 'SKIP UNDECIDED: the time limit of the whole run' \
	"$guests" --mode live --timeout 8s waits_long
expect "a warning of the kernel fails a body that passed" 1 '^# kernel splat \(WARN\):$' \
	"$guests" logs_a_warning
expect "a breakpoint trap under TCG is no verdict" 70 '# ERROR the emulator lost a patch' \
	"$guests" --mode exact logs_a_lost_patch
expect "a guest without enough memory names the remedy" 70 \
	'ERROR the guest ran out of memory: .*Out of memory|the guest had [0-9]+ MiB: give' \
	"$guests" eats_memory
finish
