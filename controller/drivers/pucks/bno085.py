"""BNO085 in UART-RVC mode as a puck. It sends no rate: the rate is the turn between two successive orientations.

The orientation is a turn of -yaw about z, then of pitch about x, then of roll about y, all about the sensor's own
axes: so say the numbers of the maker's own example and measurements by others (docs/devices/bno085.md).
"""

from controller.drivers.ports import LineSettings
from controller.drivers.pucks.base import NEVER
from controller.drivers.pucks.kind import PuckKind
from controller.drivers.pucks.turning import STILL, from_zxy, rate_dps
from controller.vocabulary.capabilities import Capabilities
from controller.vocabulary.sample import CONNECTED, IMU_OK, STALE, Quaternion, Sample, Vector
from controller.wire.bno085 import INDICES, BadFrame, Framer, Report, resembles

PERIOD_NS = 10_000_000
"""From one frame to the next, as the data sheet says."""
PERIOD_TOLERANCE = 0.1
"""A sensor whose measured period differs by more than this part sends at another rate: the measured one is used."""
MEASURE_NS = 1_000_000_000
GAP_NS_MAX = 100_000_000
STEPS_MAX = GAP_NS_MAX // PERIOD_NS
RATE_DPS_MAX = 2500.0

_RATE_SQUARE_MAX = RATE_DPS_MAX**2
_FRESH, _STALE = CONNECTED | IMU_OK, CONNECTED | STALE


class Bno085Driver:
    """Driver of one BNO085; nothing is ever written to it.

    A sample's `t_ns` is the host's arrival time; `device_us` counts frames, by the index, at the sensor's own pace, and
    `gyro_dps` is the mean rate, sensor axes, since the frame before. The first frame, one after more than 100 ms, one
    whose index is none of the next ten or is 0 behind stray bytes, and one that turned faster than `RATE_DPS_MAX` give
    a sample of rate 0 flagged STALE: a rate needs two orientations.

    Counted since the start: `bad_frames` (stray bytes, impossible angles, impossible rates), `lost` (missing indices),
    `duplicates` (the same index again; dropped), `jumps` (a beginning anew: many frames were lost, or a reset).
    """

    def __init__(self, name: str = "puck", device: str = "") -> None:
        self.name = name
        self.device = device
        self.pucks: tuple[str, ...] = (name,)
        self.bad_frames = 0
        self.lost = 0
        self.duplicates = 0
        self.jumps = 0
        self.start(0)

    def start(self, now_ns: int) -> bytes:
        """Forget half a frame, the index and the orientation; the counts go on. Nothing to write."""
        self._framer = Framer()
        self._before: Quaternion | None = None
        self._number = -1
        self._strayed = False
        self._seen_ns = now_ns
        self._device_us = 0
        self._period_ns = PERIOD_NS
        self._span_ns = now_ns
        self._span_steps = 0
        return b""

    def feed(self, now_ns: int, data: bytes) -> list[Sample]:
        """The samples in `data`, oldest first."""
        samples = []
        for message in self._framer.feed(data):
            if type(message) is Report:
                sample = self._step(now_ns, message)
                if sample is not None:
                    samples.append(sample)
            elif type(message) is BadFrame:
                self.bad_frames += 1
                self._strayed = True
        return samples

    def poll(self, now_ns: int) -> bytes:
        """Nothing is due, ever."""
        return b""

    def next_deadline(self) -> int:
        """Nothing is planned."""
        return NEVER

    def _step(self, now_ns: int, report: Report) -> Sample | None:
        number, yaw, pitch, roll, x_mg, y_mg, z_mg, _ = report
        if not (-9010 <= pitch <= 9010 and -18010 <= yaw <= 18010 and -18010 <= roll <= 18010):
            self.bad_frames += 1
            return None
        gap_ns = now_ns - self._seen_ns
        steps = (number - self._number) % INDICES
        began_anew = number == 0 and self._strayed  # text, then index 0: it was reset, and its yaw is another one
        self._strayed = False
        if self._before is None or began_anew or gap_ns > GAP_NS_MAX or steps > STEPS_MAX:
            self.jumps += self._before is not None
            self._restart(now_ns, gap_ns)
            steps = 0
        elif steps == 0:
            self.duplicates += 1
            return None
        else:
            self.lost += steps - 1
            self._device_us += steps * self._period_ns // 1000
        self._number, self._seen_ns = number, now_ns
        quaternion = from_zxy(-yaw / 100, pitch / 100, roll / 100)
        before, self._before = self._before, quaternion
        rate: Vector | None = None
        if before is not None and steps:
            self._pace(now_ns, steps)
            rate = self._turned(before, quaternion, steps)
        acc = (x_mg / 1000, y_mg / 1000, z_mg / 1000)
        flags = _STALE if rate is None else _FRESH
        return Sample(self.name, now_ns, rate or STILL, acc, quaternion, None, self._device_us, None, flags)

    def _turned(self, before: Quaternion, after: Quaternion, steps: int) -> Vector | None:
        rate = rate_dps(before, after, steps * self._period_ns)
        x, y, z = rate
        if x * x + y * y + z * z <= _RATE_SQUARE_MAX:
            return rate
        self.bad_frames += 1
        return None

    def _restart(self, now_ns: int, gap_ns: int) -> None:
        """The next orientation has no predecessor; time has passed all the same."""
        self._device_us += max(gap_ns, 0) // 1000
        self._span_ns, self._span_steps = now_ns, 0

    def _pace(self, now_ns: int, steps: int) -> None:
        """Measure the period over a second and more: one arrival tells little, frames come in bunches."""
        self._span_steps += steps
        span_ns = now_ns - self._span_ns
        if span_ns < MEASURE_NS:
            return
        measured_ns = span_ns // self._span_steps
        usual = abs(measured_ns - PERIOD_NS) <= PERIOD_TOLERANCE * PERIOD_NS
        self._period_ns = PERIOD_NS if usual else measured_ns
        self._span_ns, self._span_steps = now_ns, 0


BNO085 = PuckKind("bno085", Bno085Driver, LineSettings(), Capabilities("BNO085 (UART-RVC)"), resembles=resembles)
