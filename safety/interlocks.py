"""Interlocks: what must be so, all of it, before current may flow or a powered orthosis may push."""

from typing import NamedTuple

SIMULATED_PREFIX = "SIM"
"""A unit is taken for a simulated one by its own word alone: never by the path or address of its port."""


class Conditions(NamedTuple):
    """The state of everything around the guard, as the gateway knows it now.

    `permission` is "" when the devices may be used in this way, else the sentence that says why not: the gateway reads
    it from their identities and the authorisation file. One set for stimulation and for motion: both permissions fall
    together. `joint_ok` is True when no powered orthosis is fitted; with one, when its driver is ready and its posture
    young.
    """

    unit_ready: bool
    engine_alive: bool
    screen_alive: bool
    stop_tested: bool
    permission: str
    latched: bool
    time_ok: bool
    joint_ok: bool = True


PERMITTED = ""
"""What `permission` must be."""

_NEEDED: tuple[bool | str, ...] = (True, True, True, True, PERMITTED, False, True, True)
_SENTENCES = (
    "The stimulator is not ready. Wait until it has answered, or check its cable.",
    "The engine is silent. Current stays off until it is heard again.",
    "The screen is silent. Current stays off until it is heard again.",
    "STOP has not been tested in this session. Press F12 once.",
    "{permission}",
    "Output was stopped and is latched. Find out why, acknowledge, then arm again.",
    "The clock jumped. Current stays off until a person arms again.",
    "The powered orthosis is not ready, or its posture is not known. Support the limb; check its cable and power.",
)


def is_simulated(identity: str) -> bool:
    """Whether a unit that calls itself so is a simulated one."""
    return identity.startswith(SIMULATED_PREFIX)


def first_open(conditions: Conditions) -> str | None:
    """One sentence for the first interlock that is not as needed (with what to do), None when all are closed."""
    ready, engine, screen, tested, permission, latched, time_ok, joint_ok = conditions
    closed = (ready is engine is screen is tested is time_ok is joint_ok is True) and latched is False
    if closed and type(permission) is str and permission == PERMITTED:
        return None  # the usual case, at a fifth of the cost of the walk below
    exact = permission if type(permission) is str else None
    states: tuple[bool | str | None, ...] = (ready, engine, screen, tested, exact, latched, time_ok, joint_ok)
    opened = [_SENTENCES[at] for at, found in enumerate(states) if not _as(found, _NEEDED[at])]
    return opened[0].format(permission=exact or "What these devices may be used for is not known.")


def _as(found: bool | str | None, needed: bool | str) -> bool:
    return found == needed if type(found) is str else found is needed
