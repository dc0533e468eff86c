#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Figures of this build on this machine.

usage: tools/bench.py [-n RUNS] [-b BUILD] [-o FILE] [NAME...]

Prints a table with median, least, most and number of runs, and writes FILE (BUILD/bench.json): an
array of {"name", "value" (the median), "unit"}.  NAME selects groups: cold, clone, exact, seed,
capture, ctprof, check (an hour or more).  Guests run in the mode a user gets: exact where KVM boots none.

cold_hello_ms_Ncpu    from the start of QEMU to the arrival of the agent's first record
cold_verdict_ms_Ncpu  from the start of the test program to its exit, for an empty test
clone_record_ms_Ncpu  the same for a clone of a template, 384 MiB
cold_over_clone       one over the other, 2 CPUs, one right after the other
warm_verdict_ms       from the start of `ktstr run` to its exit, empty test, template there
clone_memory_mib      anonymous memory and page tables of the clone's QEMU, at most
empty_tests_per_hour  60 repetitions of an empty test, default -j
exact_identical_of_100  equal hashes of a 4-CPU test with contention under a sched_ext scheduler:
                      clones of two templates and cold boots, half beside 8 busy loops
exact_distinct_of_50  distinct hashes of that test over 50 seeds
exact_virtual_per_wall_spin, _sleep  guest time per second of the host, 4 workers on 4 CPUs
seed_suite_s          the same for build/tests/vm/ctprof_jemalloc, all its tests in sequence
ctprof_procfs_us_per_thread_N  capture of a process with N idle threads, per thread
ctprof_bpf_us_per_thread_N  capture by the bpf collector of a machine with N more threads, all
                      fields but smaps and jemalloc
ctprof_procfs_over_bpf  the procfs collector with one reader, same fields, over the bpf collector
                      without helpers, time per thread, 5000 threads, one right after the other
ctprof_procfs_us_per_thread_5000, _1job  the procfs collector, as many readers as it takes, or one
ctprof_ps_over_procfs, ctprof_pidstat_over_procfs  `ps -eLo` and `pidstat -t` with the columns they
                      share with a record, over a program that captures once, from start to exit
ctprof_jemalloc_us_per_thread  what jemalloc's counters add, 1000 threads of 10 processes, no stop
ctprof_peak_bytes_per_thread  peak memory of a capture that is saved with 20000 threads more, over
                      that without, per thread
ctprof_capture_file_ms_5000  `ktstr ctprof capture -o FILE`, from start to exit
ctprof_compare_ms_20000  `ktstr ctprof compare` of two snapshots of 20000 threads
ctprof_victim_C_p999_us, _max_us  wake-up latency of a real-time thread with jemalloc in it
                      (cyclictest) beside captures without a pause; C: none, bpf, procfs, or
                      ptrace (procfs with jemalloc counters)
check_default_s       `ktstr check -- ktstr-sched`, as a user runs it first; once
mutants_caught, mutants_total, mutant_median_s  `ktstr selftest --mutants`: bugs put in on purpose,
                      how many were caught by the check that should, and how soon
clean_runs, clean_fails, clean_undecided  at least 1000 runs of the whole catalogue without any, of
                      the kernel's own scheduler and of ktstr-sched; fails are false alarms

What cannot be measured is left out and named, and the exit status is 1.  The machine's load counts
into every figure; it is printed too.
"""

import argparse
import json
import os
import statistics
import sys

import bench_check
import bench_clone
import bench_ctprof
from bench_run import Failed, end_on_signals, results, run

CPUS = (1, 2, 4, 8)
THREADS = (100, 2000)
GROUPS = ["cold", "clone", "exact", "seed", "capture", "ctprof", "check"]
CAPTURES = 3  # per run asked for: they are short, so a single interruption weighs much


class Figures:
    def __init__(self):
        self.values = {}
        self.units = {}
        self.failures = []

    def add(self, name, value, unit):
        self.values.setdefault(name, []).append(value)
        self.units[name] = unit

    def attempt(self, what, measure, *args):
        try:
            measure(*args)
        except (Failed, ValueError, KeyError) as e:
            message = f"{what}: {e}"
            if message not in self.failures:
                self.failures.append(message)

    def table(self):
        rows = [("name", "median", "min", "max", "n", "unit")]
        for name, seen in self.values.items():
            numbers = (statistics.median(seen), min(seen), max(seen))
            rows.append((name, *(f"{v:.2f}" for v in numbers), str(len(seen)), self.units[name]))
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        for row in rows:
            cells = [row[0].ljust(widths[0])]
            cells += [row[i].rjust(widths[i]) for i in range(1, 5)]
            print("  ".join(cells + [row[5]]))

    def write(self, path):
        out = [{"name": name, "value": round(statistics.median(seen), 3),
                "unit": self.units[name]} for name, seen in self.values.items()]
        temporary = path + ".new"
        with open(temporary, "w", encoding="utf-8") as f:
            json.dump(out, f, indent=1)
            f.write("\n")
        os.replace(temporary, path)


def measure_cold(figures, build, cpus, count):
    stdout, took = run([f"{build}/tests/vm/empty", "--json", "--topology", f"1n1l{cpus}c1t",
                        "--no-template", "-t", "empty_body_passes"])
    found = results(stdout)
    if len(found) != 1 or found[0]["verdict"] != "PASS":
        raise Failed("no result")
    if count:
        figures.add(f"cold_hello_ms_{cpus}cpu", found[0]["hello_ns"] / 1e6, "ms")
        figures.add(f"cold_verdict_ms_{cpus}cpu", took * 1e3, "ms")


def measure_seed(figures, build):
    stdout, took = run([f"{build}/tests/vm/ctprof_jemalloc", "--json"])
    verdicts = [r["verdict"] for r in results(stdout)]
    if not verdicts or set(verdicts) != {"PASS"}:
        raise Failed(f"verdicts {verdicts}")
    figures.add("seed_suite_s", took, "s")


def measure_clones(figures, build, runs):
    for cpus in (2, 8):
        figures.attempt(f"template, {cpus} CPUs", bench_clone.measure_clone, figures, build, cpus,
                        False)
    for _ in range(runs):
        for cpus in (2, 8):
            figures.attempt(f"clone, {cpus} CPUs", bench_clone.measure_clone, figures, build, cpus,
                            True)
        figures.attempt("cold over clone", bench_clone.measure_ratio, figures, build)
        figures.attempt("clone's memory", bench_clone.measure_memory, figures, build)
        figures.attempt("rate", bench_clone.measure_rate, figures, build)


def measure_exact(figures, build, runs):
    figures.attempt("identical", bench_clone.measure_identical, figures, build)
    figures.attempt("distinct", bench_clone.measure_distinct, figures, build)
    for _ in range(runs):
        for test, word in (("spin_4", "spin"), ("hour_of_sleep", "sleep")):
            figures.attempt(word, bench_clone.measure_speed, figures, build, test,
                            f"exact_virtual_per_wall_{word}")


def measure(figures, options):
    wanted = options.names or GROUPS
    build = options.build
    if "cold" in wanted:
        # The first boot fills the page cache and learns which accelerator works.
        figures.attempt("warm-up", measure_cold, figures, build, 1, False)
        # Round by round, so that a busy minute spreads over all sizes.
        for _ in range(options.runs):
            for cpus in CPUS:
                figures.attempt(f"{cpus} CPUs", measure_cold, figures, build, cpus, True)
    if "clone" in wanted:
        measure_clones(figures, build, options.runs)
    if "exact" in wanted:
        measure_exact(figures, build, options.runs)
    if "seed" in wanted:
        for _ in range(options.runs):
            figures.attempt("seed suite", measure_seed, figures, build)
    if "capture" in wanted:
        for threads in THREADS:
            figures.attempt(f"capture of {threads} threads", bench_ctprof.measure_process,
                            figures, build, threads, CAPTURES * options.runs)
    if "ctprof" in wanted:
        bench_ctprof.measure(figures, build, options.runs)
    if "check" in wanted:
        bench_check.measure(figures, build)


def main():
    parser = argparse.ArgumentParser(description="Figures of this build on this machine.")
    parser.add_argument("-n", dest="runs", type=int, default=5, metavar="RUNS")
    parser.add_argument("-b", dest="build", default="build", metavar="BUILD")
    parser.add_argument("-o", dest="file", metavar="FILE")
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    unknown = set(options.names) - set(GROUPS)
    if options.runs < 1 or unknown:
        parser.error("RUNS is 1 or more; names are " + ", ".join(GROUPS))
    end_on_signals()
    figures = Figures()
    before = os.getloadavg()[0]
    measure(figures, options)
    print(f"load before {before:.1f}, after {os.getloadavg()[0]:.1f}; {os.cpu_count()} CPUs")
    if figures.values:
        figures.table()
    try:
        figures.write(options.file or f"{options.build}/bench.json")
    except OSError as e:
        figures.failures.append(f"nothing is saved: {e}")
    for failure in figures.failures:
        print(f"bench: not measured: {failure}", file=sys.stderr)
    return 1 if figures.failures else 0


if __name__ == "__main__":
    sys.exit(main())
