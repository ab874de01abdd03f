"""Twin of a BNO085 in UART-RVC mode: integrates the rate to an orientation and reports its angles."""

from controller.wire.bno085 import INDICES, Report, encode
from sim.attitude import LEVEL, Quaternion, angles_zxy, turned, unit
from sim.devices.puck_faults import Log, Measured, PuckFaults
from sim.imu import Vector

BANNER = b"%Hillcrest Labs 10003608\r\n%SW Ver 3.2.x\r\n"
"""What it says after a reset, as text among the frames."""
ACC_MG_MAX = 32_767


class Bno085Twin(PuckFaults):
    """Device role of the codec. It never reads: `ignored` counts the bytes that a host sent.

    A real one sends 100 frames a second; this one sends a frame whenever it is asked for one.
    """

    def __init__(self, identity: str = "SIM-BNO085-01", seed: int = 1, log: Log | None = None) -> None:
        super().__init__(identity, log)
        self.ignored = 0
        self._number = 0
        self._turn = LEVEL
        self._t_us: int | None = None

    def feed(self, now_ns: int, data: bytes) -> bytes:
        """Take the host's bytes. Never answers."""
        self.ignored += len(data)
        return b""

    def frame(
        self,
        t_us: int,
        gyro_dps: Vector,
        acc_g: Vector,
        quaternion: Quaternion | None = None,
        load: float | None = None,
    ) -> bytes:
        """The frame at `t_us`: deg/s, g, and where given the orientation. This device has no load cell.

        The angles are turns about z (clockwise, seen from above), x and y, in this order; see docs/devices/bno085.md.
        """
        data = b""
        if self.restarts():
            self._number, self._turn = 0, LEVEL
            data = BANNER
        if quaternion is not None:
            self._turn = unit(quaternion)
        elif self._t_us is not None and t_us > self._t_us:
            self._turn = turned(self._turn, gyro_dps, (t_us - self._t_us) / 1e6)
        self._t_us = t_us
        _, acc_g, turn, _ = self.sensed(Measured(gyro_dps, acc_g, self._turn))
        about_z, about_x, about_y = angles_zxy(turn or LEVEL)
        x_mg, y_mg, z_mg = (min(max(round(part * 1000), -ACC_MG_MAX), ACC_MG_MAX) for part in acc_g)
        report = Report(
            self._number, round(-about_z * 100), round(about_x * 100), round(about_y * 100), x_mg, y_mg, z_mg
        )
        self._number = (self._number + 1) % INDICES
        return data + encode(report)
