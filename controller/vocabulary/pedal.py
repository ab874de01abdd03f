"""Foot pedals as the gateway reads them: what each is for, and how it stands."""

from dataclasses import dataclass
from enum import StrEnum


class PedalRole(StrEnum):
    """What a pedal is for. One and the same pedal is never both."""

    STOP = "stop"  # any key of it is STOP
    BUTTON = "button"  # any key of it is the `button pedal` of protocols


@dataclass(frozen=True, slots=True)
class PedalReport:
    """One pedal. `tested`: a press of it was seen since it was plugged in. `fault`: what is wrong and what to do."""

    role: PedalRole
    serial: str
    name: str
    here: bool
    tested: bool
    held: bool
    simulated: bool
    fault: str
