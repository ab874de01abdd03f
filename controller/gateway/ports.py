"""What goes into and comes out of the gateway's core: plain values, performed by the shell or the virtual assembly."""

from typing import Any, NamedTuple

from controller.vocabulary.facts import ArmDenied, ArmNumber, Fact
from controller.vocabulary.notices import Notice
from controller.vocabulary.requests import Request
from safety.joint import MotionOrder
from safety.orders import Order


class FromEngine(NamedTuple):
    """An order or a notice of the engine."""

    message: Order | MotionOrder | Notice


class FromFront(NamedTuple):
    """A person's request, straight from the screen."""

    message: Request


class EngineGone(NamedTuple):
    """The engine's line has ended."""

    cause: str


class FrontGone(NamedTuple):
    """The screen's line has ended."""

    cause: str


class UnitOpened(NamedTuple):
    """The unit's port is open."""

    port: str


class UnitMissing(NamedTuple):
    """The unit's port could not be opened; one sentence with what to do."""

    cause: str


class UnitGone(NamedTuple):
    """The unit's port was lost."""

    cause: str


class UnitBytes(NamedTuple):
    """Bytes from the unit."""

    data: bytes


class JointOpened(NamedTuple):
    """The powered orthosis' port is open."""

    port: str


class JointMissing(NamedTuple):
    """The powered orthosis' port could not be opened; one sentence with what to do."""

    cause: str


class JointGone(NamedTuple):
    """The powered orthosis' port was lost."""

    cause: str


class JointBytes(NamedTuple):
    """Bytes from the powered orthosis."""

    data: bytes


class StopSignal(NamedTuple):
    """STOP from outside the screen: `stimloop stop`, a pedal, or a signal to this process."""

    source: str


UnitInput = UnitOpened | UnitMissing | UnitGone | UnitBytes
JointInput = JointOpened | JointMissing | JointGone | JointBytes
Input = FromEngine | FromFront | EngineGone | FrontGone | UnitInput | JointInput | StopSignal


class ToUnit(NamedTuple):
    """Bytes for the unit's port."""

    data: bytes


class ToEngine(NamedTuple):
    """A fact for the engine."""

    message: Fact


class ToFront(NamedTuple):
    """A fact or an arming answer for the screen."""

    message: Fact | ArmNumber | ArmDenied


class OpenUnit(NamedTuple):
    """Try to open the unit's port now."""


class CloseUnit(NamedTuple):
    """Close the unit's port."""


class ToJoint(NamedTuple):
    """Bytes for the powered orthosis' port."""

    data: bytes


class OpenJoint(NamedTuple):
    """Try to open the powered orthosis' port now."""


class CloseJoint(NamedTuple):
    """Close the powered orthosis' port."""


class Log(NamedTuple):
    """A record for the gateway's own log; `sync` asks for it to be on disk as soon as possible."""

    t_ns: int
    kind: str
    data: dict[str, Any]
    sync: bool


class OpenLog(NamedTuple):
    """Keep the log in this folder from now on."""

    folder: str


Output = ToUnit | ToJoint | ToEngine | ToFront | OpenUnit | CloseUnit | OpenJoint | CloseJoint | Log | OpenLog
