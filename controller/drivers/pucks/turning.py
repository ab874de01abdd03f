"""How fast a sensor turns between two orientations, and orientations from the angles that sensors report.

Quaternions are w, x, y, z of unit norm and turn sensor axes into Earth axes. Angles are in degrees.
"""

import math

from controller.vocabulary.sample import Quaternion, Vector

STILL: Vector = (0.0, 0.0, 0.0)
_HALF = math.pi / 360.0  # half the angle, in radians


def rate_dps(before: Quaternion, after: Quaternion, step_ns: int) -> Vector:
    """Mean angular velocity in deg/s, sensor axes, between two unit quaternions (sensor to Earth), `step_ns` > 0.

    The shorter way round is taken, so that q and -q, the same orientation, give the same rate.
    """
    aw, ax, ay, az = before
    bw, bx, by, bz = after
    w = aw * bw + ax * bx + ay * by + az * bz
    x = aw * bx - ax * bw - ay * bz + az * by
    y = aw * by + ax * bz - ay * bw - az * bx
    z = aw * bz - ax * by + ay * bx - az * bw
    sine = math.sqrt(x * x + y * y + z * z)
    if sine == 0.0:
        return STILL
    angle_deg = math.degrees(2.0 * math.atan2(sine, abs(w)))
    scale = math.copysign(angle_deg / sine, w) * 1e9 / step_ns
    return (x * scale, y * scale, z * scale)


def from_zyx(about_z: float, about_y: float, about_x: float) -> Quaternion:
    """The orientation after these turns about the sensor's own axes, in this order."""
    cz, sz = math.cos(about_z * _HALF), math.sin(about_z * _HALF)
    cy, sy = math.cos(about_y * _HALF), math.sin(about_y * _HALF)
    cx, sx = math.cos(about_x * _HALF), math.sin(about_x * _HALF)
    return (
        cz * cy * cx + sz * sy * sx,
        cz * cy * sx - sz * sy * cx,
        cz * sy * cx + sz * cy * sx,
        sz * cy * cx - cz * sy * sx,
    )


def from_zxy(about_z: float, about_x: float, about_y: float) -> Quaternion:
    """The orientation after these turns about the sensor's own axes, in this order."""
    cz, sz = math.cos(about_z * _HALF), math.sin(about_z * _HALF)
    cx, sx = math.cos(about_x * _HALF), math.sin(about_x * _HALF)
    cy, sy = math.cos(about_y * _HALF), math.sin(about_y * _HALF)
    return (
        cz * cx * cy - sz * sx * sy,
        cz * sx * cy - sz * cx * sy,
        cz * cx * sy + sz * sx * cy,
        cz * sx * sy + sz * cx * cy,
    )
