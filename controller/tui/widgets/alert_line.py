"""The alert line under the bar: what is wrong and what to do. It stays as long as it is true; nothing is a toast."""

from controller.tui.joint_words import has_orthosis
from controller.tui.steps import resting
from controller.tui.view import View
from controller.tui.widgets.pane import Pane, Parts

LONG_REST_S = 10.0
"""A shorter one is over before anybody wonders."""
MOST = "20 bursts a minute and half of any ten minutes are the most; after a restart all of late counts as just now."
REFUSAL_SHOWN_NS = 60_000_000_000  # after that, F2 and the record still count it


def alert_parts(view: View, said: str, tripped: bool = False) -> Parts:
    """The most urgent true thing. `***`, `**` and `*` mark high, medium and low priority; `said` is the screen's own.

    `tripped` leaves the latch out, because the tripped screen says all of it.
    """
    orthosis = has_orthosis(view)
    if view.gateway_silent:
        limb = "SUPPORT THE LIMB, orthosis off at its switch. " if orthosis else ""
        return (
            (f"*** PULL THE LEADS. {limb}", "bold $alarm"),
            "The gateway is silent: nobody can say what the unit does.",
        )
    if view.engine_lost:
        return (
            ("** The engine has gone: ", "bold $warning"),
            f"{view.engine_lost}. Output is off. Leave with ctrl+q, then start again.",
        )
    if view.status is not None and view.status.alone:
        return (("*** Is somebody with the patient? ", "bold $alarm"), "Any key of the line below answers.")
    if said:  # the answer to the last key: gone with the next one (a stop stands on the bar above all the while)
        return (("* ", "bold"), said)
    if view.latched and view.status is not None and not tripped:
        return (("*** Stopped: ", "bold $alarm"), f"{view.status.cause} {_none(orthosis)} before it is armed again.")
    todo = "" if view.snapshot is None or tripped else view.snapshot.todo
    if view.arm_denied:
        return (("** Not armed: ", "bold $warning"), view.arm_denied)
    if todo:
        return (("** ", "bold $warning"), todo)
    skin = "" if view.snapshot is None or tripped else view.snapshot.skin_due
    if skin:
        return (("** SKIN: ", "bold $warning"), f"{skin} k: well, i: not well.")
    latest = view.refusals[-1] if view.refusals else None
    if latest is not None and view.now_ns - latest.t_ns <= REFUSAL_SHOWN_NS:
        return (("** Refused ", "bold $warning"), f"by rule {latest.rule}: {latest.reason}")
    resting_s = resting(view)
    if resting_s > LONG_REST_S:
        return (("* Resting: ", "bold"), f"another {resting_s:.0f} s. {MOST}")
    warning = "" if view.status is None else view.status.warning
    reminders = () if view.snapshot is None else view.snapshot.reminders
    kept = warning or " ".join(reminders)
    return (("* ", "bold"), kept) if kept else ()


def _none(orthosis: bool) -> str:
    return "No current and no movement" if orthosis else "No current"


class AlertLine(Pane):
    """Set `parts`."""
