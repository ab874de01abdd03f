"""Time as an argument: the one place that reads a clock.

Real processes use `CLOCK_BOOTTIME` in integer nanoseconds, because `CLOCK_MONOTONIC` stands still while a laptop
sleeps and would hide the gap. The virtual assembly keeps its own integer and never looks here.
"""

import time

MS = 1_000_000
SECOND = 1_000_000_000

_BOOT_OR_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def wall_day() -> tuple[str, int]:
    """The date here (YYYY-MM-DD) and how many ns of it are over, by the wall clock. Only for what people date."""
    wall_ns = time.time_ns()
    here = time.localtime(wall_ns // SECOND)
    seconds = here.tm_hour * 3600 + here.tm_min * 60 + here.tm_sec
    return time.strftime("%Y-%m-%d", here), seconds * SECOND + wall_ns % SECOND


def wall_utc() -> str:
    """The wall clock in UTC, to the second, as text. Only for what people date."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def now_ns() -> int:
    """Nanoseconds since boot, suspend included (on systems without `CLOCK_BOOTTIME`: the steady clock)."""
    return time.clock_gettime_ns(_BOOT_OR_STEADY)
