"""How the patient is placed: what the protocol is made for, and what a person looked at and confirmed today.

A leg muscle that is stimulated, or a joint that is moved, can throw a patient who stands. No sensor of ours sees how a
patient is placed, so a person says it, and the guard compares.
"""

from enum import StrEnum
from typing import NamedTuple

from safety.orders import Refused


class Position(StrEnum):
    """How the patient is placed during a session."""

    SEATED = "seated"
    LYING = "lying"
    STANDING = "standing"


POSITIONS: dict[str, Position] = {position.value: position for position in Position}


class Placed(NamedTuple):
    """What a person confirmed: the position, whether a harness holds the patient, and of whom on which day."""

    position: Position
    harness: bool
    patient: str
    date: str


def misplaced(needed: Position | None, placed: Placed | None) -> str | None:
    """Why nothing may flow or move in a session with the patient placed so; None when all is as it should be."""
    if needed is None:
        return "The protocol has not said which position it is made for."
    if placed is None:
        return "The patient's position has not been confirmed today."
    if placed.position is not needed:
        return f"The protocol is made for a patient who is {needed}, but {placed.position} was confirmed."
    if placed.position is Position.STANDING and placed.harness is not True:
        return "A patient who stands must be held by a harness."
    return None


def placing_refused(position: str, harness: bool, armed: bool) -> Refused | None:
    """Judge what a person says of the patient's position (`P06`, `P07`)."""
    if armed is not False:
        return Refused("P06", "The patient's position is confirmed only while disarmed.", latches=False)
    if type(position) is not str or position not in POSITIONS or type(harness) is not bool:
        return Refused("P07", f"A position is one of {', '.join(POSITIONS)}, with a harness or without.", latches=False)
    return None


def needing_refused(position: str, before: Position | None) -> Refused | None:
    """Judge which position the protocol is made for (`C05`, `C06`). `before` is what must not change (while armed)."""
    if type(position) is not str or position not in POSITIONS:
        return Refused("C05", f"The protocol's position is none of {', '.join(POSITIONS)}.", latches=False)
    if before is not None and POSITIONS[position] is not before:
        return Refused("C06", "While armed, the position that the protocol is made for does not change.", latches=False)
    return None
