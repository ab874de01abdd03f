"""`AttemptDetector`: from features to attempts. A machine whose transitions are one table; no clock, no numpy.

    DISARMED -> QUIET_WAIT -> ARMED -> CANDIDATE (dwell) -> FIRED -> QUIET_WAIT, and BLANK while current flows and after

Stimulated motion is 5 to 50 times faster than the attempt, so amplitude cannot tell the two apart: detection is blanked
by time and re-arms on stillness alone. An inertial sensor cannot tell an attempt from a therapist's hand either:
that is what arming, the cue window and `disarm` are for.
"""

from enum import StrEnum
from typing import Final

from controller.motion.freshness import Freshness
from controller.motion.gate import AttemptGate
from controller.motion.settings import AttemptSettings
from controller.vocabulary.events import (
    AttemptFaded,
    AttemptOutsideWindow,
    AttemptStarted,
    AttemptVetoed,
    MotionEvent,
)
from controller.vocabulary.feature import AttemptState, Feature

_SPEED_MAX: Final = 100_000.0  # deg/s: refuses NaN and infinity, nothing that a limb can do

Window = tuple[int, int]
"""First and last instant, in ns, at which a movement may begin and count."""


class Turn(StrEnum):
    """What can turn the detector from one state into another."""

    LOOK = "look"  # an attempt is wanted and the puck's data can be acted upon
    STILL = "still"  # quiet long enough, puck fast enough
    SLOW = "slow"  # the puck fell below its minimum rate
    CROSSED = "crossed"  # above the attempt threshold
    FELL = "fell"  # below the off threshold before the dwell was over
    DWELT = "dwelt"  # an attempt
    VETOED = "vetoed"  # fast and long enough, but it is no attempt: the wrong way, or to and fro
    OUTSIDE = "outside"  # it would have been one, but began outside the cue window
    RECOVERED = "recovered"  # refractory time over
    STIMULATED = "stimulated"  # current flows, or flowed less than the blanking time ago; an actuator moves the limb
    CLEARED = "cleared"  # blanking over
    STALE = "stale"  # no data to act upon
    DISARM = "disarm"  # nobody wants an attempt


_S = AttemptState
TRANSITIONS: Final[dict[tuple[AttemptState, Turn], AttemptState]] = {
    (_S.DISARMED, Turn.LOOK): _S.QUIET_WAIT,
    (_S.QUIET_WAIT, Turn.STILL): _S.ARMED,
    (_S.ARMED, Turn.SLOW): _S.QUIET_WAIT,
    (_S.ARMED, Turn.CROSSED): _S.CANDIDATE,
    (_S.CANDIDATE, Turn.FELL): _S.ARMED,
    (_S.CANDIDATE, Turn.DWELT): _S.FIRED,
    (_S.CANDIDATE, Turn.VETOED): _S.QUIET_WAIT,
    (_S.CANDIDATE, Turn.OUTSIDE): _S.QUIET_WAIT,
    (_S.FIRED, Turn.RECOVERED): _S.QUIET_WAIT,
    (_S.BLANK, Turn.CLEARED): _S.QUIET_WAIT,
    **{(state, Turn.STIMULATED): _S.BLANK for state in _S if state is not _S.DISARMED},
    **{(state, Turn.STALE): _S.DISARMED for state in _S},
    **{(state, Turn.DISARM): _S.DISARMED for state in _S},
}
"""The whole machine. A turn that is not here cannot happen; asking for it is a defect and raises KeyError."""


class AttemptDetector:
    """Finds the attempts of one puck.

    It looks only while armed (`arm`). A stale puck puts it to DISARMED; the wish to look is kept, so that it waits for
    stillness again by itself once the data has been whole for the warm-up (1 s). `puck` names the puck in its events.
    `gate`, where there is one, is asked about each candidate that is fast and long enough.
    Raises ValueError for an attempt threshold outside floor .. ceiling.
    """

    __slots__ = (
        "_actuated",
        "_blank_until_ns",
        "_crossed_angle",
        "_crossed_ns",
        "_excursion",
        "_fresh",
        "_gate",
        "_next_ns",
        "_off_dps",
        "_peak",
        "_quiet_from_ns",
        "_recovered_ns",
        "_settings",
        "_state",
        "_stimulated",
        "_threshold",
        "_wanted",
        "_window",
    )

    def __init__(
        self, settings: AttemptSettings, threshold_dps: float, puck: str = "", gate: AttemptGate | None = None
    ) -> None:
        self._settings = settings
        self._gate = gate
        self._fresh = Freshness(settings, puck)
        self._state = AttemptState.DISARMED
        self._wanted = False
        self._window: Window | None = None
        self._stimulated = False
        self._actuated = False
        self._blank_until_ns = 0
        self._quiet_from_ns = -settings.quiet_before_ns  # stillness before this instant does not count
        self._recovered_ns = 0
        self._next_ns = 0
        self._crossed_ns = 0
        self._crossed_angle = 0.0
        self._peak = 0.0
        self._excursion = settings.excursion_deg or 0.0
        self._set_threshold(threshold_dps)

    @property
    def state(self) -> AttemptState:
        """Where the detector is."""
        return self._state

    @property
    def freshness(self) -> Freshness:
        """The watch over this puck's data: age, rate, stale."""
        return self._fresh

    @property
    def threshold_dps(self) -> float:
        """The attempt threshold. Setting it raises ValueError outside floor .. ceiling and while a candidate runs."""
        return self._threshold

    @threshold_dps.setter
    def threshold_dps(self, value: float) -> None:
        if self._state is AttemptState.CANDIDATE:
            raise ValueError("the attempt threshold cannot change in the middle of a movement")
        self._set_threshold(value)

    def _set_threshold(self, value: float) -> None:
        low, high = self._settings.floor_dps, self._settings.ceiling_dps
        if not low <= value <= high:
            raise ValueError(f"the attempt threshold {value} deg/s is not within {low} .. {high}")
        self._threshold = value
        self._off_dps = value * self._settings.hysteresis

    @property
    def obstacle(self) -> str:
        """Why no attempt can be seen now, in words for the screen; "" while armed or a candidate runs."""
        match self._state:
            case AttemptState.DISARMED if self._wanted:
                return "the motion puck sends no data" if self._fresh.stale else "the motion puck is warming up"
            case AttemptState.DISARMED:
                return "no attempt is asked for"
            case AttemptState.QUIET_WAIT if not self._fresh.fast:
                return f"the motion puck is too slow ({self._fresh.rate_hz:.0f} samples a second)"
            case AttemptState.QUIET_WAIT:
                return "the limb is not still"
            case AttemptState.BLANK:
                return "stimulation or orthosis is at work, or was just now"
            case AttemptState.FIRED:
                return "an attempt has just been seen"
            case _:
                return ""

    def arm(self, now_ns: int, window: Window | None = None) -> None:
        """From now on an attempt is wanted; one that begins outside `window` is reported and does not count.

        Stillness from before counts (after blanking and refractory time), so that a limb at rest is armed at the next
        sample. Called while armed it only changes the window. Raises ValueError for a window that ends before it opens.
        """
        if window is not None and not window[0] <= window[1]:
            raise ValueError(f"the cue window {window} ends before it opens")
        self._wanted = True
        self._window = window
        if self._state is AttemptState.DISARMED:
            self._look(now_ns)

    def disarm(self, now_ns: int) -> None:
        """Nobody wants an attempt: pause, inhibit, stop, or a phase without one. Blanking goes on underneath."""
        self._wanted = False
        self._window = None
        self._turn(Turn.DISARM)

    def stimulation(self, now_ns: int, on: bool) -> None:
        """Current began or ended; call it at least at each change. Blanking lasts until `blanking_ns` after the end."""
        if on:
            self._stimulated = True
            if self._state is not AttemptState.DISARMED:
                self._turn(Turn.STIMULATED)
        elif self._stimulated:
            self._stimulated = False
            self._blank_until_ns = now_ns + self._settings.blanking_ns
            self._quiet_from_ns = max(self._quiet_from_ns, self._blank_until_ns)

    def actuation(self, now_ns: int, on: bool) -> None:
        """An actuator moves the limb, or has stopped to: while it does, and until stillness after it, nothing counts.

        Call it as often as you like; only changes matter. What "stopped" means is for the caller to know.
        """
        if on:
            self._actuated = True
            if self._state not in (AttemptState.DISARMED, AttemptState.BLANK):
                self._turn(Turn.STIMULATED)
        elif self._actuated:
            self._actuated = False
            self._quiet_from_ns = max(self._quiet_from_ns, now_ns)

    def blanked(self, now_ns: int) -> bool:
        """Current flows, flowed less than the blanking time ago, or an actuator moves the limb: whatever the puck feels
        may be their doing."""
        return self._stimulated or self._actuated or now_ns < self._blank_until_ns

    def tick(self, now_ns: int) -> list[MotionEvent]:
        """Time has passed, perhaps without a sample. The first call starts the staleness watch."""
        events = self._fresh.tick(now_ns)
        if events:
            self._turn(Turn.STALE)
        return events

    def step(self, feature: Feature) -> list[MotionEvent]:
        """The next feature of this puck. Returns what happened, mostly nothing."""
        t_ns, speed, angle, quiet_ns = feature
        if not 0.0 <= speed <= _SPEED_MAX:
            self._turn(Turn.STALE)
            return self._fresh.refused(t_ns)
        fresh = self._fresh
        events = fresh.seen(t_ns)
        state = self._state
        if not fresh.warm:
            if state is not AttemptState.DISARMED:
                self._turn(Turn.STALE)
        elif state is AttemptState.QUIET_WAIT:
            if self._still(t_ns, quiet_ns):
                self._turn(Turn.STILL)
        elif state is AttemptState.ARMED:
            if not fresh.fast:
                self._turn(Turn.SLOW)
            elif speed > self._threshold:
                self._crossed_ns, self._crossed_angle, self._peak = t_ns, angle, speed
                self._turn(Turn.CROSSED)
                if self._gate is not None:
                    self._gate.begin()
                self._judge(t_ns, speed, angle, events)
        elif state is AttemptState.CANDIDATE:
            self._judge(t_ns, speed, angle, events)
        elif state is AttemptState.BLANK:
            if not self._stimulated and not self._actuated and t_ns >= self._blank_until_ns:
                self._turn(Turn.CLEARED)
        elif state is AttemptState.FIRED:
            if t_ns >= self._recovered_ns:
                self._turn(Turn.RECOVERED)
        elif self._wanted:
            self._look(t_ns)
        return events

    def _judge(self, t_ns: int, speed: float, angle: float, events: list[MotionEvent]) -> None:
        """A candidate: has it faded, has it dwelt, did it begin when it should?"""
        gate = self._gate
        if not speed >= self._off_dps or (gate is not None and not gate.follow()):
            self._turn(Turn.FELL)
            events.append(AttemptFaded(t_ns, self._peak))
            return
        if speed > self._peak:
            self._peak = speed
        crossed_ns, window = self._crossed_ns, self._window
        if t_ns - crossed_ns < self._settings.dwell_ns or not abs(angle - self._crossed_angle) >= self._excursion:
            return
        verdict = True if gate is None else gate.judge(t_ns, t_ns - crossed_ns)
        if not verdict:
            return
        if verdict is not True:
            self._turn(Turn.VETOED)
            events.append(AttemptVetoed(t_ns, speed, verdict))
            return
        if window is not None and not window[0] <= crossed_ns <= window[1]:
            self._turn(Turn.OUTSIDE)
            events.append(AttemptOutsideWindow(t_ns, speed))
            return
        self._turn(Turn.DWELT)
        self._recovered_ns = self._quiet_from_ns = t_ns + self._settings.refractory_ns
        self._next_ns = t_ns + self._settings.min_interval_ns
        events.append(AttemptStarted(t_ns, crossed_ns, speed, self._threshold))

    def _still(self, t_ns: int, quiet_ns: int) -> bool:
        needed = self._settings.quiet_before_ns
        return (
            quiet_ns >= needed and t_ns - self._quiet_from_ns >= needed and t_ns >= self._next_ns and self._fresh.fast
        )

    def _look(self, now_ns: int) -> None:
        if not self._fresh.warm:
            return
        self._turn(Turn.LOOK)
        if self._stimulated or self._actuated or now_ns < self._blank_until_ns:
            self._turn(Turn.STIMULATED)

    def _turn(self, turn: Turn) -> None:
        self._state = TRANSITIONS[self._state, turn]
