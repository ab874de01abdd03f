"""Events: what happened, in past participles. Motion, drivers and the gateway make them; the session reads them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AttemptStarted:
    """The patient's own movement crossed the attempt threshold and stayed there for the dwell.

    `crossed_ns` is the arrival time of the sample at which the filtered feature first crossed, `t_ns` that of the
    sample that completed the dwell. Values in deg/s.
    """

    t_ns: int
    crossed_ns: int
    value: float
    threshold: float


@dataclass(frozen=True, slots=True)
class AttemptFaded:
    """A candidate fell back below the off threshold before its dwell was over."""

    t_ns: int
    peak: float


@dataclass(frozen=True, slots=True)
class AttemptOutsideWindow:
    """A movement that would have counted, but outside the cue window: logged, never stimulated."""

    t_ns: int
    value: float


@dataclass(frozen=True, slots=True)
class PuckStale:
    """No fresh sample for longer than the limit: triggers are blocked and current stops."""

    t_ns: int
    puck: str
    age_ns: int


@dataclass(frozen=True, slots=True)
class PuckFresh:
    """Samples flow again after a stale spell."""

    t_ns: int
    puck: str


@dataclass(frozen=True, slots=True)
class DeviceLost:
    """A port has gone: `device` names it, `cause` says what the system reported."""

    t_ns: int
    device: str
    cause: str


MotionEvent = AttemptStarted | AttemptFaded | AttemptOutsideWindow | PuckStale | PuckFresh
Event = MotionEvent | DeviceLost
