# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""A program on a terminal whose screen can be read: what xterm shows of the sequences we use.

Anything else the program writes is an error, as it might move rows on some terminal.
"""
import fcntl
import os
import pty
import re
import select
import struct
import termios
import time
import unicodedata

SEQUENCE = re.compile(rb"\x1b\[(\??)([0-9;]*)([A-Za-z])")
PATIENCE = 60


class Screen:
    def __init__(self, argv, rows=24, columns=80):
        self.before = None
        parent, child = pty.openpty()
        self.terminal = parent
        self.lines, self.row, self.column = {}, 0, 0
        self.other, self.cursor, self.wrap = False, True, True
        self.drawing = False
        self.frames = []  # the first line of each frame that was drawn to its end
        self.written = {}  # how often each row was begun
        self.strict = True
        self.pending = b""
        self.bytes = 0
        self.rows, self.columns = rows, columns
        fcntl.ioctl(parent, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before = termios.tcgetattr(parent)
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            fcntl.ioctl(child, termios.TIOCSCTTY, 0)
            for fd in (0, 1, 2):
                os.dup2(child, fd)
            os.closerange(3, 256)
            os.environ["TERM"] = "xterm"
            os.execv(argv[0], argv)
        self.child = child

    def resize(self, rows, columns):
        self.rows, self.columns = rows, columns
        self.lines = {}
        self.strict = False  # a frame of the old size may be under way
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def press(self, keys):
        os.write(self.terminal, keys if isinstance(keys, bytes) else keys.encode())

    def line(self, row):
        return self.lines.get(row, "")

    def text(self):
        return "\n".join(self.line(r).rstrip() for r in range(self.rows))

    def take(self, timeout):
        """Read what there is.  False: nothing came, or the program ended."""
        if not select.select([self.terminal], [], [], timeout)[0]:
            return False
        try:
            data = os.read(self.terminal, 65536)
        except OSError:
            return False
        self.bytes += len(data)
        self.show(self.pending + data)
        return bool(data)

    def wait(self, holds, what):
        """Until holds(self) is true of a whole frame."""
        end = time.monotonic() + PATIENCE
        while self.drawing or not holds(self):
            if time.monotonic() > end or not self.take(PATIENCE):
                raise SystemExit(f"never seen: {what}; the screen is:\n{self.text()}")

    def wait_for(self, pattern):
        self.wait(lambda s: re.search(pattern, s.text()), pattern)

    def show(self, data):
        at = 0
        self.pending = b""
        while at < len(data):
            if data[at] != 0x1b:
                size = 1 if data[at] < 0x80 else 2 if data[at] < 0xe0 else 3 if data[at] < 0xf0 else 4
                if len(data) < at + size:
                    self.pending = data[at:]
                    return
                self.put(data[at:at + size].decode())
                at += size
                continue
            m = SEQUENCE.match(data, at)
            if not m:
                if len(data) - at > 16:
                    raise SystemExit(f"unknown sequence {data[at:at + 16]}")
                self.pending = data[at:]
                return
            self.obey(m[1].decode(), m[2].decode(), m[3].decode())
            at = m.end()

    def put(self, c):
        wide = unicodedata.east_asian_width(c) in "WF"
        if c == "\r":
            self.column = 0
        elif c == "\n":
            self.row += 1
        elif not c.isprintable() or unicodedata.combining(c):
            raise SystemExit(f"control character {c!r} in row {self.row}")
        elif self.column + wide >= self.columns or self.row >= self.rows:
            if self.strict:
                raise SystemExit(f"row {self.row} runs over column {self.columns}: {self.line(self.row)}")
        else:
            line = self.line(self.row).ljust(self.columns)
            # The other half of a wide character is a cell of its own.
            cells = c + "\0" * wide
            self.lines[self.row] = line[:self.column] + cells + line[self.column + len(cells):]
            self.column += len(cells)

    def obey(self, private, numbers, letter):
        if letter == "H":
            row, column = (int(n) for n in numbers.split(";"))
            if row > self.rows and self.strict:
                raise SystemExit(f"row {row} of {self.rows}")
            self.row, self.column = row - 1, column - 1
            self.written[self.row] = self.written.get(self.row, 0) + 1
        elif letter == "J":
            self.lines = {}
        elif letter == "m":
            pass
        elif private and letter in "hl" and numbers in ("1049", "25", "7", "2026"):
            name = {"1049": "other", "25": "cursor", "7": "wrap", "2026": "drawing"}[numbers]
            setattr(self, name, letter == "h")
            if name == "drawing" and not self.drawing:
                self.frames.append(self.line(0))
            if name == "other" and not self.other:
                self.row, self.column, self.lines = 0, 0, {}
        else:
            raise SystemExit(f"unknown sequence {private}{numbers}{letter}")

    def finish(self):
        """Read to the end.  The wait status; the terminal must be as it was."""
        # While the program ends it may still write; only then is there nothing more to come.
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.take(0.05)
            if pid:
                break
        while self.take(0):
            pass
        if termios.tcgetattr(self.terminal) != self.before:
            raise SystemExit("the terminal was not restored")
        if self.other or not self.cursor or not self.wrap:
            raise SystemExit("the other screen, no cursor or no wrap was left behind")
        return os.waitstatus_to_exitcode(status)
