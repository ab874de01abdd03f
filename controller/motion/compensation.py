"""`CompensationWatch`: whether the part that the second puck is on, trunk or arm, moves instead of the joint.

Who cannot extend a wrist swings the arm or leans with the trunk: that is worth a line in the record, and no attempt.
"""

from math import acos, degrees
from typing import Final

from controller.vocabulary.events import CompensationSeen
from controller.vocabulary.sample import CONNECTED, IMU_OK, STALE, Quaternion, Sample

COMPENSATION_DEG: Final = 15.0
"""Ours: beyond what breathing and sitting do to a trunk, well below the reach that replaces a movement of the hand."""
CALM_DPS: Final = 5.0
CALM_NS: Final = 500_000_000
"""Slower than that for so long: here it rests, and from here its turn counts."""

_GOOD: Final = CONNECTED | IMU_OK
_FLAGS: Final = CONNECTED | IMU_OK | STALE


class CompensationWatch:
    """Fed every sample of the second puck; tells each turn of more than `COMPENSATION_DEG` once, when it is reached."""

    __slots__ = ("_calm_ns", "_rest", "_told")

    def __init__(self) -> None:
        self._rest: Quaternion | None = None
        self._calm_ns = -1
        self._told = False

    def step(self, sample: Sample) -> CompensationSeen | None:
        """The next sample of the second puck. One that says nothing of its attitude makes it rest anew."""
        attitude = sample.quaternion
        if attitude is None or sample.flags & _FLAGS != _GOOD:
            self._rest, self._calm_ns, self._told = None, -1, False
            return None
        x, y, z = sample.gyro_dps
        if x * x + y * y + z * z > CALM_DPS * CALM_DPS:
            self._calm_ns = -1
        elif self._calm_ns < 0:
            self._calm_ns = sample.t_ns
        elif sample.t_ns - self._calm_ns >= CALM_NS:
            self._rest, self._told = attitude, False
        if self._rest is None or self._told:
            return None
        turn_deg = _between_deg(self._rest, attitude)
        if turn_deg <= COMPENSATION_DEG:
            return None
        self._told = True
        return CompensationSeen(sample.t_ns, turn_deg)


def _between_deg(one: Quaternion, other: Quaternion) -> float:
    """The angle between two attitudes that need not be of length one; 0 where either has none."""
    dot = sum(a * b for a, b in zip(one, other, strict=True))
    square = sum(a * a for a in one) * sum(b * b for b in other)
    return 2.0 * degrees(acos(min(1.0, abs(dot) / square**0.5))) if square > 0.0 else 0.0
