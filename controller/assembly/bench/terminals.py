"""Pseudo-terminals for the benches: raw ones as serial ports, and one that a screen can be drawn on."""

import contextlib
import fcntl
import os
import pty
import select
import struct
import termios
import threading
import tty
from dataclasses import dataclass, field


@dataclass(slots=True)
class RawPort:
    """A serial port made of a PTY: `path` for the program under test, `master` for the bench."""

    master: int = field(init=False)
    path: str = field(init=False)
    _slave: int = field(init=False)

    def __post_init__(self) -> None:
        self.master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self.master, False)
        self.path = os.ttyname(self._slave)

    def read(self) -> bytes:
        """What the program wrote, b"" if nothing."""
        try:
            return os.read(self.master, 65536)
        except (BlockingIOError, OSError):
            return b""

    def write(self, data: bytes) -> None:
        """To the program; a full buffer loses it, as a cable nobody reads would."""
        with contextlib.suppress(BlockingIOError, OSError):
            os.write(self.master, data)

    def close(self) -> None:
        """Pull the cable out."""
        for descriptor in (self.master, self._slave):
            with contextlib.suppress(OSError):
                os.close(descriptor)


class ScreenTerminal:
    """A terminal of 120 x 40 that somebody looks at: what is drawn is read and forgotten, as a fast terminal would."""

    def __init__(self, columns: int = 120, rows: int = 40) -> None:
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.drawn_bytes = 0
        self._closed = False
        self._enough, self._tell = os.pipe()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        # Never inside a read when the terminal is closed: a read under way would keep it open.
        while self._enough not in select.select([self.master, self._enough], [], [])[0]:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return
            if not data:
                return
            self.drawn_bytes += len(data)

    def press(self, keys: bytes) -> None:
        """Key bytes, as a keyboard sends them."""
        os.write(self.master, keys)

    def let_go(self) -> None:
        """Close our copy of the program's end: only the program keeps the terminal open from now on."""
        with contextlib.suppress(OSError):
            os.close(self.slave)

    def close(self) -> None:
        """The terminal goes away: the program gets SIGHUP, and errors on every write. Once is enough."""
        if self._closed:
            return
        self._closed = True
        os.write(self._tell, b".")
        self._thread.join()
        for descriptor in (self.master, self._enough, self._tell):
            os.close(descriptor)
