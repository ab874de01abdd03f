"""`LimbAngle`: the limb's angle about the movement axis, from a puck's quaternion, or from gyroscope and gravity.

Sign: positive is the right-hand turn about the chosen puck axis, so that with the default axis (+y)

    gyro = (0, +d(angle)/dt, 0)    static acc = (-sin(angle), 0, cos(angle)) g    quaternion = (cos, 0, sin, 0)(angle/2)

which is the turn of the reference tables for a puck on the back of the hand with z out of the dorsum. Wrist extension
(the back of the hand rises) is positive where extension is the positive turn about +y; for a puck strapped on the
other way round, `sign=-1` makes extension positive again.
"""

from math import atan2, pi
from typing import Final

from controller.vocabulary.sample import Quaternion, Vector

_DEGREES: Final = 180.0 / pi
_AXES: Final = {"x": (0, 1, 2), "y": (1, 2, 0), "z": (2, 0, 1)}

TIME_CONSTANT_S: Final = 0.5
"""Above it the gyroscope rules, below it gravity."""
_GRAVITY_MIN, _GRAVITY_MAX = 0.9**2, 1.1**2  # |acc| in g, squared: else the limb is being accelerated
_IN_PLANE_MIN: Final = 0.5**2  # with the axis nearly vertical gravity says nothing about the angle
_UNIT_MIN, _UNIT_MAX = 0.9**2, 1.1**2  # a sleeping puck sends a zero quaternion


class LimbAngle:
    """Angle in deg since the reference posture, unwrapped (a full turn is 360). The first sample is the reference.

    `axis` is "x", "y" or "z" of the puck, `sign` +1 or -1; anything else raises ValueError.
    """

    __slots__ = ("_i", "_j", "_k", "_quaternion", "_quaternion_at", "_sign", "_tilt", "_turned")

    def __init__(self, axis: str = "y", sign: int = 1) -> None:
        if axis not in _AXES or sign not in (1, -1):
            raise ValueError(f"the movement axis is x, y or z with sign 1 or -1, not {axis!r} with {sign!r}")
        self._i, self._j, self._k = _AXES[axis]
        self._sign = sign
        self._turned = 0.0  # the right-hand turn since the reference
        self._tilt: float | None = None  # direction of gravity at the reference
        self._quaternion: Quaternion | None = None  # the attitude that `_quaternion_at` belongs to
        self._quaternion_at = 0.0

    @property
    def angle_deg(self) -> float:
        """The angle after the last step."""
        return self._sign * self._turned

    def set_reference(self) -> None:
        """The present posture becomes 0 deg."""
        if self._tilt is not None:
            self._tilt += self._turned
        self._quaternion_at -= self._turned
        self._turned = 0.0

    def set_sign(self, sign: int) -> None:
        """Which turn is positive from now on: 1 or -1; anything else raises ValueError."""
        if sign not in (1, -1):
            raise ValueError(f"the sign of a movement axis is 1 or -1, not {sign!r}")
        self._sign = sign

    def find(self, acc_g: Vector | None) -> None:
        """The limb is still and the angle is lost: gravity gives it back; where it cannot, this is the reference."""
        self._quaternion = None
        if acc_g is not None and self._tilt is not None:
            self.step((0.0, 0.0, 0.0), acc_g, None, -1.0)
            return
        self.set_reference()

    def step(self, gyro_dps: Vector, acc_g: Vector | None, quaternion: Quaternion | None, dt_s: float) -> float:
        """One sample, `dt_s` after the last. Returns the angle in deg.

        `dt_s < 0` says that samples are missing in between: nothing is integrated and gravity alone gives the angle.
        """
        if quaternion is not None and self._by_quaternion(quaternion):
            self._tilt = None  # a later sample without a quaternion takes its gravity reference anew
            return self._sign * self._turned
        if dt_s >= 0.0:
            self._turned += gyro_dps[self._i] * dt_s
        if acc_g is not None:
            i, j, k = acc_g[self._i], acc_g[self._j], acc_g[self._k]
            plane = j * j + k * k
            if plane >= _IN_PLANE_MIN and _GRAVITY_MIN <= plane + i * i <= _GRAVITY_MAX:
                tilt = atan2(j, k) * _DEGREES
                if self._tilt is None:
                    self._tilt = tilt - self._turned
                error = (tilt - self._tilt - self._turned + 180.0) % 360.0 - 180.0
                self._turned += error * (dt_s / (TIME_CONSTANT_S + dt_s)) if dt_s >= 0.0 else error
        return self._sign * self._turned

    def _by_quaternion(self, q: Quaternion) -> bool:
        """Turn about the axis (the twist part) since the stored attitude; q and -q mean the same. False if unusable."""
        w, x, y, z = q
        if not _UNIT_MIN <= w * w + x * x + y * y + z * z <= _UNIT_MAX:
            return False
        r = self._quaternion
        if r is None:
            self._quaternion, self._quaternion_at = q, self._turned
            return True
        i, j, k = self._i + 1, self._j + 1, self._k + 1
        along = r[0] * q[i] - w * r[i] - (r[j] * q[k] - r[k] * q[j])
        across = r[0] * w + r[1] * x + r[2] * y + r[3] * z
        if not along * along + across * across >= 0.01:
            return False  # turned half round about another axis: the twist is undefined here
        turned = self._quaternion_at + 2.0 * atan2(along, across) * _DEGREES
        self._turned += (turned - self._turned + 180.0) % 360.0 - 180.0
        return True
