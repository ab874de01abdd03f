"""`Snapshot`: everything the screen paints, in one value. The engine makes about 25 a second; the latest wins."""

from dataclasses import dataclass
from enum import StrEnum

from controller.vocabulary.button import ButtonSource
from controller.vocabulary.feature import AttemptState
from controller.vocabulary.intents import Orthosis


class SessionState(StrEnum):
    """Where the session is. Set-up goes from the top to the bottom; `TRIPPED` is reachable from all."""

    IDLE = "idle"
    SCREENING = "screening"
    FITTING = "fitting"
    CALIBRATING = "calibrating"
    READY = "ready"
    RUNNING = "running"
    PAUSED = "paused"
    REVIEW = "review"
    TRIPPED = "tripped"


@dataclass(frozen=True, slots=True)
class ChannelView:
    """One channel of the protocol with what fitting found today (0 = not found yet), amplitudes in uA."""

    name: str
    channel: int
    muscle: str
    placement: str
    region: str
    pad_area_mm2: int
    pulse_width_us: int
    period_us: int
    now_ua: int
    sensory_ua: int
    motor_ua: int
    tolerance_ua: int
    limit_ua: int
    limit_source: str
    step_ua: int = 500
    """One step of fitting: the unit's amplitude grid."""


@dataclass(frozen=True, slots=True)
class PuckView:
    """One puck: fresh samples a second, age of the newest (-1: none yet), and what was wrong on its link."""

    name: str
    device: str
    rate_hz: float
    age_ms: int
    bad_frames: int
    lost: str
    battery_percent: int = -1
    """-1 where it is not known."""
    used: bool = True
    """False for the other puck of a dongle: it is shown, and nothing depends on it."""
    remark: str = ""
    """A sentence for the person at the screen."""


@dataclass(frozen=True, slots=True)
class CalibrationView:
    """Calibration: `stage` is idle, rest, attempts, done or failed; speeds in deg/s; `advice` says what to do."""

    stage: str
    progress: float
    rest_p99_dps: float
    peaks_dps: tuple[float, ...]
    threshold_dps: float
    advice: str


@dataclass(frozen=True, slots=True)
class TallyView:
    """Counts of this session."""

    attempts: int
    assisted: int
    completed: int
    missed: int
    target: int
    score: int
    streak: int
    best_streak: int
    cheer: str


@dataclass(frozen=True, slots=True)
class WornView:
    """An orthosis that is worn now: its side, the angle it is set to (cdeg, None: it has none), and since when (ns)."""

    kind: Orthosis
    side: str
    angle_cdeg: int | None
    since_ns: int


@dataclass(frozen=True, slots=True)
class ButtonView:
    """One source of the protocol's button; `wanted`: the present phase waits for a press from there."""

    source: ButtonSource
    wanted: bool


@dataclass(frozen=True, slots=True)
class JointView:
    """What the protocol wants of a powered orthosis at most: the joint, mNm, cdeg/s and the range in cdeg.

    `asked_mnm` is the torque that the engine asks for at most just now (0: none), `aim_cdeg` where to.
    """

    region: str
    torque_mnm: int
    speed_cdps: int
    angle_min_cdeg: int
    angle_max_cdeg: int
    asked_mnm: int = 0
    aim_cdeg: int = 0


@dataclass(frozen=True, slots=True)
class QuestionView:
    """A row of the screening list as it is asked: its kind and what belongs to an answer, in the list's own words.

    `good` is the answer that is in order; `note` says what is known of it already (how long pads have been in use).
    """

    row: str
    kind: str
    asks: str
    question: str
    source: str
    good: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class MotionPoint:
    """One point of the strip chart: ms since session start, deg/s, deg."""

    t_ms: int
    speed_dps: float
    angle_deg: float


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The session as it is now. Times in ns on the engine's clock, elapsed times in ms."""

    t_ns: int
    number: int
    state: SessionState
    patient: str
    affected_side: str
    protocol: str
    activity: str
    task: str
    phase: str
    prompt: str
    cue_number: int
    """Rises by one each time the patient is asked to try; 0 before the first time."""
    phase_elapsed_ms: int
    phase_limit_ms: int
    session_elapsed_ms: int
    attempt_state: AttemptState
    speed_dps: float
    threshold_dps: float
    angle_deg: float
    motion: tuple[MotionPoint, ...]
    channels: tuple[ChannelView, ...]
    pucks: tuple[PuckView, ...]
    calibration: CalibrationView
    tally: TallyView
    trip: str
    todo: str
    folder: str
    journal_backlog_ms: int
    latency_ms: float | None
    joint: tuple[JointView, ...] = ()
    """The joint of the protocol's powered orthosis; nothing where it has none."""
    position: str = ""
    """How the protocol wants the patient placed: seated, lying or standing."""
    worn: tuple[WornView, ...] = ()
    """Splints and the like that are worn now, in the order in which they went on."""
    limb_held: bool = False
    """Somebody else moves the limb: nothing is an attempt, and no help begins."""
    buttons: tuple[ButtonView, ...] = ()
    """Where a press of the protocol's button can come from; nothing where it listens to none."""
    screening: tuple[QuestionView, ...] = ()
    """The screening list, while it is asked."""
    screening_version: int = 0
    reminders: tuple[str, ...] = ()
    """What the screening found that has to be kept in mind all session."""
    skin_due: str = ""
    """The skin has to be looked at now, in words; "" when it has not."""
