"""Devices as a person names them on the command line: `kind:port`."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

from controller.assembly.devices import connected
from controller.clock import wall_day
from controller.drivers import registry
from controller.drivers.orthoses.kind import orthosis
from controller.drivers.pucks.kind import chosen_puck
from controller.drivers.registry import UnknownDevice
from controller.drivers.stimulators.kind import stimulator
from controller.gateway.authorisation import default_path, read
from controller.vocabulary.stages import Stage


def wrong_name(named: str) -> str:
    """What is wrong with one `kind:port`, whatever it is meant for; "" when it is a known kind with a port."""
    kind, _, port = named.partition(":")
    base = kind.partition(".")[0]
    if not port:
        return f"{named}: name the kind and the port, for example p24:/dev/ttyACM0"
    names = [name for group in registry.OWN for name in registry.names(group)]
    return "" if base in names else f"{named}: there is no device {base!r}; there are {', '.join(names)}"


def with_kind(unit: str, operator: str, authorisation: Path | None) -> str:
    """`--unit` with its kind where a port alone was named and its USB chip says which kind it is; else as it is.

    A P24 of which this operator may use nothing beyond the resistor box is driven pulse by pulse (`p24-low`): should
    the computer die, it then stops with the pulse it has, and not only after its own watchdog.
    """
    if not unit.startswith(("/dev/", "usb:")):
        return unit
    path = unit.removeprefix("usb:")
    kinds = next((found.kinds for found in connected() if path in (found.path, found.serial)), ())
    if "p24" not in kinds:
        return f"{kinds[0]}:{unit}" if len(kinds) == 1 else unit
    today = date.fromisoformat(wall_day()[0])
    book = read(authorisation or default_path(), today)
    beyond = [entry for entry in book.entries if entry.operator == operator and entry.stage != Stage.RESISTOR_BOX]
    return f"{'p24' if beyond else 'p24-low'}:{unit}"


def misnamed(unit: str, puck_at: str, orthosis_at: str | None) -> str:
    """What is wrong with these names, in one sentence; "" when each is a known kind with a port of its own."""
    ports: dict[str, str] = {}
    finders: tuple[tuple[str, str | None, Callable[[str], object]], ...] = (
        ("--unit", unit, _unit),
        ("--puck", puck_at, chosen_puck),
        ("--orthosis", orthosis_at, _orthosis),
    )
    for option, word, find in finders:
        if not word:
            continue
        port = word.partition(":")[2]
        if not port:
            return f"{option} {word}: name the kind and the port, for example {option} {_EXAMPLES[option]}"
        try:
            find(word)
        except UnknownDevice as error:
            return f"{option} {word}: {_elsewhere(option, _kind(word)) or error}"
        if port in ports:
            return f"{option} {word}: {ports[port]} names the same port, and each device needs one of its own"
        ports[port] = option
    return ""


def _elsewhere(option: str, kind: str) -> str:
    """A device of that name that belongs to another option; "" for none."""
    where = next((other for other, group in _GROUPS.items() if kind in registry.names(group)), option)
    return f"{kind!r} is a device for {where}, not for {option}" if where != option else ""


def _unit(word: str) -> object:
    return stimulator(word.partition(":")[0])


def _orthosis(word: str) -> object:
    return orthosis(word.partition(":")[0])


def _kind(word: str) -> str:
    return word.partition(":")[0].partition(".")[0]


_GROUPS = {"--unit": registry.STIMULATORS, "--puck": registry.PUCKS, "--orthosis": registry.ORTHOSES}
_EXAMPLES = {
    "--unit": "p24:/dev/ttyACM0",
    "--puck": "ximu3:/dev/ttyACM1",
    "--orthosis": "dynamixel:/dev/ttyUSB0",
}
