"""Devices as a person names them on the command line: `kind:port`."""

from controller.drivers import registry
from controller.drivers.orthoses.kind import orthosis
from controller.drivers.pucks.kind import puck
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
    for option, word, find in (
        ("--unit", unit, stimulator),
        ("--puck", puck_at, puck),
        ("--orthosis", orthosis_at, orthosis),
    ):
        if not word:
            continue
        kind, _, port = word.partition(":")
        if not port:
            return f"{option} {word}: name the kind and the port, for example {option} {_EXAMPLES[option]}"
        try:
            find(kind.partition(".")[0])
        except UnknownDevice as error:
            return f"{option} {word}: {error}"
    return ""


_EXAMPLES = {
    "--unit": "p24:/dev/ttyACM0",
    "--puck": "ximu3:/dev/ttyACM1",
    "--orthosis": "dynamixel:/dev/ttyUSB0",
}
