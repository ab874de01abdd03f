"""What tells one ScienceMode unit from another, as data: the driver's body is the same for all of them."""

from collections.abc import Callable
from dataclasses import dataclass

from controller.wire.sciencemode.catalogue import Catalogue, Message
from controller.wire.sciencemode.frame import PACKET_NUMBERS
from controller.wire.sciencemode.messages import MlGetCurrentData, MlInit, MlUpdate
from safety.limits import DeviceLimits


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of unit. The name in its limits is the one that is printed on it."""

    kind: str
    """What a person calls it on the command line."""
    limits: DeviceLimits
    generation: int
    """Of ScienceMode: the first part of the protocol's version."""
    catalogue: Catalogue
    refusal: Callable[[MlUpdate], str]
    """Why the unit itself would refuse an update, "" when it would take it."""
    init: MlInit
    versions: tuple[Message, Message]
    """How it is asked for its version; and how the other kind is asked, when the first question is not understood."""
    probes: tuple[bytes, ...]
    """The question how it is running, one frame for each packet number."""
    report: type
    """What it answers to that."""
    check: str
    """What a person checks when the line or the power is suspected."""
    battery_percent_min: int = 0
    """Below this it is not armed; 0 for a unit without a battery."""


def probes(catalogue: Catalogue, selection: int) -> tuple[bytes, ...]:
    """The question for the current data, made beforehand for each packet number."""
    return tuple(catalogue.encode(number, MlGetCurrentData(selection)) for number in range(PACKET_NUMBERS))
