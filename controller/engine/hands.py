"""Somebody else's hands on the limb: "I move the limb", and a splint that lets nobody move it.

An inertial sensor cannot tell the patient's movement from the therapist's. So the therapist says so, with a key.
"""

from typing import TYPE_CHECKING

from controller.session.conditions import Kind
from controller.session.resolve import ResolvedProtocol
from controller.vocabulary.intents import HoldLimb, Orthosis
from controller.vocabulary.snapshot import SessionState

if TYPE_CHECKING:
    from controller.engine.core import EngineCore

_MOVES = frozenset({Kind.ATTEMPT.value, Kind.ANGLE.value, Kind.SPEED.value})


def hold(core: "EngineCore", now_ns: int, wish: HoldLimb) -> None:
    """The therapist takes the limb, or lets go of it. Current that flows ends, and the session pauses."""
    training = core.training
    if wish.on == training.held:
        return
    core.note(now_ns, "limb_held", {"on": wish.on}, sync=True)
    training.hold(now_ns, wish.on)
    if wish.on and core.state is SessionState.RUNNING and (training.stimulation.delivering or training.movement.moving):
        core.carry(training.pause(now_ns))
        core.apply(now_ns, "pause")
        core.todo = "Paused: you took the limb while it was helped. Let go (h), then arm if need be and resume."


def splinted(core: "EngineCore") -> str:
    """Why this protocol cannot run with what is worn, in one sentence with what to do; else ""."""
    if not wants_motion(core.set_up.resolved):
        return ""
    for worn in core.wardrobe.worn:
        locked = worn.kind is Orthosis.SPLINT and worn.angle_cdeg is not None
        if locked and worn.side == core.setting.affected_side:
            return (
                f"splint: locked at {(worn.angle_cdeg or 0) / 100:g} deg, and the protocol waits for movement. Take it"
                " off (w), or use a protocol that waits for load, touch or a button."
            )
    return ""


def wants_motion(protocol: ResolvedProtocol) -> bool:
    """A way out of some phase looks at what the limb does."""
    ways = (way for phase in protocol.phases for way in phase.ways)
    return any(test[0] in _MOVES for way in ways for group in way.any_of for test in group)
