"""Orientations as unit quaternions w, x, y, z (sensor to Earth): turning on, and the angles that sensors report."""

import math

from sim.imu import Vector

Quaternion = tuple[float, float, float, float]

LEVEL: Quaternion = (1.0, 0.0, 0.0, 0.0)
_UPRIGHT = 1.0 - 1e-12  # the sine of the middle angle from which the outer two cannot be told apart


def turned(turn: Quaternion, gyro_dps: Vector, seconds: float) -> Quaternion:
    """`turn` after `seconds` at a constant rate in deg/s, sensor axes."""
    speed = math.hypot(*gyro_dps)
    if speed == 0.0:
        return turn
    half = math.radians(speed) * seconds / 2.0
    scale = math.sin(half) / speed
    w, x, y, z = math.cos(half), gyro_dps[0] * scale, gyro_dps[1] * scale, gyro_dps[2] * scale
    a, b, c, d = turn
    return unit(
        (
            a * w - b * x - c * y - d * z,
            a * x + b * w + c * z - d * y,
            a * y - b * z + c * w + d * x,
            a * z + b * y - c * x + d * w,
        )
    )


def unit(turn: Quaternion) -> Quaternion:
    """`turn` with norm 1; `LEVEL` for one that has no direction."""
    norm = math.hypot(*turn)
    if not 0.0 < norm < math.inf:
        return LEVEL
    w, x, y, z = turn
    return (w / norm, x / norm, y / norm, z / norm)


def angles_zyx(turn: Quaternion) -> Vector:
    """Degrees about z, y and x, applied in this order: +-180, +-90, +-180. With y upright x is 0."""
    w, x, y, z = turn
    sine = _cut(2.0 * (w * y - x * z))
    if abs(sine) > _UPRIGHT:
        about_z, about_x = math.atan2(2.0 * (w * z - x * y), 1.0 - 2.0 * (x * x + z * z)), 0.0
    else:
        about_z = math.atan2(2.0 * (x * y + w * z), 1.0 - 2.0 * (y * y + z * z))
        about_x = math.atan2(2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y))
    return (math.degrees(about_z), math.degrees(math.asin(sine)), math.degrees(about_x))


def angles_zxy(turn: Quaternion) -> Vector:
    """Degrees about z, x and y, applied in this order: +-180, +-90, +-180. With x upright y is 0."""
    w, x, y, z = turn
    sine = _cut(2.0 * (y * z + w * x))
    if abs(sine) > _UPRIGHT:
        about_z, about_y = math.atan2(2.0 * (x * y + w * z), 1.0 - 2.0 * (y * y + z * z)), 0.0
    else:
        about_z = math.atan2(2.0 * (w * z - x * y), 1.0 - 2.0 * (x * x + z * z))
        about_y = math.atan2(2.0 * (w * y - x * z), 1.0 - 2.0 * (x * x + y * y))
    return (math.degrees(about_z), math.degrees(math.asin(sine)), math.degrees(about_y))


def _cut(sine: float) -> float:
    return min(max(sine, -1.0), 1.0)
