"""`CalibrationRun`: the calibration of one session, driven sample by sample: rest first, then asked-for attempts."""

from enum import StrEnum
from typing import Final

from controller.motion.calibration import (
    NOT_STILL,
    TOO_FEW,
    Calibrated,
    CalibrationRefused,
    calibrate_attempts,
    calibrate_rest,
    rest_level,
    rise_dps,
)
from controller.motion.settings import AttemptSettings
from controller.vocabulary.feature import Feature
from controller.vocabulary.snapshot import CalibrationView

_SECOND: Final = 1_000_000_000

RELAX_NS: Final = 2 * _SECOND
"""From the end of an attempt to the next cue: the limb's way back is a movement too, and no attempt."""


class _Step(StrEnum):
    IDLE = "idle"
    REST = "rest"
    RESTED = "rested"  # rest is recorded, the attempts have not been asked for yet
    SETTLE = "settle"  # waiting for stillness before the next cue
    CUED = "cued"  # the patient is asked to try
    MOVING = "moving"
    DONE = "done"
    FAILED = "failed"


_STAGE: Final = dict.fromkeys((_Step.SETTLE, _Step.CUED, _Step.MOVING), "attempts") | {_Step.RESTED: "rest"}


class CalibrationRun:
    """Rest for `rest_s`, then `attempts` cues of at most `timeout_s` each (0 cues: threshold from rest alone).

    An attempt is a rise above `rise_dps` for the dwell, followed by stillness; its peak is kept. A cue without one is
    a miss; more than half of the cues must be answered. `result` is None until the run is over; both starts may be
    called again at any time to repeat that part. Features that are not numbers are passed over.
    """

    def __init__(
        self, settings: AttemptSettings, rest_s: float = 10.0, attempts: int = 5, timeout_s: float = 10.0
    ) -> None:
        if not (1.0 <= rest_s <= 120.0 and 0 <= attempts <= 50 and 1.0 <= timeout_s <= 120.0):
            raise ValueError(f"calibration of {rest_s} s rest and {attempts} attempts of {timeout_s} s is not possible")
        self._settings = settings
        self._rest_ns = round(rest_s * _SECOND)
        self._attempts = attempts
        self._timeout_ns = round(timeout_s * _SECOND)
        self._step = _Step.IDLE
        self._since_ns = 0  # when this step began
        self._now_ns = 0
        self._speeds: list[float] = []
        self._rest_p99 = 0.0
        self._peaks: list[float] = []
        self._relaxed_ns = 0
        self._above_ns = -1  # since when the speed has been above the rise
        self._peak = 0.0
        self.cue_number = 0
        """Rises by one each time the patient is asked to try."""
        self.result: Calibrated | CalibrationRefused | None = None

    @property
    def next_cue(self) -> bool:
        """True while the patient should be asked to try."""
        return self._step is _Step.CUED

    @property
    def asks(self) -> bool:
        """The patient is asked for attempts at all."""
        return self._attempts > 0

    @property
    def resting(self) -> bool:
        """The limb at rest is being recorded."""
        return self._step is _Step.REST

    @property
    def moving(self) -> bool:
        """The limb is in an asked-for attempt, from its first rise on."""
        return self._step is _Step.MOVING or (self._step is _Step.CUED and self._above_ns >= 0)

    def refuse(self, refused: CalibrationRefused) -> None:
        """What else was found in the same attempts speaks against them."""
        self._end(refused)

    @property
    def view(self) -> CalibrationView:
        """For the screen. `progress` is 0..1 of the running stage."""
        result = self.result
        return CalibrationView(
            stage=_STAGE.get(self._step, self._step.value),
            progress=self._progress(),
            rest_p99_dps=self._rest_p99,
            peaks_dps=tuple(self._peaks),
            threshold_dps=result.threshold_dps if isinstance(result, Calibrated) else 0.0,
            advice=result.advice if isinstance(result, CalibrationRefused) else _ADVICE[self._step],
        )

    def start_rest(self, now_ns: int) -> None:
        """Begin to record the limb at rest (also again, which drops what was recorded)."""
        self._speeds = []
        self._rest_p99 = 0.0
        self._peaks = []
        self.cue_number = 0
        self.result = None
        self._now_ns = now_ns
        self._go(_Step.REST, now_ns)

    def start_attempts(self, now_ns: int) -> None:
        """Begin to ask for attempts (also again). Raises ValueError while no usable rest is recorded."""
        if self._rest_p99 <= 0.0:
            raise ValueError("rest must be recorded before the attempts")
        self._peaks = []
        self.cue_number = 0
        self.result = None
        self._now_ns = self._relaxed_ns = now_ns
        self._go(_Step.SETTLE, now_ns)

    def step(self, feature: Feature) -> None:
        """The next feature of the puck that is being calibrated."""
        t_ns, speed, _, quiet_ns = feature
        self._now_ns = t_ns
        match self._step:
            case _Step.REST:
                self._rest(t_ns, speed)
            case _Step.SETTLE:
                self._settle(t_ns, quiet_ns)
            case _Step.CUED:
                self._cued(t_ns, speed)
            case _Step.MOVING:
                self._moving(t_ns, speed, quiet_ns)
            case _:
                return

    def _rest(self, t_ns: int, speed: float) -> None:
        if speed >= 0.0:
            self._speeds.append(speed)
        if t_ns - self._since_ns < self._rest_ns:
            return
        if not len(self._speeds) >= self._settings.min_rate_hz * self._rest_ns / _SECOND * 0.9:
            self._end(CalibrationRefused("puck too slow", "Too few samples came: bring the puck nearer, charge it."))
            return
        rest_p99 = rest_level(self._speeds)
        result = calibrate_rest(self._settings, rest_p99)
        if isinstance(result, CalibrationRefused):
            self._end(result)
            return
        self._rest_p99 = max(rest_p99, 1e-6)
        if self._attempts:
            self._go(_Step.RESTED, t_ns)
        else:
            self._end(result)

    def _settle(self, t_ns: int, quiet_ns: int) -> None:
        still_for = min(quiet_ns, t_ns - self._relaxed_ns)
        if still_for >= self._settings.quiet_before_ns:
            self.cue_number += 1
            self._above_ns = -1
            self._peak = 0.0
            self._go(_Step.CUED, t_ns)
        elif t_ns - max(self._since_ns, self._relaxed_ns) > self._timeout_ns:
            self._end(CalibrationRefused(NOT_STILL, "The limb did not come to rest: support it and try again."))

    def _cued(self, t_ns: int, speed: float) -> None:
        if speed > rise_dps(self._settings, self._rest_p99):
            self._peak = max(self._peak, speed)
            if self._above_ns < 0:
                self._above_ns = t_ns
            if t_ns - self._above_ns >= self._settings.dwell_ns:
                self._go(_Step.MOVING, t_ns)
            return
        self._above_ns = -1
        self._peak = 0.0
        if t_ns - self._since_ns > self._timeout_ns:
            self._next(t_ns)

    def _moving(self, t_ns: int, speed: float, quiet_ns: int) -> None:
        self._peak = max(self._peak, speed)
        if quiet_ns >= self._settings.quiet_before_ns:
            self._peaks.append(self._peak)
            self._next(t_ns)
        elif t_ns - self._since_ns > self._timeout_ns:
            self._next(t_ns)

    def _next(self, t_ns: int) -> None:
        """After an attempt or a miss: the next cue, or the result."""
        if self.cue_number < self._attempts:
            self._relaxed_ns = t_ns + RELAX_NS
            self._go(_Step.SETTLE, t_ns)
        elif 2 * len(self._peaks) > self._attempts:
            self._end(calibrate_attempts(self._settings, self._rest_p99, self._peaks))
        else:
            seen = f"Only {len(self._peaks)} of {self._attempts} attempts were seen."
            self._end(CalibrationRefused(TOO_FEW, f"{seen} Check the puck's strap and side, then try again."))

    def _end(self, result: Calibrated | CalibrationRefused) -> None:
        self.result = result
        self._go(_Step.DONE if isinstance(result, Calibrated) else _Step.FAILED, self._now_ns)

    def _go(self, step: _Step, now_ns: int) -> None:
        self._step = step
        self._since_ns = now_ns

    def _progress(self) -> float:
        match self._step:
            case _Step.REST:
                return min(1.0, max(0.0, (self._now_ns - self._since_ns) / self._rest_ns))
            case _Step.SETTLE:
                return self.cue_number / self._attempts
            case _Step.CUED | _Step.MOVING:
                return (self.cue_number - 1) / self._attempts
            case _Step.RESTED | _Step.DONE:
                return 1.0
            case _:
                return 0.0


_ADVICE: Final = {
    _Step.IDLE: "Rest the limb on its support and record it at rest.",
    _Step.REST: "Leave the limb still.",
    _Step.RESTED: "Rest is recorded. Next: the patient's own attempts.",
    _Step.SETTLE: "Relax and let the limb lie still.",
    _Step.CUED: "Try to move now.",
    _Step.MOVING: "Good. Now let go.",
    _Step.DONE: "The attempt threshold is ready.",
    _Step.FAILED: "",
}
