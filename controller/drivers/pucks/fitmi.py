"""FitMi dongle with its two pucks. Angular velocity comes from successive quaternions, never from raw gyro counts.

The report has no counter and no time, so freshness is ours to prove: a block whose measurement has not changed for
100 ms, a puck that is not connected or whose sensor is not well, and a quaternion that is none, all give samples
flagged STALE. See docs/devices/fitmi.md.
"""

from controller.drivers.ports import LineSettings, is_hidraw
from controller.drivers.pucks import fitmi_scales
from controller.drivers.pucks.base import NO_SENSES, PuckDriver, PuckExtras, Senses, Signal
from controller.drivers.pucks.fitmi_link import FitMiLink
from controller.drivers.pucks.fitmi_scales import NO_SCALES, BothScales
from controller.drivers.pucks.fitmi_tracker import Tracker
from controller.drivers.pucks.kind import PuckKind
from controller.vocabulary.capabilities import Capabilities
from controller.vocabulary.sample import Sample
from controller.wire import fitmi as wire
from controller.wire.errors import RemoteError
from controller.wire.fitmi import BadReport, Block, PuckCommand, Report, StreamFramer, encode_effect

EFFECTS: dict[Signal, tuple[tuple[PuckCommand, int, int], ...]] = {
    Signal.CUE: ((PuckCommand.PULSE_BLUE, 500, 60),),
    Signal.DONE: ((PuckCommand.PULSE_GREEN, 800, 60),),
    Signal.HERE: ((PuckCommand.BLINK_BLUE, 1500, 100), (PuckCommand.PULSE_MOTOR, 300, 50)),
}
"""Command, ms and percent of what is shown. Vibration is for `HERE` alone: it shakes the sensor."""


class FitMiDriver(PuckExtras):
    """Driver of one dongle. Its samples are named after the pucks, block 0 of a report first.

    `stream` is True where reports come as a byte stream (a twin on a PTY or socket) and False where each read gives
    one report (hidraw); by default the name of the device decides. A sample's `t_ns` is the host's arrival time, and
    `gyro_dps` the mean rate, puck axes, between two reports; `acc_g` and `load_n` stay None without the scales of
    `calibration` (of the blue and of the yellow puck). Counted since the start: `bad_frames` (no report, quaternion
    norm outside 0.9 to 1.1, rate beyond 2500 deg/s) and `bunched` (reports that queued up behind a newer one, dropped).
    `blocks` are the newest report's, and `reports` counts those that were looked at.
    """

    def __init__(
        self,
        name: str = "fitmi",
        device: str = "",
        pucks: tuple[str, str] = ("blue", "yellow"),
        stream: bool | None = None,
        calibration: BothScales = NO_SCALES,
        remark: str = "",
    ) -> None:
        self.name = name
        self.device = device
        self.pucks: tuple[str, ...] = pucks
        self.stream = not (device.startswith("usb:") or is_hidraw(device)) if stream is None else stream
        self.calibration = calibration
        self.remark = remark
        self.bad_frames = 0
        self.bunched = 0
        self._begin(0)

    def _begin(self, now_ns: int) -> None:
        self.blocks: tuple[Block, Block] | None = None
        self.reports = 0
        self._framer = StreamFramer()
        self._trackers = [Tracker(*puck) for puck in zip(self.pucks, self.calibration, strict=True)]
        self._link = FitMiLink(now_ns)

    def start(self, now_ns: int) -> bytes:
        """Nothing is written until a report shows that a puck is there, or until 400 ms have passed without one."""
        self._begin(now_ns)
        return b""

    def poll(self, now_ns: int) -> bytes:
        """One command, if one is due. Each must be written with a write of its own."""
        return self._link.poll(now_ns)

    def next_deadline(self) -> int:
        """When the next command is due, or the opening goes on, ns."""
        return self._link.next_deadline()

    def senses(self, puck: str) -> Senses:
        """Touch always, load where this puck's load cell was calibrated."""
        if puck not in self.pucks:
            return NO_SENSES
        scales = self.calibration[self.pucks.index(puck)]
        return Senses(touch=True, load=scales is not None and scales.load_n is not None)

    def signal(self, now_ns: int, puck: str, what: Signal) -> None:
        """Lights at a cue and a completed repetition, light and vibration at `HERE`; dropped for a puck not there."""
        if puck in self.pucks:
            number = self.pucks.index(puck)
            for command, duration_ms, percent in EFFECTS[what]:
                self._link.effect(now_ns, number, encode_effect(number, command, duration_ms, percent))

    def close(self, now_ns: int) -> tuple[bytes, ...]:
        """The buzz on touch, which was switched off, comes back on both pucks."""
        return self._link.farewell()

    def feed(self, now_ns: int, data: bytes) -> list[Sample]:
        """The samples of both pucks in one read. Of several reports in one read only the newest is a measurement."""
        report = self._newest(data)
        if report is None:
            return []
        self.blocks = report.blocks
        self.reports += 1
        self._link.heard(now_ns, report)
        samples = []
        for tracker, block in zip(self._trackers, report.blocks, strict=True):
            sample = tracker.step(now_ns, block)
            if sample is not None:
                samples.append(sample)
            self.bad_frames += tracker.refused
            self.bunched += tracker.bunched
            tracker.refused = tracker.bunched = 0
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


def driver_at(port: str) -> PuckDriver:
    """The driver of the dongle at this port, with the scales that a person has found for it."""
    calibration, remark = fitmi_scales.load(fitmi_scales.serial_at(port))
    return FitMiDriver(device=port, calibration=calibration, remark=remark)


FITMI = PuckKind(
    "fitmi",
    FitMiDriver,
    LineSettings(),
    Capabilities("FitMi dongle", battery=True),
    usb=((0x04D8, 0x2742),),
    resembles=wire.resembles,
    pucks=("blue", "yellow"),
    at=driver_at,
)
