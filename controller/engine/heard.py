"""What the gateway says: one function a fact."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from controller.engine import buttons
from controller.vocabulary import facts
from controller.vocabulary.button import ButtonSource
from controller.vocabulary.facts import GatewayState
from controller.vocabulary.snapshot import SessionState

if TYPE_CHECKING:
    from controller.engine.core import EngineCore


def status(core: "EngineCore", now_ns: int, fact: facts.GatewayStatus) -> None:
    core.status = fact
    if fact.capabilities != core.set_up.unit:
        core.set_up.meet(fact.capabilities)
    for role, identity in (("stimulator", fact.unit), *(("orthosis", joint.identity) for joint in fact.joint)):
        if identity and core.record is not None and core.noted.get(role) != identity:
            core.noted[role] = identity
            core.record.device(now_ns, role, identity)
    core.set_up.rest_until_ns = max(core.set_up.rest_until_ns, fact.rest_until_ns)
    core.set_up.recall(fact.ceilings)
    if core.state in _STEPS_KEPT and fact.state in (GatewayState.DISARMED, GatewayState.LATCHED):
        core.set_up.start_over()
    if core.state in _FITTED and fact.unit and fact.state in _NOTHING_ARMED:
        _refit(core, now_ns, fact)
    if core.state is SessionState.RUNNING and fact.state is GatewayState.DISARMED:
        core.carry(core.training.pause(now_ns))
        core.apply(now_ns, "pause")
        core.todo = "The gateway was disarmed. Arm again, then resume."


_STEPS_KEPT = (SessionState.FITTING, SessionState.TRIPPED)
"""A trip in fitting leads back to it, and a person may have armed again before the next word of the gateway."""
_FITTED = (SessionState.READY, SessionState.PAUSED)
_NOTHING_ARMED = (GatewayState.CONNECTED, GatewayState.DISARMED, GatewayState.LATCHED)
"""A unit that was stopped while it got ready stays connected until it is armed, and unidentified it cannot be."""


def _refit(core: "EngineCore", now_ns: int, fact: facts.GatewayStatus) -> None:
    """A new gateway, or another unit, knows of no channel which muscle it moves: back to fitting, levels kept."""
    missing = core.set_up.unidentified(fact.identified)
    if missing and core.apply(now_ns, "refit"):
        core.set_up.start_over()
        core.todo = f"Identify {' and '.join(missing)} again: the leads may have been moved."


def burst_started(core: "EngineCore", now_ns: int, fact: facts.BurstStarted) -> None:
    core.note(now_ns, "burst_started", core.training.on_burst_started(fact))
    if core.state is SessionState.RUNNING:
        core.checks.stimulated(fact)


def burst_ended(core: "EngineCore", now_ns: int, fact: facts.BurstEnded) -> None:
    reduced = core.training.on_burst_ended(now_ns, fact)
    if reduced is not None:
        first, last = round(reduced.first_deg, 1), round(reduced.last_deg, 1)
        core.note(now_ns, "reduced_response", {"first_deg": first, "last_deg": last, "trains": reduced.trains})
        core.todo = (
            f"The limb answers less: {last:g} deg where it was {first:g}. Look at the pads and leads; a tired muscle"
            " needs rest, or longer pauses. The amplitude stays as it is."
        )
    core.set_up.rest_until_ns = fact.rest_until_ns
    core.note(now_ns, "burst_ended", {"why": fact.why})


def joint(core: "EngineCore", now_ns: int, fact: facts.JointReport) -> None:
    core.training.on_joint(now_ns, fact)


def refusal(core: "EngineCore", now_ns: int, fact: facts.Refusal) -> None:
    core.training.refused += 1
    if fact.rule.startswith("J"):  # the gateway has let go: what is refused is not asked for again in this phase
        core.training.movement.forget(now_ns)
    core.note(now_ns, "refused", {"rule": fact.rule, "reason": fact.reason}, sync=True)
    if fact.rule[:1] in _OF_FITTING and core.state in _AFTER_FITTING and core.apply(now_ns, "refit"):
        core.set_up.start_over()  # what fitting found does not stand: nothing could be armed with it
        core.todo = fact.reason


_OF_FITTING = ("P", "A")
"""The letters of the rules for what a person sets: prescriptions, and the reasons for changing them."""
_AFTER_FITTING = (SessionState.CALIBRATING, SessionState.READY)


def latched(core: "EngineCore", now_ns: int, fact: facts.Latched) -> None:
    core.halt(now_ns, fact.cause, fact.todo, told_gateway=True)


def pedal_pressed(core: "EngineCore", now_ns: int, _fact: facts.PedalPressed) -> None:
    buttons.press(core, now_ns, ButtonSource.PEDAL)


def log_head(core: "EngineCore", now_ns: int, fact: facts.LogHead) -> None:
    core.note(now_ns, "gateway_head", {"seq": fact.seq, "hash": fact.hash}, sync=True)


FACTS: dict[type, Callable[..., None]] = {
    facts.GatewayStatus: status,
    facts.BurstStarted: burst_started,
    facts.BurstEnded: burst_ended,
    facts.JointReport: joint,
    facts.Refusal: refusal,
    facts.Latched: latched,
    facts.PedalPressed: pedal_pressed,
    facts.LogHead: log_head,
}
