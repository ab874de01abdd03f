"""Facts: what the gateway says about itself and its unit, to the engine and to the screen."""

from dataclasses import dataclass
from enum import StrEnum

from controller.vocabulary.capabilities import UNKNOWN, Capabilities
from controller.vocabulary.pedal import PedalReport
from controller.vocabulary.stages import Stage
from safety.orders import ArmScope

__all__ = [
    "ArmDenied",
    "ArmNumber",
    "ArmScope",
    "BurstEnded",
    "BurstStarted",
    "Ceiling",
    "ChannelOutput",
    "Fact",
    "GatewayState",
    "GatewayStatus",
    "JointReport",
    "Latched",
    "PedalPressed",
    "Refusal",
]


class GatewayState(StrEnum):
    """The gateway's own states. Each permits what is written beside it; `LATCHED` is reachable from all."""

    CLOSED = "closed"  # no port: nothing can flow
    CONNECTED = "connected"  # port open, unit not yet identified or initialised
    DISARMED = "disarmed"  # unit ready at zero; orders to deliver are refused
    ARMED = "armed"  # orders to deliver are put to the guard
    DELIVERING = "delivering"  # a lease is live and current flows
    RESTING = "resting"  # between bursts: still armed, the guard holds the minimum rest
    LATCHED = "latched"  # stopped; only a person's re-arm with a reason leaves this state


@dataclass(frozen=True, slots=True)
class ChannelOutput:
    """One channel as commanded and as the unit last confirmed it, in microamperes; `fault` as the unit words it."""

    channel: int
    commanded_ua: int
    confirmed_ua: int
    fault: str = ""


@dataclass(frozen=True, slots=True)
class JointReport:
    """The powered orthosis as it last said it is: cdeg, cdeg/s, signed mNm (+ = extension).

    `t_ns` is when it said so (0: never), `moving`: an admitted movement is in force, `fault`: what stands in the way.
    The limits are the guard's effective ones of now (0 torque: nothing was found today yet, or the range is empty);
    `bound_by` is what binds the torque. `rest_until_ns` is when the rest after the last movement ends (0: it has).
    """

    t_ns: int
    identity: str
    ready: bool
    moving: bool
    angle_cdeg: int
    speed_cdps: int
    torque_mnm: int
    torque_on: bool
    fault: str = ""
    rest_until_ns: int = 0
    torque_limit_mnm: int = 0
    torque_step_mnm: int = 1
    speed_limit_cdps: int = 0
    angle_min_cdeg: int = 0
    angle_max_cdeg: int = 0
    bound_by: str = ""


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The most that the patient accepted today on a channel over this region."""

    channel: int
    region: str
    ua: int


@dataclass(frozen=True, slots=True)
class GatewayStatus:
    """The gateway's state. Sent on every change and each 100 ms; older than 300 ms means the gateway is silent.

    `blocked` says in one sentence why it cannot be armed now ("" when it can). `cause` is the first cause of the
    latch and `todo` what the therapist should do about it. `confirmed_age_ms` is the age of the unit's last report.
    `rest_until_ns` is when the guard's minimum rest ends (0 when it has). `capabilities` are the unit's; `joint` holds
    the powered orthosis where one is fitted, else nothing.
    """

    t_ns: int
    state: GatewayState
    scope: ArmScope | None
    unit: str
    simulated: bool
    stop_tested: bool
    blocked: str
    cause: str
    todo: str
    outputs: tuple[ChannelOutput, ...]
    confirmed_age_ms: int
    rest_until_ns: int
    refused: int
    wire_faults: int
    capabilities: Capabilities = UNKNOWN
    warning: str = ""
    """What a person should know of the unit while it goes on (a battery that runs down), with what to do."""
    joint: tuple[JointReport, ...] = ()
    pedals: tuple[PedalReport, ...] = ()
    """The foot pedals that were named at the start: the one that stops, the one that is a protocol's button."""
    stage: Stage = Stage.NONE
    """What the devices that are connected may be used for."""
    permission: str = ""
    """Why the devices may not be used, in one sentence ("" when they may, or have not said who they are)."""
    operator: str = ""
    alone: bool = False
    """Nobody has pressed anything for ten minutes: the screen asks whether somebody is with the patient."""
    dropped: int = 0
    """Orders that came while nothing was armed; `refused` counts those that the guard refused."""
    identified: tuple[int, ...] = ()
    """The channels whose muscle a person saw move today, for the patient who is prescribed now."""
    position: str = ""
    """How the patient is placed, as a person confirmed last ("": nobody has), and of whom that was said."""
    position_of: str = ""
    ceilings: tuple[Ceiling, ...] = ()
    """What was found earlier today for the patient who is prescribed now: nothing may be found above it again."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The guard refused an order: rule, reason, and whether that latched the gateway."""

    t_ns: int
    seq: int
    rule: str
    reason: str
    latched: bool


@dataclass(frozen=True, slots=True)
class Latched:
    """The gateway stopped and latched, with its first cause."""

    t_ns: int
    cause: str
    todo: str


@dataclass(frozen=True, slots=True)
class BurstStarted:
    """The first update with current of a burst was written. Times of its stages, all on the same clock, in ns."""

    seq: int
    received_ns: int
    admitted_ns: int
    written_ns: int


@dataclass(frozen=True, slots=True)
class BurstEnded:
    """Output went to zero: when, and until when the guard holds the minimum rest."""

    t_ns: int
    why: str
    rest_until_ns: int


@dataclass(frozen=True, slots=True)
class PedalPressed:
    """The button pedal was pressed. It goes to the engine alone."""

    t_ns: int


@dataclass(frozen=True, slots=True)
class ArmNumber:
    """The number of one arming attempt. It goes to the screen alone; the engine never sees it."""

    number: int
    scope: ArmScope
    expires_ns: int


@dataclass(frozen=True, slots=True)
class ArmDenied:
    """Arming was not possible; `reason` says why and what to do."""

    reason: str


@dataclass(frozen=True, slots=True)
class LogHead:
    """How far the gateway's log is known to be on disk: number and hash of that record, for the session's journal."""

    seq: int
    hash: str


Fact = LogHead | GatewayStatus | Refusal | Latched | BurstStarted | BurstEnded | JointReport | PedalPressed
