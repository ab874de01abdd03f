"""A kind of puck: what the program needs to know to open, recognise and drive one; and how a person names it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from controller.drivers import registry
from controller.drivers.ports import LineSettings
from controller.drivers.pucks.base import PuckDriver
from controller.drivers.registry import UnknownDevice
from controller.drivers.usb import UsbId, never
from controller.vocabulary.capabilities import Capabilities


@dataclass(frozen=True, slots=True)
class PuckKind:
    """One such value a device. `resembles`: do bytes that came unasked, or for an answer, look like its own?

    `pucks` names those of a dongle that brings several, in the order of its driver's; `at` makes the driver for a
    port where it has to know it (reports that come whole, scales that belong to a serial number).
    """

    name: str
    driver: Callable[[], PuckDriver]
    line: LineSettings
    capabilities: Capabilities
    usb: tuple[UsbId, ...] = ()
    resembles: Callable[[bytes], bool] = never
    pucks: tuple[str, ...] = ()
    at: Callable[[str], PuckDriver] | None = None

    def driver_at(self, port: str) -> PuckDriver:
        """The driver for the device at this port."""
        if self.at is not None:
            return self.at(port)
        driver = self.driver()
        driver.device = port
        return driver


class ChosenPuck(NamedTuple):
    """What `--puck` says: the kind, which puck of its dongle is worn ("" for a kind with only one), and the port."""

    kind: PuckKind
    which: str
    port: str


def puck(name: str) -> PuckKind:
    """The puck of that name. Raises `registry.UnknownDevice`."""
    return registry.load(registry.PUCKS, name, PuckKind)


def chosen_puck(named: str) -> ChosenPuck:
    """`KIND:PORT` or `KIND.PUCK:PORT`; without a puck the dongle's first. Raises `registry.UnknownDevice`."""
    word, _, port = named.partition(":")
    name, dot, which = word.partition(".")
    kind = puck(name)
    if dot and which not in kind.pucks:
        there = f"write {' or '.join(f'{name}.{one}' for one in kind.pucks)}" if kind.pucks else f"write {name} alone"
        raise UnknownDevice(f"a {kind.capabilities.device} has no puck {which!r}: {there}")
    return ChosenPuck(kind, which or (kind.pucks[0] if kind.pucks else ""), port)
