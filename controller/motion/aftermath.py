"""What the limb does around an attempt: jerks after the current, and movements too weak to count. For the record."""

from typing import Final

from controller.vocabulary.events import AttemptTooWeak, SpasmSuspected

WATCH_NS: Final = 3_000_000_000
AFTER_OFF_NS: Final = 200_000_000
"""The limb's first way back begins before."""
JERK_DPS_MIN: Final = 60.0
GROWS: Final = 0.8
"""A free swing loses more than a fifth from peak to peak; one that does not is driven."""
DIP: Final = 0.5

WEAK_SHARE: Final = 0.5
"""Of the attempt threshold: what stays below is not worth a word."""


class Aftermath:
    """After the current: `ended` once, then `step` with each speed. A jerk is told once after each train.

    The way back of a released limb is one peak, or a swing whose peaks decay. A new peak that does not decay, or one
    that rises out of near stillness, is something else: perhaps a stretch reflex.
    """

    __slots__ = ("_before", "_dip", "_off_ns", "_peak", "_peak_ns", "_rising", "_told")

    def __init__(self) -> None:
        self._off_ns = -1
        self._forget()

    def _forget(self) -> None:
        self._before = self._peak = self._dip = 0.0
        self._peak_ns = 0
        self._rising = self._told = False

    @property
    def watches(self) -> bool:
        """There is something to wait for; else `step` need not be called."""
        return self._off_ns >= 0

    def ended(self, now_ns: int) -> None:
        """The current has ended."""
        self._off_ns = now_ns
        self._forget()
        self._rising = True

    def began(self) -> None:
        """Current again, or somebody moves the limb: what it does now is not its own."""
        self._off_ns = -1

    def step(self, t_ns: int, speed_dps: float) -> SpasmSuspected | None:
        """The next filtered speed."""
        off_ns = self._off_ns
        if off_ns < 0:
            return None
        if t_ns - off_ns > WATCH_NS:
            self._off_ns = -1
            return None
        if self._rising:
            if speed_dps > self._peak:
                self._peak, self._peak_ns = speed_dps, t_ns
            elif speed_dps < DIP * self._peak:
                return self._topped(t_ns, speed_dps)
        elif speed_dps < self._dip:
            self._dip = speed_dps
        elif speed_dps > self._dip / DIP and speed_dps > JERK_DPS_MIN / 2:
            self._rising, self._peak, self._peak_ns = True, speed_dps, t_ns
        return None

    def _topped(self, t_ns: int, speed_dps: float) -> SpasmSuspected | None:
        """A peak is over."""
        peak, before = self._peak, self._before
        self._before, self._dip, self._rising = peak, speed_dps, False
        driven = before > 0.0 and peak >= JERK_DPS_MIN and peak >= GROWS * before
        if self._told or not driven or self._peak_ns - self._off_ns < AFTER_OFF_NS:
            return None
        self._told = True
        return SpasmSuspected(t_ns, peak, self._peak_ns - self._off_ns)


class WeakAttempts:
    """Movements while an attempt is looked for that stay below the attempt threshold: the therapist wants to know."""

    __slots__ = ("_dwell_ns", "_floor", "_peak", "_since_ns")

    def __init__(self, dwell_ns: int, floor_dps: float) -> None:
        self._dwell_ns = dwell_ns
        self._floor = floor_dps
        self._since_ns = -1
        self._peak = 0.0

    @property
    def moves(self) -> bool:
        """A movement goes on; else `step` need not be called below `floor_dps`."""
        return self._since_ns >= 0

    def step(self, t_ns: int, speed_dps: float, looking: bool, threshold_dps: float) -> AttemptTooWeak | None:
        """The next filtered speed; `looking`: the detector waits for a movement (no candidate runs)."""
        least = max(self._floor, WEAK_SHARE * threshold_dps)
        if looking and least <= speed_dps <= threshold_dps:
            if self._since_ns < 0:
                self._since_ns = t_ns
            if speed_dps > self._peak:
                self._peak = speed_dps
            return None
        if self._since_ns < 0:
            return None
        lasted_ns, peak = t_ns - self._since_ns, self._peak
        self._since_ns, self._peak = -1, 0.0
        faded = looking and speed_dps < least
        return AttemptTooWeak(t_ns, peak, threshold_dps) if faded and lasted_ns >= self._dwell_ns else None
