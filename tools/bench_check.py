# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Figures of `ktstr check` and of the bugs it is shown on purpose."""

import collections
import json
import os
import statistics
import subprocess
import tempfile
import time

from bench_run import TIMEOUT_S, Failed

SCHEDULER = "ktstr-sched"
CLEAN_RUNS = 1000
# Passed, failed, some undecided: all are results.
RESULTS = (0, 1, 5)


def lines_of(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f if line.startswith("{")]


def run_json(argv):
    """Objects that a command wrote to its --json FILE, and how long it took."""
    with tempfile.TemporaryDirectory(prefix="ktstr-bench-") as folder:
        path = os.path.join(folder, "out.jsonl")
        t0 = time.monotonic()
        try:
            done = subprocess.run(argv[:2] + [f"--json={path}", f"--run-dir={folder}/run"]
                                  + argv[2:] if argv[1] == "check"
                                  else argv[:2] + [f"--json={path}"] + argv[2:],
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=2 * TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired as e:
            raise Failed(f"{' '.join(argv)}: no end") from e
        took = time.monotonic() - t0
        if done.returncode not in RESULTS:
            raise Failed(f"{' '.join(argv)}: exit status {done.returncode}: {done.stderr[-400:]}")
        return lines_of(path), took


def scheduler_of(build):
    return os.path.join(build, "payloads", SCHEDULER)


def measure_default(figures, build):
    """The check a user runs first, of a scheduler."""
    found, took = run_json([f"{build}/ktstr", "check", "--", scheduler_of(build)])
    if not found:
        raise Failed("no result")
    figures.add("check_default_s", took, "s")


def measure_clean(figures, build):
    """No bug was put in: whatever fails is a false alarm."""
    seeds = 1
    counts = collections.Counter()
    odd = []
    while sum(counts.values()) < CLEAN_RUNS:
        for tail in ([], ["--", scheduler_of(build)]):
            found, _ = run_json([f"{build}/ktstr", "check", "--all", f"--seed={seeds}"] + tail)
            results = [r for r in found if r.get("verdict") in
                       ("PASS", "FAIL", "UNDECIDED", "ERROR")]
            if not results:
                raise Failed("no result")
            counts.update(r["verdict"] for r in results)
            odd += [r for r in results if r["verdict"] != "PASS"]
        seeds += 1
    for r in odd:
        print(f"{r['verdict']} {r['id']} seed {r.get('seed')}: "
              f"{(r.get('reasons') or '').splitlines()[0]}")
    figures.add("clean_runs", sum(counts.values()), "")
    figures.add("clean_fails", counts["FAIL"] + counts["ERROR"], "")
    figures.add("clean_undecided", counts["UNDECIDED"], "")


def measure_mutants(figures, build):
    found, _ = run_json([f"{build}/ktstr", "selftest", "--mutants",
                         f"--scheduler={scheduler_of(build)}"])
    mutants = [m for m in found if m.get("type") == "mutant"]
    if not mutants:
        raise Failed("no mutant was run")
    for m in mutants:
        if m["fate"] != "caught":
            print(f"{m['fate']}: {m['fault']}: {m['sentence']}")
    caught = [m for m in mutants if m["fate"] == "caught"]
    figures.add("mutants_total", len(mutants), "")
    figures.add("mutants_caught", len(caught), "")
    if caught:
        figures.add("mutant_median_s", statistics.median(m["took_ms"] for m in caught) / 1e3, "s")


def measure(figures, build):
    figures.attempt("default check", measure_default, figures, build)
    figures.attempt("mutants", measure_mutants, figures, build)
    figures.attempt("clean runs", measure_clean, figures, build)
