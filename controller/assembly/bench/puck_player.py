"""Motion for the benches: x-IMU3 frames of a limb at given angles, with the turn rates and gravity of its motion."""

import math

from controller.wire.ximu3 import Inertial, encode


class PuckPlayer:
    """Makes the frame for the next angle. A trace of noise keeps the sensor from being taken for a stuck one."""

    def __init__(self, rate_hz: float) -> None:
        self._step_us = round(1_000_000 / rate_hz)
        self._rate_hz = rate_hz
        self._t_us = self._number = 0
        self._angle_deg = 0.0

    def frame(self, angle_deg: float, t_us: int | None = None) -> bytes:
        """The bytes of one inertial message: the limb has turned to `angle_deg` since the last one.

        `t_us` is the puck's own clock where it has to keep up with ours (a sender that sleeps between frames falls
        behind); without it each frame is one period after the one before.
        """
        self._number += 1
        self._t_us = self._t_us + self._step_us if t_us is None else t_us
        noise = 0.01 * (self._number % 7 - 3)
        rate_dps = (angle_deg - self._angle_deg) * self._rate_hz
        self._angle_deg = angle_deg
        theta = math.radians(angle_deg)
        gyro = (noise, rate_dps, -noise)
        return encode(Inertial(self._t_us, gyro, (-math.sin(theta), 0.0, math.cos(theta))))
