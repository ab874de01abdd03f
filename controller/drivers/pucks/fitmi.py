"""FitMi dongle with its two pucks. Angular velocity comes from successive quaternions, never from raw gyro counts.

The report has no counter and no time, so freshness is ours to prove: a block whose measurement has not changed for
100 ms, a puck that is not connected or whose sensor is not well, and a quaternion that is none, all give samples
flagged STALE. See docs/devices/fitmi.md.
"""

import math

from controller.drivers.ports import LineSettings
from controller.drivers.pucks.base import NEVER
from controller.drivers.pucks.kind import PuckKind
from controller.vocabulary.capabilities import Capabilities
from controller.vocabulary.sample import CONNECTED, IMU_OK, STALE, TOUCHED, Quaternion, Sample, Vector
from controller.wire import fitmi as wire
from controller.wire.errors import RemoteError
from controller.wire.fitmi import BadReport, Block, PuckCommand, Report, StreamFramer

UNCHANGED_NS_MAX = 100_000_000
STEP_NS_MIN = 1_000_000  # USB gives at most one report a millisecond: a smaller step is a queue being emptied
RATE_DPS_MAX = 2500.0
COMMAND_GAP_NS = 20_000_000  # the dongle's queue is short

_STILL: Vector = (0.0, 0.0, 0.0)


class FitMiDriver:
    """Driver of one dongle. Its samples are named after the pucks, block 0 of a report first.

    `stream` is True where reports come as a byte stream (a twin on a PTY or socket) and False where each read gives
    one report (hidraw); by default the name of the device decides. A sample's `t_ns` is the host's arrival time, and
    `gyro_dps` the mean rate, puck axes, between two reports; `acc_g` and `load_n` stay None: their scales are not
    known. Counted since the start: `bad_frames` (no report, quaternion norm outside 0.9 to 1.1, rate beyond
    `RATE_DPS_MAX`) and `bunched` (reports that queued up behind a newer one, dropped).
    """

    def __init__(
        self,
        name: str = "fitmi",
        device: str = "",
        pucks: tuple[str, str] = ("blue", "yellow"),
        stream: bool | None = None,
    ) -> None:
        self.name = name
        self.device = device
        self.pucks: tuple[str, ...] = pucks
        self.stream = not device.startswith("/dev/hidraw") if stream is None else stream
        self.bad_frames = 0
        self.bunched = 0
        self._forget()

    def _forget(self) -> None:
        self._framer = StreamFramer()
        self._trackers = [_Tracker(puck) for puck in self.pucks]
        self._queue: list[bytes] = []
        self._due_ns = 0

    def start(self, now_ns: int) -> bytes:
        """The first command; those that follow come out of `poll`. Game mode on, buzz on touch off, both pucks."""
        self._forget()
        self._due_ns = now_ns
        for command, on in ((PuckCommand.GAMEON, 1), (PuckCommand.TOUCHBUZ, 0)):
            self._queue += [wire.encode_command(puck, command, 0, on) for puck in (wire.BLUE, wire.YELLOW)]
        return self.poll(now_ns)

    def poll(self, now_ns: int) -> bytes:
        """One command, if one is due. Each must be written with a write of its own."""
        if not self._queue or now_ns < self._due_ns:
            return b""
        self._due_ns = now_ns + COMMAND_GAP_NS
        return self._queue.pop(0)

    def next_deadline(self) -> int:
        """When the next command is due, ns."""
        return self._due_ns if self._queue else NEVER

    def feed(self, now_ns: int, data: bytes) -> list[Sample]:
        """The samples of both pucks in one read. Of several reports in one read only the newest is a measurement."""
        report = self._newest(data)
        if report is None:
            return []
        samples = []
        for number, (tracker, block) in enumerate(zip(self._trackers, report.blocks, strict=True)):
            if tracker.comes_back(block):
                self._wake(number, now_ns)
            sample = tracker.step(now_ns, block)
            if sample is not None:
                samples.append(sample)
        self.bad_frames += sum(tracker.take_refused() for tracker in self._trackers)
        self.bunched += sum(tracker.take_bunched() for tracker in self._trackers)
        return samples

    def _newest(self, data: bytes) -> Report | None:
        if not self.stream:
            try:
                return wire.decode_report(data)
            except RemoteError:
                self.bad_frames += 1
                return None
        newest = None
        for item in self._framer.feed(data):
            if isinstance(item, BadReport):
                # After lost bytes a report may be found at the wrong place: no rate across that seam.
                self.bad_frames += 1
                for tracker in self._trackers:
                    tracker.restart()
                newest = None
            else:
                self.bunched += newest is not None
                newest = item
        return newest

    def _wake(self, number: int, now_ns: int) -> None:
        """A puck that joins late (taken from its charger) has not heard the commands of the start."""
        if not self._queue:
            self._due_ns = max(self._due_ns, now_ns)
        for command, on in ((PuckCommand.GAMEON, 1), (PuckCommand.TOUCHBUZ, 0)):
            frame = wire.encode_command(number, command, 0, on)
            if frame not in self._queue:
                self._queue.append(frame)


class _Tracker:
    """One puck from report to report: is it fresh, and how fast does it turn."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._measured: tuple[object, ...] = ()
        self._changed_ns = 0
        self._before: Quaternion | None = None
        self._before_ns = 0
        self._rate = _STILL
        self._connected: bool | None = None
        self._refused = 0
        self._bunched = 0

    def restart(self) -> None:
        """The next quaternion has no predecessor."""
        self._before = None

    def comes_back(self, block: Block) -> bool:
        """True once when a puck that was not connected is connected."""
        before, self._connected = self._connected, bool(block.status & wire.CONNECTED)
        return before is False and self._connected

    def take_refused(self) -> int:
        refused, self._refused = self._refused, 0
        return refused

    def take_bunched(self) -> int:
        bunched, self._bunched = self._bunched, 0
        return bunched

    def step(self, now_ns: int, block: Block) -> Sample | None:
        """The sample of this block; None while there is nothing new to say."""
        alive = bool(block.status & wire.CONNECTED and block.status & wire.IMU_OK)
        if not (alive and block.quaternion_ok):
            self._refused += alive
            self.restart()
            self._measured = ()
            return self._sample(now_ns, block, None, stale=True)
        if block.measured == self._measured:
            if now_ns - self._changed_ns <= UNCHANGED_NS_MAX:
                return None
            self.restart()
            return self._sample(now_ns, block, None, stale=True)
        self._measured, self._changed_ns = block.measured, now_ns
        return self._turn(now_ns, block)

    def _turn(self, now_ns: int, block: Block) -> Sample | None:
        quaternion = _unit(block.quaternion)
        before, step_ns = self._before, now_ns - self._before_ns
        self._before, self._before_ns = quaternion, now_ns
        if before is None or step_ns > UNCHANGED_NS_MAX:
            self._rate = _STILL
            return self._sample(now_ns, block, quaternion, stale=True)
        if step_ns < STEP_NS_MIN:
            self._bunched += 1
            return None
        rate = rate_dps(before, quaternion, step_ns)
        if not math.hypot(*rate) <= RATE_DPS_MAX:
            self._refused += 1
            self._rate = _STILL
            return self._sample(now_ns, block, quaternion, stale=True)
        self._rate = rate
        return self._sample(now_ns, block, quaternion, stale=False)

    def _sample(self, now_ns: int, block: Block, quaternion: Quaternion | None, *, stale: bool) -> Sample:
        flags = STALE if stale else IMU_OK
        if block.status & wire.CONNECTED:
            flags |= CONNECTED
        if block.status & wire.TOUCHED:
            flags |= TOUCHED
        battery = block.battery if block.battery <= 100 else None
        return Sample(self.name, now_ns, self._rate, None, quaternion, None, None, battery, flags)


def _unit(raw: tuple[int, int, int, int]) -> Quaternion:
    w, x, y, z = raw
    norm = math.sqrt(w * w + x * x + y * y + z * z)
    return (w / norm, x / norm, y / norm, z / norm)


def rate_dps(before: Quaternion, after: Quaternion, step_ns: int) -> Vector:
    """Mean angular velocity in deg/s, sensor axes, between two unit quaternions (sensor to Earth), `step_ns` > 0.

    The shorter way round is taken, so that q and -q, the same orientation, give the same rate.
    """
    aw, ax, ay, az = before
    bw, bx, by, bz = after
    w = aw * bw + ax * bx + ay * by + az * bz
    x = aw * bx - ax * bw - ay * bz + az * by
    y = aw * by + ax * bz - ay * bw - az * bx
    z = aw * bz - ax * by + ay * bx - az * bw
    sine = math.sqrt(x * x + y * y + z * z)
    if sine == 0.0:
        return _STILL
    angle_deg = math.degrees(2.0 * math.atan2(sine, abs(w)))
    scale = math.copysign(angle_deg / sine, w) * 1e9 / step_ns
    return (x * scale, y * scale, z * scale)


FITMI = PuckKind(
    "fitmi", FitMiDriver, LineSettings(), Capabilities("FitMi dongle", battery=True), usb=((0x04D8, 0x2742),)
)
