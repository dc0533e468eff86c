# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""What every figure needs: a program run to its end, and the results it printed."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

TIMEOUT_S = 1800
TIDY_S = 30  # to end after SIGTERM


class Failed(Exception):
    pass


def end_on_signals():
    """Signals that end a program unwind it, so that what it started ends as well."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda number, _: sys.exit(128 + number))


@contextlib.contextmanager
def started(argv, **options):
    """A process in a group of its own, which is ended with all of the group if it still runs."""
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, text=True, start_new_session=True,
                          **options) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(TIDY_S)
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)


def run(argv, env=None):
    """Standard output, and seconds from start to exit."""
    t0 = time.monotonic()
    try:
        with started(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env) as process:
            stdout, stderr = process.communicate(timeout=TIMEOUT_S)
    except FileNotFoundError as e:
        raise Failed(f"{argv[0]} is not built") from e
    except subprocess.TimeoutExpired as e:
        raise Failed(f"{' '.join(argv)}: no end within {TIMEOUT_S} s") from e
    took = time.monotonic() - t0
    if process.returncode != 0:
        lines = (stderr.strip() or stdout.strip()).splitlines()
        raise Failed(f"{' '.join(argv)}: exit status {process.returncode}: " +
                     (lines[-1] if lines else "no message"))
    return stdout, took


def results(stdout):
    """The result objects of a test program's --json output."""
    found = []
    for line in stdout.splitlines():
        if line.startswith("{"):
            record = json.loads(line)
            if record.get("type") == "result":
                found.append(record)
    return found
