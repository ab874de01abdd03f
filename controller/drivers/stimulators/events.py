"""What a stimulator's driver says to the gateway. Channels are numbered from 1, as printed on the unit."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Identified:
    """The unit said who it is; `version` is its firmware, for the record."""

    identity: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class Ready:
    """The unit is initialised and at zero: it may be told to deliver."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The unit confirmed its output: (channel, uA) of each channel that is on; none when everything is off."""

    t_ns: int
    outputs: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class UnitFault:
    """Something is wrong with the unit or its line: why, and what a person should do, in plain sentences."""

    cause: str
    todo: str


UnitEvent = Identified | Ready | Confirmed | UnitFault


class PairCheckFailed(Exception):
    """The bytes for an order do not say what the order says (or cannot be made); nothing was written."""
