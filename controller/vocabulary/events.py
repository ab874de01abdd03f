"""Events: what happened, in past participles. Motion, drivers and the gateway make them; the session reads them."""

from dataclasses import dataclass
from enum import StrEnum


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


class Veto(StrEnum):
    """Why a movement that was fast and long enough is no attempt."""

    DIRECTION = "direction"  # against the way that the protocol asks for
    OFF_AXIS = "off_axis"  # neither that way nor against it
    TREMOR = "tremor"  # to and fro


@dataclass(frozen=True, slots=True)
class AttemptVetoed:
    """A movement that crossed the attempt threshold and stayed there, and is no attempt: logged, never stimulated."""

    t_ns: int
    value: float
    why: Veto


@dataclass(frozen=True, slots=True)
class AttemptTooWeak:
    """While an attempt was looked for the limb moved, and stayed below the attempt threshold. Speeds in deg/s."""

    t_ns: int
    peak: float
    threshold: float


@dataclass(frozen=True, slots=True)
class ClonusSeen:
    """The limb beats at 5 to 8 times a second; `rms_dps` is how strongly."""

    t_ns: int
    rms_dps: float


@dataclass(frozen=True, slots=True)
class SpasmSuspected:
    """After the current had ended the limb jerked anew. It may be a stretch reflex; an inertial sensor cannot know."""

    t_ns: int
    peak_dps: float
    after_off_ns: int


@dataclass(frozen=True, slots=True)
class CompensationSeen:
    """What the second puck is on, trunk or arm, has turned by so much since it rested."""

    t_ns: int
    turn_deg: float


@dataclass(frozen=True, slots=True)
class GyroClipped:
    """The gyroscope reached the end of its range: the angle is not known until the limb has been still."""

    t_ns: int


@dataclass(frozen=True, slots=True)
class AngleFound:
    """The limb was still: the angle is known again."""

    t_ns: int


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


MotionEvent = (
    AttemptStarted
    | AttemptFaded
    | AttemptOutsideWindow
    | AttemptVetoed
    | AttemptTooWeak
    | ClonusSeen
    | SpasmSuspected
    | CompensationSeen
    | GyroClipped
    | AngleFound
    | PuckStale
    | PuckFresh
)
Event = MotionEvent | DeviceLost
