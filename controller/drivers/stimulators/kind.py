"""A kind of stimulator: what the program needs to know to open, recognise and drive one."""

from collections.abc import Callable
from dataclasses import dataclass

from controller.drivers import registry
from controller.drivers.ports import LineSettings
from controller.drivers.stimulators.base import StimulatorDriver
from controller.drivers.usb import UsbId, never
from controller.vocabulary.capabilities import Capabilities
from safety.limits import DeviceLimits


@dataclass(frozen=True, slots=True)
class StimulatorKind:
    """One such value a device. `resembles`: do bytes that came unasked, or for an answer, look like its own?"""

    name: str
    driver: Callable[[], StimulatorDriver]
    limits: DeviceLimits
    line: LineSettings
    capabilities: Capabilities
    usb: tuple[UsbId, ...] = ()
    resembles: Callable[[bytes], bool] = never


def stimulator(name: str) -> StimulatorKind:
    """The stimulator of that name. Raises `registry.UnknownDevice`."""
    return registry.load(registry.STIMULATORS, name, StimulatorKind)
