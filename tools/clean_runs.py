#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Judge schedulers that have no bug put in, and write what was said of them.

usage: tools/clean_runs.py [--build DIR] [--jobs N] [--runs N] [--out FILE]

Eight topologies, exact mode.  EEVDF runs the whole catalogue, ktstr-sched a third of it with a seed of
forty for each run; then both go on with other seeds, until there are so many runs (1000) or more in all.
Results lie in DIR/clean; those that are there are not made again.  FILE (docs/clean-runs.md) gets the table and whatever did not pass, with its reason.

Exit status: 0 nothing failed, 1 something did, 2 usage, 70 a check could not be made.
"""

import argparse
import collections
import json
import os
import subprocess
import sys

TOPOLOGIES = ("duo", "tiny-1llc", "tiny-2llc", "tiny-smt", "tiny-numa2", "odd-3llc", "smt-2llc", "numa2")
SCHEDULERS = {"EEVDF": [], "ktstr-sched": ["--", "ktstr-sched"]}
SEEDS = 40
# Attaching a scheduler takes longer than most scenarios.
SHARES = {"EEVDF": SEEDS, "ktstr-sched": 3 * SEEDS}
JUDGED = ("PASS", "FAIL", "UNDECIDED", "ERROR")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--out", default="docs/clean-runs.md")
    return parser.parse_args()


def command(scheduler, share, more=()):
    topologies = [word for t in TOPOLOGIES for word in ("--topologies", t)]
    if scheduler == "EEVDF" and share == 1:
        which = ["--seed", "1"]
    else:
        which = ["--seeds", f"1..{SEEDS}", "--partition", f"hash:{share}/{SHARES[scheduler]}"]
    return (["ktstr", "check", "--mode", "exact", "--all", *topologies, *which, *more]
            + SCHEDULERS[scheduler])


def results_of(args, scheduler, share):
    path = os.path.join(args.build, "clean", f"{scheduler}.{share}.jsonl")
    if not os.path.exists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        argv = command(scheduler, share, ["--json", path + ".new", "-j", str(args.jobs)])
        argv[0] = os.path.join(args.build, "ktstr")
        code = subprocess.run(argv, stdin=subprocess.DEVNULL, check=False).returncode
        if code not in (0, 1, 5):
            sys.exit(70)
        os.rename(path + ".new", path)
    with open(path, encoding="utf-8") as f:
        return [r for r in map(json.loads, f) if r.get("type") == "result"]


def collect(args):
    found = {scheduler: [] for scheduler in SCHEDULERS}
    share = 0
    while sum(r["verdict"] in JUDGED for some in found.values() for r in some) < args.runs:
        share += 1
        if share > SEEDS:
            break
        for scheduler, results in found.items():
            results += results_of(args, scheduler, share)
    return found, share


def table_of(found):
    lines = ["| scheduler | topology | runs | seeds | passed | failed | undecided | broken | skipped |",
             "|---|---|---|---|---|---|---|---|---|"]
    for scheduler, results in found.items():
        for preset in (*TOPOLOGIES, None):
            some = [r for r in results if preset in (None, r["preset"])]
            count = collections.Counter(r["verdict"] for r in some)
            seeds = len({r["seed"] for r in some if r["verdict"] in JUDGED})
            name = f"{preset} ({some[0]['topology']})" if preset and some else "all"
            cells = [scheduler, name, sum(count[v] for v in JUDGED), seeds, count["PASS"], count["FAIL"],
                     count["UNDECIDED"], count["ERROR"], count["SKIP"]]
            lines.append("| " + " | ".join(map(str, cells)) + " |")
    return lines


def reason_of(result):
    return (result.get("reasons") or result["end"]).splitlines()[0]


def others_of(found):
    lines = []
    for scheduler, results in found.items():
        for r in sorted(results, key=lambda r: r["id"]):
            if r["verdict"] in ("FAIL", "UNDECIDED", "ERROR"):
                lines.append(f"- {r['verdict']} {scheduler} {r['id']}: {reason_of(r)}")
        skips = collections.Counter(reason_of(r) for r in results if r["verdict"] == "SKIP")
        lines += [f"- {scheduler}, {n} skipped: {why}" for why, n in sorted(skips.items())]
    return lines or ["Nothing."]


def document(found, shares):
    first = next(r for results in found.values() for r in results if r.get("inputs"))
    judged = [r for results in found.values() for r in results if r["verdict"] in JUDGED]
    count = collections.Counter(r["verdict"] for r in judged)
    return "\n".join([
        "# Runs without a bug, and what was said of them", "",
        "Made by `tools/clean_runs.py`: nothing was put into these schedulers, so a FAIL is a false alarm.",
        f"Kernel {first['kernel']}, QEMU {first['inputs']['qemu']}, exact mode: the same commands give the",
        "same verdicts on any machine.", "",
        f"{len(judged)} runs: {count['PASS']} passed, {count['FAIL']} failed, {count['UNDECIDED']} undecided, "
        f"{count['ERROR']} broken.", "", *table_of(found), "",
        "## What did not pass", "", *others_of(found), "", "## Commands", "",
        *("    " + " ".join(command(s, share)) for share in range(1, shares + 1) for s in SCHEDULERS),
        ""])


def main():
    args = arguments()
    found, shares = collect(args)
    text = document(found, shares)
    with open(args.out, "w", encoding="utf-8") as f:
        f.write(text)
    failed = any(r["verdict"] in ("FAIL", "ERROR") for results in found.values() for r in results)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
