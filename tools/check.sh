#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#
# Everything that must hold, in one command.
#
# usage: tools/check.sh [STAGE...]
#   stages: gates unit fuzz-smoke install-check self vm; all of them if none is named
#
# A stage that fails does not stop the next.  Logs lie in build/check/.  The last line is
# "N passed, N failed, N skipped"; the exit status is 0 only if none failed.  A program that
# crashes, prints no result or fewer than it planned counts as failed.
set -u

# The outer make's job server and options are not for the builds below.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top" || exit 1
jobs=$(nproc)
logs=build/check
fuzz_seconds=${FUZZ_SECONDS:-10}
# The short run starts alike each time, so that it hardly fails by chance; a longer one does not.
fuzz_seed=$([ -n "${FUZZ_SECONDS:-}" ] && echo 0 || echo 1)
passed=0 failed=0 skipped=0
began=$(date +%s%N)

ms_since() { echo $((($(date +%s%N) - $1) / 1000000)); }
seconds() { printf '%d.%d' $(($1 / 1000)) $(($1 % 1000 / 100)); }
stage() { printf '== %s\n' "$1"; }

# --- running ----------------------------------------------------------------------------------
# Start one program in the background once a place is free; its log, status and time become files.
start() { # label, seconds allowed, command...
	local label=$1 limit=$2
	shift 2
	while [ "$(jobs -pr | wc -l)" -ge "$jobs" ]; do
		wait -n
	done
	mkdir -p "$(dirname "$logs/$label")"
	rm -f "$logs/$label".{log,rc,ms}
	(
		t0=$(date +%s%N)
		timeout -k 10 "$limit" "$@" >"$logs/$label.log" 2>&1 </dev/null &
		program=$!
		trap 'kill $program; exit 143' TERM
		wait $program
		echo $? >"$logs/$label.rc"
		ms_since "$t0" >"$logs/$label.ms"
	) &
	labels+=("$label")
}

# Print the log's interesting part: what failed, or its end.
show_failure() { # log
	echo "    --- $1"
	if grep '^not ok' "$1" | grep -qv '# SKIP'; then
		awk '/^(not )?ok / { on = /^not/ && !/# SKIP/ } on && !/^# report:/' "$1" | head -n 60
	else
		tail -n 30 "$1"
	fi | sed 's/^/    /'
	echo "    ---"
}

report() { # label, passed, failed, skipped, remark
	passed=$((passed + $2))
	failed=$((failed + $3))
	skipped=$((skipped + $4))
	printf '  %-6s %-42s %s\n' "$([ "$3" = 0 ] && echo ok || echo FAILED)" "$1" "$5"
	[ "$3" = 0 ] || show_failure "$logs/$1.log"
}

# Count a TAP log: "ok", "not ok" and "# SKIP" lines that are not indented.
settle_tap() { # label
	local log=$logs/$1.log rc ms ok bad skip plan remark
	rc=$(cat "$logs/$1.rc" 2>/dev/null || echo 255)
	ms=$(cat "$logs/$1.ms" 2>/dev/null || echo 0)
	read -r ok bad skip plan < <(awk '
		/^(not )?ok .*# SKIP/ { skip++; next }
		/^ok / { ok++ }
		/^not ok / { bad++ }
		/^1\.\.[0-9]+/ { plan += substr($1, 4) }
		END { print ok + 0, bad + 0, skip + 0, plan + 0 }' "$log")
	remark="$ok passed, $bad failed, $skip skipped, $(seconds "$ms") s"
	if [ "$bad" = 0 ] && [ "$rc" != 0 ] && ! { [ "$rc" = 4 ] && [ "$ok" = 0 ] && [ "$skip" -gt 0 ]; }; then
		bad=1
		remark="exit status $rc, $remark"
	elif [ "$bad" = 0 ] && { [ $((ok + skip)) = 0 ] || [ "$plan" != $((ok + skip)) ]; }; then
		bad=1
		remark="planned $plan, saw $((ok + skip)), $remark"
	fi
	report "$1" "$ok" "$bad" "$skip" "$remark"
	# A unit test prints its need on the line before.
	[ "$skip" = 0 ] || awk '
		/^(not )?ok .*# SKIP/ { print "         " $0 (need ? ": " need : "") }
		{ need = /^needs/ ? $0 : "" }' "$log"
}

# A step that has no tests of its own counts only when it fails.
settle_step() { # label, what a success is worth
	local rc ms
	rc=$(cat "$logs/$1.rc" 2>/dev/null || echo 255)
	ms=$(cat "$logs/$1.ms" 2>/dev/null || echo 0)
	if [ "$rc" = 0 ]; then
		report "$1" "$2" 0 0 "$(seconds "$ms") s"
	else
		report "$1" 0 1 0 "exit status $rc, $(seconds "$ms") s"
	fi
	return "$rc"
}

step() { # label, seconds allowed, command...
	labels=()
	start "$@"
	wait
	settle_step "$1" 0
}

interrupted() {
	trap '' INT TERM
	# shellcheck disable=SC2046
	kill $(jobs -pr) 2>/dev/null
	wait
	echo "interrupted; so far: $passed passed, $failed failed, $skipped skipped" >&2
	exit 130
}
trap interrupted INT TERM

settle_all() { # tap | step
	local label
	wait
	for label in "${labels[@]}"; do
		if [ "$1" = tap ]; then settle_tap "$label"; else settle_step "$label" 1; fi
	done
}

# Nothing to run is a failure too: a folder was emptied or a pattern is wrong.
need_some() { # what, files...
	[ -e "${2:-}" ] && return
	mkdir -p "$logs/$(dirname "$1")"
	echo "no such tests" >"$logs/$1.log"
	report "$1" 0 1 0 "nothing to run"
	return 1
}

build() { # label, make arguments...
	local label=$1
	shift
	step "$label/build" 1800 make -s -j"$jobs" "$@"
}

need_kernel() { # label
	build/ktstr kernel list --json 2>/dev/null | grep -q '"sched_ext":true' ||
		step "$1/kernel-fetch" 600 build/ktstr kernel fetch
}

# --- stages -----------------------------------------------------------------------------------
stage_gates() {
	labels=()
	start gates 300 tools/gates.py
	settle_all tap
}

unit_variant() { # label, folder, make arguments...
	local label=$1 folder=$2 f
	shift 2
	need_some "$label" tests/unit/test_*.c || return
	build "$label" -k B="$folder" "$@" unit-build
	labels=()
	for f in tests/unit/test_*.c; do
		f=$(basename "$f" .c)
		start "$label/$f" 300 env CMOCKA_MESSAGE_OUTPUT=TAP "$folder/tests/unit/$f"
	done
	settle_all tap
}

stage_unit() {
	unit_variant unit-gcc build CC=gcc
	unit_variant unit-clang build/clang CC=clang
	unit_variant unit-gcc-san build/san CC=gcc SAN=1
	unit_variant unit-clang-san build/clang-san CC=clang SAN=1
}

stage_fuzz_smoke() {
	local f name
	need_some fuzz tests/fuzz/fuzz_*.c || return
	build fuzz B=build/fuzz CC=clang SAN=1 FUZZ=1 fuzz-build || return
	labels=()
	for f in tests/fuzz/fuzz_*.c; do
		name=$(basename "$f" .c)
		mkdir -p "build/fuzz/corpus/$name"
		start "fuzz/$name" $((fuzz_seconds + 120)) "build/fuzz/tests/fuzz/$name" \
			-seed="$fuzz_seed" -max_total_time="$fuzz_seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
			-artifact_prefix="build/fuzz/$name-" "build/fuzz/corpus/$name" \
			"tests/fuzz/corpus/${name#fuzz_}"
	done
	settle_all step
}

stage_install_check() {
	build install || return
	labels=()
	start install-check 300 tests/self/install_test.sh
	settle_all tap
}

stage_self() {
	local f
	need_some self tests/self/*_test.sh || return
	build self || return
	need_kernel self
	labels=()
	for f in tests/self/*_test.sh; do
		[ "$f" = tests/self/install_test.sh ] || start "self/$(basename "$f" .sh)" 900 "$f"
	done
	settle_all tap
}

stage_vm() {
	local f parallel=$jobs mode
	need_some vm tests/vm/*.c || return
	build vm || return
	need_kernel vm || return
	labels=()
	# One at a time: a program starts its own VMs side by side as the machine allows.
	jobs=1
	for f in tests/vm/*.c examples/*.c; do
		[ -e "$f" ] || continue
		f=${f%.c}
		mode=()
		# An hour of sleep, which takes seconds in exact mode only.
		[ "$f" != tests/vm/sleeper ] || mode=(--mode exact)
		start "vm/$(basename "$f")" 1200 "build/$f" "${mode[@]}"
	done
	settle_all tap
	jobs=$parallel
}

main() {
	local wanted=("$@") s
	[ $# -gt 0 ] || wanted=(gates unit fuzz-smoke install-check self vm)
	for s in "${wanted[@]}"; do
		case $s in
		gates | unit | fuzz-smoke | install-check | self | vm) ;;
		*)
			echo "check: unknown stage '$s'; stages: gates unit fuzz-smoke install-check self vm" >&2
			exit 2
			;;
		esac
	done
	mkdir -p "$logs"
	stage setup
	# In the foreground: sudo may want to ask for a password.
	if ! tools/setup.sh; then
		echo "0 passed, 1 failed, 0 skipped"
		exit 1
	fi
	for s in "${wanted[@]}"; do
		stage "$s"
		"stage_${s//-/_}"
	done
	printf '\nlogs: %s/ in %s; %s s\n' "$logs" "$top" "$(seconds "$(ms_since "$began")")"
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ]
}

main "$@"
