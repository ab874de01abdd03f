"""Twin of a WitMotion sensor on a serial line: date and time, acceleration, rate, angles, in rising order of type."""

from datetime import UTC, datetime, timedelta

from controller.wire.witmotion import Acceleration, Angles, Clock, Orientation, Rate, encode
from sim.attitude import LEVEL, Quaternion, angles_zyx, turned, unit
from sim.devices.puck_faults import Log, Measured, PuckFaults
from sim.imu import Vector

COMMAND_BYTES = 5
_FIRST_DAY = datetime(2015, 1, 1, tzinfo=UTC)  # what its clock says at device time 0
_DAYS_MAX = 30_000


class WitMotionTwin(PuckFaults):
    """Device role of the codec. `clock` sends type 50 first, `quaternion` type 59 last; a real one begins without both.

    It keeps its own orientation by integrating the rate, unless it is told one. It obeys no command; `ignored` counts
    what would be commands (5 bytes each).
    """

    def __init__(
        self,
        identity: str = "SIM-WITMOTION-01",
        seed: int = 1,
        log: Log | None = None,
        *,
        clock: bool = True,
        quaternion: bool = False,
    ) -> None:
        super().__init__(identity, log)
        self.has = ("clock-drift",) if clock else ()
        self.ignored = 0
        self._clock = clock
        self._quaternion = quaternion
        self._rest = 0
        self._turn = LEVEL
        self._t_us: int | None = None

    def feed(self, now_ns: int, data: bytes) -> bytes:
        """Take the host's bytes. Never answers."""
        whole, self._rest = divmod(self._rest + len(data), COMMAND_BYTES)
        self.ignored += whole
        return b""

    def frame(
        self,
        t_us: int,
        gyro_dps: Vector,
        acc_g: Vector,
        quaternion: Quaternion | None = None,
        load: float | None = None,
    ) -> bytes:
        """One cycle at `t_us`: deg/s, g, and where given the orientation. This device has no load cell.

        What the sensor cannot measure (beyond 16 g or 2000 deg/s) comes out as its end of scale.
        """
        if self.restarts():
            self._turn = LEVEL
        if quaternion is not None:
            self._turn = unit(quaternion)
        elif self._t_us is not None and t_us > self._t_us:
            self._turn = turned(self._turn, gyro_dps, (t_us - self._t_us) / 1e6)
        self._t_us = t_us
        gyro_dps, acc_g, turn, _ = self.sensed(Measured(gyro_dps, acc_g, self._turn))
        yaw, pitch, roll = angles_zyx(turn or LEVEL)
        data = encode(self._date(self.clock_us(t_us))) if self._clock else b""
        data += encode(Acceleration(_within(acc_g, 16.0)))
        data += encode(Rate(_within(gyro_dps, 2000.0)))
        data += encode(Angles(*_within((roll, pitch, yaw), 180.0)))
        if self._quaternion:
            w, x, y, z = turn or LEVEL
            (x, y, z), (w, _, _) = _within((x, y, z), 1.0), _within((w, 0.0, 0.0), 1.0)
            data += encode(Orientation((w, x, y, z)))
        return data

    def _date(self, clock_us: int) -> Clock:
        days, us = divmod(clock_us, 86_400_000_000)
        date = _FIRST_DAY + timedelta(days=days % _DAYS_MAX, microseconds=us)
        return Clock(
            date.year - 2000, date.month, date.day, date.hour, date.minute, date.second, date.microsecond // 1000
        )


def _within(values: Vector, full: float) -> Vector:
    """The values at the ends of an int16 scale of `full`."""
    most = full * 32767 / 32768
    x, y, z = (min(max(value, -full), most) for value in values)
    return (x, y, z)
