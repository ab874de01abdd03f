"""One puck's way through the engine: bytes > samples > features > attempt events, with its rate and its age."""

from collections import deque

from controller.clock import MS, SECOND
from controller.drivers.pucks.base import PuckDriver
from controller.motion.detector import AttemptDetector
from controller.motion.features import FeatureFilter
from controller.motion.settings import AttemptSettings
from controller.vocabulary.events import MotionEvent
from controller.vocabulary.feature import Feature
from controller.vocabulary.sample import STALE, Sample
from controller.vocabulary.snapshot import MotionPoint, PuckView

STRIP_EVERY_NS = 20 * MS
STRIP_POINTS_MAX = 64


class MotionFeed:
    """Feeds the detector and keeps what the screen wants to see of the motion."""

    def __init__(self, driver: PuckDriver, settings: AttemptSettings, nominal_rate_hz: float) -> None:
        self.driver = driver
        self.puck = driver.pucks[0]
        self.settings = settings
        self.filter = FeatureFilter(settings, nominal_rate_hz)
        self.detector = AttemptDetector(settings, settings.floor_dps, self.puck)
        self.feature: Feature | None = None
        self.sample_ns = 0
        self.lost = "not opened yet"
        self._arrivals: deque[int] = deque(maxlen=1024)
        self._strip: list[MotionPoint] = []
        self._strip_ns = 0

    def take(self, sample: Sample, started_ns: int) -> tuple[Feature, list[MotionEvent]]:
        """Feature and attempt events of one sample."""
        feature = self.filter.step(sample)
        self.feature = feature
        if not sample.flags & STALE:
            self.sample_ns = sample.t_ns
        self._arrivals.append(sample.t_ns)
        if sample.t_ns - self._strip_ns >= STRIP_EVERY_NS:
            self._strip_ns = sample.t_ns
            if len(self._strip) < STRIP_POINTS_MAX:
                at_ms = (sample.t_ns - started_ns) // MS
                self._strip.append(MotionPoint(at_ms, round(feature.angular_speed_dps, 2), round(feature.angle_deg, 2)))
        return feature, self.detector.step(feature)

    def strip(self) -> tuple[MotionPoint, ...]:
        """The points of the strip chart since the last call."""
        points, self._strip = tuple(self._strip), []
        return points

    def rate_hz(self, now_ns: int) -> float:
        """Samples a second over the last second."""
        arrivals = self._arrivals
        while arrivals and now_ns - arrivals[0] > SECOND:
            arrivals.popleft()
        return float(len(arrivals))

    def fresh(self, now_ns: int) -> bool:
        """The newest sample is younger than the limit."""
        return self.sample_ns > 0 and now_ns - self.sample_ns <= self.settings.stale_ns

    def view(self, now_ns: int) -> PuckView:
        """The puck for the screen."""
        age_ms = (now_ns - self.sample_ns) // MS if self.sample_ns else -1
        return PuckView(
            name=self.driver.name,
            device=self.driver.device,
            rate_hz=self.rate_hz(now_ns),
            age_ms=age_ms,
            bad_frames=self.driver.bad_frames,
            lost=self.lost,
        )
