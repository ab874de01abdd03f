"""What a motion puck strapped to the moving limb would measure, and what its sensor adds.

Puck axes: x distal, z out of the back of the hand. Limb angle theta about y:
gyro = (0, theta', 0); specific force = (-sin theta - theta'^2 r / g, 0, cos theta - theta'' r / g).
"""

import math
import random
from typing import NamedTuple

Vector = tuple[float, float, float]

G_M_S2 = 9.80665


class SensorPreset(NamedTuple):
    """Noise and bias of a puck's sensor (standard deviations), and the slight sway of any living limb.

    Noise is that of a consumer motion sensor at 100 Hz (0.01 deg/s and 300 ug per root hertz, 100 Hz bandwidth);
    biases are those left after the maker's calibration. Sway and tremor are rates about the joint's axis.
    """

    gyro_noise_dps: float = 0.1
    acc_noise_g: float = 0.003
    gyro_bias_dps: float = 0.1
    acc_bias_g: float = 0.003
    sway_dps: float = 0.2
    sway_s: float = 0.15
    tremor_deg: float = 0.0
    tremor_hz: float = 9.0


CONSUMER = SensorPreset()
PERFECT = SensorPreset(0.0, 0.0, 0.0, 0.0, 0.0)

POOL = 4096  # normal draws made once; each frame takes seven in a row from a random place, which is much faster
TAKE = 7


def rigid_motion(angle: float, speed: float, acceleration: float, radius_m: float) -> tuple[Vector, Vector]:
    """(gyro deg/s, specific force g) at `radius_m` from a hinge at `angle` rad, rad/s, rad/s2."""
    pull = radius_m / G_M_S2
    acc = (-math.sin(angle) - speed * speed * pull, 0.0, math.cos(angle) - acceleration * pull)
    return (0.0, math.degrees(speed), 0.0), acc


class Sensor:
    """Noise, bias and sway from one seed; draws are made in the order of the calls."""

    def __init__(self, rng: random.Random, preset: SensorPreset = CONSUMER) -> None:
        gauss = rng.gauss
        self._pool = [gauss(0.0, 1.0) for _ in range(POOL)]
        self._random = rng.random
        self._preset = preset
        gyro, acc = preset.gyro_bias_dps, preset.acc_bias_g
        self._gyro_bias: Vector = (gauss(0.0, gyro), gauss(0.0, gyro), gauss(0.0, gyro))
        self._acc_bias: Vector = (gauss(0.0, acc), gauss(0.0, acc), gauss(0.0, acc))
        self._sway_dps = 0.0
        self._last_ns = 0
        self._gap_ns = -1
        self._keep = 0.0
        self._stir = 0.0

    def _pace(self, gap_ns: int) -> None:
        """The sway's first-order noise of `sway_s` for measurements `gap_ns` apart."""
        preset = self._preset
        self._gap_ns = gap_ns
        self._keep = math.exp(-gap_ns * 1e-9 / preset.sway_s)
        self._stir = preset.sway_dps * math.sqrt(max(0.0, 1.0 - self._keep * self._keep))

    def _tremor(self, now_ns: int) -> float:
        turn = 2.0 * math.pi * self._preset.tremor_hz
        return self._preset.tremor_deg * turn * math.cos(turn * now_ns * 1e-9)

    def measure(self, now_ns: int, gyro_dps: Vector, acc_g: Vector) -> tuple[Vector, Vector]:
        """What the sensor reports at `now_ns` for a true motion; never twice the same."""
        place = int(self._random() * (POOL - TAKE))
        stir, n1, n2, n3, n4, n5, n6 = self._pool[place : place + TAKE]
        preset = self._preset
        gap_ns = now_ns - self._last_ns
        self._last_ns = now_ns
        if gap_ns != self._gap_ns:
            self._pace(gap_ns)
        sway = self._sway_dps = self._keep * self._sway_dps + self._stir * stir
        if preset.tremor_deg != 0.0:
            sway += self._tremor(now_ns)
        noise, (bx, by, bz), (gx, gy, gz) = preset.gyro_noise_dps, self._gyro_bias, gyro_dps
        gyro = (gx + bx + noise * n1, gy + by + sway + noise * n2, gz + bz + noise * n3)
        noise, (bx, by, bz), (gx, gy, gz) = preset.acc_noise_g, self._acc_bias, acc_g
        return gyro, (gx + bx + noise * n4, gy + by + noise * n5, gz + bz + noise * n6)
