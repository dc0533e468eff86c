#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Places that take no results: each gets its own message and exit code, and no result is lost.
. "$(dirname "$0")/tap.sh"
prog=$top/build/tests/self/verdicts
export XDG_STATE_HOME=$scratch/state

in_results() { # folder, test: is its result there?
	grep -q "\"test\":\"$2\"" "$1/results.jsonl"
}

closed() { "$prog" --run-dir "$scratch/closed" passes fails >&-; }
expect "closed stdout is said, exit 70" 70 \
	"write to standard output: Bad file descriptor; all results go to '$scratch/closed/results.jsonl'" \
	closed
check "... and no result is lost" in_results "$scratch/closed" passes
check "... nor the last one" in_results "$scratch/closed" fails
list_closed() { "$prog" --list >&-; }
expect "closed stdout of --list" 70 'write to standard output: Bad file descriptor' list_closed
all_closed() { "$prog" --run-dir "$scratch/all_closed" passes <&- >&- 2>&-; }
expect "all descriptors closed: exit 70" 70 '' all_closed
check "... and results are not mixed with anything" bash -c \
	"python3 -c 'import json,sys;[json.loads(l) for l in open(sys.argv[1])]' $scratch/all_closed/results.jsonl"

full() { "$prog" --run-dir "$scratch/full" passes fails >/dev/full; }
expect "full stdout is said, exit 70" 70 'write to standard output: No space left on device' full
check "... and no result is lost" in_results "$scratch/full" fails
cat >"$scratch/no_reader.py" <<'PY'
import os, subprocess, sys
reader, writer = os.pipe()
os.close(reader)
sys.exit(subprocess.run(sys.argv[1:], stdout=writer).returncode)
PY
expect "a reader that left is said, exit 70" 70 'write to standard output: Broken pipe' \
	python3 "$scratch/no_reader.py" "$prog" --run-dir "$scratch/pipe" passes fails
check "... and no result is lost" in_results "$scratch/pipe" passes
list_full() { "$prog" --list >/dev/full; }
expect "full stdout of --list" 70 'write to standard output: No space left' list_full
list_closed() { "$prog" --list >&-; }
expect "closed stdout of --list" 70 'write to standard output: Bad file descriptor' list_closed
help_closed() { "$prog" --help >&-; }
expect "closed stdout of --help" 70 'write to standard output: Bad file descriptor' help_closed

expect "JUnit file on a full device" 70 \
	"'/dev/full': No space left.*all results are in '.*/results.jsonl'" \
	"$prog" --junit /dev/full passes
expect "... results are on stdout all the same" 70 '^ok 1 passes$' \
	"$prog" --junit /dev/full passes
refused() { # REGEX COMMAND...: one line on stderr, exit 2, and nothing ran
	local said status
	said=$(XDG_STATE_HOME=$scratch/untouched "${@:2}" 2>&1)
	status=$?
	echo "exit $status: $said"
	[ "$status" = 2 ] && grep -qE -- "$1" <<<"$said" && ! grep -q '^ok' <<<"$said" &&
		[ ! -e "$scratch/untouched" ]
}
check "JUnit file in a folder that is not there: nothing runs" refused \
	"'$scratch/none/j.xml': No such file" "$prog" --junit "$scratch/none/j.xml" passes
check "a folder as JUnit file: nothing runs" refused "'$scratch': Is a directory" \
	"$prog" --junit "$scratch" passes

touch "$scratch/file"
expect "run folder below a file" 2 "folder for the run: .*'$scratch/file.*" \
	"$prog" --run-dir "$scratch/file/run" passes
expect "run folder without a name" 2 "folder for the run: create folder '': No such file" \
	"$prog" --run-dir '' passes
expect "state folder that is a file" 70 "no run folder \(--run-dir chooses another place\)" \
	env XDG_STATE_HOME="$scratch/file" "$prog" passes
expect "read-only state folder" 70 "no run folder .*(Read-only|Permission denied|Operation not permitted|No such)" \
	env XDG_STATE_HOME=/proc/nothing "$prog" passes

# --- a full disk ---------------------------------------------------------------------------------
small=$scratch/small
mkdir "$small"
unmount() { umount "$small" 2>/dev/null; }
trap 'unmount; rm -rf "$scratch"' EXIT
if mount -t tmpfs -o size=64k tmpfs "$small" 2>/dev/null; then
	expect "disk that is full before the run" 70 "No space left on device" bash -c \
		"cat /dev/zero >$small/fill 2>/dev/null; '$prog' --run-dir $small/run passes"
	check "... nothing but the filling was left" bash -c "rm $small/fill; rm -rf $small/run"
	expect "disk that fills up during the run: the test's records are an ERROR" 70 \
		"No space left on device" "$prog" --run-dir "$small/run" talks_much
	expect "... and results still come out" 70 '^not ok 1 talks_much # ERROR ' \
		"$prog" --run-dir "$small/run2" talks_much
	unmount
else
	skip "full disk for the run folder" "the right to mount a tmpfs"
fi
finish
