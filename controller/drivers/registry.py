"""The devices that this program can drive: one line each, `module:value`, loaded only when asked for.

A package of a third party adds its own by an entry point of the same form, in the group of that name
(docs/add-a-device.md). A name that the program itself has always means its own device.
"""

from importlib import import_module
from typing import Any, TypeVar

STIMULATORS, PUCKS, ORTHOSES = "stimloop.stimulators", "stimloop.pucks", "stimloop.orthoses"

OWN: dict[str, dict[str, str]] = {
    STIMULATORS: {
        "p24": "controller.drivers.stimulators.p24:P24",
        "p24-low": "controller.drivers.stimulators.p24_low:P24_LOW",
        "rehastim2": "controller.drivers.stimulators.rehastim2:REHASTIM2",
        "rehamove3": "controller.drivers.stimulators.rehamove3:REHAMOVE3",
    },
    PUCKS: {
        "ximu3": "controller.drivers.pucks.ximu3:XIMU3",
        "fitmi": "controller.drivers.pucks.fitmi:FITMI",
        "witmotion": "controller.drivers.pucks.witmotion:WITMOTION",
        "bno085": "controller.drivers.pucks.bno085:BNO085",
        "textline": "controller.drivers.pucks.textline:TEXTLINE",
    },
    ORTHOSES: {
        "dynamixel": "controller.drivers.orthoses.dynamixel:DYNAMIXEL",
    },
}

Kind = TypeVar("Kind")


class UnknownDevice(ValueError):
    """No device of that name, or it cannot be loaded; the text says what there is."""


def load(group: str, name: str, kind: type[Kind]) -> Kind:
    """The device of that name, which must be a `kind`. Raises `UnknownDevice`."""
    target = OWN[group].get(name) or _added(group).get(name)
    if target is None:
        raise UnknownDevice(f"there is no {kind.__name__[:-4].lower()} {name!r}; there are {', '.join(names(group))}")
    module, _, value = target.partition(":")
    try:
        found: Any = getattr(import_module(module), value)
    except (ImportError, AttributeError, SyntaxError, TypeError, ValueError) as error:
        raise UnknownDevice(f"{name!r} cannot be loaded from {target}: {error}") from error
    if not isinstance(found, kind):
        raise UnknownDevice(f"{name!r} ({target}) is no {kind.__name__}")
    return found


def names(group: str) -> tuple[str, ...]:
    """The names in a group, the program's own first."""
    own = OWN[group]
    return (*own, *sorted(name for name in _added(group) if name not in own))


def own(group: str) -> list[str]:
    """The program's own names in a group."""
    return list(OWN[group])


def _added(group: str) -> dict[str, str]:
    """What installed packages add. Asked only where a name is not the program's own: it costs tens of milliseconds."""
    from importlib.metadata import entry_points

    return {entry.name: entry.value for entry in entry_points(group=group)}
