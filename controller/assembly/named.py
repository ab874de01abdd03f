"""Devices as a person names them on the command line: `kind:port`."""

from collections.abc import Callable

from controller.drivers import registry
from controller.drivers.orthoses.kind import orthosis
from controller.drivers.pucks.kind import chosen_puck
from controller.drivers.registry import UnknownDevice
from controller.drivers.stimulators.kind import stimulator


def wrong_name(named: str) -> str:
    """What is wrong with one `kind:port`, whatever it is meant for; "" when it is a known kind with a port."""
    kind, _, port = named.partition(":")
    base = kind.partition(".")[0]
    if not port:
        return f"{named}: name the kind and the port, for example p24:/dev/ttyACM0"
    names = [name for group in registry.OWN for name in registry.names(group)]
    return "" if base in names else f"{named}: there is no device {base!r}; there are {', '.join(names)}"


def misnamed(unit: str, puck_at: str, orthosis_at: str | None) -> str:
    """What is wrong with these names, in one sentence; "" when each is a known kind with a port."""
    finders: tuple[tuple[str, str | None, Callable[[str], object]], ...] = (
        ("--unit", unit, _unit),
        ("--puck", puck_at, chosen_puck),
        ("--orthosis", orthosis_at, _orthosis),
    )
    for option, word, find in finders:
        if not word:
            continue
        if not word.partition(":")[2]:
            return f"{option} {word}: name the kind and the port, for example {option} {_EXAMPLES[option]}"
        try:
            find(word)
        except UnknownDevice as error:
            return f"{option} {word}: {error}"
    return ""


def _unit(word: str) -> object:
    return stimulator(_kind(word))


def _orthosis(word: str) -> object:
    return orthosis(_kind(word))


def _kind(word: str) -> str:
    return word.partition(":")[0].partition(".")[0]


_EXAMPLES = {
    "--unit": "p24:/dev/ttyACM0",
    "--puck": "ximu3:/dev/ttyACM1",
    "--orthosis": "dynamixel:/dev/ttyUSB0",
}
