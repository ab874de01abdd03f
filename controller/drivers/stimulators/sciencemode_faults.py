"""What a ScienceMode unit complains about, in sentences for the therapist."""

from collections.abc import Iterable

from controller.drivers.stimulators.events import UnitFault, UnitWarning
from controller.drivers.stimulators.sciencemode_profile import Profile
from controller.wire.sciencemode.generation import UNITS
from controller.wire.sciencemode.messages import Result

_RESTART = "Take the leads off, switch the unit off and on, then acknowledge and arm again."
_CHECK = "{check} Then acknowledge and arm again."
_OTHER_UNIT = "Use a unit with ScienceMode {generation}."
_REPORT = "Nothing more is sent. Report this defect."

_SENTENCES: dict[int, tuple[str, str]] = {
    Result.TRANSFER: ("The unit received a damaged frame.", _CHECK),
    Result.PARAMETER: ("The unit refused the pulse parameters.", _REPORT),
    Result.PROTOCOL_VERSION: (
        "The unit speaks another version of its protocol.",
        _OTHER_UNIT,
    ),
    Result.TIMEOUT: ("The unit's stimulation controller does not answer inside the unit.", _RESTART),
    Result.NOT_INITIALISED: ("The unit lost its initialisation: it has probably restarted by itself.", _CHECK),
    Result.HIGH_VOLTAGE: ("The unit's high voltage is faulty.", _RESTART),
    Result.INVALID_COMMAND: ("The unit does not know a command that was sent.", "Check that it is a {name}."),
    Result.PULSE_TIMEOUT: ("A pulse does not fit its period in the unit.", _REPORT),
    Result.BUSY: ("The unit says that it is busy.", _RESTART),
}
CHANNEL_FAULTS = {1: "electrode", 2: "pulse timeout", 3: "low current"}
"""The unit's fault of one channel (nibbles of its report), in words for the screen."""

SILENT = UnitFault("The unit no longer answers.", "TAKE THE LEADS OFF, then check the unit's cable and power.")
DEAF_TO_STOP = UnitFault("The unit does not confirm STOP.", "TAKE THE LEADS OFF. It ends by itself within 2 s.")
STILL_RUNNING = UnitFault("The unit says that it stimulates although it was stopped.", "TAKE THE LEADS OFF.")


def fault_of(unit: Profile, result: int, channels: Iterable[int] = ()) -> UnitFault:
    """The fault behind a result code of `unit`; `channels` are those that the refused order asked for."""
    if result in (Result.ELECTRODE, Result.PULSE_LOW_CURRENT):
        return electrode_fault(channels, low=result == Result.PULSE_LOW_CURRENT)
    cause, todo = _SENTENCES.get(result, (f"The unit reports error {result}.", _RESTART))
    return UnitFault(cause, _said_of(unit, todo))


def unconfirmed(unit: Profile) -> UnitFault:
    """An order was not acknowledged, although a later question was answered."""
    cause = "The unit did not confirm an order within 100 ms, although it still answers."
    return UnitFault(cause, _said_of(unit, _CHECK))


def electrode_fault(channels: Iterable[int], low: bool = False) -> UnitFault:
    """Current does not get through the electrodes of `channels` (numbered from 1)."""
    numbers = ", ".join(str(channel) for channel in sorted(channels))
    place = f"channel {numbers}" if numbers else "every channel in use"
    cause = f"Too little current flows on {place}." if low else f"The electrode on {place} has lost its contact."
    todo = f"Check the electrode on {place}: is it stuck down all over, moist, and its lead plugged in?"
    return UnitFault(cause, todo)


def channel_fault(channel: int, nibble: int) -> UnitFault:
    """The fault that the unit's report gives for one channel (numbered from 1)."""
    if nibble == 1:
        return electrode_fault((channel,))
    if nibble == 3:
        return electrode_fault((channel,), low=True)
    if nibble == 2:
        return UnitFault(f"A pulse on channel {channel} does not fit its period.", _REPORT)
    return UnitFault(f"The unit reports error {nibble} on channel {channel}.", _RESTART)


def belief_fault(believed: int, reported: int) -> UnitFault:
    """What was ordered and what the unit reports as running differ; masks, bit i for channel i + 1, -1 for some."""
    cause = f"The unit runs {_named(reported)}, ordered was {_named(believed)}."
    return UnitFault(cause, "Output is being stopped. Look after the patient, then acknowledge and arm again.")


def version_fault(unit: Profile, protocol: tuple[int, int, int]) -> UnitFault:
    """What answers is not the unit that the port was opened for; a unit that is known is named."""
    name, spoken = unit.limits.name, ".".join(str(part) for part in protocol)
    known = UNITS.get(protocol[0])
    if known is None:
        cause = f"The unit speaks ScienceMode {spoken}, not {unit.generation}."
        return UnitFault(cause, f"Use a {name} with ScienceMode {unit.generation} firmware.")
    cause = f"This port answers as a {known} (ScienceMode {spoken}); it was opened as a {name}."
    return UnitFault(cause, f"Choose {known.lower()}, or another port.")


def battery_fault(unit: Profile, percent: int) -> UnitFault:
    """The battery is too low to begin with, or what the unit says of it cannot be."""
    if percent > 100:
        return UnitFault(f"The unit says that its battery is at {percent} %.", _RESTART)
    cause = f"The unit's battery is at {percent} %, and a session needs at least {unit.battery_percent_min} %."
    return UnitFault(cause, "Take the leads off and charge the unit. Then acknowledge and arm again.")


def battery_warning(percent: int) -> UnitWarning:
    """The battery has become low while the unit is in use."""
    return UnitWarning(f"The unit's battery is down to {percent} %.", "End the session soon, then charge the unit.")


def _said_of(unit: Profile, todo: str) -> str:
    return todo.format(check=unit.check, name=unit.limits.name, generation=unit.generation)


def _named(mask: int) -> str:
    if mask < 0:
        return "some channel"
    numbers = [str(bit + 1) for bit in range(8) if mask >> bit & 1]
    return f"channel {', '.join(numbers)}" if numbers else "no channel"
