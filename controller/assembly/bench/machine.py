"""What the machine under a bench gives just now: a fixed pure-Python control, and the time that others took from it."""

import time
from pathlib import Path

CONTROL_ROUNDS = 2_000_000
_STAT = Path("/proc/stat")
_STEAL = 7  # field of the first line: time that the host gave to somebody else while this machine wanted to run


def control_ns() -> float:
    """ns a round of a fixed loop of integer and float work in plain Python."""
    started = time.perf_counter()
    total, value = 0, 0.5
    for number in range(CONTROL_ROUNDS):
        total += number & 7
        value = value * 0.999 + 0.001
    if not total or not value:
        raise RuntimeError("the control did nothing")
    return round((time.perf_counter() - started) / CONTROL_ROUNDS * 1e9, 1)


class Stolen:
    """Time stolen by the host of a virtual machine since the start of the watch (Linux; elsewhere unknown)."""

    def __init__(self) -> None:
        self._before = _times()

    def percent(self) -> float | None:
        """Stolen time per time that this machine was busy or wanted to be, in percent; None where nobody counts it."""
        before, now = self._before, _times()
        if not before or not now:
            return None
        stolen = now[_STEAL] - before[_STEAL]
        idle = now[3] - before[3] + now[4] - before[4]
        wanted = sum(now[: _STEAL + 1]) - sum(before[: _STEAL + 1]) - idle
        return round(100 * stolen / wanted, 1) if wanted > 0 else 0.0


def _times() -> list[int]:
    """The first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal, in ticks."""
    try:
        first = _STAT.read_text(encoding="ascii").splitlines()[0]
    except (OSError, IndexError):
        return []
    times = [int(field) for field in first.split()[1:]]
    return times if len(times) > _STEAL else []
