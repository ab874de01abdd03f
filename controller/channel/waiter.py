"""Waiting for many descriptors at once: who is to be called when which one has something to read."""

import select
from collections.abc import Callable

LONGEST_NS = 100_000_000
BACKLOG_NS = 5_000_000
_MS = 1_000_000
_READABLE = select.POLLIN | select.POLLHUP | select.POLLERR | select.POLLNVAL


class Waiter:
    """The shells' one `poll`. A descriptor is watched until it is forgotten; order of calls: as they became known."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._readers: dict[int, Callable[[], None]] = {}

    def watch(self, descriptor: int, reader: Callable[[], None]) -> None:
        """Call `reader` whenever the descriptor is readable or has ended."""
        self._poll.register(descriptor, select.POLLIN)
        self._readers[descriptor] = reader

    def forget(self, descriptor: int) -> None:
        """Watch it no longer (before it is closed)."""
        if self._readers.pop(descriptor, None) is not None:
            self._poll.unregister(descriptor)

    def wait(self, left_ns: int, backlog: bool = False) -> list[Callable[[], None]]:
        """Wait until something is readable, at most `left_ns` (and 100 ms; 5 ms while a line has a backlog)."""
        left_ns = min(left_ns, BACKLOG_NS if backlog else LONGEST_NS)
        # Whole milliseconds, rounded up: a deadline may be met a fraction late, never spun for.
        timeout_ms = -(-left_ns // _MS) if left_ns > 0 else 0
        ready = self._poll.poll(timeout_ms)
        if len(ready) == 1:
            return [self._readers[ready[0][0]]]
        found = {descriptor for descriptor, events in ready if events & _READABLE}
        return [reader for descriptor, reader in self._readers.items() if descriptor in found]
