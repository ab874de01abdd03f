"""What the engine tells the gateway: its orders and notices, one function a kind. None of them can give permission."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from controller.gateway import ports
from controller.gateway.conditions import conditions_of
from controller.gateway.delivery import Verdict
from controller.gateway.states import PERMITS_DELIVERY, Happening
from controller.vocabulary import notices
from safety.interlocks import Conditions
from safety.joint import Assist, Free, Hold, MotionOrder, Release
from safety.orders import Deliver, Renew, Stop, StopReason

if TYPE_CHECKING:
    from controller.gateway.core import GatewayCore

LISTEN = "Look at its cable and power, and whether this computer is very busy. Then acknowledge and arm again."
AS_WRITTEN = "as the protocol says"
GO_ON = "Find out why, make it safe, then acknowledge and arm again."


def heard(core: "GatewayCore", now_ns: int, entry: ports.FromEngine) -> None:
    """An order or a notice. That it came at all is what keeps the engine alive for the gateway."""
    core.watch.heard_engine(now_ns)
    obey = MESSAGES.get(type(entry.message))
    if obey is not None:
        obey(core, now_ns, entry.message)


def gone(core: "GatewayCore", now_ns: int, entry: ports.EngineGone) -> None:
    """The engine's line has ended."""
    core.watch.engine_here = False
    if core.state in PERMITS_DELIVERY:
        core.latch(now_ns, f"The engine has gone ({entry.cause}).", "End this session and start stimloop again.")
    core.report(now_ns)


def order(core: "GatewayCore", now_ns: int, order: Deliver | Renew) -> None:
    """Current: to the guard, and where it says yes, on the wire."""
    starts = "" if core.delivery.on else "current"
    conditions = conditions_of(core, now_ns, starts=starts)
    if not (conditions.screen_alive and conditions.engine_alive):
        # A silent screen is then named as the cause, not the order refused because of it.
        core.keep_watch(now_ns)
    _miss_joint(core, now_ns, conditions)
    driver = core.unit.driver
    if core.state not in PERMITS_DELIVERY or driver is None:
        core.delivery.dropped += 1
        return
    verdict = core.delivery.order(now_ns, order, driver, conditions)
    if verdict is Verdict.STARTED:
        core.permits.began("current")
        core.move(now_ns, Happening.DELIVERED)
    elif verdict is Verdict.ENDED:
        core.move(now_ns, Happening.RELEASED)
    elif verdict is Verdict.UNSAFE:
        core.latch(now_ns, core.delivery.cause, core.delivery.todo)


def motion(core: "GatewayCore", now_ns: int, order: MotionOrder) -> None:
    """Letting go is carried out in every state; a movement only where current would be permitted too."""
    was_on = core.joint.on
    conditions = conditions_of(core, now_ns, starts="" if was_on else "movement")
    if isinstance(order, Hold | Assist):
        _miss_joint(core, now_ns, conditions)
    if isinstance(order, Hold | Assist) and core.state not in PERMITS_DELIVERY:
        core.delivery.dropped += 1
    elif core.joint.order(now_ns, order, conditions) is Verdict.UNSAFE:
        core.latch(now_ns, core.joint.cause, core.joint.todo)
    if core.joint.on and not was_on:
        core.permits.began("movement")


def stop(core: "GatewayCore", now_ns: int, order: Stop) -> None:
    """The ordinary end of a burst, or the end of everything."""
    driver = core.unit.driver
    if order.reason is not StopReason.RELEASE:
        if core.state in PERMITS_DELIVERY:
            core.latch(now_ns, "The engine stopped the session.", GO_ON)
    elif driver is not None and core.delivery.on:
        core.delivery.release(now_ns, driver, "released")
        core.move(now_ns, Happening.RELEASED)


def constrain(core: "GatewayCore", now_ns: int, notice: notices.Constrain) -> None:
    """The protocol's own limits of a channel."""
    if core.delivery.constrain(now_ns, notice):
        told = {name: getattr(notice, name) for name in notice.__slots__}
        core.audit.change(now_ns, "protocol limits", f"channel {notice.channel}", told, AS_WRITTEN, stands=False)


def constrain_joint(core: "GatewayCore", now_ns: int, notice: notices.ConstrainJoint) -> None:
    """The protocol's own limits of the joint."""
    if core.joint.constrain(now_ns, notice):
        told = {name: getattr(notice, name) for name in notice.__slots__}
        core.audit.change(now_ns, "protocol limits", "joint", told, AS_WRITTEN, stands=False)


def starts_by(core: "GatewayCore", now_ns: int, notice: notices.StartsBy) -> None:
    """What begins stimulation in the protocol: it spares a refusal later, and is never taken for permission."""
    core.permits.by_button_only = notice.button_only is True


def need_position(core: "GatewayCore", now_ns: int, notice: notices.NeedPosition) -> None:
    """The position that the protocol is made for."""
    core.delivery.need_position(now_ns, notice)


def open_record(core: "GatewayCore", now_ns: int, notice: notices.OpenRecord) -> None:
    """The gateway's own log goes into the session's folder from now on. While armed nothing waits for a disk."""
    if core.state in PERMITS_DELIVERY:
        core.voice.log(now_ns, "record_refused", {"folder": notice.folder, "state": core.state}, sync=True)
        return
    core.log.opening(notice.folder)
    core.voice.out.append(ports.OpenLog(notice.folder))


def to_audit(core: "GatewayCore", now_ns: int, notice: notices.ToAudit) -> None:
    """Something the engine decided that belongs into the record of changes."""
    core.audit.tell(now_ns, notice.what, notice.subject, notice.new, notice.reason)


def record_head(core: "GatewayCore", now_ns: int, notice: notices.RecordHead) -> None:
    """How far the session's journal is on disk: this log vouches for it."""
    core.voice.log(now_ns, "events_head", {"seq": notice.seq, "hash": notice.hash}, sync=True)


def _miss_joint(core: "GatewayCore", now_ns: int, conditions: Conditions) -> None:
    """A silent orthosis is then named as the cause, not the order that the guard would refuse because of it."""
    if not conditions.joint_ok and core.state in PERMITS_DELIVERY:
        core.latch(now_ns, "The orthosis did not say for 60 ms where the joint is.", LISTEN)


MESSAGES: dict[type, Callable[..., None]] = {
    Deliver: order,
    Renew: order,
    Stop: stop,
    Hold: motion,
    Assist: motion,
    Release: motion,
    Free: motion,
    notices.Constrain: constrain,
    notices.ConstrainJoint: constrain_joint,
    notices.NeedPosition: need_position,
    notices.StartsBy: starts_by,
    notices.OpenRecord: open_record,
    notices.ToAudit: to_audit,
    notices.RecordHead: record_head,
}
"""A beat needs no function: that it was heard is all that it says."""

INPUTS: dict[type, Callable[..., None]] = {ports.FromEngine: heard, ports.EngineGone: gone}
