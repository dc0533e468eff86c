#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The counting of make check, on made-up programs: what must fail does, and nothing is lost.
. "$(dirname "$0")/tap.sh"

project=$scratch/project
mkdir -p "$project/tools"
cp "$top/tools/check.sh" "$project/tools/"
printf '#!/bin/sh\nexit 0\n' >"$project/tools/setup.sh"
chmod +x "$project/tools/setup.sh"

# One stage stands for all: its program prints the lines given and leaves with a status.
program() { # status, lines...
	local status=$1
	shift
	{
		echo '#!/bin/sh'
		[ $# = 0 ] || printf "echo '%s'\n" "$@"
		echo "exit $status"
	} >"$project/tools/gates.py"
	chmod +x "$project/tools/gates.py"
}
run() { "$project/tools/check.sh" "$@" | tail -n "${lines:-1}"; return "${PIPESTATUS[0]}"; }

program 0 1..2 'ok 1 - a' 'ok 2 - b'
expect "all passed" 0 '^2 passed, 0 failed, 0 skipped$' run gates
program 1 1..3 'ok 1 - a' 'not ok 2 - b' 'ok 3 - c # SKIP no kernel'
expect "a failure and a skip are counted" 1 '^1 passed, 1 failed, 1 skipped$' run gates
lines=30 expect "the failing test and the skipped need are shown" 1 'not ok 2 - b' run gates
program 0 1..3 'needs a moon of cheese' 'not ok 1 # SKIP a' 'ok 2 - b' 'ok 3 # SKIP c'
lines=30 expect "the need that a unit test prints is shown" 0 'ok 1 # SKIP a: needs a moon of cheese$' run gates
lines=30 expect "... and with no other test" 0 'ok 3 # SKIP c$' run gates
program 1 1..1 'not ok 1 - a' '# expected 4, got 3'
lines=30 expect "what the failing test said is shown" 1 '# expected 4, got 3' run gates
program 4 1..1 'ok 1 - a # SKIP no KVM'
expect "all skipped with exit status 4 is no failure" 0 '^0 passed, 0 failed, 1 skipped$' run gates
program 0 1..3 'ok 1 - a' 'ok 2 - b'
expect "fewer results than planned is a failure" 1 '^2 passed, 1 failed, 0 skipped$' run gates
program 0 'ok 1 - a'
expect "no plan is a failure" 1 '^1 passed, 1 failed, 0 skipped$' run gates
program 0
expect "silence is a failure" 1 '^0 passed, 1 failed, 0 skipped$' run gates
program 139 1..1 'ok 1 - a'
expect "a crash after the last result is a failure" 1 '^1 passed, 1 failed, 0 skipped$' run gates
program 0 1..1 'ok 1 - a' '    not ok 1 - nested'
expect "indented lines are not counted" 0 '^1 passed, 0 failed, 0 skipped$' run gates
program 0 1..1 'ok 1 - a' 1..1 'ok 1 - b'
expect "two plans in one program add up" 0 '^2 passed, 0 failed, 0 skipped$' run gates

program 1 1..1 'not ok 1 - a'
lines=99 expect "the next stage runs after a failed one" 1 '^== self$' run gates self
expect "a stage with nothing to run is a failure" 1 '^0 passed, 1 failed, 0 skipped$' run self
printf '#!/bin/sh\nexit 1\n' >"$project/tools/setup.sh"
expect "without set-up nothing passes" 1 '^0 passed, 1 failed, 0 skipped$' run gates
expect "an unknown stage is a usage error" 2 "unknown stage 'nonsense'" "$project/tools/check.sh" nonsense
finish
