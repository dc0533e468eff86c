# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Threads with names that are more, or less, than ASCII; says when they are there, and ends with its input."""
import ctypes
import sys
import threading

NAMES = {
    # As bytes: what a terminal of UTF-8 shows.
    "café".encode(): "café",
    "漢字漢字".encode(): "漢字漢字",
    "é".encode("utf-8") + b"\xcc\x81": "é\\xcc\\x81",  # a combining accent has no width
    b"raw\xff": "raw\\xff",
    b"\x1b[31m": "\\x1b[31m",
    "\u202egnp".encode(): "\\xe2\\x80\\xaegnp",
}


def start():
    libc = ctypes.CDLL(None)
    named = threading.Barrier(len(NAMES) + 1)

    def stay(name):
        libc.prctl(15, name)
        named.wait()
        threading.Event().wait()

    for name in NAMES:
        threading.Thread(target=stay, args=(name,), daemon=True).start()
    named.wait()


if __name__ == "__main__":
    start()
    print("ready", flush=True)
    sys.stdin.read()
