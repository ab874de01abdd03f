"""What every driver of the gateway says: who the device is, that it is ready, what is wrong with it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Identified:
    """The device said who it is; `version` is its firmware, for the record."""

    identity: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class Ready:
    """The device is initialised and at zero: it may be told to deliver or to move."""


@dataclass(frozen=True, slots=True)
class UnitFault:
    """Something is wrong with the device or its line: why, and what a person should do, in plain sentences."""

    cause: str
    todo: str


@dataclass(frozen=True, slots=True)
class UnitWarning:
    """Output may go on, but a person should know: what is so, and what to do about it, in plain sentences."""

    cause: str
    todo: str


class PairCheckFailed(Exception):
    """The bytes for an order do not say what the order says (or cannot be made); nothing was written."""
