# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""What every figure needs: a program run to its end, and the results it printed."""

import json
import subprocess
import time

TIMEOUT_S = 1800


class Failed(Exception):
    pass


def run(argv, env=None):
    """Standard output, and seconds from start to exit."""
    t0 = time.monotonic()
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=TIMEOUT_S, env=env)
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
