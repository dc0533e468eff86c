#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# What payloads do to a verdict: each reason not to pass gives its own verdict and says why.
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/guest.sh"

program=$top/build/tests/self/payload_verdicts
need_built "$program"
one() { "$program" --json -t "$1" 2>/dev/null | grep '"type":"result"'; return "${PIPESTATUS[0]}"; }

expect "a wrong exit code fails, with its meaning" 1 \
	'"FAIL".*exited with 3 \(three means no\)' one wrong_exit_fails
expect "a signal is no exit code" 1 \
	'"FAIL".*was killed by signal 11' one signal_is_no_exit
expect "a broken bound fails, with value and bound" 1 \
	'"FAIL".*given.gap_ns <= 5' one bound_broken_fails
expect "a bound on a missing metric is undecided" 5 \
	'"UNDECIDED".*it was not reported' one bound_missing_is_undecided
expect "a bound on NaN is undecided" 5 \
	'"UNDECIDED".*NaN' one bound_on_nan_is_undecided
expect "a metric that must be there and is not fails" 1 \
	'"FAIL".*reports given.gap_ns' one present_missing_fails
expect "a value outside its sane bounds is an error" 70 \
	'"ERROR".*sane bounds' one insane_value_is_error
expect "a missing binary is an error" 70 \
	'"ERROR".*ktstr-no-such-payload' one missing_binary_is_error
expect "a payload that dies before it is ready is an error" 70 \
	'"ERROR".*exited with 7 before it wrote its ready marker.*no luck' one early_death_is_error
expect "checks that were never judged are undecided" 5 \
	'"UNDECIDED".*declared checks \(1\) were not judged' one unjudged_is_undecided
expect "a handle left open is closed at the end of the body" 0 \
	"was still running when the test's body returned" one body_end_kills
expect "a stolen exit status is an error" 70 \
	'"ERROR".*collected its exit status' one stolen_status_is_error

payload_died() {
	local pid
	pid=$(one crash_takes_payloads_along | grep -oE 'payload pid [0-9]+' | grep -oE '[0-9]+')
	[ -n "$pid" ] || return 1
	while [ -e "/proc/$pid" ] && ! grep -q '^State:.Z' "/proc/$pid/status" 2>/dev/null; do
		read -rt 0.05 <> <(:)
	done
	return 0
}
check "a payload dies with the body that crashed" payload_died
expect "a body that crashed fails" 1 '"FAIL"' one crash_takes_payloads_along

# Packing: the paths in this program are relative to where it is started.
bad=$top/build/tests/self/payload_bad
mkdir -p "$scratch/here/folder"
cd "$scratch/here" || exit 1
echo x >not-executable
echo 'int gone(void); int gone(void) { return 1; }' >gone.c
echo 'int gone(void); int main(void) { return gone(); }' >main.c
cc -shared -fPIC -o libgone.so gone.c
cc -o library-missing main.c -L. -lgone
rm libgone.so
refused() { "$bad" -t "$1" --json 2>/dev/null; }

expect "a missing payload is refused before the boot" 70 \
	'"ERROR".*ktstr-no-such-payload.*not beside the program.*PATH' refused missing
expect "so is a path that leads nowhere" 70 \
	'"ERROR".*no/such/file.: No such file' refused missing_path
expect "so is a file that may not be executed" 70 \
	'"ERROR".*is not executable; try: chmod' refused not_executable
expect "so is a folder" 70 '"ERROR".*is a folder' refused a_folder
expect "so is a program whose library is missing" 70 \
	'"ERROR".*libgone.so.*was not found: install it' refused library_missing
finish
