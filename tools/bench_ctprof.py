# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Figures of ctprof captures; tools/bench.py says what each is.

Populations are processes of idle threads (tools/ctprof_population.c).  Where not one process but
all of the machine is captured, its other threads count as well.  Sizes beyond kernel.pid_max need root: it is raised
for the time of the measurement and set back.
"""

import contextlib
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time

from bench_run import Failed, run, started

PER_PROCESS = 100
SIZES = (1000, 5000, 10000, 20000, 50000)
SPARE_PIDS = 4000
PID_MAX = "/proc/sys/kernel/pid_max"
LEAN = ",no-jemalloc,no-smaps"  # what both collectors and other tools can give

# What ps and pidstat know of what a record holds.
PS = ["ps", "-eLo", "pid,tid,comm,cgroup,stat,cls,ni,pri,rtprio,psr,nlwp,min_flt,maj_flt,utime,"
      "time,start_time,rchars,wchars,rops,wops,rbytes,wbytes,wcbytes"]
PIDSTAT = ["pidstat", "-t", "-u", "-d", "-w", "-R", "-p", "ALL"]

MANY = 5  # captures per run asked for: they are short, so a single interruption weighs much

VICTIM_LOOPS = 3000  # of 1 ms
VICTIM_HISTOGRAM_US = 20000


def pid_max():
    with open(PID_MAX, encoding="ascii") as f:
        return int(f.read())


def set_pid_max(value):
    try:
        with open(PID_MAX, "w", encoding="ascii") as f:
            f.write(f"{value}\n")
    except OSError as e:
        raise Failed(f"more threads than kernel.pid_max allows: {e}") from e


@contextlib.contextmanager
def room_for(threads):
    """Enough process numbers."""
    before = pid_max()
    wanted = threads + SPARE_PIDS
    if wanted > before:
        set_pid_max(wanted)
    try:
        yield
    finally:
        if wanted > before:
            set_pid_max(before)


@contextlib.contextmanager
def population(build, threads, processes=None, jemalloc=False):
    """That many threads, as long as the block lasts; gives the number of the first process."""
    processes = processes or max(1, threads // PER_PROCESS)
    name = "ctprof_population_jemalloc" if jemalloc else "ctprof_population"
    argv = [f"{build}/tools/{name}", str(processes), str(threads // processes)]
    with room_for(threads), subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                             start_new_session=True) as holder:
        try:
            said = holder.stdout.readline().split()
            if said[:1] != [b"ready"]:
                raise Failed(f"no population of {threads} threads")
            yield int(said[1])
        finally:
            holder.stdin.close()
            holder.wait()


def captures(build, runs, *kinds):
    """Per run a list of (threads, seconds), one per kind.  The first run warms caches up."""
    stdout, _ = run([f"{build}/tools/bench_ctprof", str(runs + 1), *kinds])
    found = []
    for line in stdout.splitlines()[1:-1]:
        numbers = [int(word) for word in line.split()]
        found.append([(n, ns / 1e9) for n, ns in zip(numbers[::2], numbers[1::2])])
    if len(found) != runs:
        raise Failed("bench_ctprof: lines are missing")
    return found


def measure_process(figures, build, threads, runs):
    with population(build, threads, 1) as pid:
        for [(seen, took)] in captures(build, runs, f"auto,pid={pid}"):
            if seen != threads:
                raise Failed(f"{seen} threads captured, {threads} are there")
            figures.add(f"ctprof_procfs_us_per_thread_{threads}", took * 1e6 / seen, "us")


def timed(argv):
    _, took = run(argv)
    return took


def measure_bpf(figures, build, threads, runs):
    with population(build, threads):
        for (seen, took), in captures(build, MANY * runs, "bpf" + LEAN):
            figures.add(f"ctprof_bpf_us_per_thread_{threads}", took * 1e6 / seen, "us")


def measure_over_bpf(figures, build, runs):
    """One thread against one thread: what reading costs, not how many CPUs were idle."""
    with population(build, 5000):
        for procfs, bpf in captures(build, runs, "procfs,jobs=1" + LEAN,
                                    "bpf,jobs=1" + LEAN):
            ratio = (procfs[1] / procfs[0]) / (bpf[1] / bpf[0])
            figures.add("ctprof_procfs_over_bpf", ratio, "")


def measure_tool(figures, build, name, argv, runs):
    """Whole programs against each other, from start to exit, in turn."""
    if not shutil.which(argv[0]):
        raise Failed(f"{argv[0]} is not installed; see tools/setup.sh --with bench")
    ours = [f"{build}/tools/bench_ctprof", "1", "procfs" + LEAN]
    with population(build, 5000):
        timed(ours)
        timed(argv)
        for _ in range(runs):
            figures.add(f"ctprof_{name}_over_procfs", timed(argv) / timed(ours), "")


def measure_procfs(figures, build, runs):
    with population(build, 5000):
        for alone, crew in captures(build, runs, "procfs,jobs=1" + LEAN, "procfs" + LEAN):
            figures.add("ctprof_procfs_us_per_thread_5000_1job", alone[1] * 1e6 / alone[0], "us")
            figures.add("ctprof_procfs_us_per_thread_5000", crew[1] * 1e6 / crew[0], "us")


def measure_jemalloc(figures, build, runs):
    only = ",no-smaps,comm=ctprof-pop*"
    with population(build, 1000, 10, jemalloc=True):
        for without, with_it in captures(build, MANY * runs, "bpf,no-jemalloc" + only,
                                          "bpf" + only):
            figures.add("ctprof_jemalloc_us_per_thread",
                        (with_it[1] - without[1]) * 1e6 / with_it[0], "us")


def peak_bytes(build, folder):
    """The most memory of one capture that is saved, all of its parts switched on."""
    stdout, _ = run([f"{build}/tools/bench_ctprof", "1", f"auto,write={folder}/s.ctprof.zst"])
    word, count = stdout.splitlines()[-1].split()
    if word != "peak":
        raise Failed("no peak")
    return int(count)


def measure_peak(figures, build, runs):
    """How much more memory a capture takes for each thread more."""
    threads = 20000
    with tempfile.TemporaryDirectory(prefix="ktstr-bench-") as folder:
        few = statistics.median(peak_bytes(build, folder) for _ in range(runs))
        with population(build, threads):
            for _ in range(runs):
                figures.add("ctprof_peak_bytes_per_thread",
                            (peak_bytes(build, folder) - few) / threads, "bytes")


def measure_file(figures, build, runs):
    with tempfile.TemporaryDirectory(prefix="ktstr-bench-") as folder, population(build, 5000):
        argv = [f"{build}/ktstr", "ctprof", "capture", "-o", f"{folder}/s.ctprof.zst"]
        timed(argv)
        for _ in range(runs):
            figures.add("ctprof_capture_file_ms_5000", timed(argv) * 1e3, "ms")


def percentile(histogram, share):
    total = sum(histogram.values())
    seen = 0
    for us in sorted(histogram):
        seen += histogram[us]
        if seen >= total * share:
            return us
    return VICTIM_HISTOGRAM_US


def victim_latencies(env):
    """Wake-up latencies of a real-time thread: 99.9th percentile and longest, microseconds."""
    with tempfile.TemporaryDirectory(prefix="ktstr-bench-") as folder:
        path = f"{folder}/cyclictest.json"
        run(["cyclictest", "-q", "-m", "-p", "80", "-i", "1000", "-l", str(VICTIM_LOOPS),
             "-h", str(VICTIM_HISTOGRAM_US), f"--json={path}"], env=env)
        with open(path, encoding="utf-8") as f:
            thread = json.load(f)["thread"]["0"]
    histogram = {int(us): count for us, count in thread["histogram"].items()}
    return percentile(histogram, 0.999), thread["max"]


@contextlib.contextmanager
def repeated_captures(build, kind):
    if not kind:
        yield
        return
    argv = [f"{build}/tools/bench_ctprof", "1000000", kind]
    with started(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        if not process.stdout.readline():
            raise Failed(f"no capture by {kind}")
        # The pipe must not fill up; nobody reads what it says.
        with subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL) as drain:
            try:
                yield
            finally:
                process.terminate()
                drain.wait()


def measure_victim(figures, build, runs):
    """cyclictest beside captures that follow one another without a pause."""
    if not shutil.which("cyclictest"):
        raise Failed("cyclictest is not installed; see tools/setup.sh --with bench")
    # With jemalloc in it the victim is one of those whose threads are stopped by ptrace.
    env = dict(os.environ, LD_PRELOAD="libjemalloc.so.2")
    kinds = (("none", None), ("bpf", "bpf" + LEAN), ("procfs", "procfs" + LEAN),
             ("ptrace", "procfs,no-smaps"))
    with population(build, 1000):
        for _ in range(runs):
            for name, kind in kinds:
                with repeated_captures(build, kind):
                    often, longest = victim_latencies(env)
                figures.add(f"ctprof_victim_{name}_p999_us", often, "us")
                figures.add(f"ctprof_victim_{name}_max_us", longest, "us")


def measure_compare(figures, build, runs):
    """Two snapshots of the same 20,000 threads, compared by process."""
    with tempfile.TemporaryDirectory(prefix="ktstr-bench-") as folder:
        files = [f"{folder}/{name}.ctprof.zst" for name in "ab"]
        with population(build, 20000):
            for path in files:
                timed([f"{build}/ktstr", "ctprof", "capture", "-o", path])
                time.sleep(0.1)
        argv = [f"{build}/ktstr", "ctprof", "compare", *files]
        timed(argv)
        for _ in range(runs):
            figures.add("ctprof_compare_ms_20000", timed(argv) * 1e3, "ms")


def measure(figures, build, runs):
    runs = max(5, runs)
    for threads in SIZES:
        figures.attempt(f"bpf, {threads} threads", measure_bpf, figures, build, threads, runs)
    figures.attempt("procfs over bpf", measure_over_bpf, figures, build, runs)
    figures.attempt("procfs", measure_procfs, figures, build, runs)
    for name, argv in (("ps", PS), ("pidstat", PIDSTAT)):
        figures.attempt(name, measure_tool, figures, build, name, argv, runs)
    figures.attempt("jemalloc", measure_jemalloc, figures, build, runs)
    figures.attempt("peak memory", measure_peak, figures, build, runs)
    figures.attempt("capture to a file", measure_file, figures, build, runs)
    figures.attempt("compare", measure_compare, figures, build, runs)
    figures.attempt("victim", measure_victim, figures, build, runs)
