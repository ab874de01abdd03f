"""Time as an argument: the one place that reads a clock.

Real processes use `CLOCK_BOOTTIME` in integer nanoseconds, because `CLOCK_MONOTONIC` stands still while a laptop
sleeps and would hide the gap. The virtual assembly keeps its own integer and never looks here.
"""

import time

MS = 1_000_000
SECOND = 1_000_000_000

_BOOT_OR_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def now_ns() -> int:
    """Nanoseconds since boot, suspend included (on systems without `CLOCK_BOOTTIME`: the steady clock)."""
    return time.clock_gettime_ns(_BOOT_OR_STEADY)
