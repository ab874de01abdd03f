"""A limb that goes to and fro: tremor (3.5 to 12 Hz), clonus (5 to 8 Hz). Streaming, plain floats, no window to fill.

Bands after Gallego 2010 (Sensors 10:2129): voluntary movement stays mostly below 3 Hz.
"""

from collections import deque
from math import exp, sqrt
from typing import Final

from controller.motion.filters import Biquad, VectorLowPass, butterworth_bandpass
from controller.vocabulary.sample import Vector

PEAKS: Final = 3
PEAKS_WITHIN_NS: Final = 1_000_000_000
CLONUS_HZ: Final = 6.3
CLONUS_Q: Final = 1.55
"""Half of the power passes at 4.7 and 8.4 Hz: a tremor of 4 Hz or of 9 Hz stays below `CLONUS_SHARE_MIN`."""
CLONUS_RMS_DPS_MIN: Final = 20.0
CLONUS_SHARE_MIN: Final = 0.53
"""Of the whole power of the rate: so much must be in the band."""
CLONUS_FOR_NS: Final = 600_000_000
"""At least three beats: one jerk has power in every band."""
CLONUS_KEPT: Final = 0.7
"""Of the greatest power of the spell: a limb that was let go swings in the band too, and loses more in that time."""
TREMOR_FOR_NS: Final = 3_000_000_000
_TAU_S: Final = 0.3


class Alternation:
    """Counts peaks of the angular rate that alternate in direction. Works in space: no axis has to be known.

    A half-wave ends when the rate points away from where it pointed at its peak; it counts when that peak was at least
    `least_dps`.
    """

    __slots__ = ("_ends", "_half", "_height", "_least")

    def __init__(self, least_dps: float) -> None:
        self._least = least_dps * least_dps
        self._half: Vector = (0.0, 0.0, 0.0)  # the rate at the peak of the running half-wave
        self._height = 0.0
        self._ends: deque[int] = deque(maxlen=PEAKS)

    def step(self, t_ns: int, rates_dps: Vector) -> None:
        """The next filtered rate."""
        x, y, z = rates_dps
        a, b, c = self._half
        height = x * x + y * y + z * z
        if x * a + y * b + z * c < 0.0:
            if height < self._least:
                return  # noise about zero: the half-wave is not over before the limb really goes the other way
            self._half, self._height = rates_dps, height
            self._ends.append(t_ns)
        elif height > self._height:
            if self._height < self._least <= height:
                self._ends.append(t_ns)
            self._half, self._height = rates_dps, height
        elif self._ends and t_ns - self._ends[-1] > PEAKS_WITHIN_NS:
            self._half, self._height = (0.0, 0.0, 0.0), 0.0
            self._ends.clear()

    def restart(self) -> None:
        """What comes now is another movement."""
        self._half, self._height = (0.0, 0.0, 0.0), 0.0
        self._ends.clear()

    def alternates(self, t_ns: int) -> bool:
        """At least `PEAKS` alternating peaks in the last second."""
        ends = self._ends
        return len(ends) == PEAKS and t_ns - ends[0] <= PEAKS_WITHIN_NS


class RestTremor:
    """A tremor at rest goes on. A limb that was just let go swings to and fro as well, and is still after a second."""

    __slots__ = ("_since_ns",)

    def __init__(self) -> None:
        self._since_ns = -1

    def step(self, t_ns: int, alternates: bool) -> bool:
        """The next sample at rest: whether the limb has gone to and fro for `TREMOR_FOR_NS`."""
        if not alternates:
            self._since_ns = -1
            return False
        if self._since_ns < 0:
            self._since_ns = t_ns
        return t_ns - self._since_ns >= TREMOR_FOR_NS


class ClonusWatch:
    """Power of the rate at 5 to 8 Hz against the whole power, both averaged over 0.3 s, on the unfiltered rates."""

    __slots__ = ("_all", "_band", "_filter", "_greatest", "_rate_hz", "_since_ns", "_told", "_weight")

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._filter = VectorLowPass(_clonus_band(rate_hz))
        self._weight = _weight(rate_hz)
        self._since_ns = -1
        self._told = False
        self.restart()

    def restart(self) -> None:
        """Samples are missing: what came before is another movement."""
        self._filter.clear()
        self._band = self._all = self._greatest = 0.0
        self._since_ns = -1

    def step(self, t_ns: int, gyro_dps: Vector, rate_hz: float) -> float:
        """The clonus that has just become one, as rms in deg/s in the band; else 0. Told once a spell."""
        if not abs(rate_hz - self._rate_hz) <= 0.1 * self._rate_hz:
            self._rate_hz = max(rate_hz, 25.0)
            self._filter = VectorLowPass(_clonus_band(self._rate_hz))
            self._weight = _weight(self._rate_hz)
            self.restart()
        x, y, z = gyro_dps
        u, v, w = self._filter.step(gyro_dps)
        weight = self._weight
        self._all += weight * (x * x + y * y + z * z - self._all)
        self._band = band = self._band + weight * (u * u + v * v + w * w - self._band)
        if not (band >= CLONUS_RMS_DPS_MIN**2 and band >= CLONUS_SHARE_MIN * self._all):
            self._since_ns = -1
            if band < (CLONUS_RMS_DPS_MIN / 2) ** 2:
                self._told = False
            return 0.0
        if self._since_ns < 0:
            self._since_ns, self._greatest = t_ns, band
        elif band > self._greatest:
            self._greatest = band
        if self._told or t_ns - self._since_ns < CLONUS_FOR_NS:
            return 0.0
        if band < CLONUS_KEPT * self._greatest:
            self._since_ns, self._greatest = t_ns, band
            return 0.0
        self._told = True
        return sqrt(band)


def _clonus_band(rate_hz: float) -> Biquad:
    return butterworth_bandpass(CLONUS_HZ, CLONUS_Q, rate_hz)


def _weight(rate_hz: float) -> float:
    return 1.0 - exp(-1.0 / (_TAU_S * rate_hz))
