"""How foot pedals and buttons read on the screens: check list, status bar, STOP test, keys."""

from controller.tui.view import View
from controller.tui.words import Part
from controller.vocabulary.button import ButtonSource
from controller.vocabulary.pedal import PedalReport, PedalRole

GOOD = "$good"


def stop_pedal(view: View) -> PedalReport | None:
    """The pedal that stops; None where none was named."""
    return _pedal(view, PedalRole.STOP)


def pedal_tested(view: View) -> bool:
    """No STOP pedal was named, or a press of it was seen."""
    pedal = stop_pedal(view)
    return pedal is None or (pedal.here and pedal.tested)


def pedal_lines(view: View) -> tuple[tuple[bool, str, str, str], ...]:
    """For the check list: is it good, what it is, how it stands, what to do."""
    lines = []
    for role, name in ((PedalRole.STOP, "STOP pedal"), (PedalRole.BUTTON, "button pedal")):
        pedal = _pedal(view, role)
        if pedal is not None:
            lines.append(_line(pedal, name))
    return tuple(lines)


def _line(pedal: PedalReport, name: str) -> tuple[bool, str, str, str]:
    kind = "  simulated" if pedal.simulated else ""
    if not pedal.here:
        return False, name, f"{pedal.serial}: not there", pedal.fault or "Plug it in."
    if pedal.held:
        return False, name, f"{pedal.serial}{kind}: held down", "Let go of it. If nobody holds it: it is broken."
    if pedal.role is PedalRole.BUTTON:
        return True, name, f"{pedal.serial}  {pedal.name}{kind}", ""
    if not pedal.tested:
        return True, name, f"{pedal.serial}{kind}: not tested yet", "Press it once: nothing can be armed before."
    return True, name, f"{pedal.serial}  {pedal.name}{kind}: tested", ""


def pedal_link(view: View) -> tuple[Part, ...]:
    """For the status bar: only the pedal that stops."""
    pedal = stop_pedal(view)
    if pedal is None:
        return ()
    ready = pedal.here and pedal.tested and not pedal.held
    return (("pedal ● ", GOOD) if ready else ("pedal ○ ", "bold $warning"),)


def stop_test_parts(view: View) -> tuple[Part, ...]:
    """What has to be pressed, and what the gateway has seen of it."""
    seen = view.status is not None and view.status.stop_tested
    pedal = stop_pedal(view)
    if pedal is None:
        return (("Press F12 now\n\n", "bold"), "○ the gateway has not seen STOP yet")
    keys = "✓ the gateway has seen F12\n" if seen else "○ the gateway has not seen F12 yet\n"
    foot = f"✓ it has seen the foot pedal {pedal.serial}" if pedal_tested(view) else f"○ {_wanted(pedal)}"
    what = "Press the foot pedal now\n\n" if seen else "Press F12 now, then the foot pedal\n\n"
    return ((what, "bold"), keys, foot)


def _wanted(pedal: PedalReport) -> str:
    if not pedal.here:
        return f"the foot pedal {pedal.serial} is not there: {pedal.fault}"
    if pedal.held:
        return f"the foot pedal {pedal.serial} is held down: let go of it"
    return f"it has not seen the foot pedal {pedal.serial} yet"


def key_is_a_button(view: View) -> bool:
    """The protocol listens to the key of the run screen."""
    buttons = () if view.snapshot is None else view.snapshot.buttons
    return any(button.source is ButtonSource.KEY for button in buttons)


def _pedal(view: View, role: PedalRole) -> PedalReport | None:
    pedals = () if view.status is None else view.status.pedals
    return next((pedal for pedal in pedals if pedal.role is role), None)
