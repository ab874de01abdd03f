"""What is done to a sample before it is judged, and what is noticed about the limb besides its attempts.

Before: the motion against a second puck where the protocol asks for that, and how late the sample is. After: which way
the limb goes, tremor and clonus, a clipped gyroscope, jerks after the current, movements too weak to count, and
whether trunk or arm move instead of the joint.
"""

from math import isnan
from typing import Final

from controller.drivers.pucks.base import PuckDriver
from controller.motion.aftermath import Aftermath, WeakAttempts
from controller.motion.axis import Axis
from controller.motion.compensation import CompensationWatch
from controller.motion.delay import DelayWatch
from controller.motion.detector import AttemptDetector
from controller.motion.features import FeatureFilter
from controller.motion.gate import AttemptGate
from controller.motion.oscillation import ClonusWatch
from controller.motion.relative import RelativeMotion
from controller.motion.settings import AttemptSettings, Direction, TremorGate
from controller.vocabulary.events import AngleFound, ClonusSeen, CompensationSeen, GyroClipped, MotionEvent
from controller.vocabulary.feature import AttemptState, Feature
from controller.vocabulary.sample import CLIPPED, STALE, Sample

FOUND_AFTER_NS: Final = 1_000_000_000
"""So long the limb has been still when its angle is taken anew."""


class MotionWatch:
    """Belongs to one feed. `gate` is the detector's; None where the protocol asks for nothing that it could tell."""

    def __init__(self, driver: PuckDriver, puck: str, settings: AttemptSettings, features: FeatureFilter) -> None:
        self._settings = settings
        self._features = features
        others = [name for name in driver.pucks if name != puck]
        self.second = others[0] if settings.relative_to and others else ""
        """The name of the puck against which motion is judged; "" where there is none."""
        self._relative = RelativeMotion(settings.stale_ns) if self.second else None
        self._compensation = CompensationWatch()
        self._compensated: CompensationSeen | None = None
        tremor = settings.tremor_gate != TremorGate.OFF
        judges = tremor or settings.direction != Direction.ANY
        self.gate = AttemptGate(settings) if judges else None
        self._clonus = ClonusWatch(features.rate_hz) if tremor else None
        self._delay = DelayWatch()
        self._aftermath = Aftermath()
        self._weak = WeakAttempts(settings.dwell_ns, settings.quiet_below_dps)
        self._blank = False
        self.angle_lost = False

    @property
    def remark(self) -> str:
        """What the person at the screen should know of the pucks, in a sentence; "" for nothing."""
        where = self._settings.relative_to
        if not where or self.second:
            return ""
        return (
            f"The protocol wants a second puck on the {where}, and there is only one: moving the whole arm will be"
            " taken for an attempt."
        )

    def glance(self, sample: Sample) -> None:
        """A sample of another puck than the one that is worn on the moving part."""
        if self._relative is not None and sample.puck == self.second:
            self._relative.second(sample)
            self._compensated = self._compensation.step(sample) or self._compensated

    def before(self, sample: Sample) -> Sample:
        """The sample as it is to be judged."""
        if self._relative is not None:
            sample = self._relative.first(sample)
        device_us = sample.device_us
        if device_us is not None and self._delay.late_ns(sample.t_ns, device_us) > self._settings.stale_ns:
            return sample._replace(flags=sample.flags | STALE)
        return sample

    def see(self, t_ns: int, speed_dps: float) -> None:
        """The filtered rate of a sample, before the detector sees its feature."""
        gate = self.gate
        if gate is None:
            return
        if isnan(speed_dps):
            gate.lose()
        else:
            gate.see(t_ns, self._features.rates_dps)

    def after(self, sample: Sample, feature: Feature, detector: AttemptDetector, events: list[MotionEvent]) -> None:
        """What else is to be said of this sample, mostly nothing, goes to `events`."""
        t_ns, speed_dps, _, quiet_ns = feature
        if self._compensated is not None:
            events.append(self._compensated)
            self._compensated = None
        if speed_dps != speed_dps:  # not a number
            if self._clonus is not None:
                self._clonus.restart()
            return
        if sample.flags & CLIPPED:
            if not self.angle_lost:
                self.angle_lost = True
                events.append(GyroClipped(t_ns))
        elif self.angle_lost and quiet_ns >= FOUND_AFTER_NS and not detector.blanked(t_ns):
            self.angle_lost = False
            self._features.find_angle(sample)
            events.append(AngleFound(t_ns))
        if self._aftermath.watches:
            jerk = self._aftermath.step(t_ns, speed_dps)
            if jerk is not None:
                events.append(jerk)
        if speed_dps >= self._settings.quiet_below_dps or self._weak.moves:
            looking = detector.state is AttemptState.ARMED
            weak = self._weak.step(t_ns, speed_dps, looking, detector.threshold_dps)
            if weak is not None:
                events.append(weak)
        if self._clonus is not None:
            rms_dps = self._clonus.step(t_ns, sample.gyro_dps, self._features.rate_hz)
            if rms_dps:
                self.gate_tremor()
                events.append(ClonusSeen(t_ns, rms_dps))

    def current(self, now_ns: int, on: bool) -> None:
        """Current began or ended."""
        if on:
            self._aftermath.began()
        else:
            self._aftermath.ended(now_ns)

    def hands_on(self) -> None:
        """Somebody else moves the limb: what it does is not its own."""
        self._aftermath.began()

    def gate_tremor(self) -> None:
        """The limb was seen to go to and fro: a gate that the protocol left to be seen is on from now on."""
        if self.gate is not None:
            self.gate.tremulous = True

    def learned(self, axis: Axis) -> None:
        """Calibration has found the way that is asked for. The angle is positive in extension from now on."""
        if self.gate is not None:
            self.gate.axis = axis
        flexion = self._settings.direction == Direction.FLEXION
        self._features.set_sign(-axis.mount_sign if flexion else axis.mount_sign)
