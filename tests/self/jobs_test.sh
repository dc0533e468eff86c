#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Many runs: side by side, in shards, over seeds, cut short; all on the host, so that it is quick.
. "$(dirname "$0")/tap.sh"
jobs=$top/build/tests/self/jobs
export XDG_STATE_HOME=$scratch/state
cd "$scratch" || exit 1

ids() { # RUN: of all its results, sorted
	sed -n 's/^{"type":"result".*"id":"\([^"]*\)".*/\1/p' "$1/results.jsonl" | LC_ALL=C sort
}
fresh() { rm -f ./*.is-here ran failed waits worker-lives-on; }

expect "two that wait for each other meet with -j2" 0 '^2 passed' "$jobs" -j2 pair_a pair_b
fresh
expect "... not with -j1" 1 '^1 passed, 1 failed' "$jobs" -j1 --test-timeout 1s pair_a pair_b
expect "more jobs than CPUs are obeyed" 0 '^2 passed' \
	taskset -c "$(taskset -cp $$ | sed 's/.*: //; s/[,-].*//')" "$jobs" -j2 pair_a pair_b
fresh
expect "with one at a time the names decide" 0 '^ok 1 x_quick$' "$jobs" -j1 x_quick y_slow
expect "the longest go first, by history" 0 '^ok 1 y_slow' "$jobs" -j2 --repeat 4 x_quick y_slow
check "... which is kept" grep -q '"jobs y_slow - host":\[' state/ktstr/history.json
echo '{' >state/ktstr/history.json
expect "a damaged history is ignored" 0 "history.json' is ignored and will be written anew" \
	"$jobs" x_quick
check "... and written anew" grep -q '"jobs x_quick - host":\[' state/ktstr/history.json

# --- ends -------------------------------------------------------------------------------------
expect "--fail-fast starts nothing more: exit 1" 1 'stopped at the first failure: 1 of 2 tests' \
	"$jobs" -j1 --fail-fast --run-dir fast fails_once pair_a
check "... what did not run is counted as such" grep -q '"type":"summary".*"not_run":1,"passed":0' \
	fast/results.jsonl
fresh
expect "without it all run" 1 '^1 passed, 1 failed' "$jobs" -j1 fails_once x_quick
fresh
expect "--timeout ends what runs: exit 124" 124 'time limit of the run reached: 1 of 2 tests' \
	"$jobs" -j1 --timeout 300ms waits x_quick
fresh
expect "a worker that dies is an ERROR that says how" 70 \
	'# ERROR the worker process of this test was killed by signal 9' \
	"$jobs" --run-dir gone gone_worker
check "... whose result is in its folder" grep -q '"end": "worker-died"' gone/gone_worker/result.json
check "... and nothing it started is left" until_true $$ no_process '--guest-body gone_worke[r]'
expect "others go on" 70 '^1 passed, 0 failed, 1 errors' "$jobs" -j2 gone_worker x_quick
expect "what can never fit: exit 75" 75 'it needs 1 CPU and 1073741824 MiB of memory; there ' \
	"$jobs" vast
expect "... and all others run" 75 '^1 passed, 0 failed, 1 errors' "$jobs" vast x_quick

expect "--timeout kills a worker that cannot end: exit 124" 124 \
	'SKIP UNDECIDED: the time limit of the run is over; killed' \
	"$jobs" --timeout 100ms --run-dir stuck stopped_worker
check "... and what it started" until_true $$ no_process '--guest-body stopped_worke[r]'

start_waiting() { # run folder, more arguments
	set -m
	"$jobs" --run-dir "$@" >"$1.out" 2>"$1.err" </dev/null &
	set +m
	runner=$!
	until_true "$runner" test -e waits
	until_true "$runner" grep -qs '"test":"x_quick"' "$1/results.jsonl"
}
fresh
start_waiting cut -j2 waits x_quick
kill -INT -- "-$runner"
wait "$runner"
check "Ctrl-C: exit 130" [ $? = 130 ]
check "... finished results are kept" grep -q '"test":"x_quick","verdict":"PASS"' cut/results.jsonl
check "... what ran is UNDECIDED" grep -q '"test":"waits","verdict":"UNDECIDED","end":"interrupted"' \
	cut/results.jsonl
check "... nothing is left" until_true $$ no_process "run-dir cu[t]|guest-body wait[s]"
fresh
start_waiting twice -j2 stopped_worker x_quick
interrupt_again() {
	kill -INT -- "-$runner"
	! kill -0 "$runner"
}
check "Ctrl-C again kills a worker that cannot end" until_true $$ interrupt_again
wait "$runner"
check "... exit 130" [ $? = 130 ]
check "... with a verdict" grep -q '"test":"stopped_worker","verdict":"UNDECIDED","end":"interrupted"' \
	twice/results.jsonl
check "... nothing is left" until_true $$ no_process "run-dir twic[e]|guest-body stopped_worke[r]"
fresh
start_waiting dead -j2 waits x_quick
kill -KILL "$runner"
wait "$runner" 2>/dev/null
check "a killed runner takes its workers along" until_true $$ no_process "run-dir dea[d]|guest-body wait[s]"
check "... and has kept what was finished" grep -q '"test":"x_quick","verdict":"PASS"' dead/results.jsonl
fresh

# --- seeds, repetitions, shards ---------------------------------------------------------------
expect "seeds are counted and listed" 1 '^    failing seeds: 1 3 5 7$' \
	"$jobs" --run-dir seeds --seeds 8 odd_seeds
check "... each has its folder" test -s seeds/odd_seeds@5/result.json
expect "... and one is repeated by the command given" 1 '^# seed 1$' \
	bash -c "$(sed -n 's/.*"id":"odd_seeds@1".*"rerun":"\([^"]*\)".*/\1/p' seeds/results.jsonl)"
expect "a range of seeds" 1 '^odd_seeds: 2 of 3 passed$' "$jobs" --seeds 4..6 odd_seeds
expect "repetitions are counted" 1 '^fails_once: 4 of 5 passed$' "$jobs" -j1 --repeat 5 fails_once
fresh
expect "ids have both" 1 . "$jobs" --run-dir both --seeds 2..3 --repeat 2 odd_seeds x_quick
check "... of every run" diff <(ids both) <(printf '%s\n' odd_seeds@{2,3}#{1,2} x_quick@{2,3}#{1,2})
expect "a single run has no lines on many" 0 '^seed: 9$' "$jobs" --seed 9 x_quick

for kind in slice hash; do
	for n in 1 2 3 4 5; do
		for m in $(seq "$n"); do
			"$jobs" --partition "$kind:$m/$n" --seeds 10 --run-dir "$kind-$m-$n" x_quick \
				odd_seeds >/dev/null 2>&1
		done
		check "$kind, $n shards: every run once" diff <(for m in $(seq "$n"); do
			ids "$kind-$m-$n"
		done | LC_ALL=C sort) <(printf '%s\n' {odd_seeds,x_quick}@{1..10} | LC_ALL=C sort)
	done
done
check "merge finds them whole" bash -c "'$top/build/ktstr' merge hash-?-5 | grep -q '^1\.\.20$'"
finish
