# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Threads whose names would break a page, one that spins, some that sleep; ends with its stdin."""
import ctypes
import sys
import threading
import time

libc = ctypes.CDLL(None)
NAMES = [b"</script><b>", b"<img onerror=x>", b"\xe2\x80\xaegnp.exe", b"\xff\x1b[31m", b"'\"&amp;{{DATA}}"]
NAMES += [b"idle-%d" % i for i in range(25)]
end = threading.Event()


def named(name, run):
    libc.prctl(15, name)
    run()


def spin():
    while not end.is_set():
        pass


def wake():
    while not end.is_set():
        time.sleep(0.01)


for name in NAMES:
    threading.Thread(target=named, args=(name, end.wait), daemon=True).start()
threading.Thread(target=named, args=(b"waker", wake), daemon=True).start()
threading.Thread(target=named, args=(b"spinner", spin), daemon=True).start()
print("ready", flush=True)
sys.stdin.read()
end.set()
