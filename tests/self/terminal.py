# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""ktstr shell on a terminal of 50 by 111; prints "ok" if all went as it should."""
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios

pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], "shell"])


def set_size(rows, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def wait_for(text):
    seen = b""
    while text not in seen:
        if not select.select([terminal], [], [], 60)[0]:
            sys.exit(f"no {text} in: {seen}")
        try:
            seen += os.read(terminal, 4096)
        except OSError:
            sys.exit(f"it ended; no {text} in: {seen}")


def say(text):
    os.write(terminal, text.encode())


set_size(50, 111)
before = termios.tcgetattr(terminal)
wait_for(b"# ")
if termios.tcgetattr(terminal) == before:
    sys.exit("the terminal is not raw")
say("stty size\n")
wait_for(b"50 111\r\n")
set_size(60, 120)
say("until [ \"$(stty size)\" = '60 120' ]; do :; done; echo chan'ged'\n")
wait_for(b"changed\r\n")
# The job itself says that it is there: a Ctrl-C between two jobs would meet the shell alone.
say("sh -c 'echo slee\"\"ping; exec sleep 1000'\n")
wait_for(b"sleeping\r\n")
say("\x03")
say("echo status=$?\n")
wait_for(b"status=130\r\n")
if len(sys.argv) > 2:
    wanted = 130
    os.kill(pid, getattr(signal, "SIG" + sys.argv[2]))
else:
    wanted = 3
    say("exit 3\n")
# What is left to read must be read, or the other side waits for ever.
while True:
    try:
        if not os.read(terminal, 4096):
            break
    except OSError:
        break
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
if status != wanted:
    sys.exit(f"exit status {status}")
if termios.tcgetattr(terminal) != before:
    sys.exit("the terminal was not restored")
print("ok")
