"""`FeatureFilter`: from the samples of one puck to the features that the session acts on. Plain floats, causal."""

from math import nan, sqrt
from typing import Final

from controller.motion.angle import LimbAngle
from controller.motion.filters import VectorLowPass, butterworth_lowpass
from controller.motion.settings import AttemptSettings
from controller.vocabulary.feature import Feature
from controller.vocabulary.sample import CONNECTED, IMU_OK, STALE, Sample, Vector

_new: Final = tuple.__new__  # what `Feature(...)` ends in, without the 0.2 us before it
_GOOD: Final = CONNECTED | IMU_OK
_FLAGS: Final = CONNECTED | IMU_OK | STALE
_SQUARES_MAX: Final = 10_000.0**2  # (deg/s)^2: no gyroscope measures it; NaN and infinity are not below it either
_REDESIGN: Final = 0.10  # of the rate: below it the cut-off moves by less than 0.6 Hz
_RATE_SPAN_S: Final = 1.0


class FeatureFilter:
    """Samples of one puck -> `Feature`. `rate_hz` is the puck's nominal rate; the measured one replaces it.

    Each axis of the angular rate is filtered first and the norm taken then: the other way round a tremor is rectified
    into a constant and the limb never seems quiet. The time between samples is the puck's own where it has a clock,
    else that of arrival.

    A sample that must not be acted upon (flagged stale, not connected, IMU not ok, not a number, or a gyroscope that
    has repeated itself to the bit for `stuck_ns`) gives a feature whose speed is NaN and whose quiet time is 0: the
    detector refuses it. The angle then stays where it was. Raises ValueError for a rate too low for the filter.
    """

    __slots__ = (
        "_angle",
        "_broken",
        "_changed_ns",
        "_designed_hz",
        "_last",
        "_lowpass",
        "_quiet_below_dps",
        "_quiet_from_ns",
        "_settings",
        "_span_n",
        "_span_s",
        "_stale_s",
        "_stuck_ns",
        "rate_hz",
        "rates_dps",
    )

    def __init__(self, settings: AttemptSettings, rate_hz: float, axis: str = "y", sign: int = 1) -> None:
        self._settings = settings
        self._stale_s = settings.stale_ns / 1e9
        self._stuck_ns = settings.stuck_ns
        self._quiet_below_dps = settings.quiet_below_dps
        self._lowpass = VectorLowPass(butterworth_lowpass(settings.lowpass_hz, rate_hz))
        self._designed_hz = rate_hz
        self.rate_hz = rate_hz
        """Samples a second, as measured over the last unbroken second (nominal before)."""
        self.rates_dps: Vector = (0.0, 0.0, 0.0)
        """The filtered angular rate, puck axes, deg/s, of the last sample that could be acted upon."""
        self._angle = LimbAngle(axis, sign)
        self._last: Sample | None = None
        self._changed_ns = 0
        self._broken = True
        self._quiet_from_ns = -1
        self._span_n = 0
        self._span_s = 0.0

    def set_reference(self) -> None:
        """The limb's present posture becomes 0 deg."""
        self._angle.set_reference()

    def set_sign(self, sign: int) -> None:
        """Which turn about the movement axis is positive: 1 the right-hand one, -1 the other."""
        self._angle.set_sign(sign)

    def find_angle(self, sample: Sample) -> None:
        """The limb is still and its angle is not known: gravity says it; without gravity this is 0 deg."""
        self._angle.find(sample.acc_g)

    def step(self, sample: Sample) -> Feature:
        """The features at this sample."""
        _, t_ns, gyro, acc, quaternion, _, device_us, _, flags = sample
        last = self._last
        self._last = sample
        x, y, z = gyro
        if last is None or gyro != last.gyro_dps or (quaternion is not None and quaternion != last.quaternion):
            self._changed_ns = t_ns
        elif t_ns - self._changed_ns > self._stuck_ns:
            return self._refuse(t_ns)
        if flags & _FLAGS != _GOOD or not x * x + y * y + z * z <= _SQUARES_MAX:
            return self._refuse(t_ns)

        if last is None or self._broken:
            dt_s = -1.0
        elif device_us is None or last.device_us is None:
            dt_s = (t_ns - last.t_ns) * 1e-9
        else:
            dt_s = (device_us - last.device_us) * 1e-6
        if not 0.0 <= dt_s <= self._stale_s:
            self._restart(sample)
            dt_s = -1.0
        else:
            self._span_n += 1
            self._span_s += dt_s
            if self._span_s >= _RATE_SPAN_S:
                self._measure()
        self.rates_dps = x, y, z = self._lowpass.step(gyro)
        speed = sqrt(x * x + y * y + z * z)
        quiet_ns = 0
        if not speed < self._quiet_below_dps:
            self._quiet_from_ns = -1
        elif self._quiet_from_ns < 0:
            self._quiet_from_ns = t_ns
        else:
            quiet_ns = t_ns - self._quiet_from_ns
        return _new(Feature, (t_ns, speed, self._angle.step(gyro, acc, quaternion, dt_s), quiet_ns))

    def _refuse(self, t_ns: int) -> Feature:
        self._broken = True
        self._quiet_from_ns = -1
        return Feature(t_ns, nan, self._angle.angle_deg, 0)

    def _restart(self, sample: Sample) -> None:
        """Samples are missing before this one, or time ran back: what the filter remembers is another movement."""
        self._broken = False
        self._quiet_from_ns = -1
        self._span_n, self._span_s = 0, 0.0
        self._lowpass.settle(sample.gyro_dps)

    def _measure(self) -> None:
        """The rate of the second that has just passed; a new filter if the old one was made for another rate."""
        self.rate_hz = rate_hz = self._span_n / self._span_s
        self._span_n, self._span_s = 0, 0.0
        if abs(rate_hz - self._designed_hz) <= _REDESIGN * self._designed_hz:
            return
        lowest_hz = 4.0 * self._settings.lowpass_hz  # slower pucks cannot arm anyway; their filter need not be exact
        self._designed_hz = max(rate_hz, lowest_hz)
        self._lowpass.redesign(butterworth_lowpass(self._settings.lowpass_hz, self._designed_hz))
