# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Thirty threads that sleep, one that spins, and on SIGUSR1 one more; says when they are there."""
import ctypes
import os
import signal
import threading

libc = ctypes.CDLL(None)
for_ever = threading.Event()


def sleep(name):
    libc.prctl(15, name.encode())
    for_ever.wait()


def spin():
    libc.prctl(15, b"spinner")
    while not for_ever.is_set():
        pass


signals = {signal.SIGUSR1, signal.SIGTERM}
signal.pthread_sigmask(signal.SIG_BLOCK, signals)
for i in range(30):
    threading.Thread(target=sleep, args=(f"idle-{i}",), daemon=True).start()
threading.Thread(target=spin, daemon=True).start()
print("ready", flush=True)
while signal.sigwait(signals) == signal.SIGUSR1:
    threading.Thread(target=sleep, args=("late",), daemon=True).start()
os._exit(0)
