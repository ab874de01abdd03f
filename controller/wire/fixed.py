"""Finds frames of one fixed size in a byte stream: a start pattern, and a rule that says what is a frame."""

from collections.abc import Callable
from typing import NamedTuple

STRAY_BYTES_MAX = 64
"""Bytes outside a frame are reported at the latest when there are this many."""


class Stray(NamedTuple):
    """A run of bytes that belongs to no frame, and how long it is."""

    size: int


class FixedFramer:
    """Cuts a byte stream into frames of `size` bytes that begin with `start` and are `good`.

    A window that is not good slides on by one byte. Never raises, keeps less than `size` bytes, and gives the same
    result however the stream is cut. `good` sees windows of `size` bytes; it must refuse any that lack `start`.
    """

    def __init__(self, start: bytes, size: int, good: Callable[[bytes], bool]) -> None:
        self._start = start
        self._size = size
        self._good = good
        self._rest = b""
        self._skipped = 0

    def feed(self, data: bytes) -> list[bytes | Stray]:
        """The frames that `data` completes, oldest first, and what lay between them."""
        size, good = self._size, self._good
        if self._rest:
            data = self._rest + data
        found: list[bytes | Stray] = []
        at, last = 0, len(data) - size
        while at <= last:
            frame = data[at : at + size]
            if good(frame):
                if self._skipped:
                    found.append(Stray(self._skipped))
                    self._skipped = 0
                found.append(frame)
                at += size
            else:
                following = data.find(self._start, at + 1, last + len(self._start))
                following = last + 1 if following < 0 else following
                self._skip(following - at, found)
                at = following
        self._rest = data[at:]
        return found

    def _skip(self, size: int, found: list[bytes | Stray]) -> None:
        self._skipped += size
        while self._skipped >= STRAY_BYTES_MAX:
            found.append(Stray(STRAY_BYTES_MAX))
            self._skipped -= STRAY_BYTES_MAX


def mostly_frames(framer: FixedFramer, data: bytes, size: int) -> bool:
    """Two frames or more in `data`, and they make up at least half of it."""
    frames = sum(isinstance(item, bytes) for item in framer.feed(data))
    return frames >= 2 and 2 * frames * size >= len(data)
