"""A home-made puck that prints text lines: measurements become samples, with the device's own millisecond clock."""

from controller.drivers.ports import LineSettings
from controller.drivers.pucks.base import ENDS, NEVER, PuckExtras, Senses
from controller.drivers.pucks.kind import PuckKind
from controller.vocabulary.capabilities import Capabilities
from controller.vocabulary.sample import CLIPPED, CONNECTED, IMU_OK, Sample
from controller.wire.textline import CLOCK_MS, BadFrame, Framer, Measurement, resembles

FULL_SCALE_DPS = 2000.0  # the widest; a driver is told where its own gyroscope is set narrower
GYRO_DPS_MAX = 2500.0  # motion sensors end at 2000 deg/s
ACC_G_MAX = 40.0
LOAD_N_MAX = 2000.0  # no hand presses harder
JUMP_MS = 100  # a longer hole in the device's clock is a hole in the measurement

_GYRO_MIN, _ACC_MIN, _LOAD_MIN = -GYRO_DPS_MAX, -ACC_G_MAX, -LOAD_N_MAX
_FLAGS = CONNECTED | IMU_OK
_new = tuple.__new__  # what `Sample(...)` ends in, without the 0.2 us before it


class TextLineDriver(PuckExtras):
    """Driver of one such puck; nothing is ever written to it.

    A sample's `t_ns` is the host's arrival time; `device_us` the device's clock in us, counted on where its 32 bits
    start again. Counted since the start: `bad_frames` (no line of this format, a number beyond the sensor's range),
    `duplicates` (the time of the line before; dropped), `backwards` (the clock went back: the device restarted) and
    `jumps` (more than `JUMP_MS` forward: lines were lost).
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
        """Forget half a line and the device's clock; the counts go on. Nothing to write."""
        self._framer = Framer()
        self._t_ms = -1
        self._device_ms = 0
        return b""

    def feed(self, now_ns: int, data: bytes) -> list[Sample]:
        """The samples in `data`, oldest first."""
        samples = []
        for message in self._framer.feed(data):
            if type(message) is Measurement:
                t_ms, gyro, acc, load = message
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
                    and (load is None or _LOAD_MIN <= load <= LOAD_N_MAX)
                ):
                    self.bad_frames += 1
                elif self._is_news(t_ms):
                    device_us = self._device_ms * 1000
                    full = self.full_scale_dps * ENDS
                    ok = -full < gx < full and -full < gy < full and -full < gz < full
                    flags = _FLAGS if ok else _FLAGS | CLIPPED
                    samples.append(_new(Sample, (self.name, now_ns, gyro, acc, None, load, device_us, None, flags)))
            elif type(message) is BadFrame:
                self.bad_frames += 1
        return samples

    def senses(self, puck: str) -> Senses:
        """A load where its lines have that column, which only they can tell."""
        return Senses(load=True)

    def poll(self, now_ns: int) -> bytes:
        """Nothing is due, ever."""
        return b""

    def next_deadline(self) -> int:
        """Nothing is planned."""
        return NEVER

    def _is_news(self, t_ms: int) -> bool:
        before, self._t_ms = self._t_ms, t_ms
        if before < 0:
            self._device_ms = t_ms
            return True
        step_ms = (t_ms - before) % CLOCK_MS
        if step_ms == 0:
            self.duplicates += 1
            return False
        if step_ms >= CLOCK_MS // 2:
            self.backwards += 1
            self._device_ms = t_ms
            return True
        if step_ms > JUMP_MS:
            self.jumps += 1
        self._device_ms += step_ms
        return True


TEXTLINE = PuckKind("textline", TextLineDriver, LineSettings(), Capabilities("text-line puck"), resembles=resembles)
