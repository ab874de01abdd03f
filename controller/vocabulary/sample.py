"""`Sample`: one measurement of one motion puck, in the units that everything above the drivers uses."""

from typing import NamedTuple

Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]

CONNECTED = 1
IMU_OK = 2
TOUCHED = 4
STALE = 8  # the driver has no new measurement: the values are the last ones and must not be acted upon
CLIPPED = 16  # the gyroscope turned faster than it can tell: the rate is too small, and an angle made from it is wrong


class Sample(NamedTuple):
    """What a puck measured.

    `t_ns` is the host's arrival time (controller.clock), `device_us` the puck's own clock where it has one.
    `gyro_dps` in deg/s and `acc_g` in g, puck axes; `quaternion` w, x, y, z of unit norm; `load_n` in newton (None
    until calibrated). `flags` are the bits above.
    """

    puck: str
    t_ns: int
    gyro_dps: Vector
    acc_g: Vector | None = None
    quaternion: Quaternion | None = None
    load_n: float | None = None
    device_us: int | None = None
    battery_percent: int | None = None
    flags: int = CONNECTED | IMU_OK
