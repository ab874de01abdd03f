"""What goes into and comes out of the gateway's core: plain values, performed by the shell or the virtual assembly."""

from typing import Any, NamedTuple

from controller.vocabulary.facts import ArmDenied, ArmNumber, Fact
from controller.vocabulary.notices import Notice
from controller.vocabulary.pedal import PedalRole
from controller.vocabulary.requests import Request
from safety.joint import MotionOrder
from safety.lately import Lately
from safety.orders import Order

Ceilings = tuple[tuple[int, str, int], ...]
Torques = tuple[tuple[str, str, int], ...]


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
    """STOP from outside the screen: `stimloop stop`, a pedal, or a signal to this process.

    `tests`: a person's STOP has arrived. A message that nobody can read stops as well, and shows nothing of that.
    """

    source: str
    tests: bool = True


class DoseRead(NamedTuple):
    """What a patient had earlier that day: bursts, ns of current, movements, ns of torque; or why it is not known.

    With it what of that still counts for the rests, and what was found: ceilings (channel, region, uA) and torques
    (region, side, mNm).
    """

    patient: str
    date: str
    amounts: tuple[int, int, int, int]
    fault: str
    lately: Lately = Lately()
    ceilings: Ceilings = ()
    torques: Torques = ()


class DoseFailed(NamedTuple):
    """The day's dose cannot be written down any more."""

    cause: str


class PedalOpened(NamedTuple):
    """A foot pedal is open. `held`: the keys that were down at that moment, one set for each of its nodes."""

    role: PedalRole
    serial: str
    name: str
    held: tuple[frozenset[int], ...]
    simulated: bool = False


class PedalMissing(NamedTuple):
    """A foot pedal could not be opened; one sentence with what to do."""

    role: PedalRole
    cause: str


class PedalGone(NamedTuple):
    """A foot pedal was lost."""

    role: PedalRole
    cause: str


class PedalBytes(NamedTuple):
    """Bytes of one node of a foot pedal (`node` counts from 0): input events of the kernel."""

    role: PedalRole
    node: int
    data: bytes


class AuditHead(NamedTuple):
    """The record of changes is on disk up to this record."""

    seq: int
    hash: str


class AuditFailed(NamedTuple):
    """Changes cannot be written down any more."""

    cause: str


class LogFailed(NamedTuple):
    """The gateway's own log cannot be written any more."""

    cause: str


class LogKept(NamedTuple):
    """The gateway's own log is open in this folder, and its first record there is on disk."""

    folder: str


class LogBehind(NamedTuple):
    """The gateway's own log is more than 1 s behind, or has caught up again."""

    behind: bool


UnitInput = UnitOpened | UnitMissing | UnitGone | UnitBytes
JointInput = JointOpened | JointMissing | JointGone | JointBytes
DoseInput = DoseRead | DoseFailed
AuditInput = AuditHead | AuditFailed | LogFailed | LogKept | LogBehind
PedalInput = PedalOpened | PedalMissing | PedalGone | PedalBytes
_Said = FromEngine | FromFront | EngineGone | FrontGone | StopSignal
Input = _Said | UnitInput | JointInput | PedalInput | DoseInput | AuditInput


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


class OpenPedal(NamedTuple):
    """Try to find and open this foot pedal now."""

    role: PedalRole


class Log(NamedTuple):
    """A record for the gateway's own log; `sync` asks for it to be on disk as soon as possible."""

    t_ns: int
    kind: str
    data: dict[str, Any]
    sync: bool


class OpenLog(NamedTuple):
    """Keep the log in this folder from now on."""

    folder: str


class OpenDose(NamedTuple):
    """Say what this patient had earlier on that day, and be ready to write down what comes."""

    patient: str
    date: str


class NoteDose(NamedTuple):
    """Write down what this patient has had on that day by now, as `DoseRead` gives it back."""

    t_ns: int
    patient: str
    date: str
    amounts: tuple[int, int, int, int]
    lately: Lately = Lately()
    ceilings: Ceilings = ()
    torques: Torques = ()


class Audit(NamedTuple):
    """Write down a change: what, of whom or which, now how, and why."""

    t_ns: int
    what: str
    subject: str
    new: dict[str, Any]
    reason: str


DoseOutput = OpenDose | NoteDose
_Port = OpenUnit | CloseUnit | OpenJoint | CloseJoint | OpenPedal
Output = ToUnit | ToJoint | ToEngine | ToFront | _Port | Log | OpenLog | DoseOutput | Audit
