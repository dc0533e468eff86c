#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# What a FAIL says of real bugs: who suffered, how long, and who held the CPUs or which of them was idle.
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/guest.sh"

judge() { # SCENARIO FAULT OPTION...
	local scenario=$1
	shift
	"$ktstr" check --mode exact --scenarios "$scenario" --topologies duo -- \
		"$top/build/payloads/ktstr-sched" --fault "$@"
}

expect "a share too small names the idle CPU" 1 \
	'^  2 workers of bursts \(bursty, allowed 0-1\) used [0-9.]+ % of .*\(bound: at least 75 %\), and waited [0-9.]+ m?s in all; in that step CPUs 0-1 ran .*idle \([0-9]+ %\).*bursts/[01] \([0-9]+ %\).*; CPU [01] was idle for [0-9.]+ m?s of [0-9.]+ m?s$' \
	judge short_bursts_have_room local-wrong-cpu
expect "who got nothing done has the one that ran named" 1 \
	'^  wa/0 \(spin in a, allowed 0\) did 0 iterations in [0-9.]+ m?s of step .even. \(bound: at least 1 iterations\), and waited [0-9.]+ m?s from [0-9.]+ s on.* while CPU 0 ran wb/0 \([0-9]+ %\)' \
	judge cgroup_weight_changes cgroup-starved
expect "a weight that is ignored has the other's gain" 1 \
	'^  cgroup [ab] \(w[ab]: spin\) of weight [15]00 got .*\(bound: at most 45 %\); cgroup [ab] \(w[ab]: spin\) of weight [15]00 got [0-9.]+ ms; in that step CPU 0 ran w[ab]/0' \
	judge cgroup_weight_changes cgroup-weight-ignored
expect "a stall names the worker's wait" 1 \
	'failed to run for [0-9.]+s .*; it waited [0-9.]+ m?s from [0-9.]+ s on.* while CPU 0 ran .*idle \([0-9]+ %\)' \
	judge naps_before_the_turn_ends drop-queued --watchdog 2000
finish
