#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# What a FAIL says of real bugs: who suffered, how long, and who held the CPUs or which of them was idle.
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/guest.sh"

cat >"$scratch/mine.yaml" <<'YAML'
ktstr: 1
group: sentences
scenarios:
  bursts:
    about: workers that sleep often and for a moment find an idle CPU each time
    steps:
      - works:
          bursts: {type: bursty, percent: 100, params: {burn_us: 2500, sleep_us: 500}}
        hold: 800ms
    checks: [cpu_share >= 75%]
  halves:
    about: two cgroups on one CPU both get something done
    steps:
      - name: even
        cgroups: {a: "one:0", b: "one:0"}
        works: {wa: {type: spin, cgroup: a}, wb: {type: spin, cgroup: b}}
        hold: 500ms
  uneven:
    about: two cgroups on one CPU share it by their weights
    steps:
      - cgroups: {a: {cpus: "one:0"}, b: {cpus: "one:0", weight: 500}}
        works: {wa: {type: spin, cgroup: a}, wb: {type: spin, cgroup: b}}
        hold: 1s
    checks: [weight_error <= 45%]
  pinned:
    about: who may run on one CPU only gets it
    steps:
      - works: {pin: {type: spin, affinity: "one:0"}, free: {type: spin, count: 2}}
        hold: 5s
YAML
judge() { # SCENARIO FAULT
	"$ktstr" check --mode exact --scenario-file "$scratch/mine.yaml" --scenarios "$1" --topologies duo -- \
		"$top/build/payloads/ktstr-sched" --watchdog 2000 --fault "$2"
}

expect "a share too small names the idle CPU" 1 \
	'^  2 workers of bursts \(bursty, allowed 0-1\) used [0-9.]+ % of .*\(bound: at least 75 %\), and waited [0-9.]+ m?s in all; in that step CPUs 0-1 ran .*bursts/[01] \([0-9]+ %\).*; CPU [01] was idle for [0-9.]+ m?s of [0-9.]+ m?s$' \
	judge bursts local-wrong-cpu
expect "who got nothing done has the one that ran named" 1 \
	'^  wa/0 \(spin in a, allowed 0\) did 0 iterations in [0-9.]+ m?s of step .even. \(bound: at least 1 iterations\), and waited [0-9.]+ m?s from [0-9.]+ s on.* while CPU 0 ran wb/0 \([0-9]+ %\)' \
	judge halves cgroup-starved
expect "a weight that is ignored has the other's gain" 1 \
	'^  cgroup [ab] \(w[ab]: spin\) of weight [15]00 got .*\(bound: at most 45 %\); cgroup [ab] \(w[ab]: spin\) of weight [15]00 got [0-9.]+ ms; in that step CPU 0 ran w[ab]/0' \
	judge uneven cgroup-weight-ignored
expect "a stall says how long the worker waited, and for whom" 1 \
	'pin/0\[[0-9]+\] failed to run for [0-9.]+s .*that task is pin/0 \(spin, allowed 0\).*; it waited [2-9][0-9.]* s from [0-9.]+ s on.* while CPU 0 ran .*free/[01] \([0-9]+ %\)' \
	judge pinned pinned-forgotten
finish
