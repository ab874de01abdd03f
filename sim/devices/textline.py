"""Twin of a home-made puck that prints text lines, as an Arduino sketch would: a comment, a header, measurements."""

from controller.wire.textline import CLOCK_MS, HEADER, Measurement, encode
from sim.attitude import Quaternion
from sim.devices.puck_faults import Log, Measured, PuckFaults
from sim.imu import Vector

NUMBER_MAX = 1e6


class TextLineTwin(PuckFaults):
    """Device role of the codec. It begins with an empty line and its identity as a comment. `line_end` is LF or CR LF.

    It never reads: `ignored` counts the bytes that a host sent.
    """

    has = ("clock-drift",)

    def __init__(
        self, identity: str = "SIM-TEXTLINE-01", seed: int = 1, log: Log | None = None, *, line_end: str = "\n"
    ) -> None:
        super().__init__(identity, log)
        self.ignored = 0
        self._line_end = line_end
        self._fresh = True

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
        """The line at `t_us`: deg/s, g, and newton where given. The format has no place for an orientation."""
        opening = b""
        if self.restarts() or self._fresh:
            self._fresh = False
            opening = f"{self._line_end}# {self.identity}{self._line_end}{HEADER}{self._line_end}".encode()
        gyro, acc, _, load_n = self.sensed(Measured(gyro_dps, acc_g, None, load))
        load_n = None if load_n is None else _number(load_n)
        t_ms = self.clock_us(t_us) // 1000 % CLOCK_MS
        return opening + encode(Measurement(t_ms, _vector(gyro), _vector(acc), load_n), line_end=self._line_end)


def _vector(values: Vector) -> Vector:
    x, y, z = map(_number, values)
    return (x, y, z)


def _number(value: float) -> float:
    """The value within what a line can say."""
    return min(max(value, -NUMBER_MAX), NUMBER_MAX)
