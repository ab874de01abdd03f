"""Interlocks: what must be so, all of it, before current may flow or a powered orthosis may push."""

from typing import NamedTuple

SIMULATED_PREFIX = "SIM"
"""A unit is taken for a simulated one by its own word alone: never by the path or address of its port."""


class Conditions(NamedTuple):
    """The state of everything around the guard, as the gateway knows it now. `identity` serves the sentence only.

    One set for stimulation and for motion: both permissions fall together. `joint_ok` is True when no powered orthosis
    is fitted; with one, when its driver is ready and its posture young.
    """

    unit_ready: bool
    engine_alive: bool
    screen_alive: bool
    stop_tested: bool
    simulated: bool
    latched: bool
    time_ok: bool
    identity: str = ""
    joint_ok: bool = True


_NEEDED = (True, True, True, True, True, False, True, True)
_SENTENCES = (
    "The stimulator is not ready. Wait until it has answered, or check its cable.",
    "The engine is silent. Current stays off until it is heard again.",
    "The screen is silent. Current stays off until it is heard again.",
    "STOP has not been tested in this session. Press F12 once.",
    "Only a simulated unit may be armed: this one calls itself '{identity}'.",
    "Output was stopped and is latched. Find out why, acknowledge, then arm again.",
    "The clock jumped. Current stays off until a person arms again.",
    "The powered orthosis is not ready, or its posture is not known. Support the limb; check its cable and power.",
)


def is_simulated(identity: str) -> bool:
    """Whether a unit that calls itself so is a simulated one."""
    return identity.startswith(SIMULATED_PREFIX)


def first_open(conditions: Conditions) -> str | None:
    """One sentence for the first interlock that is not as needed (with what to do), None when all are closed."""
    ready, engine, screen, tested, simulated, latched, time_ok, _, joint_ok = conditions
    if (ready is engine is screen is tested is simulated is time_ok is joint_ok is True) and latched is False:
        return None  # the usual case, at a fifth of the cost of the walk below
    states = (ready, engine, screen, tested, simulated, latched, time_ok, joint_ok)
    opened = [text for found, needed, text in zip(states, _NEEDED, _SENTENCES, strict=True) if found is not needed]
    return opened[0].format(identity=conditions.identity or "unknown")
