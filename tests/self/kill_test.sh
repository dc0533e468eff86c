#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# SIGKILL at random moments: runner, worker, QEMU of a clone, QEMU of a template that is being made.
# Nothing is left, nothing is broken, and the next run passes.  Again: kill_test.sh SEED
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/guest.sh"
empty=$top/build/tests/vm/empty
kernels=${XDG_CACHE_HOME:-$HOME/.cache}/ktstr/kernels
export XDG_CACHE_HOME=$scratch/cache
templates=$XDG_CACHE_HOME/ktstr/templates
mkdir -p "$XDG_CACHE_HOME/ktstr" && ln -s "$kernels" "$XDG_CACHE_HOME/ktstr/kernels"
NR_CLONE_KILLS=36
NR_BUILD_KILLS=14

seed=${1:-$((RANDOM * 32768 + RANDOM))}
RANDOM=$seed
echo "# seed $seed"

pause_ms() { read -rt "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))" <> <(:); }
now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }

run() { # name, program, option...
	"$2" --topology 1n1l1c1t --run-dir "$scratch/run$1" "${@:3}" >"$scratch/out$1" 2>&1 </dev/null
}
short() { run "$1" "$empty" --mode live; }
# Two at once, so that one waits for the template that the other makes.
two_short() { run "$1" "$empty" --mode live --repeat 2 -j 2; }
# These do not end by themselves for minutes, so what is left over is seen.
long() { run "$1" "$guests" --mode live waits_long; }
two_long() { run "$1" "$guests" --mode live waits_long --repeat 2 -j 2; }
children() { pgrep -P "$1"; }
pick() { # kind: a pid to kill; the runner where there is no such process at this moment
	local workers qemus
	workers=($(children "$runner"))
	for worker in "${workers[@]}"; do
		qemus+=($(children "$worker"))
	done
	case $1 in
	worker) echo "${workers[0]:-$runner}" ;;
	qemu) echo "${qemus[0]:-$runner}" ;;
	*) echo "$runner" ;;
	esac
}
gone() { no_process "$scratch[/]"; }
no_lock_held() {
	local f held=0
	while read -r f; do
		flock -n -x "$f" true || {
			echo "held: $f"
			held=1
		}
	done < <(find "$XDG_CACHE_HOME" -name '*.lock')
	return $held
}

until_ended() { # pid: for at most 2 s
	local i
	for ((i = 0; i < 40; i++)); do
		kill -0 "$1" 2>/dev/null || return 0
		pause_ms 50
	done
	return 1
}
being_made() { compgen -G "$templates/*.new" >/dev/null; }
made() { compgen -G "$templates/*.seen" >/dev/null; }

# One moment: start, wait for something, wait a while, kill, look.
killed_at() { # number, kind, milliseconds, how to run, what to wait for
	local victim status
	"$4" "$1" &
	subshell=$!
	until_true "$subshell" children "$subshell" >"$scratch/runner"
	read -r runner <"$scratch/runner"
	until_true "$subshell" "$5"
	pause_ms "$3"
	victim=$(pick "$2")
	kill -KILL "$victim" 2>/dev/null
	# The other test goes on, or what was killed was only asked for its version.
	until_ended "$runner" || kill -KILL "$runner" 2>/dev/null
	wait "$subshell"
	status=$?
	if [ "$status" != 70 ] && [ "$status" != 137 ]; then
		echo "exit status $status"
		tail -n 5 "$scratch/out$1"
		return 1
	fi
	until_true $$ gone || { pgrep -af -- "$scratch[/]"; return 1; }
	no_lock_held && lacks '"damaged"' "$ktstr" template list --json
}

moments=0
failed=0
kill_once() { # longest wait in milliseconds, how to run, what to wait for
	local kinds=(runner worker qemu) kind at
	kind=${kinds[RANDOM % 3]}
	at=$((RANDOM % $1))
	moments=$((moments + 1))
	killed_at "$moments" "$kind" "$at" "$2" "$3" >"$scratch/said" 2>&1 && return
	failed=$((failed + 1))
	echo "# moment $moments, $kind after $at ms:"
	sed 's/^/# /' "$scratch/said"
}

# How long making a template and using one takes here.
two_short build &
first=$!
until_true "$first" being_made
begin=$(now_ms)
until_true "$first" made
made_in=$(($(now_ms) - begin))
wait "$first"
status=$?
check "a run on an empty cache passes" [ "$status" = 0 ]
begin=$(now_ms)
check "a run with a template passes" short clone
used_in=$(($(now_ms) - begin))
echo "# $made_in ms to make a template, $used_in ms to run with one"

for ((n = 0; n < NR_CLONE_KILLS; n++)); do
	kill_once "$used_in" long true
done
check "$NR_CLONE_KILLS kills while clones run leave nothing behind" [ "$failed" = 0 ]
check "the next run passes" short after_clones
failed=0
for ((n = 0; n < NR_BUILD_KILLS; n++)); do
	"$ktstr" template prune --all >"$scratch/pruned"
	kill_once "$made_in" two_long being_made
done
check "$NR_BUILD_KILLS kills while a template is made leave nothing behind" [ "$failed" = 0 ]
check "the next run passes" two_short after_builds
check "one whole template is left and nothing else" bash -c \
	"[ \"\$('$ktstr' template list --json | grep -c '\"whole\",\"in_use\":false')\" = 1 ] && [ \$(ls '$templates' | wc -l) = 3 ]"
finish
