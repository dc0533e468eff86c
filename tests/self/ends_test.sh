#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Every way a guest can end, provoked, is told apart from the others.
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/guest.sh"
ends=$top/build/tests/self/ends

# --- ends that the body brings about -------------------------------------------------------------
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
ends_as hangs FAIL hung '^the guest hung: no sign of life for 2\d\.\d+ s; QEMU used \d+ ms'
ends_as takes_all_memory ERROR memory '^the guest ran out of memory: .*\n  the guest had 256 MiB: '
ends_as writes_garbage ERROR agent 'that are not a record'
check "a panic shows the last lines of the console" \
	grep -q '^# last lines of the guest console:$' "$scratch/out"
check "a failing test keeps its console" grep -q 'Kernel panic' "$scratch/run/panics/console.log"

# --- ends that come from outside -----------------------------------------------------------------
waiting_guest() { # name: start a test that waits; its QEMU is $qemu
	"$guests" --run-dir "$scratch/$1" waits_long >"$scratch/$1.out" 2>&1 </dev/null &
	runner=$!
	until_true "$runner" grep -qsa '"ok":true' "$scratch/$1/waits_long/records.bin"
	qemu=$(pgrep -P "$runner" -f -- "$scratch/$1/waits_long" | head -n 1)
	[ -n "$qemu" ]
}
status_is() { # what, status
	wait "$runner"
	status=$?
	check "$1: exit $2" [ "$status" = "$2" ]
}

waiting_guest killed && kill -KILL "$qemu"
status_is "QEMU killed" 70
check "... ERROR with the signal" grep -q '# ERROR QEMU was killed by signal 9' "$scratch/killed.out"
waiting_guest stopped && kill -STOP "$qemu"
status_is "QEMU stopped" 5
check "... UNDECIDED: the host starved the guest" \
	grep -q '# SKIP UNDECIDED: the host starved the guest: no sign of life for 2' "$scratch/stopped.out"

# --- a machine that is not the one asked for -----------------------------------------------------
cat >"$scratch/half-qemu" <<'SH'
#!/bin/bash
words=()
for word; do
	case $word in 2,*cores=2*) word=1,sockets=1,dies=1,cores=1,threads=1 ;; esac
	words+=("$word")
done
exec qemu-system-x86_64 "${words[@]}"
SH
chmod +x "$scratch/half-qemu"
expect "fewer CPUs than asked for: exit 70" 70 '# ERROR the guest has not the topology that was asked' \
	"$guests" --qemu "$scratch/half-qemu" --run-dir "$scratch/half" sees_its_cpus
check "... both shapes are shown" grep -q '^  *wanted .*2c1t\|wanted 1n1l2c1t' "$scratch/half/results.jsonl"
finish
