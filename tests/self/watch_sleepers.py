# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Thirty threads that sleep, one that spins, and on SIGUSR1 one more, until SIGUSR2; says when they are there."""
import ctypes
import os
import signal
import threading

libc = ctypes.CDLL(None)
for_ever = threading.Event()


late = threading.Event()


def sleep(name, until=for_ever):
    libc.prctl(15, name.encode())
    until.wait()


def spin():
    libc.prctl(15, b"spinner")
    while not for_ever.is_set():
        pass


signals = {signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM}
signal.pthread_sigmask(signal.SIG_BLOCK, signals)
for i in range(30):
    threading.Thread(target=sleep, args=(f"idle-{i}",), daemon=True).start()
threading.Thread(target=spin, daemon=True).start()
print("ready", flush=True)
while True:
    seen = signal.sigwait(signals)
    if seen == signal.SIGTERM:
        os._exit(0)
    elif seen == signal.SIGUSR2:
        late.set()
    else:
        late.clear()
        threading.Thread(target=sleep, args=("late", late), daemon=True).start()
