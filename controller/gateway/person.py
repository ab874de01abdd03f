"""What a person at the screen tells the gateway directly: one function a request."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from controller.gateway import ports
from controller.gateway.states import PERMITS_DELIVERY
from controller.vocabulary import requests
from controller.vocabulary.facts import ArmDenied, GatewayState
from safety.orders import ArmScope

if TYPE_CHECKING:
    from controller.gateway.core import GatewayCore


def stop(core: "GatewayCore", now_ns: int, wish: requests.StopNow) -> None:
    stop_pressed(core, now_ns, wish.source)


def stop_pressed(core: "GatewayCore", now_ns: int, source: str) -> None:
    """STOP, from wherever it came: everything off in every state, and a latch where something was armed."""
    core.stop_tested = True
    core.forget_wish()
    if core.state in PERMITS_DELIVERY:
        core.latch(now_ns, f"STOP was pressed ({source}).", "Look after the patient, then acknowledge and arm.")
        return
    core.unit.stop(now_ns)
    core.joint.stop(now_ns, "stopped")
    core.voice.log(now_ns, "stop_pressed", {"source": source, "state": core.state}, sync=True)
    core.report(now_ns)


def arm(core: "GatewayCore", now_ns: int, wish: requests.Arm) -> None:
    latched = core.state is GatewayState.LATCHED
    blocked = core.blocked(now_ns) or _unfitted(core, wish.scope)
    answer = core.desk.ask(now_ns, wish.scope, wish.reason, latched, blocked)
    core.voice.out.append(ports.ToFront(answer))


def _unfitted(core: "GatewayCore", scope: ArmScope) -> str:
    """A session with nothing fitted could only end in a refusal: say so before it is armed."""
    if scope is ArmScope.FITTING:
        return ""
    if core.delivery.fitted:
        return core.joint.unfitted
    return "No channel has a ceiling of today. Fit the electrodes first, then arm for the session."


def confirm(core: "GatewayCore", now_ns: int, wish: requests.ConfirmArm) -> None:
    answer = core.desk.confirm(now_ns, wish.number)
    blocked = core.blocked(now_ns)
    if isinstance(answer, ArmDenied) or blocked:
        core.voice.out.append(ports.ToFront(answer if isinstance(answer, ArmDenied) else ArmDenied(blocked)))
        return
    core.wish = answer
    if core.unit.driver is not None and not core.unit.driver.ready:
        core.voice.unit(core.unit.driver.rearm(now_ns))
    core.joint.rearm(now_ns)
    core.arm_when_ready(now_ns)


def disarm(core: "GatewayCore", now_ns: int, wish: requests.Disarm) -> None:
    core.disarm(now_ns, wish.reason)


def press(core: "GatewayCore", now_ns: int, wish: requests.Press) -> None:
    core.delivery.guard.press(wish.number, now_ns)


def prescribe(core: "GatewayCore", now_ns: int, wish: requests.Prescribe) -> None:
    core.delivery.prescribe(now_ns, wish, core.state in PERMITS_DELIVERY)


def prescribe_joint(core: "GatewayCore", now_ns: int, wish: requests.PrescribeJoint) -> None:
    core.joint.prescribe(now_ns, wish, core.state in PERMITS_DELIVERY)


REQUESTS: dict[type, Callable[..., None]] = {
    requests.StopNow: stop,
    requests.Arm: arm,
    requests.ConfirmArm: confirm,
    requests.Disarm: disarm,
    requests.Press: press,
    requests.Prescribe: prescribe,
    requests.PrescribeJoint: prescribe_joint,
}
"""A heartbeat needs no function: that it was heard is all that it says."""
