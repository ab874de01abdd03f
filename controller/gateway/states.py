"""The gateway's states as one table: (state, what happened) -> next state. What is not in the table cannot happen.

LATCHED is entered from everywhere and left only by `rearmed`, which needs a person, a number and a reason.
"""

from enum import StrEnum

from controller.vocabulary.facts import GatewayState as State


class Happening(StrEnum):
    """What can move the gateway from one state to another."""

    OPENED = "opened"  # the port is open
    READY = "ready"  # the unit is identified, initialised and at zero
    UNREADY = "unready"  # the unit has to be initialised again
    LOST = "lost"  # the port is gone, and nothing was armed
    ARMED = "armed"
    DELIVERED = "delivered"  # the first current of a burst is on the wire
    RELEASED = "released"  # the burst ended as ordered
    RESTED = "rested"  # the guard's minimum rest is over
    DISARMED = "disarmed"
    LATCHED = "latched"
    REARMED = "rearmed"


_TABLE: dict[tuple[State, Happening], State] = {
    (State.CLOSED, Happening.OPENED): State.CONNECTED,
    (State.CONNECTED, Happening.READY): State.DISARMED,
    (State.CONNECTED, Happening.LOST): State.CLOSED,
    (State.DISARMED, Happening.UNREADY): State.CONNECTED,
    (State.DISARMED, Happening.LOST): State.CLOSED,
    (State.DISARMED, Happening.ARMED): State.ARMED,
    (State.ARMED, Happening.DELIVERED): State.DELIVERING,
    (State.ARMED, Happening.DISARMED): State.DISARMED,
    (State.DELIVERING, Happening.RELEASED): State.RESTING,
    (State.DELIVERING, Happening.DISARMED): State.DISARMED,
    (State.RESTING, Happening.RESTED): State.ARMED,
    (State.RESTING, Happening.DELIVERED): State.DELIVERING,
    (State.RESTING, Happening.DISARMED): State.DISARMED,
    (State.LATCHED, Happening.REARMED): State.ARMED,
}
TABLE = _TABLE | {(state, Happening.LATCHED): State.LATCHED for state in State}

PERMITS_DELIVERY = frozenset({State.ARMED, State.DELIVERING, State.RESTING})


def after(state: State, happening: Happening) -> State:
    """The state that follows. Raises `KeyError` for a step that the table does not have: a defect, never a repair."""
    return TABLE[state, happening]
