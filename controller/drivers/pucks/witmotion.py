"""WitMotion sensor as a puck: acceleration, rate and angles, in this order, become one sample.

Every value fits the sensor's own range by its format (16 g, 2000 deg/s), so there is none to refuse but the angles
of a pitch that no rotation has, a quaternion that is none and a date that no calendar has.
"""

import math
from datetime import date

from controller.drivers.ports import LineSettings
from controller.drivers.pucks.base import ENDS, NEVER
from controller.drivers.pucks.kind import PuckKind
from controller.drivers.pucks.turning import from_zyx
from controller.vocabulary.capabilities import Capabilities
from controller.vocabulary.sample import CLIPPED, CONNECTED, IMU_OK, Quaternion, Sample, Vector
from controller.wire.witmotion import Acceleration, Angles, BadFrame, Clock, Framer, Orientation, Rate, resembles

FULL_SCALE_DPS = 2000.0
PITCH_DEG_MAX = 90.1  # +-90 and the sensor's rounding
JUMP_US = 100_000  # a longer hole in the device's clock is a hole in the measurement

_NORM_SQUARE_MIN, _NORM_SQUARE_MAX = 0.81, 1.21
_DAY_US = 86_400_000_000
_FLAGS = CONNECTED | IMU_OK
_new = tuple.__new__  # what `Sample(...)` ends in, without the 0.2 us before it


class WitMotionDriver:
    """Driver of one WitMotion sensor on a serial line; nothing is ever written to it.

    A sample's `t_ns` is the host's arrival time; where the sensor sends its clock (type 50, 1 ms steps), `device_us`
    is that clock in us. Orientation: the quaternion (type 59) of the cycle before where the sensor sends it, else the
    angles. Counted since the start: `bad_frames` (stray bytes, impossible values), `incomplete` (a cycle without one
    of its parts: no sample), and by the device's clock `duplicates` (the same time again; dropped), `backwards` and
    `jumps` (more than `JUMP_US` forward).
    """

    def __init__(self, name: str = "puck", device: str = "") -> None:
        self.name = name
        self.device = device
        self.full_scale_dps = FULL_SCALE_DPS
        """Where the gyroscope ends: a rate that is there is clipped."""
        self.pucks: tuple[str, ...] = (name,)
        self.bad_frames = 0
        self.incomplete = 0
        self.duplicates = 0
        self.backwards = 0
        self.jumps = 0
        self.start(0)

    def start(self, now_ns: int) -> bytes:
        """Forget half a cycle, the clock and the orientation; the counts go on. Nothing to write."""
        self._framer = Framer()
        self._acc: Vector | None = None
        self._gyro: Vector | None = None
        self._clock_us: int | None = None
        self._before_us: int | None = None
        self._sends_quaternion = False
        self._quaternion: Quaternion | None = None
        return b""

    def feed(self, now_ns: int, data: bytes) -> list[Sample]:
        """The samples in `data`, oldest first."""
        samples = []
        for message in self._framer.feed(data):
            if type(message) is Acceleration:
                if self._acc is not None:
                    self.incomplete += 1
                self._acc, self._gyro = message.acc_g, None
            elif type(message) is Rate:
                if self._acc is None or self._gyro is not None:
                    self._forget_cycle()
                else:
                    self._gyro = message.gyro_dps
            elif type(message) is Angles:
                sample = self._complete(now_ns, message)
                if sample is not None:
                    samples.append(sample)
            elif type(message) is Orientation:
                self._turn(message.quaternion)
            elif type(message) is Clock:
                self._tick(message)
            elif type(message) is BadFrame:
                self.bad_frames += 1
                if self._acc is not None:
                    self._forget_cycle()  # what was lost may be the end of one cycle and the beginning of the next
        return samples

    def poll(self, now_ns: int) -> bytes:
        """Nothing is due, ever."""
        return b""

    def next_deadline(self) -> int:
        """Nothing is planned."""
        return NEVER

    def _forget_cycle(self) -> None:
        self.incomplete += 1
        self._acc = self._gyro = self._clock_us = None

    def _complete(self, now_ns: int, angles: Angles) -> Sample | None:
        acc, gyro, device_us = self._acc, self._gyro, self._clock_us
        if acc is None or gyro is None:
            self._forget_cycle()
            return None
        self._acc = self._gyro = self._clock_us = None
        if device_us is not None and not self._is_news(device_us):
            return None
        if self._sends_quaternion:
            quaternion, self._quaternion = self._quaternion, None
        else:
            roll, pitch, yaw, _ = angles
            if not -PITCH_DEG_MAX <= pitch <= PITCH_DEG_MAX:
                self.bad_frames += 1
                return None
            quaternion = from_zyx(yaw, pitch, roll)
        full = self.full_scale_dps * ENDS
        x, y, z = gyro
        flags = _FLAGS if -full < x < full and -full < y < full and -full < z < full else _FLAGS | CLIPPED
        return _new(Sample, (self.name, now_ns, gyro, acc, quaternion, None, device_us, None, flags))

    def _turn(self, quaternion: Quaternion) -> None:
        w, x, y, z = quaternion
        square = w * w + x * x + y * y + z * z
        if _NORM_SQUARE_MIN <= square <= _NORM_SQUARE_MAX:
            self._sends_quaternion = True  # from now on only these: two sources must not alternate
            norm = math.sqrt(square)  # the format cannot say 1.0
            self._quaternion = (w / norm, x / norm, y / norm, z / norm)
        else:
            self.bad_frames += 1

    def _tick(self, clock: Clock) -> None:
        year, month, day, hour, minute, second, ms = clock
        try:
            days = date(2000 + year, month, day).toordinal()
        except ValueError:
            days = -1
        if days < 0 or hour > 23 or minute > 59 or second > 59 or ms > 999:
            self.bad_frames += 1
            self._clock_us = None
        else:
            self._clock_us = days * _DAY_US + ((hour * 60 + minute) * 60 + second) * 1_000_000 + ms * 1000

    def _is_news(self, device_us: int) -> bool:
        before, self._before_us = self._before_us, device_us
        if before is None:
            return True
        step_us = device_us - before
        if step_us == 0:
            self.duplicates += 1
            return False
        if step_us < 0:
            self.backwards += 1
        elif step_us > JUMP_US:
            self.jumps += 1
        return True


WITMOTION = PuckKind(
    "witmotion", WitMotionDriver, LineSettings(), Capabilities("WitMotion sensor"), resembles=resembles
)
