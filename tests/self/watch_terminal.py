# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""ktstr ctprof watch on a terminal.  usage: watch_terminal.py KTSTR PID TEST"""
import os
import re
import signal
import sys
import time
import unicodedata

from named_threads import NAMES
from screen import PATIENCE, Screen

ktstr, pid, test = sys.argv[1], int(sys.argv[2]), sys.argv[3]
HEAD = 4


def watch(*options, rows=24, columns=80, interval="150ms"):
    screen = Screen([ktstr, "ctprof", "watch", "-i", interval, *options], rows, columns)
    screen.wait(lambda s: s.line(0).startswith("ktstr watch") and "measuring" not in s.line(0) and
                s.line(s.rows - 1).startswith("q quit"), "the first interval")
    return screen


def next_frame(screen):
    before = screen.line(1)
    screen.wait(lambda s: s.line(1) != before, "another interval")


def leave(screen, wanted=0):
    status = screen.finish()
    if status != wanted:
        sys.exit(f"exit status {status}, not {wanted}")


def body(screen):
    return [screen.line(r).rstrip() for r in range(HEAD, screen.rows - 1)]


def first_column(screen):
    end = re.search(r"[<>]CPU%", screen.line(3)).end()
    return [float(line[:end].split()[-1]) for line in body(screen) if line]


def layout():
    screen = watch("-g", "process")
    heading = screen.line(3).split()
    if heading[:5] != ["PID", "THR", "+NEW-", ">CPU%", "WAIT%"] or heading[-1] != "NAME":
        sys.exit(f"heading {heading}")
    ends = [m.end() for m in re.finditer(r"\S+", screen.line(3))][:-1]
    for line in filter(None, body(screen)):
        if len(line) > 80:
            sys.exit(f"too wide: {line}")
        for end in ends[3:]:  # right-aligned: each column ends below its heading
            if line[end - 1] == " " or line[end:end + 1] != " ":
                sys.exit(f"column {end} is torn: {line!r}")
    screen.press("q")
    leave(screen)


def keys():
    screen = watch("--pid", str(pid))
    for key, word in (("t", "TID"), ("c", "CGROUP"), ("n", "NAME"), ("p", "PID")):
        screen.press(key)
        screen.wait(lambda s: word in s.line(3) and (key != "n" or "PID" not in s.line(3)), word)
    screen.press(">")
    screen.wait(lambda s: ">WAIT%" in s.line(3), "sorted by the next column")
    screen.press(b"\x1b[D")
    screen.wait(lambda s: ">CPU%" in s.line(3), "sorted by the first column")
    screen.press("t")
    screen.wait(lambda s: "spinner" in s.line(HEAD), "the spinner first")
    screen.press("r")
    screen.wait(lambda s: "<CPU%" in s.line(3), "the order turned")
    if first_column(screen) != sorted(first_column(screen)):
        sys.exit(f"not the smallest first: {first_column(screen)}")
    screen.press("r")
    screen.wait(lambda s: ">CPU%" in s.line(3) and "spinner" in s.line(HEAD), "the order turned back")
    if first_column(screen) != sorted(first_column(screen), reverse=True):
        sys.exit(f"not the largest first: {first_column(screen)}")
    screen.press("?")
    screen.wait_for("any key: back")
    screen.press("x")
    screen.wait_for("q quit")
    screen.press(b"\x1b[6~")
    screen.wait(lambda s: "spinner" not in s.line(HEAD), "the second page")
    screen.press(b"\x1b[H")
    screen.wait(lambda s: "spinner" in s.line(HEAD), "the first page")
    screen.press("/spin")
    screen.wait_for("filter: spin_")
    screen.press("\r")
    screen.wait_for(r"filter: spin +1 of \d+ rows")
    if len(list(filter(None, body(screen)))) != 1:
        sys.exit(f"not one row: {body(screen)}")
    screen.press(b"\x1b")
    screen.wait(lambda s: "filter" not in s.line(2) and s.line(HEAD + 3).strip(), "all rows again")
    screen.press(" ")
    screen.wait_for("PAUSED")
    screen.press(" ")
    screen.wait(lambda s: "PAUSED" not in s.line(0) and "measuring" not in s.line(0), "going on")
    screen.press("q")
    leave(screen)


def ties():
    """Sleeping threads do not change places, nor are their lines written again."""
    screen = watch("--pid", str(pid), "-g", "thread", "--filter", "idle-", rows=40)
    seen = [line.split()[1] for line in body(screen) if line]
    if len(seen) != 30:
        sys.exit(f"{len(seen)} rows, not 30")
    if seen != sorted(seen, key=int):
        sys.exit(f"out of order: {seen}")
    screen.written = {}
    for _ in range(5):
        next_frame(screen)
    if [line.split()[1] for line in body(screen) if line] != seen:
        sys.exit("rows changed places")
    again = [row for row in screen.written if HEAD <= row]
    if again:
        sys.exit(f"rows {again} were written again though nothing in them moved")
    screen.press("q")
    leave(screen)


def births():
    """A thread that is new and one that is gone are shown as such."""
    screen = watch("--pid", str(pid), "-g", "thread", "--filter", "late", interval="1s")
    if any(body(screen)):
        sys.exit(f"rows too early: {body(screen)}")
    os.kill(pid, signal.SIGUSR1)
    screen.wait(lambda s: re.search(r" new .* late", s.line(HEAD)), "the new thread")
    screen.wait(lambda s: re.search(r"\d  +0\.0 .* late", s.line(HEAD)), "it is there")
    os.kill(pid, signal.SIGUSR2)
    screen.wait(lambda s: re.search(r" gone +- +- .* late", s.line(HEAD)), "it is gone")
    screen.wait(lambda s: not any(body(s)), "it is no longer shown")
    screen.press("q")
    leave(screen)


def process_ends():
    screen = watch("--pid", str(pid))
    os.kill(pid, signal.SIGTERM)
    leave(screen, 70)
    if f"no process {pid}" not in screen.text():
        sys.exit(f"it does not say why: {screen.text()}")


def resize():
    screen = watch("-g", "thread")
    for rows, columns in ((10, 40), (50, 200), (3, 20), (1, 1), (24, 80)):
        screen.resize(rows, columns)
        screen.wait(lambda s: len(s.line(0)) == s.columns, f"{rows} by {columns}")
        screen.strict = True
        next_frame(screen) if rows > 2 and columns > 39 else None
        if any(r >= rows for r in screen.lines):
            sys.exit(f"rows beyond {rows}: {sorted(screen.lines)}")
    screen.press("q")
    leave(screen)


def ended_by(name):
    screen = watch()
    if name == "INT":
        screen.press(b"\x03")
    else:
        os.kill(screen.pid, getattr(signal, "SIG" + name))
    leave(screen, 130)


def stopped():
    screen = watch()
    screen.press(b"\x1a")
    end = time.monotonic() + PATIENCE
    stopped_pid = 0
    while not stopped_pid and time.monotonic() < end:
        stopped_pid, status = os.waitpid(screen.pid, os.WNOHANG | os.WUNTRACED)
        screen.take(0.05)
    if not stopped_pid or not os.WIFSTOPPED(status):
        sys.exit("it did not stop")
    while screen.take(0):
        pass
    if screen.other or not screen.cursor:
        sys.exit("the screen was not given back")
    screen.lines = {}
    os.kill(screen.pid, signal.SIGCONT)
    screen.wait(lambda s: s.other and s.line(0).startswith("ktstr watch") and s.line(HEAD).strip(),
                "the screen after the stop")
    screen.press("q")
    leave(screen)


def counted():
    # All of it may come in one piece, the screen given back included, so the frames are counted.
    screen = Screen([ktstr, "ctprof", "watch", "-i", "150ms", "-n", "2"])
    leave(screen)
    measured = [f for f in screen.frames if "measuring" not in f]
    if len(measured) != 2 or not all(f.startswith("ktstr watch") for f in screen.frames):
        sys.exit(f"not two intervals: {screen.frames}")


def names(columns):
    """As much of each name as there is room for, and no more."""
    os.environ["LC_ALL"] = "C.UTF-8"
    screen = watch("--pid", str(pid), "-g", "thread", columns=columns)
    screen.wait(lambda s: any(body(s)), "names")
    at = screen.line(3).index("NA")
    for shown in NAMES.values():
        cells = "".join(c + "\0" * (unicodedata.east_asian_width(c) in "WF") for c in shown)
        room = columns - at
        if len(cells) > room:
            cells = cells[:room - 1]
            # Half a character is none.
            half = unicodedata.east_asian_width(cells[-1]) in "WF"
            cells = (cells[:-1] if half else cells) + ">"
        if [line[at:] for line in body(screen)].count(cells) != 1:
            sys.exit(f"not one {cells!r} of {shown!r} in {columns} columns:\n{screen.text()}")
    screen.press("q")
    leave(screen)


if test.startswith("names_"):
    names(int(test[len("names_"):]))
elif test.startswith("ended_by_"):
    ended_by(test[len("ended_by_"):])
else:
    {f.__name__: f for f in (layout, keys, ties, births, process_ends, resize, stopped, counted)}[test]()
