"""What a P24 complains about, in sentences for the therapist."""

from collections.abc import Iterable

from controller.drivers.stimulators.events import UnitFault
from controller.wire.sciencemode.messages import Result

_RESTART = "Take the leads off, switch the unit off and on, then acknowledge and arm again."
_CABLE = "Check the unit's USB cable and that its port gives at least 2.4 A. Then acknowledge and arm again."
_REPORT = "Nothing more is sent. Report this defect."

_SENTENCES: dict[int, tuple[str, str]] = {
    Result.TRANSFER: ("The unit received a damaged frame.", _CABLE),
    Result.PARAMETER: ("The unit refused the pulse parameters.", _REPORT),
    Result.PROTOCOL_VERSION: ("The unit speaks another version of its protocol.", "Use a unit with ScienceMode 4."),
    Result.TIMEOUT: ("The unit's stimulation controller does not answer inside the unit.", _RESTART),
    Result.NOT_INITIALISED: ("The unit lost its initialisation: it has probably restarted by itself.", _CABLE),
    Result.HIGH_VOLTAGE: ("The unit's high voltage is faulty.", _RESTART),
    Result.INVALID_COMMAND: ("The unit does not know a command that was sent.", "Check that it is a P24."),
    Result.PULSE_TIMEOUT: ("A pulse does not fit its period in the unit.", _REPORT),
    Result.BUSY: ("The unit says that it is busy.", _RESTART),
}
CHANNEL_FAULTS = {1: "electrode", 2: "pulse timeout", 3: "low current"}
"""The unit's fault of one channel (nibbles of its report), in words for the screen."""

SILENT = UnitFault("The unit no longer answers.", "TAKE THE LEADS OFF, then check the unit's cable and power.")
DEAF_TO_STOP = UnitFault("The unit does not confirm STOP.", "TAKE THE LEADS OFF. It ends by itself within 2 s.")
UNCONFIRMED = UnitFault("The unit did not confirm an order within 100 ms, although it still answers.", _CABLE)
STILL_RUNNING = UnitFault("The unit says that it stimulates although it was stopped.", "TAKE THE LEADS OFF.")


def fault_of(result: int, channels: Iterable[int] = ()) -> UnitFault:
    """The fault behind a result code; `channels` are those that the refused order asked for."""
    if result in (Result.ELECTRODE, Result.PULSE_LOW_CURRENT):
        return electrode_fault(channels, low=result == Result.PULSE_LOW_CURRENT)
    cause, todo = _SENTENCES.get(result, (f"The unit reports error {result}.", _RESTART))
    return UnitFault(cause, todo)


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
    """What was ordered and what the unit reports as running differ; both are masks, bit i for channel i + 1."""
    cause = f"The unit runs {_named(reported)}, ordered was {_named(believed)}."
    return UnitFault(cause, "Output is being stopped. Look after the patient, then acknowledge and arm again.")


def version_fault(protocol: tuple[int, int, int]) -> UnitFault:
    """The unit's protocol is not ScienceMode 4."""
    spoken = ".".join(str(part) for part in protocol)
    return UnitFault(f"The unit speaks ScienceMode {spoken}, not 4.", "Use a P24 with ScienceMode 4 firmware.")


def _named(mask: int) -> str:
    numbers = [str(bit + 1) for bit in range(8) if mask >> bit & 1]
    return f"channel {', '.join(numbers)}" if numbers else "no channel"
