"""The twins: one line each, `module:function`, loaded only when asked for.

A package of a third party adds its own by an entry point in the group `stimloop.twins` whose value is
`module:TWINKIND`, where TWINKIND is a `TwinKind` (docs/add-a-device.md). A name that is here always means this twin.
The function is called with those of `seed=...` and `log=...` that it takes, and gives the twin.
"""

from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from inspect import signature
from typing import Any


class Role(StrEnum):
    """What a twin stands for: it decides how the world talks to it."""

    STIMULATOR = "stimulator"
    PUCK = "puck"
    ORTHOSIS = "orthosis"
    PEDAL = "pedal"


@dataclass(frozen=True, slots=True)
class TwinKind:
    """One kind of twin. `streams`: it sends unasked, so that a port nobody reads must keep only the newest.

    `wire` is the module of its codec with `renumbered(frame)` and `mislengthed(frame)`, which damage a packet number or
    a length field; a device without such a field lacks the function, or the module ("").
    """

    role: Role
    make: str
    streams: bool
    wire: str = ""


GROUP = "stimloop.twins"


class UnknownTwin(KeyError):
    """No twin of that name, or it cannot be loaded; the text says why, and what there is."""

    def __str__(self) -> str:
        return str(self.args[0])


class Twins(dict[str, TwinKind]):
    """The twins by name: those below, and where a name is not one of them, those that installed packages add.

    To go through it, or to count it, is to see the twins below alone; `names` has them all. Asking for the others costs
    tens of milliseconds. `[name]` raises `UnknownTwin`.
    """

    def __missing__(self, name: str) -> TwinKind:
        target = _added().get(name)
        if target is None:
            raise UnknownTwin(f"there is no simulated device {name!r}; there are {', '.join(names())}")
        module, _, value = target.partition(":")
        try:
            found: Any = getattr(import_module(module), value)
        except (ImportError, AttributeError, SyntaxError, TypeError, ValueError) as error:
            raise UnknownTwin(f"{name!r} cannot be loaded from {target}: {error}") from error
        if not isinstance(found, TwinKind):
            raise UnknownTwin(f"{name!r} ({target}) is no TwinKind")
        return found

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or name in _added()

    def get(self, name: str, default: Any = None) -> Any:
        """The twin of that name, `default` where there is none. Raises `UnknownTwin` for one that cannot be loaded."""
        if name not in self:
            return default
        return self[name]


OWN: dict[str, TwinKind] = {
    "p24": TwinKind(
        Role.STIMULATOR, "sim.devices.p24:P24Twin", streams=False, wire="controller.wire.sciencemode.frame"
    ),
    "rehamove3": TwinKind(
        Role.STIMULATOR, "sim.devices.rehamove3:RehaMove3Twin", streams=False, wire="controller.wire.sciencemode.frame"
    ),
    "rehastim2": TwinKind(
        Role.STIMULATOR,
        "sim.devices.rehastim2:RehaStim2Twin",
        streams=True,
        wire="controller.wire.sciencemode2.rehastim2",
    ),
    "ximu3": TwinKind(Role.PUCK, "sim.devices.ximu3:Ximu3Twin", streams=True),
    "fitmi": TwinKind(Role.PUCK, "sim.devices.fitmi:FitMiTwin", streams=True),
    "fitmi-yellow": TwinKind(Role.PUCK, "sim.devices.fitmi:yellow_twin", streams=True),
    "ximu3-ascii": TwinKind(Role.PUCK, "sim.devices.ximu3:ascii_twin", streams=True),
    "witmotion": TwinKind(Role.PUCK, "sim.devices.witmotion:WitMotionTwin", streams=True),
    "bno085": TwinKind(Role.PUCK, "sim.devices.bno085:Bno085Twin", streams=True, wire="controller.wire.bno085"),
    "textline": TwinKind(Role.PUCK, "sim.devices.textline:TextLineTwin", streams=True),
    "dynamixel": TwinKind(
        Role.ORTHOSIS, "sim.devices.dynamixel:DynamixelTwin", streams=False, wire="controller.wire.dynamixel.frame"
    ),
    "pedal": TwinKind(Role.PEDAL, "sim.devices.pedal:PedalTwin", streams=False),
    "button-pedal": TwinKind(Role.PEDAL, "sim.devices.pedal:button_twin", streams=False),
}

TWINS = Twins(OWN)


def names() -> tuple[str, ...]:
    """All names, the program's own first."""
    return (*OWN, *sorted(name for name in _added() if name not in OWN))


def _added() -> dict[str, str]:
    """What installed packages add."""
    from importlib.metadata import entry_points

    return {entry.name: entry.value for entry in entry_points(group=GROUP)}


def make(name: str, **options: Any) -> Any:
    """The twin of that name, with those of the options (`seed`, `log`) that it takes. Raises `UnknownTwin`."""
    module, _, value = TWINS[name].make.partition(":")
    maker = getattr(import_module(module), value)
    taken = signature(maker).parameters
    return maker(**{option: given for option, given in options.items() if option in taken})
