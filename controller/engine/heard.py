"""What the gateway says: one function a fact."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from controller.vocabulary import facts
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
    if core.state is SessionState.FITTING and fact.state in (GatewayState.DISARMED, GatewayState.LATCHED):
        core.set_up.start_over()
    if core.state is SessionState.RUNNING and fact.state is GatewayState.DISARMED:
        core.carry(core.training.pause(now_ns))
        core.apply(now_ns, "pause")
        core.todo = "The gateway was disarmed. Arm again, then resume."


def burst_started(core: "EngineCore", now_ns: int, fact: facts.BurstStarted) -> None:
    core.note(now_ns, "burst_started", core.training.on_burst_started(fact))


def burst_ended(core: "EngineCore", now_ns: int, fact: facts.BurstEnded) -> None:
    core.training.on_burst_ended(now_ns, fact)
    core.set_up.rest_until_ns = fact.rest_until_ns
    core.note(now_ns, "burst_ended", {"why": fact.why})


def joint(core: "EngineCore", now_ns: int, fact: facts.JointReport) -> None:
    core.training.on_joint(now_ns, fact)


def refusal(core: "EngineCore", now_ns: int, fact: facts.Refusal) -> None:
    core.training.refused += 1
    if fact.rule.startswith("J"):  # the gateway has let go: what is refused is not asked for again in this phase
        core.training.movement.forget(now_ns)
    core.note(now_ns, "refused", {"rule": fact.rule, "reason": fact.reason}, sync=True)


def latched(core: "EngineCore", now_ns: int, fact: facts.Latched) -> None:
    core.halt(now_ns, fact.cause, fact.todo, told_gateway=True)


FACTS: dict[type, Callable[..., None]] = {
    facts.GatewayStatus: status,
    facts.BurstStarted: burst_started,
    facts.BurstEnded: burst_ended,
    facts.JointReport: joint,
    facts.Refusal: refusal,
    facts.Latched: latched,
}
