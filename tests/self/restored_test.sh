#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# What a guest's clock and its random numbers say after a restore, seen from outside.
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/guest.sh"
restored=$top/build/tests/vm/restored
kernels=${XDG_CACHE_HOME:-$HOME/.cache}/ktstr/kernels
export XDG_CACHE_HOME=$scratch/cache
mkdir -p "$XDG_CACHE_HOME/ktstr" && ln -s "$kernels" "$XDG_CACHE_HOME/ktstr/kernels"

run() { # name, option...
	local status
	date +%s >"$scratch/$1.before"
	"$restored" --run-dir "$scratch/$1" "${@:2}"
	status=$?
	date +%s >"$scratch/$1.after"
	return $status
}

check "live: the guest that makes the template, and a clone" run live1 --mode live
# Nothing but the random numbers may show the seed.
check "exact: two seeds, twice each" run exact --mode exact --seeds 1..2 --repeat 2 --perturb off
check "exact: a cold boot" run cold --mode exact --no-template
# By now the template is older than the bounds below.
check "live: a clone of an old template" run live2 --mode live
check "live: a cold boot" run live3 --mode live --no-template

cat >"$scratch/values.py" <<'PY'
import json, sys

def results(folder):
    lines = [json.loads(line) for line in open(folder + "/results.jsonl")]
    return [line for line in lines if "test" in line]

def values(result):
    return {v["name"]: v["value"] for v in result["values"]}

def host(folder):
    return [int(open(folder + end).read()) for end in (".before", ".after")]
PY
export PYTHONPATH=$scratch PYTHONDONTWRITEBYTECODE=1

check_python "who is a clone" "$scratch" <<'PY'
from values import *
for name, wanted in (("live1", 1), ("live2", 1), ("live3", 0), ("exact", 4), ("cold", 0)):
    cloned = [r.get("cloned", False) for r in results(sys.argv[1] + "/" + name)]
    assert sum(cloned) == wanted and len(cloned) == max(wanted, 1), (name, cloned)
PY

# The clock is set in whole seconds, down, and read before the host's is read again.
check_python "live: the clock is the host's" "$scratch" <<'PY'
from values import *
for name in ("live1", "live2", "live3"):
    before, after = host(sys.argv[1] + "/" + name)
    seen = values(results(sys.argv[1] + "/" + name)[0])["realtime"]
    assert before - 2 <= seen <= after + 2, (name, before, seen, after)
PY

check_python "exact: the clock began with 2026 when the machine did" "$scratch" <<'PY'
from values import *
for name in ("exact", "cold"):
    for result in results(sys.argv[1] + "/" + name):
        v = values(result)
        began = v["realtime"] - v["uptime"]
        assert abs(began - 1767225600) < 5, (name, v)
PY

check_python "exact: random numbers are the seed's" "$scratch" <<'PY'
from values import *
seen = {}
for result in results(sys.argv[1] + "/exact"):
    seen.setdefault(result["seed"], []).append(values(result)["random"])
assert len(seen) == 2 and all(len(v) == 2 for v in seen.values()), seen
assert all(v[0] == v[1] for v in seen.values()), seen
assert seen["1"][0] != seen["2"][0], seen
PY

finish
