"""One puck's way through the engine: bytes > samples > features > attempt events, with its rate and its age."""

from collections import deque
from math import isnan, nan

from controller.clock import MS, SECOND
from controller.drivers.pucks.base import PuckDriver, Signal, extras_of
from controller.engine.motion_watch import MotionWatch
from controller.motion.detector import AttemptDetector
from controller.motion.features import FeatureFilter
from controller.motion.settings import AttemptSettings
from controller.vocabulary.events import MotionEvent
from controller.vocabulary.feature import Feature
from controller.vocabulary.sample import STALE, TOUCHED, Sample
from controller.vocabulary.snapshot import MotionPoint, PuckView

STRIP_EVERY_NS = 20 * MS
STRIP_POINTS_MAX = 64


class Vitals:
    """What the screen says of one puck: its fresh samples, and its battery in percent (-1: not known)."""

    def __init__(self) -> None:
        self.battery_percent = -1
        self._newest_ns = 0
        self._arrivals: deque[int] = deque(maxlen=1024)

    def take(self, sample: Sample) -> None:
        """A sample of this puck. What is stale says that the dongle talks, not that the puck does."""
        if sample.battery_percent is not None:
            self.battery_percent = sample.battery_percent
        if not sample.flags & STALE:
            self._newest_ns = sample.t_ns
            self._arrivals.append(sample.t_ns)

    def rate_hz(self, now_ns: int) -> float:
        """Fresh samples in the last second."""
        arrivals = self._arrivals
        while arrivals and now_ns - arrivals[0] > SECOND:
            arrivals.popleft()
        return float(len(arrivals))

    def age_ms(self, now_ns: int) -> int:
        """Age of the newest fresh sample, -1 before the first."""
        return (now_ns - self._newest_ns) // MS if self._newest_ns else -1


class MotionFeed:
    """Feeds the detector with one puck (the driver's first unless `which` names another), and keeps what the screen
    wants to see of the motion."""

    def __init__(self, driver: PuckDriver, settings: AttemptSettings, nominal_rate_hz: float, which: str = "") -> None:
        self.driver = driver
        self.puck = which or driver.pucks[0]
        self.settings = settings
        self.filter = FeatureFilter(settings, nominal_rate_hz)
        self.watch = MotionWatch(driver, self.puck, settings, self.filter)
        self.detector = AttemptDetector(settings, settings.floor_dps, self.puck, self.watch.gate)
        self.feature: Feature | None = None
        self.sample_ns = 0
        self.lost = "not opened yet"
        self.touched = self.touch_began = False
        """A hand is on the puck; this sample says so, and the one before it that there was none. A stale puck says
        neither, so that a hand which lay there all the while is no new touch when it is fresh again."""
        self._untouched = False
        self.load_n = nan
        self._extras = extras_of(driver)
        self.senses = self._extras.senses(self.puck)
        self._vitals = {name: Vitals() for name in (self.puck, *driver.pucks)}
        self._own = self._vitals[self.puck]
        self._strip: list[MotionPoint] = []
        self._strip_ns = 0

    def hear(self, now_ns: int, data: bytes) -> list[Sample]:
        """The samples in the bytes of one read; where motion is judged against a second puck, that one's first."""
        samples = self.driver.feed(now_ns, data)
        second = self.watch.second
        return sorted(samples, key=lambda sample: sample.puck != second) if second and len(samples) > 1 else samples

    def take(self, sample: Sample, started_ns: int) -> tuple[Feature, list[MotionEvent]]:
        """Feature and events of one sample. While the angle is not known it is NaN."""
        watch, detector = self.watch, self.detector
        sample = watch.before(sample)
        feature = self.filter.step(sample)
        if watch.gate is not None:
            watch.see(feature.t_ns, feature.angular_speed_dps)
        events = detector.step(feature)
        watch.after(sample, feature, detector, events)
        if watch.angle_lost:
            feature = feature._replace(angle_deg=nan)
        self.feature = feature
        fresh = not sample.flags & STALE and not isnan(feature.angular_speed_dps)
        if fresh:
            self.sample_ns = sample.t_ns
        touched = fresh and bool(sample.flags & TOUCHED)
        self.touch_began, self.touched = touched and self._untouched, touched
        self._untouched = fresh and not touched
        self.load_n = sample.load_n if fresh and sample.load_n is not None else nan
        self._own.take(sample)
        if sample.t_ns - self._strip_ns >= STRIP_EVERY_NS:
            self._strip_ns = sample.t_ns
            if len(self._strip) < STRIP_POINTS_MAX:
                at_ms = (sample.t_ns - started_ns) // MS
                self._strip.append(MotionPoint(at_ms, round(feature.angular_speed_dps, 2), round(feature.angle_deg, 2)))
        return feature, events

    def current(self, now_ns: int, on: bool) -> None:
        """Current began or ended (call it at least at each change)."""
        self.detector.stimulation(now_ns, on)
        self.watch.current(now_ns, on)

    def glance(self, sample: Sample) -> None:
        """A sample of another puck: shown, and acted upon only as what the used one moves against."""
        self.watch.glance(sample)
        vitals = self._vitals.get(sample.puck)
        if vitals is not None:
            vitals.take(sample)

    def signal(self, now_ns: int, what: Signal) -> None:
        """Show it on the puck that is used, where it can."""
        self._extras.signal(now_ns, self.puck, what)

    def farewell(self, now_ns: int) -> tuple[bytes, ...]:
        """The last writes, which leave the pucks as they were found."""
        return self._extras.close(now_ns)

    def strip(self) -> tuple[MotionPoint, ...]:
        """The points of the strip chart since the last call."""
        points, self._strip = tuple(self._strip), []
        return points

    def rate_hz(self, now_ns: int) -> float:
        """Fresh samples a second over the last second."""
        return self._own.rate_hz(now_ns)

    def fresh(self, now_ns: int) -> bool:
        """The newest sample is younger than the limit."""
        return self.sample_ns > 0 and now_ns - self.sample_ns <= self.settings.stale_ns

    def views(self, now_ns: int) -> tuple[PuckView, ...]:
        """The puck that is used, then the others of its dongle."""
        driver, several = self.driver, len(self._vitals) > 1
        return tuple(
            PuckView(
                name=name if several else driver.name,
                device=driver.device,
                rate_hz=vitals.rate_hz(now_ns),
                age_ms=vitals.age_ms(now_ns),
                bad_frames=driver.bad_frames,
                lost=self.lost,
                battery_percent=vitals.battery_percent,
                used=name in (self.puck, self.watch.second),
                remark=(self.watch.remark or self._extras.remark) if name == self.puck else "",
            )
            for name, vitals in self._vitals.items()
        )
