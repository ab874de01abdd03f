"""What becomes of the devices' ports and what the devices say: unit and powered orthosis, one function a kind."""

from collections.abc import Callable
from typing import TYPE_CHECKING, get_args

from controller.drivers.orthoses.events import JointEvent
from controller.drivers.stimulators.events import Identified, Ready, UnitEvent, UnitFault, UnitWarning
from controller.gateway import ports
from controller.gateway.states import PERMITS_DELIVERY, Happening
from controller.vocabulary.facts import GatewayState

if TYPE_CHECKING:
    from controller.gateway.core import GatewayCore


def unit_opened(core: "GatewayCore", now_ns: int, entry: ports.UnitOpened) -> None:
    """The unit's port is open."""
    core.unit.opened(now_ns, entry.port)
    if core.state is GatewayState.CLOSED:
        core.move(now_ns, Happening.OPENED)


def unit_missing(core: "GatewayCore", now_ns: int, entry: ports.UnitMissing) -> None:
    """The unit's port could not be opened."""
    core.unit.could_not_open(now_ns, entry.cause)


def unit_gone(core: "GatewayCore", now_ns: int, entry: ports.UnitGone) -> None:
    """The unit's port was lost."""
    if core.state in PERMITS_DELIVERY:
        todo = f"TAKE THE LEADS OFF: {core.kind.capabilities.alone} Then plug it in again."
        core.latch(now_ns, f"The unit was lost ({entry.cause}).", todo)
    elif core.state is not GatewayState.LATCHED and core.state is not GatewayState.CLOSED:
        core.move(now_ns, Happening.LOST)
    core.forget_wish()
    core.unit.lost(now_ns, entry.cause)
    core.report(now_ns)


def unit_bytes(core: "GatewayCore", now_ns: int, entry: ports.UnitBytes) -> None:
    """The unit said something."""
    for event in core.unit.feed(now_ns, entry.data):
        heed_unit(core, now_ns, event)


def heed_unit(core: "GatewayCore", now_ns: int, event: UnitEvent) -> None:
    """What the unit's driver makes of it."""
    if isinstance(event, Ready):
        if core.state is GatewayState.CONNECTED:
            core.move(now_ns, Happening.READY)
        core.arm_when_ready(now_ns)
    elif isinstance(event, Identified):
        core.delivery.guard.meet(event.identity)
    elif isinstance(event, UnitWarning):
        core.unit.warn(now_ns, event)
    elif isinstance(event, UnitFault):
        fault = core.unit.explain(event)
        core.latch(now_ns, fault.cause, fault.todo)


def joint(core: "GatewayCore", now_ns: int, entry: ports.JointInput) -> None:
    """Whatever comes from the powered orthosis' port."""
    if isinstance(entry, ports.JointGone):
        if core.state in PERMITS_DELIVERY:
            todo = "SUPPORT THE LIMB and switch the orthosis off at its own switch. Then plug it in again."
            core.latch(now_ns, f"The orthosis was lost ({entry.cause}).", todo)
        core.forget_wish()
    heed_joint(core, now_ns, core.joint.take(now_ns, entry))


def heed_joint(core: "GatewayCore", now_ns: int, events: list[JointEvent]) -> None:
    """What the orthosis' driver makes of it."""
    for event in events:
        fault = core.joint.heed(now_ns, event)
        if fault is not None:
            core.latch(now_ns, fault.cause, fault.todo)
        elif isinstance(event, Ready):
            core.arm_when_ready(now_ns)


INPUTS: dict[type, Callable[..., None]] = {
    ports.UnitOpened: unit_opened,
    ports.UnitMissing: unit_missing,
    ports.UnitGone: unit_gone,
    ports.UnitBytes: unit_bytes,
    **dict.fromkeys(get_args(ports.JointInput), joint),
}
