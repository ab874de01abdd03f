"""A kind of puck: what the program needs to know to open, recognise and drive one."""

from collections.abc import Callable
from dataclasses import dataclass

from controller.drivers import registry
from controller.drivers.ports import LineSettings
from controller.drivers.pucks.base import PuckDriver
from controller.drivers.usb import UsbId, never
from controller.vocabulary.capabilities import Capabilities


@dataclass(frozen=True, slots=True)
class PuckKind:
    """One such value a device. `resembles`: do bytes that came unasked, or for an answer, look like its own?"""

    name: str
    driver: Callable[[], PuckDriver]
    line: LineSettings
    capabilities: Capabilities
    usb: tuple[UsbId, ...] = ()
    resembles: Callable[[bytes], bool] = never


def puck(name: str) -> PuckKind:
    """The puck of that name. Raises `registry.UnknownDevice`."""
    return registry.load(registry.PUCKS, name, PuckKind)
