"""The typed model of a protocol file. Keys are the researcher's words; attributes carry exact integers and their units.

Quantities are read once, here, through `safety.units`. What belongs together across keys (phases that can be reached,
limits of the body region) is checked afterwards, in `checks`.
"""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Tag
from pydantic import Field as Key

from controller.motion.settings import Direction, TremorGate
from controller.session import fields
from controller.session.conditions import Condition
from controller.session.fields import Conditional, Count, Name, Sentence, Switch
from safety.joint_limits import JointRegion
from safety.limits import Region
from safety.position import Position


class Feature(StrEnum):
    """What an attempt is looked for in."""

    ANGULAR_SPEED = "angular_speed"


class Counts(StrEnum):
    """What entering a phase counts as."""

    REPETITION = "repetition"
    MISSED = "missed"


class Part(BaseModel):
    """A mapping of the file: unknown keys are faults, values do not change afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=False)


class Puck(Part):
    """The motion puck: where it sits, and the lowest sample rate that is good enough (mHz)."""

    placement: Sentence
    rate_mhz_min: fields.SampleRate = Key(alias="min_rate", default=50_000)


class Channel(Part):
    """One channel of the stimulator, as the protocol wants it at most."""

    channel: Annotated[int, Count(1, 8)]
    muscle: Sentence
    placement: Sentence
    region: Region
    pad_area_mm2: fields.Area = Key(alias="electrode_area")
    amplitude_ua: fields.Current = Key(alias="amplitude")
    pulse_width_us: fields.PulseWidth = Key(alias="pulse_width")
    interphase_us: fields.Interphase = Key(alias="interphase", default=0)
    period_us: fields.Period = Key(alias="frequency")
    ramp_up_ns: fields.Duration = Key(alias="ramp_up")
    ramp_down_ns: fields.Duration = Key(alias="ramp_down")


class Way(StrEnum):
    """Which way a muscle moves the joint of the orthosis."""

    EXTENDS = "extends"
    FLEXES = "flexes"


class Orthosis(Part):
    """The powered orthosis: the joint it moves, named positions (cdeg), and the most that is ever asked of it.

    `moved_by` says which channels' muscles move the same joint, and which way.
    """

    joint: JointRegion
    positions: dict[Name, fields.JointAngle]
    torque_mnm: fields.Torque = Key(alias="torque")
    speed_cdps: fields.JointSpeed = Key(alias="speed")
    moved_by: dict[Name, Way] = Key(default_factory=dict)


class Move(Part):
    """What a phase asks of the orthosis: to move to a position, or to hold one. None: as the protocol says."""

    move_to: Name | None = None
    hold: Name | None = None
    torque_mnm: fields.Torque | None = Key(alias="torque", default=None)
    speed_cdps: fields.JointSpeed | None = Key(alias="speed", default=None)


class Threshold(Part):
    """How calibration finds the attempt threshold (equal floor and ceiling make it fixed). Speeds in mdeg/s."""

    fraction_permille: fields.Percent = Key(alias="fraction", default=300)
    rest_multiple_milli: fields.Factor = Key(alias="rest_multiple", default=4000)
    floor_mdps: fields.Speed = Key(alias="floor", default=5000)
    ceiling_mdps: fields.Speed = Key(alias="ceiling", default=60_000)


class Attempt(Part):
    """What counts as the patient's own attempt. Defaults are those of the design."""

    feature: Feature = Feature.ANGULAR_SPEED
    self_paced: Switch = False
    window_ns: fields.Duration = Key(alias="window", default=6_000_000_000)
    lowpass_mhz: fields.Rate = Key(alias="lowpass", default=6000)
    threshold: Threshold = Threshold()
    hysteresis_permille: fields.Percent = Key(alias="hysteresis", default=500)
    dwell_ns: fields.Duration = Key(alias="dwell", default=50_000_000)
    quiet_before_ns: fields.Duration = Key(alias="quiet", default=500_000_000)
    quiet_below_mdps: fields.Speed = Key(alias="quiet_below", default=5000)
    refractory_ns: fields.Duration = Key(alias="refractory", default=500_000_000)
    blanking_ns: fields.Duration = Key(alias="blanking", default=1_000_000_000)
    min_interval_ns: fields.Duration = Key(alias="min_interval", default=0)
    direction: Direction = Direction.ANY
    tremor_gate: TremorGate = TremorGate.OFF
    relative_to: Sentence = ""
    excursion_mdeg: fields.Excursion | None = Key(alias="excursion", default=None)


class Calibration(Part):
    """Calibration before the session: a spell at rest, then the patient's own attempts."""

    rest_ns: fields.Duration = Key(alias="rest", default=10_000_000_000)
    attempts: Annotated[int, Count(3, 20)] = 5
    timeout_ns: fields.Duration = Key(alias="timeout", default=10_000_000_000)


class Follow(Part):
    """Amplitude follows the limb: `from`..`to` (mdeg) is mapped in a line onto `least`..`most` (per mille)."""

    follow: Literal["angle"]
    from_mdeg: fields.Angle = Key(alias="from")
    to_mdeg: fields.Angle = Key(alias="to")
    least_permille: fields.Percent = Key(alias="least", default=0)
    most_permille: fields.Percent = Key(alias="most", default=1000)


class Until(Part):
    """What must hold besides `at_least`."""

    quiet_ns: fields.Duration = Key(alias="quiet")


def _share_tag(value: object) -> str:
    return "=follow" if isinstance(value, dict | Follow) else "=percent"


def _then(value: Any) -> Any:
    """`then: rest` is short for `then: {done: rest}`."""
    return {"done": value} if isinstance(value, str) else value


Share = Annotated[
    Annotated[fields.Percent, Tag("=percent")] | Annotated[Follow, Tag("=follow")], Discriminator(_share_tag)
]
"""How much of a channel's ceiling: per mille, or `Follow`."""


class Phase(Part):
    """One phase of an activity."""

    prompt: Sentence = ""
    at_least_ns: fields.Duration = Key(alias="at_least", default=0)
    until: Until | None = None
    stimulate: dict[Name, Share] = Key(default_factory=dict)
    orthosis: Move | None = None
    cue: Switch | None = None
    then: Annotated[dict[Conditional, Name], BeforeValidator(_then)] = Key(default_factory=dict)
    counts: Counts | None = None

    def ways(self) -> tuple[tuple[Condition, str], ...]:
        """Ways out in the order of the file: the first whose condition is true is taken."""
        return tuple(self.then.items())


class Activity(Part):
    """A graph of phases; the first one written is where it starts."""

    task: Sentence = ""
    phases: dict[Name, Phase]


class Session(Part):
    """What a session does with the activity."""

    activity: Name
    repetitions: Annotated[int, Count(1, 1200)]


class Protocol(Part):
    """A whole protocol. `position` is how the patient is placed: the guard admits nothing in another one."""

    stimloop: Literal["1"]
    name: Sentence
    about: Sentence = ""
    task: Sentence
    position: Position
    puck: Puck | None = None
    channels: dict[Name, Channel]
    orthosis: Orthosis | None = None
    attempt: Attempt | None = None
    calibration: Calibration = Calibration()
    activity: dict[Name, Activity]
    session: Session
