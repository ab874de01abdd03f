"""x-IMU3 as a puck: inertial messages become samples, with the device's own microsecond clock."""

from controller.drivers.ports import LineSettings
from controller.drivers.pucks.base import ENDS, NEVER
from controller.drivers.pucks.kind import PuckKind
from controller.vocabulary.capabilities import Capabilities
from controller.vocabulary.sample import CLIPPED, CONNECTED, IMU_OK, Quaternion, Sample
from controller.wire.ximu3 import BadFrame, Framer, Inertial, Orientation, resembles

FULL_SCALE_DPS = 2000.0
GYRO_DPS_MAX = 2500.0  # the sensor ends at 2000 deg/s
ACC_G_MAX = 40.0  # the sensor ends at 16 g
JUMP_US = 100_000  # a longer hole in the device's clock is a hole in the measurement
ORIENTATION_AGE_US_MAX = 100_000
_NORM_SQUARE_MIN, _NORM_SQUARE_MAX = 0.81, 1.21

_GYRO_MIN, _ACC_MIN = -GYRO_DPS_MAX, -ACC_G_MAX
_FLAGS = CONNECTED | IMU_OK
_new = tuple.__new__  # what `Sample(...)` ends in, without the 0.2 us before it


class Ximu3Driver:
    """Driver of one x-IMU3; nothing is ever written to it.

    A sample's `t_ns` is the host's arrival time; frames that arrive in one read share it and are told apart by
    `device_us`. Counted since the start: `bad_frames` (no message, not a number, beyond the sensor's range),
    `duplicates` (a `device_us` seen just before; dropped), `backwards` (the device's clock went back: it restarted)
    and `jumps` (more than `JUMP_US` forward: frames were lost). A sample carries the newest orientation of at most
    `ORIENTATION_AGE_US_MAX`.
    """

    def __init__(self, name: str = "puck", device: str = "") -> None:
        self.name = name
        self.device = device
        self.full_scale_dps = FULL_SCALE_DPS
        """Where the gyroscope ends: a rate that is there is clipped."""
        self.pucks: tuple[str, ...] = (name,)
        self.bad_frames = 0
        self.duplicates = 0
        self.backwards = 0
        self.jumps = 0
        self.start(0)

    def start(self, now_ns: int) -> bytes:
        """Forget half a message and the device's clock; the counts go on. Nothing to write."""
        self._framer = Framer()
        self._device_us = -1
        self._orientation: Orientation | None = None
        return b""

    def feed(self, now_ns: int, data: bytes) -> list[Sample]:
        """The samples in `data`, oldest first."""
        samples = []
        for message in self._framer.feed(data):
            if type(message) is Inertial:
                device_us, gyro, acc = message
                gx, gy, gz = gyro
                ax, ay, az = acc
                # Chained comparisons, so that a NaN fails them too.
                if not (
                    _GYRO_MIN <= gx <= GYRO_DPS_MAX
                    and _GYRO_MIN <= gy <= GYRO_DPS_MAX
                    and _GYRO_MIN <= gz <= GYRO_DPS_MAX
                    and _ACC_MIN <= ax <= ACC_G_MAX
                    and _ACC_MIN <= ay <= ACC_G_MAX
                    and _ACC_MIN <= az <= ACC_G_MAX
                ):
                    self.bad_frames += 1
                elif self._is_news(device_us):
                    quaternion = None if self._orientation is None else self._quaternion_at(device_us)
                    full = self.full_scale_dps * ENDS
                    ok = -full < gx < full and -full < gy < full and -full < gz < full
                    flags = _FLAGS if ok else _FLAGS | CLIPPED
                    samples.append(
                        _new(Sample, (self.name, now_ns, gyro, acc, quaternion, None, device_us, None, flags))
                    )
            elif type(message) is Orientation:
                self._turn(message)
            elif type(message) is BadFrame:
                self.bad_frames += 1
        return samples

    def poll(self, now_ns: int) -> bytes:
        """Nothing is due, ever."""
        return b""

    def next_deadline(self) -> int:
        """Nothing is planned."""
        return NEVER

    def _is_news(self, device_us: int) -> bool:
        before, self._device_us = self._device_us, device_us
        if before < 0:
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

    def _turn(self, message: Orientation) -> None:
        w, x, y, z = message.quaternion
        if _NORM_SQUARE_MIN <= w * w + x * x + y * y + z * z <= _NORM_SQUARE_MAX:
            self._orientation = message
        else:
            self.bad_frames += 1

    def _quaternion_at(self, device_us: int) -> Quaternion | None:
        newest = self._orientation
        if newest is None or abs(device_us - newest.device_us) > ORIENTATION_AGE_US_MAX:
            return None
        return newest.quaternion


XIMU3 = PuckKind("ximu3", Ximu3Driver, LineSettings(), Capabilities("x-IMU3", battery=True), resembles=resembles)
