# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Sourced by self tests: one TAP line per check, a scratch folder that goes away, a closing plan.
#
#	check "what holds" COMMAND...		passes if COMMAND succeeds
#	expect "what holds" STATUS REGEX COMMAND...	exit status and combined output
#	lacks REGEX COMMAND...	succeeds if the command does, and its output has nothing like it
#	check_python "what holds" ARGUMENT... <<PY	the same of a Python script on stdin
#	skip "what" "the need that is not met"
#	need_built PROGRAM...	ends the test where one of them is not there
#	until_true PID COMMAND...	waits until the command succeeds, while PID lives, at most 60 s
#	no_process PATTERN	succeeds if no command line matches; fails if that cannot be seen
set -u
# Compilers quote differently elsewhere.
export LC_ALL=C
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
tap_count=0
tap_failed=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

tap_line() { # ok|not ok, text
	tap_count=$((tap_count + 1))
	echo "$1 $tap_count - $2"
	if [ "$1" != ok ]; then
		tap_failed=$((tap_failed + 1))
	fi
}

check() {
	local what=$1 said
	shift
	if said=$("$@" 2>&1 </dev/null); then
		tap_line ok "$what"
	else
		tap_line "not ok" "$what"
		printf '%s\n' "$said" | tail -n 20 | sed 's/^/# /'
	fi
}

expect() {
	local what=$1 status=$2 regex=$3 said got
	shift 3
	said=$("$@" 2>&1 </dev/null)
	got=$?
	if [ "$got" = "$status" ] && grep -qE -- "$regex" <<<"$said"; then
		tap_line ok "$what"
	else
		tap_line "not ok" "$what"
		echo "# exit status $got, expected $status; output should match: $regex"
		printf '%s\n' "$said" | tail -n 20 | sed 's/^/# /'
	fi
}

lacks() {
	local regex=$1 said
	shift
	said=$("$@") && ! grep -E -- "$regex" <<<"$said"
}

check_python() {
	local what=$1
	shift
	cat >"$scratch/check.py"
	check "$what" python3 "$scratch/check.py" "$@"
}

need_built() {
	local program
	for program in "$@"; do
		if [ ! -x "$program" ]; then
			echo "Bail out! $program is not built"
			exit 1
		fi
	done
}

no_process() {
	pgrep -f -- "$1" >/dev/null
	[ $? = 1 ]
}

until_true() { # pid, command...
	local pid=$1 i
	shift
	for ((i = 0; i < 1200; i++)); do
		"$@" 2>/dev/null && return 0
		kill -0 "$pid" 2>/dev/null || return 1
		read -rt 0.05 <> <(:)
	done
	return 1
}

skip() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

finish() {
	echo "1..$tap_count"
	exit $((tap_failed > 0))
}
