#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# ktstr merge: shards that were run, lost, killed, doubled and damaged.
. "$(dirname "$0")/tap.sh"
ktstr=$top/build/ktstr
prog=$top/build/tests/self/verdicts
export XDG_STATE_HOME=$scratch/state XDG_CACHE_HOME=$scratch/cache
cd "$scratch" || exit 1
tests=(passes fails skips is_undecided aborts exits checks_nothing talks_much without_limit)

cat >what.py <<'PY'
"""id, verdict and end of every result of a file, in order; then what the summary counts."""
import json, sys
for line in open(sys.argv[1]):
    o = json.loads(line)
    if o["type"] == "result":
        print(o["id"], o["verdict"], o["end"])
    elif o["type"] == "summary":
        print(*(o[k] for k in ("planned", "passed", "failed", "errors", "skipped", "undecided")),
              o["exit"])
PY
# The order in which results came is a run's own affair.
same() { # run folder, merged folder
	diff <(python3 what.py "$1/results.jsonl" | sort) <(python3 what.py "$2/results.jsonl" | sort)
}

# --- real shards ----------------------------------------------------------------------------------
"$prog" --run-dir whole "${tests[@]}" >/dev/null 2>&1
whole=$?
for kind in slice hash; do
	for m in 1 2 3; do
		"$prog" --run-dir "$kind$m" --partition "$kind:$m/3" "${tests[@]}" >/dev/null 2>&1
	done
	expect "three shards by $kind end as the whole run does" "$whole" '^2 passed, 4 failed, 0 errors, 1 skipped, 2 undecided' \
		"$ktstr" merge --run-dir "all-$kind" "$kind"[123]
	check "... with the same results and sums" same whole "all-$kind"
	check_python "... in the order of the matrix" "all-$kind/results.jsonl" <<'PY'
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
run = next(o for o in lines if o["type"] == "run")
assert run["all"] == [o["id"] for o in lines if o["type"] == "result"], lines
PY
done
# What many runs of one test have in common is the same too.
in_common() {
	python3 -c 'import json,sys;[print(json.dumps([o["tests"],o["seeds"]])) for o in map(json.loads,open(sys.argv[1])) if o["type"]=="summary"]' \
		"$1/results.jsonl"
}
many=(--seeds 4..6 --repeat 2 passes fails)
"$prog" --run-dir many "${many[@]}" >/dev/null 2>&1
for m in 1 2 3; do
	"$prog" --run-dir many$m --partition hash:$m/3 "${many[@]}" >/dev/null 2>&1
done
expect "shards of seeds and repetitions: how many passed" 1 '^passes: 6 of 6 passed$' \
	"$ktstr" merge --run-dir all-many many[123]
expect "... and which seeds failed" 1 '^    failing seeds: 4 5 6$' "$ktstr" merge many[123]
check "... as the whole run says" diff <(in_common many) <(in_common all-many)
check "... with the same results and sums" same many all-many
expect "... of a part, what there is" 1 '^fails: 0 of [1-5] passed$' "$ktstr" merge many1

expect "shards in another order give the same" "$whole" '' "$ktstr" merge --run-dir turned slice3 slice1 slice2
check "... really" diff all-slice/results.jsonl turned/results.jsonl
expect "the whole run alone ends as it did" "$whole" '' "$ktstr" merge whole
expect "a merged folder can be merged" "$whole" '' "$ktstr" merge --run-dir again all-slice
check "... and says the same" diff all-slice/results.jsonl again/results.jsonl

expect "a lost shard is named, exit 70" 70 \
	"^missing: shard slice:2/3 of 'verdicts' is missing: no result of 1: passes@2$" bash -c \
	"for m in 1 3; do '$prog' --run-dir few\$m --partition slice:\$m/3 --seeds 3 passes; done
	 '$ktstr' merge few1 few3"
expect "... which is found" 0 '^3 passed, 0 failed, 0 errors' bash -c \
	"'$ktstr' merge --run-dir gap few1 few3
	 '$prog' --run-dir few2 --partition slice:2/3 --seeds 3 passes
	 '$ktstr' merge gap few2"
expect "... and JSON has it as a result" 70 '"end":"no-result"' "$ktstr" merge --json few1 few3
expect "... and so has JUnit" 70 '<error message="no result: shard 2 of 3' bash -c \
	"'$ktstr' merge --junit j.xml few1 few3; r=\$?; cat j.xml; exit \$r"

expect "a shard that has no runs is none of the failures" 0 '^1\.\.0 # SKIP this shard has no runs$' \
	"$prog" --run-dir less2 --partition slice:2/2 passes
check "... and its summary says 0" grep -q '"type":"summary".*"exit":0' less2/results.jsonl
expect "... alone, the others are missing" 70 \
	"^missing: shard slice:1/2 of 'verdicts' is missing: no result of 1: passes$" "$ktstr" merge less2
expect "... and beside them nothing is" 0 '^1 passed, 0 failed, 0 errors' bash -c \
	"'$prog' --run-dir less1 --partition slice:1/2 passes; '$ktstr' merge less1 less2"
check "... without a word on it" bash -c "! '$ktstr' merge less1 less2 2>&1 | grep '^missing\|^note'"

# --- a killed runner ------------------------------------------------------------------------------
four=(passes skips waits_for_ever without_limit)
"$prog" --run-dir lives --partition slice:2/2 "${four[@]}" >/dev/null 2>&1
"$prog" --run-dir killed --partition slice:1/2 -j2 "${four[@]}" >/dev/null 2>&1 &
runner=$!
until_true $runner grep -q '"id":"passes"' killed/results.jsonl
# The worker, the body, and what the body started in a group of its own.
descendants() {
	local p
	for p in $(pgrep -P "$1"); do
		echo "$p"
		descendants "$p"
	done
}
three() { [ "$(descendants $runner | wc -l)" -ge 3 ]; }
until_true $runner three
family=$(descendants $runner)
kill -KILL $runner
wait $runner 2>/dev/null
all_gone() { ! kill -0 $family; }
check "a killed runner leaves no process" until_true $$ all_gone
expect "what a killed runner did not finish is named, exit 70" 70 \
	"^missing: 'killed': its run of 'verdicts' has not ended .*, and 1 of 2 have no result: waits_for_ever" \
	"$ktstr" merge killed lives
expect "... and what it finished counts" 70 '^ok 1 passes$' "$ktstr" merge killed lives
expect "... the missing one says who was to run it" 70 \
	"not ok 3 waits_for_ever # ERROR no result: 'killed' was to run it" "$ktstr" merge killed lives
expect "... one that is run again fills the gap" 1 '^2 passed, 1 failed, 0 errors, 1 skipped' bash -c \
	"'$prog' --run-dir again2 --partition slice:1/2 --test-timeout 300ms ${four[*]}
	 '$ktstr' merge killed lives again2"

# A results file that ends anywhere: what is whole in it counts, what is not is an error.
check_python "a file cut at every line and within it loses only that" "$ktstr" <<'PY'
import json, os, subprocess, sys
lines = open("whole/results.jsonl", "rb").read().splitlines(keepends=True)
ids = json.loads(lines[0])["all"]
for n in range(1, len(lines) + 1):
    for rest in (0, 1, len(lines[n]) // 2, len(lines[n]) - 2) if n < len(lines) else (0,):
        os.makedirs("cut", exist_ok=True)
        with open("cut/results.jsonl", "wb") as f:
            f.write(b"".join(lines[:n]) + (lines[n][:rest] if rest else b""))
        run = subprocess.run([sys.argv[1], "merge", "--json", "cut"], capture_output=True)
        out = [json.loads(line) for line in run.stdout.splitlines()]
        results = {o["id"]: o for o in out if o["type"] == "result"}
        notices = [o for o in out if o["type"] == "notice"]
        assert list(results) == ids, (n, rest, run)
        whole = {json.loads(line).get("id") for line in lines[1:n]}
        for i in ids:
            assert (results[i]["end"] == "no-result") == (i not in whole), (n, rest, i)
        assert not any(o["kind"] == "damage" for o in notices), (n, rest, notices)
        assert bool(rest) == any("cut off" in o["text"] for o in notices), (n, rest, notices)
        failed = any(o["verdict"] == "FAIL" for o in results.values())
        missing = any(o["end"] == "no-result" for o in results.values())
        assert run.returncode == (1 if failed else 70 if missing else 5), (n, rest, run)
PY

# --- files made up --------------------------------------------------------------------------------
cat >make.py <<'PY'
"""make.py FOLDER PARTITION|- PLAN ALL [ID=VERDICT[,KEY=VALUE]...]...; lists are a,b,c"""
import json, os, sys
folder, partition, plan, all_, *results = sys.argv[1:]
os.makedirs(folder)
run = {"type": "run", "version": 2, "program": "made", "mode": "exact", "seeds": "1..1",
       "repetitions": 1, "all": all_.split(","), "plan": plan.split(",")}
if partition != "-":
    run["partition"] = partition
ends = {"PASS": "finished", "FAIL": "checks", "ERROR": "agent", "SKIP": "skipped", "UNDECIDED": "no-checks"}
with open(folder + "/results.jsonl", "w") as f:
    print(json.dumps(run), file=f)
    for r in results:
        ident, verdict = r.split("=", 1)
        verdict, *more = verdict.split(",")
        o = {"type": "result", "version": 2, "test": ident, "id": ident, "seed": "1", "repetition": 1,
             "verdict": verdict, "end": ends[verdict], "checks": 1, "duration_ns": 1000000, "mode": "exact"}
        inputs = {"qemu": "10.0.2", "kernel": "7.3.4"}
        for m in more:
            k, v = m.split("=")
            (inputs if k in inputs else o)[k] = v
        o["inputs"] = inputs
        print(json.dumps(o), file=f)
    print('{"type":"summary","version":2,"interrupted":false}', file=f)
PY
make() { python3 make.py "$@"; }
zeros=$(printf '0%.0s' {1..64}) ones=$(printf '1%.0s' {1..64})
make d1 - a,b,c a,b,c a=PASS b=PASS,events_sha256="$zeros" c=SKIP
make d2 - a,b,c a,b,c a=PASS b=PASS,events_sha256="$ones" c=PASS
make d3 - a,b,c a,b,c a=FAIL b=PASS c=PASS
make d4 - a,b,c a,b,c a=PASS b=PASS,events_sha256="$zeros" c=PASS
expect "doubles of one verdict and the same events are said once" 0 \
	"^note: 2 of the ids have more than one result, of the same verdict, such as 'a' in 'd1' and 'd4'" "$ktstr" merge d1 d4
expect "... other verdicts are a conflict, the worse counts" 4 "^conflict: 'x': SKIP in 'e1', but PASS in 'e2'" bash -c \
	"python3 make.py e1 - x x x=SKIP; python3 make.py e2 - x x x=PASS; '$ktstr' merge e1 e2"
expect "... in whichever order" 1 "^conflict: 'a': FAIL in 'd3', but PASS in 'd2'" "$ktstr" merge d3 d2
expect "... FAIL is worse" 1 "^conflict: 'a': PASS in 'd1', but FAIL in 'd3'" "$ktstr" merge d1 d3
expect "... and stands at the result" 1 "^# note PASS in 'd1', but FAIL in 'd3'; the worse counts" \
	"$ktstr" merge d1 d3
expect "the same exact run with other events is said, exit 70" 70 \
	"^conflict: 'b': exact and of the same inputs, but the events hash to 000000000000 in 'd1'" \
	"$ktstr" merge d1 d2
expect "the same folder twice is read once" 0 "^note: './d2' is 'd2' once more: it is read once" \
	"$ktstr" merge d2 ./d2
check "... without doubles" bash -c "! '$ktstr' merge d2 ./d2 2>&1 | grep -q 'same verdict'"

make k1 slice:1/2 a a,b a=PASS
make k2 slice:2/2 b a,b b=PASS,kernel=6.12
expect "another kernel is said" 0 \
	"^note: 'kernel' of 'made' differs: \"7.3.4\" in 'k1', \"6.12\" in 'k2'" "$ktstr" merge k1 k2
expect "folders of other matrices are refused, exit 2" 2 \
	"^ktstr: 'k1' and 'd1' are not parts of one run of 'made': only 'd1' has 'c'" "$ktstr" merge k1 d1

sed 's/made/other/' k1/results.jsonl >x && mkdir o1 && mv x o1/results.jsonl
expect "several programs: each has its gaps" 70 "'other' is missing: no result of 1: b" "$ktstr" merge k1 k2 o1
expect "... and its names" 70 '^ok 3 other:a$' "$ktstr" merge k1 k2 o1
expect "... also in JUnit" 0 'classname="other" name="other:a"' bash -c \
	"'$ktstr' merge --junit j2.xml k1 k2 o1; cat j2.xml"
expect "... merged and merged again" 70 '^not ok 4 other:b # ERROR no result: shard 2 of 2' bash -c \
	"'$ktstr' merge --run-dir both k1 k2 o1 >/dev/null 2>&1; '$ktstr' merge both"

mkdir damaged empty absent
sed '3s/PASS/"/' d2/results.jsonl >damaged/results.jsonl
expect "a damaged line is said, exit 70" 70 "^damage: 'damaged/results.jsonl' line 3: " "$ktstr" merge damaged
expect "... even if another folder has its result" 70 "^3 passed, 0 failed, 0 errors" "$ktstr" merge damaged d2
: >empty/results.jsonl
expect "an empty file is said" 0 "^note: 'empty/results.jsonl' is empty: its runner was killed" \
	"$ktstr" merge empty d2
expect "JUnit that cannot be written is said at once" 2 "^ktstr: write 'none/x': No such" \
	"$ktstr" merge --junit none/x few1
expect "no results.jsonl is said, exit 70" 70 "^damage: open 'absent/results.jsonl': No such file" \
	"$ktstr" merge absent d2
expect "nothing at all is said, exit 70" 70 "^ktstr: nothing to merge: 'empty/results.jsonl' is empty" \
	"$ktstr" merge empty
mkfifo absent/results.jsonl
expect "a pipe is not waited for" 70 "'absent/results.jsonl' is no regular file" "$ktstr" merge absent d2
mkdir newer
sed 's/"version": 2/"version": 3/' d2/results.jsonl >newer/results.jsonl
expect "a file of a newer version is said" 70 "a newer ktstr wrote it \(version 3, this one reads 2\)" \
	"$ktstr" merge newer d2
expect "no folder at all: exit 2" 2 "DIR" "$ktstr" merge
expect "a run folder that is not empty is left alone" 2 "folder .* is not empty, and it is never overwritten" \
	"$ktstr" merge --run-dir d1 d2
full() { "$ktstr" merge d2 >/dev/full; }
expect "a full stdout is said, exit 70" 70 'write to standard output: No space left on device' full
finish
