"""What tells one simulated ScienceMode unit from another, as data. Figures are the unit's own, not the host's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from controller.wire.sciencemode.catalogue import Catalogue, Message

Version = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class TwinProfile:
    """One kind of unit. `refusals`: how a request is refused whose answer says more than a result, by its number."""

    channels: int
    catalogue: Catalogue
    current_ua_max: int
    overhead_us: int
    """Time that it needs beside each pulse."""
    firmware: Version
    protocol: Version
    selections: frozenset[int]
    """What may be asked of the current data."""
    report: Callable[[int], Message]
    """How it refuses to report, given the result."""
    refusals: Mapping[int, Callable[[int], Message]]
    stops_all: bool
    """An electrode error on one channel always ends all of them."""
    tells_low_current: bool
    """It can tell too little current from a missing electrode."""
    acks_reset: bool
