"""What the driver of a powered orthosis says to the gateway."""

from dataclasses import dataclass

from controller.drivers.events import Identified as Identified
from controller.drivers.events import PairCheckFailed as PairCheckFailed
from controller.drivers.events import Ready as Ready
from controller.drivers.events import UnitFault as UnitFault
from safety.joint import Posture


@dataclass(frozen=True, slots=True)
class Moved:
    """A new posture was read."""

    posture: Posture


@dataclass(frozen=True, slots=True)
class Freed:
    """The orthosis confirmed, by a read, that its torque is off."""

    t_ns: int


JointEvent = Identified | Ready | Moved | Freed | UnitFault
