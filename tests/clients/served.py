"""A twin behind a real pseudo-terminal, for the clients of other people."""

import os
import select
import threading
import tty
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from controller.clock import now_ns

TwinT = TypeVar("TwinT")
LONGEST_SLEEP_S = 1.0


class Served(Generic[TwinT]):
    """A twin in a thread of its own at the device's end of a PTY; a client opens `path`.

    `make` is called with `log=`, which collects in `log`. A twin without `advance` and `next_deadline` only answers.
    `close` ends the thread, closes the twin where it can be closed, and gives back the log.
    """

    def __init__(self, make: Callable[..., TwinT], **options: Any) -> None:
        self.log: list[dict[str, Any]] = []
        self.twin: Any = make(log=self.log.append, **options)
        self.master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self._wake, self._end = os.pipe()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """True until `close`."""
        return self._thread.is_alive()

    def _serve(self) -> None:
        twin = self.twin
        lives = hasattr(twin, "advance")
        while True:
            answer = twin.advance(now_ns()) if lives else b""
            if answer:
                os.write(self.master, answer)
            wait_s = max(0.0, (twin.next_deadline() - now_ns()) / 1e9) if lives else LONGEST_SLEEP_S
            readable, _, _ = select.select([self.master, self._wake], [], [], min(wait_s, LONGEST_SLEEP_S))
            if self._wake in readable:
                return
            if self.master in readable:
                data = os.read(self.master, 4096)
                answer = twin.feed(now_ns(), data)
                if answer:
                    os.write(self.master, answer)

    def close(self) -> list[dict[str, Any]]:
        """End it; the second time it only gives back the log again."""
        if self._end >= 0:
            os.write(self._end, b"x")
            self._thread.join()
            for descriptor in (self.master, self._slave, self._wake, self._end):
                os.close(descriptor)
            self._end = -1
            if hasattr(self.twin, "close"):
                self.twin.close(now_ns())
        return self.log
