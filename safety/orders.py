"""Orders to deliver, and the guard's two answers.

`Admitted` is the only ticket a driver accepts. Its constructor takes the guard's private token; a test walks the
syntax trees of the whole product and finds no other caller.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from safety.joint import Assist, Hold
from safety.stimulus import Train

LEASE_MAX_NS = 120_000_000


class Purpose(IntEnum):
    """Why current is wanted. It decides which rules apply."""

    IDENTIFY = 1  # one low pulse train, to see which muscle a channel reaches
    TITRATE = 2  # finding sensory threshold, motor threshold and tolerance
    ASSIST = 3  # help that follows the patient's own attempt, or the patient's own angle
    CYCLIC = 4  # timed stimulation without an attempt


class ArmScope(StrEnum):
    """What a person armed for. It bounds the purposes that the guard admits."""

    FITTING = "fitting"  # identify and titrate only
    SESSION = "session"  # assist and cyclic only


class StopReason(IntEnum):
    """Why output is to end. `RELEASE` is the ordinary end of a burst; all others latch the gateway."""

    RELEASE = 0
    OPERATOR = 1
    FAULT = 2


@dataclass(frozen=True, slots=True)
class Deliver:
    """Ask for exactly these trains, on exactly these channels: every other channel is off (absolute, not a change).

    `seq` rises strictly within a sender. `stamp_ns` is the sender's clock when the order was made, `expires_ns` the
    end of its lease (at most `LEASE_MAX_NS` after the stamp). `press` is the number of the fresh key press that a
    titration or identification step answers to (0 for every other purpose). `sensor_ns` is the time of the newest
    puck sample that the order rests on (0 where no puck is involved). No trains, or trains of 0 uA, mean off.
    """

    seq: int
    stamp_ns: int
    expires_ns: int
    purpose: Purpose
    trains: tuple[Train, ...]
    press: int = 0
    sensor_ns: int = 0


@dataclass(frozen=True, slots=True)
class Renew:
    """Prolong the lease of what is being delivered, unchanged, until `expires_ns`."""

    seq: int
    stamp_ns: int
    expires_ns: int
    sensor_ns: int = 0


@dataclass(frozen=True, slots=True)
class Stop:
    """End all output. It needs no ticket: off is always admitted."""

    seq: int
    stamp_ns: int
    reason: StopReason = StopReason.RELEASE


Order = Deliver | Renew | Stop


class Token:
    """The guard's private token: the guard makes one and keeps it to itself."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Admitted:
    """The guard's yes: this order, its trains or its movement, may be on the wire until `expires_ns`."""

    token: Token
    serial: int
    admitted_ns: int
    order: Deliver | Renew | Hold | Assist

    @property
    def trains(self) -> tuple[Train, ...]:
        """The trains that may be written (none for a renewal, which changes nothing, or a movement)."""
        return self.order.trains if isinstance(self.order, Deliver) else ()

    @property
    def expires_ns(self) -> int:
        """End of the lease on the sender's clock, in nanoseconds."""
        return self.order.expires_ns


@dataclass(frozen=True, slots=True)
class Refused:
    """The guard's no: the rule (`G07`), why in one sentence with figures, and whether the gateway must latch."""

    rule: str
    reason: str
    latches: bool = True
