"""What a RehaStim2 complains about, and what its silence means, in sentences for the therapist."""

from collections.abc import Iterable

from controller.drivers.stimulators.events import UnitFault
from controller.wire.sciencemode2.messages import Mode, Result, StimulationFault

_RESTART = "Take the leads off, switch the unit off and on, then acknowledge and arm again."
_CABLE = "Check the unit's cable. Then acknowledge and arm again."
_REPORT = "Nothing more is sent. Report this defect."

_SENTENCES: dict[int, tuple[str, str]] = {
    Result.TRANSFER: ("The unit received a damaged frame.", _CABLE),
    Result.PARAMETER: ("The unit refused the pulse parameters.", _REPORT),
    Result.WRONG_MODE: ("The unit was in another mode than was believed.", _RESTART),
    Result.BUSY: ("The unit says that it is busy.", _RESTART),
}
_MODES = {Mode.START: "stopped", Mode.INITIALISED: "initialised", Mode.STARTED: "stimulating"}

NOTHING_SAID = UnitFault(
    "The unit says nothing; is it in the ScienceMode2 screen?",
    "Switch it on, choose ScienceMode2 on its screen, and check its cable. Then acknowledge and arm again.",
)
NOT_A_REHASTIM2 = UnitFault(
    "This port was opened as a RehaStim2, but what talks there is not one.",
    "Check which device is on this port, then choose the right port or device.",
)
SILENT = UnitFault("The unit no longer answers.", "TAKE THE LEADS OFF, then check the unit's cable and power.")
DEAF_TO_STOP = UnitFault("The unit does not confirm STOP.", "TAKE THE LEADS OFF, or press the unit's emergency switch.")
UNCONFIRMED = UnitFault("The unit did not confirm an order within 150 ms, although it still answers.", _CABLE)
SESSION_LOST = UnitFault(
    "The unit has ended the session by itself: it heard nothing for 1.2 s, or it has restarted.",
    "All its output is off. " + _CABLE,
)
STOPPED_ITSELF = "Output is off. Look after the patient, then acknowledge and arm again."


def fault_of(result: int) -> UnitFault:
    """The fault behind the result of an acknowledgement."""
    cause, todo = _SENTENCES.get(result, (f"The unit reports result {result}.", _RESTART))
    return UnitFault(cause, todo)


def stimulation_fault(code: int, channels: Iterable[int] = ()) -> UnitFault:
    """What `StimulationError` says; the unit has stopped already. It does not say which of `channels` it was."""
    if code == StimulationFault.EMERGENCY_STOP:
        return UnitFault(
            "The emergency-stop switch of the unit is open or not connected.",
            "Close it, then acknowledge and arm again. The unit has stopped all output.",
        )
    if code == StimulationFault.ELECTRODE:
        numbers = ", ".join(str(channel) for channel in sorted(channels))
        place = f"one of channels {numbers}" if "," in numbers else f"channel {numbers}" if numbers else "a channel"
        return UnitFault(
            f"An electrode on {place} has lost its contact.",
            f"Check the electrodes on {place}: stuck down all over, moist, leads plugged in? Then arm again.",
        )
    if code == StimulationFault.MODULE:
        return UnitFault("A stimulation module inside the unit is faulty.", _RESTART)
    return UnitFault(f"The unit stopped with error {code}.", _RESTART)


def unknown_command_fault(command: int) -> UnitFault:
    """The unit does not know something that its document says it knows."""
    return UnitFault(f"The unit does not know command {command}.", "Check that it is a RehaStim2 with ScienceMode 2.")


def version_fault(version: int) -> UnitFault:
    """The unit announced another version of its protocol."""
    return UnitFault(f"The unit speaks version {version} of ScienceMode 2, not 1.", "Use a unit with version 1.")


def mode_fault(expected: int, reported: int) -> UnitFault:
    """The unit does something else than was believed."""
    said = _MODES.get(Mode(reported)) if reported in set(Mode) else f"in mode {reported}"
    cause = f"The unit says that it is {said}; by what was ordered it should be {_MODES[Mode(expected)]}."
    todo = "TAKE THE LEADS OFF. Output is being stopped." if reported == Mode.STARTED else STOPPED_ITSELF
    return UnitFault(cause, todo)
