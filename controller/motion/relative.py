"""`RelativeMotion`: the motion of one puck against another, so that carrying the whole arm is no attempt of the hand.

Both pucks must say how they lie in the room (quaternions in one Earth frame). Both are fresh, or nothing is known.
"""

from typing import Final

from controller.vocabulary.sample import CONNECTED, IMU_OK, STALE, Quaternion, Sample, Vector

_GOOD: Final = CONNECTED | IMU_OK
_FLAGS: Final = CONNECTED | IMU_OK | STALE
_UNIT: Final = (0.9**2, 1.1**2)


class RelativeMotion:
    """Fed every sample of the second puck, and asked with every sample of the first.

    The answer is a sample of the first puck whose rate and attitude are those against the second, in axes of the
    first: the attitude is the angle of the joint between them. It carries no acceleration, because gravity says
    nothing of that angle. Flagged STALE where the second puck is not good, is older than `stale_ns`, or either has no
    attitude.
    """

    __slots__ = ("_second", "_stale_ns")

    def __init__(self, stale_ns: int) -> None:
        self._stale_ns = stale_ns
        self._second: Sample | None = None

    def second(self, sample: Sample) -> None:
        """A sample of the second puck."""
        self._second = sample

    def fresh(self, now_ns: int) -> bool:
        """The second puck can be used now."""
        second = self._second
        if second is None or second.flags & _FLAGS != _GOOD or second.quaternion is None:
            return False
        return 0 <= now_ns - second.t_ns <= self._stale_ns

    def first(self, sample: Sample) -> Sample:
        """A sample of the first puck, against the newest of the second."""
        second, own = self._second, sample.quaternion
        if second is None or own is None or second.quaternion is None or not self.fresh(sample.t_ns):
            return sample._replace(acc_g=None, quaternion=None, flags=sample.flags | STALE)
        between = _against(second.quaternion, own)
        square = between[0] ** 2 + between[1] ** 2 + between[2] ** 2 + between[3] ** 2
        if not _UNIT[0] <= square <= _UNIT[1]:
            return sample._replace(acc_g=None, quaternion=None, flags=sample.flags | STALE)
        x, y, z = sample.gyro_dps
        a, b, c = _into(between, square, second.gyro_dps)
        return sample._replace(gyro_dps=(x - a, y - b, z - c), acc_g=None, quaternion=between)


def _against(second: Quaternion, first: Quaternion) -> Quaternion:
    """The attitude of the first as the second sees it: conjugate(second) * first."""
    w, x, y, z = second[0], -second[1], -second[2], -second[3]
    a, b, c, d = first
    return (
        w * a - x * b - y * c - z * d,
        w * b + x * a + y * d - z * c,
        w * c - x * d + y * a + z * b,
        w * d + x * c - y * b + z * a,
    )


def _into(attitude: Quaternion, square: float, vector: Vector) -> Vector:
    """A vector of the second puck's axes in axes of the first: conjugate(attitude) * v * attitude."""
    w, i, j, k = attitude[0], -attitude[1], -attitude[2], -attitude[3]
    x, y, z = vector
    tx, ty, tz = 2.0 * (j * z - k * y), 2.0 * (k * x - i * z), 2.0 * (i * y - j * x)
    return (
        x + (w * tx + j * tz - k * ty) / square,
        y + (w * ty + k * tx - i * tz) / square,
        z + (w * tz + i * ty - j * tx) / square,
    )
