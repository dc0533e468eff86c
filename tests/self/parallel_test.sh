#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# examples/parallel: shards under GNU parallel and one report, also when a shard is lost.
. "$(dirname "$0")/tap.sh"
export PATH=$top/build:$PATH XDG_STATE_HOME=$scratch/state
shards=$top/examples/parallel/shards.sh
verdicts=$top/build/tests/self/verdicts
three=(-t passes -t fails -t without_limit --repeat 4)

if ! parallel --version 2>/dev/null | grep -q '^GNU parallel'; then
	skip "shards run under GNU parallel" "needs GNU parallel: tools/setup.sh"
	finish
fi
cd "$scratch" || exit 1

"$shards" 3 out "$verdicts" "${three[@]}" >report 2>summary </dev/null
check "one failing test in any shard is exit status 1" [ $? = 1 ]
check "there are three run folders" [ "$(echo out/*/results.jsonl)" = \
	"out/1/results.jsonl out/2/results.jsonl out/3/results.jsonl" ]
check_python "each run is in one shard, and each shard has its share" out/*/results.jsonl <<'PY'
import json, sys
shares = [[r["id"] for r in map(json.loads, open(f)) if r["type"] == "result"] for f in sys.argv[1:]]
assert [len(s) for s in shares] == [4, 4, 4], shares
assert len(set(sum(shares, []))) == 12, shares
PY
check "the merged report has all of them" grep -qx '1\.\.12' report
check "... with their verdicts" bash -c \
	'[ "$(grep -c "^ok " report) $(grep -c "^not ok [0-9]* fails\.[1-4]$" report)" = "8 4" ]'
check "the summary counts all" grep -q '^8 passed, 4 failed, 0 errors, 0 skipped' summary
check "all passed is exit status 0" "$shards" 3 good "$verdicts" -t passes --repeat 5
expect "more shards than tests do not matter" 0 '^1\.\.1$' "$shards" 3 few "$verdicts" -t passes
expect "a folder in use is not touched" 2 'good' "$shards" 3 good "$verdicts" -t passes

rm -r good/2
expect "a lost shard is an ERROR" 70 'shard slice:2/3 of .verdicts. is missing' ktstr merge good/*

# A ktstr that dies in the second shard before it has written anything.
mkdir bin
printf '#!/bin/sh\ncase "$*" in *slice:2/*) kill -KILL $$ ;; esac\nexec %q "$@"\n' "$top/build/ktstr" >bin/ktstr
chmod +x bin/ktstr
expect "a shard that is killed is named by the merge" 70 'shard slice:2/3 of .verdicts. is missing' \
	env PATH="$scratch/bin:$PATH" "$shards" 3 killed "$verdicts" -t passes --repeat 5

# Ctrl-C reaches the whole process group.
set -m
"$shards" 2 stopped "$verdicts" -t passes -t waits_for_ever >report 2>summary </dev/null &
runner=$!
set +m
for ((i = 0; i < 600; i++)); do
	grep -qs '"test":"passes"' stopped/*/results.jsonl && break
	kill -0 $runner 2>/dev/null || break
	read -rt 0.1 <> <(:)
done
kill -INT -- "-$runner"
wait $runner
check "Ctrl-C is exit status 130" [ $? = 130 ]
check "... what was finished is reported" grep -qx 'ok 1 passes' report
check "... no shard is left" no_process "$scratch/stopped[/]"

expect "too few arguments are a usage error" 2 '^usage: ' "$shards" 3 other
finish
