#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# What a test program and the ktstr command say to a wrong command line: one line, exit code 2.
. "$(dirname "$0")/tap.sh"
prog=$top/build/tests/self/verdicts
ktstr=$top/build/ktstr
export XDG_STATE_HOME=$scratch/state

one_line() { # status regex command...: exactly one line, all of it on stderr
	local status=$1 regex=$2 out err
	shift 2
	out=$("$@" 2>"$scratch/err")
	[ $? = "$status" ] || return 1
	err=$(cat "$scratch/err")
	echo "$err"
	[ -z "$out" ] && [ "$(wc -l <"$scratch/err")" = 1 ] && grep -qE -- "$regex" <<<"$err"
}
usage() { check "$1: one line, exit 2" one_line 2 "${@:2}"; }

usage "unknown flag" "unknown option '--bogus', try '.*--help'" "$prog" --bogus
usage "unknown short flag" "unknown option '-x'" "$prog" -x
usage "missing argument" "option '--junit' needs a value: --junit FILE" "$prog" --junit
usage "missing argument of a short flag" "option '--test' needs a value: --test PATTERN" "$prog" -t
usage "argument that is not wanted" "'--keep'" "$prog" --keep=yes
usage "bad duration" "'--timeout'.*'soon'" "$prog" --timeout soon
usage "bad size" "'--memory'.*'lots'" "$prog" --memory lots
usage "bad color" "'sometimes': it is auto, always or never" "$prog" --color sometimes
usage "mode that is none" "--mode 'slow': it is auto, live or exact" "$prog" --mode slow
usage "perturbation that is none" "--perturb 'much': it is off, light or heavy" "$prog" --perturb much
usage "seed that is none" "--seed '-1': it is a number from 0" "$prog" --seed -1
usage "seeds backwards" "--seeds '9..3': the first is larger" "$prog" --seeds 9..3
usage "no seeds" "--seeds '0' is no seed at all; --seed 0 runs that one" "$prog" --seeds 0
usage "one seed and many" "--seed and --seeds: one or many" "$prog" --seed 1 --seeds 2
usage "no repetition" "--repeat '0': it is a number from 1" "$prog" --repeat 0
usage "no jobs" "--jobs '0': it is a number from 1" "$prog" -j0
usage "partition that is none" "it is slice:m/n or hash:m/n" "$prog" --partition 1/2
usage "partition from zero" "the first shard is 1, not 0; try slice:1/3" "$prog" --partition slice:0/3
usage "partition beyond the last" "no shard 4 of 3; the last is hash:3/3" "$prog" --partition hash:4/3
usage "partition of nothing" "no shard 1 of 0" "$prog" --partition slice:1/0
usage "consoles side by side" "--console shows one guest at a time" "$prog" --console -j2
usage "a matrix that is too large" "are more than 1000000 runs" "$prog" --seeds 1000000 --repeat 9
usage "topology that is none" "topology 'wide'" "$prog" --topology wide passes
usage "topology with a zero" "topology '0n1l1c1t'" "$prog" --topology 0n1l1c1t passes
usage "topology with LLCs not divisible by nodes" "3 LLCs .* 2 nodes" "$prog" --topology 2n3l1c1t
usage "topology with too many CPUs" "256" "$prog" --topology 1n1l256c1t
usage "pattern that matches nothing" "no test matches 'pases'; near: 'passes'" "$prog" -t pases
usage "pattern that is near to nothing" "no test matches 'zzzzzzzzzzz'; -l lists all" \
	"$prog" -t zzzzzzzzzzz
usage "the body option is not for users" "for the runner and the guest's agent only" \
	"$prog" --guest-body passes 0000000000000001 off 77
usage "a name given twice names both places" \
	"two tests are called 'twin': .*twins.c:[0-9]+ and elsewhere.c:7|elsewhere.c:7 and .*twins.c" \
	"$top/build/tests/self/twins"
usage "a program without tests" "there are no tests in this program" "$top/build/tests/self/no_tests"

printf '#include <ktstr/test.h>\n%s\n%s\nKTSTR_MAIN\n' 'KTSTR_TEST(a) = { .host_only = true };' \
	'KTSTR_TEST(a) = { .host_only = true };' >"$scratch/two.c"
expect "a name given twice in one file does not compile" 1 "redefinition of .*ktstr_test_a" \
	env LC_ALL=C cc -I"$top/include" -c -o /dev/null "$scratch/two.c"

expect "-l lists every test, sorted" 0 '^aborts$' "$prog" -l
check "... and nothing else" bash -c "'$prog' -l | diff - <('$prog' -l | LC_ALL=C sort)"
expect "-l with a pattern lists those" 0 '^fails_then_stops$' "$prog" -l 'fails*'
check "-l runs nothing" test ! -e "$scratch/state"
check_python "--list --json is one object per test" "$prog" <<'PY'
import json, subprocess, sys
text = subprocess.run([sys.argv[1], "--list", "--json"], capture_output=True, check=True).stdout
tests = [json.loads(line) for line in text.splitlines()]
names = subprocess.run([sys.argv[1], "-l"], capture_output=True, check=True, text=True).stdout.split()
assert {t["type"] for t in tests} == {"test"} and [t["test"] for t in tests] == names, tests
assert len(names) > 20
assert next(t for t in tests if t["test"] == "passes")["about"] == "a passing test"
PY
expect "-h goes to stdout, exit 0" 0 '^  -t, --test PATTERN ' "$prog" -h
expect "--version" 0 '^verdicts \(ktstr [0-9.]+\)$' "$prog" --version

# --- ktstr run and list --------------------------------------------------------------------------
usage "run without a program" "missing PROGRAM" "$ktstr" run
usage "run with options first" "the program comes before its options" "$ktstr" run --json "$prog"
usage "run of a file that is not there" "open test program 'nothing-here': No such file" \
	"$ktstr" run nothing-here
usage "run of a text file" "'$top/README.md' is not a program" "$ktstr" run "$top/README.md"
usage "run of a folder" "'$top' is not a program" "$ktstr" run "$top"
usage "run of another program" "'$ktstr' is not a test program: it has no KTSTR_TEST" \
	"$ktstr" run "$ktstr"
cp "$prog" "$scratch/prog"
chmod a-x "$scratch/prog"
usage "run of a file that may not be executed" "chmod \+x '$scratch/prog'" \
	"$ktstr" run "$scratch/prog"
printf '\177ELF' >"$scratch/torn"
usage "run of a damaged program" "'$scratch/torn' is not a program" "$ktstr" run "$scratch/torn"
head -c 3000 "$prog" >"$scratch/torn"
usage "run of a truncated program" "'$scratch/torn' is not a" "$ktstr" run "$scratch/torn"
cp "$prog" "$scratch/near"
beside() { (cd "$scratch" && "$ktstr" run near -t fails); }
expect "run of a program in this folder: the command to run it again works" 1 \
	'run again: \./near -t fails' beside
expect "run hands over options and exit code" 1 '^not ok 1 fails$' "$ktstr" run "$prog" -t fails
expect "list" 0 '^passes$' "$ktstr" list "$prog"
usage "list of another program" "is not a test program" "$ktstr" list "$ktstr"
usage "list of nothing known" "'nonsense' is no table, and there is no test program" "$ktstr" list nonsense
usage "list without a program" "missing argument, usage: ktstr list" "$ktstr" list
usage "unknown command" "unknown command 'rnu'" "$ktstr" rnu
usage "exec without a command" "missing '-- COMMAND'" "$ktstr" exec
usage "shell with an operand" "'now'" "$ktstr" shell now
usage "exec with nonsense topology" "topology '1n1l'" "$ktstr" exec --topology 1n1l -- true
expect "topo shows this machine" 0 '^[0-9]+ CPUs; LLC ' "$ktstr" topo
expect "topo shows what a guest gets" 0 '^8 CPUs; LLC 0-3 \| 4-7; .*nodes 0-3 \| 4-7;' \
	"$ktstr" topo 2n2l2c2t
usage "topo of nonsense" "topology 'x'" "$ktstr" topo x
finish
