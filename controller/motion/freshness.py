"""`Freshness`: is the puck's data young, unbroken and fast enough to act upon?"""

from typing import Final

from controller.motion.settings import AttemptSettings
from controller.vocabulary.events import MotionEvent, PuckFresh, PuckStale

_RATE_TOLERANCE: Final = 0.98
"""A puck that promises exactly the minimum rate must not fail on two clocks that differ, or on a lost report."""


class Freshness:
    """Watches the arrival times of one puck, in ns of the host's clock.

    `PuckStale` comes once, when nothing good has arrived for `stale_ns` (from `tick` while nothing arrives at all, at
    once when a sample is refused). `PuckFresh` comes when good samples have then flowed without a break for the
    warm-up. `warm` says that the data may be acted upon, `rate_hz` is measured anew over each unbroken second.
    """

    __slots__ = ("_good_ns", "_needed_hz", "_puck", "_settings", "_span_n", "_span_ns", "_stale", "rate_hz", "warm")

    def __init__(self, settings: AttemptSettings, puck: str = "") -> None:
        self._settings = settings
        self._puck = puck
        self._needed_hz = settings.min_rate_hz * _RATE_TOLERANCE
        self._good_ns = -1  # the last good sample; before the first one: when the watch began
        self._span_ns = -1  # the first sample of the span in which the rate is being counted
        self._span_n = 0
        self._stale = False
        self.rate_hz = 0.0
        self.warm = False

    @property
    def stale(self) -> bool:
        """True from `PuckStale` to `PuckFresh`."""
        return self._stale

    @property
    def fast(self) -> bool:
        """True if the puck delivers its minimum rate (a rate was measured, and it is enough)."""
        return self.rate_hz >= self._needed_hz

    def age_ns(self, now_ns: int) -> int:
        """Age of the newest good sample; 0 before anything was asked of the watch."""
        return now_ns - self._good_ns if self._good_ns >= 0 else 0

    def seen(self, t_ns: int) -> list[MotionEvent]:
        """A good sample arrived."""
        gap_ns = t_ns - self._good_ns
        broken = self._good_ns >= 0 and not 0 <= gap_ns <= self._settings.stale_ns
        events = self._lose(t_ns) if broken else []
        self._good_ns = t_ns
        if self._span_ns < 0:
            self._span_ns, self._span_n = t_ns, 0
            return events
        self._span_n += 1
        span_ns = t_ns - self._span_ns
        if span_ns >= self._settings.warm_up_ns:
            self.rate_hz = self._span_n * 1e9 / span_ns
            self._span_ns, self._span_n = t_ns, 0
            self.warm = True
            if self._stale:
                self._stale = False
                events.append(PuckFresh(t_ns, self._puck))
        return events

    def refused(self, t_ns: int) -> list[MotionEvent]:
        """A sample arrived that must not be acted upon: the puck is stale at once."""
        return self._lose(t_ns)

    def tick(self, now_ns: int) -> list[MotionEvent]:
        """Time has passed; the first call starts the watch."""
        if self._good_ns < 0:
            self._good_ns = now_ns
        return self._lose(now_ns) if now_ns - self._good_ns > self._settings.stale_ns else []

    def _lose(self, t_ns: int) -> list[MotionEvent]:
        self.warm = False
        self.rate_hz = 0.0
        self._span_ns = -1
        if self._stale:
            return []
        self._stale = True
        return [PuckStale(t_ns, self._puck, max(0, self.age_ns(t_ns)))]
