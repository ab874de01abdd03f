"""The scales of a FitMi puck that nobody has published, found from what the puck itself reports. Pure, no numpy.

Three steps. At rest the accelerometer's magnitude is 1 g. During a turn the gyro's counts, summed over windows of
100 ms, are fitted to the turn of the quaternion, whose scale is known. Under known weights the load cell's counts are
fitted to the force. A step that was not done well is refused (`CalibrationRefused`) with what to do.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from controller.drivers.pucks.turning import rate_dps
from controller.vocabulary.sample import Quaternion, Vector
from controller.wire.fitmi import Block

R2_MIN = 0.98
G_M_S2 = 9.80665
GAP_NS_MAX = 300_000_000
READINGS_MIN = 40
STILL_DEG_MAX = 2.0
STILL_SPREAD_MAX = 0.02
"""Standard deviation of the accelerometer's magnitude, as a part of it."""
TURN_DEG_MIN, TURN_DEG_MAX = 60.0, 150.0
WINDOW_NS = 100_000_000
"""The turn is summed over this long, so that reports which arrive a little early or late do not matter."""
LOAD_COUNTS_MIN = 5.0
LOAD_SPREAD_MAX = 5.0


class CalibrationRefused(Exception):
    """A step was not done well; the text says what was wrong, and what to do."""


class Reading(NamedTuple):
    """A puck's block, and when it arrived."""

    t_ns: int
    block: Block


class Rest(NamedTuple):
    """A puck that lay still: g a count, the magnitude's spread as a part of it, and the gyro's counts at rest."""

    acc_g: float
    spread: float
    gyro_bias: Vector


class Fit(NamedTuple):
    """y = slope * x + offset by least squares, the part of y's variance that it explains, and the residual (rms)."""

    slope: float
    offset: float
    r2: float
    rms: float


def line(xs: Sequence[float], ys: Sequence[float], *, through_zero: bool = False) -> Fit:
    """The line of least squares. Raises `CalibrationRefused` where x or y does not vary."""
    count = len(xs)
    mean_x, mean_y = (sum(xs) / count, sum(ys) / count) if count else (0.0, 0.0)
    from_x, from_y = (0.0, 0.0) if through_zero else (mean_x, mean_y)
    across = sum((x - from_x) ** 2 for x in xs)
    varies = sum((y - mean_y) ** 2 for y in ys)
    if not (across > 0.0 and varies > 0.0):
        raise CalibrationRefused("Nothing changed between the measurements. Do the step again.")
    slope = sum((x - from_x) * (y - from_y) for x, y in zip(xs, ys, strict=True)) / across
    offset = from_y - slope * from_x
    left = sum((y - slope * x - offset) ** 2 for x, y in zip(xs, ys, strict=True))
    return Fit(slope, offset, 1.0 - left / varies, math.sqrt(left / count))


def at_rest(readings: Sequence[Reading]) -> Rest:
    """What lying still says. Raises `CalibrationRefused` when the puck did not lie still, or fell silent."""
    _complete(readings)
    first = unit(readings[0].block.quaternion)
    moved_deg = max(angle_deg(first, unit(reading.block.quaternion)) for reading in readings)
    sizes = [math.hypot(*reading.block.acc) for reading in readings]
    mean, spread = _mean_and_spread(sizes)
    if not mean > 0.0:
        raise CalibrationRefused("The accelerometer says nothing but 0. Charge the puck, or use another one.")
    if not (moved_deg <= STILL_DEG_MAX and spread <= STILL_SPREAD_MAX * mean):
        raise CalibrationRefused(
            f"The puck did not lie still (it turned by {moved_deg:.1f} deg, its accelerometer varied by "
            f"{100 * spread / mean:.1f} %). Put it on a firm table, take your hand off it, and start again."
        )
    count = len(readings)
    gx, gy, gz = (sum(reading.block.gyro[axis] for reading in readings) / count for axis in range(3))
    return Rest(1.0 / mean, spread / mean, (gx, gy, gz))


def of_turn(readings: Sequence[Reading], gyro_bias: Vector) -> Fit:
    """Deg/s a count of the gyro, from a turn of about 90 deg. Raises `CalibrationRefused`."""
    _complete(readings)
    first = unit(readings[0].block.quaternion)
    turned_deg = max(angle_deg(first, unit(reading.block.quaternion)) for reading in readings)
    if not TURN_DEG_MIN <= turned_deg <= TURN_DEG_MAX:
        raise CalibrationRefused(
            f"The puck was turned by {turned_deg:.0f} deg; it takes about 90 "
            f"({TURN_DEG_MIN:.0f} to {TURN_DEG_MAX:.0f}). Start again and turn it by a quarter of a circle, one way."
        )
    counts, turns = _windows(readings, gyro_bias)
    fit = line(counts, turns, through_zero=True)
    if not (fit.r2 >= R2_MIN and fit.slope > 0.0):
        raise CalibrationRefused(
            f"Gyro and orientation do not agree well enough (r2 {fit.r2:.3f}, it takes {R2_MIN}). Start again and turn "
            "it slowly and evenly, near to the dongle. If it stays so: leave this puck uncalibrated, it works without."
        )
    return fit


def level(readings: Sequence[Reading]) -> float:
    """The load cell's mean counts under one weight. Raises `CalibrationRefused` when they did not settle."""
    _complete(readings)
    mean, spread = _mean_and_spread([float(reading.block.load) for reading in readings])
    if not spread <= LOAD_SPREAD_MAX:
        raise CalibrationRefused(
            f"The load cell did not settle (it varied by {spread:.0f} counts). "
            "Lay the weight on gently, let go of it, and start again."
        )
    return mean


def of_load(newtons: Sequence[float], counts: Sequence[float]) -> Fit:
    """Newton a count of the load cell, from its `level` under each force. Raises `CalibrationRefused`."""
    steps = [abs(one - counts[0]) for one in counts[1:]]
    if not all(step >= LOAD_COUNTS_MIN for step in steps):
        raise CalibrationRefused(
            "The load cell did not feel the weights. Take heavier ones (200 g or more), and lay them on the middle of "
            "the puck; or leave the load cell out."
        )
    fit = line(counts, newtons)
    if not fit.r2 >= R2_MIN:
        raise CalibrationRefused(
            f"The weights do not lie on one line (r2 {fit.r2:.3f}, it takes {R2_MIN}). Look at the masses that were "
            "typed in, lay each weight on the middle of the puck, and start again."
        )
    return fit


def unit(raw: tuple[int, int, int, int]) -> Quaternion:
    """A report's quaternion with norm 1; it must not be zero."""
    w, x, y, z = raw
    norm = math.sqrt(w * w + x * x + y * y + z * z)
    return (w / norm, x / norm, y / norm, z / norm)


def angle_deg(one: Quaternion, other: Quaternion) -> float:
    """The angle between two orientations, 0 to 180 deg."""
    return math.hypot(*rate_dps(one, other, 1_000_000_000))


def _complete(readings: Sequence[Reading]) -> None:
    gaps = [after.t_ns - before.t_ns for before, after in pairwise(readings)]
    if len(readings) < READINGS_MIN or max(gaps) > GAP_NS_MAX:
        raise CalibrationRefused(
            f"Too few measurements came ({len(readings)}), or they paused. "
            "Bring the puck nearer to the dongle, charge it, and start again."
        )


def _mean_and_spread(values: Sequence[float]) -> tuple[float, float]:
    mean = sum(values) / len(values)
    return mean, math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))


def _windows(readings: Sequence[Reading], bias: Vector) -> tuple[list[float], list[float]]:
    """For each window and axis: counts times seconds of the gyro, and degrees of the quaternion."""
    counts, turns = [], []
    summed, turned, since_ns = [0.0] * 3, [0.0] * 3, readings[0].t_ns
    for before, after in pairwise(readings):
        step_ns = after.t_ns - before.t_ns
        if step_ns <= 0:
            continue
        step_s = step_ns / 1e9
        rate = rate_dps(unit(before.block.quaternion), unit(after.block.quaternion), step_ns)
        for axis in range(3):
            mean = (before.block.gyro[axis] + after.block.gyro[axis]) / 2 - bias[axis]
            summed[axis] += mean * step_s
            turned[axis] += rate[axis] * step_s
        if after.t_ns - since_ns >= WINDOW_NS:
            counts += summed
            turns += turned
            summed, turned, since_ns = [0.0] * 3, [0.0] * 3, after.t_ns
    return counts, turns
