#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Figures of this build on this machine.

usage: tools/bench.py [-n RUNS] [-b BUILD] [-o FILE] [NAME...]

Prints a table with median, least, most and number of runs, and writes FILE (BUILD/bench.json): an
array of {"name", "value" (the median), "unit"}.  NAME selects groups: cold, seed, capture.

cold_hello_ms_Ncpu    from the start of QEMU to the arrival of the agent's first record
cold_verdict_ms_Ncpu  from the start of the test program to its exit, for an empty test
seed_suite_s          the same for build/tests/vm/ctprof_jemalloc, all its tests in sequence
ctprof_procfs_us_per_thread_N  capture of a process with N idle threads, per thread

What cannot be measured is left out and named, and the exit status is 1.  The machine's load counts
into every figure; it is printed too.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

CPUS = (1, 2, 4, 8)
THREADS = (100, 2000)
CAPTURES = 3  # per run asked for: they are short, so a single interruption weighs much
TIMEOUT_S = 600


class Failed(Exception):
    pass


def run(argv):
    """Standard output, and seconds from start to exit."""
    t0 = time.monotonic()
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=TIMEOUT_S)
    except FileNotFoundError as e:
        raise Failed(f"{argv[0]} is not built") from e
    except subprocess.TimeoutExpired as e:
        raise Failed(f"{' '.join(argv)}: no end within {TIMEOUT_S} s") from e
    took = time.monotonic() - t0
    if done.returncode != 0:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise Failed(f"{' '.join(argv)}: exit status {done.returncode}: " +
                     (lines[-1] if lines else "no message"))
    return done.stdout, took


def results(stdout):
    """The result objects of a test program's --json output."""
    found = []
    for line in stdout.splitlines():
        if line.startswith("{"):
            record = json.loads(line)
            if record.get("type") == "result":
                found.append(record)
    return found


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
                        "-t", "empty_body_passes"])
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


def measure_capture(figures, build, threads, runs):
    # The first capture finds caches cold that later ones in a test's life do not.
    stdout, _ = run([f"{build}/tools/bench_capture", str(threads), str(runs + 1)])
    for line in stdout.splitlines()[1:]:
        seen, took_ns = line.split()
        figures.add(f"ctprof_procfs_us_per_thread_{threads}", int(took_ns) / 1e3 / int(seen), "us")


def measure(figures, options):
    wanted = options.names or ["cold", "seed", "capture"]
    build = options.build
    if "cold" in wanted:
        # The first boot fills the page cache and learns which accelerator works.
        figures.attempt("warm-up", measure_cold, figures, build, 1, False)
        # Round by round, so that a busy minute spreads over all sizes.
        for _ in range(options.runs):
            for cpus in CPUS:
                figures.attempt(f"{cpus} CPUs", measure_cold, figures, build, cpus, True)
    if "seed" in wanted:
        for _ in range(options.runs):
            figures.attempt("seed suite", measure_seed, figures, build)
    if "capture" in wanted:
        for threads in THREADS:
            figures.attempt(f"capture of {threads} threads", measure_capture, figures, build,
                            threads, CAPTURES * options.runs)


def main():
    parser = argparse.ArgumentParser(description="Figures of this build on this machine.")
    parser.add_argument("-n", dest="runs", type=int, default=5, metavar="RUNS")
    parser.add_argument("-b", dest="build", default="build", metavar="BUILD")
    parser.add_argument("-o", dest="file", metavar="FILE")
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    unknown = set(options.names) - {"cold", "seed", "capture"}
    if options.runs < 1 or unknown:
        parser.error("RUNS is 1 or more; names are cold, seed, capture")
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
