"""`DelayWatch`: how late a sample is, by the puck's own clock. A queue that empties at once looks fresh on arrival."""

from typing import Final

BUCKET_NS: Final = 10_000_000_000
"""Two clocks may differ by 200 ppm: over two buckets that is 4 ms."""


class DelayWatch:
    """The least difference of the two clocks in the last 10 to 20 s is taken for no delay.

    A radio that grows slower by a constant is therefore found out at once, and believed after 20 s.
    """

    __slots__ = ("_before", "_bucket_ns", "_device_us", "_least")

    def __init__(self) -> None:
        self._device_us = -1
        self._bucket_ns = 0
        self._least = self._before = 0

    def late_ns(self, t_ns: int, device_us: int) -> int:
        """How much later than usual the sample came, in ns. A clock that goes back is a new one."""
        offset = t_ns - device_us * 1000
        if device_us < self._device_us or self._device_us < 0:
            self._least = self._before = offset
            self._bucket_ns = t_ns
        self._device_us = device_us
        if t_ns - self._bucket_ns >= BUCKET_NS:
            self._before, self._least, self._bucket_ns = self._least, offset, t_ns
        if offset < self._least:
            self._least = offset
        return offset - (self._least if self._least < self._before else self._before)
