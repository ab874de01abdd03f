"""The Link port: a pipe of bytes with a device at the other end. No I/O happens in this file.

`read` never blocks and gives b"" when nothing is there; a link whose far end has gone raises `LinkLost`, and goes on
raising it. `fileno` lets a shell wait for it with `select` (-1 for a link in memory).
"""

from typing import Protocol


class LinkLost(Exception):
    """The far end of a link has gone (cable out, port closed); the text says what the system reported."""


class Link(Protocol):
    """A byte pipe, seen from either side."""

    def read(self, limit: int = 4096) -> bytes: ...

    def write(self, data: bytes) -> int: ...

    def close(self) -> None: ...

    def fileno(self) -> int: ...


class MemoryLink:
    """One end of a pipe in memory; `MemoryLink.pair()` gives both. What one end writes the other reads, at once."""

    def __init__(self) -> None:
        self.inbox = bytearray()
        """What the other end wrote and nobody has read yet: a look at it costs less than an empty `read`."""
        self._peer: MemoryLink | None = None
        self._closed = False

    @classmethod
    def pair(cls) -> tuple["MemoryLink", "MemoryLink"]:
        """Two joined ends."""
        a, b = cls(), cls()
        a._peer, b._peer = b, a
        return a, b

    def read(self, limit: int = 4096) -> bytes:
        """Up to `limit` bytes that the other end wrote."""
        if not self.inbox:
            if self._closed or self._peer is None or self._peer._closed:
                raise LinkLost("the other end of the memory link is closed")
            return b""
        data = bytes(self.inbox[:limit])
        del self.inbox[:limit]
        return data

    def write(self, data: bytes) -> int:
        """Hand all of `data` to the other end."""
        if self._closed or self._peer is None or self._peer._closed:
            raise LinkLost("the other end of the memory link is closed")
        self._peer.inbox += data
        return len(data)

    def close(self) -> None:
        """Pull the cable out at this end."""
        self._closed = True

    def fileno(self) -> int:
        """No descriptor: a memory link is for the virtual assembly and for tests."""
        return -1
