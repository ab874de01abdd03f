"""The twins: one line each, `module:function`, loaded only when asked for.

A package of a third party adds its own by an entry point in the group `stimloop.twins`. The function is called as
`make(seed=..., log=...)` and gives the twin.
"""

from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import Any


class Role(StrEnum):
    """What a twin stands for: it decides how the world talks to it."""

    STIMULATOR = "stimulator"
    PUCK = "puck"
    ORTHOSIS = "orthosis"


@dataclass(frozen=True, slots=True)
class TwinKind:
    """One kind of twin. `streams`: it sends unasked, so that a port nobody reads must keep only the newest."""

    role: Role
    make: str
    streams: bool


TWINS: dict[str, TwinKind] = {
    "p24": TwinKind(Role.STIMULATOR, "sim.devices.p24:P24Twin", streams=False),
    "ximu3": TwinKind(Role.PUCK, "sim.devices.ximu3:Ximu3Twin", streams=True),
    "fitmi": TwinKind(Role.PUCK, "sim.devices.fitmi:FitMiTwin", streams=True),
}


def make(name: str, **options: Any) -> Any:
    """The twin of that name. Raises `KeyError` for one that nobody knows."""
    module, _, value = TWINS[name].make.partition(":")
    return getattr(import_module(module), value)(**options)
