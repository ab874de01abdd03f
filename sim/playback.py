"""A recorded human movement in the place of the simulated person: what the puck felt, at the rate it was recorded.

Before the recording is started and after its end the puck lies still in the attitude of the nearest recorded sample,
with a sensor's noise: a puck on a table. It is played once.
"""

import math
import random
from collections.abc import Sequence
from typing import Any, Protocol

from sim.imu import CONSUMER, Sensor, Vector
from sim.muscle import Pulses

STILL: Vector = (0.0, 0.0, 0.0)


class Recorded(Protocol):
    """What is played: a rate (Hz) and one row of three per sample (deg/s; g)."""

    @property
    def rate_hz(self) -> float: ...

    @property
    def gyro_dps(self) -> Any: ...

    @property
    def acc_g(self) -> Any: ...


class Playback:
    """The motion source that plays one recording. `play(now)` starts it; it cannot hear cues and feels no current."""

    def __init__(self, recording: Recorded, seed: int) -> None:
        self.rate_hz = float(recording.rate_hz)
        self._gyro: list[Vector] = _rows(recording.gyro_dps)
        self._acc: list[Vector] = _rows(recording.acc_g)
        if not self._gyro or len(self._gyro) != len(self._acc):
            raise ValueError("a recording needs as many gyro samples as acceleration samples, and at least one")
        self._sensor = Sensor(random.Random(seed), CONSUMER._replace(gyro_bias_dps=0.0, acc_bias_g=0.0, sway_dps=0.0))
        self._started_ns: int | None = None

    @property
    def started_ns(self) -> int | None:
        """When the first sample was (or will be) felt; None until `play`."""
        return self._started_ns

    def play(self, now_ns: int) -> None:
        """Start: sample k is felt from `now_ns` + k / rate on. A second call changes nothing."""
        if self._started_ns is None:
            self._started_ns = now_ns

    def ended(self, now_ns: int) -> bool:
        """The last sample has been felt."""
        return self._started_ns is not None and self._index(now_ns) >= len(self._gyro)

    def _index(self, now_ns: int) -> int:
        """Sample felt at `now_ns`, -1 before the start; the small offset keeps frames on the grid off its edges."""
        if self._started_ns is None or now_ns < self._started_ns:
            return -1
        return math.floor((now_ns - self._started_ns) * self.rate_hz * 1e-9 + 1e-6)

    def cue(self, now_ns: int) -> str:
        """A recording does not listen."""
        return "unheard"

    def relax(self, now_ns: int) -> None:
        """A recording does not listen."""

    def advance(self, to_ns: int, drive: Sequence[Pulses]) -> None:
        """A recording feels no current and has no state to carry forward."""

    def imu(self, now_ns: int) -> tuple[Vector, Vector]:
        """(gyro deg/s, specific force g): the recorded sample, unchanged; or a puck lying still."""
        index = self._index(now_ns)
        if 0 <= index < len(self._gyro):
            return self._gyro[index], self._acc[index]
        return self._sensor.measure(now_ns, STILL, self._acc[0 if index < 0 else -1])


def _rows(samples: Any) -> list[Vector]:
    """Rows of three as tuples of plain floats: arithmetic on them is far faster than on array elements."""
    return [(float(row[0]), float(row[1]), float(row[2])) for row in samples]
