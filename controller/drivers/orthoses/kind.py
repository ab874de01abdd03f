"""A kind of orthosis: what the program needs to know to open, recognise and drive one."""

from collections.abc import Callable
from dataclasses import dataclass

from controller.drivers import registry
from controller.drivers.orthoses.base import OrthosisDriver
from controller.drivers.ports import LineSettings
from controller.drivers.usb import UsbId, never
from controller.vocabulary.capabilities import Capabilities
from safety.joint import JointDeviceLimits


@dataclass(frozen=True, slots=True)
class OrthosisKind:
    """One such value a device. `resembles`: do bytes that came unasked, or for an answer, look like its own?"""

    name: str
    driver: Callable[[], OrthosisDriver]
    limits: JointDeviceLimits
    line: LineSettings
    capabilities: Capabilities
    usb: tuple[UsbId, ...] = ()
    resembles: Callable[[bytes], bool] = never


def orthosis(name: str) -> OrthosisKind:
    """The orthosis of that name. Raises `registry.UnknownDevice`."""
    return registry.load(registry.ORTHOSES, name, OrthosisKind)
