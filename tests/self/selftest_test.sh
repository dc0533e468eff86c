#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The judge of the judge: known bugs are found, and the table is the same however it was made.
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/guest.sh"

selftest() { "$ktstr" selftest --mutants --mode exact "$@"; }
found() { # how many at once, faults...
	local jobs=$1 fault words=()
	shift
	for fault in "$@"; do
		words+=(--fault "$fault")
	done
	selftest -j "$jobs" "${words[@]}" --markdown "$scratch/$jobs.md" --json "$scratch/$jobs.json"
}

expect "an unknown fault is a usage error" 2 "no fault of '.*' is selected" selftest --fault nonsense
expect "a scheduler without faults" 2 "no scheduler with faults" selftest --scheduler /bin/true
expect "a table that cannot be written is said at once" 2 "^ktstr: write '$scratch/none/x.md': No such" \
	selftest --markdown "$scratch/none/x.md"
expect "so are results that cannot be" 2 "^ktstr: create '$scratch/none/x': No such" \
	selftest --json "$scratch/none/x"
expect "known bugs are caught by checks meant for them" 0 '^2 of 2 caught' found 3 load-error nice-ignored
expect "also when one after the other is run" 0 '^2 of 2 caught' found 1 load-error nice-ignored
check "both tables are the same" cmp "$scratch/3.md" "$scratch/1.md"
check_python "each has a line for programs, and so has each run" "$scratch/1.json" <<'PY'
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
mutants = [m for m in lines if m["type"] == "mutant"]
assert [m["fault"] for m in mutants] == ["load-error", "nice-ignored"] or \
	[m["fault"] for m in mutants] == ["nice-ignored", "load-error"], mutants
assert all(m["fate"] == "caught" and m["check"] for m in mutants), mutants
assert sum(m["runs"] for m in mutants) == sum(r["type"] == "result" for r in lines), lines
PY
finish
