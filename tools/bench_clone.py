# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Figures of clones, exact mode and many tests at once; tools/bench.py says what each is."""

import collections
import contextlib
import os
import subprocess
import tempfile

from bench_run import Failed, results, run, started

MEMORY = "384M"
BURST = 60        # empty tests for the hourly rate
BUSY_LOOPS = 8
IDENTICAL = 100   # runs of the mix
COLD_PART = 20    # of them boot; the rest are clones, half of each of two templates
SEEDS = 50
MIB = 1 << 20


def shape(cpus):
    return f"1n1l{cpus}c1t"


def only(stdout):
    found = results(stdout)
    if len(found) != 1 or found[0]["verdict"] != "PASS":
        raise Failed(f"verdicts {[r['verdict'] for r in found]}")
    return found[0]


def empty(build, cpus, *options):
    """The result of one empty test, and seconds from start to exit."""
    stdout, took = run([f"{build}/ktstr", "run", f"{build}/tests/vm/empty", "--json", "--topology",
                        shape(cpus), "--memory", MEMORY, "-t", "empty_body_passes", *options])
    return only(stdout), took


def measure_clone(figures, build, cpus, count):
    result, took = empty(build, cpus)
    if not count:
        return
    if not result.get("cloned"):
        raise Failed("it was booted, not cloned")
    figures.add(f"clone_record_ms_{cpus}cpu", result["hello_ns"] / 1e6, "ms")
    if cpus == 2:
        figures.add("warm_verdict_ms", took * 1e3, "ms")


def measure_ratio(figures, build):
    """Cold boot against clone, one right after the other."""
    clone, _ = empty(build, 2)
    cold, _ = empty(build, 2, "--no-template")
    if not clone.get("cloned") or cold.get("cloned"):
        raise Failed("clone and cold boot are not what they should be")
    figures.add("cold_over_clone", cold["hello_ns"] / clone["hello_ns"], "")


def children(pid):
    found = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as f:
                found += [int(p) for p in f.read().split()]
    except OSError:
        pass
    return found


def descendants(pid):
    found = children(pid)
    for child in list(found):
        found += descendants(child)
    return found


def own_bytes(pid):
    """Anonymous memory and page tables: what its end would give back."""
    total = 0
    with contextlib.suppress(OSError):
        with open(f"/proc/{pid}/comm", encoding="ascii") as f:
            if not f.read().startswith("qemu"):
                return 0
        for name, key in (("smaps_rollup", "Anonymous:"), ("status", "VmPTE:")):
            with open(f"/proc/{pid}/{name}", encoding="ascii") as f:
                for line in f:
                    if line.startswith(key):
                        total += int(line.split()[1]) << 10
    return total


def measure_memory(figures, build):
    argv = [f"{build}/ktstr", "run", f"{build}/tests/vm/empty", "--json", "--topology", shape(2),
            "--memory", MEMORY, "-t", "empty_body_passes"]
    with started(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        most = 0
        while process.poll() is None:
            most = max([most] + [own_bytes(p) for p in descendants(process.pid)])
        result = only(process.stdout.read())
    if not most or not result.get("cloned"):
        raise Failed("no clone was seen")
    figures.add("clone_memory_mib", most / MIB, "MiB")


def measure_rate(figures, build):
    stdout, took = run([f"{build}/tests/vm/empty", "--json", "-t", "empty_body_passes", "--repeat",
                        str(BURST)])
    passed = [r for r in results(stdout) if r["verdict"] == "PASS"]
    if len(passed) != BURST:
        raise Failed(f"{len(passed)} of {BURST} passed")
    figures.add("empty_tests_per_hour", BURST * 3600 / took, "")


@contextlib.contextmanager
def busy_host():
    with contextlib.ExitStack() as loops:
        for _ in range(BUSY_LOOPS):
            loops.enter_context(started(["sh", "-c", "while :; do :; done"]))
        yield


@contextlib.contextmanager
def caches(nr):
    """Cache folders with the kernels of the usual one and nothing else."""
    usual = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"),
                         "ktstr")
    with contextlib.ExitStack() as stack:
        made = []
        for _ in range(nr):
            place = stack.enter_context(tempfile.TemporaryDirectory(prefix="ktstr-bench-"))
            os.mkdir(f"{place}/ktstr")
            os.symlink(f"{usual}/kernels", f"{place}/ktstr/kernels")
            made.append(place)
        yield made


def mix(build, cache, count, *options):
    """Hashes of the mix with a scheduler under it, in @count runs."""
    environment = dict(os.environ)
    if cache:
        environment["XDG_CACHE_HOME"] = cache
    stdout, _ = run([f"{build}/tests/vm/exact_mix", "--json", "--mode", "exact", "-j", "2", "-t",
                     "mix_with_scheduler", *options], env=environment)
    hashes = [r.get("events_sha256") for r in results(stdout) if r["verdict"] == "PASS"]
    if len(hashes) != count or None in hashes:
        raise Failed(f"{len(hashes)} of {count} runs of the mix passed and have a hash")
    return hashes


def measure_identical(figures, build):
    clones = (IDENTICAL - COLD_PART) // 4
    hashes = []
    with caches(2) as places:
        for load in (contextlib.nullcontext, busy_host):
            with load():
                for cache in places:
                    hashes += mix(build, cache, clones, "--repeat", str(clones))
                hashes += mix(build, None, COLD_PART // 2, "--repeat", str(COLD_PART // 2),
                              "--no-template")
    figures.add(f"exact_identical_of_{IDENTICAL}",
                collections.Counter(hashes).most_common(1)[0][1], "")


def measure_distinct(figures, build):
    figures.add(f"exact_distinct_of_{SEEDS}",
                len(set(mix(build, None, SEEDS, "--seeds", str(SEEDS)))), "")


def measure_speed(figures, build, test, name):
    """Guest time per second of the host, of the body alone."""
    stdout, _ = run([f"{build}/tests/vm/sleeper", "--json", "--mode", "exact", "-t", test])
    result = only(stdout)
    figures.add(name, result["virtual_ns"] / result["body_ns"], "")
