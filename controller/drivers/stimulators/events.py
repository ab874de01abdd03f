"""What a stimulator's driver says to the gateway. Channels are numbered from 1, as printed on the unit."""

from dataclasses import dataclass

from controller.drivers.events import Identified as Identified
from controller.drivers.events import PairCheckFailed as PairCheckFailed
from controller.drivers.events import Ready as Ready
from controller.drivers.events import UnitFault as UnitFault
from controller.drivers.events import UnitWarning as UnitWarning


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The unit confirmed its output: (channel, uA) of each channel that is on; none when everything is off."""

    t_ns: int
    outputs: tuple[tuple[int, int], ...]


UnitEvent = Identified | Ready | Confirmed | UnitFault | UnitWarning
