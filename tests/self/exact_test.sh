#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Exact runs are the same byte for byte: in clones, also beside busy loops and of a template made
# anew, and in cold boots; and another seed is another run.
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/guest.sh"
mix=$top/build/tests/vm/exact_mix
kernels=${XDG_CACHE_HOME:-$HOME/.cache}/ktstr/kernels
export XDG_CACHE_HOME=$scratch/cache
mkdir -p "$XDG_CACHE_HOME/ktstr" && ln -s "$kernels" "$XDG_CACHE_HOME/ktstr/kernels"

test=mix_with_scheduler
runs=0
run() { # topology, option...: adds to $scratch/hashes
	runs=$((runs + 1))
	if ! "$mix" -t "$test" --mode exact --topology "$1" --run-dir "$scratch/run$runs" "${@:2}" \
		>"$scratch/log" 2>&1 </dev/null; then
		sed 's/^/# /' "$scratch/log"
		echo "run $runs failed" >>"$scratch/hashes"
		return
	fi
	sed -n 's/.*"events_sha256": *"\([0-9a-f]*\)".*/\1/p' "$scratch/run$runs/results.jsonl" \
		>>"$scratch/hashes"
}
all_are_one() { # how many there must be
	cat "$scratch/hashes"
	[ "$(wc -l <"$scratch/hashes")" = "$1" ] && [ "$(sort -u "$scratch/hashes" | wc -l)" = 1 ] &&
		grep -qx '[0-9a-f]\{64\}' "$scratch/hashes"
}
loops=()
busy() {
	for _ in 1 2 3 4; do
		while :; do :; done &
		loops+=($!)
	done
}
idle() {
	kill "${loops[@]}" && wait "${loops[@]}" 2>/dev/null
	loops=()
}

for cpus in 2 4 8; do
	: >"$scratch/hashes"
	run "1n1l${cpus}c1t" --repeat 2
	busy
	run "1n1l${cpus}c1t" --repeat 2
	run "1n1l${cpus}c1t" --no-template
	idle
	check "$cpus CPUs: clones, idle and busy, and a cold boot" all_are_one 5
done

rm -rf "$XDG_CACHE_HOME/ktstr/templates"
: >"$scratch/hashes"
run 1n1l4c1t
cat "$scratch"/run*/results.jsonl | grep '"topology": *"1n1l4c1t"' |
	sed -n 's/.*"events_sha256": *"\([0-9a-f]*\)".*/\1/p' >"$scratch/hashes"
check "4 CPUs: and a clone of a template made anew" all_are_one 6

: >"$scratch/hashes"
run 1n1l4c1t --seeds 1..3
check "other seeds are other runs" [ "$(sort -u "$scratch/hashes" | wc -l)" = 3 ]

finish
