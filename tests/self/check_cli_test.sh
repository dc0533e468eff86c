#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# ktstr check, given what it cannot use: each has a message and an exit status, most before any guest is started.
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/guest.sh"

odd=$top/build/payloads/odd-sched
cd "$scratch" || exit 70
run_check() { timeout 600 "$ktstr" check "$@"; }
# One scenario on the smallest machine with anything to share.
one=(--scenarios two_each --topologies duo)
scheduler() { run_check "${one[@]}" -- "$@"; }
no_run_was_made() { [ ! -e "$XDG_STATE_HOME/ktstr/runs" ]; }

file_with() { # N LINE
	printf '%s\n' 'ktstr: 1' 'group: own' 'scenarios:' '  mine:' '    about: it holds' \
		'    steps:' '      - works: {hogs: spin}' '        hold: 1s' '    checks:' \
		'      - gap <= 50ms for hogs' >x.yaml
	sed -i "$1s/.*/$2/" x.yaml
}
with_line() {
	file_with "$@"
	run_check --scenario-file x.yaml --topologies duo
}

# --- names and files ---
expect "an unknown scenario has a near name" 2 "^ktstr: no scenario matches 'two_eahc'; did you mean 'two_each'" \
	run_check --scenarios two_eahc
expect "an unknown group has one too" 2 "^ktstr: no group matches 'cpuste:\*'; did you mean 'cpuset'" \
	run_check --scenarios 'cpuste:*'
expect "an unknown preset has a near name" 2 "^ktstr: no preset 'tiny-2lc'; did you mean 'tiny-2llc'" \
	run_check --topologies tiny-2lc
expect "an impossible topology" 2 "^ktstr: topology '1n2l'" run_check --topologies 1n2l
expect "an unknown work type" 2 "^ktstr: x.yaml:7: no work type 'spni'; did you mean 'spin'" \
	with_line 7 '      - works: {hogs: spni}'
expect "an unknown check" 2 "^ktstr: x.yaml:10: no check 'gop'" with_line 10 '      - gop <= 50ms'
expect "a damaged file" 2 '^ktstr: x.yaml:[0-9]+: ' with_line 7 '      - works: {hogs: [spin}'
expect "bounds that contradict each other" 2 '^ktstr: x.yaml:[0-9]+: .*contradicts' \
	with_line 10 '      - cpu_share >= 60%\n      - cpu_share_max <= 40%'
expect "a cpuset without CPUs" 2 '^ktstr: .*llc:3' \
	with_line 7 '      - cgroups: {a: llc:3}\n        works: {hogs: {type: spin, cgroup: a}}'
expect "more workers than a guest holds" 2 'x.yaml:7: .* a guest holds 1024' \
	with_line 7 '      - works: {hogs: {count: 5000}}'
expect "a program of a scenario that is not there" 2 "^ktstr: scenario 'mine': .*'none-of-these'" \
	with_line 7 '      - works: {hogs: {type: program, program: none-of-these}}'
expect "a staged scheduler that is not there" 2 "^ktstr: scenario 'mine': scheduler '/none'" \
	with_line 5 '    about: it holds\n    staged: {other: \/none}'

# --- the scheduler's file ---
touch not-executable
printf 'text\n' >text && chmod +x text
printf '#!/none/sh\n' >script && chmod +x script
printf '\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\267\0%044d' 0 >arm && chmod +x arm
expect "a scheduler that is not there" 2 "^ktstr: scheduler '/none': No such file" scheduler /none
expect "no time at all" 2 "^ktstr: --budget: nothing can be run in no time" run_check --budget 0
expect "a folder" 2 "^ktstr: scheduler '/' is a folder" scheduler /
expect "a file that is not executable" 2 "not executable; try: chmod" scheduler ./not-executable
expect "a text" 2 "neither a program nor a script" scheduler ./text
expect "a script without its interpreter" 2 "'/none/sh', the interpreter" scheduler ./script
expect "a program for another machine" 2 "a program for arm64; guests are x86-64" scheduler ./arm
expect "a name that is nowhere" 2 "^ktstr: scheduler 'scx_none' is neither in PATH" scheduler scx_none
expect "a name that is only here" 2 "say './text'" scheduler text
expect "nothing behind --" 2 "there is no scheduler behind '--'" scheduler
# shellcheck disable=SC2046
expect "too many arguments" 2 "more than 15 arguments" scheduler ./text $(seq 16)
if echo 'int gone;' | cc -shared -fPIC -xc - -o libgone.so 2>/dev/null; then
	echo 'extern int gone; int main(void) { return gone; }' | cc -xc - -o needs -L. -lgone
	rm libgone.so
	expect "a missing library" 2 "library 'libgone.so', needed by '.*needs', was not found" \
		scheduler ./needs
else
	skip "a missing library" "needs a C compiler"
fi

# --- the project's file ---
project() { # LINE COMMAND...
	printf 'ktstr: 1\nchecks:\n  - %s\n' "$1" >ktstr.yaml
	shift
	"$@"
	local status=$?
	rm ktstr.yaml
	return $status
}
expect "a damaged project file" 2 "^ktstr: ktstr.yaml:3: no check 'gop'" project 'gop <= 1ms' \
	run_check "${one[@]}"
expect "project and scenario contradict each other" 2 \
	"cpu_share_max_percent at most 10 % \(all; project\)" \
	project 'cpu_share_max <= 10%' with_line 10 '      - cpu_share >= 60% for hogs'
expect "what a project demands is shown" 0 '^  idle_while_waiting_ns +at most 7.*ms .*from project' \
	project 'idle_while_waiting <= 7ms' run_check "${one[@]}" --dump
expect "a scenario's word counts more" 0 '^  gap_ns +at most [0-9]{3} ms .*from test' \
	project 'gap <= 7ms' run_check "${one[@]}" --dump
expect "a test program has the project's layer too" 0 'idle_while_waiting_ns +at most 7.*from project' \
	project 'idle_while_waiting <= 7ms' "$top/build/tests/vm/engine" --dump

# --- the scheduler's file and its flags ---
scheduler_file() { # LINE COMMAND...
	printf '%s\n' 'ktstr: 1' 'scheduler:' "  binary: $odd" '  args: [well]' '  flags:' "    $1" \
		'    two: {args: [-2], excludes: [one]}' '  checks: [idle_while_waiting <= 7ms]' >s.yaml
	shift
	"$@"
}
expect "a scheduler's file" 0 'at most 7.*ms .*from scheduler' scheduler_file 'one: {args: [-1]}' \
	run_check "${one[@]}" --scheduler-file s.yaml --dump
expect "an unknown key in it" 2 "^ktstr: s.yaml:6: a flag has no 'agrs'; did you mean 'args'" \
	scheduler_file 'one: {agrs: [-1]}' run_check "${one[@]}" --scheduler-file s.yaml
expect "a flag that requires what is none" 2 "^ktstr: s.yaml:[0-9]+: there is no flag 'tow'; did you mean 'two'" \
	scheduler_file 'one: {args: [-1], requires: [tow]}' \
	run_check "${one[@]}" --scheduler-file s.yaml
expect "a file and a scheduler" 2 'one of them' scheduler_file 'one: {args: [-1]}' \
	run_check "${one[@]}" --scheduler-file s.yaml -- "$odd"
expect "variants without flags" 2 'no flags to combine' run_check "${one[@]}" --variants -- "$odd" well
expect "variants of no scheduler" 2 '--variants is of a scheduler .*--scheduler-file' run_check "${one[@]}" --variants
expect "one JUnit file for many tables" 2 'one file is of one kernel' \
	scheduler_file 'one: {args: [-1]}' \
	run_check "${one[@]}" --scheduler-file s.yaml --variants --junit x

# --- places ---
expect "JSON that cannot be written" 2 "^ktstr: create '/none/x'" run_check "${one[@]}" --json /none/x
expect "JUnit that cannot be written" 2 "^ktstr: write '/none/x'" run_check "${one[@]}" --junit /none/x
expect "no kernel of that name" 2 "^ktstr: no kernel 'none'" run_check "${one[@]}" --kernel none
expect "the second kernel is looked at before the first is booted" 2 "^ktstr: no kernel 'none'" \
	run_check "${one[@]}" --kernel 7 --kernels none
expect "no kernel at all" 70 "ktstr kernel fetch" env XDG_CACHE_HOME="$scratch/cache" \
	"$ktstr" check "${one[@]}"
check "no guest was started for any of it" no_run_was_made
mkdir full && touch full/x
expect "a run folder that is in use" 2 "full" run_check "${one[@]}" --run-dir full
expect "a run folder that cannot be" 2 "^ktstr: folder for the run: .*'/proc/none'" run_check "${one[@]}" --run-dir /proc/none
to_full() { run_check "${one[@]}" "$@" >/dev/full; }
expect "a table that nobody gets" 70 "^ktstr: results were lost: No space left" to_full
expect "demands that nobody gets" 70 "^ktstr: write to standard output: No space left" to_full --dump

# --- in the guest ---
expect "a machine that cannot be emulated" 4 "^SKIP  1 run: two_each$" \
	run_check --scenarios two_each --topologies huge-15llc --mode exact
expect "arguments that are refused" 70 "does not take its arguments .*unknown option 'nonsense'" \
	scheduler "$odd" nonsense
expect "a crash of the loader" 70 "killed by signal 11" scheduler "$odd" crash-early
expect "a loader that goes into the background" 1 "into the background" scheduler "$odd" daemon
expect "a scheduler that its kernel does not take" 1 "ops.init\(\) failed" scheduler "$odd" init
cat >rest.yaml <<YAML
ktstr: 1
group: own
scenarios:
  broken:
    about: it is replaced
    staged: {other: {binary: $odd, args: [nonsense]}}
    steps: [{works: {hogs: spin}, ops: [replace other], hold: 300ms}]
  whole:
    about: it gets on
    steps: [{works: {hogs: spin}, hold: 300ms}]
YAML
expect "the run goes on with the rest" 70 "^1 passed, 0 failed, 1 errors, 0 skipped" \
	run_check --scenario-file rest.yaml --topologies duo
expect "millions of lines on stderr" 0 "^1 passed" scheduler "$odd" flood
expect "a child that is left behind" 0 "^1 passed" scheduler "$odd" child
if "$ktstr" kernel list | grep -q '^6\.12'; then
	expect "a kernel without sched_ext" 4 "^0 passed, .* 1 skipped" \
		run_check "${one[@]}" --kernel 6.12 -- "$odd" well
else
	skip "a kernel without sched_ext" "needs kernel 6.12; try: ktstr kernel fetch 6.12"
fi

# --- the table, and an end before its time ---
three_variants() {
	scheduler_file 'one: {args: [nonsense]}' run_check --scenario-file rest.yaml \
		--scenarios whole --topologies duo --scheduler-file s.yaml --variants --json x.json
}
expect "a table for each variant" 70 '^== kernel .*, flags two ==$' three_variants
check_python "each result says its variant" x.json <<'PY'
import json, sys
seen = [json.loads(line) for line in open(sys.argv[1])]
assert [r["variant"] for r in seen] == ["plain", "one", "two"], seen
assert [r["verdict"] for r in seen] == ["PASS", "ERROR", "ERROR"], seen
PY
expect "two scenarios of two shapes" 0 '^2 passed' run_check --scenarios two_each --scenarios alone \
	--topologies duo --run-dir shared
check "share one archive beside the guest image" test "$(ls shared/objects | wc -l)" = 2
expect "shares of a check are whole together" 0 '^1 passed' run_check --scenario-file rest.yaml \
	--scenarios whole --topologies duo --topologies uni --partition slice:1/2 --junit x.xml
check "JUnit is written" grep -q '<testcase' x.xml

printf '%s\n' 'ktstr: 1' 'group: own' 'scenarios:' '  short: {about: x, steps: [{works: {a: spin}, hold: 100ms}]}' \
	'  long: {about: x, steps: [{works: {a: spin}, hold: 3000s}]}' >long.yaml
interrupted() {
	local pid status
	"$ktstr" check --scenario-file long.yaml --topologies duo -j2 --run-dir cut >out 2>err &
	pid=$!
	until_true $pid test -s cut/short.duo/result.json || return 1
	kill -TERM $pid
	wait $pid
	status=$?
	cat out
	return $status
}
expect "an interrupted check has its table" 130 '^  short +pass$' interrupted
check "and counts what did not run" grep -q 'long  *undecided\|long  *not run\|1 of 2' out
check "and leaves nothing behind" no_process "$scratch/cut"
check_python "Ctrl-C on a terminal of 80 columns: progress, then the table" "$ktstr" <<'PY'
import fcntl, os, pty, re, select, struct, sys, termios
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], "check", "--scenario-file", "long.yaml", "--topologies", "duo",
                           "-j2", "--color=never"])
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
seen = b""
stopped = False
while True:
    assert select.select([terminal], [], [], 300)[0], seen
    try:
        seen += os.read(terminal, 4096)
    except OSError:
        break
    if not stopped and b"[1/2]" in seen:
        os.write(terminal, b"\x03")
        stopped = True
status = os.waitpid(pid, 0)[1]
assert os.WIFEXITED(status) and os.WEXITSTATUS(status) == 130, (status, seen)
text = seen.decode().replace("^C", "")
assert re.search(r"\[1/2\] \d+ s, 1 passed; long.duo", text), text
assert re.search(r"^  short +pass\r$", text, re.M), text
lines = [l for l in re.split(r"\r\x1b\[K|\r?\n", text) if l.startswith("[")]
assert lines and max(map(len, lines)) < 80, lines
PY
check "and nothing is left behind it" no_process "$scratch/state/ktstr/runs"
finish
