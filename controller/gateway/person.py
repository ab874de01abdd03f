"""What a person at the screen tells the gateway directly: one function a request."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from controller.gateway import ports
from controller.gateway.audit import MISDATED
from controller.gateway.dose import Wish
from controller.gateway.log_keeper import BEHIND, CATCH_UP
from controller.gateway.states import PERMITS_DELIVERY
from controller.vocabulary import requests
from controller.vocabulary.facts import ArmDenied, GatewayState

if TYPE_CHECKING:
    from controller.gateway.core import GatewayCore

CHANGED = "Something about the patient was changed after the second key. Look at it, then press the arm key again."
MEND_DISK = "Free the disk, then start again."


def heard(core: "GatewayCore", now_ns: int, entry: ports.FromFront) -> None:
    """A request. That it came at all is what keeps the screen alive for the gateway."""
    core.watch.heard_front(now_ns)
    if type(entry.message) is not requests.Heartbeat:
        core.presence.noticed(now_ns)
    obey = REQUESTS.get(type(entry.message))
    if obey is not None:
        obey(core, now_ns, entry.message)


def gone(core: "GatewayCore", now_ns: int, entry: ports.FrontGone) -> None:
    """The screen's line has ended."""
    core.watch.front_here = False
    core.leaving = True
    core.latch(now_ns, f"The screen has gone ({entry.cause}).", "Start stimloop again.")


def stop_from_outside(core: "GatewayCore", now_ns: int, entry: ports.StopSignal) -> None:
    """STOP that did not pass through the screen."""
    stop_pressed(core, now_ns, entry.source, entry.tests)


def stop(core: "GatewayCore", now_ns: int, wish: requests.StopNow) -> None:
    stop_pressed(core, now_ns, wish.source)


def stop_pressed(core: "GatewayCore", now_ns: int, source: str, tests: bool = True) -> None:
    """STOP, from wherever it came: everything off in every state, and a latch where something was armed.

    `tests`: it shows that the screen's STOP arrives. A foot pedal's press shows that of the pedal alone.
    """
    core.stop_tested = core.stop_tested or tests
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
    answer = core.desk.ask(now_ns, wish.scope, wish.reason, latched, core.barred(now_ns, wish.scope))
    core.voice.out.append(ports.ToFront(answer))


def confirm(core: "GatewayCore", now_ns: int, wish: requests.ConfirmArm) -> None:
    answer = core.desk.confirm(now_ns, wish.number)
    barred = "" if isinstance(answer, ArmDenied) else core.barred(now_ns, answer.scope)
    if isinstance(answer, ArmDenied) or barred:
        core.voice.out.append(ports.ToFront(answer if isinstance(answer, ArmDenied) else ArmDenied(barred)))
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
    core.permits.press(wish.number, now_ns)


def prescribe(core: "GatewayCore", now_ns: int, wish: requests.Prescribe) -> None:
    subject = f"{wish.patient} {wish.date} channel {wish.channel}"
    new = {"region": wish.region, "pad_area_mm2": wish.pad_area_mm2}
    new |= {"ceiling_ua": wish.ceiling_ua, "motor_ua": wish.motor_ua}
    armed = core.state in PERMITS_DELIVERY
    if not armed and _withheld(core, now_ns, subject, new, wish):
        return
    if core.delivery.prescribe(now_ns, wish, armed):
        core.audit.change(now_ns, "prescription", subject, new, wish.reason, stands=wish.ceiling_ua > 0)
        core.forget_wish(CHANGED)
        _meet(core, wish.patient, wish.date)


def prescribe_joint(core: "GatewayCore", now_ns: int, wish: requests.PrescribeJoint) -> None:
    subject = f"{wish.patient} {wish.date} {wish.side} {wish.region}"
    new = {"rom_min_cdeg": wish.rom_min_cdeg, "rom_max_cdeg": wish.rom_max_cdeg, "torque_mnm": wish.torque_mnm}
    armed = core.state in PERMITS_DELIVERY
    if not armed and _withheld(core, now_ns, subject, new, wish):
        return
    if core.joint.prescribe(now_ns, wish, armed):
        core.audit.change(now_ns, "prescription", subject, new, wish.reason, stands=wish.torque_mnm > 0)
        core.forget_wish(CHANGED)
        _meet(core, wish.patient, wish.date)


def _withheld(core: "GatewayCore", now_ns: int, subject: str, new: dict[str, Any], wish: Wish) -> bool:
    """Of another day, or unexplained; or it waits until what was found earlier today is read, for that may bound it."""
    other_day = core.permits.other_day(now_ns, wish.date)
    if other_day:
        core.audit.refuse(now_ns, MISDATED, "prescription", subject, new, other_day)
        return True
    if core.dose.hold(wish):
        core.forget_wish(CHANGED)
        return True
    return core.audit.unexplained(now_ns, "prescription", subject, new, wish.reason)


def _meet(core: "GatewayCore", patient: str, date: str) -> None:
    """From now on it is this patient, on this day: what they had today must be known before anything is armed."""
    core.patient = patient
    core.dose.meet(patient, date)


def dose_read(core: "GatewayCore", now_ns: int, entry: ports.DoseRead) -> None:
    """What was written down of today's dose."""
    core.dose.read(now_ns, entry)
    for wish in core.dose.take_waiting():
        REQUESTS[type(wish)](core, now_ns, wish)
    core.dose.settle()


def dose_failed(core: "GatewayCore", now_ns: int, entry: ports.DoseFailed) -> None:
    """No current that is not on paper: it stops, and nothing new is armed."""
    core.dose.failed(now_ns, entry.cause)
    core.latch(now_ns, f"Today's dose cannot be written down: {entry.cause}.", MEND_DISK)


def audit_head(core: "GatewayCore", now_ns: int, entry: ports.AuditHead) -> None:
    """The record of changes went on: the session's log vouches for it."""
    core.audit.head(now_ns, entry)


def audit_failed(core: "GatewayCore", now_ns: int, entry: ports.AuditFailed) -> None:
    """Changes cannot be written down any more."""
    core.audit.failed(now_ns, entry.cause)


def log_failed(core: "GatewayCore", now_ns: int, entry: ports.LogFailed) -> None:
    """No current without the gateway's own log: it stops, and nothing new is armed."""
    core.audit.failed(now_ns, entry.cause)
    core.latch(now_ns, f"The gateway's log cannot be written: {entry.cause}.", MEND_DISK)


def log_kept(core: "GatewayCore", now_ns: int, entry: ports.LogKept) -> None:
    """The gateway's own log is on disk."""
    core.log.kept(entry.folder)


def log_behind(core: "GatewayCore", now_ns: int, entry: ports.LogBehind) -> None:
    """What is not on disk after 1 s may never come there: it stops, and nothing is armed until it has caught up."""
    core.log.behind(entry.behind)
    core.voice.log(now_ns, "log_behind", {"behind": entry.behind}, sync=True)
    if entry.behind:
        core.latch(now_ns, BEHIND, CATCH_UP)


def identified(core: "GatewayCore", now_ns: int, wish: requests.Identified) -> None:
    core.delivery.identify(now_ns, wish)
    core.report(now_ns)


def place(core: "GatewayCore", now_ns: int, wish: requests.Place) -> None:
    core.delivery.place(now_ns, wish, core.state in PERMITS_DELIVERY)
    core.forget_wish(CHANGED)
    core.report(now_ns)


REQUESTS: dict[type, Callable[..., None]] = {
    requests.StopNow: stop,
    requests.Arm: arm,
    requests.ConfirmArm: confirm,
    requests.Disarm: disarm,
    requests.Press: press,
    requests.Prescribe: prescribe,
    requests.PrescribeJoint: prescribe_joint,
    requests.Identified: identified,
    requests.Place: place,
}
"""A heartbeat needs no function: that it was heard is all that it says."""

INPUTS: dict[type, Callable[..., None]] = {
    ports.FromFront: heard,
    ports.FrontGone: gone,
    ports.StopSignal: stop_from_outside,
    ports.DoseRead: dose_read,
    ports.DoseFailed: dose_failed,
    ports.AuditHead: audit_head,
    ports.AuditFailed: audit_failed,
    ports.LogFailed: log_failed,
    ports.LogKept: log_kept,
    ports.LogBehind: log_behind,
}
